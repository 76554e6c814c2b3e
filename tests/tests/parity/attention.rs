//! Attention with changed scores, and of another value, from `tests/fixtures/make_attention.py`.

use super::models::{WITHIN, compare_in};
use crate::common::{Fixture, device, numbers};
use damper::burn::tensor::{Gradients, Int, TensorData};
use damper::prelude::*;

model! {
    /// Grouped queries with rotations and norms, without biases.
    #[allow(damper::all)]
    pub Grouped
    input x: [5, 8]
    layers {
        mix: positional(rope) -> attention(heads = 4, kv_heads = 2, causal = true, qk_norm = true, bias = false);
    }
}

model! {
    /// A band, and a window that looks back; bounded scores and learned distances.
    #[allow(damper::all)]
    pub Windowed
    input x: [5, 8]
    layers {
        near: attention(heads = 2, window = 2, soft_cap = 1.5, position = relative);
        back: attention(heads = 2, window = 3, causal = true);
    }
}

model! {
    /// Slopes for a number of heads that is no power of two, and for one that is.
    #[allow(damper::all)]
    pub Alibi
    input x: [5, 6]
    layers {
        mix: attention(heads = 3, causal = true, position = alibi);
        all: attention(heads = 2, kv_heads = 1, position = alibi);
    }
}

model! {
    /// The positions of an image attend to words, of which some are padding.
    #[allow(damper::all)]
    pub Cross
    input { image: [4, 2, 3], tokens: [4] of int(vocab = 5, pad = 0) }
    layers {
        embed: from(tokens) -> embedding(5, 6);
        look:  from(image) -> to_sequence -> attention(heads = 2, kv_heads = 1, from = embed);
    }
}

model! {
    /// A decoder on a memory of another width.
    #[allow(damper::all)]
    pub Decoder
    input { x: [3, 4], memory: [5, 6] }
    layers {
        decoder: transformer_decoder(1, heads = 2, ff = 8, memory = memory, dropout = 0.0);
    }
}

fn input<const D: usize>(name: &str) -> Tensor<D> {
    let tensor = Fixture::open("attention").tensor(name, &device().autodiff());
    tensor.require_grad()
}

#[track_caller]
fn gradient<const D: usize>(name: &str, input: &Tensor<D>, gradients: &Gradients) {
    let gradient = input.grad(gradients).expect("a gradient");
    Fixture::open("attention").assert_within(&format!("{name}_gradient"), gradient, WITHIN);
}

#[test]
fn heads_that_share_keys() {
    let (x, model) = (
        input("grouped.input0"),
        GroupedConfig::new().init(&device().autodiff()).unwrap(),
    );
    let gradients = compare_in("attention", "grouped", model, |model| {
        model.forward(x.clone())
    });
    gradient::<3>("grouped.input0", &x, &gradients);
}

#[test]
fn windows_bounds_and_learned_distances() {
    let (x, model) = (
        input("windowed.input0"),
        WindowedConfig::new().init(&device().autodiff()).unwrap(),
    );
    let gradients = compare_in("attention", "windowed", model, |model| {
        model.forward(x.clone())
    });
    gradient::<3>("windowed.input0", &x, &gradients);
}

#[test]
fn scores_that_fall_with_the_distance() {
    let (x, model) = (
        input("alibi.input0"),
        AlibiConfig::new().init(&device().autodiff()).unwrap(),
    );
    let gradients = compare_in("attention", "alibi", model, |model| {
        model.forward(x.clone())
    });
    gradient::<3>("alibi.input0", &x, &gradients);
}

fn tokens(numbers: Vec<i64>, time: usize) -> Tensor<2, Int> {
    let rows = numbers.len() / time;
    Tensor::from_data(TensorData::new(numbers, [rows, time]), &device().autodiff())
}

#[test]
fn attention_to_padded_words() {
    let (shape, classes) = Fixture::open("attention").numbers("cross.input1");
    let words = tokens(
        classes.iter().map(|class| *class as i64).collect(),
        shape[1],
    );
    let (image, model) = (
        input("cross.input0"),
        CrossConfig::new().init(&device().autodiff()).unwrap(),
    );
    let gradients = compare_in("attention", "cross", model, |model| {
        model.forward(image.clone(), words.clone())
    });
    gradient::<4>("cross.input0", &image, &gradients);
}

#[test]
fn attention_to_nothing_but_padding_gives_numbers() {
    let model = CrossConfig::new().init(&device().autodiff()).unwrap();
    let image: Tensor<4> = input("cross.input0");
    let output = model.forward(image.clone(), tokens(vec![0; 8], 4));
    assert!(
        numbers(output.clone())
            .iter()
            .all(|number| number.is_finite())
    );
    let gradients = output.sum().backward();
    let gradient = image.grad(&gradients).expect("a gradient");
    assert!(numbers(gradient).iter().all(|number| number.is_finite()));
}

#[test]
fn the_decoder_is_pytorchs() {
    let (x, memory) = (input("decoder.input0"), input("decoder.input1"));
    let model = DecoderConfig::new().init(&device().autodiff()).unwrap();
    let gradients = compare_in("attention", "decoder", model, |model| {
        model.forward(x.clone(), memory.clone())
    });
    gradient::<3>("decoder.input0", &x, &gradients);
    gradient::<3>("decoder.input1", &memory, &gradients);
}
