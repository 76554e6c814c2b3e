//! Faults that end a training, and their errors.

use super::error::{Kept, Phase, TrainError};
use super::non_finite::{first_non_finite_layer, first_non_finite_parameter};
use crate::{Batch, Network};
use damper_ir::{MetricKind, Settings};

/// A fault that ends a training.
pub(super) enum Fault<M> {
    /// The loss of a batch is not finite.
    Loss {
        epoch: usize,
        batch: usize,
        phase: Phase,
        loss: f64,
        failing: Box<FailingBatch<M>>,
    },
    /// A parameter is not finite at the end of an epoch.
    Parameter {
        epoch: usize,
        loss: f64,
        parameter: String,
    },
    /// The metric that early stopping watches has no value.
    Metric(MetricKind),
    /// A value cannot be read from the device.
    Unread(String),
}

/// A batch with the model that processed it. Each step keeps one in case the loss is not finite. This is cheap, because
/// tensors are shared.
#[derive(Clone, Debug)]
pub(super) struct FailingBatch<M> {
    pub(super) model: M,
    pub(super) batch: Batch,
}

impl<M: Network> Fault<M> {
    /// The model before the batch, if its weights were finite.
    pub(super) fn last(&self) -> Option<M> {
        match self {
            Self::Loss { failing, .. } => {
                let model = failing.model.valid();
                first_non_finite_parameter(&model)
                    .is_none()
                    .then_some(model)
            }
            Self::Parameter { .. } | Self::Metric(_) | Self::Unread(_) => None,
        }
    }

    /// The error of this fault. For numbers that are not finite, it searches the layer or parameter.
    pub(super) fn explain(self, settings: &Settings) -> TrainError {
        let learning_rate = settings.learning_rate;
        let clipped = settings.clip_norm.is_some() || settings.clip_value.is_some();
        match self {
            Self::Loss {
                epoch,
                batch,
                phase,
                loss,
                failing,
            } => TrainError::NonFinite {
                epoch,
                batch: Some(batch),
                phase,
                loss,
                layer: first_non_finite_layer(&failing.model, &failing.batch),
                parameter: first_non_finite_parameter(&failing.model),
                learning_rate,
                clipped,
                kept: Kept::default(),
            },
            Self::Parameter {
                epoch,
                loss,
                parameter,
            } => TrainError::NonFinite {
                epoch,
                batch: None,
                phase: Phase::Training,
                loss,
                layer: None,
                parameter: Some(parameter),
                learning_rate,
                clipped,
                kept: Kept::default(),
            },
            Self::Unread(error) => TrainError::burn(error),
            Self::Metric(kind) => TrainError::NoMetric {
                metric: kind.to_string(),
                kept: Kept::default(),
            },
        }
    }
}
