//! Right models at random: `forward` gives the shape that was inferred.
//!
//! Written by `DAMPER_UPDATE=1 cargo test -p damper-macros-core --test robust_valid`.

use damper::burn::tensor::{Device, Int, Tensor};
use damper::model;

model! {
    #[allow(damper::all)]
    pub Random1
    input x: [1, 4, 4, 5]
    layers {
        s0: adaptive_avg_pool3d(3) -> elu;
        s1: max_pool3d(2) -> global_avg_pool;
        s2: linear(1, bias = true) -> dropout(0.1) -> gaussian_dropout(0.1);
    }
}

model! {
    #[allow(damper::all)]
    pub Random2
    input x: [1]
    layers {
        s0: linear(4, bias = true) -> linear(5, bias = true);
    }
}

model! {
    #[allow(damper::all)]
    pub Random3
    input x: [2]
    layers {
        s0: batch_norm -> layer_norm;
        s1: residual { linear(2); linear(2); } shortcut { layer_norm -> linear(2) -> leaky_relu; } -> layer_norm -> linear(3, bias = false);
        s2: layer_norm -> batch_norm -> swiglu(5);
        s3: repeat(2) { b: residual { linear(5); } -> tanh; };
        s4: gaussian_dropout(0.1) -> layer_norm;
    }
}

model! {
    #[allow(damper::all)]
    pub Random4
    input x: [2, 4, 4, 5]
    layers {
        s0: conv3d(6, kernel = 3, padding = same, groups = 2);
        s1: conv_transpose3d(4, kernel = 2, stride = 2);
    }
}

model! {
    #[allow(damper::all)]
    pub Random5
    input x: [3, 4, 4]
    layers {
        s0: group_norm(3) -> global_avg_pool;
        s1: softplus;
    }
}

model! {
    #[allow(damper::all)]
    pub Random6
    input x: [5] of int
    layers {
        s0: embedding(9, 4) -> noise(0.1);
        s1: rms_norm -> positional(sinusoidal) -> repeat(3) { swiglu(4) -> relu; };
        s2: add(s0, s1) -> last_step -> batch_norm;
        s3: linear(6, bias = false) -> reshape([6]) -> flatten -> gaussian_dropout(0.1);
        s4: concat(s2, s3) -> linear(4, bias = true) -> layer_norm -> layer_norm;
        s5: mul(s2, s4) -> linear(2, bias = false);
        head: linear(3);
    }
    loss cross_entropy
}

model! {
    #[allow(damper::all)]
    pub Random7
    input x: [4] of int
    layers {
        s0: embedding(9, 4) -> leaky_relu;
        s1: gru(4, layers = 1, bidirectional = true) -> class_token;
        s2: rnn(6, layers = 1, bidirectional = false);
        s3: positional(learned) -> flatten;
        s4: swiglu(6) -> reshape([6]) -> flatten;
        s5: from(s0) -> first_step;
    }
}

model! {
    #[allow(damper::all)]
    pub Random8
    input x: [4, 6, 4]
    layers {
        s0: avg_pool2d(2) -> batch_norm;
        s1: spatial_dropout(0.1) -> group_norm(4);
    }
}

model! {
    #[allow(damper::all)]
    pub Random9
    input x: [2, 4, 4, 5]
    layers {
        s0: gaussian_dropout(0.1);
        s1: flatten -> hard_swish;
        s2: reshape([160]) -> flatten -> reshape([160]) -> flatten -> batch_norm;
        s3: linear(2, bias = false);
        s4: layer_norm -> layer_norm -> linear(5, bias = false);
        s5: repeat(1) { layer_norm -> linear(5) -> softplus -> relu; } -> linear(2, bias = false);
        head: linear(3);
    }
    loss cross_entropy
}

model! {
    #[allow(damper::all)]
    pub Random10
    input x: [4, 6]
    layers {
        s0: conv1d(4, kernel = 1, stride = 1, padding = 0) -> avg_pool1d(2) -> parallel { a: conv1d(4, kernel = 3, padding = same, bias = false); b: depthwise_conv1d(3, padding = 1, bias = false); } -> mul;
        s1: conv_transpose1d(4, kernel = 2, stride = 2) -> gaussian_dropout(0.1) -> conv1d(4, kernel = 3, stride = 1, padding = 0);
        s2: leaky_relu -> adaptive_avg_pool1d(2) -> residual { batch_norm -> conv1d(4, kernel = 1); depthwise_conv1d(3, padding = 1, bias = false); } shortcut { conv1d(4, kernel = 3, padding = same, bias = false); };
        s3: gaussian_dropout(0.1) -> conv1d(3, kernel = 2, stride = 2, padding = 0) -> adaptive_avg_pool1d(3);
        s4: from(s1) -> elu;
        s5: mul(s1, s4) -> conv1d(16, kernel = 3, padding = same, groups = 4) -> tanh;
    }
}

model! {
    #[allow(damper::all)]
    pub Random11
    input x: [1, 7, 4]
    layers {
        s0: noise(0.1) -> flatten;
        s1: batch_norm -> gaussian_dropout(0.1) -> layer_norm;
        head: linear(3) with max_norm(2.0);
    }
    loss cross_entropy
}

model! {
    #[allow(damper::all)]
    pub Random12
    input x: [4] of int
    layers {
        s0: embedding(9, 4);
        s1: parallel { a: layer_norm -> linear(4) -> relu; b: transformer_encoder(1, heads = 1, ff = 2); } -> concat;
        s2: class_token -> class_token;
    }
}

model! {
    #[allow(damper::all)]
    pub Random13
    input x: [1] of int
    layers {
        s0: embedding(9, 6);
    }
}

model! {
    #[allow(damper::all)]
    pub Random14
    input x: [5] of int
    layers {
        s0: embedding(9, 6) -> rnn(4, layers = 1, bidirectional = true) -> gru(2, layers = 1, bidirectional = false);
    }
}

model! {
    #[allow(damper::all)]
    pub Random15
    input x: [2, 4]
    layers {
        s0: attention(heads = 2, causal = true) -> linear(2) -> silu;
        s1: noise(0.1);
        s2: gru(4, layers = 2, bidirectional = false);
    }
}

model! {
    #[allow(damper::all)]
    pub Random16
    input x: [5]
    layers {
        s0: dropout(0.1) -> tanh;
        s1: layer_norm -> linear(2, bias = false);
        s2: concat(s0, s1) -> batch_norm -> swiglu(5);
    }
}

#[test]
fn a_forward_pass_gives_the_inferred_shape() {
    let device = Device::flex();

    let model = Random1Config::new().init(&device).unwrap();
    let x = Tensor::<5>::ones([2, 1, 4, 4, 5], &device);
    assert_eq!(model.forward(x).dims(), [2, 1]);

    let model = Random2Config::new().init(&device).unwrap();
    let x = Tensor::<2>::ones([2, 1], &device);
    assert_eq!(model.forward(x).dims(), [2, 5]);

    let model = Random3Config::new().init(&device).unwrap();
    let x = Tensor::<2>::ones([2, 2], &device);
    assert_eq!(model.forward(x).dims(), [2, 5]);

    let model = Random4Config::new().init(&device).unwrap();
    let x = Tensor::<5>::ones([2, 2, 4, 4, 5], &device);
    assert_eq!(model.forward(x).dims(), [2, 4, 8, 8, 10]);

    let model = Random5Config::new().init(&device).unwrap();
    let x = Tensor::<4>::ones([2, 3, 4, 4], &device);
    assert_eq!(model.forward(x).dims(), [2, 3]);

    let model = Random6Config::new().init(&device).unwrap();
    let x = Tensor::<2, Int>::ones([2, 5], &device);
    assert_eq!(model.forward(x).dims(), [2, 3]);

    let model = Random7Config::new().init(&device).unwrap();
    let x = Tensor::<2, Int>::ones([2, 4], &device);
    assert_eq!(model.forward(x).dims(), [2, 4]);

    let model = Random8Config::new().init(&device).unwrap();
    let x = Tensor::<4>::ones([2, 4, 6, 4], &device);
    assert_eq!(model.forward(x).dims(), [2, 4, 3, 2]);

    let model = Random9Config::new().init(&device).unwrap();
    let x = Tensor::<5>::ones([2, 2, 4, 4, 5], &device);
    assert_eq!(model.forward(x).dims(), [2, 3]);

    let model = Random10Config::new().init(&device).unwrap();
    let x = Tensor::<3>::ones([2, 4, 6], &device);
    assert_eq!(model.forward(x).dims(), [2, 16, 4]);

    let model = Random11Config::new().init(&device).unwrap();
    let x = Tensor::<4>::ones([2, 1, 7, 4], &device);
    assert_eq!(model.forward(x).dims(), [2, 3]);

    let model = Random12Config::new().init(&device).unwrap();
    let x = Tensor::<2, Int>::ones([2, 4], &device);
    assert_eq!(model.forward(x).dims(), [2, 6, 8]);

    let model = Random13Config::new().init(&device).unwrap();
    let x = Tensor::<2, Int>::ones([2, 1], &device);
    assert_eq!(model.forward(x).dims(), [2, 1, 6]);

    let model = Random14Config::new().init(&device).unwrap();
    let x = Tensor::<2, Int>::ones([2, 5], &device);
    assert_eq!(model.forward(x).dims(), [2, 5, 2]);

    let model = Random15Config::new().init(&device).unwrap();
    let x = Tensor::<3>::ones([2, 2, 4], &device);
    assert_eq!(model.forward(x).dims(), [2, 2, 4]);

    let model = Random16Config::new().init(&device).unwrap();
    let x = Tensor::<2>::ones([2, 5], &device);
    assert_eq!(model.forward(x).dims(), [2, 5]);
}
