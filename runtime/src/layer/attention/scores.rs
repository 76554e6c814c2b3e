//! Attention with everything that changes its scores: fewer heads of keys, windows, norms, bounds, distances, another value.

use super::{Attention, Projection, product};
use crate::Pass;
use crate::activation::softmax;
use crate::autodiff::match_autodiff;
use crate::layer::dense::dense;
use crate::layer::dropout::ApplyMask;
use burn::module::Param;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use damper_kernels::dropout::{DropoutMask, WORD, words};

/// The epsilon of the norm of queries and keys, as in Qwen 3 and Gemma 3.
const NORM_EPSILON: f64 = 1e-6;

/// The score of a step that is not attended to: its weight is 0, and that of a row of nothing else is finite.
const NEVER: f32 = -1e30;

impl Attention {
    /// Whether the scores are those of PyTorch's `MultiheadAttention`, which have faster ways.
    pub(super) fn is_plain(&self) -> bool {
        self.kv_heads == self.heads
            && self.memory_proj.is_none()
            && self.q_norm.is_none()
            && self.k_norm.is_none()
            && self.relative.is_none()
            && self.window.is_none()
            && self.soft_cap.is_none()
            && !self.alibi
    }

    /// Each step's weighted mean of the values that are made of the steps of `memory`.
    ///
    /// No step attends to one that is padding. If all steps of `memory` are, the output is finite and has no meaning.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`
    /// - memory: `[batch, other time, other features]`
    /// - padding: `[batch, other time]`, true where a step of `memory` is padding
    /// - output: `[batch, time, features]`
    #[must_use]
    pub fn forward_from(
        &self,
        input: Tensor<3>,
        memory: Tensor<3>,
        padding: Option<&Tensor<2, Bool>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let drop = pass.dropout_mask(self.rate, &self.training, &input);
        self.attend(input, Some(memory), padding, drop)
    }

    /// [`Attention::forward`] and [`Attention::forward_from`] in single steps.
    pub(super) fn attend(
        &self,
        input: Tensor<3>,
        memory: Option<Tensor<3>>,
        padding: Option<&Tensor<2, Bool>>,
        drop: Option<DropoutMask>,
    ) -> Tensor<3> {
        let [batch, time, features] = input.dims();
        let (heads, groups) = (self.heads.max(1), self.kv_heads.max(1));
        let size = features / heads;
        let other = self.memory_proj.as_ref().zip(memory);
        let (query, keys) = if let Some((projection, memory)) = other {
            (project(&self.in_proj, input), project(projection, memory))
        } else {
            let all = project(&self.in_proj, input);
            let keys = all.clone().narrow(2, features, 2 * groups * size);
            (all.narrow(2, 0, features), keys)
        };
        let [_, others, _] = keys.dims();
        let key = keys.clone().narrow(2, 0, groups * size);
        let value = keys.narrow(2, groups * size, groups * size);
        let mut query = query.reshape([batch, time, heads, size]).swap_dims(1, 2);
        let split = |value: Tensor<3>| value.reshape([batch, others, groups, size]).swap_dims(1, 2);
        let (mut key, value) = (split(key), split(value));
        if let (Some(q_norm), Some(k_norm)) = (&self.q_norm, &self.k_norm) {
            (query, key) = (normalized(query, q_norm), normalized(key, k_norm));
        }
        if let Some(rope) = &self.rope {
            (query, key) = (rope.turn(query), rope.turn(key));
        }
        // The heads that share a key are as many times its steps.
        let shared = [batch, groups, heads / groups * time, size];
        let query = query.mul_scalar(1.0 / (size as f64).sqrt()).reshape(shared);
        let scores = query.matmul(key.transpose());
        let scores = self.scored(scores.reshape([batch, heads, time, others]), padding);
        let device = scores.device();
        let mut weights = softmax(scores, 3);
        if let Some(drop) = drop {
            // As in the fused operation, each head begins at a new word of the mask.
            let count = time * others;
            let whole = words(count) * WORD;
            let mask = drop
                .to_factors([batch, heads, whole], &device)
                .narrow(2, 0, count);
            weights = weights * mask.reshape([batch, heads, time, others]);
        }
        let mixed = weights
            .reshape([batch, groups, heads / groups * time, others])
            .matmul(value)
            .reshape([batch, heads, time, size]);
        let mixed = mixed.swap_dims(1, 2).reshape([batch, time, features]);
        dense(&self.out_proj, mixed, None)
    }

    /// The scores with their bound, what the distance adds, and what is not attended to.
    fn scored(&self, scores: Tensor<4>, padding: Option<&Tensor<2, Bool>>) -> Tensor<4> {
        let dims = scores.dims();
        let [batch, heads, time, others] = dims;
        let device = scores.device();
        let mut scores = scores;
        if let Some(cap) = self.soft_cap {
            scores = scores.div_scalar(cap).tanh().mul_scalar(cap);
        }
        if let Some(table) = &self.relative {
            let table = table.val();
            let [_, known] = table.dims();
            let places = distances(time, others, known, &device);
            let added = table.select(1, match_autodiff(places, &scores));
            scores = scores + added.reshape([1, heads, time, others]);
        }
        if self.alibi {
            let fall = match_autodiff(slopes(heads, time, others, &device), &scores);
            scores = scores - fall;
        }
        let square = |mask: Tensor<2, Bool>| {
            match_autodiff(mask, &scores)
                .reshape([1, 1, time, others])
                .expand(dims)
        };
        let mut masks: Vec<Tensor<4, Bool>> = Vec::new();
        if self.causal {
            masks.push(square(Tensor::tril_mask([time, others], 0, &device)));
        }
        if let Some(window) = self.window {
            let most = window.saturating_sub(1) as i64;
            if !self.causal {
                masks.push(square(Tensor::tril_mask([time, others], most, &device)));
            }
            masks.push(square(Tensor::triu_mask([time, others], -most, &device)));
        }
        if let Some(padding) = padding {
            let padding = match_autodiff(padding.clone(), &scores);
            let padding = padding.reshape([batch, 1, 1, others]).expand(dims);
            masks.push(if self.memory_proj.is_some() {
                padding
            } else {
                // A padded step is seen by itself alone.
                padding.bool_and(square(Tensor::diag_mask([time, others], 0, &device)))
            });
        }
        match masks.into_iter().reduce(Tensor::bool_or) {
            Some(mask) => scores.mask_fill(mask, NEVER),
            None => scores,
        }
    }
}

fn project(projection: &Projection, input: Tensor<3>) -> Tensor<3> {
    let bias = projection.bias.as_ref().map(Param::val);
    product(input, projection.weight.val(), bias, None, None)
}

/// Each head's vectors over the root of their mean square, times the gains.
fn normalized(value: Tensor<4>, gains: &Param<Tensor<1>>) -> Tensor<4> {
    let square = value.clone().square().mean_dim(3).add_scalar(NORM_EPSILON);
    value / square.sqrt() * gains.val().unsqueeze()
}

/// For each pair of steps the place of their distance in a table of `known` distances, the middle of which is 0.
fn distances(time: usize, others: usize, known: usize, device: &Device) -> Tensor<1, Int> {
    let middle = (known / 2) as i64;
    let places: Vec<i64> = (0..time as i64)
        .flat_map(|step| (0..others as i64).map(move |other| other - step))
        .map(|distance| (middle + distance).clamp(0, known.saturating_sub(1) as i64))
        .collect();
    let count = places.len();
    Tensor::from_data(TensorData::new(places, [count]), device)
}

/// What the distance of two steps takes off the score of each head: `[1, heads, time, others]`.
fn slopes(heads: usize, time: usize, others: usize, device: &Device) -> Tensor<4> {
    // For a power of two `2^(-8 i / heads)`; else those of the power below, and every second one of the power above.
    let of =
        |count: usize| (1..=count).map(move |head| 2_f64.powf(-8.0 * head as f64 / count as f64));
    let below = if heads.is_power_of_two() {
        heads
    } else {
        heads.next_power_of_two() / 2
    };
    let slopes = of(below).chain(of(2 * below).step_by(2)).take(heads);
    let mut values = Vec::with_capacity(heads * time * others);
    for slope in slopes {
        for step in 0..time {
            values.extend((0..others).map(|other| (slope * step.abs_diff(other) as f64) as f32));
        }
    }
    Tensor::from_data(TensorData::new(values, [1, heads, time, others]), device)
}
