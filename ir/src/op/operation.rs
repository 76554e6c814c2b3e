//! What is known of every operation: the traits that a layer's file implements, and the types they speak of.

use crate::words::Argument;
use crate::{Finding, Id, Layout, LintLevel, Role, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

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
            /// Reads the arguments, if this is its word.
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

            #[allow(unused_variables, unused_imports)]
            fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut $crate::Value)) {
                use $crate::words::Field;
                $(self.$field.values_mut().iter_mut().for_each(&mut *act);)*
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

pub(crate) use operation;

/// What follows from the arguments of an operation's word.
pub(crate) trait Written {
    /// The word of the language.
    fn word(&self) -> &'static str;
    /// Every value with the argument that it is.
    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value));
    /// Every value, to be changed.
    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value));
    /// The arguments as text, without those that need not be written.
    fn written(&self) -> Vec<String>;
}

/// What is known of an operation without a block.
pub(crate) trait Operation: Written {
    /// The shape that it gives.
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError>;

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

    /// Whether it normalizes its value, for the lints.
    fn normalizes(&self) -> bool {
        false
    }

    /// Whether it reads the first axis of a sample as its channels, whatever layout was declared.
    fn reads_channels(&self) -> bool {
        false
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

    /// The first axis of one sample that it acts on, where generated code must say which.
    fn first_axis(&self, _: Layout, _rank: usize) -> usize {
        0
    }

    /// Another value that it reads, by its name: an input or an earlier statement.
    fn reads(&self) -> Option<&str> {
        None
    }

    /// Whether it treats padded steps differently from the others.
    fn reads_padding(&self) -> bool {
        false
    }

    /// Its parameters.
    fn parameters(&self, _: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        Vec::new()
    }

    /// Its parameters, where those depend on the other value that it reads, too.
    fn parameters_with(
        &self,
        input: Option<&Shape>,
        output: Option<&Shape>,
        _memory: Option<&Shape>,
    ) -> Vec<Inside> {
        self.parameters(input, output)
    }

    /// The axis of its weights that numbers its units.
    fn unit_axis(&self, rank: usize) -> usize {
        rank.saturating_sub(1)
    }

    /// Multiplications with an addition, per sample; `None` if a size is not known.
    fn products(&self, _: Option<&Shape>, _: Option<&Shape>) -> Option<usize> {
        Some(0)
    }

    /// The same, where it depends on the other value that it reads, too.
    fn products_with(
        &self,
        input: Option<&Shape>,
        output: Option<&Shape>,
        _memory: Option<&Shape>,
    ) -> Option<usize> {
        self.products(input, output)
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

    /// The same, to be changed.
    fn rates_mut(&mut self) -> Vec<&mut Rate> {
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
    /// Channels first because a sequence was transposed: its steps are the last axis.
    pub(crate) transposed: bool,
    /// Its name in messages.
    pub(crate) name: &'a str,
    /// How many classes there are, of class indices.
    pub(crate) vocab: Option<usize>,
    /// The units that the block around takes in.
    pub(crate) units: Option<usize>,
    /// Classes and length of a vector of the embedding that a layer is tied to.
    pub(crate) table: (Option<usize>, Option<usize>),
    /// The other value that it reads, and what its axes mean.
    pub(crate) memory: Option<(&'a Shape, Layout)>,
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
    /// `layer.forward_from(value, other value, padding of the other, pass)`
    MethodWithMemory,
    /// `layer.forward(value, axis)`: the axis of a batch that [`crate::OpKind::first_axis`] gives
    MethodAlong,
    /// A method of the tensor.
    OfTensor(&'static str),
    /// The value itself.
    Nothing,
    /// `layer.forward(value)` with the channels last
    MethodOverChannels,
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
