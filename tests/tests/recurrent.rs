//! Recurrent layers: PyTorch's numbers, and the statistics of their regularizers.

use crate::common::{Fixture, device, numbers, op};
use damper::Pass;
use damper::burn::module::{Module, Param};
use damper::burn::tensor::{Bool, Device, Tensor, TensorData};
use damper::layer::{Layer, Recurrent, RecurrentCell};
use damper_ir::op::recurrent::{Directions, StateFunction};
use damper_ir::{Cell, Id, OpKind, Rate, RuleKind, Shape, Value, WeightRule};

const CELLS: [Cell; 3] = [Cell::Lstm, Cell::Gru, Cell::Rnn];

fn description(cell: Cell, hidden: usize) -> damper_ir::Recurrent {
    damper_ir::Recurrent {
        cell,
        hidden: Value::known(hidden as f64),
        layers: Value::known(1.0),
        bidirectional: Value::truth(false),
        merge: Directions::Concat,
        activation: StateFunction::Tanh,
        between: None,
        variational: None,
        recurrent: None,
        zoneout: None,
    }
}

fn rate(rate: f64) -> Rate {
    Rate {
        id: Id::NONE,
        rate: Value::known(rate),
        levels: vec![],
    }
}

fn built(description: damper_ir::Recurrent, features: usize, device: &Device) -> Recurrent {
    let op = op(1, "layer", OpKind::Recurrent(description), vec![]);
    Recurrent::build(&op, &Shape(vec![None, Some(features)]), device).expect("a sound description")
}

/// Fixed numbers in -1..1.
fn sequence(shape: [usize; 3], device: &Device) -> Tensor<3> {
    let numbers: Vec<f32> = (0..shape.iter().product::<usize>())
        .map(|index| (index as f32 * 1.7).sin())
        .collect();
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn each_cell(layer: &mut Recurrent, mut visit: impl FnMut(&mut RecurrentCell)) {
    for layer in &mut layer.layers {
        visit(&mut layer.forward);
        layer.reverse.iter_mut().for_each(&mut visit);
    }
}

/// The case of the fixture: output, gradient of the input and of every parameter.
fn compare(
    name: &str,
    cell: Cell,
    layers: usize,
    bidirectional: bool,
    lengths: Option<[usize; 3]>,
) {
    let described = damper_ir::Recurrent {
        layers: Value::known(layers as f64),
        bidirectional: Value::truth(bidirectional),
        ..description(cell, 3)
    };
    compare_described(name, described, lengths);
}

fn compare_described(name: &str, described: damper_ir::Recurrent, lengths: Option<[usize; 3]>) {
    let fixture = Fixture::open("recurrent");
    let device = device().autodiff();
    let mut layer = built(described, 2, &device);
    let (_, parameters) = fixture.numbers(&format!("{name}.parameters"));
    let mut rest = parameters.as_slice();
    each_cell(&mut layer, |cell| {
        fn next<const D: usize>(rest: &mut &[f32], parameter: &mut Param<Tensor<D>>) {
            let (shape, device) = (parameter.val().dims(), parameter.val().device());
            let (own, others) = rest.split_at(shape.iter().product());
            *rest = others;
            let data = TensorData::new(own.to_vec(), shape);
            *parameter = Param::from_tensor(Tensor::from_data(data, &device));
        }
        next(&mut rest, &mut cell.weight_ih);
        next(&mut rest, &mut cell.weight_hh);
        next(&mut rest, &mut cell.bias_ih);
        next(&mut rest, &mut cell.bias_hh);
    });
    assert!(rest.is_empty(), "as many parameters as PyTorch has");

    let input = fixture.tensor::<3>("input", &device).require_grad();
    let weights = fixture.tensor::<3>(&format!("{name}.weights"), &device);
    let padding = lengths.map(padding);
    let output = layer.forward(input.clone(), padding.as_ref(), &mut Pass::new());
    if lengths.is_none() {
        fixture.assert(&format!("{name}.output"), output.clone());
    } else {
        let ours = output.clone() * weights.clone();
        let theirs = fixture.tensor::<3>(&format!("{name}.output"), &device) * weights.clone();
        crate::common::assert_close(name, &numbers(ours), &numbers(theirs), 1e-5);
    }
    let gradients = (output * weights).sum().backward();
    fixture.assert(
        &format!("{name}.input_gradient"),
        input.grad(&gradients).expect("a gradient"),
    );
    let mut ours = vec![];
    each_cell(&mut layer, |cell| {
        let gradient = |weight: &Param<Tensor<2>>| weight.val().grad(&gradients);
        let shift = |bias: &Param<Tensor<1>>| bias.val().grad(&gradients);
        ours.extend(numbers(gradient(&cell.weight_ih).expect("a gradient")));
        ours.extend(numbers(gradient(&cell.weight_hh).expect("a gradient")));
        ours.extend(numbers(shift(&cell.bias_ih).expect("a gradient")));
        ours.extend(numbers(shift(&cell.bias_hh).expect("a gradient")));
    });
    let (_, theirs) = fixture.numbers(&format!("{name}.parameter_gradients"));
    let tolerance = crate::common::TOLERANCE;
    crate::common::assert_close(name, &ours, &theirs, tolerance);
}

/// True where a sequence of this length has no step.
fn padding(lengths: [usize; 3]) -> Tensor<2, Bool> {
    let rows: Vec<bool> = lengths
        .iter()
        .flat_map(|length| (0..4).map(move |step| step >= *length))
        .collect();
    Tensor::from_data(TensorData::new(rows, [3, 4]), &device())
}

#[test]
fn a_rectified_state_has_the_numbers_of_pytorch() {
    let rectified = |layers: usize, bidirectional| damper_ir::Recurrent {
        layers: Value::from(layers),
        bidirectional: Value::truth(bidirectional),
        activation: StateFunction::Relu,
        ..description(Cell::Rnn, 3)
    };
    compare_described("rnn_relu", rectified(1, false), None);
    compare_described("rnn_relu_padded", rectified(2, true), Some([4, 2, 3]));
    let summed = damper_ir::Recurrent {
        merge: Directions::Sum,
        ..rectified(2, true)
    };
    compare_described("rnn_sum", summed, None);
}

#[test]
fn one_layer_has_the_numbers_of_pytorch() {
    for cell in CELLS {
        compare(cell.word(), cell, 1, false, None);
    }
}

#[test]
fn two_layers_in_two_directions_have_the_numbers_of_pytorch() {
    for cell in CELLS {
        compare(&format!("{}_deep", cell.word()), cell, 2, true, None);
    }
}

#[test]
fn padded_sequences_are_read_as_packed_ones() {
    for cell in CELLS {
        let name = format!("{}_padded", cell.word());
        compare(&name, cell, 2, true, Some([4, 2, 3]));
    }
}

#[test]
fn the_state_does_not_move_on_padding() {
    for cell in CELLS {
        let layer = built(description(cell, 3), 2, &device());
        let input = sequence([3, 4, 2], &device());
        let output = layer.forward(input, Some(&padding([4, 2, 3])), &mut Pass::new());
        let last = |step: usize| numbers(output.clone().slice([1..2, step..step + 1]));
        assert_eq!(last(1), last(2));
        assert_eq!(last(1), last(3));
        assert_ne!(last(0), last(1));
    }
}

/// A layer that reads ones and whose new state is what the mask lets through: the weights are set by hand.
fn seen_through(recurrent: damper_ir::Recurrent, shape: [usize; 3]) -> Tensor<3> {
    let device = device().autodiff();
    let [_, _, features] = shape;
    let mut layer = built(recurrent, features, &device);
    each_cell(&mut layer, |cell| {
        cell.weight_ih = Param::from_tensor(Tensor::<2>::eye(features, &device) * 0.1);
        cell.weight_hh = Param::from_tensor(Tensor::zeros([features, features], &device));
        cell.bias_ih = Param::from_tensor(Tensor::zeros([features], &device));
        cell.bias_hh = Param::from_tensor(Tensor::zeros([features], &device));
    });
    layer
        .forward(Tensor::ones(shape, &device), None, &mut Pass::new())
        .inner()
}

#[test]
fn variational_dropout_has_one_mask_for_all_steps_and_another_for_each_sample() {
    device().seed(3);
    let (samples, steps, features) = (40, 5, 30);
    let output = seen_through(
        damper_ir::Recurrent {
            variational: Some(rate(0.25)),
            ..description(Cell::Rnn, features)
        },
        [samples, steps, features],
    );
    let all = numbers(output);
    let of = |sample: usize, step: usize| &all[(sample * steps + step) * features..][..features];
    for sample in 0..samples {
        for step in 1..steps {
            assert_eq!(
                of(sample, step),
                of(sample, 0),
                "the same mask at every step"
            );
        }
    }
    assert_ne!(of(0, 0), of(1, 0), "another mask for each sample");
    let dropped = all.iter().filter(|x| **x == 0.0).count() as f64 / all.len() as f64;
    assert!(
        (dropped - 0.25).abs() < 0.05,
        "a share of {dropped} is dropped"
    );
    let through = (0.1_f32 / 0.75).tanh();
    assert!(all.iter().all(|x| *x == 0.0 || (x - through).abs() < 1e-6));
}

#[test]
fn dropout_on_the_state_has_one_mask_for_all_steps() {
    device().seed(4);
    let device = device().autodiff();
    let (samples, steps, hidden) = (30, 6, 20);
    let recurrent = damper_ir::Recurrent {
        recurrent: Some(rate(0.5)),
        ..description(Cell::Rnn, hidden)
    };
    let mut layer = built(recurrent, hidden, &device);
    // What the step before left, halved (and doubled by the mask, or dropped), plus the same input in each step.
    each_cell(&mut layer, |cell| {
        cell.weight_ih = Param::from_tensor(Tensor::<2>::eye(hidden, &device) * 0.01);
        cell.weight_hh = Param::from_tensor(Tensor::<2>::eye(hidden, &device) * 0.5);
        cell.bias_ih = Param::from_tensor(Tensor::zeros([hidden], &device));
        cell.bias_hh = Param::from_tensor(Tensor::zeros([hidden], &device));
    });
    let input = Tensor::ones([samples, steps, hidden], &device);
    let all = numbers(layer.forward(input, None, &mut Pass::new()));
    let at = |sample: usize, step: usize, unit: usize| all[(sample * steps + step) * hidden + unit];
    let mut dropped = 0;
    for (sample, unit) in
        (0..samples).flat_map(|sample| (0..hidden).map(move |unit| (sample, unit)))
    {
        let grows = |step: usize| at(sample, step, unit) - at(sample, step - 1, unit) > 1e-3;
        assert!(
            (1..steps).all(grows) || !(1..steps).any(grows),
            "a unit is dropped in all steps or in none"
        );
        dropped += usize::from(!grows(1));
    }
    let share = dropped as f64 / (samples * hidden) as f64;
    assert!((share - 0.5).abs() < 0.1, "a share of {share} is dropped");
}

#[test]
fn zoneout_keeps_a_share_and_inference_takes_the_expectation() {
    device().seed(5);
    let train = device().autodiff();
    let recurrent = damper_ir::Recurrent {
        zoneout: Some(rate(0.3)),
        ..description(Cell::Rnn, 4)
    };
    let layer = built(recurrent, 4, &train);
    // Of one step: the old state is 0, so what is kept is 0, and the expectation is 0.7 of the new state.
    let one = sequence([1, 1, 4], &train);
    let many = one.clone().repeat_dim(0, 4000);
    let drawn = layer.forward(many, None, &mut Pass::new()).inner();
    let kept = numbers(drawn.clone()).iter().filter(|x| **x == 0.0).count() as f64 / 16_000.0;
    assert!((kept - 0.3).abs() < 0.02, "a share of {kept} is kept");
    let mean = numbers(drawn.mean_dim(0));
    let expected = numbers(layer.valid().forward(one.inner(), None, &mut Pass::new()));
    crate::common::assert_close("expectation", &mean, &expected, 0.03);
}

#[test]
fn nothing_is_dropped_in_inference() {
    for cell in CELLS {
        let plain = description(cell, 5);
        let recurrent = damper_ir::Recurrent {
            between: Some(rate(0.5)),
            variational: Some(rate(0.5)),
            recurrent: Some(rate(0.5)),
            layers: Value::known(2.0),
            ..plain
        };
        let layer = built(recurrent, 3, &device());
        let mut without = layer.clone();
        (without.variational, without.recurrent) = (0.0, 0.0);
        without.between.rate = 0.0;
        let input = sequence([2, 4, 3], &device());
        assert_eq!(
            numbers(layer.forward(input.clone(), None, &mut Pass::new())),
            numbers(without.forward(input, None, &mut Pass::new()))
        );
    }
}

#[test]
fn drop_connect_drops_recurrent_weights_once_in_a_pass() {
    device().seed(6);
    let device = device().autodiff();
    let rule = WeightRule {
        id: Id::NONE,
        kind: RuleKind::DropConnect {
            rate: Value::known(0.5),
        },
        on: damper_ir::Reach::default(),
        levels: vec![],
    };
    let op = op(
        1,
        "layer",
        OpKind::Recurrent(description(Cell::Lstm, 6)),
        vec![rule],
    );
    let layer =
        Recurrent::build(&op, &Shape(vec![None, Some(3)]), &device).expect("a sound description");
    let input = sequence([1, 5, 3], &device);
    let twice = Tensor::cat(vec![input.clone(), input.clone()], 0);
    let output = numbers(layer.forward(twice, None, &mut Pass::new()));
    let (first, second) = output.split_at(output.len() / 2);
    assert_eq!(first, second, "one mask for the batch");
    assert_eq!(
        first[..6],
        numbers(layer.forward(input.clone(), None, &mut Pass::new()))[..6],
        "the first step has no state"
    );
    assert_ne!(
        first,
        numbers(layer.forward(input, None, &mut Pass::new())),
        "another mask in another pass"
    );
}

/// A batch that several threads share, with masks: each sample is computed as if it were alone.
#[test]
fn samples_do_not_see_one_another() {
    for cell in CELLS {
        let device = device().autodiff();
        let layer = built(description(cell, 7), 3, &device);
        let input = sequence([37, 5, 3], &device).require_grad();
        let output = layer.forward(input.clone(), None, &mut Pass::new());
        let gradients = output.clone().powi_scalar(2).sum().backward();
        let all = input.grad(&gradients).expect("a gradient");
        for sample in [0, 18, 36] {
            let alone = input
                .clone()
                .slice([sample..=sample])
                .detach()
                .require_grad();
            let own = layer.forward(alone.clone(), None, &mut Pass::new());
            let gradients = own.clone().powi_scalar(2).sum().backward();
            let close = |name: &str, a: Tensor<3>, b: Tensor<3>| {
                crate::common::assert_close(name, &numbers(a), &numbers(b), 1e-5);
            };
            close("output", output.clone().slice([sample..=sample]), own);
            close(
                "gradient",
                all.clone().slice([sample..=sample]),
                alone.grad(&gradients).expect("a gradient"),
            );
        }
    }
}
