//! What is taken is given back: ten thousand calls need no more memory than a few.

use crate::common::device;
use damper::prelude::*;
use damper::{Inputs, Pass};

model! {
    /// Large enough that a batch of activations kept by each call is seen: 60 kB.
    pub Net
    input x: [20]
    layers { a: linear(64, bias = false) -> batch_norm -> relu; b: linear(64) -> tanh with dropout(0.2) after tanh; h: linear(4); }
    loss cross_entropy
}

/// The memory of this process in MB.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<usize>()
        .ok()
        .map(|kilobytes| kilobytes / 1024)
}

/// Calls it in a process of its own, in which no other test takes memory, and says what its memory grows by.
fn growth(name: &str, calls: usize, call: impl Fn()) {
    const CHILD: &str = "DAMPER_TEST_GROWTH";
    if std::env::var(CHILD).is_ok_and(|wanted| wanted == name) {
        (0..calls / 10).for_each(|_| call());
        let before = resident();
        (0..calls).for_each(|_| call());
        let (Some(before), Some(after)) = (before, resident()) else {
            return;
        };
        println!("{before} MB before, {after} MB after {calls} calls");
        assert!(
            after < before + 30,
            "{before} MB before, {after} MB after {calls} calls"
        );
        return;
    }
    let program = std::env::current_exe().expect("a test has a program");
    let output = std::process::Command::new(program)
        .args([
            &format!("hostile::memory::{name}"),
            "--exact",
            "--nocapture",
        ])
        .env(CHILD, name)
        .output()
        .expect("the program runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn net(device: &Device) -> (Net, Tensor<2>) {
    let model = NetConfig::new().init(device).expect("sound");
    (model, Tensor::ones([64, 20], device))
}

#[test]
fn predictions_over_masks_free_what_they_took() {
    let (model, x) = net(&device());
    growth("predictions_over_masks_free_what_they_took", 10_000, || {
        let _ = model.predict_mc(x.clone(), 2);
    });
}

#[test]
fn a_forward_without_a_backward_frees_what_it_took() {
    let (model, x) = net(&device().autodiff());
    growth(
        "a_forward_without_a_backward_frees_what_it_took",
        10_000,
        || {
            let _ = model.forward(x.clone());
        },
    );
}

#[test]
fn predictions_of_a_model_that_is_trained_free_what_they_took() {
    let (model, x) = net(&device().autodiff());
    growth(
        "predictions_of_a_model_that_is_trained_free_what_they_took",
        10_000,
        || {
            let _ = model.predict(x.clone());
            let _ = model.try_predict(&Inputs::features(x.clone()));
        },
    );
}

#[test]
fn passes_through_run_free_what_they_took() {
    let (model, x) = net(&device().autodiff());
    growth("passes_through_run_free_what_they_took", 10_000, || {
        let _ = model.run(&Inputs::features(x.clone()), &mut Pass::new());
    });
}

/// Two forwards before one backward, as for a discriminator: what was given back was nobody's.
#[test]
fn what_a_tensor_still_belongs_to_is_kept() {
    let device = device().autodiff();
    let (model, x) = net(&device);
    let gradient = |interrupted: bool| {
        let [first, second] = [1.0, 2.0].map(|scale| {
            let output = model.forward_pass(x.clone() * scale, &mut Pass::new().with_random(1, 1));
            if interrupted {
                let _ = model.forward(x.clone());
            }
            output
        });
        let gradients = (first * second).sum().backward();
        let gradient = model.a.weight.grad(&gradients).expect("it is trained");
        gradient.into_data().iter::<f32>().collect::<Vec<f32>>()
    };
    assert_eq!(gradient(true), gradient(false));
}
