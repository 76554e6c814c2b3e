//! The activation functions, and what the rules need to know of each.

use super::{Call, Field, Incoming, Inside, Operation, Type, Written};
use crate::words::{Argument, call, shown};
use crate::{Layout, Role, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An activation with its arguments, in the order of [`ActivationKind::arguments`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// Which function.
    pub kind: ActivationKind,
    /// Its arguments, one for each of [`ActivationKind::arguments`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Value>,
}

macro_rules! activations {
    ($(
        $(#[doc = $doc:literal])+
        $word:ident $(($($parameter:ident),*))? = $Kind:ident
        $({ $($(#[doc = $about:literal])+ $argument:ident = $value:expr),* $(,)? })?;
    )*) => {
        /// Every activation that burn offers and that keeps the shape (`glu` halves the features).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ActivationKind {
            $($(#[doc = $doc])+ $Kind,)*
        }

        crate::words::pages! {
            $(
                $(#[doc = $doc])+
                $word $(($($parameter),*))? $({ $($(#[doc = $about])+ $argument = $value),* })?;
            )*
        }

        impl ActivationKind {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$Kind,)*];

            /// The word of the language.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$Kind => stringify!($word),)* }
            }

            /// What burn calls its module.
            #[allow(unreachable_patterns, reason = "two are spelled differently")]
            const fn module(self) -> &'static str {
                match self {
                    Self::Rrelu => "RRelu",
                    Self::Prelu => "PRelu",
                    $(Self::$Kind => stringify!($Kind),)*
                }
            }
        }
    };
}

activations! {
    /// `max(x, 0)` (Nair and Hinton 2010).
    ///
    /// Dropout after it and before it do the same.
    relu = Relu;

    /// `x` where positive, else `slope * x`.
    ///
    /// Never quite dead: a gradient passes everywhere.
    leaky_relu(slope) = LeakyRelu {
        /// The slope below zero.
        slope = float(0.01).positional().usual(0.0, 0.5, 0.01, "0.01 to 0.33 was compared (Xu et al., arXiv 1505.00853)"),
    };

    /// `min(max(x, 0), 6)`.
    ///
    /// A `relu` that 8-bit arithmetic can hold.
    relu6 = Relu6;

    /// `x` where positive, else a random slope times `x` (Xu et al., arXiv 1505.00853).
    ///
    /// Keeps the shape. The slope is drawn for each value while training, and is the mean of the bounds at inference.
    rrelu(lower, upper) = Rrelu {
        /// The smallest slope below zero.
        lower = float(0.125).positional().usual(0.0, 1.0, 0.125, "the paper has 1/8 and 1/3 (arXiv 1505.00853)"),
        /// The largest slope below zero.
        upper = float(0.333_333_333_333_333_3).positional().usual(0.0, 1.0, 0.333_333_333_333_333_3, "the paper has 1/8 and 1/3 (arXiv 1505.00853)"),
    };

    /// `x` where positive, else a learned slope times `x` (He et al., arXiv 1502.01852).
    ///
    /// Keeps the shape. Parameter: `alpha`; decay and penalties do not reach it.
    prelu(init) = Prelu {
        /// The slope below zero before training.
        init = float(0.25).positional().usual(0.0, 1.0, 0.25, "the paper begins with 0.25 (arXiv 1502.01852)"),
    };

    /// `x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al., arXiv 1511.07289).
    ///
    /// Saturates at `-alpha`.
    elu(alpha) = Elu {
        /// The limit below zero is `-alpha`.
        alpha = float(1.0).positional().usual(0.0, 5.0, 1.0, "the paper has 1 (arXiv 1511.07289)"),
    };

    /// `x` where positive, else `alpha * (exp(x / alpha) - 1)` (Barron, arXiv 1704.07483).
    ///
    /// Smooth for every `alpha`.
    celu(alpha) = Celu {
        /// The limit below zero is `-alpha`.
        alpha = float(1.0).positional().range(Range::Positive).usual(0.01, 5.0, 1.0, "the paper has 1 (arXiv 1704.07483)"),
    };

    /// `scale * (x where positive, else alpha * (exp(x) - 1))` (Klambauer et al., arXiv 1706.02515).
    ///
    /// Keeps mean 0 and variance 1 over depth; its dropout is `alpha_dropout`.
    selu = Selu;

    /// `x * Phi(x)` with the normal distribution function (Hendrycks and Gimpel, arXiv 1606.08415).
    ///
    /// The usual choice in transformers.
    gelu = Gelu;

    /// The tanh approximation of `gelu`.
    ///
    /// What older transformer weights were trained with.
    gelu_approximate = GeluApproximate;

    /// `x * sigmoid(x)`, also called swish (Elfwing et al., arXiv 1702.03118).
    ///
    /// Smooth, not monotonic.
    silu = Silu;

    /// `x * tanh(log(1 + exp(x)))` (Misra, arXiv 1908.08681).
    ///
    /// Smooth, not monotonic.
    mish = Mish;

    /// `1 / (1 + exp(-x))`: in (0, 1).
    ///
    /// Not before `loss binary_cross_entropy`, which has its own; `predict` applies it.
    sigmoid = Sigmoid;

    /// `log(sigmoid(x))`, without overflow.
    ///
    /// Below 0.
    log_sigmoid = LogSigmoid;

    /// `clamp(alpha * x + beta, 0, 1)`.
    ///
    /// A cheap `sigmoid`.
    hard_sigmoid(alpha, beta) = HardSigmoid {
        /// The slope at 0.
        alpha = float(0.2).positional().usual(0.05, 1.0, 0.2, "0.2 in Theano and Keras, 1/6 in PyTorch"),
        /// The value at 0.
        beta = float(0.5).positional().usual(0.0, 1.0, 0.5, "0.5: one half at 0, as `sigmoid`"),
    };

    /// `x * clamp(x / 6 + 1 / 2, 0, 1)` (Howard et al., arXiv 1905.02244).
    ///
    /// A cheap `silu`.
    hard_swish = HardSwish;

    /// The hyperbolic tangent: in (-1, 1).
    ///
    /// Saturates on both sides.
    tanh = Tanh;

    /// `clamp(x, min, max)`.
    ///
    /// A cheap `tanh`.
    hardtanh(min, max) = Hardtanh {
        /// The smallest output.
        min = float(-1.0).positional().usual(-100.0, 100.0, -1.0, "1 in PyTorch, 20 in DeepSpeech (arXiv 1412.5567)"),
        /// The largest output.
        max = float(1.0).positional().usual(-100.0, 100.0, 1.0, "1 in PyTorch, 20 in DeepSpeech (arXiv 1412.5567)"),
    };

    /// `x - tanh(x)`.
    ///
    /// Flat at 0.
    tanhshrink = Tanhshrink;

    /// `log(1 + exp(beta * x)) / beta`.
    ///
    /// A smooth `relu`; above 0.
    softplus(beta) = Softplus {
        /// How sharply it bends at 0.
        beta = float(1.0).positional().range(Range::Positive).usual(0.01, 100.0, 1.0, "1 in PyTorch, 100 in networks of distances (arXiv 2106.10689)"),
    };

    /// `x / (1 + |x|)`: in (-1, 1).
    ///
    /// Saturates more slowly than `tanh`.
    softsign = Softsign;

    /// `x` where above `alpha`, else 0 (Konda et al., arXiv 1402.3337).
    ///
    /// Not continuous at `alpha`.
    thresholded_relu(alpha) = ThresholdedRelu {
        /// Below it, the output is 0.
        alpha = float(1.0).positional().usual(-10.0, 10.0, 1.0, "the paper has 1 (arXiv 1402.3337)"),
    };

    /// `x` where above `threshold`, else `value`.
    ///
    /// Not continuous.
    threshold(threshold, value) = Threshold {
        /// Below it, the output is `value`.
        threshold = float(1.0).positional().usual(-100.0, 100.0, 1.0, "values that a network passes on are of size 1 (He et al., arXiv 1502.01852)"),
        /// The output below `threshold`.
        value = float(0.0).positional().usual(-100.0, 100.0, 0.0, "values that a network passes on are of size 1 (He et al., arXiv 1502.01852)"),
    };

    /// `x` where `|x| > lambda`, else 0.
    ///
    /// Makes sparse values.
    hard_shrink(lambda) = HardShrink {
        /// Values of at most this size become 0.
        lambda = float(0.5).positional().range(Range::NotNegative).usual(0.0, 10.0, 0.5, "0.5 in PyTorch; values that a network passes on are of size 1"),
    };

    /// moves `x` towards 0 by `lambda`, to 0 inside.
    ///
    /// The proximal map of the absolute value.
    soft_shrink(lambda) = SoftShrink {
        /// By how much values move toward 0.
        lambda = float(0.5).positional().range(Range::NotNegative).usual(0.0, 10.0, 0.5, "0.5 in PyTorch; values that a network passes on are of size 1"),
    };

    /// 0 where `|x| <= lambda`, else `x` moved towards 0 by `bias`.
    ///
    /// Between `hard_shrink` and `soft_shrink`.
    shrink(lambda, bias) = Shrink {
        /// Values of at most this size become 0.
        lambda = float(0.5).positional().range(Range::NotNegative).usual(0.0, 10.0, 0.5, "0.5 in PyTorch; values that a network passes on are of size 1"),
        /// By how much other values move toward 0.
        bias = float(0.0).positional().usual(-10.0, 10.0, 0.0, "values that a network passes on are of size 1"),
    };

    /// The first half of the features times the sigmoid of the second (Dauphin et al., arXiv 1612.08083).
    ///
    /// Shapes: `[batch, .., 2 n]` to `[batch, .., n]`; of maps the channels, `[batch, 2 n, ..]` to `[batch, n, ..]`.
    glu = Glu;

    /// `exp(x_i) / sum_j exp(x_j)` over the features (of maps: the channels): probabilities.
    ///
    /// Not before `loss cross_entropy`, which has its own; `predict` applies it.
    softmax = Softmax;

    /// The logarithm of `softmax`, without overflow.
    ///
    /// With `loss cross_entropy(from = log_probabilities)`.
    log_softmax = LogSoftmax;

    /// `softmax(-x)` over the features (of maps: the channels).
    ///
    /// The smallest value gets the largest share.
    softmin = Softmin;

    /// `exp(x_i) / (1 + sum_j exp(x_j))` over the features (of maps: the channels).
    ///
    /// The shares may sum to less than 1.
    quiet_softmax = QuietSoftmax;
}

impl ActivationKind {
    /// The arguments, positional or named, with their defaults.
    pub fn arguments(self) -> &'static [Argument] {
        crate::words::of(WORDS, self.word()).arguments
    }

    /// The activation that a word of the language names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Whether the activation is a field of the generated struct: it has arguments or weights.
    pub fn has_state(self) -> bool {
        !self.arguments().is_empty()
    }
}

/// What rules need to know of an activation.
impl ActivationKind {
    /// Probabilities that sum to one over the features (or to at most one).
    pub const fn is_softmax(self) -> bool {
        matches!(self, Self::Softmax | Self::Softmin | Self::QuietSoftmax)
    }

    /// Whether it mixes the features of a position (of maps: the channels); all others read each number by itself.
    pub const fn mixes_features(self) -> bool {
        self.is_softmax() || matches!(self, Self::LogSoftmax | Self::Glu)
    }

    /// Each value on its own, into [0, 1].
    pub const fn is_sigmoid(self) -> bool {
        matches!(self, Self::Sigmoid | Self::HardSigmoid)
    }

    /// What turns class scores into (logarithms of) probabilities.
    pub const fn is_link(self) -> bool {
        self.is_softmax()
            || self.is_sigmoid()
            || matches!(self, Self::LogSoftmax | Self::LogSigmoid)
    }

    /// Zero for everything that is negative.
    pub const fn is_rectifier(self) -> bool {
        matches!(self, Self::Relu | Self::Relu6 | Self::ThresholdedRelu)
    }

    /// `f(f(x)) = f(x)`.
    pub const fn is_idempotent(self) -> bool {
        matches!(
            self,
            Self::Relu | Self::Relu6 | Self::Hardtanh | Self::HardShrink | Self::LogSoftmax
        )
    }

    /// `f(c x) = c f(x)` for `c > 0`, so that inverted dropout before and after it are the same.
    pub const fn is_homogeneous(self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu | Self::Prelu)
    }

    /// Its slope is nowhere above one quarter, so that gradients shrink in a stack.
    pub const fn is_saturating(self) -> bool {
        self.is_sigmoid()
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&call(self.kind.word(), &self.written()))
    }
}

impl Written for Activation {
    fn word(&self) -> &'static str {
        self.kind.word()
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        for (argument, value) in self.kind.arguments().iter().zip(&self.arguments) {
            act(argument, value);
        }
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        self.arguments.iter_mut().for_each(act);
    }

    fn written(&self) -> Vec<String> {
        let word = crate::words::of(WORDS, self.kind.word());
        let arguments = word.arguments.iter().zip(&self.arguments);
        arguments
            .filter_map(|(argument, value)| shown(value, word, argument.name))
            .collect()
    }
}

impl Operation for Activation {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self.kind, from.shape, from.layout)
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn parameters(&self, _: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let slope = Inside::new("alpha", Role::Slope, [Some(1)]);
        let learns = self.kind == ActivationKind::Prelu;
        learns.then_some(slope).into_iter().collect()
    }

    fn field(&self) -> Option<Field> {
        if !self.kind.has_state() {
            return None;
        }
        let name = self.kind.module();
        Some(match self.kind {
            ActivationKind::Prelu => Field::Weights(
                Type::burn(format!("nn::activation::{name}")).with_parameter("alpha"),
            ),
            // burn's draws other numbers, or has a gradient that overflows.
            ActivationKind::Rrelu | ActivationKind::Elu | ActivationKind::Celu => {
                Field::State(Type::damper(name))
            }
            _ => Field::State(Type::burn(format!("nn::activation::{name}"))),
        })
    }

    fn call(&self) -> Call {
        match self.kind {
            ActivationKind::Rrelu => Call::MethodWithPass,
            kind if kind.has_state() => Call::Method,
            _ => Call::Activation,
        }
    }
}

impl Activation {
    /// What was written.
    pub fn read(from: &dyn crate::words::Read) -> Option<Self> {
        let kind = ActivationKind::from_word(from.word().name)?;
        let arguments = kind.arguments().iter();
        Some(Self {
            kind,
            arguments: arguments
                .map(|argument| from.value(argument.name))
                .collect(),
        })
    }

    /// An argument's number: what was given, else the default; `None` if only the compiler knows it.
    fn argument(&self, index: usize) -> Option<f64> {
        match self.arguments.get(index) {
            Some(value) => value.known,
            None => self.kind.arguments().get(index).and_then(Argument::number),
        }
    }

    /// Whether a value of 0 stays 0; `None` if that depends on an unknown argument. Those that mix features
    /// (`softmax`) do not keep it.
    ///
    /// ```
    /// use damper_ir::{Activation, ActivationKind};
    ///
    /// let kind = |kind| Activation { kind, arguments: vec![] };
    /// assert_eq!(kind(ActivationKind::Relu).keeps_zero(), Some(true));
    /// assert_eq!(kind(ActivationKind::Sigmoid).keeps_zero(), Some(false));
    /// ```
    pub fn keeps_zero(&self) -> Option<bool> {
        Some(match self.kind {
            ActivationKind::HardSigmoid => self.argument(1)? <= 0.0,
            ActivationKind::Hardtanh => (self.argument(0)?..=self.argument(1)?).contains(&0.0),
            ActivationKind::Threshold => self.argument(0)? < 0.0 || self.argument(1)? == 0.0,
            kind => !kind.is_link() && kind != ActivationKind::Softplus,
        })
    }

    /// The smallest and the largest value it can give; infinite where there is no bound or it is not known.
    pub fn range(&self) -> (f64, f64) {
        let (none, any) = (f64::NEG_INFINITY, f64::INFINITY);
        let argument = |index, default| self.argument(index).unwrap_or(default);
        match self.kind {
            ActivationKind::Relu | ActivationKind::Softplus => (0.0, any),
            ActivationKind::ThresholdedRelu => (argument(0, none).min(0.0), any),
            ActivationKind::Relu6 => (0.0, 6.0),
            ActivationKind::Elu | ActivationKind::Celu => (-argument(0, any), any),
            ActivationKind::Selu => (-1.758, any),
            ActivationKind::Gelu | ActivationKind::GeluApproximate => (-0.17, any),
            ActivationKind::Silu => (-0.278, any),
            ActivationKind::Mish => (-0.309, any),
            ActivationKind::HardSwish => (-0.375, any),
            ActivationKind::Sigmoid
            | ActivationKind::HardSigmoid
            | ActivationKind::Softmax
            | ActivationKind::Softmin
            | ActivationKind::QuietSoftmax => (0.0, 1.0),
            ActivationKind::LogSigmoid | ActivationKind::LogSoftmax => (none, 0.0),
            ActivationKind::Tanh | ActivationKind::Softsign => (-1.0, 1.0),
            ActivationKind::Hardtanh => (argument(0, none), argument(1, any)),
            ActivationKind::Threshold => (argument(0, none).min(argument(1, none)), any),
            ActivationKind::LeakyRelu
            | ActivationKind::Rrelu
            | ActivationKind::Prelu
            | ActivationKind::Tanhshrink
            | ActivationKind::HardShrink
            | ActivationKind::SoftShrink
            | ActivationKind::Shrink
            | ActivationKind::Glu => (none, any),
        }
    }
}

/// An activation keeps the shape; `glu` halves the features, of maps the channels.
///
/// ```
/// use damper_ir::{ActivationKind, Layout, Shape};
/// use damper_ir::op::activation;
///
/// let row = Shape::known([64]);
/// assert_eq!(activation::shape(ActivationKind::Relu, &row, Layout::Features), Ok(row.clone()));
/// assert_eq!(activation::shape(ActivationKind::Glu, &row, Layout::Features), Ok(Shape::known([32])));
/// let line = Shape::known([64, 100]);
/// assert_eq!(activation::shape(ActivationKind::Glu, &line, Layout::Channels), Ok(Shape::known([32, 100])));
/// ```
///
/// # Errors
/// `glu` over an odd number of features.
///
/// ```
/// # use damper_ir::{ActivationKind, Layout, Shape};
/// # use damper_ir::op::activation;
/// let error = activation::shape(ActivationKind::Glu, &Shape::known([7]), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`glu` wants an even number of features, this value is [7]");
/// assert_eq!(error.help.as_deref(), Some("twice as many features as it shall give: `linear(8)`"));
/// let error = activation::shape(ActivationKind::Glu, &Shape::known([7, 8, 8]), Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`glu` wants an even number of channels, this value is [7, 8, 8]");
/// assert_eq!(
///     error.help.as_deref(),
///     Some("`conv2d(8, kernel = 1) -> glu`: twice as many channels as it shall give")
/// );
/// ```
pub fn shape(kind: ActivationKind, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    if input.rank() == 0 {
        return Err(ShapeError::new(format!(
            "`{}` wants [features], this value is {input}",
            kind.word()
        )));
    }
    if kind != ActivationKind::Glu {
        return Ok(input.clone());
    }
    let features_at = layout.class_axis(input.rank());
    let channels = layout == Layout::Channels && input.rank() > 1;
    let features = if channels { "channels" } else { "features" };
    match input.0.get(features_at).copied().flatten() {
        Some(odd) if odd % 2 == 1 => {
            let shape_error = ShapeError::new(format!(
                "`glu` wants an even number of {features}, this value is {input}"
            ));
            let even = odd + 1;
            Err(shape_error.help(if channels {
                let spatial = input.rank() - 1;
                format!(
                    "`conv{spatial}d({even}, kernel = 1) -> glu`: twice as many channels as it shall give"
                )
            } else {
                format!("twice as many features as it shall give: `linear({even})`")
            }))
        }
        size => {
            let mut axes = input.0.clone();
            if let Some(axis) = axes.get_mut(features_at) {
                *axis = size.map(|size| size / 2);
            }
            Ok(Shape(axes))
        }
    }
}
