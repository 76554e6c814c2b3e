//! On which side of the graph a tensor is: each device has a plain side and one for training, and an operation takes
//! tensors of one side only.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::kind::Autodiff;

/// Whether the model's weights are on a training device.
pub(crate) fn is_training<M: Module>(model: &M) -> bool {
    struct First(Option<bool>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.is_none() {
                self.0 = Some(param.val().is_autodiff());
            }
        }
    }
    let mut first = First(None);
    model.visit(&mut first);
    first.0.unwrap_or(false)
}

/// Takes a tensor of any shape off the training device.
#[must_use]
pub fn plain<const D: usize, K: Autodiff>(value: Tensor<D, K>) -> Tensor<D, K> {
    if value.is_autodiff() {
        value.inner()
    } else {
        value
    }
}

/// A constant on the same side of the graph as `value`, so that one can be computed with the other.
#[must_use]
pub(crate) fn match_autodiff<const D: usize, const E: usize, K: Autodiff>(
    constant: Tensor<D, K>,
    value: &Tensor<E>,
) -> Tensor<D, K> {
    set_autodiff(constant, value.is_autodiff())
}

/// A constant on the training device or off it.
#[must_use]
pub(crate) fn set_autodiff<const D: usize, K: Autodiff>(
    constant: Tensor<D, K>,
    training: bool,
) -> Tensor<D, K> {
    match (constant.is_autodiff(), training) {
        (false, true) => Tensor::from_inner(constant),
        (true, false) => constant.inner(),
        _ => constant,
    }
}

/// Puts an input on the training device of the model whose weight this is: a batch made on a plain device would
/// otherwise pass a training model without dropout.
#[must_use]
pub fn lift<const D: usize, K: Autodiff, const W: usize>(
    input: Tensor<D, K>,
    weight: &Param<Tensor<W>>,
) -> Tensor<D, K> {
    if !input.is_autodiff() && weight.val().is_autodiff() {
        Tensor::from_inner(input)
    } else {
        input
    }
}

/// As [`lift`], for a model whose first weight the generated code cannot name.
#[must_use]
pub fn lift_to<const D: usize, K: Autodiff, M: Module>(
    input: Tensor<D, K>,
    model: &M,
) -> Tensor<D, K> {
    if !input.is_autodiff() && is_training(model) {
        Tensor::from_inner(input)
    } else {
        input
    }
}
