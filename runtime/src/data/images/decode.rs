//! One image file, decoded within limits on its pixels.

use crate::data::error::DataError;
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{BufReader, Error, Read, Seek};
use std::path::Path;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// The first bytes of a PNG file, including its size.
const PNG_HEADER: u64 = 24;

/// A file that is to be decoded.
pub(super) struct ImageFile<'a> {
    pub(super) path: &'a Path,
    pub(super) max_pixels: usize,
}

impl ImageFile<'_> {
    /// The pixels. `make_room` is called with the height and width before anything is allocated for them.
    pub(super) fn decode(
        &self,
        make_room: impl FnOnce([usize; 2]) -> Result<(), DataError>,
    ) -> Result<DynamicImage, DataError> {
        let failed = |error: Error| self.fault(error.to_string());
        let mut opened = crate::file::regular(self.path).map_err(failed)?;
        let mut start = Vec::new();
        let read = opened.by_ref().take(PNG_HEADER).read_to_end(&mut start);
        read.map_err(failed)?;
        opened.rewind().map_err(failed)?;
        match image::guess_format(&start) {
            Ok(ImageFormat::Png) => {
                // The decoder reserves memory as soon as it is made.
                if let Some(size) = png_size(&start) {
                    check_pixels(self.max_pixels, &|| self.shown(), size)?;
                }
                self.decode_png(opened, make_room)
            }
            Ok(ImageFormat::Jpeg) => {
                let mut content = Vec::new();
                let mut bounded = opened.take(self.max_bytes());
                bounded.read_to_end(&mut content).map_err(failed)?;
                if !has_jpeg_end(&content) {
                    return Err(self.fault("it is cut off: its end is missing".to_owned()));
                }
                self.decode_jpeg(&content, make_room)
            }
            _ => Err(self.fault("it is neither PNG nor JPEG".to_owned())),
        }
    }

    fn decode_png(
        &self,
        opened: File,
        make_room: impl FnOnce([usize; 2]) -> Result<(), DataError>,
    ) -> Result<DynamicImage, DataError> {
        let failed = |error: image::ImageError| self.fault(error.to_string());
        let mut reader = ImageReader::with_format(BufReader::new(opened), ImageFormat::Png);
        let mut limits = Limits::default();
        limits.max_alloc = Some(self.max_bytes());
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(failed)?;
        let (width, height) = decoder.dimensions();
        make_room([height as usize, width as usize])?;
        DynamicImage::from_decoder(decoder).map_err(failed)
    }

    /// Decodes a JPEG. Damaged parts are an error; the decoder's default would make them gray.
    fn decode_jpeg(
        &self,
        content: &[u8],
        make_room: impl FnOnce([usize; 2]) -> Result<(), DataError>,
    ) -> Result<DynamicImage, DataError> {
        let failed = |error: DecodeErrors| self.fault(error.to_string());
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(content), options);
        decoder.decode_headers().map_err(failed)?;
        let (width, height) = decoder.dimensions().unwrap_or_default();
        make_room([height, width])?;
        let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
        let colors = if is_gray {
            ColorSpace::Luma
        } else {
            ColorSpace::RGB
        };
        decoder.set_options(options.jpeg_set_out_colorspace(colors));
        let pixels = decoder.decode().map_err(failed)?;
        let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(self.fault(format!(
                "it has {height}x{width} pixels, which is too many to count"
            )));
        };
        let image = if is_gray {
            ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8)
        } else {
            ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
        };
        image.ok_or_else(|| self.fault("it has fewer pixels than its header says".to_owned()))
    }

    /// More bytes than an image within the limit needs: pixels have up to 8 bytes, and all else in a file is small.
    fn max_bytes(&self) -> u64 {
        (self.max_pixels as u64)
            .saturating_mul(8)
            .saturating_add(64 << 20)
    }

    /// The path as messages show it.
    pub(super) fn shown(&self) -> String {
        format!("`{}`", self.path.display())
    }

    fn fault(&self, reason: String) -> DataError {
        DataError::Image {
            file: self.path.display().to_string(),
            reason,
        }
    }
}

/// Refuses an image with more pixels than are allowed. `what` names the image, or the setting that makes it so large.
pub(super) fn check_pixels(
    max_pixels: usize,
    what: &dyn Fn() -> String,
    [height, width]: [usize; 2],
) -> Result<(), DataError> {
    let is_small = height
        .checked_mul(width)
        .is_some_and(|pixels| pixels <= max_pixels);
    // The image library counts pixels of an axis in `u32`.
    let is_countable = u32::try_from(height.max(width)).is_ok();
    if is_small && is_countable {
        return Ok(());
    }
    Err(DataError::Limit {
        what: format!(
            "{}: an image of {height}x{width} pixels (height x width), but only {max_pixels} pixels are allowed",
            what(),
        ),
        help: "make it smaller, or allow more: `.max_pixels(n)`".to_owned(),
    })
}

/// Height and width of a PNG file, from its first bytes.
fn png_size(start: &[u8]) -> Option<[usize; 2]> {
    let number = |at: usize| {
        let bytes = start.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    (start.get(12..16)? == b"IHDR").then_some(())?;
    Some([number(20)?, number(16)?])
}

/// True if a JPEG file has its end marker. The decoder fills in gray for a part that is cut off.
fn has_jpeg_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(next) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|x| *x == 0xFF))
    {
        at += next;
        // A marker begins with any number of these bytes.
        let Some(fill) = bytes[at..].iter().position(|x| *x != 0xFF) else {
            return false;
        };
        at += fill;
        match bytes[at] {
            0xD9 => return true,
            // Without a length: a byte of 255 in the image, a restart, a start.
            0x00 | 0x01 | 0xD0..=0xD8 => at += 1,
            _ => match bytes.get(at + 1..at + 3) {
                Some(&[high, low]) => at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
        }
    }
    false
}
