//! A model knows the columns and classes it was trained on: after saving and loading, too.

use crate::common::numbers;
use damper::data::{self, Data, DataError};
use damper::prelude::*;
use damper::{LoadError, PredictError, Progress, TrainError, TrainingResult};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

model! {
    /// Tells animals apart by a row of a table. The files `fixtures/without_schema.*` hold its weights.
    pub Animal
    input row: [4]
    layers { hidden: linear(8) -> tanh; head: linear(3); }
    loss cross_entropy
    metrics accuracy
    train { optimizer: adamw(lr = 0.01), epochs: 4, batch: 8, seed: 3 }
}

model! {
    /// Three steps of two numbers, and a class for each step.
    pub Steps
    input x: [3, 2]
    layers { hidden: linear(4) -> tanh; head: linear(2); }
    loss cross_entropy
    train { epochs: 1, batch: 8, seed: 3 }
}

const FORMATS: [&str; 2] = ["safetensors", "bpk"];
const KINDS: [&str; 3] = ["cat", "dog", "horse"];
const CITIES: [&str; 2] = ["Bern", "Rome"];

/// Size, city, weight and kind of one animal. The kinds begin with `first`.
fn animal(row: usize, first: usize) -> (f32, usize, f32, usize) {
    let kind = (row + first) % 3;
    let size = kind as f32 + (row % 5) as f32 * 0.1;
    let weight = [0.4, 1.0, 3.0][kind] + (row % 4) as f32 * 0.1;
    (size, row % 2, weight, kind)
}

fn training_data() -> Data {
    let rows = (0..24).map(|row| {
        let (size, city, weight, kind) = animal(row, 0);
        format!("{size},{},{weight},{}\n", CITIES[city], KINDS[kind])
    });
    read(&format!(
        "size,city,weight,kind\n{}",
        rows.collect::<String>()
    ))
}

/// Other rows: the columns stand in another order, and horses and Rome come first.
fn other_order() -> Data {
    let rows = (0..24).map(|row| {
        let (size, city, weight, kind) = animal(row + 1, 1);
        format!("{},{weight},{size},{}\n", KINDS[kind], CITIES[city])
    });
    read(&format!(
        "kind,weight,size,city\n{}",
        rows.collect::<String>()
    ))
}

/// The same rows as arrays, as the model reads them: size, Bern, Rome, weight; 0 for a cat.
fn by_position() -> Data {
    let rows = (0..24).map(|row| {
        let (size, city, weight, kind) = animal(row + 1, 1);
        let city = [f32::from(city == 0), f32::from(city == 1)];
        ([size, city[0], city[1], weight], kind)
    });
    let (rows, kinds): (Vec<_>, Vec<_>) = rows.unzip();
    Data::new(rows, kinds).unwrap()
}

fn read(text: &str) -> Data {
    let table = data::csv_from("animals.csv", text.as_bytes()).unwrap();
    table.categorical("city").target("kind").unwrap()
}

fn trained() -> TrainingResult<Animal> {
    let training = Animal::training().progress(Progress::Silent);
    training.fit(&training_data(), &training_data()).unwrap()
}

fn fixture(format: &str) -> String {
    format!(
        "{}/fixtures/without_schema.{format}",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn load(path: impl AsRef<Path>) -> Result<Animal, LoadError> {
    Animal::load(path, &Device::flex())
}

#[test]
fn a_loaded_model_reads_columns_and_classes_by_name() {
    let run = trained();
    let folder = TempDir::new().unwrap();
    let data = other_order();
    let measured = run.evaluate(&data).unwrap();
    assert_eq!(run.evaluate(&by_position()).unwrap(), measured);
    assert_eq!(run.model.evaluate(&data).unwrap(), measured);
    let predicted = numbers(run.model.predict_data(&data).unwrap());
    for format in FORMATS {
        let path = folder.path().join(format!("animal.{format}"));
        run.model.save(&path).unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!(loaded.spec().schema(), Some(run.schema()), "{format}");
        assert_eq!(loaded.evaluate(&data).unwrap(), measured, "{format}");
        assert_eq!(
            &loaded.evaluate(&training_data()).unwrap(),
            run.valid_measures(),
            "{format}"
        );
        assert_eq!(numbers(loaded.predict_data(&data).unwrap()), predicted);

        // What is saved again is the same file.
        let again = folder.path().join(format!("again.{format}"));
        loaded.save(&again).unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    }
    assert_eq!(measured.metrics.len(), run.model.spec().metrics().len());
}

#[test]
fn every_copy_of_a_model_knows_its_columns() {
    let run = trained();
    let schema = run.model.spec().schema().cloned();
    assert!(schema.is_some());
    let (model, device) = (run.model, Device::flex());
    let learning = model.clone().to_device(&device.clone().autodiff());
    for copy in [
        model.clone(),
        model.clone().train(),
        model.clone().train().valid(),
        model.clone().fork(&device),
        model.clone().no_grad(),
        learning.clone(),
    ] {
        assert_eq!(copy.spec().schema().cloned(), schema);
    }
    // On a training device it is evaluated as at inference.
    let data = other_order();
    assert_eq!(
        learning.evaluate(&data).unwrap(),
        model.evaluate(&data).unwrap()
    );
    assert_eq!(
        numbers(learning.predict_data(&data).unwrap()),
        numbers(model.predict_data(&data).unwrap())
    );
    assert_eq!(
        AnimalConfig::new().init(&device).unwrap().spec().schema(),
        None
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let model = trained().model;
    let data = read("size,city,kind\n1,Bern,cat\n");
    let Err(TrainError::Data(error)) = model.evaluate(&data) else {
        panic!("a column is missing");
    };
    assert!(matches!(*error, DataError::Columns { .. }), "{error}");
    assert!(error.to_string().contains("`weight`"), "{error}");
    let Err(PredictError::Data(error)) = model.predict_data(&data) else {
        panic!("a column is missing");
    };
    assert!(error.to_string().contains("`weight`"), "{error}");

    let error = model.evaluate(&read("size,city,weight,kind\n1,Bern,1,cow\n"));
    assert!(error.unwrap_err().to_string().contains("`cow`"));
    let error = model.predict_data(&read("size,city,weight,kind\n1,Oslo,1,cat\n"));
    assert!(error.unwrap_err().to_string().contains("`Oslo`"));
    // Predictions do not ask for classes.
    model
        .predict_data(&read("size,city,weight,kind\n1,Bern,1,cow\n"))
        .unwrap();
}

#[test]
fn predictions_need_no_targets_and_keep_the_order_of_rows() {
    let model = trained().model;
    // More rows than a batch has.
    let rows: Vec<[f32; 4]> = (0..600)
        .map(|row| [row as f32 / 300.0, 1.0, 0.0, 2.0])
        .collect();
    let predicted = model
        .predict_data(&Data::new(rows.clone(), ()).unwrap())
        .unwrap();
    let rows = Tensor::<1>::from_floats(rows.as_flattened(), &Device::flex()).reshape([600, 4]);
    let expected = numbers(model.predict(rows));
    assert_eq!(predicted.dims(), [600, 3]);
    for (row, (found, expected)) in numbers(predicted).iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() < 1e-6,
            "number {row}: {found}, {expected}"
        );
    }
    let table = data::csv_from("x.csv", "weight,city,size\n2,Bern,1\n".as_bytes()).unwrap();
    let predicted = model
        .predict_data(&table.categorical("city").features().unwrap())
        .unwrap();
    assert_eq!(numbers(predicted), expected[900..903]);
}

#[test]
fn an_output_with_more_axes_has_a_row_for_each_position() {
    let rows: Vec<[f32; 6]> = (0..10).map(|row| [row as f32 / 10.0; 6]).collect();
    let classes: Vec<[usize; 3]> = (0..10).map(|row| [row % 2, 1, 0]).collect();
    let data = Data::new(rows.clone(), classes).unwrap();
    let training = Steps::training().progress(Progress::Silent);
    let model = training.fit(&data, &data).unwrap().model;
    let predicted = model.predict_data(&data).unwrap();
    assert_eq!(predicted.dims(), [30, 2]);
    let x = Tensor::<1>::from_floats(rows.as_flattened(), &Device::flex()).reshape([10, 3, 2]);
    assert_eq!(numbers(predicted), numbers(model.predict(x)));
    assert_eq!(model.evaluate(&data).unwrap().metrics.len(), 1);
}

/// The program of the README.
#[test]
fn a_scaled_table_without_targets_is_predicted_by_name() {
    let train = training_data();
    let scaler = data::Scaler::standard(&train).unwrap();
    let train = scaler.apply(&train).unwrap();
    let training = Animal::training().progress(Progress::Silent);
    let model = training.fit(&train, &train).unwrap().model;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("animal.safetensors");
    model.save(&path).unwrap();

    // The first two rows, with other columns first, and Rome before Bern.
    let (one, two) = (animal(0, 0), animal(1, 0));
    let text = format!(
        "weight,city,size\n{},Rome,{}\n{},Bern,{}\n",
        two.2, two.0, one.2, one.0
    );
    let new = data::csv_from("new.csv", text.as_bytes()).unwrap();
    let new = new.categorical("city").features().unwrap();
    let new = scaler.apply(&new).unwrap();
    let predicted = numbers(load(&path).unwrap().predict_data(&new).unwrap());
    let all = numbers(model.predict_data(&train).unwrap());
    for (found, expected) in predicted.iter().zip(all[3..6].iter().chain(&all[..3])) {
        assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    }
}

/// Saved before models had a schema, after training on `training_data`.
#[test]
fn files_without_columns_are_read_by_position() {
    for format in FORMATS {
        let model = load(fixture(format)).unwrap();
        assert_eq!(model.spec().schema(), None);
        let measured = model.evaluate(&training_data()).unwrap();
        assert!((measured.loss - 0.396_901_756).abs() < 1e-5, "{measured:?}");
        assert_eq!(measured.metrics, [1.0]);
        // The program may say which columns they are.
        let mut named = model.clone();
        named.spec_mut().set_schema(training_data().schema());
        let expected = model.evaluate(&by_position()).unwrap();
        assert_ne!(model.evaluate(&other_order()).unwrap(), expected);
        assert_eq!(named.evaluate(&other_order()).unwrap(), expected);
    }
}

#[test]
fn weights_that_are_loaded_into_a_model_bring_their_columns() {
    let run = trained();
    let folder = TempDir::new().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format!("animal.{format}"));
        run.model.save(&path).unwrap();
        let fresh = AnimalConfig::new().init(&Device::flex()).unwrap();
        let loaded = damper::load_weights(fresh, &path).unwrap();
        assert_eq!(loaded.spec().schema(), Some(run.schema()));
        // The columns of other weights are not those of these.
        let replaced = damper::load_weights(loaded, fixture(format)).unwrap();
        assert_eq!(replaced.spec().schema(), None);
    }
}

/// The file of the fixture with a schema, and the checksum that it asks for.
fn with_schema(schema: &str, checksum: bool) -> Vec<u8> {
    let bytes = fs::read(fixture("safetensors")).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut metadata: HashMap<String, String> = header.metadata().clone().unwrap();
    metadata.insert("damper.schema".to_owned(), schema.to_owned());
    if checksum {
        let mut tensors = file.tensors();
        tensors.sort_by(|one, other| one.0.cmp(&other.0));
        let texts = ["damper.config", "damper.schema", "damper.spec"];
        let texts = texts.iter().map(|key| metadata[*key].as_bytes());
        let tensors = tensors
            .iter()
            .flat_map(|(name, tensor)| [name.as_bytes(), tensor.data()]);
        let sum = texts
            .chain(tensors)
            .flatten()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
                (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        metadata.insert("damper.checksum".to_owned(), format!("{sum:016x}"));
    }
    safetensors::serialize(file.tensors(), Some(metadata)).unwrap()
}

#[test]
fn columns_that_cannot_be_read_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("animal.safetensors");
    let whole = serde_json::to_value(training_data().schema()).unwrap();
    let saved = |version: u32| serde_json::json!({ "version": version, "schema": whole.clone() });
    let both = |bytes: Vec<u8>| {
        fs::write(&path, bytes).unwrap();
        let fresh = AnimalConfig::new().init(&Device::flex()).unwrap();
        [load(&path), damper::load_weights(fresh, &path)]
    };
    for loaded in both(with_schema(&saved(1).to_string(), true)) {
        assert_eq!(
            loaded.unwrap().spec().schema(),
            Some(&training_data().schema())
        );
    }
    let unreadable = [
        ("", "EOF"),
        ("{}", "version"),
        (r#"{"version":1}"#, "expected"),
        (
            r#"{"version":1,"schema":{"inputs":3}}"#,
            "integer `3`, expected a sequence",
        ),
        (
            &saved(2).to_string(),
            "they have version 2, but this program reads version 1",
        ),
    ];
    for (schema, reason) in unreadable {
        for loaded in both(with_schema(schema, true)) {
            let error = loaded.unwrap_err();
            assert!(
                matches!(error, LoadError::Schema { .. }),
                "{schema}: {error}"
            );
            assert!(error.to_string().contains(reason), "{schema}: {error}");
        }
    }
    for loaded in both(with_schema(&saved(1).to_string(), false)) {
        let error = loaded.unwrap_err();
        assert!(matches!(error, LoadError::Damaged { .. }), "{error}");
    }
}

#[test]
fn no_flipped_bit_gives_other_columns() {
    let folder = TempDir::new().unwrap();
    let run = trained();
    for format in FORMATS {
        let path = folder.path().join(format!("animal.{format}"));
        run.model.save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        let key = b"damper.schema";
        let start = whole
            .windows(key.len())
            .position(|bytes| bytes == key)
            .unwrap();
        for byte in start..start + 700 {
            let mut bytes = whole.clone();
            bytes[byte] ^= 1 << (byte % 8);
            fs::write(&path, &bytes).unwrap();
            match load(&path) {
                Err(LoadError::Damaged { .. }) => {}
                Ok(loaded) => assert_eq!(loaded.spec().schema(), Some(run.schema())),
                Err(error) => panic!("{format}, byte {byte}: {error}"),
            }
        }
    }
}
