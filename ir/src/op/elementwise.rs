//! Functions of each number, and the identity.

use super::{Call, Field, Incoming, Operation, Type, Written};
use crate::words::{Argument, words};
use crate::{Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

words! {
    /// A function of each number that is no activation.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Elementwise;

    /// Each number times `factor`, which is not learned.
    ///
    /// Keeps the shape.
    scale(factor) = Scale {
        /// What each number is multiplied by.
        factor: Value = required(Kind::Float)
            .usual(-100.0, 100.0, 0.125, "from 1 / sqrt(features) (arXiv 1706.03762) to 64 (arXiv 1801.07698)"),
    };

    /// Each number plus `by`, which is not learned.
    ///
    /// Keeps the shape.
    shift(by) = Shift {
        /// What is added to each number.
        by: Value = required(Kind::Float)
            .usual(-100.0, 100.0, 1.0, "values inside of a network are of the order of 1"),
    };

    /// The size of each number, without its sign.
    ///
    /// Keeps the shape.
    abs = Abs;

    /// `e` to the power of each number.
    ///
    /// Keeps the shape. Above 88 it overflows in `f32`.
    exp = Exp;

    /// The natural logarithm of each number.
    ///
    /// Keeps the shape. Numbers must be above 0: 0 gives minus infinity, and those below NaN.
    log = Log;

    /// The square root of each number.
    ///
    /// Keeps the shape. Numbers must be above 0: at 0 the slope is infinite, and those below give NaN.
    sqrt = Sqrt;

    /// Each number times itself.
    ///
    /// Keeps the shape.
    square = Square;

    /// The sine of each number, in radians.
    ///
    /// Keeps the shape.
    sin = Sin;

    /// The cosine of each number, in radians.
    ///
    /// Keeps the shape.
    cos = Cos;

    /// The value as it is: a name for it, or a branch without an operation.
    ///
    /// Keeps the shape.
    identity = Identity;
}

impl Written for Elementwise {
    fn word(&self) -> &'static str {
        Self::word(self)
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        Self::each_value(self, act);
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        Self::each_value_mut(self, act);
    }

    fn written(&self) -> Vec<String> {
        Self::written(self)
    }
}

impl Operation for Elementwise {
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
        match self {
            Self::Scale { .. } => Some(Field::State(Type::damper("Scale"))),
            Self::Shift { .. } => Some(Field::State(Type::damper("Shift"))),
            _ => None,
        }
    }

    fn call(&self) -> Call {
        match self {
            Self::Scale { .. } | Self::Shift { .. } => Call::Method,
            Self::Identity => Call::Nothing,
            function => Call::OfTensor(Self::word(function)),
        }
    }
}
