//! VGG-16 with batch norm (Simonyan and Zisserman, arXiv 1409.1556), as torchvision has it.
//! published: 138,365,992
damper::model! {
    #[allow(redundant_bias_before_norm, reason = "as torchvision has it")]
    block Stage<out: usize, copies: usize> {
        input x: [channels, height, width]
        layers { convs: repeat(copies) { conv2d(out, kernel = 3, padding = 1) -> batch_norm -> relu; } -> max_pool2d(2); }
    }
    pub Net<width: usize = 64, hidden: usize = 4096>
    input image: [3, 224, 224]
    layers {
        stage1: Stage(width, copies = 2);
        stage2: Stage(2 * width, copies = 2);
        stage3: Stage(4 * width, copies = 3);
        stage4: Stage(8 * width, copies = 3);
        stage5: Stage(8 * width, copies = 3);
        fc1:    flatten -> linear(hidden) -> relu with dropout(0.5);
        fc2:    linear(hidden) -> relu with dropout(0.5);
        head:   linear(1000);
    }
    loss cross_entropy
}
