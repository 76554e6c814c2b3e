//! Max pooling over a plane.

use crate::LengthMismatch;

/// The windows of a pooling operation over a plane of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Height and width of the plane.
    pub from: [usize; 2],
    /// The number of windows, down and across.
    pub to: [usize; 2],
    /// Height and width of a window.
    pub kernel: [usize; 2],
    /// The step from one window to the next, down and across.
    pub stride: [usize; 2],
    /// The padding before the plane, in which the first window begins.
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

    /// Of `count` windows across from the `first` one on, the range of those whose element at `offset` is inside of the
    /// plane, and the column of this element in the first of them.
    #[inline(always)]
    fn across(
        &self,
        offset: usize,
        first: usize,
        count: usize,
    ) -> (core::ops::Range<usize>, usize) {
        let (before, stride) = (self.before[1], self.stride[1].max(1));
        // The usual case, in which all windows are inside of the plane, needs no division.
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
/// Of equal numbers the first one counts, row by row. NaN is larger than any number.
///
/// # Errors
/// The lengths of the slices do not fit the windows.
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
                            1 => update_max::<1>(from, at, best),
                            2 => update_max::<2>(from, at, best),
                            3 => update_max::<3>(from, at, best),
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

/// The number of windows that are searched together.
const BLOCK: usize = 32;

/// Replaces the maxima so far by every `STRIDE`th number that is larger.
#[inline(always)]
fn update_max<const STRIDE: usize>(from: &[f32], first: usize, best: &mut [u64]) {
    // After the last number there may be less than a stride.
    let whole = (from.len() / STRIDE).min(best.len());
    let (best, last) = best.split_at_mut(whole);
    for (index, (best, chunk)) in best.iter_mut().zip(from.chunks_exact(STRIDE)).enumerate() {
        *best = key(chunk[0], first + index * STRIDE).max(*best);
    }
    for (best, number) in last.iter_mut().zip(&from[whole * STRIDE..]) {
        *best = key(*number, first + whole * STRIDE).max(*best);
    }
}

/// A number and its place as one integer that is larger for a larger number, and of equal numbers for the first one.
/// The maximum of integers needs no branch, which could not be predicted.
#[inline(always)]
fn key(number: f32, place: usize) -> u64 {
    // Makes zeros of both signs equal.
    let bits = (number + 0.0).to_bits();
    let bits = if number.is_nan() {
        bits & 0x7FFF_FFFF
    } else {
        bits
    };
    // Negative numbers are larger if their bits are smaller.
    let ordered = bits ^ (((bits as i32) >> 31) as u32 | 0x8000_0000);
    (u64::from(ordered) << 32) | u64::from(!(place as u32))
}

/// The number and the place of a key.
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
    fn the_maximum_of_each_window_is_found() {
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
    fn padding_is_never_the_maximum() {
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
