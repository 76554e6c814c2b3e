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
    /// The median over the rounds of each round's median, in seconds.
    pub seconds: f64,
    /// The median of the rounds' ratios to the first arm.
    pub ratio: f64,
    /// The quartiles of those ratios.
    pub quartiles: (f64, f64),
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
                times[index].push(quantile(arms[index].1(), 0.5));
            }
        }
        let rows = arms
            .iter()
            .zip(&times)
            .map(|((name, _), seconds)| {
                let ratios: Vec<f64> = seconds.iter().zip(&times[0]).map(|(own, first)| own / first).collect();
                Row {
                    name: (*name).to_owned(),
                    seconds: quantile(seconds.clone(), 0.5),
                    ratio: quantile(ratios.clone(), 0.5),
                    quartiles: (quantile(ratios.clone(), 0.25), quantile(ratios, 0.75)),
                }
            })
            .collect();
        Self { unit, rows }
    }

    /// The arms in the order given.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in &self.rows {
            let Row { name, seconds, ratio, quartiles: (low, high) } = row;
            let (milliseconds, unit) = (1e3 * seconds, self.unit);
            writeln!(f, "  {name:width$}  {milliseconds:9.4} ms {unit}   ratio {ratio:5.3}   ({low:5.3} .. {high:5.3})")?;
        }
        Ok(())
    }
}

/// The quantile of some numbers, between two of them by a straight line; NaN of none.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(vec![4.0, 1.0, 2.0, 3.0], 0.5), 2.5);
        assert!(quantile(vec![], 0.5).is_nan());
    }

    #[test]
    fn arms_are_compared_with_the_first() {
        let arms: Vec<Arm> = vec![("one", Box::new(|| vec![2.0])), ("two", Box::new(|| vec![3.0]))];
        let rounds = Rounds::measure("a step", 3, arms);
        assert_eq!(rounds.rows()[1].ratio, 1.5);
    }
}
