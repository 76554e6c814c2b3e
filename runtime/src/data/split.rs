//! Splits of data: training and validation parts, and folds.

use super::error::DataError;
use super::samples::Data;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// The numbers of `range` in a random order that depends only on `seed`: the same on every machine.
pub(super) fn permutation(range: std::ops::Range<usize>, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = range.collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order
}

impl Data {
    /// Two random parts, the first with this fraction of the rows.
    ///
    /// The split is stratified: classes keep their proportions to within one row, and a class of two or more rows is in
    /// both parts. Whole numbers as targets are treated as classes if each occurs five times or more on average, since a
    /// loss may read them as classes.
    ///
    /// # Errors
    ///
    /// [`DataError::SplitFraction`] if one part would be empty.
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        let rows = self.rows();
        let bad = || DataError::SplitFraction { fraction, rows };
        if !(fraction > 0.0 && fraction < 1.0) || rows < 2 {
            return Err(bad());
        }
        let mut strata = self.targets.strata().unwrap_or_else(|| vec![0; rows]);
        let mut quota = quotas(&sizes(&strata), fraction);
        if quota.iter().sum::<usize>() == rows {
            // Every class has only one row, so there are no proportions to keep.
            strata = vec![0; rows];
            quota = quotas(&[rows], fraction);
        }
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for row in permutation(0..rows, seed) {
            match &mut quota[strata[row]] {
                0 => second.push(row),
                left => {
                    *left -= 1;
                    first.push(row);
                }
            }
        }
        if first.is_empty() || second.is_empty() {
            return Err(bad());
        }
        Ok((self.take(&first), self.take(&second)))
    }

    /// `k` pairs of training and validation parts. Every row is in one validation part, and classes are spread evenly over
    /// the folds.
    ///
    /// # Errors
    ///
    /// [`DataError::Folds`] for fewer than two folds, or more than rows.
    pub fn k_fold(&self, k: usize, seed: u64) -> Result<Vec<(Self, Self)>, DataError> {
        let rows = self.rows();
        if k < 2 || k > rows {
            return Err(DataError::Folds { folds: k, rows });
        }
        let strata = self.targets.strata().unwrap_or_else(|| vec![0; rows]);
        let order = permutation(0..rows, seed);
        // Rows are dealt out class by class, so folds differ by at most one row, in total and in each class.
        let mut by_class = order.clone();
        by_class.sort_by_key(|row| strata[*row]);
        let mut fold_of = vec![0; rows];
        for (position, row) in by_class.into_iter().enumerate() {
            fold_of[row] = position % k;
        }
        let part = |wanted: &dyn Fn(usize) -> bool| {
            self.take(
                &order
                    .iter()
                    .copied()
                    .filter(|row| wanted(fold_of[*row]))
                    .collect::<Vec<_>>(),
            )
        };
        Ok((0..k)
            .map(|fold| (part(&|of| of != fold), part(&|of| of == fold)))
            .collect())
    }
}

/// The number of rows of each class.
fn sizes(strata: &[usize]) -> Vec<usize> {
    let mut sizes = vec![0; strata.iter().max().map_or(0, |class| class + 1)];
    for class in strata {
        sizes[*class] += 1;
    }
    sizes
}

/// The number of rows of each class in the first part. The largest remainders are rounded up until the total is exact,
/// then every class of two or more rows gets at least one row in each part.
fn quotas(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let exact = |size: usize| size as f64 * fraction;
    let mut quota: Vec<usize> = sizes
        .iter()
        .map(|size| exact(*size).floor() as usize)
        .collect();
    let wanted = (exact(total).round() as usize).clamp(1, total.saturating_sub(1).max(1));
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|a, b| {
        let remainder = |class: &usize| exact(sizes[*class]).fract();
        remainder(b).total_cmp(&remainder(a)).then(a.cmp(b))
    });
    let missing = wanted.saturating_sub(quota.iter().sum());
    for class in by_remainder
        .into_iter()
        .filter(|class| sizes[*class] > 0)
        .take(missing)
    {
        quota[class] += 1;
    }
    for (quota, size) in quota.iter_mut().zip(sizes) {
        match size {
            0 => {}
            // The only sample of a class is more useful for training.
            1 => *quota = 1,
            _ => *quota = (*quota).clamp(1, size - 1),
        }
    }
    quota
}

#[cfg(test)]
mod tests {
    use super::{permutation, quotas};

    #[test]
    fn the_total_is_exact() {
        assert_eq!(
            quotas(&[178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 0.8)
                .iter()
                .sum::<usize>(),
            1438
        );
    }

    #[test]
    fn every_class_is_on_both_sides() {
        assert_eq!(quotas(&[2, 100, 1, 0], 0.9), [1, 90, 1, 0]);
        assert_eq!(quotas(&[2, 100], 0.01), [1, 1]);
    }

    #[test]
    fn the_order_is_the_seeds() {
        assert_eq!(permutation(0..8, 42), permutation(0..8, 42));
        assert_ne!(permutation(0..8, 42), permutation(0..8, 43));
    }
}
