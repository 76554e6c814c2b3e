//! The operations of a chain: one file for each layer.
//!
//! A file holds all that is known of a layer without tensors: its word with its arguments and its page, the shape it gives, its
//! parameters, how much it multiplies, and how generated code calls it. What computes it is in the runtime.
//!
//! A new layer is a file here, its `mod` and its line in the table of this file, and a file in the runtime's `layer/`.
//! CONTRIBUTING.md has the whole list.

pub mod activation;
pub mod activity;
pub mod attention;
pub mod batch_norm;
pub mod blocks;
pub mod class_token;
pub mod conv;
pub mod custom;
pub mod elementwise;
pub mod embedding;
pub mod flatten;
pub mod global_pool;
pub mod group_norm;
pub mod instance_norm;
pub mod layer_norm;
pub mod linear;
pub mod norm;
mod operation;
pub mod pad;
pub mod permute;
pub mod pool;
pub mod positional;
pub mod recurrent;
pub mod reduce;
pub mod resample;
pub mod reshape;
pub mod rms_norm;
pub mod shuffle;
pub mod slice;
pub mod squeeze_excitation;
pub mod step;
pub mod stochastic;
pub mod swiglu;
pub mod to_image;
pub mod to_sequence;
pub mod transpose;
mod window;

pub use activity::Activity;
pub use blocks::{Copy, DropPath, Merge, Use};
pub use operation::{Call, Field, Rate, Reduction, Type};
pub(crate) use operation::{Incoming, Inside, Operation, Written, operation};
pub use resample::{resize, upsample};
pub use shuffle::{channel, pixel};
pub use window::Padding;

use crate::words::{Argument, Read, Word};
use crate::{Layout, Model, Role, Statement, Stochastic, Value, no};
use activation::Activation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The table of the operations that have a file each: `module => Type` for those with arguments, and those without.
macro_rules! operations {
    (
        values { $($value_module:ident => $Value:ident),+ $(,)? }
        units { $($unit_module:ident => $Unit:ident),+ $(,)? }
    ) => {
        /// What an operation does.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum OpKind {
            $(
                #[doc = concat!("See [`mod@", stringify!($value_module), "`].")]
                $Value($value_module::$Value),
            )+
            $(
                #[doc = concat!("See [`", stringify!($unit_module), "`].")]
                $Unit,
            )+
            /// An activation function.
            Activation(Activation),
            /// Acts while training only.
            Stochastic(Stochastic),
            /// A penalty on the value that passes.
            Activity(Activity),
            /// Another declared model.
            Model {
                /// Its path as written.
                path: String,
                /// Its description: unknown to the macro, filled in at run time.
                #[serde(default, skip_serializing_if = "no")]
                model: Option<Box<Model>>,
            },
            /// `residual { .. } shortcut { .. }`: branch plus shortcut.
            Residual {
                /// The branch.
                body: Vec<Statement>,
                /// What the block's input goes through before the sum; empty for the identity.
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                shortcut: Vec<Statement>,
                /// Stochastic depth on the branch.
                #[serde(default, skip_serializing_if = "no")]
                drop_path: Option<DropPath>,
            },
            /// `repeat(n) { .. }`: n copies in series. `drop_path` on it has been moved to the residuals inside.
            Repeat {
                /// How many copies.
                times: Value,
                /// The name of a copy's number: `repeat(i in 0..n)`.
                #[serde(default, skip_serializing_if = "no")]
                index: Option<String>,
                /// One copy.
                body: Vec<Statement>,
                /// The copies, where they differ: [`Model::resolve`] fills them in.
                #[serde(skip)]
                copies: Vec<Copy>,
                /// What the names of the block around it mean, where it is a part of one that is used.
                #[serde(skip)]
                bound: BTreeMap<String, Option<f64>>,
            },
            /// A declared block: `MbConv(24, stride = 2)`.
            Use(Use),
            /// `if condition { .. }`: the identity where the condition is false.
            When {
                /// The condition.
                condition: Value,
                /// What is done where it is true.
                body: Vec<Statement>,
            },
            /// `parallel { a: ..; b: ..; } -> concat`: every statement takes the block's input, and their values are merged.
            Parallel {
                /// The branches: each statement's `Previous` is the block's input.
                body: Vec<Statement>,
                /// How they are merged.
                merge: Merge,
            },
        }

        $(pub use $value_module::$Value;)+
        $(pub use $unit_module::$Unit;)+

        /// The words of all operations but activations and stochastic ones.
        pub const TABLES: &[&[Word]] = &[$($value_module::WORDS,)+ $($unit_module::WORDS,)+ blocks::WORDS];

        impl OpKind {
            /// What is known of it; `None` for what holds other operations.
            pub(crate) fn operation(&self) -> Option<&dyn Operation> {
                Some(match self {
                    $(Self::$Value(it) => it,)+
                    $(Self::$Unit => &$unit_module::$Unit {},)+
                    Self::Activation(it) => it,
                    Self::Stochastic(it) => it,
                    Self::Activity(it) => it,
                    Self::Model { .. } | Self::Residual { .. } | Self::Repeat { .. } | Self::Parallel { .. } | Self::Use(_)
                    | Self::When { .. } => {
                        return None;
                    }
                })
            }

            /// The same, to be changed; `None` for what has no arguments.
            pub(crate) fn operation_mut(&mut self) -> Option<&mut dyn Operation> {
                Some(match self {
                    $(Self::$Value(it) => it,)+
                    Self::Activation(it) => it,
                    Self::Stochastic(it) => it,
                    Self::Activity(it) => it,
                    _ => return None,
                })
            }

            /// An operation without a block, as written; `None` for a word that is no such operation.
            pub fn read(from: &dyn Read) -> Option<Self> {
                $(if let Some(it) = $value_module::$Value::read(from) {
                    return Some(Self::$Value(it));
                })+
                $(if $unit_module::$Unit::read(from).is_some() {
                    return Some(Self::$Unit);
                })+
                Activation::read(from)
                    .map(Self::Activation)
                    .or_else(|| Stochastic::read(from).map(Self::Stochastic))
            }
        }

        /// The pages of all operations.
        pub(crate) mod pages {
            pub use super::{$($value_module::pages::*,)+ $($unit_module::pages::*,)+ blocks::pages::*};
        }

        /// The arguments of all operations.
        #[allow(unused_imports, reason = "some have none")]
        pub(crate) mod arguments {
            pub use super::{$($value_module::arguments::*,)+ $($unit_module::arguments::*,)+ blocks::arguments::*};
        }
    };
}

operations! {
    values {
        linear => Linear,
        swiglu => Swiglu,
        conv => Conv,
        pool => Pool,
        global_pool => GlobalPool,
        batch_norm => BatchNorm,
        layer_norm => LayerNorm,
        group_norm => GroupNorm,
        instance_norm => InstanceNorm,
        rms_norm => RmsNorm,
        squeeze_excitation => SqueezeExcitation,
        reshape => Reshape,
        embedding => Embedding,
        recurrent => Recurrent,
        step => Step,
        reduce => Reduce,
        attention => Attention,
        positional => Positional,
        elementwise => Elementwise,
        to_image => ToImage,
        permute => Permute,
        pad => Pad,
        slice => Slice,
        upsample => Upsample,
        resize => Resize,
        pixel => PixelShuffle,
        channel => ChannelShuffle,
        custom => Custom,
    }
    units {
        flatten => Flatten,
        to_sequence => ToSequence,
        transpose => Transpose,
        class_token => ClassToken,
    }
}

impl OpKind {
    /// `repeat(times) { .. }`
    pub fn repeat(times: Value, body: Vec<Statement>) -> Self {
        Self::Repeat {
            times,
            index: None,
            body,
            copies: Vec::new(),
            bound: BTreeMap::new(),
        }
    }

    /// The word of the language; a nested model's path.
    pub fn word(&self) -> &str {
        match self {
            Self::Model { path, .. } => path,
            Self::Residual { .. } => "residual",
            Self::Repeat { .. } => "repeat",
            Self::Parallel { .. } => "parallel",
            Self::Use(one) => &one.block,
            Self::When { .. } => "if",
            other => other.operation().map_or("", Written::word),
        }
    }

    /// The blocks that it holds, each with the name that it adds to a path: of a `repeat` whose copies differ all copies, of an
    /// `if` whose condition is false none.
    pub fn blocks(&self) -> impl Iterator<Item = (Option<&str>, &[Statement])> {
        let copies = match self {
            Self::Repeat { copies, .. } => copies.as_slice(),
            _ => &[],
        };
        let (body, shortcut): (Option<&Vec<Statement>>, Option<&Vec<Statement>>) = match self {
            Self::Repeat { .. } if !copies.is_empty() => (None, None),
            Self::When { condition, .. } if condition.is_true() == Some(false) => (None, None),
            _ => self.written_blocks(),
        };
        let body = body.map(|body| (None, body.as_slice()));
        let shortcut = shortcut.map(|block| (Some(blocks::SHORTCUT), block.as_slice()));
        let copies = copies
            .iter()
            .map(|copy| (Some(copy.name.as_str()), copy.body.as_slice()));
        body.into_iter().chain(shortcut).chain(copies)
    }

    /// The body as it was written (of a declared block, as it is used here) and a residual's shortcut.
    fn written_blocks(&self) -> (Option<&Vec<Statement>>, Option<&Vec<Statement>>) {
        match self {
            Self::Residual { body, shortcut, .. } => (Some(body), Some(shortcut)),
            Self::Repeat { body, .. }
            | Self::Parallel { body, .. }
            | Self::When { body, .. }
            | Self::Use(Use { body, .. }) => (Some(body), None),
            _ => (None, None),
        }
    }

    /// The blocks as they were written, each with the name that it adds to a path: one copy of a `repeat`, the body of an `if`
    /// whatever its condition. The block of a use is declared elsewhere.
    pub fn templates(&self) -> impl Iterator<Item = (Option<&'static str>, &[Statement])> {
        let (body, shortcut) = match self {
            Self::Use(_) => (None, None),
            _ => self.written_blocks(),
        };
        let body = body.map(|body| (None, body.as_slice()));
        let shortcut = shortcut.map(|block| (Some(blocks::SHORTCUT), block.as_slice()));
        body.into_iter().chain(shortcut)
    }

    /// All statements in it: those of [`OpKind::templates`], and what [`Model::resolve`] made of them.
    pub(crate) fn all_blocks(&self) -> impl Iterator<Item = &[Statement]> {
        let copies = match self {
            Self::Repeat { copies, .. } => copies.as_slice(),
            _ => &[],
        };
        let (body, shortcut) = self.written_blocks();
        let written = body.into_iter().chain(shortcut);
        let made = copies.iter().map(|copy| &copy.body);
        written.chain(made).map(Vec::as_slice)
    }

    /// The blocks that it holds, to be changed: those of [`OpKind::templates`], and of what [`Model::resolve`] made of them.
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = &mut Vec<Statement>> {
        let (body, shortcut, copies) = match self {
            Self::Residual { body, shortcut, .. } => (Some(body), Some(shortcut), None),
            Self::Repeat { body, copies, .. } => (Some(body), None, Some(copies)),
            Self::Parallel { body, .. } | Self::When { body, .. } | Self::Use(Use { body, .. }) => {
                (Some(body), None, None)
            }
            _ => (None, None, None),
        };
        let copies = copies.into_iter().flatten().map(|copy| &mut copy.body);
        body.into_iter().chain(shortcut).chain(copies)
    }

    /// How many copies of its blocks there are: 1, but for a `repeat` whose number is known.
    pub fn copies(&self) -> usize {
        match self {
            Self::Repeat { times, copies, .. } if copies.is_empty() => times.size().unwrap_or(1),
            _ => 1,
        }
    }

    /// The field of the generated struct that holds it; `None` for an operation without state, and for blocks and models,
    /// whose fields are made of their insides.
    pub fn field(&self) -> Option<Field> {
        self.operation().and_then(Operation::field)
    }

    /// Who may take the statement's name: weights first, then state, then what acts while training. `None` has no field.
    pub fn name_rank(&self) -> Option<u8> {
        match self.operation() {
            None => Some(0),
            Some(operation) => operation.field().map(|field| match field {
                Field::Weights(_) | Field::Custom => 0,
                Field::State(_) => 1,
                Field::Noise(_) => 2,
            }),
        }
    }

    /// How generated code calls it; `None` for what holds other operations.
    pub fn call(&self) -> Option<Call> {
        self.operation().map(Operation::call)
    }

    /// Whether `drop_connect` can act on it.
    pub fn drops_weights(&self) -> bool {
        self.operation().is_some_and(Operation::drops_weights)
    }

    /// What its parameters are for.
    pub fn roles(&self) -> Vec<Role> {
        let all = self
            .operation()
            .map(|operation| operation.parameters(None, None));
        all.into_iter()
            .flatten()
            .map(|parameter| parameter.role)
            .collect()
    }

    /// Every value with the argument that it is.
    pub fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        if let Some(operation) = self.operation() {
            operation.each_value(act);
        }
    }

    /// Every value that a block may give it, to be changed: also those of its annotations and of what is written before a block.
    pub(crate) fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        match self {
            Self::Repeat { times, .. } => act(times),
            Self::When { condition, .. } => act(condition),
            Self::Use(one) => one.arguments.iter_mut().for_each(|(_, value)| act(value)),
            Self::Residual {
                drop_path: Some(path),
                ..
            } => [&mut path.first, &mut path.last]
                .into_iter()
                .for_each(&mut *act),
            _ => {}
        }
        if let Some(operation) = self.operation_mut() {
            operation.each_value_mut(act);
            let rates = operation.rates_mut().into_iter();
            rates.for_each(|rate| act(&mut rate.rate));
        }
    }

    /// The first axis of one sample that it acts on, for a value of this layout and number of axes.
    pub fn first_axis(&self, layout: Layout, rank: usize) -> usize {
        let operation = self.operation();
        operation.map_or(0, |operation| operation.first_axis(layout, rank))
    }

    /// Another value that it reads besides the one that it takes, by its name.
    pub fn reads(&self) -> Option<&str> {
        self.operation().and_then(Operation::reads)
    }

    /// The rates that annotations set inside of it, each with its word.
    pub fn rates(&self) -> Vec<(&'static str, &Rate)> {
        self.operation().map_or_else(Vec::new, Operation::rates)
    }

    /// What acts on it while training, as written: `attention_dropout(0.1)`.
    ///
    /// These annotations are part of the operation, not operations or rules of their own.
    pub fn annotations(&self) -> Vec<String> {
        if let Self::Residual {
            drop_path: Some(path),
            ..
        } = self
        {
            return vec![path.to_string()];
        }
        self.operation()
            .map_or_else(Vec::new, Operation::annotations)
    }
}

/// As written, with the arguments that are not the defaults: `linear(128)`, `dropout(0.5)`.
impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeat {
                times,
                index: Some(index),
                ..
            } => write!(f, "repeat({index} in 0..{times})"),
            Self::Repeat { times, .. } => write!(f, "repeat({times})"),
            Self::Parallel { merge, .. } => write!(f, "parallel -> {}", merge.word()),
            Self::Use(one) => one.fmt(f),
            Self::When { .. } => f.write_str("if"),
            Self::Stochastic(stochastic) => stochastic.fmt(f),
            _ => match self.operation() {
                None => f.write_str(self.word()),
                Some(operation) => {
                    f.write_str(operation.prefix())?;
                    f.write_str(&crate::words::call(self.word(), &operation.shown()))
                }
            },
        }
    }
}
