//! What is known of a word: its arguments, each with its kind, range and default, and its documentation.

use crate::Value;

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number from 1.
    Size,
    /// A whole number from 0.
    Whole,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A number or a range of numbers.
    FloatOrRange,
    /// `[64, 10]`
    Sizes,
    /// `[0, 1]`: whole numbers from 0.
    Wholes,
    /// `0..10`: a range of whole numbers.
    WholeRange,
    /// A whole number from 1, or a list with one for each of so many axes.
    SizePerAxis(u8),
    /// A whole number from 0, or a list with one for each of so many axes.
    WholePerAxis(u8),
    /// A whole number from 1, or this word.
    SizeOr(&'static str),
    /// One of these words, a whole number, or a list with one for each of so many axes.
    Padding(u8, &'static [&'static str]),
    /// The name of a statement.
    Name,
    /// `[1.0, 2.0]`
    Floats,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A metric, or `loss`.
    Metric,
    /// Any Rust expression.
    Rust,
    /// A Rust type.
    RustType,
}

/// What `padding` of a convolution along a line may be, besides numbers.
pub const LINE_PADDING: &[&str] = &["same", "causal", "valid"];

/// What `padding` of other windows may be, besides numbers.
pub const PADDING: &[&str] = &["same", "valid"];

impl Kind {
    /// What a message says is wanted.
    pub fn wanted(self) -> String {
        match self {
            Self::Size | Self::Whole => "a whole number".to_owned(),
            Self::Float => "a number".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::FloatOrRange => "a number or a range `0.0..0.1`".to_owned(),
            Self::Sizes => "a list of whole numbers `[64]`".to_owned(),
            Self::Wholes => "a list of whole numbers `[1, 1]`".to_owned(),
            Self::WholeRange => "a range of whole numbers `0..10`".to_owned(),
            Self::SizePerAxis(_) | Self::WholePerAxis(_) => {
                "a whole number or a list `[3, 3]`".to_owned()
            }
            Self::SizeOr(word) => format!("a whole number or `{word}`"),
            Self::Padding(axes, words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                let list = if axes > 1 { " or a list `[1, 1]`" } else { "" };
                let comma = if axes > 1 { "," } else { " or" };
                format!("{}{comma} a whole number{list}", words.join(", "))
            }
            Self::Name => "the name of a statement".to_owned(),
            Self::Floats => "a list of numbers `[1.0, 2.0]`".to_owned(),
            Self::Word(words) => format!("one of {}", super::list(words)),
            Self::Metric => "a metric or `loss`".to_owned(),
            Self::Rust | Self::RustType => "a Rust expression".to_owned(),
        }
    }

    /// What an element of a list or an end of a range must be.
    #[must_use]
    pub const fn element(self) -> Self {
        match self {
            Self::Sizes | Self::SizePerAxis(_) => Self::Size,
            Self::Wholes | Self::WholeRange | Self::WholePerAxis(_) => Self::Whole,
            _ => Self::Float,
        }
    }

    /// How many axes there may be a value for.
    pub const fn axes(self) -> Option<u8> {
        match self {
            Self::SizePerAxis(axes) | Self::WholePerAxis(axes) | Self::Padding(axes, _) => {
                Some(axes)
            }
            _ => None,
        }
    }

    /// Whether every value of it is a whole number from 1.
    pub const fn is_size(self) -> bool {
        matches!(
            self,
            Self::Size | Self::Sizes | Self::SizePerAxis(_) | Self::SizeOr(_)
        )
    }

    /// Whether every value of it is a whole number, which may be 0.
    pub const fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Whole
                | Self::Wholes
                | Self::WholeRange
                | Self::WholePerAxis(_)
                | Self::Padding(..)
        )
    }

    /// Whether it is a number that need not be whole.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::FloatOrRange | Self::Floats)
    }
}

/// The numbers that an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any finite number.
    Finite,
    /// A finite number above 0.
    Positive,
    /// A finite number from 0.
    NotNegative,
    /// `0..=1`
    Share,
    /// `0..1`
    BelowOne,
    /// Above 0 and below 1.
    Between,
    /// Above 0 and at most 1.
    UpToOne,
    /// The probability of dropping, in `0..1`: checked by the lint `dropout_rate_out_of_range`.
    Rate,
    /// Checked elsewhere: by a lint, or together with other parts of the model.
    Elsewhere,
}

impl Range {
    /// What a message says that it must be.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Finite | Self::Elsewhere => "finite",
            Self::Positive => "a number above 0",
            Self::NotNegative => "a number from 0",
            Self::Share => "in 0..=1",
            Self::BelowOne | Self::Rate => "in 0..1",
            Self::Between => "above 0 and below 1",
            Self::UpToOne => "above 0 and at most 1",
        }
    }

    /// Whether it is of shares of one whole, of which another convention counts the rest.
    pub const fn is_share(self) -> bool {
        matches!(
            self,
            Self::Share | Self::BelowOne | Self::Between | Self::UpToOne
        )
    }

    /// Whether a number lies in it. What is checked elsewhere lies in it here.
    pub fn holds(self, number: f64) -> bool {
        match self {
            Self::Finite => number.is_finite(),
            Self::Positive => number > 0.0 && number.is_finite(),
            Self::NotNegative => number >= 0.0 && number.is_finite(),
            Self::Share => (0.0..=1.0).contains(&number),
            Self::BelowOne => (0.0..1.0).contains(&number),
            Self::Between => number > 0.0 && number < 1.0,
            Self::UpToOne => number > 0.0 && number <= 1.0,
            Self::Rate | Self::Elsewhere => true,
        }
    }
}

/// The numbers that an argument usually is, within those it may be. Outside of it the lint `unusual_value` speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// The smallest usual number.
    pub low: f64,
    /// The largest one.
    pub high: f64,
    /// What a help proposes.
    pub example: f64,
    /// Where the range is from.
    pub source: &'static str,
}

impl Usual {
    /// A usual range, an example from it, and where it is from.
    pub const fn new(low: f64, high: f64, example: f64, source: &'static str) -> Self {
        Self {
            low,
            high,
            example,
            source,
        }
    }

    /// Whether a number is usual, with a range that is `wider` by this factor on both sides.
    ///
    /// ```
    /// use damper_ir::words::Usual;
    ///
    /// let usual = Usual::new(0.001, 0.5, 0.1, "PyTorch's default is 0.1");
    /// assert!(usual.holds(0.01, 1.0) && !usual.holds(0.999, 1.0));
    /// assert!(usual.holds(0.999, 2.0));
    /// ```
    pub fn holds(&self, number: f64, wider: f64) -> bool {
        let low = if self.low > 0.0 {
            self.low / wider
        } else {
            self.low * wider
        };
        (low..=self.high * wider).contains(&number)
    }
}

/// What holds where an argument is not written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fallback {
    /// It must be written.
    Required,
    /// Nothing holds.
    Nothing,
    /// This number holds (for a truth value 0 or 1).
    Number(f64),
}

/// One argument of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub docs: &'static str,
    /// What it must be.
    pub kind: Kind,
    /// The numbers it may be.
    pub range: Range,
    /// Those it usually is.
    pub usual: Option<Usual>,
    /// Whether it may be written without its name.
    pub positional: bool,
    /// What holds where it is not written.
    pub fallback: Fallback,
    /// What messages call it: `the number of units`. Empty for its name in backticks.
    pub called: &'static str,
    /// Whether texts that damper writes leave out its name.
    pub bare: bool,
}

const fn argument(kind: Kind, fallback: Fallback) -> Argument {
    Argument {
        name: "",
        docs: "",
        kind,
        range: Range::Finite,
        usual: None,
        positional: false,
        fallback,
        called: "",
        bare: false,
    }
}

/// An argument that must be written, with or without its name.
pub const fn required(kind: Kind) -> Argument {
    let mut it = argument(kind, Fallback::Required);
    it.positional = true;
    it.bare = true;
    it
}

/// An argument that must be written with its name.
pub const fn named(kind: Kind) -> Argument {
    argument(kind, Fallback::Required)
}

/// A named argument that may be left out.
pub const fn optional(kind: Kind) -> Argument {
    argument(kind, Fallback::Nothing)
}

/// A named number with a default.
pub const fn float(default: f64) -> Argument {
    argument(Kind::Float, Fallback::Number(default))
}

/// A named whole number with a default, or one for each axis.
pub const fn size(kind: Kind, default: u8) -> Argument {
    argument(kind, Fallback::Number(default as f64))
}

/// A named truth value with a default.
pub const fn flag(default: bool) -> Argument {
    argument(
        Kind::Bool,
        Fallback::Number(if default { 1.0 } else { 0.0 }),
    )
}

/// The probability of dropping.
pub const fn rate(kind: Kind) -> Argument {
    let mut it = required(kind);
    it.range = Range::Rate;
    it
}

impl Argument {
    /// The same argument, also without its name.
    #[must_use]
    pub const fn positional(mut self) -> Self {
        self.positional = true;
        self
    }

    /// The numbers it may be.
    #[must_use]
    pub const fn range(mut self, range: Range) -> Self {
        self.range = range;
        self
    }

    /// The numbers it usually is, an example, and where the range is from.
    #[must_use]
    pub const fn usual(mut self, low: f64, high: f64, example: f64, source: &'static str) -> Self {
        self.usual = Some(Usual::new(low, high, example, source));
        self
    }

    /// What messages call it.
    #[must_use]
    pub const fn called(mut self, called: &'static str) -> Self {
        self.called = called;
        self
    }

    /// Its name and documentation, which the table gives.
    #[must_use]
    pub const fn documented(mut self, name: &'static str, docs: &'static str) -> Self {
        self.name = name;
        self.docs = docs;
        self
    }

    /// What a message calls it: `epsilon` or `the number of units`, of its word.
    pub fn of(&self, word: &str) -> String {
        if self.called.is_empty() {
            format!("`{}` of `{word}`", self.name)
        } else {
            format!("{} of `{word}`", self.called)
        }
    }

    /// The default, if it has one.
    pub const fn number(&self) -> Option<f64> {
        match self.fallback {
            Fallback::Number(number) => Some(number),
            Fallback::Required | Fallback::Nothing => None,
        }
    }

    /// Whether this is what holds where nothing is written.
    pub fn is_default(&self, value: &Value) -> bool {
        self.number()
            .is_some_and(|default| value.known == Some(default))
    }
}

/// A word with its arguments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// Its documentation, in Markdown: the first line of its page is its signature.
    pub docs: &'static str,
    /// Its arguments, those without a name first.
    pub arguments: &'static [Argument],
}

impl Word {
    /// The word as it is written with its arguments: `linear(out, bias = true)`.
    pub fn signature(&self) -> String {
        if self.arguments.is_empty() {
            return self.name.to_owned();
        }
        let arguments: Vec<String> = self
            .arguments
            .iter()
            // What is rarely written would hide the rest.
            .filter(|argument| {
                argument.kind != Kind::Name || argument.fallback == Fallback::Required
            })
            .map(|argument| {
                let name = argument.name;
                match argument.fallback {
                    Fallback::Required if argument.positional => match argument.kind {
                        Kind::Word(words) => words.join(" | "),
                        _ => name.to_owned(),
                    },
                    Fallback::Number(number) if argument.kind == Kind::Bool => {
                        format!("{name} = {}", number != 0.0)
                    }
                    Fallback::Number(number) => {
                        format!("{name} = {}", Value::known(number))
                    }
                    Fallback::Required | Fallback::Nothing => {
                        format!("{name} = {}", example(name, argument.kind))
                    }
                }
            })
            .collect();
        format!("{}({})", self.name, arguments.join(", "))
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// An example of an argument that has no default.
fn example(name: &str, kind: Kind) -> &'static str {
    match (name, kind) {
        ("kernel", _) => "3",
        ("size", _) => "7",
        ("heads", _) => "4",
        ("ff", _) => "512",
        ("vocab", _) => "8000",
        ("pad", _) => "0",
        (_, Kind::Padding(..)) => "valid",
        _ => "..",
    }
}
