//! DenseNet-121 (Huang et al., arXiv 1608.06993), as torchvision has it.
//! published: 7,978,856
//! torch: 15 lines
damper::model! {
    block Dense<growth: usize> {
        input x: [channels, height, width]
        layers {
            new: batch_norm -> relu -> conv2d(4 * growth, kernel = 1, bias = false) -> batch_norm -> relu -> conv2d(growth, kernel = 3, padding = 1, bias = false);
            all: concat(x, new);
        }
    }
    block Transition {
        input x: [channels, height, width]
        layers { half: batch_norm -> relu -> conv2d(channels / 2, kernel = 1, bias = false) -> avg_pool2d(2); }
    }
    pub Net<growth: usize = 32>
    input image: [3, 224, 224]
    layers {
        stem:   conv2d(2 * growth, kernel = 7, stride = 2, padding = 3, bias = false) -> batch_norm -> relu -> max_pool2d(3, stride = 2, padding = 1);
        dense1: repeat(6) { Dense(growth); } -> Transition;
        dense2: repeat(12) { Dense(growth); } -> Transition;
        dense3: repeat(24) { Dense(growth); } -> Transition;
        dense4: repeat(16) { Dense(growth); } -> batch_norm -> relu;
        head:   global_avg_pool -> linear(1000);
    }
    loss cross_entropy
}
