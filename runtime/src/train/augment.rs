//! Random augmentation of images.

use super::error::TrainError;
use burn::tensor::{Int, Tensor, TensorData};
use damper_ir::Augmentation;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Random augmentation of training images, different in each epoch. Validation images are not augmented.
///
/// ```
/// use damper::Augment;
/// use damper::prelude::*;
///
/// let images = Tensor::<4>::ones([8, 1, 28, 28], &Device::default());
/// let varied = Augment::new().shift(2).flip(true).apply(images, 42)?;
/// assert_eq!(varied.dims(), [8, 1, 28, 28]);
/// # Ok::<(), damper::TrainError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    settings: Augmentation,
}

impl Augment {
    /// No augmentation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shifts an image by up to this many pixels along each axis, uniformly, and fills with zeros.
    #[must_use]
    pub fn shift(mut self, pixels: usize) -> Self {
        self.settings.shift = pixels;
        self
    }

    /// Flips an image horizontally with probability one half.
    #[must_use]
    pub fn flip(mut self, flip: bool) -> Self {
        self.settings.flip = flip;
        self
    }

    /// Pads an image by this many pixels, which repeat its border, and crops it at a random place.
    #[must_use]
    pub fn crop(mut self, pixels: usize) -> Self {
        self.settings.crop = pixels;
        self
    }

    /// Sets a random rectangle to 0 with this probability: 2 to 33 percent of the area, aspect ratio 0.3 to 3.3
    /// (Zhong et al., arXiv 1708.04896).
    #[must_use]
    pub fn erase(mut self, probability: f64) -> Self {
        self.settings.erase = probability;
        self
    }

    pub(super) fn settings(self) -> Augmentation {
        self.settings
    }

    /// Augments images: flip, then shift, crop and erase. The same seed gives the same images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - output: the same
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for a shift by the width or height of an image or more, and for a probability outside of
    /// [0, 1].
    pub fn apply(self, images: Tensor<4>, seed: u64) -> Result<Tensor<4>, TrainError> {
        let [_, _, height, width] = images.dims();
        self.check(Some(height.min(width)))?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Ok(apply(self.settings, images, &mut random))
    }

    /// Whether a number of pixels is larger than any image.
    pub(super) fn is_huge(self) -> bool {
        self.settings.shift.max(self.settings.crop) > MOST_PIXELS
    }

    /// Checks the settings, for images whose shorter side is `side`.
    pub(super) fn check(self, side: Option<usize>) -> Result<(), TrainError> {
        let Augmentation {
            shift, crop, erase, ..
        } = self.settings;
        for (name, pixels) in [("shift", shift), ("crop", crop)] {
            if side.is_some_and(|side| pixels > 0 && pixels >= side) || pixels > MOST_PIXELS {
                return Err(TrainError::Setting {
                    name,
                    value: format!("{pixels} pixels"),
                    reason: side.map_or_else(
                        || "no image is that large".to_owned(),
                        |side| format!("the shorter side of the images has {side}"),
                    ),
                    help: "use fewer pixels than the side has, for example an eighth of them"
                        .to_owned(),
                });
            }
        }
        if !(0.0..=1.0).contains(&erase) {
            return Err(TrainError::Setting {
                name: "erase",
                value: erase.to_string(),
                reason: "it is not a probability".to_owned(),
                help: "use a number from 0 to 1".to_owned(),
            });
        }
        Ok(())
    }
}

/// Larger than any image, and exact as an `f64`.
const MOST_PIXELS: usize = 1 << 30;

/// See [`Augment::apply`].
pub(super) fn apply(
    settings: Augmentation,
    images: Tensor<4>,
    random: &mut ChaCha8Rng,
) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    if settings == Augmentation::default() || images.shape().num_elements() == 0 {
        return images;
    }
    let mut sources = Vec::with_capacity(batch * height * width);
    let mut kept = Vec::with_capacity(batch * height * width);
    for _ in 0..batch {
        View::draw(settings, height, width, random).write(&mut sources, &mut kept);
    }
    let device = images.device();
    let size = height * width;
    let sources = Tensor::<1, Int>::from_data(TensorData::new(sources, [batch * size]), &device);
    let sources = sources
        .reshape([batch, 1, size])
        .expand([batch, channels, size]);
    let kept = Tensor::<1>::from_data(TensorData::new(kept, [batch * size]), &device);
    let varied = images.reshape([batch, channels, size]).gather(2, sources);
    (varied * kept.reshape([batch, 1, size])).reshape([batch, channels, height, width])
}

/// The augmentation of one image.
struct View {
    height: i64,
    width: i64,
    flip: bool,
    shift: (i64, i64),
    crop: (i64, i64),
    /// The erased rectangle: first row and column, and the ones after the last.
    erased: Option<[i64; 4]>,
}

impl View {
    fn draw(settings: Augmentation, height: usize, width: usize, random: &mut ChaCha8Rng) -> Self {
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (height, width) = (size(height), size(width));
        let flip = settings.flip && random.random::<bool>();
        let mut both = |most: usize| {
            let most = size(most).min(height.max(width));
            (
                random.random_range(-most..=most),
                random.random_range(-most..=most),
            )
        };
        let (shift, crop) = (both(settings.shift), both(settings.crop));
        let erased = (settings.erase > 0.0 && random.random::<f64>() < settings.erase)
            .then(|| rectangle(height, width, random));
        Self {
            height,
            width,
            flip,
            shift,
            crop,
            erased,
        }
    }

    /// Where each pixel comes from, and whether it stays (1) or is 0.
    fn write(&self, sources: &mut Vec<i64>, kept: &mut Vec<f32>) {
        let Self { height, width, .. } = *self;
        for y in 0..height {
            let row = (y + self.crop.0).clamp(0, height - 1) + self.shift.0;
            for x in 0..width {
                let column = (x + self.crop.1).clamp(0, width - 1) + self.shift.1;
                let inside = (0..height).contains(&row) && (0..width).contains(&column);
                let erased = self.erased.is_some_and(|[top, left, bottom, right]| {
                    (top..bottom).contains(&y) && (left..right).contains(&x)
                });
                let column = if self.flip {
                    width - 1 - column
                } else {
                    column
                };
                sources.push(if inside { row * width + column } else { 0 });
                kept.push(f32::from(u8::from(inside && !erased)));
            }
        }
    }
}

/// A rectangle inside of the image, with the areas and aspect ratios of the paper.
fn rectangle(height: i64, width: i64, random: &mut ChaCha8Rng) -> [i64; 4] {
    let area = (height * width) as f64 * random.random_range(0.02..=0.33);
    let ratio: f64 = random.random_range(0.3_f64.ln()..=3.3_f64.ln());
    let side = |length: f64, most: i64| (length.round() as i64).clamp(1, most);
    let rows = side((area * ratio.exp()).sqrt(), height);
    let columns = side((area / ratio.exp()).sqrt(), width);
    let top = random.random_range(0..=height - rows);
    let left = random.random_range(0..=width - columns);
    [top, left, top + rows, left + columns]
}
