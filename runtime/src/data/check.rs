//! Whether data fit a declared model.

use super::{Data, DataError, Features, Loader, Targets};
use crate::{Batch, InputTensor, Inputs, Spec, Target};
use burn::tensor::{Device, Int, Tensor, TensorData};
use damper_spec::{InputKind, Loss, LossKind, TaskKind};
use std::sync::Arc;

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

#[derive(Clone, Debug)]
enum PreparedTarget {
    Classes(Arc<Vec<i64>>),
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
                TensorData::new(classes.to_vec(), [rows]),
                device,
            )),
            PreparedTarget::Values(values, width) => Target::Values(Tensor::from_data(
                TensorData::new(values.to_vec(), [rows, *width]),
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
    /// A class index below the number.
    Class(usize),
    /// Rows of so many numbers, each within a range.
    Numbers {
        width: Option<usize>,
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
    /// numbers where it wants numbers.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the row and the column of what does not fit: another number of features, a label out
    /// of range, a target outside the declared range, one class only.
    pub fn check_for(&self, spec: &Spec) -> Result<Prepared, DataError> {
        let prepared = self.check_rows_for(spec)?;
        let one = match (&prepared.target, loss(spec).map(|loss| &loss.kind)) {
            (PreparedTarget::Classes(classes), _) => one_class(classes),
            (
                PreparedTarget::Values(values, 1),
                Some(LossKind::BinaryCrossEntropy { .. } | LossKind::Dice { .. }),
            ) => one_class(values).map(|x| x as i64),
            _ => None,
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
    /// [`DataError::Inputs`], [`DataError::Width`], and [`DataError::Label`] for a class index out of the
    /// vocabulary.
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
            let (found, expected) = (input.features.width, shape.iter().product());
            if found != expected {
                return Err(DataError::Width {
                    model: model.name.clone(),
                    input: wanted.name.clone(),
                    shape: format!("{shape:?}"),
                    found,
                    expected,
                });
            }
            let values = match &wanted.kind {
                InputKind::Float => Numbers::Float(Arc::clone(&input.features.values)),
                InputKind::Int { vocab, .. } => {
                    let vocab = vocab.as_ref().and_then(damper_spec::Value::size);
                    Numbers::Int(Arc::new(self.tokens(
                        &input.features,
                        vocab,
                        &model.name,
                    )?))
                }
            };
            prepared.push(PreparedInput { shape, values });
        }
        Ok(prepared)
    }

    /// An input of class indices.
    fn tokens(
        &self,
        features: &Features,
        vocab: Option<usize>,
        model: &str,
    ) -> Result<Vec<i64>, DataError> {
        let most = vocab.map_or(i64::MAX as f32, |vocab| vocab as f32);
        match features
            .values
            .iter()
            .position(|x| *x < 0.0 || x.fract() != 0.0 || *x >= most)
        {
            Some(at) => Err(DataError::Label {
                place: Box::new(self.feature_place(
                    features,
                    at / features.width,
                    at % features.width,
                )),
                label: features.values[at].to_string(),
                model: format!("the vocabulary of {model}"),
                classes: vocab.unwrap_or(usize::MAX),
                help: "an input `of int` holds class indices: whole numbers from 0".to_owned(),
            }),
            None => Ok(features.values.iter().map(|x| *x as i64).collect()),
        }
    }

    fn targets_for(&self, spec: &Spec) -> Result<PreparedTarget, DataError> {
        let (model, name) = (spec.model(), &spec.model().name);
        let loss_name =
            loss(spec).map_or_else(|| "no loss".to_owned(), |loss| loss.kind.word().to_owned());
        match wanted(spec) {
            Wanted::Class(classes) => {
                if matches!(self.targets, Targets::None) {
                    return Err(DataError::NoTarget {
                        model: name.clone(),
                        loss: loss_name,
                    });
                }
                let indices = class_indices(self, &loss_name)?;
                match indices.iter().position(|class| *class >= classes) {
                    Some(row) => Err(self.label_out_of_range(&indices, row, classes, name)),
                    None => Ok(PreparedTarget::Classes(Arc::new(
                        indices
                            .iter()
                            .map(|x| i64::try_from(*x).unwrap_or(i64::MAX))
                            .collect(),
                    ))),
                }
            }
            Wanted::Numbers { width, range } => {
                let (values, found) = match &self.targets {
                    Targets::None => {
                        return Err(DataError::NoTarget {
                            model: name.clone(),
                            loss: loss_name,
                        });
                    }
                    Targets::Values { values, width } => (Arc::clone(values), *width),
                    Targets::Classes { indices, names } => {
                        let binary = loss(spec).is_some_and(|loss| {
                            matches!(
                                loss.kind,
                                LossKind::BinaryCrossEntropy { .. } | LossKind::Dice { .. }
                            )
                        });
                        if !names.is_empty() && !binary {
                            return Err(DataError::ClassesForNumbers {
                                model: name.clone(),
                                loss: loss_name,
                                classes: names.to_vec(),
                            });
                        }
                        if binary
                            && width == Some(1)
                            && let Some(row) = indices.iter().position(|class| *class > 1)
                        {
                            return Err(self.label_out_of_range(indices, row, 2, name));
                        }
                        (Arc::new(indices.iter().map(|x| *x as f32).collect()), 1)
                    }
                };
                if let Some(expected) = width
                    && found != expected
                {
                    return Err(DataError::TargetWidth {
                        model: model.name.clone(),
                        loss: loss_name,
                        found,
                        expected,
                    });
                }
                if let Some(range) = range
                    && let Some(at) = values.iter().position(|x| !range.holds(*x))
                {
                    return Err(DataError::Target {
                        place: Box::new(self.target_place(at / found, at % found)),
                        value: values[at],
                        allowed: range.allowed,
                        note: range.note,
                    });
                }
                Ok(PreparedTarget::Values(values, found))
            }
        }
    }

    fn label_out_of_range(
        &self,
        indices: &[usize],
        row: usize,
        classes: usize,
        model: &str,
    ) -> DataError {
        let names = self.classes();
        let label = match names.get(indices[row]) {
            Some(name) => format!("{} (`{name}`)", indices[row]),
            None => indices[row].to_string(),
        };
        let seen = indices.iter().max().map_or(0, |class| class + 1);
        let help = if self.origin.file.is_some() && names.is_empty() {
            format!(
                "give the last layer {seen} units, or read each distinct value as a class: `.classes()`"
            )
        } else {
            format!("give the last layer {seen} units, or number the classes from 0")
        };
        DataError::Label {
            place: Box::new(self.target_place(row, 0)),
            label,
            model: model.to_owned(),
            classes,
            help,
        }
    }
}

/// The targets as class indices.
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
                None if *width != 1 => Err(DataError::TargetWidth {
                    model: "the model".to_owned(),
                    loss: wanted_by.to_owned(),
                    found: *width,
                    expected: 1,
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

fn loss(spec: &Spec) -> Option<&Loss> {
    spec.model().loss.as_ref()
}

/// What the declared loss (or, without one, the task) compares with.
fn wanted(spec: &Spec) -> Wanted {
    let outputs = outputs(spec);
    let Some(loss) = loss(spec) else {
        return match spec.model().task.as_ref().map(|task| &task.kind) {
            Some(TaskKind::Multiclass(_)) => Wanted::Class(outputs),
            _ => Wanted::Numbers {
                width: Some(outputs),
                range: None,
            },
        };
    };
    let numbers = |range| Wanted::Numbers {
        width: Some(outputs),
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
    match &loss.kind {
        LossKind::CrossEntropy { .. } => Wanted::Class(outputs),
        kind @ (LossKind::BinaryCrossEntropy { .. } | LossKind::Dice { .. }) => {
            numbers(Some(Range {
                ends: true,
                ..Range::loss(0.0, 1.0, "0 or 1", kind)
            }))
        }
        kind @ LossKind::KlDiv { .. } => {
            numbers(Some(Range::loss(0.0, 1.0, "a probability", kind)))
        }
        kind @ LossKind::Poisson => numbers(Some(Range::loss(
            0.0,
            f32::MAX,
            "a count of 0 or more",
            kind,
        ))),
        LossKind::GaussianNll => Wanted::Numbers {
            width: Some(outputs / 2),
            range: declared(),
        },
        LossKind::Custom { .. } => Wanted::Numbers {
            width: None,
            range: declared(),
        },
        LossKind::Mse
        | LossKind::Mae
        | LossKind::Mape
        | LossKind::Huber { .. }
        | LossKind::SmoothL1 { .. }
        | LossKind::LogCosh => numbers(declared()),
    }
}

/// The units of the model's output.
fn outputs(spec: &Spec) -> usize {
    spec.shapes()
        .output()
        .and_then(damper_spec::Shape::features)
        .unwrap_or(0)
}
