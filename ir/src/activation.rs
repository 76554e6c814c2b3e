//! The activation functions, and what the rules need to know of each.

use crate::Value;
use serde::{Deserialize, Serialize};

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
    ($($(#[$doc:meta])* $kind:ident = $word:literal ($($name:literal = $default:literal),*);)*) => {
        /// Every activation that burn offers and that keeps the shape (`glu` halves the last axis).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ActivationKind {
            $($(#[$doc])* $kind,)*
        }

        impl ActivationKind {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The word of the language.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// The arguments, positional or named, with their defaults.
            pub const fn arguments(self) -> &'static [(&'static str, f64)] {
                match self { $(Self::$kind => &[$(($name, $default)),*],)* }
            }
        }
    };
}

activations! {
    /// `max(x, 0)`
    Relu = "relu" ();
    /// `x` where positive, else `slope * x`
    LeakyRelu = "leaky_relu" ("slope" = 0.01);
    /// `min(max(x, 0), 6)`
    Relu6 = "relu6" ();
    /// `x` where positive, else a random slope in training and the mean slope at inference (`RReLU`, arXiv 1505.00853)
    Rrelu = "rrelu" ("lower" = 0.125, "upper" = 0.333_333_333_333_333_3);
    /// `x` where positive, else a learned slope times `x` (He et al., arXiv 1502.01852)
    Prelu = "prelu" ("init" = 0.25);
    /// `x` where positive, else `alpha * (exp(x) - 1)`
    Elu = "elu" ("alpha" = 1.0);
    /// The continuously differentiable ELU
    Celu = "celu" ("alpha" = 1.0);
    /// The self-normalising ELU (Klambauer et al., arXiv 1706.02515)
    Selu = "selu" ();
    /// `x * Phi(x)`
    Gelu = "gelu" ();
    /// The tanh approximation of `gelu`
    GeluApproximate = "gelu_approximate" ();
    /// `x * sigmoid(x)`, also called swish
    Silu = "silu" ();
    /// `x * tanh(softplus(x))`
    Mish = "mish" ();
    /// `1 / (1 + exp(-x))`
    Sigmoid = "sigmoid" ();
    /// `log(sigmoid(x))`
    LogSigmoid = "log_sigmoid" ();
    /// `clamp(alpha * x + beta, 0, 1)`
    HardSigmoid = "hard_sigmoid" ("alpha" = 0.2, "beta" = 0.5);
    /// `x * hard_sigmoid(x)` with slope 1/6
    HardSwish = "hard_swish" ();
    /// The hyperbolic tangent
    Tanh = "tanh" ();
    /// `clamp(x, min, max)`
    Hardtanh = "hardtanh" ("min" = -1.0, "max" = 1.0);
    /// `x - tanh(x)`
    Tanhshrink = "tanhshrink" ();
    /// `log(1 + exp(beta * x)) / beta`
    Softplus = "softplus" ("beta" = 1.0);
    /// `x / (1 + |x|)`
    Softsign = "softsign" ();
    /// `x` where above `alpha`, else 0
    ThresholdedRelu = "thresholded_relu" ("alpha" = 1.0);
    /// `x` where above `threshold`, else `value`
    Threshold = "threshold" ("threshold" = 1.0, "value" = 0.0);
    /// `x` where `|x| > lambda`, else 0
    HardShrink = "hard_shrink" ("lambda" = 0.5);
    /// Moves `x` towards 0 by `lambda`, to 0 inside
    SoftShrink = "soft_shrink" ("lambda" = 0.5);
    /// As `hard_shrink`, and moved towards 0 by `bias`
    Shrink = "shrink" ("lambda" = 0.5, "bias" = 0.0);
    /// Halves the last axis: the first half times the sigmoid of the second
    Glu = "glu" ();
    /// Probabilities over the last axis
    Softmax = "softmax" ();
    /// Logarithms of the probabilities over the last axis
    LogSoftmax = "log_softmax" ();
    /// `softmax(-x)`
    Softmin = "softmin" ();
    /// `softmax` with one more, silent, unit
    QuietSoftmax = "quiet_softmax" ();
}

impl ActivationKind {
    /// The activation that a word of the language names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Whether the activation is a field of the generated struct: it has arguments or weights.
    pub const fn has_state(self) -> bool {
        !self.arguments().is_empty()
    }
}

/// What rules need to know of an activation.
impl ActivationKind {
    /// Probabilities that sum to one over the features (or to at most one).
    pub const fn is_softmax(self) -> bool {
        matches!(self, Self::Softmax | Self::Softmin | Self::QuietSoftmax)
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

impl Activation {
    /// An argument's number: what was given, else the default; `None` if only the compiler knows it.
    fn argument(&self, index: usize) -> Option<f64> {
        match self.arguments.get(index) {
            Some(value) => value.known,
            None => self
                .kind
                .arguments()
                .get(index)
                .map(|(_, default)| *default),
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

    /// The least and the greatest value it can give; infinite where there is none or it is not known.
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
