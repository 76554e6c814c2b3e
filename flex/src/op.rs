//! Nodes of the graph with a custom backward pass, from which every operation of this crate is built.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Tensor};
use std::fmt::Debug;
use std::marker::PhantomData;

/// A tensor of the flex backend: numbers in memory, without a rank in its type and outside of any graph.
pub type Primitive = FloatTensor<Flex>;

type Tracked = FloatTensor<Autodiff<Flex>>;

/// An input or output of an operation: a tensor of flex, which may be tracked by autodiff.
///
/// Operations are functions of these, not of tensors: code that depends on a rank is compiled again in every crate that
/// uses it.
#[derive(Debug)]
pub enum Input {
    /// Outside of the graph.
    Plain(Primitive),
    /// Part of the graph.
    Tracked(Tracked),
}

impl Input {
    /// The `f32` tensor of any shape, if its memory can be reached.
    ///
    /// # Errors
    /// Returns the tensor if it is on another backend, not of type `f32`, or on a device with gradient checkpointing.
    pub fn of<const D: usize>(tensor: Tensor<D>) -> Result<Self, Tensor<D>> {
        if tensor.dtype() != DType::F32 {
            return Err(tensor);
        }
        // Dropped on success, so that the memory has only one owner.
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

    /// The tensor, with the rank of its shape.
    #[must_use]
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        match self {
            Self::Plain(primitive) => Tensor::from_primitive::<Flex>(primitive),
            Self::Tracked(tracked) => Tensor::from_primitive::<Autodiff<Flex>>(tracked),
        }
    }

    /// The numbers, outside of the graph.
    #[must_use]
    pub fn into_primitive(self) -> Primitive {
        match self {
            Self::Plain(primitive) => primitive,
            Self::Tracked(tracked) => tracked.into_primitive(),
        }
    }
}

/// The backward pass of an operation with `N` inputs, with its saved state.
pub(crate) trait CustomBackward<const N: usize>: Clone + Debug + Send + 'static {
    /// The gradients of the inputs for which they are wanted, from the gradient of the output.
    fn backward(self, gradient: Primitive, wanted: [bool; N]) -> [Option<Primitive>; N];
}

/// The backward pass of an operation on an input with a weight, and a bias if there is one.
pub(crate) trait WeightedBackward: Clone + Debug + Send + 'static {
    /// The gradients of input, weight and bias for which they are wanted.
    fn gradients(&self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3];
}

impl<T: WeightedBackward> CustomBackward<3> for T {
    fn backward(self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3] {
        self.gradients(gradient, wanted)
    }
}

impl<T: WeightedBackward> CustomBackward<2> for T {
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
    pub(crate) input: Input,
    pub(crate) weight: Input,
    pub(crate) bias: Option<Input>,
}

impl Operands {
    /// The operands, or the input as the error if the memory of one of them cannot be reached.
    pub(crate) fn of<const D: usize, const E: usize>(
        input: Tensor<D>,
        weight: Tensor<E>,
        bias: Option<Tensor<1>>,
    ) -> Result<Self, Tensor<D>> {
        // Shares the memory, and is dropped before the memory is used.
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

/// As [`run_op`], with an input, a weight, and a bias if there is one.
pub(crate) fn run_weighted_op<O: WeightedBackward>(
    operands: Operands,
    run: impl FnOnce(Primitive, Primitive, Option<Primitive>, bool) -> (Primitive, Option<O>),
) -> Input {
    let Operands {
        input,
        weight,
        bias,
    } = operands;
    match bias {
        Some(bias) => run_op([input, weight, bias], |[input, weight, bias], keep| {
            run(input, weight, Some(bias), keep)
        }),
        None => run_op([input, weight], |[input, weight], keep| {
            run(input, weight, None, keep)
        }),
    }
}

/// Runs an operation. `run` returns its output and, if its second argument is true, the backward pass with its state.
pub(crate) fn run_op<const N: usize, O: CustomBackward<N>>(
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
            (output, Some(backward)) => preparation.finish(backward, output),
            (output, None) => Tracked::new(output),
        },
        OpsKind::UnTracked(preparation) => preparation.finish(run(inputs, false).0),
    };
    Input::Tracked(output)
}

/// A tensor of any shape with additional parents in the graph, which get no gradient. The numbers are not changed.
///
/// # Errors
/// Returns all tensors if the memory of one of them cannot be reached: see [`Input::of`].
pub fn with_parents<const D: usize>(
    value: Tensor<D>,
    parents: [Tensor<1>; 3],
) -> Result<Tensor<D>, (Tensor<D>, [Tensor<1>; 3])> {
    #[derive(Clone, Debug)]
    struct Same;
    impl CustomBackward<4> for Same {
        fn backward(self, gradient: Primitive, _: [bool; 4]) -> [Option<Primitive>; 4] {
            [Some(gradient), None, None, None]
        }
    }
    let given = (value.clone(), parents.clone());
    let [first, second, third] = parents;
    let (Ok(value), Ok(first), Ok(second), Ok(third)) = (
        Input::of(value),
        Input::of(first),
        Input::of(second),
        Input::of(third),
    ) else {
        return Err(given);
    };
    drop(given);
    let output = run_op([value, first, second, third], |[value, ..], keep| {
        (value, keep.then_some(Same))
    });
    Ok(output.into_tensor())
}

/// An operation's node of the graph.
struct Node<O>(PhantomData<fn() -> O>);

impl<O> Debug for Node<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Node")
    }
}

impl<const N: usize, O: CustomBackward<N>> Backward<Flex, N> for Node<O> {
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
