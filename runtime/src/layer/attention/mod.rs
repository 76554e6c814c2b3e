//! Attention of a value to itself, or to another one.

mod scores;

use super::dense::{dense, product};
use super::dropout::ApplyMask;
use super::from_op::{Layer, check_allocation, positive, probability};
use super::linear::linear;
use crate::Pass;
use crate::activation::softmax;
use crate::autodiff::match_autodiff;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::nn::Linear;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use damper_ir::op::attention::ScorePosition;
use damper_ir::{Op, OpKind, Shape, Value};
use damper_kernels::dropout::{WORD, words};

/// Multi-head attention (Vaswani et al., arXiv 1706.03762), with the weights of PyTorch's `MultiheadAttention`.
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values in one product; with `memory_proj` the queries alone.
    pub in_proj: Projection,
    /// Keys and values of another value in one product, if it is that value which is attended to.
    pub memory_proj: Option<Projection>,
    /// The output projection of the concatenated heads.
    pub out_proj: Linear,
    /// The gains of the norm of each head's queries, if there is one: `[features / heads]`.
    pub q_norm: Option<Param<Tensor<1>>>,
    /// The gains of the norm of each head's keys, if there is one: `[features / heads]`.
    pub k_norm: Option<Param<Tensor<1>>>,
    /// What is added to the scores for each head and distance, from `1 - time` to `time - 1`: `[heads, 2 * time - 1]`.
    pub relative: Option<Param<Tensor<2>>>,
    /// The number of heads, among which the features are divided.
    pub heads: usize,
    /// The number of heads of keys and values; each is used by `heads / kv_heads` heads of the queries.
    pub kv_heads: usize,
    /// A step attends only to steps that are fewer than so many away.
    pub window: Option<usize>,
    /// The bound of the scores.
    pub soft_cap: Option<f64>,
    /// Whether the scores fall with the distance (Press et al., arXiv 2108.12409).
    pub alibi: bool,
    /// If true, a step attends only to itself and earlier steps.
    pub causal: bool,
    /// The rotations of queries and keys, if there are rotary positions.
    pub rope: Option<Rope>,
    /// The rate of dropout on the attention weights, in [0, 1).
    pub rate: f64,
    /// If false, the dropout does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

/// The product that makes queries, keys and values; PyTorch's `in_proj_weight` and `in_proj_bias`.
#[derive(Module, Debug)]
pub struct Projection {
    /// The weights of what is made, concatenated: `[features, 3 * features]` for queries, keys and values.
    pub weight: Param<Tensor<2>>,
    /// The biases: `[3 * features]`.
    pub bias: Option<Param<Tensor<1>>>,
}

/// Rotary positions (Su et al., arXiv 2104.09864): feature `i` of a head and feature `i + half` are the two axes of a
/// plane, turned by `step / 10000^(i / half)`.
///
/// The pairs are those of `GPT-NeoX` and `LLaMA` ("rotate half"); the paper pairs neighbors, which is the same up to the
/// order of a head's features.
#[derive(Module, Debug)]
pub struct Rope {
    /// `[time, half]`; computed, never trained, and not saved.
    pub cos: Tensor<2>,
    /// `[time, half]`; computed, never trained, and not saved.
    pub sin: Tensor<2>,
}

impl Rope {
    /// The rotations of this number of steps, for pairs of `half` features.
    pub fn new(time: usize, half: usize, device: &Device) -> Self {
        let table = |function: fn(f64) -> f64| {
            let angle =
                |step: usize, pair: usize| step as f64 / 10_000_f64.powf(pair as f64 / half as f64);
            let values: Vec<f32> = (0..time)
                .flat_map(|step| (0..half).map(move |pair| (step, pair)))
                .map(|(step, pair)| function(angle(step, pair)) as f32)
                .collect();
            Tensor::from_data(TensorData::new(values, [time, half]), device)
        };
        Self {
            cos: table(f64::cos),
            sin: table(f64::sin),
        }
    }

    /// Rotates `[batch, heads, time, 2 * half]`.
    fn turn(&self, value: Tensor<4>) -> Tensor<4> {
        let [_, _, time, features] = value.dims();
        let half = features / 2;
        let [known, _] = self.cos.dims();
        let (cos, sin) = if time <= known {
            (
                self.cos.clone().narrow(0, 0, time),
                self.sin.clone().narrow(0, 0, time),
            )
        } else {
            let longer = Self::new(time, half, &value.device());
            (longer.cos, longer.sin)
        };
        let table = |table: Tensor<2>| match_autodiff(table, &value).reshape([1, 1, time, half]);
        let (cos, sin) = (table(cos), table(sin));
        let first = value.clone().narrow(3, 0, half);
        let second = value.narrow(3, half, half);
        Tensor::cat(
            vec![
                first.clone() * cos.clone() - second.clone() * sin.clone(),
                second * cos + first * sin,
            ],
            3,
        )
    }
}

impl Attention {
    /// `count` of queries, keys and values, from `first` on: `[batch, count * heads, time, size]`.
    ///
    /// One product computes all of them. While training each has its own product, because the backward pass of a slice makes
    /// a tensor of zeros: a large one for a slice of the output, a small one for a slice of the weight.
    fn project(&self, input: Tensor<3>, first: usize, count: usize) -> Tensor<4> {
        let [batch, time, features] = input.dims();
        let heads = self.heads.max(1);
        let (from, width) = (first * features, count * features);
        let (mut weight, mut bias) = (
            self.in_proj.weight.val(),
            self.in_proj.bias.as_ref().map(Param::val),
        );
        if count < 3 {
            weight = weight.narrow(1, from, width);
            bias = bias.map(|bias| bias.narrow(0, from, width));
        }
        product(input, weight, bias, None, None)
            .reshape([batch, time, count * heads, features / heads])
            .swap_dims(1, 2)
    }

    /// Each step's weighted mean of the values of the steps that it attends to.
    ///
    /// No step attends to one that is padding, except the step itself, so that the output of a sequence that is all padding
    /// is finite, too. The output of a padded step has no meaning.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`
    /// - padding: `[batch, time]`, true where a step is padding
    /// - output: `[batch, time, features]`
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        padding: Option<&Tensor<2, Bool>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let [batch, time, features] = input.dims();
        let heads = self.heads.max(1);
        let size = features / heads;
        // First, so that the layer takes one source in any case.
        let drop = pass.dropout_mask(self.rate, &self.training, &input);
        if !self.is_plain() {
            return self.attend(input, None, padding, drop);
        }
        fused!(input => self.fused(input, padding, drop));
        let (query, key, value) = if input.is_autodiff() && self.rope.is_none() {
            (
                self.project(input.clone(), 0, 1),
                self.project(input.clone(), 1, 1),
                self.project(input, 2, 1),
            )
        } else {
            let all = self.project(input, 0, 3);
            let part = |from: usize| all.clone().narrow(1, from * heads, heads);
            match &self.rope {
                Some(rope) => {
                    let both = rope.turn(all.clone().narrow(1, 0, 2 * heads));
                    (
                        both.clone().narrow(1, 0, heads),
                        both.narrow(1, heads, heads),
                        part(2),
                    )
                }
                None => (part(0), part(1), part(2)),
            }
        };
        let device = query.device();
        let padding = padding.map(|padding| {
            let others = match_autodiff(
                Tensor::<2, Bool>::diag_mask([time, time], 0, &device),
                &query,
            );
            let padding = match_autodiff(padding.clone(), &query).reshape([batch, 1, 1, time]);
            padding.expand([batch, heads, time, time]).bool_and(
                others
                    .reshape([1, 1, time, time])
                    .expand([batch, heads, time, time]),
            )
        });
        let mixed = if query.is_autodiff() {
            let later = self.causal.then(|| {
                let later = Tensor::<2, Bool>::tril_mask([time, time], 0, &device);
                match_autodiff(later, &query)
                    .reshape([1, 1, time, time])
                    .expand([batch, heads, time, time])
            });
            let mask = match (padding, later) {
                (Some(padding), Some(later)) => Some(padding.bool_or(later)),
                (padding, later) => padding.or(later),
            };
            let scale = 1.0 / (size as f64).sqrt();
            let mut scores = query.mul_scalar(scale).matmul(key.transpose());
            if let Some(mask) = mask {
                scores = scores.mask_fill(mask, f32::NEG_INFINITY);
            }
            let mut weights = softmax(scores, 3);
            if let Some(drop) = drop {
                // As in the fused operation, each head begins at a new word of the mask.
                let count = time * time;
                let whole = words(count) * WORD;
                let mask = drop
                    .to_factors([batch, heads, whole], &device)
                    .narrow(2, 0, count);
                weights = weights * mask.reshape([batch, heads, time, time]);
            }
            weights.matmul(value)
        } else {
            let options = AttentionModuleOptions {
                is_causal: self.causal,
                ..Default::default()
            };
            attention(query, key, value, padding, None, options)
        };
        let mixed = mixed.swap_dims(1, 2).reshape([batch, time, features]);
        dense(&self.out_proj, mixed, None)
    }
}

#[cfg(feature = "flex")]
impl Attention {
    /// The fused operation: queries, keys and values in one product, and each head in the cache. Returns the input if it
    /// cannot be used.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the tensor itself, moved back"
    )]
    fn fused(
        &self,
        input: Tensor<3>,
        padding: Option<&Tensor<2, Bool>>,
        drop: Option<damper_kernels::dropout::DropoutMask>,
    ) -> Result<Tensor<3>, Tensor<3>> {
        if self.rope.is_some() || !crate::device::is_flex(&input.device()) {
            return Err(input);
        }
        let padding: Option<Vec<bool>> =
            padding.map(|padding| padding.clone().into_data().iter::<bool>().collect());
        let weight = self.in_proj.weight.val();
        let bias = self.in_proj.bias.as_ref().map(Param::val);
        let all = product(input.clone(), weight, bias, None, None);
        match damper_flex::attention(all, self.heads, self.causal, padding.as_deref(), drop) {
            Ok(mixed) => Ok(dense(&self.out_proj, mixed, None)),
            Err(_) => Err(input),
        }
    }
}

impl Layer for Attention {
    const WORD: &'static str = "`attention`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        Self::make_with(op, input, None, weights)
    }

    /// As in PyTorch: the first projection is Xavier uniform, the second as `linear`, and all biases are 0.
    fn make_with(
        op: &Op,
        input: &Shape,
        memory: Option<&Shape>,
        weights: &Weights,
    ) -> Option<Self> {
        let OpKind::Attention(of) = &op.kind else {
            return None;
        };
        let features = input.features().filter(|size| *size > 0)?;
        let heads = of
            .heads
            .size()
            .filter(|heads| *heads > 0 && features.is_multiple_of(*heads))?;
        let kv_heads = of
            .kv_heads()
            .filter(|groups| *groups > 0 && heads.is_multiple_of(*groups))?;
        let size = features / heads;
        let keys = 2 * size.checked_mul(kv_heads)?;
        let bias = of.bias.is_true()?;
        let rope = if of.rope {
            let time = input.channels()?;
            check_allocation([time, size])?;
            let steps = super::position::kept(time, size);
            size.is_multiple_of(2)
                .then(|| Some(Rope::new(steps, size / 2, weights.device())))?
        } else {
            None
        };
        let project = |inputs: usize, outputs: usize| {
            check_allocation([inputs, outputs])?;
            // Xavier's rule for the whole matrix with all its outputs, as in PyTorch.
            let xavier = (6.0 / inputs.checked_add(outputs)? as f64).sqrt();
            Some(Projection {
                weight: weights.uniform([inputs, outputs], xavier),
                bias: bias.then(|| weights.zeros([outputs])),
            })
        };
        let (in_proj, memory_proj) = if of.from.is_some() {
            let width = memory?.features().filter(|size| *size > 0)?;
            let queries = project(features, features)?;
            (queries, Some(project(width, keys)?))
        } else {
            (project(features, features.checked_add(keys)?)?, None)
        };
        let mut out_proj = linear(features, features, bias, weights);
        out_proj.bias = bias.then(|| weights.zeros([features]));
        let norm = of.qk_norm.map_or(Some(false), |norm| norm.is_true())?;
        let ones = || Param::from_tensor(Tensor::ones([size], weights.device()));
        let relative = if of.position == ScorePosition::Relative {
            let distances = input.channels()?.checked_mul(2)?.checked_sub(1)?;
            check_allocation([heads, distances])?;
            Some(weights.normal([heads, distances], super::position::SPREAD))
        } else {
            None
        };
        let size_of = |value: &Value| value.size().filter(|size| *size > 0);
        Some(Self {
            in_proj,
            memory_proj,
            out_proj,
            q_norm: norm.then(ones),
            k_norm: norm.then(ones),
            relative,
            heads,
            kv_heads,
            window: match &of.window {
                Some(window) => Some(size_of(window)?),
                None => None,
            },
            soft_cap: match &of.soft_cap {
                Some(cap) => Some(positive(cap)?),
                None => None,
            },
            alibi: of.position == ScorePosition::Alibi,
            causal: of.causal.is_true()?,
            rope,
            rate: match &of.dropout {
                Some(dropout) => probability(&dropout.rate)?,
                None => 0.0,
            },
            training: Param::from_bool(true),
        })
    }
}
