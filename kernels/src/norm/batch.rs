//! Batch norm: each channel is normalized by its mean and variance over the batch.

#![allow(
    clippy::too_many_arguments,
    reason = "a normalization has many slices, and a struct for them would be used once"
)]

use super::deviation::inverse_deviation;
use crate::{LengthMismatch, sum};
use core::ops::{AddAssign, Range};

/// The mean and the variance, divided by the count, of each channel of `[batch, channels, positions]`.
///
/// # Errors
/// `input` is not a whole batch, or the others do not have one number for each channel.
pub fn batch_statistics(
    input: &[f32],
    channels: usize,
    positions: usize,
    mean: &mut [f32],
    variance: &mut [f32],
) -> Result<(), LengthMismatch> {
    let lengths = [("mean", mean.len()), ("variance", variance.len())];
    let shape = Shape::check(input, channels, positions, lengths)?;
    statistics(input, shape, mean, variance);
    Ok(())
}

/// Normalizes each channel of `[batch, channels, positions]`.
///
/// # Errors
/// `input` is not a whole batch, or the lengths of the others do not fit.
pub fn batch_norm(
    input: &[f32],
    channels: usize,
    positions: usize,
    mean: &[f32],
    variance: &[f32],
    epsilon: f32,
    gamma: &[f32],
    beta: &[f32],
    output: &mut [f32],
) -> Result<(), LengthMismatch> {
    let lengths = [
        ("mean", mean.len()),
        ("variance", variance.len()),
        ("gamma", gamma.len()),
        ("beta", beta.len()),
    ];
    let shape = Shape::check(input, channels, positions, lengths)?;
    LengthMismatch::check("output", output.len(), input.len())?;
    normalize(input, shape, mean, variance, epsilon, gamma, beta, output);
    Ok(())
}

/// Writes the gradients of the inputs of [`batch_norm`] with the statistics of the batch itself.
///
/// With `h = (x - m) r` the gradient of `beta` is `Σ g`, that of `gamma` `Σ g h`, and that of the input
/// `gamma r (g - (Σ g + h Σ g h) / count)`.
///
/// # Errors
/// `input` is not a whole batch, or the lengths of the others do not fit.
pub fn batch_norm_backward(
    input: &[f32],
    channels: usize,
    positions: usize,
    mean: &[f32],
    variance: &[f32],
    epsilon: f32,
    gamma: &[f32],
    gradient: &[f32],
    into: &mut [f32],
    gamma_gradient: &mut [f32],
    beta_gradient: &mut [f32],
) -> Result<(), LengthMismatch> {
    let lengths = [
        ("mean", mean.len()),
        ("variance", variance.len()),
        ("gamma", gamma.len()),
        ("gamma_gradient", gamma_gradient.len()),
        ("beta_gradient", beta_gradient.len()),
    ];
    let shape = Shape::check(input, channels, positions, lengths)?;
    LengthMismatch::check_all(
        input.len(),
        [("gradient", gradient.len()), ("into", into.len())],
    )?;
    batch_slopes(
        input,
        shape,
        mean,
        variance,
        epsilon,
        gamma,
        gradient,
        into,
        gamma_gradient,
        beta_gradient,
    );
    Ok(())
}

vectorized! {
    fn statistics(input: &'a [f32], shape: Shape, mean: &'a mut [f32], variance: &'a mut [f32]) {
        let count = shape.count(input);
        for (tile, (mean, variance)) in shape
            .tiles()
            .zip(mean.chunks_mut(TILE).zip(variance.chunks_mut(TILE)))
        {
            // Differences to any number of the channel are small; this takes the first one.
            let mut origins = [0.0; TILE];
            for (origin, run) in origins
                .iter_mut()
                .zip(shape.part(input, &tile).chunks(shape.positions))
            {
                *origin = run.first().copied().unwrap_or_default();
            }
            let difference = |x: f32, _, origin: f32| f64::from(x) - f64::from(origin);
            let (sums, squares) =
                shape.sums(input, input, &tile, &origins, difference, |x, _, origin| {
                    let difference = difference(x, 0.0, origin);
                    difference * difference
                });
            let numbers = mean.iter_mut().zip(variance).zip(origins);
            for (((mean, variance), origin), (sum, square)) in
                numbers.zip(sums.iter().zip(&squares))
            {
                let difference = sum / count;
                *mean = (f64::from(origin) + difference) as f32;
                *variance = (square / count - difference * difference) as f32;
            }
        }
    }

    fn normalize(
        input: &'a [f32],
        shape: Shape,
        mean: &'a [f32],
        variance: &'a [f32],
        epsilon: f32,
        gamma: &'a [f32],
        beta: &'a [f32],
        output: &'a mut [f32],
    ) {
        for tile in shape.tiles() {
            let [mean, variance, gamma, beta] =
                [mean, variance, gamma, beta].map(|all| of(all, &tile));
            let mut scales = [0.0; TILE];
            for ((scale, variance), gamma) in scales.iter_mut().zip(variance).zip(gamma) {
                *scale = gamma * inverse_deviation(f64::from(*variance), epsilon);
            }
            let numbers = [mean, &scales, beta, beta];
            shape.write(
                input,
                input,
                output,
                &tile,
                numbers,
                |x, _, [mean, scale, beta, _]| (x - mean).mul_add(scale, beta),
            );
        }
    }

    fn batch_slopes(
        input: &'a [f32],
        shape: Shape,
        mean: &'a [f32],
        variance: &'a [f32],
        epsilon: f32,
        gamma: &'a [f32],
        gradient: &'a [f32],
        into: &'a mut [f32],
        gamma_gradient: &'a mut [f32],
        beta_gradient: &'a mut [f32],
    ) {
        let count = shape.count(input);
        let sums = gamma_gradient
            .chunks_mut(TILE)
            .zip(beta_gradient.chunks_mut(TILE));
        for (tile, (gamma_gradient, beta_gradient)) in shape.tiles().zip(sums) {
            let [mean, variance, gamma] = [mean, variance, gamma].map(|all| of(all, &tile));
            let (sums, products) = shape.sums(
                input,
                gradient,
                &tile,
                mean,
                |_, gradient, _| gradient,
                |x, gradient, mean| gradient * (x - mean),
            );
            // The input's gradient is `scale g + slope (x - m) + shift`.
            let (mut scales, mut slopes, mut shifts) = ([0.0; TILE], [0.0; TILE], [0.0; TILE]);
            let factors = scales.iter_mut().zip(&mut slopes).zip(&mut shifts);
            let factors = factors.zip(variance.iter().zip(gamma));
            let sums = sums.iter().zip(&products);
            let gradients = gamma_gradient.iter_mut().zip(beta_gradient);
            for (
                (((scale, slope), shift), (variance, gamma)),
                ((sum, product), (of_gamma, of_beta)),
            ) in factors.zip(sums.zip(gradients))
            {
                let inverse = inverse_deviation(f64::from(*variance), epsilon);
                *of_beta = *sum as f32;
                *of_gamma = (product * f64::from(inverse)) as f32;
                *scale = gamma * inverse;
                *slope = -*scale * inverse * (*of_gamma / count as f32);
                *shift = -*scale * ((sum / count) as f32);
            }
            let numbers = [mean, &scales, &slopes, &shifts];
            shape.write(
                input,
                gradient,
                into,
                &tile,
                numbers,
                |x, gradient, [mean, scale, slope, shift]| {
                    scale.mul_add(gradient, slope.mul_add(x - mean, shift))
                },
            );
        }
    }
}

/// The number of channels that are processed together, so that their statistics stay in the cache.
const TILE: usize = 512;

#[derive(Clone, Copy)]
struct Shape {
    channels: usize,
    positions: usize,
}

impl Shape {
    fn check<const N: usize>(
        input: &[f32],
        channels: usize,
        positions: usize,
        lengths: [(&'static str, usize); N],
    ) -> Result<Self, LengthMismatch> {
        LengthMismatch::check_all(channels, lengths)?;
        LengthMismatch::check_rows("input", input.len(), channels.saturating_mul(positions))?;
        let positions = positions.max(1);
        Ok(Self {
            channels,
            positions,
        })
    }

    /// The number of values in a channel.
    #[inline(always)]
    fn count(self, input: &[f32]) -> f64 {
        (input.len() / self.channels.max(1)) as f64
    }

    #[inline(always)]
    fn tiles(self) -> impl Iterator<Item = Range<usize>> {
        let starts = (0..self.channels).step_by(TILE);
        starts.map(move |start| start..(start + TILE).min(self.channels))
    }

    /// The part of a sample that belongs to a tile.
    #[inline(always)]
    fn part<'a>(self, item: &'a [f32], tile: &Range<usize>) -> &'a [f32] {
        of(item, &self.places(tile))
    }

    #[inline(always)]
    fn places(self, tile: &Range<usize>) -> Range<usize> {
        tile.start * self.positions..tile.end * self.positions
    }

    /// For each channel of a tile, the sums of two functions of its numbers and of one number of the channel.
    #[inline(always)]
    fn sums<T: Copy + Default + AddAssign + Into<f64>>(
        self,
        a: &[f32],
        b: &[f32],
        tile: &Range<usize>,
        channels: &[f32],
        of_first: impl Fn(f32, f32, f32) -> T,
        of_second: impl Fn(f32, f32, f32) -> T,
    ) -> ([f64; TILE], [f64; TILE]) {
        let (mut first, mut second) = ([0.0; TILE], [0.0; TILE]);
        let item = self.channels * self.positions;
        for (a, b) in a.chunks(item).zip(b.chunks(item)) {
            let (a, b) = (self.part(a, tile), self.part(b, tile));
            let sums = first.iter_mut().zip(&mut second).zip(channels);
            if self.positions == 1 {
                for ((a, b), ((first, second), channel)) in a.iter().zip(b).zip(sums) {
                    *first += of_first(*a, *b, *channel).into();
                    *second += of_second(*a, *b, *channel).into();
                }
            } else {
                let runs = a.chunks(self.positions).zip(b.chunks(self.positions));
                for ((a, b), ((first, second), channel)) in runs.zip(sums) {
                    *first += sum::sum_of(a, b, b, |a, b, _| of_first(a, b, *channel));
                    *second += sum::sum_of(a, b, b, |a, b, _| of_second(a, b, *channel));
                }
            }
        }
        (first, second)
    }

    /// Writes a function of the numbers of a tile and of four numbers of each channel.
    #[inline(always)]
    fn write(
        self,
        a: &[f32],
        b: &[f32],
        into: &mut [f32],
        tile: &Range<usize>,
        channels: [&[f32]; 4],
        of: impl Fn(f32, f32, [f32; 4]) -> f32,
    ) {
        let item = self.channels * self.positions;
        let items = a.chunks(item).zip(b.chunks(item));
        for ((a, b), into) in items.zip(into.chunks_mut(item)) {
            let (a, b) = (self.part(a, tile), self.part(b, tile));
            let into = into.get_mut(self.places(tile)).unwrap_or_default();
            let [first, second, third, fourth] = channels.map(<[f32]>::iter);
            let channels = first.zip(second).zip(third.zip(fourth));
            if self.positions == 1 {
                let places = a.iter().zip(b).zip(into);
                for (((a, b), into), ((first, second), (third, fourth))) in places.zip(channels) {
                    *into = of(*a, *b, [*first, *second, *third, *fourth]);
                }
            } else {
                let runs = a.chunks(self.positions).zip(b.chunks(self.positions));
                let runs = runs.zip(into.chunks_mut(self.positions));
                for (((a, b), into), ((first, second), (third, fourth))) in runs.zip(channels) {
                    for ((a, b), into) in a.iter().zip(b).zip(into) {
                        *into = of(*a, *b, [*first, *second, *third, *fourth]);
                    }
                }
            }
        }
    }
}

/// The numbers of a range; empty if it is out of bounds.
#[inline(always)]
fn of<'a>(all: &'a [f32], range: &Range<usize>) -> &'a [f32] {
    all.get(range.clone()).unwrap_or_default()
}
