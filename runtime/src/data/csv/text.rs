//! The text of a file, read in pieces and checked to be UTF-8.

use crate::data::error::DataError;
use crate::data::place::Place;
use std::io::Read;

/// The number of bytes that are read at a time.
const CHUNK: u64 = 1 << 20;

/// The text of a file, without a byte order mark.
pub(super) fn read_text(file: &str, mut reader: impl Read) -> Result<String, DataError> {
    let mut bytes = Vec::new();
    loop {
        // In chunks, so that a binary file is refused before all of it is in memory.
        let before = bytes.len();
        let read = reader.by_ref().take(CHUNK).read_to_end(&mut bytes);
        let read = read.map_err(|error| DataError::File {
            file: file.to_owned(),
            reason: error.to_string(),
        })?;
        if let Some(zero) = bytes[before..].iter().position(|byte| *byte == 0) {
            return Err(DataError::Syntax {
                place: Box::new(Place::line(file, line_at(&bytes, before + zero))),
                reason: "this is not text: it has a zero byte\nhelp: save the file as UTF-8"
                    .to_owned(),
            });
        }
        if read == 0 {
            return decode(file, bytes);
        }
    }
}

fn decode(file: &str, bytes: Vec<u8>) -> Result<String, DataError> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        DataError::Syntax {
            place: Box::new(Place::line(file, line)),
            reason: "this is not UTF-8 text\nhelp: save the file as UTF-8".to_owned(),
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The line of a byte, from 1, as an editor counts.
fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = &bytes[..at.min(bytes.len())];
    let ends = before.iter().enumerate().filter(|(place, byte)| {
        **byte == b'\n' || **byte == b'\r' && bytes.get(place + 1) != Some(&b'\n')
    });
    1 + ends.count()
}
