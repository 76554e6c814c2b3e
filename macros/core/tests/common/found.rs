//! Mistakes of many kinds, each with the lint that finds it.

/// `(lint, declaration)`: between `«` and `»` are the tokens that the finding must be about. It is the only one.
pub const FOUND: &[(&str, &str)] = &[
    // Numbers far from usual, and those of another convention.
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nfc: linear(32, bias = false) -> batch_norm(momentum = «0.99») -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nfc: linear(32) -> leaky_relu(«20.0»);\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nfc: linear(32) -> layer_norm(epsilon = «1.0») -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss focal(«50.0»)",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(1);\n}\nloss huber(«200.0») target in [-1, 1]",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adamw(lr = 1e-3, beta1 = «0.999», beta2 = 0.9) }",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: rmsprop(lr = 1e-3, alpha = «0.01») }",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { schedule: one_cycle(rise = «0.95») }",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { schedule: linear(warmup = «0.8») }",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { accumulate: «5000» }",
    ),
    (
        "unusual_value",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu with activity(l2 = «50.0»);\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    // Strengths by what a step does.
    (
        "weight_decay_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: adamw(lr = 1e-2, weight_decay = «1.0») }",
    ),
    (
        "weight_decay_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.1, momentum = 0.99, weight_decay = «5e-3») }",
    ),
    (
        "weight_decay_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3) with penalty(l2 = «0.04»);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.5) }",
    ),
    (
        "weight_decay_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3) with decay(l1 = «2.0»);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.1) }",
    ),
    (
        "weight_decay_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3) with decay(l2 = «1e-12»);\n}\nloss cross_entropy\ntrain { optimizer: adam(lr = 1e-3) }",
    ),
    (
        "learning_rate_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: lion(lr = «0.01») }",
    ),
    (
        "learning_rate_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = «1000.0»), clip(norm = 0.5) }",
    ),
    (
        "learning_rate_out_of_range",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = «0.5», momentum = 0.99) }",
    ),
    (
        "l1_penalty_leaves_no_zeros",
        "Net\ninput x: [16]\nlayers with «penalty(l1 = 1e-3)» {\nfc: linear(8) -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "l2_penalty_under_adaptive_optimizer",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3) with «penalty(l2 = 10.0)»;\n}\nloss cross_entropy\ntrain { optimizer: rmsprop(lr = 1e-3) }",
    ),
    // What does nothing.
    (
        "rule_without_effect",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu with freeze, «penalty(l1 = 1e-4)»;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "rule_without_effect",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu with «max_norm(3.0)», freeze;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "rule_without_effect",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu with unit_norm, «max_norm(3.0)»;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "setting_without_effect",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.1, dampening = «0.1») }",
    ),
    (
        "setting_without_effect",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { epochs: 10, schedule: step(«10») }",
    ),
    (
        "setting_without_effect",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { epochs: 10, schedule: exponential(«1.0») }",
    ),
    (
        "setting_without_effect",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { epochs: 10, swa(«10») }",
    ),
    (
        "runaway_schedule",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { epochs: 1000, schedule: exponential(«0.9») }",
    ),
    (
        "runaway_schedule",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { epochs: 100, schedule: step(10, factor = «1.1») }",
    ),
    (
        "zero_class_weight",
        "Net\ninput x: [16]\nlayers {\nhead: linear(2);\n}\nloss cross_entropy(weights = [«0.0», 1.0])",
    ),
    (
        "relu_before_residual_add",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> relu;\nblock: residual { linear(8) -> relu -> linear(8) -> «relu»; } -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "high_dropout_rate",
        "Net\ninput x: [16]\nlayers {\nfc: linear(64) -> relu -> «dropout(0.9)»;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    // Loss and head.
    (
        "dying_output",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> tanh;\nhead: linear(1) -> «relu»;\n}\nloss huber target in [0, 100]",
    ),
    (
        "dying_output",
        "Net\ninput x: [16]\nlayers {\nfc: linear(8) -> tanh;\nhead: linear(1) -> «relu6»;\n}\nloss mae",
    ),
    (
        "bounded_log_rate",
        "Net\ninput x: [16]\nlayers {\nhead: linear(1) -> «softplus»;\n}\nloss poisson",
    ),
    (
        "bounded_log_rate",
        "Net\ninput x: [16]\nlayers {\nhead: linear(2) -> «sigmoid»;\n}\nloss gaussian_nll",
    ),
    (
        "mape_over_zero",
        "Net\ninput x: [16]\nlayers {\nhead: linear(1);\n}\nloss mape «target in [-5, 5]»",
    ),
    (
        "mse_for_classification",
        "Net\ninput x: [16]\nlayers {\nhead: linear(4) -> softmax;\n}\nloss «mae»",
    ),
    (
        "bounded_regression_output",
        "Net\ninput x: [16]\nlayers {\nhead: linear(1) -> «sigmoid»;\n}\nloss mse target in [0, 5]",
    ),
    (
        "bounded_regression_output",
        "Net\ninput x: [10, 16]\nlayers {\nrnn: «gru(1)» -> last_step;\n}\nloss mse target in [0, 5]",
    ),
    (
        "answer_at_each_step",
        "Net\ninput x: [10, 16]\nlayers {\nrnn: gru(8) -> dropout(0.1);\nhead: «linear(4)»;\n}\nloss cross_entropy",
    ),
    (
        "label_weights_scale_the_loss",
        "Net\ninput x: [16]\nlayers {\nhead: linear(2);\n}\nloss «binary_cross_entropy(weights = [1.0, 9.0])»",
    ),
    (
        "redundant_activation",
        "Net\ninput x: [16]\nlayers {\na: linear(8) -> relu;\nb: from(x) -> linear(8) -> relu;\nboth: add(a, b) -> «relu»;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "setting_without_effect",
        "Net\ninput x: [16]\nlayers {\nhead: linear(3);\n}\nloss cross_entropy\ntrain { schedule: cosine(end = «1.0») }",
    ),
    (
        "output_units_mismatch",
        "Net\ninput x: [16]\nlayers {\nhead: «linear(1)» -> sigmoid;\n}\nloss cross_entropy",
    ),
    // Layout.
    (
        "channels_last",
        "Net\ninput «image»: [32, 32, 3]\nlayers {\na: conv2d(8, kernel = 3, padding = same) -> relu;\nb: from(image) -> conv2d(8, kernel = 1) -> tanh;\nboth: add(a, b);\nhead: global_avg_pool -> linear(10);\n}\nloss cross_entropy",
    ),
    (
        "channels_last",
        "Net\ninput «frames»: [64, 48, 4]\nlayers {\nstem: conv2d(8, kernel = 3, padding = 1) -> relu;\nhead: global_avg_pool -> linear(10);\n}\nloss cross_entropy",
    ),
    (
        "channels_last",
        "Net\ninput «signal»: [256, 1]\nlayers {\nstem: max_pool1d(1) -> conv1d(8, kernel = 1) -> relu;\nhead: global_avg_pool -> linear(10);\n}\nloss cross_entropy",
    ),
    (
        "attention_without_order",
        "Net\ninput x: [3, 32, 32]\nlayers {\npatch: conv2d(32, kernel = 8, stride = 8) -> «to_sequence»;\nmix: residual { layer_norm -> attention(heads = 2); };\nhead: mean(axis = time) -> linear(3);\n}\nloss cross_entropy",
    ),
    (
        "attention_without_order",
        "Net\ninput x: [30] of int(vocab = 90)\nlayers {\nwords: «embedding(90, 32)» -> dropout(0.1);\nmix: transformer_encoder(2, heads = 2, ff = 64);\nhead: first_step -> linear(3);\n}\nloss cross_entropy",
    ),
    (
        "target_in_sight",
        "Net\ninput x: [30] of int(vocab = 90)\nlayers {\nwords: embedding(90, 32);\nrnn: «gru(16, bidirectional = true)»;\nhead: linear(90);\n}\nloss cross_entropy",
    ),
    (
        "reshape_mixes_axes",
        "Net\ninput x: [24, 6]\nlayers {\nturned: «reshape([6, 24])» -> conv1d(8, kernel = 3) -> relu;\nhead: global_avg_pool -> linear(3);\n}\nloss cross_entropy",
    ),
    (
        "pooling_enlarges",
        "Net\ninput x: [4, 20]\nlayers {\nc: conv1d(8, kernel = 3) -> relu -> «adaptive_avg_pool1d(64)»;\nhead: flatten -> linear(3);\n}\nloss cross_entropy",
    ),
    (
        "stride_skips_positions",
        "Net\ninput x: [4, 20, 20]\nlayers {\nc: conv2d(8, kernel = 3) -> relu -> max_pool2d(2, stride = «4»);\nhead: flatten -> linear(3);\n}\nloss cross_entropy",
    ),
    (
        "windows_of_padding",
        "Net\ninput x: [4, 20]\nlayers {\nc: conv1d(8, kernel = 1, padding = «1») -> relu;\nhead: global_avg_pool -> linear(3);\n}\nloss cross_entropy",
    ),
    (
        "missing_nonlinearity",
        "Net\ninput { x: [16], y: [4] }\nlayers {\na: from(x) -> «linear(8)»;\nb: from(y) -> linear(8);\nboth: concat(a, b) -> linear(8) -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
    (
        "missing_nonlinearity",
        "Net\ninput x: [16]\nlayers {\nfc1: «linear(32)» -> dropout(0.1);\nfc2: linear(32) -> relu;\nhead: linear(3);\n}\nloss cross_entropy",
    ),
];
