//! The search for the first parameter or layer whose numbers are not finite.

use crate::pass::is_finite;
use crate::paths::{WeightVisitor, visit_weights};
use crate::{Batch, Network, Pass};
use burn::module::Param;
use burn::tensor::Tensor;

/// The first parameter with a number that is not finite.
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

/// The first layer whose value is not finite when the batch is run again with the weights it had.
///
/// `model` is the model as it was: on the training device if the batch was a training batch. It runs as a copy,
/// so that the running statistics of batch norm stay what they were.
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
