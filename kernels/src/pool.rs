//! Max pooling over a plane.

use crate::LengthMismatch;

/// The windows of a pooling operation over a plane of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Height and width of the plane.
    pub from: [usize; 2],
    /// How many windows there are, down and across.
    pub to: [usize; 2],
    /// Height and width of a window.
    pub kernel: [usize; 2],
    /// The step from one window to the next, down and across.
    pub stride: [usize; 2],
    /// The padding before the plane: by how much the first window begins before it.
    pub before: [usize; 2],
}

impl Windows {
    /// The part of window `place` along an axis that lies within the plane.
    #[inline(always)]
    fn inside(&self, axis: usize, place: usize) -> core::ops::Range<usize> {
        let first = place * self.stride[axis];
        let end = (first + self.kernel[axis]).saturating_sub(self.before[axis]);
        let end = end.min(self.from[axis]);
        first.saturating_sub(self.before[axis]).min(end)..end
    }

    /// Of `count` windows across from the `first` one on, those whose number at `offset` lies within the plane, and
    /// where the first of these has it.
    #[inline(always)]
    fn across(
        &self,
        offset: usize,
        first: usize,
        count: usize,
    ) -> (core::ops::Range<usize>, usize) {
        let (before, stride) = (self.before[1], self.stride[1].max(1));
        // No window reaches beyond the plane, as most do not: there is nothing to divide.
        if before == 0 && (self.to[1] - 1) * stride + self.kernel[1] <= self.from[1] {
            return (0..count, first * stride + offset);
        }
        let start = before.saturating_sub(offset).div_ceil(stride).max(first);
        let last = (self.from[1] + before).saturating_sub(offset);
        let end = last.div_ceil(stride).min(first + count);
        let start = start.min(end);
        let column = (start * stride + offset).saturating_sub(before);
        (start.max(first) - first..end.max(first) - first, column)
    }
}

/// Writes the maximum of each window of `plane` to `output`, and its index in the plane to `places`.
///
/// Of equal numbers the first one wins, row by row. NaN is greater than any number.
///
/// # Errors
/// The slices are not as long as the windows say.
pub fn max_pool(
    plane: &[f32],
    windows: Windows,
    output: &mut [f32],
    places: &mut [u32],
) -> Result<(), LengthMismatch> {
    let numbers = windows.from[0].saturating_mul(windows.from[1]);
    LengthMismatch::check("plane", plane.len(), numbers)?;
    let count = windows.to[0].saturating_mul(windows.to[1]);
    LengthMismatch::check("output", output.len(), count)?;
    LengthMismatch::check("places", places.len(), count)?;
    search(plane, windows, output, places);
    Ok(())
}

vectorized! {
    fn search(
        plane: &'a [f32],
        windows: Windows,
        output: &'a mut [f32],
        places: &'a mut [u32],
    ) -> () {
        let width = windows.from[1];
        let across = windows.to[1].max(1);
        let lines = output.chunks_exact_mut(across).zip(places.chunks_exact_mut(across));
        for (down, (output, places)) in lines.enumerate() {
            let blocks = output.chunks_mut(BLOCK).zip(places.chunks_mut(BLOCK));
            for (block, (output, places)) in blocks.enumerate() {
                let first = block * BLOCK;
                let mut best = [0_u64; BLOCK];
                for row in windows.inside(0, down) {
                    for offset in 0..windows.kernel[1] {
                        let (range, column) = windows.across(offset, first, output.len());
                        let at = row * width + column;
                        let (Some(from), Some(best)) =
                            (plane.get(at..(row + 1) * width), best.get_mut(range))
                        else {
                            continue;
                        };
                        match windows.stride[1] {
                            1 => raise::<1>(from, at, best),
                            2 => raise::<2>(from, at, best),
                            3 => raise::<3>(from, at, best),
                            stride => {
                                let from = from.iter().step_by(stride.max(1)).enumerate();
                                for ((index, number), best) in from.zip(best) {
                                    *best = key(*number, at + index * stride).max(*best);
                                }
                            }
                        }
                    }
                }
                for ((output, place), best) in output.iter_mut().zip(places).zip(best) {
                    (*output, *place) = of_key(best);
                }
            }
        }
    }
}

/// How many windows are searched together.
const BLOCK: usize = 32;

/// Every `STRIDE`th number, where it is greater than the best one so far.
#[inline(always)]
fn raise<const STRIDE: usize>(from: &[f32], first: usize, best: &mut [u64]) {
    // The last one may have less than a stride behind it.
    let whole = (from.len() / STRIDE).min(best.len());
    let (best, last) = best.split_at_mut(whole);
    for (index, (best, chunk)) in best.iter_mut().zip(from.chunks_exact(STRIDE)).enumerate() {
        *best = key(chunk[0], first + index * STRIDE).max(*best);
    }
    for (best, number) in last.iter_mut().zip(&from[whole * STRIDE..]) {
        *best = key(*number, first + whole * STRIDE).max(*best);
    }
}

/// A number and its place as one integer, which is greater for a greater number, and of equal numbers for the first one.
/// Which of two neighbors is greater cannot be predicted, and the maximum of integers needs no branch.
#[inline(always)]
fn key(number: f32, place: usize) -> u64 {
    // Zeros of both signs are equal.
    let bits = (number + 0.0).to_bits();
    let bits = if number.is_nan() {
        bits & 0x7FFF_FFFF
    } else {
        bits
    };
    // Negative numbers grow as their bits fall.
    let ordered = bits ^ (((bits as i32) >> 31) as u32 | 0x8000_0000);
    (u64::from(ordered) << 32) | u64::from(!(place as u32))
}

#[inline(always)]
fn of_key(key: u64) -> (f32, u32) {
    let ordered = (key >> 32) as u32;
    let bits = if ordered & 0x8000_0000 == 0 {
        !ordered
    } else {
        ordered & 0x7FFF_FFFF
    };
    (f32::from_bits(bits), !(key as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_of_each_window_is_found() {
        let plane = [
            1.0,
            9.0,
            2.0,
            3.0, //
            4.0,
            5.0,
            f32::NAN,
            8.0, //
            -1.0,
            -2.0,
            -3.0,
            -3.0,
        ];
        let windows = Windows {
            from: [3, 4],
            to: [1, 2],
            kernel: [2, 2],
            stride: [2, 2],
            before: [0, 0],
        };
        let (mut output, mut places) = ([0.0; 2], [0; 2]);
        max_pool(&plane, windows, &mut output, &mut places).unwrap();
        assert_eq!((output[0], places), (9.0, [1, 6]));
        assert!(output[1].is_nan());
    }

    #[test]
    fn what_lies_around_the_plane_is_never_the_greatest() {
        let plane = [-5.0, -6.0, -7.0, -5.0];
        for stride in 1..5 {
            let windows = Windows {
                from: [1, 4],
                to: [1, (4 + 2 - 3) / stride + 1],
                kernel: [1, 3],
                stride: [1, stride],
                before: [0, 1],
            };
            let count = windows.to[1];
            let (mut output, mut places) = (vec![0.0; count], vec![9; count]);
            max_pool(&plane, windows, &mut output, &mut places).unwrap();
            for (window, (found, place)) in output.iter().zip(&places).enumerate() {
                let first = window * stride;
                let inside = first.saturating_sub(1)..(first + 2).min(4);
                let best = plane[inside].iter().copied().fold(f32::MIN, f32::max);
                assert_eq!(
                    (*found, plane[*place as usize]),
                    (best, best),
                    "{stride} {window}"
                );
            }
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_errors() {
        let windows = Windows {
            from: [2, 2],
            to: [1, 1],
            kernel: [2, 2],
            stride: [1, 1],
            before: [0, 0],
        };
        assert!(max_pool(&[0.0; 3], windows, &mut [0.0], &mut [0]).is_err());
        assert!(max_pool(&[0.0; 4], windows, &mut [], &mut [0]).is_err());
    }
}
