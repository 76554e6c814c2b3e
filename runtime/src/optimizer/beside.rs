#[cfg(feature = "flex")]
use burn::tensor::TensorData;
#[cfg(feature = "flex")]
use std::sync::{Arc, Mutex, PoisonError};

/// What the next step in one pass does besides, at no pass of its own: it multiplies the gradients by one number (the
/// clip by the global norm), and leads an average of the weights. Steps as tensor operations look at neither, but for
/// those of [`OnePass`](super::one_pass::OnePass).
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside(#[cfg(feature = "flex")] Arc<Mutex<State>>);

#[cfg(feature = "flex")]
#[derive(Debug)]
struct State {
    factor: f32,
    /// In the order of the parameters.
    lent: Vec<Lent>,
}

#[cfg(feature = "flex")]
impl Default for State {
    fn default() -> Self {
        Self {
            factor: 1.0,
            lent: Vec::new(),
        }
    }
}

/// The average of one parameter, lent to its step.
#[cfg(feature = "flex")]
#[derive(Debug)]
pub(crate) struct Lent {
    /// Which of the model's parameters.
    pub(crate) index: usize,
    /// Where its weights lie before the step: a step knows no names.
    pub(crate) address: usize,
    pub(crate) average: TensorData,
    /// How much of the average stays.
    pub(crate) keep: f64,
    /// Whether the new weights are in it.
    pub(crate) led: bool,
}

#[cfg(feature = "flex")]
impl Beside {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn multiply(&self, factor: f32) {
        self.state().factor = factor;
    }

    pub(super) fn factor(&self) -> f32 {
        self.state().factor
    }

    pub(crate) fn lend(&self, lent: Vec<Lent>) {
        self.state().lent = lent;
    }

    /// The average that belongs to the weights at an address, if it waits for a step.
    pub(super) fn borrow(&self, weights: &[f32]) -> Option<Lent> {
        let address = weights.as_ptr().addr();
        let mut state = self.state();
        let found = state.lent.iter().position(|lent| {
            !lent.led && lent.address == address && lent.average.num_elements() == weights.len()
        });
        found.map(|place| state.lent.remove(place))
    }

    /// Which of the averages that were lent are led.
    #[cfg(test)]
    pub(super) fn led(&self) -> Vec<bool> {
        self.state().lent.iter().map(|lent| lent.led).collect()
    }

    pub(super) fn give_back(&self, lent: Lent) {
        self.state().lent.push(lent);
    }

    /// All that were lent.
    pub(crate) fn returned(&self) -> Vec<Lent> {
        std::mem::take(&mut self.state().lent)
    }
}
