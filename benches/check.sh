#!/usr/bin/env bash
# How long `cargo check` of a crate with ten models takes after a change: ten `model!`s, and the same ten by hand.
#
#     bash benches/check.sh [ROUNDS]
#
# Five architectures (dense, convolutional, residual, recurrent, two branches) in two widths. By hand means what burn's guide
# tells a user to write for each: the module, its configuration with `init`, `forward`, `predict`, a training and a validation
# step, the optimizer with its decay group and the call that trains; batches and their batcher are shared. What `model!` gives
# beyond that (checks, tables, saving, lints) is in its time and has no counterpart by hand.
# Makes two crates in a temporary folder that depend on this damper, checks both, then edits and checks them in turn and
# prints the medians and their ratio: with what rustc remembers (its default) and without. The goal is at most 1.3.
set -euo pipefail
rounds=${1:-11}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-$here/target}/rebuild

crate() { # name: a crate of a workspace of two
    mkdir -p "$work/$1/src"
    printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\ndamper = { path = "%s/runtime" }\n' \
        "$1" "$here" >"$work/$1/Cargo.toml"
}
crate ten_generated
crate ten_by_hand
printf '[workspace]\nresolver = "3"\nmembers = ["ten_generated", "ten_by_hand"]\n\n' >"$work/Cargo.toml"
sed -n '/^\[profile/,$p' "$here/Cargo.toml" >>"$work/Cargo.toml"
cp "$here/Cargo.lock" "$work/Cargo.lock"

generated() { # number width
    cat <<RUST

model! {
    /// Dense layers.
    pub Dense$1<width: usize = $2, rate: f64 = 0.3>
    input x: [64]
    layers {
        fc1:  linear(width) -> relu      with dropout(rate) after relu, decay(l2 = 1e-3);
        fc2:  linear(width / 2) -> relu  with dropout(rate) after relu;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// Convolutions.
    pub Conv$1<width: usize = $2>
    input x: [1, 16, 16]
    layers {
        conv1: conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
        pool1: max_pool2d(2);
        conv2: conv2d(2 * width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu  with decay(l2 = 1e-3);
        pool2: global_avg_pool;
        head:  linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// Residual blocks.
    pub Deep$1<width: usize = $2>
    input x: [64]
    layers {
        stem:  linear(width);
        block: residual { norm: layer_norm; wide: linear(4 * width) -> gelu; narrow: linear(width); };
        again: residual { norm: layer_norm; wide: linear(4 * width) -> gelu; narrow: linear(width); };
        head:  linear(10)  with decay(l2 = 1e-3);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// Row by row.
    pub Rows$1<width: usize = $2>
    input x: [16, 16]
    layers {
        rnn:  lstm(width);
        last: last_step;
        head: linear(10)  with decay(l2 = 1e-3);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// Two branches.
    pub Wide$1<width: usize = $2>
    input x: [64]
    layers {
        deep: linear(width) -> relu -> linear(16)  with decay(l2 = 1e-3) on all;
        wide: from(x) -> linear(16);
        both: add(deep, wide) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}
RUST
    local name
    for name in Dense Conv Deep Rows Wide; do
        cat <<RUST

/// Trains it.
pub fn train_${name,,}$1(train: &Data, valid: &Data) -> Result<$name$1, damper::TrainError> {
    Ok($name$1::training().fit(train, valid)?.model)
}
RUST
    done
}

steps() { # model axes decayed: what every model needs to be trained
    cat <<RUST

impl $1 {
    /// Probabilities.
    pub fn predict(&self, x: Tensor<$2>) -> Tensor<2> {
        softmax(self.valid().forward(x), 1)
    }

    fn classification(&self, batch: Batch<$2>) -> ClassificationOutput {
        let output = self.forward(batch.values);
        let loss = CrossEntropyLossConfig::new().init(&output.device());
        ClassificationOutput::new(loss.forward(output.clone(), batch.targets.clone()), output, batch.targets)
    }
}

impl TrainStep for $1 {
    type Input = Batch<$2>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch<$2>) -> TrainOutput<ClassificationOutput> {
        let item = self.classification(batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for $1 {
    type Input = Batch<$2>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch<$2>) -> ClassificationOutput {
        self.classification(batch)
    }
}

/// Trains it.
pub fn train_${1,,}(train: Vec<Sample>, valid: Vec<Sample>, shape: [usize; $2]) -> $1 {
    let device = Device::flex().autodiff();
    let adamw = AdamWConfig::new().with_weight_decay(0.0);
    let decay = adamw.clone().with_weight_decay(1e-3).build();
    let optimizer = adamw.init().with_group(ParamGroup::from_path("$3"), decay, None);
    let learner = Learner::new($1Config::new().init(&device), optimizer, ConstantLr::from(1e-3));
    SupervisedTraining::new(std::env::temp_dir(), loader(train, shape), loader(valid, shape))
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .num_epochs(3)
        .launch(learner)
        .model
}
RUST
}

by_hand() { # number width
    cat <<RUST

/// Hyper-parameters of [\`Dense$1\`].
#[derive(Config, Debug)]
pub struct Dense$1Config {
    #[config(default = $2)]
    pub width: usize,
    #[config(default = 0.3)]
    pub rate: f64,
}

/// Dense layers.
#[derive(Module, Debug)]
pub struct Dense$1 {
    pub fc1: Linear,
    pub fc1_dropout: Dropout,
    pub fc2: Linear,
    pub fc2_dropout: Dropout,
    pub head: Linear,
}

impl Dense$1Config {
    pub fn init(&self, device: &Device) -> Dense$1 {
        Dense$1 {
            fc1: LinearConfig::new(64, self.width).init(device),
            fc1_dropout: DropoutConfig::new(self.rate).init(),
            fc2: LinearConfig::new(self.width, self.width / 2).init(device),
            fc2_dropout: DropoutConfig::new(self.rate).init(),
            head: LinearConfig::new(self.width / 2, 10).init(device),
        }
    }
}

impl Dense$1 {
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.fc1_dropout.forward(relu(self.fc1.forward(x)));
        let x = self.fc2_dropout.forward(relu(self.fc2.forward(x)));
        self.head.forward(x)
    }
}

/// Hyper-parameters of [\`Conv$1\`].
#[derive(Config, Debug)]
pub struct Conv$1Config {
    #[config(default = $2)]
    pub width: usize,
}

/// Convolutions.
#[derive(Module, Debug)]
pub struct Conv$1 {
    pub conv1: Conv2d,
    pub norm1: BatchNorm,
    pub pool1: MaxPool2d,
    pub conv2: Conv2d,
    pub norm2: BatchNorm,
    pub pool2: AdaptiveAvgPool2d,
    pub head: Linear,
}

impl Conv$1Config {
    pub fn init(&self, device: &Device) -> Conv$1 {
        let same = PaddingConfig2d::Same;
        Conv$1 {
            conv1: Conv2dConfig::new([1, self.width], [3, 3]).with_padding(same.clone()).with_bias(false).init(device),
            norm1: BatchNormConfig::new(self.width).init(device),
            pool1: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            conv2: Conv2dConfig::new([self.width, 2 * self.width], [3, 3]).with_padding(same).with_bias(false).init(device),
            norm2: BatchNormConfig::new(2 * self.width).init(device),
            pool2: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            head: LinearConfig::new(2 * self.width, 10).init(device),
        }
    }
}

impl Conv$1 {
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool1.forward(relu(self.norm1.forward(self.conv1.forward(x))));
        let x = self.pool2.forward(relu(self.norm2.forward(self.conv2.forward(x))));
        self.head.forward(x.flatten(1, 3))
    }
}

/// Hyper-parameters of [\`Deep$1\`].
#[derive(Config, Debug)]
pub struct Deep$1Config {
    #[config(default = $2)]
    pub width: usize,
}

/// A block of [\`Deep$1\`].
#[derive(Module, Debug)]
pub struct Deep$1Block {
    pub norm: LayerNorm,
    pub wide: Linear,
    pub narrow: Linear,
}

/// Residual blocks.
#[derive(Module, Debug)]
pub struct Deep$1 {
    pub stem: Linear,
    pub block: Deep$1Block,
    pub again: Deep$1Block,
    pub head: Linear,
}

impl Deep$1Block {
    pub fn new(width: usize, device: &Device) -> Self {
        Self {
            norm: LayerNormConfig::new(width).init(device),
            wide: LinearConfig::new(width, 4 * width).init(device),
            narrow: LinearConfig::new(4 * width, width).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.clone() + self.narrow.forward(gelu(self.wide.forward(self.norm.forward(x))))
    }
}

impl Deep$1Config {
    pub fn init(&self, device: &Device) -> Deep$1 {
        Deep$1 {
            stem: LinearConfig::new(64, self.width).init(device),
            block: Deep$1Block::new(self.width, device),
            again: Deep$1Block::new(self.width, device),
            head: LinearConfig::new(self.width, 10).init(device),
        }
    }
}

impl Deep$1 {
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.block.forward(self.stem.forward(x));
        self.head.forward(self.again.forward(x))
    }
}

/// Hyper-parameters of [\`Rows$1\`].
#[derive(Config, Debug)]
pub struct Rows$1Config {
    #[config(default = $2)]
    pub width: usize,
}

/// Row by row.
#[derive(Module, Debug)]
pub struct Rows$1 {
    pub rnn: Lstm,
    pub head: Linear,
}

impl Rows$1Config {
    pub fn init(&self, device: &Device) -> Rows$1 {
        Rows$1 {
            rnn: LstmConfig::new(16, self.width, true).init(device),
            head: LinearConfig::new(self.width, 10).init(device),
        }
    }
}

impl Rows$1 {
    pub fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let (_, state) = self.rnn.forward(x, None);
        self.head.forward(state.hidden)
    }
}

/// Hyper-parameters of [\`Wide$1\`].
#[derive(Config, Debug)]
pub struct Wide$1Config {
    #[config(default = $2)]
    pub width: usize,
}

/// Two branches.
#[derive(Module, Debug)]
pub struct Wide$1 {
    pub deep: Linear,
    pub deep2: Linear,
    pub wide: Linear,
    pub head: Linear,
}

impl Wide$1Config {
    pub fn init(&self, device: &Device) -> Wide$1 {
        Wide$1 {
            deep: LinearConfig::new(64, self.width).init(device),
            deep2: LinearConfig::new(self.width, 16).init(device),
            wide: LinearConfig::new(64, 16).init(device),
            head: LinearConfig::new(16, 10).init(device),
        }
    }
}

impl Wide$1 {
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let deep = self.deep2.forward(relu(self.deep.forward(x.clone())));
        self.head.forward(relu(deep + self.wide.forward(x)))
    }
}
RUST
    steps "Dense$1" 2 fc1.weight
    steps "Conv$1" 4 conv2.weight
    steps "Deep$1" 2 head.weight
    steps "Rows$1" 3 head.weight
    steps "Wide$1" 2 deep.weight
}

{
    printf '//! Ten models.\n\nuse damper::data::Data;\nuse damper::model;\n'
    generated 1 32
    generated 2 48
} >"$work/ten_generated/src/lib.rs"

{
    cat <<'RUST'
//! Ten models.

use damper::burn;
use damper::burn::config::Config;
use damper::burn::data::dataloader::batcher::Batcher;
use damper::burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use damper::burn::data::dataset::InMemDataset;
use damper::burn::module::{Module, ParamGroup};
use damper::burn::nn::conv::{Conv2d, Conv2dConfig};
use damper::burn::nn::loss::CrossEntropyLossConfig;
use damper::burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use damper::burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, Lstm, LstmConfig,
    PaddingConfig2d,
};
use damper::burn::optim::AdamWConfig;
use damper::burn::optim::lr_scheduler::constant::ConstantLr;
use damper::burn::tensor::activation::{gelu, relu, softmax};
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper::burn::train::metric::{AccuracyMetric, LossMetric};
use damper::burn::train::{ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep};
use std::sync::Arc;

/// Values and the class.
pub type Sample = (Vec<f32>, i64);

/// Samples for one step.
#[derive(Clone, Debug)]
pub struct Batch<const AXES: usize> {
    pub values: Tensor<AXES>,
    pub targets: Tensor<1, Int>,
}

/// Makes batches of samples of this shape; the first axis is the batch's.
#[derive(Clone)]
struct Shaped<const AXES: usize>([usize; AXES]);

impl<const AXES: usize> Batcher<Sample, Batch<AXES>> for Shaped<AXES> {
    fn batch(&self, items: Vec<Sample>, device: &Device) -> Batch<AXES> {
        let mut shape = self.0;
        shape[0] = items.len();
        let (values, targets): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        Batch {
            targets: Tensor::from_data(TensorData::new(targets, [shape[0]]), device),
            values: Tensor::from_data(TensorData::new(values.concat(), shape), device),
        }
    }
}

fn loader<const AXES: usize>(samples: Vec<Sample>, shape: [usize; AXES]) -> Arc<dyn DataLoader<Batch<AXES>>> {
    DataLoaderBuilder::new(Shaped(shape)).batch_size(64).shuffle(42).build(InMemDataset::new(samples))
}
RUST
    by_hand 1 32
    by_hand 2 48
} >"$work/ten_by_hand/src/lib.rs"

export CARGO_TARGET_DIR=$target
cd "$work"
median() { sort -n | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'; }
for incremental in 1 0; do
    export CARGO_INCREMENTAL=$incremental
    cargo check --quiet --offline -p ten_generated -p ten_by_hand
    for name in ten_generated ten_by_hand; do : >"$name.ms"; done
    for round in $(seq "$rounds"); do
        for name in ten_by_hand ten_generated; do
            sed -i "1i // Round $round." "$name/src/lib.rs" # Every line moves, as when a user edits above the models.
            start=$(date +%s%N)
            cargo check --quiet --offline -p "$name"
            echo "$((($(date +%s%N) - start) / 1000000))" >>"$name.ms"
        done
    done
    hand=$(median <ten_by_hand.ms)
    own=$(median <ten_generated.ms)
    awk -v incremental="$incremental" -v hand="$hand" -v own="$own" \
        'BEGIN { printf "ten models, incremental %s: by hand %.0f ms, model! %.0f ms, ratio %.2f\n", incremental, hand, own, own / hand }'
done
