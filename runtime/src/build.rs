//! Builds the fields of a generated module from the description.

use crate::layer::{DropPath, Layer, SpectralNorm, WeightNorm, Weights};
use crate::{NetworkConfig, Spec, SpecError};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::tensor::{Bool, Device, Int, Tensor};
use damper_ir::op;
use damper_ir::{Op, OpKind, Parameter, Reparameterization, Statement};
use std::collections::HashMap;
use std::rc::Rc;

/// Layers by the names of their fields.
type Fields<'a> = HashMap<String, &'a Op>;

/// Builds the fields of a generated module: it knows the description, the device, and which block it is in.
///
/// The generated code names the field and its type; every size comes from the description, where the
/// shape rules have checked it.
#[derive(Debug)]
pub struct Builder<'a> {
    spec: &'a Spec,
    /// Shared by all blocks.
    weights: Rc<Weights>,
    /// The bytes of all parameters, if there is no memory for them.
    too_large: Option<u128>,
    /// The statements of this block.
    statements: &'a [Statement],
    /// The layers of this block by the names of their fields.
    fields: Rc<Fields<'a>>,
    /// The residual this block is, if it is one.
    residual: Option<&'a Op>,
    /// Which copy of how many, inside a `repeat`.
    copy: (usize, usize),
    path: String,
}

impl<'a> Builder<'a> {
    /// A builder for the model itself.
    pub fn new(spec: &'a Spec, device: &Device) -> Self {
        let statements = &spec.model().layers;
        Self {
            spec,
            weights: Rc::new(Weights::new(device)),
            too_large: too_large(spec),
            statements,
            fields: Rc::new(fields(statements)),
            residual: None,
            copy: (0, 1),
            path: String::new(),
        }
    }

    /// Builds some fields of a large struct, in a function of their own: each `?` drops all fields built before it, which is
    /// slow to compile when there are many.
    ///
    /// # Errors
    ///
    /// What building the fields gives.
    #[inline(never)]
    pub fn part<T>(
        &self,
        build: impl FnOnce(&Self) -> Result<T, SpecError>,
    ) -> Result<T, SpecError> {
        build(self)
    }

    /// The layer of the field: its sizes are those of the description.
    ///
    /// # Errors
    ///
    /// [`SpecError::Layer`] if the description has no such layer (macro and runtime disagree),
    /// [`SpecError::TooLarge`] if there is no memory for the parameters of all layers.
    pub fn layer<L: Layer>(&self, field: &str) -> Result<L, SpecError> {
        if let Some(bytes) = self.too_large {
            return Err(SpecError::TooLarge {
                model: self.spec.model().name.clone(),
                bytes,
            });
        }
        self.fields
            .get(field)
            .and_then(|op| {
                let shapes = self.spec.shapes();
                let (input, memory) = (shapes.input_of(op.id)?, shapes.memory_of(op.id));
                L::make_with(op, input, memory, &self.weights)
            })
            .ok_or_else(|| self.missing(field, L::WORD))
    }

    /// The residual block of the field.
    ///
    /// # Errors
    ///
    /// What building the block gives.
    pub fn residual<B>(
        &self,
        field: &str,
        build: impl FnOnce(&Builder<'_>) -> Result<B, SpecError>,
    ) -> Result<B, SpecError> {
        let op = self.op(field)?;
        let OpKind::Residual { body, .. } = &op.kind else {
            return Err(self.missing(field, "a `residual`"));
        };
        build(&Builder {
            statements: body,
            fields: Rc::new(fields(body)),
            residual: Some(op),
            path: self.join(field),
            weights: Rc::clone(&self.weights),
            ..*self
        })
    }

    /// The branches of the `parallel` of the field.
    ///
    /// # Errors
    ///
    /// What building the branches gives.
    pub fn parallel<B>(
        &self,
        field: &str,
        build: impl FnOnce(&Builder<'_>) -> Result<B, SpecError>,
    ) -> Result<B, SpecError> {
        let op = self.op(field)?;
        let OpKind::Parallel { body, .. } = &op.kind else {
            return Err(self.missing(field, "a `parallel`"));
        };
        build(&self.inside(field, body))
    }

    /// The declared block of the field.
    ///
    /// # Errors
    ///
    /// What building the block gives.
    pub fn block<B>(
        &self,
        field: &str,
        build: impl FnOnce(&Builder<'_>) -> Result<B, SpecError>,
    ) -> Result<B, SpecError> {
        let op = self.op(field)?;
        let OpKind::Use(one) = &op.kind else {
            return Err(self.missing(field, "a declared block"));
        };
        build(&self.inside(field, &one.body))
    }

    /// What an `if` holds; `None` where its condition is false.
    ///
    /// # Errors
    ///
    /// What building the block gives.
    pub fn when<B>(
        &self,
        field: &str,
        build: impl FnOnce(&Builder<'_>) -> Result<B, SpecError>,
    ) -> Result<Option<B>, SpecError> {
        let op = self.op(field)?;
        match &op.kind {
            OpKind::When { condition, body } => condition
                .is_true()
                .unwrap_or(true)
                .then(|| build(&self.inside(field, body)))
                .transpose(),
            _ => Err(self.missing(field, "an `if`")),
        }
    }

    /// A builder for the statements of a field.
    fn inside(&self, field: &str, statements: &'a [Statement]) -> Builder<'a> {
        Builder {
            statements,
            fields: Rc::new(fields(statements)),
            residual: None,
            path: self.join(field),
            weights: Rc::clone(&self.weights),
            ..*self
        }
    }

    /// The shortcut of the residual this builder is in.
    ///
    /// # Errors
    ///
    /// What building the block gives.
    pub fn shortcut<B>(
        &self,
        build: impl FnOnce(&Builder<'_>) -> Result<B, SpecError>,
    ) -> Result<B, SpecError> {
        match self.residual.map(|op| &op.kind) {
            Some(OpKind::Residual { shortcut, .. }) => build(&Builder {
                statements: shortcut,
                fields: Rc::new(fields(shortcut)),
                residual: None,
                path: self.join("shortcut"),
                weights: Rc::clone(&self.weights),
                ..*self
            }),
            _ => Err(self.missing("shortcut", "a `shortcut`")),
        }
    }

    /// The copies of a `repeat`.
    ///
    /// # Errors
    ///
    /// What building a copy gives.
    pub fn copies<B>(
        &self,
        field: &str,
        build: impl Fn(&Builder<'_>) -> Result<B, SpecError>,
    ) -> Result<Vec<B>, SpecError> {
        let op = self.op(field)?;
        let (OpKind::Repeat { body, copies, .. }, Some(times)) = (&op.kind, op.times()) else {
            return Err(self.missing(field, "a `repeat`"));
        };
        let alike = Rc::new(fields(body));
        (0..times)
            .map(|index| {
                let differs = copies.get(index).map(|copy| &copy.body);
                build(&Builder {
                    statements: differs.unwrap_or(body),
                    fields: differs.map_or_else(|| Rc::clone(&alike), |one| Rc::new(fields(one))),
                    residual: None,
                    copy: (index, times),
                    path: self.join(&format!("{field}.{index}")),
                    weights: Rc::clone(&self.weights),
                    ..*self
                })
            })
            .collect()
    }

    /// The nested model of the field.
    ///
    /// # Errors
    ///
    /// The rules that its values break.
    pub fn network<C: NetworkConfig>(&self, config: &C) -> Result<C::Network, SpecError> {
        self.weights.nested(|| config.init(self.device()))
    }

    /// The stochastic depth of the residual this builder is in.
    ///
    /// # Errors
    ///
    /// [`SpecError::Layer`] if the description has none.
    pub fn drop_path(&self) -> Result<DropPath, SpecError> {
        let (index, of) = self.copy;
        match self.residual.map(|op| &op.kind) {
            Some(OpKind::Residual {
                drop_path: Some(drop_path),
                ..
            }) => drop_path.rate(index, of).map(DropPath::new),
            _ => None,
        }
        .ok_or_else(|| self.missing("drop_path", "`drop_path`"))
    }

    /// The strengths of the activity penalty with this id: absolute values, squares.
    ///
    /// # Errors
    ///
    /// [`SpecError::Layer`] if the description has none.
    pub fn activity(&self, id: u32) -> Result<[f64; 2], SpecError> {
        self.statements
            .iter()
            .flat_map(|statement| &statement.ops)
            .find(|op| op.id.0 == id)
            .and_then(|op| match &op.kind {
                OpKind::Activity(op::Activity { l1, l2 }) => Some([l1.float()?, l2.float()?]),
                _ => None,
            })
            .ok_or_else(|| self.missing("activity", "`activity`"))
    }

    /// The device that the model is built on.
    pub fn device(&self) -> &Device {
        self.weights.device()
    }

    /// Reparameterizes the weights with `weight_norm` and `spectral_norm`; a description without them does not call it,
    /// and spares its crate what it is made of.
    pub fn reparameterize<M: Module>(&self, module: M) -> M {
        draw(&module);
        let computed =
            |how| self.paths(&|parameter: &Parameter| parameter.reparameterized == Some(how));
        let module = WeightNorm::attach(module, &computed(Reparameterization::WeightNorm));
        SpectralNorm::attach(module, &computed(Reparameterization::SpectralNorm))
    }

    /// Finishes the module: draws every weight, puts all of them on the device, and freezes what the description freezes.
    ///
    /// Layers of the user's own may have been made elsewhere: a trained model on a plain device, in a model that is made
    /// for training.
    pub fn finish<M: Module>(&self, module: M) -> M {
        draw(&module);
        let module = if is_whole(&module, self.device()) {
            module
        } else {
            self.collect(module)
        };
        let frozen = self.paths(&|parameter| parameter.frozen);
        if frozen.is_empty() {
            module
        } else {
            module.freeze_group(ParamGroup::from_paths(frozen))
        }
    }

    fn collect<M: Module>(&self, module: M) -> M {
        let device = self.device();
        let module = module.to_device(device);
        if device.is_autodiff() {
            module.train()
        } else {
            module.valid()
        }
    }

    fn paths(&self, wanted: &dyn Fn(&Parameter) -> bool) -> Vec<String> {
        let parameters = self.spec.parameters().iter();
        parameters
            .filter(|parameter| wanted(parameter))
            .map(|parameter| parameter.path.clone())
            .collect()
    }

    fn op(&self, field: &str) -> Result<&'a Op, SpecError> {
        self.fields
            .get(field)
            .copied()
            .ok_or_else(|| self.missing(field, "a layer"))
    }

    fn join(&self, field: &str) -> String {
        if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        }
    }

    fn missing(&self, field: &str, wanted: &'static str) -> SpecError {
        SpecError::Layer {
            model: self.spec.model().name.clone(),
            path: self.join(field),
            wanted,
        }
    }
}

fn fields(statements: &[Statement]) -> Fields<'_> {
    let mut fields = Fields::new();
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        let names = [
            op.field.clone(),
            op.drop_connect_field(),
            op.embedding_dropout_field(),
        ];
        for name in names.into_iter().flatten() {
            fields.entry(name).or_insert(op);
        }
    }
    fields
}

/// The bytes of all parameters, if the system has no memory for them: to draw the weights would end the process.
fn too_large(spec: &Spec) -> Option<u128> {
    /// Fewer are not asked for.
    const SMALL: u128 = 1 << 30;
    let numbers = |parameter: &Parameter| {
        let sizes = parameter.shape.iter().map(|size| *size as u128);
        sizes.fold(1, u128::saturating_mul)
    };
    let numbers = spec.parameters().iter().map(numbers);
    let bytes = numbers
        .fold(0, u128::saturating_add)
        .saturating_mul(size_of::<f32>() as u128);
    if bytes < SMALL {
        return None;
    }
    let reserved = usize::try_from(bytes).is_ok_and(|bytes| {
        // Taken and given back: nothing is written to it.
        Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
    });
    (!reserved).then_some(bytes)
}

/// Whether every parameter is on the device.
fn is_whole<M: Module>(module: &M, device: &Device) -> bool {
    struct Elsewhere<'a>(&'a Device, bool);
    impl ModuleVisitor for Elsewhere<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.base();
            // Devices are equal on both sides of the graph.
            self.1 |= value.device() != *self.0 || value.is_autodiff() != self.0.is_autodiff();
        }
    }
    let mut elsewhere = Elsewhere(device, false);
    module.visit(&mut elsewhere);
    !elsewhere.1
}

/// Draws every weight, in the order of the fields, so that a seed means one model.
fn draw<M: Module>(module: &M) {
    struct Draw;
    impl ModuleVisitor for Draw {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            drop(param.val());
        }
        fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
            drop(param.val());
        }
        fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
            drop(param.val());
        }
    }
    module.visit(&mut Draw);
}
