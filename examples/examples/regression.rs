//! Numbers from a CSV file: `cargo run --release --example regression [FILE]`.
//!
//! 442 diabetes patients, and how far the disease came within a year (Efron et al. 2004, through the crate
//! `smartcore`). The example writes them to a CSV file, and reads that. `DAMPER_SHORT=1` trains one seed for five epochs.

use damper::data::{self, Scaler};
use damper::prelude::*;
use damper::{Progress, compare};
use damper_examples::at_most;
use damper_examples::table::Table;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

model! {
    /// A straight line, to be better than.
    pub Line
    input patient: [11]
    layers { progression: linear(1); }
    loss mse
    train { optimizer: adamw(lr = 1e-2), epochs: 100, batch: 32 }
}

model! {
    /// A small network: few units, much decay, for there are few patients.
    pub Progression<width: usize = 16>

    input patient: [11]

    layers with decay(l2 = 0.1) {
        hidden:      linear(width) -> silu  with dropout(0.2) after silu;
        progression: linear(1);
    }

    loss huber(delta = 1.0)

    metrics mae, r2

    train {
        optimizer: adamw(lr = 3e-3),
        schedule:  cosine(warmup = 0.1),
        epochs: 150, batch: 32,
        early_stop(patience = 30),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = match std::env::args_os().nth(1) {
        Some(file) => PathBuf::from(file),
        None => write_patients()?,
    };
    let data = data::csv(&file)?.categorical("sex").target("progression")?;
    println!("{}: {data}", file.display());
    println!("columns: {}\n", data.columns().join(", "));

    // What the test part says of its own mean must not be known while training.
    let (train, test) = data.split(0.8, 42)?;
    let scaler = Scaler::standard(&train)?;
    let (train, test) = (scaler.apply(&train)?, scaler.apply(&test)?);

    let run = Progression::training().epochs(at_most(150, 5)).fit(&train, &test)?;
    println!("\n{}\n\n{}\n", run.model.spec(), run.diagnosis());

    let seeds = at_most(5, 1);
    let comparison = compare()
        .add("straight line", Line::training().epochs(at_most(100, 5)))
        .add("network", Progression::training().epochs(at_most(150, 5)))
        .seeds(seeds)
        .progress(Progress::Silent)
        .run(&train, &test)?;
    println!("{comparison}\n");

    let mut table = Table::new(&["patient", "predicted", "measured"]);
    for row in 0..5 {
        let Some(features) = test.row(row) else { break };
        let patient = Tensor::<1>::from_floats(features, &damper::device()?).unsqueeze();
        let predicted: f32 = run.model.predict(patient).into_scalar();
        let measured = match test.targets() {
            data::Targets::Values { values, .. } => values.get(row).copied().unwrap_or(f32::NAN),
            _ => f32::NAN,
        };
        table.row([row.to_string(), format!("{:.0}", 100.0 * predicted), format!("{:.0}", 100.0 * measured)]);
    }
    println!("Five patients of the test part (progression on its usual scale, 25 to 346):\n\n{table}");
    let valid = run.valid();
    if let [mae, r2] = valid.metrics[..] {
        println!("test mean absolute error {:.1}, R2 {r2:.3}", 100.0 * mae);
    }
    Ok(())
}

/// Writes the patients as a CSV file: a header, `sex` as text, the target in hundreds.
fn write_patients() -> Result<PathBuf, Box<dyn Error>> {
    let set = smartcore::dataset::diabetes::load_dataset();
    let mut text = String::from("age,sex,bmi,pressure,s1,s2,s3,s4,s5,s6,progression\n");
    for (patient, progression) in set.data.chunks(set.num_features).zip(&set.target) {
        for (column, value) in patient.iter().enumerate() {
            match (column, *value > 0.0) {
                (1, true) => text.push_str("a,"),
                (1, false) => text.push_str("b,"),
                _ => write!(text, "{value},")?,
            }
        }
        writeln!(text, "{}", *progression as f32 / 100.0)?;
    }
    let folder = std::env::temp_dir().join("damper-regression");
    std::fs::create_dir_all(&folder)?;
    let file: &Path = &folder.join("diabetes.csv");
    std::fs::write(file, text)?;
    Ok(file.to_owned())
}
