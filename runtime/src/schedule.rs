//! For training loops of your own: the learning rate of each step ([`Schedule`]).

use burn::optim::LearningRate;
use burn::optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use damper_ir::{ScheduleKind, Settings};
use std::f64::consts::PI;

/// The learning rate of each step: the optimizer's, times a factor that the schedule of the description gives.
///
/// During the warm-up, a fraction of all steps, the factor rises linearly, and reaches 1 at the first step after it.
/// `cosine` and `linear` fall over the remaining steps. `step` and `exponential` fall with the epochs, counted from the
/// start. `one_cycle` rises by itself and has no warm-up. After the last step the factor stays what it was at the end.
///
/// The values are those of PyTorch's `CosineAnnealingLR`, `LinearLR`, `StepLR`, `ExponentialLR` and
/// `OneCycleLR`, with `SequentialLR` for the warm-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    kind: ScheduleKind,
    warmup: f64,
    learning_rate: f64,
    steps: usize,
    steps_per_epoch: usize,
    step: usize,
}

impl Schedule {
    /// The schedule of a training of `steps` steps of the optimizer, `steps_per_epoch` in each epoch.
    pub fn new(settings: &Settings, steps: usize, steps_per_epoch: usize) -> Self {
        Self {
            kind: settings.schedule.clone(),
            warmup: settings.warmup,
            learning_rate: settings.learning_rate,
            steps,
            steps_per_epoch,
            step: 0,
        }
    }

    /// The learning rate of the step `step`, from 0.
    pub fn learning_rate(&self, step: usize) -> LearningRate {
        self.learning_rate
            * factor(
                &self.kind,
                self.warmup,
                step,
                self.steps,
                self.steps_per_epoch,
            )
    }
}

/// What the learning rate of a step is multiplied by: see [`Schedule`]. `step` counts from 0, and `steps` is how many
/// there are in all.
///
/// ```
/// use damper::schedule::factor;
/// use damper::ir::ScheduleKind;
///
/// let cosine = ScheduleKind::Cosine { end: 0.0.into() };
/// assert_eq!(factor(&cosine, 0.0, 0, 100, 10), 1.0);
/// assert_eq!(factor(&cosine, 0.0, 50, 100, 10), 0.5);
/// assert_eq!(factor(&cosine, 0.0, 200, 100, 10), 0.0);
/// assert_eq!(factor(&cosine, 0.1, 4, 100, 10), 5.0 / 11.0);
/// ```
#[doc(hidden)]
pub fn factor(
    kind: &ScheduleKind,
    warmup: f64,
    step: usize,
    steps: usize,
    steps_per_epoch: usize,
) -> f64 {
    let rising = match kind {
        ScheduleKind::OneCycle { .. } => 0,
        _ => (warmup.clamp(0.0, 1.0) * steps as f64).round() as usize,
    };
    let rise = if step < rising {
        (step + 1) as f64 / (rising + 1) as f64
    } else {
        1.0
    };
    let share = fraction_done(step.saturating_sub(rising), steps.saturating_sub(rising));
    let epoch = step.min(steps.saturating_sub(1)) / steps_per_epoch.max(1);
    rise * match kind {
        ScheduleKind::Constant => 1.0,
        ScheduleKind::Cosine { end } => cosine(1.0, end.number(), share),
        ScheduleKind::Linear { end } => 1.0 + (end.number() - 1.0) * share,
        ScheduleKind::Step { every, factor } => {
            let falls = epoch / every.size().unwrap_or(1).max(1);
            factor.number().powf(falls as f64)
        }
        ScheduleKind::Exponential { factor } => factor.number().powf(epoch as f64),
        ScheduleKind::OneCycle {
            rise,
            divide,
            final_divide,
        } => one_cycle(
            (step as f64, steps as f64),
            rise.number(),
            divide.number(),
            final_divide.number(),
        ),
    }
}

/// How much of `steps` is over, in [0, 1].
fn fraction_done(step: usize, steps: usize) -> f64 {
    if step >= steps {
        1.0
    } else {
        step as f64 / steps as f64
    }
}

/// Half a cosine from `start` to `end`.
fn cosine(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) * f64::midpoint(1.0, (PI * share).cos())
}

/// As PyTorch's `OneCycleLR`: the highest rate is at step `rise * steps - 1`, the lowest at `steps - 1`.
fn one_cycle((step, steps): (f64, f64), rise: f64, divide: f64, final_divide: f64) -> f64 {
    let (first, top, last) = (divide.recip(), rise * steps - 1.0, steps - 1.0);
    if step <= top && top > 0.0 {
        cosine(first, 1.0, step / top)
    } else if step < last {
        cosine(1.0, first / final_divide, (step - top) / (last - top))
    } else {
        first / final_divide
    }
}

impl LrScheduler for Schedule {
    fn step(&mut self) -> LearningRate {
        let learning_rate = self.learning_rate(self.step);
        self.step += 1;
        learning_rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("step", self.step)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(step) = record.scalar("step") {
            self.step = step;
        }
    }
}
