//! Muon for the weight matrices, Adam for all other parameters.

use super::{Adam, FusedStep, Place, fold_groups};
use burn::optim::ModuleOptimizer;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdjustLrFn, MuonConfig};
use damper_ir::{Parameter, Role};

/// Muon (Jordan et al. 2024) with its steps scaled to the size of Adam's (Liu et al., arXiv 2502.16982), so that both take
/// one learning rate.
///
/// The steps are tensor operations: one of them alone would be fused, and the clip by the global norm must reach both.
pub(super) fn build(
    place: Place<'_>,
    momentum: f64,
    nesterov: bool,
    adam: &Adam,
) -> (ModuleOptimizer, FusedStep) {
    let muon = MuonConfig::new()
        .with_momentum(MomentumConfig {
            momentum,
            dampening: 0.0,
            nesterov,
        })
        .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
        .build();
    let optimizer = fold_groups(place, adam, &muon, is_matrix, |step| step, |step| step);
    (optimizer, FusedStep::unfused())
}

/// Whether a parameter is a weight matrix: no kernel, no table of vectors, no bias.
fn is_matrix(parameter: &Parameter) -> bool {
    parameter.role == Role::Weight && parameter.shape.len() == 2
}
