//! Strategies: how the epochs of a training are run.
//!
//! A strategy gets burn's training, complete except for the loop, and must make sure that
//! 1. each epoch takes [`TrainStep::step`](burn::train::TrainStep::step) and `optimize` of the
//!    [`LearnerModel`] for all training batches, in order, and then
//!    [`InferenceStep::step`](burn::train::InferenceStep::step) of its `valid()` for all validation batches. They call
//!    the hooks of [`Shared`] but one;
//! 2. the meters of both phases read every output, and have written their totals before
//! 3. [`Shared::end_of_epoch`] is called, once per epoch, and ends the training where it says so;
//! 4. the interrupter is checked after each batch, and an interrupted epoch does not call the hook.
//!
//! The figures do not depend on the strategy. To add one, add a file and an arm of [`choose`].

mod background_metrics;
mod inline_metrics;

use super::learner_model::LearnerModel;
use super::progress::Progress;
use super::state::Shared;
use crate::Network;
use background_metrics::BackgroundMetrics;
use burn::tensor::Device;
use burn::train::SupervisedTraining;
use inline_metrics::InlineMetrics;
use std::sync::Arc;

/// A way to run the epochs of a training.
pub(super) trait Strategy<M: Network> {
    /// Installs the loop in burn's training.
    fn install(
        self: Box<Self>,
        training: SupervisedTraining<LearnerModel<M>>,
    ) -> SupervisedTraining<LearnerModel<M>>;
}

/// The strategy for a device; `learning_device` is the same with autodiff.
pub(super) fn choose<M: Network>(
    device: &Device,
    learning_device: &Device,
    progress: Progress,
    shared: &Arc<Shared<M>>,
) -> Box<dyn Strategy<M>> {
    let shared = Arc::clone(shared);
    // Only burn's own loop supports the dashboard.
    if crate::device::is_cpu(device) && progress != Progress::Dashboard {
        Box::new(InlineMetrics {
            device: learning_device.clone(),
            shared,
        })
    } else {
        Box::new(BackgroundMetrics { shared })
    }
}

// With `tui` the dashboard would take the terminal.
#[cfg(all(test, not(feature = "tui")))]
mod tests {
    use crate::data::Data;
    use crate::{Progress, Training, TrainingResult};
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Tensor};

    crate::model! {
        /// Whether two numbers have the same sign.
        Sign
        input x: [2]
        layers { fc: linear(8, bias = false) -> batch_norm -> tanh; head: linear(2); }
        loss cross_entropy
        train { optimizer: adamw(lr = 1e-2), clip(norm = 1.0), epochs: 5, batch: 8, seed: 3 }
    }

    fn data(seed: u32) -> Data {
        let noise = |n: u32| {
            let bits = (n + 1 + 1000 * seed)
                .wrapping_mul(0x9E37_79B9)
                .rotate_left(13);
            f64::from(bits.wrapping_mul(0x85EB_CA6B) >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let points: Vec<[f32; 2]> = (0..60).map(|i| [noise(2 * i), noise(2 * i + 1)]).collect();
        let signs = points.iter().map(|[a, b]| usize::from(a * b > 0.0));
        let signs: Vec<usize> = signs.collect();
        Data::new(points, signs).expect("good data")
    }

    /// `Dashboard` chooses burn's own loop. Without the feature `tui` nothing is shown.
    fn train(training: Training<Sign>, progress: Progress) -> TrainingResult<Sign> {
        let training = training.progress(progress);
        let (spec, settings) = training.resolve().expect("good settings");
        let prepared = |seed| data(seed).check_for(&spec).expect("fitting data");
        let (train, valid) = (prepared(1), prepared(2));
        let device = Device::default();
        training
            .run(spec, settings, &train, &valid, &device, Vec::new())
            .expect("it trains")
    }

    fn numbers(model: &Sign) -> Vec<u32> {
        struct Numbers(Vec<u32>);
        impl ModuleVisitor for Numbers {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let data = param.val().into_data();
                self.0.extend(data.iter::<f32>().map(f32::to_bits));
            }
        }
        let mut numbers = Numbers(Vec::new());
        model.visit(&mut numbers);
        numbers.0
    }

    /// The hooks are called at the same points, whichever loop drives.
    #[test]
    fn the_figures_do_not_depend_on_the_strategy() {
        let trainings: [Training<Sign>; 5] = [
            Sign::training(),
            Sign::training().swa(3),
            Sign::training().swa(2).accumulate(3),
            Sign::training().ema(0.9),
            Sign::training().early_stop(1).learning_rate(0.3).epochs(20),
        ];
        for training in trainings {
            let inline = train(training.clone(), Progress::Silent);
            let background = train(training, Progress::Dashboard);
            assert_eq!(numbers(&inline.model), numbers(&background.model));
            assert_eq!(inline.stop_reason(), background.stop_reason());
            let epochs = |run: &TrainingResult<Sign>| {
                let mut epochs = run.history().epochs.clone();
                for epoch in &mut epochs {
                    epoch.seconds = 0.0;
                }
                epochs
            };
            assert_eq!(epochs(&inline), epochs(&background));
        }
    }
}
