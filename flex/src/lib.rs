//! Fused operations of damper on burn's flex backend.
//!
//! Each operation reads the memory once, or as few times as possible, and is one node of the graph with a custom backward
//! pass. Its results are in memory that the next step reuses. The loops are in `damper_kernels`; matrix products are
//! those of the crate `gemm`.
//!
//! An operation is a function of tensors that returns its input as the error if it cannot be used: the tensor is on another
//! backend, is not of type `f32`, is on a device with gradient checkpointing, or the sizes do not fit. The caller then
//! uses burn's operations.
//!
//! Nothing here panics. If the lengths of slices do not fit after all, the result is NaN, never old memory.

#![allow(
    clippy::result_large_err,
    reason = "the error is the tensor itself, moved back"
)]

mod attention;
mod chunks;
mod convolution;
mod cross_entropy;
mod dense;
mod elementwise;
mod memory;
mod norm;
mod op;
mod pool;
mod product;
pub mod recurrent;
mod softmax;
mod step;
mod windows;

pub use attention::attention;
pub use chunks::chunk_len;
pub use convolution::convolution;
pub use cross_entropy::cross_entropy;
pub use dense::dense;
pub use elementwise::{activate, blend, dropout, noise, scale_groups};
pub use memory::{make_contiguous, release_unused_memory};
pub use norm::{Normalized, batch_norm, layer_norm};
pub use op::{Input, Primitive, with_parents};
pub use pool::{MaxPool, max_pool};
pub use softmax::{log_softmax, softmax};
pub use step::step;
pub use windows::Convolution;

/// Panics unless there are all gradients, and all their numbers are NaN.
#[cfg(test)]
fn assert_nan<const N: usize>(gradients: [Option<Primitive>; N]) {
    for (index, gradient) in gradients.into_iter().enumerate() {
        let Some(gradient) = gradient else {
            panic!("{index}: no gradient");
        };
        let gradient = make_contiguous(gradient);
        let numbers = gradient.as_slice::<f32>().unwrap_or_default();
        assert!(!numbers.is_empty(), "{index}: nothing");
        let found = numbers.iter().position(|number| !number.is_nan());
        assert_eq!(found, None, "{index}: of {} numbers", numbers.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Int, Tensor};
    use damper_kernels::Activation;
    use damper_kernels::dropout::{DropoutMask, Rate, Source};
    use damper_kernels::noise::Kind;
    use damper_kernels::recurrent::Cell;
    use recurrent::Steps;

    /// The operations, and for each whether it can be used.
    fn reached(input: &Device, parameters: &Device) -> Vec<(&'static str, bool)> {
        let x = || Tensor::<2>::ones([4, 6], input);
        let line = || Tensor::<3>::ones([1, 4, 6], input);
        let vector = || Tensor::<1>::ones([6], parameters);
        let weight = || Tensor::<2>::ones([6, 6], parameters);
        let kernel = || Tensor::<3>::ones([2, 4, 1], parameters);
        let of = Convolution {
            channels: [4, 2],
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            padding: [(0, 0); 2],
            groups: 1,
        };
        let pool = MaxPool {
            kernel: [1, 2],
            stride: [1, 2],
            padding: [(0, 0); 2],
        };
        let source = Source {
            seed: 1,
            step: 2,
            layer: 3,
        };
        let rate = Rate::new(0.5);
        let (relu, mask) = (Activation::Relu, DropoutMask { source, rate });
        let classes = Tensor::<1, Int>::from_ints([0, 1, 2, 3], input);
        let gates = Tensor::<3>::ones([4, 1, 6], input);
        let (recurrent, bias) = (weight(), vector());
        let steps = Steps {
            cell: Cell::Rnn,
            weight: &recurrent,
            bias: &bias,
            mask: None,
            keep: None,
            keep_memory: None,
            reverse: false,
        };
        vec![
            (
                "dense",
                dense(x(), weight(), Some(vector()), Some(relu), Some(mask)).is_ok(),
            ),
            (
                "dense, no bias",
                dense(line(), weight(), None, None, None).is_ok(),
            ),
            ("activate", activate(x(), relu).is_ok()),
            ("drop", dropout(x(), mask, rate.into()).is_ok()),
            ("noise", noise(x(), source, Kind::Add, 0.1).is_ok()),
            (
                "scale_groups",
                scale_groups(x(), [4, 1], |count| vec![0.0; count]).is_ok(),
            ),
            ("softmax", softmax(x(), &1).is_ok()),
            ("cross_entropy", cross_entropy(x(), &classes, 0.1).is_ok()),
            (
                "layer norm",
                layer_norm(x(), vector(), Some(vector()), 1e-5).is_ok(),
            ),
            (
                "batch norm",
                batch_norm(x(), vector(), vector(), 1e-5).is_ok(),
            ),
            (
                "attention",
                attention(line(), 2, true, None, Some(mask)).is_ok(),
            ),
            (
                "convolution",
                convolution(line(), kernel(), None, of).is_ok(),
            ),
            ("max_pool", max_pool(line(), pool).is_ok()),
            ("recurrent", recurrent::states(gates, &steps).is_ok()),
            ("step", step(line(), 3).is_ok()),
        ]
    }

    /// Otherwise the tests that compare these operations with burn's would compare burn's with themselves.
    #[test]
    fn the_memory_of_flex_is_reached_on_both_sides_of_the_graph() {
        let (plain, training) = (Device::flex(), Device::flex().autodiff());
        for (input, parameters) in [
            (&plain, &plain),
            (&training, &training),
            (&plain, &training),
        ] {
            for (name, reached) in reached(input, parameters) {
                assert!(reached, "{name}");
            }
        }
    }

    /// With checkpoints, burn decides what is computed again.
    #[test]
    fn gradient_checkpointing_is_left_to_burn() {
        let device = Device::flex().autodiff().gradient_checkpointing();
        for (name, reached) in reached(&device, &device) {
            assert!(!reached, "{name}");
        }
    }
}
