//! The immutable context of a training.

use super::interrupt::Stopper;
use super::progress::Show;
use crate::Spec;
use crate::optimizer::FusedStep;
use crate::regularize::UpdateRules;
use burn::train::Interrupter;
use damper_ir::{MetricKind, Settings};
use std::collections::HashMap;

/// The immutable context of a training, which all its threads read.
pub(super) struct TrainContext<M> {
    pub(super) spec: Spec,
    pub(super) settings: Settings,
    /// The state that fused optimizer steps share.
    pub(super) fused_step: FusedStep,
    /// The parameters with penalties, by their paths.
    pub(super) penalized: HashMap<String, UpdateRules>,
    pub(super) metrics: Vec<MetricKind>,
    /// The number of training batches per epoch.
    pub(super) batches: usize,
    pub(super) interrupter: Interrupter,
    pub(super) stopper: Stopper,
    pub(super) show: Box<dyn Show>,
    /// Recomputes the running statistics of batch norm for averaged weights (SWA).
    pub(super) recompute_batch_norm_stats: Option<Recompute<M>>,
}

/// Sets new running statistics.
pub(super) type Recompute<M> = Box<dyn Fn(M) -> M + Send + Sync>;
