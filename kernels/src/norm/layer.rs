//! Layer norm: each row is normalized by its own mean and variance.

#![allow(
    clippy::too_many_arguments,
    reason = "a normalization has many slices, and a struct for them would be used once"
)]

use super::deviation::inverse_deviation;
use crate::{LengthMismatch, sum};

/// Normalizes each row of `width` numbers, and writes its mean and `r` (to `inverse`) for the backward pass.
///
/// # Errors
/// `input` is not whole rows, or the lengths of the others do not fit.
pub fn layer_norm(
    input: &[f32],
    width: usize,
    gamma: &[f32],
    beta: Option<&[f32]>,
    epsilon: f32,
    output: &mut [f32],
    mean: &mut [f32],
    inverse: &mut [f32],
) -> Result<(), LengthMismatch> {
    let beta_length = beta.map_or(width, <[f32]>::len);
    LengthMismatch::check_all(width, [("gamma", gamma.len()), ("beta", beta_length)])?;
    let width = LengthMismatch::check_rows("input", input.len(), width)?;
    LengthMismatch::check("output", output.len(), input.len())?;
    LengthMismatch::check_all(
        input.len() / width,
        [("mean", mean.len()), ("inverse", inverse.len())],
    )?;
    layer_rows(input, width, gamma, beta, epsilon, output, mean, inverse);
    Ok(())
}

/// Writes the gradient of [`layer_norm`]'s input to `into`. The gradients of `gamma` and `beta` are added to those of
/// earlier chunks of the work.
///
/// With `h = (x - m) r` and `a = g gamma` the gradient of the input is `r (a - (Σ a + h Σ a h) / width)`.
///
/// # Errors
/// `input` is not whole rows, or the lengths of the others do not fit.
pub fn layer_norm_backward(
    input: &[f32],
    width: usize,
    gamma: &[f32],
    mean: &[f32],
    inverse: &[f32],
    gradient: &[f32],
    into: &mut [f32],
    gamma_gradient: &mut [f32],
    beta_gradient: Option<&mut [f32]>,
) -> Result<(), LengthMismatch> {
    let beta_length = beta_gradient.as_ref().map_or(width, |beta| beta.len());
    LengthMismatch::check_all(
        width,
        [
            ("gamma", gamma.len()),
            ("gamma_gradient", gamma_gradient.len()),
            ("beta_gradient", beta_length),
        ],
    )?;
    let width = LengthMismatch::check_rows("input", input.len(), width)?;
    LengthMismatch::check_all(
        input.len(),
        [("gradient", gradient.len()), ("into", into.len())],
    )?;
    LengthMismatch::check_all(
        input.len() / width,
        [("mean", mean.len()), ("inverse", inverse.len())],
    )?;
    let beta_gradient = beta_gradient.unwrap_or_default();
    layer_slopes(
        input,
        width,
        gamma,
        mean,
        inverse,
        gradient,
        into,
        gamma_gradient,
        beta_gradient,
    );
    Ok(())
}

/// Rows of up to this width have local arrays for gradients of `gamma` and `beta`.
const NARROW: usize = 512;

vectorized! {
    fn layer_rows(
        input: &'a [f32],
        width: usize,
        gamma: &'a [f32],
        beta: Option<&'a [f32]>,
        epsilon: f32,
        output: &'a mut [f32],
        mean: &'a mut [f32],
        inverse: &'a mut [f32],
    ) {
        let rows = input.chunks(width).zip(output.chunks_mut(width));
        for ((input, output), (mean, inverse)) in rows.zip(mean.iter_mut().zip(inverse)) {
            (*mean, *inverse) = moments(input, epsilon);
            let (mean, inverse) = (*mean, *inverse);
            let places = output.iter_mut().zip(input).zip(gamma);
            if let Some(beta) = beta {
                for (((output, x), gamma), beta) in places.zip(beta) {
                    *output = ((x - mean) * inverse).mul_add(*gamma, *beta);
                }
            } else {
                for ((output, x), gamma) in places {
                    *output = (x - mean) * inverse * gamma;
                }
            }
        }
    }

    fn layer_slopes(
        input: &'a [f32],
        width: usize,
        gamma: &'a [f32],
        mean: &'a [f32],
        inverse: &'a [f32],
        gradient: &'a [f32],
        into: &'a mut [f32],
        gamma_gradient: &'a mut [f32],
        beta_gradient: &'a mut [f32],
    ) {
        let rows = input
            .chunks(width)
            .zip(gradient.chunks(width))
            .zip(into.chunks_mut(width));
        let rows = rows.zip(mean.iter().zip(inverse));
        // For few columns, local arrays stay in registers and cache, and the compiler knows that they do not alias.
        let [mut near, mut of_gamma, mut of_beta] = [[0.0; NARROW]; 3];
        let [near, of_gamma, of_beta] = [&mut near, &mut of_gamma, &mut of_beta]
            .map(|all| all.get_mut(..width).unwrap_or_default());
        if near.is_empty() {
            for row in rows {
                layer_row_slopes(row, gamma, gamma_gradient, beta_gradient);
            }
        } else {
            near.copy_from_slice(gamma);
            for row in rows {
                layer_row_slopes(row, near, of_gamma, of_beta);
            }
            add(of_gamma, gamma_gradient);
            add(of_beta, beta_gradient);
        }
    }
}

/// The mean of a row, and the inverse of its standard deviation.
#[inline(always)]
fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let count = row.len() as f64;
    let mean = (sum::sum(row) / count) as f32;
    let squares = sum::sum_of(row, row, row, |x, _, _| (x - mean) * (x - mean));
    (mean, inverse_deviation(squares / count, epsilon))
}

/// The input, the gradient of the output, and the gradient of the input to write; the mean and `r`.
type Row<'a> = (((&'a [f32], &'a [f32]), &'a mut [f32]), (&'a f32, &'a f32));

/// Writes the gradient of a row, and adds to those of `gamma` and of `beta`, if that is not empty.
#[inline(always)]
fn layer_row_slopes(row: Row, gamma: &[f32], of_gamma: &mut [f32], of_beta: &mut [f32]) {
    let (((input, gradient), into), (mean, inverse)) = row;
    let (mean, inverse) = (*mean, *inverse);
    let sum = sum::sum_of(gamma, gradient, gradient, |gamma, gradient, _| {
        gamma * gradient
    });
    let product = sum::sum_of(input, gamma, gradient, |x, gamma, gradient| {
        gamma * gradient * (x - mean)
    });
    let count = input.len() as f64;
    let sum = (sum / count) as f32;
    let factor = (product / count) as f32 * inverse * inverse;
    let numbers = input.iter().zip(gradient);
    for (((x, gradient), gamma), into) in numbers.clone().zip(gamma).zip(into) {
        *into = inverse * (gamma * gradient - (x - mean).mul_add(factor, sum));
    }
    for ((x, gradient), of_gamma) in numbers.zip(of_gamma) {
        *of_gamma = ((x - mean) * inverse).mul_add(*gradient, *of_gamma);
    }
    add(gradient, of_beta);
}

#[inline(always)]
fn add(values: &[f32], sums: &mut [f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
