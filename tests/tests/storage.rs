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
        "`small.pt` has no known file extension\nhelp: use `.safetensors` (PyTorch can read it) or `.bpk` (burn's own format)"
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
fn a_file_of_any_other_length_is_refused() {
    for format in FORMATS {
        let (_folder, path, model) = saved(format);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            for (how, result) in both(&path) {
                match result {
                    Err(LoadError::Damaged { .. }) => {}
                    // Burnpack ends with padding, which may be missing.
                    Ok(loaded) => assert_eq!((format, weights(&loaded)), ("bpk", weights(&model))),
                    Err(error) => panic!("{format}, {how}, {length} bytes: {error}"),
                }
            }
        }
    }
    let (_folder, path, _) = saved("safetensors");
    let mut longer = fs::read(&path).unwrap();
    longer.push(0);
    fs::write(&path, longer).unwrap();
    assert!(matches!(load(&path), Err(LoadError::Damaged { .. })));
}

/// Loaded as a model, and into one.
fn both(path: &Path) -> [(&'static str, Result<Small, LoadError>); 2] {
    [
        ("load", load(path)),
        ("load_weights", damper::load_weights(small(5), path)),
    ]
}

/// Flips one bit after the other, and loads the file as a model and into one.
fn flip<M: Network>(built: &dyn Fn() -> M, bits: &dyn Fn(usize) -> Vec<usize>) {
    for format in FORMATS {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(format!("flipped.{format}"));
        let model = built();
        let saved = weights(&model);
        damper::__private::save(&model, &path).unwrap();
        let whole = fs::read(&path).unwrap();
        let (mut harmless, mut refused) = (0, 0);
        for bit in bits(whole.len()) {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            let loaded = [
                damper::__private::load::<M>(&path, &Device::flex()),
                damper::load_weights(built(), &path),
            ];
            for (result, how) in loaded.into_iter().zip(["load", "load_weights"]) {
                match result {
                    Err(LoadError::Damaged { .. }) => refused += 1,
                    // What other programs look for (`"format": "pt"`), white space and padding.
                    Ok(loaded) => {
                        harmless += 1;
                        assert_eq!(weights(&loaded), saved, "{format}, {how}, bit {bit}");
                    }
                    Err(error) => panic!("{format}, {how}, bit {bit}: {error}"),
                }
            }
        }
        assert!(refused > 0, "{format}: {refused}, {harmless}");
    }
}

model! {
    /// So small that each bit of its file can be tried.
    pub Tiny<units: usize = 1>
    input x: [1]
    layers { head: linear(units); }
    loss mse
}

#[test]
fn no_flipped_bit_gives_other_weights() {
    let tiny = || TinyConfig::new().init(&Device::flex()).unwrap();
    flip::<Tiny>(&tiny, &|length| (0..length * 8).collect());
    // Every kind of parameter; each bit of a byte in its turn.
    flip::<Small>(&|| small(5), &|length| {
        (0..length).step_by(11).map(|at| at * 8 + at % 8).collect()
    });
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

mod hostile {
    //! Files that lie: each is loaded by a process of its own, which may use little memory.

    use super::*;
    use ciborium::Value as Cbor;
    use serde_json::{Value as Json, json};
    use std::fmt::Write as _;
    use std::process::Command;

    model! {
        /// Each hyper-parameter stands for memory or time of another kind.
        pub Greedy<units: usize = 61, copies: usize = 3, steps: usize = 67, stacked: usize = 1>
        input x: [steps, 4]
        layers {
            wide:   linear(units) -> relu -> linear(4);
            blocks: repeat(copies) { residual { linear(4) -> relu; }; };
            rnn:    lstm(4, layers = stacked) -> positional(sinusoidal);
            mix:    residual { positional(rope) -> attention(heads = 2); };
            head:   last_step -> linear(2);
        }
        loss cross_entropy
    }

    fn greedy(config: &GreedyConfig) -> Greedy {
        config.init(&Device::flex()).unwrap()
    }

    /// What the files of this program's first version said of themselves: FNV-1a over description, hyper-parameters
    /// and weights.
    fn checksum(spec: &str, config: &str, tensors: &[(String, Vec<u8>)]) -> String {
        let tensors = tensors
            .iter()
            .flat_map(|(name, bytes)| [name.as_bytes(), bytes]);
        let parts = [config.as_bytes(), spec.as_bytes()].into_iter();
        let hash = parts
            .chain(tensors)
            .flatten()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("{hash:016x}")
    }

    /// A whole file with another description, and the checksum that it asks for.
    fn forged(edit: impl Fn(String) -> String) -> Vec<u8> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("greedy.safetensors");
        greedy(&GreedyConfig::new()).save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut metadata = header.metadata().clone().unwrap();
        let mut tensors: Vec<_> = file
            .tensors()
            .into_iter()
            .map(|(name, tensor)| (name, tensor.data().to_vec()))
            .collect();
        tensors.sort();
        let spec = edit(metadata["damper.spec"].clone());
        let sum = checksum(&spec, &metadata["damper.config"], &tensors);
        metadata.insert("damper.spec".to_owned(), spec);
        metadata.insert("damper.checksum".to_owned(), sum);
        safetensors::serialize(file.tensors(), Some(metadata)).unwrap()
    }

    /// The description that this program writes for other values.
    fn described(config: &GreedyConfig) -> Vec<u8> {
        let spec = serde_json::to_string(config.spec().unwrap().model()).unwrap();
        forged(|_| spec.clone())
    }

    fn safetensors_of(header: &[u8], data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    fn burnpack_of(tensors: Vec<(&str, &str, Vec<u64>, (u64, u64))>, data: usize) -> Vec<u8> {
        let text = |text: &str| Cbor::Text(text.to_owned());
        let tensors = tensors.into_iter().map(|(name, dtype, shape, (from, to))| {
            let shape = Cbor::Array(shape.into_iter().map(Cbor::from).collect());
            let offsets = Cbor::Array(vec![from.into(), to.into()]);
            let info = vec![
                (text("dtype"), text(dtype)),
                (text("shape"), shape),
                (text("data_offsets"), offsets),
            ];
            (text(name), Cbor::Map(info))
        });
        let header = Cbor::Map(vec![(text("tensors"), Cbor::Map(tensors.collect()))]);
        let mut cbor = Vec::new();
        ciborium::into_writer(&header, &mut cbor).unwrap();
        let mut bytes = b"NRUB\x01\x00".to_vec();
        bytes.extend((cbor.len() as u32).to_le_bytes());
        bytes.extend(cbor);
        bytes.resize(bytes.len().next_multiple_of(256) + data, 0);
        bytes
    }

    /// A file of the name with these bytes, and the kind of error that it must give.
    type Case = (&'static str, Vec<u8>, &'static str);

    fn forgeries() -> Vec<Case> {
        let default = GreedyConfig::new;
        let instead = |of: &str, by: &str| {
            forged(|spec| {
                let edited = ["value", "times", "out"]
                    .iter()
                    .fold(spec.clone(), |text, key| {
                        text.replace(&format!("\"{key}\":{of}"), &format!("\"{key}\":{by}"))
                    });
                assert_ne!(edited, spec);
                edited
            })
        };
        vec![
            (
                "units.safetensors",
                described(&default().with_units(2_147_483_647)),
                "Weights",
            ),
            (
                "wide.safetensors",
                described(&default().with_units(20_000_000)),
                "Weights",
            ),
            (
                "steps.safetensors",
                described(&default().with_steps(2_147_483_647)),
                "Ok",
            ),
            (
                "copies.safetensors",
                described(&default().with_copies(20_000)),
                "Weights",
            ),
            (
                "layers.safetensors",
                described(&default().with_stacked(1_000)),
                "Weights",
            ),
            ("repeat.safetensors", instead("3", "2147483647"), "Spec"),
            (
                "unsafe.safetensors",
                instead("61", "9007199254740993"),
                "Weights",
            ),
            ("beyond.safetensors", instead("61", "1e300"), "Config"),
            ("below.safetensors", instead("61", "-1"), "Config"),
        ]
    }

    #[expect(clippy::too_many_lines, reason = "a table: one lie after the other")]
    fn lies() -> Vec<Case> {
        let table = |table: Json, data| safetensors_of(table.to_string().as_bytes(), data);
        let tensor = |dtype: &str, shape: Json, from: u64, to: u64| json!({ "dtype": dtype, "shape": shape, "data_offsets": [from, to] });
        let mut many = String::from("{");
        for index in 0..60_000 {
            write!(
                many,
                r#""t{index}":{{"dtype":"U8","shape":[64],"data_offsets":[0,64]}},"#
            )
            .unwrap();
        }
        many.pop();
        many.push('}');
        let names: Vec<String> = (0..60_000).map(|index| format!("t{index:05}")).collect();
        let overlap = names
            .iter()
            .map(|name| (name.as_str(), "U8", vec![64], (0, 64)))
            .collect();
        let one = |dtype, shape, from, to| burnpack_of(vec![("a", dtype, shape, (from, to))], 64);
        let huge = u64::MAX;
        let axes = vec![1_u64; 5_000_000];
        let twice = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#;
        let mut deep = b"NRUB\x01\x00\xf0\xf0\x00\x00".to_vec();
        deep.resize(0xf0fa, 0x81);
        let all = vec![
            ("length.safetensors", huge.to_le_bytes().to_vec()),
            (
                "ends.safetensors",
                table(
                    json!({ "a": tensor("F32", json!([4]), huge - 16, huge) }),
                    16,
                ),
            ),
            (
                "backwards.safetensors",
                table(json!({ "a": tensor("F32", json!([4]), 16, 0) }), 16),
            ),
            (
                "product.safetensors",
                table(
                    json!({ "a": tensor("F32", json!([1_u64 << 62, 8]), 0, 0) }),
                    0,
                ),
            ),
            (
                "zero.safetensors",
                table(json!({ "a": tensor("F32", json!([0, huge]), 0, 16) }), 16),
            ),
            (
                "dtype.safetensors",
                table(json!({ "a": tensor("F64", json!([4]), 0, 16) }), 16),
            ),
            (
                "unknown.safetensors",
                table(json!({ "a": tensor("F33", json!([4]), 0, 16) }), 16),
            ),
            (
                "gap.safetensors",
                table(json!({ "a": tensor("F32", json!([2]), 8, 16) }), 16),
            ),
            (
                "rest.safetensors",
                table(json!({ "a": tensor("F32", json!([2]), 0, 8) }), 16),
            ),
            (
                "axes.safetensors",
                table(json!({ "a": tensor("F32", json!(axes), 0, 4) }), 4),
            ),
            ("twice.safetensors", safetensors_of(twice.as_bytes(), 8)),
            (
                "deep.safetensors",
                safetensors_of(&vec![b'['; 1_000_000], 0),
            ),
            ("many.safetensors", safetensors_of(many.as_bytes(), 64)),
            ("length.bpk", b"NRUB\x01\x00\xff\xff\xff\xff".to_vec()),
            ("version.bpk", b"NRUB\xff\x00\x00\x00\x00\x00".to_vec()),
            ("ends.bpk", one("F32", vec![4], huge - 16, huge)),
            ("backwards.bpk", one("F32", vec![4], 16, 0)),
            ("product.bpk", one("F32", vec![1 << 62, 8], 0, 0)),
            ("dtype.bpk", one("F64", vec![4], 0, 16)),
            ("unknown.bpk", one("F33", vec![4], 0, 16)),
            ("far.bpk", one("U8", vec![1 << 40], 0, 1 << 40)),
            ("axes.bpk", one("F32", axes.clone(), 0, 4)),
            (
                "twice.bpk",
                burnpack_of(
                    vec![("a", "U8", vec![4], (0, 4)), ("a", "U8", vec![4], (4, 8))],
                    64,
                ),
            ),
            (
                "part.bpk",
                burnpack_of(
                    vec![("a", "U8", vec![4], (0, 4)), ("b", "U8", vec![4], (2, 6))],
                    64,
                ),
            ),
            ("many.bpk", burnpack_of(overlap, 64)),
            ("deep.bpk", deep),
        ];
        all.into_iter()
            .map(|(name, bytes)| (name, bytes, "Damaged"))
            .collect()
    }

    const VARIABLE: &str = "DAMPER_TESTS_HOSTILE";

    #[test]
    #[ignore = "started by the test below, in a process of its own"]
    fn a_child_loads() {
        let folder = std::env::var_os(VARIABLE).expect("it is started by another test");
        let kind = |result: Result<Greedy, LoadError>| match result {
            Ok(_) => "Ok".to_owned(),
            Err(error) => {
                let _text = error.to_string();
                let debug = format!("{error:?}");
                match error {
                    LoadError::File { .. } => "File",
                    LoadError::Damaged { .. } => "Damaged",
                    LoadError::NoSpec { .. } => "NoSpec",
                    LoadError::Spec { .. } => "Spec",
                    LoadError::Config { .. } => "Config",
                    LoadError::Difference { .. } => "Difference",
                    LoadError::Weights { .. } => "Weights",
                    _ => debug.as_str(),
                }
                .to_owned()
            }
        };
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            println!("= {name} {}", kind(Greedy::load(&path, &Device::flex())));
            let into = damper::load_weights(greedy(&GreedyConfig::new()), &path);
            println!("= weights:{name} {}", kind(into));
        }
    }

    /// What the child printed of each file, after `load` and after `load_weights`.
    fn run(folder: &Path) -> std::collections::HashMap<String, String> {
        // A quarter of what the smallest forgery asks for, and twice what a test takes.
        let limited = r#"ulimit -v 1500000 && exec "$0" "$@""#;
        let output = Command::new("sh")
            .args(["-c", limited])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "storage::hostile::a_child_loads"])
            .args(["--ignored", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, folder)
            // Threads take addresses, and their number is the machine's.
            .env("RAYON_NUM_THREADS", "1")
            .env("MALLOC_ARENA_MAX", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}\n{text}\n{errors}",
            output.status
        );
        let lines = text.lines().filter_map(|line| line.split_once("= "));
        lines
            .filter_map(|(_, line)| line.split_once(' '))
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .collect()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_takes_no_more_memory_than_its_bytes() {
        let folder = TempDir::new().unwrap();
        let mut cases = forgeries();
        cases.extend(lies());
        for (name, bytes, _) in &cases {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        // Ten gigabytes of which only the first bytes are on the disk.
        let first: [(&str, &[u8]); 6] = [
            ("zeros.safetensors", &[0]),
            ("zeros.bpk", &[0]),
            ("header.safetensors", &99_999_999_u64.to_le_bytes()),
            ("header.bpk", b"NRUB\x01\x00\xff\xe0\xf5\x05"),
            (
                "text.safetensors",
                &[&99_999_999_u64.to_le_bytes()[..], b"{\"a\":\""].concat(),
            ),
            (
                "tensor.safetensors",
                &safetensors_of(
                    br#"{"a":{"dtype":"U8","shape":[9999999900],"data_offsets":[0,9999999900]}}"#,
                    0,
                ),
            ),
        ];
        for (name, bytes) in first {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let size = if name == "tensor.safetensors" {
                bytes.len() as u64 + 9_999_999_900
            } else {
                10_000_000_000
            };
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(size)
                .unwrap();
            cases.push((name, Vec::new(), "Damaged"));
        }
        let found = run(folder.path());
        for (name, _, wanted) in cases {
            let into = match wanted {
                // Steps are no weights: an input of another length is another model.
                "Ok" | "Weights" | "Spec" | "Config" => "Difference",
                other => other,
            };
            // What holds one tensor and no description is refused before that tensor is read.
            let [wanted, into] = if name == "tensor.safetensors" {
                ["NoSpec", "Weights"]
            } else {
                [wanted, into]
            };
            assert_eq!(found[name], wanted, "load {name}");
            assert_eq!(
                found[&format!("weights:{name}")],
                into,
                "load_weights {name}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        use std::os::unix::fs::symlink;
        use std::os::unix::net::UnixListener;
        for format in FORMATS {
            let folder = TempDir::new().unwrap();
            let path = |name: &str| folder.path().join(format!("{name}.{format}"));
            let made = Command::new("mkfifo").arg(path("pipe")).status().unwrap();
            assert!(made.success());
            symlink(path("pipe"), path("link")).unwrap();
            symlink("/dev/zero", path("device")).unwrap();
            fs::create_dir(path("folder")).unwrap();
            let _listener = UnixListener::bind(path("socket")).unwrap();
            let kinds = ["named pipe", "named pipe", "device", "folder", "socket"];
            for (name, kind) in ["pipe", "link", "device", "folder", "socket"]
                .into_iter()
                .zip(kinds)
            {
                let path = path(name);
                for error in [
                    load(&path).unwrap_err(),
                    damper::load_weights(small(5), &path).unwrap_err(),
                ] {
                    assert!(matches!(error, LoadError::File { .. }), "{error}");
                    let text = error.to_string();
                    assert!(
                        text.ends_with(&format!("it is a {kind}, not a file")),
                        "{text}"
                    );
                }
                // Nor is it replaced.
                let error = small(5).save(&path).unwrap_err();
                assert!(matches!(error, SaveError::File { .. }), "{error}");
                assert!(load(&path).is_err());
            }
        }
    }
}

#[cfg(unix)]
mod saving {
    //! A file is replaced as a plain write would replace it, but whole.

    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn permissions_are_those_of_a_plain_write() {
        for format in FORMATS {
            let (folder, path, model) = saved(format);
            let plain = folder.path().join("plain");
            fs::write(&plain, "").unwrap();
            assert_eq!(mode(&path), mode(&plain), "a new file");
            for kept in [0o600, 0o640, 0o666, 0o755] {
                set(&path, kept);
                model.save(&path).unwrap();
                assert_eq!(mode(&path), kept, "{kept:o}");
            }
        }
    }

    #[test]
    fn a_file_that_may_only_be_read_is_not_replaced() {
        let (folder, path, _) = saved("bpk");
        let before = fs::read(&path).unwrap();
        set(&path, 0o444);
        let error = small(5).save(&path).unwrap_err();
        assert!(
            matches!(&error, SaveError::File { reason, .. } if reason.kind() == std::io::ErrorKind::PermissionDenied),
            "{error}"
        );
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (before, 0o444));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_one_and_leads_to_the_new_file() {
        let folder = TempDir::new().unwrap();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        let target = real.join("target.bpk");
        let (link, chain) = (
            folder.path().join("link.bpk"),
            folder.path().join("chain.bpk"),
        );
        symlink("real/target.bpk", &link).unwrap();
        symlink(&link, &chain).unwrap();
        // It dangles: the file is made, as a plain write makes it.
        for path in [&link, &chain, &target] {
            let model = small(5);
            model.save(path).unwrap();
            assert_eq!(weights(&load(&target).unwrap()), weights(&model));
            assert_eq!(weights(&load(&chain).unwrap()), weights(&model));
            assert_eq!(fs::read_link(&link).unwrap(), Path::new("real/target.bpk"));
            assert_eq!(fs::read_link(&chain).unwrap(), link);
        }
        assert_eq!(fs::read_dir(&real).unwrap().count(), 1);
        let circle = folder.path().join("circle.bpk");
        symlink("circle.bpk", &circle).unwrap();
        assert!(matches!(
            small(5).save(&circle),
            Err(SaveError::File { .. })
        ));
        symlink("no/folder.bpk", folder.path().join("nowhere.bpk")).unwrap();
        let nowhere = small(5).save(folder.path().join("nowhere.bpk"));
        assert!(matches!(nowhere, Err(SaveError::File { .. })));
    }

    const VARIABLE: &str = "DAMPER_TESTS_SAVE";

    #[test]
    #[ignore = "started by the test below, in a process of its own"]
    fn a_child_saves() {
        let path = std::env::var_os(VARIABLE).expect("it is started by another test");
        small(5).save(path).unwrap();
    }

    /// Root reads every folder: the child is another user, where there is one to be.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_may_not_be_read_takes_a_file() {
        // A user without a name may use no file of this one's but what all may.
        let folder = TempDir::new_in("/tmp").unwrap();
        let closed = folder.path().join("closed");
        fs::create_dir(&closed).unwrap();
        let program = folder.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set(folder.path(), 0o755);
        set(&closed, 0o333);
        let mut child = Command::new(&program);
        child
            .args(["--exact", "storage::saving::a_child_saves", "--ignored"])
            .env(VARIABLE, closed.join("small.bpk"))
            .current_dir("/");
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        if root {
            std::os::unix::process::CommandExt::uid(&mut child, 65_534);
        }
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        set(&closed, 0o755);
        assert!(load(&closed.join("small.bpk")).is_ok());
        assert_eq!(fs::read_dir(&closed).unwrap().count(), 1);
    }
}
