//! The bias of a linear layer, one number for each column of a matrix, and its gradient.

use pulp::{Arch, Simd, WithSimd};

use crate::LengthMismatch;

/// Adds `bias`, one number for each column, to every row of `values`.
///
/// # Errors
/// `values` is not a whole number of rows.
pub fn add_bias(bias: &[f32], values: &mut [f32]) -> Result<(), LengthMismatch> {
    LengthMismatch::check_rows("values", values.len(), bias.len())?;
    Arch::new().dispatch(Add { bias, values });
    Ok(())
}

/// Adds the sum of each column of `values` to `sums`: the gradient of the bias.
///
/// # Errors
/// `values` is not a whole number of rows.
pub fn add_column_sums(values: &[f32], sums: &mut [f32]) -> Result<(), LengthMismatch> {
    LengthMismatch::check_rows("values", values.len(), sums.len())?;
    Arch::new().dispatch(Sum { values, sums });
    Ok(())
}

struct Add<'a> {
    bias: &'a [f32],
    values: &'a mut [f32],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.values.chunks_exact_mut(self.bias.len().max(1)) {
            for (value, bias) in row.iter_mut().zip(self.bias) {
                *value += bias;
            }
        }
    }
}

struct Sum<'a> {
    values: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.values.chunks_exact(self.sums.len().max(1)) {
            for (sum, value) in self.sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn every_row_gets_the_bias_and_every_column_its_sum() {
        let mut values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        add_bias(&[10.0, -20.0, f32::NAN], &mut values).unwrap();
        assert_eq!(values[..2], [11.0, -18.0]);
        assert_eq!(values[3..5], [14.0, -15.0]);
        let mut sums = [1.0, 0.0];
        add_column_sums(&[1.0, 2.0, 3.0, 4.0], &mut sums).unwrap();
        assert_eq!(sums, [5.0, 6.0]);
        crate::Activation::Relu.forward_in_place(&mut values);
        assert_eq!(values[..2], [11.0, 0.0]);
        assert!(values[2].is_nan());
    }

    #[test]
    fn parts_of_rows_are_errors() {
        assert!(add_bias(&[1.0, 2.0], &mut [1.0; 3]).is_err());
        assert!(add_column_sums(&[1.0; 3], &mut [0.0; 2]).is_err());
        assert!(add_bias(&[], &mut [1.0]).is_err());
        assert!(add_bias(&[], &mut []).is_ok());
    }
}
