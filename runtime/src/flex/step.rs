//! One step of a sequence.

use super::{Derived, Input, Primitive, apply, contiguous, memory};
use burn::tensor::{Shape, Tensor};

#[derive(Clone, Debug)]
struct Taken {
    index: usize,
    /// `[batch, time, features]`
    sizes: [usize; 3],
    /// Whether the steps lie outside of the samples, as a recurrent layer leaves them.
    by_step: bool,
}

/// The step at an index: `[batch, time, features]` to `[batch, features]`.
pub(crate) fn step(input: Tensor<3>, index: usize) -> Result<Tensor<2>, Tensor<3>> {
    let sizes = input.dims();
    let [batch, time, features] = sizes;
    if index >= time {
        return Err(input);
    }
    let input = Input::of(input)?;
    Ok(apply([input], |[input], keep| {
        let derived = keep.then(|| Taken {
            index,
            sizes,
            by_step: matches!(input.layout().strides(), [sample, step, _] if sample < step),
        });
        let taken = contiguous(input.narrow(1, index, 1));
        (taken.reshape(Shape::from([batch, features])), derived)
    }))
}

impl Derived<1> for Taken {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let [batch, time, features] = self.sizes;
        let gradient = contiguous(gradient);
        let mut whole = memory::zeros(batch * time * features);
        // In the order of what was read, so that nobody has to turn it around.
        let whole = if self.by_step {
            let step = batch * features;
            whole[self.index * step..][..step].copy_from_slice(gradient.storage());
            memory::tensor(whole, [time, batch, features]).transpose(0, 1)
        } else {
            let rows = gradient.storage::<f32>().chunks_exact(features.max(1));
            let samples = whole.chunks_exact_mut((time * features).max(1));
            for (sample, row) in samples.zip(rows) {
                sample[self.index * features..][..features].copy_from_slice(row);
            }
            memory::tensor(whole, [batch, time, features])
        };
        [Some(whole)]
    }
}
