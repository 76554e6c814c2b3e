//! Plain-text tables and the format of numbers in them.

use std::fmt;

/// A table. The first column is aligned to the left, the others to the right.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this header.
    pub(super) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self {
            rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()],
        }
    }

    /// Adds a cell to the header.
    pub(super) fn column(&mut self, name: impl Into<String>) {
        if let Some(header) = self.rows.first_mut() {
            header.push(name.into());
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(column, (cell, &width))| {
                    if column == 0 {
                        format!("{cell:<width$}")
                    } else {
                        format!("{cell:>width$}")
                    }
                })
                .collect();
            if index > 0 {
                writeln!(f)?;
            }
            f.write_str(cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Formats a loss or a metric: with four decimals, or in scientific notation if it is very small or very large.
pub(super) fn number(x: f64) -> String {
    let size = x.abs();
    if x.is_nan() {
        "-".to_owned()
    } else if size != 0.0 && !(5e-4..1e5).contains(&size) {
        format!("{x:.2e}")
    } else if size >= 100.0 {
        format!("{x:.2}")
    } else {
        format!("{x:.4}")
    }
}

/// Formats a learning rate or a strength: `0.01`, `1e-3`, `8.3e-4`.
pub(super) fn rate(x: f64) -> String {
    if x != 0.0 && !(0.01..1e5).contains(&x.abs()) {
        let text = format!("{x:.1e}");
        text.replace(".0e", "e")
    } else {
        let text = format!("{x:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Formats a count with separators: `16,640`.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 epoch`, `2 epochs`.
pub(super) fn plural(n: usize, word: &str) -> String {
    format!("{} {word}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["layer", "weights"]);
        table.row(vec!["fc1".to_owned(), count(8192)]);
        assert_eq!(table.to_string(), "layer  weights\nfc1      8,192");
    }

    #[test]
    fn numbers_look_as_one_writes_them() {
        assert_eq!(
            [number(0.5), number(0.0), number(1234.5), number(1e-5)],
            ["0.5000", "0.0000", "1234.50", "1.00e-5"]
        );
        assert_eq!(
            [rate(1e-3), rate(8.3e-4), rate(0.05), rate(0.0)],
            ["1e-3", "8.3e-4", "0.05", "0"]
        );
        assert_eq!(
            [count(7), count(999), count(1000), count(1_234_567)],
            ["7", "999", "1,000", "1,234,567"]
        );
    }
}
