//! Gaussian noise from the counter-based generator. The backward pass draws the same numbers again, so nothing is saved
//! for it.

use core::f32::consts::{FRAC_PI_2, LN_2, SQRT_2};

use pulp::{Arch, Simd, WithSimd};

use crate::{dropout::Source, philox};

/// The number of values that are drawn together. Chunks of work begin at a multiple of it.
pub const WORD: usize = 4 * philox::LANES;

/// The use of the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is added to the number.
    Add,
    /// The number is multiplied by one plus the noise, as in Gaussian dropout (Srivastava et al. 2014, section 10).
    Multiply,
    /// It replaces the number.
    Replace,
}

/// Applies noise with mean 0 and a standard deviation to `values`.
///
/// `first` is the index of the slice's first [`WORD`] numbers in the whole tensor: 0 unless the work is split into chunks.
/// Pairs of numbers are drawn by the Box-Muller transform (1958); none is beyond 5.8 standard deviations.
pub fn apply(source: Source, kind: Kind, deviation: f32, first: u64, values: &mut [f32]) {
    Arch::new().dispatch(Apply {
        source,
        kind,
        deviation,
        first,
        values,
    });
}

struct Apply<'a> {
    source: Source,
    kind: Kind,
    deviation: f32,
    first: u64,
    values: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            source,
            kind,
            deviation,
            first,
            values,
        } = self;
        for (index, values) in (first..).zip(values.chunks_mut(WORD)) {
            let noise = draw(source, index);
            for (value, noise) in values.iter_mut().zip(noise) {
                let noise = noise * deviation;
                *value = match kind {
                    Kind::Add => *value + noise,
                    Kind::Multiply => value.mul_add(noise, *value),
                    Kind::Replace => noise,
                };
            }
        }
    }
}

/// The normal numbers at an index.
#[inline(always)]
fn draw(source: Source, index: u64) -> [f32; WORD] {
    let random = philox::words(source, index);
    let mut normal = [0.0; WORD];
    for pair in 0..2 {
        for lane in 0..philox::LANES {
            let (radius, turn) = (random[2 * pair][lane], random[2 * pair + 1][lane]);
            let (first, second) = box_muller(radius as u32, turn as u32);
            normal[2 * pair * philox::LANES + lane] = first;
            normal[(2 * pair + 1) * philox::LANES + lane] = second;
        }
    }
    normal
}

/// Two independent normal numbers from 24 bits each.
#[inline(always)]
fn box_muller(radius: u32, turn: u32) -> (f32, f32) {
    // In (0, 1].
    let uniform = ((radius >> 8) + 1) as f32 * (1.0 / 16_777_216.0);
    let radius = (-2.0 * logarithm(uniform)).sqrt();
    let (sine, cosine) = on_the_circle(turn >> 8);
    (radius * cosine, radius * sine)
}

/// `ln(x)` of a normal number above 0, with a relative error of at most 1e-6, or an absolute one if `|ln(x)|` is below 1.
#[inline(always)]
fn logarithm(x: f32) -> f32 {
    let bits = x.to_bits();
    let mantissa = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
    let large = mantissa > SQRT_2;
    let exponent = ((bits >> 23) as i32 - 127 + i32::from(large)) as f32;
    let mantissa = if large { 0.5 * mantissa } else { mantissa };
    // ln(m) = 2 artanh((m - 1) / (m + 1)).
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut p = 2.0 / 9.0_f32;
    p = p.mul_add(square, 2.0 / 7.0);
    p = p.mul_add(square, 2.0 / 5.0);
    p = p.mul_add(square, 2.0 / 3.0);
    p = p.mul_add(square, 2.0);
    exponent.mul_add(LN_2, p * s)
}

/// Sine and cosine of `turn / 2^24` of a full turn (less an eighth).
#[inline(always)]
fn on_the_circle(turn: u32) -> (f32, f32) {
    // The quarter turn, and the rest relative to its middle: from -1/2 to 1/2 of a quarter.
    let quarter = turn >> 22;
    let rest = ((turn & 0x003F_FFFF) as f32).mul_add(1.0 / 4_194_304.0, -0.5);
    let x = rest * FRAC_PI_2;
    let square = x * x;
    let mut sine = -1.0 / 5040.0_f32;
    sine = sine.mul_add(square, 1.0 / 120.0);
    sine = sine.mul_add(square, -1.0 / 6.0);
    let sine = (sine * square).mul_add(x, x);
    let mut cosine = 1.0 / 40_320.0_f32;
    cosine = cosine.mul_add(square, -1.0 / 720.0);
    cosine = cosine.mul_add(square, 1.0 / 24.0);
    cosine = cosine.mul_add(square, -0.5);
    let cosine = cosine.mul_add(square, 1.0);
    // Rotate by the quarters. That the angle starts in the middle of a quarter does not matter for a random angle.
    let (sine, cosine) = if quarter & 1 == 0 {
        (sine, cosine)
    } else {
        (cosine, -sine)
    };
    if quarter & 2 == 0 {
        (sine, cosine)
    } else {
        (-sine, -cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_and_circles_are_exact_enough() {
        for step in 1..=10_000_u32 {
            let x = step as f32 / 10_000.0;
            let exact = f64::from(x).ln();
            let error = (f64::from(logarithm(x)) - exact).abs();
            assert!(error <= 1e-6 * exact.abs().max(1.0), "{x}: {error}");
            let turn = step * 1677;
            let (sine, cosine) = on_the_circle(turn);
            let angle = (f64::from(turn) / f64::from(1 << 24) - 0.125) * std::f64::consts::TAU;
            assert!((f64::from(sine) - angle.sin()).abs() < 1e-6, "{turn}");
            assert!((f64::from(cosine) - angle.cos()).abs() < 1e-6, "{turn}");
        }
    }
}
