//! The noise is normal, independent, and the same however the work is cut.

use damper_kernels::dropout::Source;
use damper_kernels::noise::{self, Kind, WORD};

const NUMBERS: usize = 1 << 20;
const SOURCE: Source = Source {
    seed: 7,
    step: 11,
    layer: 3,
};

fn drawn(source: Source) -> Vec<f32> {
    let mut values = vec![0.0; NUMBERS];
    noise::apply(source, Kind::Replace, 1.0, 0, &mut values);
    values
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    values.sum::<f64>() / NUMBERS as f64
}

/// Five standard deviations of each moment.
#[test]
fn the_moments_are_those_of_the_normal_distribution() {
    let values = drawn(SOURCE);
    let root = (NUMBERS as f64).sqrt();
    for (power, exact, deviation) in [
        (1, 0.0, 1.0),
        (2, 1.0, 2_f64.sqrt()),
        (3, 0.0, 15_f64.sqrt()),
        (4, 3.0, 96_f64.sqrt()),
    ] {
        let found = mean(values.iter().map(|value| f64::from(*value).powi(power)));
        assert!(
            (found - exact).abs() < 5.0 * deviation / root,
            "moment {power}: {found}"
        );
    }
}

/// As many numbers in each of 64 classes of equal probability: a chi-square with 63 degrees of freedom.
#[test]
fn the_distribution_is_normal() {
    let mut counts = [0_u32; 64];
    for value in drawn(SOURCE) {
        let below = 0.5 * libm::erfc(-f64::from(value) / 2_f64.sqrt());
        counts[((below * 64.0) as usize).min(63)] += 1;
    }
    let expected = NUMBERS as f64 / 64.0;
    let square: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!(
        (square - 63.0).abs() < 5.0 * (2.0_f64 * 63.0).sqrt(),
        "{square}"
    );
}

#[test]
fn places_steps_and_layers_are_independent() {
    let values = drawn(SOURCE);
    let root = (NUMBERS as f64).sqrt();
    let others = [
        drawn(Source { step: 12, ..SOURCE }),
        drawn(Source { layer: 4, ..SOURCE }),
    ];
    let correlation = |left: &[f32], right: &[f32]| {
        let products = left.iter().zip(right);
        mean(products.map(|(left, right)| f64::from(left * right))) * root
    };
    for other in &others {
        let score = correlation(&values, other);
        assert!(score.abs() < 5.0, "{score}");
    }
    for distance in [1, 7, 8, 16, 24, 32, 64, 512] {
        let score = correlation(&values[distance..], &values[..NUMBERS - distance]);
        assert!(score.abs() < 5.0, "{distance}: {score}");
    }
}

#[test]
fn pieces_give_the_numbers_of_the_whole() {
    let whole = drawn(SOURCE);
    let mut piece = vec![0.0; NUMBERS - 5 * WORD];
    noise::apply(SOURCE, Kind::Replace, 1.0, 5, &mut piece);
    assert_eq!(piece, whole[5 * WORD..]);
}

#[test]
fn noise_is_added_or_multiplies() {
    let noise = drawn(SOURCE);
    let values: Vec<f32> = (0..NUMBERS).map(|index| index as f32 / 1000.0).collect();
    let (mut sum, mut product) = (values.clone(), values.clone());
    noise::apply(SOURCE, Kind::Add, 0.5, 0, &mut sum);
    noise::apply(SOURCE, Kind::Multiply, 0.5, 0, &mut product);
    for index in 0..NUMBERS {
        let (value, noise) = (values[index], 0.5 * noise[index]);
        assert!((sum[index] - (value + noise)).abs() <= 1e-6 * value.abs().max(1.0));
        assert!((product[index] - value * (1.0 + noise)).abs() <= 1e-6 * value.abs().max(1.0));
    }
}
