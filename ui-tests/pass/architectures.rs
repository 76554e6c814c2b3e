//! Architectures as they were published, each in less than sixty lines, with the published number of parameters.

use damper::burn::module::Module;
use damper::burn::tensor::{Device, Int, Tensor};
use damper::model;

model! {
    /// `ResNet-18` (He et al., arXiv 1512.03385), as torchvision builds it.
    pub ResNet18<width: usize = 64, classes: usize = 1000>
    input image: [3, 224, 224]
    layers with decay(l2 = 1e-4) {
        stem: conv2d(width, kernel = 7, stride = 2, padding = 3, bias = false) -> batch_norm -> relu
            -> max_pool2d(3, stride = 2, padding = 1);
        stage1: repeat(2) {
            block: residual {
                conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
                conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm;
            } -> relu;
        };
        down2: residual {
            conv2d(2 * width, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
            conv2d(2 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } shortcut { conv2d(2 * width, kernel = 1, stride = 2, bias = false) -> batch_norm; } -> relu;
        stage2: residual {
            conv2d(2 * width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
            conv2d(2 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } -> relu;
        down3: residual {
            conv2d(4 * width, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
            conv2d(4 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } shortcut { conv2d(4 * width, kernel = 1, stride = 2, bias = false) -> batch_norm; } -> relu;
        stage3: residual {
            conv2d(4 * width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
            conv2d(4 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } -> relu;
        down4: residual {
            conv2d(8 * width, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
            conv2d(8 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } shortcut { conv2d(8 * width, kernel = 1, stride = 2, bias = false) -> batch_norm; } -> relu;
        stage4: residual {
            conv2d(8 * width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
            conv2d(8 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
        } -> relu;
        pool: global_avg_pool;
        head: linear(classes);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.1, momentum = 0.9), batch: 256, epochs: 90 }
}

model! {
    /// `MobileNetV2` (Sandler et al., arXiv 1801.04381), as torchvision builds it.
    #[allow(missing_nonlinearity, reason = "linear bottlenecks: arXiv 1801.04381, section 3.2")]
    pub MobileNetV2<classes: usize = 1000>
    input image: [3, 224, 224]
    layers with decay(l2 = 4e-5) {
        stem:   conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu6;
        first:  depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(16, kernel = 1, bias = false) -> batch_norm;
        down2:  conv2d(96, kernel = 1, bias = false) -> batch_norm -> relu6
            -> depthwise_conv2d(3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu6 -> conv2d(24, kernel = 1, bias = false) -> batch_norm;
        stage2: repeat(1) {
            residual {
                conv2d(144, kernel = 1, bias = false) -> batch_norm -> relu6;
                depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(24, kernel = 1, bias = false) -> batch_norm;
            };
        };
        down3:  conv2d(144, kernel = 1, bias = false) -> batch_norm -> relu6
            -> depthwise_conv2d(3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu6 -> conv2d(32, kernel = 1, bias = false) -> batch_norm;
        stage3: repeat(2) {
            residual {
                conv2d(192, kernel = 1, bias = false) -> batch_norm -> relu6;
                depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(32, kernel = 1, bias = false) -> batch_norm;
            };
        };
        down4:  conv2d(192, kernel = 1, bias = false) -> batch_norm -> relu6
            -> depthwise_conv2d(3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu6 -> conv2d(64, kernel = 1, bias = false) -> batch_norm;
        stage4: repeat(3) {
            residual {
                conv2d(384, kernel = 1, bias = false) -> batch_norm -> relu6;
                depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(64, kernel = 1, bias = false) -> batch_norm;
            };
        };
        wide5:  conv2d(384, kernel = 1, bias = false) -> batch_norm -> relu6
            -> depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(96, kernel = 1, bias = false) -> batch_norm;
        stage5: repeat(2) {
            residual {
                conv2d(576, kernel = 1, bias = false) -> batch_norm -> relu6;
                depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(96, kernel = 1, bias = false) -> batch_norm;
            };
        };
        down6:  conv2d(576, kernel = 1, bias = false) -> batch_norm -> relu6
            -> depthwise_conv2d(3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu6 -> conv2d(160, kernel = 1, bias = false) -> batch_norm;
        stage6: repeat(2) {
            residual {
                conv2d(960, kernel = 1, bias = false) -> batch_norm -> relu6;
                depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(160, kernel = 1, bias = false) -> batch_norm;
            };
        };
        wide7:  conv2d(960, kernel = 1, bias = false) -> batch_norm -> relu6
            -> depthwise_conv2d(3, padding = same, bias = false) -> batch_norm -> relu6 -> conv2d(320, kernel = 1, bias = false) -> batch_norm;
        last:   conv2d(1280, kernel = 1, bias = false) -> batch_norm -> relu6;
        pool:   global_avg_pool;
        head:   dropout(0.2) -> linear(classes);
    }
    loss cross_entropy
    #[allow(learning_rate_out_of_range, reason = "the paper's, section 6.1")]
    train { optimizer: rmsprop(lr = 0.045, momentum = 0.9), batch: 96 }
}

model! {
    /// ViT-B/16 (Dosovitskiy et al., arXiv 2010.11929); a small one with smaller numbers.
    pub VisionTransformer<size: usize = 224, patch: usize = 16, dim: usize = 768, depth: usize = 12, heads: usize = 12, classes: usize = 1000>
    input image: [3, size, size]
    layers {
        patches: conv2d(dim, kernel = patch, stride = patch) -> to_sequence;
        tokens:  class_token -> positional(learned) -> dropout(0.1);
        encoder: transformer_encoder(depth, heads = heads, ff = 4 * dim, dropout = 0.1) with drop_path(0.0..0.1);
        pool:    layer_norm -> first_step;
        head:    linear(classes);
    }
    loss cross_entropy(label_smoothing = 0.1)
    train { optimizer: adamw(lr = 1e-3, weight_decay = 0.1), schedule: cosine(warmup = 0.1), batch: 64, epochs: 90, mixup(0.2), clip(norm = 1.0) }
}

model! {
    /// AWD-LSTM for WikiText-2 (Merity et al., arXiv 1708.02182): weight-dropped layers, one dropout mask for all
    /// steps, embedding dropout, and the embedding's table as the head's weight.
    #[allow(high_dropout_rate, reason = "as published: 0.65 of the embedding's features for a small corpus")]
    #[allow(dropout_feeding_head, reason = "as published")]
    pub LanguageModel<vocab: usize = 33_278, dim: usize = 400, hidden: usize = 1150, time: usize = 70>
    input tokens: [time] of int(vocab = vocab)
    layers {
        embed: embedding(vocab, dim) -> variational_dropout(0.65) with embedding_dropout(0.1);
        lstm1: lstm(hidden) -> variational_dropout(0.2) with drop_connect(0.5);
        lstm2: lstm(hidden) -> variational_dropout(0.2) with drop_connect(0.5);
        lstm3: lstm(dim) -> variational_dropout(0.4) with drop_connect(0.5);
        head:  linear(vocab, tied = embed);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 1.0), batch: 80, clip(norm = 0.25), swa(10), epochs: 20 }
}

model! {
    /// Two convolutions, as everywhere in a U-Net.
    pub DoubleConv<channels: usize = 3, size: usize = 64, out: usize = 64>
    input image: [channels, size, size]
    layers {
        conv1: conv2d(out, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
        conv2: conv2d(out, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
    }
}

model! {
    /// A U-Net (Ronneberger et al., arXiv 1505.04597) with batch norm: a mask for each pixel.
    pub UNet<size: usize = 64, width: usize = 64>
    input image: [3, size, size]
    layers {
        level1: DoubleConv(channels = 3, size = size, out = width);
        level2: max_pool2d(2) -> DoubleConv(channels = width, size = size / 2, out = 2 * width);
        level3: max_pool2d(2) -> DoubleConv(channels = 2 * width, size = size / 4, out = 4 * width);
        level4: max_pool2d(2) -> DoubleConv(channels = 4 * width, size = size / 8, out = 8 * width);
        bottom: max_pool2d(2) -> DoubleConv(channels = 8 * width, size = size / 16, out = 16 * width);
        rise4:  conv_transpose2d(8 * width, kernel = 2, stride = 2);
        up4:    concat(level4, rise4) -> DoubleConv(channels = 16 * width, size = size / 8, out = 8 * width);
        rise3:  conv_transpose2d(4 * width, kernel = 2, stride = 2);
        up3:    concat(level3, rise3) -> DoubleConv(channels = 8 * width, size = size / 4, out = 4 * width);
        rise2:  conv_transpose2d(2 * width, kernel = 2, stride = 2);
        up2:    concat(level2, rise2) -> DoubleConv(channels = 4 * width, size = size / 2, out = 2 * width);
        rise1:  conv_transpose2d(width, kernel = 2, stride = 2);
        up1:    concat(level1, rise1) -> DoubleConv(channels = 2 * width, size = size, out = width);
        mask:   conv2d(1, kernel = 1);
    }
    loss binary_cross_entropy
}

/// The number of parameters of the model with these values.
fn parameters<C: damper::NetworkConfig>(config: &C) -> usize {
    config.spec().unwrap().summary().totals.parameters
}

#[test]
fn the_published_numbers_of_parameters() {
    assert_eq!(parameters(&ResNet18Config::new()), 11_689_512);
    assert_eq!(parameters(&MobileNetV2Config::new()), 3_504_872);
    assert_eq!(parameters(&VisionTransformerConfig::new()), 86_567_656);
    // The figure that the program of the paper prints for WikiText-2.
    assert_eq!(parameters(&LanguageModelConfig::new()), 33_556_078);
    // Pytorch-UNet with three channels, one class and transposed convolutions.
    assert_eq!(parameters(&UNetConfig::new()), 31_037_633);
}

#[test]
fn small_ones_give_what_was_declared() {
    let device = Device::flex();
    let image = |size| Tensor::<4>::zeros([2, 3, size, size], &device);

    let resnet = ResNet18Config::new()
        .with_width(4)
        .with_classes(5)
        .init(&device)
        .unwrap();
    assert_eq!(resnet.predict(image(224)).dims(), [2, 5]);

    let vit = VisionTransformerConfig::new()
        .with_size(32)
        .with_patch(8)
        .with_dim(12)
        .with_depth(2)
        .with_heads(3)
        .with_classes(5);
    let vit = vit.init(&device).unwrap();
    assert_eq!(vit.predict(image(32)).dims(), [2, 5]);
    assert_eq!(vit.tokens.weight.dims(), [1, 12]);

    let model = LanguageModelConfig::new()
        .with_vocab(50)
        .with_dim(8)
        .with_hidden(12)
        .with_time(6);
    let model = model.init(&device).unwrap();
    let tokens = Tensor::<2, Int>::ones([2, 6], &device);
    assert_eq!(model.predict(tokens.clone()).dims(), [2, 6, 50]);
    assert_eq!(model.classify(tokens).dims(), [2, 6]);
    assert_eq!(model.embed.weight.dims(), [50, 8]);

    let unet = UNetConfig::new()
        .with_size(16)
        .with_width(2)
        .init(&device)
        .unwrap();
    assert_eq!(unet.predict(image(16)).dims(), [2, 1, 16, 16]);
    assert_eq!(unet.level1.conv1.weight.dims(), [2, 3, 3, 3]);
    assert!(unet.num_params() > 0);
}
