//! burn's own loop. It reads metrics on a second thread, so that a GPU does not wait for them.

use super::Strategy;
use crate::Network;
use crate::train::error::Phase;
use crate::train::learner_model::LearnerModel;
use crate::train::meters::{LossMeter, MetricMeter};
use crate::train::state::Shared;
use burn::train::metric::store::EventStoreClient;
use burn::train::{EarlyStoppingStrategy, SupervisedTraining};
use std::sync::Arc;

/// burn's own loop on one device. The meters are registered as its metrics.
pub(super) struct BackgroundMetrics<M> {
    pub(super) shared: Arc<Shared<M>>,
}

impl<M: Network> Strategy<M> for BackgroundMetrics<M> {
    fn install(
        self: Box<Self>,
        mut training: SupervisedTraining<LearnerModel<M>>,
    ) -> SupervisedTraining<LearnerModel<M>> {
        let shared = self.shared;
        training = training
            .metric_train_numeric(LossMeter::new(&shared, Phase::Training))
            .metric_valid_numeric(LossMeter::new(&shared, Phase::Validation));
        for (place, kind) in shared.context.metrics.iter().enumerate() {
            let meter = |phase| MetricMeter::new(&shared, phase, place, *kind);
            training = training
                .metric_train_numeric(meter(Phase::Training))
                .metric_valid_numeric(meter(Phase::Validation));
        }
        training.early_stopping(EndOfEpoch(shared))
    }
}

/// Calls the hook at the end of an epoch from burn's early stopping: the only place in burn's loop where all metrics of an
/// epoch are known and the training can be ended. It is called with and without early stopping.
struct EndOfEpoch<M>(Arc<Shared<M>>);

impl<M> Clone for EndOfEpoch<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Network> EarlyStoppingStrategy for EndOfEpoch<M> {
    fn should_stop(&mut self, _: usize, _: &EventStoreClient) -> bool {
        self.0.end_of_epoch()
    }
}
