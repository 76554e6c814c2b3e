//! A temporal convolutional network (Bai et al., arXiv 1803.01271).
//! published: 66,910
//! torch: 11 lines
damper::model! {
    block Temporal<out: usize, dilation: usize> {
        input x: [channels, length]
        layers {
            #[allow(relu_before_residual_add, reason = "as published: figure 1")]
            sum: residual {
                conv1d(out, kernel = 7, dilation = dilation, padding = causal) -> relu with spatial_dropout(0.05), weight_norm;
                conv1d(out, kernel = 7, dilation = dilation, padding = causal) -> relu with spatial_dropout(0.05), weight_norm;
            } shortcut {
                if channels != out { conv1d(out, kernel = 1) };
            } -> relu;
        }
    }
    pub Net
    input pixels: [1, 784]
    layers {
        body: Temporal(25, dilation = 1) -> Temporal(25, dilation = 2) -> Temporal(25, dilation = 4) -> Temporal(25, dilation = 8) -> Temporal(25, dilation = 16) -> Temporal(25, dilation = 32) -> Temporal(25, dilation = 64) -> Temporal(25, dilation = 128);
        head: transpose -> last_step -> linear(10);
    }
    loss cross_entropy
}
