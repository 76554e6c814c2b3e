//! Numbers from a CSV file: `cargo run --release --example regression [FILE]`.
//!
//! 442 diabetes patients, and how far the disease came within a year (Efron et al. 2004, through the crate
//! `smartcore`). The example writes them to a CSV file, and reads that. `DAMPER_SHORT=1` trains one seed for five epochs.

use damper::data::{self, Scaler, Targets};
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
        optimizer: adamw(lr = 1e-2),
        schedule:  cosine(warmup = 0.1),
        epochs: 40, batch: 16,
        early_stop(patience = 10),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let file = match std::env::args_os().nth(1) {
        Some(file) => PathBuf::from(file),
        None => write_patients()?,
    };
    let data = data::csv(&file)?.categorical("sex").target("progression")?;
    println!("{}: {data}", file.display());
    println!("columns: {}\n", data.columns().join(", "));

    // Early stopping looks at the validation part, nothing at the test part; means and deviations are the training part's.
    let (learn, test) = data.split(0.8, 42)?;
    let (train, valid) = learn.split(0.85, 42)?;
    let scaler = Scaler::standard(&train)?;
    let (train, valid, test) = (
        scaler.apply(&train)?,
        scaler.apply(&valid)?,
        scaler.apply(&test)?,
    );

    let run = Progression::training()
        .epochs(at_most(40, 5))
        .fit(&train, &valid)?;
    println!("\n{}\n\n{}\n", run.model.spec(), run.diagnosis());

    let seeds = at_most(5, 1);
    let comparison = compare()
        .add("straight line", Line::training().epochs(at_most(100, 5)))
        .add("network", Progression::training().epochs(at_most(40, 5)))
        .seeds(seeds)
        .progress(Progress::Silent)
        .run(&train, &valid)?;
    println!("{comparison}\n");

    let Targets::Values {
        values: measured, ..
    } = test.targets()
    else {
        return Ok(());
    };
    let predicted = run.model.predict_data(&test)?;
    let predicted: Vec<f32> = predicted.into_data().iter().collect();

    println!("Five patients of the test part (on the usual scale, 25 to 346):\n");
    let mut table = Table::new(&["patient", "predicted", "measured"]);
    for (row, (predicted, measured)) in predicted.iter().zip(measured.iter()).take(5).enumerate() {
        table.row([
            row.to_string(),
            format!("{:.0}", 100.0 * predicted),
            format!("{:.0}", 100.0 * measured),
        ]);
    }
    println!("{table}");
    let metrics = run.evaluate(&test)?.metrics;
    let (error, r2) = (metrics[0], metrics[1]);
    println!("test: mean absolute error {:.1}, R2 {r2:.3}", 100.0 * error);
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
