//! How the work on many numbers is split among threads.

use crate::memory::Checked;
use rayon::prelude::*;

/// Fewer numbers than this are not worth a second thread.
pub(crate) const SERIAL: usize = 1 << 16;

/// How many chunks the work is split into at most.
pub(crate) const CHUNKS: usize = 16;

/// How many numbers each chunk of the work has, a multiple of `unit`; all of them if they are few.
///
/// It never depends on how many threads there are: sums over chunks are the same for any number of them.
#[must_use]
pub fn chunk_len(numbers: usize, unit: usize) -> usize {
    if numbers < SERIAL {
        return numbers.max(1);
    }
    let chunks = (numbers / (SERIAL / 4)).min(CHUNKS);
    numbers.div_ceil(chunks).next_multiple_of(unit.max(1))
}

/// Runs over chunks of the numbers, on as many threads as there are: `run` gets the index of a chunk's first number.
pub(crate) fn for_each_chunk(
    numbers: &mut [f32],
    unit: usize,
    run: impl Fn(usize, &mut [f32]) -> Checked + Sync,
) -> Checked {
    let size = chunk_len(numbers.len(), unit);
    if size >= numbers.len() {
        return run(0, numbers);
    }
    let chunks = numbers.par_chunks_mut(size).enumerate();
    chunks.try_for_each(|(index, numbers)| run(index * size, numbers))
}

/// Chunks of `size`, and empty ones until there are `count`.
pub(crate) fn padded_chunks<T>(all: &mut [T], size: usize, count: usize) -> Vec<&mut [T]> {
    let mut chunks: Vec<&mut [T]> = all.chunks_mut(size.max(1)).collect();
    chunks.resize_with(count, Default::default);
    chunks
}
