//! Weights on disk: what is read back, what is refused, and that nothing is left half-written.

use damper::burn::store::ModuleSnapshot;
use damper::prelude::*;
use damper::{LoadError, SaveError};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

model! {
    /// A model with every kind of parameter.
    pub Small<hidden: usize = 6, rate: f64 = 0.25>
    input x: [4]
    layers {
        fc1:   linear(hidden, bias = false) -> batch_norm -> relu;
        block: residual { linear(hidden) -> layer_norm -> prelu; };
        head:  linear(3) with dropout(rate) before linear;
    }
    loss cross_entropy
}

mod other {
    use damper::prelude::*;

    model! {
        /// The same name and shapes, another activation.
        pub Small<hidden: usize = 6, rate: f64 = 0.25>
        input x: [4]
        layers {
            fc1:   linear(hidden, bias = false) -> batch_norm -> tanh;
            block: residual { linear(hidden) -> layer_norm -> prelu; };
            head:  linear(3) with dropout(rate) before linear;
        }
        loss cross_entropy
    }
}

const FORMATS: [&str; 2] = ["safetensors", "bpk"];

fn small(hidden: usize) -> Small {
    SmallConfig::new()
        .with_hidden(hidden)
        .init(&Device::flex())
        .unwrap()
}

fn saved(format: &str) -> (TempDir, PathBuf, Small) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(format!("small.{format}"));
    let model = small(5);
    model.save(&path).unwrap();
    (folder, path, model)
}

fn weights(model: &impl Module) -> Vec<(String, Vec<u8>)> {
    let tensors = model.collect(None, None, false);
    tensors
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor.into_bytes().unwrap().to_vec()))
        .collect()
}

fn load(path: &Path) -> Result<Small, LoadError> {
    Small::load(path, &Device::flex())
}

#[test]
fn a_model_comes_back_bit_for_bit_with_its_hyper_parameters() {
    for format in FORMATS {
        let (_folder, path, model) = saved(format);
        let loaded = load(&path).unwrap();
        assert_eq!(weights(&loaded), weights(&model), "{format}");
        assert_eq!(loaded.spec(), model.spec());
        let x = Tensor::<2>::from_data([[0.1, -0.2, 0.3, 0.4]], &Device::flex());
        assert_eq!(
            loaded.predict(x.clone()).into_data(),
            model.predict(x).into_data()
        );
    }
}

#[test]
fn equal_weights_make_equal_files() {
    for format in FORMATS {
        let (folder, path, model) = saved(format);
        let again = folder.path().join(format!("again.{format}"));
        model.save(&again).unwrap();
        assert_eq!(
            fs::read(path).unwrap(),
            fs::read(again).unwrap(),
            "{format}"
        );
    }
}

#[test]
fn a_training_model_is_saved_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("small.safetensors");
    let model = SmallConfig::new().init(&Device::flex().autodiff()).unwrap();
    model.save(&path).unwrap();
    assert_eq!(weights(&load(&path).unwrap()), weights(&model));
}

#[test]
fn pytorch_finds_its_names_and_layouts() {
    let (_folder, path, model) = saved("safetensors");
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "block.linear.bias",
            "block.linear.weight",
            "block.linear_layer_norm.bias",
            "block.linear_layer_norm.weight",
            "block.linear_prelu.alpha",
            "fc1.weight",
            "fc1_batch_norm.bias",
            "fc1_batch_norm.running_mean",
            "fc1_batch_norm.running_var",
            "fc1_batch_norm.weight",
            "head.bias",
            "head.weight",
        ]
    );
    let weight = file.tensor("fc1.weight").unwrap();
    assert_eq!(
        weight.shape(),
        [5, 4],
        "rows are units, as in torch.nn.Linear"
    );
    let unit: Vec<f32> = weight.data()[..16]
        .chunks(4)
        .map(|x| f32::from_le_bytes(x.try_into().unwrap()))
        .collect();
    assert_eq!(
        unit,
        model
            .fc1
            .weight
            .val()
            .slice([0..4, 0..1])
            .into_data()
            .try_to_vec::<f32>()
            .unwrap()
    );
}

#[test]
fn a_file_without_description_is_loaded_into_a_built_model() {
    let (folder, path, model) = saved("safetensors");
    // What `safetensors.torch.save_file(model.state_dict(), ..)` writes.
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let bare = folder.path().join("bare.safetensors");
    fs::write(&bare, safetensors::serialize(file.tensors(), None).unwrap()).unwrap();
    assert!(matches!(load(&bare), Err(LoadError::NoSpec { .. })));
    assert_eq!(
        weights(&damper::load_weights(small(5), &bare).unwrap()),
        weights(&model)
    );
    let error = damper::load_weights(small(7), &bare)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("  `fc1.weight` is [7, 4] in the model and [5, 4] in the file"),
        "{error}"
    );
    let without = file
        .tensors()
        .into_iter()
        .filter(|(name, _)| name != "head.bias");
    fs::write(&bare, safetensors::serialize(without, None).unwrap()).unwrap();
    let error = damper::load_weights(small(5), &bare).unwrap_err();
    assert!(
        matches!(&error, LoadError::Weights { problems, .. } if problems == &["`head.bias` [3] is missing"]),
        "{error}"
    );
}

#[test]
fn another_model_is_refused_by_its_difference() {
    for format in FORMATS {
        let (_folder, path, _) = saved(format);
        let error = other::Small::load(&path, &Device::flex()).unwrap_err();
        let LoadError::Difference { differences, .. } = &error else {
            panic!("{error}")
        };
        assert!(
            differences
                .iter()
                .any(|line| line.contains("`fc1`") && line.contains("tanh")),
            "{error}"
        );
        let error = damper::load_weights(small(7), &path).unwrap_err();
        assert!(matches!(error, LoadError::Difference { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains("`hidden` is 7 here and 5 in the other model"),
            "{error}"
        );
    }
}

#[test]
fn endings_and_missing_files_are_named() {
    let (folder, _, model) = saved("bpk");
    for name in ["small", "small.pt", "small.json"] {
        let path = folder.path().join(name);
        assert!(
            matches!(model.save(&path), Err(SaveError::Format { .. })),
            "{name}"
        );
        assert!(
            matches!(load(&path), Err(LoadError::Format { .. })),
            "{name}"
        );
        assert!(!path.exists());
    }
    assert_eq!(
        load(Path::new("small.pt")).unwrap_err().to_string(),
        "`small.pt` has no known ending\nhelp: `.safetensors` (PyTorch reads it) or `.bpk` (burn's own)"
    );
    let error = load(Path::new("no/such.bpk")).unwrap_err();
    assert!(
        matches!(error, LoadError::File { .. })
            && error.to_string().starts_with("cannot read `no/such.bpk`: ")
    );
}

#[test]
fn a_save_that_fails_leaves_nothing_and_touches_nothing() {
    let folder = TempDir::new().unwrap();
    let model = small(5);
    let missing = folder.path().join("missing").join("small.bpk");
    assert!(matches!(model.save(&missing), Err(SaveError::File { .. })));
    // A folder stands where the file should: the rename fails after everything has been written.
    let taken = folder.path().join("taken.safetensors");
    fs::create_dir(&taken).unwrap();
    assert!(matches!(model.save(&taken), Err(SaveError::File { .. })));
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["taken.safetensors"]);
}

#[test]
fn saving_again_replaces_the_file() {
    for format in FORMATS {
        let (folder, path, _) = saved(format);
        let newer = small(5);
        newer.save(&path).unwrap();
        assert_eq!(weights(&load(&path).unwrap()), weights(&newer));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no scratch file is left"
        );
    }
}

#[test]
fn truncated_files_are_refused() {
    for format in FORMATS {
        let (_folder, path, _) = saved(format);
        let whole = fs::read(&path).unwrap();
        let lengths = (0..64)
            .chain((64..whole.len()).step_by(37))
            .chain(whole.len() - 8..whole.len());
        for length in lengths {
            fs::write(&path, &whole[..length]).unwrap();
            match load(&path) {
                Err(LoadError::Damaged { .. }) => {}
                // Burnpack ends with padding, which may be missing.
                Ok(model) => assert_eq!(
                    (format, weights(&model)),
                    ("bpk", weights(&intact(&path, &whole)))
                ),
                Err(error) => panic!("{format}, {length} of {} bytes: {error}", whole.len()),
            }
        }
    }
}

#[test]
fn a_flipped_bit_is_found_or_does_no_harm() {
    for format in FORMATS {
        let (_folder, path, model) = saved(format);
        let whole = fs::read(&path).unwrap();
        let mut refused = 0;
        for at in (0..200).chain((200..whole.len()).step_by(11)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            match load(&path) {
                Err(_) => refused += 1,
                Ok(loaded) => assert_eq!(weights(&loaded), weights(&model), "{format}, byte {at}"),
            }
        }
        assert!(refused > 0);
    }
}

#[test]
fn garbage_is_refused() {
    let folder = TempDir::new().unwrap();
    let garbage: [&[u8]; 5] = [
        b"",
        b"hello",
        &[0; 64],
        &[0xff; 4096],
        b"\x08\x00\x00\x00\x00\x00\x00\x00{\"a\":1}",
    ];
    for format in FORMATS {
        for bytes in garbage {
            let path = folder.path().join(format!("garbage.{format}"));
            fs::write(&path, bytes).unwrap();
            assert!(
                matches!(load(&path), Err(LoadError::Damaged { .. })),
                "{format}: {bytes:?}"
            );
        }
        // The one format under the other's ending.
        let (_folder, path, _) = saved(FORMATS[usize::from(format == FORMATS[0])]);
        let renamed = folder.path().join(format!("renamed.{format}"));
        fs::copy(path, &renamed).unwrap();
        assert!(
            matches!(load(&renamed), Err(LoadError::Damaged { .. })),
            "{format}"
        );
    }
}

fn intact(path: &Path, whole: &[u8]) -> Small {
    fs::write(path, whole).unwrap();
    load(path).unwrap()
}

model! {
    /// A layer of each kind that PyTorch names or lays out in its own way.
    pub Mixed
    input x: [2, 3, 2]
    layers {
        conv: conv2d(4, kernel = 3, padding = 1) -> group_norm(2) -> relu;
        #[allow(redundant_bias_before_norm, reason = "every tensor is wanted")]
        up:   conv_transpose2d(6, kernel = 2, stride = 2) -> instance_norm;
        #[allow(consecutive_norm, reason = "every tensor is wanted")]
        mix:  to_sequence -> residual { layer_norm; attention(heads = 2); };
        rnn:  lstm(3, layers = 2, bidirectional = true) -> last_step;
        gate: linear(4) -> rms_norm -> tanh with weight_norm;
        head: linear(2) with spectral_norm;
    }
    loss cross_entropy
}

/// The file is a `state_dict`, from `tests/fixtures/make_layers.py`.
#[test]
fn layers_of_every_kind_are_read_from_pytorch_and_written_for_it() {
    use crate::common::{Fixture, device, numbers};

    let device = device();
    let state = format!("{}/fixtures/state.safetensors", env!("CARGO_MANIFEST_DIR"));
    let fresh = MixedConfig::new().init(&device).unwrap();
    let model = damper::load_weights(fresh, &state).unwrap();
    let expected = Fixture::open("expected");
    let output = model.logits(expected.tensor("input", &device));
    expected.assert("output", output.clone());
    // What is written holds the same names, shapes and numbers.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mixed.safetensors");
    model.save(&path).unwrap();
    let (ours, theirs) = (fs::read(&path).unwrap(), fs::read(&state).unwrap());
    let ours = safetensors::SafeTensors::deserialize(&ours).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&theirs).unwrap();
    let sorted = |file: &safetensors::SafeTensors| {
        let mut names: Vec<String> = file.names().into_iter().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
    for (name, tensor) in theirs.tensors() {
        let written = ours.tensor(&name).unwrap();
        assert_eq!(written.shape(), tensor.shape(), "{name}");
        assert_eq!(written.data(), tensor.data(), "{name}");
    }
    for ending in FORMATS {
        let path = folder.path().join(format!("again.{ending}"));
        model.save(&path).unwrap();
        let again = Mixed::load(&path, &device).unwrap();
        let input = expected.tensor("input", &device);
        assert_eq!(
            numbers(again.logits(input)),
            numbers(output.clone()),
            "{ending}"
        );
    }
}
