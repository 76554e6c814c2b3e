//! The augmentation of a training batch: image augmentation, mixup, cutmix.

use super::augment;
use crate::autodiff::{match_autodiff, plain};
use crate::batch::RowLayout;
use crate::{Batch, InputTensor, Spec, Target};
use burn::tensor::{Int, Tensor, TensorData};
use damper_ir::{Augmentation, Settings};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::{Beta, Distribution};

/// Augments a training batch. The random numbers depend on the seed, the epoch and the index of the batch.
pub(super) fn augment_batch(batch: Batch, spec: &Spec, settings: &Settings, epoch: usize) -> Batch {
    let mixes = settings.mixup.is_some() || settings.cutmix.is_some();
    if !mixes && settings.augment == Augmentation::default() {
        return batch;
    }
    let place = ((epoch as u64) << 32) | batch.index as u64;
    let seed = settings.seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let batch = augment_images(batch, settings.augment, &mut random);
    if mixes {
        Mix::draw(settings, batch.inputs.batch(), &mut random).apply(batch, spec)
    } else {
        batch
    }
}

fn augment_images(mut batch: Batch, settings: Augmentation, random: &mut ChaCha8Rng) -> Batch {
    if settings == Augmentation::default() {
        return batch;
    }
    for input in &mut batch.inputs.0 {
        if let InputTensor::Float(rows, shape) = input
            && let [channels, height, width] = shape[..]
        {
            let [samples, numbers] = rows.dims();
            let images = plain(rows.clone()).reshape([samples, channels, height, width]);
            let varied = augment::apply(settings, images, random).reshape([samples, numbers]);
            *rows = match_autodiff(varied, rows);
        }
    }
    batch
}

/// A batch mixed with itself in another order.
struct Mix {
    order: Vec<i64>,
    /// The weight of the batch in its own order.
    share: f64,
    /// The rectangle that cutmix takes from the other order, as fractions of height and width.
    cut: Option<[f64; 4]>,
}

impl Mix {
    fn draw(settings: &Settings, samples: usize, random: &mut ChaCha8Rng) -> Self {
        let (alpha, cuts) = match (settings.mixup, settings.cutmix) {
            (Some(_), Some(alpha)) if random.random::<bool>() => (alpha, true),
            (Some(alpha), _) => (alpha, false),
            (None, alpha) => (alpha.unwrap_or(1.0), true),
        };
        // The rules exclude invalid parameters of the distribution.
        let share = Beta::new(alpha, alpha).map_or(1.0, |beta| beta.sample(random));
        let mut order: Vec<i64> = (0..samples)
            .map(|row| i64::try_from(row).unwrap_or(0))
            .collect();
        order.shuffle(random);
        let cut = cuts.then(|| {
            let side = (1.0 - share).sqrt() / 2.0;
            let (y, x) = (random.random::<f64>(), random.random::<f64>());
            [y - side, x - side, y + side, x + side].map(|edge| edge.clamp(0.0, 1.0))
        });
        Self { order, share, cut }
    }

    fn apply(mut self, mut batch: Batch, spec: &Spec) -> Batch {
        let samples = batch.inputs.batch();
        if samples == 0 {
            return batch;
        }
        let cut = self.cut;
        for input in &mut batch.inputs.0 {
            let InputTensor::Float(rows, shape) = input else {
                continue;
            };
            let own = plain(rows.clone());
            let other = own.clone().select(0, self.order_on(&own));
            let mixed = match cut {
                None => self.of(own, other),
                Some(cut) => {
                    let (outside, kept) = outside(cut, shape);
                    // With several images, the first one determines the weights of the targets.
                    if self.cut.take().is_some() {
                        self.share = kept;
                    }
                    let outside =
                        Tensor::<1>::from_floats(outside.as_slice(), &own.device()).unsqueeze();
                    own * outside.clone() + other * outside.neg().add_scalar(1.0)
                }
            };
            *rows = match_autodiff(mixed, rows);
        }
        batch.target = self.target(batch.target, samples, spec);
        batch
    }

    /// Converts classes to probabilities.
    fn target(&self, target: Target, samples: usize, spec: &Spec) -> Target {
        let (values, is_autodiff) = match target {
            Target::Classes(classes) => {
                let classes_on = classes.is_autodiff();
                let classes = if classes_on { classes.inner() } else { classes };
                (one_hot(classes, RowLayout::of(spec).units), classes_on)
            }
            Target::Values(values) => (plain(values.clone()), values.is_autodiff()),
        };
        let [rows, width] = values.dims();
        let own = values.reshape([samples, rows / samples * width]);
        let other = own.clone().select(0, self.order_on(&own));
        let mixed = self.of(own, other).reshape([rows, width]);
        Target::Values(if is_autodiff {
            Tensor::from_inner(mixed)
        } else {
            mixed
        })
    }

    fn of(&self, own: Tensor<2>, other: Tensor<2>) -> Tensor<2> {
        own.mul_scalar(self.share) + other.mul_scalar(1.0 - self.share)
    }

    fn order_on(&self, like: &Tensor<2>) -> Tensor<1, Int> {
        let data = TensorData::new(self.order.clone(), [self.order.len()]);
        Tensor::from_data(data, &like.device())
    }
}

/// For each value of an image `[channels, .., height, width]`: 1 outside of the rectangle and 0 inside. And the fraction of
/// pixels outside.
fn outside(cut: [f64; 4], shape: &[usize]) -> (Vec<f32>, f64) {
    let (height, width) = match shape {
        [.., height, width] => (*height, *width),
        _ => (1, shape.iter().product()),
    };
    let edge = |share: f64, size: usize| (share * size as f64).round() as usize;
    let [top, left, bottom, right] = cut;
    let rows = edge(top, height)..edge(bottom, height);
    let columns = edge(left, width)..edge(right, width);
    let pixels = (height * width).max(1);
    let numbers = shape.iter().product();
    let mask = (0..numbers).map(|at| {
        let pixel = at % pixels;
        let inside =
            rows.contains(&(pixel / width.max(1))) && columns.contains(&(pixel % width.max(1)));
        if inside { 0.0 } else { 1.0 }
    });
    let area = 1.0 - (rows.len() * columns.len()) as f64 / pixels as f64;
    (mask.collect(), area)
}

fn one_hot(classes: Tensor<1, Int>, units: usize) -> Tensor<2> {
    let rows = classes.dims()[0];
    let all = Tensor::<1, Int>::arange(
        0..i64::try_from(units).unwrap_or(i64::MAX),
        &classes.device(),
    );
    let all = all.reshape([1, units]).expand([rows, units]);
    all.equal(classes.reshape([rows, 1]).expand([rows, units]))
        .float()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    fn rows(samples: usize, width: usize) -> Tensor<2> {
        let values: Vec<f32> = (0..samples * width).map(|x| x as f32).collect();
        Tensor::<1>::from_floats(values.as_slice(), &Device::default()).reshape([samples, width])
    }

    fn spec(json: &str) -> Spec {
        Spec::fill(json, &[]).expect("a good description")
    }

    fn classifier() -> Spec {
        spec(
            r#"{"name":"Net","inputs":[{"name":"x","shape":[4]}],
                "layers":[{"name":"head","ops":[{"id":1,"field":"head","kind":{"linear":{"out":3,"bias":1}}}]}],
                "loss":{"kind":{"cross_entropy":{"label_smoothing":null}}},"train":{}}"#,
        )
    }

    fn batch(index: usize) -> Batch {
        Batch {
            inputs: crate::Inputs(vec![InputTensor::Float(rows(2, 4), vec![4])]),
            target: Target::Classes(Tensor::from_ints([0, 2], &Device::default())),
            index,
        }
    }

    #[test]
    fn inputs_and_targets_are_mixed_by_one_share() {
        let mix = Mix {
            order: vec![1, 0],
            share: 0.75,
            cut: None,
        };
        let mixed = mix.apply(batch(0), &classifier());
        let InputTensor::Float(inputs, _) = &mixed.inputs.0[0] else {
            panic!("numbers went in")
        };
        assert_eq!(
            numbers(inputs.clone()),
            [1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0, 6.0]
        );
        let Target::Values(target) = mixed.target else {
            panic!("mixed classes are shares")
        };
        assert_eq!(numbers(target), [0.75, 0.0, 0.25, 0.25, 0.0, 0.75]);
    }

    #[test]
    fn a_rectangle_is_mixed_by_its_area() {
        // The lower right quarter of 4 x 4 pixels, in both channels.
        let (outside, share) = outside([0.5, 0.5, 1.0, 1.0], &[2, 4, 4]);
        assert!((share - 0.75).abs() < 1e-12);
        assert!((outside.iter().sum::<f32>() - 24.0).abs() < 1e-6);
        assert_eq!(outside[8..12], [1.0, 1.0, 0.0, 0.0]);
        let mix = Mix {
            order: vec![1, 0],
            share: 0.1,
            cut: Some([0.5, 0.5, 1.0, 1.0]),
        };
        let images = Batch {
            inputs: crate::Inputs(vec![InputTensor::Float(rows(2, 16), vec![1, 4, 4])]),
            ..batch(0)
        };
        let mixed = mix.apply(images, &classifier());
        let InputTensor::Float(inputs, _) = &mixed.inputs.0[0] else {
            panic!("numbers went in")
        };
        let inputs = numbers(inputs.clone());
        assert_eq!(inputs[..4], [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(inputs[8..12], [8.0, 9.0, 26.0, 27.0]);
        let Target::Values(target) = mixed.target else {
            panic!("mixed classes are shares")
        };
        assert_eq!(numbers(target), [0.75, 0.0, 0.25, 0.25, 0.0, 0.75]);
    }

    #[test]
    fn the_share_is_from_the_beta_distribution() {
        let settings = Settings {
            mixup: Some(0.4),
            ..classifier().training()
        };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let shares: Vec<f64> = (0..20_000)
            .map(|_| Mix::draw(&settings, 2, &mut random).share)
            .collect();
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let variance = shares.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        // Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)); bounds of four standard errors and more.
        assert!((mean - 0.5).abs() < 0.012, "{mean}");
        assert!((variance - 1.0 / 7.2).abs() < 0.004, "{variance}");
    }

    #[test]
    fn what_is_drawn_depends_on_seed_epoch_and_batch() {
        let spec = classifier();
        let settings = Settings {
            mixup: Some(1.0),
            ..spec.training()
        };
        let target = |seed, epoch, index| {
            let settings = Settings {
                seed,
                ..settings.clone()
            };
            match augment_batch(batch(index), &spec, &settings, epoch).target {
                Target::Values(values) => numbers(values),
                Target::Classes(_) => Vec::new(),
            }
        };
        let all: Vec<Vec<f32>> = (0..8).map(|index| target(7, 1, index)).collect();
        let again: Vec<Vec<f32>> = (0..8).map(|index| target(7, 1, index)).collect();
        assert_eq!(all, again);
        let other: Vec<Vec<f32>> = (0..8).map(|index| target(7, 2, index)).collect();
        assert_ne!(all, other);
        let other: Vec<Vec<f32>> = (0..8).map(|index| target(8, 1, index)).collect();
        assert_ne!(all, other);
        // Whatever is mixed, the shares of a sample add up to 1.
        for row in all.iter().flat_map(|values| values.chunks(3)) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{row:?}");
        }
    }
}
