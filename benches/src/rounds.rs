//! Several programs measured in turn in one process, so that a drift of the machine meets all of them.

use std::fmt;

/// What is measured: gives the seconds of each step (or epoch, ..) that it took.
pub type Arm<'a> = (&'a str, Box<dyn FnMut() -> Vec<f64> + 'a>);

/// The measured arms; the first is what the others are compared with. `Display` is a table.
#[derive(Debug)]
pub struct Rounds {
    unit: &'static str,
    rows: Vec<Row>,
}

/// One arm.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The seconds that the fastest tenth of what was measured stays below, and their ratio to the first arm's: what
    /// other programs on the machine disturb least.
    pub fastest: (f64, f64),
    /// The median, and its ratio.
    pub median: (f64, f64),
}

impl Rounds {
    /// Runs every arm once to warm up, then `rounds` times in turn, each round beginning with another arm.
    pub fn measure(unit: &'static str, rounds: usize, mut arms: Vec<Arm<'_>>) -> Self {
        let mut times = vec![Vec::new(); arms.len()];
        for (_, arm) in &mut arms {
            arm();
        }
        for round in 0..rounds {
            for turn in 0..arms.len() {
                let index = (round + turn) % arms.len();
                times[index].extend(arms[index].1());
            }
        }
        let share = |seconds: &[f64], share| {
            let (own, first) = (
                quantile(seconds.to_vec(), share),
                quantile(times[0].clone(), share),
            );
            (own, own / first)
        };
        let row = |((name, _), seconds): (&Arm<'_>, &Vec<f64>)| Row {
            name: (*name).to_owned(),
            fastest: share(seconds, 0.1),
            median: share(seconds, 0.5),
        };
        let rows = arms.iter().zip(&times).map(row).collect();
        Self { unit, rows }
    }

    /// The arms in the order given.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|row| row.name.len())
            .max()
            .unwrap_or(0);
        writeln!(
            f,
            "  {:width$}  fastest tenth           ratio      median           ratio",
            ""
        )?;
        for Row {
            name,
            fastest,
            median,
        } in &self.rows
        {
            let unit = self.unit;
            write!(
                f,
                "  {name:width$}  {:9.4} ms {unit}   {:5.3}",
                1e3 * fastest.0,
                fastest.1
            )?;
            writeln!(f, "   {:9.4} ms {unit}   {:5.3}", 1e3 * median.0, median.1)?;
        }
        Ok(())
    }
}

/// The quantile of some numbers, between two of them by a straight line; NaN of none.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share * last as f64;
    let (low, high) = (
        values[place.floor() as usize],
        values[place.ceil() as usize],
    );
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbors() {
        assert!((quantile(vec![3.0, 1.0, 2.0], 0.5) - 2.0).abs() < 1e-12);
        assert!((quantile(vec![4.0, 1.0, 2.0, 3.0], 0.5) - 2.5).abs() < 1e-12);
        assert!(quantile(vec![], 0.5).is_nan());
    }

    #[test]
    fn arms_are_compared_with_the_first() {
        let arms: Vec<Arm> = vec![
            ("one", Box::new(|| vec![2.0])),
            ("two", Box::new(|| vec![3.0])),
        ];
        let rounds = Rounds::measure("a step", 3, arms);
        assert!((rounds.rows()[1].median.1 - 1.5).abs() < 1e-12);
    }
}
