//! Numbers of a description: known, or to be filled in when the model is built.

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The largest whole number that a value can hold exactly.
pub const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Names one place of a declaration: an operation, an annotation, an argument.
///
/// The macro keeps a table from ids to spans. Ids are given in the order of the source, from 1;
/// 0 is [`Id::NONE`], a thing that was not written (a default).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Id(pub u32);

impl Id {
    /// The id of what was not written.
    pub const NONE: Self = Self(0);

    /// Whether this id names nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// A number of the description: a size, a rate, a truth value (0 or 1).
///
/// While the macro checks the declared defaults, a value is known unless it names a Rust constant.
/// A value that depends on hyper-parameters or constants also has a `hole`: the place in the list of
/// values that the generated code passes when the model is built.
///
/// ```
/// use damper_ir::Value;
///
/// assert_eq!(Value::known(128.0).size(), Some(128));
/// assert_eq!(Value::known(0.5).size(), None);
/// assert_eq!(Value::unknown().float(), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Value {
    /// Where it was written.
    pub id: Id,
    /// The number, if it is known.
    pub known: Option<f64>,
    /// The place in the generated list of values, if it is not a plain literal.
    pub hole: Option<u32>,
    /// The place in [`Model::formulas`](crate::Model::formulas), if it follows from what a block is used with. The value of
    /// a use has the number instead.
    pub formula: Option<u32>,
}

/// Two values are equal if they are the same number, wherever they were written.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self.known, other.known) {
            (Some(a), Some(b)) => {
                a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) || a == b
            }
            (None, None) => self.hole == other.hole && self.formula == other.formula,
            _ => false,
        }
    }
}

impl Value {
    /// A number that was not written: a default.
    pub const fn known(number: f64) -> Self {
        Self {
            id: Id::NONE,
            known: Some(number),
            hole: None,
            formula: None,
        }
    }

    /// A truth value that was not written.
    pub const fn truth(truth: bool) -> Self {
        Self::known(if truth { 1.0 } else { 0.0 })
    }

    /// A number that only the compiler knows.
    pub const fn unknown() -> Self {
        Self {
            id: Id::NONE,
            known: None,
            hole: None,
            formula: None,
        }
    }

    /// The same number, written at `id`.
    #[must_use]
    pub const fn at(mut self, id: Id) -> Self {
        self.id = id;
        self
    }

    /// The number.
    pub fn float(&self) -> Option<f64> {
        self.known
    }

    /// The number; NaN where it is not known.
    pub fn number(&self) -> f64 {
        self.known.unwrap_or(f64::NAN)
    }

    /// The number as a size: whole and not negative.
    pub fn size(&self) -> Option<usize> {
        self.known
            .filter(|x| *x >= 0.0 && x.fract() == 0.0 && *x <= LARGEST_WHOLE)
            .map(|x| x as usize)
    }

    /// The number as a truth value.
    pub fn is_true(&self) -> Option<bool> {
        self.known.map(|x| x != 0.0)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::known(number)
    }
}

impl From<usize> for Value {
    fn from(size: usize) -> Self {
        Self::known(size as f64)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::truth(truth)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known {
            Some(x) => number(f, x),
            None => f.write_str("_"),
        }
    }
}

/// Writes a number as a person would: `128`, `0.5`, `1e-5`.
fn number(f: &mut fmt::Formatter<'_>, x: f64) -> fmt::Result {
    // Most numbers are sizes. A whole number of so few digits is its own nearest one below.
    if x.fract() == 0.0 && x != 0.0 && x.abs() < 1e12 {
        return write!(f, "{}", x as i64);
    }
    // Digits after the twelfth come from arithmetic: 0.1 + 0.2 is 0.3.
    let x = format!("{x:.12e}").parse().unwrap_or(x);
    if x != 0.0 && (x.abs() < 1e-3 || x.abs() >= 1e15) {
        write!(f, "{x:e}")
    } else {
        write!(f, "{x}")
    }
}

/// A known number is written as a number, a hole as `{"$": place}`, a formula as `{"=": place}`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let (None, Some(formula)) = (self.known, self.formula) {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("=", &formula)?;
            return map.end();
        }
        match (self.hole, self.known, self.size()) {
            (Some(hole), _, _) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$", &hole)?;
                map.end()
            }
            (None, _, Some(size)) => serializer.serialize_u64(size as u64),
            (None, Some(x), None) => serializer.serialize_f64(x),
            (None, None, None) => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, null, {\"$\": place} or {\"=\": place}")
            }
            fn visit_f64<E: de::Error>(self, x: f64) -> Result<Value, E> {
                Ok(Value::known(x))
            }
            fn visit_u64<E: de::Error>(self, x: u64) -> Result<Value, E> {
                Ok(Value::known(x as f64))
            }
            fn visit_i64<E: de::Error>(self, x: i64) -> Result<Value, E> {
                Ok(Value::known(x as f64))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
                Ok(Value::unknown())
            }
            fn visit_none<E: de::Error>(self) -> Result<Value, E> {
                Ok(Value::unknown())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                match map.next_entry::<String, u32>()? {
                    Some((key, hole)) if key == "$" => Ok(Value {
                        hole: Some(hole),
                        ..Value::unknown()
                    }),
                    Some((key, formula)) if key == "=" => Ok(Value {
                        formula: Some(formula),
                        ..Value::unknown()
                    }),
                    _ => Err(de::Error::custom(
                        "expected {\"$\": place} or {\"=\": place}",
                    )),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Whether a field is what it is without being written.
pub(crate) fn no<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
