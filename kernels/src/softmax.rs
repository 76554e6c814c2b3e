//! Softmax and its logarithm of consecutive rows of `width` numbers.
//!
//! [`softmax`] is within 2 ulp of the exact probability for rows of any width (for a subnormal probability, in units of
//! the smallest normal number): the exponentials are those of exact differences, and are summed in `f64`.
//!
//! A number of minus infinity, as attention masks write it, has probability 0. A row of only such numbers is NaN.

use crate::row_groups::{GROUP, WIDE, exponentials, group, largest_of, pairs, parts, spread};
use crate::{LengthMismatch, math, sum};

/// Writes `exp(x) / Σ exp(x)` of each row of `input` to `output`.
///
/// # Errors
/// `input` is not a whole number of rows, or `output` has another length.
pub fn softmax(input: &[f32], width: usize, output: &mut [f32]) -> Result<(), LengthMismatch> {
    let width = LengthMismatch::check_rows("input", input.len(), width)?;
    LengthMismatch::check("output", output.len(), input.len())?;
    softmax_to(input, width, output);
    Ok(())
}

/// As [`softmax`], in place.
///
/// # Errors
/// `values` is not a whole number of rows.
pub fn softmax_in_place(values: &mut [f32], width: usize) -> Result<(), LengthMismatch> {
    let width = LengthMismatch::check_rows("values", values.len(), width)?;
    softmax_over(values, width);
    Ok(())
}

/// Writes `y (g - Σ y g)` with [`softmax`]'s output `y` and the gradient `g` to `into`.
///
/// # Errors
/// `output` is not a whole number of rows, or the others have another length.
pub fn softmax_backward(
    output: &[f32],
    gradient: &[f32],
    width: usize,
    into: &mut [f32],
) -> Result<(), LengthMismatch> {
    let width = check_backward(output, gradient, width, into)?;
    softmax_backward_to(output, gradient, width, into);
    Ok(())
}

/// As [`softmax_backward`], in place.
///
/// # Errors
/// `output` is not a whole number of rows, or `gradient` has another length.
pub fn softmax_backward_in_place(
    output: &[f32],
    gradient: &mut [f32],
    width: usize,
) -> Result<(), LengthMismatch> {
    let width = check_backward(output, gradient, width, output)?;
    softmax_backward_over(output, gradient, width);
    Ok(())
}

/// Writes `x - ln Σ exp(x)` of each row of `input` to `output`.
///
/// # Errors
/// `input` is not a whole number of rows, or `output` has another length.
pub fn log_softmax(input: &[f32], width: usize, output: &mut [f32]) -> Result<(), LengthMismatch> {
    let width = LengthMismatch::check_rows("input", input.len(), width)?;
    LengthMismatch::check("output", output.len(), input.len())?;
    log_softmax_to(input, width, output);
    Ok(())
}

/// Writes `g - exp(y) Σ g` with [`log_softmax`]'s output `y` and the gradient `g` to `into`.
///
/// # Errors
/// `output` is not a whole number of rows, or the others have another length.
pub fn log_softmax_backward(
    output: &[f32],
    gradient: &[f32],
    width: usize,
    into: &mut [f32],
) -> Result<(), LengthMismatch> {
    let width = check_backward(output, gradient, width, into)?;
    log_softmax_backward_to(output, gradient, width, into);
    Ok(())
}

/// As [`log_softmax_backward`], in place.
///
/// # Errors
/// `output` is not a whole number of rows, or `gradient` has another length.
pub fn log_softmax_backward_in_place(
    output: &[f32],
    gradient: &mut [f32],
    width: usize,
) -> Result<(), LengthMismatch> {
    let width = check_backward(output, gradient, width, output)?;
    log_softmax_backward_over(output, gradient, width);
    Ok(())
}

fn check_backward(
    output: &[f32],
    gradient: &[f32],
    width: usize,
    into: &[f32],
) -> Result<usize, LengthMismatch> {
    let width = LengthMismatch::check_rows("output", output.len(), width)?;
    LengthMismatch::check_all(
        output.len(),
        [("gradient", gradient.len()), ("into", into.len())],
    )?;
    Ok(width)
}

vectorized! {
    fn softmax_to(input: &'a [f32], width: usize, output: &'a mut [f32]) {
        let mut largest = [0.0; GROUP];
        for (input, output) in pairs(input, output, width) {
            spread(input, width, largest_of, &mut largest);
            exponentials(input.iter().copied().zip(&mut *output), width, &largest);
            divide(output, width);
        }
    }

    fn softmax_over(values: &'a mut [f32], width: usize) {
        let mut largest = [0.0; GROUP];
        for values in values.chunks_mut(group(width)) {
            spread(values, width, largest_of, &mut largest);
            exponentials(over(values), width, &largest);
            divide(values, width);
        }
    }

    fn softmax_backward_to(
        output: &'a [f32],
        gradient: &'a [f32],
        width: usize,
        into: &'a mut [f32],
    ) {
        let rows = output.chunks(width).zip(gradient.chunks(width));
        for ((output, gradient), into) in rows.zip(into.chunks_mut(width)) {
            let dot = dot(output, gradient);
            softmax_gradient(output, gradient.iter().copied().zip(into), dot);
        }
    }

    fn softmax_backward_over(output: &'a [f32], gradient: &'a mut [f32], width: usize) {
        for (output, gradient) in output.chunks(width).zip(gradient.chunks_mut(width)) {
            let dot = dot(output, gradient);
            softmax_gradient(output, over(gradient), dot);
        }
    }

    fn log_softmax_to(input: &'a [f32], width: usize, output: &'a mut [f32]) {
        let mut largest = [0.0; GROUP];
        for (input, output) in pairs(input, output, width) {
            spread(input, width, largest_of, &mut largest);
            exponentials(input.iter().copied().zip(&mut *output), width, &largest);
            logarithms(input, width, &largest, output);
        }
    }

    fn log_softmax_backward_to(
        output: &'a [f32],
        gradient: &'a [f32],
        width: usize,
        into: &'a mut [f32],
    ) {
        let pieces = output
            .chunks(group(width))
            .zip(pairs(gradient, into, width));
        let mut sums = [0.0; GROUP];
        for (output, (gradient, into)) in pieces {
            spread(gradient, width, total, &mut sums);
            log_softmax_gradient(output, gradient.iter().copied().zip(into), width, &sums);
        }
    }

    fn log_softmax_backward_over(output: &'a [f32], gradient: &'a mut [f32], width: usize) {
        let mut sums = [0.0; GROUP];
        for (output, gradient) in pairs(output, gradient, width) {
            spread(gradient, width, total, &mut sums);
            log_softmax_gradient(output, over(gradient), width, &sums);
        }
    }
}

/// Each number, with the place where its result is written.
#[inline(always)]
fn over(values: &mut [f32]) -> impl Iterator<Item = (f32, &mut f32)> {
    values.iter_mut().map(|value| (*value, value))
}

#[inline(always)]
fn total(row: &[f32]) -> f32 {
    sum::sum(row) as f32
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum::sum_of(a, b, b, |a, b, _| a * b) as f32
}

/// Divides rows by their sums.
#[inline(always)]
fn divide(values: &mut [f32], width: usize) {
    for row in values.chunks_mut(width) {
        // In two parts, so that the inverse is not rounded.
        let (high, low) = parts(1.0 / sum::sum(row));
        for value in row {
            *value = value.mul_add(high, *value * low);
        }
    }
}

/// Overwrites the exponentials of a group with the logarithms of their softmax.
#[inline(always)]
fn logarithms(input: &[f32], width: usize, largest: &[f32; GROUP], values: &mut [f32]) {
    let rows = input.chunks(width).zip(values.chunks_mut(width));
    for ((input, values), largest) in rows.zip(largest.iter().step_by(width)) {
        let (high, low) = parts(f64::from(*largest) + sum::sum(values).ln());
        for (value, input) in values.iter_mut().zip(input) {
            *value = (input - high) - low;
        }
    }
}

/// Writes the gradient of a row of softmax.
#[inline(always)]
fn softmax_gradient<'a>(
    output: &[f32],
    places: impl Iterator<Item = (f32, &'a mut f32)>,
    dot: f32,
) {
    for (output, (gradient, place)) in output.iter().zip(places) {
        *place = output * (gradient - dot);
    }
}

/// Writes the gradient of a group of log-softmax.
#[inline(always)]
fn log_softmax_gradient<'a>(
    output: &[f32],
    places: impl Iterator<Item = (f32, &'a mut f32)>,
    width: usize,
    sums: &[f32; GROUP],
) {
    let places = output.iter().zip(places);
    if width < WIDE {
        for ((output, (gradient, place)), sum) in places.zip(sums) {
            *place = math::exp(*output).mul_add(-sum, gradient);
        }
    } else {
        for (output, (gradient, place)) in places {
            *place = math::exp(*output).mul_add(-sums[0], gradient);
        }
    }
}
