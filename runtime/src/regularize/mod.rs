//! Regularizers as plain functions.
//!
//! All of them act on a weight of any rank. A weight has one vector for each unit of the layer, and its last axis counts the
//! units: for a `linear` layer they are the columns of the weight `[in, out]`. Where another axis counts them, as in the
//! kernels of a convolution `[out, in, ..]`, [`UpdateRules::unit_axis`] says so.

mod update_rules;

pub use update_rules::{Regularized, UpdateRules};

use crate::Spec;
use crate::paths::{WeightVisitor, visit_weights};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::collections::HashMap;

/// Decoupled weight decay: `w * (1 - learning_rate * strength)` (Loshchilov and Hutter, arXiv 1711.05101).
#[must_use]
pub fn decay_l2<const D: usize>(weight: Tensor<D>, learning_rate: f64, strength: f64) -> Tensor<D> {
    weight.mul_scalar(1.0 - learning_rate * strength)
}

/// Soft thresholding: moves every weight toward 0 by `threshold`, and to exactly 0 if it is closer than that. The proximal
/// step of an L1 penalty (Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.2).
#[must_use]
pub fn soft_threshold<const D: usize>(weight: Tensor<D>, threshold: f64) -> Tensor<D> {
    // Where |w| <= threshold the clamp changes nothing, and w - w is exactly 0.
    let inside = weight.clone().clamp(-threshold, threshold);
    weight - inside
}

/// The gradient of [`penalty_value`]: `l1 * sign(w) + 2 * l2 * w`. The sign of 0 is 0.
#[must_use]
pub fn penalty_gradient<const D: usize>(weight: Tensor<D>, l1: f64, l2: f64) -> Tensor<D> {
    match (l1 == 0.0, l2 == 0.0) {
        (true, true) => weight.zeros_like(),
        (true, false) => weight.mul_scalar(2.0 * l2),
        (false, true) => weight.sign().mul_scalar(l1),
        (false, false) => weight.clone().sign().mul_scalar(l1) + weight.mul_scalar(2.0 * l2),
    }
}

/// The penalty `l1 * sum |w| + l2 * sum w^2`: `[1]`. The squares have no factor 1/2.
#[must_use]
pub fn penalty_value<const D: usize>(weight: Tensor<D>, l1: f64, l2: f64) -> Tensor<1> {
    match (l1 == 0.0, l2 == 0.0) {
        (_, true) => weight.abs().sum().mul_scalar(l1),
        (true, false) => weight.square().sum().mul_scalar(l2),
        (false, false) => {
            weight.clone().abs().sum().mul_scalar(l1) + weight.square().sum().mul_scalar(l2)
        }
    }
}

/// Scales down the weights of each unit whose L2 norm is above `limit`, so that it is `limit` (Srivastava et al.,
/// JMLR 15, section 5.1).
#[must_use]
pub fn max_norm<const D: usize>(weight: Tensor<D>, limit: f64) -> Tensor<D> {
    max_norm_along(weight, D.saturating_sub(1), limit)
}

pub(crate) fn max_norm_along<const D: usize>(
    weight: Tensor<D>,
    unit_axis: usize,
    limit: f64,
) -> Tensor<D> {
    // A norm within the limit gives limit / limit, which is exactly 1.
    let norms = unit_norms(&weight, unit_axis);
    weight * norms.clamp_min(limit).recip().mul_scalar(limit)
}

/// Scales the weights of each unit to the L2 norm 1. A unit whose weights are all 0 stays so.
#[must_use]
pub fn unit_norm<const D: usize>(weight: Tensor<D>) -> Tensor<D> {
    unit_norm_along(weight, D.saturating_sub(1))
}

pub(crate) fn unit_norm_along<const D: usize>(weight: Tensor<D>, unit_axis: usize) -> Tensor<D> {
    let norms = unit_norms(&weight, unit_axis).clamp_min(f32::MIN_POSITIVE);
    weight / norms
}

/// Sets negative weights to 0.
#[must_use]
pub fn non_negative<const D: usize>(weight: Tensor<D>) -> Tensor<D> {
    weight.clamp_min(0.0)
}

/// The orthogonality penalty, how far the columns of a matrix are from orthonormal: `||W^T W - I||^2`, the sum of squares: `[1]`
/// (Brock et al., arXiv 1609.07093).
#[must_use]
pub fn orthogonal_value(weight: Tensor<2>) -> Tensor<1> {
    gram_error(weight).square().sum()
}

/// The gradient of [`orthogonal_value`]: `4 W (W^T W - I)`.
#[must_use]
pub fn orthogonal_gradient(weight: Tensor<2>) -> Tensor<2> {
    weight.clone().matmul(gram_error(weight)).mul_scalar(4.0)
}

/// The value of all penalties of the description, `penalty` and `orthogonal`, for these weights.
///
/// Meant for the history, once per epoch: it waits for the device.
pub fn report<M: Module>(model: &M, spec: &Spec) -> f64 {
    struct Report {
        rules: HashMap<String, UpdateRules>,
        total: f64,
    }
    impl WeightVisitor for Report {
        fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
            if let Some(rules) = self.rules.get(path)
                && let Some(value) = rules.value(param.val().inner())
            {
                self.total += value.try_into_scalar::<f64>().unwrap_or(f64::NAN);
            }
        }
    }
    let rules = penalized(spec);
    if rules.is_empty() {
        return 0.0;
    }
    let mut report = Report { rules, total: 0.0 };
    visit_weights(model, &mut report);
    report.total
}

/// The parameters that add something to the objective, by their paths.
pub(crate) fn penalized(spec: &Spec) -> HashMap<String, UpdateRules> {
    spec.parameters()
        .iter()
        .filter(|parameter| parameter.trained())
        .map(|parameter| (parameter.path.clone(), UpdateRules::of(parameter)))
        .filter(|(_, rules)| rules.has_value())
        .collect()
}

/// Adds the gradients of the penalties to those of the loss. Only the clip by the global norm needs the gradient of the
/// whole objective before the step; without it the step adds them itself, in the same pass.
pub(crate) fn add_penalties<M: Module>(
    model: &M,
    grads: GradientsParams,
    penalized: &HashMap<String, UpdateRules>,
) -> GradientsParams {
    struct Add<'a> {
        grads: GradientsParams,
        penalized: &'a HashMap<String, UpdateRules>,
    }
    impl WeightVisitor for Add<'_> {
        fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
            if let Some(rules) = self.penalized.get(path)
                && let Some(grad) = self.grads.remove::<D>(param.id)
            {
                let weight = crate::autodiff::plain(param.val());
                self.grads.register(param.id, rules.penalize(&weight, grad));
            }
        }
    }
    if penalized.is_empty() {
        return grads;
    }
    let mut add = Add { grads, penalized };
    visit_weights(model, &mut add);
    add.grads
}

/// The L2 norm of each unit's weights, with size 1 along every axis but the units'.
fn unit_norms<const D: usize>(weight: &Tensor<D>, unit_axis: usize) -> Tensor<D> {
    let axes = (0..D).filter(|axis| *axis != unit_axis || D == 1);
    axes.fold(weight.clone().square(), Tensor::sum_dim).sqrt()
}

/// A weight as a matrix with a column for each unit: `[inputs, units]`.
fn matrix<const D: usize>(weight: Tensor<D>, unit_axis: usize) -> Tensor<2> {
    let (before, units, after) = around(weight.dims(), unit_axis);
    let blocks = weight.reshape([before, units, after]).swap_dims(1, 2);
    blocks.reshape([before * after, units])
}

/// The inverse of [`matrix`].
fn unmatrix<const D: usize>(matrix: Tensor<2>, dims: [usize; D], unit_axis: usize) -> Tensor<D> {
    let (before, units, after) = around(dims, unit_axis);
    matrix
        .reshape([before, after, units])
        .swap_dims(1, 2)
        .reshape(dims)
}

fn around<const D: usize>(dims: [usize; D], axis: usize) -> (usize, usize, usize) {
    (
        dims.iter().take(axis).product(),
        dims.get(axis).copied().unwrap_or(1),
        dims.iter().skip(axis + 1).product(),
    )
}

/// `W^T W - I`.
fn gram_error(weight: Tensor<2>) -> Tensor<2> {
    let identity = Tensor::eye(weight.dims()[1], &weight.device());
    weight.clone().transpose().matmul(weight) - identity
}
