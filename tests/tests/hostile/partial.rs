//! A training that fails gives back what it had.

use crate::common::device;
use damper::burn::tensor::Tensor;
use damper::data::Data;
use damper::{Progress, TrainError};
use std::sync::atomic::{AtomicUsize, Ordering};

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// NaN in the first batch of epoch 10: an epoch has one training and one validation batch.
fn nan(output: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    let loss = (output - target).square().mean();
    if CALLS.fetch_add(1, Ordering::Relaxed) == 9 * 2 {
        loss * f32::NAN
    } else {
        loss
    }
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn panics(output: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    assert!(
        PANICS.fetch_add(1, Ordering::Relaxed) != 5 * 2,
        "the user's own mistake"
    );
    (output - target).square().mean()
}

mod fails {
    use damper::prelude::*;
    model! { pub Nan input x: [1] layers { a: linear(8) -> tanh; h: linear(1); } loss custom(crate::hostile::partial::nan)
    train { optimizer: adamw(lr = 1e-2), epochs: 20, batch: 4, early_stop(patience = 15) } }
    model! { pub Panics input x: [1] layers { a: linear(8) -> tanh; h: linear(1); } loss custom(crate::hostile::partial::panics)
    train { optimizer: adamw(lr = 1e-2), epochs: 20, batch: 4 } }
    model! { pub NoMetric input x: [1] layers { a: linear(8) -> tanh; h: linear(1); } loss binary_cross_entropy metrics auroc
    train { optimizer: adamw(lr = 1e-2), epochs: 20, batch: 4, early_stop(patience = 3, metric = auroc) } }
}

fn data() -> Data {
    Data::new([[0.1], [0.2], [0.3], [0.4]], [0.1, 0.2, 0.3, 0.4]).expect("good data")
}

#[test]
fn a_nan_in_epoch_10_leaves_nine_good_epochs() {
    let training = fails::Nan::training()
        .device(device())
        .progress(Progress::Silent);
    let error = training.fit(&data(), &data()).unwrap_err();
    assert!(
        matches!(error, TrainError::NonFinite { epoch: 10, .. }),
        "{error}"
    );
    let partial = error
        .into_partial::<fails::Nan>()
        .expect("a training that began");
    let history = &partial.history;
    assert_eq!(history.epochs.len(), 9);
    let best = history
        .best
        .and_then(|best| history.epochs.get(best - 1))
        .expect("a best epoch");
    let loss = |model: &fails::Nan| {
        let x = Tensor::<2>::from_floats([[0.1], [0.2], [0.3], [0.4]], &device());
        f64::from(
            (model.forward(x.clone()) - x)
                .square()
                .mean()
                .into_scalar::<f32>(),
        )
    };
    let found = loss(partial.best.as_ref().expect("early stopping chose one"));
    assert!(
        (found - best.valid.loss).abs() < 1e-6,
        "{found}, {}",
        best.valid.loss
    );
    let last = loss(partial.last.as_ref().expect("weights that are finite"));
    let ninth = history.epochs[8].valid.loss;
    assert!((last - ninth).abs() < 1e-6, "{last}, {ninth}");
    assert!(partial.into_model().is_some());
}

#[test]
fn a_panic_of_a_loss_leaves_the_epochs_before_it() {
    let training = fails::Panics::training()
        .device(device())
        .progress(Progress::Silent);
    let error = training.fit(&data(), &data()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "training panicked: the user's own mistake"
    );
    let partial = error
        .into_partial::<fails::Panics>()
        .expect("a training that began");
    assert_eq!(
        (
            partial.history.epochs.len(),
            partial.best.is_none(),
            partial.last.is_some()
        ),
        (5, true, true)
    );
}

#[test]
fn a_metric_without_a_value_leaves_the_weights() {
    let rows = [[0.1], [0.2], [0.3], [0.4]];
    let train = Data::new(rows, [1, 0, 1, 0]).expect("good data");
    let valid = Data::new(rows, [1, 1, 1, 1]).expect("good data");
    let training = fails::NoMetric::training()
        .device(device())
        .progress(Progress::Silent);
    let error = training.fit(&train, &valid).unwrap_err();
    assert!(matches!(error, TrainError::NoMetric { .. }), "{error}");
    let partial = error
        .into_partial::<fails::NoMetric>()
        .expect("a training that began");
    assert!(partial.last.is_some());
    assert_eq!(partial.history.epochs.len(), 1);
}

#[test]
fn errors_before_the_training_hold_nothing_and_those_of_another_model_neither() {
    let error = fails::Nan::training()
        .epochs(0)
        .fit(&data(), &data())
        .unwrap_err();
    assert!(error.into_partial::<fails::Nan>().is_none());
}
