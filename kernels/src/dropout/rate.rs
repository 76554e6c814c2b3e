//! The rate of dropout, and its results for kept and dropped numbers.

/// The probability that a number is dropped, rounded to a multiple of 1/65536.
///
/// Kept numbers are scaled by the inverse of the exact probability of being kept, so that the expectation is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// A number is dropped if its 16 random bits are below this threshold.
    pub(super) threshold: u32,
    scale: f32,
}

impl Rate {
    /// The rate nearest to `probability`. Negative numbers and NaN count as 0, numbers above 1 as 1.
    pub fn new(probability: f32) -> Self {
        let threshold = (probability.clamp(0.0, 1.0) * 65536.0).round() as u32;
        let scale = if threshold == 65536 {
            0.0
        } else {
            65536.0 / (65536 - threshold) as f32
        };
        Self { threshold, scale }
    }

    /// The exact probability that a number is dropped.
    pub fn probability(self) -> f32 {
        self.threshold as f32 / 65536.0
    }

    /// The factor of kept numbers.
    pub const fn scale(self) -> f32 {
        self.scale
    }
}

/// The results of dropout for a number `x`: `scale x + shift` if it is kept, `dropped` if not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The factor of a kept number and of its gradient.
    pub scale: f32,
    /// The term added to a kept number.
    pub shift: f32,
    /// The value of a dropped number.
    pub dropped: f32,
}

impl From<Rate> for Outcome {
    /// Ordinary dropout: kept numbers are scaled, dropped ones are 0.
    fn from(rate: Rate) -> Self {
        Self::scaled(rate.scale())
    }
}

impl Outcome {
    /// Kept numbers are scaled, dropped ones are 0.
    pub const fn scaled(scale: f32) -> Self {
        Self {
            scale,
            shift: 0.0,
            dropped: 0.0,
        }
    }
}
