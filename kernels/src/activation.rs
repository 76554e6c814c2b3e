//! Activation functions over slices: each is one loop forward and one backward.

use core::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use crate::{LengthMismatch, math};

/// An activation function of one number.
///
/// The bounds are those of the forward pass against the exact value, in units in the last place of the result (for a
/// subnormal result, in units of the smallest normal number). The value at NaN is NaN, and at infinity the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `max(x, 0)`, exact.
    Relu,
    /// `exp(x)`, within 1 ulp.
    Exp,
    /// `tanh(x)`, within 1.5 ulp.
    Tanh,
    /// `1 / (1 + exp(-x))`, within 1.5 ulp.
    Sigmoid,
    /// `x sigmoid(x)` (Elfwing et al. 2018), within 2 ulp.
    Silu,
    /// `x Φ(x)` with the normal distribution's `Φ` (Hendrycks & Gimpel 2016), within 2 ulp.
    Gelu,
    /// `x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`, the approximation from the same paper, within 2 ulp.
    GeluApproximate,
    /// `x tanh(ln(1 + exp(x)))` (Misra 2019), within 2 ulp.
    Mish,
}

/// The tensor that an activation's backward pass reads besides the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The input.
    Input,
    /// The output.
    Output,
}

/// Evaluates an expression with the type of the activation.
macro_rules! with_unary {
    ($of:expr, $unary:ident => $run:expr) => {{
        macro_rules! run {
            ($function:ident) => {{
                type $unary = $function;
                $run
            }};
        }
        match $of {
            Activation::Relu => run!(Relu),
            Activation::Exp => run!(Exp),
            Activation::Tanh => run!(Tanh),
            Activation::Sigmoid => run!(Sigmoid),
            Activation::Silu => run!(Silu),
            Activation::Gelu => run!(Gelu),
            Activation::GeluApproximate => run!(GeluApproximate),
            Activation::Mish => run!(Mish),
        }
    }};
}

impl Activation {
    /// All activations.
    pub const ALL: [Self; 8] = [
        Self::Relu,
        Self::Exp,
        Self::Tanh,
        Self::Sigmoid,
        Self::Silu,
        Self::Gelu,
        Self::GeluApproximate,
        Self::Mish,
    ];

    /// The tensor that [`backward`](Self::backward) takes as `saved`.
    pub const fn saved(self) -> Saved {
        match self {
            Self::Relu | Self::Exp | Self::Tanh | Self::Sigmoid => Saved::Output,
            Self::Silu | Self::Gelu | Self::GeluApproximate | Self::Mish => Saved::Input,
        }
    }

    /// Applies the function to every number of `input`, and writes the results to `output`.
    ///
    /// # Errors
    /// `output` and `input` have different lengths.
    pub fn forward(self, input: &[f32], output: &mut [f32]) -> Result<(), LengthMismatch> {
        LengthMismatch::check("output", output.len(), input.len())?;
        with_unary!(self, U => map(Map::<U>(input, output, PhantomData)));
        Ok(())
    }

    /// As [`forward`](Self::forward), in place.
    pub fn forward_in_place(self, values: &mut [f32]) {
        with_unary!(self, U => map(MapInPlace::<U>(values, PhantomData)));
    }

    /// Writes `gradient` times the derivative to `into`. The derivative is computed from the [`saved`](Self::saved) tensor.
    ///
    /// If the output of relu is 0, its gradient is 0, even for an infinite `gradient`.
    ///
    /// # Errors
    /// The slices have different lengths.
    pub fn backward(
        self,
        saved: &[f32],
        gradient: &[f32],
        into: &mut [f32],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("gradient", gradient.len(), saved.len())?;
        LengthMismatch::check("into", into.len(), saved.len())?;
        with_unary!(self, U => map(Chain::<U>(saved, gradient, into, PhantomData)));
        Ok(())
    }

    /// As [`backward`](Self::backward), in place, and `saved` is multiplied by `factor` first.
    ///
    /// # Errors
    /// The slices have different lengths.
    pub fn backward_in_place(
        self,
        saved: &[f32],
        factor: f32,
        gradient: &mut [f32],
    ) -> Result<(), LengthMismatch> {
        LengthMismatch::check("gradient", gradient.len(), saved.len())?;
        with_unary!(self, U => map(ChainInPlace::<U>(saved, factor, gradient, PhantomData)));
        Ok(())
    }
}

/// A function of one number and its derivative.
trait Unary {
    fn value(x: f32) -> f32;
    /// The gradient times the derivative, which is computed from the input or the output, as [`Activation::saved`] says.
    fn backward(saved: f32, gradient: f32) -> f32;
}

macro_rules! unary {
    ($($name:ident: $value:path, $slope:path;)*) => { $(
        struct $name;

        impl Unary for $name {
            #[inline(always)]
            fn value(x: f32) -> f32 {
                $value(x)
            }
            #[inline(always)]
            fn backward(saved: f32, gradient: f32) -> f32 {
                gradient * $slope(saved)
            }
        }
    )* };
}

unary! {
    Exp: math::exp, math::exp_slope;
    Tanh: math::tanh, math::tanh_slope;
    Sigmoid: math::sigmoid, math::sigmoid_slope;
    Silu: math::silu, math::silu_slope;
    Gelu: math::gelu, math::gelu_slope;
    GeluApproximate: math::gelu_approximate, math::gelu_approximate_slope;
    Mish: math::mish, math::mish_slope;
}

struct Relu;

impl Unary for Relu {
    /// NaN stays NaN.
    #[inline(always)]
    fn value(x: f32) -> f32 {
        if x < 0.0 { 0.0 } else { x }
    }

    /// Not a product, because 0 times infinity is NaN.
    #[inline(always)]
    fn backward(saved: f32, gradient: f32) -> f32 {
        if saved <= 0.0 { 0.0 } else { gradient }
    }
}

// Structs, because a closure of this size would not be inlined into the function with the SIMD instructions.
struct Map<'a, U>(&'a [f32], &'a mut [f32], PhantomData<U>);

impl<U: Unary> WithSimd for Map<'_, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (output, input) in self.1.iter_mut().zip(self.0) {
            *output = U::value(*input);
        }
    }
}

struct Chain<'a, U>(&'a [f32], &'a [f32], &'a mut [f32], PhantomData<U>);

impl<U: Unary> WithSimd for Chain<'_, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((into, gradient), saved) in self.2.iter_mut().zip(self.1).zip(self.0) {
            *into = U::backward(*saved, *gradient);
        }
    }
}

struct MapInPlace<'a, U>(&'a mut [f32], PhantomData<U>);

impl<U: Unary> WithSimd for MapInPlace<'_, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.0 {
            *value = U::value(*value);
        }
    }
}

struct ChainInPlace<'a, U>(&'a [f32], f32, &'a mut [f32], PhantomData<U>);

impl<U: Unary> WithSimd for ChainInPlace<'_, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (gradient, saved) in self.2.iter_mut().zip(self.0) {
            *gradient = U::backward(saved * self.1, *gradient);
        }
    }
}

fn map(run: impl WithSimd<Output = ()>) {
    Arch::new().dispatch(run);
}
