//! Each kernel over a million numbers on one thread: milliseconds, and as a multiple of a copy.

use std::{hint::black_box, time::Instant};

use damper_kernels::pool::{self, Windows};
use damper_kernels::{
    Activation,
    cross_entropy::cross_entropy,
    dropout::{self, Rate, Source},
    norm,
    optimizer::{self, Adam, ParamOptions, Sgd},
    recurrent::{self, Cell, Step, StepBackward},
    softmax,
};

const NUMBERS: usize = 1 << 20;

/// The median of several runs.
fn milliseconds(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..51)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let input: Vec<f32> = (0..NUMBERS)
        .map(|index| (index * 7919 % NUMBERS) as f32 / NUMBERS as f32 * 8.0 - 4.0)
        .collect();
    let gradient = vec![1.0; NUMBERS];
    let mut output = vec![0.0; NUMBERS];
    let mut mask = vec![[0; 8]; dropout::words(NUMBERS)];
    let copy = milliseconds(|| black_box(&mut output).copy_from_slice(&input));
    let print =
        |name: &str, time: f64| println!("{name:<26} {time:>7.3} ms {:>6.1} copies", time / copy);
    print("copy", copy);
    pooling(&input, print);
    for activation in Activation::ALL {
        let forward = milliseconds(|| activation.forward(black_box(&input), &mut output).unwrap());
        print(&format!("{activation:?} forward"), forward);
        let backward = milliseconds(|| {
            activation
                .backward(black_box(&input), &gradient, &mut output)
                .unwrap();
        });
        print(&format!("{activation:?} backward"), backward);
    }
    let (rate, source) = (
        Rate::new(0.3),
        Source {
            seed: 1,
            step: 2,
            layer: 3,
        },
    );
    let forward = milliseconds(|| {
        dropout::forward(
            source,
            rate,
            rate.into(),
            0,
            black_box(&input),
            &mut output,
            &mut mask,
        )
        .unwrap();
    });
    print("dropout forward", forward);
    let backward = milliseconds(|| {
        dropout::backward(rate.scale(), &mask, black_box(&gradient), &mut output).unwrap();
    });
    print("dropout backward", backward);
    steps(&print);
    for cell in [Cell::Rnn, Cell::Gru, Cell::Lstm] {
        gates(&print, cell);
    }
    for width in [10, 50, 512, 50_000] {
        of_rows(&print, &input, width);
        layer_norm(&print, &input, width);
    }
    for (channels, positions) in [(64, 64), (512, 1)] {
        batch_norm(&print, &input, channels, positions);
    }
}

fn steps(print: &impl Fn(&str, f64)) {
    let [mut weight, mut gradient, mut first, mut second, mut average] =
        [0.5, 0.1, 0.0, 0.0, 0.5].map(|value| vec![value; NUMBERS]);
    let adam = Adam {
        options: ParamOptions {
            keep: 0.9999,
            ..ParamOptions::NONE
        },
        beta1: 0.9,
        beta2: 0.999,
        one_minus_betas: (0.1, 0.001),
        epsilon: 1e-8,
        step_size: 1e-3,
    };
    let sgd = Sgd {
        options: adam.options,
        step_size: 1e-3,
        momentum: 0.9,
        dampening: 0.0,
        nesterov: false,
        first_step: false,
    };
    // Four reads and three writes, as Adam has them, are the traffic of three and a half copies.
    let time = milliseconds(|| {
        adam.step(&weight, &mut gradient, &mut first, &mut second, None)
            .unwrap();
    });
    print("Adam", time);
    let treated = Adam {
        options: ParamOptions {
            clip: 1.0,
            threshold: 1e-6,
            ..adam.options
        },
        ..adam
    };
    let time = milliseconds(|| {
        treated
            .step(&weight, &mut gradient, &mut first, &mut second, None)
            .unwrap();
    });
    print("Adam with limits", time);
    let time = milliseconds(|| {
        adam.step_in_place(&mut weight, &gradient, &mut first, &mut second, None)
            .unwrap();
    });
    print("Adam in place", time);
    let time = milliseconds(|| {
        let average = Some((&mut average[..], 0.999));
        adam.step(&weight, &mut gradient, &mut first, &mut second, average)
            .unwrap();
    });
    print("Adam with average", time);
    let time = milliseconds(|| {
        sgd.step_in_place(&mut weight, &gradient, Some(&mut first), None)
            .unwrap();
    });
    print("Sgd with momentum", time);
    let time = milliseconds(|| {
        sgd.step_in_place(&mut weight, &gradient, None, None)
            .unwrap();
    });
    print("Sgd", time);
    let time = milliseconds(|| {
        black_box(optimizer::sum_of_squares(black_box(&gradient)));
    });
    print("sum of squares", time);
}

/// Steps of 64 samples with 128 numbers of the state, as many as make a million.
fn gates(print: &impl Fn(&str, f64), cell: Cell) {
    const STATES: usize = 64 * 128;
    let many = |seed: usize, any: bool, count: usize| -> Vec<f32> {
        (0..if any { count } else { 0 })
            .map(|index| (index * seed % 8191) as f32 / 1024.0 - 4.0)
            .collect()
    };
    let (gru, lstm) = (cell == Cell::Gru, cell == Cell::Lstm);
    let numbers = cell.gates() * STATES;
    let projected = many(3, true, numbers);
    let bias = many(5, true, cell.gates() * 128);
    let (old, old_memory) = (many(7, gru, STATES), many(9, lstm, STATES));
    let mut gates = many(11, true, numbers);
    let [mut inner, mut memory, mut state] =
        [gru || lstm, lstm, true].map(|any| many(13, any, STATES));
    let time = milliseconds(|| {
        for _ in 0..NUMBERS / STATES {
            let step = Step {
                product: &projected,
                bias: &bias,
                old: &old,
                old_memory: &old_memory,
                gates: black_box(&mut gates),
                inner: &mut inner,
                memory: &mut memory,
                state: &mut state,
            };
            recurrent::forward(cell, 128, step).unwrap();
        }
    });
    print(&format!("{cell:?} step"), time);
    let direct_memory = many(15, lstm, STATES);
    let mut direct = many(17, gru, STATES);
    let mut product = many(19, gru, numbers);
    let time = milliseconds(|| {
        for _ in 0..NUMBERS / STATES {
            memory.fill(0.1);
            direct.fill(0.1);
            let step = StepBackward {
                gates: black_box(&mut gates),
                inner: &inner,
                old: &old,
                old_memory: &old_memory,
                state: &state,
                memory: &mut memory,
                direct_memory: &direct_memory,
                direct: &mut direct,
                product: &mut product,
            };
            recurrent::backward(cell, 128, step).unwrap();
        }
    });
    print(&format!("{cell:?} step backward"), time);
}

fn of_rows(print: &impl Fn(&str, f64), input: &[f32], width: usize) {
    let count = input.len() / width;
    let input = &input[..count * width];
    let (gradient, mut output) = (vec![0.5; input.len()], input.to_vec());
    let mut into = output.clone();
    let classes: Vec<u32> = (0..count).map(|row| (row % width) as u32).collect();
    let time = milliseconds(|| softmax::softmax(black_box(input), width, &mut output).unwrap());
    print(&format!("softmax {width}"), time);
    let time = milliseconds(|| {
        softmax::softmax_backward(&output, black_box(&gradient), width, &mut into).unwrap();
    });
    print(&format!("softmax {width} backward"), time);
    let time = milliseconds(|| softmax::log_softmax(black_box(input), width, &mut output).unwrap());
    print(&format!("log softmax {width}"), time);
    let time = milliseconds(|| {
        softmax::log_softmax_backward(&output, black_box(&gradient), width, &mut into).unwrap();
    });
    print(&format!("log softmax {width} backward"), time);
    let time = milliseconds(|| {
        black_box(cross_entropy(input, width, &classes, 0.1, &mut into).unwrap());
    });
    print(&format!("cross entropy {width}"), time);
}

fn layer_norm(print: &impl Fn(&str, f64), input: &[f32], width: usize) {
    let count = input.len() / width;
    let input = &input[..count * width];
    let (gradient, mut output) = (vec![0.5; input.len()], input.to_vec());
    let (gamma, beta) = (vec![1.0; width], vec![0.1; width]);
    let [mut mean, mut inverse] = [0.0, 1.0].map(|value| vec![value; count]);
    let time = milliseconds(|| {
        let input = black_box(input);
        norm::layer_norm(
            input,
            width,
            &gamma,
            Some(&beta),
            1e-5,
            &mut output,
            &mut mean,
            &mut inverse,
        )
        .unwrap();
    });
    print(&format!("layer norm {width}"), time);
    let [mut of_gamma, mut of_beta] = [0.0, 0.0].map(|value| vec![value; width]);
    let time = milliseconds(|| {
        let (input, of_beta) = (black_box(input), Some(&mut of_beta[..]));
        norm::layer_norm_backward(
            input,
            width,
            &gamma,
            &mean,
            &inverse,
            &gradient,
            &mut output,
            &mut of_gamma,
            of_beta,
        )
        .unwrap();
    });
    print(&format!("layer norm {width} backward"), time);
}

fn batch_norm(print: &impl Fn(&str, f64), input: &[f32], channels: usize, positions: usize) {
    let (gradient, mut output) = (vec![0.5; input.len()], input.to_vec());
    let [
        mut mean,
        mut variance,
        gamma,
        beta,
        mut of_gamma,
        mut of_beta,
    ] = [0.0, 1.0, 1.0, 0.1, 0.0, 0.0].map(|value| vec![value; channels]);
    let time = milliseconds(|| {
        let input = black_box(input);
        norm::batch_statistics(input, channels, positions, &mut mean, &mut variance).unwrap();
        norm::batch_norm(
            input,
            channels,
            positions,
            &mean,
            &variance,
            1e-5,
            &gamma,
            &beta,
            &mut output,
        )
        .unwrap();
    });
    print(&format!("batch norm {channels} x {positions}"), time);
    let time = milliseconds(|| {
        norm::batch_norm_backward(
            black_box(input),
            channels,
            positions,
            &mean,
            &variance,
            1e-5,
            &gamma,
            &gradient,
            &mut output,
            &mut of_gamma,
            &mut of_beta,
        )
        .unwrap();
    });
    print(
        &format!("batch norm {channels} x {positions} backward"),
        time,
    );
}

/// Windows of 2 x 2 over planes of 32 x 32.
fn pooling(input: &[f32], print: impl Fn(&str, f64)) {
    let windows = Windows {
        from: [32, 32],
        to: [16, 16],
        kernel: [2, 2],
        stride: [2, 2],
        before: [0, 0],
    };
    let (mut output, mut places) = (vec![0.0; NUMBERS / 4], vec![0; NUMBERS / 4]);
    let time = milliseconds(|| {
        let pieces = output.chunks_mut(256).zip(places.chunks_mut(256));
        for ((output, places), input) in pieces.zip(black_box(input).chunks(1024)) {
            pool::max_pool(input, windows, output, places).unwrap();
        }
    });
    print("max pool 2 x 2", time);
}
