//! What `model!` gives does what the same module written by hand does, and trains.

use super::{alone, losses, noise, quadrants};
use crate::common::on_threads;
use damper::burn::module::Module;
use damper::burn::nn::Linear;
use damper::burn::optim::GradientsParams;
use damper::burn::tensor::activation::{log_softmax, relu};
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper::data::Data;
use damper::layer::{BatchNorm, DropPath, Dropout};
use damper::{
    MetricKind, Optimizer, OptimizerKind, Pass, Progress, Schedule, ScheduleKind, Setting,
    StopReason, model,
};

model! {
    /// Four features, two classes.
    #[allow(dropout_with_batch_norm, reason = "the test is about what a training step does")]
    pub Quadrants<hidden: usize = 16, rate: f64 = 0.25>

    input x: [4]

    layers {
        fc1:   linear(hidden, bias = false) -> batch_norm -> relu with decay(l2 = 1e-3);
        block: residual { linear(hidden) -> relu; } with drop_path(0.0);
        fc2:   linear(hidden) -> relu with dropout(rate) after relu;
        head:  linear(2);
    }

    loss cross_entropy

    train {
        optimizer: sgd(lr = 0.1),
        epochs: 40, batch: 16, seed: 7,
        early_stop(patience = 39, metric = accuracy),
    }
}

model! {
    /// Layers that share their work among threads, and every kind of mask.
    #[allow(damper::regularization, damper::structure, damper::normalization, reason = "what is tested is that it repeats")]
    pub Shared
    input x: [8, 16]
    layers {
        noisy:  noise(0.1) -> variational_dropout(0.1);
        rnn:    gru(16) with zoneout(0.1), variational_dropout(0.1, recurrent = 0.1);
        block:  residual { layer_norm -> attention(heads = 2) with attention_dropout(0.1); } with drop_path(0.2);
        wide:   flatten -> linear(512) -> gelu with dropout(0.3) after gelu, drop_connect(0.1);
        narrow: linear(256) -> relu with dropout(0.3) after relu;
        head:   linear(2);
    }
    loss cross_entropy(label_smoothing = 0.1)
    train { optimizer: adamw(lr = 1e-3), epochs: 2, batch: 96, clip(norm = 1.0) }
}

/// The same module, as one writes it with burn.
struct ByHand {
    fc1: Linear,
    norm: BatchNorm,
    block: Linear,
    drop_path: DropPath,
    fc2: Linear,
    dropout: Dropout,
    head: Linear,
}

impl ByHand {
    fn with_weights_of(model: &Quadrants) -> Self {
        Self {
            fc1: model.fc1.clone(),
            norm: model.fc1_batch_norm.clone(),
            block: model.block.linear.clone(),
            drop_path: model.block.drop_path.clone(),
            fc2: model.fc2.clone(),
            dropout: model.fc2_dropout.clone(),
            head: model.head.clone(),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut pass = Pass::new();
        let x = relu(self.norm.forward(self.fc1.forward(x)));
        let block = relu(self.block.forward(x.clone()));
        let x = self.drop_path.forward(block, &mut pass) + x;
        let x = self.dropout.forward(relu(self.fc2.forward(x)), &mut pass);
        self.head.forward(x)
    }
}

fn batch(device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
    let x = Tensor::from_data(TensorData::new(noise(4 * 32, 9), [32, 4]), device);
    let classes: Vec<i64> = (0..32).map(|row| row % 2).collect();
    (x, Tensor::from_data(TensorData::new(classes, [32]), device))
}

/// The mean of `-log p` of the right class.
fn cross_entropy(output: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(output, 1)
        .gather(1, classes.unsqueeze_dim(1))
        .mean()
        .neg()
}

#[test]
fn outputs_and_gradients_are_those_of_the_module_written_by_hand() {
    if !alone() {
        return;
    }
    let device = Device::flex().autodiff();
    let model = QuadrantsConfig::new().init(&device).unwrap();
    let hand = ByHand::with_weights_of(&model);
    let (x, classes) = batch(&device);

    // The same seed draws the same dropout mask.
    device.seed(1);
    let generated = model.forward(x.clone());
    device.seed(1);
    let written = hand.forward(x);
    assert_eq!(generated.to_data(), written.to_data());

    let generated = cross_entropy(generated, classes.clone()).backward();
    let written = cross_entropy(written, classes).backward();
    let generated = GradientsParams::from_grads(generated, &model);
    for (name, ours, theirs) in [
        ("fc1", &model.fc1, &hand.fc1),
        ("block", &model.block.linear, &hand.block),
        ("fc2", &model.fc2, &hand.fc2),
        ("head", &model.head, &hand.head),
    ] {
        let ours: Tensor<2> = generated.get(ours.weight.id).unwrap();
        let theirs = theirs.weight.val().grad(&written).unwrap();
        assert!(
            ours.clone().abs().sum().into_scalar::<f64>() > 0.0,
            "{name} has no gradient"
        );
        assert_eq!(ours.into_data(), theirs.into_data(), "{name}");
    }
}

#[test]
fn a_batch_from_a_plain_device_does_not_skip_dropout() {
    let device = Device::flex();
    let model = QuadrantsConfig::new()
        .init(&device.clone().autodiff())
        .unwrap();
    let (x, _) = batch(&device);
    let first = model.forward(x.clone());
    assert!(first.is_autodiff());
    assert_ne!(first.into_data(), model.forward(x.clone()).into_data());
    // `predict` has inference behavior even on a training model.
    let probabilities = model.predict(x.clone());
    assert_eq!(probabilities.to_data(), model.predict(x).into_data());
    assert!((probabilities.sum().into_scalar::<f64>() - 32.0).abs() < 1e-4);
}

#[test]
fn prediction_does_not_move_running_statistics() {
    let device = Device::flex().autodiff();
    let model = QuadrantsConfig::new().init(&device).unwrap();
    let before = model
        .valid()
        .fc1_batch_norm
        .running_mean
        .value()
        .into_data();
    let (x, _) = batch(&device);
    let _ = model.predict(x.clone());
    let _ = model.predict_mc(x.clone(), 4);
    assert_eq!(
        model
            .valid()
            .fc1_batch_norm
            .running_mean
            .value()
            .into_data(),
        before
    );
    let _ = model.forward(x);
    assert_ne!(
        model
            .valid()
            .fc1_batch_norm
            .running_mean
            .value()
            .into_data(),
        before
    );
}

#[test]
fn a_declared_model_trains_as_its_train_section_says() {
    if !alone() {
        return;
    }
    let run = Quadrants::training()
        .progress(Progress::Silent)
        .interruptible(false)
        .fit(&quadrants(200, 1), &quadrants(100, 2))
        .unwrap();
    assert_eq!((run.stop_reason(), run.seed()), (StopReason::Finished, 7));
    let history = run.history();
    // Early stopping watches the accuracy, as declared.
    let accuracies = history.epochs.iter().map(|epoch| epoch.valid.metrics[0]);
    let greatest = accuracies.fold(0.0, f64::max);
    assert_eq!(
        history.epochs[history.best.unwrap() - 1].valid.metrics[0],
        greatest
    );
    assert!((run.valid_measures().metrics[0] - greatest).abs() < 1e-9);
    assert!(greatest > 0.85, "{history}");
}

/// Threads change neither what is dropped nor the order in which gradients are added up.
#[test]
fn a_model_of_every_mask_trains_the_same_twice() {
    if !alone() {
        return;
    }
    let data = |samples: usize, seed: u64| {
        let features = noise(8 * 16 * samples, seed);
        let classes: Vec<usize> = features
            .chunks(8 * 16)
            .map(|x| usize::from(x.iter().sum::<f32>() > 0.0))
            .collect();
        Data::new((features, 8 * 16), classes).unwrap()
    };
    let (train, valid) = (data(300, 1), data(50, 2));
    let fit = |seed| {
        let run = Shared::training()
            .seed(seed)
            .progress(Progress::Silent)
            .interruptible(false)
            .fit(&train, &valid)
            .unwrap();
        (
            losses(run.history()),
            run.model.head.weight.val().into_data(),
        )
    };
    on_threads(2, || {
        let first = fit(5);
        assert_eq!(fit(5), first);
        assert_ne!(fit(6), first);
    });
}

model! {
    /// Every setting that `train` may hold.
    pub Everything
    input image: [1, 8, 8]
    layers { conv: conv2d(4, kernel = 3) -> relu -> flatten; head: linear(2); }
    loss cross_entropy
    train {
        optimizer: sgd(lr = 0.1, momentum = 0.9), schedule: cosine(warmup = 0.1), epochs: 7, batch: 16, drop_last: true, shuffle: false, seed: 9,
        clip(norm = 1.0, value = 0.5), early_stop(patience = 3, metric = f1, min_delta = 0.01), accumulate: 2,
        mixup(0.2), cutmix(1.0), ema(0.99), layer_decay(0.5), augment(shift = 2, flip = true), backend: flex,
    }
}

/// A program can change all that a model declares: every setting can be switched off, and has its default then.
#[test]
fn every_setting_can_be_changed_and_switched_off() {
    let declared = Everything::training().settings().unwrap();
    let nothing = damper_ir::Model::default().training();
    let mut training = Everything::training();
    for setting in Setting::all() {
        let alone = Everything::training().without(setting).settings().unwrap();
        // `swa` is not declared, and the rates of `layer_decay` are those of the parameters, not of the settings.
        let is_same = matches!(setting, Setting::Swa | Setting::LayerDecay);
        assert_eq!(alone == declared, is_same, "{setting:?}");
        training = training.without(setting);
    }
    assert_eq!(training.settings().unwrap(), nothing);

    let changed = Everything::training()
        .optimizer(Optimizer::new(OptimizerKind::lion(), 1e-3).with_weight_decay(0.1))
        .schedule(Schedule::new(ScheduleKind::one_cycle()))
        .drop_last(false)
        .clip_value(0.25)
        .early_stop_metric(MetricKind::accuracy())
        .min_delta(0.5)
        .settings()
        .unwrap();
    assert_eq!(changed.optimizer.word(), "lion");
    assert_eq!((changed.learning_rate, changed.weight_decay), (1e-3, 0.1));
    assert_eq!(
        (changed.schedule.word(), changed.warmup),
        ("one_cycle", 0.0)
    );
    assert!(!changed.drop_last);
    assert_eq!(
        (changed.clip_norm, changed.clip_value),
        (Some(1.0), Some(0.25))
    );
    let stop = changed.early_stop.unwrap();
    assert_eq!(
        (stop.patience, stop.metric, stop.min_delta),
        (3, Some(MetricKind::Accuracy), 0.5)
    );

    // A rule holds for what a program sets too: this schedule has no warm-up of its own.
    let other = Everything::training()
        .optimizer(Optimizer::new(
            OptimizerKind::sgd().with("momentum", 1.5).unwrap(),
            0.1,
        ))
        .settings()
        .unwrap_err();
    assert!(
        other.to_string().contains("`momentum` of `sgd` is 1.5"),
        "{other}"
    );
}

/// Without shuffling two epochs are one epoch of the samples twice over, bit for bit.
#[test]
fn samples_keep_their_order_without_shuffling() {
    let (data, valid) = (quadrants(32, 1), quadrants(32, 2));
    let run = |twice: bool, shuffle: bool| {
        let rows: Vec<usize> = (0..32).chain(0..if twice { 32 } else { 0 }).collect();
        let training = Quadrants::training()
            .epochs(if twice { 1 } else { 2 })
            .batch(8)
            .shuffle(shuffle)
            .without(Setting::EarlyStop)
            .progress(Progress::Silent)
            .interruptible(false);
        let run = training.fit(&data.select(&rows).unwrap(), &valid).unwrap();
        let (_, loss) = *losses(run.history()).last().unwrap();
        loss.to_bits()
    };
    assert_eq!(run(true, false), run(false, false));
    assert_ne!(run(true, true), run(false, true));
}

#[test]
fn a_later_change_overrides_an_earlier_one() {
    let settings = Everything::training()
        .without(Setting::Clip)
        .clip_norm(2.0)
        .learning_rate(0.5)
        .optimizer(Optimizer::new(OptimizerKind::adam(), 0.25))
        .epochs(3)
        .without(Setting::Epochs)
        .settings()
        .unwrap();
    assert_eq!((settings.clip_norm, settings.clip_value), (Some(2.0), None));
    assert_eq!(settings.learning_rate.to_bits(), 0.25_f64.to_bits());
    assert_eq!(settings.epochs, 10);
}

model! {
    /// Layers that drop inside, and a residual that drops its branch.
    #[allow(damper::structure, damper::output, damper::regularization, reason = "the test is about what a diagnosis reads")]
    pub Inner
    input x: [4, 8]
    layers {
        rnn:  gru(8) with variational_dropout(0.2), zoneout(0.15);
        mix:  residual { attention(heads = 2) with attention_dropout(0.3); } with drop_path(0.25);
        head: flatten -> linear(2);
    }
    loss cross_entropy
    train { epochs: 1, batch: 8 }
}

/// Too much of what drops inside a layer is found as what drops between them: a training of one epoch underfits.
#[test]
fn a_diagnosis_sees_what_drops_inside_of_layers() {
    let rows: Vec<f32> = noise(32 * 64, 5);
    let classes: Vec<usize> = (0..64).map(|row| row % 2).collect();
    let data = Data::new((rows, 32), classes).unwrap();
    let run = Inner::training()
        .progress(Progress::Silent)
        .interruptible(false)
        .fit(&data, &data)
        .unwrap();
    let text = run.diagnosis().to_string();
    assert!(
        text.contains("lower `attention_dropout(0.3)` of `mix.attention` to `0.15`"),
        "{text}"
    );
    assert!(
        text.contains("lower `drop_path(0.25)` of `mix` to `0.125`"),
        "{text}"
    );
}
