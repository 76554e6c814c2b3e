// Written from the catalogue in `ir/src/catalogue`: see `ui-tests/tests/catalogue.rs`.
#![deny(deprecated)]

mod log_softmax_before_logits_loss {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10) -> log_softmax;
        }
        loss cross_entropy
    }
}

mod bce_for_multiclass {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(5);
        }
        task multiclass(5)
        loss binary_cross_entropy
    }
}

mod softmax_into_bce {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(3) -> softmax;
        }
        loss binary_cross_entropy(from = probabilities)
    }
}

mod bounded_regression_output {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1) -> tanh;
        }
        loss mse
    }
}

mod mse_for_classification {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        task multiclass(10)
        loss mse
    }
}

mod dropout_feeding_head {
    use damper::model;

    model! {
        #[warn(dropout_feeding_head)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> dropout(0.5);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_upstream_of_batch_norm {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc1:  linear(64) -> relu -> dropout(0.3);
            fc2:  linear(32, bias = false) -> batch_norm -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_before_activation {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> dropout(0.3) -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod elementwise_dropout_on_feature_maps {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            stem: conv2d(16, kernel = 3, padding = 1) -> relu -> dropout(0.3);
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod spatial_dropout_rate_high {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            stem: conv2d(16, kernel = 3, padding = 1) -> relu -> spatial_dropout(0.4);
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_before_max_pool {
    use damper::model;

    model! {
        Net
        input rows: [28, 28]
        layers {
            rnn:  gru(32) -> dropout(0.3) -> max(axis = time);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod attention_dropout_high {
    use damper::model;

    model! {
        Net
        input rows: [28, 28]
        layers {
            place:  positional(sinusoidal);
            attend: residual { layer_norm -> attention(heads = 4) with attention_dropout(0.5); };
            pool:   mean(axis = time);
            head:   linear(10);
        }
        loss cross_entropy
    }
}

mod high_dropout_rate {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> dropout(0.8);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_rate_zero {
    use damper::model;

    model! {
        #[warn(dropout_rate_zero)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> dropout(0.0);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod stacked_high_dropout {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc1:  linear(256) -> relu -> dropout(0.5);
            fc2:  linear(256) -> relu -> dropout(0.5);
            fc3:  linear(256) -> relu -> dropout(0.5);
            fc4:  linear(256) -> relu -> dropout(0.5);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod consecutive_dropout {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> dropout(0.3) -> dropout(0.2);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_on_input {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   dropout(0.4) -> linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_on_tiny_layer {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(4) -> relu -> dropout(0.5);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod uniform_dropout_rate {
    use damper::model;

    model! {
        #[warn(uniform_dropout_rate)]
        Net
        input x: [64]
        layers {
            fc1:  linear(128) -> relu -> dropout(0.3);
            fc2:  linear(64) -> relu -> dropout(0.3);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_rate_increases {
    use damper::model;

    model! {
        #[warn(dropout_rate_increases)]
        Net
        input x: [64]
        layers {
            fc1:  linear(128) -> relu -> dropout(0.1);
            fc2:  linear(64) -> relu -> dropout(0.3);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod plain_dropout_with_selu {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> selu -> dropout(0.1);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod alpha_dropout_without_selu {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> alpha_dropout(0.1);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod drop_path_rate_high {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            block: residual { linear(64) -> relu -> linear(64); } with drop_path(0.7);
            head:  linear(10);
        }
        loss cross_entropy
    }
}

mod redundant_bias_before_norm {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> batch_norm -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod norm_after_output {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10, bias = false) -> batch_norm;
        }
        loss cross_entropy
    }
}

mod batch_norm_tiny_batch {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32, bias = false) -> batch_norm -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { batch: 4 }
    }
}

mod consecutive_norm {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32, bias = false) -> batch_norm -> layer_norm -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod activation_before_norm {
    use damper::model;

    model! {
        #[warn(activation_before_norm)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> batch_norm;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod norm_with_selu {
    use damper::model;

    model! {
        #[warn(norm_with_selu)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> selu -> layer_norm;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod l2_through_batch_norm {
    use damper::model;

    model! {
        #[warn(l2_through_batch_norm)]
        Net
        input x: [64]
        layers {
            fc:   linear(32, bias = false) -> batch_norm -> relu with decay(l2 = 1e-3);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod pool_as_only_nonlinearity {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            stem:  conv2d(16, kernel = 3, padding = 1) -> max_pool2d(2);
            body:  conv2d(32, kernel = 3, padding = 1) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod redundant_activation {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> sigmoid;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod softmax_in_hidden_layer {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> softmax;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod saturating_hidden_stack {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc1:  linear(64) -> sigmoid;
            fc2:  linear(64) -> sigmoid;
            fc3:  linear(64) -> sigmoid;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod width_one_bottleneck {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(1) -> tanh;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod unused_layer {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            wide: linear(32) -> relu;
            deep: from(x) -> linear(16) -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod relu_before_residual_add {
    use damper::model;

    model! {
        #[warn(relu_before_residual_add)]
        Net
        input x: [64]
        layers {
            block: residual { linear(64) -> relu -> linear(64) -> relu; };
            head:  linear(10);
        }
        loss cross_entropy
    }
}

mod dense_width_increases {
    use damper::model;

    model! {
        #[warn(dense_width_increases)]
        Net
        input x: [64]
        layers {
            fc1:  linear(32) -> relu;
            fc2:  linear(128) -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod pool_after_every_conv {
    use damper::model;

    model! {
        #[warn(pool_after_every_conv)]
        Net
        input image: [3, 32, 32]
        layers {
            c1:   conv2d(16, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
            c2:   conv2d(32, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
            c3:   conv2d(64, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod conv_window_shrinks {
    use damper::model;

    model! {
        #[warn(conv_window_shrinks)]
        Net
        input image: [3, 32, 32]
        layers {
            c1:   conv2d(16, kernel = 5, padding = 2) -> relu;
            c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod filters_not_increasing {
    use damper::model;

    model! {
        #[warn(filters_not_increasing)]
        Net
        input image: [3, 32, 32]
        layers {
            c1:   conv2d(32, kernel = 3, padding = 1) -> relu;
            c2:   conv2d(16, kernel = 3, padding = 1) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod inhomogeneous_conv_block {
    use damper::model;

    model! {
        #[warn(inhomogeneous_conv_block)]
        Net
        input image: [3, 32, 32]
        layers {
            c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
            c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod avg_pool_instead_of_max {
    use damper::model;

    model! {
        #[warn(avg_pool_instead_of_max)]
        Net
        input image: [3, 32, 32]
        layers {
            c1:   conv2d(16, kernel = 3, padding = 1) -> relu -> avg_pool2d(2);
            c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod missing_down_sampling {
    use damper::model;

    model! {
        #[warn(missing_down_sampling)]
        Net
        input image: [3, 32, 32]
        layers {
            c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
            c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
            c3:   conv2d(64, kernel = 3, padding = 1) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod even_kernel_size {
    use damper::model;

    model! {
        #[warn(even_kernel_size)]
        Net
        input image: [3, 32, 32]
        layers {
            stem: conv2d(16, kernel = 4, padding = 2) -> relu;
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod l2_penalty_under_adaptive_optimizer {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with penalty(l2 = 1e-3);
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: adam(lr = 1e-3) }
    }
}

mod weight_decay_on_norm_and_bias {
    use damper::model;

    model! {
        #[warn(weight_decay_on_norm_and_bias)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with decay(l2 = 1e-3) on all;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod weight_decay_on_embedding {
    use damper::model;

    model! {
        #[warn(weight_decay_on_embedding)]
        Net
        input tokens: [20] of int(vocab = 100)
        layers {
            embed: embedding(100, 16) with decay(l2 = 1e-3) on embedding;
            pool:  mean(axis = time);
            head:  linear(10);
        }
        loss cross_entropy
    }
}

mod adam_epsilon_out_of_range {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: adam(lr = 1e-3, epsilon = 1e-12) }
    }
}

mod early_stop_never_triggers {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { epochs: 10, early_stop(patience = 10) }
    }
}

mod no_regularization {
    use damper::model;

    model! {
        #[warn(no_regularization)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { epochs: 20 }
    }
}

mod over_regularized {
    use damper::model;

    model! {
        #[warn(over_regularized)]
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with dropout(0.3), decay(l2 = 1e-3), max_norm(3.0), drop_connect(0.1);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod unfulfilled_expectation {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            #[expect(high_dropout_rate, reason = "to be lowered")]
            fc:   linear(32) -> relu -> dropout(0.5);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod unused_hyper_parameter {
    use damper::model;

    model! {
        Net<hidden: usize = 32>
        input x: [64]
        layers {
            fc:   linear(64) -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod unusual_value {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { epochs: 30, ema(0.001) }
    }
}

mod l1_penalty_leaves_no_zeros {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with penalty(l1 = 1e-4);
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: sgd(lr = 0.1) }
    }
}

mod runaway_schedule {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { schedule: exponential(0.5), epochs: 100 }
    }
}

mod zero_class_weight {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(3);
        }
        loss cross_entropy(weights = [1.0, 0.0, 1.0])
    }
}

mod label_weights_scale_the_loss {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(4);
        }
        task multilabel(4)
        loss binary_cross_entropy(weights = [0.2, 0.2, 0.3, 0.3])
    }
}

mod dying_output {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1) -> relu;
        }
        loss mse
    }
}

mod bounded_log_rate {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1) -> relu;
        }
        loss poisson
    }
}

mod answer_at_each_step {
    use damper::model;

    model! {
        Net
        input series: [24, 3]
        layers {
            rnn:  lstm(32);
            head: linear(1);
        }
        loss mse
    }
}

mod channels_last {
    use damper::model;

    model! {
        Net
        input image: [32, 32, 3]
        layers {
            conv: conv2d(8, kernel = 3, padding = same) -> relu -> global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod attention_without_order {
    use damper::model;

    model! {
        Net
        input tokens: [64] of int(vocab = 1000)
        layers {
            embed: embedding(1000, 32);
            mix:   residual { attention(heads = 4); };
            pool:  mean(axis = time);
            head:  linear(2);
        }
        loss cross_entropy
    }
}

mod target_in_sight {
    use damper::model;

    model! {
        Net
        input tokens: [32] of int(vocab = 500)
        layers {
            embed: embedding(500, 64) -> positional(learned);
            mix:   residual { layer_norm -> attention(heads = 4); };
            head:  linear(500);
        }
        loss cross_entropy
    }
}

mod concat_of_sequences {
    use damper::model;

    model! {
        Net
        input { question: [20] of int(vocab = 500), answer: [20] of int(vocab = 500) }
        layers {
            a:    from(question) -> embedding(500, 16);
            b:    from(answer) -> embedding(500, 16);
            both: concat(a, b);
            last: lstm(32) -> last_step -> linear(1);
        }
        loss binary_cross_entropy
    }
}

mod reshape_mixes_axes {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            conv:  conv2d(64, kernel = 8, stride = 8) -> relu;
            steps: reshape([16, 64]);
            rnn:   lstm(32) -> last_step;
            head:  linear(10);
        }
        loss cross_entropy
    }
}

mod pooling_enlarges {
    use damper::model;

    model! {
        Net
        input image: [3, 8, 8]
        layers {
            conv: conv2d(8, kernel = 3, padding = same) -> relu -> adaptive_avg_pool2d(16);
            head: global_avg_pool -> linear(10);
        }
        loss cross_entropy
    }
}

mod stride_skips_positions {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            conv: conv2d(8, kernel = 3, stride = 5) -> relu;
            head: flatten -> linear(10);
        }
        loss cross_entropy
    }
}

mod windows_of_padding {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            conv: conv2d(8, kernel = 3, padding = 3) -> relu;
            head: global_avg_pool -> linear(10);
        }
        loss cross_entropy
    }
}

fn main() {}
