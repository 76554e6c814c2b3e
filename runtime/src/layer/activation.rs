//! Activations with arguments or weights: burn's modules.

use super::elu::{Celu, Elu};
use super::from_op::Layer;
use super::rrelu::RRelu;
use crate::weights::Weights;
use burn::nn::activation::{
    HardShrink, HardShrinkConfig, HardSigmoid, HardSigmoidConfig, Hardtanh, HardtanhConfig,
    LeakyRelu, LeakyReluConfig, PRelu, PReluConfig, Shrink, ShrinkConfig, SoftShrink,
    SoftShrinkConfig, Softplus, SoftplusConfig, Threshold, ThresholdConfig, ThresholdedRelu,
    ThresholdedReluConfig,
};
use damper_ir::{ActivationKind, Op, OpKind, Shape};

/// Activations with arguments or weights: each is one of burn's modules.
macro_rules! activations {
    ($($layer:ident = $kind:ident, |$arguments:ident, $weights:ident| $build:expr;)*) => {$(
        impl Layer for $layer {
            const WORD: &'static str = concat!("the activation `", stringify!($layer), "`");

            fn make(op: &Op, _: &Shape, $weights: &Weights) -> Option<Self> {
                let $arguments = arguments(op, ActivationKind::$kind)?;
                $build
            }
        }
    )*};
}

activations! {
    LeakyRelu = LeakyRelu, |arguments, _weights| {
        let [slope] = arguments;
        Some(LeakyReluConfig::new().with_negative_slope(slope).init())
    };
    RRelu = Rrelu, |arguments, _weights| {
        let [lower, upper] = arguments;
        (lower <= upper).then(|| RRelu::new(lower, upper))
    };
    PRelu = Prelu, |arguments, weights| {
        let [init] = arguments;
        Some(PReluConfig::new().with_alpha(init).init(weights.device()))
    };
    Elu = Elu, |arguments, _weights| {
        let [alpha] = arguments;
        Some(Elu { alpha })
    };
    Celu = Celu, |arguments, _weights| {
        let [alpha] = arguments;
        (alpha != 0.0).then_some(Celu { alpha })
    };
    HardSigmoid = HardSigmoid, |arguments, _weights| {
        let [alpha, beta] = arguments;
        Some(HardSigmoidConfig::new().with_alpha(alpha).with_beta(beta).init())
    };
    Hardtanh = Hardtanh, |arguments, _weights| {
        let [min, max] = arguments;
        (min <= max).then(|| HardtanhConfig::new().with_min_val(min).with_max_val(max).init())
    };
    Softplus = Softplus, |arguments, _weights| {
        let [beta] = arguments;
        (beta != 0.0).then(|| SoftplusConfig::new().with_beta(beta).init())
    };
    ThresholdedRelu = ThresholdedRelu, |arguments, _weights| {
        let [alpha] = arguments;
        Some(ThresholdedReluConfig::new().with_alpha(alpha).init())
    };
    Threshold = Threshold, |arguments, _weights| {
        let [threshold, value] = arguments;
        Some(ThresholdConfig::new(threshold, value).init())
    };
    HardShrink = HardShrink, |arguments, _weights| {
        let [lambda] = arguments;
        Some(HardShrinkConfig::new().with_lambda(lambda).init())
    };
    SoftShrink = SoftShrink, |arguments, _weights| {
        let [lambda] = arguments;
        Some(SoftShrinkConfig::new().with_lambda(lambda).init())
    };
    Shrink = Shrink, |arguments, _weights| {
        let [lambda, bias] = arguments;
        Some(ShrinkConfig::new().with_lambda(lambda).with_bias(bias).init())
    };
}

/// The arguments of the activation `kind`, if `op` is one and they are all finite.
fn arguments<const N: usize>(op: &Op, kind: ActivationKind) -> Option<[f64; N]> {
    let OpKind::Activation(activation) = &op.kind else {
        return None;
    };
    if activation.kind != kind || kind.arguments().len() != N {
        return None;
    }
    let mut values = [0.0; N];
    for (index, (value, of)) in values.iter_mut().zip(kind.arguments()).enumerate() {
        *value = match activation.arguments.get(index) {
            Some(argument) => argument.float().filter(|argument| argument.is_finite())?,
            None => of.number()?,
        };
    }
    Some(values)
}
