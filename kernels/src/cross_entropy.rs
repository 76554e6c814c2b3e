//! Cross entropy of consecutive rows of logits with one class each.

use crate::row_groups::{GROUP, exponentials, group, largest_of, pairs, parts, spread};
use crate::{LengthMismatch, sum};

/// An error of [`cross_entropy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrossEntropyError {
    /// A slice does not have the length that it needs.
    #[error(transparent)]
    LengthMismatch(#[from] LengthMismatch),
    /// The class of a row is out of range.
    #[error("row {row} has class {class}, but there are {classes} classes")]
    Class {
        /// The row.
        row: usize,
        /// Its class, counted from 0.
        class: u32,
        /// The number of classes.
        classes: usize,
    },
}

/// The sum over the rows of the cross entropy of `logits` with one class each. Its gradient is written to `gradient`.
///
/// With label smoothing `s` (Szegedy et al. 2016), the target `t` is `s / width` for every class, and `1 - s` more for
/// the row's class; the loss of a row is `ln Σ exp(x) - Σ t x`, its gradient `softmax(x) - t`, as in PyTorch.
///
/// # Errors
/// The lengths of the slices do not fit, or a class is not below `width`. Nothing is written then.
pub fn cross_entropy(
    logits: &[f32],
    width: usize,
    classes: &[u32],
    smoothing: f32,
    gradient: &mut [f32],
) -> Result<f64, CrossEntropyError> {
    let width = LengthMismatch::check_rows("logits", logits.len(), width)?;
    LengthMismatch::check("gradient", gradient.len(), logits.len())?;
    LengthMismatch::check("classes", classes.len(), logits.len() / width)?;
    let outside = classes.iter().position(|class| *class as usize >= width);
    if let Some((row, class)) = outside.and_then(|row| Some((row, *classes.get(row)?))) {
        return Err(CrossEntropyError::Class {
            row,
            class,
            classes: width,
        });
    }
    Ok(sum_of_losses(logits, width, classes, smoothing, gradient))
}

vectorized! {
    fn sum_of_losses(
        logits: &'a [f32],
        width: usize,
        classes: &'a [u32],
        smoothing: f32,
        gradient: &'a mut [f32],
    ) -> f64 {
        let classes = classes.chunks(group(width) / width);
        let mut loss = 0.0;
        let mut largest = [0.0; GROUP];
        for ((logits, gradient), classes) in pairs(logits, gradient, width).zip(classes) {
            spread(logits, width, largest_of, &mut largest);
            exponentials(logits.iter().copied().zip(&mut *gradient), width, &largest);
            let largest = largest.iter().step_by(width).zip(classes);
            let rows = logits.chunks(width).zip(gradient.chunks_mut(width));
            for ((logits, gradient), (largest, class)) in rows.zip(largest) {
                loss += loss_of_row(logits, *largest, *class as usize, smoothing, gradient);
            }
        }
        loss
    }
}

/// The loss of a row. `gradient` has its exponentials, which are overwritten with the gradient.
#[inline(always)]
fn loss_of_row(
    logits: &[f32],
    largest: f32,
    class: usize,
    smoothing: f32,
    gradient: &mut [f32],
) -> f64 {
    let target = smoothing / logits.len() as f32;
    let sum = sum::sum(gradient);
    let (high, low) = parts(1.0 / sum);
    for gradient in gradient.iter_mut() {
        *gradient = gradient.mul_add(high, gradient.mul_add(low, -target));
    }
    if let Some(gradient) = gradient.get_mut(class) {
        *gradient -= 1.0 - smoothing;
    }
    let of_class = f64::from(logits.get(class).copied().unwrap_or(f32::NAN));
    let loss = f64::from(largest) + sum.ln() - f64::from(1.0 - smoothing) * of_class;
    // Without smoothing, a logit of infinity must not be multiplied by 0.
    if smoothing > 0.0 {
        loss - f64::from(target) * sum::sum(logits)
    } else {
        loss
    }
}
