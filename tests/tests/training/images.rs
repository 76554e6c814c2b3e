//! Trainings on images: what varies the batches, regions that are dropped, and weights that are computed.

use super::{alone, noise, quadrants};
use damper::burn::tensor::{Device, Tensor};
use damper::data::Data;
use damper::{Augment, Network, Progress, TrainError, Training, model};

const SIDE: usize = 6;
const WIDE: usize = 12;

model! {
    pub Pictures
    input x: [1, 6, 6]
    layers {
        conv: conv2d(4, kernel = 3, padding = 1) -> relu -> flatten;
        head: linear(2);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.1), epochs: 3, batch: 16, seed: 7 }
}

model! {
    #[allow(dropout_on_input, unusual_value, reason = "the test is about the share that is dropped")]
    pub Regions
    input x: [1, 12, 12]
    layers {
        map:  drop_block(0.0..0.3, size = 3) with activity(l2 = 1.0);
        conv: conv2d(2, kernel = 3) -> relu -> flatten;
        head: linear(2);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.1), epochs: 20, batch: 200, seed: 7 }
}

model! {
    pub Computed
    input x: [4]
    layers {
        fc1:  linear(8) -> tanh with weight_norm;
        fc2:  linear(8) -> tanh with spectral_norm;
        head: linear(2);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.5), epochs: 3, batch: 64, seed: 7 }
}

fn quiet<M: Network>(training: Training<M>) -> Training<M> {
    training
        .device(Device::flex())
        .progress(Progress::Silent)
        .interruptible(false)
}

fn pictures() -> Training<Pictures> {
    quiet(Training::new(PicturesConfig::new()))
}

/// Two classes: which half is the brighter one, the upper or the lower.
fn data(samples: usize, seed: u64) -> Data {
    let pixels = noise(SIDE * SIDE * samples, seed);
    let classes: Vec<usize> = pixels
        .chunks(SIDE * SIDE)
        .map(|x| usize::from(x[..18].iter().sum::<f32>() > x[18..].iter().sum()))
        .collect();
    Data::new((pixels, SIDE * SIDE), classes).unwrap()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

fn all_weights(model: &Pictures) -> Vec<f32> {
    [
        numbers(model.conv.weight.val()),
        numbers(model.head.weight.val()),
    ]
    .concat()
}

#[test]
fn training_images_are_varied_and_validation_images_are_not() {
    if !alone() {
        return;
    }
    let (train, valid) = (data(48, 1), data(32, 2));
    let still = || pictures().epochs(2).learning_rate(1e-30);
    let plain = still().fit(&train, &valid).unwrap();
    let changes: [fn(Training<Pictures>) -> Training<Pictures>; 6] = [
        |t| t.augment(Augment::new().shift(2)),
        |t| t.augment(Augment::new().flip(true)),
        |t| t.augment(Augment::new().crop(2)),
        |t| t.augment(Augment::new().erase(0.9)),
        |t| t.cutmix(1.0),
        |t| {
            t.augment(Augment::new().shift(1).flip(true))
                .cutmix(1.0)
                .mixup(0.4)
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let varied = change(still()).fit(&train, &valid).unwrap();
        for (plain, varied) in plain.history().epochs.iter().zip(&varied.history().epochs) {
            assert_eq!(plain.valid, varied.valid, "{number}");
            assert_ne!(plain.train.loss, varied.train.loss, "{number}");
        }
        // Anew in each epoch.
        let [first, second] = &varied.history().epochs[..] else {
            panic!("two epochs");
        };
        assert_ne!(first.train.loss, second.train.loss, "{number}");
        let weights = |seed| {
            let run = change(pictures()).seed(seed).fit(&train, &valid);
            all_weights(&run.unwrap().model)
        };
        assert_eq!(weights(1), weights(1), "{number}");
        assert_ne!(weights(1), weights(2), "{number}");
    }
}

#[test]
fn a_flip_of_symmetric_images_changes_nothing() {
    if !alone() {
        return;
    }
    let rows = noise(SIDE * 40, 3);
    // Each row of an image has one brightness.
    let pixels: Vec<f32> = rows.iter().flat_map(|x| [*x; SIDE]).collect();
    let classes: Vec<usize> = rows
        .chunks(SIDE)
        .map(|x| usize::from(x[0] > x[1]))
        .collect();
    let images = Data::new((pixels, SIDE * SIDE), classes).unwrap();
    let fit = |augment| {
        let run = pictures().augment(augment).fit(&images, &images).unwrap();
        all_weights(&run.model)
    };
    let plain = fit(Augment::new());
    assert_eq!(fit(Augment::new().flip(true)), plain);
    assert_ne!(fit(Augment::new().shift(1)), plain);
}

#[test]
fn a_model_learns_from_varied_images() {
    let (train, valid) = (data(400, 1), data(200, 2));
    let run = pictures()
        .epochs(30)
        .augment(Augment::new().crop(1).erase(0.1))
        .fit(&train, &valid)
        .unwrap();
    let first = run.history().epochs[0].valid.loss;
    assert!(
        run.valid_measures().loss < 0.95 * first,
        "{first} {}",
        run.valid_measures().loss
    );
}

#[test]
fn sizes_that_an_image_does_not_have_are_refused() {
    let refused = |change: fn(Training<Pictures>) -> Training<Pictures>| {
        let error = change(pictures()).fit(&data(16, 1), &data(16, 2));
        let error = error.unwrap_err();
        assert!(matches!(error, TrainError::Spec(_)), "{error}");
        error.to_string()
    };
    let shift = refused(|t| t.augment(Augment::new().shift(6)));
    assert!(
        shift.contains("`shift` is 6 pixels, the image `x` [1, 6, 6] has 6"),
        "{shift}"
    );
    let crop = refused(|t| t.augment(Augment::new().crop(9)));
    assert!(
        crop.contains("`crop` is 9 pixels, the image `x` [1, 6, 6] has 6"),
        "{crop}"
    );
    for rate in [-0.1, 1.5, f64::NAN] {
        let error = pictures()
            .augment(Augment::new().erase(rate))
            .fit(&data(16, 1), &data(16, 2))
            .unwrap_err();
        assert!(matches!(error, TrainError::Spec(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("`erase` of `augment`"), "{text}");
    }
    let cut = refused(|t| t.cutmix(-1.0));
    assert!(cut.contains("`alpha` of `cutmix` is -1"), "{cut}");
}

#[test]
fn the_share_of_drop_block_grows_over_the_training() {
    if !alone() {
        return;
    }
    let samples = 200;
    let ones = vec![1.0_f32; samples * WIDE * WIDE];
    let classes: Vec<usize> = (0..samples).map(|row| row % 2).collect();
    let images = Data::new((ones, WIDE * WIDE), classes).unwrap();
    let run = quiet(Training::<Regions>::new(RegionsConfig::new()))
        .fit(&images, &images)
        .unwrap();
    // Ones whose kept share is k are 1 / k where they are kept: the sum of their squares is their number by k.
    let pixels = (WIDE * WIDE) as f64;
    let dropped: Vec<f64> = run
        .history()
        .epochs
        .iter()
        .map(|epoch| 1.0 - pixels / epoch.activity)
        .collect();
    // A region begins at each of 10 x 10 places with the probability gamma of the paper.
    let wanted = |progress: f64| {
        let gamma = 0.3 * progress * (12.0_f64 * 12.0) / (9.0 * 100.0);
        let places = |at: usize| (at + 1).min(3).min(WIDE - at) as i32;
        let all = (0..WIDE).flat_map(|y| (0..WIDE).map(move |x| places(y) * places(x)));
        all.map(|count| 1.0 - (1.0 - gamma).powi(count))
            .sum::<f64>()
            / pixels
    };
    assert!(dropped[0].abs() < 1e-6, "{dropped:?}");
    for (epoch, dropped) in dropped.iter().enumerate() {
        let wanted = wanted(epoch as f64 / 20.0);
        assert!(
            (dropped - wanted).abs() < 0.02,
            "{epoch}: {dropped} {wanted}"
        );
    }
    assert!(dropped[19] > 0.2, "{dropped:?}");
}

/// Stored tensors: direction, lengths, the tensor below `spectral_norm`.
fn stored(model: &Computed) -> Vec<f32> {
    let lengths = model
        .fc1
        .weight
        .reparameterization::<damper::layer::WeightNorm>();
    [
        numbers(model.fc1.weight.base()),
        numbers(lengths.unwrap().length.val()),
        numbers(model.fc2.weight.base()),
        numbers(model.head.weight.val()),
    ]
    .concat()
}

/// By the squares of `W^T W`, which the largest singular value wins.
fn largest_singular_value(weight: Tensor<2>) -> f32 {
    let mut gram = weight.clone().transpose().matmul(weight.clone());
    for _ in 0..12 {
        gram = gram.clone().matmul(gram.clone()) / gram.square().sum().sqrt().reshape([1, 1]);
    }
    // Projected on its first singular vector, the weight has that length.
    let along = weight.matmul(gram.clone()).square().sum() / gram.square().sum();
    along.sqrt().into_scalar()
}

#[test]
fn averages_are_taken_of_what_is_stored_and_computed_from_there() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(64, 1), quadrants(40, 2));
    // One batch in each epoch: the weights after each step are those of shorter trainings.
    // With seed 7 the two greatest singular values are too close for so few steps of the power iteration.
    let fit = |epochs: usize, change: fn(Training<Computed>) -> Training<Computed>| {
        let training = quiet(Training::<Computed>::new(ComputedConfig::new()))
            .epochs(epochs)
            .seed(3);
        change(training).fit(&train, &valid).unwrap()
    };
    let steps: Vec<Vec<f32>> = (1..=12)
        .map(|epochs| stored(&fit(epochs, |t| t).model))
        .collect();
    let close = |found: &[f32], wanted: &[f32]| {
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
        }
    };

    let mut moving = steps[0].clone();
    for (count, step) in steps.iter().enumerate().skip(1) {
        let keep = 0.9_f32.min((1.0 + count as f32) / (10.0 + count as f32));
        for (old, new) in moving.iter_mut().zip(step) {
            *old = keep * *old + (1.0 - keep) * new;
        }
    }
    let ema = fit(12, |t| t.ema(0.9));
    close(&stored(&ema.model), &moving);

    let mean: Vec<f32> = (0..steps[0].len())
        .map(|place| steps[5..].iter().map(|step| step[place]).sum::<f32>() / 7.0)
        .collect();
    let swa = fit(12, |t| t.swa(6));
    close(&stored(&swa.model), &mean);

    let folder = tempfile::TempDir::new().unwrap();
    let x = Tensor::<1>::from_floats(noise(40, 5).as_slice(), &Device::flex()).reshape([10, 4]);
    for run in [ema, swa] {
        let model = &run.model;
        let largest = largest_singular_value(model.fc2.weight.val());
        assert!((largest - 1.0).abs() < 0.01, "{largest}");
        let last = run.history().last().unwrap();
        assert!((last.valid.loss - run.valid_measures().loss).abs() < 1e-6);
        let path = folder.path().join("averaged.safetensors");
        model.save(&path).unwrap();
        let loaded = Computed::load(&path, &Device::flex()).unwrap();
        assert_eq!(
            numbers(loaded.predict(x.clone())),
            numbers(model.predict(x.clone()))
        );
    }
}
