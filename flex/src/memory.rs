//! Memory that is reused from step to step.
//!
//! A step reuses the buffers that the step before has freed. From the system's allocator, large buffers would be new pages
//! each time, and clearing pages takes longer than most loops over them.
//!
//! A reused buffer has the numbers of an earlier step. So a buffer can only be obtained together with its contents: the
//! caller passes the function that writes all of it ([`Buffer::written`]). If that fails because lengths do not fit, every
//! number of the buffer is NaN, which training reports at its layer. Old numbers would look like a result.

use crate::op::Primitive;
use burn::tensor::{DType, TensorData};
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};
use damper_kernels::LengthMismatch;
use std::collections::BTreeMap;
use std::mem::{MaybeUninit, take};
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The result of a function that reads or writes numbers: an error if lengths do not fit.
pub(crate) type Checked<T = ()> = Result<T, LengthMismatch>;

/// Smaller buffers are left to the allocator, which reuses them itself.
const SMALLEST: usize = 1 << 13;

/// The largest number of values that are kept for reuse: half a gibibyte. Memory beyond that is returned to the allocator.
const MOST: usize = 1 << 27;

/// Unused buffers, by their capacity.
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

/// The capacity of a buffer for `count` numbers: within an eighth of what it needs, so that nearly equal sizes share
/// buffers.
fn capacity(count: usize) -> usize {
    let step = (count.next_power_of_two() >> 4).max(1);
    count.next_multiple_of(step)
}

/// A buffer with old numbers in it.
fn reused(count: usize) -> Vec<f32> {
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
    // A new buffer is cleared by the system, in its whole capacity, so that later uses only shorten it.
    let mut numbers = found.unwrap_or_else(|| vec![0.0; capacity]);
    numbers.truncate(count);
    numbers
}

/// Keeps a buffer for reuse.
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

/// Returns all memory that is kept for reuse to the allocator.
pub fn release_unused_memory() {
    let mut pool = pool();
    pool.free.clear();
    pool.numbers = 0;
}

/// Numbers whose memory is kept for reuse when they are dropped.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<f32>);

impl Buffer {
    /// A buffer of `count` numbers, all of which `write` must write. If it fails, all of them are NaN.
    ///
    /// `write` must not read the buffer: it has numbers of an earlier step. In a debug build they are NaN, so that tests
    /// find numbers that are not written.
    pub(crate) fn written(count: usize, write: impl FnOnce(&mut [f32]) -> Checked) -> Self {
        let [buffer] = Self::all_written([count], |[numbers]| write(numbers));
        buffer
    }

    /// As [`written`](Self::written), for several buffers at once. If `write` fails, all of them are NaN.
    pub(crate) fn all_written<const N: usize>(
        counts: [usize; N],
        write: impl FnOnce([&mut [f32]; N]) -> Checked,
    ) -> [Self; N] {
        let mut buffers = counts.map(|count| Self(reused(count)));
        let mut numbers = buffers.each_mut().map(|buffer| buffer.0.as_mut_slice());
        if cfg!(debug_assertions) {
            for numbers in &mut numbers {
                numbers.fill(f32::NAN);
            }
        }
        if write(numbers).is_err() {
            for buffer in &mut buffers {
                buffer.0.fill(f32::NAN);
            }
        }
        buffers
    }

    /// A buffer of `count` zeros, which `add` adds to. If it fails, all of them are NaN.
    pub(crate) fn summed(count: usize, add: impl FnOnce(&mut [f32]) -> Checked) -> Self {
        Self::written(count, |numbers| {
            numbers.fill(0.0);
            add(numbers)
        })
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(numbers: Vec<f32>) -> Self {
        Self(numbers)
    }
}

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

/// Lets `write` overwrite numbers. If it fails, all of them are NaN.
fn overwrite(numbers: &mut [f32], write: impl FnOnce(&mut [f32]) -> Checked) {
    if write(numbers).is_err() {
        numbers.fill(f32::NAN);
    }
}

/// A buffer as a tensor of this shape. It is NaN if the shape has another number of elements.
pub(crate) fn tensor(buffer: impl Into<Buffer>, shape: impl Into<Vec<usize>>) -> Primitive {
    let (mut buffer, shape) = (buffer.into(), shape.into());
    let count = shape.iter().product();
    if buffer.len() != count {
        buffer = Buffer(vec![f32::NAN; count]);
    }
    if buffer.0.capacity() < SMALLEST {
        return Primitive::from_data(TensorData::new(take(&mut buffer.0), shape));
    }
    let bytes = buffer.len() * size_of::<f32>();
    // SAFETY: the allocation owns the buffer's numbers, which are this many bytes, all of them initialized, for as long as
    // it lives. It is a `Vec` in a box, which may be sent to another thread and shared with one.
    #[allow(unsafe_code)]
    let bytes = unsafe { Bytes::from_controller(Box::new(buffer), bytes) };
    Primitive::from_data(TensorData::from_bytes(bytes, shape, DType::F32))
}

/// The shape of a tensor.
pub(crate) fn shape(tensor: &Primitive) -> Vec<usize> {
    tensor.layout().shape().to_vec()
}

/// The numbers of a contiguous tensor (see [`make_contiguous`]); an error unless there are `count` of them.
pub(crate) fn read<'a>(
    name: &'static str,
    tensor: &'a Primitive,
    count: usize,
) -> Checked<&'a [f32]> {
    let numbers = tensor.as_slice::<f32>().unwrap_or_default();
    LengthMismatch::check(name, numbers.len(), count)?;
    Ok(numbers)
}

/// The tensor with its numbers in row-major order and without gaps, at any offset in its memory. They are copied only if
/// they are not in that order already.
#[must_use]
pub fn make_contiguous(tensor: Primitive) -> Primitive {
    if tensor.layout().contiguous_offsets().is_some() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// As [`make_contiguous`], and the storage of the tensor has only its numbers.
pub(crate) fn make_compact(tensor: Primitive) -> Primitive {
    if tensor.is_contiguous()
        && tensor.layout().start_offset() == 0
        && tensor.bytes().len() == tensor.layout().num_elements() * size_of::<f32>()
    {
        return tensor;
    }
    let copy = tensor.to_contiguous();
    drop(tensor);
    copy
}

/// Modifies the numbers in place if the tensor is their only owner, and otherwise in a copy. If `modify` fails, all of
/// them are NaN.
pub(crate) fn modify_in_place(
    tensor: Primitive,
    modify: impl FnOnce(&mut [f32]) -> Checked,
) -> Primitive {
    let mut tensor = make_compact(tensor);
    if let Some(numbers) = tensor.try_storage_mut() {
        overwrite(numbers, modify);
        return tensor;
    }
    let copy = Buffer::written(tensor.layout().num_elements(), |copy| {
        copy.copy_from_slice(read("tensor", &tensor, copy.len())?);
        modify(copy)
    });
    self::tensor(copy, shape(&tensor))
}

/// As [`modify_in_place`], where `modify` also writes new buffers of these sizes. If it fails, those are NaN too.
pub(crate) fn modify_with<const N: usize>(
    tensor: Primitive,
    counts: [usize; N],
    modify: impl FnOnce(&mut [f32], [&mut [f32]; N]) -> Checked,
) -> (Primitive, [Buffer; N]) {
    let mut buffers = None;
    let tensor = modify_in_place(tensor, |numbers| {
        let mut written = Ok(());
        buffers = Some(Buffer::all_written(counts, |buffers| {
            written = modify(numbers, buffers);
            written
        }));
        written
    });
    // `modify_in_place` calls its function, unless it fails before that.
    let none = || counts.map(|count| Buffer(vec![f32::NAN; count]));
    (tensor, buffers.unwrap_or_else(none))
}

/// As [`modify_in_place`], but if the numbers have other owners, `write` writes the results to new memory instead of
/// modifying a copy.
pub(crate) fn modify_or_write(
    tensor: Primitive,
    modify: impl FnOnce(&mut [f32]) -> Checked,
    write: impl FnOnce(&[f32], &mut [f32]) -> Checked,
) -> Primitive {
    let mut tensor = make_compact(tensor);
    if let Some(numbers) = tensor.try_storage_mut() {
        overwrite(numbers, modify);
        return tensor;
    }
    let output = Buffer::written(tensor.layout().num_elements(), |output| {
        write(read("tensor", &tensor, output.len())?, output)
    });
    self::tensor(output, shape(&tensor))
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
        // SAFETY: these are the bytes of the numbers, which are borrowed mutably for as long as the slice lives. The caller
        // may write only initialized bytes, and any four of those are a valid `f32`.
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
    use damper_kernels::Activation;

    fn all_nan(numbers: &[f32]) -> bool {
        numbers.iter().all(|number| number.is_nan())
    }

    /// The pool is shared by the process; no other test of this crate uses buffers of this size.
    #[test]
    fn what_is_dropped_is_reused() {
        let count = 123_457;
        let numbers = Buffer::written(count, |numbers| {
            numbers.fill(3.0);
            Ok(())
        });
        let place = numbers.as_ptr();
        let first = tensor(numbers, [count]);
        let second = first.clone();
        drop(first);
        assert_eq!(second.storage::<f32>(), vec![3.0; count]);
        drop(second);
        // A little shorter, with the same capacity.
        let again = Buffer::summed(count - 100, |_| Ok(()));
        assert_eq!(again.as_ptr(), place);
        assert!(again.iter().all(|number| *number == 0.0));
        // A copy has its own memory.
        let shared = tensor(again, [count - 100]);
        let mut copy = shared.clone();
        copy.storage_mut::<f32>()[0] = 1.0;
        assert_eq!(
            (shared.storage::<f32>()[0], copy.storage::<f32>()[0]),
            (0.0, 1.0)
        );
        assert!(capacity(count) - count < count / 8);
    }

    /// If a length does not fit, all numbers are NaN, and none is from an earlier step.
    #[test]
    fn a_wrong_length_never_leaves_old_numbers() {
        let count = 234_567;
        let dirty = Buffer::written(count, |numbers| {
            numbers.fill(7.0);
            Ok(())
        });
        let place = dirty.as_ptr();
        drop(dirty);
        let short = vec![0.5; count - 1];
        let buffer = Buffer::written(count, |output| Activation::Tanh.forward(&short, output));
        assert_eq!(buffer.as_ptr(), place, "the memory is not reused");
        assert_eq!(buffer.len(), count);
        assert!(all_nan(&buffer));

        // If one of several buffers fails, all are NaN.
        let [first, second] = Buffer::all_written([count, 10], |[first, second]| {
            first.fill(1.0);
            Activation::Tanh.forward(&short, second)
        });
        assert!(all_nan(&first) && all_nan(&second));

        // In place, in a copy, and to new memory.
        let wrong = |numbers: &mut [f32]| Activation::Tanh.backward_in_place(&short, 1.0, numbers);
        let fresh = || tensor(vec![7.0; count], [count]);
        assert!(all_nan(modify_in_place(fresh(), wrong).storage()));
        let shared = fresh();
        assert!(all_nan(modify_in_place(shared.clone(), wrong).storage()));
        let new = modify_or_write(shared.clone(), wrong, |_, output| wrong(output));
        assert!(all_nan(new.storage()));
        assert!(shared.storage::<f32>().iter().all(|number| *number > 6.0));

        let (modified, [new]) = modify_with(fresh(), [10], |numbers, [new]| {
            new.fill(1.0);
            wrong(numbers)
        });
        assert!(all_nan(modified.storage()) && all_nan(&new));

        // A shape of another size.
        let reshaped = tensor(vec![7.0; 12], [2, 5]);
        assert_eq!(shape(&reshaped), [2, 5]);
        assert!(all_nan(reshaped.storage()));
        assert!(read("tensor", &reshaped, 12).is_err());
    }

    /// A debug build finds numbers that a function does not write.
    #[test]
    #[cfg(debug_assertions)]
    fn what_is_not_written_is_nan_in_a_debug_build() {
        let buffer = Buffer::written(3, |numbers| {
            numbers[0] = 1.0;
            Ok(())
        });
        assert!(buffer[0] > 0.0 && all_nan(&buffer[1..]));
    }
}
