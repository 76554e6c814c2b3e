//! What can be wrong with data.

use std::fmt;

/// A column: by its name, or by its index from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// The name in the header.
    Name(String),
    /// The index, from 0.
    Index(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&String> for Column {
    fn from(name: &String) -> Self {
        Self::Name(name.clone())
    }
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Column {
    /// How a program names it.
    pub(super) fn call(&self) -> String {
        match self {
            Self::Name(name) => format!("{name:?}"),
            Self::Index(index) => index.to_string(),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// Where a bad value stands: the line and column of a file, the row and column of an array, or a file that is one
/// sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, if the data come from one.
    pub file: Option<String>,
    /// The line of the file from 1, or the row of the array from 0; `None` where the file is one sample (an image).
    pub row: Option<usize>,
    /// The column, if one value is meant and not the whole row.
    pub column: Option<Column>,
}

impl Place {
    pub(crate) fn row(row: usize) -> Self {
        Self {
            file: None,
            row: Some(row),
            column: None,
        }
    }

    pub(crate) fn line(file: &str, line: usize) -> Self {
        Self {
            file: Some(file.to_owned()),
            row: Some(line),
            column: None,
        }
    }

    #[must_use]
    pub(crate) fn column(mut self, column: impl Into<Column>) -> Self {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.row) {
            (Some(file), Some(line)) => write!(f, "`{file}`, line {line}")?,
            (Some(file), None) => write!(f, "`{file}`")?,
            (None, row) => write!(f, "row {}", row.unwrap_or_default())?,
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        let counted = self.file.is_none() || matches!(self.column, Some(Column::Index(_)));
        match (&self.file, counted) {
            (None, _) => write!(f, " (counted from 0)"),
            (Some(_), true) => write!(f, " (the column counted from 0)"),
            (Some(_), false) => Ok(()),
        }
    }
}

/// What is wrong with data: each with the row and the column.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be read.
    #[error("cannot read `{file}`: {reason}")]
    File {
        /// The path as it was given.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The file is not text in rows and columns.
    #[error("{place}: {reason}")]
    Syntax {
        /// Where it stands.
        place: Box<Place>,
        /// What is wrong.
        reason: String,
    },
    /// There is not one row.
    #[error("{what} has no rows")]
    NoRows {
        /// The file, or the argument.
        what: String,
    },
    /// There is not one feature.
    #[error("{what} has no feature columns")]
    NoFeatures {
        /// The file, or the argument.
        what: String,
    },
    /// A row is longer or shorter than the others.
    #[error("{place}: this row has {found}, {others} {expected}{}", quoted_lines(*.quoted), found = count(*.found, "value"),
        others = if .place.file.is_some() { "the first line" } else { "the rows before it" })]
    Ragged {
        /// The row.
        place: Box<Place>,
        /// How many values it has.
        found: usize,
        /// How many it should have.
        expected: usize,
        /// Where a quote in it spans lines: the line that opens it, and the one that closes it.
        quoted: Option<(usize, usize)>,
    },
    /// A first line that may hold names as well as values.
    #[error(
        "{place}: names or values? {why}\nnote: as names these are {}; as values this is the first of {}\nhelp: say which: `.header(true)` for names, `.header(false)` for values",
        list(.fields), count(*.rows, "row")
    )]
    Header {
        /// The line.
        place: Box<Place>,
        /// Its fields.
        fields: Vec<String>,
        /// The rows with it.
        rows: usize,
        /// Why it cannot be told.
        why: String,
    },
    /// A whole number with more digits than an `f32` keeps.
    #[error("{place}: `{value}` has more digits than a number keeps here: {note}\nhelp: {help}")]
    Digits {
        /// Where it stands.
        place: Box<Place>,
        /// The number.
        value: String,
        /// What it becomes.
        note: String,
        /// What to write.
        help: String,
    },
    /// More than is allowed: columns, categories, pixels, memory.
    #[error("{what}\nhelp: {help}")]
    Limit {
        /// What there is too much of, and where.
        what: String,
        /// What to do, and how to allow more.
        help: String,
    },
    /// A setting that cannot be.
    #[error("{setting}: {reason}\nhelp: {help}")]
    Setting {
        /// The call.
        setting: String,
        /// What is wrong.
        reason: String,
        /// What to write.
        help: String,
    },
    /// A column without a value has no mean.
    #[error(
        "`{file}`: column `{column}` has no mean that could stand for what is missing\nhelp: {help}"
    )]
    NoMean {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// What to write.
        help: String,
    },
    /// Missing values were made up from other means than the training data's.
    #[error(
        "{}column `{column}` has a mean of its own in {}, and not that of the training data\nhelp: read it as the training data were: `.like(&train.schema())`",
        prefix(.file.as_deref()), count(*.rows, "row")
    )]
    OwnMean {
        /// The file.
        file: Option<String>,
        /// The column.
        column: String,
        /// The rows in which it was missing.
        rows: usize,
    },
    /// Other columns than those of the training data.
    #[error("{}these are not the {what} of the training data: {}\nhelp: name them as there, and leave out what is not for the model: `.ignore(..)`",
        prefix(.file.as_deref()), difference(.missing, .additional))]
    Columns {
        /// The file.
        file: Option<String>,
        /// Which columns.
        what: &'static str,
        /// The names that the training data have.
        missing: Vec<String>,
        /// The names that they do not have.
        additional: Vec<String>,
    },
    /// A column that was read as something else than in the training data.
    #[error("{}column `{column}` was read as {found}, and in the training data as {training}\nhelp: {help}", prefix(.file.as_deref()))]
    ReadOtherwise {
        /// The file.
        file: Option<Box<str>>,
        /// The column.
        column: String,
        /// What it is here.
        found: String,
        /// What it was there.
        training: String,
        /// What to write.
        help: String,
    },
    /// A class that the training data do not have.
    #[error("{place}: the class `{class}` is not among those of the training data: {}", list(.known))]
    UnknownClass {
        /// Where it stands.
        place: Box<Place>,
        /// The class.
        class: String,
        /// The classes of the training data.
        known: Vec<String>,
    },
    /// A number is NaN, infinite, or too large for `f32`.
    #[error(
        "{place}: `{value}` is not a finite number\nnote: one such value makes every weight NaN after one step"
    )]
    NotFinite {
        /// Where it stands.
        place: Place,
        /// The value.
        value: String,
    },
    /// Text where a number should stand.
    #[error("{place}: `{value}` is not a number\nhelp: {help}")]
    NotANumber {
        /// Where it stands.
        place: Place,
        /// The text.
        value: String,
        /// What to write.
        help: String,
    },
    /// A value is missing.
    #[error("{place}: the value is missing\nhelp: {help}")]
    Missing {
        /// Where it is missing.
        place: Place,
        /// What to write.
        help: String,
    },
    /// A column is asked for that is not there.
    #[error("`{file}` has no column {wanted}{}\nnote: its columns are {}", hint(.suggestion.as_deref()), list(.columns))]
    NoColumn {
        /// The file.
        file: String,
        /// The column asked for.
        wanted: Column,
        /// The columns it has.
        columns: Vec<String>,
        /// The column that was probably meant.
        suggestion: Option<String>,
    },
    /// Two columns have one name, or a column is given two uses.
    #[error("`{file}`: column {column} {what}")]
    ColumnTwice {
        /// The file.
        file: String,
        /// The column.
        column: Column,
        /// What is double.
        what: &'static str,
    },
    /// A category that was not declared.
    #[error("{place}: `{value}` is not among the declared categories {}", list(.known))]
    UnknownCategory {
        /// Where it stands.
        place: Box<Place>,
        /// The category.
        value: String,
        /// The declared ones.
        known: Vec<String>,
    },
    /// Features and targets have different numbers of rows.
    #[error("{what} has {}, the features before have {}", count(*.found, "row"), count(*.expected, "row"))]
    Lengths {
        /// What is longer or shorter.
        what: String,
        /// Its rows.
        found: usize,
        /// The rows of what came first.
        expected: usize,
    },
    /// Flat values that do not fill whole rows.
    #[error("{values} values do not make whole rows of {width}")]
    Flat {
        /// How many values.
        values: usize,
        /// How many in a row.
        width: usize,
    },
    /// A label beyond the classes that the model tells apart.
    #[error("{place}: label {label} is out of range: `{model}` knows {}, so labels go from 0 to {}\nhelp: {help}",
        class_count(*.classes), .classes.saturating_sub(1))]
    Label {
        /// Where it stands.
        place: Box<Place>,
        /// The label.
        label: String,
        /// The model's name.
        model: String,
        /// How many classes the model tells apart.
        classes: usize,
        /// What to write.
        help: String,
    },
    /// A sequence without a step.
    #[error("{place}: this sequence has no step\nhelp: {help}")]
    EmptySequence {
        /// The sample.
        place: Place,
        /// What to do.
        help: String,
    },
    /// A sequence that does not fit the model's time axis.
    #[error("{place}: this sequence has {}, input `{input}` of `{model}` is {shape}\nhelp: {help}", count(*.found, "step"))]
    SequenceLength {
        /// The sample.
        place: Box<Place>,
        /// Its steps.
        found: usize,
        /// The input's name.
        input: String,
        /// The model's name.
        model: String,
        /// The declared shape.
        shape: String,
        /// What to write.
        help: String,
    },
    /// Sequences for an input of real numbers.
    #[error(
        "input `{input}` of `{model}` is of real numbers, these are sequences of class indices\nhelp: declare it `{input}: [{longest}] of int(pad = 0)`, and read it with an `embedding`"
    )]
    SequencesForNumbers {
        /// The input's name.
        input: String,
        /// The model's name.
        model: String,
        /// The longest sequence.
        longest: usize,
    },
    /// A number that is no class of an input `of int`.
    #[error("{place}: {value} {what}")]
    Token {
        /// Where it stands.
        place: Box<Place>,
        /// The number.
        value: f32,
        /// What is wrong with it.
        what: String,
    },
    /// Probabilities as targets that do not sum to 1.
    #[error("{place}: these probabilities sum to {sum}, not to 1\nnote: `{loss}` of `{model}` reads a row of {} as the probability of each class", count(*.width, "value"))]
    Probabilities {
        /// The sample.
        place: Box<Place>,
        /// Their sum.
        sum: f32,
        /// The loss.
        loss: String,
        /// The model's name.
        model: String,
        /// The numbers of a row.
        width: usize,
    },
    /// A label that is not a whole number.
    #[error(
        "{place}: target {value} is not a class index, and `{loss}` wants one\nhelp: for a target of real numbers write `loss mse`"
    )]
    NotAClass {
        /// Where it stands.
        place: Place,
        /// The value.
        value: f32,
        /// The loss.
        loss: String,
    },
    /// A target outside the range that the loss or the declaration allows.
    #[error("{place}: target {value} is not {allowed}\nnote: {note}")]
    Target {
        /// Where it stands.
        place: Box<Place>,
        /// The value.
        value: f32,
        /// What is allowed.
        allowed: String,
        /// Who says so.
        note: String,
    },
    /// Every row has the same class.
    #[error("all {} have the class {class}: there is nothing to tell apart", count(*.rows, "row"))]
    OneClass {
        /// The class.
        class: String,
        /// How many rows.
        rows: usize,
    },
    /// An input has another width than the model's.
    #[error("input `{input}` of `{model}` is {shape}, so a row has {}: these have {found}", count(*.expected, "value"))]
    Width {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// The declared shape.
        shape: String,
        /// The values of a row here.
        found: usize,
        /// The values of a row in the declaration.
        expected: usize,
    },
    /// Images of another shape than the model's input.
    #[error(
        "input `{input}` of `{model}` is {expected:?}, these images are {found:?}\nhelp: {help}"
    )]
    ImageShape {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// The shape of the images: channels, height, width.
        found: Vec<usize>,
        /// The declared shape.
        expected: Vec<usize>,
        /// What to write.
        help: String,
    },
    /// An image that cannot be read.
    #[error("cannot read the image `{file}`: {reason}")]
    Image {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An image of another size than the first one.
    #[error("`{file}` is {}x{} pixels (height x width), `{first}` is {}x{}\nhelp: bring all to one size: `.resize({}, {})`",
        .found[0], .found[1], .expected[0], .expected[1], .expected[0], .expected[1])]
    ImageSize {
        /// The file.
        file: String,
        /// Its height and width.
        found: [usize; 2],
        /// The first image.
        first: String,
        /// Its height and width.
        expected: [usize; 2],
    },
    /// A folder that is not made of one folder of images for each class.
    #[error("{what}\nhelp: {help}")]
    Folder {
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// The inputs are not those of the model.
    #[error("`{model}` has the inputs {}, these data have {}\nhelp: {help}", list(.expected), list(.found))]
    Inputs {
        /// The model's name.
        model: String,
        /// The names of the data's inputs.
        found: Vec<String>,
        /// The names of the model's inputs.
        expected: Vec<String>,
        /// What to write.
        help: String,
    },
    /// There is nothing to compare with.
    #[error("these data have no target, and `{model}` is trained with `{loss}`")]
    NoTarget {
        /// The model's name.
        model: String,
        /// The loss.
        loss: String,
    },
    /// Nothing says what a target is.
    #[error(
        "`{model}` has no loss, which says what a target is\nhelp: add a section to the model: `loss cross_entropy` or `loss mse`; its inputs alone are checked by `inputs_of`"
    )]
    NoLoss {
        /// The model's name.
        model: String,
    },
    /// A number whose square is none.
    #[error(
        "{place}: {value:e} is too large to train on: its square is beyond what an `f32` holds\nhelp: {help}"
    )]
    Large {
        /// Where it stands.
        place: Box<Place>,
        /// The number.
        value: f32,
        /// What to do.
        help: String,
    },
    /// A row of targets has another width than the model's output.
    #[error("`{loss}` of `{model}` wants {}{} in each row's target: these have {found}", count(*.expected, "value"), for_output(.output))]
    TargetWidth {
        /// The model's name.
        model: String,
        /// The loss.
        loss: String,
        /// The values of a row here.
        found: usize,
        /// The values that are wanted.
        expected: usize,
        /// The output's shape, if it has more axes than one.
        output: Vec<usize>,
    },
    /// Text classes where numbers are wanted.
    #[error("the target has the classes {}, and `{loss}` of `{model}` wants numbers\nhelp: for classes write `loss cross_entropy`", list(.classes))]
    ClassesForNumbers {
        /// The model's name.
        model: String,
        /// The loss.
        loss: String,
        /// The classes.
        classes: Vec<String>,
    },
    /// A split that leaves one side empty.
    #[error("a share of {share} of {} leaves one side empty\nhelp: the share is the first part's, between 0 and 1: `split(0.8, 42)`", count(*.rows, "row"))]
    Share {
        /// The share.
        share: f64,
        /// The rows there are.
        rows: usize,
    },
    /// A number of folds that cannot be.
    #[error("{} cannot be made of {}: there must be at least 2, and no more than rows", count(*.folds, "fold"), count(*.rows, "row"))]
    Folds {
        /// How many folds.
        folds: usize,
        /// The rows there are.
        rows: usize,
    },
    /// A row is asked for that is not there.
    #[error("there is no row {row}: there are {}", count(*.rows, "row"))]
    NoRow {
        /// The index asked for.
        row: usize,
        /// The rows there are.
        rows: usize,
    },
    /// The scaler was made for other columns.
    #[error("this scaler was made for rows of {expected:?} values, these have {found:?}")]
    Scaler {
        /// The widths of the inputs here.
        found: Vec<usize>,
        /// The widths of the inputs it was made for.
        expected: Vec<usize>,
    },
    /// A data set could not give an item.
    #[error("item {item} of the data set cannot be read: {reason}")]
    Dataset {
        /// The item's index.
        item: usize,
        /// What the data set says.
        reason: String,
    },
}

impl DataError {
    pub(super) fn columns(
        file: Option<&str>,
        what: &'static str,
        missing: Vec<String>,
        additional: Vec<String>,
    ) -> Self {
        Self::Columns {
            file: file.map(str::to_owned),
            what,
            missing,
            additional,
        }
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `1 class`, `2 classes`.
pub(super) fn class_count(number: usize) -> String {
    let ending = if number == 1 { "" } else { "es" };
    format!("{number} class{ending}")
}

/// Text of someone else's, not too long.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// `4 GiB`, `1.5 MiB`.
pub(super) fn bytes(bytes: usize) -> String {
    let (mut size, mut unit) = (bytes as f64, 0);
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{} {}", (size * 10.0).round() / 10.0, units[unit])
}

/// `` `new.csv`: ``.
fn prefix(file: Option<&str>) -> String {
    file.map_or_else(String::new, |file| format!("`{file}`: "))
}

/// `` `a` is missing, `b`, `c` are additional ``.
fn difference(missing: &[String], additional: &[String]) -> String {
    let part = |names: &[String], what: &str| {
        let verb = if names.len() == 1 { "is" } else { "are" };
        (!names.is_empty()).then(|| format!("{} {verb} {what}", list(names)))
    };
    let parts = [part(missing, "missing"), part(additional, "additional")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `; a quote in it opens on line 3 and closes on line 5`.
fn quoted_lines(lines: Option<(usize, usize)>) -> String {
    lines.map_or_else(String::new, |(opened, closed)| {
        format!("; a quote in it opens on line {opened} and closes on line {closed}")
    })
}

/// `` `a`, `b`, `c` ``, shortened.
pub(super) fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", shortened(name)))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(" and ");
        text.push_str(&(names.len() - SHOWN).to_string());
        text.push_str(" more");
    }
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

/// ` (for the output [12, 50])`.
fn for_output(output: &[usize]) -> String {
    if output.len() > 1 {
        format!(" (for the output {output:?})")
    } else {
        String::new()
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion
        .map(|name| format!(": did you mean `{name}`?"))
        .unwrap_or_default()
}
