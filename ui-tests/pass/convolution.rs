//! Every word for images: the models compile, and a training pass and a prediction have the declared shapes.

use damper::model;
use damper::prelude::*;

model! {
    /// Convolutions, pools and normalizations.
    pub Images<width: usize = 8, k: usize = 3, p: f64 = 0.1>
    input image: [1, 28, 28]
    layers {
        stem: conv2d(width, kernel = k, padding = same, bias = false) -> batch_norm -> relu -> max_pool2d(2)
            with drop_connect(p);
        pair: depthwise_conv2d(k, padding = 1) -> group_norm(4) -> relu -> conv2d(2 * width, kernel = 1) -> relu
            with drop_block(0.0..p, size = 3);
        up:   conv_transpose2d(width, kernel = 2, stride = 2, bias = false) -> instance_norm -> relu;
        wide: from(stem) -> conv_transpose2d(width, kernel = 2, stride = 2) -> relu with spatial_dropout(p);
        both: concat(up, wide) -> adaptive_avg_pool2d(4) -> avg_pool2d(2);
        flat: flatten -> reshape([2, 2, 2 * width]) -> global_max_pool;
        head: linear(10);
    }
    loss cross_entropy
}

model! {
    /// Branches side by side (Szegedy et al., arXiv 1409.4842).
    pub Inception
    input image: [3, 16, 16]
    layers {
        stem:  conv2d(8, kernel = 3, padding = same) -> relu;
        mixed: parallel {
            small: conv2d(8, kernel = 1);
            large: conv2d(8, kernel = 1) -> relu -> conv2d(8, kernel = 5, padding = 2);
            skip:  from(stem) -> max_pool2d(3, stride = 1, padding = 1);
        } -> concat -> relu;
        gated: parallel {
            value: conv2d(8, kernel = 1);
            gate:  conv2d(8, kernel = 1) -> sigmoid;
        } -> mul;
        head:  global_avg_pool -> linear(2);
    }
    loss cross_entropy
}

model! {
    /// A small residual network for 32x32 images.
    pub ResNet<width: usize = 8, depth: usize = 2>
    input image: [3, 32, 32]
    layers with decay(l2 = 5e-4) {
        stem:   conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
        stage1: repeat(depth) {
            block: residual {
                conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
                conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm;
            } -> relu;
        } with drop_path(0.0..0.1);
        stage2: residual {
            conv2d(2 * width, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
            conv2d(2 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } shortcut {
            conv2d(2 * width, kernel = 1, stride = 2, bias = false) -> batch_norm;
        } -> relu;
        pool:   global_avg_pool;
        head:   linear(10);
    }
    loss cross_entropy
}

model! {
    /// A class for each pixel.
    pub Pixels
    input image: [1, 8, 8]
    layers {
        down: conv2d(4, kernel = 3, padding = same) -> relu with weight_norm;
        head: conv2d(3, kernel = 1) with spectral_norm;
    }
    loss cross_entropy
}

model! {
    /// One and three spatial axes.
    pub OtherAxes
    input { signal: [2, 16], volume: [1, 4, 8, 8] }
    layers {
        line: from(signal) -> conv1d(4, kernel = 3, stride = 2, padding = 1) -> relu -> max_pool1d(2) -> flatten;
        room: from(volume) -> conv3d(4, kernel = [1, 3, 3], dilation = 1) -> relu -> avg_pool3d([1, 2, 2]) -> global_avg_pool;
        head: concat(line, room) -> linear(1);
    }
    loss mse
}

fn ones<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::ones(shape, &damper::device().expect("a device"))
}

#[test]
fn images_have_the_declared_shapes() {
    let device = damper::device().expect("a device");
    let training = device.clone().autodiff();
    let images = ImagesConfig::new();
    let model = images.init(&device).expect("the defaults are checked");
    assert_eq!(model.predict(ones([2, 1, 28, 28])).dims(), [2, 10]);
    let model = images.init(&training).expect("the defaults are checked");
    assert_eq!(model.forward(ones([2, 1, 28, 28])).dims(), [2, 10]);

    let model = InceptionConfig::new()
        .init(&device)
        .expect("it has no hyper-parameters");
    assert_eq!(model.classify(ones([2, 3, 16, 16])).dims(), [2]);
    let model = ResNetConfig::new()
        .init(&training)
        .expect("the defaults are checked");
    assert_eq!(model.forward(ones([2, 3, 32, 32])).dims(), [2, 10]);
    let model = OtherAxesConfig::new()
        .init(&device)
        .expect("it has no hyper-parameters");
    assert_eq!(
        model
            .predict(ones([2, 2, 16]), ones([2, 1, 4, 8, 8]))
            .dims(),
        [2, 1]
    );
}

#[test]
fn a_class_for_each_pixel() {
    let device = damper::device().expect("a device");
    let model = PixelsConfig::new()
        .init(&device)
        .expect("it has no hyper-parameters");
    let image = || ones([2, 1, 8, 8]);
    assert_eq!(model.predict(image()).dims(), [2, 3, 8, 8]);
    assert_eq!(model.classify(image()).dims(), [2, 8, 8]);
    assert_eq!(model.predict_mc(image(), 2).mean.dims(), [2, 3, 8, 8]);
}
