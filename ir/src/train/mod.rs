//! The `train` section: what may be set, what was set, and the plain numbers with all defaults.

pub mod optimizer;
pub mod schedule;
pub mod settings;

use crate::words::{Argument, Kind, Unwritten, Usual, choice, words};
use crate::{Id, LintLevel, MetricKind, Value, no};
use optimizer::Optimizer;
use schedule::Schedule;
use serde::{Deserialize, Serialize};

words! {
    /// The settings of `train`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Setting;

    /// The optimizer: `optimizer: adamw(lr = 1e-3)`, which is also the default.
    optimizer = Optimizer;

    /// How the learning rate changes: `schedule: cosine(warmup = 0.05)`. The default is `constant`.
    schedule = Schedule;

    /// Passes over the training data: `epochs: 30`. The default is 10.
    epochs = Epochs;

    /// Samples in a batch: `batch: 64`. The default is 32.
    batch = Batch;

    /// Whether the last, short batch of an epoch is left out: `drop_last: true`. The default is `false`.
    drop_last = DropLast;

    /// Whether each epoch takes the training samples in another order: `shuffle: false` keeps that of the data. The default is `true`.
    shuffle = Shuffle;

    /// The seed of weights, sample order and dropout: `seed: 42`, which is also the default. The same seed gives the same run.
    seed = Seed;

    /// Clips gradients: `clip(norm = x)` by their global L2 norm, `clip(value = x)` each number by its absolute value.
    clip = Clip [
        /// The largest L2 norm of all gradients together.
        norm = optional(Kind::Float).range(Range::Positive)
            .usual(0.01, 500.0, 1.0, "0.25 to 5 for language models (Pascanu et al., arXiv 1211.5063), 35 for detection, 400 for speech"),
        /// The largest absolute value of a gradient.
        value = optional(Kind::Float).range(Range::Positive)
            .usual(1e-4, 100.0, 0.5, "0.5 to 5 (Pascanu et al., arXiv 1211.5063)"),
    ];

    /// Ends training after `patience` epochs without improvement on the validation data, and restores the best weights.
    early_stop(patience) = EarlyStop [
        /// Epochs without improvement before training ends.
        patience = required(Kind::Size),
        /// What must improve: `loss` (the default) or a metric.
        metric = optional(Kind::Metric),
        /// By how much it must improve.
        min_delta = float(0.0).range(Range::NotNegative)
            .usual(0.0, 0.1, 1e-3, "Keras and Lightning have 0; a loss of 1 improves by hundredths in an epoch"),
    ];

    /// Batches whose gradients are averaged into one step: `accumulate: 4`. The default is 1.
    accumulate = Accumulate;

    /// Mixes every training batch with itself in another order, inputs and targets, by a share from Beta(`alpha`, `alpha`)
    /// (Zhang et al., arXiv 1710.09412). With `cutmix` as well, each batch takes one of the two. Training metrics compare with
    /// the larger share.
    mixup(alpha) = Mixup [
        /// Both parameters of the Beta distribution.
        alpha = required(Kind::Float).range(Range::Positive)
            .usual(0.01, 8.0, 0.2, "the paper has 0.1 to 0.4 for ImageNet and 1 for CIFAR (arXiv 1710.09412)"),
    ];

    /// Replaces a rectangle of every training image by that of another image; the targets are mixed by area (Yun et al.,
    /// arXiv 1905.04899).
    cutmix(alpha) = Cutmix [
        /// Both parameters of the Beta distribution; the paper's is 1.
        alpha = required(Kind::Float).range(Range::Positive)
            .usual(0.01, 8.0, 1.0, "the paper has 1 (arXiv 1905.04899)"),
    ];

    /// Keeps an exponential moving average of weights and running statistics: after each step
    /// `decay * average + (1 - decay) * weight`. Validation, early stopping and the final model use the average.
    ///
    /// In the beginning the decay is `(1 + n) / (10 + n)` after `n` steps, if that is less.
    ema(decay) = Ema [
        /// The share of the average that is kept.
        decay = required(Kind::Float).range(Range::Between).called("the decay")
            .usual(0.9, 0.999_999, 0.999, "0.99 to 0.9999 (Tarvainen and Valpola, arXiv 1703.01780)"),
    ];

    /// The mean of the weights at the ends of the epochs from this one on (Izmailov et al., arXiv 1803.05407). Validation and
    /// the final model use the mean; the running statistics of batch norm are recomputed on the training samples.
    swa(from_epoch) = Swa [
        /// The first epoch whose weights enter the mean.
        from_epoch = required(Kind::Size).called("the first epoch"),
    ];

    /// The learning rate of a layer is `factor` times that of the next one; the last layer has the declared one (Bao et al.,
    /// arXiv 2106.08254).
    layer_decay(factor) = LayerDecay [
        /// The factor from one layer to the one before it.
        factor = required(Kind::Float).range(Range::UpToOne).called("the factor")
            .usual(0.4, 1.0, 0.75, "0.65 to 0.9 in BEiT (arXiv 2106.08254) and ELECTRA (arXiv 2003.10555)"),
    ];

    /// Changes training images `[channels, height, width]` at random, anew in each epoch.
    augment = Augment [
        /// Images are moved by up to so many pixels; zeros come in.
        shift = optional(Kind::Whole),
        /// Whether one image in two is mirrored left to right.
        flip = optional(Kind::Bool),
        /// Images are moved by up to so many pixels; the border is repeated.
        crop = optional(Kind::Whole),
        /// The probability that a rectangle becomes 0 (Zhong et al., arXiv 1708.04896).
        erase = optional(Kind::Float).range(Range::Share)
            .usual(0.0, 0.6, 0.25, "0.5 in the paper (arXiv 1708.04896), 0.1 to 0.25 in the recipes of torchvision and timm"),
    ];

    /// Where training runs if no device is given: `backend: wgpu`. A compile error where that cargo feature is off.
    backend = Backend;
}

/// How a setting of `train` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name: value`
    Value(Kind),
    /// `name: optimizer(..)`
    Optimizer,
    /// `name: schedule(..)`
    Schedule,
    /// `name: backend`
    Backend,
    /// `name(arguments)`
    Call,
}

impl Setting {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().filter_map(|word| Self::read(&Unwritten(word)))
    }

    /// The setting of this name.
    pub fn from_word(name: &str) -> Option<Self> {
        crate::words::find(WORDS, name).and_then(|word| Self::read(&Unwritten(word)))
    }

    /// How it is written.
    pub const fn form(self) -> Form {
        match self {
            Self::Optimizer => Form::Optimizer,
            Self::Schedule => Form::Schedule,
            Self::Epochs | Self::Batch | Self::Accumulate => Form::Value(Kind::Size),
            Self::Seed => Form::Value(Kind::Whole),
            Self::DropLast | Self::Shuffle => Form::Value(Kind::Bool),
            Self::Backend => Form::Backend,
            Self::Clip
            | Self::EarlyStop
            | Self::Mixup
            | Self::Cutmix
            | Self::Ema
            | Self::Swa
            | Self::LayerDecay
            | Self::Augment => Form::Call,
        }
    }

    /// What is usual for a setting that is one number, where such a range is known; those of arguments stand at the arguments.
    pub const fn usual(self) -> Option<Usual> {
        match self {
            Self::Accumulate => Some(Usual::new(
                1.0,
                256.0,
                4.0,
                "a step in place of so many: 256 batches of 32 are more than the largest batches of Goyal et al. (arXiv 1706.02677)",
            )),
            _ => None,
        }
    }

    /// An example of it.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Optimizer => "optimizer: adamw(lr = 1e-3)",
            Self::Schedule => "schedule: cosine(warmup = 0.05)",
            Self::Epochs => "epochs: 30",
            Self::Batch => "batch: 64",
            Self::DropLast => "drop_last: true",
            Self::Shuffle => "shuffle: false",
            Self::Seed => "seed: 42",
            Self::Clip => "clip(norm = 1.0)",
            Self::EarlyStop => "early_stop(patience = 5)",
            Self::Accumulate => "accumulate: 4",
            Self::Mixup => "mixup(0.2)",
            Self::Cutmix => "cutmix(1.0)",
            Self::Ema => "ema(0.999)",
            Self::Swa => "swa(20)",
            Self::LayerDecay => "layer_decay(0.75)",
            Self::Augment => "augment(shift = 2, flip = true)",
            Self::Backend => "backend: flex",
        }
    }
}

choice!(Backend: "flex" = Flex, "ndarray" = Ndarray, "wgpu" = Wgpu);

impl Train {
    /// Takes the value of a setting that is one number: `epochs: 30`, `mixup(0.2)`. Whether it is.
    pub fn set(&mut self, setting: Setting, value: Value) -> bool {
        let place = match setting {
            Setting::Epochs => &mut self.epochs,
            Setting::Batch => &mut self.batch,
            Setting::DropLast => &mut self.drop_last,
            Setting::Shuffle => &mut self.shuffle,
            Setting::Seed => &mut self.seed,
            Setting::Accumulate => &mut self.accumulate,
            Setting::Mixup => &mut self.mixup,
            Setting::Cutmix => &mut self.cutmix,
            Setting::Ema => &mut self.ema,
            Setting::Swa => &mut self.swa,
            Setting::LayerDecay => &mut self.layer_decay,
            Setting::Optimizer
            | Setting::Schedule
            | Setting::Clip
            | Setting::EarlyStop
            | Setting::Augment
            | Setting::Backend => return false,
        };
        *place = Some(value);
        true
    }

    /// Every value that is an argument of a setting, with its argument and where the setting is.
    pub(crate) fn each_argument(
        &self,
        act: &mut dyn FnMut(Setting, &'static Argument, &Value, Id),
    ) {
        let early_stop = self.early_stop.as_ref();
        let augment = self.augment.as_ref();
        let stop_id = early_stop.map_or(self.id, |stop| stop.id);
        let augment_id = augment.map_or(self.id, |augment| augment.id);
        let of_stop = |value: fn(&EarlyStop) -> Value| early_stop.map(value);
        let of_augment = |value: fn(&Augment) -> Option<Value>| augment.and_then(value);
        let all = [
            (Setting::Clip, "norm", self.clip_norm, self.id),
            (Setting::Clip, "value", self.clip_value, self.id),
            (
                Setting::EarlyStop,
                "patience",
                of_stop(|stop| stop.patience),
                stop_id,
            ),
            (
                Setting::EarlyStop,
                "min_delta",
                of_stop(|stop| stop.min_delta),
                stop_id,
            ),
            (Setting::Mixup, "alpha", self.mixup, self.id),
            (Setting::Cutmix, "alpha", self.cutmix, self.id),
            (Setting::Ema, "decay", self.ema, self.id),
            (Setting::Swa, "from_epoch", self.swa, self.id),
            (Setting::LayerDecay, "factor", self.layer_decay, self.id),
            (
                Setting::Augment,
                "shift",
                of_augment(|it| it.shift),
                augment_id,
            ),
            (
                Setting::Augment,
                "crop",
                of_augment(|it| it.crop),
                augment_id,
            ),
            (
                Setting::Augment,
                "erase",
                of_augment(|it| it.erase),
                augment_id,
            ),
        ];
        for (setting, name, value, id) in all {
            let argument = crate::words::of(WORDS, setting.word()).argument(name);
            if let (Some(argument), Some(value)) = (argument, value) {
                act(setting, argument, &value, id);
            }
        }
    }

    /// Switches a setting off, or back to its default.
    pub fn clear(&mut self, setting: Setting) {
        match setting {
            Setting::Optimizer => self.optimizer = None,
            Setting::Schedule => self.schedule = None,
            Setting::Epochs => self.epochs = None,
            Setting::Batch => self.batch = None,
            Setting::DropLast => self.drop_last = None,
            Setting::Shuffle => self.shuffle = None,
            Setting::Seed => self.seed = None,
            Setting::Clip => (self.clip_norm, self.clip_value) = (None, None),
            Setting::EarlyStop => self.early_stop = None,
            Setting::Accumulate => self.accumulate = None,
            Setting::Mixup => self.mixup = None,
            Setting::Cutmix => self.cutmix = None,
            Setting::Ema => self.ema = None,
            Setting::Swa => self.swa = None,
            Setting::LayerDecay => self.layer_decay = None,
            Setting::Augment => self.augment = None,
            Setting::Backend => self.backend = None,
        }
    }

    /// Takes the arguments of a setting that has some: `clip(norm = 1.0)`. `id` is its call.
    pub fn read(&mut self, setting: Setting, id: Id, from: &dyn crate::words::Read) {
        let of = |name| from.optional(name);
        match setting {
            Setting::Clip => (self.clip_norm, self.clip_value) = (of("norm"), of("value")),
            Setting::EarlyStop => {
                self.early_stop = Some(EarlyStop {
                    id,
                    patience: from.value("patience"),
                    metric: from.call("metric").and_then(MetricKind::read),
                    min_delta: from.value("min_delta"),
                });
            }
            Setting::Augment => {
                self.augment = Some(Augment {
                    id,
                    shift: of("shift"),
                    flip: of("flip"),
                    crop: of("crop"),
                    erase: of("erase"),
                });
            }
            // These are one number.
            Setting::Epochs
            | Setting::Batch
            | Setting::DropLast
            | Setting::Shuffle
            | Setting::Seed
            | Setting::Accumulate
            | Setting::Mixup
            | Setting::Cutmix
            | Setting::Ema
            | Setting::Swa
            | Setting::LayerDecay => {
                let only = from.word().arguments.first();
                if let Some(value) = only.and_then(|only| of(only.name)) {
                    self.set(setting, value);
                }
            }
            // These have words of their own.
            Setting::Optimizer | Setting::Schedule | Setting::Backend => {}
        }
    }
}

/// The `train` section; what was not written is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Train {
    /// The word `train`.
    #[serde(skip)]
    pub id: Id,
    /// `optimizer: adamw(lr = 1e-3)`
    #[serde(skip_serializing_if = "no")]
    pub optimizer: Option<Optimizer>,
    /// `schedule: cosine(warmup = 0.05)`
    #[serde(skip_serializing_if = "no")]
    pub schedule: Option<Schedule>,
    /// Passes over the training data.
    #[serde(skip_serializing_if = "no")]
    pub epochs: Option<Value>,
    /// Samples in a batch.
    #[serde(skip_serializing_if = "no")]
    pub batch: Option<Value>,
    /// Whether the last, short batch is left out.
    #[serde(skip_serializing_if = "no")]
    pub drop_last: Option<Value>,
    /// Whether each epoch takes the samples in another order.
    #[serde(skip_serializing_if = "no")]
    pub shuffle: Option<Value>,
    /// The seed of everything random.
    #[serde(skip_serializing_if = "no")]
    pub seed: Option<Value>,
    /// `clip(norm = x)`: the largest global L2 norm of the gradients.
    #[serde(skip_serializing_if = "no")]
    pub clip_norm: Option<Value>,
    /// `clip(value = x)`: the largest absolute value of a gradient.
    #[serde(skip_serializing_if = "no")]
    pub clip_value: Option<Value>,
    /// `early_stop(patience = 5)`
    #[serde(skip_serializing_if = "no")]
    pub early_stop: Option<EarlyStop>,
    /// `accumulate: n`: batches whose gradients are averaged into one step.
    #[serde(skip_serializing_if = "no")]
    pub accumulate: Option<Value>,
    /// `mixup(alpha)`: samples and targets are mixed in pairs (arXiv 1710.09412).
    #[serde(skip_serializing_if = "no")]
    pub mixup: Option<Value>,
    /// `cutmix(alpha)`: a rectangle of another image, and its share of the target (arXiv 1905.04899).
    #[serde(skip_serializing_if = "no")]
    pub cutmix: Option<Value>,
    /// `ema(decay)`: the model is the exponential moving average of the weights.
    #[serde(skip_serializing_if = "no")]
    pub ema: Option<Value>,
    /// `swa(from_epoch)`: the model is the mean of the weights from this epoch on (arXiv 1803.05407).
    #[serde(skip_serializing_if = "no")]
    pub swa: Option<Value>,
    /// `layer_decay(factor)`: the learning rate of a layer is `factor` times that of the next one.
    #[serde(skip_serializing_if = "no")]
    pub layer_decay: Option<Value>,
    /// `augment(shift = 2, flip = true, crop = 4, erase = 0.25)`: images are varied while training.
    #[serde(skip_serializing_if = "no")]
    pub augment: Option<Augment>,
    /// `backend: wgpu`
    #[serde(skip_serializing_if = "no")]
    pub backend: Option<Backend>,
    /// Lint levels on the section.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// How images are varied while training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augment {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Moved by up to so many pixels along each axis; zeros come in.
    #[serde(skip_serializing_if = "no")]
    pub shift: Option<Value>,
    /// Mirrored left to right with probability one half.
    #[serde(skip_serializing_if = "no")]
    pub flip: Option<Value>,
    /// Padded by so many pixels that repeat the border, then cut out at a random place.
    #[serde(skip_serializing_if = "no")]
    pub crop: Option<Value>,
    /// With this probability a random rectangle becomes 0 (arXiv 1708.04896).
    #[serde(skip_serializing_if = "no")]
    pub erase: Option<Value>,
}

/// The backends, each a cargo feature of `damper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Pure Rust on the CPU.
    Flex,
    /// `ndarray` on the CPU.
    Ndarray,
    /// The GPU through wgpu.
    Wgpu,
}

/// `early_stop(patience, metric, min_delta)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Epochs without improvement before training ends.
    pub patience: Value,
    /// What must improve; `None` for the validation loss.
    #[serde(default, skip_serializing_if = "no")]
    pub metric: Option<MetricKind>,
    /// What counts as an improvement.
    pub min_delta: Value,
}

/// Five epochs without improvement of the validation loss: for programs that ask for early stopping by its metric alone.
impl Default for EarlyStop {
    fn default() -> Self {
        Self {
            id: Id::NONE,
            patience: Value::known(DEFAULT_PATIENCE as f64),
            metric: None,
            min_delta: Value::known(0.0),
        }
    }
}

const DEFAULT_PATIENCE: usize = 5;

/// Passes over the training data where `epochs` is not written.
pub(crate) const DEFAULT_EPOCHS: usize = 10;
