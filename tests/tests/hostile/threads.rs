//! Several trainings at once, and any number of threads: the same bits.

use crate::common::noise;
use damper::burn::store::ModuleSnapshot;
use damper::burn::tensor::{Distribution, Tensor};
use damper::data::Data;
use damper::prelude::*;
use damper::{Progress, Training};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

mod dense {
    use damper::prelude::*;
    model! { pub M input x: [300] layers { a: linear(400) -> relu with dropout(0.3) after relu, decay(l2 = 1e-3); b: linear(300) -> layer_norm -> gelu; h: linear(4); }
    loss cross_entropy train { optimizer: adamw(lr = 1e-3), epochs: 1, batch: 256, clip(norm = 1.0) } }
}
mod convolved {
    use damper::prelude::*;
    model! { #[allow(dropout_with_batch_norm, reason = "what is tried is a sum")] pub M input x: [3, 10, 10] layers { a: conv2d(16, kernel = 3, bias = false) -> batch_norm -> relu with spatial_dropout(0.1) after relu; b: conv2d(16, kernel = 3, padding = same) -> relu; p: max_pool2d(2); h: flatten -> linear(4); }
    loss cross_entropy train { optimizer: adamw(lr = 1e-3), epochs: 1, batch: 128, mixup(0.2) } }
}
mod recurrent {
    use damper::prelude::*;
    model! { pub M input x: [15, 20] layers { r: lstm(24, bidirectional = true) with variational_dropout(0.1); g: gru(20); l: last_step; h: linear(4); }
    loss cross_entropy train { optimizer: adamw(lr = 3e-3), epochs: 1, batch: 100, ema(0.9) } }
}
mod attended {
    use damper::prelude::*;
    model! { #[allow(attention_without_order, reason = "what is tried is a sum")] pub M input x: [15, 20] layers { p: linear(32); t: transformer_encoder(1, heads = 2, ff = 64); m: mean(axis = time); h: linear(4); }
    loss cross_entropy train { optimizer: adamw(lr = 1e-3), epochs: 1, batch: 300 } }
}
mod transposed {
    use damper::prelude::*;
    model! { pub M input x: [3, 10, 10] layers { a: depthwise_conv2d(3, multiplier = 4) -> group_norm(3) -> rrelu; b: conv_transpose2d(8, kernel = 2, stride = 2) -> relu; p: avg_pool2d(4); h: flatten -> linear(4); }
    loss cross_entropy train { optimizer: sgd(lr = 1e-2, momentum = 0.9), epochs: 1, batch: 128 } }
}

fn samples(width: usize) -> Data {
    let rows = 300;
    Data::new(
        (noise(rows * width, 5), width),
        (0..rows).map(|row| row % 4).collect::<Vec<usize>>(),
    )
    .expect("good data")
}

/// Every bit of the weights after a training.
fn bits<M: Network>(training: Training<M>, seed: u64) -> Vec<u8> {
    let width = {
        let spec = M::Config::default().spec().expect("sound");
        let axes = spec.model().inputs[0].shape.iter();
        axes.filter_map(damper_ir::Value::size).product()
    };
    let data = samples(width);
    let run = training
        .seed(seed)
        .device(Device::flex())
        .progress(Progress::Silent)
        .interruptible(false)
        .fit(&data, &data)
        .expect("a sound training");
    let mut tensors = run.model.collect(None, None, false);
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
        .into_iter()
        .flat_map(|tensor| tensor.into_bytes().expect("in memory").to_vec())
        .collect()
}

/// What `run` gives with so many threads.
fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads")
        .install(run)
}

macro_rules! same_bits {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let expected = with_threads(1, || bits(super::$name::M::training(), 3));
            assert_ne!(expected, with_threads(1, || bits(super::$name::M::training(), 4)));
            for threads in [2, 3, 5, 8] {
                assert!(with_threads(threads, || bits(super::$name::M::training(), 3)) == expected, "{threads} threads");
            }
        }
    )*};
}

mod bits_do_not_depend_on_the_number_of_threads {
    use super::{bits, with_threads};
    same_bits! { dense convolved recurrent attended transposed }
}

/// `seeds.par_iter().map(fit)` used to wait for ever: a thread that waited for its layer took another `fit`, and waited for the
/// lock that it held itself.
#[test]
fn trainings_on_threads_of_rayon_run_side_by_side_and_change_nothing() {
    let seeds: Vec<u64> = (0..8).collect();
    let alone: Vec<Vec<u8>> = seeds
        .iter()
        .map(|seed| bits(recurrent::M::training(), *seed))
        .collect();
    let done = AtomicBool::new(false);
    let together: Vec<Vec<u8>> = std::thread::scope(|scope| {
        // Somebody else draws and predicts meanwhile.
        scope.spawn(|| {
            let model = dense::MConfig::new().init(&Device::flex()).expect("sound");
            while !done.load(Ordering::Relaxed) {
                Device::flex().seed(9);
                let drawn = Tensor::<2>::random([4, 300], Distribution::Default, &Device::flex());
                let _ = model.predict_mc(drawn, 2);
            }
        });
        let fit = |seed: &u64| bits(recurrent::M::training(), *seed);
        let all = with_threads(4, || seeds.par_iter().map(fit).collect());
        done.store(true, Ordering::Relaxed);
        all
    });
    assert!(alone == together);
}

#[test]
fn a_fit_inside_of_another_parallel_job_ends() {
    let jobs: usize = with_threads(3, || {
        (0..24_u64)
            .into_par_iter()
            .map(|seed| {
                if seed % 2 == 0 {
                    bits(dense::M::training(), seed);
                }
                1
            })
            .sum()
    });
    assert_eq!(jobs, 24);
}
