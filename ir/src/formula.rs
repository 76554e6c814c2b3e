//! Arithmetic over what is known only where a block is used: its parameters, the sizes that arrive, the number of a copy.

use crate::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A value inside of a block that follows from names of the block: `expand * channels`, `if i == 0 { 2 } else { 1 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// A number, or a value that the generated code passes.
    Value(Value),
    /// A parameter of the block, an axis of its input, or the number of a copy.
    Name(String),
    /// `-x`
    Negative(Box<Formula>),
    /// `!x`
    Not(Box<Formula>),
    /// `x as usize`
    Size(Box<Formula>),
    /// `left operator right`
    Binary {
        /// What is done.
        operator: Operator,
        /// Whether both are whole numbers: a division then drops the rest, and no result is negative.
        #[serde(default, skip_serializing_if = "crate::no")]
        whole: bool,
        /// The left operand.
        left: Box<Formula>,
        /// The right operand.
        right: Box<Formula>,
    },
    /// `if condition { yes } else { no }`
    If {
        /// The condition.
        condition: Box<Formula>,
        /// The value where it is true.
        yes: Box<Formula>,
        /// The value where it is false.
        no: Box<Formula>,
    },
}

macro_rules! operators {
    ($($(#[doc = $doc:literal])+ $Operator:ident = $sign:literal),+ $(,)?) => {
        /// An operator between two values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Operator {
            $($(#[doc = $doc])+ #[serde(rename = $sign)] $Operator,)+
        }

        impl Operator {
            /// As it is written.
            pub const fn sign(self) -> &'static str {
                match self { $(Self::$Operator => $sign,)+ }
            }

            /// The operator that is written so.
            pub fn from_sign(sign: &str) -> Option<Self> {
                match sign { $($sign => Some(Self::$Operator),)+ _ => None }
            }
        }
    };
}

operators! {
    /// The sum.
    Add = "+",
    /// The difference.
    Subtract = "-",
    /// The product.
    Multiply = "*",
    /// The quotient.
    Divide = "/",
    /// The rest of a division.
    Remainder = "%",
    /// Whether both are equal.
    Equal = "==",
    /// Whether they differ.
    NotEqual = "!=",
    /// Whether the left one is smaller.
    Less = "<",
    /// Whether the left one is not larger.
    AtMost = "<=",
    /// Whether the left one is larger.
    Greater = ">",
    /// Whether the left one is not smaller.
    AtLeast = ">=",
    /// Whether both are true.
    And = "&&",
    /// Whether one of them is true.
    Or = "||",
}

/// Why arithmetic has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoResult {
    /// What is wrong, without the expression: `divides by zero`.
    pub why: String,
    /// What to change.
    pub help: &'static str,
}

impl NoResult {
    fn new(why: impl Into<String>, help: &'static str) -> Self {
        Self {
            why: why.into(),
            help,
        }
    }
}

impl Operator {
    /// Whether the result is a truth value.
    pub const fn is_comparison(self) -> bool {
        !matches!(
            self,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder
        )
    }

    /// The result; truth values are 0 and 1. Of whole numbers, a division drops the rest.
    ///
    /// # Errors
    ///
    /// What is wrong with a result that a `usize` cannot hold.
    ///
    /// ```
    /// use damper_ir::Operator;
    ///
    /// assert_eq!(Operator::Divide.of(7.0, 2.0, true), Ok(3.0));
    /// assert_eq!(Operator::Less.of(1.0, 2.0, true), Ok(1.0));
    /// assert_eq!(Operator::Subtract.of(2.0, 3.0, true).unwrap_err().why, "is -1: a size cannot be negative");
    /// assert_eq!(Operator::Divide.of(1.0, 0.0, true).unwrap_err().why, "divides by zero");
    /// ```
    #[expect(clippy::float_cmp, reason = "as the compiler compares")]
    pub fn of(self, left: f64, right: f64, whole: bool) -> Result<f64, NoResult> {
        if whole && right == 0.0 && matches!(self, Self::Divide | Self::Remainder) {
            return Err(NoResult::new(
                "divides by zero",
                "a divisor that is never 0",
            ));
        }
        let truth = |truth: bool| f64::from(u8::from(truth));
        let result = match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide if whole => (left / right).trunc(),
            Self::Divide => left / right,
            Self::Remainder => left % right,
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
            Self::Less => truth(left < right),
            Self::AtMost => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::AtLeast => truth(left >= right),
            Self::And => truth(left != 0.0 && right != 0.0),
            Self::Or => truth(left != 0.0 || right != 0.0),
        };
        if whole && result < 0.0 {
            let why = format!("is {result}: a size cannot be negative");
            return Err(NoResult::new(why, "larger sizes, or less to subtract"));
        }
        if !result.is_finite() || (whole && result > crate::value::LARGEST_WHOLE) {
            return Err(NoResult::new("is too large", "smaller sizes"));
        }
        Ok(result)
    }
}

/// What names mean in a block; `None` for a size that is not known.
pub(crate) type Names = BTreeMap<String, Option<f64>>;

/// What a formula comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// A number.
    Number(f64),
    /// Something in it is not known.
    Unknown,
    /// It has a name that is not bound yet: the number of a copy further inside.
    Open,
    /// No number: the expression and why.
    Broken(NoResult),
}

impl Formula {
    /// What it comes to.
    pub(crate) fn of(&self, names: &Names) -> Outcome {
        use Outcome::{Broken, Number, Open, Unknown};
        match self {
            Self::Value(value) => value.known.map_or(Unknown, Number),
            Self::Name(name) => match names.get(name) {
                None => Open,
                Some(bound) => bound.map_or(Unknown, Number),
            },
            Self::Negative(inner) => inner.of(names).map(|x| Number(-x)),
            Self::Not(inner) => inner.of(names).map(|x| Number(1.0 - x)),
            // As the compiler casts.
            Self::Size(inner) => inner.of(names).map(|x| Number(x.trunc().max(0.0))),
            Self::Binary {
                operator,
                whole,
                left,
                right,
            } => match (left.of(names), right.of(names)) {
                (Number(left), Number(right)) => match operator.of(left, right, *whole) {
                    Ok(number) => Number(number),
                    Err(NoResult { why, help }) => {
                        Broken(NoResult::new(format!("`{self}` {why}"), help))
                    }
                },
                (Broken(why), _) | (_, Broken(why)) => Broken(why),
                (Open, _) | (_, Open) => Open,
                _ => Unknown,
            },
            Self::If { condition, yes, no } => match condition.of(names) {
                Number(0.0) => no.of(names),
                Number(_) => yes.of(names),
                other => other,
            },
        }
    }

    /// As an operand of another operator.
    fn operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary { .. } | Self::If { .. } => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

impl Outcome {
    fn map(self, of: impl FnOnce(f64) -> Self) -> Self {
        match self {
            Self::Number(number) => of(number),
            other => other,
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Negative(inner) => {
                f.write_str("-")?;
                inner.operand(f)
            }
            Self::Not(inner) => {
                f.write_str("!")?;
                inner.operand(f)
            }
            Self::Size(inner) => {
                inner.operand(f)?;
                f.write_str(" as usize")
            }
            Self::Binary {
                operator,
                left,
                right,
                ..
            } => {
                left.operand(f)?;
                write!(f, " {} ", operator.sign())?;
                right.operand(f)
            }
            Self::If { condition, yes, no } => {
                write!(f, "if {condition} {{ {yes} }} else {{ {no} }}")
            }
        }
    }
}
