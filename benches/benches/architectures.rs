//! Recurrent layers against burn's own: `cargo bench -p damper-benches --bench architectures`.
//!
//! Forward, backward and an AdamW step of one layer and a linear head on its last state: batch 64, 50 steps, 32 features,
//! 128 hidden. The goal is a ratio of at most 0.5. A number behind `--` sets the rounds.

use damper::burn;
use damper::burn::module::Module;
use damper::burn::nn::gru::{Gru, GruConfig};
use damper::burn::nn::{Linear, LinearConfig, Lstm, LstmConfig};
use damper::burn::optim::{AdamWConfig, GradientsParams};
use damper::burn::tensor::{Device, Distribution, Tensor};
use damper::layer::{Layer, Recurrent};
use damper_benches::rounds::{Arm, Rounds};
use damper_spec::{Cell, Id, Op, OpKind, Shape, Value};
use std::time::Instant;

const BATCH: usize = 64;
const STEPS: usize = 50;
const FEATURES: usize = 32;
const HIDDEN: usize = 128;
const CLASSES: usize = 10;

/// Steps of training in a round.
const TIMES: usize = 5;

#[derive(Module, Debug)]
struct BurnLstm {
    layer: Lstm,
    head: Linear,
}

#[derive(Module, Debug)]
struct BurnGru {
    layer: Gru,
    head: Linear,
}

#[derive(Module, Debug)]
struct Ours {
    layer: Recurrent,
    head: Linear,
}

fn main() {
    let rounds = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(9);
    let device = Device::default().autodiff();
    let head = LinearConfig::new(HIDDEN, CLASSES);
    for cell in [Cell::Lstm, Cell::Gru] {
        let Some(layer) = ours(cell, &device) else {
            println!("{}: no layer is built of its description", cell.word());
            continue;
        };
        let own = Ours {
            layer,
            head: head.init(&device),
        };
        let damper = Box::new(|| {
            train(own.clone(), |model, x| {
                model.head.forward(last(model.layer.forward(x, None)))
            })
        });
        let burn: Box<dyn FnMut() -> Vec<f64>> = if cell == Cell::Lstm {
            let model = BurnLstm {
                layer: LstmConfig::new(FEATURES, HIDDEN, true).init(&device),
                head: head.init(&device),
            };
            Box::new(move || {
                train(model.clone(), |model, x| {
                    model.head.forward(last(model.layer.forward(x, None).0))
                })
            })
        } else {
            let model = BurnGru {
                layer: GruConfig::new(FEATURES, HIDDEN, true).init(&device),
                head: head.init(&device),
            };
            Box::new(move || {
                train(model.clone(), |model, x| {
                    model.head.forward(last(model.layer.forward(x, None)))
                })
            })
        };
        println!(
            "{}: batch {BATCH}, {STEPS} steps, {FEATURES} features, {HIDDEN} hidden, {rounds} rounds of {TIMES} steps",
            cell.word()
        );
        let arms: Vec<Arm<'_>> = vec![("burn", burn), ("damper", damper)];
        println!("{}", Rounds::measure("a step", rounds, arms));
    }
}

fn ours(cell: Cell, device: &Device) -> Option<Recurrent> {
    let recurrent = damper_spec::Recurrent {
        cell,
        hidden: Value::known(HIDDEN as f64),
        layers: Value::known(1.0),
        bidirectional: Value::truth(false),
        between: None,
        variational: None,
        recurrent: None,
        zoneout: None,
    };
    let op = Op {
        id: Id(1),
        field: Some("layer".to_owned()),
        kind: OpKind::Recurrent(recurrent),
        rules: vec![],
        levels: vec![],
    };
    Recurrent::build(&op, &Shape(vec![Some(STEPS), Some(FEATURES)]), device)
}

fn last(states: Tensor<3>) -> Tensor<2> {
    states.narrow(1, STEPS - 1, 1).squeeze_dim(1)
}

/// Some steps; gives the seconds of each.
fn train<M: Module>(mut model: M, forward: impl Fn(&M, Tensor<3>) -> Tensor<2>) -> Vec<f64> {
    let device = Device::default().autodiff();
    let mut optimizer = AdamWConfig::new().init();
    let input = Tensor::random(
        [BATCH, STEPS, FEATURES],
        Distribution::Normal(0.0, 1.0),
        &device,
    );
    (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            let loss = forward(&model, input.clone()).powi_scalar(2).mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(1e-3, model.clone(), gradients);
            start.elapsed().as_secs_f64()
        })
        .collect()
}
