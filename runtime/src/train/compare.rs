//! Compares configurations by training each with several seeds.

use super::error::TrainError;
use super::progress::Progress;
use super::result::StopReason;
use super::table::{Table, number, plural};
use super::training::Training;
use crate::Network;
use crate::data::Data;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt;
use std::io::{IsTerminal, Write};

/// Trains several named configurations with several seeds each, and compares them.
///
/// ```
/// use damper::data::Data;
/// use damper::model;
///
/// model! {
///     /// Whether two numbers have the same sign.
///     pub Sign<hidden: usize = 8>
///     input x: [2]
///     layers { fc: linear(hidden) -> tanh; head: linear(2); }
///     loss cross_entropy
///     train { optimizer: adamw(lr = 1e-2), epochs: 2, batch: 4 }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let data = Data::new([[0.5, 1.0], [-1.0, 0.25], [1.0, -0.5], [-0.5, -1.0]].repeat(5), [1, 0, 0, 1].repeat(5))?;
/// let (train, valid) = data.split(0.8, 42)?;
/// let table = damper::compare()
///     .add("8 units", Sign::training())
///     .add("32 units", SignConfig::new().with_hidden(32).training())
///     .seeds(2)
///     .run(&train, &valid)?;
/// println!("{table}");
/// # Ok(())
/// # }
/// ```
pub fn compare() -> Compare {
    Compare {
        candidates: Vec::new(),
        seeds: 5,
        progress: Progress::Auto,
    }
}

/// The configurations to compare, made by [`compare`].
pub struct Compare {
    candidates: Vec<(String, Box<dyn Candidate>)>,
    seeds: usize,
    progress: Progress,
}

/// A training of some model.
trait Candidate {
    /// Trains with the `index`th seed.
    fn train(&self, index: u64, train: &Data, valid: &Data) -> Result<Outcome, TrainError>;
}

/// The result of one training.
struct Outcome {
    metric: String,
    higher_is_better: bool,
    train: f64,
    valid: f64,
    is_interrupted: bool,
}

impl<M: Network> Candidate for Training<M> {
    fn train(&self, index: u64, train: &Data, valid: &Data) -> Result<Outcome, TrainError> {
        let seed = self.seed_or_default()?.wrapping_add(index);
        let run = self
            .clone()
            .seed(seed)
            .progress(Progress::Silent)
            .fit(train, valid)?;
        let first = run.spec.metrics().into_iter().next();
        let pick = |measures: &super::history::Measures| measures.metrics.first().copied();
        let (metric, higher_is_better, train, valid) = match (
            first,
            pick(run.train_measures()),
            pick(run.valid_measures()),
        ) {
            (Some(kind), Some(train), Some(valid)) => {
                (kind.to_string(), kind.higher_is_better(), train, valid)
            }
            _ => (
                "loss".to_owned(),
                false,
                run.train_measures().loss,
                run.valid_measures().loss,
            ),
        };
        let is_interrupted = matches!(run.stop_reason(), StopReason::Interrupted { .. });
        Ok(Outcome {
            metric,
            higher_is_better,
            train,
            valid,
            is_interrupted,
        })
    }
}

impl Compare {
    /// Adds a configuration.
    #[must_use]
    pub fn add<M: Network>(mut self, name: impl Into<String>, training: Training<M>) -> Self {
        self.candidates.push((name.into(), Box::new(training)));
        self
    }

    /// The number of seeds for each configuration (default 5): its own seed and the following ones.
    #[must_use]
    pub fn seeds(mut self, seeds: usize) -> Self {
        self.seeds = seeds;
        self
    }

    /// The progress display.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Trains all configurations, one after the other. Ctrl-C ends the comparison; the result has what was finished.
    ///
    /// # Errors
    ///
    /// The first error of a training. [`TrainError::Setting`] if there are no seeds or no configurations.
    pub fn run(&self, train: &Data, valid: &Data) -> Result<Comparison, TrainError> {
        for (name, n) in [("seeds", self.seeds), ("compare", self.candidates.len())] {
            if n == 0 {
                return Err(TrainError::Setting {
                    name,
                    value: if name == "seeds" {
                        "0".to_owned()
                    } else {
                        "empty".to_owned()
                    },
                    reason: "there is nothing to train".to_owned(),
                    help: "`compare().add(\"baseline\", Baseline::training()).seeds(5)`".to_owned(),
                });
            }
        }
        let teller = Teller::new(self.progress, self.candidates.len() * self.seeds);
        let mut comparison = Comparison {
            trials: Vec::new(),
            is_interrupted: false,
        };
        'all: for (name, candidate) in &self.candidates {
            let mut trial = Trial {
                name: name.clone(),
                ..Trial::default()
            };
            for seed in 0..self.seeds {
                teller.before(name, seed + 1, self.seeds);
                let outcome = candidate.train(seed as u64, train, valid)?;
                if outcome.is_interrupted {
                    comparison.is_interrupted = true;
                    if !trial.train.is_empty() {
                        comparison.trials.push(trial);
                    }
                    break 'all;
                }
                trial.metric = outcome.metric;
                trial.higher_is_better = outcome.higher_is_better;
                trial.train.push(outcome.train);
                trial.valid.push(outcome.valid);
                teller.after();
            }
            teller.done(&trial);
            comparison.trials.push(trial);
        }
        Ok(comparison)
    }
}

/// The result of [`Compare::run`]. `Display` prints a table with training, validation and gap, each as mean and standard
/// deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The configurations, in the order they were added.
    pub trials: Vec<Trial>,
    /// Whether Ctrl-C ended the comparison early.
    pub is_interrupted: bool,
}

/// The results of one configuration, with one value per seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Its name.
    pub name: String,
    /// The metric: the first one of the model.
    pub metric: String,
    /// Whether higher is better.
    pub higher_is_better: bool,
    /// The metric of each final model on the training samples, with inference behavior.
    pub train: Vec<f64>,
    /// The metric of each final model on the validation samples.
    pub valid: Vec<f64>,
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanStd {
    /// The mean.
    pub mean: f64,
    /// The standard deviation over the seeds, with n - 1 (0 for one seed).
    pub std: f64,
}

impl MeanStd {
    /// The mean and the standard deviation of values.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self {
            mean,
            std: (squares / (n - 1.0).max(1.0)).sqrt(),
        }
    }
}

impl Trial {
    /// The metric on the training samples.
    pub fn train(&self) -> MeanStd {
        MeanStd::of(&self.train)
    }

    /// The metric on the validation samples.
    pub fn valid(&self) -> MeanStd {
        MeanStd::of(&self.valid)
    }

    /// How much worse the metric is on the validation samples, computed per seed.
    pub fn gap(&self) -> MeanStd {
        let sign = if self.higher_is_better { 1.0 } else { -1.0 };
        let gaps: Vec<f64> = self
            .train
            .iter()
            .zip(&self.valid)
            .map(|(train, valid)| sign * (train - valid))
            .collect();
        MeanStd::of(&gaps)
    }
}

impl fmt::Display for MeanStd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ± {}", number(self.mean), number(self.std))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.trials.first();
        let is_one_metric =
            first.is_some_and(|first| self.trials.iter().all(|trial| trial.metric == first.metric));
        let mut table = Table::new(["", "training", "validation", "gap"]);
        for trial in &self.trials {
            let name = if is_one_metric {
                trial.name.clone()
            } else {
                format!("{} ({})", trial.name, trial.metric)
            };
            table.row(vec![
                name,
                trial.train().to_string(),
                trial.valid().to_string(),
                trial.gap().to_string(),
            ]);
        }
        table.fmt(f)?;
        if let Some(first) = first {
            let metric = if is_one_metric {
                first.metric.as_str()
            } else {
                "metric"
            };
            let seeds = plural(first.train.len(), "seed");
            write!(
                f,
                "\n{metric} of the final models: mean ± standard deviation over {seeds}"
            )?;
        }
        if self.is_interrupted {
            f.write_str("\ninterrupted: not all were trained")?;
        }
        Ok(())
    }
}

/// Shows the progress of a comparison.
enum Teller {
    Bar(ProgressBar),
    Lines,
    Silent,
}

impl Teller {
    fn new(progress: Progress, runs: usize) -> Self {
        match progress {
            Progress::Silent => Self::Silent,
            Progress::Lines => Self::Lines,
            Progress::Auto if !std::io::stderr().is_terminal() => Self::Lines,
            Progress::Auto | Progress::Bar | Progress::Dashboard => {
                let bar = ProgressBar::new(runs as u64);
                if let Ok(style) =
                    ProgressStyle::with_template("{pos}/{len} {bar:20} {eta:>3} left  {wide_msg}")
                {
                    bar.set_style(style.progress_chars("━╸ "));
                }
                bar.tick();
                Self::Bar(bar)
            }
        }
    }

    fn before(&self, name: &str, seed: usize, seeds: usize) {
        if let Self::Bar(bar) = self {
            bar.set_message(format!("{name}, seed {seed} of {seeds}"));
        }
    }

    fn after(&self) {
        if let Self::Bar(bar) = self {
            bar.inc(1);
        }
    }

    fn done(&self, trial: &Trial) {
        let line = || {
            format!(
                "{}: {} {} (training {})",
                trial.name,
                trial.metric,
                trial.valid(),
                trial.train()
            )
        };
        match self {
            Self::Bar(bar) => bar.println(line()),
            // A closed standard error must not end the comparison.
            Self::Lines => drop(writeln!(std::io::stderr(), "{}", line())),
            Self::Silent => {}
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, MeanStd, Trial};

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let both = MeanStd::of(&[1.0, 2.0, 3.0]);
        assert_eq!((both.mean, both.std), (2.0, 1.0));
        assert_eq!(MeanStd::of(&[5.0]).std.to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn the_gap_is_positive_where_validation_is_worse() {
        let accuracy = Trial {
            higher_is_better: true,
            train: vec![1.0],
            valid: vec![0.75],
            ..Trial::default()
        };
        let error = Trial {
            higher_is_better: false,
            train: vec![1.0],
            valid: vec![1.5],
            ..Trial::default()
        };
        assert_eq!((accuracy.gap().mean, error.gap().mean), (0.25, 0.5));
    }

    #[test]
    fn the_table_has_a_row_for_each_configuration() {
        let trial = |name: &str, valid| Trial {
            name: name.to_owned(),
            metric: "accuracy".to_owned(),
            higher_is_better: true,
            train: vec![1.0, 1.0],
            valid: vec![valid, valid],
        };
        let comparison = Comparison {
            trials: vec![trial("baseline", 0.875), trial("l2", 0.9375)],
            is_interrupted: false,
        };
        assert_eq!(
            comparison.to_string(),
            "                 training       validation              gap\n\
             baseline  1.0000 ± 0.0000  0.8750 ± 0.0000  0.1250 ± 0.0000\n\
             l2        1.0000 ± 0.0000  0.9375 ± 0.0000  0.0625 ± 0.0000\n\
             accuracy of the final models: mean ± standard deviation over 2 seeds"
        );
    }
}
