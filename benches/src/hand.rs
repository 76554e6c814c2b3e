//! The same networks written by hand on burn: a plain loop, and burn's own `Learner`.

use crate::{Samples, Size};
use damper::burn;
use damper::burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use damper::burn::data::dataset::DatasetError;
use damper::burn::module::{Module, ParamGroup};
use damper::burn::nn::loss::CrossEntropyLossConfig;
use damper::burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use damper::burn::optim::lr_scheduler::constant::ConstantLr;
use damper::burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use damper::burn::tensor::activation::relu;
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper::burn::train::logger::{
    EvaluationProgressLogger, InMemoryMetricLogger, TrainingProgressLogger,
};
use damper::burn::train::metric::{AccuracyMetric, LossMetric, MetricDefinition};
use damper::burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use damper::burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The learning rate of every arm.
pub const LEARNING_RATE: f64 = 1e-3;

/// What a person writes who knows burn.
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
    pub fn new(size: &Size, rate: f64, device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(size.features, size.first).init(device),
            fc1_dropout: DropoutConfig::new(rate).init(),
            fc2: LinearConfig::new(size.first, size.second).init(device),
            fc2_dropout: DropoutConfig::new(rate / 2.0).init(),
            head: LinearConfig::new(size.second, size.classes).init(device),
        }
    }

    /// Class scores: `[batch, features]` to `[batch, classes]`.
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let x = self.fc1_dropout.forward(relu(self.fc1.forward(input)));
        let x = self.fc2_dropout.forward(relu(self.fc2.forward(x)));
        self.head.forward(x)
    }

    fn loss(&self, input: Tensor<2>, target: Tensor<1, Int>) -> ClassificationOutput {
        let output = self.forward(input);
        let loss = CrossEntropyLossConfig::new()
            .init(&output.device())
            .forward(output.clone(), target.clone());
        ClassificationOutput::new(loss, output, target)
    }
}

/// `AdamW` that decays the three matrices and leaves the biases alone.
pub fn optimizer(decay: f64) -> ModuleOptimizer {
    let config = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0);
    let matrices = ParamGroup::from_paths(vec!["fc1.weight", "fc2.weight", "head.weight"]);
    config.init().with_group(
        matrices,
        config.with_weight_decay(decay as f32).build(),
        None,
    )
}

/// All samples on the device, in an order drawn anew for every epoch.
#[derive(Clone, Debug)]
pub struct Rows {
    inputs: Tensor<2>,
    targets: Tensor<1, Int>,
    batch: usize,
    /// When an epoch began: the time of each call of `iter`.
    starts: Arc<Mutex<Vec<Instant>>>,
}

/// A batch.
#[derive(Clone, Debug)]
pub struct RowBatch {
    inputs: Tensor<2>,
    targets: Tensor<1, Int>,
}

impl Rows {
    /// The samples on the device.
    pub fn new(samples: &Samples, size: &Size, device: &Device) -> Self {
        let count = samples.rows.len();
        let flat: Vec<f32> = samples.rows.concat();
        let classes: Vec<i64> = samples
            .classes
            .iter()
            .map(|class| i64::from(*class))
            .collect();
        Self {
            inputs: Tensor::from_data(TensorData::new(flat, [count, size.features]), device),
            targets: Tensor::from_data(TensorData::new(classes, [count]), device),
            batch: size.batch,
            starts: Arc::default(),
        }
    }

    fn len(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// The samples in a random order: one gather for the epoch, its batches are slices.
    fn shuffled(&self) -> Self {
        let device = self.inputs.device();
        let order = Tensor::<1>::random([self.len()], burn::tensor::Distribution::Default, &device)
            .argsort(0);
        Self {
            inputs: self.inputs.clone().select(0, order.clone()),
            targets: self.targets.clone().select(0, order),
            ..self.clone()
        }
    }

    fn slice_of(&self, index: usize) -> RowBatch {
        let (from, to) = (
            index * self.batch,
            ((index + 1) * self.batch).min(self.len()),
        );
        RowBatch {
            inputs: self.inputs.clone().narrow(0, from, to - from),
            targets: self.targets.clone().narrow(0, from, to - from),
        }
    }
}

struct Batches {
    rows: Rows,
    next: usize,
}

impl Iterator for Batches {
    type Item = Result<RowBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.next * self.rows.batch < self.rows.len()).then(|| {
            self.next += 1;
            Ok(self.rows.slice_of(self.next - 1))
        })
    }
}

impl DataLoaderIterator<RowBatch> for Batches {
    fn progress(&self) -> Progress {
        Progress::new(
            (self.next * self.rows.batch).min(self.rows.len()),
            self.rows.len(),
            None,
        )
    }
}

impl DataLoader<RowBatch> for Rows {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<RowBatch> + 'a> {
        if let Ok(mut starts) = self.starts.lock() {
            starts.push(Instant::now());
        }
        Box::new(Batches {
            rows: self.shuffled(),
            next: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<RowBatch>> {
        let (inputs, targets) = (
            self.inputs.clone().to_device(device),
            self.targets.clone().to_device(device),
        );
        Arc::new(Self {
            inputs,
            targets,
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<RowBatch>> {
        let (inputs, targets) = (
            self.inputs.clone().narrow(0, start, end - start),
            self.targets.clone().narrow(0, start, end - start),
        );
        Arc::new(Self {
            inputs,
            targets,
            ..self.clone()
        })
    }
}

/// Trains in a plain loop that sums the loss, and counts the right answers `with_accuracy`; gives the seconds of each
/// epoch, its validation included.
pub fn plain_loop(
    size: &Size,
    samples: &Samples,
    valid: &Samples,
    (decay, rate): (f64, f64),
    epochs: usize,
    with_accuracy: bool,
) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let (rows, valid) = (
        Rows::new(samples, size, &device),
        Rows::new(valid, size, &Device::flex()),
    );
    let (mut model, mut optimizer) = (Mlp::new(size, rate, &device), optimizer(decay));
    let mut seconds = Vec::with_capacity(epochs);
    for _ in 0..epochs {
        let start = Instant::now();
        let epoch = rows.shuffled();
        let mut total = Tensor::<1>::zeros([1], &device.clone().inner());
        let mut right = Tensor::<1, Int>::zeros([1], &device.clone().inner());
        for index in 0..rows.len().div_ceil(size.batch) {
            let RowBatch { inputs, targets } = epoch.slice_of(index);
            let ClassificationOutput {
                loss,
                output,
                targets,
            } = model.loss(inputs, targets);
            total = total + loss.clone().inner();
            if with_accuracy {
                right = right + count_right(output.inner(), targets.inner());
            }
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(LEARNING_RATE, model, grads);
        }
        let checked = model
            .valid()
            .loss(valid.inputs.clone(), valid.targets.clone());
        std::hint::black_box((
            total.into_scalar::<f32>(),
            checked.loss.into_scalar::<f32>(),
        ));
        if with_accuracy {
            let checked = count_right(checked.output, checked.targets);
            std::hint::black_box((right.into_scalar::<i64>(), checked.into_scalar::<i64>()));
        }
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds
}

fn count_right(output: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1, Int> {
    output
        .argmax(1)
        .flatten::<1>(0, 1)
        .equal(targets)
        .int()
        .sum()
}

impl TrainStep for Mlp {
    type Input = RowBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: RowBatch) -> TrainOutput<ClassificationOutput> {
        let item = self.loss(batch.inputs, batch.targets);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Mlp {
    type Input = RowBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: RowBatch) -> ClassificationOutput {
        self.loss(batch.inputs, batch.targets)
    }
}

/// Trains with burn's `Learner`, with the loss and the accuracy as metrics; gives the seconds of each epoch but the last,
/// its validation included.
pub fn learner(
    size: &Size,
    samples: &Samples,
    valid: &Samples,
    (decay, rate): (f64, f64),
    epochs: usize,
) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let (train, valid) = (
        Rows::new(samples, size, &device),
        Rows::new(valid, size, &device),
    );
    let starts = Arc::clone(&train.starts);
    let model = Mlp::new(size, rate, &device);
    SupervisedTraining::new(std::env::temp_dir(), Arc::new(train), Arc::new(valid))
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .with_metric_logger(InMemoryMetricLogger::default())
        .with_application_logger(None)
        .renderer(Box::new(Silent))
        .num_epochs(epochs)
        .launch(Learner::new(
            model,
            optimizer(decay),
            ConstantLr::from(LEARNING_RATE),
        ));
    let starts = starts.lock().map(|times| times.clone()).unwrap_or_default();
    starts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64())
        .collect()
}

/// Shows nothing.
struct Silent;

impl MetricsRendererTraining for Silent {
    fn update_train(&mut self, _: MetricState) {}
    fn update_valid(&mut self, _: MetricState) {}
}

impl MetricsRendererEvaluation for Silent {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl TrainingProgressLogger for Silent {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}
    fn update_epoch(&mut self, _: usize) {}
    fn start_split(&mut self, _: &str, _: usize) {}
    fn update_split(&mut self, _: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _: String) {}
}

impl EvaluationProgressLogger for Silent {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

impl MetricsRenderer for Silent {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _: MetricDefinition) {}
}
