//! The progress display of a training: a bar, lines, or nothing.

use super::error::Phase;
use super::history::{Epoch, History};
use super::table::{number, plural, rate};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

/// The progress display of a training. It is written to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A bar if standard error is a terminal, otherwise lines.
    #[default]
    Auto,
    /// One bar: epoch, time left, loss, validation loss and metrics, penalties.
    Bar,
    /// One line per epoch.
    Lines,
    /// Nothing.
    Silent,
    /// burn's dashboard with plots in the whole terminal (cargo feature `tui`).
    Dashboard,
}

/// A progress display. It is called from the thread that reads metrics (`batch`) and from the training thread.
pub(super) trait Show: Send + Sync {
    /// After a batch. `loss` is the mean over the epoch so far.
    fn batch(&self, phase: Phase, loss: f64);
    /// After an epoch, the last one of the history.
    fn epoch(&self, history: &History);
    /// After the training.
    fn end(&self, history: &History, how: &str);
}

impl Progress {
    /// The display for a training of `epochs` epochs with `batches` batches each, validation included.
    pub(super) fn show(self, epochs: usize, batches: usize) -> Box<dyn Show> {
        match self {
            Self::Auto if std::io::stderr().is_terminal() => Box::new(Bar::new(epochs, batches)),
            Self::Bar => Box::new(Bar::new(epochs, batches)),
            Self::Auto | Self::Lines => Box::new(Lines { epochs }),
            Self::Silent | Self::Dashboard => Box::new(Silent),
        }
    }
}

struct Silent;

impl Show for Silent {
    fn batch(&self, _: Phase, _: f64) {}
    fn epoch(&self, _: &History) {}
    fn end(&self, _: &History, _: &str) {}
}

struct Lines {
    epochs: usize,
}

impl Show for Lines {
    fn batch(&self, _: Phase, _: f64) {}

    fn epoch(&self, history: &History) {
        if let Some(epoch) = history.last() {
            say(&line(epoch, self.epochs, &history.metrics));
        }
    }

    fn end(&self, history: &History, how: &str) {
        say(&summary(history, how));
    }
}

struct Bar {
    line: ProgressBar,
    epochs: usize,
    batches: usize,
}

impl Bar {
    fn new(epochs: usize, batches: usize) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some((epochs as u64).saturating_mul(batches as u64)),
            ProgressDrawTarget::stderr(),
        );
        // The template is valid; if it were not, indicatif's default would do.
        if let Ok(style) =
            ProgressStyle::with_template("epoch {prefix} {bar:14} {eta:>3} left  {wide_msg}")
        {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_prefix(format!("1/{epochs}"));
        Self {
            line: bar,
            epochs,
            batches,
        }
    }
}

impl Show for Bar {
    fn batch(&self, phase: Phase, loss: f64) {
        // After the first epoch there is better information than the running loss.
        if phase == Phase::Training && self.line.position() < self.batches as u64 {
            self.line.set_message(format!("loss {}", number(loss)));
        }
        self.line.inc(1);
    }

    fn epoch(&self, history: &History) {
        if let Some(epoch) = history.last() {
            self.line
                .set_position((epoch.epoch as u64).saturating_mul(self.batches as u64));
            self.line.set_prefix(format!(
                "{}/{}",
                (epoch.epoch + 1).min(self.epochs),
                self.epochs
            ));
            let losses = [("loss", epoch.train.loss), ("valid", epoch.valid.loss)];
            let mut parts: Vec<String> = losses
                .iter()
                .map(|(name, value)| format!("{name} {}", number(*value)))
                .collect();
            let metrics = history.metrics.iter().zip(&epoch.valid.metrics);
            parts.extend(metrics.map(|(name, value)| format!("{name} {}", number(*value))));
            parts.extend(penalties(epoch));
            self.line.set_message(parts.join("  "));
        }
    }

    fn end(&self, history: &History, how: &str) {
        self.line.finish_and_clear();
        say(&summary(history, how));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if !self.line.is_finished() {
            self.line.finish_and_clear();
        }
    }
}

/// A closed standard error must not end a training.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn line(epoch: &Epoch, epochs: usize, metrics: &[String]) -> String {
    let width = epochs.to_string().len();
    let pair = |name: &str, train: f64, valid: f64| {
        format!("{name} {} (valid {})", number(train), number(valid))
    };
    let mut parts = vec![
        format!("epoch {:>width$}/{epochs}", epoch.epoch),
        pair("loss", epoch.train.loss, epoch.valid.loss),
    ];
    for ((name, train), valid) in metrics
        .iter()
        .zip(&epoch.train.metrics)
        .zip(&epoch.valid.metrics)
    {
        parts.push(pair(name, *train, *valid));
    }
    parts.extend(penalties(epoch));
    parts.extend([
        format!("lr {}", rate(epoch.learning_rate)),
        format!("{:.2} s", epoch.seconds),
    ]);
    parts.join("  ")
}

fn penalties(epoch: &Epoch) -> impl Iterator<Item = String> {
    let both = [("penalty", epoch.penalty), ("activity", epoch.activity)];
    both.into_iter()
        .filter(|(_, value)| *value != 0.0)
        .map(|(name, value)| format!("{name} {}", number(value)))
}

fn summary(history: &History, how: &str) -> String {
    // Starts from 0, because an empty sum is -0.
    let seconds = history
        .epochs
        .iter()
        .fold(0.0, |sum, epoch| sum + epoch.seconds);
    let mut parts = vec![format!(
        "{}: {} in {seconds:.1} s{how}",
        history.model,
        plural(history.epochs.len(), "epoch")
    )];
    let kept = history
        .best
        .and_then(|best| history.epochs.get(best.checked_sub(1)?))
        .or(history.last());
    if let Some(epoch) = kept {
        parts.extend(history.best.map(|best| format!("best epoch {best}")));
        parts.push(format!("validation loss {}", number(epoch.valid.loss)));
        let metrics = history.metrics.iter().zip(&epoch.valid.metrics);
        parts.extend(metrics.map(|(name, value)| format!("{name} {}", number(*value))));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::history::Measures;
    use super::*;

    fn history() -> History {
        let epoch = Epoch {
            epoch: 1,
            train: Measures {
                loss: 1.5,
                metrics: vec![0.5],
            },
            valid: Measures {
                loss: 1.25,
                metrics: vec![0.75],
            },
            penalty: 0.125,
            activity: 0.0,
            learning_rate: 1e-3,
            seconds: 0.5,
        };
        History {
            model: "Digits".to_owned(),
            metrics: vec!["accuracy".to_owned()],
            epochs: vec![epoch],
            ..History::default()
        }
    }

    #[test]
    fn a_line_has_everything_of_an_epoch() {
        assert_eq!(
            line(&history().epochs[0], 30, &history().metrics),
            "epoch  1/30  loss 1.5000 (valid 1.2500)  accuracy 0.5000 (valid 0.7500)  penalty 0.1250  lr 1e-3  0.50 s"
        );
    }

    #[test]
    fn the_summary_names_the_kept_epoch() {
        let history = History {
            best: Some(1),
            ..history()
        };
        assert_eq!(
            summary(&history, ""),
            "Digits: 1 epoch in 0.5 s, best epoch 1, validation loss 1.2500, accuracy 0.7500"
        );
    }
}
