//! Checks of the constants that a declaration names, called at the user's tokens: they fail while the user's crate
//! is compiled.

/// A size: at least 1.
///
/// # Panics
///
/// While the user's crate is compiled, if it is 0.
#[track_caller]
pub const fn size(size: usize) {
    assert!(size > 0, "a size must be at least 1, this constant is 0");
}

/// The probability of dropping: in [0, 1).
///
/// # Panics
///
/// While the user's crate is compiled, if it is outside.
#[track_caller]
pub const fn rate(rate: f64) {
    assert!(
        rate >= 0.0,
        "a rate is a probability of dropping, in [0, 1); this constant is below 0 or not a number"
    );
    assert!(
        rate < 1.0,
        "a rate is a probability of dropping, in [0, 1); this constant drops everything"
    );
}

/// A learning rate: above 0, finite.
///
/// # Panics
///
/// While the user's crate is compiled, if it is not.
#[track_caller]
pub const fn learning_rate(rate: f64) {
    assert!(
        rate > 0.0 && rate < f64::INFINITY,
        "a learning rate must be a finite number above 0, this constant is not"
    );
}

/// Any other number: finite.
///
/// # Panics
///
/// While the user's crate is compiled, if it is not.
#[track_caller]
pub const fn finite(number: f64) {
    assert!(
        number > f64::NEG_INFINITY && number < f64::INFINITY,
        "a number of a declaration must be finite, this constant is not"
    );
}
