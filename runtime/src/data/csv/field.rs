//! The text of one field: missing, a number, an integer too large for `f32`.

use std::num::IntErrorKind;

/// `f32` represents every integer up to this one.
const LARGEST_EXACT: u64 = 1 << 24;

/// True for the texts that mean a missing value.
pub(super) fn is_missing(field: &str) -> bool {
    ["", "na", "n/a", "nan", "null", "none", "?"]
        .iter()
        .any(|word| field.eq_ignore_ascii_case(word))
}

pub(super) fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok()
}

/// The integer in this field, if its magnitude is above 2^24.
pub(super) fn large_integer(field: &str) -> Option<i64> {
    // Shorter ones are below it.
    let integer: i64 = (field.len() >= 8).then(|| field.parse().ok()).flatten()?;
    (integer.unsigned_abs() > LARGEST_EXACT).then_some(integer)
}

/// True if `x`, read from this field, is another integer than the one that is written there.
pub(super) fn is_rounded(field: &str, x: f32) -> bool {
    match field.parse::<i128>() {
        Ok(integer) => integer.unsigned_abs() > LARGEST_EXACT.into() && x as i128 != integer,
        // Beyond `i128`, only a few powers of two are exact.
        Err(error) => matches!(
            error.kind(),
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow
        ),
    }
}
