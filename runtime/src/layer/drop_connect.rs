//! Dropout of weights.

use super::convolution::Conv3d;
use super::dense::product;
use super::dropout::ApplyMask;
use super::from_op::{Layer, probability};
use crate::Pass;
use crate::activation::silu;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::nn::Linear;
use burn::nn::activation::SwiGlu;
use burn::nn::conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
use burn::tensor::Tensor;
use damper_ir::{Op, RuleKind, Shape};

/// Drops weights, not activations: while training, each weight becomes 0 with probability `rate`, and
/// survives scaled by `1 / (1 - rate)` (Wan et al., ICML 2013).
///
/// One mask serves the whole batch. The bias is never dropped.
#[derive(Module, Debug)]
pub struct DropConnect {
    /// The probability of zeroing a weight, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

/// A layer that can run with other weights than its own, for [`DropConnect`].
pub trait DropsWeights<const D: usize> {
    /// The layer's output, with some of its weights dropped while training.
    fn forward_dropped(&self, drop: &DropConnect, input: Tensor<D>, pass: &mut Pass) -> Tensor<D>;
}

impl DropConnect {
    /// Drops weights with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// The layer, with some of its weights dropped while training.
    ///
    /// # Shapes
    ///
    /// Those of the layer.
    #[must_use]
    pub fn forward<const D: usize, L: DropsWeights<D>>(
        &self,
        layer: &L,
        input: Tensor<D>,
        pass: &mut Pass,
    ) -> Tensor<D> {
        layer.forward_dropped(self, input, pass)
    }

    /// The weight with some of its numbers dropped, if the layer acts.
    fn dropped<const W: usize>(
        &self,
        weight: &Param<Tensor<W>>,
        pass: &mut Pass,
    ) -> Option<Tensor<W>> {
        let weight = weight.val();
        let mask = pass.dropout_mask(self.rate, &self.training, &weight)?;
        Some(mask.apply(weight))
    }
}

impl<const D: usize> DropsWeights<D> for Linear {
    fn forward_dropped(&self, drop: &DropConnect, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let weight = drop.dropped(&self.weight, pass);
        let weight = weight.unwrap_or_else(|| self.weight.val());
        product(
            input,
            weight,
            self.bias.as_ref().map(Param::val),
            None,
            None,
        )
    }
}

impl<const D: usize> DropsWeights<D> for SwiGlu {
    fn forward_dropped(&self, drop: &DropConnect, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let inner = self.linear_inner.forward_dropped(drop, input.clone(), pass);
        silu(inner) * self.linear_outer.forward_dropped(drop, input, pass)
    }
}

impl DropsWeights<5> for Conv3d {
    fn forward_dropped(&self, drop: &DropConnect, input: Tensor<5>, pass: &mut Pass) -> Tensor<5> {
        match drop.dropped(&self.weight, pass) {
            Some(weight) => self.with(input, weight),
            None => self.forward(input),
        }
    }
}

/// burn's convolutions with a weight that is computed in the graph, which a parameter cannot be.
macro_rules! convolutions {
    ($($layer:ident($rank:literal) = |$this:ident, $weight:ident, $input:ident| $forward:expr;)*) => {$(
        impl DropsWeights<$rank> for $layer {
            fn forward_dropped(
                &self,
                drop: &DropConnect,
                $input: Tensor<$rank>,
                pass: &mut Pass,
            ) -> Tensor<$rank> {
                let $this = self;
                match drop.dropped(&self.weight, pass) {
                    Some($weight) => $forward,
                    None => self.forward($input),
                }
            }
        }
    )*};
}

convolutions! {
    Conv1d(3) = |layer, weight, input| super::convolution::conv1d_with(layer, weight, input);
    Conv2d(4) = |layer, weight, input| super::convolution::conv2d_with(layer, weight, input);
    ConvTranspose1d(3) = |layer, weight, input| with::conv_transpose1d(layer, weight, input);
    ConvTranspose2d(4) = |layer, weight, input| with::conv_transpose2d(layer, weight, input);
    ConvTranspose3d(5) = |layer, weight, input| with::conv_transpose3d(layer, weight, input);
}

mod with {
    use burn::module::Param;
    use burn::nn::conv::{ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
    use burn::tensor::Tensor;
    use burn::tensor::ops::ConvTransposeOptions;

    pub fn conv_transpose1d(
        layer: &ConvTranspose1d,
        weight: Tensor<3>,
        input: Tensor<3>,
    ) -> Tensor<3> {
        let options = ConvTransposeOptions::new(
            [layer.stride],
            [layer.padding],
            [layer.padding_out],
            [layer.dilation],
            layer.groups,
        );
        let bias = layer.bias.as_ref().map(Param::val);
        burn::tensor::module::conv_transpose1d(input, weight, bias, options)
    }

    macro_rules! transposed {
        ($($name:ident($layer:ident, $rank:literal);)*) => {$(
            pub fn $name(layer: &$layer, weight: Tensor<$rank>, input: Tensor<$rank>) -> Tensor<$rank> {
                let options = ConvTransposeOptions::new(
                    layer.stride,
                    layer.padding,
                    layer.padding_out,
                    layer.dilation,
                    layer.groups,
                );
                let bias = layer.bias.as_ref().map(Param::val);
                burn::tensor::module::$name(input, weight, bias, options)
            }
        )*};
    }

    transposed! {
        conv_transpose2d(ConvTranspose2d, 4);
        conv_transpose3d(ConvTranspose3d, 5);
    }
}

impl Layer for DropConnect {
    const WORD: &'static str = "`drop_connect`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        op.rules.iter().find_map(|rule| match &rule.kind {
            RuleKind::DropConnect { rate } => probability(rate).map(Self::new),
            _ => None,
        })
    }
}
