//! DCGAN (Radford et al., arXiv 1511.06434) as in PyTorch's tutorial: the generator, and above it the discriminator.
//! published: 3,576,704
damper::model! {
    block Up<out: usize> {
        input x: [channels, height, width]
        layers { up: conv_transpose2d(out, kernel = 4, stride = 2, padding = 1, bias = false) -> batch_norm -> relu; }
    }
    block Down<out: usize> {
        input x: [channels, height, width]
        layers { down: conv2d(out, kernel = 4, stride = 2, padding = 1, bias = false) -> batch_norm -> leaky_relu(0.2); }
    }
    pub Discriminator<width: usize = 64>
    input image: [3, 64, 64]
    layers {
        first: conv2d(width, kernel = 4, stride = 2, padding = 1, bias = false) -> leaky_relu(0.2);
        body:  Down(2 * width) -> Down(4 * width) -> Down(8 * width);
        real:  conv2d(1, kernel = 4, bias = false) -> flatten;
    }
    loss binary_cross_entropy
    pub Net<width: usize = 64>
    input noise: [100, 1, 1]
    layers {
        first: conv_transpose2d(8 * width, kernel = 4, bias = false) -> batch_norm -> relu;
        body:  Up(4 * width) -> Up(2 * width) -> Up(width);
        image: conv_transpose2d(3, kernel = 4, stride = 2, padding = 1, bias = false) -> tanh;
    }
}
