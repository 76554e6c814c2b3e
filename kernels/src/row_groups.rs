//! Loops over the rows of a matrix, which take many narrow rows at once.

use crate::math;

/// The most numbers in a group of narrow rows. Functions of single numbers run over a whole group, without a stop at the
/// end of each row.
pub const GROUP: usize = 1024;

/// Rows of at least this width are a group each.
pub const WIDE: usize = 256;

/// The number of values in a group of rows of this width.
#[inline(always)]
pub fn group(width: usize) -> usize {
    if width < WIDE {
        width * (GROUP / width)
    } else {
        width
    }
}

/// The groups of rows of two slices.
#[inline(always)]
pub fn pairs<'a>(
    from: &'a [f32],
    to: &'a mut [f32],
    width: usize,
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    from.chunks(group(width)).zip(to.chunks_mut(group(width)))
}

/// Writes a number for each row of a group: once for each value of a narrow row, and once for a wide row.
#[inline(always)]
pub fn spread(
    values: &[f32],
    width: usize,
    of_row: impl Fn(&[f32]) -> f32,
    spread: &mut [f32; GROUP],
) {
    if width < WIDE {
        for (spread, row) in spread.chunks_mut(width).zip(values.chunks(width)) {
            spread.fill(of_row(row));
        }
    } else {
        spread[0] = of_row(values);
    }
}

/// The largest number of a row. NaN is ignored here; it comes back with the differences to this number.
#[inline(always)]
pub fn largest_of(row: &[f32]) -> f32 {
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

/// Writes `exp(x - largest)` of each number of a group, with the largest number of its row.
#[inline(always)]
pub fn exponentials<'a>(
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

/// A number as the sum of two, so that products with it are not rounded twice.
#[inline(always)]
pub fn parts(x: f64) -> (f32, f32) {
    let high = x as f32;
    (high, (x - f64::from(high)) as f32)
}
