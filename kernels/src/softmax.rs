//! Softmax and cross entropy over consecutive rows of `width` numbers.
//!
//! [`softmax`] is within 2 ulp of the exact probability, for rows of any width (a subnormal one counts in units of the
//! smallest number that is normal): the exponentials are those of exact differences, and are summed in `f64`.
//!
//! A number of minus infinity, as masks of attention write it, has probability 0; a row of nothing else is NaN.

use crate::{LengthMismatch, math, sum};

/// Writes `exp(x) / Σ exp(x)` of each row of `input` to `output`.
///
/// # Errors
/// `input` is not a whole number of rows, or `output` is not as long.
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
/// `output` is not a whole number of rows, or the others are not as long.
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
/// `output` is not a whole number of rows, or `gradient` is not as long.
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
/// `input` is not a whole number of rows, or `output` is not as long.
pub fn log_softmax(input: &[f32], width: usize, output: &mut [f32]) -> Result<(), LengthMismatch> {
    let width = LengthMismatch::check_rows("input", input.len(), width)?;
    LengthMismatch::check("output", output.len(), input.len())?;
    log_softmax_to(input, width, output);
    Ok(())
}

/// Writes `g - exp(y) Σ g` with [`log_softmax`]'s output `y` and the gradient `g` to `into`.
///
/// # Errors
/// `output` is not a whole number of rows, or the others are not as long.
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
/// `output` is not a whole number of rows, or `gradient` is not as long.
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

/// Why there is no cross entropy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrossEntropyError {
    /// A slice does not have the length that it needs.
    #[error(transparent)]
    LengthMismatch(#[from] LengthMismatch),
    /// The class of a row is not below the number of classes.
    #[error("row {row} is of class {class}, where there are {classes}")]
    Class {
        /// The row.
        row: usize,
        /// Its class, counted from 0.
        class: u32,
        /// How many there are.
        classes: usize,
    },
}

/// The sum over the rows of the cross entropy of `logits` with one class each, and its gradient to `gradient`.
///
/// With the share `s` of smoothing (Szegedy et al. 2016) the target `t` is `1 - s` for the class and `s / width` more
/// for every one; the loss of a row is `ln Σ exp(x) - Σ t x`, its gradient `softmax(x) - t`, as PyTorch's.
///
/// # Errors
/// The slices do not fit, or a class is not below `width`; then nothing is written.
pub fn cross_entropy(
    logits: &[f32],
    width: usize,
    classes: &[u32],
    smoothing: f32,
    gradient: &mut [f32],
) -> Result<f64, CrossEntropyError> {
    let width = LengthMismatch::check_rows("logits", logits.len(), width)?;
    LengthMismatch::check("gradient", gradient.len(), logits.len())?;
    LengthMismatch::check("classes", classes.len(), logits.len() / width)?;
    let outside = classes.iter().position(|class| *class as usize >= width);
    if let Some((row, class)) = outside.and_then(|row| Some((row, *classes.get(row)?))) {
        return Err(CrossEntropyError::Class {
            row,
            class,
            classes: width,
        });
    }
    Ok(losses(logits, width, classes, smoothing, gradient))
}

/// How many numbers of narrow rows are gone through together: what is elementary then does not stop at the ends of
/// rows.
const GROUP: usize = 1024;

/// Rows from this width on are gone through one by one.
const WIDE: usize = 256;

/// How many numbers the rows have that are gone through together.
#[inline(always)]
fn group(width: usize) -> usize {
    if width < WIDE {
        width * (GROUP / width)
    } else {
        width
    }
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
            softmax_slopes(output, gradient.iter().copied().zip(into), dot);
        }
    }

    fn softmax_backward_over(output: &'a [f32], gradient: &'a mut [f32], width: usize) {
        for (output, gradient) in output.chunks(width).zip(gradient.chunks_mut(width)) {
            let dot = dot(output, gradient);
            softmax_slopes(output, over(gradient), dot);
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
            log_softmax_slopes(output, gradient.iter().copied().zip(into), width, &sums);
        }
    }

    fn log_softmax_backward_over(output: &'a [f32], gradient: &'a mut [f32], width: usize) {
        let mut sums = [0.0; GROUP];
        for (output, gradient) in pairs(output, gradient, width) {
            spread(gradient, width, total, &mut sums);
            log_softmax_slopes(output, over(gradient), width, &sums);
        }
    }

    fn losses(
        logits: &'a [f32],
        width: usize,
        classes: &'a [u32],
        smoothing: f32,
        gradient: &'a mut [f32],
    ) -> f64 {
        let classes = classes.chunks(group(width) / width);
        let mut loss = 0.0;
        let mut largest = [0.0; GROUP];
        for ((logits, gradient), classes) in pairs(logits, gradient, width).zip(classes) {
            spread(logits, width, largest_of, &mut largest);
            exponentials(logits.iter().copied().zip(&mut *gradient), width, &largest);
            let largest = largest.iter().step_by(width).zip(classes);
            let rows = logits.chunks(width).zip(gradient.chunks_mut(width));
            for ((logits, gradient), (largest, class)) in rows.zip(largest) {
                loss += loss_of_row(logits, *largest, *class as usize, smoothing, gradient);
            }
        }
        loss
    }
}

/// The groups of rows of two slices.
#[inline(always)]
fn pairs<'a>(
    from: &'a [f32],
    to: &'a mut [f32],
    width: usize,
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    from.chunks(group(width)).zip(to.chunks_mut(group(width)))
}

/// Each number, and itself as the place of what becomes of it.
#[inline(always)]
fn over(values: &mut [f32]) -> impl Iterator<Item = (f32, &mut f32)> {
    values.iter_mut().map(|value| (*value, value))
}

/// Writes a number for each row of a group, as often as the row is wide; that of a wide row, once.
#[inline(always)]
fn spread(values: &[f32], width: usize, of_row: impl Fn(&[f32]) -> f32, spread: &mut [f32; GROUP]) {
    if width < WIDE {
        for (spread, row) in spread.chunks_mut(width).zip(values.chunks(width)) {
            spread.fill(of_row(row));
        }
    } else {
        spread[0] = of_row(values);
    }
}

/// NaN is passed over: the differences bring it back.
#[inline(always)]
fn largest_of(row: &[f32]) -> f32 {
    const LANES: usize = 16;
    let larger = |x: f32, y: f32| if y > x { y } else { x };
    let (pieces, rest) = row.as_chunks::<LANES>();
    let of_rest = rest.iter().copied().fold(f32::NEG_INFINITY, larger);
    let Some((first, pieces)) = pieces.split_first() else {
        return of_rest;
    };
    let mut lanes = *first;
    for piece in pieces {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], piece[lane]);
        }
    }
    lanes.into_iter().fold(of_rest, larger)
}

#[inline(always)]
fn total(row: &[f32]) -> f32 {
    sum::sum(row) as f32
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum::sum_of(a, b, b, |a, b, _| a * b) as f32
}

/// Writes the exponentials of the numbers of a group, by those of the largest ones of their rows.
#[inline(always)]
fn exponentials<'a>(
    places: impl Iterator<Item = (f32, &'a mut f32)>,
    width: usize,
    largest: &[f32; GROUP],
) {
    if width < WIDE {
        for ((value, place), largest) in places.zip(largest) {
            *place = math::exp_of_difference(value, *largest);
        }
    } else {
        for (value, place) in places {
            *place = math::exp_of_difference(value, largest[0]);
        }
    }
}

/// Divides rows by their sums.
#[inline(always)]
fn divide(values: &mut [f32], width: usize) {
    for row in values.chunks_mut(width) {
        // The inverse in two parts, so that it brings no rounding error of its own.
        let (high, low) = parts(1.0 / sum::sum(row));
        for value in row {
            *value = value.mul_add(high, *value * low);
        }
    }
}

/// As the sum of two numbers.
#[inline(always)]
fn parts(x: f64) -> (f32, f32) {
    let high = x as f32;
    (high, (x - f64::from(high)) as f32)
}

/// Writes the logarithms of a group over its exponentials.
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

#[inline(always)]
fn softmax_slopes<'a>(output: &[f32], places: impl Iterator<Item = (f32, &'a mut f32)>, dot: f32) {
    for (output, (gradient, place)) in output.iter().zip(places) {
        *place = output * (gradient - dot);
    }
}

#[inline(always)]
fn log_softmax_slopes<'a>(
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

/// The loss of a row, whose exponentials stand in `gradient`.
#[inline(always)]
fn loss_of_row(
    logits: &[f32],
    largest: f32,
    class: usize,
    smoothing: f32,
    gradient: &mut [f32],
) -> f64 {
    let share = smoothing / logits.len() as f32;
    let sum = sum::sum(gradient);
    let (high, low) = parts(1.0 / sum);
    for gradient in gradient.iter_mut() {
        *gradient = gradient.mul_add(high, gradient.mul_add(low, -share));
    }
    if let Some(gradient) = gradient.get_mut(class) {
        *gradient -= 1.0 - smoothing;
    }
    let of_class = f64::from(logits.get(class).copied().unwrap_or(f32::NAN));
    let loss = f64::from(largest) + sum.ln() - f64::from(1.0 - smoothing) * of_class;
    // Not 0 times infinity, where a mask has written it.
    if smoothing > 0.0 {
        loss - f64::from(share) * sum::sum(logits)
    } else {
        loss
    }
}
