//! Clipping by the global norm of the gradients.

use super::fused;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Scales all gradients of a model by one number, so that together, as one vector, they are no longer than
/// `max` (Pascanu et al., arXiv 1211.5063; PyTorch's `clip_grad_norm_`).
///
/// Penalties belong to the objective, so the training adds their gradients before it clips.
#[must_use]
pub fn clip_norm<M: Module>(model: &M, grads: GradientsParams, max: f64) -> GradientsParams {
    struct Squares<'a> {
        grads: &'a GradientsParams,
        total: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.get::<D>(param.id) {
                let squares = grad.square().sum();
                self.total = Some(match self.total.take() {
                    Some(total) => total + squares,
                    None => squares,
                });
            }
        }
    }
    struct Scale {
        grads: GradientsParams,
        factor: Tensor<1>,
    }
    impl ModuleVisitor for Scale {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.remove::<D>(param.id) {
                let factor = self.factor.clone().reshape([1; D]);
                self.grads.register(param.id, grad * factor);
            }
        }
    }
    let mut squares = Squares {
        grads: &grads,
        total: None,
    };
    model.visit(&mut squares);
    let Some(total) = squares.total else {
        return grads;
    };
    // One number on the device: nothing waits for it.
    let factor = total
        .sqrt()
        .add_scalar(1e-6)
        .recip()
        .mul_scalar(max)
        .clamp_max(1.0);
    let mut scale = Scale { grads, factor };
    model.visit(&mut scale);
    scale.grads
}

/// The global norm of the gradients, if the memory of all of them can be read. It is known at once, so only a fused
/// step multiplies by the factor.
pub(super) fn norm_in_memory<M: Module>(module: &M, grads: &GradientsParams) -> Option<f64> {
    struct Squares<'a> {
        grads: &'a GradientsParams,
        /// `None` once a gradient cannot be read.
        total: Option<f64>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let (Some(total), Some(grad)) = (self.total, self.grads.get::<D>(param.id)) {
                self.total = fused::sum_of_squares(grad).map(|squares| total + squares);
            }
        }
    }
    let mut squares = Squares {
        grads,
        total: Some(0.0),
    };
    module.visit(&mut squares);
    squares.total.map(f64::sqrt)
}
