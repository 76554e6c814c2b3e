#!/usr/bin/env bash
# How long a crate takes to build again after a change: with one `model!`, and with the same model by hand.
#
#     bash benches/rebuild.sh [ROUNDS]
#
# Makes two crates in a temporary folder that depend on this damper, builds both, then touches and builds them in turn
# and prints the medians and their ratio. The goal is at most 1.1, for `cargo check` and for `cargo build`.
set -euo pipefail
rounds=${1:-7}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-$here/target}/rebuild

crate() { # name: a crate of a workspace of two
    mkdir -p "$work/$1/src"
    printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\ndamper = { path = "%s/runtime" }\n' \
        "$1" "$here" >"$work/$1/Cargo.toml"
}
crate generated
crate by_hand
printf '[workspace]\nresolver = "3"\nmembers = ["generated", "by_hand"]\n\n' >"$work/Cargo.toml"
sed -n '/^\[profile/,$p' "$here/Cargo.toml" >>"$work/Cargo.toml"
cp "$here/Cargo.lock" "$work/Cargo.lock"

cat >"$work/generated/src/main.rs" <<'RUST'
use damper::model;
use damper::burn::tensor::Tensor;

model! {
    /// Classifies digits.
    pub Digits<hidden: usize = 128, rate: f64 = 0.5>
    input image: [64]
    layers {
        fc1:  linear(hidden) -> relu      with dropout(rate) after relu, decay(l2 = 1e-3);
        fc2:  linear(hidden / 2) -> relu  with dropout(rate / 2.0) after relu;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = damper::data::Data::new(vec![vec![0.5; 64]; 100], (0..100).map(|i| i % 10).collect::<Vec<usize>>())?;
    let run = Digits::training().fit(&data, &data)?;
    println!("{}", run.model.predict(Tensor::zeros([1, 64], &damper::device()?)));
    Ok(())
}
RUST

cat >"$work/by_hand/src/main.rs" <<'RUST'
use damper::burn;
use damper::burn::config::Config;
use damper::burn::data::dataloader::batcher::Batcher;
use damper::burn::data::dataloader::DataLoaderBuilder;
use damper::burn::data::dataset::InMemDataset;
use damper::burn::module::{Module, ParamGroup};
use damper::burn::nn::loss::CrossEntropyLossConfig;
use damper::burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use damper::burn::optim::AdamWConfig;
use damper::burn::optim::lr_scheduler::constant::ConstantLr;
use damper::burn::tensor::activation::{relu, softmax};
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper::burn::train::metric::{AccuracyMetric, LossMetric};
use damper::burn::train::{ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep};

#[derive(Config, Debug)]
struct DigitsConfig {
    #[config(default = 128)]
    hidden: usize,
    #[config(default = 0.5)]
    rate: f64,
}

#[derive(Module, Debug)]
struct Digits {
    fc1: Linear,
    fc1_dropout: Dropout,
    fc2: Linear,
    fc2_dropout: Dropout,
    head: Linear,
}

impl DigitsConfig {
    fn init(&self, device: &Device) -> Digits {
        Digits {
            fc1: LinearConfig::new(64, self.hidden).init(device),
            fc1_dropout: DropoutConfig::new(self.rate).init(),
            fc2: LinearConfig::new(self.hidden, self.hidden / 2).init(device),
            fc2_dropout: DropoutConfig::new(self.rate / 2.0).init(),
            head: LinearConfig::new(self.hidden / 2, 10).init(device),
        }
    }
}

impl Digits {
    fn forward(&self, image: Tensor<2>) -> Tensor<2> {
        let x = self.fc1_dropout.forward(relu(self.fc1.forward(image)));
        let x = self.fc2_dropout.forward(relu(self.fc2.forward(x)));
        self.head.forward(x)
    }

    fn predict(&self, image: Tensor<2>) -> Tensor<2> {
        softmax(self.valid().forward(image), 1)
    }

    fn classification(&self, batch: ImageBatch) -> ClassificationOutput {
        let output = self.forward(batch.images);
        let loss = CrossEntropyLossConfig::new().init(&output.device());
        ClassificationOutput::new(loss.forward(output.clone(), batch.targets.clone()), output, batch.targets)
    }
}

#[derive(Clone, Debug)]
struct ImageBatch {
    images: Tensor<2>,
    targets: Tensor<1, Int>,
}

#[derive(Clone)]
struct Images;

impl Batcher<(Vec<f32>, i64), ImageBatch> for Images {
    fn batch(&self, items: Vec<(Vec<f32>, i64)>, device: &Device) -> ImageBatch {
        let count = items.len();
        let (images, targets): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        ImageBatch {
            images: Tensor::from_data(TensorData::new(images.concat(), [count, 64]), device),
            targets: Tensor::from_data(TensorData::new(targets, [count]), device),
        }
    }
}

impl TrainStep for Digits {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let item = self.classification(batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Digits {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        self.classification(batch)
    }
}

fn main() {
    let device = Device::flex().autodiff();
    let data: Vec<(Vec<f32>, i64)> = (0..100).map(|i| (vec![0.5; 64], i % 10)).collect();
    let loader = || DataLoaderBuilder::new(Images).batch_size(64).shuffle(42).build(InMemDataset::new(data.clone()));
    let adamw = AdamWConfig::new().with_weight_decay(0.0);
    let decay = adamw.clone().with_weight_decay(1e-3).build();
    let optimizer = adamw.init().with_group(ParamGroup::from_path("fc1.weight"), decay, None);
    let learner = Learner::new(DigitsConfig::new().init(&device), optimizer, ConstantLr::from(1e-3));
    let result = SupervisedTraining::new(std::env::temp_dir(), loader(), loader())
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .num_epochs(3)
        .launch(learner);
    println!("{}", result.model.predict(Tensor::zeros([1, 64], &Device::flex())));
}
RUST

export CARGO_TARGET_DIR=$target
cd "$work"
median() { sort -n | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'; }
for what in check build; do
    cargo "$what" --quiet --offline -p generated -p by_hand
    for name in generated by_hand; do : >"$name.$what"; done
    for _ in $(seq "$rounds"); do
        for name in by_hand generated; do
            touch "$name/src/main.rs"
            start=$(date +%s%N)
            cargo "$what" --quiet --offline -p "$name"
            echo "$((($(date +%s%N) - start) / 1000000))" >>"$name.$what"
        done
    done
    hand=$(median <"by_hand.$what")
    own=$(median <"generated.$what")
    awk -v what="$what" -v hand="$hand" -v own="$own" \
        'BEGIN { printf "cargo %-5s  by hand %6.0f ms   model! %6.0f ms   ratio %.2f\n", what, hand, own, own / hand }'
done
