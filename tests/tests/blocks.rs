//! Declared blocks, `if`, and a `repeat` whose copies differ: they are the layers that one would write out.

use crate::common::device;
use damper::burn::module::{Module, ModuleVisitor, Param};
use damper::burn::tensor::{Distribution, Tensor};
use damper::data::Data;
use damper::{Network, SpecError, model};

model! {
    /// Widens, filters each channel by itself, narrows (Sandler et al., arXiv 1801.04381).
    block Inverted<out: usize, expand: usize = 2, stride: usize = 1> {
        input x: [channels, height, width]
        layers {
            wide:    if expand > 1 { conv2d(expand * channels, kernel = 1, bias = false) -> batch_norm -> relu };
            spatial: depthwise_conv2d(kernel = 3, stride = stride, padding = 1, bias = false) -> batch_norm -> relu;
            narrow:  conv2d(out, kernel = 1, bias = false) -> batch_norm -> relu;
        }
    }

    /// A dense pair around its input.
    block Feed<factor: usize = 4> {
        input x: [features]
        layers {
            inside: residual { linear(factor * features) -> gelu -> linear(features); };
        }
    }

    pub Blocks<width: usize = 4>
    input image: [3, 8, 8]
    layers {
        first: Inverted(width, expand = 1);
        stage: repeat(i in 0..2) { Inverted(width * (i + 2), stride = if i == 0 { 2 } else { 1 }); };
        pool:  global_avg_pool;
        feed:  Feed -> relu;
        head:  linear(3);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.05), epochs: 2, batch: 8, seed: 3 }
}

model! {
    /// The same, written out.
    pub WrittenOut
    input image: [3, 8, 8]
    layers {
        first_spatial: depthwise_conv2d(kernel = 3, padding = 1, bias = false) -> batch_norm -> relu;
        first_narrow:  conv2d(4, kernel = 1, bias = false) -> batch_norm -> relu;
        one_wide:      conv2d(8, kernel = 1, bias = false) -> batch_norm -> relu;
        one_spatial:   depthwise_conv2d(kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
        one_narrow:    conv2d(8, kernel = 1, bias = false) -> batch_norm -> relu;
        two_wide:      conv2d(16, kernel = 1, bias = false) -> batch_norm -> relu;
        two_spatial:   depthwise_conv2d(kernel = 3, padding = 1, bias = false) -> batch_norm -> relu;
        two_narrow:    conv2d(12, kernel = 1, bias = false) -> batch_norm -> relu;
        pool:          global_avg_pool;
        feed:          residual { linear(48) -> gelu -> linear(12); } -> relu;
        head:          linear(3);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.05), epochs: 2, batch: 8, seed: 3 }
}

/// All numbers of all parameters, in the order of the fields.
fn numbers<M: Module>(module: &M) -> Vec<f32> {
    struct All(Vec<f32>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data().convert::<f32>();
            self.0.extend(data.try_to_vec::<f32>().expect("numbers"));
        }
    }
    let mut all = All(Vec::new());
    module.visit(&mut all);
    all.0
}

fn paths<N: Network>(network: &N) -> Vec<String> {
    let parameters = network.spec().parameters().iter();
    parameters.map(|parameter| parameter.path.clone()).collect()
}

/// Sixteen random images of three classes.
fn images() -> Data {
    let pixels = (0..16 * 192).map(|at: u16| f32::from(at * 11 % 29) / 29.0);
    let classes: Vec<usize> = (0..16).map(|row| row % 3).collect();
    Data::new((pixels.collect::<Vec<f32>>(), 192), classes).expect("sound data")
}

#[test]
fn uses_of_a_block_are_its_layers_written_out() {
    let device = device();
    device.seed(5);
    let blocks = BlocksConfig::new().init(&device).expect("a sound model");
    device.seed(5);
    let written = WrittenOutConfig::new()
        .init(&device)
        .expect("a sound model");
    assert_eq!(numbers(&blocks), numbers(&written));
    let image = Tensor::<4>::random([5, 3, 8, 8], Distribution::Default, &device);
    let (one, other) = (blocks.logits(image.clone()), written.logits(image));
    one.into_data().assert_eq(&other.into_data(), true);
}

#[test]
fn blocks_train_as_their_layers_written_out() {
    let data = images();
    let device = device().autodiff();
    let blocks = Blocks::training()
        .device(device.clone())
        .fit(&data, &data)
        .expect("a training");
    let written = WrittenOut::training()
        .device(device)
        .fit(&data, &data)
        .expect("a training");
    assert_eq!(numbers(&blocks.model), numbers(&written.model));
}

#[test]
fn weights_are_found_by_use_and_copy() {
    let device = device();
    let blocks = BlocksConfig::new().init(&device).expect("a sound model");
    let kernels: Vec<String> = paths(&blocks)
        .into_iter()
        .filter(|path| path.ends_with("weight"))
        .collect();
    let expected = [
        "first.spatial.weight",
        "first.narrow.weight",
        "stage.0.inverted.wide.conv2d.weight",
        "stage.0.inverted.spatial.weight",
        "stage.0.inverted.narrow.weight",
        "stage.1.inverted.wide.conv2d.weight",
        "stage.1.inverted.spatial.weight",
        "stage.1.inverted.narrow.weight",
        "feed.inside.linear.weight",
        "feed.inside.linear_linear.weight",
        "head.weight",
    ];
    assert_eq!(kernels, expected);
}

#[test]
fn a_saved_model_of_blocks_is_the_same_when_it_is_loaded() {
    let device = device();
    let model = BlocksConfig::new()
        .with_width(6)
        .init(&device)
        .expect("a sound model");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("blocks.safetensors");
    model.save(&path).expect("a file");
    let loaded = Blocks::load(&path, &device).expect("the same model");
    assert_eq!(loaded.spec(), model.spec());
    let image = Tensor::<4>::random([2, 3, 8, 8], Distribution::Default, &device);
    let (one, other) = (model.predict(image.clone()), loaded.predict(image));
    one.into_data().assert_eq(&other.into_data(), true);
}

#[test]
fn hyper_parameters_reach_into_blocks() {
    let spec = BlocksConfig::new()
        .with_width(6)
        .spec()
        .expect("a sound model");
    let shape = |path: &str| {
        let mut all = spec.parameters().iter();
        all.find(|parameter| parameter.path == path)
            .map(|parameter| parameter.shape.clone())
    };
    assert_eq!(shape("first.narrow.weight"), Some(vec![6, 3, 1, 1]));
    assert_eq!(
        shape("stage.1.inverted.narrow.weight"),
        Some(vec![18, 24, 1, 1])
    );
    let broken = BlocksConfig::new().with_width(0).spec();
    let Err(SpecError::Broken { findings, .. }) = broken else {
        panic!("a width of 0 has no channels");
    };
    assert!(findings[0].message.contains("is 0"), "{findings:?}");
}
