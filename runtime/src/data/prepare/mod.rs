//! The check that data fit a model, and the numbers that training reads.

mod expected;
mod inputs;
mod prepared;
mod targets;
mod vocab;

pub use prepared::Prepared;
pub(crate) use vocab::{first_name, least_vocab};

use super::error::DataError;
use super::samples::Data;
use super::targets::Targets;
use crate::{Inputs, Spec};
use burn::tensor::Device;
use expected::is_binary;
use inputs::prepare_inputs;
use prepared::PreparedTarget;
use std::sync::Arc;
use targets::prepare_targets;

impl Data {
    /// Checks that these data fit a model, as training does, and returns the numbers of its inputs and its targets.
    ///
    /// If the loss needs classes, whole numbers are read as class indices; if it needs numbers, class indices are read as
    /// numbers. If the output has more than one axis, a sample's target is a row: with `cross_entropy`, `[time, vocab]`
    /// takes `time` classes and `[classes, height, width]` takes `height * width`, in the order of the positions; other
    /// losses take as many numbers as the output has, in its order. Instead of classes, a row may have a probability for
    /// each number of the output.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the row and the column of the fault: another number of features, a label out of range, a token
    /// outside the vocabulary, a sequence longer than the time axis, a target outside the declared range, only one class.
    pub fn check_for(&self, spec: &Spec) -> Result<Prepared, DataError> {
        let prepared = self.check_rows_for(spec)?;
        let only_class = match &prepared.target {
            PreparedTarget::Classes(classes) => one_class(classes),
            PreparedTarget::Values(values, 1) if is_binary(spec) => {
                one_class(values).map(|x| x as i64)
            }
            PreparedTarget::Values(..) => None,
        };
        match only_class {
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

    /// The same for validation and test data, which may have only one class.
    ///
    /// # Errors
    ///
    /// As [`Data::check_for`], without [`DataError::OneClass`].
    pub fn check_rows_for(&self, spec: &Spec) -> Result<Prepared, DataError> {
        let inputs = prepare_inputs(self, spec)?;
        let target = prepare_targets(self, spec)?;
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

    /// Checks the inputs alone, and uploads them: for prediction.
    ///
    /// # Errors
    ///
    /// [`DataError::Inputs`], [`DataError::Width`], [`DataError::ImageShape`], [`DataError::TooLarge`],
    /// and for an input of class indices [`DataError::Token`], [`DataError::SequenceLength`], [`DataError::EmptySequence`].
    pub fn inputs_of(&self, spec: &Spec, device: &Device) -> Result<Inputs, DataError> {
        let inputs = prepare_inputs(self, spec)?;
        let target = PreparedTarget::Values(Arc::new(vec![0.0; self.rows()]), 1);
        let prepared = Prepared {
            rows: self.rows(),
            inputs,
            target,
            classes: Arc::default(),
        };
        Ok(prepared.batch(device).inputs)
    }
}

/// The class that all rows have, if they have the same one.
fn one_class<T: PartialEq + Copy>(classes: &[T]) -> Option<T> {
    let first = *classes.first()?;
    classes.iter().all(|class| *class == first).then_some(first)
}
