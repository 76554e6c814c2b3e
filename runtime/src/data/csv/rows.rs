//! The rows and fields of a CSV text, by RFC 4180 and strict about quotes.
//!
//! The `csv` crate accepts an unclosed quote and text after a closing quote, and then reads many rows as one field. Here
//! both are errors. Fields are borrowed from the text, so a row of millions of fields copies nothing.

use std::borrow::Cow;

/// The start of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The byte in the text.
    pub(super) at: usize,
    /// The line from 1, as an editor counts: by LF, CRLF and CR.
    pub(super) line: usize,
}

/// A field, without the quotes and spaces around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    /// The lines on which it begins and ends.
    pub(super) lines: (usize, usize),
}

/// A misplaced quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the quote does.
    Unclosed { opened: usize },
    /// Text follows the closing quote in the same field.
    TextAfter { opened: usize, closed: usize },
    /// A quote inside of a field that does not begin with one.
    Inside { line: usize },
}

impl Fault {
    /// The line to name in the message.
    pub(super) fn line(self) -> usize {
        match self {
            Self::Unclosed { opened } | Self::TextAfter { opened, .. } => opened,
            Self::Inside { line } => line,
        }
    }

    /// The message, with a help line.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Unclosed { .. } => {
                "this line opens a quote that is never closed\nhelp: close it; inside of a field in quotes, a quote is written twice: `\"5\"\" wide\"`".to_owned()
            }
            Self::TextAfter { opened, closed } => {
                let place = if closed == opened {
                    String::new()
                } else {
                    format!(" on line {closed}")
                };
                format!(
                    "this line opens a quote, and text follows where it is closed{place}\nhelp: end the field with the quote, or write a quote inside of the field twice: `\"5\"\" wide\"`"
                )
            }
            Self::Inside { .. } => {
                "there is a quote inside of a field that is not in quotes\nhelp: put the field in quotes, and write the quote inside of it twice: `\"5\"\" wide\"`".to_owned()
            }
        }
    }
}

/// Reads a text row by row, and a row field by field. Empty lines are skipped.
#[derive(Clone, Debug)]
pub(super) struct Rows<'a> {
    text: &'a str,
    delimiter: char,
    at: usize,
    line: usize,
    /// True if the row has another field.
    more: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str, delimiter: char) -> Self {
        Self {
            text,
            delimiter,
            at: 0,
            line: 1,
            more: false,
        }
    }

    /// Goes to a row that [`Self::row`] returned.
    pub(super) fn go_to(&mut self, mark: Mark) {
        (self.at, self.line, self.more) = (mark.at, mark.line, true);
    }

    /// Goes to the next row, after all fields of the row before were read.
    pub(super) fn row(&mut self) -> Option<Mark> {
        while self.skip_line_end() {}
        self.more = self.at < self.text.len();
        self.more.then_some(Mark {
            at: self.at,
            line: self.line,
        })
    }

    /// The row's next field.
    pub(super) fn field(&mut self) -> Result<Option<Field<'a>>, Fault> {
        if !self.more {
            return Ok(None);
        }
        let start = self.at;
        self.skip_spaces();
        let field = if self.byte() == Some(b'"') {
            self.quoted()?
        } else {
            self.at = start;
            self.bare()?
        };
        if self.is_at_delimiter() {
            self.at += self.delimiter.len_utf8();
        } else {
            self.skip_line_end();
            self.more = false;
        }
        Ok(Some(field))
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn is_at_delimiter(&self) -> bool {
        let mut buffer = [0; 4];
        let delimiter = self.delimiter.encode_utf8(&mut buffer);
        self.text.as_bytes()[self.at..].starts_with(delimiter.as_bytes())
    }

    fn skip_spaces(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t')) && !self.is_at_delimiter() {
            self.at += 1;
        }
    }

    /// Skips LF, CRLF or CR, and returns true if there was one.
    fn skip_line_end(&mut self) -> bool {
        let length = match &self.text.as_bytes()[self.at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// A field that begins with a quote, up to the delimiter or the end of the line.
    fn quoted(&mut self) -> Result<Field<'a>, Fault> {
        let opened = self.line;
        self.at += 1;
        let (start, mut doubled) = (self.at, false);
        loop {
            match self.byte() {
                None => return Err(Fault::Unclosed { opened }),
                Some(b'\r' | b'\n') => {
                    self.skip_line_end();
                }
                Some(b'"') if self.text.as_bytes().get(self.at + 1) == Some(&b'"') => {
                    doubled = true;
                    self.at += 2;
                }
                Some(b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        let text = self.text[start..self.at].trim();
        let text = if doubled {
            Cow::Owned(text.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(text)
        };
        let closed = self.line;
        self.at += 1;
        self.skip_spaces();
        match self.byte() {
            None | Some(b'\r' | b'\n') => {}
            Some(_) if self.is_at_delimiter() => {}
            Some(_) => return Err(Fault::TextAfter { opened, closed }),
        }
        Ok(Field {
            text,
            lines: (opened, closed),
        })
    }

    /// A field without quotes.
    fn bare(&mut self) -> Result<Field<'a>, Fault> {
        let (start, line) = (self.at, self.line);
        let bytes = self.text.as_bytes();
        let first = self.delimiter.encode_utf8(&mut [0; 4]).bytes().next();
        while let Some(&byte) = bytes.get(self.at) {
            if matches!(byte, b'\r' | b'\n') || Some(byte) == first && self.is_at_delimiter() {
                break;
            }
            if byte == b'"' {
                return Err(Fault::Inside { line });
            }
            self.at += 1;
        }
        Ok(Field {
            text: Cow::Borrowed(self.text[start..self.at].trim()),
            lines: (line, line),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Rows};

    fn read(text: &str, delimiter: char) -> Result<Vec<(usize, Vec<String>)>, Fault> {
        let mut rows = Rows::new(text, delimiter);
        let mut all = Vec::new();
        while let Some(mark) = rows.row() {
            let mut fields = Vec::new();
            while let Some(field) = rows.field()? {
                fields.push(field.text.into_owned());
            }
            all.push((mark.line, fields));
        }
        Ok(all)
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "1,\"x", "y\"", "2,3", ""].join(end);
            let rows = read(&text, ',').unwrap();
            let lines: Vec<usize> = rows.iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [1, 3, 5], "{end:?}");
            assert_eq!(rows[1].1, ["1".to_owned(), format!("x{end}y")]);
        }
    }

    #[test]
    fn a_misplaced_quote_is_a_fault() {
        let cases = [
            ("a\n\"b\nc", Fault::Unclosed { opened: 2 }),
            ("a\n\"", Fault::Unclosed { opened: 2 }),
            (
                "a\n\"b\nc\"d\n",
                Fault::TextAfter {
                    opened: 2,
                    closed: 3,
                },
            ),
            ("a\nb\"c\n", Fault::Inside { line: 2 }),
            ("a\nb\"\n", Fault::Inside { line: 2 }),
        ];
        for (text, fault) in cases {
            assert_eq!(read(text, ','), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn every_character_may_be_the_delimiter() {
        for delimiter in [',', ';', '\t', ' ', '|', '→'] {
            let text = ["1", "\"a\"\"b\"", "", "x"].join(&delimiter.to_string());
            let rows = read(&text, delimiter).unwrap();
            assert_eq!(
                rows,
                [(1, ["1", "a\"b", "", "x"].map(str::to_owned).into())]
            );
        }
        assert_eq!(read("1,", ',').unwrap()[0].1, ["1", ""]);
    }

    /// A text without mistakes is read as the `csv` crate reads it.
    #[test]
    fn text_without_mistakes_is_read_as_others_read_it() {
        let text = "\"a, b\", c ,\"d\"\"e\"\r\n1,,\"\"\n\n \"\"\"q\"\"\",\"x\ny\",z\r,,\n";
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .trim(::csv::Trim::All)
            .from_reader(text.replace(" \"\"\"", "\"\"\"").leak().as_bytes());
        let wanted: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let found: Vec<Vec<String>> = read(text, ',')
            .unwrap()
            .into_iter()
            .map(|row| row.1)
            .collect();
        assert_eq!(found, wanted);
    }
}
