//! `Loader`: the batches of prepared data, on a device.

use super::prepare::Prepared;
use super::split::permutation;
use crate::{Batch, InputTensor, Inputs, Target};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::kind::Autodiff;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Loads the batches of data in memory: one tensor for each input, uploaded once.
///
/// A shuffled batch is gathered when it is asked for, and a batch in order is a slice, so nothing is stored twice.
/// The order of epoch `n` depends only on the seed and on `n`, so a run can be repeated bit for bit.
#[derive(Debug)]
pub struct Loader {
    /// All rows, on the device without autodiff: gathering is not differentiated.
    all: Batch,
    /// The device of the batches.
    device: Device,
    /// The rows that are loaded.
    rows: Range<usize>,
    batch: usize,
    seed: Option<u64>,
    drop_last: bool,
    join_single: bool,
    first_epoch: u64,
    /// The epoch of the next [`DataLoader::iter`].
    epoch: AtomicU64,
}

impl Prepared {
    /// Batches of `batch` samples (at least one), in order; see [`Loader::shuffled`].
    pub fn loader(&self, batch: usize, device: &Device) -> Loader {
        Loader::new(self, batch, device)
    }
}

impl Loader {
    /// Batches of `batch` samples (at least one), in order, on the device.
    pub fn new(data: &Prepared, batch: usize, device: &Device) -> Self {
        Self {
            all: data.batch(&device.clone().inner()),
            device: device.clone(),
            rows: 0..data.rows(),
            batch: batch.max(1),
            seed: None,
            drop_last: false,
            join_single: false,
            first_epoch: 0,
            epoch: AtomicU64::new(0),
        }
    }

    /// A new order each epoch.
    #[must_use]
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// If true, a last batch of fewer samples is left out, unless it is the only one.
    #[must_use]
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// If true, a last batch of one sample joins the one before it: one sample has no variance for batch norm.
    #[must_use]
    pub fn join_single(mut self, join_single: bool) -> Self {
        self.join_single = join_single;
        self
    }

    /// The first epoch, from 0: to resume a run.
    #[must_use]
    pub fn starting_at(mut self, epoch: u64) -> Self {
        self.first_epoch = epoch;
        self.epoch = AtomicU64::new(epoch);
        self
    }

    /// The number of batches in an epoch.
    pub fn batches(&self) -> usize {
        self.bounds().len()
    }

    /// The rows of an epoch, in the order in which they are loaded.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        match self.seed {
            Some(seed) => permutation(self.rows.clone(), seed.wrapping_add(epoch)),
            None => self.rows.clone().collect(),
        }
    }

    /// The range of each batch in the epoch's order.
    fn bounds(&self) -> Vec<Range<usize>> {
        let rows = self.rows.len();
        let mut bounds: Vec<Range<usize>> = (0..rows)
            .step_by(self.batch)
            .map(|start| start..start.saturating_add(self.batch).min(rows))
            .collect();
        if bounds.len() > 1
            && let Some(last) = bounds.last().map(Range::len)
        {
            if self.drop_last && last < self.batch {
                bounds.pop();
            } else if self.join_single && last == 1 {
                bounds.pop();
                if let Some(end) = bounds.last_mut() {
                    end.end = rows;
                }
            }
        }
        bounds
    }

    fn copy(&self, all: Batch, device: Device, rows: Range<usize>) -> Self {
        Self {
            all,
            device,
            rows,
            epoch: AtomicU64::new(self.first_epoch),
            ..*self
        }
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let order = self.seed.map(|_| {
            let rows: Vec<i64> = self
                .order(epoch)
                .into_iter()
                .map(|row| i64::try_from(row).unwrap_or(i64::MAX))
                .collect();
            let shape = [rows.len()];
            Tensor::from_data(TensorData::new(rows, shape), &self.device.clone().inner())
        });
        let bounds = self.bounds();
        Box::new(Batches {
            all: &self.all,
            order,
            start: self.rows.start,
            items: bounds.last().map_or(0, |last| last.end),
            bounds,
            next: 0,
            autodiff: self.device.is_autodiff(),
        })
    }

    fn num_items(&self) -> usize {
        self.bounds().last().map_or(0, |last| last.end)
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let plain = device.clone().inner();
        let all = map(&self.all, &To(&plain));
        Arc::new(self.copy(all, device.clone(), self.rows.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let first = self.rows.start.saturating_add(start).min(self.rows.end);
        let last = self
            .rows
            .start
            .saturating_add(end)
            .clamp(first, self.rows.end);
        Arc::new(self.copy(self.all.clone(), self.device.clone(), first..last))
    }
}

/// The batches of one epoch.
struct Batches<'a> {
    /// All rows, on the device without autodiff.
    all: &'a Batch,
    /// The order of the epoch; `None` if it is that of the rows.
    order: Option<Tensor<1, Int>>,
    /// The first of the loaded rows in `all`.
    start: usize,
    bounds: Vec<Range<usize>>,
    next: usize,
    items: usize,
    autodiff: bool,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bounds = self.bounds.get(self.next)?;
        let order = self.order.as_ref();
        let pick = Pick {
            picked: order.map(|order| order.clone().narrow(0, bounds.start, bounds.len())),
            following: (self.start + bounds.start, bounds.len()),
            autodiff: self.autodiff,
        };
        let batch = Batch {
            index: self.next,
            ..map(self.all, &pick)
        };
        self.next += 1;
        Some(Ok(batch))
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        let done = self
            .next
            .checked_sub(1)
            .and_then(|last| self.bounds.get(last))
            .map_or(0, |last| last.end);
        Progress::new(done, self.items, Some("items".to_owned()))
    }
}

/// A change of every tensor of a batch.
trait Change {
    fn apply<const D: usize, K: Autodiff>(&self, tensor: &Tensor<D, K>) -> Tensor<D, K>;
}

/// Copies a batch to a device.
struct To<'a>(&'a Device);

impl Change for To<'_> {
    fn apply<const D: usize, K: Autodiff>(&self, tensor: &Tensor<D, K>) -> Tensor<D, K> {
        tensor.clone().to_device(self.0)
    }
}

/// Picks the rows of a batch, on the device of the model.
struct Pick {
    /// The rows, if they are shuffled.
    picked: Option<Tensor<1, Int>>,
    /// The first row and the number of rows, if they are in order.
    following: (usize, usize),
    autodiff: bool,
}

impl Change for Pick {
    fn apply<const D: usize, K: Autodiff>(&self, tensor: &Tensor<D, K>) -> Tensor<D, K> {
        let (start, length) = self.following;
        let rows = match &self.picked {
            // Not the whole epoch at once: a batch stays in the cache until the first layer reads it.
            Some(picked) => tensor.clone().select(0, picked.clone()),
            None => tensor.clone().narrow(0, start, length),
        };
        if self.autodiff { rows.autodiff() } else { rows }
    }
}

/// The number of target rows of one sample: see [`Target`].
fn positions(batch: &Batch, rows: usize) -> usize {
    rows / batch.inputs.batch().max(1)
}

/// The batch with every tensor changed.
fn map(batch: &Batch, change: &impl Change) -> Batch {
    let samples = batch.inputs.batch();
    let input = |input: &InputTensor| match input {
        InputTensor::Float(tensor, shape) => {
            InputTensor::Float(change.apply(tensor), shape.clone())
        }
        InputTensor::Int(tensor, shape) => InputTensor::Int(change.apply(tensor), shape.clone()),
    };
    Batch {
        inputs: Inputs(batch.inputs.0.iter().map(input).collect()),
        target: match &batch.target {
            Target::Classes(classes) => {
                Target::Classes(match positions(batch, classes.dims()[0]) {
                    0 | 1 => change.apply(classes),
                    rows => {
                        let changed = change.apply(&classes.clone().reshape([samples, rows]));
                        let samples = changed.dims()[0];
                        changed.reshape([samples * rows])
                    }
                })
            }
            Target::Values(values) => {
                let [rows, width] = values.dims();
                Target::Values(match positions(batch, rows) {
                    0 | 1 => change.apply(values),
                    rows => {
                        let changed =
                            change.apply(&values.clone().reshape([samples, rows * width]));
                        let samples = changed.dims()[0];
                        changed.reshape([samples * rows, width])
                    }
                })
            }
        },
        index: batch.index,
    }
}
