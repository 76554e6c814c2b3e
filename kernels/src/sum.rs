//! Sums in independent lanes, which the compiler vectorizes.

use core::{hint::black_box, ops::AddAssign};

const LANES: usize = 16;

/// The sum of a function of the numbers at the same index of three slices. If fewer slices are needed, pass one twice.
/// Only one function, because two in one loop would not be vectorized.
///
/// Each lane sums a few terms in their own type, and these sums are added in `f64`. Terms of type `f32` are faster, and
/// accurate enough if they are near 0 or have the same sign.
#[inline(always)]
pub fn sum_of<T: Copy + Default + AddAssign + Into<f64>>(
    a: &[f32],
    b: &[f32],
    c: &[f32],
    term: impl Fn(f32, f32, f32) -> T,
) -> f64 {
    const PIECE: usize = 64 * LANES;
    let mut sum = 0.0;
    for ((a, b), c) in a.chunks(PIECE).zip(b.chunks(PIECE)).zip(c.chunks(PIECE)) {
        sum += of_piece(a, b, c, &term).into();
    }
    sum
}

#[inline(always)]
fn of_piece<T: Copy + Default + AddAssign>(
    a: &[f32],
    b: &[f32],
    c: &[f32],
    term: impl Fn(f32, f32, f32) -> T,
) -> T {
    let mut lanes = [T::default(); LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let (c, c_rest) = c.as_chunks::<LANES>();
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane], b[lane], c[lane]);
        }
    }
    let mut sum = if a.is_empty() {
        T::default()
    } else {
        total(lanes)
    };
    for ((a, b), c) in a_rest.iter().zip(b_rest).zip(c_rest) {
        sum += term(*a, *b, *c);
    }
    sum
}

/// The sum of the lanes, by halves.
#[inline(always)]
fn total<T: Copy + AddAssign>(lanes: [T; LANES]) -> T {
    // Through memory, because otherwise the compiler would use vectors of two lanes, as in the last step, for the loop
    // before this function.
    let mut lanes = black_box(lanes);
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] += other;
        }
        half /= 2;
    }
    lanes[0]
}

/// The sum of all numbers.
#[inline(always)]
pub fn sum(values: &[f32]) -> f64 {
    sum_of(values, values, values, |x, _, _| f64::from(x))
}
