//! Architectures against burn's own layers: `cargo bench -p damper-benches --bench architectures`.
//!
//! Forward, backward and an AdamW step of the network that `model!` generates, and of the same network written by hand
//! with burn's own layers, in turn in one process. A batch of 64: two 3x3 convolutions (16 and 32 channels) on
//! `[1, 28, 28]`, and on sequences of 50 steps with 32 features a pre-norm transformer encoder (2 layers of 64, 4 heads,
//! 256 inside), an LSTM and a GRU of 128. The goal is a ratio of at most 1.02, for the recurrent ones at most 0.5. A
//! number behind `--` sets the rounds, a word the architecture.

use damper::burn;
use damper::burn::module::Module;
use damper::burn::nn::conv::{Conv2d, Conv2dConfig};
use damper::burn::nn::gru::{Gru, GruConfig};
use damper::burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use damper::burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use damper::burn::nn::{
    LayerNorm, LayerNormConfig, Linear, LinearConfig, Lstm, LstmConfig, PaddingConfig2d,
};
use damper::burn::optim::{AdamWConfig, GradientsParams};
use damper::burn::tensor::activation::relu;
use damper::burn::tensor::{Device, Distribution, Tensor};
use damper::prelude::*;
use damper_benches::rounds::{Arm, Rounds};
use std::time::Instant;

const BATCH: usize = 64;
const IMAGE: [usize; 4] = [BATCH, 1, 28, 28];
const SEQUENCE: [usize; 3] = [BATCH, 50, 32];
const CLASSES: usize = 10;

/// Steps of training in a round.
const TIMES: usize = 5;

model! {
    /// Two convolutions.
    pub Cnn
    input image: [1, 28, 28]
    layers {
        conv1:  conv2d(16, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        conv2:  conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        hidden: flatten -> linear(128) -> relu;
        head:   linear(10);
    }
    loss cross_entropy
}

model! {
    /// Two layers of attention.
    pub Encoder
    input x: [50, 32]
    layers {
        embed:   linear(64);
        encoder: transformer_encoder(2, heads = 4, ff = 256, dropout = 0.1);
        pool:    layer_norm -> mean(axis = time);
        head:    linear(10);
    }
    loss cross_entropy
}

model! {
    /// One LSTM.
    pub OneLstm
    input x: [50, 32]
    layers {
        rnn:  lstm(128) -> last_step;
        head: linear(10);
    }
    loss cross_entropy
}

model! {
    /// One GRU.
    pub OneGru
    input x: [50, 32]
    layers {
        rnn:  gru(128) -> last_step;
        head: linear(10);
    }
    loss cross_entropy
}

#[derive(Module, Debug)]
struct BurnCnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    hidden: Linear,
    head: Linear,
}

impl BurnCnn {
    fn new(device: &Device) -> Self {
        let conv = |from, to| {
            Conv2dConfig::new([from, to], [3, 3])
                .with_padding(PaddingConfig2d::Same)
                .init(device)
        };
        Self {
            conv1: conv(1, 16),
            conv2: conv(16, 32),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            hidden: LinearConfig::new(32 * 7 * 7, 128).init(device),
            head: LinearConfig::new(128, CLASSES).init(device),
        }
    }

    fn forward(&self, image: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.conv1.forward(image)));
        let x = self.pool.forward(relu(self.conv2.forward(x)));
        self.head
            .forward(relu(self.hidden.forward(x.flatten::<2>(1, 3))))
    }
}

#[derive(Module, Debug)]
struct BurnEncoder {
    embed: Linear,
    encoder: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
}

impl BurnEncoder {
    fn new(device: &Device) -> Self {
        Self {
            embed: LinearConfig::new(SEQUENCE[2], 64).init(device),
            encoder: TransformerEncoderConfig::new(64, 256, 4, 2)
                .with_norm_first(true)
                .with_dropout(0.1)
                .init(device),
            norm: LayerNormConfig::new(64).init(device),
            head: LinearConfig::new(64, CLASSES).init(device),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let x = TransformerEncoderInput::new(self.embed.forward(x));
        let x = self.norm.forward(self.encoder.forward(x));
        self.head.forward(x.mean_dim(1).squeeze_dim::<2>(1))
    }
}

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(9);
    let chosen: Vec<&String> = words
        .iter()
        .filter(|word| !word.starts_with('-') && word.parse::<usize>().is_err())
        .collect();
    let device = Device::default().autodiff();
    let head = LinearConfig::new(128, CLASSES);
    let compare = |name: &str, burn: Box<dyn FnMut() -> Vec<f64>>, damper| {
        let arms: Vec<Arm<'_>> = vec![("burn", burn), ("damper", damper)];
        if chosen.is_empty() || chosen.iter().any(|word| *word == name) {
            println!("{name}: batch {BATCH}, {rounds} rounds of {TIMES} steps");
            println!("{}", Rounds::measure("a step", rounds, arms));
        }
    };

    let (burn, own) = (BurnCnn::new(&device), CnnConfig::new().init(&device)?);
    compare(
        "cnn",
        Box::new(move || train(&burn, IMAGE, BurnCnn::forward)),
        Box::new(move || train(&own, IMAGE, Cnn::forward)),
    );
    let (burn, own) = (
        BurnEncoder::new(&device),
        EncoderConfig::new().init(&device)?,
    );
    compare(
        "transformer",
        Box::new(move || train(&burn, SEQUENCE, BurnEncoder::forward)),
        Box::new(move || train(&own, SEQUENCE, Encoder::forward)),
    );
    let burn = BurnLstm {
        layer: LstmConfig::new(SEQUENCE[2], 128, true).init(&device),
        head: head.init(&device),
    };
    let own = OneLstmConfig::new().init(&device)?;
    compare(
        "lstm",
        Box::new(move || {
            train(&burn, SEQUENCE, |model, x| {
                model.head.forward(last(model.layer.forward(x, None).0))
            })
        }),
        Box::new(move || train(&own, SEQUENCE, OneLstm::forward)),
    );
    let burn = BurnGru {
        layer: GruConfig::new(SEQUENCE[2], 128, true).init(&device),
        head: head.init(&device),
    };
    let own = OneGruConfig::new().init(&device)?;
    compare(
        "gru",
        Box::new(move || {
            train(&burn, SEQUENCE, |model, x| {
                model.head.forward(last(model.layer.forward(x, None)))
            })
        }),
        Box::new(move || train(&own, SEQUENCE, OneGru::forward)),
    );
    Ok(())
}

fn last(states: Tensor<3>) -> Tensor<2> {
    states.narrow(1, SEQUENCE[1] - 1, 1).squeeze_dim(1)
}

/// Some steps of a copy of the model; gives the seconds of each.
fn train<M: Module, const D: usize>(
    model: &M,
    shape: [usize; D],
    forward: impl Fn(&M, Tensor<D>) -> Tensor<2>,
) -> Vec<f64> {
    let device = Device::default().autodiff();
    let mut model = model.clone();
    let mut optimizer = AdamWConfig::new().init();
    let input = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
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
