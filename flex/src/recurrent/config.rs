//! The parameters of a sequence of steps, and its split among threads.

use crate::memory::{Checked, read};
use crate::op::Primitive;
use crate::product::{Matrix, MatrixMut, product, product_here};
use damper_kernels::LengthMismatch;
use damper_kernels::recurrent::Cell;
use std::mem::take;

/// The rows of some samples, for every step.
pub(super) type Rows<'a> = Vec<&'a mut [f32]>;

/// The least number of samples for a thread: fewer do not fill the registers.
pub(super) const ROWS: usize = 8;

/// The parameters of both passes.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) cell: Cell,
    pub(super) time: usize,
    pub(super) batch: usize,
    pub(super) hidden: usize,
    pub(super) reverse: bool,
    pub(super) mask: Option<Primitive>,
    pub(super) keep: Option<Primitive>,
    pub(super) keep_memory: Option<Primitive>,
}

/// Samples that one thread runs, with the rows that it writes.
pub(super) struct Part<'a, const N: usize> {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) rows: [Rows<'a>; N],
}

impl Config {
    pub(super) fn width(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// The number of samples of all steps together.
    pub(super) fn samples(&self) -> usize {
        self.time * self.batch
    }

    /// The number of values of a sample in `inner`, in the second bias of a GRU, and in the memory; 0 if the cell does not
    /// have one.
    pub(super) fn sizes(&self) -> [usize; 3] {
        let (gru, lstm) = (self.cell == Cell::Gru, self.cell == Cell::Lstm);
        [gru || lstm, gru, lstm].map(|any| if any { self.hidden } else { 0 })
    }

    /// The steps in the order in which they run.
    pub(super) fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (time, reverse) = (self.time, self.reverse);
        (0..time).map(move |turn| if reverse { time - 1 - turn } else { turn })
    }

    /// The number of samples of each thread: whole blocks of [`ROWS`], except for the last thread.
    fn parts(&self) -> Vec<usize> {
        let blocks = self.batch.div_ceil(ROWS);
        let count = rayon::current_num_threads().min(self.batch / ROWS).max(1);
        let end = |index: usize| (index * blocks / count * ROWS).min(self.batch);
        (0..count)
            .map(|index| end(index + 1) - end(index))
            .collect()
    }

    /// For each thread, the rows of its samples in slices that have this number of values for each sample of a step.
    pub(super) fn split<'a, const N: usize>(
        &self,
        slices: [(&'a mut [f32], usize); N],
    ) -> Vec<Part<'a, N>> {
        let counts = self.parts();
        let mut parts = Vec::with_capacity(counts.len());
        let mut first = 0;
        for count in &counts {
            parts.push(Part {
                first,
                count: *count,
                rows: std::array::from_fn(|_| Vec::with_capacity(self.time)),
            });
            first += count;
        }
        for (index, (mut numbers, width)) in slices.into_iter().enumerate() {
            for _ in 0..self.time {
                for part in &mut parts {
                    let (rows, rest) = take(&mut numbers).split_at_mut(part.count * width);
                    part.rows[index].push(rows);
                    numbers = rest;
                }
            }
        }
        parts
    }

    /// The rows of a part in one step, in a slice with `width` values for each sample.
    pub(super) fn rows<'a>(
        &self,
        numbers: &'a [f32],
        width: usize,
        step: usize,
        (first, count): (usize, usize),
    ) -> Checked<&'a [f32]> {
        let place = (step * self.batch + first) * width;
        rows_at("rows", numbers, place, count * width)
    }

    /// The fraction of its old value that each number of a part keeps in one step.
    pub(super) fn kept<'a>(
        &self,
        keep: Option<&'a Primitive>,
        step: usize,
        part: (usize, usize),
    ) -> Checked<Option<&'a [f32]>> {
        let Some(keep) = keep else {
            return Ok(None);
        };
        let width = keep.layout().shape()[2];
        let numbers = read("keep", keep, self.samples() * width)?;
        self.rows(numbers, width, step, part).map(Some)
    }

    /// The mask by which the states of some samples are multiplied before their product.
    pub(super) fn masked(&self, (first, count): (usize, usize)) -> Checked<Option<&[f32]>> {
        let Some(mask) = &self.mask else {
            return Ok(None);
        };
        let mask = read("mask", mask, self.batch * self.hidden)?;
        rows_at("mask", mask, first * self.hidden, count * self.hidden).map(Some)
    }

    /// Writes the product of the rows of some samples and a matrix. If one thread has all samples, all threads share it.
    pub(super) fn multiply(
        &self,
        out: &mut [f32],
        rows: &[f32],
        matrix: &[f32],
        [from, to]: [usize; 2],
    ) -> Checked {
        let count = rows.len() / from;
        let out = MatrixMut::rows(out, [count, to])?;
        let (rows, matrix) = (
            Matrix::rows(rows, [count, from])?,
            Matrix::rows(matrix, [from, to])?,
        );
        if count == self.batch {
            product(out, 1.0, rows, matrix)
        } else {
            product_here(out, 1.0, rows, matrix)
        }
    }
}

/// `count` numbers from the index `first` on.
pub(super) fn rows_at<'a>(
    name: &'static str,
    numbers: &'a [f32],
    first: usize,
    count: usize,
) -> Checked<&'a [f32]> {
    let found = numbers.get(first..).unwrap_or_default();
    found.get(..count).ok_or(LengthMismatch {
        name,
        expected: count,
        found: found.len(),
    })
}
