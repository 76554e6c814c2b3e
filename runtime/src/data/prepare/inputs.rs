//! The check of features against the inputs of a model.

use super::prepared::{Numbers, PreparedInput};
use super::vocab::{first_name, least_vocab};
use crate::Spec;
use crate::data::error::DataError;
use crate::data::features::Features;
use crate::data::number::is_class_index;
use crate::data::samples::{self, Data};
use damper_ir::{Input, InputKind, Value};
use std::sync::Arc;

/// Sums of squares of larger numbers may overflow an `f32`.
const LARGEST: f32 = 1e18;

/// The numbers of each input of the model, in its order.
pub(super) fn prepare_inputs(data: &Data, spec: &Spec) -> Result<Vec<PreparedInput>, DataError> {
    let model = spec.model();
    if data.inputs.len() != model.inputs.len() {
        return Err(other_inputs(
            data,
            spec,
            "`Data::new` takes the first input, `.with_input(\"NAME\", ..)` adds each further one",
        ));
    }
    let mut prepared = Vec::with_capacity(model.inputs.len());
    for (index, wanted) in model.inputs.iter().enumerate() {
        let Some(input) = find(data, wanted, index) else {
            return Err(other_inputs(
                data,
                spec,
                "give each further input its name in the model",
            ));
        };
        let shape: Vec<usize> = wanted
            .shape
            .iter()
            .map(|axis| axis.size().unwrap_or(0))
            .collect();
        let features = &input.features;
        let values = match &wanted.kind {
            InputKind::Float => {
                check_shape(features, wanted, &shape, &model.name)?;
                check_size(data, features)?;
                Numbers::Float(Arc::clone(&features.values))
            }
            InputKind::Int { vocab, pad } => {
                if features.lengths.is_none() {
                    check_shape(features, wanted, &shape, &model.name)?;
                }
                let tokens = Tokens::of(wanted, vocab.as_ref(), pad.as_ref(), &shape, spec);
                Numbers::Int(Arc::new(tokens.read(data, features)?))
            }
        };
        prepared.push(PreparedInput { shape, values });
    }
    Ok(prepared)
}

/// The input with this name; the first one may have no name.
fn find<'a>(data: &'a Data, wanted: &Input, index: usize) -> Option<&'a samples::Input> {
    let has_name = |input: &&samples::Input| input.name.as_deref() == Some(wanted.name.as_str());
    let first = || {
        data.inputs
            .first()
            .filter(|input| index == 0 && input.name.is_none())
    };
    data.inputs.iter().find(has_name).or_else(first)
}

fn other_inputs(data: &Data, spec: &Spec, help: &str) -> DataError {
    let model = spec.model();
    let found = data.inputs.iter();
    DataError::Inputs {
        model: model.name.clone(),
        found: found
            .map(|input| input.name.clone().unwrap_or_else(|| "(first)".to_owned()))
            .collect(),
        expected: model
            .inputs
            .iter()
            .map(|input| input.name.clone())
            .collect(),
        help: help.to_owned(),
    }
}

/// Checks that rows of numbers, or images, have the input's shape.
fn check_shape(
    features: &Features,
    wanted: &Input,
    shape: &[usize],
    model: &str,
) -> Result<(), DataError> {
    if features.lengths.is_some() {
        return Err(DataError::SequencesForNumbers {
            input: wanted.name.clone(),
            model: model.to_owned(),
            longest: features.width,
        });
    }
    if let ([_, _, _], [channels, height, width]) = (features.shape.as_slice(), shape)
        && features.shape != shape
    {
        let same_size = features.shape[1..] == [*height, *width];
        let help = match channels {
            1 if features.shape[0] != 1 && same_size => {
                "read the images in gray: `.gray()`".to_owned()
            }
            3 if features.shape[0] != 3 && same_size => {
                "read the images in color, without `.gray()`".to_owned()
            }
            _ if features.shape[0] == *channels => {
                format!("resize the images: `.resize({height}, {width})`")
            }
            1 => format!(
                "read the images in gray, and resize them: `.gray().resize({height}, {width})`"
            ),
            _ => format!(
                "declare the shape of the images: `{}: {:?}`",
                wanted.name, features.shape
            ),
        };
        return Err(DataError::ImageShape {
            model: model.to_owned(),
            input: wanted.name.clone(),
            found: features.shape.clone(),
            expected: shape.to_vec(),
            help,
        });
    }
    let (found, expected) = (features.width, shape.iter().product());
    if found != expected {
        return Err(DataError::Width {
            model: model.to_owned(),
            input: wanted.name.clone(),
            shape: format!("{shape:?}"),
            found,
            expected,
        });
    }
    Ok(())
}

/// Refuses numbers whose squares overflow: they would make every weight NaN, and the learning rate would be blamed.
fn check_size(data: &Data, features: &Features) -> Result<(), DataError> {
    match features.values.iter().position(|x| x.abs() > LARGEST) {
        None => Ok(()),
        Some(at) => Err(DataError::TooLarge {
            place: Box::new(data.feature_place(features, at / features.width, at % features.width)),
            value: features.values[at],
            help: "scale the columns: `data::standardize(&train, [&valid])`, or `Scaler::min_max`"
                .to_owned(),
        }),
    }
}

/// An input of class indices.
struct Tokens<'a> {
    input: &'a Input,
    model: &'a str,
    shape: &'a [usize],
    /// The length of a padded sequence.
    steps: usize,
    vocab: Option<usize>,
    /// The declaration that limits the vocabulary, for messages.
    vocab_from: String,
    pad: Option<f32>,
}

impl<'a> Tokens<'a> {
    fn of(
        input: &'a Input,
        vocab: Option<&Value>,
        pad: Option<&Value>,
        shape: &'a [usize],
        spec: &'a Spec,
    ) -> Self {
        let model = spec.model();
        let (vocab, vocab_from) = if let Some(vocab) = vocab.and_then(Value::size) {
            (Some(vocab), format!("is `of int(vocab = {vocab})`"))
        } else {
            let vocab = least_vocab(&model.layers, &input.name, first_name(&model.inputs));
            let size = vocab.unwrap_or_default();
            (vocab, format!("is read by `embedding({size}, ..)`"))
        };
        Self {
            input,
            model: &model.name,
            shape,
            steps: shape.iter().product(),
            vocab,
            vocab_from,
            pad: pad.and_then(Value::size).map(|pad| pad as f32),
        }
    }

    /// The class indices row by row, each sequence padded to the time axis.
    fn read(&self, data: &Data, features: &Features) -> Result<Vec<i64>, DataError> {
        let mut tokens = Vec::with_capacity(self.steps * features.rows());
        for row in 0..features.rows() {
            let sequence = features.row(row).unwrap_or_default();
            self.check_length(data, features, row, sequence)?;
            self.check_classes(data, features, row, sequence)?;
            if let Some(pad) = self.pad
                && sequence.iter().all(|x| x.to_bits() == pad.to_bits())
            {
                return Err(DataError::EmptySequence {
                    place: data.place(row),
                    help: format!(
                        "{pad} is the padding of input `{}`: leave the sample out, or give it at least one step",
                        self.input.name
                    ),
                });
            }
            tokens.extend(sequence.iter().map(|x| *x as i64));
            tokens.resize(
                tokens.len() + self.steps - sequence.len(),
                self.pad.unwrap_or_default() as i64,
            );
        }
        Ok(tokens)
    }

    fn check_length(
        &self,
        data: &Data,
        features: &Features,
        row: usize,
        sequence: &[f32],
    ) -> Result<(), DataError> {
        let (found, steps, name) = (sequence.len(), self.steps, &self.input.name);
        let is_short = found < steps && self.pad.is_some();
        if found == steps || is_short {
            return Ok(());
        }
        let help = if found > steps {
            let longest = features.width;
            format!(
                "shorten it, or declare the length of the longest sequence: `{name}: [{longest}]`"
            )
        } else {
            let vocab = self
                .vocab
                .map_or_else(String::new, |vocab| format!("vocab = {vocab}, "));
            format!(
                "declare a class to pad short sequences with: `{name}: [{steps}] of int({vocab}pad = 0)`"
            )
        };
        Err(DataError::SequenceLength {
            place: Box::new(data.place(row)),
            found,
            input: name.clone(),
            model: self.model.to_owned(),
            shape: format!("{:?}", self.shape),
            help,
        })
    }

    fn check_classes(
        &self,
        data: &Data,
        features: &Features,
        row: usize,
        sequence: &[f32],
    ) -> Result<(), DataError> {
        let is_beyond = |x: f32| self.vocab.is_some_and(|vocab| x >= vocab as f32);
        let is_bad = |x: &f32| !is_class_index(*x) || is_beyond(*x);
        let Some(at) = sequence.iter().position(is_bad) else {
            return Ok(());
        };
        let (value, name, model) = (sequence[at], &self.input.name, self.model);
        let what = match self.vocab {
            Some(vocab) if is_class_index(value) => format!(
                "is outside the vocabulary: input `{name}` of `{model}` {}, so its classes go from 0 to {}",
                self.vocab_from,
                vocab.saturating_sub(1)
            ),
            _ => format!(
                "is not a class index: input `{name}` of `{model}` is `of int`, so it takes whole numbers from 0"
            ),
        };
        Err(DataError::Token {
            place: Box::new(data.feature_place(features, row, at)),
            value,
            what,
        })
    }
}
