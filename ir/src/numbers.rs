//! Large numbers as text.

use crate::Unit;

/// A number with a comma between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the largest unit of which they are one or more: `3.9 MiB`, `512 B`.
///
/// ```
/// use damper_ir::bytes;
///
/// assert_eq!(bytes(512), "512 B");
/// assert_eq!(bytes(4_100_000), "3.9 MiB");
/// ```
pub fn bytes(bytes: usize) -> String {
    let bytes = bytes as f64;
    let binary = [Unit::Gib, Unit::Mib, Unit::Kib];
    match binary.into_iter().find(|unit| bytes >= unit.bytes()) {
        Some(unit) => format!("{:.1} {}", bytes / unit.bytes(), unit.word()),
        None => format!("{bytes} B"),
    }
}
