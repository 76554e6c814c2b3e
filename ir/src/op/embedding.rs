//! `embedding`: a table of vectors, one for each class.

use super::{Call, Field, Incoming, Inside, Operation, Type, operation};
use crate::shape::show;
use crate::{Layout, Rate, Role, Shape, ShapeError, Value, no};

operation! {
    /// A learned vector for each class of an input `of int`.
    ///
    /// Shapes: `[batch, time]` to `[batch, time, dim]`. Parameter: `weight` `[vocab, dim]`, normally distributed; decay and penalties
    /// reach it with `on embedding`. Annotation: `embedding_dropout`.
    pub struct Embedding = embedding(vocab, dim) {
        /// How many classes there are: indices are below it.
        vocab: Value = required(Kind::Size).called("the number of classes"),
        /// The length of a class's vector.
        dim: Value = required(Kind::Size).called("the length of a vector"),
    } + {
        /// `embedding_dropout(p)`: drops all occurrences of a class while training (arXiv 1512.05287).
        #[serde(default, skip_serializing_if = "no")]
        dropout: Option<Rate>,
    }
}

impl Operation for Embedding {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        let declared = (from.name, from.vocab);
        shape(from.shape, declared, self.vocab.size(), self.dim.size())
    }

    fn takes_indices(&self) -> bool {
        true
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(1)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Sequence
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn parameters(&self, _: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let axes = [self.vocab.size(), self.dim.size()];
        vec![Inside::new("weight", Role::Embedding, axes)]
    }

    fn unit_axis(&self, _: usize) -> usize {
        0
    }

    fn rates(&self) -> Vec<(&'static str, &Rate)> {
        let dropout = self.dropout.iter();
        dropout.map(|rate| ("embedding_dropout", rate)).collect()
    }

    fn rates_mut(&mut self) -> Vec<&mut Rate> {
        self.dropout.iter_mut().collect()
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(
            Type::burn("nn::Embedding").with_parameter("weight"),
        ))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `embedding(vocab, dim)`: class indices `[time] -> [time, dim]`.
///
/// ```
/// use damper_ir::Shape;
/// use damper_ir::op::embedding;
///
/// let tokens = Shape::known([128]);
/// assert_eq!(
///     embedding::shape(&tokens, ("tokens", Some(8000)), Some(8000), Some(64)),
///     Ok(Shape::known([128, 64]))
/// );
/// ```
///
/// # Errors
/// More than one axis; fewer classes than the input declares.
///
/// ```
/// # use damper_ir::Shape;
/// # use damper_ir::op::embedding;
/// let tokens = Shape::known([128]);
/// let error = embedding::shape(&tokens, ("tokens", Some(8000)), Some(100), Some(64)).unwrap_err();
/// assert_eq!(error.to_string(), "`embedding` has a table of 100 classes, `tokens` holds indices of 8000");
/// assert_eq!(error.help.as_deref(), Some("embedding(8000, 64)"));
/// ```
pub fn shape(
    input: &Shape,
    (name, declared): (&str, Option<usize>),
    vocab: Option<usize>,
    dim: Option<usize>,
) -> Result<Shape, ShapeError> {
    let [time] = input.0.as_slice() else {
        return Err(ShapeError::new(format!(
            "`embedding` wants class indices [time], `{name}` is {input}"
        ))
        .help(format!("input {name}: [{}] of int", show(input.elements()))));
    };
    match declared.zip(vocab) {
        Some((declared, vocab)) if vocab < declared => Err(ShapeError::new(format!(
            "`embedding` has a table of {vocab} classes, `{name}` holds indices of {declared}"
        ))
        .help(format!("embedding({declared}, {})", show(dim)))),
        _ => Ok(Shape(vec![*time, dim])),
    }
}
