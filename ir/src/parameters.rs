//! Every parameter of a model: its path in the generated module, its role, and what acts on it.

use crate::op::{BatchNorm, Inside};
use crate::walk::unrolled;
use crate::walk::{DEEPEST, MOST_OPS};
use crate::{
    Inferred, Model, Op, OpKind, Optimizer, Reach, Role, RuleKind, Statement, Value, WeightRule,
};

/// One tensor of the generated module, and every regularizer that reaches it.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an annotation of the language"
)]
pub struct Parameter {
    /// Its path in the module, as burn writes it: `stage1.0.block.linear_1.weight`.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// Its axes (`linear`: `[in, out]`); 0 is a size that is not known.
    pub shape: Vec<usize>,
    /// Strength of the soft threshold after each step: `decay(l1 = x)`.
    pub decay_l1: f64,
    /// Strength of the decoupled shrinking: `decay(l2 = x)`, or the `weight_decay` of `adamw` and `lion`
    /// where the weight has no `decay` of its own.
    pub decay_l2: f64,
    /// `weight_decay` of the other optimizers: `x * w` is added to the gradient.
    pub coupled_decay: f64,
    /// `penalty(l1 = x)`
    pub penalty_l1: f64,
    /// `penalty(l2 = x)`
    pub penalty_l2: f64,
    /// `max_norm(c)`
    pub max_norm: Option<f64>,
    /// `unit_norm`
    pub unit_norm: bool,
    /// `non_negative`
    pub non_negative: bool,
    /// `orthogonal(x)`; matrices, and kernels as matrices `[units, rest]` along [`Parameter::unit_axis`].
    pub orthogonal: f64,
    /// `drop_connect(p)`; matrices only.
    pub drop_connect: Option<f64>,
    /// `freeze`: on every parameter of the layer.
    pub frozen: bool,
    /// The axis that numbers its units, whose incoming weights `max_norm`, `unit_norm` and `weight_norm` take one by
    /// one: the last of `linear`, the output channels of a convolution, the classes of an embedding.
    pub unit_axis: usize,
    /// How the weight that the layer reads is computed from the stored tensor, if it is.
    pub reparameterized: Option<Reparameterization>,
    /// The learning rate of this parameter, as a share of the optimizer's: `layer_decay(factor)`.
    ///
    /// It is `factor` to the power of the number of layers after it, as in the fine-tuning of `BEiT`
    /// (arXiv 2106.08254) and `ELECTRA` (arXiv 2003.10555). A layer is a statement of `layers` itself that has
    /// parameters; each copy of such a `repeat` is a layer of its own, and so is what comes before and
    /// after the `repeat` in its statement. The last layer has the whole rate.
    pub rate_scale: f64,
    /// The weight of a new batch in a running statistic.
    pub momentum: Option<f64>,
}

/// What computes a weight from the tensor that is stored and trained in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reparameterization {
    /// `weight_norm`: a length for each unit, times the unit's direction (arXiv 1602.07868). The lengths are a
    /// parameter of their own, called as the weight and `weight_norm.length` after it: `[units]`.
    WeightNorm,
    /// `spectral_norm`: divided by the largest singular value (arXiv 1802.05957).
    SpectralNorm,
}

/// What the lengths of `weight_norm` are called, after the path of their weight.
const LENGTH: &str = "weight_norm.length";

impl Parameter {
    fn new(path: String, role: Role, shape: Vec<usize>) -> Self {
        Self {
            path,
            role,
            shape,
            decay_l1: 0.0,
            decay_l2: 0.0,
            coupled_decay: 0.0,
            penalty_l1: 0.0,
            penalty_l2: 0.0,
            max_norm: None,
            unit_norm: false,
            non_negative: false,
            orthogonal: 0.0,
            drop_connect: None,
            frozen: false,
            unit_axis: 0,
            reparameterized: None,
            rate_scale: 1.0,
            momentum: None,
        }
    }

    /// Whether training changes it: it is neither frozen nor a running statistic.
    pub fn trained(&self) -> bool {
        !self.frozen && self.role != Role::Running
    }

    /// How many numbers it has; `None` if a size is not known.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |product, axis| {
            (*axis > 0).then(|| product.saturating_mul(*axis))
        })
    }

    fn apply<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r WeightRule>,
        optimizer: Option<&Optimizer>,
    ) {
        let mut own_decay = false;
        for rule in rules.filter(|rule| rule.reaches(self.role)) {
            match &rule.kind {
                RuleKind::Decay { l1, l2 } => {
                    own_decay = true;
                    set(&mut self.decay_l1, l1.as_ref());
                    set(&mut self.decay_l2, l2.as_ref());
                }
                RuleKind::Penalty { l1, l2 } => {
                    set(&mut self.penalty_l1, l1.as_ref());
                    set(&mut self.penalty_l2, l2.as_ref());
                }
                RuleKind::MaxNorm { limit } => self.max_norm = limit.known.or(self.max_norm),
                RuleKind::UnitNorm => self.unit_norm = true,
                RuleKind::NonNegative => self.non_negative = true,
                RuleKind::Orthogonal { strength } if self.shape.len() > 1 => {
                    set(&mut self.orthogonal, Some(strength));
                }
                RuleKind::DropConnect { rate } if self.shape.len() > 1 => {
                    self.drop_connect = rate.known.or(self.drop_connect);
                }
                RuleKind::Orthogonal { .. } | RuleKind::DropConnect { .. } => {}
                RuleKind::WeightNorm => {
                    self.reparameterized = Some(Reparameterization::WeightNorm);
                }
                RuleKind::SpectralNorm => {
                    self.reparameterized = Some(Reparameterization::SpectralNorm);
                }
                RuleKind::Freeze => self.frozen = true,
            }
        }
        let default = optimizer
            .and_then(|optimizer| optimizer.weight_decay)
            .and_then(|value| value.known);
        if let (Some(optimizer), Some(default)) = (optimizer, default)
            && Reach::Weights.reaches(self.role)
        {
            if !optimizer.kind.decouples_decay() {
                self.coupled_decay = default;
            } else if !own_decay {
                self.decay_l2 = default;
            }
        }
    }
}

fn set(strength: &mut f64, value: Option<&Value>) {
    if let Some(known) = value.and_then(|value| value.known) {
        *strength = known;
    }
}

/// The parameters of one operation: name inside the module, role and axes. Nested models and blocks have none
/// of their own, and those of `custom` are not known.
pub(crate) fn of_op(op: &Op, inferred: &Inferred) -> Vec<Inside> {
    let (input, output) = (inferred.input_of(op.id), inferred.output_of(op.id));
    let operation = op.kind.operation();
    operation.map_or_else(Vec::new, |operation| {
        operation.parameters_with(input, output, inferred.memory_of(op.id))
    })
}

/// The axis that numbers the units of an operation's weights.
fn unit_axis(kind: &OpKind, rank: usize) -> usize {
    let last = rank.saturating_sub(1);
    kind.operation()
        .map_or(last, |operation| operation.unit_axis(rank))
}

/// The lengths that `weight_norm` adds to the parameters of an operation: one for each unit of each weight.
pub(crate) fn lengths(op: &Op, inside: &[Inside]) -> Vec<Inside> {
    let weights = inside.iter().filter(|one| one.role == Role::Weight);
    weights
        .map(|weight| {
            let axes = &weight.axes;
            let units = axes.get(unit_axis(&op.kind, axes.len())).copied().flatten();
            Inside::new(format!("{}.{LENGTH}", weight.name), Role::Gain, [units])
        })
        .collect()
}

/// Whether one of the rules is a `weight_norm` of weights.
pub(crate) fn has_lengths<'r>(mut rules: impl Iterator<Item = &'r WeightRule>) -> bool {
    rules.any(|rule| matches!(rule.kind, RuleKind::WeightNorm) && rule.reaches(Role::Weight))
}

struct Collector<'m> {
    optimizer: Option<&'m Optimizer>,
    /// Annotations on nested models around this one, innermost first.
    around: Vec<&'m [WeightRule]>,
    all: Vec<Parameter>,
    /// The number of the current layer, for `layer_decay`.
    layer: usize,
    layers: Vec<usize>,
}

/// Every parameter of a model: see [`crate::Checked::parameters`].
pub(crate) fn of(model: &Model, shapes: &Inferred) -> Vec<Parameter> {
    let mut collector = Collector {
        optimizer: model
            .train
            .as_ref()
            .and_then(|train| train.optimizer.as_ref()),
        around: Vec::new(),
        all: Vec::new(),
        layer: 0,
        layers: Vec::new(),
    };
    if unrolled(&model.layers, 0) <= MOST_OPS {
        collector.block(&model.layers, shapes, "", 0);
    }
    let factor = model.train.as_ref().and_then(|train| train.layer_decay);
    if let Some(factor) = factor.and_then(|factor| factor.known) {
        collector.scale_rates(factor);
    }
    collector.all
}

impl<'m> Collector<'m> {
    /// `layer_decay`: from the last layer with something to train to the first.
    fn scale_rates(&mut self, factor: f64) {
        let (mut later, mut last) = (0, None);
        for (parameter, layer) in self.all.iter_mut().zip(&self.layers).rev() {
            if parameter.role != Role::Running && last != Some(*layer) {
                later += i32::from(last.is_some());
                last = Some(*layer);
            }
            parameter.rate_scale = factor.powi(later);
        }
    }

    fn block(
        &mut self,
        statements: &'m [Statement],
        inferred: &Inferred,
        prefix: &str,
        depth: usize,
    ) {
        if depth > DEEPEST {
            return;
        }
        let top = depth == 0 && self.around.is_empty();
        let ops = statements.iter().flat_map(|statement| {
            let numbered = statement.ops.iter().enumerate();
            numbered.map(|(index, op)| (op, index == 0))
        });
        for (op, begins) in ops {
            if top && begins {
                self.layer += 1;
            }
            let path = match &op.field {
                Some(field) => format!("{prefix}{field}."),
                None => prefix.to_owned(),
            };
            match &op.kind {
                OpKind::Repeat { copies, .. } if !copies.is_empty() => {
                    for copy in copies {
                        self.layer += usize::from(top);
                        let path = format!("{path}{}.", copy.name);
                        self.block(&copy.body, inferred, &path, depth + 1);
                    }
                    self.layer += usize::from(top);
                }
                OpKind::Use(one) => {
                    self.around.push(&op.rules);
                    self.block(&one.body, inferred, &path, depth + 1);
                    self.around.pop();
                }
                OpKind::Residual { .. } | OpKind::Parallel { .. } | OpKind::When { .. } => {
                    for (name, block) in op.kind.blocks() {
                        let path = name.map_or(path.clone(), |name| format!("{path}{name}."));
                        self.block(block, inferred, &path, depth + 1);
                    }
                }
                OpKind::Repeat { times, body, .. } => {
                    for copy in 0..times.size().unwrap_or(1) {
                        self.layer += usize::from(top);
                        self.block(body, inferred, &format!("{path}{copy}."), depth + 1);
                    }
                    self.layer += usize::from(top);
                }
                OpKind::Model {
                    model: Some(model), ..
                } => {
                    if unrolled(&model.layers, 0).saturating_add(self.all.len()) <= MOST_OPS {
                        self.around.push(&op.rules);
                        self.block(&model.layers, &model.shapes(depth), &path, depth + 1);
                        self.around.pop();
                    }
                }
                _ => self.op(op, inferred, &path),
            }
        }
    }

    fn op(&mut self, op: &Op, inferred: &Inferred, path: &str) {
        let around = self.around.iter().rev().copied().flatten().filter(|outer| {
            !op.rules
                .iter()
                .any(|own| own.kind.word() == outer.kind.word())
        });
        let rules: Vec<&WeightRule> = around.chain(&op.rules).collect();
        let mut inside = of_op(op, inferred);
        if has_lengths(rules.iter().copied()) {
            let lengths = lengths(op, &inside);
            inside.extend(lengths);
        }
        for Inside { name, role, axes } in inside {
            let shape: Vec<usize> = axes.into_iter().map(|axis| axis.unwrap_or(0)).collect();
            let mut parameter = Parameter::new(format!("{path}{name}"), role, shape);
            parameter.unit_axis = unit_axis(&op.kind, parameter.shape.len());
            parameter.apply(rules.iter().copied(), self.optimizer);
            if role != Role::Weight {
                parameter.reparameterized = None;
            }
            if let OpKind::BatchNorm(BatchNorm { momentum, .. }) = &op.kind
                && role == Role::Running
            {
                parameter.momentum = momentum.known;
            }
            let operation = op.kind.operation();
            if !operation.is_some_and(|operation| operation.drops_weight(&name)) {
                parameter.drop_connect = None;
            }
            self.all.push(parameter);
            self.layers.push(self.layer);
        }
    }
}
