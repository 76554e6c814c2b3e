//! Activations: burn's functions, computed on `flex` for the vector unit that the machine has, forward and backward in
//! one pass each, within 2 units in the last place.
//!
//! What is not here is `burn::tensor::activation`'s.

use burn::tensor::{AsIndex, Tensor, activation as of_burn};

/// Functions that a layer computes while its values are in the cache: see [`layer::dense`](crate::layer::dense).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `tanh(x)`.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x Φ(x)` (Hendrycks and Gimpel, arXiv 1606.08415).
    Gelu,
    /// `x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`, from the same paper.
    GeluApproximate,
    /// `x sigmoid(x)` (Elfwing et al., arXiv 1702.03118).
    Silu,
    /// `x tanh(ln(1 + exp(x)))` (Misra, arXiv 1908.08681).
    Mish,
}

impl Activation {
    /// The function of every number of a tensor.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        #[cfg(feature = "flex")]
        let input = match crate::flex::elementwise::activate(input, self) {
            Ok(output) => return output,
            Err(input) => input,
        };
        self.burn(input)
    }

    /// The same in burn's operations.
    fn burn<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => of_burn::relu(input),
            Self::Tanh => of_burn::tanh(input),
            Self::Sigmoid => of_burn::sigmoid(input),
            Self::Gelu => of_burn::gelu(input),
            Self::GeluApproximate => of_burn::gelu_approximate(input),
            Self::Silu => of_burn::silu(input),
            Self::Mish => of_burn::mish(input),
        }
    }

    /// The kernel; `relu` has none, as its way back needs one bit for each number.
    #[cfg(feature = "flex")]
    pub(crate) fn curve(self) -> Option<damper_kernels::Activation> {
        use damper_kernels::Activation as Kernel;
        match self {
            Self::Relu => None,
            Self::Tanh => Some(Kernel::Tanh),
            Self::Sigmoid => Some(Kernel::Sigmoid),
            Self::Gelu => Some(Kernel::Gelu),
            Self::GeluApproximate => Some(Kernel::GeluTanh),
            Self::Silu => Some(Kernel::Silu),
            Self::Mish => Some(Kernel::Mish),
        }
    }
}

macro_rules! functions {
    ($($name:ident = $kind:ident;)*) => {$(
        #[doc = concat!("[`Activation::", stringify!($kind), "`] of every number: `[..]` to `[..]`.")]
        #[must_use]
        pub fn $name<const D: usize>(input: Tensor<D>) -> Tensor<D> {
            Activation::$kind.forward(input)
        }
    )*};
}

functions! {
    relu = Relu;
    tanh = Tanh;
    sigmoid = Sigmoid;
    gelu = Gelu;
    gelu_approximate = GeluApproximate;
    silu = Silu;
    mish = Mish;
}

/// `exp(x)` over its sum along an axis: `[..]` to `[..]`. Negative axes count from the last one, -1.
///
/// # Panics
///
/// As burn's: there is no such axis.
#[must_use]
pub fn softmax<const D: usize>(input: Tensor<D>, axis: impl AsIndex) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let input = match of_rows(input, &axis, crate::flex::rows::Function::Softmax) {
        Ok(output) => return output,
        Err(input) => input,
    };
    of_burn::softmax(input, axis)
}

/// The logarithm of [`softmax`], without overflow: `[..]` to `[..]`.
///
/// # Panics
///
/// As burn's: there is no such axis.
#[must_use]
pub fn log_softmax<const D: usize>(input: Tensor<D>, axis: impl AsIndex) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let input = match of_rows(input, &axis, crate::flex::rows::Function::LogSoftmax) {
        Ok(output) => return output,
        Err(input) => input,
    };
    of_burn::log_softmax(input, axis)
}

#[cfg(feature = "flex")]
#[expect(
    clippy::result_large_err,
    reason = "the error is the tensor itself, moved back"
)]
fn of_rows<const D: usize>(
    input: Tensor<D>,
    axis: &impl AsIndex,
    function: crate::flex::rows::Function,
) -> Result<Tensor<D>, Tensor<D>> {
    match axis.try_dim_index(D) {
        Ok(axis) if axis + 1 == D => crate::flex::rows::of_rows(input, function),
        _ => Err(input),
    }
}
