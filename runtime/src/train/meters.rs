//! Meters that accumulate loss and metrics over an epoch, as burn's `Metric`s.

use super::error::Phase;
use super::fault::{FailingBatch, Fault};
use super::state::Shared;
use super::step::StepOutput;
use super::table::number;
use crate::metric::MetricAccumulator;
use crate::{Network, Target};
use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes,
    NumericEntry, SerializedEntry,
};
use damper_ir::MetricKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The input of the loss meter.
pub(super) struct LossInput<M> {
    loss: Tensor<1>,
    activity: Option<Tensor<1>>,
    failing: Box<FailingBatch<M>>,
}

impl<M: Network> Adaptor<LossInput<M>> for StepOutput<M> {
    fn adapt(&self) -> LossInput<M> {
        LossInput {
            loss: self.loss.clone(),
            activity: self.activity.clone(),
            failing: self.failing.clone(),
        }
    }
}

impl<M: Network> Adaptor<(Tensor<2>, Target)> for StepOutput<M> {
    fn adapt(&self) -> (Tensor<2>, Target) {
        (self.output.clone(), self.target.clone())
    }
}

/// Averages the loss over an epoch, and ends the training if it is not finite.
pub(super) struct LossMeter<M> {
    shared: Arc<Shared<M>>,
    phase: Phase,
    name: MetricName,
    last: f64,
    sum: f64,
    activity: f64,
    samples: usize,
    learning_rate: f64,
}

impl<M: Network> LossMeter<M> {
    pub(super) fn new(shared: &Arc<Shared<M>>, phase: Phase) -> Self {
        Self {
            shared: Arc::clone(shared),
            phase,
            name: Arc::new("loss".to_owned()),
            last: 0.0,
            sum: 0.0,
            activity: 0.0,
            samples: 0,
            learning_rate: 0.0,
        }
    }

    fn mean(&self) -> f64 {
        self.sum / self.samples.max(1) as f64
    }
}

impl<M> Clone for LossMeter<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Arc::clone(&self.name),
            ..*self
        }
    }
}

impl<M: Network> Metric for LossMeter<M> {
    type Input = LossInput<M>;

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: None,
            higher_is_better: false,
        }
        .into()
    }

    fn update(
        &mut self,
        step: &LossInput<M>,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let samples = step.failing.batch.inputs.batch();
        self.last = step.loss.clone().try_into_scalar::<f64>()?;
        self.sum += self.last * samples as f64;
        if let Some(activity) = &step.activity {
            self.activity += activity.clone().try_into_scalar::<f64>()? * samples as f64;
        }
        self.samples += samples;
        if let Some(rate) = &metadata.lr {
            self.learning_rate = rate.base();
        }
        if !(self.last.is_finite() && self.activity.is_finite()) {
            let mut state = self.shared.state();
            let loss = if self.last.is_finite() {
                self.activity
            } else {
                self.last
            };
            let (epoch, batch) = (state.epoch, step.failing.batch.index + 1);
            let failing = step.failing.clone();
            self.shared.fail(
                &mut state,
                Fault::Loss {
                    epoch,
                    batch,
                    phase: self.phase,
                    loss,
                    failing,
                },
            );
        }
        self.shared.context.show.batch(self.phase, self.mean());
        Ok(entry(self.mean()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let (loss, samples) = (self.mean(), self.samples.max(1) as f64);
        let mut state = self.shared.state();
        let totals = state.totals(self.phase);
        totals.loss = loss;
        totals.activity = self.activity / samples;
        totals.learning_rate = self.learning_rate;
        Ok(entry(loss))
    }

    fn clear(&mut self) {
        (self.sum, self.activity, self.samples) = (0.0, 0.0, 0);
    }
}

impl<M: Network> Numeric for LossMeter<M> {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.last))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Aggregated {
            aggregated_value: self.mean(),
            count: self.samples,
        })
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.mean())
    }
}

/// Computes one metric over an epoch.
pub(super) struct MetricMeter<M> {
    shared: Arc<Shared<M>>,
    phase: Phase,
    place: usize,
    kind: MetricKind,
    name: MetricName,
    accumulator: Arc<Mutex<MetricAccumulator>>,
    value: Option<f64>,
}

impl<M: Network> MetricMeter<M> {
    pub(super) fn new(
        shared: &Arc<Shared<M>>,
        phase: Phase,
        place: usize,
        kind: MetricKind,
    ) -> Self {
        let accumulator = MetricAccumulator::new(kind, &shared.context.spec);
        Self {
            shared: Arc::clone(shared),
            phase,
            place,
            kind,
            name: Arc::new(kind.to_string()),
            accumulator: Arc::new(Mutex::new(accumulator)),
            value: None,
        }
    }

    fn accumulator(&self) -> MutexGuard<'_, MetricAccumulator> {
        self.accumulator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Clone for MetricMeter<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Arc::clone(&self.name),
            accumulator: Arc::clone(&self.accumulator),
            ..*self
        }
    }
}

impl<M: Network> Metric for MetricMeter<M> {
    type Input = (Tensor<2>, Target);

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: None,
            higher_is_better: self.kind.higher_is_better(),
        }
        .into()
    }

    fn update(
        &mut self,
        step: &Self::Input,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.accumulator().update(&step.0, &step.1);
        Ok(SerializedEntry::not_available(None))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let value = self.accumulator().value();
        self.value = Some(value);
        if let Some(slot) = self
            .shared
            .state()
            .totals(self.phase)
            .metrics
            .get_mut(self.place)
        {
            *slot = value;
        }
        Ok(entry(value))
    }

    fn clear(&mut self) {
        *self.accumulator() = MetricAccumulator::new(self.kind, &self.shared.context.spec);
    }
}

impl<M: Network> Numeric for MetricMeter<M> {
    fn value(&self) -> Option<NumericEntry> {
        None
    }

    fn running_value(&self) -> Option<NumericEntry> {
        None
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(f64::NAN))
    }
}

fn entry(value: f64) -> SerializedEntry {
    SerializedEntry::new(number(value), value.to_string())
}
