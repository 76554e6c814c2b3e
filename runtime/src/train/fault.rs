//! Why a training cannot go on, and the error that is made of it.

use super::error::{Kept, Phase, TrainError};
use super::non_finite::{first_non_finite_layer, first_non_finite_parameter};
use crate::{Batch, Network};
use damper_ir::{MetricKind, Settings};

/// Why a training cannot go on.
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
    /// A figure cannot be read from the device.
    Unread(String),
}

/// A batch, and the model that read it. Every step keeps one, in case its loss turns out not to be finite. Cheap: tensors
/// are shared.
#[derive(Clone, Debug)]
pub(super) struct FailingBatch<M> {
    pub(super) model: M,
    pub(super) batch: Batch,
}

impl<M: Network> Fault<M> {
    /// The weights that the training had, if they were finite.
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

    /// The error, after the search for the first number that is not finite.
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
