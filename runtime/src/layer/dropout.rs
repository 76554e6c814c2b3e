use super::{Layer, Weights, share};
use crate::Pass;
use crate::device::is_cpu;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use damper_ir::{Op, OpKind, Shape, Stochastic};
use damper_kernels::dropout::{Outcome, Rate, Source, inverted_mask};

/// Drops values: while training, each becomes 0 with probability `rate`, and survives scaled by `1 / (1 - rate)`
/// (Srivastava et al., JMLR 15).
///
/// What is dropped depends on the seed and the step of the training, the layer's place in the model and the value's
/// place in the tensor, and on nothing else: on a CPU not on the number of threads either. See [`Pass`].
#[derive(Module, Debug)]
pub struct Dropout {
    /// The probability of dropping a value, in [0, 1).
    pub rate: f64,
    /// Whether the layer acts on a training device; cleared by `freeze`.
    pub training: Param<Flag>,
}

impl Dropout {
    /// Drops values with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Drops values.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        match self.draw(&input, pass) {
            Some(drawn) => drawn.drop(input),
            None => input,
        }
    }

    /// What is dropped in this pass, if anything.
    pub(crate) fn draw<const D: usize>(&self, value: &Tensor<D>, pass: &mut Pass) -> Option<Drawn> {
        Drawn::of(self.rate, &self.training, value, pass)
    }
}

impl Layer for Dropout {
    const WORD: &'static str = "`dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::Dropout { rate }) => share(rate).map(Self::new),
            _ => None,
        }
    }
}

/// What a layer drops in one pass: where its random bits come from, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) source: Source,
    pub(crate) rate: Rate,
}

impl Drawn {
    /// The next layer's of the pass, if the layer acts on this value.
    pub(super) fn of<const D: usize>(
        rate: f64,
        training: &Param<Flag>,
        value: &Tensor<D>,
        pass: &mut Pass,
    ) -> Option<Self> {
        let source = pass.source(rate > 0.0 && pass.acts_on(training, value), value)?;
        Some(Self {
            source,
            rate: Rate::new(rate as f32),
        })
    }

    /// The same source at another rate.
    pub(super) fn at(self, rate: f64) -> Self {
        Self {
            rate: Rate::new(rate as f32),
            ..self
        }
    }

    /// Each value dropped or scaled.
    pub(crate) fn drop<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        self.drop_to(input, self.rate.into())
    }

    /// Each value as the outcome says.
    pub(super) fn drop_to<const D: usize>(self, input: Tensor<D>, outcome: Outcome) -> Tensor<D> {
        #[cfg(feature = "flex")]
        let input = match crate::flex::elementwise::drop(input, self, outcome) {
            Ok(output) => return output,
            Err(input) => input,
        };
        let Outcome {
            scale,
            shift,
            dropped,
        } = outcome;
        let marks = self.marks(input.dims(), &input.device());
        let factors = marks.clone().mul_scalar(-scale).add_scalar(scale);
        if shift == 0.0 && dropped == 0.0 {
            return input * factors;
        }
        input * factors + marks.mul_scalar(dropped - shift).add_scalar(shift)
    }

    /// Groups of values dropped or scaled together: the mask has one value where `shape` has 1.
    pub(super) fn drop_groups<const D: usize>(
        self,
        input: Tensor<D>,
        shape: [usize; D],
    ) -> Tensor<D> {
        #[cfg(feature = "flex")]
        let input = match groups(input.dims(), shape) {
            Some(groups) => {
                let factors = self.factors(shape.iter().product());
                match crate::flex::elementwise::scale_groups(input, factors, groups) {
                    Ok(output) => return output,
                    Err(input) => input,
                }
            }
            None => input,
        };
        let mask = self.mask(shape, &input.device());
        input * mask
    }

    /// An inverted mask: `1 / (1 - rate)` with probability `1 - rate`, else 0. Not part of the graph.
    pub(super) fn mask<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        if is_cpu(device) {
            let factors = self.factors(shape.iter().product());
            return Tensor::from_data(TensorData::new(factors, shape), device);
        }
        // Drawn where it is used: nothing is sent to the GPU.
        let kept = 1.0 - f64::from(self.rate.probability());
        let mask = Tensor::random(shape, Distribution::Bernoulli(kept), device);
        mask.mul_scalar(self.rate.scale())
    }

    /// 1 with the probability of being dropped, else 0. Not part of the graph.
    pub(super) fn marks<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        let kept = self.mask(shape, device).not_equal_scalar(0.0).float();
        kept.neg().add_scalar(1.0)
    }

    fn factors(self, count: usize) -> Vec<f32> {
        let mut factors = vec![0.0; count];
        inverted_mask(self.source, self.rate, &mut factors);
        factors
    }
}

/// Values of the shape `dims` under factors of the shape `factors` as `[outer, repeats, width, inner]` under
/// `[outer, 1, width, 1]`: the axes that repeat a factor are neighbours, in the middle and at the end.
#[cfg(feature = "flex")]
fn groups<const D: usize>(dims: [usize; D], factors: [usize; D]) -> Option<[usize; 4]> {
    let mut groups = [1; 4];
    let mut place = 0;
    for (size, factor) in dims.into_iter().zip(factors) {
        let repeats = factor == 1 && size != 1;
        // Even places hold axes with factors, odd ones axes that repeat them.
        if size != 1 && repeats != (place % 2 == 1) {
            place += 1;
        }
        *groups.get_mut(place)? *= size;
        if !repeats && factor != size {
            return None;
        }
    }
    Some(groups)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::groups;

    #[test]
    fn axes_that_share_a_factor_are_found() {
        // Channels, samples, steps, single values.
        assert_eq!(groups([2, 3, 4, 5], [2, 3, 1, 1]), Some([6, 20, 1, 1]));
        assert_eq!(groups([2, 3, 4], [2, 1, 1]), Some([2, 12, 1, 1]));
        assert_eq!(groups([2, 3, 4], [2, 1, 4]), Some([2, 3, 4, 1]));
        assert_eq!(groups([3, 2, 4], [1, 2, 4]), Some([1, 3, 8, 1]));
        assert_eq!(groups([2, 3], [2, 3]), Some([6, 1, 1, 1]));
        assert_eq!(groups([1, 3, 4], [1, 3, 1]), Some([3, 4, 1, 1]));
        // Two groups of repeating axes and one more do not fit.
        assert_eq!(groups([2, 3, 4, 5, 6], [2, 1, 4, 1, 6]), None);
        assert_eq!(groups([2, 3], [2, 2]), None);
    }
}
