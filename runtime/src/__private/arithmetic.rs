//! Arithmetic over hyper-parameters whose values come at run time: an error where Rust's operators panic or wrap.

use crate::SpecError;
use std::fmt::Display;

/// A number that a declaration computes with.
pub trait Number: Copy + Display {
    /// The sum, if there is one.
    fn sum(self, other: Self) -> Option<Self>;
    /// The difference, if there is one.
    fn difference(self, other: Self) -> Option<Self>;
    /// The product, if there is one.
    fn product(self, other: Self) -> Option<Self>;
    /// The quotient, if there is one.
    fn quotient(self, other: Self) -> Option<Self>;
    /// The remainder, if there is one.
    fn rest(self, other: Self) -> Option<Self>;
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn sum(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }
            fn difference(self, other: Self) -> Option<Self> {
                self.checked_sub(other)
            }
            fn product(self, other: Self) -> Option<Self> {
                self.checked_mul(other)
            }
            fn quotient(self, other: Self) -> Option<Self> {
                self.checked_div(other)
            }
            fn rest(self, other: Self) -> Option<Self> {
                self.checked_rem(other)
            }
        }
    )*};
}
whole!(
    usize, u8, u16, u32, u64, u128, isize, i8, i16, i32, i64, i128
);

macro_rules! real {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn sum(self, other: Self) -> Option<Self> {
                Some(self + other)
            }
            fn difference(self, other: Self) -> Option<Self> {
                Some(self - other)
            }
            fn product(self, other: Self) -> Option<Self> {
                Some(self * other)
            }
            fn quotient(self, other: Self) -> Option<Self> {
                Some(self / other)
            }
            fn rest(self, other: Self) -> Option<Self> {
                Some(self % other)
            }
        }
    )*};
}
real!(f32, f64);

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $method:ident $sign:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// [`SpecError::Arithmetic`] if the result is no number of this type.
        pub fn $name<N: Number>(left: N, right: N) -> Result<N, SpecError> {
            left.$method(right)
                .ok_or_else(|| SpecError::Arithmetic { expression: format!("{left} {} {right}", $sign) })
        }
    )*};
}
operations! {
    /// `left + right`
    add = sum "+";
    /// `left - right`
    subtract = difference "-";
    /// `left * right`
    multiply = product "*";
    /// `left / right`
    divide = quotient "/";
    /// `left % right`
    remainder = rest "%";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_do_not_exist_are_errors() {
        assert_eq!(multiply(2_usize, 64).ok(), Some(128));
        let text = |result: Result<usize, SpecError>| result.unwrap_err().to_string();
        assert_eq!(text(subtract(0, 1)), "`0 - 1` is not a size");
        assert_eq!(text(divide(8, 0)), "`8 / 0` is not a size");
        assert_eq!(text(remainder(8, 0)), "`8 % 0` is not a size");
        assert!(multiply(usize::MAX, 2).is_err());
        assert!(add(usize::MAX, 1).is_err());
    }

    #[test]
    fn floats_are_what_they_are() {
        assert_eq!(divide(1.0, 0.0).ok(), Some(f64::INFINITY));
    }
}
