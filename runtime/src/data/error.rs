//! The errors of data, each with its place and how to fix it.

use super::message::{
    class_count, count, difference, for_output, hint, list, prefix, quoted_lines,
};
use super::place::{Column, Place};

/// An error in data, with the row and the column where there are any.
///
/// The variants are in the order in which data pass through: files, columns, values, training data, the model's inputs,
/// the model's targets, images, parts of data.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    // Files and arrays.
    /// The file cannot be read.
    #[error("cannot read `{file}`: {reason}")]
    File {
        /// The path as it was given.
        file: String,
        /// The error of the system.
        reason: String,
    },
    /// The file is not text in rows and columns.
    #[error("{place}: {reason}")]
    Syntax {
        /// The place.
        place: Box<Place>,
        /// The mistake, and how to fix it.
        reason: String,
    },
    /// There are no rows.
    #[error("{what} has no rows")]
    NoRows {
        /// The file or the argument.
        what: String,
    },
    /// There are no features.
    #[error("{what} has no feature columns")]
    NoFeatures {
        /// The file or the argument.
        what: String,
    },
    /// A row is longer or shorter than the others.
    #[error("{place}: this row has {found}, but {others} {expected}{}", quoted_lines(*.quoted), found = count(*.found, "value"),
        others = if .place.file.is_some() { "the first line has" } else { "the rows before it have" })]
    Ragged {
        /// The row.
        place: Box<Place>,
        /// The number of its values.
        found: usize,
        /// The number of values in the other rows.
        expected: usize,
        /// The lines on which a quote in this row opens and closes, if they differ.
        quoted: Option<(usize, usize)>,
    },
    /// Flat values whose number is not a multiple of the width.
    #[error("{} cannot be divided into rows of {width}", count(*.values, "value"))]
    PartialRow {
        /// The number of values.
        values: usize,
        /// The number of values in a row.
        width: usize,
    },
    /// Features and targets, or two inputs, have different numbers of rows.
    #[error("{what} has {}, but the features have {}", count(*.found, "row"), count(*.expected, "row"))]
    RowCount {
        /// The target, or the input that was added.
        what: String,
        /// Its number of rows.
        found: usize,
        /// The number of rows of the features.
        expected: usize,
    },
    /// An item of a burn dataset cannot be read.
    #[error("cannot read item {item} of the dataset: {reason}")]
    Dataset {
        /// The item's index.
        item: usize,
        /// The error of the dataset.
        reason: String,
    },
    /// More columns, categories, pixels or memory than are allowed.
    #[error("{what}\nhelp: {help}")]
    Limit {
        /// The amount, and its place.
        what: String,
        /// A way to need less, and the setting that allows more.
        help: String,
    },
    /// A setting with an impossible value.
    #[error("{setting}: {reason}\nhelp: {help}")]
    Setting {
        /// The call.
        setting: String,
        /// The mistake.
        reason: String,
        /// A call that works.
        help: String,
    },

    // Columns.
    /// A first line that may be a header or a row of values.
    #[error(
        "{place}: this line may be a header or a row of values: {why}\nnote: as a header it names the columns {}; as values it is the first of {}\nhelp: write `.header(true)` if it is a header, `.header(false)` if it is not",
        list(.fields), count(*.rows, "row")
    )]
    Header {
        /// The line.
        place: Box<Place>,
        /// Its fields.
        fields: Vec<String>,
        /// The number of rows, this one included.
        rows: usize,
        /// The evidence for and against a header.
        why: String,
    },
    /// The file has no such column.
    #[error("`{file}` has no column {wanted}{}\nnote: its columns are {}", hint(.suggestion.as_deref()), list(.columns))]
    NoColumn {
        /// The file.
        file: String,
        /// The column that was asked for.
        wanted: Column,
        /// The columns of the file.
        columns: Vec<String>,
        /// The column that was probably meant.
        suggestion: Option<String>,
    },
    /// Two columns have the same name, or a column is used twice.
    #[error("`{file}`: column {column} {what}")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The column.
        column: Column,
        /// The two uses.
        what: &'static str,
    },

    // Values.
    /// A value is missing.
    #[error("{place}: the value is missing\nhelp: {help}")]
    Missing {
        /// The place of the value.
        place: Place,
        /// The calls that accept it.
        help: String,
    },
    /// Text where a number is needed.
    #[error("{place}: `{value}` is not a number\nhelp: {help}")]
    NotANumber {
        /// The place of the text.
        place: Place,
        /// The text.
        value: String,
        /// The calls that accept text.
        help: String,
    },
    /// A number that is NaN, infinite, or too large for `f32`.
    #[error(
        "{place}: `{value}` is not a finite number\nnote: one such value makes every weight NaN after one step"
    )]
    NotFinite {
        /// The place of the number.
        place: Place,
        /// The number.
        value: String,
    },
    /// An integer that `f32` cannot represent exactly.
    #[error("{place}: `{value}` has more digits than an `f32` can store: {note}\nhelp: {help}")]
    InexactInteger {
        /// The place of the integer.
        place: Box<Place>,
        /// The integer.
        value: String,
        /// The number that it would become.
        note: String,
        /// The calls that accept it.
        help: String,
    },
    /// A category that was not declared.
    #[error("{place}: `{value}` is not one of the categories {}", list(.known))]
    UnknownCategory {
        /// The place of the category.
        place: Box<Place>,
        /// The category.
        value: String,
        /// The categories that were declared, or those of the training data.
        known: Vec<String>,
    },
    /// A column whose values are all missing has no mean.
    #[error(
        "`{file}`: column `{column}` has no mean to fill in for its missing values\nhelp: {help}"
    )]
    NoMean {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Another way to read it.
        help: String,
    },

    // Training data and other data.
    /// Missing values were filled with another mean than the training data's.
    #[error(
        "{}column `{column}` was filled in {} with its own mean, not with that of the training data\nhelp: read the file like the training data: `.like(&train.schema())`",
        prefix(.file.as_deref()), count(*.rows, "row")
    )]
    OtherMean {
        /// The file.
        file: Option<String>,
        /// The column.
        column: String,
        /// The number of rows in which it was missing.
        rows: usize,
    },
    /// The columns are not those of the training data.
    #[error("{}the {what} differ from those of the training data: {}\nhelp: use the same names, and leave out columns that the model does not use: `.ignore(..)`",
        prefix(.file.as_deref()), difference(.missing, .extra))]
    Columns {
        /// The file.
        file: Option<String>,
        /// `columns` or `target columns`.
        what: &'static str,
        /// The columns that only the training data have.
        missing: Vec<String>,
        /// The columns that the training data do not have.
        extra: Vec<String>,
    },
    /// A column was read as another type than in the training data.
    #[error("{}column `{column}` was read as {found}, but as {training} in the training data\nhelp: {help}", prefix(.file.as_deref()))]
    ColumnType {
        /// The file.
        file: Option<Box<str>>,
        /// The column.
        column: String,
        /// Its type here.
        found: String,
        /// Its type in the training data.
        training: String,
        /// A way to read both alike.
        help: String,
    },
    /// A class that the training data do not have.
    #[error("{place}: the class `{class}` is not one of the classes of the training data: {}", list(.known))]
    UnknownClass {
        /// The place of the class.
        place: Box<Place>,
        /// The class.
        class: String,
        /// The classes of the training data.
        known: Vec<String>,
    },
    /// The scaler was made for another number of columns.
    #[error("this scaler was made for inputs of {expected:?} columns, but the data has {found:?}")]
    Scaler {
        /// The widths of the inputs here.
        found: Vec<usize>,
        /// The widths of the inputs it was made for.
        expected: Vec<usize>,
    },

    // The model's inputs.
    /// The data have other inputs than the model.
    #[error("`{model}` has the inputs {}, but the data has {}\nhelp: {help}", list(.expected), list(.found))]
    Inputs {
        /// The model's name.
        model: String,
        /// The names of the data's inputs.
        found: Vec<String>,
        /// The names of the model's inputs.
        expected: Vec<String>,
        /// The calls that name inputs.
        help: String,
    },
    /// An input with another number of values than the model's.
    #[error("input `{input}` of `{model}` is {shape}, so a row needs {}, but these rows have {found}", count(*.expected, "value"))]
    Width {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// The declared shape.
        shape: String,
        /// The number of values in a row of the data.
        found: usize,
        /// The number of values in the declared shape.
        expected: usize,
    },
    /// A number so large that sums of squares overflow.
    #[error(
        "{place}: {value:e} is too large to train on: squares of such numbers overflow an `f32`\nhelp: {help}"
    )]
    TooLarge {
        /// The place of the number.
        place: Box<Place>,
        /// The number.
        value: f32,
        /// The calls that scale it.
        help: String,
    },
    /// A number that is not a class of an input `of int`.
    #[error("{place}: {value} {what}")]
    Token {
        /// The place of the number.
        place: Box<Place>,
        /// The number.
        value: f32,
        /// The mistake, and the classes that the input has.
        what: String,
    },
    /// A sequence without a step.
    #[error("{place}: this sequence has no steps\nhelp: {help}")]
    EmptySequence {
        /// The sample.
        place: Place,
        /// A way to fix it.
        help: String,
    },
    /// A sequence that does not fit the model's time axis.
    #[error("{place}: this sequence has {}, but input `{input}` of `{model}` is {shape}\nhelp: {help}", count(*.found, "step"))]
    SequenceLength {
        /// The sample.
        place: Box<Place>,
        /// The number of its steps.
        found: usize,
        /// The input's name.
        input: String,
        /// The model's name.
        model: String,
        /// The declared shape.
        shape: String,
        /// A declaration that accepts it.
        help: String,
    },
    /// Sequences for an input of real numbers.
    #[error(
        "input `{input}` of `{model}` takes real numbers, but these are sequences of class indices\nhelp: declare it as `{input}: [{longest}] of int(pad = 0)`, and read it with an `embedding`"
    )]
    SequencesForNumbers {
        /// The input's name.
        input: String,
        /// The model's name.
        model: String,
        /// The number of steps of the longest sequence.
        longest: usize,
    },

    // The model's targets.
    /// The data have no target.
    #[error("the data has no target, but `{model}` is trained with `{loss}`")]
    NoTarget {
        /// The model's name.
        model: String,
        /// The loss.
        loss: String,
    },
    /// The model has no loss, so it is unknown how targets are read.
    #[error(
        "`{model}` has no loss, so it is unknown how its targets are to be read\nhelp: add a section to the model: `loss cross_entropy` or `loss mse`; to check the inputs alone, use `inputs_of`"
    )]
    NoLoss {
        /// The model's name.
        model: String,
    },
    /// A row of targets with another number of values than the model's output.
    #[error("`{loss}` of `{model}` needs {}{} as the target of each row, but these rows have {found}", count(*.expected, "value"), for_output(.output))]
    TargetWidth {
        /// The model's name.
        model: String,
        /// The loss.
        loss: String,
        /// The number of values in a row of the data.
        found: usize,
        /// The number of values that the loss needs.
        expected: usize,
        /// The output's shape, if it has more than one axis.
        output: Vec<usize>,
    },
    /// Classes with names where the loss needs numbers.
    #[error("the target has the classes {}, but `{loss}` of `{model}` needs numbers\nhelp: for classes write `loss cross_entropy`", list(.classes))]
    ClassesForNumbers {
        /// The model's name.
        model: String,
        /// The loss.
        loss: String,
        /// The classes.
        classes: Vec<String>,
    },
    /// A target that is not a class index.
    #[error(
        "{place}: target {value} is not a class index, but `{loss}` needs one\nhelp: for a target of real numbers write `loss mse`"
    )]
    NotAClass {
        /// The place of the target.
        place: Place,
        /// The target.
        value: f32,
        /// The loss.
        loss: String,
    },
    /// A label beyond the classes of the model.
    #[error("{place}: label {label} is out of range: `{model}` has {}, so labels go from 0 to {}\nhelp: {help}",
        class_count(*.classes), .classes.saturating_sub(1))]
    Label {
        /// The place of the label.
        place: Box<Place>,
        /// The label.
        label: String,
        /// The model's name.
        model: String,
        /// The number of classes of the model.
        classes: usize,
        /// A change of the model or of the data.
        help: String,
    },
    /// A class without a name where the others have one.
    #[error("{place}: class {class} has no name: there are names for {} only\nhelp: give one name for each class, in the order of their indices", class_count(*.names))]
    UnnamedClass {
        /// The place of the class.
        place: Box<Place>,
        /// The class index.
        class: usize,
        /// The number of names.
        names: usize,
    },
    /// A target outside the range that the loss or the declaration allows.
    #[error("{place}: target {value} is not {allowed}\nnote: {note}")]
    TargetRange {
        /// The place of the target.
        place: Box<Place>,
        /// The target.
        value: f32,
        /// The allowed range.
        allowed: String,
        /// The reason for this range.
        note: String,
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
        /// The number of values in a row.
        width: usize,
    },
    /// Every row has the same class.
    #[error("all {} have the class {class}, so there is nothing to learn", count(*.rows, "row"))]
    OneClass {
        /// The class.
        class: String,
        /// The number of rows.
        rows: usize,
    },

    // Images.
    /// An image that cannot be read.
    #[error("cannot read the image `{file}`: {reason}")]
    Image {
        /// The file.
        file: String,
        /// The fault.
        reason: String,
    },
    /// An image of another size than the first one.
    #[error("`{file}` is {}x{} pixels (height x width), but `{first}` is {}x{}\nhelp: resize all images to one size: `.resize({}, {})`",
        .found[0], .found[1], .expected[0], .expected[1], .expected[0], .expected[1])]
    ImageSize {
        /// The file.
        file: String,
        /// Its height and width.
        found: [usize; 2],
        /// The first image.
        first: String,
        /// The height and width of the first image.
        expected: [usize; 2],
    },
    /// Images of another shape than the model's input.
    #[error(
        "input `{input}` of `{model}` is {expected:?}, but these images are {found:?}\nhelp: {help}"
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
        /// The calls or the declaration that make them fit.
        help: String,
    },
    /// A folder that does not have one folder of images for each class.
    #[error("{what}\nhelp: {help}")]
    Folder {
        /// The mistake.
        what: String,
        /// A way to fix it.
        help: String,
    },

    // Parts of data.
    /// A row index out of range.
    #[error("row {row} is out of range: the data has {}, counted from 0", count(*.rows, "row"))]
    NoRow {
        /// The index that was asked for.
        row: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A split that leaves one part empty.
    #[error("`split({fraction}, ..)` of {} leaves one part empty\nhelp: give the first part's fraction of the rows, between 0 and 1: `split(0.8, 42)`", count(*.rows, "row"))]
    SplitFraction {
        /// The fraction.
        fraction: f64,
        /// The number of rows.
        rows: usize,
    },
    /// Fewer than two folds, or more folds than rows.
    #[error("cannot make {} of {}: there must be at least 2 folds, and at most one for each row", count(*.folds, "fold"), count(*.rows, "row"))]
    Folds {
        /// The number of folds.
        folds: usize,
        /// The number of rows.
        rows: usize,
    },
}
