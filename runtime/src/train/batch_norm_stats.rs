//! Recomputes the running statistics of batch norm for averaged weights.

use super::context::Recompute;
use crate::data::{Loader, Prepared};
use crate::paths::{WeightVisitor, visit_weights};
use crate::{Network, Pass, Spec};
use burn::data::dataloader::DataLoader;
use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Tensor};
use damper_ir::{Role, Settings};
use std::collections::HashMap;

/// The function that recomputes the running statistics on the training samples, if the training averages weights (SWA).
pub(super) fn recompute<M: Network>(
    spec: &Spec,
    settings: &Settings,
    train: &Prepared,
    device: &Device,
) -> Option<Recompute<M>> {
    if settings.swa.is_none() || !has_batch_norm(spec) {
        return None;
    }
    let momenta = spec
        .parameters()
        .iter()
        .filter_map(|parameter| Some((parameter.path.clone(), parameter.momentum?)))
        .collect::<HashMap<String, f64>>();
    let loader = train.loader(settings.batch, device).join_single(true);
    Some(Box::new(move |model| {
        recompute_batch_norm_stats(model, &loader, &momenta)
    }))
}

/// Whether a model has running statistics.
pub(super) fn has_batch_norm(spec: &Spec) -> bool {
    spec.parameters()
        .iter()
        .any(|parameter| parameter.role == Role::Running)
}

/// Sets the running statistics of a model to their mean over these batches, like PyTorch's `update_bn`. (Averaged
/// statistics are not the statistics of the averaged weights.)
///
/// `momenta` has the momentum of each running statistic by its path.
fn recompute_batch_norm_stats<M: Network>(
    model: M,
    loader: &Loader,
    momenta: &HashMap<String, f64>,
) -> M {
    let mut stats = Accumulate {
        momenta,
        sums: HashMap::new(),
    };
    let mut learning = model.clone().train();
    let mut batches = 0.0;
    for batch in loader.iter().flatten() {
        if batches == 0.0 {
            // Finds the parameters.
            visit_weights(&learning.valid(), &mut stats);
        }
        let zeros = stats.sums.iter();
        let zeros: HashMap<_, _> = zeros.map(|(id, sum)| (*id, sum.zeros_like())).collect();
        if batches == 0.0 {
            stats.sums.clone_from(&zeros);
        }
        // Starting from 0, a batch leaves `momentum` times its own statistics.
        learning = learning.map(&mut Set(&zeros));
        let _ = learning.run(&batch.inputs, &mut Pass::new());
        visit_weights(&learning.valid(), &mut stats);
        batches += 1.0;
    }
    if batches == 0.0 {
        return model;
    }
    let means = stats.sums.into_iter();
    let means = means.map(|(id, sum)| (id, sum / batches)).collect();
    model.map(&mut Set(&means))
}

/// Adds up the statistics of batches.
struct Accumulate<'a> {
    momenta: &'a HashMap<String, f64>,
    sums: HashMap<ParamId, Tensor<1>>,
}

impl WeightVisitor for Accumulate<'_> {
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        // With a momentum of 0 they never change.
        if let Some(momentum) = self.momenta.get(path)
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

/// Sets parameters to new values.
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
