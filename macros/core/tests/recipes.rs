//! Recipes that were published pass, with at most an `allow` that the page of the lint names.

mod common;

use common::draw;
use damper_ir::Lint;

/// Where it was published, what must be allowed for it, the declaration.
const RECIPES: &[(&str, &[&str], &str)] = &[
    (
        "Keras, mnist_convnet",
        &[],
        "Net\ninput image: [1, 28, 28]\nlayers {\nc1: conv2d(32, kernel = 3) -> relu -> max_pool2d(2);\nc2: conv2d(64, kernel = 3) -> relu -> max_pool2d(2);\nhead: flatten -> dropout(0.5) -> linear(10);\n}\nloss cross_entropy\ntrain { optimizer: adam(lr = 1e-3), epochs: 15, batch: 128 }",
    ),
    (
        "Keras, cifar10_cnn",
        &["elementwise_dropout_on_feature_maps"],
        "Net\ninput image: [3, 32, 32]\nlayers {\na: conv2d(32, kernel = 3, padding = same) -> relu;\nb: conv2d(32, kernel = 3) -> relu -> max_pool2d(2) -> dropout(0.25);\nc: conv2d(64, kernel = 3, padding = same) -> relu;\nd: conv2d(64, kernel = 3) -> relu -> max_pool2d(2) -> dropout(0.25);\nfc: flatten -> linear(512) -> relu -> dropout(0.5);\nhead: linear(10);\n}\nloss cross_entropy\ntrain { optimizer: rmsprop(lr = 1e-4), epochs: 100 }",
    ),
    (
        "Keras, imdb_lstm",
        &[],
        "Net\ninput words: [80] of int(vocab = 20000)\nlayers {\nembed: embedding(20000, 128);\nrnn: lstm(128) with variational_dropout(0.2, recurrent = 0.2);\nhead: last_step -> linear(1);\n}\nloss binary_cross_entropy\ntrain { optimizer: adam(lr = 1e-3), epochs: 15, batch: 32 }",
    ),
    (
        "Keras, bidirectional_lstm_imdb",
        &[],
        "Net\ninput words: [200] of int(vocab = 20000)\nlayers {\nembed: embedding(20000, 128);\na: lstm(64, bidirectional = true);\nb: lstm(64, bidirectional = true) -> last_step;\nhead: linear(1);\n}\nloss binary_cross_entropy\ntrain { optimizer: adam(lr = 1e-3), epochs: 2, batch: 32 }",
    ),
    (
        "Keras, text_classification_with_transformer",
        &[],
        "Net\ninput words: [200] of int(vocab = 20000)\nlayers {\nembed: embedding(20000, 32) -> positional(learned);\nattend: residual { attention(heads = 2) -> dropout(0.1); } -> layer_norm;\nfeed: residual { linear(32) -> relu -> linear(32) -> dropout(0.1); } -> layer_norm;\npool: mean(axis = time) -> dropout(0.1);\nfc: linear(20) -> relu -> dropout(0.1);\nhead: linear(2);\n}\nloss cross_entropy\ntrain { optimizer: adam(lr = 1e-3), epochs: 2, batch: 32 }",
    ),
    (
        "Keras, timeseries_classification_from_scratch",
        &[],
        "Net\ninput series: [1, 500]\nlayers {\na: conv1d(64, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;\nb: conv1d(64, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;\nc: conv1d(64, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;\nhead: global_avg_pool -> linear(2);\n}\nloss cross_entropy\ntrain { optimizer: adam(lr = 1e-3), epochs: 500, batch: 32, early_stop(patience = 50) }",
    ),
    (
        "Keras, autoencoder on MNIST",
        &[],
        "Net\ninput image: [1, 28, 28]\nlayers {\na: conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2);\nb: conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2);\nc: conv_transpose2d(32, kernel = 2, stride = 2) -> relu;\nd: conv_transpose2d(32, kernel = 2, stride = 2) -> relu;\nout: conv2d(1, kernel = 3, padding = same) -> sigmoid;\n}\nloss binary_cross_entropy(from = probabilities)\ntrain { optimizer: adam(lr = 1e-3), epochs: 50, batch: 128 }",
    ),
    (
        "Keras, imbalanced_classification",
        &[],
        "Net\ninput row: [30]\nlayers {\na: linear(256) -> relu;\nb: linear(256) -> relu -> dropout(0.3);\nc: linear(256) -> relu -> dropout(0.3);\nhead: linear(2);\n}\nloss cross_entropy(weights = [4.4e-6, 2.4e-3])\ntrain { optimizer: adam(lr = 1e-2), epochs: 30, batch: 2048 }",
    ),
    (
        "Keras, regression of house prices",
        &[],
        "Net\ninput row: [13]\nlayers {\na: linear(64) -> relu;\nb: linear(64) -> relu;\nout: linear(1);\n}\nloss mse\nmetrics mae\ntrain { optimizer: rmsprop(lr = 1e-3), epochs: 1000, early_stop(patience = 10) }",
    ),
    (
        "Keras, image classification with a vision transformer",
        &[],
        "Net\ninput image: [3, 72, 72]\nlayers {\nembed: conv2d(64, kernel = 6, stride = 6) -> to_sequence -> positional(learned);\nblocks: repeat(8) { attend: residual { layer_norm -> attention(heads = 4) with attention_dropout(0.1); }; feed: residual { layer_norm -> linear(128) -> gelu -> dropout(0.1) -> linear(64) -> dropout(0.1); }; };\nflat: layer_norm -> flatten -> dropout(0.5);\na: linear(2048) -> gelu -> dropout(0.5);\nb: linear(1024) -> gelu -> dropout(0.5);\nhead: linear(100);\n}\nloss cross_entropy\ntrain { optimizer: adamw(lr = 1e-3, weight_decay = 1e-4), epochs: 100, batch: 256 }",
    ),
    (
        "PyTorch tutorials, cifar10_tutorial",
        &[],
        "Net\ninput image: [3, 32, 32]\nlayers {\na: conv2d(6, kernel = 5) -> relu -> max_pool2d(2);\nb: conv2d(16, kernel = 5) -> relu -> max_pool2d(2);\nfc1: flatten -> linear(120) -> relu;\nfc2: linear(84) -> relu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 1e-3, momentum = 0.9), epochs: 2, batch: 4 }",
    ),
    (
        "PyTorch examples, mnist",
        &["elementwise_dropout_on_feature_maps"],
        "Net\ninput image: [1, 28, 28]\nlayers {\na: conv2d(32, kernel = 3) -> relu;\nb: conv2d(64, kernel = 3) -> relu -> max_pool2d(2) -> dropout(0.25);\nfc: flatten -> linear(128) -> relu -> dropout(0.5);\nhead: linear(10) -> log_softmax;\n}\nloss cross_entropy(from = log_probabilities)\ntrain { optimizer: adagrad(lr = 0.05), schedule: exponential(0.7), epochs: 14, batch: 64 }",
    ),
    (
        "PyTorch examples, word_language_model",
        &[],
        "Net\ninput words: [35] of int(vocab = 33278)\nlayers {\nembed: embedding(33278, 200) -> dropout(0.2);\nrnn: lstm(200, layers = 2) with dropout(0.2);\ndrop: dropout(0.2);\nhead: linear(33278);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 20.0), clip(norm = 0.25), epochs: 40, batch: 20 }",
    ),
    (
        "PyTorch tutorials, transformer_tutorial",
        &[],
        "Net\ninput words: [35] of int(vocab = 28782)\nlayers {\nembed: embedding(28782, 200) -> positional(sinusoidal) -> dropout(0.2);\nblocks: repeat(2) { attend: residual { attention(heads = 2, causal = true) -> dropout(0.2); } -> layer_norm; feed: residual { linear(200) -> relu -> dropout(0.2) -> linear(200) -> dropout(0.2); } -> layer_norm; };\nhead: linear(28782);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 5.0), schedule: exponential(0.95), epochs: 3, batch: 20, clip(norm = 0.5) }",
    ),
    (
        "PyTorch examples, time_sequence_prediction",
        &["answer_at_each_step"],
        "Net\ninput wave: [999, 1]\nlayers {\na: lstm(51);\nb: lstm(51);\nout: linear(1);\n}\nloss mse\ntrain { epochs: 15, batch: 97 }",
    ),
    (
        "PyTorch tutorials, reinforcement_q_learning",
        &[],
        "Net\ninput state: [4]\nlayers {\na: linear(128) -> relu;\nb: linear(128) -> relu;\nout: linear(2);\n}\nloss smooth_l1\ntrain { optimizer: adamw(lr = 1e-4, amsgrad = true), batch: 128, clip(value = 100.0) }",
    ),
    (
        "PyTorch tutorials, char_rnn_classification",
        &[],
        "Net\ninput name: [20, 57]\nlayers {\nrnn: rnn(128) -> last_step;\nhead: linear(18) -> log_softmax;\n}\nloss cross_entropy(from = log_probabilities)\ntrain { optimizer: sgd(lr = 5e-3) }",
    ),
    (
        "PyTorch tutorials, dcgan_faces, the discriminator",
        &[],
        "Net\ninput image: [3, 64, 64]\nlayers {\na: conv2d(64, kernel = 4, stride = 2, padding = 1, bias = false) -> leaky_relu(0.2);\nb: conv2d(128, kernel = 4, stride = 2, padding = 1, bias = false) -> batch_norm -> leaky_relu(0.2);\nc: conv2d(256, kernel = 4, stride = 2, padding = 1, bias = false) -> batch_norm -> leaky_relu(0.2);\nd: conv2d(512, kernel = 4, stride = 2, padding = 1, bias = false) -> batch_norm -> leaky_relu(0.2);\nhead: conv2d(1, kernel = 4, bias = false) -> flatten;\n}\nloss binary_cross_entropy\ntrain { optimizer: adam(lr = 2e-4, beta1 = 0.5, beta2 = 0.999), epochs: 5, batch: 128 }",
    ),
    (
        "torchvision, resnet50, the second recipe",
        &[],
        "Net\ninput image: [3, 176, 176]\nlayers {\nstem: conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false) -> batch_norm -> relu -> max_pool2d(3, stride = 2, padding = 1);\nblock: residual { conv2d(64, kernel = 1, bias = false) -> batch_norm -> relu; conv2d(64, kernel = 3, padding = 1, bias = false) -> batch_norm -> relu; conv2d(256, kernel = 1, bias = false) -> batch_norm; } shortcut { conv2d(256, kernel = 1, bias = false) -> batch_norm; } -> relu;\nhead: global_avg_pool -> linear(1000);\n}\nloss cross_entropy(label_smoothing = 0.1)\ntrain { optimizer: sgd(lr = 0.5, momentum = 0.9, weight_decay = 2e-5), schedule: cosine(warmup = 0.0083), epochs: 600, batch: 128, mixup(0.2), cutmix(1.0), ema(0.99998), augment(flip = true, erase = 0.1) }",
    ),
    (
        "torchvision, mobilenet_v3_large",
        &["adam_coupled_weight_decay"],
        "Net\ninput image: [3, 224, 224]\nlayers {\nstem: conv2d(16, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm(epsilon = 1e-3, momentum = 0.01) -> hard_swish;\nblock: residual { depthwise_conv2d(3, padding = 1, bias = false) -> batch_norm(epsilon = 1e-3, momentum = 0.01) -> relu; conv2d(16, kernel = 1, bias = false) -> batch_norm(epsilon = 1e-3, momentum = 0.01); };\nfc: global_avg_pool -> linear(1280) -> hard_swish -> dropout(0.2);\nhead: linear(1000);\n}\nloss cross_entropy\ntrain { optimizer: rmsprop(lr = 0.064, alpha = 0.9, momentum = 0.9, epsilon = 0.0316, weight_decay = 1e-5), schedule: step(2, factor = 0.973), epochs: 600, batch: 128, augment(erase = 0.2) }",
    ),
    (
        "torchvision, vit_b_16",
        &[],
        "Net\ninput image: [3, 224, 224]\nlayers {\nembed: conv2d(768, kernel = 16, stride = 16) -> to_sequence -> class_token -> positional(learned);\nencoder: transformer_encoder(12, heads = 12, ff = 3072, dropout = 0.0);\nclass: layer_norm -> first_step;\nhead: linear(1000);\n}\nloss cross_entropy(label_smoothing = 0.11)\ntrain { optimizer: adamw(lr = 3e-3, weight_decay = 0.3), schedule: cosine(warmup = 0.1), epochs: 300, batch: 512, clip(norm = 1.0), mixup(0.2), cutmix(1.0), ema(0.99998) }",
    ),
    (
        "torchvision, alexnet",
        &[],
        "Net\ninput image: [3, 224, 224]\nlayers {\na: conv2d(64, kernel = 11, stride = 4, padding = 2) -> relu -> max_pool2d(3, stride = 2);\nb: conv2d(192, kernel = 5, padding = 2) -> relu -> max_pool2d(3, stride = 2);\nc: conv2d(384, kernel = 3, padding = 1) -> relu;\nd: conv2d(256, kernel = 3, padding = 1) -> relu;\ne: conv2d(256, kernel = 3, padding = 1) -> relu -> max_pool2d(3, stride = 2) -> adaptive_avg_pool2d(6);\nfc1: flatten -> dropout(0.5) -> linear(4096) -> relu;\nfc2: dropout(0.5) -> linear(4096) -> relu;\nhead: linear(1000);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.01, momentum = 0.9, weight_decay = 1e-4), schedule: step(30), epochs: 90, batch: 32 }",
    ),
    (
        "timm, ResNet strikes back, A3 with SGD",
        &[],
        "Net\ninput image: [3, 160, 160]\nlayers {\nstem: conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false) -> batch_norm -> relu -> max_pool2d(3, stride = 2, padding = 1);\nblocks: repeat(3) { r: residual { conv2d(64, kernel = 3, padding = 1, bias = false) -> batch_norm -> relu; conv2d(64, kernel = 3, padding = 1, bias = false) -> batch_norm; } -> relu; } with drop_path(0.0..0.05);\nhead: global_avg_pool -> linear(1000);\n}\nloss cross_entropy(label_smoothing = 0.1)\ntrain { optimizer: sgd(lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 2e-5), schedule: cosine(warmup = 0.05), epochs: 100, batch: 128, mixup(0.1), cutmix(1.0), clip(norm = 1.0) }",
    ),
    (
        "AWD-LSTM (arXiv 1708.02182)",
        &["high_dropout_rate"],
        "Net\ninput words: [70] of int(vocab = 10000)\nlayers {\nembed: embedding(10000, 400) -> variational_dropout(0.65) with embedding_dropout(0.1);\na: lstm(1150) -> variational_dropout(0.2) with drop_connect(0.5);\nb: lstm(400) -> variational_dropout(0.4) with drop_connect(0.5);\nhead: linear(10000, tied = embed);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 30.0, weight_decay = 1.2e-6), clip(norm = 0.25), epochs: 750, batch: 20 }",
    ),
    (
        "Lion (arXiv 2302.06675), ViT-S/16",
        &[],
        "Net\ninput row: [64]\nlayers {\nfc: linear(64) -> gelu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { optimizer: lion(lr = 1e-3, weight_decay = 1.0), schedule: cosine(warmup = 0.1), epochs: 300, batch: 4096 }",
    ),
];

/// A reason, as the attribute needs one.
fn allowing(lint: &str) -> String {
    format!("#[allow({lint}, reason = \"as published\")]\n")
}

#[test]
fn recipes_pass() {
    let mut wrong = Vec::new();
    for (name, allowed, source) in RECIPES {
        let allows: String = allowed.iter().map(|lint| allowing(lint)).collect();
        let drawn = draw(&format!("{allows}{source}"));
        if drawn != "no reports\n" {
            wrong.push(format!("{name}:\n{drawn}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        RECIPES.len(),
        wrong.join("\n")
    );
}

#[test]
fn an_allow_is_needed_and_its_page_names_it() {
    for (name, allowed, source) in RECIPES {
        for lint in *allowed {
            let others = allowed.iter().filter(|other| *other != lint);
            let allows: String = others.map(|lint| allowing(lint)).collect();
            let drawn = draw(&format!("{allows}{source}"));
            assert!(
                drawn.contains(&format!("[{lint}]")),
                "{name} needs no `{lint}`"
            );
            let page = Lint::find(lint).expect("a lint").page();
            assert!(page.contains("#[allow("), "{lint}");
        }
    }
}
