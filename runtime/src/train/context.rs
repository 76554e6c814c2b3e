//! What is fixed before a training begins.

use super::interrupt::Stopper;
use super::progress::Show;
use crate::Spec;
use crate::optimizer::FusedStep;
use crate::regularize::UpdateRules;
use burn::train::Interrupter;
use damper_ir::{MetricKind, Settings};
use std::collections::HashMap;

/// What is fixed before a training begins. All threads of the training read it.
pub(super) struct TrainContext<M> {
    pub(super) spec: Spec,
    pub(super) settings: Settings,
    /// How the optimizer's steps are taken.
    pub(super) fused_step: FusedStep,
    /// The parameters with penalties, by their paths.
    pub(super) penalized: HashMap<String, UpdateRules>,
    pub(super) metrics: Vec<MetricKind>,
    /// Training batches in an epoch.
    pub(super) batches: usize,
    pub(super) interrupter: Interrupter,
    pub(super) stopper: Stopper,
    pub(super) show: Box<dyn Show>,
    /// Recomputes the running statistics of batch norm for averaged weights (SWA).
    pub(super) recompute_batch_norm_stats: Option<Recompute<M>>,
}

/// Gives a model new running statistics.
pub(super) type Recompute<M> = Box<dyn Fn(M) -> M + Send + Sync>;
