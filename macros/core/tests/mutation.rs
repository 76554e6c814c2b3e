//! Every lint of the catalogue is found where a right model is made wrong, and exactly there.
//!
//! A row of [`MUTATIONS`] edits the text of every accepted model that it fits: those of the README, of the architectures and
//! published networks that are compiled elsewhere, and the fixes of the catalogue's own pages.

mod common;

use damper_ir::{LINTS, Level, Lint};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Files that are one model.
const WHOLE: &[&str] = &[
    "tests/fixtures/models/resnet.rs",
    "tests/fixtures/models/rows.rs",
    "tests/fixtures/models/sentiment.rs",
];

/// Files that hold `model!`s.
const PARTS: &[&str] = &[
    "../../README.md",
    "../../ui-tests/pass/architectures.rs",
    "../../ui-tests/pass/published.rs",
];

/// `(lint, text, text in its place)`. `…` is what a pair of brackets may hold and stands for the same text on both sides;
/// between `«` and `»` are the tokens that the finding must be about, from the first to the last.
///
/// In the models' texts a line has no space around it and no two in a row.
#[rustfmt::skip]
const MUTATIONS: &[(&str, &str, &str)] = &[
    // The output and the loss.
    ("softmax_before_logits_loss", "linear(…);\n}\nloss cross_entropy\n", "linear(…) -> «softmax»;\n}\nloss cross_entropy\n"),
    ("softmax_before_logits_loss", "linear(…);\n}\nloss cross_entropy(label_smoothing", "linear(…) -> «softmax»;\n}\nloss cross_entropy(label_smoothing"),
    ("log_softmax_before_logits_loss", "linear(…);\n}\nloss cross_entropy\n", "linear(…) -> «log_softmax»;\n}\nloss cross_entropy\n"),
    ("log_softmax_before_logits_loss", "-> log_softmax;\n}\nloss cross_entropy(from = log_probabilities)", "-> «log_softmax»;\n}\nloss cross_entropy"),
    ("sigmoid_before_bce_logits", "linear(…);\n}\nloss binary_cross_entropy\n", "linear(…) -> «sigmoid»;\n}\nloss binary_cross_entropy\n"),
    ("sigmoid_before_bce_logits", "linear(1);\n}\nloss binary_cross_entropy\n", "linear(2) -> «softmax»;\n}\nloss binary_cross_entropy\n"),
    ("logits_into_probability_loss", "linear(…);\n}\nloss cross_entropy\n", "linear(…);\n}\nloss «cross_entropy(from = probabilities)»\n"),
    ("logits_into_probability_loss", "linear(…);\n}\nloss binary_cross_entropy\n", "linear(…);\n}\nloss «binary_cross_entropy(from = probabilities)»\n"),
    ("softmax_single_unit", "linear(1);\n}\nloss", "linear(1) -> «softmax»;\n}\nloss"),
    ("softmax_single_unit", "linear(…);\n}\nloss cross_entropy", "linear(1) -> «log_softmax»;\n}\nloss cross_entropy"),
    ("sigmoid_into_cross_entropy", "linear(…);\n}\nloss cross_entropy\n", "linear(…) -> «sigmoid»;\n}\nloss cross_entropy\n"),
    ("bce_for_multiclass", "\ntask multiclass(…)\nloss cross_entropy\n", "\ntask multiclass(…)\nloss «binary_cross_entropy»\n"),
    ("softmax_into_bce", "linear(…);\n}\nloss cross_entropy\n", "linear(…) -> «softmax»;\n}\nloss binary_cross_entropy(from = probabilities)\n"),
    ("relu_on_logits", "linear(…);\n}\nloss cross_entropy", "linear(…) -> «relu»;\n}\nloss cross_entropy"),
    ("relu_on_logits", "linear(…);\n}\nloss cross_entropy", "linear(…) -> «leaky_relu(0.1)»;\n}\nloss cross_entropy"),
    ("relu_on_logits", "linear(…);\n}\nloss binary_cross_entropy", "linear(…) -> «relu»;\n}\nloss binary_cross_entropy"),
    ("bounded_regression_output", "linear(…);\n}\nloss mse\n", "linear(…) -> «tanh»;\n}\nloss mse\n"),
    ("bounded_regression_output", "linear(…);\n}\nloss huber", "linear(…) -> «softplus»;\n}\nloss huber"),
    ("dying_output", "linear(…);\n}\nloss huber", "linear(…) -> «relu»;\n}\nloss huber"),
    ("dying_output", "linear(…);\n}\nloss mse\n", "linear(…) -> «relu6»;\n}\nloss mse\n"),
    ("bounded_log_rate", "linear(…);\n}\nloss poisson", "linear(…) -> «softplus»;\n}\nloss poisson"),
    ("bounded_log_rate", "linear(1);\n}\nloss mse\n", "linear(2) -> «relu»;\n}\nloss gaussian_nll\n"),
    ("mape_over_zero", "loss mae target in [0, 100]", "loss mape «target in [0, 100]»"),
    ("answer_at_each_step", "lstm(…) -> last_step;\nhead: linear(…);\n}\nloss mse", "lstm(…);\nhead: «linear(…)»;\n}\nloss mse"),
    ("zero_class_weight", "\nloss cross_entropy(weights = [1.0, 5.0, 1.0])\n", "\nloss cross_entropy(weights = [1.0, 5.0, «0.0»])\n"),
    ("label_weights_scale_the_loss", "task multilabel(4)\nloss binary_cross_entropy\n", "task multilabel(4)\nloss «binary_cross_entropy(weights = [1.0, 1.0, 9.0, 1.0])»\n"),
    ("bounded_regression_output", "-> tanh;\n}\nloss mse target in [-1, 1]", "-> «tanh»;\n}\nloss mse target in [-2, 2]"),
    ("bounded_regression_output", "-> sigmoid;\n}\nloss mse target in [0, 1]", "-> «sigmoid»;\n}\nloss mse target in [-1, 1]"),
    ("mse_for_classification", "\ntask multiclass(…)\nloss cross_entropy\n", "\ntask multiclass(…)\nloss «mse»\n"),
    ("output_units_mismatch", "linear(…);\n}\ntask multiclass(…)\n", "«linear(3)»;\n}\ntask multiclass(4)\n"),
    ("output_units_mismatch", "linear(…);\n}\nloss cross_entropy\n", "«linear(1)»;\n}\nloss cross_entropy\n"),
    ("loss_target_shape_mismatch", "\ntask multilabel(…)\nloss binary_cross_entropy\n", "\ntask multilabel(…)\nloss «cross_entropy»\n"),
    ("label_smoothing_out_of_range", "\nloss cross_entropy\n", "\nloss cross_entropy(label_smoothing = «1.5»)\n"),
    ("label_smoothing_out_of_range", "label_smoothing = …)", "label_smoothing = «0.4»)"),
    ("class_weights_len_mismatch", "\nloss cross_entropy\n", "\nloss «cross_entropy(weights = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])»\n"),
    ("class_weights_len_mismatch", "cross_entropy(weights = […, 1.0])", "«cross_entropy(weights = […])»"),
    // Dropout and its relatives.
    ("dropout_before_output", "linear(…);\n}\nloss", "linear(…) -> «dropout(0.5)»;\n}\nloss"),
    ("dropout_before_output", "linear(…);\n}\nloss", "linear(…) with «dropout(0.5)»;\n}\nloss"),
    ("dropout_before_output", "linear(…);\n}\nloss", "linear(…) -> «noise(0.1)»;\n}\nloss"),
    ("dropout_before_output", " -> dropout(0.5);\nhead: linear(…);\n}\nloss", ";\nhead: linear(…) -> «dropout(0.5)»;\n}\nloss"),
    ("dropout_feeding_head", "-> relu;\nhead: linear(…);", "-> relu -> «dropout(0.5)»;\nhead: linear(…);"),
    ("dropout_feeding_head", "head: linear(…);\n}\nloss", "head: «dropout(0.5)» -> linear(…);\n}\nloss"),
    ("dropout_before_batch_norm", ") -> batch_norm", ") -> «dropout(0.3)» -> batch_norm"),
    ("dropout_before_batch_norm", ") -> batch_norm", ") -> «spatial_dropout(0.1)» -> batch_norm"),
    ("dropout_with_batch_norm", "-> batch_norm -> relu;", "-> batch_norm -> relu -> «dropout(0.5)»;"),
    ("dropout_with_batch_norm", "-> batch_norm -> relu6;", "-> batch_norm -> relu6 -> «spatial_dropout(0.1)»;"),
    ("dropout_upstream_of_batch_norm", "layers {\nfc: linear(…) -> batch_norm", "layers {\nfirst: linear(64) -> relu -> «dropout(0.3)»;\nfc: linear(…) -> batch_norm"),
    ("dropout_upstream_of_batch_norm", "relu with decay(l2 = 1e-3);\nfc2: linear(…) -> batch_norm", "relu with «dropout(0.3)»;\nfc2: linear(…) -> batch_norm"),
    ("dropout_before_activation", "-> relu -> dropout(…)", "-> «dropout(…)» -> relu"),
    ("dropout_before_activation", "linear(…) -> relu;", "linear(…) -> «dropout(0.3)» -> relu;"),
    ("dropout_before_activation", "linear(…) -> tanh;\nfc2:", "linear(…) -> tanh with «dropout(0.3)» after linear;\nfc2:"),
    ("dropout_rate_out_of_range", " dropout(…)", " dropout(«20.0»)"),
    ("dropout_rate_out_of_range", " dropout(…)", " dropout(«1.0»)"),
    ("dropout_rate_out_of_range", " drop_path(0.0..…)", " drop_path(0.0..«1.5»)"),
    ("dropout_rate_out_of_range", "attention_dropout(…)", "attention_dropout(«20.0»)"),
    ("dropout_rate_out_of_range", "drop_block(…, size", "drop_block(«3.0», size"),
    ("elementwise_dropout_on_feature_maps", "-> spatial_dropout(…)", "-> «dropout(…)»"),
    ("elementwise_dropout_on_feature_maps", "conv2d(…) -> relu;", "conv2d(…) -> relu -> «dropout(0.3)»;"),
    ("spatial_dropout_on_vector", "linear(…) -> relu -> dropout(…);", "linear(…) -> relu -> «spatial_dropout(…)»;"),
    ("spatial_dropout_rate_high", "spatial_dropout(…)", "«spatial_dropout(0.4)»"),
    ("spatial_dropout_rate_high", "conv2d(…) -> relu;", "conv2d(…) -> relu with «spatial_dropout(0.4)»;"),
    ("drop_block_too_large", "drop_block(0.1, size = …)", "drop_block(0.1, size = «99»)"),
    ("drop_block_too_large", "conv2d(…) -> relu;", "conv2d(…) -> relu -> drop_block(0.1, size = «999»);"),
    ("dropout_before_max_pool", "-> max(axis = time) -> dropout(…)", "-> «dropout(…)» -> max(axis = time)"),
    ("dropout_before_max_pool", "-> relu -> max_pool2d(…)", "-> relu -> «dropout(0.2)» -> max_pool2d(…)"),
    ("rnn_dropout_single_layer", "lstm(…, layers = 2) with variational_dropout(…), dropout(…)", "lstm(…) with variational_dropout(…), «dropout(…)»"),
    ("rnn_dropout_single_layer", "lstm(64) -> last_step with variational_dropout(…)", "lstm(64) -> last_step with «dropout(…)»"),
    ("variational_dropout_on_non_rnn", "linear(…) -> relu -> dropout(…);", "linear(…) -> relu -> «variational_dropout(…)»;"),
    ("attention_dropout_high", "attention_dropout(…)", "«attention_dropout(0.9)»"),
    ("high_dropout_rate", "-> dropout(…)", "-> «dropout(0.9)»"),
    ("high_dropout_rate", "with dropout(…)", "with «dropout(0.9)»"),
    ("dropout_rate_zero", "-> dropout(…)", "-> «dropout(0.0)»"),
    ("stacked_high_dropout", "dropout(0.2);\nfc4: linear(…) -> relu -> dropout(0.2);", "dropout(0.7);\nfc4: linear(…) -> relu -> «dropout(0.8)»;"),
    ("stacked_high_dropout", "layers {\nfc: linear(…) -> relu -> dropout(0.5);\nhead", "layers {\nfc: linear(…) -> relu -> dropout(0.7);\nmore: linear(64) -> relu -> «dropout(0.7)»;\nhead"),
    ("consecutive_dropout", "-> dropout(…)", "-> dropout(…) -> «dropout(0.2)»"),
    ("dropout_on_input", "layers {\nfc: linear(…)", "layers {\nfc: «dropout(0.4)» -> linear(…)"),
    ("dropout_on_input", "layers {\nfc1: linear(…)", "layers {\nfc1: «dropout(0.4)» -> linear(…)"),
    ("dropout_on_input", "fc: dropout(0.1) -> linear", "fc: «dropout(0.4)» -> linear"),
    ("dropout_on_tiny_layer", "linear(…) -> relu -> dropout(…);", "linear(4) -> relu -> «dropout(0.5)»;"),
    ("dropout_on_tiny_layer", "linear(…) -> relu;\nhead:", "linear(3) -> relu with «dropout(0.5)»;\nhead:"),
    ("uniform_dropout_rate", "-> dropout(0.3);\nfc2: linear(64) -> relu -> dropout(0.1);\nhead", "-> dropout(0.3);\nfc2: linear(64) -> relu -> «dropout(0.3)»;\nhead"),
    ("dropout_rate_increases", "-> dropout(0.3);\nfc2: linear(64) -> relu -> dropout(0.1);\nhead", "-> dropout(0.1);\nfc2: linear(64) -> relu -> «dropout(0.3)»;\nhead"),
    ("dropout_rate_increases", "-> dropout(…);\nhead: linear", "-> dropout(…);\nmore: linear(64) -> relu -> «dropout(0.9)»;\nhead: linear"),
    ("plain_dropout_with_selu", "alpha_dropout(…)", "«dropout(…)»"),
    ("plain_dropout_with_selu", "-> relu -> dropout(…)", "-> selu -> «dropout(…)»"),
    ("alpha_dropout_without_selu", "-> relu -> dropout(…)", "-> relu -> «alpha_dropout(…)»"),
    ("alpha_dropout_without_selu", "-> selu -> alpha_dropout(…)", "-> relu -> «alpha_dropout(…)»"),
    ("drop_path_outside_residual", "linear(…) -> relu -> dropout(…);", "linear(…) -> relu -> «drop_path(0.1)»;"),
    ("drop_path_rate_high", " drop_path(…)", " «drop_path(0.7)»"),
    ("drop_path_rate_high", " drop_path(0.0..…)", " «drop_path(0.0..0.9)»"),
    // Normalization.
    ("redundant_bias_before_norm", "linear(…, bias = false) -> batch_norm", "«linear(…)» -> batch_norm"),
    ("redundant_bias_before_norm", "\nconv2d(…, bias = false) -> batch_norm", "\n«conv2d(…)» -> batch_norm"),
    ("redundant_bias_before_norm", ": conv2d(…, bias = false) -> batch_norm", ": «conv2d(…)» -> batch_norm"),
    ("redundant_bias_before_norm", "depthwise_conv2d(…, bias = false) -> batch_norm", "«depthwise_conv2d(…)» -> batch_norm"),
    ("norm_after_output", "relu;\nhead: linear(…);\n}\nloss", "relu;\nhead: linear(…) -> «batch_norm»;\n}\nloss"),
    ("norm_after_output", "linear(…);\n}\nloss", "linear(…) -> «layer_norm»;\n}\nloss"),
    ("batch_norm_single_value", "-> batch_norm -> relu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { batch: 32 }", "-> batch_norm -> relu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { batch: «1» }"),
    ("batch_norm_single_value", "layer_norm -> relu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { batch: 1 }", "batch_norm -> relu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { batch: «1» }"),
    ("batch_norm_tiny_batch", "train { batch: 32 }", "train { batch: «4» }"),
    ("batch_norm_tiny_batch", "batch: 256 }", "batch: «2» }"),
    ("consecutive_norm", "linear(…) -> batch_norm", "linear(…) -> batch_norm -> «layer_norm»"),
    ("consecutive_norm", "conv2d(…) -> batch_norm", "conv2d(…) -> batch_norm -> «batch_norm»"),
    ("activation_before_norm", "-> batch_norm -> relu;", "-> relu -> «batch_norm»;"),
    ("norm_with_selu", "-> selu;", "-> selu -> «layer_norm»;"),
    ("norm_with_selu", "-> selu -> alpha", "-> selu -> «layer_norm» -> alpha"),
    ("l2_through_batch_norm", "-> batch_norm -> relu;", "-> batch_norm -> relu with «decay(l2 = 1e-3)»;"),
    // Shapes, activations, what reads what.
    ("shape_mismatch", "linear(32) -> relu;\nboth: add(left, right)", "linear(16) -> relu;\nboth: «add(left, right)»"),
    ("shape_mismatch", "from(item) -> linear(32);\nboth: add(deep, wide)", "from(item) -> linear(31);\nboth: «add(deep, wide)»"),
    ("missing_flatten", "flatten -> linear(…)", "«linear(…)»"),
    ("missing_flatten", "pool: global_avg_pool;\nhead: linear(…)", "head: «linear(…)»"),
    ("residual_shape_mismatch", "residual { linear(64) -> relu -> linear(64); }", "«residual» { linear(64) -> relu -> linear(63); }"),
    ("residual_shape_mismatch", "residual { linear(…) -> relu; } shortcut { linear(32); }", "«residual» { linear(…) -> relu; }"),
    ("missing_nonlinearity", "linear(…) -> relu;\nhead: linear(…);", "«linear(…)»;\nhead: linear(…);"),
    ("missing_nonlinearity", "linear(…) -> relu -> dropout(…);\nhead: linear(…);", "«linear(…)» -> dropout(…);\nhead: linear(…);"),
    ("missing_nonlinearity", "linear(…) -> tanh;\nhead: linear(…);", "«linear(…)»;\nhead: linear(…);"),
    ("missing_nonlinearity", "relu;\nhead: linear(…);\n}\nloss", "relu;\nhead: «linear(64)» -> linear(…);\n}\nloss"),
    ("pool_as_only_nonlinearity", "conv2d(…) -> relu -> max_pool2d(2);\nbody: conv2d(…)", "«conv2d(…)» -> max_pool2d(2);\nbody: conv2d(…)"),
    ("pool_as_only_nonlinearity", "conv2d(…) -> relu -> max_pool2d(2);\nc2: conv2d(…)", "«conv2d(…)» -> max_pool2d(2);\nc2: conv2d(…)"),
    ("redundant_activation", "linear(…) -> relu;", "linear(…) -> relu -> «sigmoid»;"),
    ("redundant_activation", "batch_norm -> relu;", "batch_norm -> relu -> «tanh»;"),
    ("softmax_in_hidden_layer", "linear(…) -> relu;\nhead: linear", "linear(…) -> «softmax»;\nhead: linear"),
    ("saturating_hidden_stack", "relu;\nfc2: linear(64) -> relu;\nfc3: linear(64) -> relu;", "sigmoid;\nfc2: linear(64) -> hard_sigmoid;\nfc3: linear(64) -> «sigmoid»;"),
    ("saturating_hidden_stack", "-> tanh;\nfc2: linear(100) -> tanh;\nhead", "-> sigmoid;\nfc2: linear(100) -> sigmoid;\nfc3: linear(100) -> «sigmoid»;\nhead"),
    ("width_one_bottleneck", "linear(…) -> relu;\nhead: linear", "«linear(1)» -> relu;\nhead: linear"),
    ("width_one_bottleneck", "fc: linear(…) -> tanh;", "fc: «linear(1)» -> tanh;"),
    ("unused_layer", "wide: linear(32) -> relu;\ndeep: from(x) -> linear(16) -> relu;\nhead: concat(wide, deep)", "«wide»: linear(32) -> relu;\ndeep: from(x) -> linear(16) -> relu;\nhead: from(deep)"),
    ("unused_layer", "input x: [64]\nlayers {\nfc: linear", "input x: [64]\nlayers {\n«spare»: linear(3);\nfc: from(x) -> linear"),
    ("relu_before_residual_add", "-> relu -> linear(64); }", "-> relu -> linear(64) -> «relu»; }"),
    ("relu_before_residual_add", "padding = same, bias = false) -> batch_norm;\n} -> relu", "padding = same, bias = false) -> batch_norm -> «relu»;\n}"),
    ("dense_width_increases", "linear(…) -> relu;\nhead: linear", "linear(…) -> relu;\nwide: «linear(9999)» -> relu;\nhead: linear"),
    // Convolutions.
    ("pool_after_every_conv", "-> relu;\nc2: conv2d(…) -> relu -> max_pool2d(2);\nc3: conv2d(…) -> relu;", "-> relu -> max_pool2d(2);\nc2: conv2d(…) -> relu -> max_pool2d(2);\nc3: «conv2d(…)» -> relu -> max_pool2d(2);"),
    ("conv_window_shrinks", "kernel = 3, padding = 1) -> relu;\nc2: conv2d(…)", "kernel = 5, padding = 2) -> relu;\nc2: «conv2d(…)»"),
    ("filters_not_increasing", "c2: conv2d(32, …)", "c2: «conv2d(8, …)»"),
    ("inhomogeneous_conv_block", "-> relu -> max_pool2d(2);\nc2: conv2d(…)", "-> relu;\nc2: «conv2d(…)»"),
    ("avg_pool_instead_of_max", "-> relu -> max_pool2d(2);\nc2:", "-> relu -> «avg_pool2d(2)»;\nc2:"),
    ("missing_down_sampling", "-> relu -> max_pool2d(2);\nc3: conv2d(…)", "-> relu;\nc3: «conv2d(…)»"),
    ("even_kernel_size", "conv2d(…, kernel = 3, padding = 1)", "«conv2d(…, kernel = 4, padding = 1)»"),
    ("even_kernel_size", "conv2d(16, kernel = 5, padding = 2)", "«conv2d(16, kernel = 4, padding = 2)»"),
    // The training.
    ("adam_coupled_weight_decay", "adamw(lr = …, weight_decay = …)", "adam(lr = …, weight_decay = «0.01»)"),
    ("adam_coupled_weight_decay", "optimizer: adam(lr = …)", "optimizer: adam(lr = …, weight_decay = «0.01»)"),
    ("l2_penalty_under_adaptive_optimizer", "relu with decay(l2 = 1e-3);\nhead: linear(10);\n}\nloss cross_entropy\ntrain { optimizer: adam", "relu with «penalty(l2 = 1e-3)»;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { optimizer: adam"),
    ("double_l2", " decay(l2 = …)", " «decay(l2 = …)», penalty(l2 = 1e-3)"),
    ("weight_decay_on_norm_and_bias", "with decay(l2 = …);", "with «decay(l2 = …)» on all;"),
    ("weight_decay_on_embedding", "embedding(…);", "embedding(…) with «decay(l2 = 1e-3)» on embedding;"),
    ("weight_decay_out_of_range", "with decay(l2 = …);", "with decay(l2 = «10.0»);"),
    ("weight_decay_out_of_range", "weight_decay = …)", "weight_decay = «90.0»)"),
    ("learning_rate_out_of_range", "(lr = …)", "(lr = «0.0»)"),
    ("learning_rate_out_of_range", "(lr = …)", "(lr = «1000.0»)"),
    ("learning_rate_out_of_range", "adamw(lr = …,", "adamw(lr = «-1.0»,"),
    ("adam_epsilon_out_of_range", "epsilon = 1e-8)", "epsilon = «1e-12»)"),
    ("adam_epsilon_out_of_range", "adamw(lr = …)", "adamw(lr = …, epsilon = «0.5»)"),
    ("warmup_longer_than_training", "cosine(warmup = …)", "cosine(warmup = «1.0»)"),
    ("early_stop_never_triggers", "early_stop(patience = …)", "early_stop(patience = «1000»)"),
    ("early_stop_never_triggers", "epochs: 50, early_stop(patience = 10)", "epochs: 1, early_stop(patience = «10»)"),
    ("no_regularization", "Net\ninput x: [64]\nlayers {\nfc: linear(32) -> relu with decay(l2 = 1e-3);\nhead: linear(10);\n}\nloss cross_entropy\ntrain { epochs: 20 }", "«Net»\ninput x: [64]\nlayers {\nfc: linear(32) -> relu;\nhead: linear(10);\n}\nloss cross_entropy\ntrain { epochs: 20 }"),
    ("over_regularized", "linear(…) -> relu;\nhead:", "«linear(…)» -> relu with dropout(0.3), decay(l2 = 1e-3), max_norm(3.0), drop_connect(0.1);\nhead:"),
    ("l1_penalty_leaves_no_zeros", "relu with decay(l2 = …);", "relu with «penalty(l1 = 1e-4)»;"),
    ("rule_without_effect", "relu with decay(l2 = …);", "relu with «decay(l2 = …)», freeze;"),
    ("rule_without_effect", "relu with decay(l2 = …);", "relu with unit_norm, «decay(l2 = …)»;"),
    ("rule_without_effect", "relu with decay(l2 = …);", "relu with unit_norm, «max_norm(3.0)»;"),
    ("setting_without_effect", "momentum = 0.9, nesterov = true", "nesterov = «true»"),
    ("setting_without_effect", "optimizer: sgd(lr = 0.1)", "optimizer: sgd(lr = 0.1, dampening = «0.5»)"),
    ("setting_without_effect", "schedule: cosine(warmup = …)", "schedule: cosine(end = «1.0»)"),
    ("setting_without_effect", "epochs: 20 }", "epochs: 20, schedule: step(«30») }"),
    ("setting_without_effect", "epochs: 20 }", "epochs: 20, layer_decay(«1.0») }"),
    ("runaway_schedule", "schedule: exponential(0.95)", "schedule: exponential(«1.5»)"),
    ("runaway_schedule", "schedule: exponential(0.95)", "schedule: exponential(«0.3»)"),
    ("runaway_schedule", "epochs: 20 }", "epochs: 20, schedule: step(5, factor = «10.0») }"),
    ("unusual_value", "ema(0.999)", "ema(«0.001»)"),
    ("unusual_value", "train { epochs: 20 }", "train { epochs: 20, clip(norm = «1000.0») }"),
    ("unusual_value", "batch_norm -> relu", "batch_norm(momentum = «0.99») -> relu"),
    ("unusual_value", "early_stop(patience = 10)", "early_stop(patience = 10, min_delta = «10.0»)"),
    // Which axis means what.
    ("channels_last", "input image: [3, 32, 32]\nlayers {\nconv: conv2d(8, kernel = 3, padding = same)", "input «image»: [32, 32, 3]\nlayers {\nconv: conv2d(8, kernel = 3, padding = same)"),
    ("attention_without_order", "embedding(…) -> positional(learned);\nmix: residual { attention(heads = 4); };", "«embedding(…)»;\nmix: residual { attention(heads = 4); };"),
    ("target_in_sight", "attention(heads = 4, causal = true); };\nhead: linear(500);", "«attention(heads = 4)»; };\nhead: linear(500);"),
    ("concat_of_sequences", "-> embedding(500, 16) -> mean(axis = time);\nb: from(answer) -> embedding(500, 16) -> mean(axis = time);\nboth: concat(a, b)", "-> embedding(500, 16);\nb: from(answer) -> embedding(500, 16);\nboth: «concat(a, b)» -> mean(axis = time)"),
    ("reshape_mixes_axes", "steps: to_sequence;", "steps: «reshape([16, 64])»;"),
    ("pooling_enlarges", "adaptive_avg_pool2d(4)", "«adaptive_avg_pool2d(16)»"),
    ("stride_skips_positions", "conv2d(8, kernel = 5, stride = 5)", "conv2d(8, kernel = 2, stride = «5»)"),
    ("windows_of_padding", "conv2d(8, kernel = 3, padding = same)", "conv2d(8, kernel = 3, padding = «5»)"),
    // The declaration.
    ("unfulfilled_expectation", "head: linear(…);", "#[expect(«high_dropout_rate», reason = \"to be lowered\")]\nhead: linear(…);"),
    ("unused_hyper_parameter", "<hidden: usize", "<«spare»: usize = 3, hidden: usize"),
    ("unused_hyper_parameter", "<width: usize", "<«spare»: f64 = 0.5, width: usize"),
];

/// The texts of all models that are accepted elsewhere, without their `allow`s.
fn accepted() -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(here.join(file)).expect("the file is there");
    let whole = WHOLE.iter().map(|file| tidied(&read(file)));
    let parts = PARTS.iter().map(|file| read(file));
    // A rate of 0 is silent by design, also as the default of a hyper-parameter.
    let others = LINTS.iter().filter(|lint| lint.name != "dropout_rate_zero");
    let fixes = others.map(|lint| lint.examples()[1].clone());
    let parts = parts.chain(fixes).flat_map(|text| models(&text));
    let distinct: BTreeSet<String> = whole.chain(parts).collect();
    distinct.into_iter().collect()
}

/// The models of a text, line by line.
fn models(text: &str) -> Vec<String> {
    let after = text.split("model! {").skip(1);
    let inner = after.map(|text| &text[..closing(text, '{', '}').expect("the model ends")]);
    inner.map(tidied).collect()
}

/// Where the bracket closes that stood before the text.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        if letter == close && depth == 0 {
            return Some(at);
        }
        depth += i32::from(letter == open) - i32::from(letter == close);
    }
    None
}

/// Without space at the edges of lines, attributes, and what explains.
fn tidied(model: &str) -> String {
    let code = model.lines().filter_map(|line| line.split("//").next());
    let lines = code.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let kept = lines.filter(|line| !line.is_empty() && !line.starts_with("#["));
    kept.map(|line| line + "\n").collect()
}

/// Line and column, as in spans: lines from 1, columns in characters from 0.
type Place = (usize, usize);

/// A model made wrong, and where the finding must begin and end.
struct Mutant {
    source: String,
    places: (Place, Place),
}

/// A row on a model, at each place where it fits.
fn mutants(model: &str, lint: &Lint, from: &str, to: &str) -> Vec<Mutant> {
    let first = from.split('…').next().unwrap_or_default();
    let starts = model.match_indices(first).map(|(start, _)| start);
    let fitting = starts.filter_map(|start| Some((start, captured(&model[start..], from)?)));
    let edited = fitting.map(|(start, (length, captures))| {
        let (before, after) = (&model[..start], &model[start + length..]);
        format!("{before}{}{after}", filled(to, &captures))
    });
    edited.map(|marked| mutant(lint, &marked)).collect()
}

/// The length of what the text must begin with, and what stands for each `…` in it.
fn captured<'t>(text: &'t str, from: &str) -> Option<(usize, Vec<&'t str>)> {
    let mut pieces = from.split('…');
    let mut at = pieces.next()?.len();
    let mut captures = Vec::new();
    for piece in pieces {
        let rest = &text[at..];
        let ends = rest.match_indices(piece).map(|(end, _)| end);
        let capture = ends
            .map(|end| &rest[..end])
            .find(|capture| is_argument(capture))?;
        at += capture.len() + piece.len();
        captures.push(capture);
    }
    Some((at, captures))
}

/// Whether the text may stand between brackets.
fn is_argument(text: &str) -> bool {
    let foreign = text.contains([';', '{', '}', '\n']) || text.contains("->");
    let inside = format!("{text})");
    !text.is_empty() && !foreign && closing(&inside, '(', ')') == Some(text.len())
}

fn filled(to: &str, captures: &[&str]) -> String {
    let mut captures = captures.iter();
    let mut pieces = to.split('…');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        text + captures.next().unwrap_or(&"…") + piece
    })
}

/// Takes the marks out of the text.
fn mutant(lint: &Lint, marked: &str) -> Mutant {
    let marked = asking(lint, marked);
    let place = |mark: char| {
        let before = marked.split(mark).next().unwrap_or_default();
        let row = before.rsplit('\n').next().unwrap_or_default();
        let column = row.chars().filter(|letter| *letter != '«').count();
        (before.matches('\n').count() + 2, column)
    };
    Mutant {
        places: (place('«'), place('»')),
        source: marked.replace(['«', '»'], ""),
    }
}

/// A lint that is allowed by default is asked for.
fn asking(lint: &Lint, model: &str) -> String {
    match lint.default_level {
        Level::Allow => format!("#[warn({})]\n{model}", lint.name),
        _ => model.to_owned(),
    }
}

/// Where the lint is found.
fn found(lint: &Lint, source: &str) -> Vec<(Place, Place)> {
    let (reports, _) = common::understood(source);
    let of_lint = reports
        .iter()
        .filter(|report| report.lint.as_deref() == Some(lint.name));
    let ends = of_lint.map(|report| (report.ends.0.start(), report.ends.1.end()));
    ends.map(|(start, end)| ((start.line, start.column), (end.line, end.column)))
        .collect()
}

/// The mutants of a row, of all models in which the lint is silent.
fn mutants_of(models: &[String], lint: &Lint, from: &str, to: &str) -> Vec<Mutant> {
    let fitting = models
        .iter()
        .map(|model| (model, mutants(model, lint, from, to)))
        .filter(|(_, mutants)| !mutants.is_empty());
    let right = fitting.filter(|(model, _)| found(lint, &asking(lint, model)).is_empty());
    right.flat_map(|(_, mutants)| mutants).collect()
}

#[test]
fn every_lint_is_found_at_the_mutated_tokens() {
    let models = accepted();
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, from, to) in MUTATIONS {
        let lint = Lint::find(name).expect("the lint exists");
        let mutants = mutants_of(&models, lint, from, to);
        if mutants.is_empty() {
            wrong.push(format!("{name}: no right model has\n{from}"));
        }
        count += mutants.len();
        let lost = mutants
            .iter()
            .filter(|mutant| !found(lint, &mutant.source).contains(&mutant.places));
        wrong.extend(lost.map(|Mutant { source, places }| {
            let reports = common::draw(source);
            format!("{name}, {places:?} in\n{source}\n{reports}")
        }));
    }
    let (lost, texts) = (wrong.len(), wrong.join("\n----\n"));
    assert!(lost == 0, "{lost} of {count} are not found:\n{texts}");
    assert!(count > 1_000, "{count} mutants");
}

#[test]
fn every_lint_has_a_mutation() {
    for lint in LINTS {
        let has = MUTATIONS.iter().any(|(name, ..)| *name == lint.name);
        assert!(has, "no mutation makes `{}` speak", lint.name);
    }
}

#[test]
fn the_models_are_accepted() {
    let models = accepted();
    assert!(models.len() > 80, "{} models", models.len());
    for model in models {
        let (reports, _) = common::understood(&model);
        let mistake = reports.iter().find(|report| report.lint.is_none());
        assert!(mistake.is_none(), "{mistake:#?} in\n{model}");
    }
}
