//! Finds the first parameter or layer with values that are not finite.

use crate::pass::is_finite;
use crate::paths::{WeightVisitor, visit_weights};
use crate::{Batch, Network, Pass};
use burn::module::Param;
use burn::tensor::Tensor;

/// The first parameter that is not finite.
pub(super) fn first_non_finite_parameter<M: Network>(model: &M) -> Option<String> {
    struct Search(Option<String>);
    impl WeightVisitor for Search {
        fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
            if self.0.is_none() && !is_finite(&param.val()) {
                self.0 = Some(path.to_owned());
            }
        }
    }
    let mut search = Search(None);
    visit_weights(model, &mut search);
    search.0
}

/// The first layer whose output is not finite when the batch is repeated with the weights of its step.
///
/// `model` is on the autodiff device if the batch was a training batch. A copy of it runs, so that the running statistics
/// of batch norm do not change.
pub(super) fn first_non_finite_layer<M: Network>(model: &M, batch: &Batch) -> Option<String> {
    let copy = model.valid();
    let copy = if crate::autodiff::is_training(model) {
        copy.train()
    } else {
        copy
    };
    let mut pass = Pass::tracing();
    let _ = copy.run(&batch.inputs, &mut pass);
    pass.first_non_finite().map(str::to_owned)
}
