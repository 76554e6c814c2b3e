//! EfficientNet-B0 (Tan and Le, arXiv 1905.11946), as torchvision has it.
//! published: 5,288,548
//! torch: 15 lines
damper::model! {
    #[allow(missing_nonlinearity, reason = "a linear bottleneck: arXiv 1801.04381")]
    block MbConv<out: usize, kernel: usize = 3, stride: usize = 1, expand: usize = 6> {
        input x: [channels, height, width]
        layers {
            wide:    if expand > 1 { conv2d(expand * channels, kernel = 1, bias = false) -> batch_norm -> silu };
            spatial: depthwise_conv2d(kernel, stride = stride, padding = kernel / 2, bias = false) -> batch_norm -> silu;
            gate:    global_avg_pool -> linear(channels / 4) -> silu -> linear(expand * channels) -> sigmoid;
            narrow:  mul(spatial, gate) -> conv2d(out, kernel = 1, bias = false) -> batch_norm;
        }
    }
    block Stage<out: usize, copies: usize, kernel: usize = 3, stride: usize = 1> {
        input x: [channels, height, width]
        layers {
            first: MbConv(out, kernel = kernel, stride = stride);
            more:  repeat(copies) { same: residual { MbConv(out, kernel = kernel); }; };
        }
    }
    pub Net
    input image: [3, 224, 224]
    layers {
        stem:   conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> silu;
        stage1: MbConv(16, expand = 1);
        stage2: Stage(24, copies = 1, stride = 2);
        stage3: Stage(40, copies = 1, kernel = 5, stride = 2);
        stage4: Stage(80, copies = 2, stride = 2);
        stage5: Stage(112, copies = 2, kernel = 5);
        stage6: Stage(192, copies = 3, kernel = 5, stride = 2) -> MbConv(320);
        head:   conv2d(1280, kernel = 1, bias = false) -> batch_norm -> silu -> global_avg_pool -> linear(1000) with dropout(0.2) before linear;
    }
    loss cross_entropy
}
