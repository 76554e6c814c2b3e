//! The inverse of a standard deviation.

/// `r`: the inverse of the standard deviation, with `epsilon` added to the variance.
#[inline(always)]
pub fn inverse_deviation(variance: f64, epsilon: f32) -> f32 {
    (1.0 / (variance + f64::from(epsilon)).sqrt()) as f32
}
