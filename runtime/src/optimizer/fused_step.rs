//! The state that a fused optimizer step shares with its caller: the gradient scale, and the average of the weights.
#![cfg_attr(
    not(feature = "flex"),
    allow(dead_code, reason = "no step is fused without `flex`")
)]

use burn::module::ParamId;
use burn::tensor::TensorData;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the steps of one optimizer are taken. It shares a state with them if they are fused: then they promise to apply
/// [`FusedStepState::grad_scale`], and may update an average on the way.
///
/// [`build_with`](super::build_with) makes it together with the optimizer, so the two cannot disagree.
#[derive(Clone, Debug)]
pub(crate) struct FusedStep(Option<Arc<Mutex<FusedStepState>>>);

/// What a fused step reads and writes, apart from weights, gradients and moments.
#[derive(Debug)]
struct FusedStepState {
    /// The parameter whose step runs. burn's `Optimizer::step` is not told, so the caller notes it.
    current: Option<ParamId>,
    /// The factor of all gradients in this step; 1 outside of a step.
    grad_scale: f32,
    /// The averages that wait for the steps of their parameters, in the order of the model, and then those that have had
    /// them. burn steps in the same order, so the next one is found at the front.
    ema_slots: VecDeque<EmaSlot>,
}

/// The average of one parameter, lent to its step.
#[derive(Debug)]
pub(crate) struct EmaSlot {
    /// The parameter.
    pub(crate) param: ParamId,
    /// Its place in the order of the model's parameters.
    pub(crate) index: usize,
    pub(crate) average: TensorData,
    /// How much of the average stays.
    pub(crate) decay: f64,
    /// Whether the new weights are in it.
    pub(crate) updated: bool,
}

impl FusedStep {
    /// For an optimizer all of whose steps share this state and apply it.
    pub(super) fn fused() -> Self {
        let state = FusedStepState {
            current: None,
            grad_scale: 1.0,
            ema_slots: VecDeque::new(),
        };
        Self(Some(Arc::new(Mutex::new(state))))
    }

    /// For an optimizer whose steps know of no state.
    pub(super) fn unfused() -> Self {
        Self(None)
    }

    /// Whether the steps promise to apply the state.
    pub(crate) fn is_fused(&self) -> bool {
        self.0.is_some()
    }

    fn state(&self) -> Option<MutexGuard<'_, FusedStepState>> {
        let state = self.0.as_ref()?;
        Some(state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets the factor of the gradients, from the next step on.
    pub(super) fn set_grad_scale(&self, scale: f32) {
        if let Some(mut state) = self.state() {
            state.grad_scale = scale;
        }
    }

    /// The factor of the gradients in this step.
    pub(super) fn grad_scale(&self) -> f32 {
        self.state().map_or(1.0, |state| state.grad_scale)
    }

    /// Notes the parameter whose step comes next, or that there is none.
    pub(super) fn set_current(&self, param: Option<ParamId>) {
        if let Some(mut state) = self.state() {
            state.current = param;
        }
    }

    /// Lends averages to the next step.
    pub(super) fn lend(&self, slots: Vec<EmaSlot>) {
        if let Some(mut state) = self.state() {
            state.ema_slots = slots.into();
        }
    }

    /// The average of the parameter whose step runs, if it has this many numbers and waits for the step. Without one, the
    /// caller of the optimizer updates the average afterwards.
    pub(super) fn take_slot(&self, numbers: usize) -> Option<EmaSlot> {
        let mut state = self.state()?;
        let current = state.current?;
        let found = state.ema_slots.iter().position(|slot| {
            slot.param == current && !slot.updated && slot.average.num_elements() == numbers
        });
        state.ema_slots.remove(found?)
    }

    pub(super) fn return_slot(&self, slot: EmaSlot) {
        if let Some(mut state) = self.state() {
            state.ema_slots.push_back(slot);
        }
    }

    /// All averages that were lent, updated or not.
    pub(super) fn take_all_slots(&self) -> VecDeque<EmaSlot> {
        self.state()
            .map(|mut state| std::mem::take(&mut state.ema_slots))
            .unwrap_or_default()
    }

    /// Which of the averages that were lent are updated.
    #[cfg(test)]
    pub(super) fn updated(&self) -> Vec<bool> {
        self.state().map_or_else(Vec::new, |state| {
            state.ema_slots.iter().map(|slot| slot.updated).collect()
        })
    }
}
