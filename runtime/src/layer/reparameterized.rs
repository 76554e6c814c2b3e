//! Weights that are computed from other parameters.

use crate::autodiff::{plain, set_autodiff};
use burn::module::{
    Flag, Module, ModuleVisitor, Param, Reparameterization, Reparameterizer, RunningState,
};
use burn::tensor::{Tensor, TensorData};
use damper_kernels::dropout::Source;
use damper_kernels::noise::{self, Kind};
use std::collections::HashMap;
use std::marker::PhantomData;

/// The smallest length of a vector by which numbers are divided.
const EPSILON: f32 = 1e-12;

/// A weight as a direction and a length for each unit (Salimans and Kingma, arXiv 1602.07868), as in PyTorch's
/// `parametrizations.weight_norm`: `w = length * v / |v|`, where `v` is the parameter itself.
#[derive(Module, Debug)]
pub struct WeightNorm {
    /// The lengths: `[units]`.
    pub length: Param<Tensor<1>>,
    axis: usize,
}

impl Reparameterization for WeightNorm {
    const NAME: &'static str = "weight_norm";

    fn apply<const D: usize>(&self, base: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        if let Some(units) = shape.get_mut(self.axis) {
            *units = self.length.dims()[0];
        }
        let norm = lengths(base.clone(), self.axis);
        base * (self.length.val().reshape(shape) / norm)
    }
}

/// A weight divided by its largest singular value (Miyato et al., arXiv 1802.05957), as in PyTorch's
/// `parametrizations.spectral_norm`: one step of the power iteration whenever the weight is used in training.
#[derive(Module, Debug)]
pub struct SpectralNorm {
    /// The left singular vector, one number for each unit.
    pub u: RunningState<Tensor<1>>,
    /// The right singular vector.
    pub v: RunningState<Tensor<1>>,
    /// If false, the vectors are not updated on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
    #[module(skip)]
    layout: Layout,
}

impl Reparameterization for SpectralNorm {
    const NAME: &'static str = "spectral_norm";

    fn apply<const D: usize>(&self, base: Tensor<D>) -> Tensor<D> {
        let device = base.device();
        let matrix = self.layout.matrix(base.clone());
        let side = |state: Tensor<1>| match (state.is_autodiff(), base.is_autodiff()) {
            (false, true) => Tensor::from_inner(state),
            (true, false) => state.inner(),
            _ => state.to_device(&device),
        };
        let (mut u, mut v) = (side(self.u.value_sync()), side(self.v.value_sync()));
        if base.is_autodiff() && self.training.is_enabled() {
            let (left, right) = iterate(&matrix.clone().inner(), v.inner());
            (u, v) = (Tensor::from_inner(left), Tensor::from_inner(right));
            self.u.update(u.clone());
            self.v.update(v.clone());
        }
        let product = matrix.matmul(v.unsqueeze_dim::<2>(1)).squeeze_dim::<1>(1);
        let largest = (product * u).sum();
        base / largest.reshape([1; D])
    }
}

/// One step of the power iteration for `[units, rest]`.
pub(crate) fn iterate(matrix: &Tensor<2>, v: Tensor<1>) -> (Tensor<1>, Tensor<1>) {
    let unit = |vector: Tensor<2>| {
        let length = vector.clone().square().sum().sqrt().clamp_min(EPSILON);
        (vector / length.reshape([1, 1])).squeeze_dim::<1>(1)
    };
    let u = unit(matrix.clone().matmul(v.unsqueeze_dim::<2>(1)));
    let v = unit(
        matrix
            .clone()
            .transpose()
            .matmul(u.clone().unsqueeze_dim(1)),
    );
    (u, v)
}

/// The Euclidean length of each slice along `axis`; the other axes have size 1.
fn lengths<const D: usize>(value: Tensor<D>, axis: usize) -> Tensor<D> {
    (0..D)
        .filter(|other| *other != axis)
        .fold(value.square(), Tensor::sum_dim)
        .sqrt()
        .clamp_min(EPSILON)
}

/// The axis of the units of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `[in, units]`: matrices of linear layers.
    Matrix,
    /// `[units, ..]`: convolution kernels and embedding tables.
    Kernel,
    /// `[in, units, ..]`: kernels of transposed convolutions.
    Transposed,
}

impl Layout {
    pub(crate) fn of(container: &str) -> Self {
        match container {
            "Struct:Linear" | "Struct:Projection" | "Struct:RecurrentCell" => Self::Matrix,
            _ if container.starts_with("Struct:ConvTranspose") => Self::Transposed,
            _ => Self::Kernel,
        }
    }

    /// The index of the axis: PyTorch's `dim = 0`, and `dim = 1` for a transposed convolution.
    fn axis(self) -> usize {
        match self {
            Self::Matrix | Self::Transposed => 1,
            Self::Kernel => 0,
        }
    }

    /// `[units, rest]`
    pub(crate) fn matrix<const D: usize>(self, value: Tensor<D>) -> Tensor<2> {
        let value = match self {
            Self::Kernel => value,
            Self::Matrix | Self::Transposed => value.swap_dims(0, 1),
        };
        let dims = value.dims();
        let units = dims.first().copied().unwrap_or(1);
        value.reshape([units, dims.iter().skip(1).product()])
    }
}

/// The kind of module that each parameter is in.
#[derive(Default)]
struct Containers {
    path: Vec<(String, String)>,
    found: HashMap<String, String>,
}

impl ModuleVisitor for Containers {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.to_owned(), container.to_owned()));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
        let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        let container = self
            .path
            .iter()
            .rev()
            .find(|(_, container)| container.starts_with("Struct:"));
        if let Some((_, container)) = container {
            self.found.insert(names.join("."), container.clone());
        }
    }
}

impl WeightNorm {
    /// Computes the weights at these paths of a module from a direction and lengths. Their values do not change.
    #[must_use]
    pub fn attach<M: Module>(module: M, paths: &[String]) -> M {
        attach::<Self, M>(module, paths)
    }
}

impl SpectralNorm {
    /// Divides the weights at these paths of a module by their largest singular values.
    #[must_use]
    pub fn attach<M: Module>(module: M, paths: &[String]) -> M {
        attach::<Self, M>(module, paths)
    }
}

fn attach<R: Attached, M: Module>(module: M, paths: &[String]) -> M {
    if paths.is_empty() {
        return module;
    }
    let mut containers = Containers::default();
    module.visit(&mut containers);
    module.apply_reparameterization(Attach::<R> {
        layouts: paths
            .iter()
            .filter_map(|path| {
                let container = containers.found.get(path)?;
                Some((path.clone(), Layout::of(container)))
            })
            .collect(),
        kind: PhantomData,
    })
}

struct Attach<R> {
    layouts: HashMap<String, Layout>,
    kind: PhantomData<R>,
}

impl<R: Attached> Reparameterizer for Attach<R> {
    type Reparam = R;

    fn reparameterize<const D: usize>(
        &mut self,
        path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<R>) {
        let layout = self.layouts.get(path).filter(|_| D > 1);
        let added = layout.map(|layout| R::new(*layout, param.val()));
        (param, added)
    }
}

trait Attached: Reparameterization {
    fn new<const D: usize>(layout: Layout, weight: Tensor<D>) -> Self;
}

impl Attached for WeightNorm {
    fn new<const D: usize>(layout: Layout, weight: Tensor<D>) -> Self {
        let axis = layout.axis();
        let units = weight.dims().get(axis).copied().unwrap_or(1);
        let length = lengths(weight, axis).reshape([units]).detach();
        Self {
            length: Param::from_tensor(length),
            axis,
        }
    }
}

impl Attached for SpectralNorm {
    /// Fifteen steps of the power iteration, as in PyTorch.
    fn new<const D: usize>(layout: Layout, weight: Tensor<D>) -> Self {
        // A detached leaf is still tracked, and so would be all values computed from it.
        let is_autodiff = weight.is_autodiff();
        let matrix = layout.matrix(plain(weight));
        let [_, rest] = matrix.dims();
        // Any start works that is not orthogonal to the first singular vector. A fixed one is the same in every process.
        let mut start = vec![0.0; rest];
        let source = Source {
            seed: 0,
            step: u32::MAX,
            layer: 0,
        };
        noise::apply(source, Kind::Replace, 1.0, 0, &mut start);
        let start = Tensor::from_data(TensorData::new(start, [rest]), &matrix.device());
        let mut vectors = iterate(&matrix, start);
        for _ in 1..15 {
            vectors = iterate(&matrix, vectors.1);
        }
        let [u, v] = [vectors.0, vectors.1].map(|vector| set_autodiff(vector, is_autodiff));
        Self {
            u: RunningState::new(u),
            v: RunningState::new(v),
            training: Param::from_bool(true),
            layout,
        }
    }
}
