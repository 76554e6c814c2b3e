//! Whether data fit a declared model.

use super::error::class_count;
use super::source::rounded;
use super::{Data, DataError, Features, Loader, Targets};
use crate::batch::RowLayout;
use crate::{Batch, InputTensor, Inputs, Spec, Target};
use burn::tensor::{Device, Int, Tensor, TensorData};
use damper_ir::op;
use damper_ir::{
    Input, InputKind, Loss, LossKind, OpKind, Source, Statement, TargetKind, TaskKind, Value,
};
use std::sync::Arc;

/// The most units that a last layer is advised to have.
const MOST_UNITS: usize = 100_000;

/// From here on a square is near the end of `f32`, and a sum of squares beyond it.
const LARGE: f32 = 1e18;

/// Data that fit a model: the numbers of its inputs, and of its loss's targets.
#[derive(Clone, Debug)]
pub struct Prepared {
    rows: usize,
    inputs: Vec<PreparedInput>,
    target: PreparedTarget,
    classes: Arc<Vec<String>>,
}

#[derive(Clone, Debug)]
struct PreparedInput {
    shape: Vec<usize>,
    values: Numbers,
}

#[derive(Clone, Debug)]
enum Numbers {
    Float(Arc<Vec<f32>>),
    Int(Arc<Vec<i64>>),
}

/// Row by row, and in each sample position by position: see [`Target`].
#[derive(Clone, Debug)]
enum PreparedTarget {
    Classes(Arc<Vec<i64>>),
    /// With the values of a row.
    Values(Arc<Vec<f32>>, usize),
}

impl Prepared {
    /// The number of samples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The classes' names, in the order of their indices; empty if they have none.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// All samples as one batch, uploaded to the device.
    pub fn batch(&self, device: &Device) -> Batch {
        let rows = self.rows;
        let inputs = self
            .inputs
            .iter()
            .map(|input| {
                let width = input.shape.iter().product();
                match &input.values {
                    Numbers::Float(values) => {
                        let data = TensorData::new(values.to_vec(), [rows, width]);
                        InputTensor::Float(Tensor::from_data(data, device), input.shape.clone())
                    }
                    Numbers::Int(values) => {
                        let data = TensorData::new(values.to_vec(), [rows, width]);
                        InputTensor::Int(
                            Tensor::<2, Int>::from_data(data, device),
                            input.shape.clone(),
                        )
                    }
                }
            })
            .collect();
        let target = match &self.target {
            PreparedTarget::Classes(classes) => Target::Classes(Tensor::from_data(
                TensorData::new(classes.to_vec(), [classes.len()]),
                device,
            )),
            PreparedTarget::Values(values, width) => Target::Values(Tensor::from_data(
                TensorData::new(values.to_vec(), [values.len() / (*width).max(1), *width]),
                device,
            )),
        };
        Batch {
            inputs: Inputs(inputs),
            target,
            index: 0,
        }
    }

    /// Batches of `batch` samples (one at least), in order; see [`Loader::shuffled`].
    pub fn loader(&self, batch: usize, device: &Device) -> Loader {
        Loader::new(self, batch, device)
    }
}

/// What a loss compares with.
enum Wanted {
    /// A class index for each position, below the number of units; or the probability of each class.
    Classes,
    /// So many numbers for each position, each within a range.
    Numbers {
        units: Option<usize>,
        range: Option<Range>,
    },
}

struct Range {
    low: f32,
    high: f32,
    allowed: String,
    note: String,
    /// Only the two ends.
    ends: bool,
}

impl Range {
    fn loss(low: f32, high: f32, allowed: &str, loss: &LossKind) -> Self {
        let note = format!("`{}` is defined for such targets only", loss.word());
        Self {
            low,
            high,
            allowed: allowed.to_owned(),
            note,
            ends: false,
        }
    }

    fn holds(&self, x: f32) -> bool {
        if self.ends {
            [self.low, self.high].contains(&x)
        } else {
            x >= self.low && x <= self.high
        }
    }
}

impl Data {
    /// What training calls: the numbers of the model's inputs and of its loss's targets.
    ///
    /// A target of whole numbers is read as class indices where the loss wants classes, and class indices as
    /// numbers where it wants numbers. Where the output has more axes than one, a sample's target is a row: under
    /// `cross_entropy` `[time, vocab]` reads `time` classes and `[classes, height, width]` reads `height * width`, in the
    /// order of the positions; other losses read as many numbers as the output has, in its order. A row of
    /// probabilities, one for each number of the output, may stand in place of classes.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the row and the column of what does not fit: another number of features, a label out
    /// of range, a token beyond the vocabulary, a sequence longer than the time axis, a target outside the declared
    /// range, one class only.
    pub fn check_for(&self, spec: &Spec) -> Result<Prepared, DataError> {
        let prepared = self.check_rows_for(spec)?;
        let one = match &prepared.target {
            PreparedTarget::Classes(classes) => one_class(classes),
            PreparedTarget::Values(values, 1) if is_yes_no(spec) => {
                one_class(values).map(|x| x as i64)
            }
            PreparedTarget::Values(..) => None,
        };
        match one {
            Some(class) => {
                let name = usize::try_from(class)
                    .ok()
                    .and_then(|class| prepared.classes.get(class));
                let class = name.map_or_else(|| class.to_string(), |name| format!("`{name}`"));
                Err(DataError::OneClass {
                    class,
                    rows: self.rows(),
                })
            }
            None => Ok(prepared),
        }
    }

    /// The same for validation and test data, which may have one class only.
    ///
    /// # Errors
    ///
    /// As [`Data::check_for`], but [`DataError::OneClass`].
    pub fn check_rows_for(&self, spec: &Spec) -> Result<Prepared, DataError> {
        let inputs = self.inputs_for(spec)?;
        let target = self.targets_for(spec)?;
        let classes = match &self.targets {
            Targets::Classes { names, .. } => Arc::clone(names),
            _ => Arc::default(),
        };
        Ok(Prepared {
            rows: self.rows(),
            inputs,
            target,
            classes,
        })
    }

    /// The inputs alone: what prediction needs.
    ///
    /// # Errors
    ///
    /// [`DataError::Inputs`], [`DataError::Width`], [`DataError::ImageShape`], [`DataError::Large`], and for an input of class indices
    /// [`DataError::Token`], [`DataError::SequenceLength`], [`DataError::EmptySequence`].
    pub fn inputs_of(&self, spec: &Spec, device: &Device) -> Result<Inputs, DataError> {
        let inputs = self.inputs_for(spec)?;
        let target = PreparedTarget::Values(Arc::new(vec![0.0; self.rows()]), 1);
        let prepared = Prepared {
            rows: self.rows(),
            inputs,
            target,
            classes: Arc::default(),
        };
        Ok(prepared.batch(device).inputs)
    }

    fn inputs_for(&self, spec: &Spec) -> Result<Vec<PreparedInput>, DataError> {
        let model = spec.model();
        let misfit = |help: &str| DataError::Inputs {
            model: model.name.clone(),
            found: self
                .inputs
                .iter()
                .map(|input| input.name.clone().unwrap_or_else(|| "(first)".to_owned()))
                .collect(),
            expected: model
                .inputs
                .iter()
                .map(|input| input.name.clone())
                .collect(),
            help: help.to_owned(),
        };
        if self.inputs.len() != model.inputs.len() {
            return Err(misfit(
                "`Data::new` takes the first input, `.with_input(\"NAME\", ..)` each further one",
            ));
        }
        let mut prepared = Vec::with_capacity(model.inputs.len());
        for (index, wanted) in model.inputs.iter().enumerate() {
            let by_name = self
                .inputs
                .iter()
                .find(|input| input.name.as_deref() == Some(wanted.name.as_str()));
            let input = match by_name {
                Some(input) => input,
                None if index == 0 && self.inputs[0].name.is_none() => &self.inputs[0],
                None => return Err(misfit("name each further input as the model does")),
            };
            let shape: Vec<usize> = wanted
                .shape
                .iter()
                .map(|axis| axis.size().unwrap_or(0))
                .collect();
            let values = match &wanted.kind {
                InputKind::Float => {
                    fits(&input.features, wanted, &shape, &model.name)?;
                    self.check_size(&input.features)?;
                    Numbers::Float(Arc::clone(&input.features.values))
                }
                InputKind::Int { .. } => Numbers::Int(Arc::new(self.tokens(
                    &input.features,
                    wanted,
                    &shape,
                    spec,
                )?)),
            };
            prepared.push(PreparedInput { shape, values });
        }
        Ok(prepared)
    }

    /// Numbers whose squares are none would make every weight NaN, and the learning rate would be blamed.
    fn check_size(&self, features: &Features) -> Result<(), DataError> {
        match features.values.iter().position(|x| x.abs() > LARGE) {
            None => Ok(()),
            Some(at) => Err(DataError::Large {
                place: Box::new(self.feature_place(
                    features,
                    at / features.width,
                    at % features.width,
                )),
                value: features.values[at],
                help: "bring the columns to one scale: `data::standardize(&train, [&valid])`, or `Scaler::min_max`"
                    .to_owned(),
            }),
        }
    }

    /// An input of class indices, each sequence filled up to the time axis.
    fn tokens(
        &self,
        features: &Features,
        wanted: &Input,
        shape: &[usize],
        spec: &Spec,
    ) -> Result<Vec<i64>, DataError> {
        let model = spec.model();
        let (vocab, pad) = match &wanted.kind {
            InputKind::Int { vocab, pad } => (vocab.as_ref(), pad.as_ref()),
            InputKind::Float => (None, None),
        };
        let pad = pad.and_then(Value::size).map(|pad| pad as f32);
        let (vocab, vocab_of) = if let Some(vocab) = vocab.and_then(Value::size) {
            (Some(vocab), format!("is `of int(vocab = {vocab})`"))
        } else {
            let vocab = least_vocab(&model.layers, &wanted.name, first_name(&model.inputs));
            (
                vocab,
                format!("is read by `embedding({}, ..)`", vocab.unwrap_or_default()),
            )
        };
        if features.lengths.is_none() {
            fits(features, wanted, shape, &model.name)?;
        }
        let steps: usize = shape.iter().product();
        let mut tokens = Vec::with_capacity(steps * features.rows());
        for row in 0..features.rows() {
            let sequence = features.row(row).unwrap_or_default();
            let place = || Box::new(self.place(row));
            if sequence.len() != steps && (sequence.len() > steps || pad.is_none()) {
                let help = if sequence.len() > steps {
                    let longest = features.width;
                    format!(
                        "cut it, or declare as many steps as the longest has: `{}: [{longest}]`",
                        wanted.name
                    )
                } else {
                    let vocab =
                        vocab.map_or_else(String::new, |vocab| format!("vocab = {vocab}, "));
                    format!(
                        "say which class fills short sequences up: `{}: [{steps}] of int({vocab}pad = 0)`",
                        wanted.name
                    )
                };
                return Err(DataError::SequenceLength {
                    place: place(),
                    found: sequence.len(),
                    input: wanted.name.clone(),
                    model: model.name.clone(),
                    shape: format!("{shape:?}"),
                    help,
                });
            }
            let beyond = |x: f32| vocab.is_some_and(|vocab| x >= vocab as f32);
            // Above 2^24 an `f32` no longer tells whole numbers apart.
            let whole = |x: f32| x >= 0.0 && x.fract() == 0.0 && x <= 16_777_216.0;
            if let Some(at) = sequence.iter().position(|x| !whole(*x) || beyond(*x)) {
                let (value, input) = (sequence[at], &wanted.name);
                let what = match vocab {
                    Some(vocab) if whole(value) => format!(
                        "is beyond the vocabulary: input `{input}` of `{}` {vocab_of}, so its classes go from 0 to {}",
                        model.name,
                        vocab.saturating_sub(1)
                    ),
                    _ => format!(
                        "is not a class index: input `{input}` of `{}` is `of int`, whole numbers from 0",
                        model.name
                    ),
                };
                return Err(DataError::Token {
                    place: Box::new(self.feature_place(features, row, at)),
                    value,
                    what,
                });
            }
            if let Some(pad) = pad
                && sequence.iter().all(|x| x.to_bits() == pad.to_bits())
            {
                return Err(DataError::EmptySequence {
                    place: *place(),
                    help: format!(
                        "{pad} is the padding of input `{}`: leave the sample out, or give it a step of its own",
                        wanted.name
                    ),
                });
            }
            tokens.extend(sequence.iter().map(|x| *x as i64));
            tokens.resize(
                tokens.len() + steps - sequence.len(),
                pad.unwrap_or_default() as i64,
            );
        }
        Ok(tokens)
    }

    fn targets_for(&self, spec: &Spec) -> Result<PreparedTarget, DataError> {
        let name = &spec.model().name;
        // A task says as well what is compared with.
        let loss_name =
            loss(spec).map_or_else(|| "task".to_owned(), |loss| loss.kind.word().to_owned());
        let has_loss = loss(spec).is_some() || spec.model().task.is_some();
        let positions = RowLayout::of(spec);
        let output = spec.shapes().output();
        let output: Vec<usize> = output.map_or_else(Vec::new, |shape| {
            shape.0.iter().flatten().copied().collect()
        });
        let no_loss = || DataError::NoLoss {
            model: name.clone(),
        };
        let misfit = |found, expected| {
            if !has_loss {
                return no_loss();
            }
            DataError::TargetWidth {
                model: name.clone(),
                loss: loss_name.clone(),
                found,
                expected,
                output: output.clone(),
            }
        };
        let no_target = || {
            if !has_loss {
                return no_loss();
            }
            DataError::NoTarget {
                model: name.clone(),
                loss: loss_name.clone(),
            }
        };
        match wanted(spec) {
            Wanted::Classes => {
                let classes = positions.units;
                let found = match &self.targets {
                    Targets::None => return Err(no_target()),
                    Targets::Classes { .. } => 1,
                    Targets::Values { width, .. } => *width,
                };
                if let Targets::Values { values, width } = &self.targets
                    && *width == positions.count() * classes
                    && classes > 1
                {
                    return self.probabilities(values, *width, positions, &loss_name, name);
                }
                if found != positions.count() {
                    return Err(misfit(found, positions.count()));
                }
                let indices = class_indices(self, &loss_name)?;
                match indices.iter().position(|class| *class >= classes) {
                    Some(at) => {
                        Err(self.label_out_of_range(&indices, at, positions, classes, spec))
                    }
                    None => Ok(PreparedTarget::Classes(Arc::new(
                        indices
                            .iter()
                            .map(|x| i64::try_from(*x).unwrap_or(i64::MAX))
                            .collect(),
                    ))),
                }
            }
            Wanted::Numbers { units, range } => {
                let binary = is_yes_no(spec);
                let (values, found) = match &self.targets {
                    Targets::None => return Err(no_target()),
                    Targets::Values { values, width } => (Arc::clone(values), *width),
                    Targets::Classes { indices, names } => {
                        if !names.is_empty() && !has_loss {
                            return Err(no_loss());
                        }
                        if !names.is_empty() && !binary {
                            return Err(DataError::ClassesForNumbers {
                                model: name.clone(),
                                loss: loss_name,
                                classes: names.to_vec(),
                            });
                        }
                        if binary
                            && units == Some(1)
                            && positions.count() == 1
                            && let Some(row) = indices.iter().position(|class| *class > 1)
                        {
                            return Err(self.label_out_of_range(indices, row, positions, 2, spec));
                        }
                        let changes = |x: &usize| *x as f32 as u128 != *x as u128;
                        if let Some(row) = indices.iter().position(changes) {
                            let (place, class) = (self.target_place(row, 0), indices[row]);
                            return Err(rounded(place, class, class as f32));
                        }
                        (Arc::new(indices.iter().map(|x| *x as f32).collect()), 1)
                    }
                };
                let units = match units {
                    Some(units) if found == units * positions.count() => units,
                    Some(units) => return Err(misfit(found, units * positions.count())),
                    // The user's loss: so many numbers for each position as there are.
                    None if found.is_multiple_of(positions.count().max(1)) => {
                        found / positions.count().max(1)
                    }
                    None => return Err(misfit(found, positions.count())),
                };
                if let Some(range) = range
                    && let Some(at) = values.iter().position(|x| !range.holds(*x))
                {
                    return Err(DataError::Target {
                        place: Box::new(self.target_place(at / found.max(1), at % found.max(1))),
                        value: values[at],
                        allowed: range.allowed,
                        note: range.note,
                    });
                }
                Ok(PreparedTarget::Values(
                    arranged(values, positions, units),
                    units,
                ))
            }
        }
    }

    /// A probability for each class of each position.
    fn probabilities(
        &self,
        values: &Arc<Vec<f32>>,
        width: usize,
        positions: RowLayout,
        loss: &str,
        model: &str,
    ) -> Result<PreparedTarget, DataError> {
        if let Some(at) = values.iter().position(|x| !(0.0..=1.0).contains(x)) {
            return Err(DataError::Target {
                place: Box::new(self.target_place(at / width, at % width)),
                value: values[at],
                allowed: "a probability".to_owned(),
                note: format!(
                    "`{loss}` reads a row of {width} values as the probability of each class"
                ),
            });
        }
        let rows = arranged(Arc::clone(values), positions, positions.units);
        for (row, probabilities) in rows.chunks_exact(positions.units.max(1)).enumerate() {
            let sum: f32 = probabilities.iter().sum();
            if (sum - 1.0).abs() > 1e-3 {
                return Err(DataError::Probabilities {
                    place: Box::new(self.target_place(row / positions.count().max(1), 0)),
                    sum,
                    loss: loss.to_owned(),
                    model: model.to_owned(),
                    width,
                });
            }
        }
        Ok(PreparedTarget::Values(rows, positions.units))
    }

    fn label_out_of_range(
        &self,
        indices: &[usize],
        at: usize,
        positions: RowLayout,
        classes: usize,
        spec: &Spec,
    ) -> DataError {
        let binary = is_yes_no(spec);
        let loss_name = loss(spec).map_or("", |loss| loss.kind.word());
        let names = self.classes();
        let label = match names.get(indices[at]) {
            Some(name) => format!("{} (`{name}`)", indices[at]),
            None => indices[at].to_string(),
        };
        let (row, column) = (at / positions.count().max(1), at % positions.count().max(1));
        let seen = indices
            .iter()
            .max()
            .map_or(0, |class| class.saturating_add(1));
        let from_a_table = self.origin.file.is_some() && names.is_empty();
        let more = match (binary, from_a_table) {
            // Two classes are told apart by one unit; more are told apart in another way.
            (true, _) => format!(
                "`{}` of one unit tells two classes apart: for {} write `loss cross_entropy` and give the last layer {seen} units",
                loss_name,
                class_count(seen)
            ),
            (false, _) => format!("give the last layer {seen} units"),
        };
        let fewer = if from_a_table {
            "read each distinct value as a class: `.classes()`"
        } else if binary {
            "leave two classes in the target"
        } else {
            "number the classes from 0"
        };
        // Nobody wants a million units: such an index is an id, or a mistake.
        let help = if seen > MOST_UNITS {
            fewer.to_owned()
        } else {
            format!("{more}, or {fewer}")
        };
        DataError::Label {
            place: Box::new(self.target_place(row, column)),
            label,
            model: spec.model().name.clone(),
            classes,
            help,
        }
    }
}

/// The rows that the loss reads.
fn arranged(values: Arc<Vec<f32>>, positions: RowLayout, units: usize) -> Arc<Vec<f32>> {
    match positions.count() {
        1 => values,
        _ => positions.arrange(units, &values).map_or(values, Arc::new),
    }
}

/// Whether rows of numbers have the input's shape.
fn fits(
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
            1 if features.shape[0] != 1 && same_size => "read them in gray: `.gray()`".to_owned(),
            3 if features.shape[0] != 3 && same_size => {
                "read them in color: leave `.gray()` out".to_owned()
            }
            _ if features.shape[0] == *channels => format!("`.resize({height}, {width})`"),
            1 => format!("`.gray().resize({height}, {width})`"),
            _ => format!(
                "declare the images' shape: `{}: {:?}`",
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

pub(crate) fn first_name(inputs: &[Input]) -> Option<&str> {
    inputs.first().map(|input| input.name.as_str())
}

/// The classes of the smallest table that reads this input; `first` is what the first statement takes.
pub(crate) fn least_vocab(
    statements: &[Statement],
    input: &str,
    first: Option<&str>,
) -> Option<usize> {
    let of = |(index, statement): (usize, &Statement)| {
        let source = match &statement.source {
            Source::Previous if index == 0 => first,
            Source::From(name) => Some(name.as_str()),
            _ => None,
        };
        let taken = |op: usize| source.filter(|_| op == 0);
        let ops = statement.ops.iter().enumerate();
        ops.filter_map(|(op, kind)| match &kind.kind {
            OpKind::Embedding(op::Embedding { vocab, .. }) if taken(op) == Some(input) => {
                vocab.size()
            }
            OpKind::Model {
                model: Some(model), ..
            } if taken(op) == Some(input) => {
                let own = first_name(&model.inputs)?;
                least_vocab(&model.layers, own, Some(own))
            }
            // Every branch takes what the block takes.
            OpKind::Parallel { body, .. } => body
                .iter()
                .filter_map(|branch| least_vocab(std::slice::from_ref(branch), input, taken(op)))
                .min(),
            kind => kind
                .blocks()
                .filter_map(|(_, block)| least_vocab(block, input, taken(op)))
                .min(),
        })
        .min()
    };
    statements.iter().enumerate().filter_map(of).min()
}

/// The targets as class indices, row by row.
pub(super) fn class_indices(data: &Data, wanted_by: &str) -> Result<Vec<usize>, DataError> {
    match &data.targets {
        Targets::None => Err(DataError::NoTarget {
            model: "the model".to_owned(),
            loss: wanted_by.to_owned(),
        }),
        Targets::Classes { indices, .. } => Ok(indices.to_vec()),
        Targets::Values { values, width } => {
            // Above 2^24 an `f32` no longer tells whole numbers apart.
            let bad = |x: &f32| *x < 0.0 || x.fract() != 0.0 || *x > 16_777_216.0;
            match values.iter().position(bad) {
                Some(at) => Err(DataError::NotAClass {
                    place: data.target_place(at / width, at % width),
                    value: values[at],
                    loss: wanted_by.to_owned(),
                }),
                None => Ok(values.iter().map(|x| *x as usize).collect()),
            }
        }
    }
}

fn one_class<T: PartialEq + Copy>(classes: &[T]) -> Option<T> {
    let first = *classes.first()?;
    classes.iter().all(|class| *class == first).then_some(first)
}

/// Whether the loss compares with yes or no.
fn is_yes_no(spec: &Spec) -> bool {
    loss(spec).is_some_and(|loss| loss.kind.facts().target == TargetKind::YesNo)
}

fn loss(spec: &Spec) -> Option<&Loss> {
    spec.model().loss.as_ref()
}

/// What the declared loss (or, without one, the task) compares with.
fn wanted(spec: &Spec) -> Wanted {
    let units = RowLayout::of(spec).units;
    let Some(loss) = loss(spec) else {
        return match spec.model().task.as_ref().map(|task| &task.kind) {
            Some(TaskKind::Multiclass(_)) => Wanted::Classes,
            _ => Wanted::Numbers {
                units: Some(units),
                range: None,
            },
        };
    };
    let numbers = |range| Wanted::Numbers {
        units: Some(units),
        range,
    };
    let declared = || {
        let target = loss.target.as_ref()?;
        let (low, high) = (target.low.float()?, target.high.float()?);
        Some(Range {
            low: low as f32,
            high: high as f32,
            allowed: format!("in [{low}, {high}]"),
            note: "the declaration says `target in ..`".to_owned(),
            ends: false,
        })
    };
    let (kind, facts) = (&loss.kind, loss.kind.facts());
    match facts.target {
        TargetKind::Class => Wanted::Classes,
        TargetKind::YesNo => numbers(Some(Range {
            ends: true,
            ..Range::loss(0.0, 1.0, "0 or 1", kind)
        })),
        TargetKind::Distribution => numbers(Some(Range::loss(0.0, 1.0, "a probability", kind))),
        TargetKind::Count => numbers(Some(Range::loss(
            0.0,
            f32::MAX,
            "a count of 0 or more",
            kind,
        ))),
        TargetKind::Number => Wanted::Numbers {
            units: Some(facts.values(units)),
            range: declared(),
        },
        TargetKind::Custom => Wanted::Numbers {
            units: None,
            range: declared(),
        },
    }
}
