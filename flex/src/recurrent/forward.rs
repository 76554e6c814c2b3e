//! The forward pass of a sequence of steps.

use super::backward::{RecurrentBackward, SavedState};
use super::config::{Config, Part};
use crate::memory::{Checked, make_compact, modify_with, read, tensor};
use crate::op::Primitive;
use damper_kernels::LengthMismatch;
use damper_kernels::recurrent::{self, Step};
use rayon::prelude::*;
use std::mem::take;
use std::sync::Arc;

impl Config {
    /// The states of all steps, and the state of the backward pass if `keep` is true.
    pub(super) fn forward(
        self,
        inputs: [Primitive; 3],
        keep: bool,
    ) -> (Primitive, Option<RecurrentBackward>) {
        let [projected, weight, bias] = inputs;
        let [weight, bias] = [weight, bias].map(make_compact);
        let (hidden, width) = (self.hidden, self.width());
        let [inner, _, memory] = self.sizes();
        let samples = self.samples();
        // Without a backward pass, each step overwrites the one before.
        let inner = if keep { inner } else { 0 };
        let counts = [samples * hidden, samples * inner, samples * memory];
        let (gates, [states, of_inner, of_memory]) =
            modify_with(projected, counts, |gates, [states, inners, memories]| {
                LengthMismatch::check("gates", gates.len(), samples * width)?;
                let weights = [
                    read("weight", &weight, hidden * width)?,
                    read("bias", &bias, width)?,
                ];
                let parts = self.split([
                    (states, hidden),
                    (gates, width),
                    (inners, inner),
                    (memories, memory),
                ]);
                parts
                    .into_par_iter()
                    .try_for_each(|part| self.run(part, weights))
            });
        let states = tensor(states, [self.time, self.batch, hidden]);
        let kept = keep.then(|| RecurrentBackward {
            gates,
            saved: SavedState {
                config: self,
                weight,
                states: states.clone(),
                inner: Arc::new(of_inner),
                memory: Arc::new(of_memory),
            },
        });
        (states, kept)
    }

    /// All steps of some samples.
    fn run(&self, part: Part<'_, 4>, [weight, bias]: [&[f32]; 2]) -> Checked {
        let (hidden, width) = (self.hidden, self.width());
        let [inner, second, memory] = self.sizes();
        let Part { first, count, rows } = part;
        let [mut states, mut gates, mut inners, mut memories] = rows;
        let part = (first, count);
        let mask = self.masked(part)?;
        let zeros = vec![0.0_f32; count * hidden];
        let mut seen = vec![0.0_f32; mask.map_or(0, <[f32]>::len)];
        let (mut product, mut one_inner) = (vec![0.0_f32; count * width], Vec::new());
        let mut before: Option<usize> = None;
        for step in self.order() {
            let (state, new_memory) = (take(&mut states[step]), take(&mut memories[step]));
            let (old, old_memory) = match before {
                Some(before) => (&*states[before], &*memories[before]),
                None => (&zeros[..], &zeros[..count * memory]),
            };
            // Before the first step there is no state, and the product stays 0.
            if let (Some(_), Some(mask)) = (before, mask) {
                recurrent::apply_mask(old, mask, &mut seen)?;
                self.multiply(&mut product, &seen, weight, [hidden, width])?;
            } else if before.is_some() {
                self.multiply(&mut product, old, weight, [hidden, width])?;
            }
            let forward = Step {
                gates: take(&mut gates[step]),
                product: &product,
                bias,
                old: &old[..count * second],
                old_memory,
                inner: rows_or(take(&mut inners[step]), &mut one_inner, count * inner),
                memory: &mut *new_memory,
                state: &mut *state,
            };
            recurrent::forward(self.cell, hidden, forward)?;
            if let Some(keep) = self.kept(self.keep.as_ref(), step, part)? {
                recurrent::blend(state, old, keep)?;
            }
            if let Some(keep) = self.kept(self.keep_memory.as_ref(), step, part)? {
                recurrent::blend(new_memory, old_memory, keep)?;
            }
            states[step] = state;
            memories[step] = new_memory;
            before = Some(step);
        }
        Ok(())
    }
}

/// The rows of a step, or one buffer for all steps if they are not kept.
fn rows_or<'a>(rows: &'a mut [f32], one: &'a mut Vec<f32>, numbers: usize) -> &'a mut [f32] {
    if rows.is_empty() {
        one.resize(numbers, 0.0);
        one
    } else {
        rows
    }
}
