//! Running averages of a model's weights: exponential (EMA) and arithmetic (SWA).

use super::FusedStep;
use super::fused::{blend, can_update};
use super::fused_step::EmaSlot;
use crate::layer::SpectralNorm;
use crate::layer::reparameterized::{Layout, iterate};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId, Reparameterization};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::any::Any;
use std::collections::HashMap;
use std::iter::Enumerate;
use std::vec::IntoIter;

/// A running average of a model's weights: every number that is a parameter, running statistics included.
///
/// Of a weight that `weight_norm` or `spectral_norm` computes, the stored tensor and the norms are averaged. The
/// singular vectors of `spectral_norm` are not averaged: they are those of the averaged tensor.
#[derive(Clone, Debug)]
pub struct Average<M> {
    rule: Rule,
    model: Option<M>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Exponential(f64),
    Mean,
}

impl<M: Module> Average<M> {
    /// The exponential moving average: `d * average + (1 - d) * weight`.
    ///
    /// The first weights are the first average. After `n` more `d` is `(1 + n) / (10 + n)`, if that is less than
    /// `decay`: else the first weights would count for `1 / (1 - decay)` steps.
    pub fn exponential(decay: f64) -> Self {
        Self::of(Rule::Exponential(decay))
    }

    /// The mean of all weights (Izmailov et al., arXiv 1803.05407).
    pub fn mean() -> Self {
        Self::of(Rule::Mean)
    }

    fn of(rule: Rule) -> Self {
        Self {
            rule,
            model: None,
            count: 0,
        }
    }

    /// The averaged model, for inference; `None` before the first update.
    pub fn model(&self) -> Option<&M> {
        self.model.as_ref()
    }

    /// Changes what no average gives: the running statistics of batch norm, recomputed for the averaged weights.
    pub(crate) fn map_model(&mut self, change: impl FnOnce(M) -> M) {
        self.model = self.model.take().map(change);
    }

    /// How many models are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How much of the average stays when the next model is added.
    fn decay(&self) -> f64 {
        let count = self.count as f64;
        match self.rule {
            Rule::Exponential(decay) => decay.min((1.0 + count) / (10.0 + count)),
            Rule::Mean => count / (count + 1.0),
        }
    }

    /// Lends the averages of the parameters that have a gradient to the step that comes next, if it is fused: it updates
    /// them while it has the weights in cache. [`after_step`](Self::after_step) updates the others, and must follow.
    pub(crate) fn before_step(&mut self, model: &M, grads: &GradientsParams, step: &FusedStep) {
        if !step.is_fused() {
            return;
        }
        let decay = self.decay();
        if let Some(average) = self.model.take() {
            let mut stepped = Stepped {
                grads,
                params: Vec::new(),
            };
            model.visit(&mut stepped);
            let mut lender = Lender {
                decay,
                params: stepped.params.into_iter().enumerate(),
                slots: Vec::new(),
            };
            self.model = Some(average.map(&mut lender));
            step.lend(lender.slots);
        }
    }

    /// Adds a model of the same layers.
    pub fn update(&mut self, model: &M) {
        self.after_step(model, &FusedStep::unfused());
    }

    /// As [`update`](Self::update), after a step that [`before_step`](Self::before_step) has lent the averages to.
    pub(crate) fn after_step(&mut self, model: &M, step: &FusedStep) {
        // Brings running statistics up to date, and makes a copy: clones of a model share them.
        let model = model.valid();
        self.model = Some(match self.model.take() {
            None => model,
            Some(average) => {
                let decay = self.decay();
                let mut gathered = Gather(Vec::new());
                model.visit(&mut gathered);
                average.map(&mut Blend {
                    decay,
                    new: gathered.0.into_iter().enumerate(),
                    slots: step
                        .take_all_slots()
                        .into_iter()
                        .map(|slot| (slot.index, slot))
                        .collect(),
                    steps: match self.rule {
                        // The vectors follow the average, which hardly moves between two updates.
                        Rule::Exponential(_) => 1,
                        Rule::Mean => 15,
                    },
                    path: Vec::new(),
                    base: None,
                    right: None,
                })
            }
        });
        self.count += 1;
    }
}

/// The weights of a model, in the order of its parameters.
struct Gather(Vec<Box<dyn Any>>);

impl ModuleVisitor for Gather {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(Box::new(crate::autodiff::plain(param.val())));
    }
}

/// The parameters that have a gradient, in the order of the model.
struct Stepped<'a> {
    grads: &'a GradientsParams,
    params: Vec<Option<ParamId>>,
}

impl ModuleVisitor for Stepped<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.grads.get::<D>(param.id);
        self.params.push(gradient.map(|_| param.id));
    }
}

/// Takes the averages out, and leaves one number in the place of each.
struct Lender {
    decay: f64,
    params: Enumerate<IntoIter<Option<ParamId>>>,
    slots: Vec<EmaSlot>,
}

impl ModuleMapper for Lender {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((index, Some(id))) = self.params.next() else {
            return param;
        };
        param.map(|average| {
            if !can_update(&average) {
                return average;
            }
            let empty = Tensor::zeros([1; D], &average.device());
            self.slots.push(EmaSlot {
                param: id,
                index,
                average: average.into_data(),
                decay: self.decay,
                updated: false,
            });
            empty
        })
    }
}

/// Adds the new weights to the average.
struct Blend {
    decay: f64,
    new: Enumerate<IntoIter<Box<dyn Any>>>,
    /// The averages that the step had, by their places in the model.
    slots: HashMap<usize, EmaSlot>,
    /// Steps of the power iteration for each weight with `spectral_norm`.
    steps: usize,
    /// Names and containers.
    path: Vec<(String, String)>,
    /// The last averaged weight as a matrix, which singular vectors would belong to.
    base: Option<Tensor<2>>,
    /// The right singular vector that belongs to the left one just found.
    right: Option<Tensor<1>>,
}

impl Blend {
    /// The singular vector of the averaged weight, if this parameter is one.
    fn singular(&mut self, old: &Tensor<1>) -> Option<Tensor<1>> {
        let mut names = self.path.iter().rev().map(|(name, _)| name.as_str());
        let (name, around) = (names.next()?, names.next()?);
        if around != SpectralNorm::NAME {
            return None;
        }
        if name == "v" {
            return self.right.take();
        }
        let base = self.base.take().filter(|_| name == "u")?;
        let column = old.clone().unsqueeze_dim::<2>(1);
        let mut v = base.clone().transpose().matmul(column).squeeze_dim::<1>(1);
        let mut u = old.clone();
        for _ in 0..self.steps {
            (u, v) = iterate(&base, v);
        }
        self.right = Some(v);
        Some(u)
    }
}

impl ModuleMapper for Blend {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.to_owned(), container.to_owned()));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((index, new)) = self.new.next() else {
            return param;
        };
        let new = new.downcast::<Tensor<D>>().ok();
        let (param, new) = match self.slots.remove(&index) {
            Some(slot) => {
                let param = param.map(|lent| Tensor::from_data(slot.average, &lent.device()));
                (param, new.filter(|_| !slot.updated))
            }
            None => (param, new),
        };
        let found = if D == 1 {
            self.singular(&param.val().reshape([-1]))
        } else {
            None
        };
        if let Some(found) = found {
            return param.map(|old| found.reshape(old.dims()));
        }
        let param = param.map(|average| match new {
            Some(new) if new.dims() == average.dims() => blend(average, *new, self.decay),
            _ => average,
        });
        if D > 1 {
            let mut containers = self.path.iter().rev().map(|(_, container)| container);
            let container = containers.find(|container| container.starts_with("Struct:"));
            self.base = container.map(|container| Layout::of(container).matrix(param.val()));
        }
        param
    }
}
