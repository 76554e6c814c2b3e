//! Losses, and what turns the output of a model into predictions and decisions.

use crate::activation::{log_softmax, sigmoid, softmax};
use crate::autodiff::match_autodiff;
use crate::{Spec, Target};
use burn::nn::loss::{HuberLossConfig, KLDivLossConfig, MseLoss, Reduction, SmoothL1LossConfig};
use burn::tensor::activation::{log_sigmoid, softplus};
use burn::tensor::{Int, Tensor};
use damper_ir::{LossKind, OutputActivation, Reads, Value};
use std::f64::consts::LN_2;

/// The smallest divisor of a percentage error.
pub(crate) const LEAST_TARGET: f64 = 1.17e-6;

/// Below this probability the logarithm is -100, as in PyTorch.
const LEAST_PROBABILITY: f64 = 1e-38;

/// The loss of the description, averaged over the rows: `[1]`. A row is a sample, or one position of a sample if the output
/// has more than one axis: see [`Target`].
///
/// The result is NaN if output and target have different shapes, or if the description has no loss or a custom one.
/// Training rules all of this out before.
///
/// # Shapes
///
/// - output: `[rows, units]`
/// - target: `[rows]` classes, or `[rows, values]`
pub fn of(spec: &Spec, output: Tensor<2>, target: &Target) -> Tensor<1> {
    match &spec.model().loss {
        Some(loss) => value(&loss.kind, output, target),
        None => undefined(&output),
    }
}

/// The value of one loss: see [`of`].
pub fn value(kind: &LossKind, output: Tensor<2>, target: &Target) -> Tensor<1> {
    if let LossKind::CrossEntropy { z: Some(z), .. } = kind {
        let sums = log_sum_exp(output.clone()).square().mean();
        return value(&without_z(kind.clone()), output, target) + sums.mul_scalar(z.number());
    }
    if let LossKind::CrossEntropy {
        label_smoothing,
        weights,
        from,
        z: None,
    } = kind
    {
        let smoothing = label_smoothing
            .as_ref()
            .and_then(Value::float)
            .unwrap_or(0.0);
        fused!(output => match (from, target, &weights[..]) {
            (Reads::Logits, Target::Classes(classes), []) => {
                damper_flex::cross_entropy(output, classes, smoothing)
            }
            _ => Err(output),
        });
        return cross_entropy(log_probabilities(output, *from), target, smoothing, weights);
    }
    if let LossKind::Focal { gamma, from } = kind {
        return focal(log_probabilities(output, *from), target, gamma.number());
    }
    let units = output.dims()[1];
    let wanted = kind.facts().values(units);
    let Some(target) = values(&output, target, wanted) else {
        return undefined(&output);
    };
    match kind {
        LossKind::BinaryCrossEntropy {
            label_smoothing,
            weights,
            from,
            positive_weight,
        } => {
            let smoothing = label_smoothing
                .as_ref()
                .and_then(Value::float)
                .unwrap_or(0.0);
            let positive = positive_weight.as_ref().and_then(Value::float);
            binary_cross_entropy(output, target, *from, smoothing, weights, positive)
        }
        LossKind::Mse => MseLoss::new().forward(output, target, Reduction::Mean),
        LossKind::Mae => (output - target).abs().mean(),
        LossKind::Mape => {
            let size = target.clone().abs().clamp_min(LEAST_TARGET);
            ((output - target).abs() / size).mean()
        }
        LossKind::Huber { delta } => {
            let delta = delta.float().unwrap_or(1.0).max(0.0) as f32;
            HuberLossConfig::new(delta)
                .init()
                .forward(output, target, Reduction::Mean)
        }
        LossKind::SmoothL1 { beta } => {
            // As in PyTorch: with `beta` 0 it is the absolute error.
            let beta = beta.float().unwrap_or(1.0) as f32;
            if beta > 0.0 {
                SmoothL1LossConfig::new()
                    .with_beta(beta)
                    .init()
                    .forward_with_reduction(output, target, Reduction::Mean)
            } else {
                (output - target).abs().mean()
            }
        }
        LossKind::LogCosh => {
            // ln cosh e = e + softplus(-2 e) - ln 2, which does not overflow.
            let error = output - target;
            (error.clone() + softplus(error.mul_scalar(-2.0), 1.0))
                .mean()
                .sub_scalar(LN_2)
        }
        LossKind::Dice { smooth, from } => dice(
            probabilities(output, *from, sigmoid),
            target,
            smooth.float().unwrap_or(1.0),
        ),
        LossKind::KlDiv { from } => {
            let output = log_probabilities(output, *from);
            KLDivLossConfig::new()
                .init()
                .forward(output, target, Reduction::BatchMean)
        }
        LossKind::Poisson => (output.clone().exp() - target * output).mean(),
        LossKind::GaussianNll => {
            let (mean, log_variance) = halves(output);
            let squares = (target - mean).square();
            (squares * log_variance.clone().neg().exp() + log_variance)
                .mean()
                .mul_scalar(0.5)
        }
        LossKind::Quantile { levels } => pinball(&output, &target, levels),
        LossKind::CrossEntropy { .. } | LossKind::Focal { .. } | LossKind::Custom { .. } => {
            undefined(&output)
        }
    }
}

/// Turns the output of the model, which its loss reads, into predictions: probabilities `[batch, classes]` for
/// classification, values for regression.
///
/// `cross_entropy` and `kl_div` on logits: softmax. `binary_cross_entropy` and `dice` on logits: sigmoid. `poisson`:
/// the rate. `gaussian_nll`: the means, then the variances, `[batch, 2 * values]`. Otherwise the output itself.
///
/// An output with more axes keeps its shape. The class axis is the channel axis of feature maps, otherwise the last one.
#[must_use]
pub fn output_activation<const D: usize>(spec: &Spec, output: Tensor<D>) -> Tensor<D> {
    output_activation_along(spec, output, class_axis::<D>(spec))
}

/// The class axis of a batch of outputs.
fn class_axis<const D: usize>(spec: &Spec) -> usize {
    let rank = D.saturating_sub(1);
    (crate::batch::class_axis(spec, rank) + 1).min(rank)
}

/// Like [`output_activation`], for a given class axis.
pub(crate) fn output_activation_along<const D: usize>(
    spec: &Spec,
    output: Tensor<D>,
    axis: usize,
) -> Tensor<D> {
    let Some(facts) = spec.model().loss.as_ref().map(|loss| loss.kind.facts()) else {
        return output;
    };
    let reads = facts.reads.unwrap_or_default();
    match facts.activation {
        OutputActivation::Identity | OutputActivation::Quantiles(_) => output,
        OutputActivation::Softmax => probabilities(output, reads, |logits| softmax(logits, axis)),
        OutputActivation::Sigmoid => probabilities(output, reads, sigmoid),
        OutputActivation::Exp => output.exp(),
        OutputActivation::MeanAndVariance => {
            let (mean, log_variance) = halves_along(output, axis);
            Tensor::cat(vec![mean, log_variance.exp()], axis)
        }
    }
}

/// The class with the highest score: `[batch, classes]` to `[batch]`, `[batch, time, classes]` to `[batch, time]`,
/// feature maps `[batch, classes, ..]` to `[batch, ..]`. `E` is `D - 1`.
#[must_use]
pub fn classes<const D: usize, const E: usize>(spec: &Spec, output: Tensor<D>) -> Tensor<E, Int> {
    let axis = class_axis::<D>(spec);
    output.argmax(axis).squeeze_dim(axis)
}

/// The index of the highest score in each row: `[rows, classes]` to `[rows]`.
pub(crate) fn argmax(rows: Tensor<2>) -> Tensor<1, Int> {
    rows.argmax(1).squeeze_dim(1)
}

/// 1 where the probability is above one half, else 0, in the shape of the output.
///
/// `output` is the output of the model before [`output_activation`]: for logits the threshold is 0.
#[must_use]
pub fn threshold_predictions<const D: usize>(spec: &Spec, output: Tensor<D>) -> Tensor<D, Int> {
    output.greater_scalar(decision_threshold(spec)).int()
}

/// The threshold of the output above which the answer is yes.
pub(crate) fn decision_threshold(spec: &Spec) -> f64 {
    let facts = spec.model().loss.as_ref().map(|loss| loss.kind.facts());
    let sigmoid = facts.filter(|facts| facts.activation == OutputActivation::Sigmoid);
    match sigmoid.and_then(|facts| facts.reads) {
        None | Some(Reads::Logits) => 0.0,
        Some(Reads::Probabilities) => 0.5,
        Some(Reads::LogProbabilities) => -LN_2,
    }
}

/// Both halves of the units. The rules exclude an odd number of them.
pub(crate) fn halves(output: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    halves_along(output, 1)
}

fn halves_along<const D: usize>(output: Tensor<D>, axis: usize) -> (Tensor<D>, Tensor<D>) {
    let half = output.dims().get(axis).copied().unwrap_or(0) / 2;
    (
        output.clone().narrow(axis, 0, half),
        output.narrow(axis, half, half),
    )
}

/// The target as real numbers `[rows, width]`, with autodiff if the output has it. `None` if the shape is another.
pub(crate) fn values(output: &Tensor<2>, target: &Target, width: usize) -> Option<Tensor<2>> {
    let rows = output.dims()[0];
    let values = match target {
        Target::Classes(classes) => {
            let count = classes.dims()[0];
            classes.clone().float().reshape([count, 1])
        }
        Target::Values(values) => values.clone(),
    };
    (values.dims() == [rows, width]).then(|| match_autodiff(values, output))
}

fn without_z(mut kind: LossKind) -> LossKind {
    if let LossKind::CrossEntropy { z, .. } = &mut kind {
        *z = None;
    }
    kind
}

/// The middle one of so many quantiles of all values: `[rows, count * values]` to `[rows, values]`.
pub(crate) fn middle_quantile(output: Tensor<2>, count: usize) -> Tensor<2> {
    let values = output.dims()[1] / count.max(1);
    output.narrow(1, count / 2 * values, values)
}

/// The mean of `max(q e, (q - 1) e)` over rows, values and quantiles, `e` what the target is above the prediction.
fn pinball(output: &Tensor<2>, target: &Tensor<2>, levels: &[Value]) -> Tensor<1> {
    let [_, values] = target.dims();
    let mut sum = Tensor::zeros([1], &output.device());
    sum = match_autodiff(sum, output);
    for (index, level) in levels.iter().enumerate() {
        let level = level.number();
        let error = target.clone() - output.clone().narrow(1, index * values, values);
        // q e + max(-e, 0)
        let below = burn::tensor::activation::relu(error.clone().neg());
        sum = sum + (error.mul_scalar(level) + below).mean();
    }
    sum.div_scalar(levels.len().max(1) as f64)
}

/// `log(sum(exp(x)))` of each row, without overflow: `[rows, classes]` to `[rows, 1]`.
fn log_sum_exp(rows: Tensor<2>) -> Tensor<2> {
    let most = rows.clone().detach().max_dim(1);
    (rows - most.clone()).exp().sum_dim(1).log() + most
}

fn undefined(output: &Tensor<2>) -> Tensor<1> {
    Tensor::full([1], f32::NAN, &output.device())
}

fn probabilities<const D: usize>(
    output: Tensor<D>,
    from: Reads,
    activation: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    match from {
        Reads::Logits => activation(output),
        Reads::Probabilities => output,
        Reads::LogProbabilities => output.exp(),
    }
}

pub(crate) fn log_probabilities(output: Tensor<2>, from: Reads) -> Tensor<2> {
    match from {
        Reads::Logits => log_softmax(output, 1),
        Reads::Probabilities => log(output),
        Reads::LogProbabilities => output,
    }
}

/// The logarithm of a probability, finite and with a finite gradient at 0.
fn log(probability: Tensor<2>) -> Tensor<2> {
    let zero = probability.clone().lower_equal_scalar(LEAST_PROBABILITY);
    probability
        .clamp_min(LEAST_PROBABILITY)
        .log()
        .mask_fill(zero, -100.0)
}

/// The weights as a row, if there is one per unit.
fn weight_row(weights: &[Value], output: &Tensor<2>) -> Option<Tensor<2>> {
    let units = output.dims()[1];
    let weights: Vec<f32> = weights
        .iter()
        .filter_map(Value::float)
        .map(|weight| weight as f32)
        .collect();
    (weights.len() == units)
        .then(|| Tensor::<1>::from_floats(weights.as_slice(), &output.device()).reshape([1, units]))
}

/// `mean -(1 - p)^gamma log p` over the rows, `p` the probability of the target's class.
fn focal(logs: Tensor<2>, target: &Target, gamma: f64) -> Tensor<1> {
    let [rows, _] = logs.dims();
    let classes = match target {
        Target::Classes(classes) => classes.clone(),
        Target::Values(values) if values.dims() == [rows, 1] => {
            values.clone().int().reshape([rows])
        }
        Target::Values(_) => return undefined(&logs),
    };
    if classes.dims() != [rows] {
        return undefined(&logs);
    }
    let classes = match_autodiff(classes, &logs).reshape([rows, 1]);
    let right = logs.gather(1, classes);
    if gamma == 0.0 {
        return right.mean().neg();
    }
    // At 0 the power has no finite gradient.
    let wrong = right.clone().exp().neg().add_scalar(1.0).clamp_min(1e-7);
    (wrong.powf_scalar(gamma) * right).mean().neg()
}

/// PyTorch's `CrossEntropyLoss`: class weights give a weighted mean, and label smoothing spreads a part of the target over
/// all classes. A target with one value per class is read as probabilities.
fn cross_entropy(logs: Tensor<2>, target: &Target, smoothing: f64, weights: &[Value]) -> Tensor<1> {
    let [rows, classes] = logs.dims();
    let weights = weight_row(weights, &logs);
    let indices = match target {
        Target::Classes(indices) => indices.clone(),
        Target::Values(values) if values.dims() == [rows, 1] && classes > 1 => {
            values.clone().int().reshape([rows])
        }
        Target::Values(values) if values.dims() == [rows, classes] => {
            let target = match_autodiff(values.clone(), &logs)
                .mul_scalar(1.0 - smoothing)
                .add_scalar(smoothing / classes as f64);
            let target = match weights {
                Some(weights) => target * weights,
                None => target,
            };
            return (logs * target).sum().mul_scalar(-1.0 / rows.max(1) as f64);
        }
        Target::Values(_) => return undefined(&logs),
    };
    if indices.dims() != [rows] {
        return undefined(&logs);
    }
    let indices = match_autodiff(indices, &logs);
    let indices = indices.reshape([rows, 1]);
    match weights {
        None => {
            let right = logs.clone().gather(1, indices).mean().neg();
            if smoothing == 0.0 {
                return right;
            }
            right.mul_scalar(1.0 - smoothing) - logs.mean().mul_scalar(smoothing)
        }
        Some(weights) => {
            let total = weights
                .clone()
                .expand([rows, classes])
                .gather(1, indices.clone())
                .sum();
            let weighted = logs * weights;
            let right = weighted.clone().gather(1, indices).sum().neg();
            if smoothing == 0.0 {
                return right / total;
            }
            let spread = weighted.sum().mul_scalar(smoothing / classes as f64);
            (right.mul_scalar(1.0 - smoothing) - spread) / total
        }
    }
}

/// PyTorch's `BCEWithLogitsLoss(weight = .., pos_weight = ..)`: weights scale the terms, but the mean is still over their
/// number. Label smoothing moves targets towards one half.
fn binary_cross_entropy(
    output: Tensor<2>,
    target: Tensor<2>,
    from: Reads,
    smoothing: f64,
    weights: &[Value],
    positive: Option<f64>,
) -> Tensor<1> {
    let target = match smoothing {
        0.0 => target,
        share => target.mul_scalar(1.0 - share).add_scalar(share / 2.0),
    };
    let weights = weight_row(weights, &output);
    let loss = match from {
        Reads::Logits => {
            let yes = log_sigmoid(output.clone());
            let yes = match positive {
                None => yes,
                Some(more) => target.clone().mul_scalar(more - 1.0).add_scalar(1.0) * yes,
            };
            target.neg().add_scalar(1.0) * output - yes
        }
        Reads::Probabilities | Reads::LogProbabilities => {
            let yes = probabilities(output, from, sigmoid);
            let no = yes.clone().neg().add_scalar(1.0);
            (target.clone().mul_scalar(positive.unwrap_or(1.0)) * log(yes)
                + target.neg().add_scalar(1.0) * log(no))
            .neg()
        }
    };
    match weights {
        Some(weights) => (loss * weights).mean(),
        None => loss.mean(),
    }
}

/// One minus the mean over the outputs of the Dice coefficient over the rows (Milletari et al., arXiv 1606.04797).
fn dice(output: Tensor<2>, target: Tensor<2>, smooth: f64) -> Tensor<1> {
    let both = (output.clone() * target.clone())
        .sum_dim(0)
        .mul_scalar(2.0)
        .add_scalar(smooth);
    let all = (output.sum_dim(0) + target.sum_dim(0)).add_scalar(smooth);
    (both / all).mean().neg().add_scalar(1.0)
}
