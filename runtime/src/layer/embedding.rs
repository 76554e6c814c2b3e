//! Dropout of whole words of an embedding, and a linear layer that shares its weight.

use super::dense::product;
use super::dropout::ApplyMask;
use super::from_op::{Layer, check_allocation, probability};
use crate::Pass;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::module::embedding;
use burn::tensor::{Int, Tensor};
use damper_ir::op;
use damper_ir::{Op, OpKind, Shape};

impl Layer for Embedding {
    const WORD: &'static str = "`embedding`";

    /// The initial table is normally distributed with a standard deviation of 1, as in PyTorch.
    fn make(op: &Op, _: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Embedding(op::Embedding { vocab, dim, .. }) = &op.kind else {
            return None;
        };
        let sizes = [vocab.size()?, dim.size()?];
        check_allocation(sizes)?;
        let [vocab, dim] = sizes;
        let mut layer = EmbeddingConfig::new(vocab, dim).init(weights.device());
        layer.weight = weights.normal(sizes, 1.0);
        Some(layer)
    }
}

/// Drops classes of an embedding: while training, all occurrences of a class in the batch become 0 with probability
/// `rate`, and survive scaled by `1 / (1 - rate)` (Gal and Ghahramani, arXiv 1512.05287).
#[derive(Module, Debug)]
pub struct EmbeddingDropout {
    /// The probability of dropping a class, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl EmbeddingDropout {
    /// Drops classes with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// The vectors of the classes.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, time]`
    /// - output: `[batch, time, features]`
    #[must_use]
    pub fn forward(&self, layer: &Embedding, tokens: Tensor<2, Int>, pass: &mut Pass) -> Tensor<3> {
        let weight = layer.weight.val();
        let Some(mask) = pass.dropout_mask(self.rate, &self.training, &weight) else {
            return layer.forward(tokens);
        };
        let [vocab, _] = weight.dims();
        let mask = mask.to_factors([vocab, 1], &weight.device());
        // A mask for each occurrence, so that the table is not copied.
        let mask = embedding(mask, tokens.clone());
        embedding(weight, tokens) * mask
    }
}

impl Layer for EmbeddingDropout {
    const WORD: &'static str = "`embedding_dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Embedding(op::Embedding { dropout, .. }) = &op.kind else {
            return None;
        };
        probability(&dropout.as_ref()?.rate).map(Self::new)
    }
}

/// `linear` whose weight is the table of an embedding (Press and Wolf, arXiv 1608.05859): the score of a class is the
/// product with its vector.
#[derive(Module, Debug)]
pub struct TiedLinear {
    /// The bias of the scores: `[classes]`.
    pub bias: Option<Param<Tensor<1>>>,
}

impl TiedLinear {
    /// The scores of all classes.
    ///
    /// # Shapes
    ///
    /// - input: `[.., features]`
    /// - table: `[classes, features]`
    /// - output: `[.., classes]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, table: &Param<Tensor<2>>) -> Tensor<D> {
        let weight = table.val().transpose();
        product(
            input,
            weight,
            self.bias.as_ref().map(Param::val),
            None,
            None,
        )
    }
}

impl Layer for TiedLinear {
    const WORD: &'static str = "`linear`";

    /// The initial bias is that of PyTorch's `Linear`.
    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Linear(op::Linear {
            out,
            bias,
            tied: Some(_),
            ..
        }) = &op.kind
        else {
            return None;
        };
        let features = input.features().filter(|size| *size > 0)?;
        let out = out.size().filter(|size| *size > 0)?;
        check_allocation([out])?;
        let bound = 1.0 / (features as f64).sqrt();
        let bias = bias.is_true()?.then(|| weights.uniform([out], bound));
        Some(Self { bias })
    }
}
