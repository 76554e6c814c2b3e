//! The running statistics of batch norm, measured anew.

use crate::data::Loader;
use crate::{Network, Pass};
use burn::data::dataloader::DataLoader;
use burn::module::{ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashMap;

/// Gives a model the running statistics that it has on these batches: the mean over the batches, as PyTorch's
/// `update_bn`. The mean of weights has none of its own: those of the weights that were averaged are others.
///
/// `momenta` are the weights of a new batch in the running statistics, by their paths.
pub(super) fn settle<M: Network>(model: M, loader: &Loader, momenta: &HashMap<String, f64>) -> M {
    let mut measured = Measure {
        momenta,
        path: Vec::new(),
        sums: HashMap::new(),
    };
    let mut learning = model.clone().train();
    let mut batches = 0.0;
    for batch in loader.iter().flatten() {
        if batches == 0.0 {
            // Which parameters they are.
            learning.valid().visit(&mut measured);
        }
        let zeros = measured.sums.iter();
        let zeros: HashMap<_, _> = zeros.map(|(id, sum)| (*id, sum.zeros_like())).collect();
        if batches == 0.0 {
            measured.sums.clone_from(&zeros);
        }
        // From 0, a batch leaves `momentum` times its own statistics.
        learning = learning.map(&mut Set(&zeros));
        let _ = learning.run(&batch.inputs, &mut Pass::new());
        learning.valid().visit(&mut measured);
        batches += 1.0;
    }
    if batches == 0.0 {
        return model;
    }
    let means = measured.sums.into_iter();
    let means = means.map(|(id, sum)| (id, sum / batches)).collect();
    model.map(&mut Set(&means))
}

/// Adds up the statistics of batches.
struct Measure<'a> {
    momenta: &'a HashMap<String, f64>,
    path: Vec<String>,
    sums: HashMap<ParamId, Tensor<1>>,
}

impl ModuleVisitor for Measure<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // With a momentum of 0 they never move.
        if let Some(momentum) = self.momenta.get(&self.path.join("."))
            && *momentum > 0.0
        {
            let value = param.val();
            let numbers = value.shape().num_elements();
            let batch = value.reshape([numbers]) / *momentum;
            let sum = match self.sums.remove(&param.id) {
                Some(sum) => sum + batch,
                None => batch,
            };
            self.sums.insert(param.id, sum);
        }
    }
}

/// Gives parameters new values.
struct Set<'a>(&'a HashMap<ParamId, Tensor<1>>);

impl ModuleMapper for Set<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.0.get(&param.id).cloned() else {
            return param;
        };
        param.map(|old| {
            let value = value.reshape(old.dims());
            if old.is_autodiff() {
                Tensor::from_inner(value)
            } else {
                value
            }
        })
    }
}
