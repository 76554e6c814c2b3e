//! What an expansion costs: time, bytes and tokens of models of 100, 1000 and 10,000 layers of several kinds.
//!
//! `cargo bench -p damper-macros-core --bench expansion -- [KIND ..] [LAYERS ..]`. Compiles no burn. The goals: a dense model of 100 layers in
//! 5 ms, about the same time per layer for each count of layers (a straight line), and the bytes per layer below the budget
//! that CONTRIBUTING.md states.

use proc_macro2::{TokenStream, TokenTree};
use std::fmt::Write;
use std::time::Instant;

/// How many layers, and how often they are expanded.
const SIZES: [(usize, usize); 3] = [(100, 50), (1_000, 10), (10_000, 3)];

fn main() {
    println!(
        "{:13} {:>6}   {:>9}   {:>8}   {:>8}   {:>13}   {:>14}",
        "", "layers", "median ms", "fastest", "µs/layer", "bytes/layer", "tokens/layer"
    );
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_asked = |word: &str, among: &dyn Fn(&str) -> bool| {
        !asked.iter().any(|word| among(word)) || asked.iter().any(|asked| asked == word)
    };
    let (kinds, sizes) = (
        |word: &str| word.parse::<usize>().is_err(),
        |word: &str| word.parse::<usize>().is_ok(),
    );
    for (kind, model) in KINDS.into_iter().filter(|(kind, _)| is_asked(kind, &kinds)) {
        for (layers, times) in SIZES
            .into_iter()
            .filter(|(layers, _)| is_asked(&layers.to_string(), &sizes))
        {
            match measure(&model(layers), times) {
                Ok(Cost {
                    seconds,
                    bytes,
                    tokens,
                }) => {
                    let (median, fastest) = (seconds[seconds.len() / 2], seconds[0]);
                    println!(
                        "{kind:13} {layers:6}   {:9.3}   {:8.3}   {:8.1}   {:13.0}   {:14.0}",
                        1e3 * median,
                        1e3 * fastest,
                        1e6 * median / layers as f64,
                        bytes as f64 / layers as f64,
                        tokens as f64 / layers as f64,
                    );
                }
                Err(error) => eprintln!("{kind} of {layers} layers: {error}"),
            }
        }
    }
}

/// What one model cost.
struct Cost {
    /// Sorted.
    seconds: Vec<f64>,
    bytes: usize,
    tokens: usize,
}

fn measure(source: &str, times: usize) -> Result<Cost, String> {
    let mut seconds = Vec::new();
    let (mut bytes, mut tokens) = (0, 0);
    for _ in 0..times {
        // Made anew each time: `model` takes the tokens, and rustc has parsed them for it.
        let input: TokenStream = format!("::damper, {source}")
            .parse()
            .map_err(|error| format!("{error}"))?;
        let start = Instant::now();
        let expansion = damper_macros_core::model(input);
        seconds.push(start.elapsed().as_secs_f64());
        if bytes == 0 {
            let text = expansion.to_string();
            if let Some((_, error)) = text.split_once("compile_error !") {
                return Err(error.chars().take(200).collect());
            }
            (bytes, tokens) = (text.len(), count(expansion));
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok(Cost {
        seconds,
        bytes,
        tokens,
    })
}

/// All tokens, those inside groups included.
fn count(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Group(group) => 1 + count(group.stream()),
            _ => 1,
        })
        .sum()
}

/// A kind of layers: its name, and the source of a model with so many of them.
type Kind = (&'static str, fn(usize) -> String);

const KINDS: [Kind; 4] = [
    ("dense", dense),
    ("annotated", annotated),
    ("convolutional", convolutional),
    ("blocks", blocks),
];

/// Dense layers.
fn dense(layers: usize) -> String {
    let layer = |layer: usize| format!("fc{layer}: linear(width) -> relu;\n");
    model("input x: [64]", layers, &layer, "head: linear(10);")
}

/// Dense layers with a penalty each, and dropout in one of a hundred: more would be an error (`stacked_high_dropout`).
fn annotated(layers: usize) -> String {
    let layer = |layer: usize| {
        let drop = if layer % 100 == 1 {
            "dropout(0.1) after relu, "
        } else {
            ""
        };
        format!("fc{layer}: linear(width) -> relu with {drop}decay(l2 = 1e-3), max_norm(3.0);\n")
    };
    model("input x: [64]", layers, &layer, "head: linear(10);")
}

/// Convolutions.
fn convolutional(layers: usize) -> String {
    let layer = |layer: usize| {
        format!(
            "conv{layer}: conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;\n"
        )
    };
    model(
        "input x: [3, 32, 32]",
        layers,
        &layer,
        "head: global_avg_pool -> linear(10);",
    )
}

/// Residual blocks of two layers.
fn blocks(layers: usize) -> String {
    let block = |block: usize| {
        format!(
            "block{block}: residual {{ layer_norm -> linear(width) -> gelu -> linear(width); }};\n"
        )
    };
    model("input x: [64]", layers / 2, &block, "head: linear(10);")
}

fn model(input: &str, count: usize, layer: &dyn Fn(usize) -> String, head: &str) -> String {
    let mut source = format!("/// A deep one.\npub Deep<width: usize = 64>\n{input}\nlayers {{\n");
    for index in 1..count {
        source.push_str(&layer(index));
    }
    let _ = writeln!(
        source,
        "{head}\n}}\nloss cross_entropy\ntrain {{ optimizer: adamw(lr = 1e-3), epochs: 3 }}"
    );
    source
}
