//! `Images`: a folder of images, and how to read them.

mod decode;
mod folder;

use super::error::DataError;
use super::features::Features;
use super::message::{bytes, count};
use super::samples::{Data, Input, Origin};
use super::targets::Targets;
use decode::{ImageFile, check_pixels};
use folder::find_images;
use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Pixel};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of images, and how to read them; made by [`images()`].
#[derive(Clone, Debug)]
#[must_use = "images become data by `.read()`"]
pub struct Images {
    folder: String,
    classes: Vec<String>,
    /// Each file with the index of its class.
    files: Vec<(PathBuf, usize)>,
    size: Option<(usize, usize)>,
    gray: bool,
    max_pixels: usize,
    max_memory: usize,
}

/// Finds the images of a folder that has one folder for each class: `digits/3/a.png` has the class `3`.
///
/// The names of the folders, sorted, are the classes. PNG and JPEG are read; hidden files, and files that are not images
/// by their names, are skipped.
///
/// ```no_run
/// use damper::data;
///
/// let data = data::images("flowers")?.resize(64, 64).read()?;      // for `input image: [3, 64, 64]`
/// let (train, valid) = data.split(0.8, 42)?;
/// # Ok::<(), damper::data::DataError>(())
/// ```
///
/// # Errors
///
/// [`DataError::File`] if a folder cannot be read; [`DataError::Folder`] if there are no classes, a class has no images,
/// an image is not in the folder of a class, or the name of a class is not UTF-8; [`DataError::Image`] for a folder named
/// like an image.
pub fn images(folder: impl AsRef<Path>) -> Result<Images, DataError> {
    let folder = folder.as_ref();
    let found = find_images(folder)?;
    Ok(Images {
        folder: folder.display().to_string(),
        classes: found.classes,
        files: found.files,
        size: None,
        gray: false,
        max_pixels: 50_000_000,
        max_memory: 8 << 30,
    })
}

impl Images {
    /// Resizes every image to this size, whatever its proportions are. Without it, images of different sizes are an error.
    pub fn resize(mut self, height: usize, width: usize) -> Self {
        self.size = Some((height, width));
        self
    }

    /// Reads the images with one channel instead of three.
    pub fn gray(mut self) -> Self {
        self.gray = true;
        self
    }

    /// The largest number of pixels that an image may have (default: 50,000,000). A file of a few bytes can have any
    /// number.
    pub fn max_pixels(mut self, pixels: usize) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// The largest number of bytes that all images together may take, 4 for each number (default: 8 GiB).
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }

    /// The classes: the folders' names, sorted.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of images.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Reads all images into memory: rows `[channels, height, width]` of numbers from 0 to 1, in the order red, green,
    /// blue, without transparency.
    ///
    /// # Errors
    ///
    /// [`DataError::Image`] for a file that is not an image or is cut off, [`DataError::ImageSize`] for images of different
    /// sizes, [`DataError::Limit`] for more pixels or memory than are allowed; each names the file.
    pub fn read(self) -> Result<Data, DataError> {
        let (mut values, mut first) = (Vec::new(), None::<(String, [usize; 2])>);
        if let Some((height, width)) = self.size {
            let setting = || format!("`.resize({height}, {width})`");
            if height == 0 || width == 0 {
                return Err(DataError::Setting {
                    setting: setting(),
                    reason: "an image must have at least one pixel".to_owned(),
                    help: "give height and width, such as `.resize(64, 64)`".to_owned(),
                });
            }
            check_pixels(self.max_pixels, &setting, [height, width])?;
            self.reserve(&mut values, [height, width])?;
        }
        for (path, _) in &self.files {
            let found = self.append(path, first.is_none(), &mut values)?;
            let file = path.display().to_string();
            match &first {
                None => first = Some((file, found)),
                Some((first, expected)) if found != *expected => {
                    return Err(DataError::ImageSize {
                        file,
                        found,
                        first: first.clone(),
                        expected: *expected,
                    });
                }
                Some(_) => {}
            }
        }
        let [height, width] = first.map_or([0, 0], |(_, size)| size);
        let shape = vec![self.channels(), height, width];
        if shape.contains(&0) {
            return Err(DataError::NoFeatures {
                what: format!("`{}`: an image without pixels", self.folder),
            });
        }
        let features = Features {
            shape: shape.clone(),
            ..Features::flat(values, shape.iter().product())?
        };
        let names = self
            .files
            .iter()
            .map(|(file, _)| file.display().to_string());
        Ok(Data {
            inputs: vec![Input {
                name: None,
                features,
            }],
            origin: Origin {
                rows: Arc::new((0..self.files.len()).collect()),
                samples: Arc::new(names.collect()),
                ..Origin::default()
            },
            targets: Targets::Classes {
                indices: Arc::new(self.files.iter().map(|(_, class)| *class).collect()),
                names: Arc::new(self.classes),
            },
        })
    }

    fn channels(&self) -> usize {
        if self.gray { 1 } else { 3 }
    }

    /// Reserves memory for all images, if they have the size of the first one.
    fn reserve(&self, values: &mut Vec<f32>, [height, width]: [usize; 2]) -> Result<(), DataError> {
        let numbers = height.saturating_mul(width).saturating_mul(self.channels());
        let numbers = numbers.saturating_mul(self.files.len());
        let needed = numbers.saturating_mul(size_of::<f32>());
        if needed <= self.max_memory && values.try_reserve_exact(numbers).is_ok() {
            return Ok(());
        }
        Err(DataError::Limit {
            what: format!(
                "`{}`: {} of {height}x{width} pixels take {}, more than there is or is allowed ({})",
                self.folder,
                count(self.files.len(), "image"),
                bytes(needed),
                bytes(self.max_memory)
            ),
            help: "make them smaller with `.resize(height, width)`, or allow more: `.max_memory(bytes)`"
                .to_owned(),
        })
    }

    /// Appends the numbers of an image, and returns its height and width.
    fn append(
        &self,
        path: &Path,
        is_first: bool,
        to: &mut Vec<f32>,
    ) -> Result<[usize; 2], DataError> {
        let file = ImageFile {
            path,
            max_pixels: self.max_pixels,
        };
        let image = file.decode(|size| self.make_room(&file, size, is_first, to))?;
        if self.gray {
            Ok(append_channels(&image.to_luma32f(), self.size, to))
        } else {
            Ok(append_channels(&image.to_rgb32f(), self.size, to))
        }
    }

    /// Reserves memory for an image of this size, unless it is larger than the limits.
    fn make_room(
        &self,
        file: &ImageFile,
        [height, width]: [usize; 2],
        is_first: bool,
        to: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        check_pixels(self.max_pixels, &|| file.shown(), [height, width])?;
        match self.size {
            // Images are resized axis by axis: in between, one has the new height and its own width.
            Some((new_height, _)) => check_pixels(
                self.max_pixels,
                &|| format!("{} while it is resized", file.shown()),
                [new_height, width],
            ),
            None if is_first => self.reserve(to, [height, width]),
            None => Ok(()),
        }
    }
}

/// Appends the channels one after the other, and returns the height and width.
fn append_channels<P: Pixel<Subpixel = f32> + 'static>(
    image: &ImageBuffer<P, Vec<f32>>,
    size: Option<(usize, usize)>,
    to: &mut Vec<f32>,
) -> [usize; 2] {
    let resized = size.map(|(height, width)| {
        let axis = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        resize(image, axis(width), axis(height), FilterType::Triangle)
    });
    let image = resized.as_ref().unwrap_or(image);
    let channels = usize::from(P::CHANNEL_COUNT);
    for channel in 0..channels {
        to.extend(
            image
                .as_raw()
                .iter()
                .skip(channel)
                .step_by(channels)
                .map(|x| x.clamp(0.0, 1.0)),
        );
    }
    [image.height() as usize, image.width() as usize]
}
