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
pub mod embedding;
pub mod flatten;
pub mod global_pool;
pub mod group_norm;
pub mod instance_norm;
pub mod layer_norm;
pub mod linear;
pub mod norm;
pub mod pool;
pub mod positional;
pub mod recurrent;
pub mod reduce;
pub mod reshape;
pub mod rms_norm;
pub mod squeeze_excitation;
pub mod step;
pub mod stochastic;
pub mod swiglu;
pub mod to_sequence;
pub mod transpose;
mod window;

pub use blocks::{DropPath, Merge};

use crate::words::{Argument, Read, Word};
use crate::{
    Finding, Id, Layout, LintLevel, Misfit, Model, Role, Shape, Statement, Stochastic, Value, no,
};
use activation::Activation;
pub use activity::Activity;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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
                #[doc = concat!("See [`", stringify!($value_module), "`].")]
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
                /// One copy.
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
                    Self::Model { .. } | Self::Residual { .. } | Self::Repeat { .. } | Self::Parallel { .. } => {
                        return None;
                    }
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
        custom => Custom,
    }
    units {
        flatten => Flatten,
        to_sequence => ToSequence,
        transpose => Transpose,
        class_token => ClassToken,
    }
}

/// An operation with one word: its type, its page, the reading of what was written and its text.
///
/// `docs pub struct Type = word(positional, ..) { docs field: type = argument, .. } + { more }`, where `more` are fields that
/// are no arguments.
macro_rules! operation {
    (
        $(#[doc = $doc:literal])+
        pub struct $Type:ident = $word:ident $(($($parameter:ident),*))? {
            $($(#[doc = $field_doc:literal])+ $(#[serde $serde:tt])? $field:ident: $ty:ty = $value:expr),* $(,)?
        }
        $(+ { $($(#[doc = $extra_doc:literal])+ $(#[serde $extra_serde:tt])? $extra:ident: $extra_ty:ty $(= $init:expr)?),+ $(,)? })?
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $Type {
            $($(#[doc = $field_doc])+ $(#[serde $serde])? pub $field: $ty,)*
            $($($(#[doc = $extra_doc])+ $(#[serde $extra_serde])? pub $extra: $extra_ty,)+)?
        }

        $crate::words::pages! {
            $(#[doc = $doc])+
            $word $(($($parameter),*))? { $($(#[doc = $field_doc])+ $field = $value),* };
        }

        impl $Type {
            /// What was written, if this is its word.
            #[allow(unused_imports)]
            pub fn read(from: &dyn $crate::words::Read) -> Option<Self> {
                use $crate::words::Field;
                (from.word().name == stringify!($word)).then(|| Self {
                    $($field: <$ty as Field>::read(from, stringify!($field)),)*
                    $($($extra: $crate::words::extra!(from: $extra_ty $(, $init)?),)+)?
                })
            }
        }

        impl $crate::op::Written for $Type {
            fn word(&self) -> &'static str {
                stringify!($word)
            }

            #[allow(unused_variables)]
            fn each_value(&self, act: &mut dyn FnMut(&'static $crate::words::Argument, &$crate::Value)) {
                let word = $crate::words::of(WORDS, stringify!($word));
                $($crate::words::visit(word, stringify!($field), &self.$field, act);)*
            }

            #[allow(unused_variables)]
            fn written(&self) -> Vec<String> {
                let word = $crate::words::of(WORDS, stringify!($word));
                let all: &[Option<String>] = &[$($crate::words::shown(&self.$field, word, stringify!($field))),*];
                all.iter().flatten().cloned().collect()
            }
        }
    };
}

use operation;

/// What follows from the arguments of an operation's word.
pub(crate) trait Written {
    /// The word of the language.
    fn word(&self) -> &'static str;
    /// Every value with the argument that it is.
    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value));
    /// The arguments as text, without those that need not be written.
    fn written(&self) -> Vec<String>;
}

/// What is known of an operation without a block.
pub(crate) trait Operation: Written {
    /// The shape that it gives.
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, Misfit>;

    /// How generated code calls it.
    fn call(&self) -> Call;

    /// Its field in the generated struct; `None` for an operation without state.
    fn field(&self) -> Option<Field> {
        None
    }

    /// Its arguments as text.
    fn shown(&self) -> Vec<String> {
        self.written()
    }

    /// What is written before it.
    fn prefix(&self) -> &'static str {
        ""
    }

    /// A value that is refused for a reason of its own.
    fn refused(&self, _: Id) -> Option<Finding> {
        None
    }

    /// The shape that it gives whatever it takes.
    fn given(&self) -> Option<Shape> {
        None
    }

    /// How many axes its value has, whatever it takes.
    fn gives_axes(&self) -> Option<usize> {
        None
    }

    /// How many axes the value has that it takes, where that is always the same.
    fn takes_axes(&self) -> Option<usize> {
        None
    }

    /// Whether its value has as many axes as the one that it takes.
    fn keeps_axes(&self) -> bool {
        false
    }

    /// What the axes of its value mean, if it takes one of this layout.
    fn gives(&self, input: Layout, _: &Shape) -> Layout {
        input
    }

    /// Whether it takes class indices.
    fn takes_indices(&self) -> bool {
        false
    }

    /// Whether the steps that come out are those that come in.
    fn keeps_time(&self) -> bool {
        false
    }

    /// How many steps it puts before those that come in.
    fn steps_before(&self) -> usize {
        0
    }

    /// Whether it treats padded steps differently from the others.
    fn reads_padding(&self) -> bool {
        false
    }

    /// Its parameters.
    fn parameters(&self, _: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        Vec::new()
    }

    /// The axis of its weights that numbers its units.
    fn unit_axis(&self, rank: usize) -> usize {
        rank.saturating_sub(1)
    }

    /// Multiplications with an addition, per sample; `None` if a size is not known.
    fn products(&self, _: Option<&Shape>, _: Option<&Shape>) -> Option<usize> {
        Some(0)
    }

    /// Whether `drop_connect` acts on it.
    fn drops_weights(&self) -> bool {
        false
    }

    /// Whether `drop_connect` acts on this weight of it.
    fn drops_weight(&self, _: &str) -> bool {
        true
    }

    /// Whether its layer drops weights itself.
    fn drops_weights_itself(&self) -> bool {
        false
    }

    /// How many operations it counts as.
    fn operations(&self) -> usize {
        1
    }

    /// The rates that annotations set inside of it, each with its word.
    fn rates(&self) -> Vec<(&'static str, &Rate)> {
        Vec::new()
    }

    /// Those annotations as text.
    fn annotations(&self) -> Vec<String> {
        let rates = self.rates().into_iter();
        rates
            .map(|(word, rate)| format!("{word}({rate})"))
            .collect()
    }

    /// Whether it multiplies by weights, or looks them up.
    fn is_weight(&self) -> bool {
        let all = self.parameters(None, None);
        self.takes_indices() || all.iter().any(|one| one.role == Role::Weight)
    }
}

/// The value that an operation takes.
pub(crate) struct Incoming<'a> {
    /// Its shape.
    pub(crate) shape: &'a Shape,
    /// What its axes mean.
    pub(crate) layout: Layout,
    /// Its name in messages.
    pub(crate) name: &'a str,
    /// How many classes there are, of class indices.
    pub(crate) vocab: Option<usize>,
    /// The units that the block around takes in.
    pub(crate) units: Option<usize>,
    /// Classes and length of a vector of the embedding that a layer is tied to.
    pub(crate) table: (Option<usize>, Option<usize>),
}

/// A parameter inside of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    pub(crate) name: Cow<'static, str>,
    pub(crate) role: Role,
    pub(crate) axes: Vec<Option<usize>>,
}

impl Inside {
    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        role: Role,
        axes: impl Into<Vec<Option<usize>>>,
    ) -> Self {
        Self {
            name: name.into(),
            role,
            axes: axes.into(),
        }
    }

    /// A `linear` inside of another module.
    pub(crate) fn projection(
        name: &str,
        features: Option<usize>,
        out: Option<usize>,
        bias: bool,
    ) -> Vec<Self> {
        let mut all = vec![Self::new(
            format!("{name}.weight"),
            Role::Weight,
            [features, out],
        )];
        if bias {
            all.push(Self::new(format!("{name}.bias"), Role::Bias, [out]));
        }
        all
    }
}

/// The field of an operation in the generated struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A layer with weights.
    Weights(Type),
    /// A layer with numbers, but no weights.
    State(Type),
    /// What acts while training only; without a type, strengths alone.
    Noise(Option<Type>),
    /// A layer of the user's.
    Custom,
}

impl Field {
    /// The layer's type.
    pub const fn ty(&self) -> Option<&Type> {
        match self {
            Self::Weights(ty) | Self::State(ty) | Self::Noise(Some(ty)) => Some(ty),
            Self::Noise(None) | Self::Custom => None,
        }
    }
}

/// The type of a layer in generated code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Whether it is burn's.
    pub is_burn: bool,
    /// Its path: inside of burn, or the name in damper's `layer`.
    pub path: Cow<'static, str>,
    /// The path of one of its parameters, for asking where it is.
    pub parameter: Option<&'static str>,
}

impl Type {
    pub(crate) fn burn(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            is_burn: true,
            path: path.into(),
            parameter: None,
        }
    }

    pub(crate) fn damper(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            is_burn: false,
            ..Self::burn(name)
        }
    }

    pub(crate) const fn with_parameter(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }
}

/// How generated code calls an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `layer.forward(value)`
    Method,
    /// `layer.forward(value, pass)`
    MethodWithPass,
    /// `layer.forward(value, padding, pass)`
    MethodWithPadding,
    /// `layer.forward::<_, RANK>(value)`
    MethodOfRank,
    /// A function of damper's `layer` that takes the layer and the value.
    LayerFunction(&'static str),
    /// A function of damper's `layer` that takes the value.
    Function(&'static str),
    /// The same with the padding.
    FunctionWithPadding(&'static str),
    /// An activation without arguments.
    Activation,
    /// `layer.forward(value, &embedding.weight)`
    Tied,
    /// `flatten`
    Flatten,
    /// `transpose`
    Transpose,
    /// `mean` and `max` along an axis that is not time.
    Reduce,
    /// A penalty on the value.
    Activity,
}

/// What is added around a value before a window slides over it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Nothing: the default.
    #[default]
    Valid,
    /// As much as keeps the size at a stride of 1; the odd position at the end, as `PyTorch` does.
    Same,
    /// So many zeros on both sides: one number for every axis, or one for each.
    Zeros(Vec<Value>),
}

/// What several numbers become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The maximum.
    Max,
}

/// A rate that an annotation gives to the operation it is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// The annotation.
    #[serde(skip)]
    pub id: Id,
    /// The probability of dropping, in [0, 1).
    pub rate: Value,
    /// Lint levels on the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rate.fmt(f)
    }
}

impl OpKind {
    /// The word of the language; a nested model's path.
    pub fn word(&self) -> &str {
        match self {
            Self::Model { path, .. } => path,
            Self::Residual { .. } => "residual",
            Self::Repeat { .. } => "repeat",
            Self::Parallel { .. } => "parallel",
            other => other.operation().map_or("", Written::word),
        }
    }

    /// The blocks that it holds, each with the name that it adds to a path.
    pub fn blocks(&self) -> impl Iterator<Item = (Option<&'static str>, &[Statement])> {
        let (body, shortcut): (Option<&Vec<Statement>>, Option<&Vec<Statement>>) = match self {
            Self::Residual { body, shortcut, .. } => (Some(body), Some(shortcut)),
            Self::Repeat { body, .. } | Self::Parallel { body, .. } => (Some(body), None),
            _ => (None, None),
        };
        let body = body.map(|body| (None, body.as_slice()));
        let shortcut = shortcut.map(|block| (Some(crate::walk::SHORTCUT), block.as_slice()));
        body.into_iter().chain(shortcut)
    }

    /// The blocks that it holds, to be changed.
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = &mut Vec<Statement>> {
        let (body, shortcut) = match self {
            Self::Residual { body, shortcut, .. } => (Some(body), Some(shortcut)),
            Self::Repeat { body, .. } | Self::Parallel { body, .. } => (Some(body), None),
            _ => (None, None),
        };
        body.into_iter().chain(shortcut)
    }

    /// How many copies of its blocks there are: 1, but for a `repeat` whose number is known.
    pub fn copies(&self) -> usize {
        match self {
            Self::Repeat { times, .. } => times.size().unwrap_or(1),
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
            Self::Repeat { times, .. } => write!(f, "repeat({times})"),
            Self::Parallel { merge, .. } => write!(f, "parallel -> {}", merge.word()),
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
