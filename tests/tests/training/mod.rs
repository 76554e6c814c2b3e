//! `Training::fit` and what it gives.

mod augment;
mod averages;
mod generated;
#[cfg(feature = "wgpu")]
mod gpu;
mod images;
mod network;

use crate::common::{alone, noise};
use damper::burn::data::dataloader::DataLoader;
use damper::burn::module::Module;
use damper::burn::optim::{GradientsParams, SgdConfig};
use damper::burn::tensor::{Device, Tensor};
use damper::data::Data;
use damper::{
    History, Network, NetworkConfig, Pass, Phase, Progress, StopReason, Stopper, TrainError,
    Training, TrainingResult, Verdict,
};
use network::{MSE, Net, NetConfig};

fn training(config: NetConfig) -> Training<Net> {
    Training::new(config)
        .device(Device::flex())
        .progress(Progress::Silent)
        .interruptible(false)
}

/// Two classes that a small network can tell apart: whether the first two of four features have the same sign.
fn quadrants(samples: usize, seed: u64) -> Data {
    let features = noise(4 * samples, seed);
    let classes: Vec<usize> = features
        .chunks(4)
        .map(|x| usize::from(x[0] * x[1] > 0.0))
        .collect();
    Data::new((features, 4), classes).expect("good data")
}

/// Two classes that have nothing to do with the features.
fn coin_flips(samples: usize, seed: u64) -> Data {
    let classes: Vec<usize> = noise(samples, seed + 1000)
        .iter()
        .map(|x| usize::from(*x > 0.0))
        .collect();
    Data::new((noise(4 * samples, seed), 4), classes).expect("good data")
}

/// A line: `y = x0 - 2 x1 + 0.5`.
fn line(samples: usize, seed: u64) -> Data {
    let features = noise(4 * samples, seed);
    let values: Vec<f32> = features
        .chunks(4)
        .map(|x| x[0] - 2.0 * x[1] + 0.5)
        .collect();
    Data::new((features, 4), values).expect("good data")
}

fn weights(model: &Net) -> Vec<f32> {
    let tensors = [
        model.fc1.weight.val().into_data(),
        model.head.weight.val().into_data(),
    ];
    tensors
        .iter()
        .flat_map(|data| data.iter::<f32>().collect::<Vec<_>>())
        .collect()
}

/// The model as a training begins with it: steps of this length change nothing.
fn fresh(config: NetConfig) -> Net {
    let fit = training(config).epochs(1).learning_rate(1e-30);
    fit.fit(&quadrants(32, 1), &quadrants(32, 2)).unwrap().model
}

fn losses(history: &History) -> Vec<(f64, f64)> {
    history
        .epochs
        .iter()
        .map(|epoch| (epoch.train.loss, epoch.valid.loss))
        .collect()
}

#[test]
fn the_same_seed_is_the_same_run_bit_for_bit() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(100, 1), quadrants(40, 2));
    let fit = |seed| {
        training(NetConfig::new().with_rate(0.3))
            .seed(seed)
            .fit(&train, &valid)
            .unwrap()
    };
    let (first, again, other) = (fit(3), fit(3), fit(4));
    assert_eq!(weights(&first.model), weights(&again.model));
    assert_eq!(losses(first.history()), losses(again.history()));
    assert_ne!(weights(&first.model), weights(&other.model));
}

#[test]
fn trainings_in_parallel_stay_repeatable() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(100, 1), quadrants(40, 2));
    let fit = || {
        weights(
            &training(NetConfig::new().with_rate(0.3))
                .fit(&train, &valid)
                .unwrap()
                .model,
        )
    };
    let alone = fit();
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..3).map(|_| scope.spawn(fit)).collect();
        for other in others {
            assert_eq!(other.join().unwrap(), alone);
        }
    });
}

#[test]
fn the_history_is_that_of_a_loop_in_plain_burn() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(100, 1), quadrants(40, 2));
    let config = NetConfig::new();
    let run = training(config.clone()).fit(&train, &valid).unwrap();

    let device = Device::flex();
    let spec = config.spec().unwrap();
    let mut model = fresh(config).train();
    let mut optimizer = SgdConfig::new().init();
    let loader = train
        .check_for(&spec)
        .unwrap()
        .loader(16, &device.clone().autodiff())
        .shuffled(7);
    let everything = valid.check_for(&spec).unwrap().loader(1000, &device);
    for epoch in &run.history().epochs {
        let (mut sum, mut samples) = (0.0, 0);
        for batch in loader.iter() {
            let batch = batch.unwrap();
            let output = model.run(&batch.inputs, &mut Pass::new());
            let loss = model.loss(output, &batch.target);
            sum += loss.clone().into_scalar::<f64>() * batch.inputs.batch() as f64;
            samples += batch.inputs.batch();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(0.1, model, gradients);
        }
        assert_eq!(samples, 100);
        assert!(
            (epoch.train.loss - sum / 100.0).abs() < 1e-6,
            "{} is not {}",
            epoch.train.loss,
            sum / 100.0
        );
        let batch = everything.iter().next().unwrap().unwrap();
        let inference = model.valid();
        let loss = inference.loss(
            inference.run(&batch.inputs, &mut Pass::new()),
            &batch.target,
        );
        let loss: f64 = loss.into_scalar();
        assert!(
            (epoch.valid.loss - loss).abs() < 1e-6,
            "{} is not {loss}",
            epoch.valid.loss
        );
        assert_eq!(epoch.learning_rate, 0.1);
    }
    for (ours, plain) in weights(&run.model).iter().zip(weights(&model.valid())) {
        assert!((ours - plain).abs() < 1e-6);
    }
}

#[test]
fn the_model_comes_back_for_inference_on_the_plain_device() {
    let run = training(NetConfig::new())
        .fit(&quadrants(32, 1), &quadrants(32, 2))
        .unwrap();
    assert!(
        run.model
            .devices()
            .iter()
            .all(|device| !device.is_autodiff())
    );
    assert_eq!(run.stop_reason(), StopReason::Finished);
    assert_eq!(run.history().epochs.len(), 3);
}

/// A run that gets worse after some epochs: few samples with labels that mean nothing.
fn overfitted(patience: Option<usize>) -> TrainingResult<Net> {
    let mut training = training(NetConfig::new().with_hidden(64))
        .epochs(60)
        .batch(8)
        .learning_rate(0.5);
    if let Some(patience) = patience {
        training = training.early_stop(patience);
    }
    training
        .fit(&coin_flips(24, 1), &coin_flips(48, 2))
        .unwrap()
}

#[test]
fn early_stopping_keeps_the_best_epoch() {
    let run = overfitted(Some(4));
    let StopReason::Early { epoch, best } = run.stop_reason() else {
        panic!("{}", run.stop_reason())
    };
    assert_eq!((epoch, run.history().best), (best + 4, Some(best)));
    let epochs = &run.history().epochs;
    let lowest = epochs
        .iter()
        .map(|epoch| epoch.valid.loss)
        .fold(f64::INFINITY, f64::min);
    assert_eq!(epochs[best - 1].valid.loss, lowest);
    // The model that comes back is the one of that epoch, not the last one.
    assert!((run.valid_measures().loss - lowest).abs() < 1e-6);
    assert!(epochs.last().unwrap().valid.loss > lowest);
}

#[test]
fn without_early_stopping_the_last_model_comes_back() {
    let run = overfitted(None);
    assert_eq!(
        (run.stop_reason(), run.history().best),
        (StopReason::Finished, None)
    );
    assert!((run.valid_measures().loss - run.history().last().unwrap().valid.loss).abs() < 1e-6);
}

#[test]
fn a_learning_rate_that_explodes_is_an_error_that_names_the_place() {
    let result = training(NetConfig::new().with_outputs(1).with_loss(MSE.to_owned()))
        .learning_rate(1e30)
        .fit(&line(64, 1), &line(32, 2));
    let error = result.unwrap_err();
    let TrainError::NonFinite {
        epoch: 1,
        batch: Some(batch),
        phase: Phase::Training,
        layer,
        parameter,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!((2..=4).contains(batch), "{error}");
    assert!(layer.is_some() || parameter.is_some(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("the training loss is "), "{text}");
    assert!(
        text.contains(
            "help: the optimizer steps are too large: lower the learning rate (`lr = 1e29`)"
        ),
        "{text}"
    );
}

#[test]
fn inputs_that_would_overflow_are_refused_before_training() {
    let data = Data::new((vec![3.4e38_f32; 4 * 32], 4), noise(32, 3)).unwrap();
    let config = NetConfig::new()
        .with_hidden(256)
        .with_outputs(1)
        .with_loss(MSE.to_owned());
    let error = training(config).fit(&data, &line(32, 2)).unwrap_err();
    assert!(matches!(&error, TrainError::Data(_)), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("row 0, column 0 (counted from 0): 3.4e38 is too large to train on"),
        "{error}"
    );
}

#[test]
fn a_loss_that_overflows_with_finite_layers_says_so() {
    let values = vec![3e30_f32; 32];
    let data = Data::new((noise(4 * 32, 1), 4), values).unwrap();
    let error = training(NetConfig::new().with_outputs(1).with_loss(MSE.to_owned()))
        .fit(&data, &line(32, 2));
    let error = error.unwrap_err();
    assert!(
        matches!(&error, TrainError::NonFinite { layer: None, parameter: None, loss, .. } if loss.is_infinite())
    );
    assert!(
        error
            .to_string()
            .contains("every layer's output is finite, so the loss itself overflows"),
        "{error}"
    );
}

#[test]
fn a_validation_loss_that_is_not_finite_is_no_lack_of_improvement() {
    let valid = Data::new((noise(4 * 20, 2), 4), vec![3e30_f32; 20]).unwrap();
    let fit = training(NetConfig::new().with_outputs(1).with_loss(MSE.to_owned())).early_stop(2);
    let error = fit.fit(&line(64, 1), &valid).unwrap_err();
    let TrainError::NonFinite {
        epoch: 1,
        batch: Some(1),
        phase: Phase::Validation,
        ..
    } = error
    else {
        panic!("{error}")
    };
}

#[test]
fn a_handle_ends_training_after_the_batch() {
    if !alone() {
        return;
    }
    let stopper = Stopper::new();
    stopper.stop();
    let run = training(NetConfig::new())
        .stopper(&stopper)
        .fit(&quadrants(64, 1), &quadrants(32, 2))
        .unwrap();
    assert_eq!(run.stop_reason(), StopReason::Interrupted { epochs: 0 });
    assert!(run.history().epochs.is_empty());
    // One step was made: the weights are not those of the beginning.
    assert_ne!(weights(&run.model), weights(&fresh(NetConfig::new())));
}

#[test]
fn an_interrupted_training_keeps_the_best_weights() {
    let stopper = Stopper::new();
    let (handle, slow) = (stopper.clone(), coin_flips(2000, 1));
    let fit = training(NetConfig::new().with_hidden(64))
        .epochs(100_000)
        .early_stop(100_000)
        .stopper(&stopper);
    let run = std::thread::scope(|scope| {
        let run = scope.spawn(|| fit.fit(&slow, &coin_flips(48, 2)));
        std::thread::sleep(std::time::Duration::from_millis(1500));
        handle.stop();
        run.join().unwrap().unwrap()
    });
    let StopReason::Interrupted { epochs } = run.stop_reason() else {
        panic!("{}", run.stop_reason())
    };
    assert_eq!(run.history().epochs.len(), epochs);
    if let Some(best) = run.history().best {
        assert!(
            (run.valid_measures().loss - run.history().epochs[best - 1].valid.loss).abs() < 1e-6
        );
    }
}

/// What the child process of the test below does.
#[test]
#[ignore = "a process of its own, which `ctrl_c_ends_the_training_and_not_the_program` starts"]
fn child_that_trains_until_a_signal() {
    if std::env::var_os("DAMPER_TEST_CHILD").is_none() {
        return;
    }
    let fit = training(NetConfig::new())
        .epochs(1_000_000)
        .interruptible(true)
        .progress(Progress::Lines);
    let run = fit
        .early_stop(1_000_000)
        .fit(&quadrants(64, 1), &quadrants(32, 2))
        .unwrap();
    println!("child: {}", run.stop_reason());
}

#[test]
fn steps_that_overflow_name_the_first_layer_whose_output_does() {
    let far: Vec<f32> = noise(4 * 32, 1).iter().map(|x| x * 1e17).collect();
    let data = Data::new((far, 4), [0_usize, 1].repeat(16)).unwrap();
    let error = training(NetConfig::new())
        .learning_rate(1e25)
        .batch(16)
        .fit(&data, &quadrants(32, 2))
        .unwrap_err();
    assert!(
        matches!(&error, TrainError::NonFinite { epoch: 1, batch: Some(2), layer: Some(layer), .. } if layer == "fc1"),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("`fc1` is the first layer whose output is not finite"),
        "{text}"
    );
}

/// Whether whoever started this process wants no Ctrl-C in it (`nohup`, a script's `&`): its children inherit that.
#[cfg(unix)]
fn ignores_ctrl_c() -> bool {
    const SIGINT: u64 = 1 << 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & SIGINT != 0)
}

/// Sends the signal to a training in a process that ignores another one.
#[cfg(unix)]
fn signal_ends_the_training(signal: &str, ignored: &str) {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let mut child = Command::new("sh")
        .args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args([
            "training::child_that_trains_until_a_signal",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("DAMPER_TEST_CHILD", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines
        .find_map(|line| line.ok().filter(|line| line.starts_with("epoch")))
        .unwrap();
    assert!(first.starts_with("epoch       1/1000000  loss "), "{first}");
    let killed = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let last = lines.map_while(Result::ok).last().unwrap();
    assert!(last.contains(", interrupted after "), "{signal}: {last}");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("child: interrupted after "),
        "{signal}: {text}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_training_and_not_the_program() {
    if !ignores_ctrl_c() {
        signal_ends_the_training("INT", "USR1");
    }
}

/// `nohup` ignores SIGHUP, a script's `&` SIGINT: what ends the process else is taken all the same.
#[cfg(unix)]
#[test]
fn a_signal_that_is_ignored_leaves_the_others_to_the_training() {
    signal_ends_the_training("TERM", "HUP");
    signal_ends_the_training("TERM", "INT");
    signal_ends_the_training("HUP", "INT");
}

#[test]
fn settings_that_cannot_be_used_are_errors() {
    let (train, valid) = (quadrants(32, 1), quadrants(32, 2));
    let base = || training(NetConfig::new());
    let cases: [(Training<Net>, &str); 7] = [
        (base().epochs(0), "`epochs` is 0: "),
        (base().batch(0), "`batch` is 0: "),
        (base().accumulate(0), "`accumulate` is 0: "),
        (base().early_stop(0), "`early_stop` is 0: "),
        (base().learning_rate(f64::NAN), "`lr` is NaN: "),
        (base().learning_rate(-1.0), "`lr` is -1: "),
        (base().clip_norm(f64::INFINITY), "`clip(norm)` is inf: "),
    ];
    for (training, start) in cases {
        let error = training.fit(&train, &valid).unwrap_err();
        assert!(matches!(error, TrainError::Setting { .. }), "{error}");
        assert!(error.to_string().starts_with(start), "{error}");
        assert!(error.to_string().contains("\nhelp: "), "{error}");
    }
}

#[test]
fn values_that_break_a_rule_are_the_error_of_the_compiler() {
    let broken = [
        (training(NetConfig::new().with_rate(1.5)), "1.5"),
        (
            training(NetConfig::new().with_norm(true)).batch(1),
            "error[batch_norm_single_value]",
        ),
    ];
    for (training, text) in broken {
        let error = training
            .fit(&quadrants(32, 1), &quadrants(32, 2))
            .unwrap_err();
        assert!(matches!(error, TrainError::Spec(_)), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn batch_norm_of_a_single_sample_is_an_error() {
    let one = Data::new([[1.0_f32, 2.0, 3.0, 4.0]], [2.5_f32]).unwrap();
    let config = NetConfig::new()
        .with_norm(true)
        .with_outputs(1)
        .with_loss(MSE.to_owned());
    let error = training(config).fit(&one, &line(32, 2)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`batch` is 16, with one training sample: "),
        "{error}"
    );
}

#[test]
fn data_of_another_width_are_an_error() {
    let narrow = Data::new([[1.0_f32, 2.0], [3.0, 4.0]], [0_usize, 1]).unwrap();
    let error = training(NetConfig::new())
        .fit(&narrow, &quadrants(32, 2))
        .unwrap_err();
    assert!(matches!(error, TrainError::Data(_)), "{error}");
}

#[test]
fn a_panic_inside_the_model_is_an_error() {
    let config = NetConfig::new()
        .with_outputs(1)
        .with_loss(r#"{"custom":{"path":"panics"}}"#.to_owned());
    let error = training(config)
        .fit(&line(32, 1), &line(32, 2))
        .unwrap_err();
    assert_eq!(error.to_string(), "training panicked: this loss panics");
}

#[test]
fn accumulated_batches_are_one_larger_batch() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(96, 1), quadrants(32, 2));
    let large = training(NetConfig::new())
        .batch(32)
        .fit(&train, &valid)
        .unwrap();
    let small = training(NetConfig::new())
        .batch(8)
        .accumulate(4)
        .fit(&train, &valid)
        .unwrap();
    for (large, small) in weights(&large.model).iter().zip(weights(&small.model)) {
        assert!((large - small).abs() < 1e-5);
    }
}

#[test]
fn the_global_norm_limits_every_step() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(16, 1), quadrants(32, 2));
    // The penalty is part of the objective, and so of what is clipped.
    let penalty = r#"{"kind":{"penalty":{"l1":null,"l2":1.0}}}"#;
    for rules in ["", penalty] {
        let config = || NetConfig::new().with_rules(rules.to_owned());
        let before = weights(&fresh(config()));
        let run = training(config())
            .epochs(1)
            .batch(16)
            .learning_rate(1.0)
            .clip_norm(1e-2);
        let after = weights(&run.fit(&train, &valid).unwrap().model);
        let length = before
            .iter()
            .zip(&after)
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum::<f64>()
            .sqrt();
        // The biases have their share of the length.
        assert!(length <= 1.0001e-2 && length > 1e-3, "{rules} {length}");
    }
}

#[test]
fn penalties_stand_beside_the_loss() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(32, 1), quadrants(32, 2));
    let rules = r#"{"kind":{"penalty":{"l1":0.001,"l2":0.01}}}"#.to_owned();
    let fit = |rules| {
        training(NetConfig::new().with_rules(rules))
            .epochs(1)
            .batch(32)
            .fit(&train, &valid)
            .unwrap()
    };
    let (with, without) = (fit(rules), fit(String::new()));
    // The first batch is read before any step: the loss knows nothing of the penalty.
    assert_eq!(
        with.history().epochs[0].train.loss,
        without.history().epochs[0].train.loss
    );
    let weight = with.model.fc1.weight.val();
    let expected: f64 =
        (weight.clone().abs().sum() * 1e-3 + weight.square().sum() * 1e-2).into_scalar();
    assert!((with.history().epochs[0].penalty - expected).abs() < 1e-5 * expected);
    assert_eq!(without.history().epochs[0].penalty, 0.0);
    assert!(with.history().to_string().contains("penalty"));
}

#[test]
fn activity_penalties_stand_beside_the_loss_and_act() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(32, 1), quadrants(32, 2));
    let fit = |strength| {
        training(NetConfig::new().with_activity(strength))
            .epochs(60)
            .batch(32)
            .fit(&train, &valid)
            .unwrap()
    };
    let (with, without) = (fit(0.2), fit(0.0));
    let first = |run: &TrainingResult<Net>| run.history().epochs[0].clone();
    assert_eq!(first(&with).train.loss, first(&without).train.loss);
    assert!(first(&with).activity > 0.0 && first(&without).activity == 0.0);
    assert!(with.history().last().unwrap().activity < 0.5 * first(&with).activity);
}

#[test]
fn dropout_acts_while_training_and_not_while_validating() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(64, 1), quadrants(32, 2));
    let fit = |rate| {
        training(NetConfig::new().with_rate(rate))
            .epochs(1)
            .batch(64)
            .fit(&train, &valid)
            .unwrap()
    };
    let (with, without) = (fit(0.5), fit(1e-9));
    // The same weights read the same batch: only the mask makes the difference.
    assert_ne!(
        with.history().epochs[0].train.loss,
        without.history().epochs[0].train.loss
    );
    let again = with.model.run(&inputs(&valid), &mut Pass::new());
    let output = with.model.run(&inputs(&valid), &mut Pass::new());
    assert_eq!(again.into_data(), output.into_data());
}

fn inputs(data: &Data) -> damper::Inputs {
    data.inputs_of(&NetConfig::new().spec().unwrap(), &Device::flex())
        .unwrap()
}

fn running(model: &Net) -> Vec<f32> {
    let norm = model.fc1_batch_norm.as_ref().unwrap();
    norm.running_mean.value().into_data().iter().collect()
}

#[test]
fn running_statistics_move_with_training_batches_only() {
    if !alone() {
        return;
    }
    let train = quadrants(64, 1);
    let far = Data::new((vec![1000.0_f32; 4 * 32], 4), [0_usize, 1].repeat(16)).unwrap();
    let fit = |valid: &Data| {
        training(NetConfig::new().with_norm(true))
            .fit(&train, valid)
            .unwrap()
    };
    let (near, far) = (fit(&quadrants(32, 2)), fit(&far));
    assert_eq!(running(&near.model), running(&far.model));
    assert!(running(&near.model).iter().any(|mean| *mean != 0.0));
    let before = running(&near.model);
    let _ = near.model.run(&inputs(&train), &mut Pass::tracing());
    assert_eq!(running(&near.model), before);
}

#[test]
fn a_last_batch_of_one_joins_the_one_before_it() {
    let run = training(NetConfig::new().with_norm(true))
        .batch(16)
        .fit(&quadrants(33, 1), &quadrants(32, 2))
        .unwrap();
    assert_eq!(
        run.history().notes,
        [
            "33 samples in batches of 16 leave one sample over: it joins the last batch, \
          because `batch_norm` has no variance of one sample"
        ]
    );
    assert!(run.history().to_string().contains("note: 33 samples"));
}

#[test]
fn labels_without_meaning_are_overfitted_and_the_advice_names_the_layers() {
    let diagnosis = overfitted(None).diagnosis();
    assert_eq!(diagnosis.verdict, Verdict::Overfitting, "{diagnosis}");
    assert!(
        diagnosis.gap > 0.2 && diagnosis.measure == "accuracy",
        "{diagnosis}"
    );
    let text = diagnosis.to_string();
    assert!(
        text.contains("`fc1` (256 weights) has no decay: add `decay(l2 = 1e-3)`"),
        "{text}"
    );
    assert!(
        text.contains("`fc1` has no dropout: add `dropout(0.3) after relu`"),
        "{text}"
    );
    assert!(text.contains("add `early_stop(patience = 5)`"), "{text}");
}

mod blocks {
    use damper::model;

    model! {
        pub Blocks
        input x: [4]
        layers {
            both: parallel {
                wide: linear(64) -> relu;
                deep: linear(64);
            } -> concat;
            block: residual { inner: linear(128) -> relu; } shortcut { way: linear(128) -> tanh; };
            head: linear(2);
        }
        loss cross_entropy
        train { optimizer: sgd(lr = 0.3), epochs: 60, batch: 8, seed: 1 }
    }
}

#[test]
fn the_advice_knows_what_is_inside_of_blocks() {
    let run = blocks::Blocks::training().progress(Progress::Silent);
    let run = run.fit(&coin_flips(24, 1), &coin_flips(48, 2)).unwrap();
    let diagnosis = run.diagnosis();
    assert_eq!(diagnosis.verdict, Verdict::Overfitting, "{diagnosis}");
    let text = diagnosis.to_string();
    for path in ["both.wide", "block.inner", "block.shortcut.way"] {
        let advice = format!("`{path}` has no dropout");
        assert!(text.contains(&advice), "`{advice}` is not in {text}");
    }
}

#[test]
fn a_model_that_has_learned_nothing_underfits() {
    let run = training(NetConfig::new())
        .learning_rate(1e-5)
        .fit(&quadrants(200, 1), &quadrants(200, 2))
        .unwrap();
    let diagnosis = run.diagnosis();
    assert_eq!(diagnosis.verdict, Verdict::Underfitting, "{diagnosis}");
    assert!(
        diagnosis
            .to_string()
            .contains("raise the learning rate: `lr = 1e-4`"),
        "{diagnosis}"
    );
}

#[test]
fn a_line_is_learned_and_fine() {
    let config = NetConfig::new().with_outputs(1).with_loss(MSE.to_owned());
    let run = training(config)
        .epochs(100)
        .fit(&line(200, 1), &line(100, 2))
        .unwrap();
    let diagnosis = run.diagnosis();
    assert_eq!(
        (diagnosis.verdict, diagnosis.measure.as_str()),
        (Verdict::Fine, "r2"),
        "{diagnosis}"
    );
    assert!(diagnosis.valid > 0.95, "{diagnosis}");
    assert_eq!(run.history().metrics, ["mae", "r2"]);
}

#[test]
fn sparsity_counts_weights_and_nothing_else() {
    let mut run = training(NetConfig::new())
        .epochs(1)
        .fit(&quadrants(32, 1), &quadrants(32, 2))
        .unwrap();
    let half =
        Tensor::<2>::from_data([[0.0_f32, 1e-4, -3.0, 4.0]], &Device::flex()).repeat_dim(0, 4);
    run.model.fc1.weight = damper::burn::module::Param::from_tensor(half);
    let sparsity = run.sparsity();
    let fc1 = &sparsity.layers[0];
    assert_eq!(
        (fc1.path.as_str(), fc1.weights, fc1.zeros, fc1.near_zeros),
        ("fc1.weight", 16, 4, 8)
    );
    assert!((fc1.norm - 10.0).abs() < 1e-4);
    let paths: Vec<_> = sparsity
        .layers
        .iter()
        .map(|layer| layer.path.as_str())
        .collect();
    assert_eq!(paths, ["fc1.weight", "head.weight"]);
    assert_eq!(sparsity.total().weights, 16 + 32);
}

#[test]
fn l1_decay_makes_exact_zeros() {
    let rules = r#"{"kind":{"decay":{"l1":0.5,"l2":null}}}"#.to_owned();
    let config = NetConfig::new().with_rules(rules);
    let run = training(config)
        .epochs(20)
        .fit(&quadrants(64, 1), &quadrants(32, 2))
        .unwrap();
    let sparsity = run.sparsity();
    assert!(sparsity.layers[0].zero_share() > 0.5, "{sparsity}");
    // Biases are not reached.
    let bias: Vec<f32> = run
        .model
        .fc1
        .bias
        .as_ref()
        .unwrap()
        .val()
        .into_data()
        .iter()
        .collect();
    assert!(bias.iter().any(|b| *b != 0.0));
}

#[test]
fn a_history_survives_json() {
    let run = training(NetConfig::new())
        .fit(&quadrants(32, 1), &quadrants(32, 2))
        .unwrap();
    let json = serde_json::to_string(run.history()).unwrap();
    assert_eq!(
        &serde_json::from_str::<History>(&json).unwrap(),
        run.history()
    );
}

#[test]
fn configurations_are_compared_over_seeds() {
    if !alone() {
        return;
    }
    let (train, valid) = (quadrants(64, 1), quadrants(64, 2));
    let table = damper::compare()
        .add("plain", training(NetConfig::new()))
        .add("dropout", training(NetConfig::new().with_rate(0.5)))
        .seeds(3)
        .progress(Progress::Silent)
        .run(&train, &valid)
        .unwrap();
    assert_eq!(table.trials.len(), 2);
    assert_eq!(table.trials[0].train.len(), 3);
    // The first seed is the training's own.
    let alone = training(NetConfig::new()).fit(&train, &valid).unwrap();
    assert_eq!(table.trials[0].valid[0], alone.valid_measures().metrics[0]);
    let text = table.to_string();
    assert!(
        text.contains("plain") && text.contains("over 3 seeds"),
        "{text}"
    );
    assert!(damper::compare().run(&train, &valid).is_err());
}

#[test]
fn nothing_is_written_to_disk() {
    let before = entries();
    let run = training(NetConfig::new())
        .early_stop(5)
        .fit(&quadrants(32, 1), &quadrants(32, 2));
    assert!(run.is_ok());
    assert_eq!(entries(), before);
}

fn entries() -> Vec<std::path::PathBuf> {
    let here = std::fs::read_dir(".").expect("the working folder");
    let mut entries: Vec<_> = here.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries
}
