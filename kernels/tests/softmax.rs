//! Softmax and cross entropy against the same formulas in `f64`.

// Zeros, and what is the same in both forms, are exact.
#![allow(clippy::float_cmp)]

use damper_kernels::cross_entropy::{CrossEntropyError, cross_entropy};
use damper_kernels::softmax;

/// Narrow rows, those around the width where the loop changes, and wide rows.
const WIDTHS: [usize; 12] = [1, 2, 7, 10, 16, 50, 255, 256, 257, 1000, 1025, 5003];

/// Some rows with numbers of either sign, of a size that grows from row to row.
fn logits(width: usize) -> Vec<f32> {
    (0..rows(width) * width)
        .map(|index| {
            let size = (index / width + 1) as f32;
            ((index * 7919 + 13) % 10_007) as f32 / 10_007.0 * 10.0 * size - 6.0 * size
        })
        .collect()
}

/// More rows than are in a group.
fn rows(width: usize) -> usize {
    1500 / width + 3
}

fn classes(width: usize) -> Vec<u32> {
    (0..rows(width))
        .map(|row| (row * 5 % width) as u32)
        .collect()
}

/// `ln Σ exp(x)` of a row.
fn logarithm(row: &[f32]) -> f64 {
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = row.iter().map(|x| (f64::from(*x) - largest).exp()).sum();
    largest + sum.ln()
}

fn log_softmax(input: &[f32], width: usize) -> Vec<f64> {
    let of_row = |row: &[f32]| -> Vec<f64> {
        let logarithm = logarithm(row);
        row.iter().map(|x| f64::from(*x) - logarithm).collect()
    };
    input.chunks(width).flat_map(of_row).collect()
}

/// The error in units in the last place of a number that is normal.
fn ulps(found: f32, exact: f64) -> f64 {
    let exponent = exact.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor() as i32;
    (f64::from(found) - exact).abs() / 2_f64.powi(exponent - 23)
}

fn close(found: &[f32], exact: &[f64], bound: f64) {
    assert_eq!(found.len(), exact.len());
    for (index, (found, exact)) in found.iter().zip(exact).enumerate() {
        let error = (f64::from(*found) - exact).abs();
        assert!(
            error <= bound * exact.abs().max(1.0),
            "{index}: {found}, exactly {exact}"
        );
    }
}

#[test]
fn softmax_is_within_two_ulp() {
    for width in WIDTHS {
        let input = logits(width);
        let mut output = vec![f32::NAN; input.len()];
        softmax::softmax(&input, width, &mut output).unwrap();
        for (found, exact) in output.iter().zip(log_softmax(&input, width)) {
            let error = ulps(*found, exact.exp());
            assert!(error <= 2.0, "{width}: {error} ulp at {exact}");
        }
        let mut values = input;
        softmax::softmax_in_place(&mut values, width).unwrap();
        assert_eq!(values, output);
    }
}

/// A large number in common takes nothing from the differences.
#[test]
fn softmax_does_not_depend_on_the_origin() {
    let near: Vec<f32> = (0..64_u16).map(|index| f32::from(index) / 8.0).collect();
    let far: Vec<f32> = near.iter().map(|x| x + 1e6).collect();
    let (mut left, mut right) = (vec![0.0; 64], vec![0.0; 64]);
    softmax::softmax(&near, 64, &mut left).unwrap();
    softmax::softmax(&far, 64, &mut right).unwrap();
    assert_eq!(left, right);
}

#[test]
fn log_softmax_is_its_formula() {
    for width in WIDTHS {
        let input = logits(width);
        let mut output = vec![f32::NAN; input.len()];
        softmax::log_softmax(&input, width, &mut output).unwrap();
        close(&output, &log_softmax(&input, width), 1.5e-7);
    }
}

/// Of some function of the row's numbers that the outputs are: `Σ g y`.
fn backward(
    width: usize,
    output: &[f32],
    of: impl Fn(f64, f64, f64) -> f64,
    weights: impl Fn(f64, f64) -> f64,
) -> (Vec<f32>, Vec<f64>) {
    let gradient: Vec<f32> = (0..output.len())
        .map(|index| (index * 31 % 17) as f32 / 8.0 - 1.0)
        .collect();
    let rows = output.chunks(width).zip(gradient.chunks(width));
    let exact = rows.flat_map(|(output, gradient)| {
        let pairs: Vec<(f64, f64)> = output
            .iter()
            .zip(gradient)
            .map(|(y, g)| (f64::from(*y), f64::from(*g)))
            .collect();
        let sum = pairs.iter().map(|(y, g)| weights(*y, *g)).sum();
        pairs
            .iter()
            .map(|(y, g)| of(*y, *g, sum))
            .collect::<Vec<_>>()
    });
    let exact = exact.collect();
    (gradient, exact)
}

#[test]
fn softmax_backward_is_the_derivative() {
    for width in WIDTHS {
        let mut output = logits(width);
        softmax::softmax_in_place(&mut output, width).unwrap();
        let (mut gradient, exact) =
            backward(width, &output, |y, g, dot| y * (g - dot), |y, g| y * g);
        let mut into = vec![f32::NAN; output.len()];
        softmax::softmax_backward(&output, &gradient, width, &mut into).unwrap();
        close(&into, &exact, 1e-6);
        softmax::softmax_backward_in_place(&output, &mut gradient, width).unwrap();
        assert_eq!(gradient, into);
    }
}

#[test]
fn log_softmax_backward_is_the_derivative() {
    for width in WIDTHS {
        let mut output = vec![0.0; logits(width).len()];
        softmax::log_softmax(&logits(width), width, &mut output).unwrap();
        let (mut gradient, exact) =
            backward(width, &output, |y, g, sum| g - y.exp() * sum, |_, g| g);
        let mut into = vec![f32::NAN; output.len()];
        softmax::log_softmax_backward(&output, &gradient, width, &mut into).unwrap();
        close(&into, &exact, 1e-5);
        softmax::log_softmax_backward_in_place(&output, &mut gradient, width).unwrap();
        assert_eq!(gradient, into);
    }
}

/// The loss of all rows in `f64`.
fn loss(logits: &[f64], width: usize, classes: &[u32], smoothing: f64) -> f64 {
    let rows = logits.chunks(width).zip(classes);
    let of_row = |(row, class): (&[f64], &u32)| {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
        let logarithm = largest + sum.ln();
        let mean = row.iter().map(|x| logarithm - x).sum::<f64>() / width as f64;
        (1.0 - smoothing) * (logarithm - row[*class as usize]) + smoothing * mean
    };
    rows.map(of_row).sum()
}

#[test]
fn cross_entropy_is_its_formula_and_its_derivative() {
    for width in WIDTHS {
        for smoothing in [0.0, 0.125] {
            let (input, classes) = (logits(width), classes(width));
            let mut gradient = vec![f32::NAN; input.len()];
            let found = cross_entropy(&input, width, &classes, smoothing, &mut gradient).unwrap();
            let exact: Vec<f64> = input.iter().map(|x| f64::from(*x)).collect();
            let smoothing = f64::from(smoothing);
            let wanted = loss(&exact, width, &classes, smoothing);
            assert!(
                (found - wanted).abs() <= 1e-6 * wanted.max(1.0),
                "{width}: {found}, exactly {wanted}"
            );
            for place in (0..input.len()).step_by(input.len() / 20 + 1) {
                let at = |step: f64| {
                    let row = place / width;
                    let mut moved = exact[row * width..][..width].to_vec();
                    moved[place % width] += step;
                    loss(&moved, width, &classes[row..=row], smoothing)
                };
                let slope = (at(1e-4) - at(-1e-4)) / 2e-4;
                let error = (f64::from(gradient[place]) - slope).abs();
                assert!(error <= 1e-6, "{width}: {} {slope}", gradient[place]);
            }
        }
    }
}

#[test]
fn what_a_mask_hides_has_no_probability() {
    const HIDDEN: f32 = f32::NEG_INFINITY;
    for width in [4, 20, 300] {
        let mut row = vec![HIDDEN; width];
        (row[0], row[2]) = (1.0, 1.0);
        let (mut output, mut into) = (vec![f32::NAN; width], vec![f32::NAN; width]);
        softmax::softmax(&row, width, &mut output).unwrap();
        let mut expected = vec![0.0; width];
        (expected[0], expected[2]) = (0.5, 0.5);
        assert_eq!(output, expected);
        softmax::softmax_backward(&output, &vec![3.0; width], width, &mut into).unwrap();
        assert_eq!(into, vec![0.0; width]);
        softmax::log_softmax(&row, width, &mut output).unwrap();
        assert_eq!(output[1], HIDDEN);
        let loss = cross_entropy(&row, width, &[2], 0.0, &mut into).unwrap();
        assert!((loss - 2_f64.ln()).abs() < 1e-9);
        (expected[0], expected[2]) = (0.5, -0.5);
        assert_eq!(into, expected);
    }
}

#[test]
fn a_row_without_a_largest_number_is_no_number() {
    for width in [4, 20, 300] {
        for bad in [f32::NEG_INFINITY, f32::INFINITY, f32::NAN] {
            let mut values = vec![bad; 2 * width];
            values[..width].fill(0.0);
            softmax::softmax_in_place(&mut values, width).unwrap();
            assert!(values[..width].iter().all(|x| *x > 0.0));
            assert!(values[width..].iter().all(|x| x.is_nan()), "{bad}");
        }
        // One is enough.
        let mut values = vec![0.0; width];
        values[width - 1] = f32::NAN;
        softmax::softmax_in_place(&mut values, width).unwrap();
        assert!(values.iter().all(|x| x.is_nan()));
    }
}

#[test]
fn no_rows_are_no_error() {
    for width in [0, 3] {
        softmax::softmax(&[], width, &mut []).unwrap();
        softmax::softmax_backward(&[], &[], width, &mut []).unwrap();
        softmax::log_softmax_backward(&[], &[], width, &mut []).unwrap();
        let loss = cross_entropy(&[], width, &[], 0.1, &mut []).unwrap();
        assert!(loss.abs() < 1e-30);
    }
}

#[test]
fn a_class_that_is_none_is_an_error() {
    let mut gradient = [7.0; 6];
    let error = cross_entropy(&[0.0; 6], 3, &[2, 3], 0.0, &mut gradient).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 1 has class 3, but there are 3 classes"
    );
    assert_eq!(gradient, [7.0; 6]);
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    let error = softmax::softmax(&[0.0; 7], 4, &mut [0.0; 7]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`input` has length 7, but length 8 is needed"
    );
    assert!(softmax::softmax_in_place(&mut [0.0; 7], 0).is_err());
    assert!(softmax::log_softmax(&[0.0; 8], 4, &mut [0.0; 7]).is_err());
    assert!(softmax::softmax_backward(&[0.0; 8], &[0.0; 4], 4, &mut [0.0; 8]).is_err());
    assert!(softmax::log_softmax_backward(&[0.0; 8], &[0.0; 8], 4, &mut [0.0; 4]).is_err());
    let error = cross_entropy(&[0.0; 8], 4, &[0], 0.0, &mut [0.0; 8]).unwrap_err();
    assert!(matches!(error, CrossEntropyError::LengthMismatch(error) if error.name == "classes"));
}
