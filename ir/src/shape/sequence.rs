//! The rules of what reads class indices or steps of time.

use super::{Layout, Misfit, Shape, divisor, sequence, show};
use crate::{Axis, Reduction};

/// `[time, features]` for `word`, or why it is not.
fn steps(
    word: &str,
    input: &Shape,
    layout: Layout,
) -> Result<(Option<usize>, Option<usize>), Misfit> {
    match (input.0.as_slice(), layout) {
        ([time, features], Layout::Features | Layout::Sequence) => Ok((*time, *features)),
        _ => Err(not_steps(word, input, layout)),
    }
}

fn not_steps(word: &str, input: &Shape, layout: Layout) -> Misfit {
    let wanted = "[time, features]";
    if layout == Layout::Channels && input.rank() == 2 {
        return Misfit::new(format!(
            "`{word}` wants {wanted}, this value is channels first: {input} is [channels, time]"
        ))
        .help(format!("transpose -> {word}"));
    }
    let misfit = Misfit::new(format!("`{word}` wants {wanted}, this value is {input}"));
    match input.0.as_slice() {
        [features] => misfit.help(format!(
            "give it a time axis: `reshape([1, {}])` is one step",
            show(*features)
        )),
        [] => misfit,
        _ => misfit.help(format!(
            "`to_sequence -> {word}`: the {} positions of the image are the steps",
            show(input.positions())
        )),
    }
}

/// `embedding(vocab, dim)`: class indices `[time] -> [time, dim]`.
///
/// ```
/// use damper_ir::{Shape, shape};
///
/// let tokens = Shape::known([128]);
/// assert_eq!(
///     shape::embedding(&tokens, ("tokens", Some(8000)), Some(8000), Some(64)),
///     Ok(Shape::known([128, 64]))
/// );
/// ```
///
/// # Errors
/// More than one axis; fewer classes than the input declares.
///
/// ```
/// # use damper_ir::{Shape, shape};
/// let tokens = Shape::known([128]);
/// let misfit = shape::embedding(&tokens, ("tokens", Some(8000)), Some(100), Some(64)).unwrap_err();
/// assert_eq!(misfit.to_string(), "`embedding` has a table of 100 classes, `tokens` holds indices of 8000");
/// assert_eq!(misfit.help.as_deref(), Some("embedding(8000, 64)"));
/// ```
pub fn embedding(
    input: &Shape,
    (name, declared): (&str, Option<usize>),
    vocab: Option<usize>,
    dim: Option<usize>,
) -> Result<Shape, Misfit> {
    let [time] = input.0.as_slice() else {
        return Err(Misfit::new(format!(
            "`embedding` wants class indices [time], `{name}` is {input}"
        ))
        .help(format!("input {name}: [{}] of int", show(input.elements()))));
    };
    match declared.zip(vocab) {
        Some((declared, vocab)) if vocab < declared => Err(Misfit::new(format!(
            "`embedding` has a table of {vocab} classes, `{name}` holds indices of {declared}"
        ))
        .help(format!("embedding({declared}, {})", show(dim)))),
        _ => Ok(Shape(vec![*time, dim])),
    }
}

/// `linear(out, tied = embed)`: the weight is the table `[vocab, dim]` of an embedding.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let state = Shape::known([128, 64]);
/// assert_eq!(
///     shape::tied(&state, Layout::Sequence, Some(8000), "embed", (Some(8000), Some(64))),
///     Ok(Shape::known([128, 8000]))
/// );
/// ```
///
/// # Errors
/// Other units than classes; other features than the length of a vector.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let state = Shape::known([128, 64]);
/// let table = (Some(8000), Some(32));
/// let misfit = shape::tied(&state, Layout::Sequence, Some(100), "embed", table).unwrap_err();
/// assert_eq!(misfit.to_string(), "`linear(100, tied = embed)` gives 100 units, the table of `embed` has 8000 classes");
/// assert_eq!(misfit.help.as_deref(), Some("linear(8000, tied = embed)"));
/// let misfit = shape::tied(&state, Layout::Sequence, Some(8000), "embed", table).unwrap_err();
/// assert_eq!(misfit.to_string(), "`linear(8000, tied = embed)` wants the 32 features of `embed`, this value is [128, 64]");
/// assert_eq!(misfit.help.as_deref(), Some("linear(32) -> linear(8000, tied = embed)"));
/// ```
pub fn tied(
    input: &Shape,
    layout: Layout,
    out: Option<usize>,
    name: &str,
    (vocab, dim): (Option<usize>, Option<usize>),
) -> Result<Shape, Misfit> {
    let given = super::linear("linear", input, layout, out)?;
    if let Some((out, vocab)) = out.zip(vocab).filter(|(out, vocab)| out != vocab) {
        return Err(Misfit::new(format!(
            "`linear({out}, tied = {name})` gives {out} units, the table of `{name}` has {vocab} classes"
        ))
        .help(format!("linear({vocab}, tied = {name})")));
    }
    match input.features().zip(dim) {
        Some((features, dim)) if features != dim => {
            let out = show(out);
            Err(Misfit::new(format!(
                "`linear({out}, tied = {name})` wants the {dim} features of `{name}`, this value is {input}"
            ))
            .help(format!("linear({dim}) -> linear({out}, tied = {name})")))
        }
        _ => Ok(given),
    }
}

/// `lstm`, `gru`, `rnn`: `[time, features] -> [time, hidden * directions]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let rows = Shape::known([28, 28]);
/// assert_eq!(shape::recurrent("lstm", &rows, Layout::Features, Some(128), Some(2)), Ok(Shape::known([28, 256])));
/// ```
///
/// # Errors
/// No time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let misfit = shape::recurrent("lstm", &Shape::known([64]), Layout::Features, Some(128), Some(1)).unwrap_err();
/// assert_eq!(misfit.to_string(), "`lstm` wants [time, features], this value is [64]");
/// assert_eq!(misfit.help.as_deref(), Some("give it a time axis: `reshape([1, 64])` is one step"));
/// let misfit = shape::recurrent("gru", &Shape::known([64, 50]), Layout::Channels, Some(128), Some(1)).unwrap_err();
/// assert_eq!(misfit.to_string(), "`gru` wants [time, features], this value is channels first: [64, 50] is [channels, time]");
/// assert_eq!(misfit.help.as_deref(), Some("transpose -> gru"));
/// ```
pub fn recurrent(
    word: &str,
    input: &Shape,
    layout: Layout,
    hidden: Option<usize>,
    directions: Option<usize>,
) -> Result<Shape, Misfit> {
    let (time, _) = steps(word, input, layout)?;
    let out = hidden
        .zip(directions)
        .map(|(hidden, directions)| hidden.saturating_mul(directions));
    Ok(Shape(vec![time, out]))
}

/// `attention(heads)`: keeps `[time, features]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let steps = Shape::known([64, 128]);
/// assert_eq!(shape::attention(&steps, Layout::Sequence, Some(4), false), Ok(steps));
/// ```
///
/// # Errors
/// The heads do not divide the features; rotation over heads of an odd size; no time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let misfit = shape::attention(&Shape::known([64, 128]), Layout::Sequence, Some(6), false).unwrap_err();
/// assert_eq!(misfit.to_string(), "6 heads do not divide the 128 features of [64, 128]");
/// assert_eq!(misfit.help.as_deref(), Some("attention(heads = 4)"));
/// let misfit = shape::attention(&Shape::known([3, 8, 8]), Layout::Channels, Some(1), false).unwrap_err();
/// assert_eq!(misfit.help.as_deref(), Some("`to_sequence -> attention`: the 64 positions of the image are the steps"));
/// ```
pub fn attention(
    input: &Shape,
    layout: Layout,
    heads: Option<usize>,
    rope: bool,
) -> Result<Shape, Misfit> {
    let (time, features) = steps("attention", input, layout)?;
    if let Some((features, heads)) = features.zip(heads).filter(|(_, heads)| *heads > 0) {
        if features % heads != 0 {
            let near = divisor(features, heads);
            return Err(Misfit::new(format!(
                "{heads} heads do not divide the {features} features of {input}"
            ))
            .help(format!("attention(heads = {near})")));
        }
        let each = features / heads;
        if rope && each % 2 == 1 {
            return Err(Misfit::new(format!(
                "`positional(rope)` rotates pairs of features, a head of {input} has {each}"
            ))
            .help("heads of an even size, or `positional(learned)`"));
        }
    }
    Ok(Shape(vec![time, features]))
}

/// `positional(sinusoidal)`, `positional(learned)`: keeps `[time, features]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let steps = Shape::known([64, 128]);
/// assert_eq!(shape::positional(&steps, Layout::Sequence, true), Ok(steps));
/// ```
///
/// # Errors
/// Sines and cosines over an odd number of features; no time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let misfit = shape::positional(&Shape::known([64, 33]), Layout::Sequence, false).unwrap_err();
/// assert_eq!(misfit.to_string(), "`positional(sinusoidal)` wants an even number of features, this value is [64, 33]");
/// assert_eq!(misfit.help.as_deref(), Some("positional(learned)"));
/// ```
pub fn positional(input: &Shape, layout: Layout, learned: bool) -> Result<Shape, Misfit> {
    let (_, features) = steps("positional", input, layout)?;
    if !learned && features.is_some_and(|features| features % 2 == 1) {
        return Err(Misfit::new(format!(
            "`positional(sinusoidal)` wants an even number of features, this value is {input}"
        ))
        .help("positional(learned)"));
    }
    Ok(input.clone())
}

/// `class_token`: `[time, features] -> [time + 1, features]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// assert_eq!(shape::class_token(&Shape::known([196, 768]), Layout::Sequence), Ok(Shape::known([197, 768])));
/// ```
///
/// # Errors
/// No time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let misfit = shape::class_token(&Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(misfit.to_string(), "`class_token` wants [time, features], this value is [64]");
/// ```
pub fn class_token(input: &Shape, layout: Layout) -> Result<Shape, Misfit> {
    let (time, features) = steps("class_token", input, layout)?;
    Ok(Shape(vec![
        time.map(|time| time.saturating_add(1)),
        features,
    ]))
}

/// `first_step`, `last_step`: `[time, features] -> [features]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// assert_eq!(shape::step("last_step", &Shape::known([28, 128]), Layout::Sequence), Ok(Shape::known([128])));
/// ```
///
/// # Errors
/// No time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let misfit = shape::step("last_step", &Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(misfit.to_string(), "`last_step` wants [time, features], this value is [64]");
/// ```
pub fn step(word: &str, input: &Shape, layout: Layout) -> Result<Shape, Misfit> {
    let (_, features) = steps(word, input, layout).map_err(|misfit| match input.rank() {
        1 => Misfit {
            help: Some(format!("remove `{word}`: there is no time axis")),
            ..misfit
        },
        _ => misfit,
    })?;
    Ok(Shape(vec![features]))
}

/// `mean(axis = ..)`, `max(axis = ..)`: the axis is gone.
///
/// ```
/// use damper_ir::{Axis, Layout, Reduction, Shape, shape};
///
/// let steps = Shape::known([64, 128]);
/// let mean = |axis| shape::reduce(Reduction::Mean, axis, &steps, Layout::Sequence);
/// assert_eq!(mean(Axis::Time), Ok(Shape::known([128])));
/// assert_eq!(mean(Axis::Features), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// The value has no such axis.
///
/// ```
/// # use damper_ir::{Axis, Layout, Reduction, Shape, shape};
/// # let steps = Shape::known([64, 128]);
/// # let mean = |axis| shape::reduce(Reduction::Mean, axis, &steps, Layout::Sequence);
/// let misfit = mean(Axis::Channels).unwrap_err();
/// assert_eq!(misfit.to_string(), "`mean(axis = channels)` wants [channels, ..], this value is a sequence: [64, 128] is [time, features]");
/// assert_eq!(misfit.help.as_deref(), Some("mean(axis = features)"));
/// let image = Shape::known([8, 7, 7]);
/// let misfit = shape::reduce(Reduction::Max, Axis::Time, &image, Layout::Channels).unwrap_err();
/// assert_eq!(misfit.to_string(), "`max(axis = time)` wants [time, features], this value is [8, 7, 7]");
/// assert_eq!(misfit.help.as_deref(), Some("`global_max_pool` over the positions, or `to_sequence -> max(axis = time)`"));
/// ```
pub fn reduce(
    reduction: Reduction,
    axis: Axis,
    input: &Shape,
    layout: Layout,
) -> Result<Shape, Misfit> {
    let (word, pool) = match reduction {
        Reduction::Mean => ("mean", "global_avg_pool"),
        Reduction::Max => ("max", "global_max_pool"),
    };
    let call = format!("{word}(axis = {})", axis.word());
    if input.rank() < 2 {
        let misfit = Misfit::new(format!(
            "`{call}` wants at least two axes, this value is {input}"
        ));
        return Err(misfit.help(format!("remove `{call}`")));
    }
    match axis {
        Axis::Time if layout == Layout::Channels || input.rank() > 2 => {
            Err(not_steps(&call, input, layout).help(format!(
                "`{pool}` over the positions, or `{} -> {call}`",
                if input.rank() == 2 {
                    "transpose"
                } else {
                    "to_sequence"
                }
            )))
        }
        Axis::Channels if layout == Layout::Sequence => {
            Err(sequence(&call, "[channels, ..]", input).help(format!("{word}(axis = features)")))
        }
        Axis::Features if layout == Layout::Channels => Err(Misfit::new(format!(
            "`{call}` wants [time, features], this value is channels first: {input}"
        ))
        .help(format!(
            "`{word}(axis = channels)` over the channels, `{pool}` over the positions"
        ))),
        Axis::Time | Axis::Channels => Ok(Shape(input.0.iter().skip(1).copied().collect())),
        Axis::Features => {
            let mut kept = input.0.clone();
            kept.pop();
            Ok(Shape(kept))
        }
    }
}

/// `to_sequence`: `[channels, ..] -> [positions, channels]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let patches = Shape::known([768, 14, 14]);
/// assert_eq!(shape::to_sequence(&patches, Layout::Channels), Ok(Shape::known([196, 768])));
/// ```
///
/// # Errors
/// No positions; a sequence already.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let misfit = shape::to_sequence(&Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(misfit.to_string(), "`to_sequence` wants [channels, ..], this value is [64]");
/// ```
pub fn to_sequence(input: &Shape, layout: Layout) -> Result<Shape, Misfit> {
    if layout == Layout::Sequence {
        return Err(sequence("to_sequence", "[channels, ..]", input).help("remove `to_sequence`"));
    }
    if input.rank() < 2 {
        return Err(Misfit::new(format!(
            "`to_sequence` wants [channels, ..], this value is {input}"
        ))
        .help(format!(
            "`reshape([1, {}])` is one step",
            show(input.features())
        )));
    }
    Ok(Shape(vec![input.positions(), input.channels()]))
}

/// `transpose`: `[a, b] -> [b, a]`.
///
/// ```
/// use damper_ir::{Shape, shape};
///
/// assert_eq!(shape::transpose(&Shape::known([50, 32])), Ok(Shape::known([32, 50])));
/// ```
///
/// # Errors
/// Not two axes.
///
/// ```
/// # use damper_ir::{Shape, shape};
/// let misfit = shape::transpose(&Shape::known([3, 8, 8])).unwrap_err();
/// assert_eq!(misfit.to_string(), "`transpose` wants a value of two axes, this value is [3, 8, 8]");
/// ```
pub fn transpose(input: &Shape) -> Result<Shape, Misfit> {
    if let [a, b] = input.0.as_slice() {
        return Ok(Shape(vec![*b, *a]));
    }
    let misfit = Misfit::new(format!(
        "`transpose` wants a value of two axes, this value is {input}"
    ));
    Err(if input.rank() > 2 {
        misfit.help("`to_sequence` puts the channels last")
    } else {
        misfit.help("remove `transpose`")
    })
}
