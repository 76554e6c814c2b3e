//! The networks of the benches written by hand on burn, and a plain loop that trains them;
//! [`generated`](crate::generated) has the same from `model!`.

use crate::{Samples, Size};
use damper::burn;
use damper::burn::module::{Module, ParamGroup};
use damper::burn::nn::conv::{Conv2d, Conv2dConfig};
use damper::burn::nn::gru::GruConfig;
use damper::burn::nn::loss::CrossEntropyLossConfig;
use damper::burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use damper::burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use damper::burn::nn::{
    Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, LstmConfig,
    PaddingConfig2d,
};
use damper::burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use damper::burn::tensor::activation::relu;
use damper::burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use std::time::Instant;

/// The learning rate of every arm.
pub const LEARNING_RATE: f64 = 1e-3;

/// A network that gives class scores for a batch of `D` axes.
pub trait Network<const D: usize>: Module {
    /// Class scores: `[batch, ..]` to `[batch, classes]`.
    fn forward(&self, input: Tensor<D>) -> Tensor<2>;

    /// `AdamW`, without decay unless the network asks for it.
    fn optimizer(&self) -> ModuleOptimizer {
        adamw(0.0).init()
    }
}

/// `AdamW` as damper and `PyTorch` have it.
pub fn adamw(decay: f32) -> AdamWConfig {
    AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(decay)
}

/// Two hidden layers.
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    fc1_dropout: Dropout,
    fc2: Linear,
    fc2_dropout: Dropout,
    head: Linear,
}

impl Mlp {
    /// A network with fresh weights.
    pub fn new(size: &Size, device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(size.features, size.first).init(device),
            fc1_dropout: DropoutConfig::new(0.5).init(),
            fc2: LinearConfig::new(size.first, size.second).init(device),
            fc2_dropout: DropoutConfig::new(0.25).init(),
            head: LinearConfig::new(size.second, size.classes).init(device),
        }
    }
}

impl Network<2> for Mlp {
    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let x = self.fc1_dropout.forward(relu(self.fc1.forward(input)));
        let x = self.fc2_dropout.forward(relu(self.fc2.forward(x)));
        self.head.forward(x)
    }

    /// Decays the three matrices and leaves the biases alone.
    fn optimizer(&self) -> ModuleOptimizer {
        let matrices = ParamGroup::from_paths(vec!["fc1.weight", "fc2.weight", "head.weight"]);
        adamw(0.0)
            .init()
            .with_group(matrices, adamw(1e-3).build(), None)
    }
}

/// Two convolutions.
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    hidden: Linear,
    head: Linear,
}

impl Cnn {
    /// A network with fresh weights.
    pub fn new(device: &Device) -> Self {
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
            head: LinearConfig::new(128, 10).init(device),
        }
    }
}

impl Network<4> for Cnn {
    fn forward(&self, image: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.conv1.forward(image)));
        let x = self.pool.forward(relu(self.conv2.forward(x)));
        self.head
            .forward(relu(self.hidden.forward(x.flatten::<2>(1, 3))))
    }
}

/// Two layers of attention.
#[derive(Module, Debug)]
pub struct Transformer {
    embed: Linear,
    encoder: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
}

impl Transformer {
    /// A network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            embed: LinearConfig::new(32, 64).init(device),
            encoder: TransformerEncoderConfig::new(64, 256, 4, 2)
                .with_norm_first(true)
                .with_dropout(0.1)
                .init(device),
            norm: LayerNormConfig::new(64).init(device),
            head: LinearConfig::new(64, 10).init(device),
        }
    }
}

impl Network<3> for Transformer {
    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let x = TransformerEncoderInput::new(self.embed.forward(x));
        let x = self.norm.forward(self.encoder.forward(x));
        self.head.forward(x.mean_dim(1).squeeze_dim::<2>(1))
    }
}

/// One LSTM.
#[derive(Module, Debug)]
pub struct Lstm {
    rnn: burn::nn::Lstm,
    head: Linear,
}

impl Lstm {
    /// A network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            rnn: LstmConfig::new(32, 128, true).init(device),
            head: LinearConfig::new(128, 10).init(device),
        }
    }
}

impl Network<3> for Lstm {
    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let (_, state) = self.rnn.forward(x, None);
        self.head.forward(state.hidden)
    }
}

/// One GRU.
#[derive(Module, Debug)]
pub struct Gru {
    rnn: burn::nn::gru::Gru,
    head: Linear,
}

impl Gru {
    /// A network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            rnn: GruConfig::new(32, 128, true).init(device),
            head: LinearConfig::new(128, 10).init(device),
        }
    }
}

impl Network<3> for Gru {
    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let states = self.rnn.forward(x, None);
        let last = states.dims()[1] - 1;
        self.head
            .forward(states.narrow(1, last, 1).squeeze_dim::<2>(1))
    }
}

/// Samples on a device.
#[derive(Clone, Debug)]
pub struct Rows<const D: usize> {
    inputs: Tensor<D>,
    targets: Tensor<1, Int>,
}

impl<const D: usize> Rows<D> {
    /// The samples on the device; `shape` is that of a batch.
    pub fn new(samples: &Samples, mut shape: [usize; D], device: &Device) -> Self {
        shape[0] = samples.rows.len();
        let classes = samples.classes.iter();
        let classes: Vec<i64> = classes.map(|class| i64::from(*class)).collect();
        Self {
            inputs: Tensor::from_data(TensorData::new(samples.rows.concat(), shape), device),
            targets: Tensor::from_data(TensorData::new(classes, [shape[0]]), device),
        }
    }

    fn len(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// The samples in a random order: one gather for the epoch, its batches are slices.
    fn shuffled(&self) -> Self {
        let device = self.inputs.device();
        let order = Tensor::<1>::random([self.len()], Distribution::Default, &device).argsort(0);
        Self {
            inputs: self.inputs.clone().select(0, order.clone()),
            targets: self.targets.clone().select(0, order),
        }
    }

    fn batch(&self, from: usize, size: usize) -> Self {
        let size = size.min(self.len() - from);
        Self {
            inputs: self.inputs.clone().narrow(0, from, size),
            targets: self.targets.clone().narrow(0, from, size),
        }
    }
}

/// The loss of a batch.
fn loss<M: Network<D>, const D: usize>(model: &M, rows: Rows<D>) -> Tensor<1> {
    let output = model.forward(rows.inputs);
    CrossEntropyLossConfig::new()
        .init(&output.device())
        .forward(output, rows.targets)
}

/// Trains a copy of the model in a plain loop that adds up the loss; gives the seconds of each epoch, its validation
/// included.
pub fn plain_loop<M: Network<D>, const D: usize>(
    model: &M,
    train: &Rows<D>,
    valid: &Rows<D>,
    batch: usize,
    epochs: usize,
) -> Vec<f64> {
    let (mut model, mut optimizer) = (model.clone(), model.optimizer());
    let mut seconds = Vec::with_capacity(epochs);
    for _ in 0..epochs {
        let start = Instant::now();
        let epoch = train.shuffled();
        let mut total = Tensor::<1>::zeros([1], &valid.inputs.device());
        for from in (0..train.len()).step_by(batch) {
            let loss = loss(&model, epoch.batch(from, batch));
            total = total + loss.clone().inner();
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(LEARNING_RATE, model, grads);
        }
        let checked = loss(&model.valid(), valid.clone());
        std::hint::black_box((total.into_scalar::<f32>(), checked.into_scalar::<f32>()));
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds
}
