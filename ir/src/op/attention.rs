//! `attention`: multi-head attention of a value to itself, or to another one.

use super::{Call, Field, Incoming, Inside, Operation, Type, operation};
use crate::shape::{divisor, show, steps};
use crate::words::choice;
use crate::{Layout, Rate, Role, Shape, ShapeError, Value, no};
use serde::{Deserialize, Serialize};

operation! {
    /// Multi-head attention (Vaswani et al., arXiv 1706.03762) of a value to itself, or with `from` to another value.
    ///
    /// Keeps the shape `[batch, time, features]`. No step attends to padding. Annotation: `attention_dropout`.
    /// The scores are `q k / sqrt(features / heads)`.
    pub struct Attention = attention(heads) {
        /// How many heads share the features; it divides them.
        heads: Value = named(Kind::Size).positional().called("the number of heads"),
        /// Whether a step attends only to itself and earlier ones.
        causal: Value = flag(false),
        /// Whether the projections have a bias.
        bias: Value = flag(true),
        /// The value that keys and values are made of, with a time axis; it may have other features and another length. Without it
        /// they are made of the value itself.
        #[serde(default, skip_serializing_if = "no")]
        from: Option<String> = optional(Kind::Name),
        /// How many heads keys and values have (Ainslie et al., arXiv 2305.13245); it divides `heads`. Each is used by
        /// `heads / kv_heads` heads of the queries. The default is `heads`.
        #[serde(default, skip_serializing_if = "no")]
        kv_heads: Option<Value> = optional(Kind::Size),
        /// A step attends only to steps that are fewer than so many away (Beltagy et al., arXiv 2004.05150): with `causal` to itself
        /// and the `window - 1` before it.
        #[serde(default, skip_serializing_if = "no")]
        window: Option<Value> = optional(Kind::Size),
        /// Keeps scores inside of `-soft_cap..soft_cap`, as `soft_cap * tanh(score / soft_cap)` (Gemma 2, arXiv 2408.00118).
        #[serde(default, skip_serializing_if = "no")]
        soft_cap: Option<Value> = optional(Kind::Float).range(Range::Positive)
            .usual(5.0, 200.0, 50.0, "50 in Gemma 2 (arXiv 2408.00118)"),
        /// Whether queries and keys of each head go through an `rms_norm` (Henry et al., arXiv 2010.04245), whose epsilon is 1e-6.
        #[serde(default, skip_serializing_if = "no")]
        qk_norm: Option<Value> = optional(Kind::Bool),
        /// What is added to the scores for the distance of two steps: `alibi`, a slope for each head (Press et al., arXiv 2108.12409), or
        /// `relative`, a learned number for each head and distance (Shaw et al., arXiv 1803.02155, as in Swin and T5).
        #[serde(default, skip_serializing_if = "no")]
        position: ScorePosition = optional(Kind::Word(ScorePosition::WORDS)),
    } + {
        /// `positional(rope)` directly before it: queries and keys are rotated (arXiv 2104.09864).
        #[serde(default, skip_serializing_if = "no")]
        rope: bool,
        /// `attention_dropout(p)`: on the attention weights.
        #[serde(default, skip_serializing_if = "no")]
        dropout: Option<Rate>,
    }
}

/// What is added to the scores for the distance of two steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScorePosition {
    /// Nothing.
    #[default]
    None,
    /// A slope for each head.
    Alibi,
    /// A learned number for each head and distance.
    Relative,
}

choice!(ScorePosition: "none" = None, "alibi" = Alibi, "relative" = Relative);

impl Attention {
    /// Attention with so many heads of a value to itself; the rest are the defaults.
    pub fn new(heads: impl Into<Value>) -> Self {
        Self {
            heads: heads.into(),
            causal: Value::truth(false),
            bias: Value::truth(true),
            from: None,
            kv_heads: None,
            window: None,
            soft_cap: None,
            qk_norm: None,
            position: ScorePosition::None,
            rope: false,
            dropout: None,
        }
    }

    /// How many heads keys and values have.
    pub fn kv_heads(&self) -> Option<usize> {
        self.kv_heads.as_ref().unwrap_or(&self.heads).size()
    }

    /// Features of all queries, of one head, and of all keys.
    fn widths(&self, features: Option<usize>) -> Option<[usize; 3]> {
        let (features, heads) = (features?, self.heads.size().filter(|heads| *heads > 0)?);
        let size = features / heads;
        Some([features, size, size.saturating_mul(self.kv_heads()?)])
    }
}

impl Operation for Attention {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self, from.shape, from.layout, from.memory)
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

    fn reads(&self) -> Option<&str> {
        self.from.as_deref()
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        self.parameters_of(input, None)
    }

    fn parameters_with(
        &self,
        input: Option<&Shape>,
        _: Option<&Shape>,
        memory: Option<&Shape>,
    ) -> Vec<Inside> {
        self.parameters_of(input, memory)
    }

    fn products_with(
        &self,
        input: Option<&Shape>,
        _: Option<&Shape>,
        memory: Option<&Shape>,
    ) -> Option<usize> {
        let input = input?;
        let (time, features) = (input.channels()?, input.features()?);
        let [_, _, keys] = self.widths(Some(features))?;
        let (others, width) = match (&self.from, memory) {
            (None, _) => (time, features),
            (Some(_), memory) => (memory?.channels()?, memory?.features()?),
        };
        let times = |factors: &[usize]| factors.iter().fold(1_usize, |a, b| a.saturating_mul(*b));
        let queries = times(&[2, time, features, features]);
        let keys = times(&[2, others, width, keys]);
        let scores = times(&[2, time, others, features]);
        Some(queries.saturating_add(keys).saturating_add(scores))
    }

    fn rates(&self) -> Vec<(&'static str, &Rate)> {
        let dropout = self.dropout.iter();
        dropout.map(|rate| ("attention_dropout", rate)).collect()
    }

    fn rates_mut(&mut self) -> Vec<&mut Rate> {
        self.dropout.iter_mut().collect()
    }

    fn prefix(&self) -> &'static str {
        if self.rope {
            "positional(rope) -> "
        } else {
            ""
        }
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(Type::damper("Attention")))
    }

    fn call(&self) -> Call {
        if self.from.is_some() {
            Call::MethodWithMemory
        } else {
            Call::MethodWithPadding
        }
    }
}

impl Attention {
    fn parameters_of(&self, input: Option<&Shape>, memory: Option<&Shape>) -> Vec<Inside> {
        let features = input.and_then(Shape::features);
        let widths = self.widths(features);
        let keys = widths.map(|[_, _, keys]| keys.saturating_mul(2));
        let bias = self.bias.is_true() != Some(false);
        let mut all = Vec::new();
        if self.from.is_some() {
            let width = memory.and_then(Shape::features);
            all.extend(Inside::projection("in_proj", features, features, bias));
            all.extend(Inside::projection("memory_proj", width, keys, bias));
        } else {
            let wide = features.zip(keys).map(|(a, b)| a.saturating_add(b));
            all.extend(Inside::projection("in_proj", features, wide, bias));
        }
        all.extend(Inside::projection("out_proj", features, features, bias));
        // A norm that is not known to be off is counted.
        if self
            .qk_norm
            .is_some_and(|norm| norm.is_true() != Some(false))
        {
            let size = widths.map(|[_, size, _]| size);
            all.push(Inside::new("q_norm", Role::Gain, [size]));
            all.push(Inside::new("k_norm", Role::Gain, [size]));
        }
        if self.position == ScorePosition::Relative {
            let time = input.and_then(Shape::channels);
            let distances = time.map(|time| time.saturating_mul(2).saturating_sub(1));
            let axes = [self.heads.size(), distances];
            all.push(Inside::new("relative", Role::Embedding, axes));
        }
        all
    }
}

/// `attention(heads)`: keeps `[time, features]`. `memory` is the value of `from`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::{Attention, attention};
///
/// let steps = Shape::known([64, 128]);
/// let four = Attention::new(4_usize);
/// assert_eq!(attention::shape(&four, &steps, Layout::Sequence, None), Ok(steps.clone()));
/// let words = Shape::known([20, 300]);
/// let cross = Attention { from: Some("words".to_owned()), ..four };
/// let memory = Some((&words, Layout::Sequence));
/// assert_eq!(attention::shape(&cross, &steps, Layout::Sequence, memory), Ok(steps));
/// ```
///
/// # Errors
/// The heads do not divide the features, or those of the keys not those of the queries; rotation over heads of an odd size; no
/// time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape, Value};
/// # use damper_ir::op::{Attention, attention};
/// let steps = Shape::known([64, 128]);
/// let error = attention::shape(&Attention::new(6_usize), &steps, Layout::Sequence, None).unwrap_err();
/// assert_eq!(error.to_string(), "6 heads do not divide the 128 features of [64, 128]");
/// assert_eq!(error.help.as_deref(), Some("attention(heads = 4)"));
/// let image = Shape::known([3, 8, 8]);
/// let error = attention::shape(&Attention::new(1_usize), &image, Layout::Channels, None).unwrap_err();
/// assert_eq!(error.help.as_deref(), Some("`to_sequence -> attention`: the 64 positions of the image are the steps"));
/// let grouped = Attention { kv_heads: Some(Value::known(3.0)), ..Attention::new(8_usize) };
/// let error = attention::shape(&grouped, &steps, Layout::Sequence, None).unwrap_err();
/// assert_eq!(error.to_string(), "`kv_heads = 3` does not divide the 8 heads of `attention`");
/// assert_eq!(error.help.as_deref(), Some("kv_heads = 2"));
/// ```
///
/// What depends on the order of steps, with `from`: the steps of two values have no common order. A value of `from` without a
/// time axis.
///
/// ```
/// # use damper_ir::{Layout, Shape, Value};
/// # use damper_ir::op::{Attention, attention};
/// # let steps = Shape::known([64, 128]);
/// let words = Shape::known([20, 300]);
/// let cross = Attention { from: Some("words".to_owned()), causal: Value::truth(true), ..Attention::new(4_usize) };
/// let memory = Some((&words, Layout::Sequence));
/// let error = attention::shape(&cross, &steps, Layout::Sequence, memory).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`causal` compares the steps of one value, `from = words` attends to those of another"
/// );
/// assert_eq!(error.help.as_deref(), Some("remove `causal`"));
/// let row = Shape::known([300]);
/// let cross = Attention { causal: Value::truth(false), ..cross };
/// let error = attention::shape(&cross, &steps, Layout::Sequence, Some((&row, Layout::Features))).unwrap_err();
/// assert_eq!(error.to_string(), "`from = words` of `attention` wants [time, features], that value is [300]");
/// ```
pub fn shape(
    attention: &Attention,
    input: &Shape,
    layout: Layout,
    memory: Option<(&Shape, Layout)>,
) -> Result<Shape, ShapeError> {
    let (time, features) = steps("attention", input, layout)?;
    let heads = attention.heads.size();
    if let Some((features, heads)) = features.zip(heads).filter(|(_, heads)| *heads > 0) {
        if features % heads != 0 {
            let near = divisor(features, heads);
            return Err(ShapeError::new(format!(
                "{heads} heads do not divide the {features} features of {input}"
            ))
            .help(format!("attention(heads = {near})")));
        }
        let each = features / heads;
        if attention.rope && each % 2 == 1 {
            return Err(ShapeError::new(format!(
                "`positional(rope)` rotates pairs of features, a head of {input} has {each}"
            ))
            .help("heads of an even size, or `positional(learned)`"));
        }
    }
    let groups = attention.kv_heads.as_ref().and_then(Value::size);
    if let Some((heads, groups)) = heads.zip(groups).filter(|(_, groups)| *groups > 0)
        && heads % groups != 0
    {
        let near = divisor(heads, groups);
        return Err(ShapeError::new(format!(
            "`kv_heads = {groups}` does not divide the {heads} heads of `attention`"
        ))
        .help(format!("kv_heads = {near}")));
    }
    if let Some(name) = &attention.from {
        ordered(attention, name)?;
        if let Some((memory, layout)) = memory {
            steps("attention", memory, layout).map_err(|shape_error| {
                let first = layout == Layout::Channels;
                let message = format!(
                    "`from = {name}` of `attention` wants [time, features], that value is {memory}"
                );
                ShapeError::new(message).help(match (memory.rank(), first) {
                    (1, _) => format!(
                        "`reshape([1, {}])` at the end of `{name}` is one step",
                        show(memory.features())
                    ),
                    (2, true) => format!("`transpose` at the end of `{name}`"),
                    (_, true) => format!("`to_sequence` at the end of `{name}`"),
                    _ => shape_error.help.unwrap_or_default(),
                })
            })?;
        }
    }
    Ok(Shape(vec![time, features]))
}

/// What compares the steps of one value has no meaning between two.
fn ordered(attention: &Attention, name: &str) -> Result<(), ShapeError> {
    let is = |value: Option<Value>| value.and_then(|value| value.is_true()) == Some(true);
    let position = match attention.position {
        ScorePosition::None => None,
        ScorePosition::Alibi => Some("position = alibi"),
        ScorePosition::Relative => Some("position = relative"),
    };
    let found = [
        is(Some(attention.causal)).then_some("causal"),
        attention.window.map(|_| "window"),
        position,
        attention.rope.then_some("positional(rope)"),
    ];
    match found.into_iter().flatten().next() {
        Some(word) => Err(ShapeError::new(format!(
            "`{word}` compares the steps of one value, `from = {name}` attends to those of another"
        ))
        .help(format!("remove `{word}`"))),
        None => Ok(()),
    }
}
