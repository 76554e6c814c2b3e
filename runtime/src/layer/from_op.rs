//! The trait of layers that are built from an operation, and the values that they read from it.

use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::Device;
use damper_ir::{Op, Shape, Value};

/// A field of a generated module: it can be built from its operation in the description.
pub trait Layer: Module + Sized {
    /// The name of the operation in messages.
    const WORD: &'static str;

    /// The layer with initial weights as in PyTorch; `None` if `op` is another operation, or has a value that the rules
    /// exclude.
    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self>;

    /// The same for an operation that reads another value, too; `memory` is that value's shape.
    fn make_with(
        op: &Op,
        input: &Shape,
        _memory: Option<&Shape>,
        weights: &Weights,
    ) -> Option<Self> {
        Self::make(op, input, weights)
    }

    /// The layer alone, with weights whose seed is drawn from the device's generator.
    fn build(op: &Op, input: &Shape, device: &Device) -> Option<Self> {
        Self::make(op, input, &Weights::new(device))
    }
}

/// The sizes of a weight matrix, if it fits into the address space.
pub(super) fn matrix(input: &Shape, out: &Value) -> Option<(usize, usize)> {
    let d_input = input.features()?;
    let d_output = out.size()?;
    check_allocation([d_input, d_output]).map(|()| (d_input, d_output))
}

/// `None` if a tensor of this shape is empty, or does not fit into the address space.
pub(super) fn check_allocation(axes: impl IntoIterator<Item = usize>) -> Option<()> {
    let bytes = axes
        .into_iter()
        .try_fold(size_of::<f32>(), usize::checked_mul)?;
    isize::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes > 0)
        .map(|_| ())
}

/// One size for each of `N` axes; a single value is the size of all axes.
pub(super) fn sizes<const N: usize>(
    values: &[Value],
    default: Option<[usize; N]>,
) -> Option<[usize; N]> {
    match values {
        [] => default,
        [one] => one.size().map(|size| [size; N]),
        _ if values.len() == N => {
            let mut sizes = [0; N];
            for (size, value) in sizes.iter_mut().zip(values) {
                *size = value.size()?;
            }
            Some(sizes)
        }
        _ => None,
    }
}

/// A rate in [0, 1).
pub(super) fn probability(rate: &Value) -> Option<f64> {
    rate.float().filter(|rate| (0.0..1.0).contains(rate))
}

/// A finite number above 0.
pub(super) fn positive(value: &Value) -> Option<f64> {
    value
        .float()
        .filter(|value| value.is_finite() && *value > 0.0)
}
