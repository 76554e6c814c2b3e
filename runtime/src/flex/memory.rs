//! Memory that is used again: what a step frees, the next one takes. From the system's allocator large buffers would
//! come as new pages each time, and to have pages cleared takes longer than most passes over them.

use super::Primitive;
use burn::tensor::{DType, TensorData};
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};
use std::collections::BTreeMap;
use std::mem::{MaybeUninit, take};
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Smaller buffers come from the allocator, which keeps those itself.
const SMALLEST: usize = 1 << 13;

/// Numbers kept for later at most: half a gibibyte. What is freed beyond goes back to the allocator.
const MOST: usize = 1 << 27;

/// Buffers that nobody uses, by their capacity.
struct Pool {
    free: BTreeMap<usize, Vec<Vec<f32>>>,
    numbers: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    free: BTreeMap::new(),
    numbers: 0,
});

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The capacity that a buffer of so many numbers gets: within an eighth of what it needs, so that sizes that are nearly
/// the same share buffers.
fn capacity(count: usize) -> usize {
    let step = (count.next_power_of_two() >> 4).max(1);
    count.next_multiple_of(step)
}

/// A buffer to be written to: what its numbers are is not known.
pub(crate) fn buffer(count: usize) -> Vec<f32> {
    if count < SMALLEST {
        return vec![0.0; count];
    }
    let capacity = capacity(count);
    let found = {
        let mut pool = pool();
        let found = pool.free.get_mut(&capacity).and_then(Vec::pop);
        if found.is_some() {
            pool.numbers -= capacity;
        }
        found
    };
    // Cleared by the system where it is new: all of it, so that later ones only shorten it.
    let mut numbers = found.unwrap_or_else(|| vec![0.0; capacity]);
    numbers.truncate(count);
    numbers
}

/// A buffer of zeros.
pub(crate) fn zeros(count: usize) -> Vec<f32> {
    let mut numbers = buffer(count);
    if count >= SMALLEST {
        numbers.fill(0.0);
    }
    numbers
}

/// Takes a buffer that is not needed any more.
fn give_back(mut numbers: Vec<f32>) {
    let size = numbers.capacity();
    if size < SMALLEST || size != capacity(size) {
        return;
    }
    let mut pool = pool();
    if pool.numbers + size <= MOST {
        numbers.resize(size, 0.0);
        pool.numbers += size;
        pool.free.entry(size).or_default().push(numbers);
    }
}

/// Gives all that nobody uses back to the allocator.
pub(crate) fn forget() {
    let mut pool = pool();
    pool.free.clear();
    pool.numbers = 0;
}

/// A buffer as a tensor, which is taken back when the last one that shares it is dropped.
pub(crate) fn tensor(numbers: Vec<f32>, shape: impl Into<Vec<usize>>) -> Primitive {
    let shape = shape.into();
    if numbers.capacity() < SMALLEST {
        return Primitive::from_data(TensorData::new(numbers, shape));
    }
    let bytes = numbers.len() * size_of::<f32>();
    // SAFETY: the allocation holds `numbers`, whose bytes are as many and all initialised, for as long as it lives. It
    // is a `Vec` behind a box: to send it to another thread, or to share it with one, is sound.
    #[allow(unsafe_code)]
    let bytes = unsafe { Bytes::from_controller(Box::new(Buffer(numbers)), bytes) };
    Primitive::from_data(TensorData::from_bytes(bytes, shape, DType::F32))
}

/// Numbers whose memory is taken back when they are dropped.
#[derive(Debug)]
pub(crate) struct Buffer(pub(crate) Vec<f32>);

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give_back(take(&mut self.0));
    }
}

impl AllocationController for Buffer {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    #[allow(unsafe_code)]
    unsafe fn memory_mut(
        &mut self,
        _: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let (start, count) = (self.0.as_mut_ptr(), size_of_val(self.0.as_slice()));
        // SAFETY: these are the bytes of the numbers, which are borrowed alone for as long as the slice lives. The
        // caller may write only initialised bytes, and any four of those are an `f32`.
        Ok(unsafe { std::slice::from_raw_parts_mut(start.cast(), count) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let (start, count) = (self.0.as_ptr(), size_of_val(self.0.as_slice()));
        // SAFETY: these are the bytes of the numbers, which are borrowed for as long as the slice lives.
        #[allow(unsafe_code)]
        Ok(unsafe { std::slice::from_raw_parts(start.cast(), count) })
    }

    fn capacity(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test: the pool is the process's.
    #[test]
    fn what_is_dropped_is_taken_again() {
        // A size that nothing else here has.
        let count = 123_457;
        let mut numbers = buffer(count);
        numbers.fill(3.0);
        let place = numbers.as_ptr();
        let first = tensor(numbers, [count]);
        let second = first.clone();
        drop(first);
        assert_eq!(second.storage::<f32>(), vec![3.0; count]);
        drop(second);
        // A little shorter: of the same capacity.
        let again = zeros(count - 100);
        assert_eq!(again.as_ptr(), place);
        assert!(again.iter().all(|number| *number == 0.0));
        // A copy has memory of its own.
        let shared = tensor(again, [count - 100]);
        let mut copy = shared.clone();
        copy.storage_mut::<f32>()[0] = 1.0;
        assert_eq!(
            (shared.storage::<f32>()[0], copy.storage::<f32>()[0]),
            (0.0, 1.0)
        );
        assert!(capacity(count) - count < count / 8);
    }
}
