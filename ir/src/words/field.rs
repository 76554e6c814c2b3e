//! How the arguments of a word become the fields of the model, and text again.

use super::{Argument, Fallback, Word};
use crate::Value;
use std::fmt;

/// What was written for the arguments of one word.
pub trait Read {
    /// The word.
    fn word(&self) -> &'static Word;
    /// A value: the given one, or the default.
    fn value(&self, name: &str) -> Value;
    /// Whether anything was written for an argument.
    fn is_given(&self, name: &str) -> bool;
    /// The given value.
    fn optional(&self, name: &str) -> Option<Value>;
    /// The low end, where a range was written; [`Read::value`] is then the high one.
    fn low(&self, name: &str) -> Option<Value>;
    /// The elements of a list; for one number for every axis, that number, or the default.
    fn values(&self, name: &str) -> Vec<Value>;
    /// One of the words that the argument may be.
    fn choice(&self, name: &str) -> Option<&'static str>;
    /// The name of a statement.
    fn name(&self, name: &str) -> Option<String>;
    /// A word with arguments of its own: the metric in `early_stop(metric = top_k(5))`.
    fn call(&self, name: &str) -> Option<&dyn Read>;
    /// The text of a Rust expression.
    fn text(&self, name: &str) -> String;
}

/// A word has no such argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoArgument {
    /// The word.
    pub word: &'static str,
    /// What was asked for.
    pub name: String,
}

impl NoArgument {
    pub(crate) fn new(word: &'static str, name: &str) -> Self {
        Self {
            word,
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for NoArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word, name } = self;
        write!(f, "`{word}` has no argument `{name}` that is one value")
    }
}

impl std::error::Error for NoArgument {}

/// A word of which nothing is written: every argument has its default.
pub struct Unwritten(pub &'static Word);

impl Read for Unwritten {
    fn word(&self) -> &'static Word {
        self.0
    }
    fn value(&self, name: &str) -> Value {
        let number = self.0.argument(name).and_then(Argument::number);
        number.map_or_else(Value::unknown, Value::known)
    }
    fn is_given(&self, _: &str) -> bool {
        false
    }
    fn optional(&self, _: &str) -> Option<Value> {
        None
    }
    fn low(&self, _: &str) -> Option<Value> {
        None
    }
    fn values(&self, name: &str) -> Vec<Value> {
        let number = self.0.argument(name).and_then(Argument::number);
        number.map(Value::known).into_iter().collect()
    }
    fn choice(&self, _: &str) -> Option<&'static str> {
        None
    }
    fn name(&self, _: &str) -> Option<String> {
        None
    }
    fn call(&self, _: &str) -> Option<&dyn Read> {
        None
    }
    fn text(&self, _: &str) -> String {
        String::new()
    }
}

/// The type of a field that is an argument of its word.
pub trait Field: Sized {
    /// The field, as written.
    fn read(from: &dyn Read, name: &str) -> Self;
    /// The value as text; `None` where nothing needs to be written.
    fn text(&self, argument: &Argument) -> Option<String>;
    /// The numbers in it.
    fn values(&self) -> &[Value] {
        &[]
    }
    /// The same, to be changed.
    fn values_mut(&mut self) -> &mut [Value] {
        &mut []
    }
    /// Takes a value; whether it can.
    fn put(&mut self, _: Value) -> bool {
        false
    }
    /// Puts the default in the place of what is unknown.
    fn fill(&mut self, _: &Word, _: &str) {}
}

/// As [`Field::text`], with the argument's name where texts have it.
pub(crate) fn shown<T: Field>(field: &T, word: &Word, name: &str) -> Option<String> {
    let argument = word.argument(name)?;
    let text = field.text(argument)?;
    // The one number of a word needs no name: `elu(0.5)`.
    let is_alone = argument.positional && word.arguments.len() == 1;
    let bare = argument.bare || (is_alone && argument.fallback != Fallback::Required);
    Some(if bare {
        text
    } else {
        format!("{name} = {text}")
    })
}

/// Writes `word`, or `word(a, b = c)`.
pub(crate) fn call(word: &str, arguments: &[String]) -> String {
    if arguments.is_empty() {
        word.to_owned()
    } else {
        format!("{word}({})", arguments.join(", "))
    }
}

fn number(value: &Value, argument: &Argument) -> String {
    if argument.kind == super::Kind::Bool {
        value
            .is_true()
            .map_or_else(|| "_".to_owned(), |truth| truth.to_string())
    } else {
        value.to_string()
    }
}

impl Field for Value {
    fn read(from: &dyn Read, name: &str) -> Self {
        from.value(name)
    }

    fn text(&self, argument: &Argument) -> Option<String> {
        (!argument.is_default(self)).then(|| number(self, argument))
    }

    fn values(&self) -> &[Value] {
        std::slice::from_ref(self)
    }

    fn values_mut(&mut self) -> &mut [Value] {
        std::slice::from_mut(self)
    }

    fn put(&mut self, value: Value) -> bool {
        *self = value;
        true
    }

    fn fill(&mut self, word: &Word, name: &str) {
        let fallback = word.argument(name).map(|argument| argument.fallback);
        if let (None, Some(Fallback::Number(default))) = (self.known, fallback) {
            self.known = Some(default);
        }
    }
}

impl Field for Option<Value> {
    fn read(from: &dyn Read, name: &str) -> Self {
        from.optional(name)
    }

    fn text(&self, argument: &Argument) -> Option<String> {
        self.as_ref().map(|value| number(value, argument))
    }

    fn values(&self) -> &[Value] {
        self.as_slice()
    }

    fn values_mut(&mut self) -> &mut [Value] {
        self.as_mut_slice()
    }

    fn put(&mut self, value: Value) -> bool {
        *self = Some(value);
        true
    }
}

/// A list; one number that holds for every axis is written as that number.
impl Field for Vec<Value> {
    fn read(from: &dyn Read, name: &str) -> Self {
        from.values(name)
    }

    fn text(&self, argument: &Argument) -> Option<String> {
        let is_default = self.iter().all(|value| argument.is_default(value));
        (!is_default).then(|| match (self.as_slice(), argument.kind) {
            ([one], super::Kind::SizePerAxis(_) | super::Kind::WholePerAxis(_)) => one.to_string(),
            _ => list_of(self),
        })
    }

    fn values(&self) -> &[Value] {
        self
    }

    fn values_mut(&mut self) -> &mut [Value] {
        self
    }
}

/// `[3, 5]`
pub(crate) fn list_of(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", texts.join(", "))
}

impl Field for Option<String> {
    fn read(from: &dyn Read, name: &str) -> Self {
        from.name(name)
    }

    fn text(&self, _: &Argument) -> Option<String> {
        self.clone()
    }
}

/// A Rust expression.
impl Field for String {
    fn read(from: &dyn Read, name: &str) -> Self {
        from.text(name)
    }

    fn text(&self, _: &Argument) -> Option<String> {
        Some(self.clone())
    }
}

/// An enum of words for [`super::Kind::Word`]: the first one where nothing was written, or something wrong.
macro_rules! choice {
    ($Enum:ty: $first_word:literal = $First:ident $(, $word:literal = $Variant:ident)*) => {
        impl $Enum {
            /// The words of the language, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$first_word $(, $word)*];

            /// The word of the language.
            pub const fn word(self) -> &'static str {
                match self { Self::$First => $first_word $(, Self::$Variant => $word)* }
            }

            /// What a word of the language means.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $first_word => Some(Self::$First),
                    $($word => Some(Self::$Variant),)*
                    _ => None,
                }
            }
        }

        impl $crate::words::Field for $Enum {
            fn read(from: &dyn $crate::words::Read, name: &str) -> Self {
                from.choice(name).and_then(Self::from_word).unwrap_or(Self::$First)
            }

            fn text(&self, argument: &$crate::words::Argument) -> Option<String> {
                let is_needed = *self != Self::$First
                    || argument.fallback == $crate::words::Fallback::Required;
                is_needed.then(|| self.word().to_owned())
            }
        }
    };
}

pub(crate) use choice;
