//! A fused optimizer step over the weights of a parameter: in place, including decay and limits.

use pulp::{Arch, Simd, WithSimd};

use crate::{LengthMismatch, sum};

/// The options of a parameter: changes of its gradient and weight besides the optimizer. The default has none.
///
/// The order is fixed. With the old weight `w`, its gradient `g`, and the step `d` of the optimizer:
/// 1. `g ← grad_scale g + l1 sign(w) + l2 w`, clipped to `[-clip, clip]`, and `coupled_decay w` added;
/// 2. `w ← keep w - d`;
/// 3. `w` moves by `threshold` towards 0, and stops there: the exact zeros of a proximal step (Parikh & Boyd 2014);
/// 4. `w ← max(w, min)`.
///
/// NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamOptions {
    /// The factor of every gradient, for clipping by the global norm; 1 for none.
    pub grad_scale: f32,
    /// The strength of a penalty on absolute values.
    pub l1: f32,
    /// Twice the strength of a penalty on squares.
    pub l2: f32,
    /// The largest absolute value of a gradient; infinite for no limit.
    pub clip: f32,
    /// Coupled weight decay: this fraction of the weight is added to its gradient.
    pub coupled_decay: f32,
    /// The factor of the weight: `1 - rate decay` for decoupled weight decay, 1 for none.
    pub keep: f32,
    /// The step of a weight towards 0: the learning rate times the strength of an L1 decay.
    pub threshold: f32,
    /// The smallest weight: 0 for non-negative weights; minus infinity for no limit.
    pub min: f32,
}

impl Default for ParamOptions {
    fn default() -> Self {
        Self::NONE
    }
}

impl ParamOptions {
    /// Options that do nothing: the default.
    pub const NONE: Self = Self {
        grad_scale: 1.0,
        l1: 0.0,
        l2: 0.0,
        clip: f32::INFINITY,
        coupled_decay: 0.0,
        keep: 1.0,
        threshold: 0.0,
        min: f32::NEG_INFINITY,
    };

    /// True if only `grad_scale` and `keep` are set, which take one multiplication each.
    fn is_plain(&self) -> bool {
        let Self {
            grad_scale, keep, ..
        } = *self;
        *self
            == Self {
                grad_scale,
                keep,
                ..Self::NONE
            }
    }

    /// The gradient that the optimizer gets.
    #[inline(always)]
    fn gradient<const PLAIN: bool>(&self, weight: f32, gradient: f32) -> f32 {
        if PLAIN {
            return self.grad_scale * gradient;
        }
        let below = if weight < 0.0 { -self.l1 } else { 0.0 };
        let penalty = if weight > 0.0 { self.l1 } else { below };
        let penalized = self
            .l2
            .mul_add(weight, self.grad_scale.mul_add(gradient, penalty));
        self.coupled_decay
            .mul_add(weight, clamp(penalized, self.clip))
    }

    /// The new weight, after the optimizer's step `step_size * direction`.
    #[inline(always)]
    fn weight<const PLAIN: bool>(&self, weight: f32, step_size: f32, direction: f32) -> f32 {
        let moved = weight.mul_add(self.keep, -step_size * direction);
        if PLAIN {
            return moved;
        }
        let kept = moved - clamp(moved, self.threshold);
        if kept < self.min { self.min } else { kept }
    }
}

/// `x` clamped to `[-limit, limit]`; NaN stays NaN.
#[inline(always)]
fn clamp(x: f32, limit: f32) -> f32 {
    // Comparisons are false for NaN, so NaN is passed on.
    let x = if x > limit { limit } else { x };
    if x < -limit { -limit } else { x }
}

/// A moving average of the weights (Polyak & Juditsky 1992), and its decay `β`: `a ← β a + (1 - β) w` with the new
/// weight.
pub type Average<'a> = Option<(&'a mut [f32], f32)>;

/// One step of Adam (Kingma & Ba 2015) or `AdamW` (Loshchilov & Hutter 2019):
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, and `step_size m / (√v + epsilon)` is subtracted from the weight.
///
/// The bias corrections of the moments are part of `step_size` and `epsilon`: in step `t` at the learning rate `η`, with
/// `c = √(1 - β₂ᵗ)`, they are `η c / (1 - β₁ᵗ)` and `ε c`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The options of the parameter.
    pub options: ParamOptions,
    /// The decay of the first moment, `β₁`.
    pub beta1: f32,
    /// The decay of the second moment, `β₂`.
    pub beta2: f32,
    /// `1 - β₁` and `1 - β₂`, computed in `f64`: the difference would not be exact in `f32`.
    pub one_minus_betas: (f32, f32),
    /// The term added to the root, with the bias correction.
    pub epsilon: f32,
    /// The size of the step, with the bias correction.
    pub step_size: f32,
}

impl Adam {
    /// Reads the old weights and overwrites the gradient with the new ones, for weights whose memory is shared.
    ///
    /// # Errors
    /// The slices have different lengths.
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

    /// Overwrites the old weights with the new ones.
    ///
    /// # Errors
    /// The slices have different lengths.
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

/// One step of stochastic gradient descent, as in PyTorch. With momentum (Polyak 1964) there is a velocity
/// `v ← momentum v + (1 - dampening) g`, and `step_size v` is subtracted from the weight, or with Nesterov momentum (1983)
/// `step_size (g + momentum v)`. Without momentum it is `step_size g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The options of the parameter.
    pub options: ParamOptions,
    /// The size of the step.
    pub step_size: f32,
    /// The decay of the velocity.
    pub momentum: f32,
    /// The dampening of the gradient in the velocity.
    pub dampening: f32,
    /// True for Nesterov momentum.
    pub nesterov: bool,
    /// True in the first step, in which the velocity becomes the gradient, whatever it was.
    pub first_step: bool,
}

impl Sgd {
    /// Reads the old weights and overwrites the gradient with the new ones, for weights whose memory is shared. Without
    /// `velocity` there is no momentum.
    ///
    /// # Errors
    /// The slices have different lengths.
    pub fn step(
        &self,
        weight: &[f32],
        gradient: &mut [f32],
        velocity: Option<&mut [f32]>,
        average: Average,
    ) -> Result<(), LengthMismatch> {
        self.run(over_gradient(weight, gradient)?, velocity, average)
    }

    /// Overwrites the old weights with the new ones.
    ///
    /// # Errors
    /// The slices have different lengths.
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
            return run(PlainSgd(self), places, (0..numbers).map(|_| ()), average);
        };
        LengthMismatch::check("velocity", velocity.len(), numbers)?;
        run(self, places, velocity.iter_mut(), average)
    }
}

/// The old weight, its gradient, and the place of the new weight.
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

/// The step of an optimizer for one weight.
trait UpdateRule {
    /// The state of a weight between steps.
    type State<'a>;

    /// The options of the parameter.
    fn options(&self) -> &ParamOptions;

    /// The new weight.
    fn step<const PLAIN: bool>(&self, weight: f32, gradient: f32, state: Self::State<'_>) -> f32;
}

impl UpdateRule for Adam {
    type State<'a> = (&'a mut f32, &'a mut f32);

    fn options(&self) -> &ParamOptions {
        &self.options
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(
        &self,
        weight: f32,
        gradient: f32,
        (first, second): Self::State<'_>,
    ) -> f32 {
        let gradient = self.options.gradient::<PLAIN>(weight, gradient);
        *first = self
            .beta1
            .mul_add(*first, self.one_minus_betas.0 * gradient);
        let square = gradient * gradient;
        *second = self.beta2.mul_add(*second, self.one_minus_betas.1 * square);
        let direction = *first / (second.sqrt() + self.epsilon);
        self.options
            .weight::<PLAIN>(weight, self.step_size, direction)
    }
}

impl UpdateRule for Sgd {
    type State<'a> = &'a mut f32;

    fn options(&self) -> &ParamOptions {
        &self.options
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(
        &self,
        weight: f32,
        gradient: f32,
        velocity: Self::State<'_>,
    ) -> f32 {
        let gradient = self.options.gradient::<PLAIN>(weight, gradient);
        let dampened = (1.0 - self.dampening) * gradient;
        let next = self.momentum.mul_add(*velocity, dampened);
        let next = if self.first_step { gradient } else { next };
        *velocity = next;
        let ahead = self.momentum.mul_add(next, gradient);
        let direction = if self.nesterov { ahead } else { next };
        self.options
            .weight::<PLAIN>(weight, self.step_size, direction)
    }
}

/// Stochastic gradient descent without momentum.
struct PlainSgd(Sgd);

impl UpdateRule for PlainSgd {
    type State<'a> = ();

    fn options(&self) -> &ParamOptions {
        &self.0.options
    }

    #[inline(always)]
    fn step<const PLAIN: bool>(&self, weight: f32, gradient: f32, (): Self::State<'_>) -> f32 {
        let Sgd {
            options, step_size, ..
        } = self.0;
        let gradient = options.gradient::<PLAIN>(weight, gradient);
        options.weight::<PLAIN>(weight, step_size, gradient)
    }
}

/// A rule with a moving average of its weights.
struct Averaged<R> {
    rule: R,
    decay: f32,
}

impl<R: UpdateRule> UpdateRule for Averaged<R> {
    type State<'a> = (R::State<'a>, &'a mut f32);

    fn options(&self) -> &ParamOptions {
        self.rule.options()
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

struct Steps<R, P, S, const PLAIN: bool> {
    rule: R,
    places: P,
    states: S,
}

impl<'a, R, P, S, const PLAIN: bool> WithSimd for Steps<R, P, S, PLAIN>
where
    R: UpdateRule,
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
fn run<'a, R: UpdateRule>(
    rule: R,
    places: impl ExactSizeIterator<Item = Place<'a>>,
    states: impl Iterator<Item = R::State<'a>>,
    average: Average<'a>,
) -> Result<(), LengthMismatch> {
    let Some((average, decay)) = average else {
        run_steps(rule, places, states);
        return Ok(());
    };
    LengthMismatch::check("average", average.len(), places.len())?;
    let states = states.zip(average.iter_mut());
    run_steps(Averaged { rule, decay }, places, states);
    Ok(())
}

fn run_steps<'a, R: UpdateRule>(
    rule: R,
    places: impl Iterator<Item = Place<'a>>,
    states: impl Iterator<Item = R::State<'a>>,
) {
    if rule.options().is_plain() {
        Arch::new().dispatch(Steps::<_, _, _, true> {
            rule,
            places,
            states,
        });
    } else {
        Arch::new().dispatch(Steps::<_, _, _, false> {
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
