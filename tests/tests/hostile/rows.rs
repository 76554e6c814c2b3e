//! Every layer with no row, one row and a few: forward and backward, on a training device and off it.

use crate::common::device;
use damper::burn::module::Module;
use damper::burn::tensor::{Int, Tensor};
use damper::prelude::*;
use damper::{InputError, InputTensor, Inputs, Pass, Target};

/// The whole of a model with so many rows.
fn pass<M: Network>(config: &M::Config, rows: usize) {
    let name = config.spec().expect("sound").model().name.clone();
    for device in [device(), device().autodiff()] {
        let model = config.init(&device).expect("sound");
        let inputs = inputs(&model, rows, &device);
        let output = model.run(&inputs, &mut Pass::new());
        let [found, units] = output.dims();
        let positions = found.checked_div(rows).unwrap_or(1);
        assert_eq!(found, rows * positions, "{name}, {rows} rows");
        assert!(units > 0, "{name}, {rows} rows");
        let values: Vec<f32> = output.clone().into_data().iter().collect();
        assert!(values.iter().all(|x| x.is_finite()), "{name}: {values:?}");
        let predicted = model.try_predict(&inputs).expect("inputs as declared");
        assert_eq!(predicted.dims()[0], found, "{name}, {rows} rows");
        if model.spec().model().loss.is_none() {
            continue;
        }
        let loss = model.loss(output, &Target::Classes(Tensor::zeros([found], &device)));
        let of_rows: f32 = loss.clone().into_scalar();
        // The mean of no numbers is none, as in PyTorch.
        assert_eq!(
            of_rows.is_finite(),
            rows > 0,
            "{name}, {rows} rows: {of_rows}"
        );
        if device.is_autodiff() && rows > 0 {
            let _ = loss.backward();
        }
    }
}

fn inputs<M: Network>(model: &M, rows: usize, device: &Device) -> Inputs {
    let inputs = model.spec().model().inputs.iter().map(|input| {
        let shape: Vec<usize> = input
            .shape
            .iter()
            .filter_map(damper_ir::Value::size)
            .collect();
        let width = shape.iter().product();
        if input.kind == damper_ir::InputKind::Float {
            InputTensor::Float(Tensor::ones([rows, width], device) * 0.5, shape)
        } else {
            InputTensor::Int(Tensor::<2, Int>::ones([rows, width], device), shape)
        }
    });
    Inputs(inputs.collect())
}

/// A model of each name; `rows` tries all of them.
macro_rules! models {
    ($($name:ident $config:ident { $($tokens:tt)* })*) => {
        $(mod $config {
            #![allow(deprecated, clippy::struct_field_names, reason = "what is tried is not always wise")]
            use damper::prelude::*;
            model! { pub $name $($tokens)* }
        })*

        #[test]
        fn every_layer_takes_no_row_one_row_and_a_few() {
            for rows in [0, 1, 2, 3, 7] {
                $(pass::<$config::$name>(&Default::default(), rows);)*
            }
        }
    };
}

models! {
    M dense { input x: [6] layers { a: linear(8) -> relu with dropout(0.2) after relu; b: swiglu(8); c: linear(6) -> relu -> noise(0.1) -> gaussian_dropout(0.1); h: linear(3); } loss cross_entropy }
    M weights { input x: [6] layers { a: linear(8) -> selu with weight_norm, drop_connect(0.2); b: linear(8) -> tanh -> alpha_dropout(0.1) with spectral_norm; h: linear(3); } loss cross_entropy }
    M activations { input x: [8] layers {
        a: linear(8) -> leaky_relu; b: linear(8) -> rrelu; c: linear(8) -> prelu; d: linear(8) -> elu; e: linear(8) -> celu; f: linear(8) -> gelu; g: linear(8) -> gelu_approximate;
        i: linear(8) -> silu; j: linear(8) -> mish; k: linear(8) -> sigmoid; l: linear(8) -> log_sigmoid; m: linear(8) -> hard_sigmoid; n: linear(8) -> hard_swish; o: linear(8) -> hardtanh;
        p: linear(8) -> tanhshrink; q: linear(8) -> softplus; r: linear(8) -> softsign; s: linear(8) -> thresholded_relu; t: linear(8) -> threshold(0.1, 0.0); u: linear(8) -> hard_shrink;
        v: linear(8) -> soft_shrink; w: linear(8) -> shrink; y: linear(16) -> glu; z: linear(8) -> softmax; aa: linear(8) -> log_softmax; ab: linear(8) -> softmin; ac: linear(8) -> quiet_softmax; ad: linear(8) -> relu6;
        h: linear(3); } loss cross_entropy }
    M norms { input x: [6] layers { a: linear(8) -> layer_norm -> relu; b: linear(8) -> rms_norm -> relu; c: linear(8, bias = false) -> batch_norm -> relu; h: linear(3); } loss cross_entropy }
    M images { input x: [3, 12, 12] layers {
        a: conv2d(8, kernel = 3, bias = false) -> batch_norm -> relu -> spatial_dropout(0.1); b: depthwise_conv2d(3, padding = same) -> group_norm(2) -> relu -> drop_block(0.1, size = 3);
        c: conv2d(8, kernel = 3, padding = same) -> instance_norm -> relu; d: max_pool2d(2); e: avg_pool2d(2) -> conv_transpose2d(4, kernel = 2, stride = 2) -> relu; f: adaptive_avg_pool2d(2); h: flatten -> linear(3); } loss cross_entropy }
    M pooled { input x: [3, 8, 8] layers { a: conv2d(8, kernel = 3) -> relu; g: global_avg_pool; h: linear(3); } loss cross_entropy }
    M greatest { input x: [3, 8, 8] layers { a: conv2d(8, kernel = 3) -> relu; g: global_max_pool; h: linear(3); } loss cross_entropy }
    M lines { input x: [3, 12] layers { a: conv1d(8, kernel = 3) -> relu; b: max_pool1d(2); c: depthwise_conv1d(3) -> relu; d: conv_transpose1d(4, kernel = 2, stride = 2) -> relu; e: avg_pool1d(2); f: adaptive_avg_pool1d(2); h: flatten -> linear(3); } loss cross_entropy }
    M volumes { input x: [2, 6, 6, 6] layers { a: conv3d(4, kernel = 3) -> relu; b: max_pool3d(2); c: conv_transpose3d(4, kernel = 2, stride = 2) -> relu; d: avg_pool3d(2); e: adaptive_avg_pool3d(1); h: flatten -> linear(3); } loss cross_entropy }
    M steps { input x: [5, 3] layers { a: linear(4) -> relu; l: last_step; h: linear(3); } loss cross_entropy }
    M recurrent { input x: [5, 3] layers { a: lstm(4, layers = 2, bidirectional = true) with dropout(0.1); b: gru(4) with variational_dropout(0.1); c: rnn(4) with zoneout(0.1); l: first_step; h: linear(3); } loss cross_entropy }
    M attended { input x: [5, 8] layers { p: positional(learned); t: class_token; a: residual { layer_norm -> attention(2) with attention_dropout(0.1); } with drop_path(0.1); m: mean(axis = time); h: linear(3); } loss cross_entropy }
    M rotated { input x: [5, 8] layers { p: positional(rope) -> attention(2, causal = true); m: max(axis = time); h: linear(3); } loss cross_entropy }
    M encoded { input tokens: [6] of int(vocab = 9, pad = 0) layers { e: embedding(9, 8) with embedding_dropout(0.1); p: positional(sinusoidal); t: transformer_encoder(2, heads = 2, ff = 16); m: mean(axis = time); h: linear(3); } loss cross_entropy }
    M averaged { input tokens: [6] of int(vocab = 9) layers { e: embedding(9, 8); m: mean(axis = time); h: linear(3); } loss cross_entropy }
    M tagged { input tokens: [6] of int(vocab = 9) layers { e: embedding(9, 8); a: lstm(8); h: linear(9, tied = e); } loss cross_entropy }
    M branched { input x: [6] layers { a: parallel { l: linear(4) -> relu; r: linear(4) -> tanh; } -> concat; b: repeat(2) { residual { linear(same) -> relu; }; }; h: linear(3); } loss cross_entropy }
    M reshaped { input x: [12] layers { a: reshape([3, 4]) -> transpose -> flatten; h: linear(3); } loss cross_entropy }
    M sequenced { input x: [2, 4, 4] layers { a: conv2d(4, kernel = 3) -> relu; s: to_sequence -> linear(4) -> relu; m: mean(axis = time); h: linear(3); } loss cross_entropy }
    M merged { input { a: [4], b: [5, 3] } layers { r: from(b) -> lstm(4); l: last_step; c: concat(a, l) -> linear(4) -> relu; h: linear(3); } loss cross_entropy }
    M gated { input x: [3, 8, 8] layers { a: conv2d(8, kernel = 3, stride = 2, padding = same) -> layer_norm(axis = channels) -> glu; g: global_avg_pool -> linear(4) -> sigmoid; w: mul(a, g); s: sub(w, g) -> softmax; p: max_pool2d(3, stride = 2, padding = same); q: avg_pool2d(2, ceil_mode = true) -> rms_norm(axis = channels); h: flatten -> linear(3); } loss cross_entropy }
    M causal { input x: [3, 9] layers { a: conv1d(4, kernel = 3, dilation = 2, padding = causal) -> relu; b: depthwise_conv1d(3, padding = causal) -> relu; u: upsample(2, mode = bilinear) -> resize([5]); h: flatten -> linear(3); } loss cross_entropy }
    M shared { input x: [5, 8] layers { a: attention(4, kv_heads = 2, window = 2, soft_cap = 3.0, qk_norm = true, position = relative); b: attention(2, causal = true, position = alibi); m: sum(axis = time); h: linear(3); } loss cross_entropy }
    M translated { input { x: [5, 8], tokens: [6] of int(vocab = 9, pad = 0) } layers { e: from(tokens) -> embedding(9, 4); a: from(x) -> attention(2, from = e) with attention_dropout(0.1); d: transformer_decoder(2, heads = 2, ff = 16, memory = e); m: min(axis = time); h: linear(3); } loss cross_entropy }
    M rearranged { input x: [4, 4, 4] layers { a: pixel_shuffle(2) -> upsample(2) -> pad([1, 0, 0, 1], value = 1.0); s: to_sequence -> to_image([1, 17, 17]) -> permute([2, 3, 1]) -> slice(channels, 2..6) -> channel_shuffle(2); v: scale(0.5) -> shift(2.0) -> abs -> log -> exp -> sqrt -> square -> sin -> cos -> identity; h: flatten -> linear(3); } loss cross_entropy }
    M sampled { input x: [6] layers { m: linear(4); v: from(x) -> linear(4); z: sample_normal(m, v); d: div(z, m) -> shift(0.5) -> sigmoid; h: linear(3); } loss cross_entropy }
    M multiplied { input { a: [5, 3], b: [3, 4] } layers { p: matmul(a, b); q: from(p) -> slice(time, 1..3); r: concat(p, q, axis = time); m: transpose -> linear(4) -> relu -> transpose; h: flatten -> linear(3); } loss cross_entropy }
    M penalized { input x: [6] layers { a: linear(8) -> relu with activity(l1 = 1e-3); h: linear(3); } loss cross_entropy }
}

model! {
    /// Two inputs.
    pub Pair
    input { a: [4], tokens: [3] of int(vocab = 5) }
    layers { e: from(tokens) -> embedding(5, 2) -> flatten; c: concat(a, e) -> linear(2); }
    loss cross_entropy
}

#[test]
fn no_rows_give_no_predictions() {
    let device = device();
    let model = steps::MConfig::new().init(&device).unwrap();
    let none = || Tensor::<3>::zeros([0, 5, 3], &device);
    assert_eq!(model.forward(none()).dims(), [0, 3]);
    assert_eq!(model.predict(none()).dims(), [0, 3]);
    assert_eq!(model.classify(none()).dims(), [0]);
    let sure = model.predict_mc(none(), 3);
    assert_eq!((sure.mean.dims(), sure.std.dims()), ([0, 3], [0, 3]));
}

#[test]
fn inputs_of_another_shape_kind_or_class_are_errors_that_name_the_input() {
    let device = device();
    let model = PairConfig::new().init(&device).unwrap();
    let numbers =
        |rows, width| InputTensor::Float(Tensor::zeros([rows, width], &device), vec![width]);
    let tokens = |values: Vec<i32>| {
        let tokens = Tensor::<1, Int>::from_ints(values.as_slice(), &device);
        InputTensor::Int(tokens.reshape([values.len() / 3, 3]), vec![3])
    };
    let says = |inputs| {
        model
            .try_predict(&Inputs(inputs))
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let right = || tokens(vec![0, 1, 4]);
    assert_eq!(says(vec![numbers(1, 4), right()]), Ok(()));
    for (inputs, message) in [
        (vec![], "`Pair` has inputs: 2; 0 given"),
        (vec![numbers(1, 4)], "`Pair` has inputs: 2; 1 given"),
        (
            vec![numbers(1, 5), right()],
            "`a` of `Pair` is [batch, 4], but [1, 5] was given",
        ),
        (
            vec![numbers(1, 4), numbers(1, 3)],
            "`tokens` of `Pair` holds class indices, but numbers were given",
        ),
        (
            vec![numbers(2, 4), right()],
            "`tokens` of `Pair` has a batch of 1, but the first input has one of 2",
        ),
        (
            vec![numbers(2, 4), tokens(vec![0, 1, 2, 0, 5, 0])],
            "`tokens` of `Pair` has the class 5 in row 1 (counted from 0), but its 5 classes go from 0 to 4",
        ),
        (
            vec![numbers(1, 4), tokens(vec![0, -1, 2])],
            "`tokens` of `Pair` has the class -1 in row 0 (counted from 0), but its 5 classes go from 0 to 4",
        ),
    ] {
        assert_eq!(says(inputs), Err(message.to_owned()));
    }
    // What only a layer knows: a longer sequence may be one, but not here.
    let long = InputTensor::Int(Tensor::zeros([1, 4], &device), vec![4]);
    let error = model
        .try_predict(&Inputs(vec![numbers(1, 4), long]))
        .unwrap_err();
    assert!(matches!(error, InputError::Layer { .. }), "{error}");
}

/// A layer of one's own that was made for inference is trained all the same.
mod own {
    use damper::prelude::*;

    model! {
        /// What was trained before.
        pub Trained
        input x: [2]
        layers { a: linear(4) -> relu; h: linear(1); }
    }

    pub fn trained() -> Trained {
        TrainedConfig::new().init(&super::device()).expect("sound")
    }

    model! {
        /// Goes on with it.
        pub Again
        input x: [2]
        layers { net: custom(crate::hostile::rows::own::trained(), output = [1], type = crate::hostile::rows::own::Trained); }
        loss mse
        train { optimizer: sgd(lr = 0.1), epochs: 2, batch: 2 }
    }
}

#[test]
fn a_custom_layer_from_the_plain_device_learns() {
    let data = damper::data::Data::new([[0.0, 1.0], [1.0, 0.0]], [0.5, 1.0]).unwrap();
    let training = own::Again::training()
        .device(device())
        .progress(damper::Progress::Silent);
    let run = training.fit(&data, &data).unwrap();
    let losses: Vec<f64> = run
        .history()
        .epochs
        .iter()
        .map(|epoch| epoch.train.loss)
        .collect();
    assert!(losses[1] < losses[0], "{losses:?}");
    assert!(run.model.devices().iter().all(|found| !found.is_autodiff()));
}
