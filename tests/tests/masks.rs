//! What a layer drops is a function of the training's seed and step and of the layer's place in the model: not of
//! threads, nor of the device, nor of what is drawn elsewhere.

use crate::common::{on_threads, op, random, same_everywhere};
use damper::activation::Activation;
use damper::burn::module::{Module, ParamGroup};
use damper::burn::nn::activation::SwiGluConfig;
use damper::burn::nn::conv::Conv1dConfig;
use damper::burn::nn::{EmbeddingConfig, LinearConfig};
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper::layer::{
    AlphaDropout, Attention, DropBlock, DropConnect, DropPath, Dropout, EmbeddingDropout,
    GaussianDropout, GaussianNoise, Layer, Recurrent, Rope, SpatialDropout, VariationalDropout,
    dense_with_dropout,
};
use damper::{Inputs, Network, Pass, model};
use damper_ir::op;
use damper_ir::{Cell, OpKind, Shape, Value};

/// Runs a stochastic layer with a fixed input and fixed weights: its output shows what was dropped.
type Run = fn(&Device, &mut Pass) -> Vec<f32>;

/// More numbers than one thread is given, where a layer shares them.
const LAYERS: [(&str, Run); 19] = [
    ("dropout", |device, pass| {
        numbers(Dropout::new(0.5).forward(ones([300, 257], device), pass))
    }),
    ("dropout in a linear layer", |device, pass| {
        let layer = same_everywhere(LinearConfig::new(20, 257).init(device));
        let input = random([300, 20], 1, 1.0, device);
        let (sigmoid, dropout) = (Some(Activation::Sigmoid), Dropout::new(0.5));
        numbers(dense_with_dropout(&layer, input, sigmoid, &dropout, pass))
    }),
    ("spatial_dropout", |device, pass| {
        numbers(SpatialDropout::new(0.5).forward(ones([64, 32, 6, 6], device), pass))
    }),
    ("gaussian_dropout", |device, pass| {
        numbers(GaussianDropout::new(0.5).forward(ones([300, 257], device), pass))
    }),
    ("noise", |device, pass| {
        numbers(GaussianNoise::new(0.5).forward(ones([300, 257], device), pass))
    }),
    ("alpha_dropout", |device, pass| {
        numbers(AlphaDropout::new(0.5).forward(ones([300, 257], device), pass))
    }),
    ("drop_block", |device, pass| {
        numbers(DropBlock::new(0.3, 3).forward(ones([16, 32, 12, 12], device), pass))
    }),
    ("drop_path", |device, pass| {
        numbers(DropPath::new(0.5).forward(ones([300, 257], device), pass))
    }),
    ("variational_dropout", |device, pass| {
        numbers(VariationalDropout::new(0.5).forward(ones([32, 20, 128], device), pass))
    }),
    ("drop_connect of linear", |device, pass| {
        let layer = same_everywhere(LinearConfig::new(257, 300).init(device));
        numbers(DropConnect::new(0.5).forward(&layer, Tensor::<2>::eye(257, device), pass))
    }),
    ("drop_connect of swiglu", |device, pass| {
        let layer = same_everywhere(SwiGluConfig::new(30, 40).init(device));
        numbers(DropConnect::new(0.5).forward(&layer, Tensor::<2>::eye(30, device), pass))
    }),
    ("drop_connect of conv1d", |device, pass| {
        let layer = same_everywhere(Conv1dConfig::new(8, 16, 3).init(device));
        let input = random([4, 8, 9], 2, 1.0, device);
        numbers(DropConnect::new(0.5).forward(&layer, input, pass))
    }),
    ("embedding_dropout", |device, pass| {
        let layer = same_everywhere(EmbeddingConfig::new(500, 3).init(device));
        let tokens: Vec<i64> = (0..1000).map(|index| index % 500).collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [2, 500]), device);
        numbers(EmbeddingDropout::new(0.5).forward(&layer, tokens, pass))
    }),
    (
        "variational dropout of a recurrent layer",
        |device, pass| {
            let mut layer = recurrent(Cell::Lstm, device);
            layer.variational = 0.5;
            run_recurrent(&layer, device, pass)
        },
    ),
    ("recurrent dropout", |device, pass| {
        let mut layer = recurrent(Cell::Gru, device);
        layer.recurrent = 0.5;
        run_recurrent(&layer, device, pass)
    }),
    ("zoneout", |device, pass| {
        let mut layer = recurrent(Cell::Lstm, device);
        layer.zoneout = 0.5;
        run_recurrent(&layer, device, pass)
    }),
    ("drop_connect of a recurrent layer", |device, pass| {
        let mut layer = recurrent(Cell::Rnn, device);
        layer.drop_connect = 0.5;
        run_recurrent(&layer, device, pass)
    }),
    ("dropout between recurrent layers", |device, pass| {
        let mut layer = recurrent(Cell::Gru, device);
        layer.between = Dropout::new(0.5);
        run_recurrent(&layer, device, pass)
    }),
    ("attention_dropout", |device, pass| {
        run_attention(8, None, device, pass)
    }),
];

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn ones<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::ones(shape, device)
}

fn training() -> Device {
    Device::flex().autodiff()
}

/// Two layers in two directions, which drop nothing yet.
fn recurrent(cell: Cell, device: &Device) -> Recurrent {
    let description = damper_ir::Recurrent {
        cell,
        hidden: Value::known(5.0),
        layers: Value::known(2.0),
        bidirectional: Value::truth(true),
        merge: damper_ir::op::recurrent::Directions::Concat,
        activation: damper_ir::op::recurrent::StateFunction::Tanh,
        between: None,
        variational: None,
        recurrent: None,
        zoneout: None,
    };
    let op = op(1, "layer", OpKind::Recurrent(description), vec![]);
    let layer = Recurrent::build(&op, &Shape(vec![None, Some(6)]), device);
    same_everywhere(layer.expect("a sound description"))
}

fn run_recurrent(layer: &Recurrent, device: &Device, pass: &mut Pass) -> Vec<f32> {
    numbers(layer.forward(random([7, 4, 6], 3, 1.0, device), None, pass))
}

/// Attention of two heads that drops half of its weights.
fn run_attention(time: usize, rope: Option<Rope>, device: &Device, pass: &mut Pass) -> Vec<f32> {
    let kind = OpKind::Attention(op::Attention::new(2_usize));
    let op = op(1, "attention", kind, vec![]);
    let layer = Attention::build(&op, &Shape(vec![None, Some(8)]), device);
    let mut layer = same_everywhere(layer.expect("a sound description"));
    layer.rate = 0.5;
    layer.rope = rope;
    numbers(layer.forward(random([3, time, 8], 4, 1.0, device), None, pass))
}

fn pass(seed: u64, step: u64) -> Pass {
    Pass::at(1.0).with_random(seed, step)
}

/// The pass behind a layer that has taken its random numbers.
fn behind_a_layer(mut pass: Pass) -> Pass {
    let _ = Dropout::new(0.5).forward(ones([1, 1], &training()), &mut pass);
    pass
}

/// Rounding is all that may differ between ways to compute the same; another mask changes the numbers themselves.
fn is_same(ours: &[f32], theirs: &[f32]) -> bool {
    let mut pairs = ours.iter().zip(theirs);
    ours.len() == theirs.len()
        && pairs.all(|(our, their)| (our - their).abs() <= 1e-5 * their.abs().max(1.0))
}

#[test]
fn masks_do_not_depend_on_the_number_of_threads() {
    for (name, layer) in LAYERS {
        let run = || layer(&training(), &mut pass(7, 3));
        let one = on_threads(1, run);
        assert!(is_same(&on_threads(2, run), &one), "{name}: two threads");
        assert!(is_same(&on_threads(5, run), &one), "{name}: five threads");
    }
}

#[test]
fn masks_are_a_function_of_seed_step_and_place() {
    for (name, layer) in LAYERS {
        let device = training();
        let first = layer(&device, &mut pass(7, 3));
        // What is drawn elsewhere does not matter.
        let _ = Tensor::<1>::random([3], damper::burn::tensor::Distribution::Default, &device);
        assert_eq!(first, layer(&device, &mut pass(7, 3)), "{name}: again");
        for (what, mut other) in [
            ("another step", pass(7, 4)),
            ("a step 2^32 later", pass(7, 3 + (1 << 32))),
            ("another seed", pass(8, 3)),
            ("a seed of other high bits", pass(7 + (1 << 40), 3)),
            ("another place", behind_a_layer(pass(7, 3))),
            ("no seed, which is one of its own", Pass::new()),
        ] {
            assert!(
                !is_same(&first, &layer(&device, &mut other)),
                "{name}: {what}"
            );
        }
        assert!(
            !is_same(&first, &layer(&Device::flex(), &mut pass(7, 3))),
            "{name}: inference"
        );
    }
}

/// A strategy of checkpoints hides the memory from the operations in one pass: burn's operations run instead.
#[test]
fn masks_are_the_same_in_burns_operations() {
    for (name, layer) in LAYERS {
        let ours = layer(&training(), &mut pass(7, 3));
        let burns = layer(&training().gradient_checkpointing(), &mut pass(7, 3));
        assert!(is_same(&ours, &burns), "{name}");
    }
}

#[cfg(feature = "ndarray")]
#[test]
#[allow(
    deprecated,
    reason = "burn deprecates ndarray; it is a declared backend"
)]
fn masks_are_the_same_on_ndarray() {
    for (name, layer) in LAYERS {
        let flex = layer(&training(), &mut pass(7, 3));
        let ndarray = layer(&Device::ndarray().autodiff(), &mut pass(7, 3));
        assert!(is_same(&flex, &ndarray), "{name}");
    }
}

/// Rotations run in burn's operations; those that turn nothing show that they drop the same weights, also where a
/// head's are not whole words of a mask.
#[test]
fn attention_drops_the_same_weights_with_rotations_and_without() {
    for time in [8, 5, 16, 13] {
        let device = training();
        let still = Rope {
            cos: ones([time, 2], &device),
            sin: Tensor::zeros([time, 2], &device),
        };
        let without = run_attention(time, None, &device, &mut pass(7, 3));
        let with = run_attention(time, Some(still), &device, &mut pass(7, 3));
        assert!(is_same(&without, &with), "{time} steps");
    }
}

/// A layer that does not act is counted too, whatever it would have drawn.
#[test]
fn a_layer_that_is_switched_off_does_not_move_the_masks_behind_it() {
    let behind =
        |pass: &mut Pass| numbers(Dropout::new(0.5).forward(ones([10, 10], &training()), pass));
    for (name, layer) in LAYERS {
        let (mut on, mut off) = (pass(7, 3), pass(7, 3));
        let _ = layer(&training(), &mut on);
        let _ = layer(&Device::flex(), &mut off);
        assert_eq!(
            behind(&mut on),
            behind(&mut off),
            "{name} on a plain device"
        );
    }
    let input = || ones([10, 10], &training());
    let (mut on, mut off) = (pass(7, 3), pass(7, 3));
    let acting = numbers(Dropout::new(0.5).forward(input(), &mut on));
    let frozen = numbers(Dropout::new(0.5).freeze().forward(input(), &mut off));
    assert_ne!(acting, frozen);
    assert_eq!(behind(&mut on), behind(&mut off), "a frozen dropout");
    let _ = Dropout::new(0.0).forward(input(), &mut on);
    let _ = Dropout::new(0.9).forward(input(), &mut off);
    assert_eq!(behind(&mut on), behind(&mut off), "a rate of 0");
}

/// The correlation of two samples of independent numbers has a standard deviation of `1 / sqrt(count)`.
fn correlation(left: &[f32], right: &[f32]) -> f64 {
    let count = left.len() as f64;
    let centered = |numbers: &[f32]| -> Vec<f64> {
        let mean = numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        numbers.iter().map(|x| f64::from(*x) - mean).collect()
    };
    let (left, right) = (centered(left), centered(right));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&left, &right) / (product(&left, &left) * product(&right, &right)).sqrt()
}

/// Neighboring seeds, steps and places have nothing in common.
#[test]
fn masks_of_other_layers_and_steps_are_independent() {
    let layers: [(&str, Run); 2] = [LAYERS[0], LAYERS[4]];
    for (name, layer) in layers {
        let device = training();
        let mut all = vec![];
        for seed in [0, 1, u64::MAX] {
            for step in 0..3 {
                let mut here = pass(seed, step);
                // Three layers one behind the other.
                all.extend((0..3).map(|_| layer(&device, &mut here)));
            }
        }
        for (index, left) in all.iter().enumerate() {
            for right in &all[..index] {
                let correlation = correlation(left, right);
                let bound = 5.0 / (left.len() as f64).sqrt();
                assert!(
                    correlation.abs() < bound,
                    "{name}: {correlation}, within {bound}"
                );
            }
            // Nor has a number anything in common with the next, or with the one a word away.
            for distance in [1, 8, 64] {
                let correlation = correlation(&left[distance..], &left[..left.len() - distance]);
                let bound = 5.0 / ((left.len() - distance) as f64).sqrt();
                assert!(
                    correlation.abs() < bound,
                    "{name}: {correlation}, {distance} apart"
                );
            }
        }
    }
}

model! {
    /// Every way to drop something of an image.
    #[allow(damper::regularization, damper::structure, damper::normalization, reason = "what is tested are the masks")]
    Images
    input image: [2, 8, 8]
    layers {
        conv:   conv2d(8, kernel = 3, padding = same) -> relu with spatial_dropout(0.2) after relu, drop_connect(0.1);
        block:  residual { conv2d(8, kernel = 3, padding = same) -> relu; } with drop_path(0.3);
        pool:   max_pool2d(2) with drop_block(0.1, size = 2);
        wide:   flatten -> linear(32) -> relu with dropout(0.3) after relu;
        noisy:  noise(0.1) -> linear(32) -> tanh with gaussian_dropout(0.2) after tanh;
        head:   linear(3);
    }
    loss cross_entropy
}

fn images(step: u64, model: &Images) -> Vec<f32> {
    let inputs = random([4, 128], 5, 1.0, &training());
    let inputs = Inputs(vec![damper::InputTensor::Float(inputs, vec![2, 8, 8])]);
    numbers(model.run(&inputs, &mut pass(7, step)))
}

#[test]
fn a_model_gives_the_same_for_the_same_step_and_other_numbers_in_the_next() {
    let model = ImagesConfig::new()
        .init(&training())
        .expect("a sound model");
    assert_eq!(images(3, &model), images(3, &model));
    assert!(!is_same(&images(3, &model), &images(4, &model)));
}

/// A layer that drops nothing is counted as one that is frozen is: the others drop the same.
#[test]
fn freezing_a_layer_of_a_model_leaves_the_masks_of_the_others() {
    let changes: [(&str, fn(&mut Images)); 7] = [
        ("conv_drop_connect", |model| {
            model.conv_drop_connect.rate = NEARLY_0;
        }),
        ("conv_spatial_dropout", |model| {
            model.conv_spatial_dropout.rate = NEARLY_0;
        }),
        ("block.drop_path", |model| {
            model.block.drop_path.rate = NEARLY_0;
        }),
        ("pool_drop_block", |model| {
            model.pool_drop_block.rate = NEARLY_0;
            model.pool_drop_block.first = NEARLY_0;
        }),
        ("wide_dropout", |model| model.wide_dropout.rate = NEARLY_0),
        ("noisy_noise", |model| model.noisy_noise.std = NEARLY_0),
        ("noisy_gaussian_dropout", |model| {
            model.noisy_gaussian_dropout.rate = NEARLY_0;
        }),
    ];
    let model = ImagesConfig::new()
        .init(&training())
        .expect("a sound model");
    for (path, change) in changes {
        let frozen = ParamGroup::from_path(format!("{path}.training"));
        let frozen = images(3, &model.clone().freeze_group(frozen));
        assert!(!is_same(&frozen, &images(3, &model)), "`{path}` acts");
        let mut harmless = model.clone();
        change(&mut harmless);
        assert!(
            is_same(&frozen, &images(3, &harmless)),
            "`{path}` moves the others"
        );
    }
}

/// A rate at which a layer acts, and changes nothing.
const NEARLY_0: f64 = 1e-15;
