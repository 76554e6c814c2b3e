//! The rules that act on weights in an optimizer step, and the step that applies them.

use super::{
    decay_l2, matrix, max_norm_along, non_negative, orthogonal_gradient, orthogonal_value,
    penalty_gradient, penalty_value, soft_threshold, unit_norm_along, unmatrix,
};
use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use damper_ir::Parameter;

/// The rules that act on one weight in an optimizer step, besides the gradient of the loss. The default has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateRules {
    /// Decoupled decay to exact zeros: see [`soft_threshold`].
    pub decay_l1: f64,
    /// Decoupled decay: see [`decay_l2`].
    pub decay_l2: f64,
    /// `x * w` added to the gradient.
    pub coupled_decay: f64,
    /// Strength of the sum of absolute values: see [`penalty_gradient`].
    pub penalty_l1: f64,
    /// Strength of the sum of squares: see [`penalty_gradient`].
    pub penalty_l2: f64,
    /// Strength of [`orthogonal_value`]. A kernel counts as the matrix with a column for each unit.
    pub orthogonal: f64,
    /// The largest absolute value of a gradient.
    pub clip_value: Option<f64>,
    /// The largest L2 norm of a unit's weights: see [`crate::regularize::max_norm`].
    pub max_norm: Option<f64>,
    /// L2 norm 1 of each unit's weights: see [`crate::regularize::unit_norm`].
    pub unit_norm: bool,
    /// No weight below 0: see [`non_negative`].
    pub non_negative: bool,
    /// The axis that counts the units; the last one by default.
    pub unit_axis: Option<usize>,
    /// What the learning rate is multiplied by, decay included: `layer_decay`.
    pub rate_scale: f64,
}

impl Default for UpdateRules {
    fn default() -> Self {
        Self {
            decay_l1: 0.0,
            decay_l2: 0.0,
            coupled_decay: 0.0,
            penalty_l1: 0.0,
            penalty_l2: 0.0,
            orthogonal: 0.0,
            clip_value: None,
            max_norm: None,
            unit_norm: false,
            non_negative: false,
            unit_axis: None,
            rate_scale: 1.0,
        }
    }
}

impl UpdateRules {
    /// What the description says of a parameter.
    pub fn of(parameter: &Parameter) -> Self {
        Self {
            decay_l1: parameter.decay_l1,
            decay_l2: parameter.decay_l2,
            coupled_decay: parameter.coupled_decay,
            penalty_l1: parameter.penalty_l1,
            penalty_l2: parameter.penalty_l2,
            orthogonal: parameter.orthogonal,
            clip_value: None,
            max_norm: parameter.max_norm,
            unit_norm: parameter.unit_norm,
            non_negative: parameter.non_negative,
            unit_axis: Some(parameter.unit_axis),
            rate_scale: parameter.rate_scale,
        }
    }

    /// Whether it adds anything to the objective.
    pub fn has_value(&self) -> bool {
        self.penalty_l1 != 0.0 || self.penalty_l2 != 0.0 || self.orthogonal != 0.0
    }

    /// The same rules without penalties: for a step whose gradients include those already.
    #[must_use]
    pub fn without_penalties(self) -> Self {
        Self {
            penalty_l1: 0.0,
            penalty_l2: 0.0,
            orthogonal: 0.0,
            ..self
        }
    }

    /// What it adds to the objective, if anything: `[1]`.
    pub fn value<const D: usize>(&self, weight: Tensor<D>) -> Option<Tensor<1>> {
        let penalty = (self.penalty_l1 != 0.0 || self.penalty_l2 != 0.0)
            .then(|| penalty_value(weight.clone(), self.penalty_l1, self.penalty_l2));
        let orthogonal = (self.orthogonal != 0.0 && D > 1).then(|| {
            orthogonal_value(matrix(weight, self.axis::<D>())).mul_scalar(self.orthogonal)
        });
        match (penalty, orthogonal) {
            (Some(penalty), Some(orthogonal)) => Some(penalty + orthogonal),
            (penalty, orthogonal) => penalty.or(orthogonal),
        }
    }

    /// The gradient that the optimizer sees: that of loss and penalties, clipped by value, plus the coupled decay, which
    /// PyTorch's optimizers add to clipped gradients too.
    fn gradient<const D: usize>(&self, weight: &Tensor<D>, gradient: Tensor<D>) -> Tensor<D> {
        let mut gradient = self.penalize(weight, gradient);
        if let Some(limit) = self.clip_value {
            gradient = gradient.clamp(-limit, limit);
        }
        if self.coupled_decay != 0.0 {
            gradient = gradient + weight.clone().mul_scalar(self.coupled_decay);
        }
        gradient
    }

    /// The gradient of the loss and of the penalties.
    pub(super) fn penalize<const D: usize>(
        &self,
        weight: &Tensor<D>,
        mut gradient: Tensor<D>,
    ) -> Tensor<D> {
        if self.penalty_l1 != 0.0 || self.penalty_l2 != 0.0 {
            gradient =
                gradient + penalty_gradient(weight.clone(), self.penalty_l1, self.penalty_l2);
        }
        if self.orthogonal != 0.0 && D > 1 {
            let axis = self.axis::<D>();
            let error = orthogonal_gradient(matrix(weight.clone(), axis));
            gradient = gradient + unmatrix(error, weight.dims(), axis).mul_scalar(self.orthogonal);
        }
        gradient
    }

    /// The projections after the step.
    fn project<const D: usize>(&self, mut weight: Tensor<D>, learning_rate: f64) -> Tensor<D> {
        if self.decay_l1 != 0.0 {
            weight = soft_threshold(weight, learning_rate * self.decay_l1);
        }
        if self.non_negative {
            weight = non_negative(weight);
        }
        self.project_norms(weight)
    }

    /// Whether [`project_norms`](Self::project_norms) does anything.
    #[cfg(feature = "flex")]
    pub(crate) fn projects_norms(&self) -> bool {
        self.max_norm.is_some() || self.unit_norm
    }

    /// The projections that look at all weights of a unit: `max_norm` and `unit_norm`.
    pub(crate) fn project_norms<const D: usize>(&self, mut weight: Tensor<D>) -> Tensor<D> {
        let axis = self.axis::<D>();
        if let Some(limit) = self.max_norm {
            weight = max_norm_along(weight, axis, limit);
        }
        if self.unit_norm {
            weight = unit_norm_along(weight, axis);
        }
        weight
    }

    fn axis<const D: usize>(&self) -> usize {
        let last = D.saturating_sub(1);
        self.unit_axis.map_or(last, |axis| axis.min(last))
    }
}

/// An optimizer that applies the rules of its parameter group in its own step: without another pass over the model, and
/// without a graph over the weights.
///
/// The order is fixed:
/// 1. penalties are added to the gradient of the loss, the sum is clipped by value, coupled decay is added;
/// 2. the weight shrinks by `1 - learning_rate * decay_l2`, and then the optimizer steps from there, as in
///    PyTorch's `AdamW`;
/// 3. the soft threshold by `learning_rate * decay_l1`, as a proximal step follows the step on the smooth part;
/// 4. the projections: first `non_negative`, so that the norm that follows is that of what stays, then
///    `max_norm`, then `unit_norm`.
///
/// The state is that of the optimizer inside, and so are the records.
#[derive(Clone, Debug)]
pub struct Regularized<O> {
    /// The optimizer inside.
    pub optimizer: O,
    /// The rules of the group.
    pub rules: UpdateRules,
}

impl<O: Optimizer> Optimizer for Regularized<O> {
    type State<const D: usize> = O::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let lr = lr * self.rules.rate_scale;
        let grad = self.rules.gradient(&tensor, grad);
        let tensor = match self.rules.decay_l2 {
            0.0 => tensor,
            strength => decay_l2(tensor, lr, strength),
        };
        let (tensor, state) = self.optimizer.step(lr, tensor, grad, state);
        (self.rules.project(tensor, lr), state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        O::to_device(state, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_treated_unit_by_unit() {
        // Two units of 2 x 2 numbers each.
        let kernel = [3.0, 0.0, 0.0, 4.0, 0.3, 0.4, 0.0, 0.0];
        let weight = Tensor::<1>::from_floats(kernel, &Device::default()).reshape([2, 2, 2]);
        let rules = UpdateRules {
            max_norm: Some(1.0),
            orthogonal: 1.0,
            unit_axis: Some(0),
            ..UpdateRules::default()
        };
        let shortened: Vec<f32> = rules
            .project_norms(weight.clone())
            .into_data()
            .iter()
            .collect();
        for (found, wanted) in shortened
            .iter()
            .zip([0.6, 0.0, 0.0, 0.8, 0.3, 0.4, 0.0, 0.0])
        {
            assert!((found - wanted).abs() < 1e-6, "{shortened:?}");
        }
        // Gram matrix [[25, 0.9], [0.9, 0.25]]: (24^2 + 2 * 0.9^2 + 0.75^2).
        let value = rules.value(weight.clone()).map(Tensor::into_scalar::<f32>);
        assert!((value.unwrap_or(0.0) - 578.1825).abs() < 1e-2, "{value:?}");
        // The gradient, by differences.
        let zeros = weight.zeros_like();
        let gradient: Vec<f32> = rules.penalize(&weight, zeros).into_data().iter().collect();
        for (place, gradient) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let mut moved = kernel;
                moved[place] += step;
                let moved = Tensor::<1>::from_floats(moved, &Device::default());
                let value = rules.value(moved.reshape::<3, _>([2, 2, 2]));
                value.map_or(0.0, Tensor::into_scalar::<f32>)
            };
            let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!(
                (gradient - difference).abs() < 0.05 * (1.0 + difference.abs()),
                "{gradient} {difference}"
            );
        }
    }
}
