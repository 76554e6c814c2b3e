//! What weights begin with, and what attention and convolutions drop, by their statistics.

use crate::common::{device, numbers, op};
use damper::Pass;
use damper::burn::module::Param;
use damper::burn::nn::Embedding;
use damper::burn::nn::conv::Conv2d;
use damper::burn::tensor::{Device, Tensor};
use damper::layer::{Attention, DropConnect, Layer, LearnedPosition, Recurrent};
use damper_ir::op;
use damper_ir::{Cell, Conv, Id, OpKind, Padding, Rate, Shape, Value};

fn built<L: Layer>(kind: OpKind, input: &[usize], device: &Device) -> L {
    let op = op(1, "layer", kind, vec![]);
    L::build(&op, &Shape::known(input.iter().copied()), device).expect("a sound description")
}

fn attention(features: usize, heads: usize, rate: f64, device: &Device) -> Attention {
    let dropout = Rate {
        id: Id::NONE,
        rate: Value::known(rate),
        levels: vec![],
    };
    let kind = OpKind::Attention(op::Attention {
        dropout: Some(dropout),
        ..op::Attention::new(heads)
    });
    built(kind, &[features, features], device)
}

fn conv2d(device: &Device) -> Conv2d {
    let conv = Conv {
        axes: 2,
        transposed: false,
        depthwise: false,
        out: Value::known(32.0),
        kernel: vec![Value::known(3.0)],
        stride: vec![Value::known(1.0)],
        padding: Padding::Valid,
        dilation: vec![Value::known(1.0)],
        groups: Value::known(1.0),
        output_padding: vec![],
        bias: Value::truth(true),
    };
    built(OpKind::Conv(conv), &[16, 6, 6], device)
}

/// Mean and standard deviation.
fn moments(all: &[f32]) -> (f64, f64) {
    let count = all.len() as f64;
    let mean = all.iter().map(|n| f64::from(*n)).sum::<f64>() / count;
    let square = all
        .iter()
        .map(|n| (f64::from(*n) - mean).powi(2))
        .sum::<f64>();
    (mean, (square / count).sqrt())
}

#[track_caller]
fn uniform<const D: usize>(parameter: &Param<Tensor<D>>, bound: f64) {
    let all = numbers(parameter.val());
    let limit = bound as f32 * 1.000_001;
    assert!(all.iter().all(|number| number.abs() <= limit), "{bound}");
    let (mean, deviation) = moments(&all);
    let (wanted, error) = (bound / 3_f64.sqrt(), 5.0 / (all.len() as f64).sqrt());
    assert!(mean.abs() < wanted * error, "mean {mean}");
    assert!(
        (deviation / wanted - 1.0).abs() < error,
        "{deviation}, wanted {wanted}"
    );
}

#[track_caller]
fn normal<const D: usize>(parameter: &Param<Tensor<D>>, wanted: f64) {
    let all = numbers(parameter.val());
    let (mean, deviation) = moments(&all);
    let error = 5.0 / (all.len() as f64).sqrt();
    assert!(mean.abs() < wanted * error, "mean {mean}");
    assert!(
        (deviation / wanted - 1.0).abs() < error,
        "{deviation}, wanted {wanted}"
    );
    assert!(
        all.iter()
            .any(|number| f64::from(number.abs()) > 2.0 * wanted),
        "tails"
    );
}

#[test]
fn weights_begin_as_pytorchs() {
    let device = device();
    device.seed(11);
    let conv = conv2d(&device);
    let bound = 1.0 / 144_f64.sqrt();
    uniform(&conv.weight, bound);
    uniform(conv.bias.as_ref().expect("a bias"), bound);

    let layer = attention(24, 2, 0.0, &device);
    // Xavier's law of the whole matrix: 24 in, 72 out.
    uniform(&layer.in_proj.weight, (6.0 / 96_f64).sqrt());
    uniform(&layer.out_proj.weight, 1.0 / 24_f64.sqrt());
    assert_eq!(
        numbers(layer.in_proj.bias.expect("a bias").val()),
        [0.0; 72]
    );
    assert_eq!(
        numbers(layer.out_proj.bias.expect("a bias").val()),
        [0.0; 24]
    );

    let kind = OpKind::Embedding(op::Embedding {
        vocab: Value::known(60.0),
        dim: Value::known(20.0),
        dropout: None,
    });
    normal(&built::<Embedding>(kind, &[4], &device).weight, 1.0);
    let kind = OpKind::Positional(op::Positional { learned: true });
    normal(
        &built::<LearnedPosition>(kind, &[60, 20], &device).weight,
        0.02,
    );

    for cell in [Cell::Lstm, Cell::Gru, Cell::Rnn] {
        let recurrent = damper_ir::Recurrent {
            cell,
            hidden: Value::known(16.0),
            layers: Value::known(1.0),
            bidirectional: Value::truth(false),
            merge: damper_ir::op::recurrent::Directions::Concat,
            activation: damper_ir::op::recurrent::StateFunction::Tanh,
            between: None,
            variational: None,
            recurrent: None,
            zoneout: None,
        };
        let layer: Recurrent = built(OpKind::Recurrent(recurrent), &[4, 10], &device);
        let cell = &layer.layers[0].forward;
        uniform(&cell.weight_ih, 0.25);
        uniform(&cell.weight_hh, 0.25);
        uniform(&cell.bias_ih, 0.25);
        uniform(&cell.bias_hh, 0.25);
    }
}

/// With equal scores and one-hot values, the output of a step is its row of attention weights.
#[test]
fn attention_dropout_drops_weights_and_keeps_the_mean() {
    const STEPS: usize = 20;
    let rows = |device: &Device| {
        let mut layer = attention(STEPS, 1, 0.25, device);
        let (eye, zeros) = (
            Tensor::<2>::eye(STEPS, device),
            Tensor::<2>::zeros([STEPS, 2 * STEPS], device),
        );
        layer.in_proj.weight = Param::from_tensor(Tensor::cat(vec![zeros, eye.clone()], 1));
        layer.out_proj.weight = Param::from_tensor(eye.clone());
        let input = eye.unsqueeze_dim::<3>(0).expand([10, STEPS, STEPS]);
        numbers(layer.forward(input, None, &mut Pass::new()))
    };
    let training = device().autodiff();
    training.seed(12);
    let all = rows(&training);
    let kept = 1.0 / (STEPS as f32 * 0.75);
    assert!(all.iter().all(|n| *n == 0.0 || (n - kept).abs() < 1e-6));
    let count = all.len() as f64;
    let share = all.iter().filter(|n| **n == 0.0).count() as f64 / count;
    assert!(
        (share - 0.25).abs() < 5.0 * (0.1875 / count).sqrt(),
        "{share}"
    );
    // Rows and samples have masks of their own.
    assert_ne!(all[..STEPS], all[STEPS..2 * STEPS]);
    assert_ne!(all[..STEPS * STEPS], all[STEPS * STEPS..2 * STEPS * STEPS]);
    let plain = rows(&device());
    assert!(plain.iter().all(|n| (n - 0.05).abs() < 1e-6), "inference");
}

/// A position of ones reads the sum of the kernel's weights, here ones.
#[test]
fn drop_connect_drops_weights_of_a_kernel_once_for_the_batch() {
    let sums = |device: &Device| {
        let mut layer = conv2d(device);
        layer.weight = Param::from_tensor(Tensor::ones([32, 16, 3, 3], device));
        layer.bias = Some(Param::from_tensor(Tensor::ones([32], device)));
        let input = Tensor::<4>::ones([2, 16, 3, 3], device);
        numbers(DropConnect::new(0.25).forward(&layer, input, &mut Pass::new()))
    };
    let training = device().autodiff();
    training.seed(13);
    let all = sums(&training);
    assert_eq!(all[..32], all[32..], "one mask for the batch");
    let (mean, deviation) = moments(&all[..32]);
    // A sum of 144 weights that are 0 or 4/3, and a bias that is never dropped.
    let wanted = (144.0_f64 / 3.0).sqrt();
    assert!(
        (mean - 145.0).abs() < 5.0 * wanted / 32_f64.sqrt(),
        "{mean}"
    );
    assert!((0.5..1.6).contains(&(deviation / wanted)), "{deviation}");
    assert_eq!(sums(&device()), [145.0; 64], "inference");
}
