//! Wide-ResNet-28-10 (Zagoruyko and Komodakis, arXiv 1605.07146).
//! published: 36,479,194
damper::model! {
    block Wide<out: usize, stride: usize = 1> {
        input x: [channels, height, width]
        layers {
            sum: residual {
                batch_norm -> relu -> conv2d(out, kernel = 3, stride = stride, padding = 1, bias = false);
                batch_norm -> relu -> conv2d(out, kernel = 3, padding = 1, bias = false);
            } shortcut {
                if channels != out { conv2d(out, kernel = 1, stride = stride, bias = false) };
            };
        }
    }
    pub Net<width: usize = 160>
    input image: [3, 32, 32]
    layers {
        stem:   conv2d(16, kernel = 3, padding = 1, bias = false);
        stage1: repeat(4) { Wide(width); };
        stage2: repeat(i in 0..4) { Wide(2 * width, stride = if i == 0 { 2 } else { 1 }); };
        stage3: repeat(i in 0..4) { Wide(4 * width, stride = if i == 0 { 2 } else { 1 }); } -> batch_norm -> relu;
        head:   global_avg_pool -> linear(10);
    }
    loss cross_entropy
}
