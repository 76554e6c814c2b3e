//! ResNeXt-50 32x4d (Xie et al., arXiv 1611.05431), as torchvision has it.
//! published: 25,028,904
damper::model! {
    block Bottleneck<out: usize, stride: usize = 1, groups: usize = 32> {
        input x: [channels, height, width]
        layers {
            sum: residual {
                conv2d(2 * out, kernel = 1, bias = false) -> batch_norm -> relu;
                conv2d(2 * out, kernel = 3, stride = stride, padding = 1, groups = groups, bias = false) -> batch_norm -> relu;
                conv2d(4 * out, kernel = 1, bias = false) -> batch_norm;
            } shortcut { if channels != 4 * out { conv2d(4 * out, kernel = 1, stride = stride, bias = false) -> batch_norm }; } -> relu;
        }
    }
    pub Net<width: usize = 64>
    input image: [3, 224, 224]
    layers {
        stem:   conv2d(width, kernel = 7, stride = 2, padding = 3, bias = false) -> batch_norm -> relu -> max_pool2d(3, stride = 2, padding = 1);
        stage1: repeat(3) { Bottleneck(width); };
        stage2: repeat(i in 0..4) { Bottleneck(2 * width, stride = if i == 0 { 2 } else { 1 }); };
        stage3: repeat(i in 0..6) { Bottleneck(4 * width, stride = if i == 0 { 2 } else { 1 }); };
        stage4: repeat(i in 0..3) { Bottleneck(8 * width, stride = if i == 0 { 2 } else { 1 }); };
        head:   global_avg_pool -> linear(1000);
    }
    loss cross_entropy
}
