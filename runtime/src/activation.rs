//! Activation functions. They are burn's, but fused on `flex`: one loop forward and one backward, with the vector unit of
//! the machine, within 2 units in the last place.
//!
//! What is not here is in `burn::tensor::activation`.

use burn::tensor::{AsIndex, Tensor, activation as of_burn};

/// Functions that a layer computes while its values are in the cache: see [`layer::dense`](crate::layer::dense()).
///
/// Its own methods are those of slices; [`apply`] is for tensors.
pub use damper_kernels::Activation;

/// A function of every number of a tensor.
///
/// # Shapes
///
/// - input: `[..]`
/// - output: `[..]`
#[must_use]
pub fn apply<const D: usize>(function: Activation, input: Tensor<D>) -> Tensor<D> {
    fused!(input => damper_flex::activate(input, function));
    match function {
        Activation::Relu => of_burn::relu(input),
        Activation::Exp => input.exp(),
        Activation::Tanh => of_burn::tanh(input),
        Activation::Sigmoid => of_burn::sigmoid(input),
        Activation::Gelu => of_burn::gelu(input),
        Activation::GeluApproximate => of_burn::gelu_approximate(input),
        Activation::Silu => of_burn::silu(input),
        Activation::Mish => of_burn::mish(input),
    }
}

macro_rules! functions {
    ($($name:ident = $kind:ident;)*) => {$(
        #[doc = concat!("[`Activation::", stringify!($kind), "`] of every number: `[..]` to `[..]`.")]
        #[must_use]
        pub fn $name<const D: usize>(input: Tensor<D>) -> Tensor<D> {
            apply(Activation::$kind, input)
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
    fused!(input => damper_flex::softmax(input, &axis));
    of_burn::softmax(input, axis)
}

/// The logarithm of [`softmax`], without overflow: `[..]` to `[..]`.
///
/// # Panics
///
/// As burn's: there is no such axis.
#[must_use]
pub fn log_softmax<const D: usize>(input: Tensor<D>, axis: impl AsIndex) -> Tensor<D> {
    fused!(input => damper_flex::log_softmax(input, &axis));
    of_burn::log_softmax(input, axis)
}
