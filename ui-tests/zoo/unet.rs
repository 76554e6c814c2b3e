//! U-Net (Ronneberger et al., arXiv 1505.04597) with padding and batch norm.
//! published: 31,037,633
//! torch: 16 lines
damper::model! {
    block Double<out: usize> {
        input x: [channels, height, width]
        layers { convs: repeat(2) { conv2d(out, kernel = 3, padding = 1, bias = false) -> batch_norm -> relu; }; }
    }
    pub Net<width: usize = 64>
    input image: [3, 128, 128]
    layers {
        down1: Double(width);
        down2: max_pool2d(2) -> Double(2 * width);
        down3: max_pool2d(2) -> Double(4 * width);
        down4: max_pool2d(2) -> Double(8 * width);
        up4:   max_pool2d(2) -> Double(16 * width) -> conv_transpose2d(8 * width, kernel = 2, stride = 2);
        up3:   concat(down4, up4) -> Double(8 * width) -> conv_transpose2d(4 * width, kernel = 2, stride = 2);
        up2:   concat(down3, up3) -> Double(4 * width) -> conv_transpose2d(2 * width, kernel = 2, stride = 2);
        up1:   concat(down2, up2) -> Double(2 * width) -> conv_transpose2d(width, kernel = 2, stride = 2);
        mask:  concat(down1, up1) -> Double(width) -> conv2d(1, kernel = 1);
    }
    loss binary_cross_entropy
}
