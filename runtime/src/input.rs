//! Checks inputs against the declaration.

use crate::autodiff::plain;
use crate::data::{DataError, first_name, least_vocab};
use crate::{InputTensor, Inputs, Spec};
use burn::tensor::{Int, Tensor};
use damper_ir::{Input, InputKind, Value};
use std::fmt;

/// Why inputs do not fit a model.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Another number of inputs than declared.
    #[error("`{model}` has inputs: {expected}; {found} given")]
    Count {
        /// The model's name.
        model: String,
        /// The number that was given.
        found: usize,
        /// The declared number.
        expected: usize,
    },
    /// An input has another shape than declared.
    #[error("`{input}` of `{model}` is {expected}, but {found} was given")]
    Shape {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// The declared shape.
        expected: String,
        /// The shape that was given.
        found: String,
    },
    /// Real numbers were given for class indices, or the other way around.
    #[error("`{input}` of `{model}` holds {expected}, but {found} were given")]
    Kind {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// The declared kind of values.
        expected: &'static str,
        /// The kind that was given.
        found: &'static str,
    },
    /// The inputs of one batch have different numbers of samples.
    #[error(
        "`{input}` of `{model}` has a batch of {found}, but the first input has one of {expected}"
    )]
    Batch {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// Its number of samples.
        found: usize,
        /// The number of samples of the first input.
        expected: usize,
    },
    /// A class index is outside of the vocabulary.
    #[error("`{input}` of `{model}` has the class {found} in row {row} (counted from 0), but its {vocab} classes go from 0 to {}", .vocab.saturating_sub(1))]
    Class {
        /// The model's name.
        model: String,
        /// The input's name.
        input: String,
        /// The index.
        found: i64,
        /// The first row that has it.
        row: usize,
        /// The number of classes.
        vocab: usize,
    },
    /// A layer panicked on its value.
    #[error("a layer of `{model}` does not take these inputs: {reason}")]
    Layer {
        /// The model's name.
        model: String,
        /// The message of the panic.
        reason: String,
    },
}

/// Why data cannot be predicted.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The data do not fit the model, or have other columns than its training data.
    #[error(transparent)]
    Data(Box<DataError>),
    /// The inputs do not fit the model.
    #[error(transparent)]
    Input(#[from] InputError),
}

impl From<DataError> for PredictError {
    fn from(error: DataError) -> Self {
        Self::Data(Box::new(error))
    }
}

/// The declared shape: `[batch, 5, 3]`.
struct Batched<'a>(&'a Input);

impl fmt::Display for Batched<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[batch")?;
        for axis in &self.0.shape {
            match axis.size() {
                Some(size) => write!(f, ", {size}")?,
                None => f.write_str(", ?")?,
            }
        }
        f.write_str("]")
    }
}

impl InputError {
    /// Checks the shape of one input: the number of axes, the width of flat rows, and the batch size, which is that of
    /// the first of `all`. Other axes may have other sizes if the layers accept them, as a longer sequence.
    pub(crate) fn check(
        spec: &Spec,
        declared: &Input,
        all: &[&[usize]],
        dims: &[usize],
    ) -> Result<(), Self> {
        let (model, input) = (&spec.model().name, &declared.name);
        let width = match (declared.shape.as_slice(), &declared.kind) {
            ([width], InputKind::Float) => width.size(),
            _ => None,
        };
        let fits = dims.len() == declared.shape.len() + 1
            && width.is_none_or(|width| dims.get(1) == Some(&width));
        if !fits {
            return Err(Self::Shape {
                model: model.clone(),
                input: input.clone(),
                expected: Batched(declared).to_string(),
                found: format!("{dims:?}"),
            });
        }
        let first = all.first().and_then(|dims| dims.first()).copied();
        match (dims.first().copied(), first) {
            (Some(found), Some(expected)) if found != expected => Err(Self::Batch {
                model: model.clone(),
                input: input.clone(),
                found,
                expected,
            }),
            _ => Ok(()),
        }
    }

    /// Checks all inputs against the declaration.
    pub(crate) fn check_all(spec: &Spec, inputs: &Inputs) -> Result<(), Self> {
        let model = &spec.model().name;
        let declared = &spec.model().inputs;
        if declared.len() != inputs.0.len() {
            return Err(Self::Count {
                model: model.clone(),
                found: inputs.0.len(),
                expected: declared.len(),
            });
        }
        let dims: Vec<Vec<usize>> = inputs.0.iter().map(InputTensor::dims).collect();
        let all: Vec<&[usize]> = dims.iter().map(Vec::as_slice).collect();
        for ((tensor, declared), dims) in inputs.0.iter().zip(declared).zip(&dims) {
            Self::check(spec, declared, &all, dims)?;
            if !tensor.is_whole() {
                return Err(Self::Shape {
                    model: model.clone(),
                    input: declared.name.clone(),
                    expected: Batched(declared).to_string(),
                    found: format!("{dims:?} of rows of another width"),
                });
            }
            let (expected, found) = match (&declared.kind, tensor) {
                (InputKind::Float, InputTensor::Float(..)) => continue,
                (InputKind::Int { vocab, .. }, InputTensor::Int(tokens, _)) => {
                    Self::check_classes(spec, declared, vocab.as_ref(), tokens)?;
                    continue;
                }
                (InputKind::Float, InputTensor::Int(..)) => ("numbers", "class indices"),
                (InputKind::Int { .. }, InputTensor::Float(..)) => ("class indices", "numbers"),
            };
            return Err(Self::Kind {
                model: model.clone(),
                input: declared.name.clone(),
                expected,
                found,
            });
        }
        Ok(())
    }

    fn check_classes(
        spec: &Spec,
        declared: &Input,
        vocab: Option<&Value>,
        tokens: &Tensor<2, Int>,
    ) -> Result<(), Self> {
        let model = spec.model();
        let read = || least_vocab(&model.layers, &declared.name, first_name(&model.inputs));
        let Some(vocab) = vocab.and_then(Value::size).or_else(read) else {
            return Ok(());
        };
        let [_, width] = tokens.dims();
        let classes = plain(tokens.clone()).into_data();
        let is_class = |class: i64| usize::try_from(class).is_ok_and(|class| class < vocab);
        match classes
            .iter::<i64>()
            .enumerate()
            .find(|(_, class)| !is_class(*class))
        {
            None => Ok(()),
            Some((at, found)) => Err(Self::Class {
                model: model.name.clone(),
                input: declared.name.clone(),
                found,
                row: at / width.max(1),
                vocab,
            }),
        }
    }
}
