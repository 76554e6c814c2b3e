//! Each kernel over a million numbers on one thread: milliseconds, and as a multiple of a copy.

use std::{hint::black_box, time::Instant};

use damper_kernels::{
    Activation,
    dropout::{self, Rate, Source},
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
        |name: &str, time: f64| println!("{name:<22} {time:>7.3} ms {:>6.1} copies", time / copy);
    print("copy", copy);
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
        dropout::forward(source, rate, 0, black_box(&input), &mut output, &mut mask).unwrap();
    });
    print("dropout forward", forward);
    let backward =
        milliseconds(|| dropout::backward(rate, &mask, black_box(&gradient), &mut output).unwrap());
    print("dropout backward", backward);
}
