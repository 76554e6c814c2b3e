//! SqueezeNet 1.1 (Iandola et al., arXiv 1602.07360), as torchvision has it.
//! published: 1,235,496
damper::model! {
    block Fire<squeeze: usize> {
        input x: [channels, height, width]
        layers {
            narrow: conv2d(squeeze, kernel = 1) -> relu;
            both:   parallel {
                one:   conv2d(4 * squeeze, kernel = 1) -> relu;
                three: conv2d(4 * squeeze, kernel = 3, padding = 1) -> relu;
            } -> concat;
        }
    }
    pub Net
    input image: [3, 224, 224]
    layers {
        stem:  conv2d(64, kernel = 3, stride = 2) -> relu -> max_pool2d(3, stride = 2, ceil_mode = true);
        fire1: Fire(16) -> Fire(16) -> max_pool2d(3, stride = 2, ceil_mode = true);
        fire2: Fire(32) -> Fire(32) -> max_pool2d(3, stride = 2, ceil_mode = true);
        fire3: Fire(48) -> Fire(48) -> Fire(64) -> Fire(64);
        #[allow(relu_on_logits, reason = "as published: section 3.3")]
        head:  conv2d(1000, kernel = 1) -> relu -> global_avg_pool with dropout(0.5) before conv2d;
    }
    loss cross_entropy
}
