//! Operations of our own on flex: one pass over the memory, one node of the graph, a backward derived by hand.
//!
//! Each is a function that gives `Err` with its inputs where the memory cannot be reached (another backend, another
//! type of numbers, a strategy of checkpoints), for the caller to do the same in burn's operations.

pub(crate) mod attention;
pub(crate) mod convolution;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod memory;
pub(crate) mod norm;
pub(crate) mod product;
pub(crate) mod rows;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Tensor};
use memory::buffer;
use std::fmt::Debug;
use std::marker::PhantomData;

/// Numbers in memory.
pub(crate) type Primitive = FloatTensor<Flex>;
type Tracked = FloatTensor<Autodiff<Flex>>;

/// Fewer numbers than this are not worth a second thread.
const ALONE: usize = 1 << 16;

/// What an operation reads.
#[derive(Debug)]
pub(crate) enum Input {
    Plain(Primitive),
    Tracked(Tracked),
}

impl Input {
    /// The memory of a tensor, or the tensor where it cannot be reached.
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> Result<Self, Tensor<D>> {
        if tensor.dtype() != DType::F32 {
            return Err(tensor);
        }
        // Dropped on success: what is read stays without another owner.
        let same = tensor.clone();
        let found = if tensor.is_autodiff() {
            tensor
                .try_into_primitive::<Autodiff<Flex>>()
                .map(Self::Tracked)
        } else {
            tensor.try_into_primitive::<Flex>().map(Self::Plain)
        };
        found.map_err(|_| same)
    }

    /// The memory, no longer part of a graph.
    pub(crate) fn into_primitive(self) -> Primitive {
        match self {
            Self::Plain(primitive) => primitive,
            Self::Tracked(tracked) => tracked.into_primitive(),
        }
    }

    pub(crate) fn primitive(&self) -> &Primitive {
        match self {
            Self::Plain(primitive) => primitive,
            Self::Tracked(tracked) => tracked.primitive(),
        }
    }
}

/// The backward of an operation, with what it keeps.
pub(crate) trait Derived<const N: usize>: Clone + Debug + Send + 'static {
    /// The gradients of those inputs that are wanted.
    fn backward(self, gradient: Primitive, wanted: [bool; N]) -> [Option<Primitive>; N];
}

/// Runs an operation: `run` gives its value and, if told so, what the backward needs.
pub(crate) fn apply<const N: usize, const D: usize, O: Derived<N>>(
    inputs: [Input; N],
    run: impl FnOnce([Primitive; N], bool) -> (Primitive, Option<O>),
) -> Tensor<D> {
    if inputs.iter().all(|input| matches!(input, Input::Plain(_))) {
        let inputs = inputs.map(Input::into_primitive);
        return Tensor::from_primitive::<Flex>(run(inputs, false).0);
    }
    let mut guards = Vec::with_capacity(N);
    let inputs = inputs.map(|input| {
        let (primitive, guard) = match input {
            Input::Plain(primitive) => Tracked::new(primitive).into_parts(),
            Input::Tracked(tracked) => tracked.into_parts(),
        };
        guards.push(guard);
        primitive
    });
    let Ok(guards) = <[_; N]>::try_from(guards) else {
        // There is one for each input.
        return Tensor::from_primitive::<Flex>(run(inputs, false).0);
    };
    let node = Node(PhantomData::<fn() -> O>)
        .prepare::<NoCheckpointing>(guards)
        .compute_bound()
        .stateful();
    let output = match node {
        OpsKind::Tracked(preparation) => match run(inputs, true) {
            (output, Some(derived)) => preparation.finish(derived, output),
            (output, None) => Tracked::new(output),
        },
        OpsKind::UnTracked(preparation) => preparation.finish(run(inputs, false).0),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

/// An operation's node of the graph.
struct Node<O>(PhantomData<fn() -> O>);

impl<O> Debug for Node<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Node")
    }
}

impl<const N: usize, O: Derived<N>> Backward<Flex, N> for Node<O> {
    type State = O;

    fn backward(self, ops: Ops<O, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = ops.state.backward(gradient, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// The numbers in one piece, from the first on, without a copy where they are that already.
pub(crate) fn contiguous(tensor: Primitive) -> Primitive {
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

/// The numbers in one piece, wherever it begins.
pub(crate) fn readable(tensor: Primitive) -> Primitive {
    if tensor.layout().contiguous_offsets().is_some() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The shape of a tensor.
pub(crate) fn shape(tensor: &Primitive) -> Vec<usize> {
    tensor.layout().shape().to_vec()
}

/// Changes the numbers where they are if nobody else reads them, in a copy else.
pub(crate) fn change(tensor: Primitive, run: impl FnOnce(&mut [f32])) -> Primitive {
    let tensor = contiguous(tensor);
    if tensor.is_unique() {
        let mut tensor = tensor;
        run(tensor.storage_mut());
        return tensor;
    }
    let mut copy = buffer(tensor.layout().num_elements());
    copy.copy_from_slice(tensor.storage());
    run(&mut copy);
    memory::tensor(copy, shape(&tensor))
}

/// As [`change`], but where others read the numbers `across` writes what becomes of them to new memory.
pub(crate) fn map(
    tensor: Primitive,
    in_place: impl FnOnce(&mut [f32]),
    across: impl FnOnce(&[f32], &mut [f32]),
) -> Primitive {
    let tensor = contiguous(tensor);
    if tensor.is_unique() {
        return change(tensor, in_place);
    }
    let mut output = buffer(tensor.layout().num_elements());
    across(tensor.storage(), &mut output);
    memory::tensor(output, shape(&tensor))
}

/// How many numbers each piece of the work has, a multiple of `unit`, so that every thread has one; all of them if
/// they are few.
pub(crate) fn piece(numbers: usize, unit: usize) -> usize {
    let threads = rayon::current_num_threads();
    if numbers < ALONE || threads < 2 {
        return numbers.max(1);
    }
    numbers.div_ceil(threads).next_multiple_of(unit.max(1))
}
