//! Networks and kernels of damper beside burn by hand: `cargo bench -p damper-benches --bench networks`.
//!
//! Words behind `--` choose among them (`burn` or `damper` one arm alone, for a profiler), a number sets the rounds, and `RAYON_NUM_THREADS` the threads. Each line of the
//! output is one measurement in JSON: the median seconds of a step. The arms of a name take turns in one process.
//!
//! A network's step is its share of an epoch: `Training::fit` of what `model!` generates, and a plain loop over the same
//! network on burn. Both read the samples in a new order in each epoch, add up the loss, and measure a validation batch
//! after it; `fit` counts the right answers besides. A kernel's step is its forward and backward pass (of `adamw`: the
//! optimizer's step of one matrix). `benches/pytorch.py` has the same under the same names.

use damper::burn::module::{Module, ParamId};
use damper::burn::nn::loss::CrossEntropyLossConfig;
use damper::burn::nn::{BatchNormConfig, DropoutConfig, LayerNormConfig, LinearConfig};
use damper::burn::optim::GradientsParams;
use damper::burn::tensor::{Device, Distribution, Int, Tensor, activation};
use damper::data::Data;
use damper::{Network, Progress, Target, TrainError, Training};
use damper_benches::generated::{Cnn, Gru, Lstm, Matrix, MatrixConfig, MlpConfig, Transformer};
use damper_benches::rounds::{Arm, Rounds};
use damper_benches::{SIZES, Samples, hand, kernels};
use std::time::Instant;

/// Seconds that a round of a network takes about, and a round of a kernel.
const ROUND: (f64, f64) = (0.4, 0.1);

/// Batches in an epoch of the networks that have no [`Size`](damper_benches::Size).
const BATCHES: usize = 20;

/// A batch of each.
const IMAGES: [usize; 4] = [64, 1, 28, 28];
const SEQUENCES: [usize; 3] = [64, 50, 32];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let (numbers, mut names): (Vec<String>, Vec<String>) =
        words.partition(|word| word.parse::<usize>().is_ok());
    let arm = names
        .extract_if(.., |word| word == "burn" || word == "damper")
        .last();
    let bench = Bench {
        rounds: numbers.first().map_or(Ok(2), |number| number.parse())?,
        names,
        arm,
        device: Device::flex(),
    };
    bench.networks()?;
    bench.kernels()
}

/// What is asked for.
struct Bench {
    rounds: usize,
    names: Vec<String>,
    /// The one that is measured, if not both.
    arm: Option<String>,
    device: Device,
}

/// What one arm of a measurement does in a round.
type Steps<'a> = Box<dyn FnMut() -> Vec<f64> + 'a>;

impl Bench {
    fn is_chosen(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|chosen| chosen == name)
    }

    /// Measures both arms in turn and prints their medians.
    fn compare(&self, name: &str, burn: Steps<'_>, damper: Steps<'_>) {
        let mut arms: Vec<Arm<'_>> = vec![("burn", burn), ("damper", damper)];
        if let Some(alone) = &self.arm {
            arms.retain(|(arm, _)| arm == alone);
        }
        for row in Rounds::measure("a step", self.rounds, arms).rows() {
            let (arm, seconds) = (&row.name, row.median.0);
            println!(r#"{{"name": "{name}", "arm": "{arm}", "seconds": {seconds:e}}}"#);
        }
    }

    fn networks(&self) -> Result<(), TrainError> {
        let training = self.device.clone().autodiff();
        for size in SIZES {
            let config = MlpConfig::new()
                .with_features(size.features)
                .with_first(size.first)
                .with_second(size.second)
                .with_classes(size.classes);
            self.network(
                &format!("mlp-{}", size.features),
                &config.training().batch(size.batch),
                &hand::Mlp::new(&size, &training),
                [size.batch, size.features],
                (size.classes, size.batches),
            )?;
        }
        let others = (10, BATCHES);
        let cnn = hand::Cnn::new(&training);
        self.network("cnn", &Cnn::training(), &cnn, IMAGES, others)?;
        let lstm = hand::Lstm::new(&training);
        self.network("lstm", &Lstm::training(), &lstm, SEQUENCES, others)?;
        let gru = hand::Gru::new(&training);
        self.network("gru", &Gru::training(), &gru, SEQUENCES, others)?;
        let transformer = hand::Transformer::new(&training);
        self.network(
            "transformer",
            &Transformer::training(),
            &transformer,
            SEQUENCES,
            others,
        )
    }

    /// Trains the generated network and the one by hand on batches of this shape.
    fn network<M: Network, H: hand::Network<D>, const D: usize>(
        &self,
        name: &str,
        training: &Training<M>,
        by_hand: &H,
        batch: [usize; D],
        (classes, batches): (usize, usize),
    ) -> Result<(), TrainError> {
        if !self.is_chosen(name) {
            return Ok(());
        }
        let features = batch[1..].iter().product();
        let samples = |count| Samples::new(features, classes, count);
        let (train, valid) = (samples(batches * batch[0]), samples(batch[0]));
        let data = (train.data()?, valid.data()?);
        let training = training.clone().progress(Progress::Silent);
        // Once outside of the measurement, where an error can be told.
        let once: f64 = fit(&training, &data, 1)?.iter().sum();
        let epochs = (ROUND.0 / once).ceil().clamp(1.0, 60.0) as usize;
        let rows = hand::Rows::new(&train, batch, &self.device.clone().autodiff());
        let valid = hand::Rows::new(&valid, batch, &self.device);
        let of_steps = |epochs: Vec<f64>| {
            let steps = epochs.iter().map(|seconds| seconds / batches as f64);
            steps.collect()
        };
        self.compare(
            name,
            Box::new(|| of_steps(hand::plain_loop(by_hand, &rows, &valid, batch[0], epochs))),
            Box::new(|| of_steps(fit(&training, &data, epochs).unwrap_or_default())),
        );
        Ok(())
    }

    fn kernels(&self) -> Result<(), Box<dyn std::error::Error>> {
        let training = self.device.clone().autodiff();
        let numbers = [1 << 20];
        let rows = [2048, 512];
        self.kernel(
            "dropout",
            numbers,
            |x| DropoutConfig::new(0.5).init().forward(x),
            kernels::dropout,
        );
        self.kernel("tanh", numbers, activation::tanh, kernels::tanh);
        self.kernel("sigmoid", numbers, activation::sigmoid, kernels::sigmoid);
        self.kernel("gelu", numbers, activation::gelu, kernels::gelu);
        self.kernel(
            "gelu_approximate",
            numbers,
            activation::gelu_approximate,
            kernels::gelu_approximate,
        );
        self.kernel("silu", numbers, activation::silu, kernels::silu);
        self.kernel("mish", numbers, activation::mish, kernels::mish);
        self.kernel(
            "softmax",
            rows,
            |x| activation::softmax(x, 1),
            |x| kernels::softmax(x, 1),
        );
        self.kernel(
            "log_softmax",
            rows,
            |x| activation::log_softmax(x, 1),
            |x| kernels::log_softmax(x, 1),
        );
        let norm = LayerNormConfig::new(rows[1]).init(&training);
        let own = damper::layer::LayerNorm::new(rows[1], 1e-5, &training);
        self.kernel(
            "layer_norm",
            rows,
            |x| norm.forward(x),
            |x| kernels::layer_norm(&own, x),
        );
        let norm = BatchNormConfig::new(64).init(&training);
        let own = kernels::BatchNorm::new(64, 1e-5, 0.1, &training);
        self.kernel(
            "batch_norm",
            [64, 64, 16, 16],
            |x| norm.forward(x),
            |x| own.forward(x),
        );
        let classes = Tensor::<1, Int>::arange(0..rows[0] as i64, &training);
        let classes = classes.remainder_scalar(rows[1] as i64);
        let (spec, target) = (
            MlpConfig::new().spec()?,
            Target::Classes(classes.clone().inner()),
        );
        let loss = CrossEntropyLossConfig::new().init(&training);
        self.kernel(
            "cross_entropy",
            rows,
            |x| loss.forward(x, classes.clone()),
            |x| kernels::cross_entropy(&spec, x, &target),
        );
        if self.is_chosen("adamw") {
            let by_hand = LinearConfig::new(1024, 1024)
                .with_bias(false)
                .init(&training);
            let own = MatrixConfig::new().init(&training)?;
            let mut optimizer = kernels::optimizer(Matrix::spec(&own));
            let (mut of_burn, id) = (hand::adamw(1e-3).init(), by_hand.weight.id);
            let of_damper = own.fc.weight.id;
            self.compare(
                "adamw",
                optimizer_steps(by_hand, id, move |model, gradients| {
                    of_burn.step(hand::LEARNING_RATE, model, gradients)
                }),
                optimizer_steps(own, of_damper, move |model, gradients| {
                    optimizer.step(hand::LEARNING_RATE, model, gradients)
                }),
            );
        }
        Ok(())
    }

    /// Forward and backward of a function of random numbers.
    fn kernel<const D: usize, const E: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        burn: impl Fn(Tensor<D>) -> Tensor<E>,
        damper: impl Fn(Tensor<D>) -> Tensor<E>,
    ) {
        if self.is_chosen(name) {
            let input = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &self.device);
            self.compare(name, passes(&input, burn), passes(&input, damper));
        }
    }
}

/// Trains the generated network; gives the seconds of each epoch.
fn fit<M: Network>(
    training: &Training<M>,
    (train, valid): &(Data, Data),
    epochs: usize,
) -> Result<Vec<f64>, TrainError> {
    let run = training.clone().epochs(epochs).fit(train, valid)?;
    let epochs = run.history().epochs.iter();
    Ok(epochs.map(|epoch| epoch.seconds).collect())
}

/// Forward and backward passes of a function, with a gradient of ones.
fn passes<'a, const D: usize, const E: usize>(
    input: &Tensor<D>,
    function: impl Fn(Tensor<D>) -> Tensor<E> + 'a,
) -> Steps<'a> {
    let input = input.clone();
    repeated(move || {
        let start = Instant::now();
        let input = Tensor::from_inner(input.clone()).require_grad();
        let gradients = function(input.clone()).backward();
        std::hint::black_box(input.grad(&gradients));
        drop((input, gradients));
        start.elapsed().as_secs_f64()
    })
}

/// Steps of the optimizer on one matrix.
fn optimizer_steps<M: Module + 'static>(
    model: M,
    id: ParamId,
    mut step: impl FnMut(M, GradientsParams) -> M + 'static,
) -> Steps<'static> {
    let gradient = Tensor::<2>::random(
        [1024, 1024],
        Distribution::Normal(0.0, 1.0),
        &Device::flex(),
    );
    let mut held = Some(model);
    repeated(move || {
        // The step may write into the gradient: it gets one of its own.
        let mut gradients = GradientsParams::new();
        gradients.register(id, gradient.clone().mul_scalar(1.0));
        let start = Instant::now();
        held = held.take().map(|model| step(model, gradients));
        start.elapsed().as_secs_f64()
    })
}

/// Repeats a step as long as a round takes, three times at least; gives the seconds of each.
fn repeated<'a>(mut step: impl FnMut() -> f64 + 'a) -> Steps<'a> {
    Box::new(move || {
        let (start, mut seconds) = (Instant::now(), Vec::new());
        while seconds.len() < 3 || start.elapsed().as_secs_f64() < ROUND.1 {
            seconds.push(step());
        }
        seconds
    })
}
