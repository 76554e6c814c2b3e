//! Uniform numbers from the counter-based generator: the same source gives the same numbers.

use crate::{dropout::Source, philox};

/// The number of values that are drawn together.
const WORD: usize = 4 * philox::LANES;

/// Fills `values` with numbers that are uniform in `[low, high)`, of 24 random bits each.
///
/// ```
/// use damper_kernels::{dropout::Source, uniform};
///
/// let source = Source { seed: 1, step: 0, layer: 0 };
/// let (mut first, mut again) = ([0.0; 100], [0.0; 100]);
/// uniform::fill(source, -0.5, 0.5, &mut first);
/// uniform::fill(source, -0.5, 0.5, &mut again);
/// assert_eq!(first, again);
/// assert!(first.iter().all(|x| (-0.5..0.5).contains(x)));
/// ```
pub fn fill(source: Source, low: f32, high: f32, values: &mut [f32]) {
    let width = high - low;
    for (index, values) in (0..).zip(values.chunks_mut(WORD)) {
        let random = philox::words(source, index);
        for (value, word) in values.iter_mut().zip(random.iter().flatten()) {
            let fraction = (*word as u32 >> 8) as f32 * (1.0 / 16_777_216.0);
            // A fraction near 1 may round up to `high`.
            let drawn = fraction.mul_add(width, low);
            *value = if drawn < high { drawn } else { low };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance within four standard errors, and every tenth of the range as often as the others
    /// (chi-square with 9 degrees of freedom: 33.7 in one of 10,000).
    #[test]
    fn numbers_are_uniform_over_the_range() {
        let mut values = vec![0.0; 100_003];
        let source = Source {
            seed: 7,
            step: 3,
            layer: 2,
        };
        fill(source, -3.0, 5.0, &mut values);
        assert!(values.iter().all(|x| (-3.0..5.0).contains(x)));
        let n = values.len() as f64;
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|x| (f64::from(*x) - mean).powi(2))
            .sum::<f64>()
            / n;
        assert!(
            (mean - 1.0).abs() < 4.0 * (64.0_f64 / 12.0 / n).sqrt(),
            "{mean}"
        );
        assert!((variance - 64.0 / 12.0).abs() < 0.08, "{variance}");
        let mut tenths = [0_u32; 10];
        for value in &values {
            tenths[(((value + 3.0) / 0.8) as usize).min(9)] += 1;
        }
        let expected = n / 10.0;
        let chi_square: f64 = tenths
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        assert!(chi_square < 33.7, "{tenths:?}");
        // Another layer has other numbers.
        let mut other = vec![0.0; values.len()];
        fill(Source { layer: 3, ..source }, -3.0, 5.0, &mut other);
        assert!(
            values
                .iter()
                .zip(&other)
                .filter(|(a, b)| a.to_bits() == b.to_bits())
                .count()
                < 10
        );
    }
}
