//! Images from folders, one for each class.

use super::error::{bytes, count};
use super::{Data, DataError, Features, Input, Origin, Targets};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Pixel};
use std::fs;
use std::io::{BufReader, Error, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// A folder of images, and how to read them; made by [`images()`].
#[derive(Clone, Debug)]
#[must_use = "images become data by `.read()`"]
pub struct Images {
    folder: String,
    classes: Vec<String>,
    /// Each with the index of its class.
    files: Vec<(PathBuf, usize)>,
    size: Option<(usize, usize)>,
    gray: bool,
    max_pixels: usize,
    max_memory: usize,
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
/// an image beside the classes' folders, or a class whose name is not UTF-8, [`DataError::Image`] for a folder that is
/// called like an image.
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
    for (index, folder) in folders.iter().enumerate() {
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
        if let Some(folder) = inside.iter().find(|folder| is_image(folder)) {
            return Err(DataError::Image {
                file: folder.display().to_string(),
                reason: "it is a folder, not a file".to_owned(),
            });
        }
        // Two names that are not text would be shown, and told apart, as one.
        let Some(class) = folder.file_name().and_then(|name| name.to_str()) else {
            return wrong(
                format!(
                    "the class `{}` has a name that is not UTF-8",
                    folder.display()
                ),
                "give the folder another name".to_owned(),
            );
        };
        classes.push(class.to_owned());
        found.extend(files.into_iter().map(|file| (file, index)));
    }
    Ok(Images {
        folder: shown,
        classes,
        files: found,
        size: None,
        gray: false,
        max_pixels: 50_000_000,
        max_memory: 8 << 30,
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
    pub fn gray(mut self) -> Self {
        self.gray = true;
        self
    }

    /// How many pixels an image may have (50,000,000 unless said): a file of a few bytes may hold any number.
    pub fn max_pixels(mut self, pixels: usize) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// How many bytes all images may take together, 4 for each number (8 GiB unless said).
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
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
    /// sizes, [`DataError::Limit`] for more pixels or memory than is allowed; each names the file.
    pub fn read(self) -> Result<Data, DataError> {
        let (mut values, mut first) = (Vec::new(), None::<(String, [usize; 2])>);
        if let Some((height, width)) = self.size {
            if height == 0 || width == 0 {
                return Err(DataError::Setting {
                    setting: format!("`.resize({height}, {width})`"),
                    reason: "an image has a pixel at least".to_owned(),
                    help: "height and width, such as `.resize(64, 64)`".to_owned(),
                });
            }
            let setting = || format!("`.resize({height}, {width})`");
            self.check_pixels(&setting, height, width)?;
            self.reserve(&mut values, [height, width])?;
        }
        for (path, _) in &self.files {
            let file = path.display().to_string();
            let found = self.append(path, first.is_none(), &mut values)?;
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
        let shape = vec![if self.gray { 1 } else { 3 }, height, width];
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

    /// Whether an image of this size may be held.
    fn check_pixels(
        &self,
        what: &dyn Fn() -> String,
        height: usize,
        width: usize,
    ) -> Result<(), DataError> {
        let is_small = height
            .checked_mul(width)
            .is_some_and(|pixels| pixels <= self.max_pixels);
        // Above what the library counts in.
        let is_counted = u32::try_from(height.max(width)).is_ok();
        if is_small && is_counted {
            return Ok(());
        }
        Err(DataError::Limit {
            what: format!(
                "{}: an image of {height}x{width} pixels (height x width), and {} are allowed",
                what(),
                self.max_pixels
            ),
            help: "make it smaller, or allow more: `.max_pixels(n)`".to_owned(),
        })
    }

    /// Memory for all images, of the size of the first one.
    fn reserve(&self, values: &mut Vec<f32>, [height, width]: [usize; 2]) -> Result<(), DataError> {
        let channels = if self.gray { 1 } else { 3 };
        let numbers = height.saturating_mul(width).saturating_mul(channels);
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

    /// Appends an image's numbers, and gives its height and width.
    fn append(
        &self,
        path: &Path,
        is_first: bool,
        to: &mut Vec<f32>,
    ) -> Result<[usize; 2], DataError> {
        let file = || path.display().to_string();
        let bad = |reason: String| DataError::Image {
            file: file(),
            reason,
        };
        let failed = |error: Error| bad(error.to_string());
        let mut opened = crate::file::regular(path).map_err(failed)?;
        let mut start = Vec::new();
        let read = opened.by_ref().take(PNG_SIZE).read_to_end(&mut start);
        read.map_err(failed)?;
        opened.rewind().map_err(failed)?;
        // More than any image of so many pixels takes.
        let most = (self.max_pixels as u64)
            .saturating_mul(8)
            .saturating_add(64 << 20);
        let image = match image::guess_format(&start) {
            Ok(ImageFormat::Png) => {
                // Before the decoder reserves anything.
                if let Some([height, width]) = png_size(&start) {
                    self.check_pixels(&|| format!("`{}`", file()), height, width)?;
                }
                self.decode(path, BufReader::new(opened), ImageFormat::Png, is_first, to)?
            }
            Ok(ImageFormat::Jpeg) => {
                let mut content = Vec::new();
                opened
                    .take(most)
                    .read_to_end(&mut content)
                    .map_err(failed)?;
                if !ends_as_jpeg(&content) {
                    return Err(bad("it is cut off: its end is missing".to_owned()));
                }
                self.decode_jpeg(path, &content, is_first, to)?
            }
            _ => return Err(bad("it is neither PNG nor JPEG".to_owned())),
        };
        if self.gray {
            Ok(channels(&image.to_luma32f(), self.size, to))
        } else {
            Ok(channels(&image.to_rgb32f(), self.size, to))
        }
    }

    fn decode(
        &self,
        path: &Path,
        from: impl std::io::BufRead + Seek,
        format: ImageFormat,
        is_first: bool,
        to: &mut Vec<f32>,
    ) -> Result<DynamicImage, DataError> {
        let file = || path.display().to_string();
        let bad = |error: image::ImageError| DataError::Image {
            file: file(),
            reason: error.to_string(),
        };
        let mut reader = ImageReader::with_format(from, format);
        let mut limits = Limits::default();
        // The widest pixels have 8 bytes, and what stands beside them is small.
        limits.max_alloc = Some(
            (self.max_pixels as u64)
                .saturating_mul(8)
                .saturating_add(64 << 20),
        );
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(bad)?;
        let (width, height) = decoder.dimensions();
        self.make_room(path, height as usize, width as usize, is_first, to)?;
        DynamicImage::from_decoder(decoder).map_err(bad)
    }

    /// Reads a JPEG. What is damaged in it is an error, not gray.
    fn decode_jpeg(
        &self,
        path: &Path,
        content: &[u8],
        is_first: bool,
        to: &mut Vec<f32>,
    ) -> Result<DynamicImage, DataError> {
        let bad = |reason: String| DataError::Image {
            file: path.display().to_string(),
            reason,
        };
        let failed = |error: DecodeErrors| bad(error.to_string());
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(content), options);
        decoder.decode_headers().map_err(failed)?;
        let (width, height) = decoder.dimensions().unwrap_or_default();
        self.make_room(path, height, width, is_first, to)?;
        let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
        let colors = if is_gray {
            ColorSpace::Luma
        } else {
            ColorSpace::RGB
        };
        decoder.set_options(options.jpeg_set_out_colorspace(colors));
        let pixels = decoder.decode().map_err(failed)?;
        let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(bad(format!("it has {height} by {width} pixels")));
        };
        let image = if is_gray {
            ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8)
        } else {
            ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
        };
        image.ok_or_else(|| bad("it has fewer pixels than its header says".to_owned()))
    }

    /// Makes room for an image, unless it is larger than the limits.
    fn make_room(
        &self,
        path: &Path,
        height: usize,
        width: usize,
        is_first: bool,
        to: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        let shown = || format!("`{}`", path.display());
        self.check_pixels(&shown, height, width)?;
        match self.size {
            // The image in between has the new height, and its own width.
            Some((new, _)) => self.check_pixels(
                &|| format!("{} on the way to another size", shown()),
                new,
                width,
            ),
            None if is_first => self.reserve(to, [height, width]),
            None => Ok(()),
        }
    }
}

/// The first bytes of a PNG file, up to and with its size.
const PNG_SIZE: u64 = 24;

/// Height and width of a PNG file.
fn png_size(start: &[u8]) -> Option<[usize; 2]> {
    let number = |at: usize| {
        let bytes = start.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    (start.get(12..16)? == b"IHDR").then_some(())?;
    Some([number(20)?, number(16)?])
}

/// Whether a JPEG file goes on to its end. The decoder fills up with gray what is cut off.
fn ends_as_jpeg(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(next) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|x| *x == 0xFF))
    {
        at += next;
        // Any number of these may stand before what a marker says.
        let Some(fill) = bytes[at..].iter().position(|x| *x != 0xFF) else {
            return false;
        };
        at += fill;
        match bytes[at] {
            0xD9 => return true,
            // A byte of 255 in the image, a restart, a start: without a length.
            0x00 | 0x01 | 0xD0..=0xD8 => at += 1,
            _ => match bytes.get(at + 1..at + 3) {
                Some(&[high, low]) => at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
        }
    }
    false
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
        } else if ImageFormat::from_path(&path).is_ok() {
            if !is_image(&path) {
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

/// Whether it is called like an image that is read.
fn is_image(path: &Path) -> bool {
    matches!(
        ImageFormat::from_path(path),
        Ok(ImageFormat::Png | ImageFormat::Jpeg)
    )
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
