//! A fused optimizer step over the weights of a parameter: in place, decay and limits included.

use pulp::{Arch, Simd, WithSimd};

use crate::{LengthMismatch, sum};

/// What acts on each weight and each gradient besides the optimizer. The default does nothing.
///
/// The order is fixed. With the old weight `w`, its gradient `g`, and what the optimizer makes of that, `d`:
/// 1. `g ← scale g + l1 sign(w) + l2 w`, cut to between `-limit` and `limit`, and `coupled w` added;
/// 2. `w ← keep w - d`;
/// 3. `w` moves by `threshold` towards 0, and stops there: the exact zeros of a proximal step (Parikh & Boyd 2014);
/// 4. `w` is no less than `floor`.
///
/// NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Treatment {
    /// What every gradient is multiplied by first, as clipping by the global norm does; 1 for nothing.
    pub scale: f32,
    /// The strength of a penalty on absolute values.
    pub l1: f32,
    /// Twice the strength of a penalty on squares.
    pub l2: f32,
    /// The greatest absolute value of a gradient; infinite for none.
    pub limit: f32,
    /// The share of the weight that is added to its gradient: coupled decay.
    pub coupled: f32,
    /// What the weight is multiplied by: decoupled decay is `1 - rate decay`, none is 1.
    pub keep: f32,
    /// By how much the weight moves towards 0: the rate times the decay.
    pub threshold: f32,
    /// The least weight: 0 where none may be negative; minus infinity for none.
    pub floor: f32,
}

impl Default for Treatment {
    fn default() -> Self {
        Self::NONE
    }
}

impl Treatment {
    /// Nothing: the default.
    pub const NONE: Self = Self {
        scale: 1.0,
        l1: 0.0,
        l2: 0.0,
        limit: f32::INFINITY,
        coupled: 0.0,
        keep: 1.0,
        threshold: 0.0,
        floor: f32::NEG_INFINITY,
    };

    /// Whether there is nothing but `scale` and `keep`, which need no more than a multiplication each.
    fn is_plain(&self) -> bool {
        let Self { scale, keep, .. } = *self;
        *self
            == Self {
                scale,
                keep,
                ..Self::NONE
            }
    }

    /// The gradient that the optimizer sees.
    #[inline(always)]
    fn gradient<const PLAIN: bool>(&self, weight: f32, gradient: f32) -> f32 {
        if PLAIN {
            return self.scale * gradient;
        }
        let below = if weight < 0.0 { -self.l1 } else { 0.0 };
        let penalty = if weight > 0.0 { self.l1 } else { below };
        let penalized = self
            .l2
            .mul_add(weight, self.scale.mul_add(gradient, penalty));
        self.coupled.mul_add(weight, within(penalized, self.limit))
    }

    /// The new weight, from which the optimizer takes `size * direction`.
    #[inline(always)]
    fn weight<const PLAIN: bool>(&self, weight: f32, size: f32, direction: f32) -> f32 {
        let moved = weight.mul_add(self.keep, -size * direction);
        if PLAIN {
            return moved;
        }
        let kept = moved - within(moved, self.threshold);
        if kept < self.floor { self.floor } else { kept }
    }
}

/// `x` between `-limit` and `limit`; NaN stays NaN.
#[inline(always)]
fn within(x: f32, limit: f32) -> f32 {
    // Comparisons, not `clamp`: they are false for NaN, which is passed on.
    let x = if x > limit { limit } else { x };
    if x < -limit { -limit } else { x }
}

/// A moving average of the weights (Polyak & Juditsky 1992), and its decay `β`: `a ← β a + (1 - β) w` with the new
/// weight.
pub type Average<'a> = Option<(&'a mut [f32], f32)>;

/// The numbers of one step of Adam (Kingma & Ba 2015), and of `AdamW` (Loshchilov & Hutter 2019):
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, and `size m / (√v + epsilon)` is taken off the weight.
///
/// The corrections of the moments are part of `size` and `epsilon`: in step `t` at the rate `η`, with
/// `c = √(1 - β₂ᵗ)`, they are `η c / (1 - β₁ᵗ)` and `ε c`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// What acts on each weight besides.
    pub treatment: Treatment,
    /// How much of the first moment stays: `β₁`.
    pub beta1: f32,
    /// How much of the second moment stays: `β₂`.
    pub beta2: f32,
    /// `1 - β₁` and `1 - β₂`, which `f32` would lose.
    pub rests: (f32, f32),
    /// What is added to the root, corrected.
    pub epsilon: f32,
    /// The size of the step, corrected.
    pub size: f32,
}

impl Adam {
    /// Reads the old weights and writes the new ones over the gradient: for weights whose memory is shared.
    ///
    /// # Errors
    /// The slices are not of one length.
    pub fn step(
        &self,
        weight: &[f32],
        gradient: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        average: Average,
    ) -> Result<(), LengthMismatch> {
        let moments = moments(weight.len(), first, second)?;
        run(*self, over_gradient(weight, gradient)?, moments, average)
    }

    /// Writes the new weights over the old ones.
    ///
    /// # Errors
    /// The slices are not of one length.
    pub fn step_in_place(
        &self,
        weight: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
        average: Average,
    ) -> Result<(), LengthMismatch> {
        let moments = moments(weight.len(), first, second)?;
        run(*self, over_weight(weight, gradient)?, moments, average)
    }
}

/// The numbers of one step of stochastic gradient descent, as PyTorch's: with momentum (Polyak 1964) it keeps the
/// velocity `v ← momentum v + (1 - dampening) g`, and takes `size v` off the weight, or
/// `size (g + momentum v)` (Nesterov 1983); without, `size g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// What acts on each weight besides.
    pub treatment: Treatment,
    /// The size of the step.
    pub size: f32,
    /// How much of the velocity stays.
    pub momentum: f32,
    /// By how much less of the gradient the velocity gets.
    pub dampening: f32,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// Whether it is the first step: the velocity becomes the gradient itself, whatever it was.
    pub first: bool,
}

impl Sgd {
    /// Reads the old weights and writes the new ones over the gradient: for weights whose memory is shared. Without
    /// `velocity` there is no momentum.
    ///
    /// # Errors
    /// The slices are not of one length.
    pub fn step(
        &self,
        weight: &[f32],
        gradient: &mut [f32],
        velocity: Option<&mut [f32]>,
        average: Average,
    ) -> Result<(), LengthMismatch> {
        self.run(over_gradient(weight, gradient)?, velocity, average)
    }

    /// Writes the new weights over the old ones.
    ///
    /// # Errors
    /// The slices are not of one length.
    pub fn step_in_place(
        &self,
        weight: &mut [f32],
        gradient: &[f32],
        velocity: Option<&mut [f32]>,
        average: Average,
    ) -> Result<(), LengthMismatch> {
        self.run(over_weight(weight, gradient)?, velocity, average)
    }

    fn run<'a>(
        self,
        places: impl ExactSizeIterator<Item = Place<'a>>,
        velocity: Option<&'a mut [f32]>,
        average: Average<'a>,
    ) -> Result<(), LengthMismatch> {
        let numbers = places.len();
        let Some(velocity) = velocity else {
            return run(Still(self), places, (0..numbers).map(|_| ()), average);
        };
        LengthMismatch::check("velocity", velocity.len(), numbers)?;
        run(self, places, velocity.iter_mut(), average)
    }
}

/// The old weight, its gradient, and where the new weight goes.
type Place<'a> = (f32, f32, &'a mut f32);

fn over_gradient<'a>(
    weight: &'a [f32],
    gradient: &'a mut [f32],
) -> Result<impl ExactSizeIterator<Item = Place<'a>>, LengthMismatch> {
    LengthMismatch::check("gradient", gradient.len(), weight.len())?;
    let pairs = weight.iter().zip(gradient);
    Ok(pairs.map(|(weight, gradient)| (*weight, *gradient, gradient)))
}

fn over_weight<'a>(
    weight: &'a mut [f32],
    gradient: &'a [f32],
) -> Result<impl ExactSizeIterator<Item = Place<'a>>, LengthMismatch> {
    LengthMismatch::check("gradient", gradient.len(), weight.len())?;
    let pairs = weight.iter_mut().zip(gradient);
    Ok(pairs.map(|(weight, gradient)| (*weight, *gradient, weight)))
}

fn moments<'a>(
    numbers: usize,
    first: &'a mut [f32],
    second: &'a mut [f32],
) -> Result<impl Iterator<Item = (&'a mut f32, &'a mut f32)>, LengthMismatch> {
    LengthMismatch::check_all(numbers, [("first", first.len()), ("second", second.len())])?;
    Ok(first.iter_mut().zip(second))
}

/// What an optimizer does to one weight.
trait Rule {
    /// What it keeps of a weight from step to step.
    type State<'a>;

    /// What acts on the weights besides.
    fn treatment(&self) -> &Treatment;

    /// The new weight.
    fn step<const PLAIN: bool>(&self, weight: f32, gradient: f32, state: Self::State<'_>) -> f32;
}

impl Rule for Adam {
    type State<'a> = (&'a mut f32, &'a mut f32);

    fn treatment(&self) -> &Treatment {
        &self.treatment
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(
        &self,
        weight: f32,
        gradient: f32,
        (first, second): Self::State<'_>,
    ) -> f32 {
        let gradient = self.treatment.gradient::<PLAIN>(weight, gradient);
        *first = self.beta1.mul_add(*first, self.rests.0 * gradient);
        let square = gradient * gradient;
        *second = self.beta2.mul_add(*second, self.rests.1 * square);
        let direction = *first / (second.sqrt() + self.epsilon);
        self.treatment.weight::<PLAIN>(weight, self.size, direction)
    }
}

impl Rule for Sgd {
    type State<'a> = &'a mut f32;

    fn treatment(&self) -> &Treatment {
        &self.treatment
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(
        &self,
        weight: f32,
        gradient: f32,
        velocity: Self::State<'_>,
    ) -> f32 {
        let gradient = self.treatment.gradient::<PLAIN>(weight, gradient);
        let share = (1.0 - self.dampening) * gradient;
        let next = self.momentum.mul_add(*velocity, share);
        let next = if self.first { gradient } else { next };
        *velocity = next;
        let ahead = self.momentum.mul_add(next, gradient);
        let direction = if self.nesterov { ahead } else { next };
        self.treatment.weight::<PLAIN>(weight, self.size, direction)
    }
}

/// Without momentum.
struct Still(Sgd);

impl Rule for Still {
    type State<'a> = ();

    fn treatment(&self) -> &Treatment {
        &self.0.treatment
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(&self, weight: f32, gradient: f32, (): Self::State<'_>) -> f32 {
        let Sgd {
            treatment, size, ..
        } = self.0;
        let gradient = treatment.gradient::<PLAIN>(weight, gradient);
        treatment.weight::<PLAIN>(weight, size, gradient)
    }
}

/// A rule, and the moving average of what it gives.
struct Averaged<R> {
    rule: R,
    decay: f32,
}

impl<R: Rule> Rule for Averaged<R> {
    type State<'a> = (R::State<'a>, &'a mut f32);

    fn treatment(&self) -> &Treatment {
        self.rule.treatment()
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(
        &self,
        weight: f32,
        gradient: f32,
        (state, average): Self::State<'_>,
    ) -> f32 {
        let weight = self.rule.step::<PLAIN>(weight, gradient, state);
        *average = self.decay.mul_add(*average, (1.0 - self.decay) * weight);
        weight
    }
}

struct Pass<R, P, S, const PLAIN: bool> {
    rule: R,
    places: P,
    states: S,
}

impl<'a, R, P, S, const PLAIN: bool> WithSimd for Pass<R, P, S, PLAIN>
where
    R: Rule,
    P: Iterator<Item = Place<'a>>,
    S: Iterator<Item = R::State<'a>>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<D: Simd>(self, _: D) {
        for ((weight, gradient, target), state) in self.places.zip(self.states) {
            *target = self.rule.step::<PLAIN>(weight, gradient, state);
        }
    }
}

/// Takes the step of every weight.
fn run<'a, R: Rule>(
    rule: R,
    places: impl ExactSizeIterator<Item = Place<'a>>,
    states: impl Iterator<Item = R::State<'a>>,
    average: Average<'a>,
) -> Result<(), LengthMismatch> {
    let Some((average, decay)) = average else {
        pass(rule, places, states);
        return Ok(());
    };
    LengthMismatch::check("average", average.len(), places.len())?;
    let states = states.zip(average.iter_mut());
    pass(Averaged { rule, decay }, places, states);
    Ok(())
}

fn pass<'a, R: Rule>(
    rule: R,
    places: impl Iterator<Item = Place<'a>>,
    states: impl Iterator<Item = R::State<'a>>,
) {
    if rule.treatment().is_plain() {
        Arch::new().dispatch(Pass::<_, _, _, true> {
            rule,
            places,
            states,
        });
    } else {
        Arch::new().dispatch(Pass::<_, _, _, false> {
            rule,
            places,
            states,
        });
    }
}

/// The sum of the squares, accumulated in `f64`: for the norm of all gradients.
pub fn sum_of_squares(values: &[f32]) -> f32 {
    squares(values) as f32
}

vectorized! {
    fn squares(values: &'a [f32]) -> f64 {
        sum::sum_of(values, values, values, |x, _, _| {
            f64::from(x) * f64::from(x)
        })
    }
}
