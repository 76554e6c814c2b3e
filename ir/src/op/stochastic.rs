//! The operations that act on values while training and do nothing at inference.

use super::{Call, Field, Incoming, Operation, Type, Written};
use crate::words::{Argument, call, words};
use crate::{Shape, ShapeError, Value, no};
use serde::{Deserialize, Serialize};
use std::fmt;

words! {
    /// An operation on values that acts while training and is the identity at inference.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Stochastic;

    /// Sets single values to zero with this probability while training, and scales the others by `1 / (1 - rate)`
    /// (Srivastava et al. 2014). Does nothing at inference.
    ///
    /// `rate` is the probability of dropping, not of keeping. As an annotation it acts after the last activation of the
    /// statement, else at its end; `after NAME` or `before NAME` names another place. On a recurrent layer it acts between the
    /// stacked layers, as `nn.LSTM(dropout = p)` does. After the last weights it is `dropout_before_output`; next to a batch norm,
    /// `dropout_with_batch_norm`.
    dropout(rate) = Dropout {
        /// The probability of setting a value to zero, in `0..1`.
        rate: Value = rate(Kind::Float),
    };

    /// Dropout for `selu`: sets values to its negative saturation, then scales and shifts so that mean and variance stay
    /// (Klambauer et al., arXiv 1706.02515). Does nothing at inference.
    ///
    /// As an annotation it acts after the last activation of the statement.
    alpha_dropout(rate) = AlphaDropout {
        /// The probability of dropping a value, in `0..1`.
        rate: Value = rate(Kind::Float),
    };

    /// Multiplies by noise of mean 1 and variance `rate / (1 - rate)` while training (Srivastava et al. 2014). Does nothing at
    /// inference.
    ///
    /// As an annotation it acts after the last activation of the statement.
    gaussian_dropout(rate) = GaussianDropout {
        /// The rate of the dropout whose variance it has, in `0..1`.
        rate: Value = rate(Kind::Float),
    };

    /// Adds Gaussian noise of mean 0 while training. Does nothing at inference.
    ///
    /// As an annotation it acts after the last activation of the statement.
    noise(std) = Noise {
        /// The standard deviation.
        std: Value = required(Kind::Float).range(Range::NotNegative).called("the standard deviation")
            .usual(1e-4, 1.0, 0.1, "values that a network passes on have a standard deviation of about 1 (He et al., arXiv 1502.01852)"),
    };

    /// Drops the branch of a `residual` for whole samples while training, and scales the others by `1 / (1 - rate)`: stochastic
    /// depth (Huang et al., arXiv 1603.09382). Does nothing at inference.
    ///
    /// On a `residual`, or on a `repeat` of residuals: `drop_path(0.0..0.1)` raises the rate linearly over the copies.
    drop_path(rate) = DropPath {
        /// The probability of dropping a sample's branch, in `0..1`.
        rate: Value = rate(Kind::FloatOrRange),
    };

    /// Drops whole feature maps of each sample while training (Tompson et al., arXiv 1411.4280). Does nothing at inference.
    ///
    /// For `[channels, ..]`, where neighboring values are alike and `dropout` of single values does little.
    spatial_dropout(rate) = SpatialDropout {
        /// The probability of dropping a channel, in `0..1`.
        rate: Value = rate(Kind::Float),
    };

    /// Drops square regions of feature maps while training (Ghiasi et al., arXiv 1810.12890). Does nothing at inference.
    ///
    /// `drop_block(0.0..0.1, size = 7)` raises the share linearly over the training.
    drop_block(rate) = DropBlock {
        /// The share of the map that is dropped (at the end of training, for a range), in `0..1`.
        rate: Value = rate(Kind::FloatOrRange),
        /// The side of a region.
        size: Value = named(Kind::Size),
    } + {
        /// `drop_block(0.0..0.1, ..)`: the share at the beginning of training.
        #[serde(default, skip_serializing_if = "no")]
        first: Option<Value> = |from| from.low("rate"),
    };

    /// Drops features of a sequence with one mask for all steps while training (Gal and Ghahramani, arXiv 1512.05287). Does
    /// nothing at inference.
    ///
    /// On `lstm`, `gru` and `rnn` it acts on the input of each layer; with `recurrent = q` on the state as well.
    variational_dropout(rate) = VariationalDropout {
        /// The probability of dropping a feature, in `0..1`.
        rate: Value = rate(Kind::Float),
    } [
        /// On a recurrent layer: the rate on the state, in `0..1`.
        recurrent = optional(Kind::Float).range(Range::Rate),
    ];
}

impl Stochastic {
    /// The rate (for `noise` the standard deviation).
    pub const fn rate(&self) -> &Value {
        match self {
            Self::Dropout { rate }
            | Self::AlphaDropout { rate }
            | Self::GaussianDropout { rate }
            | Self::DropPath { rate }
            | Self::SpatialDropout { rate }
            | Self::DropBlock { rate, .. }
            | Self::VariationalDropout { rate } => rate,
            Self::Noise { std } => std,
        }
    }
}

impl Written for Stochastic {
    fn word(&self) -> &'static str {
        Self::word(self)
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        Self::each_value(self, act);
        if let Self::DropBlock {
            first: Some(low), ..
        } = self
        {
            crate::words::visit(crate::words::of(WORDS, "drop_block"), "rate", low, act);
        }
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        Self::each_value_mut(self, act);
        if let Self::DropBlock {
            first: Some(low), ..
        } = self
        {
            act(low);
        }
    }

    fn written(&self) -> Vec<String> {
        Self::written(self)
    }
}

impl Operation for Stochastic {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        Ok(from.shape.clone())
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Noise(Some(Type::damper(match self {
            Self::Dropout { .. } => "Dropout",
            Self::AlphaDropout { .. } => "AlphaDropout",
            Self::GaussianDropout { .. } => "GaussianDropout",
            Self::Noise { .. } => "GaussianNoise",
            Self::DropPath { .. } => "DropPath",
            Self::SpatialDropout { .. } => "SpatialDropout",
            Self::DropBlock { .. } => "DropBlock",
            Self::VariationalDropout { .. } => "VariationalDropout",
        }))))
    }

    fn call(&self) -> Call {
        Call::MethodWithPass
    }
}

impl fmt::Display for Stochastic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = self.written();
        if let (
            Self::DropBlock {
                first: Some(low), ..
            },
            Some(rate),
        ) = (self, written.first_mut())
        {
            *rate = format!("{low}..{rate}");
        }
        f.write_str(&call(self.word(), &written))
    }
}
