//! `lstm`, `gru` and `rnn`.

use super::{Call, Field, Incoming, Inside, Operation, Type, Written};
use crate::shape::steps;
use crate::words::{Argument, Field as _, Read, choice, of, pages, shown, visit};
use crate::{Finding, Id, Layout, Rate, Role, Shape, ShapeError, Value, no};
use serde::{Deserialize, Serialize};

/// Recurrent layers stacked in one operation, at most: each is a row of the table of parameters.
pub(crate) const MOST_STACKED: usize = 1_000;

pages! {
    /// Long short-term memory (Hochreiter and Schmidhuber 1997), `PyTorch`'s.
    ///
    /// Shapes: `[batch, time, features]` to `[batch, time, hidden]`, twice as many features if bidirectional (but for `merge = sum`). Annotations:
    /// `variational_dropout` (one mask for all steps), `dropout` (between layers), `zoneout`, `drop_connect` (on the recurrent
    /// weights). The state does not change on padded steps.
    lstm(hidden) {
        /// The size of the state.
        hidden = required(Kind::Size).called("the number of units"),
        /// How many layers are stacked.
        layers = size(Kind::Size, 1).called("the number of layers")
            .usual(1.0, 16.0, 2.0, "8 in machine translation (Wu et al., arXiv 1609.08144)"),
        /// Whether a second one reads from the end.
        bidirectional = flag(false),
        /// What becomes of the two directions: `concat`, side by side, or `sum`.
        merge = optional(Kind::Word(Directions::WORDS)),
    };

    /// Gated recurrent unit (Cho et al., arXiv 1406.1078), `PyTorch`'s. As [`lstm`].
    gru(hidden) {
        /// The size of the state.
        hidden = required(Kind::Size).called("the number of units"),
        /// How many layers are stacked.
        layers = size(Kind::Size, 1).called("the number of layers")
            .usual(1.0, 16.0, 2.0, "8 in machine translation (Wu et al., arXiv 1609.08144)"),
        /// Whether a second one reads from the end.
        bidirectional = flag(false),
        /// What becomes of the two directions: `concat`, side by side, or `sum`.
        merge = optional(Kind::Word(Directions::WORDS)),
    };

    /// `tanh(x W + h U + b)` (Elman 1990). As [`lstm`].
    rnn(hidden) {
        /// The size of the state.
        hidden = required(Kind::Size).called("the number of units"),
        /// How many layers are stacked.
        layers = size(Kind::Size, 1).called("the number of layers")
            .usual(1.0, 16.0, 2.0, "8 in machine translation (Wu et al., arXiv 1609.08144)"),
        /// Whether a second one reads from the end.
        bidirectional = flag(false),
        /// What becomes of the two directions: `concat`, side by side, or `sum`.
        merge = optional(Kind::Word(Directions::WORDS)),
        /// The function of each step: `tanh` or `relu`.
        activation = optional(Kind::Word(StateFunction::WORDS)),
    };
}

/// A recurrent layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recurrent {
    /// Which cell.
    pub cell: Cell,
    /// The size of the state of one direction.
    pub hidden: Value,
    /// Layers in series.
    pub layers: Value,
    /// Whether a second cell reads backward.
    pub bidirectional: Value,
    /// What becomes of the outputs of two directions.
    #[serde(default, skip_serializing_if = "no")]
    pub merge: Directions,
    /// The function of each step of `rnn`.
    #[serde(default, skip_serializing_if = "no")]
    pub activation: StateFunction,
    /// `dropout(p)` on it: ordinary dropout between the layers (`nn.LSTM(dropout = p)`).
    #[serde(default, skip_serializing_if = "no")]
    pub between: Option<Rate>,
    /// `variational_dropout(p)`: one mask for all steps, on the input and between the layers (arXiv 1512.05287).
    #[serde(default, skip_serializing_if = "no")]
    pub variational: Option<Rate>,
    /// `variational_dropout(p, recurrent = q)`: one mask for all steps, on the state.
    #[serde(default, skip_serializing_if = "no")]
    pub recurrent: Option<Rate>,
    /// `zoneout(p)`: a number of the state keeps its old value with probability `p` (arXiv 1606.01305).
    #[serde(default, skip_serializing_if = "no")]
    pub zoneout: Option<Rate>,
}

/// What becomes of the values of two directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// Side by side.
    #[default]
    Concat,
    /// Their sum.
    Sum,
}

choice!(Directions: "concat" = Concat, "sum" = Sum);

/// The function of each step of `rnn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateFunction {
    /// `tanh`
    #[default]
    Tanh,
    /// `relu`
    Relu,
}

choice!(StateFunction: "tanh" = Tanh, "relu" = Relu);

/// The cells of recurrent layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Long short-term memory, `PyTorch`'s gates and their order.
    Lstm,
    /// Gated recurrent unit, `PyTorch`'s form (the reset gate after the product).
    Gru,
    /// `tanh(x W + h U + b)`.
    Rnn,
}

impl Cell {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::Rnn => "rnn",
        }
    }

    /// Gates: the width of a weight is so many times the state's.
    pub const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn => 1,
        }
    }
}

impl Recurrent {
    /// How many times as many features as `hidden` each layer gives; `None` if that is not known.
    pub fn width(&self) -> Option<usize> {
        let both = self.bidirectional.is_true()?;
        Some(if both && self.merge == Directions::Concat {
            2
        } else {
            1
        })
    }

    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        let name = from.word().name;
        let cells = [Cell::Lstm, Cell::Gru, Cell::Rnn];
        let cell = cells.into_iter().find(|cell| cell.word() == name)?;
        Some(Self {
            cell,
            hidden: from.value("hidden"),
            layers: from.value("layers"),
            bidirectional: from.value("bidirectional"),
            merge: Directions::read(from, "merge"),
            activation: match cell {
                Cell::Rnn => StateFunction::read(from, "activation"),
                Cell::Lstm | Cell::Gru => StateFunction::Tanh,
            },
            between: None,
            variational: None,
            recurrent: None,
            zoneout: None,
        })
    }

    fn arguments(&self) -> [(&'static str, &Value); 3] {
        [
            ("hidden", &self.hidden),
            ("layers", &self.layers),
            ("bidirectional", &self.bidirectional),
        ]
    }
}

impl Written for Recurrent {
    fn word(&self) -> &'static str {
        self.cell.word()
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        let word = of(WORDS, self.cell.word());
        for (name, value) in self.arguments() {
            visit(word, name, value, act);
        }
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        let all = [&mut self.hidden, &mut self.layers, &mut self.bidirectional];
        all.into_iter().for_each(act);
    }

    fn written(&self) -> Vec<String> {
        let word = of(WORDS, self.cell.word());
        let arguments = self.arguments().into_iter();
        let words = [
            shown(&self.merge, word, "merge"),
            shown(&self.activation, word, "activation"),
        ];
        arguments
            .filter_map(|(name, value)| shown(value, word, name))
            .chain(words.into_iter().flatten())
            .collect()
    }
}

impl Operation for Recurrent {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        let (word, hidden) = (self.cell.word(), self.hidden.size());
        shape(word, from.shape, from.layout, hidden, self.width())
    }

    fn refused(&self, id: Id) -> Option<Finding> {
        if self.merge == Directions::Sum && self.bidirectional.is_true() == Some(false) {
            let word = self.cell.word();
            let message = format!("`merge = sum` of `{word}` adds two directions, here is one");
            let finding = Finding::error(id, message);
            return Some(finding.help("`bidirectional = true, merge = sum`, or remove `merge`"));
        }
        let layers = self.layers.size()?;
        (layers > MOST_STACKED).then(|| {
            let (word, layers) = (self.cell.word(), &self.layers);
            let message = format!("`{word}` stacks {layers} layers, it may be {MOST_STACKED}");
            Finding::error(crate::walk::at(layers, id), message)
        })
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Sequence
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn reads_padding(&self) -> bool {
        true
    }

    /// One copy of a cell where the number of layers is not known.
    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let features = input.and_then(Shape::features);
        let hidden = self.hidden.size();
        let gates = hidden.map(|hidden| hidden.saturating_mul(self.cell.gates()));
        let both = self.bidirectional.is_true() == Some(true);
        let directions: &[&str] = if both {
            &["forward", "reverse"]
        } else {
            &["forward"]
        };
        let mut all = Vec::new();
        for number in 0..self.layers.size().unwrap_or(1).min(MOST_STACKED) {
            let takes = if number == 0 {
                features
            } else {
                let width = self.width().unwrap_or(directions.len());
                hidden.map(|hidden| hidden.saturating_mul(width))
            };
            for direction in directions {
                for (name, role, axes) in [
                    ("weight_ih", Role::Weight, vec![takes, gates]),
                    ("weight_hh", Role::Weight, vec![hidden, gates]),
                    ("bias_ih", Role::Bias, vec![gates]),
                    ("bias_hh", Role::Bias, vec![gates]),
                ] {
                    let name = format!("layers.{number}.{direction}.{name}");
                    all.push(Inside::new(name, role, axes));
                }
            }
        }
        all
    }

    fn products(&self, input: Option<&Shape>, _: Option<&Shape>) -> Option<usize> {
        let (time, hidden) = (input?.channels()?, self.hidden.size()?);
        let directions = if self.bidirectional.is_true()? { 2 } else { 1 };
        let width = hidden.saturating_mul(self.cell.gates());
        let first = input?.features()?.saturating_add(hidden);
        let other = hidden.saturating_mul(self.width()?).saturating_add(hidden);
        let others = self.layers.size()?.saturating_sub(1);
        let rows = first.saturating_add(other.saturating_mul(others));
        let factors = [time, directions, width, rows];
        Some(factors.into_iter().fold(1, usize::saturating_mul))
    }

    fn drops_weights(&self) -> bool {
        true
    }

    /// Weight-dropped LSTM: the connections between the steps (arXiv 1708.02182).
    fn drops_weight(&self, name: &str) -> bool {
        name.ends_with("weight_hh")
    }

    fn drops_weights_itself(&self) -> bool {
        true
    }

    fn operations(&self) -> usize {
        self.layers.size().unwrap_or(1).clamp(1, MOST_STACKED)
    }

    fn rates(&self) -> Vec<(&'static str, &Rate)> {
        let all = [
            ("dropout", &self.between),
            ("variational_dropout", &self.variational),
            ("recurrent", &self.recurrent),
            ("zoneout", &self.zoneout),
        ];
        all.into_iter()
            .filter_map(|(word, rate)| Some((word, rate.as_ref()?)))
            .collect()
    }

    fn rates_mut(&mut self) -> Vec<&mut Rate> {
        let all = [
            &mut self.between,
            &mut self.variational,
            &mut self.recurrent,
            &mut self.zoneout,
        ];
        all.into_iter().flatten().collect()
    }

    fn annotations(&self) -> Vec<String> {
        let variational = match (&self.variational, &self.recurrent) {
            (None, None) => None,
            (Some(rate), None) => Some(format!("variational_dropout({rate})")),
            (rate, Some(recurrent)) => {
                let rate = rate
                    .as_ref()
                    .map_or_else(|| "0".to_owned(), Rate::to_string);
                Some(format!(
                    "variational_dropout({rate}, recurrent = {recurrent})"
                ))
            }
        };
        let others = [("dropout", &self.between), ("zoneout", &self.zoneout)];
        let others = others
            .into_iter()
            .filter_map(|(word, rate)| Some(format!("{word}({})", rate.as_ref()?)));
        variational.into_iter().chain(others).collect()
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(Type::damper("Recurrent")))
    }

    fn call(&self) -> Call {
        Call::MethodWithPadding
    }
}

/// `lstm`, `gru`, `rnn`: `[time, features] -> [time, hidden * directions]`, where the sum of two directions counts as one.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::recurrent;
///
/// let rows = Shape::known([28, 28]);
/// assert_eq!(recurrent::shape("lstm", &rows, Layout::Features, Some(128), Some(2)), Ok(Shape::known([28, 256])));
/// ```
///
/// # Errors
/// No time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::recurrent;
/// let error = recurrent::shape("lstm", &Shape::known([64]), Layout::Features, Some(128), Some(1)).unwrap_err();
/// assert_eq!(error.to_string(), "`lstm` wants [time, features], this value is [64]");
/// assert_eq!(error.help.as_deref(), Some("`reshape([64, 1])`: a series of that many steps, one number each"));
/// let error = recurrent::shape("gru", &Shape::known([64, 50]), Layout::Channels, Some(128), Some(1)).unwrap_err();
/// assert_eq!(error.to_string(), "`gru` wants [time, features], this value is channels first: [64, 50] is [channels, time]");
/// assert_eq!(error.help.as_deref(), Some("transpose -> gru"));
/// ```
pub fn shape(
    word: &str,
    input: &Shape,
    layout: Layout,
    hidden: Option<usize>,
    directions: Option<usize>,
) -> Result<Shape, ShapeError> {
    let (time, _) = steps(word, input, layout)?;
    let out = hidden
        .zip(directions)
        .map(|(hidden, directions)| hidden.saturating_mul(directions));
    Ok(Shape(vec![time, out]))
}
