//! What an expansion costs: time and bytes for models of 10, 100 and 1000 layers.
//!
//! `cargo bench -p damper-benches --bench expansion`. The goal is that both grow in a straight line.

use damper_benches::rounds::quantile;
use proc_macro2::TokenStream;
use std::fmt::Write;
use std::time::Instant;

fn main() {
    println!(
        "(fastest tenth)\nlayers   milliseconds   per layer, µs   bytes in   bytes out   per layer"
    );
    for (layers, times) in [(10, 200), (100, 50), (1000, 10)] {
        let source = model(layers);
        // The parsed tokens are made anew each time: `model` takes them, and rustc has parsed them for it.
        let tokens = || format!("::damper, {source}").parse::<TokenStream>();
        let mut seconds = Vec::new();
        let mut bytes = 0;
        for _ in 0..times {
            let Ok(tokens) = tokens() else {
                return eprintln!("the model of {layers} layers is not made of tokens");
            };
            let start = Instant::now();
            let expansion = damper_macros_core::model(tokens);
            seconds.push(start.elapsed().as_secs_f64());
            bytes = expansion.to_string().len();
        }
        let fastest = quantile(seconds, 0.1);
        let count = layers as f64;
        println!(
            "{layers:6}   {:12.3}   {:13.1}   {:8}   {bytes:9}   {:9.0}",
            1e3 * fastest,
            1e6 * fastest / count,
            source.len(),
            bytes as f64 / count,
        );
    }
}

/// A deep perceptron with dropout and decay.
fn model(layers: usize) -> String {
    let mut source = String::from(
        "/// A deep one.\npub Deep<width: usize = 64, rate: f64 = 0.1>\ninput x: [64]\nlayers {\n",
    );
    for layer in 0..layers - 1 {
        // Dropout in one layer of a hundred: more would be an error (`stacked_high_dropout`).
        let drop = if layer % 100 == 1 {
            "dropout(rate) after relu, "
        } else {
            ""
        };
        let _ = writeln!(
            source,
            "fc{layer}: linear(width) -> relu with {drop}decay(l2 = 1e-3);"
        );
    }
    source.push_str("head: linear(10);\n}\nloss cross_entropy\ntrain { optimizer: adamw(lr = 1e-3), epochs: 3 }\n");
    source
}
