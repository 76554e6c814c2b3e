//! RegNetY-400MF (Radosavovic et al., arXiv 2003.13678), as torchvision has it.
//! published: 4,344,144
//! torch: 14 lines
damper::model! {
    block Y<out: usize, stride: usize = 1> {
        input x: [channels, height, width]
        layers {
            sum: residual {
                wide:    conv2d(out, kernel = 1, bias = false) -> batch_norm -> relu;
                spatial: conv2d(out, kernel = 3, stride = stride, padding = 1, groups = out / 8, bias = false) -> batch_norm -> relu;
                gate:    global_avg_pool -> linear(channels / 4) -> relu -> linear(out) -> sigmoid;
                narrow:  mul(spatial, gate) -> conv2d(out, kernel = 1, bias = false) -> batch_norm;
            } shortcut {
                if channels != out { conv2d(out, kernel = 1, stride = stride, bias = false) -> batch_norm };
            } -> relu;
        }
    }
    pub Net<classes: usize = 1000>
    input image: [3, 224, 224]
    layers {
        stem:   conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
        stage1: Y(48, stride = 2);
        stage2: repeat(i in 0..3) { Y(104, stride = if i == 0 { 2 } else { 1 }); };
        stage3: repeat(i in 0..6) { Y(208, stride = if i == 0 { 2 } else { 1 }); };
        stage4: repeat(i in 0..6) { Y(440, stride = if i == 0 { 2 } else { 1 }); };
        head:   global_avg_pool -> linear(classes);
    }
    loss cross_entropy
}
