//! Counts the zeros among weights.

use super::table::{Table, count, number};
use crate::Network;
use crate::paths::{WeightVisitor, visit_weights};
use burn::module::Param;
use burn::tensor::Tensor;
use damper_ir::Role;
use std::collections::HashSet;
use std::fmt;

/// Weights with a smaller absolute value count as near zero: see [`Sparsity`].
pub const NEAR_ZERO: f32 = 1e-3;

/// The zeros and near zeros among the weights of each weight matrix or kernel. `Display` prints a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparsity {
    /// The weight matrices and kernels, in the order of the model.
    pub layers: Vec<LayerSparsity>,
}

/// The zeros of one weight matrix or kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSparsity {
    /// Its path: `fc1.weight`.
    pub path: String,
    /// The number of weights.
    pub weights: usize,
    /// The number of exact zeros.
    pub zeros: usize,
    /// The number of weights below [`NEAR_ZERO`] in absolute value, including exact zeros.
    pub near_zeros: usize,
    /// The L2 norm of the weights.
    pub norm: f64,
}

impl Sparsity {
    /// Counts the zeros of a model.
    pub fn of<M: Network>(model: &M) -> Self {
        let wanted: HashSet<String> = model
            .spec()
            .parameters()
            .iter()
            .filter(|parameter| parameter.role == Role::Weight)
            .map(|parameter| parameter.path.clone())
            .collect();
        let mut counter = Counter {
            wanted,
            layers: Vec::new(),
        };
        visit_weights(model, &mut counter);
        Self {
            layers: counter.layers,
        }
    }

    /// The sum over all layers.
    pub fn total(&self) -> LayerSparsity {
        let sum = |of: fn(&LayerSparsity) -> usize| self.layers.iter().map(of).sum();
        LayerSparsity {
            path: "all weights".to_owned(),
            weights: sum(|layer| layer.weights),
            zeros: sum(|layer| layer.zeros),
            near_zeros: sum(|layer| layer.near_zeros),
            norm: self
                .layers
                .iter()
                .map(|layer| layer.norm * layer.norm)
                .sum::<f64>()
                .sqrt(),
        }
    }
}

impl LayerSparsity {
    /// The fraction of exact zeros.
    pub fn zero_share(&self) -> f64 {
        share(self.zeros, self.weights)
    }

    /// The fraction of weights near zero, including exact zeros.
    pub fn near_zero_share(&self) -> f64 {
        share(self.near_zeros, self.weights)
    }

    fn of(path: String, weights: &[f32]) -> Self {
        Self {
            path,
            weights: weights.len(),
            zeros: weights.iter().filter(|&&w| w == 0.0).count(),
            near_zeros: weights.iter().filter(|w| w.abs() < NEAR_ZERO).count(),
            norm: weights
                .iter()
                .map(|&w| f64::from(w) * f64::from(w))
                .sum::<f64>()
                .sqrt(),
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl fmt::Display for Sparsity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["weights", "count", "zero", "", "|w| < 1e-3", "", "norm"]);
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let total = (self.layers.len() > 1).then(|| self.total());
        for layer in self.layers.iter().chain(&total) {
            table.row(vec![
                layer.path.clone(),
                count(layer.weights),
                count(layer.zeros),
                percent(layer.zero_share()),
                count(layer.near_zeros),
                percent(layer.near_zero_share()),
                number(layer.norm),
            ]);
        }
        table.fmt(f)
    }
}

struct Counter {
    wanted: HashSet<String>,
    layers: Vec<LayerSparsity>,
}

impl WeightVisitor for Counter {
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        if self.wanted.contains(path) {
            let weights: Vec<f32> = param.val().into_data().iter::<f32>().collect();
            self.layers
                .push(LayerSparsity::of(path.to_owned(), &weights));
        }
    }
}
