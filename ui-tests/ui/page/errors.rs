// Written from the catalogue in `ir/src/catalogue`: see `ui-tests/tests/catalogue.rs`.

mod softmax_before_logits_loss {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10) -> softmax;
        }
        loss cross_entropy
    }
}

mod sigmoid_before_bce_logits {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1) -> sigmoid;
        }
        loss binary_cross_entropy
    }
}

mod logits_into_probability_loss {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy(from = probabilities)
    }
}

mod softmax_single_unit {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1) -> softmax;
        }
        loss binary_cross_entropy(from = probabilities)
    }
}

mod sigmoid_into_cross_entropy {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10) -> sigmoid;
        }
        loss cross_entropy
    }
}

mod relu_on_logits {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10) -> relu;
        }
        loss cross_entropy
    }
}

mod output_units_mismatch {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1);
        }
        task multiclass(7)
        loss cross_entropy
    }
}

mod loss_target_shape_mismatch {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        task multilabel(10)
        loss cross_entropy
    }
}

mod label_smoothing_out_of_range {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy(label_smoothing = 1.0)
    }
}

mod class_weights_len_mismatch {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(4);
        }
        loss cross_entropy(weights = [1.0, 2.0, 1.0])
    }
}

mod dropout_before_output {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10) -> dropout(0.5);
        }
        loss cross_entropy
    }
}

mod dropout_before_batch_norm {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32, bias = false) -> relu -> dropout(0.3) -> batch_norm;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_with_batch_norm {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32, bias = false) -> batch_norm -> relu -> dropout(0.5);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod dropout_rate_out_of_range {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> dropout(20.0);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod spatial_dropout_on_vector {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> spatial_dropout(0.1);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod drop_block_too_large {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            stem: conv2d(16, kernel = 8, stride = 8) -> relu -> drop_block(0.1, size = 7);
            pool: global_avg_pool;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod rnn_dropout_single_layer {
    use damper::model;

    model! {
        Net
        input rows: [28, 28]
        layers {
            rnn:  lstm(64) -> last_step with dropout(0.2);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod variational_dropout_on_non_rnn {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu -> variational_dropout(0.2);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod drop_path_outside_residual {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(64) -> relu -> drop_path(0.1);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod batch_norm_single_value {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32, bias = false) -> batch_norm -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { batch: 1 }
    }
}

mod shape_mismatch {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            left:  linear(32) -> relu;
            right: from(x) -> linear(16) -> relu;
            both:  add(left, right);
            head:  linear(10);
        }
        loss cross_entropy
    }
}

mod missing_flatten {
    use damper::model;

    model! {
        Net
        input image: [3, 32, 32]
        layers {
            maps: conv2d(8, kernel = 3) -> relu -> max_pool2d(2);
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod residual_shape_mismatch {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            block: residual { linear(32) -> relu; };
            head:  linear(10);
        }
        loss cross_entropy
    }
}

mod missing_nonlinearity {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32);
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod adam_coupled_weight_decay {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: adam(lr = 1e-3, weight_decay = 1e-2) }
    }
}

mod double_l2 {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with decay(l2 = 1e-3), penalty(l2 = 1e-3);
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: sgd(lr = 0.1) }
    }
}

mod weight_decay_out_of_range {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with decay(l2 = 10.0);
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: sgd(lr = 0.1) }
    }
}

mod learning_rate_out_of_range {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: adamw(lr = 0.0) }
    }
}

mod warmup_longer_than_training {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { schedule: cosine(warmup = 1.0) }
    }
}

mod rule_without_effect {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu with decay(l2 = 1e-3), freeze;
            head: linear(10);
        }
        loss cross_entropy
    }
}

mod setting_without_effect {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(10);
        }
        loss cross_entropy
        train { optimizer: sgd(lr = 0.1, nesterov = true) }
    }
}

mod mape_over_zero {
    use damper::model;

    model! {
        Net
        input x: [64]
        layers {
            fc:   linear(32) -> relu;
            head: linear(1);
        }
        loss mape target in [0, 100]
    }
}

fn main() {}
