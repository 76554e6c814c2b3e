//! Operations of our own on flex: one pass over the memory, one node of the graph, a backward derived by hand.
//!
//! Each is a function that gives `Err` with its inputs where the memory cannot be reached (another backend, another
//! type of numbers, a strategy of checkpoints), for the caller to do the same in burn's operations.

#![allow(
    clippy::result_large_err,
    reason = "the error is the tensor itself, moved back"
)]

pub(crate) mod attention;
pub(crate) mod convolution;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod memory;
pub(crate) mod norm;
pub(crate) mod product;
pub(crate) mod rows;
pub(crate) mod step;

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

/// What an operation reads or gives.
///
/// Operations are functions of these, not of tensors: what depends on a rank is compiled in each crate that uses it.
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

    /// The tensor again.
    pub(crate) fn tensor<const D: usize>(self) -> Tensor<D> {
        match self {
            Self::Plain(primitive) => Tensor::from_primitive::<Flex>(primitive),
            Self::Tracked(tracked) => Tensor::from_primitive::<Autodiff<Flex>>(tracked),
        }
    }

    /// The memory, no longer part of a graph.
    pub(crate) fn into_primitive(self) -> Primitive {
        match self {
            Self::Plain(primitive) => primitive,
            Self::Tracked(tracked) => tracked.into_primitive(),
        }
    }
}

/// The backward of an operation, with what it keeps.
pub(crate) trait Derived<const N: usize>: Clone + Debug + Send + 'static {
    /// The gradients of those inputs that are wanted.
    fn backward(self, gradient: Primitive, wanted: [bool; N]) -> [Option<Primitive>; N];
}

/// The backward of an operation on an input with a weight, and a bias if there is one.
pub(crate) trait Weighted: Clone + Debug + Send + 'static {
    /// The gradients of input, weight and bias, as far as they are wanted.
    fn gradients(&self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3];
}

impl<T: Weighted> Derived<3> for T {
    fn backward(self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3] {
        self.gradients(gradient, wanted)
    }
}

impl<T: Weighted> Derived<2> for T {
    fn backward(
        self,
        gradient: Primitive,
        [to_input, to_weight]: [bool; 2],
    ) -> [Option<Primitive>; 2] {
        let [input, weight, _] = self.gradients(gradient, [to_input, to_weight, false]);
        [input, weight]
    }
}

/// An input with a weight, and a bias if there is one.
pub(crate) struct Operands {
    input: Input,
    weight: Input,
    bias: Option<Input>,
}

impl Operands {
    /// `Err` with the input where the memory of one of them cannot be reached.
    pub(crate) fn of<const D: usize, const E: usize>(
        input: Tensor<D>,
        weight: Tensor<E>,
        bias: Option<Tensor<1>>,
    ) -> Result<Self, Tensor<D>> {
        // Shares the memory, and is dropped before it is read.
        let given = input.clone();
        let (Ok(input), Ok(weight)) = (Input::of(input), Input::of(weight)) else {
            return Err(given);
        };
        let bias = match bias.map(Input::of) {
            None => None,
            Some(Ok(bias)) => Some(bias),
            Some(Err(_)) => return Err(given),
        };
        Ok(Self {
            input,
            weight,
            bias,
        })
    }
}

/// As [`applied`], of an input with a weight and perhaps a bias.
pub(crate) fn apply_weighted<O: Weighted>(
    operands: Operands,
    run: impl FnOnce(Primitive, Primitive, Option<Primitive>, bool) -> (Primitive, Option<O>),
) -> Input {
    let Operands {
        input,
        weight,
        bias,
    } = operands;
    match bias {
        Some(bias) => applied([input, weight, bias], |[input, weight, bias], keep| {
            run(input, weight, Some(bias), keep)
        }),
        None => applied([input, weight], |[input, weight], keep| {
            run(input, weight, None, keep)
        }),
    }
}

/// As [`applied`], with a tensor for the value.
pub(crate) fn apply<const N: usize, const D: usize, O: Derived<N>>(
    inputs: [Input; N],
    run: impl FnOnce([Primitive; N], bool) -> (Primitive, Option<O>),
) -> Tensor<D> {
    applied(inputs, run).tensor()
}

/// Runs an operation: `run` gives its value and, if told so, what the backward needs.
pub(crate) fn applied<const N: usize, O: Derived<N>>(
    inputs: [Input; N],
    run: impl FnOnce([Primitive; N], bool) -> (Primitive, Option<O>),
) -> Input {
    if inputs.iter().all(|input| matches!(input, Input::Plain(_))) {
        let inputs = inputs.map(Input::into_primitive);
        return Input::Plain(run(inputs, false).0);
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
        return Input::Plain(run(inputs, false).0);
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
    Input::Tracked(output)
}

/// The same value as a child of the tags too; `Err` with all of them where the memory cannot be reached.
pub(crate) fn tie<const D: usize>(
    value: Tensor<D>,
    tags: [Tensor<1>; 3],
) -> Result<Tensor<D>, (Tensor<D>, [Tensor<1>; 3])> {
    #[derive(Clone, Debug)]
    struct Same;
    impl Derived<4> for Same {
        fn backward(self, gradient: Primitive, _: [bool; 4]) -> [Option<Primitive>; 4] {
            [Some(gradient), None, None, None]
        }
    }
    let given = (value.clone(), tags.clone());
    let [first, second, third] = tags;
    let (Ok(value), Ok(first), Ok(second), Ok(third)) = (
        Input::of(value),
        Input::of(first),
        Input::of(second),
        Input::of(third),
    ) else {
        return Err(given);
    };
    drop(given);
    Ok(apply([value, first, second, third], |[value, ..], keep| {
        (value, keep.then_some(Same))
    }))
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

/// How many pieces the work is cut into at most.
const PIECES: usize = 16;

/// How many numbers each piece of the work has, a multiple of `unit`; all of them if they are few.
///
/// Never a matter of how many threads there are: sums of pieces are the same for any number of them.
pub(crate) fn piece(numbers: usize, unit: usize) -> usize {
    if numbers < ALONE {
        return numbers.max(1);
    }
    let pieces = (numbers / (ALONE / 4)).min(PIECES);
    numbers.div_ceil(pieces).next_multiple_of(unit.max(1))
}

#[cfg(test)]
mod tests {
    use super::convolution::{Convolution, Pool};
    use super::{attention, convolution, dense, elementwise, norm, rows};
    use crate::activation::Activation;
    use crate::layer::Drawn;
    use burn::tensor::{Device, Tensor};
    use damper_kernels::dropout::{Rate, Source};
    use damper_kernels::noise::Kind;

    /// Which operations ran in one pass.
    fn reached(input: &Device, parameters: &Device) -> Vec<(&'static str, bool)> {
        let x = || Tensor::<2>::ones([4, 6], input);
        let line = || Tensor::<3>::ones([1, 4, 6], input);
        let vector = || Tensor::<1>::ones([6], parameters);
        let weight = || Tensor::<2>::ones([6, 6], parameters);
        let kernel = || Tensor::<3>::ones([2, 4, 1], parameters);
        let of = Convolution {
            channels: [4, 2],
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            padding: [(0, 0); 2],
            groups: 1,
        };
        let pool = Pool {
            kernel: [1, 2],
            stride: [1, 2],
            padding: [(0, 0); 2],
        };
        let source = Source {
            seed: 1,
            step: 2,
            layer: 3,
        };
        let rate = Rate::new(0.5);
        let (relu, drawn) = (Activation::Relu, Drawn { source, rate });
        let softmax = rows::Function::Softmax;
        vec![
            (
                "dense",
                dense::dense(x(), weight(), Some(vector()), Some(relu), Some(drawn)).is_ok(),
            ),
            (
                "dense, no bias",
                dense::dense(line(), weight(), None, None, None).is_ok(),
            ),
            ("activate", elementwise::activate(x(), relu).is_ok()),
            ("drop", elementwise::drop(x(), drawn, rate.into()).is_ok()),
            (
                "noise",
                elementwise::noise(x(), source, Kind::Add, 0.1).is_ok(),
            ),
            (
                "scale_groups",
                elementwise::scale_groups(x(), vec![0.0; 4], [4, 6, 1, 1]).is_ok(),
            ),
            ("softmax", rows::of_rows(x(), softmax).is_ok()),
            (
                "cross_entropy",
                rows::cross_entropy(x(), &[0, 1, 2, 3], 0.1).is_ok(),
            ),
            (
                "layer norm",
                norm::layer(x(), vector(), Some(vector()), 1e-5).is_ok(),
            ),
            (
                "batch norm",
                norm::batch(x(), vector(), vector(), 1e-5).is_ok(),
            ),
            (
                "attention",
                attention::attend(line(), 2, true, None, Some(drawn)).is_ok(),
            ),
            (
                "convolution",
                convolution::convolve(line(), kernel(), None, of).is_ok(),
            ),
            ("max_pool", convolution::max_pool(line(), pool).is_ok()),
        ]
    }

    /// Else what compares these operations with burn's compares burn's with themselves.
    #[test]
    fn the_memory_of_flex_is_reached_on_both_sides_of_the_graph() {
        let (plain, training) = (Device::flex(), Device::flex().autodiff());
        for (input, parameters) in [
            (&plain, &plain),
            (&training, &training),
            (&plain, &training),
        ] {
            for (name, reached) in reached(input, parameters) {
                assert!(reached, "{name}");
            }
        }
    }

    /// Checkpoints are burn's to decide about.
    #[test]
    fn a_strategy_of_checkpoints_is_left_to_burn() {
        let device = Device::flex().autodiff().gradient_checkpointing();
        for (name, reached) in reached(&device, &device) {
            assert!(!reached, "{name}");
        }
    }
}
