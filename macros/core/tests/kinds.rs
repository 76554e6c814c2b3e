//! Kinds of mistakes, each tried with several declarations: what is found, at which tokens, and what is right and silent.

mod common;

use common::found::FOUND;
use common::{draw, understood};

/// Declarations that are right, or published: no report.
const SILENT: &[&str] = &[
    // Strengths and rates of papers, under their optimizers.
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: lion(lr = 1e-4, weight_decay = 1.0), schedule: cosine(warmup = 0.05) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adamw(lr = 3e-3, weight_decay = 0.3), schedule: cosine(warmup = 0.1), clip(norm = 1.0) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 5e-4), schedule: step(60, factor = 0.2), epochs: 200 }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.5, momentum = 0.9, weight_decay = 2e-5), schedule: cosine(warmup = 0.01), epochs: 600, ema(0.99998), mixup(0.2) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: rmsprop(lr = 0.064, alpha = 0.9, momentum = 0.9, epsilon = 0.0316), schedule: step(2, factor = 0.973), epochs: 600 }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 30.0, weight_decay = 1.2e-6), clip(norm = 0.25) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adam(lr = 2e-4, beta1 = 0.5, beta2 = 0.999) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adam(lr = 1e-4, beta1 = 0.0, beta2 = 0.9) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adamw(lr = 6e-4, beta2 = 0.95, weight_decay = 0.1), clip(norm = 1.0) }",
    "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adagrad(lr = 0.05) }",
    // A schedule that a program's epochs decide about, defaults of layers that are frozen in part.
    "Net\ninput x: [16]\nlayers with decay(l2 = 1e-4) {\nfc: linear(8) -> relu with freeze;\nhead: linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu with unit_norm, decay(l1 = 1e-4);\nhead: linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu with penalty(l2 = 1e-4);\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.1, momentum = 0.9) }",
    // Norms with a relu or a pool between, or with another reader (DenseNet, Swin, SegFormer).
    "Net\ninput x: [3, 32, 32]\nlayers {\nstem: conv2d(16, kernel = 3, padding = 1, bias = false) -> batch_norm -> relu -> max_pool2d(2) -> batch_norm -> relu;\nnext: conv2d(16, kernel = 3) -> relu;\nhead: global_avg_pool -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [3, 32, 32]\nlayers {\nembed: conv2d(16, kernel = 4, stride = 4) -> to_sequence -> layer_norm -> positional(learned);\nmix: residual { layer_norm -> attention(heads = 2); };\nhead: layer_norm -> mean(axis = time) -> linear(3);\n}\nloss cross_entropy",
    // Gates in a block that is repeated.
    "Net\ninput x: [16]\nlayers {\nfc: linear(16) -> relu;\nhighway: repeat(6) { carry: linear(16) -> relu; gate: from(carry) -> linear(16) -> sigmoid; both: mul(carry, gate); };\nhead: linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [16]\nlayers {\nfc: linear(16) -> relu;\nblocks: repeat(6) { r: residual { linear(16) -> sigmoid -> linear(16); }; };\nhead: linear(3);\n}\nloss cross_entropy",
    // Dropout across a norm, on what has met weights, on maps that kernels of 1 read, on maps of one row.
    "Net\ninput x: [16]\nlayers {\nfc: linear(32) -> dropout(0.3) -> layer_norm -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    "Net\ninput { x: [16], w: [4] }\nlayers {\nscore: from(w) -> linear(16) -> sigmoid;\nweighed: mul(x, score) -> dropout(0.5);\nhead: linear(3);\n}\nloss cross_entropy",
    "Net\ninput points: [3, 128]\nlayers {\na: conv1d(64, kernel = 1) -> relu -> dropout(0.3);\nb: conv1d(64, kernel = 1) -> relu;\nhead: global_max_pool -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput eeg: [1, 22, 128]\nlayers {\ntime: conv2d(8, kernel = [1, 15], padding = [0, 7]) -> elu;\nspace: conv2d(16, kernel = [22, 1]) -> elu -> avg_pool2d([1, 4]) -> dropout(0.5);\nhead: flatten -> linear(4);\n}\nloss cross_entropy",
    // Loss and head that agree.
    "Net\ninput x: [16]\nlayers {\nhead: linear(1) -> softplus;\n}\nloss mse target in [0.1, 10]",
    "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu;\nout: linear(16) -> sigmoid;\n}\nloss mse target in [0, 1]",
    "Net\ninput x: [16]\nlayers {\nhead: linear(4) -> softmax;\n}\nloss mse target in [0, 1]",
    "Net\ninput x: [16]\nlayers {\nhead: linear(1);\n}\nloss mape target in [1, 100]",
    "Net\ninput words: [30] of int(vocab = 90)\nlayers {\nembed: embedding(90, 16);\nrnn: lstm(16, bidirectional = true);\ntags: linear(9);\n}\nloss cross_entropy",
    // Attention that knows the order, or a set that needs none.
    "Net\ninput x: [30] of int(vocab = 90)\nlayers {\nembed: embedding(90, 32);\nmix: residual { positional(rope) -> attention(heads = 2); };\nhead: mean(axis = time) -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [30, 8]\nlayers {\nrnn: gru(32);\nmix: residual { attention(heads = 2); };\nhead: mean(axis = time) -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [30] of int(vocab = 90)\nlayers {\nembed: embedding(90, 32) -> transpose -> conv1d(32, kernel = 3, padding = same) -> relu -> transpose;\nmix: residual { attention(heads = 2); };\nhead: mean(axis = time) -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [30] of int(vocab = 90)\nlayers {\nembed: embedding(90, 16) -> mean(axis = time);\nhead: linear(3);\n}\nloss cross_entropy",
    // Shapes that look alike and are meant.
    "Net\ninput spectrum: [1, 64, 3]\nlayers {\nc: conv2d(8, kernel = 3, padding = 1) -> relu;\nhead: global_avg_pool -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput sensors: [64, 100]\nlayers {\nc: conv1d(8, kernel = 3) -> relu;\nhead: global_avg_pool -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [64]\nlayers {\nm: reshape([1, 8, 8]) -> conv2d(4, kernel = 3) -> relu;\nhead: flatten -> linear(3);\n}\nloss cross_entropy",
    "Net\ninput x: [3, 32, 32]\nlayers {\nstem: conv2d(8, kernel = 3, padding = 1, bias = false) -> batch_norm -> relu;\nblock: residual { conv2d(16, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu -> conv2d(16, kernel = 3, padding = 1, bias = false); } shortcut { conv2d(16, kernel = 1, stride = 2, bias = false); } -> relu;\nhead: global_avg_pool -> linear(3);\n}\nloss cross_entropy",
    // Wide and deep: the sum of a linear and a deep part, and a relu.
    "Net\ninput { x: [16], y: [4] }\nlayers {\ndeep: from(x) -> linear(8) -> relu -> linear(8);\nwide: from(y) -> linear(8);\nboth: add(deep, wide) -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
];

/// The source without the marks, and where they are: line and column of both, as in spans.
fn marked(text: &str) -> (String, [(usize, usize); 2]) {
    let place = |mark: char| {
        let before = text.split(mark).next().unwrap_or_default();
        let row = before.rsplit('\n').next().unwrap_or_default();
        let column = row.chars().filter(|letter| *letter != '«').count();
        (before.matches('\n').count() + 2, column)
    };
    (text.replace(['«', '»'], ""), [place('«'), place('»')])
}

#[test]
fn each_kind_is_found_at_its_tokens_and_alone() {
    let mut wrong = Vec::new();
    for (lint, text) in FOUND {
        let (source, places) = marked(text);
        let (reports, _) = understood(&source);
        let is_it = match reports.as_slice() {
            [report] => {
                let (start, end) = (report.ends.0.start(), report.ends.1.end());
                let at = [(start.line, start.column), (end.line, end.column)];
                report.lint.as_deref() == Some(*lint) && at == places
            }
            _ => false,
        };
        if !is_it {
            wrong.push(format!("{lint} in\n{source}\n{}", draw(&source)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        FOUND.len(),
        wrong.join("\n----\n")
    );
}

#[test]
fn what_is_right_is_silent() {
    let mut wrong = Vec::new();
    for source in SILENT {
        let drawn = draw(source);
        if drawn != "no reports\n" {
            wrong.push(format!("{source}\n{drawn}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        SILENT.len(),
        wrong.join("\n----\n")
    );
}
