//! The numbers and rows that features and targets are made of.

use super::error::DataError;
use super::place::Place;

/// The values of one sample: an array, a `Vec` or a slice.
pub trait Row {
    /// Appends the values.
    fn append(&self, to: &mut Vec<f32>);

    /// The index and the digits of the first integer that `f32` cannot represent exactly: see [`Number::rounded`].
    fn rounded(&self) -> Option<(usize, String)> {
        None
    }
}

/// A number of a feature or a target. One that is too large for `f32` becomes infinite, which is an error later.
pub trait Number: Copy {
    /// The number as `f32`.
    fn to_f32(self) -> f32;

    /// The digits of an integer that `f32` cannot represent exactly, such as 16777217; `None` for all other numbers.
    /// Integers are counts and ids, and a rounded one is wrong. Floating-point numbers may be rounded.
    fn rounded(self) -> Option<String> {
        None
    }
}

impl<T: Number> Row for Vec<T> {
    fn append(&self, to: &mut Vec<f32>) {
        self.as_slice().append(to);
    }

    fn rounded(&self) -> Option<(usize, String)> {
        self.as_slice().rounded()
    }
}

impl<T: Number, const N: usize> Row for [T; N] {
    fn append(&self, to: &mut Vec<f32>) {
        self.as_slice().append(to);
    }

    fn rounded(&self) -> Option<(usize, String)> {
        self.as_slice().rounded()
    }
}

impl<T: Number> Row for [T] {
    fn append(&self, to: &mut Vec<f32>) {
        to.extend(self.iter().map(|x| x.to_f32()));
    }

    fn rounded(&self) -> Option<(usize, String)> {
        let mut values = self.iter().enumerate();
        values.find_map(|(place, value)| Some((place, value.rounded()?)))
    }
}

impl<T: Number> Row for &[T] {
    fn append(&self, to: &mut Vec<f32>) {
        (**self).append(to);
    }

    fn rounded(&self) -> Option<(usize, String)> {
        (**self).rounded()
    }
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        #[allow(clippy::cast_lossless, reason = "lossless for the small kinds only")]
        impl Number for $kind {
            fn to_f32(self) -> f32 {
                self as f32
            }

            fn rounded(self) -> Option<String> {
                (self as f32 as i128 != self as i128).then(|| self.to_string())
            }
        }
    )*};
}
integers!(usize, u64, u32, u16, u8, isize, i64, i32, i16, i8);

macro_rules! reals {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
    )*};
}
reals!(f32, f64);

impl Number for bool {
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
}

/// The error for an integer that an `f32` would round.
pub(super) fn inexact(place: Place, value: impl std::fmt::Display, becomes: f32) -> DataError {
    DataError::InexactInteger {
        place: Box::new(place),
        value: value.to_string(),
        note: format!("it would become {becomes}"),
        help: "if it may be rounded, convert it to a real number: `x as f32`".to_owned(),
    }
}

/// True for a number that can be a class index. Above 2^24 an `f32` does not have every whole number.
pub(super) fn is_class_index(x: f32) -> bool {
    x >= 0.0 && x.fract() == 0.0 && x <= 16_777_216.0
}
