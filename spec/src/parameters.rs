//! Every parameter of a model: its path in the generated module, its role, and what acts on it.

use crate::infer::{DEEPEST, MOST_OPS, unrolled};
use crate::{
    ActivationKind, Inferred, Model, Op, OpKind, Optimizer, Reach, Role, RuleKind, Shape,
    Statement, Value, WeightRule,
};

/// One tensor of the generated module, and every regulariser that reaches it.
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
    /// Its axes (`linear`: `[in, out]`); 0 stands for a size that is not known.
    pub shape: Vec<usize>,
    /// Strength of the soft threshold after each step: `decay(l1 = x)`.
    pub decay_l1: f64,
    /// Strength of the decoupled shrinking: `decay(l2 = x)`, or the `weight_decay` of `adamw` and `lion`
    /// where the weight has no `decay` of its own.
    pub decay_l2: f64,
    /// `weight_decay` of the other optimisers: `x * w` is added to the gradient.
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
    /// `orthogonal(x)`; matrices only.
    pub orthogonal: f64,
    /// `drop_connect(p)`; matrices only.
    pub drop_connect: Option<f64>,
    /// `freeze`: on every parameter of the layer.
    pub frozen: bool,
}

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
                RuleKind::WeightNorm | RuleKind::SpectralNorm => {}
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

impl Reach {
    /// Whether an annotation with this reach acts on parameters of `role`.
    ///
    /// ```
    /// use damper_spec::{Reach, Role};
    ///
    /// assert!(Reach::Weights.reaches(Role::Weight));
    /// assert!(!Reach::Weights.reaches(Role::Bias));
    /// assert!(Reach::All.reaches(Role::Gain));
    /// assert!(!Reach::All.reaches(Role::Running));
    /// ```
    pub const fn reaches(self, role: Role) -> bool {
        match self {
            Self::Weights => matches!(role, Role::Weight),
            Self::Embedding => matches!(role, Role::Weight | Role::Embedding),
            Self::All => !matches!(role, Role::Running),
        }
    }
}

/// The parameters of one operation: name inside the module, role and axes. Nested models and blocks have none
/// of their own, and those of `custom` are not known.
pub(crate) fn of_op(
    op: &Op,
    input: Option<&Shape>,
) -> Vec<(&'static str, Role, Vec<Option<usize>>)> {
    let features = || input.and_then(Shape::features);
    match &op.kind {
        OpKind::Linear { out, bias, .. } => {
            let mut all = vec![("weight", Role::Weight, vec![features(), out.size()])];
            if bias.is_true() != Some(false) {
                all.push(("bias", Role::Bias, vec![out.size()]));
            }
            all
        }
        OpKind::Swiglu { out, bias } => {
            let mut all = Vec::new();
            for (weight, shift) in [
                ("linear_inner.weight", "linear_inner.bias"),
                ("linear_outer.weight", "linear_outer.bias"),
            ] {
                all.push((weight, Role::Weight, vec![features(), out.size()]));
                if bias.is_true() != Some(false) {
                    all.push((shift, Role::Bias, vec![out.size()]));
                }
            }
            all
        }
        OpKind::Activation(activation) if activation.kind == ActivationKind::Prelu => {
            vec![("alpha", Role::Slope, vec![Some(1)])]
        }
        OpKind::BatchNorm { .. } => {
            let channels = input.and_then(Shape::channels);
            vec![
                ("gamma", Role::Gain, vec![channels]),
                ("beta", Role::Shift, vec![channels]),
                ("running_mean", Role::Running, vec![channels]),
                ("running_var", Role::Running, vec![channels]),
            ]
        }
        OpKind::LayerNorm { .. } => {
            vec![
                ("gamma", Role::Gain, vec![features()]),
                ("beta", Role::Shift, vec![features()]),
            ]
        }
        OpKind::Activation(_)
        | OpKind::Custom { .. }
        | OpKind::Model { .. }
        | OpKind::Stochastic(_)
        | OpKind::Activity { .. }
        | OpKind::Residual { .. }
        | OpKind::Repeat { .. } => Vec::new(),
        _ => Vec::new(),
    }
}

impl WeightRule {
    /// Whether it acts on parameters of `role`. `freeze` holds the whole layer, whatever stands behind `on`.
    pub const fn reaches(&self, role: Role) -> bool {
        matches!(self.kind, RuleKind::Freeze) || self.on.reaches(role)
    }
}

struct Collector<'m> {
    optimizer: Option<&'m Optimizer>,
    /// Annotations on nested models around this one, innermost first.
    around: Vec<&'m [WeightRule]>,
    all: Vec<Parameter>,
}

impl Model {
    /// Every parameter, in the order of the module's fields, with what acts on it.
    ///
    /// All copies of a `repeat` and the parameters of nested models are listed. `decay` and penalties reach
    /// weight matrices only, unless `on all` says so. `weight_decay` of `adamw` and `lion` is a default
    /// `decay(l2 = x)`: a weight with a `decay` of its own has that one instead, not both. The parameters of a
    /// `custom` module are not known here. A `repeat` whose count is not known is listed once.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut collector = Collector {
            optimizer: self
                .train
                .as_ref()
                .and_then(|train| train.optimizer.as_ref()),
            around: Vec::new(),
            all: Vec::new(),
        };
        if unrolled(&self.layers, 0) <= MOST_OPS {
            collector.block(&self.layers, &self.shapes(0), "", 0);
        }
        collector.all
    }
}

impl<'m> Collector<'m> {
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
        for op in statements.iter().flat_map(|statement| &statement.ops) {
            let path = match &op.field {
                Some(field) => format!("{prefix}{field}."),
                None => prefix.to_owned(),
            };
            match &op.kind {
                OpKind::Residual { body, shortcut, .. } => {
                    self.block(body, inferred, &path, depth + 1);
                    self.block(shortcut, inferred, &format!("{path}shortcut."), depth + 1);
                }
                OpKind::Repeat { times, body } => {
                    for copy in 0..times.size().unwrap_or(1) {
                        self.block(body, inferred, &format!("{path}{copy}."), depth + 1);
                    }
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
        for (name, role, shape) in of_op(op, inferred.input_of(op.id)) {
            let shape = shape.into_iter().map(|axis| axis.unwrap_or(0)).collect();
            let mut parameter = Parameter::new(format!("{path}{name}"), role, shape);
            let around = self.around.iter().rev().copied().flatten().filter(|outer| {
                !op.rules
                    .iter()
                    .any(|own| own.kind.word() == outer.kind.word())
            });
            parameter.apply(around.chain(&op.rules), self.optimizer);
            self.all.push(parameter);
        }
    }
}
