//! Images from folders, one for each class.

use super::{Data, DataError, Features, Input, Origin, Targets};
use image::imageops::{FilterType, resize};
use image::{ImageBuffer, ImageFormat, Pixel};
use std::fs;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of images, and how to read them; made by [`images()`].
#[derive(Clone, Debug)]
#[must_use = "images become data by `.read()`"]
pub struct Images {
    folder: String,
    classes: Vec<String>,
    /// Each with the index of its class.
    files: Vec<(PathBuf, usize)>,
    size: Option<(usize, usize)>,
    grey: bool,
}

/// Finds the images of a folder that has a folder for each class: `digits/3/a.png` is of the class `3`.
///
/// The folders' names, sorted, are the classes. PNG and JPEG are read; what is hidden or no image by its name is left
/// alone.
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
/// [`DataError::File`] if a folder cannot be read, [`DataError::Folder`] if there is no class, a class without images,
/// or an image beside the classes' folders.
pub fn images(folder: impl AsRef<Path>) -> Result<Images, DataError> {
    let folder = folder.as_ref();
    let shown = folder.display().to_string();
    let (folders, files) = entries(folder)?;
    let wrong = |what: String, help: String| Err(DataError::Folder { what, help });
    let one_for_each =
        || format!("one folder for each class: `{shown}/cat/1.png`, `{shown}/dog/1.png`");
    if let Some(file) = files.first() {
        return wrong(
            format!("`{}` stands in no class's folder", file.display()),
            one_for_each(),
        );
    }
    if folders.is_empty() {
        return wrong(format!("the folder `{shown}` has no class"), one_for_each());
    }
    let (mut classes, mut found) = (Vec::new(), Vec::new());
    for (class, folder) in folders.iter().enumerate() {
        let (inside, files) = entries(folder)?;
        if files.is_empty() {
            let help = match inside.first() {
                Some(deeper) => format!(
                    "`{}` is a folder: are the classes one level deeper? `data::images(\"{}\")`",
                    deeper.display(),
                    folder.display()
                ),
                None => "put images there (`.png`, `.jpg`), or remove the folder".to_owned(),
            };
            return wrong(
                format!("the class `{}` has no images", folder.display()),
                help,
            );
        }
        classes.push(name(folder));
        found.extend(files.into_iter().map(|file| (file, class)));
    }
    Ok(Images {
        folder: shown,
        classes,
        files: found,
        size: None,
        grey: false,
    })
}

impl Images {
    /// Brings every image to this size, whatever its proportions were. Without it, images of different sizes are an
    /// error.
    pub fn resize(mut self, height: usize, width: usize) -> Self {
        self.size = Some((height, width));
        self
    }

    /// One channel instead of three.
    pub fn grey(mut self) -> Self {
        self.grey = true;
        self
    }

    /// The classes: the folders' names, sorted.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Reads all images into memory: rows `[channels, height, width]` of numbers from 0 to 1, red before green
    /// before blue; transparency is left out.
    ///
    /// # Errors
    ///
    /// [`DataError::Image`] for a file that is no image or cut off, [`DataError::ImageSize`] for images of different
    /// sizes; each names the file.
    pub fn read(self) -> Result<Data, DataError> {
        let (mut values, mut first) = (Vec::new(), None::<(String, [usize; 2])>);
        for (path, _) in &self.files {
            let file = path.display().to_string();
            let found = self.append(path, &mut values)?;
            match &first {
                None => {
                    values.reserve(values.len() * (self.files.len() - 1));
                    first = Some((file, found));
                }
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
        let shape = vec![if self.grey { 1 } else { 3 }, height, width];
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

    /// Appends an image's numbers, and gives its height and width.
    fn append(&self, path: &Path, to: &mut Vec<f32>) -> Result<[usize; 2], DataError> {
        let bad = |reason: String| DataError::Image {
            file: path.display().to_string(),
            reason,
        };
        let image = image::ImageReader::open(path)
            .and_then(image::ImageReader::with_guessed_format)
            .map_err(|error| bad(error.to_string()))?
            .decode()
            .map_err(|error| bad(error.to_string()))?;
        if self.grey {
            Ok(channels(&image.to_luma32f(), self.size, to))
        } else {
            Ok(channels(&image.to_rgb32f(), self.size, to))
        }
    }
}

/// Appends the channels one after the other.
fn channels<P: Pixel<Subpixel = f32> + 'static>(
    image: &ImageBuffer<P, Vec<f32>>,
    size: Option<(usize, usize)>,
    to: &mut Vec<f32>,
) -> [usize; 2] {
    let resized = size.map(|(height, width)| {
        let axis = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        resize(image, axis(width), axis(height), FilterType::Triangle)
    });
    let image = resized.as_ref().unwrap_or(image);
    let of = usize::from(P::CHANNEL_COUNT);
    for channel in 0..of {
        to.extend(
            image
                .as_raw()
                .iter()
                .skip(channel)
                .step_by(of)
                .map(|x| x.clamp(0.0, 1.0)),
        );
    }
    [image.height() as usize, image.width() as usize]
}

/// The folders and the images in a folder, each sorted.
fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DataError> {
    let bad = |error: Error| DataError::File {
        file: folder.display().to_string(),
        reason: error.to_string(),
    };
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if name(&path).starts_with('.') {
            continue;
        }
        if path.is_dir() {
            folders.push(path);
        } else if let Ok(format) = ImageFormat::from_path(&path) {
            if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
                return Err(DataError::Image {
                    file: path.display().to_string(),
                    reason: "only PNG and JPEG are read".to_owned(),
                });
            }
            files.push(path);
        }
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
