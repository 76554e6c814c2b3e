//! The check of targets against the loss of a model.

use super::expected::{Expected, Range, is_binary, loss};
use super::prepared::PreparedTarget;
use crate::Spec;
use crate::batch::RowLayout;
use crate::data::error::DataError;
use crate::data::message::class_count;
use crate::data::number::inexact;
use crate::data::samples::Data;
use crate::data::targets::Targets;
use std::sync::Arc;

/// The largest number of units that a help text suggests for a last layer.
const MOST_UNITS: usize = 100_000;

/// The targets as the model's loss reads them.
pub(super) fn prepare_targets(data: &Data, spec: &Spec) -> Result<PreparedTarget, DataError> {
    let check = Check {
        data,
        spec,
        // A task without a loss says, too, which targets are needed.
        loss: loss(spec).map_or("task", |loss| loss.kind.word()),
        has_loss: loss(spec).is_some() || spec.model().task.is_some(),
        positions: RowLayout::of(spec),
    };
    match Expected::of(spec) {
        Expected::Classes => check.classes(),
        Expected::Numbers { units, range } => check.numbers(units, range),
    }
}

/// Data, the model, and the parts of the model that messages name.
struct Check<'a> {
    data: &'a Data,
    spec: &'a Spec,
    loss: &'a str,
    has_loss: bool,
    positions: RowLayout,
}

impl Check<'_> {
    /// A class for each position, or the probability of each class.
    fn classes(&self) -> Result<PreparedTarget, DataError> {
        let (positions, classes) = (self.positions, self.positions.units);
        let found = match &self.data.targets {
            Targets::None => return Err(self.no_target()),
            Targets::Classes { .. } => 1,
            Targets::Values { width, .. } => *width,
        };
        if let Targets::Values { values, width } = &self.data.targets
            && *width == positions.count() * classes
            && classes > 1
        {
            return self.probabilities(values, *width);
        }
        if found != positions.count() {
            return Err(self.other_width(found, positions.count()));
        }
        let indices = self.data.class_indices(self.loss)?;
        match indices.iter().position(|class| *class >= classes) {
            Some(at) => Err(self.label_out_of_range(&indices, at, classes)),
            None => Ok(PreparedTarget::Classes(Arc::new(
                indices
                    .iter()
                    .map(|x| i64::try_from(*x).unwrap_or(i64::MAX))
                    .collect(),
            ))),
        }
    }

    /// A probability for each class of each position.
    fn probabilities(
        &self,
        values: &Arc<Vec<f32>>,
        width: usize,
    ) -> Result<PreparedTarget, DataError> {
        let (positions, loss) = (self.positions, self.loss);
        if let Some(at) = values.iter().position(|x| !(0.0..=1.0).contains(x)) {
            return Err(DataError::TargetRange {
                place: Box::new(self.data.target_place(at / width, at % width)),
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
                    place: Box::new(self.data.target_place(row / positions.count().max(1), 0)),
                    sum,
                    loss: loss.to_owned(),
                    model: self.model().to_owned(),
                    width,
                });
            }
        }
        Ok(PreparedTarget::Values(rows, positions.units))
    }

    /// Numbers for each position, within a range.
    fn numbers(
        &self,
        units: Option<usize>,
        range: Option<Range>,
    ) -> Result<PreparedTarget, DataError> {
        let positions = self.positions.count();
        let (values, found) = match &self.data.targets {
            Targets::None => return Err(self.no_target()),
            Targets::Values { values, width } => (Arc::clone(values), *width),
            Targets::Classes { indices, names } => {
                (self.classes_as_numbers(indices, names, units)?, 1)
            }
        };
        let units = match units {
            Some(units) if found == units * positions => units,
            Some(units) => return Err(self.other_width(found, units * positions)),
            // A loss of the user takes any number of values for each position.
            None if found.is_multiple_of(positions.max(1)) => found / positions.max(1),
            None => return Err(self.other_width(found, positions)),
        };
        if let Some(range) = range
            && let Some(at) = values.iter().position(|x| !range.contains(*x))
        {
            let (row, column) = (at / found.max(1), at % found.max(1));
            return Err(DataError::TargetRange {
                place: Box::new(self.data.target_place(row, column)),
                value: values[at],
                allowed: range.allowed,
                note: range.note,
            });
        }
        Ok(PreparedTarget::Values(
            arranged(values, self.positions, units),
            units,
        ))
    }

    /// Class indices for a loss that needs numbers.
    fn classes_as_numbers(
        &self,
        indices: &[usize],
        names: &[String],
        units: Option<usize>,
    ) -> Result<Arc<Vec<f32>>, DataError> {
        let is_binary = is_binary(self.spec);
        if !names.is_empty() && !self.has_loss {
            return Err(self.no_loss());
        }
        if !names.is_empty() && !is_binary {
            return Err(DataError::ClassesForNumbers {
                model: self.model().to_owned(),
                loss: self.loss.to_owned(),
                classes: names.to_vec(),
            });
        }
        if is_binary
            && units == Some(1)
            && self.positions.count() == 1
            && let Some(row) = indices.iter().position(|class| *class > 1)
        {
            return Err(self.label_out_of_range(indices, row, 2));
        }
        let is_inexact = |x: &usize| *x as f32 as u128 != *x as u128;
        if let Some(row) = indices.iter().position(is_inexact) {
            let (place, class) = (self.data.target_place(row, 0), indices[row]);
            return Err(inexact(place, class, class as f32));
        }
        Ok(Arc::new(indices.iter().map(|x| *x as f32).collect()))
    }

    fn model(&self) -> &str {
        &self.spec.model().name
    }

    fn no_loss(&self) -> DataError {
        DataError::NoLoss {
            model: self.model().to_owned(),
        }
    }

    fn no_target(&self) -> DataError {
        if !self.has_loss {
            return self.no_loss();
        }
        DataError::NoTarget {
            model: self.model().to_owned(),
            loss: self.loss.to_owned(),
        }
    }

    fn other_width(&self, found: usize, expected: usize) -> DataError {
        if !self.has_loss {
            return self.no_loss();
        }
        let output = self.spec.shapes().output();
        DataError::TargetWidth {
            model: self.model().to_owned(),
            loss: self.loss.to_owned(),
            found,
            expected,
            output: output.map_or_else(Vec::new, |shape| {
                shape.0.iter().flatten().copied().collect()
            }),
        }
    }

    fn label_out_of_range(&self, indices: &[usize], at: usize, classes: usize) -> DataError {
        let is_binary = is_binary(self.spec);
        let names = self.data.classes();
        let label = match names.get(indices[at]) {
            Some(name) => format!("{} (`{name}`)", indices[at]),
            None => indices[at].to_string(),
        };
        let positions = self.positions.count().max(1);
        let largest = indices.iter().max();
        let needed = largest.map_or(0, |class| class.saturating_add(1));
        let is_table_without_names = self.data.origin.file.is_some() && names.is_empty();
        let change_model = if is_binary {
            format!(
                "`{}` with one unit has two classes: for {} write `loss cross_entropy` and give the last layer {needed} units",
                self.loss,
                class_count(needed)
            )
        } else {
            format!("give the last layer {needed} units")
        };
        let change_data = if is_table_without_names {
            "read each distinct value as a class: `.classes()`"
        } else if is_binary {
            "keep only two classes in the target"
        } else {
            "number the classes from 0"
        };
        // A layer of a million units is not what anybody needs: such an index is an id, or a mistake.
        let help = if needed > MOST_UNITS {
            change_data.to_owned()
        } else {
            format!("{change_model}, or {change_data}")
        };
        DataError::Label {
            place: Box::new(self.data.target_place(at / positions, at % positions)),
            label,
            model: self.model().to_owned(),
            classes,
            help,
        }
    }
}

/// The values in the order of the rows that the loss reads.
fn arranged(values: Arc<Vec<f32>>, positions: RowLayout, units: usize) -> Arc<Vec<f32>> {
    match positions.count() {
        1 => values,
        _ => positions.arrange(units, &values).map_or(values, Arc::new),
    }
}
