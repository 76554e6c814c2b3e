//! On flex an operation of damper goes over the memory once, with a backward derived by hand. Whatever way it takes
//! through its code, it gives the values and the gradients of burn's operations.

use crate::common::{noise, on_threads, op, random, same_everywhere};
use damper::activation::{self, Activation};
use damper::burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use damper::burn::nn::activation::{SwiGlu, SwiGluConfig};
use damper::burn::nn::conv::{Conv1d, Conv1dConfig, Conv2d, Conv2dConfig};
use damper::burn::nn::pool::{MaxPool1dConfig, MaxPool2dConfig};
use damper::burn::nn::{Linear, LinearConfig, PaddingConfig1d, PaddingConfig2d};
use damper::burn::tensor::activation as burn;
use damper::burn::tensor::module as functions;
use damper::burn::tensor::ops::{ConvOptions, PadMode};
use damper::burn::tensor::{Bool, Device, Gradients, Int, Tensor, TensorData};
use damper::layer::{
    AlphaDropout, Attention, BatchNorm, Dropout, GaussianDropout, GaussianNoise, Layer, LayerNorm,
    SpatialDropout, TiedLinear, conv1d, conv2d, dense, dense_with_dropout, max_pool1d, max_pool2d,
    swiglu,
};
use damper::{Pass, Target, loss};
use damper_ir::op;
use damper_ir::{LossKind, OpKind, Reads, Shape, Value};

/// The greatest difference from burn, relative to the greatest number.
const TOLERANCE: f32 = 1e-5;

/// Below it a greatest number is the remainder of larger ones.
const LEAST: f32 = 1e-2;

fn training() -> Device {
    Device::flex().autodiff()
}

/// An input on the training device that wants a gradient.
fn leaf<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    random(shape, seed, 1.0, &training()).require_grad()
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// What an operation gives, and the gradients of what it reads: `None` where none is wanted.
struct Outcome {
    output: Vec<f32>,
    gradients: Vec<(String, Option<Vec<f32>>)>,
}

/// Runs the operation, and goes back from a weighted sum of what it gives.
fn outcome<M: Module, const D: usize, const E: usize>(
    module: &M,
    input: &Tensor<D>,
    operation: impl FnOnce(&M, Tensor<D>) -> Tensor<E>,
) -> Outcome {
    let output = operation(module, input.clone());
    // Of both signs, but more positive ones: what cancels out would not be exact.
    let weights = random(output.dims(), 77, 1.0, &training()).add_scalar(0.5);
    let gradients = (output.clone() * weights).sum().backward();
    let of_input = input.grad(&gradients).map(|gradient| numbers(&gradient));
    let mut found = Found {
        gradients: &gradients,
        path: vec![],
        all: vec![("input".to_owned(), of_input)],
    };
    module.visit(&mut found);
    Outcome {
        output: numbers(&output),
        gradients: found.all,
    }
}

/// Gathers the gradients of a module's parameters.
struct Found<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    all: Vec<(String, Option<Vec<f32>>)>,
}

impl ModuleVisitor for Found<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients);
        let gradient = gradient.map(|gradient| numbers(&gradient));
        self.all.push((self.path.join("."), gradient));
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}

/// The numbers differ by no more than the tolerance times the greatest of them: a sum of many numbers of both signs may
/// be small, and is no more exact for that.
#[track_caller]
fn assert_within(tolerance: f32, what: &str, ours: &[f32], burns: &[f32]) {
    assert_eq!(ours.len(), burns.len(), "how many numbers {what} has");
    let greatest = burns.iter().fold(LEAST, |most, x| most.max(x.abs()));
    for (index, (our, burn)) in ours.iter().zip(burns).enumerate() {
        assert!(
            (our - burn).abs() <= tolerance * greatest,
            "{what}: number {index} is {our}, wanted {burn}; the greatest is {greatest}"
        );
    }
}

#[track_caller]
fn assert_near(what: &str, ours: &[f32], burns: &[f32]) {
    assert_within(TOLERANCE, what, ours, burns);
}

#[track_caller]
fn assert_same(what: &str, ours: &Outcome, burns: &Outcome) {
    assert_same_within(TOLERANCE, what, ours, burns);
}

#[track_caller]
fn assert_same_within(tolerance: f32, what: &str, ours: &Outcome, burns: &Outcome) {
    let output = format!("{what}: the output");
    assert_within(tolerance, &output, &ours.output, &burns.output);
    assert_eq!(ours.gradients.len(), burns.gradients.len());
    for ((name, our), (_, burn)) in ours.gradients.iter().zip(&burns.gradients) {
        let what = format!("{what}: the gradient of `{name}`");
        match (our, burn) {
            (Some(our), Some(burn)) => assert_within(tolerance, &what, our, burn),
            (our, burn) => assert_eq!(our.is_some(), burn.is_some(), "{what}"),
        }
    }
}

// Linear layers.

const ACTIVATIONS: [Option<Activation>; 8] = [
    None,
    Some(Activation::Relu),
    Some(Activation::Tanh),
    Some(Activation::Sigmoid),
    Some(Activation::Gelu),
    Some(Activation::GeluApproximate),
    Some(Activation::Silu),
    Some(Activation::Mish),
];

/// Rows, inputs and outputs of a linear layer: one for each way through it.
const SIZES: [[usize; 3]; 14] = [
    [1, 3, 1],
    [1, 64, 10],
    [2, 5, 3],
    [7, 10, 64],
    [65, 3, 100],
    [66, 1, 1001],
    // One row is worth all threads.
    [1, 1001, 1100],
    // Little to multiply, and much to activate.
    [70_000, 2, 1],
    [22_002, 3, 3],
    // Each thread multiplies its own rows; on the way back the two products run side by side.
    [300, 100, 100],
    [130, 20, 1001],
    // As before, and on the way back all threads share a product.
    [900, 100, 100],
    // The weight is packed once for all threads.
    [20, 300, 1001],
    [40, 300, 1001],
];

fn linear(inputs: usize, outputs: usize, bias: bool) -> Linear {
    let layer = LinearConfig::new(inputs, outputs).with_bias(bias);
    same_everywhere(layer.init(&training()))
}

fn of_burn<const D: usize>(activation: Option<Activation>, value: Tensor<D>) -> Tensor<D> {
    match activation {
        None => value,
        Some(Activation::Relu) => burn::relu(value),
        Some(Activation::Exp) => value.exp(),
        Some(Activation::Tanh) => burn::tanh(value),
        Some(Activation::Sigmoid) => burn::sigmoid(value),
        Some(Activation::Gelu) => burn::gelu(value),
        Some(Activation::GeluApproximate) => burn::gelu_approximate(value),
        Some(Activation::Silu) => burn::silu(value),
        Some(Activation::Mish) => burn::mish(value),
    }
}

fn dense_of_burn<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
) -> Tensor<D> {
    let bias = layer.bias.as_ref().map(Param::val);
    of_burn(
        activation,
        functions::linear(input, layer.weight.val(), bias),
    )
}

/// Compares a layer with burn's. Values so near to relu's corner that rounding chooses the side are left out.
#[track_caller]
fn assert_dense<const D: usize>(
    layer: &Linear,
    input: &Tensor<D>,
    activation: Option<Activation>,
    ours: impl Fn(&Linear, Tensor<D>) -> Tensor<D>,
) {
    let before = dense_of_burn(&layer.valid(), input.clone().inner(), None);
    // burn adds the rows up one by one, which loses digits where they are many.
    let rows = before.shape().num_elements() / layer.weight.dims()[1];
    let tolerance = if rows > 10_000 { 5e-5 } else { TOLERANCE };
    let steady = Tensor::from_inner(before.abs().greater_scalar(1e-4).float());
    let what = format!(
        "{:?} to {:?}, {activation:?}",
        input.dims(),
        layer.weight.dims()
    );
    let ours = outcome(layer, input, |layer, x| ours(layer, x) * steady.clone());
    let burns = outcome(layer, input, |layer, x| {
        dense_of_burn(layer, x, activation) * steady
    });
    assert_same_within(tolerance, &what, &ours, &burns);
}

fn every_linear_layer() {
    for [rows, inputs, outputs] in SIZES {
        for bias in [true, false] {
            let layer = linear(inputs, outputs, bias);
            let flat = leaf([rows, inputs], 3);
            let batch = if rows.is_multiple_of(2) { 2 } else { 1 };
            let sequence = leaf([batch, rows / batch, inputs], 4);
            for activation in ACTIVATIONS {
                assert_dense(&layer, &flat, activation, |layer, x| {
                    dense(layer, x, activation)
                });
                assert_dense(&layer, &sequence, activation, |layer, x| {
                    dense(layer, x, activation)
                });
            }
        }
    }
}

#[test]
fn a_linear_layer_with_an_activation_is_both_of_them() {
    on_threads(2, every_linear_layer);
}

#[test]
fn a_linear_layer_is_the_same_on_one_thread_and_on_more_than_there_are_cores() {
    on_threads(1, every_linear_layer);
    on_threads(5, every_linear_layer);
}

/// An input need not lie in one piece, nor begin where its memory does, nor go forward in it.
#[test]
fn a_linear_layer_reads_its_input_wherever_it_lies() {
    let views: [(&str, [usize; 2], fn(Tensor<2>) -> Tensor<2>); 5] = [
        ("turned", [6, 20], Tensor::transpose),
        ("columns of it", [20, 9], |x| x.narrow(1, 2, 6)),
        ("rows of it", [25, 6], |x| x.narrow(0, 3, 20)),
        ("backwards", [20, 6], |x| x.flip([0, 1])),
        ("one row for all", [1, 6], |x| x.expand([20, 6])),
    ];
    for (name, shape, view) in views {
        let (layer, input) = (linear(6, 10, true), leaf(shape, 5));
        for activation in [None, Some(Activation::Tanh), Some(Activation::Gelu)] {
            let ours = outcome(&layer, &input, |layer, x| dense(layer, view(x), activation));
            let burns = outcome(&layer, &input, |layer, x| {
                dense_of_burn(layer, view(x), activation)
            });
            assert_same(name, &ours, &burns);
        }
    }
}

/// The table of an embedding is read as columns where it is the weight of a linear layer.
#[test]
fn a_tied_layer_is_a_product_with_the_turned_table() {
    let table = linear(7, 30, true);
    let tied = TiedLinear {
        bias: Some(Param::from_tensor(random([7], 8, 1.0, &training()))),
    };
    let input = leaf([2, 5, 30], 6);
    let both = (tied, table.weight);
    let ours = outcome(&both, &input, |(tied, table), x| tied.forward(x, table));
    let burns = outcome(&both, &input, |(tied, table), x| {
        let bias = tied.bias.as_ref().map(Param::val);
        functions::linear(x, table.val().transpose(), bias)
    });
    assert_same("tied", &ours, &burns);
}

/// Gradients are computed for what wants one, and what is frozen gets none.
#[test]
fn a_linear_layer_has_gradients_only_where_they_are_wanted() {
    for activation in [None, Some(Activation::Relu), Some(Activation::Gelu)] {
        for wanted in 1..8 {
            let wants = |place: usize| wanted >> place & 1 == 1;
            let frozen = ["weight", "bias"].into_iter().zip([1, 2]);
            let frozen = frozen.filter(|(_, place)| !wants(*place));
            let frozen = ParamGroup::from_paths(frozen.map(|(name, _)| name).collect());
            for [rows, inputs, outputs] in [[9, 4, 5], [300, 100, 100]] {
                let layer = linear(inputs, outputs, true).freeze_group(frozen.clone());
                let input = leaf([rows, inputs], 7).set_require_grad(wants(0));
                let found = outcome(&layer, &input, |layer, x| dense(layer, x, activation));
                let found = found
                    .gradients
                    .iter()
                    .map(|(_, gradient)| gradient.is_some());
                assert_eq!(found.collect::<Vec<_>>(), [0, 1, 2].map(wants));
                assert_dense(&layer, &input, activation, |layer, x| {
                    dense(layer, x, activation)
                });
            }
        }
    }
}

/// A source of random numbers behind that of another layer.
fn second_layer() -> Pass {
    let mut pass = Pass::at(0.5).with_random(7, 3);
    let _ = Dropout::new(0.5).forward(random([1, 1], 1, 1.0, &training()), &mut pass);
    pass
}

#[test]
fn dropout_within_a_linear_layer_is_that_behind_it() {
    let activations = [
        None,
        Some(Activation::Relu),
        Some(Activation::Gelu),
        Some(Activation::Tanh),
        Some(Activation::Sigmoid),
        Some(Activation::Mish),
    ];
    let run = || {
        for [rows, inputs, outputs] in SIZES {
            let (layer, input) = (linear(inputs, outputs, true), leaf([rows, inputs], 9));
            for activation in activations {
                for rate in [0.1, 0.5, 0.9] {
                    let dropout = Dropout::new(rate);
                    let within = outcome(&layer, &input, |layer, x| {
                        dense_with_dropout(layer, x, activation, &dropout, &mut second_layer())
                    });
                    let behind = outcome(&layer, &input, |layer, x| {
                        dropout.forward(dense(layer, x, activation), &mut second_layer())
                    });
                    let what = format!("{rows} {inputs} {outputs} {activation:?} {rate}");
                    assert_same(&what, &within, &behind);
                    let zeros = |outcome: &Outcome| -> Vec<usize> {
                        let places = outcome.output.iter().enumerate();
                        let places = places.filter(|(_, number)| **number == 0.0);
                        places.map(|(place, _)| place).collect()
                    };
                    assert_eq!(zeros(&within), zeros(&behind), "{what}");
                }
            }
        }
    };
    on_threads(1, run);
    on_threads(2, run);
}

#[test]
fn dropout_within_a_linear_layer_acts_where_dropout_does() {
    let (layer, input) = (linear(20, 30, true), leaf([40, 20], 10));
    let activation = Some(Activation::Relu);
    let dropped = |layer: &Linear, input: Tensor<2>, dropout: &Dropout| {
        numbers(&dense_with_dropout(
            layer,
            input,
            activation,
            dropout,
            &mut second_layer(),
        ))
    };
    let dropout = Dropout::new(0.5);
    let plain = numbers(&dense(&layer, input.clone(), activation));
    assert_ne!(dropped(&layer, input.clone(), &dropout), plain);
    assert_eq!(
        dropped(&layer, input.clone(), &dropout.clone().freeze()),
        plain
    );
    assert_eq!(dropped(&layer, input.clone(), &Dropout::new(0.0)), plain);
    assert_eq!(dropped(&layer.valid(), input.inner(), &dropout), plain);
}

/// The nearest rate that 16 random bits can hit is 1: all is dropped, and nothing goes back.
#[test]
fn a_rate_next_to_one_drops_all_and_leaves_numbers() {
    let (layer, input) = (linear(5, 6, true), leaf([4, 5], 11));
    for activation in ACTIVATIONS {
        let all = outcome(&layer, &input, |layer, x| {
            let dropout = Dropout::new(0.999_999);
            dense_with_dropout(layer, x, activation, &dropout, &mut second_layer())
        });
        assert!(all.output.iter().all(|number| *number == 0.0));
        for (name, gradient) in all.gradients {
            let gradient = gradient.expect("a gradient");
            assert!(
                gradient.iter().all(|number| *number == 0.0),
                "{activation:?}: the gradient of `{name}` is {gradient:?}"
            );
        }
    }
}

#[test]
fn swiglu_is_a_gated_product() {
    for [rows, inputs, outputs] in [[3, 4, 5], [300, 100, 100]] {
        for bias in [true, false] {
            let layer = SwiGluConfig::new(inputs, outputs).with_bias(bias);
            let layer = same_everywhere(layer.init(&training()));
            let input = leaf([rows, inputs], 12);
            let ours = outcome(&layer, &input, swiglu);
            let burns = outcome(&layer, &input, SwiGlu::forward);
            assert_same("swiglu", &ours, &burns);
        }
    }
}

// Each number by itself, and each row by itself.

/// A module without parameters.
fn nothing() -> Vec<Linear> {
    vec![]
}

#[test]
fn activations_are_those_of_burn() {
    on_threads(2, || {
        for activation in ACTIVATIONS.into_iter().flatten() {
            for shape in [[1, 1], [3, 7], [300, 257]] {
                let input = random(shape, 13, 6.0, &training()).require_grad();
                for view in [|x: Tensor<2>| x, Tensor::transpose] {
                    let ours = outcome(&nothing(), &input, |_, x| {
                        activation::apply(activation, view(x))
                    });
                    let burns = outcome(&nothing(), &input, |_, x| {
                        of_burn(Some(activation), view(x))
                    });
                    assert_same(&format!("{activation:?} of {shape:?}"), &ours, &burns);
                }
            }
        }
    });
}

/// Far out an activation is a line or a constant, and neither its value nor its slope overflows.
#[test]
fn activations_are_finite_far_from_zero() {
    for activation in ACTIVATIONS.into_iter().flatten() {
        let far = [-1e30, -1e4, -100.0, -30.0, 30.0, 100.0, 1e4, 1e30];
        let input = Tensor::<1>::from_floats(far, &training()).require_grad();
        let output = activation::apply(activation, input.clone());
        let gradient = input
            .grad(&output.clone().sum().backward())
            .expect("a gradient");
        let bounded = matches!(activation, Activation::Tanh | Activation::Sigmoid);
        let below = if activation == Activation::Tanh {
            -1.0
        } else {
            0.0
        };
        for (x, (y, slope)) in far
            .iter()
            .zip(numbers(&output).iter().zip(numbers(&gradient)))
        {
            let (value, wanted) = match (*x > 0.0, bounded) {
                (true, true) => (1.0, 0.0),
                (true, false) => (*x, 1.0),
                (false, _) => (below, 0.0),
            };
            assert!(
                (y - value).abs() <= 1e-6 * value.abs().max(1.0),
                "{activation:?}({x}) = {y}"
            );
            assert!(
                (slope - wanted).abs() < 1e-6,
                "{activation:?}'({x}) = {slope}"
            );
        }
    }
}

/// A network that has diverged shows it: what is not a number stays visible in every activation.
#[test]
fn what_is_not_a_number_stays_so() {
    let not_a_number = |shape: [usize; 2]| Tensor::<2>::full(shape, f32::NAN, &training());
    let all = |value: Tensor<2>| numbers(&value).iter().all(|number| number.is_nan());
    for activation in ACTIVATIONS {
        for input in [not_a_number([3, 70]), not_a_number([3, 70]).require_grad()] {
            if let Some(activation) = activation {
                assert!(
                    all(activation::apply(activation, input.clone())),
                    "{activation:?}"
                );
                let plain = input.clone().inner();
                assert!(
                    all(activation::apply(activation, plain)),
                    "{activation:?}, plain"
                );
            }
            let layer = linear(70, 5, true);
            assert!(
                all(dense(&layer, input.clone(), activation)),
                "{activation:?}"
            );
            let plain = dense(&layer.valid(), input.inner(), activation);
            assert!(all(plain), "{activation:?}, plain");
        }
    }
    assert!(all(activation::softmax(not_a_number([3, 70]), 1)));
    assert!(all(activation::log_softmax(not_a_number([3, 70]), 1)));
    let norm = LayerNorm::new(70, 1e-5, &training());
    assert!(all(norm.forward(not_a_number([3, 70]))));
    let pool = MaxPool1dConfig::new(2).init();
    let pooled = max_pool1d(&pool, not_a_number([3, 70]).reshape([1, 3, 70]));
    assert!(all(pooled.squeeze_dim(0)));
}

#[test]
fn softmax_and_its_logarithm_are_those_of_burn() {
    on_threads(2, || {
        for width in [1, 7, 50, 513] {
            for rows in [1, 3, 70_000_usize.div_ceil(width)] {
                let input = random([rows, width], 14, 4.0, &training()).require_grad();
                let what = format!("{rows} rows of {width}");
                let ours = outcome(&nothing(), &input, |_, x| activation::softmax(x, 1));
                let burns = outcome(&nothing(), &input, |_, x| burn::softmax(x, 1));
                assert_same(&format!("softmax: {what}"), &ours, &burns);
                let ours = outcome(&nothing(), &input, |_, x| activation::log_softmax(x, -1));
                let burns = outcome(&nothing(), &input, |_, x| burn::log_softmax(x, -1));
                assert_same(&format!("log_softmax: {what}"), &ours, &burns);
            }
        }
    });
}

#[test]
fn softmax_goes_along_any_axis() {
    let input = random([3, 4, 5], 15, 4.0, &training()).require_grad();
    for axis in [0, 1, 2, -1, -2, -3_isize] {
        let ours = outcome(&nothing(), &input, |_, x| activation::softmax(x, axis));
        let burns = outcome(&nothing(), &input, |_, x| burn::softmax(x, axis));
        assert_same(&format!("softmax along {axis}"), &ours, &burns);
        let ours = outcome(&nothing(), &input, |_, x| activation::log_softmax(x, axis));
        let burns = outcome(&nothing(), &input, |_, x| burn::log_softmax(x, axis));
        assert_same(&format!("log_softmax along {axis}"), &ours, &burns);
    }
}

/// The mean over the rows of `-log p`, a share of it spread over all classes.
fn cross_entropy_by_hand(logits: Tensor<2>, classes: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let logs = burn::log_softmax(logits, 1);
    let right = logs.clone().gather(1, classes.unsqueeze_dim(1)).mean();
    (right.mul_scalar(1.0 - smoothing) + logs.mean().mul_scalar(smoothing)).neg()
}

#[test]
fn cross_entropy_is_the_mean_logarithm_of_the_right_class() {
    on_threads(2, || {
        for [rows, width] in [[1, 2], [5, 10], [200, 513], [7000, 10]] {
            let classes: Vec<i64> = (0..rows).map(|row| (row * 7 % width) as i64).collect();
            let classes = TensorData::new(classes, [rows]);
            let classes = Tensor::<1, Int>::from_data(classes, &training());
            let input = random([rows, width], 16, 4.0, &training()).require_grad();
            for smoothing in [0.0, 0.1] {
                let kind = LossKind::CrossEntropy {
                    label_smoothing: (smoothing > 0.0).then(|| Value::known(smoothing)),
                    weights: vec![],
                    from: Reads::Logits,
                    z: None,
                };
                let target = Target::Classes(classes.clone());
                // The factor: a loss need not be the end of the graph.
                let ours = outcome(&nothing(), &input, |_, x| {
                    loss::value(&kind, x, &target).mul_scalar(-3.0)
                });
                let burns = outcome(&nothing(), &input, |_, x| {
                    cross_entropy_by_hand(x, classes.clone(), smoothing).mul_scalar(-3.0)
                });
                let what = format!("{rows} rows of {width}, smoothing {smoothing}");
                assert_same(&what, &ours, &burns);
            }
        }
    });
}

// Norms.

fn layer_norm(width: usize, shift: bool) -> LayerNorm {
    let mut layer = same_everywhere(LayerNorm::new(width, 1e-5, &training()));
    if !shift {
        layer.beta = None;
    }
    layer
}

fn layer_norm_of_burn<const D: usize>(layer: &LayerNorm, input: Tensor<D>) -> Tensor<D> {
    let beta = layer.beta.as_ref().map(Param::val);
    functions::layer_norm(input, layer.gamma.val(), beta, layer.epsilon)
}

#[test]
fn a_layer_norm_is_that_of_burn() {
    on_threads(2, || {
        for [rows, width] in [[1, 2], [3, 7], [5, 50], [200, 513], [1400, 50]] {
            for shift in [true, false] {
                let layer = layer_norm(width, shift);
                let what = format!("{rows} rows of {width}, shift {shift}");
                let flat = leaf([rows, width], 17);
                let ours = outcome(&layer, &flat, LayerNorm::forward);
                let burns = outcome(&layer, &flat, layer_norm_of_burn);
                assert_same(&what, &ours, &burns);
                let sequence = leaf([2, rows, width], 18);
                let ours = outcome(&layer, &sequence, LayerNorm::forward);
                let burns = outcome(&layer, &sequence, layer_norm_of_burn);
                assert_same(&what, &ours, &burns);
            }
        }
    });
}

/// One number is its own mean.
#[test]
fn a_layer_norm_of_single_numbers_gives_the_shift() {
    let layer = layer_norm(1, true);
    let input = leaf([4, 1], 19);
    let found = outcome(&layer, &input, LayerNorm::forward);
    let shift = numbers(&layer.beta.expect("a shift").val());
    assert_eq!(found.output, shift.repeat(4));
    let (_, gradient) = &found.gradients[0];
    assert_eq!(gradient.as_deref(), Some(&[0.0; 4][..]));
}

#[test]
fn a_layer_norm_has_gradients_only_where_they_are_wanted() {
    for frozen in ["gamma", "beta"] {
        let frozen = ParamGroup::from_path(frozen);
        let layer = layer_norm(6, true).freeze_group(frozen);
        for input in [leaf([5, 6], 20), leaf([5, 6], 20).set_require_grad(false)] {
            let ours = outcome(&layer, &input, LayerNorm::forward);
            let burns = outcome(&layer, &input, layer_norm_of_burn);
            assert_same("frozen", &ours, &burns);
        }
    }
}

/// The statistics of each channel, in burn's operations: `[batch, channels, positions]`.
struct ByHand {
    output: Tensor<3>,
    mean: Tensor<3>,
    variance: Tensor<3>,
}

fn batch_norm_by_hand(layer: &BatchNorm, input: Tensor<3>) -> ByHand {
    let [_, channels, _] = input.dims();
    // What rounding has left of the mean is added to it.
    let mean = input.clone().mean_dims(&[0, 2]);
    let mean = mean.clone() + (input.clone() - mean).mean_dims(&[0, 2]);
    let difference = input - mean.clone();
    let variance = difference.clone().square().mean_dims(&[0, 2]);
    let each = |parameter: &Param<Tensor<1>>| parameter.val().reshape([1, channels, 1]);
    let deviation = variance.clone().add_scalar(layer.epsilon).sqrt();
    ByHand {
        output: difference / deviation * each(&layer.gamma) + each(&layer.beta),
        mean,
        variance,
    }
}

/// A batch norm with fixed scale and shift, and fresh statistics.
fn batch_norm(channels: usize) -> BatchNorm {
    let fresh = BatchNorm::new(channels, 1e-5, 0.1, &training());
    let parameters = same_everywhere(layer_norm(channels, true));
    BatchNorm {
        gamma: parameters.gamma,
        beta: parameters.beta.expect("a shift"),
        ..fresh
    }
}

#[track_caller]
fn assert_batch_norm<const D: usize>(shape: [usize; D]) {
    let what = format!("{shape:?}");
    let [batch, channels] = [shape[0], shape[1]];
    let positions = shape[2..].iter().product::<usize>();
    let layer = batch_norm(channels);
    // Neither around 0 nor of variance 1.
    let input = leaf(shape, 21).mul_scalar(2.0).add_scalar(3.0).detach();
    let input = input.require_grad();
    let channelwise = |x: Tensor<D>| x.reshape([batch, channels, positions]);
    let ours = outcome(&layer, &input, BatchNorm::forward);
    let by_hand = outcome(&layer, &input, |layer, x| {
        batch_norm_by_hand(layer, channelwise(x))
            .output
            .reshape(shape)
    });
    assert_same(&what, &ours, &by_hand);
    let ByHand { mean, variance, .. } = batch_norm_by_hand(&layer, channelwise(input));
    let count = (batch * positions) as f64;
    let mean = mean.mul_scalar(0.1);
    let variance = variance
        .mul_scalar(0.1 * count / (count - 1.0))
        .add_scalar(0.9);
    let running = numbers(&layer.running_mean.value_sync());
    assert_near(&what, &running, &numbers(&mean));
    let running = numbers(&layer.running_var.value_sync());
    assert_near(&what, &running, &numbers(&variance));
}

#[test]
fn a_batch_norm_normalizes_and_gathers_statistics() {
    on_threads(2, || {
        assert_batch_norm([2, 1]);
        assert_batch_norm([5, 3]);
        assert_batch_norm([700, 100]);
        assert_batch_norm([4, 3, 7]);
        assert_batch_norm([1, 2, 3, 4]);
        assert_batch_norm([5, 6, 9, 7]);
        assert_batch_norm([3, 70, 20, 20]);
    });
}

#[test]
fn a_batch_norm_has_gradients_only_where_they_are_wanted() {
    for frozen in ["gamma", "beta"] {
        let layer = batch_norm(3).freeze_group(ParamGroup::from_path(frozen));
        for wants in [true, false] {
            let input = leaf([4, 3, 5], 22).set_require_grad(wants);
            let ours = outcome(&layer, &input, BatchNorm::forward);
            let by_hand = outcome(&layer, &input, |layer, x| {
                batch_norm_by_hand(layer, x).output
            });
            assert_same(frozen, &ours, &by_hand);
        }
    }
}

// Attention.

fn attention(features: usize, heads: usize, causal: bool) -> Attention {
    let kind = OpKind::Attention(op::Attention {
        causal: Value::truth(causal),
        ..op::Attention::new(heads)
    });
    let op = op(1, "attention", kind, vec![]);
    let shape = Shape(vec![None, Some(features)]);
    let layer = Attention::build(&op, &shape, &training());
    same_everywhere(layer.expect("a sound description"))
}

/// Which steps of which samples are padding: of sample `n` the last `n`, modulo the length.
fn padding(batch: usize, time: usize) -> Vec<bool> {
    let steps = (0..batch).flat_map(|sample| (0..time).map(move |step| (sample, step)));
    steps
        .map(|(sample, step)| step + (sample % (time + 1)) >= time)
        .collect()
}

fn attention_by_hand(layer: &Attention, input: Tensor<3>, padding: Option<&[bool]>) -> Tensor<3> {
    let [batch, time, features] = input.dims();
    let (heads, size) = (layer.heads, features / layer.heads);
    let bias = layer.in_proj.bias.as_ref().map(Param::val);
    let all = functions::linear(input, layer.in_proj.weight.val(), bias);
    let part = |index: usize| {
        let part = all.clone().narrow(2, index * features, features);
        part.reshape([batch, time, heads, size]).swap_dims(1, 2)
    };
    let mut hidden = vec![0.0_f32; batch * time * time];
    for (place, hidden) in hidden.iter_mut().enumerate() {
        let (sample, step, other) = (place / (time * time), place / time % time, place % time);
        let padded = padding.is_some_and(|padding| padding[sample * time + other]);
        if (layer.causal && other > step) || (padded && other != step) {
            *hidden = f32::NEG_INFINITY;
        }
    }
    let hidden = TensorData::new(hidden, [batch, 1, time, time]);
    let hidden = Tensor::<4>::from_data(hidden, &all.device());
    let scores = part(0).matmul(part(1).transpose());
    let scores = scores.div_scalar((size as f64).sqrt()) + hidden;
    let mixed = burn::softmax(scores, 3).matmul(part(2));
    let mixed = mixed.swap_dims(1, 2).reshape([batch, time, features]);
    let bias = layer.out_proj.bias.as_ref().map(Param::val);
    functions::linear(mixed, layer.out_proj.weight.val(), bias)
}

#[test]
fn attention_is_a_softmax_over_the_steps_that_are_seen() {
    on_threads(2, || {
        for [batch, time] in [[1, 1], [3, 5], [4, 13], [2, 64]] {
            for (heads, causal, padded) in [
                (1, false, false),
                (4, false, false),
                (4, true, false),
                (4, false, true),
                (1, true, true),
            ] {
                let layer = attention(16, heads, causal);
                let input = leaf([batch, time, 16], 23);
                let flags = padded.then(|| padding(batch, time));
                let mask = flags.clone().map(|flags| {
                    let flags = TensorData::new(flags, [batch, time]);
                    Tensor::<2, Bool>::from_data(flags, &Device::flex())
                });
                let what = format!("{batch} x {time}, {heads}, {causal}, {padded}");
                let ours = outcome(&layer, &input, |layer, x| {
                    layer.forward(x, mask.as_ref(), &mut Pass::new())
                });
                let by_hand = outcome(&layer, &input, |layer, x| {
                    attention_by_hand(layer, x, flags.as_deref())
                });
                assert_same(&what, &ours, &by_hand);
                let plain = layer
                    .valid()
                    .forward(input.inner(), mask.as_ref(), &mut Pass::new());
                assert_near(&what, &numbers(&plain), &by_hand.output);
            }
        }
    });
}

// Convolutions and pools.

/// A convolution of an image of `[channels, height, width]`.
#[derive(Clone, Copy, Debug)]
struct Sliding {
    image: [usize; 3],
    out: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Above and below, left and right.
    zeros: [(usize, usize); 2],
    groups: usize,
}

const PLAIN: Sliding = Sliding {
    image: [4, 6, 5],
    out: 3,
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    zeros: [(0, 0); 2],
    groups: 1,
};

const SLIDING: [Sliding; 19] = [
    PLAIN,
    Sliding {
        zeros: [(1, 1); 2],
        ..PLAIN
    },
    Sliding {
        kernel: [3, 2],
        stride: [2, 1],
        zeros: [(1, 1), (0, 0)],
        ..PLAIN
    },
    Sliding {
        stride: [2, 3],
        zeros: [(1, 1); 2],
        ..PLAIN
    },
    Sliding {
        kernel: [2, 2],
        dilation: [2, 3],
        ..PLAIN
    },
    Sliding {
        dilation: [2, 2],
        stride: [2, 2],
        zeros: [(3, 3), (2, 2)],
        ..PLAIN
    },
    Sliding {
        zeros: [(1, 0), (2, 3)],
        ..PLAIN
    },
    Sliding {
        zeros: [(0, 2), (4, 0)],
        stride: [3, 2],
        ..PLAIN
    },
    // Rows and columns of nothing but zeros.
    Sliding {
        kernel: [2, 1],
        zeros: [(4, 5), (3, 4)],
        ..PLAIN
    },
    // The kernel is larger than the image, and as large as it.
    Sliding {
        kernel: [7, 7],
        zeros: [(3, 3); 2],
        ..PLAIN
    },
    Sliding {
        kernel: [6, 5],
        ..PLAIN
    },
    Sliding {
        out: 6,
        groups: 2,
        zeros: [(1, 1); 2],
        ..PLAIN
    },
    Sliding {
        out: 8,
        groups: 4,
        ..PLAIN
    },
    // Pointwise, and what looks like it.
    Sliding {
        kernel: [1, 1],
        ..PLAIN
    },
    Sliding {
        kernel: [1, 1],
        out: 6,
        groups: 2,
        ..PLAIN
    },
    Sliding {
        kernel: [1, 1],
        stride: [2, 2],
        ..PLAIN
    },
    Sliding {
        kernel: [1, 1],
        zeros: [(1, 1), (0, 2)],
        ..PLAIN
    },
    // More windows than are laid out at once, and products that all threads share for one sample.
    Sliding {
        image: [16, 32, 32],
        out: 64,
        zeros: [(1, 1); 2],
        ..PLAIN
    },
    Sliding {
        image: [64, 40, 40],
        out: 64,
        kernel: [1, 1],
        ..PLAIN
    },
];

impl Sliding {
    fn layer(&self, bias: bool) -> Conv2d {
        let [(top, bottom), (left, right)] = self.zeros;
        let layer = Conv2dConfig::new([self.image[0], self.out], self.kernel)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
            .with_bias(bias);
        same_everywhere(layer.init(&training()))
    }

    /// The zeros are put around the image by hand.
    fn of_burn(&self, layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
        let bias = layer.bias.as_ref().map(Param::val);
        let options = ConvOptions::new(self.stride, [0, 0], self.dilation, self.groups);
        let input = input.pad(self.zeros, PadMode::Constant(0.0));
        functions::conv2d(input, layer.weight.val(), bias, options)
    }

    fn line(&self, bias: bool) -> Conv1d {
        let (left, right) = self.zeros[1];
        let layer = Conv1dConfig::new(self.image[0], self.out, self.kernel[1])
            .with_stride(self.stride[1])
            .with_dilation(self.dilation[1])
            .with_groups(self.groups)
            .with_padding(PaddingConfig1d::Explicit(left, right))
            .with_bias(bias);
        same_everywhere(layer.init(&training()))
    }

    fn line_of_burn(&self, layer: &Conv1d, input: Tensor<3>) -> Tensor<3> {
        let bias = layer.bias.as_ref().map(Param::val);
        let (stride, dilation) = (self.stride[1], self.dilation[1]);
        let options = ConvOptions::new([stride], [0], [dilation], self.groups);
        let input = input.pad([self.zeros[1]], PadMode::Constant(0.0));
        functions::conv1d(input, layer.weight.val(), bias, options)
    }
}

fn every_convolution() {
    for sliding in SLIDING {
        for (batch, bias) in [(1, true), (5, true), (1, false), (5, false)] {
            let what = format!("{batch} of {sliding:?}");
            let [channels, height, width] = sliding.image;
            let layer = sliding.layer(bias);
            let input = leaf([batch, channels, height, width], 24);
            let ours = outcome(&layer, &input, conv2d);
            let burns = outcome(&layer, &input, |layer, x| sliding.of_burn(layer, x));
            assert_same(&what, &ours, &burns);
            let layer = sliding.line(bias);
            let input = leaf([batch, channels, width], 25);
            let ours = outcome(&layer, &input, conv1d);
            let burns = outcome(&layer, &input, |layer, x| sliding.line_of_burn(layer, x));
            assert_same(&format!("a line: {what}"), &ours, &burns);
        }
    }
}

#[test]
fn convolutions_are_those_of_burn() {
    on_threads(2, every_convolution);
}

#[test]
fn convolutions_are_the_same_on_one_thread_and_on_more_than_there_are_samples() {
    on_threads(1, every_convolution);
    on_threads(7, every_convolution);
}

/// burn's `Same` depends on the size of the image.
#[test]
fn convolutions_know_burns_other_paddings() {
    for (stride, kernel) in [([1, 1], [3, 4]), ([2, 3], [3, 3]), ([2, 2], [1, 5])] {
        let layer = Conv2dConfig::new([2, 3], kernel)
            .with_stride(stride)
            .with_padding(PaddingConfig2d::Same);
        let layer = same_everywhere(layer.init(&training()));
        for [height, width] in [[6, 5], [7, 9]] {
            let input = leaf([2, 2, height, width], 26);
            let ours = outcome(&layer, &input, conv2d);
            let burns = outcome(&layer, &input, Conv2d::forward);
            assert_same("two axes", &ours, &burns);
        }
        let layer = Conv1dConfig::new(2, 3, kernel[1])
            .with_stride(stride[1])
            .with_padding(PaddingConfig1d::Same);
        let layer = same_everywhere(layer.init(&training()));
        for width in [5, 9] {
            let input = leaf([2, 2, width], 27);
            let ours = outcome(&layer, &input, conv1d);
            let burns = outcome(&layer, &input, Conv1d::forward);
            assert_same("one axis", &ours, &burns);
        }
    }
}

#[test]
fn a_convolution_has_gradients_only_where_they_are_wanted() {
    for sliding in [
        Sliding {
            zeros: [(1, 1); 2],
            ..PLAIN
        },
        Sliding {
            kernel: [1, 1],
            ..PLAIN
        },
    ] {
        for wanted in 1..8 {
            let wants = |place: usize| wanted >> place & 1 == 1;
            let frozen = ["weight", "bias"].into_iter().zip([1, 2]);
            let frozen = frozen.filter(|(_, place)| !wants(*place));
            let frozen = ParamGroup::from_paths(frozen.map(|(name, _)| name).collect());
            let layer = sliding.layer(true).freeze_group(frozen);
            let input = leaf([3, 4, 6, 5], 28).set_require_grad(wants(0));
            let ours = outcome(&layer, &input, conv2d);
            let found = ours
                .gradients
                .iter()
                .map(|(_, gradient)| gradient.is_some());
            assert_eq!(found.collect::<Vec<_>>(), [0, 1, 2].map(wants));
            let burns = outcome(&layer, &input, |layer, x| sliding.of_burn(layer, x));
            assert_same("frozen", &ours, &burns);
        }
    }
}

/// An image that is turned lies in another order.
#[test]
fn a_convolution_reads_its_input_wherever_it_lies() {
    let (layer, input) = (PLAIN.layer(true), leaf([2, 5, 6, 4], 29));
    let turned = |x: Tensor<4>| x.swap_dims(1, 3);
    let ours = outcome(&layer, &input, |layer, x| conv2d(layer, turned(x)));
    let burns = outcome(&layer, &input, |layer, x| PLAIN.of_burn(layer, turned(x)));
    assert_same("turned", &ours, &burns);
}

/// Of equal numbers one is the greatest, and gets the gradient alone: in half of the inputs many are equal.
#[test]
fn pools_take_the_greatest_as_burn_does() {
    on_threads(2, || {
        for (kernel, stride, [top, left, bottom, right]) in [
            ([2, 2], [2, 2], [0; 4]),
            ([3, 3], [2, 2], [1; 4]),
            ([3, 2], [1, 2], [1, 1, 1, 1]),
            ([2, 3], [3, 1], [1, 0, 0, 2]),
            ([1, 1], [1, 1], [0; 4]),
            ([7, 9], [1, 1], [0; 4]),
        ] {
            let layer = MaxPool2dConfig::new(kernel)
                .with_strides(stride)
                .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
                .init();
            let line = MaxPool1dConfig::new(kernel[1])
                .with_stride(stride[1])
                .with_padding(PaddingConfig1d::Explicit(left, right))
                .init();
            for batch in [1, 3] {
                let image = leaf([batch, 5, 7, 9], 30);
                let steps = image.clone().mul_scalar(3.0).round().detach();
                for image in [image, steps.require_grad()] {
                    let what = format!("{batch}, {layer}");
                    let ours = outcome(&nothing(), &image, |_, x| max_pool2d(&layer, x));
                    let burns = outcome(&nothing(), &image, |_, x| layer.forward(x));
                    assert_same(&what, &ours, &burns);
                    let flat = |x: Tensor<4>| x.reshape([batch, 35, 9]);
                    let ours = outcome(&nothing(), &image, |_, x| max_pool1d(&line, flat(x)));
                    let burns = outcome(&nothing(), &image, |_, x| line.forward(flat(x)));
                    assert_same(&format!("a line: {what}"), &ours, &burns);
                }
            }
        }
    });
}

/// Zeros of both signs are equal: the first of them is the greatest.
#[test]
fn a_pool_takes_the_first_of_equal_zeros() {
    let pool = MaxPool1dConfig::new(2).init();
    let input = Tensor::<3>::from_floats([[[-0.0, 0.0, 0.0, -0.0]]], &training()).require_grad();
    let output = max_pool1d(&pool, input.clone());
    let gradient = input.grad(&output.sum().backward()).expect("a gradient");
    assert_eq!(numbers(&gradient), [1.0, 0.0, 1.0, 0.0]);
}

// What others hold.

/// Operations on `[rows, width]` that may write where they read.
fn operations(rows: usize, width: usize) -> Vec<(String, Box<dyn Fn(Tensor<2>) -> Tensor<2>>)> {
    let mut all: Vec<(String, Box<dyn Fn(Tensor<2>) -> Tensor<2>>)> = vec![];
    for activation in ACTIVATIONS {
        let layer = linear(width, width, true);
        let name = format!("dense, {activation:?}");
        all.push((name, Box::new(move |x| dense(&layer, x, activation))));
        let layer = linear(width, width, true);
        let dropped = move |x| {
            let dropout = Dropout::new(0.4);
            dense_with_dropout(&layer, x, activation, &dropout, &mut second_layer())
        };
        all.push((format!("dropped, {activation:?}"), Box::new(dropped)));
        if let Some(activation) = activation {
            let name = format!("{activation:?}");
            all.push((name, Box::new(move |x| activation::apply(activation, x))));
        }
    }
    let mut add = |name: &str, operation: Box<dyn Fn(Tensor<2>) -> Tensor<2>>| {
        all.push((name.to_owned(), operation));
    };
    add("softmax", Box::new(|x| activation::softmax(x, 1)));
    add("log_softmax", Box::new(|x| activation::log_softmax(x, 1)));
    add(
        "dropout",
        Box::new(|x| Dropout::new(0.4).forward(x, &mut second_layer())),
    );
    add(
        "alpha",
        Box::new(|x| AlphaDropout::new(0.4).forward(x, &mut second_layer())),
    );
    add(
        "gaussian",
        Box::new(|x| GaussianDropout::new(0.4).forward(x, &mut second_layer())),
    );
    add(
        "noise",
        Box::new(|x| GaussianNoise::new(0.4).forward(x, &mut second_layer())),
    );
    add(
        "spatial",
        Box::new(|x| SpatialDropout::new(0.4).forward(x, &mut second_layer())),
    );
    let norm = layer_norm(width, true);
    add("layer norm", Box::new(move |x| norm.forward(x)));
    let norm = batch_norm(width);
    add("batch norm", Box::new(move |x| norm.forward(x)));
    let heads = attention(width, 2, true);
    let attend = move |x: Tensor<2>| heads.forward(x.unsqueeze_dim(0), None, &mut Pass::new());
    add("attention", Box::new(move |x| attend(x).squeeze_dim(0)));
    let pointwise = Conv1dConfig::new(rows, rows, 1).init(&training());
    add(
        "pointwise",
        Box::new(move |x| conv1d(&pointwise, x.unsqueeze_dim(0)).squeeze_dim(0)),
    );
    let wide = Conv1dConfig::new(rows, rows, 3).with_padding(PaddingConfig1d::Explicit(1, 1));
    let wide = wide.init(&training());
    add(
        "convolution",
        Box::new(move |x| conv1d(&wide, x.unsqueeze_dim(0)).squeeze_dim(0)),
    );
    let pool = MaxPool1dConfig::new(3).with_stride(1);
    let pool = pool.with_padding(PaddingConfig1d::Explicit(1, 1)).init();
    add(
        "pool",
        Box::new(move |x| max_pool1d(&pool, x.unsqueeze_dim(0)).squeeze_dim(0)),
    );
    all
}

#[test]
fn what_others_hold_of_an_input_is_not_written_to() {
    for (name, operation) in operations(6, 8) {
        for wants in [true, false] {
            let input = leaf([6, 8], 31).set_require_grad(wants);
            let before = numbers(&input);
            let held = input.clone();
            let row = input.clone().narrow(0, 2, 1);
            let output = operation(input);
            assert_eq!(numbers(&held), before, "`{name}` wrote to its input");
            assert_eq!(numbers(&row), before[16..24], "`{name}` wrote to a part");
            let given = numbers(&output);
            let kept = output.clone();
            if wants {
                let _ = output.sum().backward();
            } else {
                let _ = output.exp();
            }
            assert_eq!(
                numbers(&held),
                before,
                "`{name}` wrote to its input on the way back"
            );
            assert_eq!(
                numbers(&kept),
                given,
                "`{name}` wrote to its output on the way back"
            );
        }
    }
}

/// A sum gives the same gradient to both sides: neither may find what the other made of it.
#[test]
fn what_others_hold_of_a_gradient_is_not_written_to() {
    for (name, operation) in operations(6, 8) {
        let weights = random([6, 8], 32, 1.0, &training());
        let input = leaf([6, 8], 33);
        let output = operation(input.clone()) * weights.clone();
        let alone = input.grad(&output.sum().backward()).expect("a gradient");
        let sums: [fn(Tensor<2>, Tensor<2>) -> Tensor<2>; 2] = [|x, y| x + y, |x, y| y + x];
        for sum in sums {
            let other = leaf([6, 8], 34);
            let output = sum(operation(input.clone()), other.clone()) * weights.clone();
            let gradients = output.sum().backward();
            let of_other = other.grad(&gradients).expect("a gradient");
            assert_eq!(
                numbers(&of_other),
                numbers(&weights),
                "`{name}` wrote to it"
            );
            let of_input = input.grad(&gradients).expect("a gradient");
            assert_eq!(numbers(&of_input), numbers(&alone), "`{name}` read another");
        }
        // Nor may an operation find what it made of it itself.
        let twice = operation(input.clone()) + operation(input.clone());
        let twice = input
            .grad(&(twice * weights).sum().backward())
            .expect("a gradient");
        let wanted: Vec<f32> = numbers(&alone).iter().map(|number| number * 2.0).collect();
        assert_near(&name, &numbers(&twice), &wanted);
    }
}

/// What an operation keeps for the way back is its own, whatever is done with the output and the input.
#[test]
fn what_follows_does_not_change_the_gradient() {
    for (name, operation) in operations(6, 8) {
        let input = leaf([6, 8], 35);
        let weights = random([6, 8], 36, 1.0, &training());
        let output = operation(input.clone()) * weights.clone();
        let wanted = input.grad(&output.sum().backward()).expect("a gradient");
        // Nobody holds the value in front, nor that behind.
        let output = operation(input.clone().mul_scalar(1.0)).mul_scalar(-3.0);
        let gradients = (output * weights).sum().backward();
        let found = input.grad(&gradients).expect("a gradient").div_scalar(-3.0);
        assert_near(&name, &numbers(&found), &numbers(&wanted));
    }
}

/// Memory is used again as it was left: an operation may not take it to be empty, nor read what stands there.
#[test]
fn what_a_step_before_has_left_in_memory_does_not_matter() {
    let (rows, width) = (96, 100);
    let weights = random([rows, width], 37, 1.0, &training());
    let run = |operation: &dyn Fn(Tensor<2>) -> Tensor<2>, input: Tensor<2>| {
        let output = operation(input.clone());
        let gradients = (output.clone() * weights.clone()).sum().backward();
        let gradient = input.grad(&gradients).expect("a gradient");
        (numbers(&output), numbers(&gradient))
    };
    for (name, operation) in operations(rows, width) {
        let fresh = run(&operation, leaf([rows, width], 38));
        for _ in 0..3 {
            let input = Tensor::full([rows, width], f32::NAN, &training());
            let _ = run(&operation, input.require_grad());
        }
        let again = run(&operation, leaf([rows, width], 38));
        assert_eq!(again, fresh, "`{name}` read what was left");
    }
}

/// The numbers of `noise` are not all alike, else the tests above would see less than they say.
#[test]
fn the_inputs_of_these_tests_are_different_numbers() {
    let mut numbers = noise(1000, 3);
    numbers.sort_by(f32::total_cmp);
    numbers.dedup();
    assert!(numbers.len() > 990);
    assert!(numbers[0] < -0.9 && numbers[numbers.len() - 1] > 0.9);
}
