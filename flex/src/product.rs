//! Matrix products into existing memory, by the crate `gemm`, which burn's flex backend also uses.

use crate::memory::Checked;
use damper_kernels::LengthMismatch;
use gemm::Parallelism;

/// A matrix in a slice. All of its elements are inside of the slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    numbers: &'a [f32],
    size: [usize; 2],
    strides: [usize; 2],
}

/// A matrix that is written. No two of its elements are at the same place.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a> {
    numbers: &'a mut [f32],
    size: [usize; 2],
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Rows without gaps; an error if there are too few numbers.
    pub(crate) fn rows(numbers: &'a [f32], size: [usize; 2]) -> Checked<Self> {
        Self::strided(numbers, size, [size[1], 1])
    }

    /// Element `(i, j)` is at `i * strides[0] + j * strides[1]`; an error if one is outside of the slice.
    pub(crate) fn strided(
        numbers: &'a [f32],
        size: [usize; 2],
        strides: [usize; 2],
    ) -> Checked<Self> {
        check_inside(numbers.len(), size, strides)?;
        Ok(Self {
            numbers,
            size,
            strides,
        })
    }

    /// The transposed matrix.
    pub(crate) fn transposed(self) -> Self {
        let ([rows, columns], [row, column]) = (self.size, self.strides);
        Self {
            size: [columns, rows],
            strides: [column, row],
            ..self
        }
    }
}

impl<'a> MatrixMut<'a> {
    /// Rows without gaps; an error if there are too few numbers.
    pub(crate) fn rows(numbers: &'a mut [f32], size: [usize; 2]) -> Checked<Self> {
        Self::strided(numbers, size, size[1])
    }

    /// Rows that begin `stride` numbers apart; an error if they overlap or are not inside of the slice.
    pub(crate) fn strided(
        numbers: &'a mut [f32],
        size: [usize; 2],
        stride: usize,
    ) -> Checked<Self> {
        let strides = [stride, 1];
        LengthMismatch::check("row", stride.min(size[1]), size[1])?;
        check_inside(numbers.len(), size, strides)?;
        Ok(Self {
            numbers,
            size,
            strides,
        })
    }
}

/// Checks that every element is inside of a slice of this length.
fn check_inside(numbers: usize, [rows, columns]: [usize; 2], [row, column]: [usize; 2]) -> Checked {
    if rows == 0 || columns == 0 {
        return Ok(());
    }
    let last = (rows - 1)
        .checked_mul(row)
        .zip((columns - 1).checked_mul(column))
        .and_then(|(down, right)| down.checked_add(right));
    let is_inside = last.is_some_and(|last| last < numbers) && isize::try_from(numbers).is_ok();
    if is_inside {
        return Ok(());
    }
    Err(LengthMismatch {
        name: "matrix",
        expected: last.map_or(usize::MAX, |last| last.saturating_add(1)),
        found: numbers,
    })
}

/// From this number of multiplications on, all threads share a product.
const TOGETHER: usize = 160 * 160 * 160;

/// Writes `scale * left * right` to `out`, on all threads if it is large; an error if the sizes do not fit.
pub(crate) fn product(
    out: MatrixMut<'_>,
    scale: f32,
    left: Matrix<'_>,
    right: Matrix<'_>,
) -> Checked {
    let [rows, inner] = left.size;
    let work = rows.saturating_mul(inner).saturating_mul(right.size[1]);
    let threads = if work >= TOGETHER {
        Parallelism::Rayon(0)
    } else {
        Parallelism::None
    };
    run(out, false, scale, left, right, threads)
}

/// As [`product`], on this thread.
pub(crate) fn product_here(
    out: MatrixMut<'_>,
    scale: f32,
    left: Matrix<'_>,
    right: Matrix<'_>,
) -> Checked {
    run(out, false, scale, left, right, Parallelism::None)
}

/// Adds `left * right` to `out`, on this thread; an error if the sizes do not fit.
pub(crate) fn add_product(out: MatrixMut<'_>, left: Matrix<'_>, right: Matrix<'_>) -> Checked {
    run(out, true, 1.0, left, right, Parallelism::None)
}

fn run(
    out: MatrixMut<'_>,
    add: bool,
    scale: f32,
    left: Matrix<'_>,
    right: Matrix<'_>,
    threads: Parallelism,
) -> Checked {
    let MatrixMut {
        numbers,
        size,
        strides,
    } = out;
    let ([rows, inner], [same, columns]) = (left.size, right.size);
    LengthMismatch::check("rows of the right matrix", same, inner)?;
    LengthMismatch::check("rows of the product", size[0], rows)?;
    LengthMismatch::check("columns of the product", size[1], columns)?;
    let [left_strides, right_strides, out_strides] =
        [left.strides, right.strides, strides].map(|strides| strides.map(|stride| stride as isize));
    // SAFETY: `gemm` reads the elements of `left` and `right`, and writes those of `out` (and reads them before, to add),
    // at these sizes and strides. The constructors have checked that all elements are inside of their slices, and the
    // sizes were compared above. `out` is borrowed mutably, so it overlaps neither of the others. Its rows do not overlap,
    // so no two of its elements are at the same place.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            numbers.as_mut_ptr(),
            out_strides[1],
            out_strides[0],
            add,
            left.numbers.as_ptr(),
            left_strides[1],
            left_strides[0],
            right.numbers.as_ptr(),
            right_strides[1],
            right_strides[0],
            if add { 1.0 } else { 0.0 },
            scale,
            false,
            false,
            false,
            threads,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
    fn products_read_and_write_where_the_strides_say() {
        // [[1, 2], [3, 4]] within rows of three, times the transpose of [[5, 6], [7, 8]].
        let left = [1.0, 2.0, 0.0, 3.0, 4.0];
        let right = [5.0, 6.0, 7.0, 8.0];
        let mut out = [9.0; 5];
        let done = product(
            MatrixMut::strided(&mut out, [2, 2], 3).unwrap(),
            2.0,
            Matrix::strided(&left, [2, 2], [3, 1]).unwrap(),
            Matrix::rows(&right, [2, 2]).unwrap().transposed(),
        );
        assert!(done.is_ok());
        assert_eq!(out, [34.0, 46.0, 9.0, 78.0, 106.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Matrix::rows(&[0.0; 5], [2, 3]).is_err());
        assert!(Matrix::strided(&[0.0; 5], [usize::MAX, 2], [3, 1]).is_err());
        assert!(MatrixMut::strided(&mut [0.0; 9], [2, 3], 2).is_err());
        let (mut out, left) = ([0.0; 4], [0.0; 6]);
        let left = Matrix::rows(&left, [2, 3]).unwrap();
        let done = product(MatrixMut::rows(&mut out, [2, 2]).unwrap(), 1.0, left, left);
        assert!(done.is_err());
    }
}
