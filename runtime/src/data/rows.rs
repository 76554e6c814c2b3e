//! The rows and fields of a CSV text: RFC 4180, held to the letter where quotes are concerned.
//!
//! The `csv` crate accepts an unclosed quote and text after a closing quote, and rows disappear into one field. Here
//! both are errors. Fields are borrowed from the text, so a row of millions of fields copies nothing.

use std::borrow::Cow;

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: usize,
    /// From 1, as an editor counts: by LF, CRLF and CR.
    pub(super) line: usize,
}

/// A field, without quotes and spaces around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    /// The lines on which it begins and ends.
    pub(super) lines: (usize, usize),
}

/// A quote that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the quote does.
    Unclosed { opened: usize },
    /// Something follows in the same field.
    Behind { opened: usize, closed: usize },
    /// A field that does not begin with a quote has one.
    Inside { line: usize },
}

impl Fault {
    /// The line to go to.
    pub(super) fn line(self) -> usize {
        match self {
            Self::Unclosed { opened } | Self::Behind { opened, .. } => opened,
            Self::Inside { line } => line,
        }
    }

    pub(super) fn reason(self) -> String {
        match self {
            Self::Unclosed { .. } => {
                "this line opens a quote that is never closed\nhelp: close it, or write a quote that is meant as such twice, in a field in quotes: `\"5\"\" wide\"`".to_owned()
            }
            Self::Behind { opened, closed } => {
                let on = if closed == opened {
                    "on it".to_owned()
                } else {
                    format!("on line {closed}")
                };
                format!(
                    "this line opens a quote, and something stands behind its end {on}\nhelp: end the field with the quote, or write a quote inside of it twice: `\"5\"\" wide\"`"
                )
            }
            Self::Inside { .. } => {
                "a quote stands inside of a field that does not begin with one\nhelp: put the field in quotes, and write the quote inside of it twice: `\"5\"\" wide\"`".to_owned()
            }
        }
    }
}

/// Walks through a text row by row, and in a row field by field. Empty lines are passed over.
#[derive(Clone, Debug)]
pub(super) struct Rows<'a> {
    text: &'a str,
    delimiter: char,
    at: usize,
    line: usize,
    /// Whether the row has another field.
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

    /// Goes to a row that [`Self::row`] gave.
    pub(super) fn go_to(&mut self, mark: Mark) {
        (self.at, self.line, self.more) = (mark.at, mark.line, true);
    }

    /// Goes to the next row. (All fields of the one before have been asked for.)
    pub(super) fn row(&mut self) -> Option<Mark> {
        while self.passes_line_end() {}
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
        self.pass_spaces();
        let field = if self.byte() == Some(b'"') {
            self.quoted()?
        } else {
            self.at = start;
            self.bare()?
        };
        if self.is_at_delimiter() {
            self.at += self.delimiter.len_utf8();
        } else {
            self.passes_line_end();
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

    fn pass_spaces(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t')) && !self.is_at_delimiter() {
            self.at += 1;
        }
    }

    /// Goes over LF, CRLF or CR, if one stands here.
    fn passes_line_end(&mut self) -> bool {
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
                    self.passes_line_end();
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
        self.pass_spaces();
        match self.byte() {
            None | Some(b'\r' | b'\n') => {}
            Some(_) if self.is_at_delimiter() => {}
            Some(_) => return Err(Fault::Behind { opened, closed }),
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
    fn a_quote_that_means_nothing_is_a_fault() {
        let cases = [
            ("a\n\"b\nc", Fault::Unclosed { opened: 2 }),
            ("a\n\"", Fault::Unclosed { opened: 2 }),
            (
                "a\n\"b\nc\"d\n",
                Fault::Behind {
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

    /// What the `csv` crate reads of a text without mistakes.
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
