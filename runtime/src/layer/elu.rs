//! Elu and its relatives.

use burn::module::Module;
use burn::tensor::Tensor;

/// The scale of `selu` (Klambauer et al., arXiv 1706.02515).
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
/// The alpha of `selu`.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// `x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al., arXiv 1511.07289).
///
/// The gradients of burn's `elu`, `celu` and `selu` are NaN above 88, where the exponential of the branch that is not taken
/// overflows. These do not have this problem.
#[derive(Module, Debug)]
pub struct Elu {
    /// The limit at minus infinity, negated.
    pub alpha: f64,
}

impl Elu {
    /// Applies the function to each value.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        exponential_below_zero(input, 1.0, self.alpha, 1.0)
    }
}

/// `x` where positive, else `alpha * (exp(x / alpha) - 1)` (Barron, arXiv 1704.07483).
#[derive(Module, Debug)]
pub struct Celu {
    /// The limit at minus infinity, negated; not 0.
    pub alpha: f64,
}

impl Celu {
    /// Applies the function to each value.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        exponential_below_zero(input, 1.0, self.alpha, self.alpha.recip())
    }
}

/// The self-normalizing ELU: `scale * x` where positive, else `scale * alpha * (exp(x) - 1)`
/// (Klambauer et al., arXiv 1706.02515).
#[must_use]
pub fn selu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    exponential_below_zero(input, SELU_SCALE, SELU_SCALE * SELU_ALPHA, 1.0)
}

/// `scale * x` where positive, else `alpha * (exp(rate * x) - 1)`: the exponential is only computed of numbers that are not positive.
#[allow(clippy::float_cmp, reason = "a product with exactly 1 is left out")]
fn exponential_below_zero<const D: usize>(
    input: Tensor<D>,
    scale: f64,
    alpha: f64,
    rate: f64,
) -> Tensor<D> {
    let positive = input.clone().greater_scalar(0.0);
    let below = input.clone().mask_fill(positive.clone(), 0.0);
    let below = if rate == 1.0 {
        below
    } else {
        below.mul_scalar(rate)
    };
    let below = below.exp().sub_scalar(1.0).mul_scalar(alpha);
    let above = if scale == 1.0 {
        input
    } else {
        input.mul_scalar(scale)
    };
    below.mask_where(positive, above)
}
