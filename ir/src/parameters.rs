//! Every parameter of a model: its path in the generated module, its role, and what acts on it.

use crate::infer::{DEEPEST, MOST_OPS, MOST_STACKED, unrolled};
use crate::{
    ActivationKind, Conv, Inferred, Model, Op, OpKind, Optimizer, Reach, Recurrent, Role, RuleKind,
    Shape, Statement, Value, WeightRule,
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
    /// `orthogonal(x)`; matrices, and kernels as matrices `[units, rest]` along [`Parameter::unit_axis`].
    pub orthogonal: f64,
    /// `drop_connect(p)`; matrices only.
    pub drop_connect: Option<f64>,
    /// `freeze`: on every parameter of the layer.
    pub frozen: bool,
    /// The axis that numbers its units, whose incoming weights `max_norm`, `unit_norm` and `weight_norm` take one by
    /// one: the last of `linear`, the output channels of a convolution, the classes of an embedding.
    pub unit_axis: usize,
    /// What stands between the stored tensor and the weight that the layer reads.
    pub reparameterised: Option<Reparameterisation>,
    /// The learning rate of this parameter, as a share of the optimiser's: `layer_decay(factor)`.
    ///
    /// It is `factor` to the power of the number of layers behind it, as in the fine-tuning of `BEiT`
    /// (arXiv 2106.08254) and `ELECTRA` (arXiv 2003.10555). A layer is a statement of `layers` itself that has
    /// parameters; each copy of a `repeat` that stands there is a layer of its own, and so is what stands before and
    /// behind the `repeat` in its statement. The last layer has the whole rate.
    pub rate_scale: f64,
    /// The weight of a new batch in a running statistic.
    pub momentum: Option<f64>,
}

/// What computes a weight from the tensor that is stored and trained in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reparameterisation {
    /// `weight_norm`: a length for each unit, times the unit's direction (arXiv 1602.07868). The lengths are a
    /// parameter of their own, called as the weight and `weight_norm.length` behind it: `[units]`.
    WeightNorm,
    /// `spectral_norm`: divided by the largest singular value (arXiv 1802.05957).
    SpectralNorm,
}

/// What the lengths of `weight_norm` are called, behind the path of their weight.
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
            reparameterised: None,
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
                    self.reparameterised = Some(Reparameterisation::WeightNorm);
                }
                RuleKind::SpectralNorm => {
                    self.reparameterised = Some(Reparameterisation::SpectralNorm);
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

impl Reach {
    /// Whether an annotation with this reach acts on parameters of `role`.
    ///
    /// ```
    /// use damper_ir::{Reach, Role};
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

/// A parameter inside one operation: its name there, role and axes.
type Inside = (String, Role, Vec<Option<usize>>);

/// The parameters of one operation: name inside the module, role and axes. Nested models and blocks have none
/// of their own, and those of `custom` are not known.
pub(crate) fn of_op(op: &Op, input: Option<&Shape>, output: Option<&Shape>) -> Vec<Inside> {
    let features = input.and_then(Shape::features);
    let channels = input.and_then(Shape::channels);
    let one = |name: &str, role, axes: &[Option<usize>]| (name.to_owned(), role, axes.to_vec());
    // A bias that is not known to be off is counted.
    let on = |bias: &Value| bias.is_true() != Some(false);
    match &op.kind {
        OpKind::Linear {
            out,
            bias,
            same,
            tied,
        } => {
            let out = if *same {
                output.and_then(Shape::features)
            } else {
                out.size()
            };
            let mut all = Vec::new();
            if tied.is_none() {
                all.push(one("weight", Role::Weight, &[features, out]));
            }
            if on(bias) {
                all.push(one("bias", Role::Bias, &[out]));
            }
            all
        }
        OpKind::Swiglu { out, bias } => {
            let mut all = Vec::new();
            for part in ["linear_inner", "linear_outer"] {
                all.extend(projection(part, features, out.size(), on(bias)));
            }
            all
        }
        OpKind::Activation(activation) if activation.kind == ActivationKind::Prelu => {
            vec![one("alpha", Role::Slope, &[Some(1)])]
        }
        OpKind::BatchNorm { .. } => vec![
            one("gamma", Role::Gain, &[channels]),
            one("beta", Role::Shift, &[channels]),
            one("running_mean", Role::Running, &[channels]),
            one("running_var", Role::Running, &[channels]),
        ],
        OpKind::GroupNorm { .. } | OpKind::InstanceNorm { .. } => vec![
            one("gamma", Role::Gain, &[channels]),
            one("beta", Role::Shift, &[channels]),
        ],
        OpKind::LayerNorm { .. } => vec![
            one("gamma", Role::Gain, &[features]),
            one("beta", Role::Shift, &[features]),
        ],
        OpKind::RmsNorm { .. } => vec![one("gamma", Role::Gain, &[features])],
        OpKind::Conv(conv) => convolution(conv, channels),
        OpKind::Embedding { vocab, dim, .. } => {
            vec![one("weight", Role::Embedding, &[vocab.size(), dim.size()])]
        }
        OpKind::Positional { learned: true } => {
            vec![one("weight", Role::Embedding, &[channels, features])]
        }
        OpKind::ClassToken => vec![one("weight", Role::Embedding, &[Some(1), features])],
        OpKind::Attention { bias, .. } => {
            let wide = features.map(|features| features.saturating_mul(3));
            let mut all = projection("in_proj", features, wide, on(bias));
            all.extend(projection("out_proj", features, features, on(bias)));
            all
        }
        OpKind::Recurrent(layer) => recurrent(layer, features),
        OpKind::Activation(_)
        | OpKind::Pool(_)
        | OpKind::GlobalPool(_)
        | OpKind::Flatten
        | OpKind::Reshape { .. }
        | OpKind::ToSequence
        | OpKind::Transpose
        | OpKind::Step { .. }
        | OpKind::Reduce { .. }
        | OpKind::Positional { learned: false }
        | OpKind::Custom { .. }
        | OpKind::Model { .. }
        | OpKind::Stochastic(_)
        | OpKind::Activity { .. }
        | OpKind::Residual { .. }
        | OpKind::Repeat { .. }
        | OpKind::Parallel { .. } => Vec::new(),
    }
}

/// The axis that numbers the units of an operation's weights.
fn unit_axis(kind: &OpKind, rank: usize) -> usize {
    match kind {
        OpKind::Conv(conv) if conv.transposed && rank > 1 => 1,
        OpKind::Conv(_)
        | OpKind::Embedding { .. }
        | OpKind::Positional { .. }
        | OpKind::ClassToken => 0,
        _ => rank.saturating_sub(1),
    }
}

/// The lengths that `weight_norm` adds to the parameters of an operation: one for each unit of each weight.
pub(crate) fn lengths(op: &Op, inside: &[Inside]) -> Vec<Inside> {
    let weights = inside.iter().filter(|(_, role, _)| *role == Role::Weight);
    weights
        .map(|(name, _, shape)| {
            let units = shape
                .get(unit_axis(&op.kind, shape.len()))
                .copied()
                .flatten();
            (format!("{name}.{LENGTH}"), Role::Gain, vec![units])
        })
        .collect()
}

/// Whether one of the rules is a `weight_norm` of weights.
pub(crate) fn has_lengths<'r>(mut rules: impl Iterator<Item = &'r WeightRule>) -> bool {
    rules.any(|rule| matches!(rule.kind, RuleKind::WeightNorm) && rule.reaches(Role::Weight))
}

/// A `linear` inside another module.
fn projection(name: &str, features: Option<usize>, out: Option<usize>, bias: bool) -> Vec<Inside> {
    let mut all = vec![(format!("{name}.weight"), Role::Weight, vec![features, out])];
    if bias {
        all.push((format!("{name}.bias"), Role::Bias, vec![out]));
    }
    all
}

/// `weight [out, in / groups, k..]` (transposed `[in, out / groups, k..]`) and `bias [out]`.
fn convolution(conv: &Conv, channels: Option<usize>) -> Vec<Inside> {
    let split = |size: Option<usize>| {
        let groups = conv.groups.size().filter(|groups| *groups > 0)?;
        size.map(|size| size / groups)
    };
    let (out, mut weight) = if conv.depthwise {
        let out = channels
            .zip(conv.out.size())
            .map(|(channels, times)| channels.saturating_mul(times));
        (out, vec![out, Some(1)])
    } else {
        let out = conv.out.size();
        if conv.transposed {
            (out, vec![channels, split(out)])
        } else {
            (out, vec![out, split(channels)])
        }
    };
    weight.extend(conv.kernel_sizes());
    let mut all = vec![("weight".to_owned(), Role::Weight, weight)];
    if conv.bias.is_true() != Some(false) {
        all.push(("bias".to_owned(), Role::Bias, vec![out]));
    }
    all
}

/// The cells of a recurrent layer. One copy of a cell where the number of layers is not known.
fn recurrent(layer: &Recurrent, features: Option<usize>) -> Vec<Inside> {
    let hidden = layer.hidden.size();
    let gates = hidden.map(|hidden| hidden.saturating_mul(layer.cell.gates()));
    let both = layer.bidirectional.is_true() == Some(true);
    let directions: &[&str] = if both {
        &["forward", "reverse"]
    } else {
        &["forward"]
    };
    let mut all = Vec::new();
    for number in 0..layer.layers.size().unwrap_or(1).min(MOST_STACKED) {
        let takes = if number == 0 {
            features
        } else {
            hidden.map(|hidden| hidden.saturating_mul(directions.len()))
        };
        for direction in directions {
            for (name, role, axes) in [
                ("weight_ih", Role::Weight, vec![takes, gates]),
                ("weight_hh", Role::Weight, vec![hidden, gates]),
                ("bias_ih", Role::Bias, vec![gates]),
                ("bias_hh", Role::Bias, vec![gates]),
            ] {
                all.push((format!("layers.{number}.{direction}.{name}"), role, axes));
            }
        }
    }
    all
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
    /// The number of the layer that the parameters at hand belong to, for `layer_decay`.
    layer: usize,
    layers: Vec<usize>,
}

impl Model {
    /// Every parameter, in the order of the module's fields, with what acts on it.
    ///
    /// All copies of a `repeat` and the parameters of nested models are listed. `decay` and penalties reach
    /// weight matrices only, unless `on all` says so. `weight_decay` of `adamw` and `lion` is a default
    /// `decay(l2 = x)`: a weight with a `decay` of its own has that one instead, not both. The parameters of a
    /// `custom` module are not known here. A `repeat` whose count is not known is listed once.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.parameters_of(&self.shapes(0))
    }

    /// The same for shapes that are known already: those of this very model.
    pub fn parameters_of(&self, shapes: &Inferred) -> Vec<Parameter> {
        let mut collector = Collector {
            optimizer: self
                .train
                .as_ref()
                .and_then(|train| train.optimizer.as_ref()),
            around: Vec::new(),
            all: Vec::new(),
            layer: 0,
            layers: Vec::new(),
        };
        if unrolled(&self.layers, 0) <= MOST_OPS {
            collector.block(&self.layers, shapes, "", 0);
        }
        let factor = self.train.as_ref().and_then(|train| train.layer_decay);
        if let Some(factor) = factor.and_then(|factor| factor.known) {
            collector.scale_rates(factor);
        }
        collector.all
    }
}

impl<'m> Collector<'m> {
    /// `layer_decay`: from the last layer with something to train to the first.
    fn scale_rates(&mut self, factor: f64) {
        let (mut behind, mut last) = (0, None);
        for (parameter, layer) in self.all.iter_mut().zip(&self.layers).rev() {
            if parameter.role != Role::Running && last != Some(*layer) {
                behind += i32::from(last.is_some());
                last = Some(*layer);
            }
            parameter.rate_scale = factor.powi(behind);
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
                OpKind::Residual { body, shortcut, .. } => {
                    self.block(body, inferred, &path, depth + 1);
                    self.block(shortcut, inferred, &format!("{path}shortcut."), depth + 1);
                }
                OpKind::Parallel { body, .. } => self.block(body, inferred, &path, depth + 1),
                OpKind::Repeat { times, body } => {
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
        let mut inside = of_op(op, inferred.input_of(op.id), inferred.output_of(op.id));
        if has_lengths(rules.iter().copied()) {
            let lengths = lengths(op, &inside);
            inside.extend(lengths);
        }
        for (name, role, shape) in inside {
            let shape: Vec<usize> = shape.into_iter().map(|axis| axis.unwrap_or(0)).collect();
            let mut parameter = Parameter::new(format!("{path}{name}"), role, shape);
            parameter.unit_axis = unit_axis(&op.kind, parameter.shape.len());
            parameter.apply(rules.iter().copied(), self.optimizer);
            if role != Role::Weight {
                parameter.reparameterised = None;
            }
            if let OpKind::BatchNorm { momentum, .. } = &op.kind
                && role == Role::Running
            {
                parameter.momentum = momentum.known;
            }
            // Weight-dropped LSTM: the connections between the steps (arXiv 1708.02182).
            if matches!(op.kind, OpKind::Recurrent(_)) && !name.ends_with("weight_hh") {
                parameter.drop_connect = None;
            }
            self.all.push(parameter);
            self.layers.push(self.layer);
        }
    }
}
