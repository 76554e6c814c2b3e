//! Averages of weights, mixed batches, and what the settings refuse.

use super::network::{Net, NetConfig};
use super::{alone, coin_flips, fresh, quadrants, training, weights};
use damper::burn::module::Module;
use damper::burn::tensor::Tensor;
use damper::optimizer::Average;
use damper::{Augment, TrainError, TrainingResult};

fn running(model: &Net) -> Vec<f32> {
    let norm = model.fc1_batch_norm.as_ref().expect("it has batch norm");
    let mut all: Vec<f32> = norm.running_mean.value().into_data().iter().collect();
    all.extend(norm.running_var.value().into_data().iter::<f32>());
    all
}

fn close(a: &[f32], b: &[f32], within: f32) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= within * (1.0 + b.abs()), "{a} is not {b}");
    }
}

#[test]
fn an_exponential_average_begins_with_the_first_weights() {
    let config = NetConfig::new().with_norm(true);
    let models: Vec<Net> = (0..4_u32)
        .map(|seed| {
            training(config.clone())
                .seed(u64::from(seed))
                .epochs(1)
                .fit(&quadrants(32, 1), &quadrants(32, 2))
                .unwrap()
                .model
        })
        .collect();
    let mut average = Average::exponential(0.25);
    let mut expected: Vec<f32> = Vec::new();
    for (n, model) in models.iter().enumerate() {
        average.update(model);
        let new = [weights(model), running(model)].concat();
        let n = n as f32;
        let keep = if n == 0.0 {
            0.0
        } else {
            0.25_f32.min((1.0 + n) / (10.0 + n))
        };
        if expected.is_empty() {
            expected.clone_from(&new);
        }
        for (old, new) in expected.iter_mut().zip(new) {
            *old = keep * *old + (1.0 - keep) * new;
        }
    }
    let model = average.model().unwrap();
    close(&[weights(model), running(model)].concat(), &expected, 1e-5);
    assert_eq!(average.count(), 4);
}

#[test]
fn ema_validates_and_returns_the_average() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(64, 1), quadrants(40, 2));
    let config = NetConfig::new();
    // One batch in each epoch, so the weights after each step are those of shorter trainings.
    let fit = |epochs: usize| {
        training(config.clone())
            .batch(64)
            .epochs(epochs)
            .fit(&train, &valid)
            .unwrap()
            .model
    };
    let mut average = Average::exponential(0.9);
    for epochs in 1..=3 {
        average.update(&fit(epochs));
    }
    let run = training(config.clone())
        .batch(64)
        .epochs(3)
        .ema(0.9)
        .fit(&train, &valid)
        .unwrap();
    close(
        &weights(&run.model),
        &weights(average.model().unwrap()),
        1e-5,
    );
    let last = run.history().last().unwrap();
    assert!((last.valid.loss - run.valid_measures().loss).abs() < 1e-6);
    assert_ne!(weights(&run.model), weights(&fit(3)));
}

#[test]
fn swa_is_the_mean_of_the_last_epochs_with_statistics_of_its_own() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(64, 1), quadrants(40, 2));
    let config = NetConfig::new().with_norm(true);
    let fit = |epochs: usize| {
        training(config.clone())
            .batch(64)
            .epochs(epochs)
            .fit(&train, &valid)
            .unwrap()
            .model
    };
    let mut mean = Average::mean();
    mean.update(&fit(2));
    mean.update(&fit(3));
    let run = training(config.clone())
        .batch(64)
        .epochs(3)
        .swa(2)
        .fit(&train, &valid)
        .unwrap();
    let mean = mean.model().unwrap();
    close(&weights(&run.model), &weights(mean), 1e-5);

    // What comes in does not change: the statistics are those of the mean's own first layer on the one batch.
    let features = train
        .inputs_of(&run.model_spec(), &damper::burn::tensor::Device::flex())
        .unwrap();
    let hidden: Tensor<2> = run.model.fc1.forward(features.float(0).unwrap());
    let (variance, average) = hidden.var_mean(0);
    let mut expected: Vec<f32> = average.into_data().iter().collect();
    expected.extend(variance.into_data().iter::<f32>());
    close(&running(&run.model), &expected, 1e-4);

    // Before the first epoch of the mean, the model is what it is.
    let early = training(config.clone())
        .batch(64)
        .epochs(3)
        .swa(3)
        .fit(&train, &valid)
        .unwrap();
    let plain = training(config.clone())
        .batch(64)
        .epochs(3)
        .fit(&train, &valid)
        .unwrap();
    for epoch in 0..2 {
        assert_eq!(
            early.history().epochs[epoch].valid,
            plain.history().epochs[epoch].valid
        );
    }
}

trait ModelSpec {
    fn model_spec(&self) -> damper::Spec;
}

impl ModelSpec for TrainingResult<Net> {
    fn model_spec(&self) -> damper::Spec {
        damper::Network::spec(&self.model).clone()
    }
}

#[test]
fn early_stopping_chooses_among_the_averages() {
    let run = training(NetConfig::new().with_hidden(64))
        .epochs(40)
        .batch(8)
        .learning_rate(0.5)
        .ema(0.8)
        .early_stop(4)
        .fit(&coin_flips(24, 1), &coin_flips(48, 2))
        .unwrap();
    let best = run.history().best.unwrap();
    assert!((run.valid_measures().loss - run.history().epochs[best - 1].valid.loss).abs() < 1e-6);
    assert!(
        run.model
            .devices()
            .iter()
            .all(|device| !device.is_autodiff())
    );
}

#[test]
fn mixing_changes_the_training_and_not_the_validation() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(100, 1), quadrants(40, 2));
    let still = || training(NetConfig::new()).epochs(1).learning_rate(1e-30);
    let (plain, mixed) = (
        still().fit(&train, &valid).unwrap(),
        still().mixup(0.4).fit(&train, &valid).unwrap(),
    );
    assert_eq!(
        plain.history().epochs[0].valid,
        mixed.history().epochs[0].valid
    );
    assert_ne!(
        plain.history().epochs[0].train.loss,
        mixed.history().epochs[0].train.loss
    );
    assert_eq!(weights(&mixed.model), weights(&fresh(NetConfig::new())));
    let again = |seed| {
        weights(
            &training(NetConfig::new())
                .mixup(0.4)
                .seed(seed)
                .fit(&train, &valid)
                .unwrap()
                .model,
        )
    };
    assert_eq!(again(1), again(1));
    assert_ne!(again(1), again(2));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let fit = |change: fn(damper::Training<Net>) -> damper::Training<Net>| -> String {
        let error = change(training(NetConfig::new()))
            .fit(&quadrants(32, 1), &quadrants(32, 2))
            .unwrap_err();
        assert!(matches!(error, TrainError::Spec(_)), "{error}");
        error.to_string()
    };
    assert!(fit(|t| t.mixup(0.0)).contains("`alpha` of `mixup` is 0, it must be a number above 0"));
    assert!(
        fit(|t| t.cutmix(1.0))
            .contains("`cutmix` wants images `[channels, height, width]`, the input `x` is [4]")
    );
    assert!(
        fit(|t| t.ema(1.0)).contains("the decay of `ema` is 1, it must be above 0 and below 1")
    );
    assert!(fit(|t| t.swa(4)).contains("`swa` begins with epoch 4, the training has 3"));
    assert!(fit(|t| t.swa(0)).contains("the first epoch of `swa` is 0"));
    assert!(
        fit(|t| t.swa(1).ema(0.9)).contains("`swa` and `ema` both say which average the model is")
    );
    assert!(fit(|t| t.layer_decay(1.5)).contains("the factor of `layer_decay` is 1.5"));
    assert!(fit(|t| t.augment(Augment::new().shift(1))).contains("`augment` wants an image"));
}

#[test]
fn layer_decay_slows_the_layers_before_the_last() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(64, 1), quadrants(40, 2));
    let start = fresh(NetConfig::new());
    // One step, without momentum.
    let step = || training(NetConfig::new()).batch(64).epochs(1);
    let plain = step().fit(&train, &valid).unwrap().model;
    let slow = step().layer_decay(0.25).fit(&train, &valid).unwrap().model;
    let moved = |from: &Net, to: &Net, pick: fn(&Net) -> Tensor<2>| -> Vec<f32> {
        (pick(to) - pick(from)).into_data().iter().collect()
    };
    let (first, head) = (
        |net: &Net| net.fc1.weight.val(),
        |net: &Net| net.head.weight.val(),
    );
    let quarter: Vec<f32> = moved(&start, &plain, first)
        .iter()
        .map(|x| x / 4.0)
        .collect();
    close(&moved(&start, &slow, first), &quarter, 1e-6);
    close(
        &moved(&start, &slow, head),
        &moved(&start, &plain, head),
        1e-7,
    );
}

#[test]
fn a_third_set_is_measured_as_the_others() {
    let (train, valid) = (quadrants(64, 1), quadrants(40, 2));
    let run = training(NetConfig::new()).fit(&train, &valid).unwrap();
    assert_eq!(&run.evaluate(&valid).unwrap(), run.valid_measures());
    assert_ne!(
        &run.evaluate(&quadrants(40, 3)).unwrap(),
        run.valid_measures()
    );
    let narrow = damper::data::Data::new([[1.0, 2.0]], [0]).unwrap();
    assert!(matches!(run.evaluate(&narrow), Err(TrainError::Data(_))));
}
