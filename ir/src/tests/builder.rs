//! A small language for tests: models as chains of calls.

use crate::op;
use crate::{
    Activation, ActivationKind, Checked, DropPath, Finding, Id, Input, InputKind, Level, LintLevel,
    Loss, LossKind, Model, Op, OpKind, Optimizer, OptimizerKind, Parameter, Reach, Reads, RuleKind,
    Schedule, ScheduleKind, Source, Statement, Stochastic, TargetRange, Task, TaskKind, Train,
    Value, WeightRule,
};

pub(crate) fn value(number: f64) -> Value {
    Value::known(number)
}

pub(crate) fn linear(out: usize) -> OpKind {
    OpKind::Linear(op::Linear {
        out: value(out as f64),
        bias: Value::truth(true),
        same: false,
        tied: None,
    })
}

pub(crate) fn linear_without_bias(out: usize) -> OpKind {
    OpKind::Linear(op::Linear {
        out: value(out as f64),
        bias: Value::truth(false),
        same: false,
        tied: None,
    })
}

pub(crate) fn swiglu(out: usize) -> OpKind {
    OpKind::Swiglu(op::Swiglu {
        out: value(out as f64),
        bias: Value::truth(false),
    })
}

/// An activation by its word, with its defaults.
pub(crate) fn act(word: &str) -> OpKind {
    let kind = ActivationKind::from_word(word).expect("an activation");
    let arguments = kind
        .arguments()
        .iter()
        .filter_map(crate::words::Argument::number)
        .map(value)
        .collect();
    OpKind::Activation(Activation { kind, arguments })
}

pub(crate) fn relu() -> OpKind {
    act("relu")
}

pub(crate) fn batch_norm() -> OpKind {
    OpKind::BatchNorm(op::BatchNorm {
        epsilon: value(1e-5),
        momentum: value(0.1),
    })
}

pub(crate) fn layer_norm() -> OpKind {
    OpKind::LayerNorm(op::LayerNorm {
        epsilon: value(1e-5),
        axis: op::norm::NormAxis::Features,
    })
}

pub(crate) fn dropout(rate: f64) -> OpKind {
    OpKind::Stochastic(Stochastic::Dropout { rate: value(rate) })
}

pub(crate) fn alpha_dropout(rate: f64) -> OpKind {
    OpKind::Stochastic(Stochastic::AlphaDropout { rate: value(rate) })
}

pub(crate) fn noise(std: f64) -> OpKind {
    OpKind::Stochastic(Stochastic::Noise { std: value(std) })
}

pub(crate) fn drop_path(rate: f64) -> OpKind {
    OpKind::Stochastic(Stochastic::DropPath { rate: value(rate) })
}

pub(crate) fn custom(output: usize) -> OpKind {
    OpKind::Custom(op::Custom {
        text: "own()".to_owned(),
        output: vec![value(output as f64)],
    })
}

pub(crate) fn residual(body: Vec<Statement>) -> OpKind {
    OpKind::Residual {
        body,
        shortcut: vec![],
        drop_path: None,
    }
}

pub(crate) fn residual_with(body: Vec<Statement>, shortcut: Vec<Statement>) -> OpKind {
    OpKind::Residual {
        body,
        shortcut,
        drop_path: None,
    }
}

pub(crate) fn stochastic_depth(body: Vec<Statement>, first: f64, last: f64) -> OpKind {
    let path = DropPath {
        id: Id::NONE,
        first: value(first),
        last: value(last),
        levels: vec![],
    };
    OpKind::Residual {
        body,
        shortcut: vec![],
        drop_path: Some(path),
    }
}

pub(crate) fn repeat(times: f64, body: Vec<Statement>) -> OpKind {
    OpKind::repeat(value(times), body)
}

/// `name: op -> op;`
pub(crate) fn layer<const N: usize>(name: &str, ops: [OpKind; N]) -> Statement {
    let mut seen = false;
    let ops = ops.map(|kind| {
        let stateful =
            !matches!(&kind, OpKind::Activation(activation) if !activation.kind.has_state());
        let field = stateful.then(|| {
            let bare = !seen && !matches!(kind, OpKind::Stochastic(_) | OpKind::Activity(_));
            seen |= bare;
            if bare {
                name.to_owned()
            } else {
                format!("{name}_{}", kind.word())
            }
        });
        Op {
            id: Id::NONE,
            field,
            kind,
            rules: vec![],
            levels: vec![],
        }
    });
    Statement {
        id: Id::NONE,
        name: name.to_owned(),
        source: Source::Previous,
        source_id: Id::NONE,
        ops: ops.into(),
        levels: vec![],
    }
}

impl Statement {
    pub(crate) fn from(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// `with rule` on every op with weights.
    #[allow(clippy::needless_pass_by_value, reason = "it reads better in tests")]
    pub(crate) fn with(mut self, kind: RuleKind) -> Self {
        for op in self.ops.iter_mut().filter(|op| op.field.is_some()) {
            if !matches!(op.kind, OpKind::Stochastic(_)) {
                op.rules.push(WeightRule {
                    id: Id::NONE,
                    kind: kind.clone(),
                    on: Reach::Weights,
                    levels: vec![],
                });
            }
        }
        self
    }

    /// The last rule reaches everything.
    pub(crate) fn on_all(mut self) -> Self {
        for rule in self.ops.iter_mut().filter_map(|op| op.rules.last_mut()) {
            rule.on = Reach::All;
        }
        self
    }

    pub(crate) fn level(mut self, lint: &str, level: Level) -> Self {
        self.levels.push(attribute(lint, level));
        self
    }
}

pub(crate) fn attribute(lint: &str, level: Level) -> LintLevel {
    LintLevel {
        lint: lint.to_owned(),
        level,
        ..LintLevel::default()
    }
}

pub(crate) fn expect(lint: &str) -> LintLevel {
    LintLevel {
        expect: true,
        ..attribute(lint, Level::Allow)
    }
}

pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn decay(l1: f64, l2: f64) -> RuleKind {
    RuleKind::Decay {
        l1: Some(value(l1)),
        l2: Some(value(l2)),
    }
}

pub(crate) fn penalty_l2(l2: f64) -> RuleKind {
    RuleKind::Penalty {
        l1: None,
        l2: Some(value(l2)),
    }
}

pub(crate) fn cross_entropy() -> LossKind {
    LossKind::CrossEntropy {
        label_smoothing: None,
        weights: vec![],
        from: Reads::Logits,
        z: None,
    }
}

pub(crate) fn binary_cross_entropy() -> LossKind {
    LossKind::BinaryCrossEntropy {
        label_smoothing: None,
        weights: vec![],
        from: Reads::Logits,
        positive_weight: None,
    }
}

pub(crate) fn sgd() -> OptimizerKind {
    OptimizerKind::Sgd {
        momentum: value(0.0),
        dampening: value(0.0),
        nesterov: Value::truth(false),
    }
}

pub(crate) fn adam() -> OptimizerKind {
    OptimizerKind::Adam {
        beta1: value(0.9),
        beta2: value(0.999),
        epsilon: value(1e-8),
        amsgrad: Value::truth(false),
    }
}

pub(crate) fn adamw() -> OptimizerKind {
    OptimizerKind::Adamw {
        beta1: value(0.9),
        beta2: value(0.999),
        epsilon: value(1e-8),
        amsgrad: Value::truth(false),
    }
}

/// A model with one input `x` of 64 features.
pub(crate) fn model(layers: Vec<Statement>) -> Model {
    model_of(&[64], layers)
}

pub(crate) fn model_of(shape: &[usize], layers: Vec<Statement>) -> Model {
    let mut model = Model {
        name: "Net".to_owned(),
        layers,
        ..Model::default()
    };
    model.inputs.push(input("x", shape));
    model.numbered()
}

/// A classifier of ten classes: the layers, then `head: linear(10)`.
pub(crate) fn classifier(mut layers: Vec<Statement>) -> Model {
    layers.push(layer("head", [linear(10)]));
    model(layers).loss(cross_entropy())
}

pub(crate) fn input(name: &str, shape: &[usize]) -> Input {
    Input {
        id: Id::NONE,
        name: name.to_owned(),
        shape: shape.iter().map(|axis| value(*axis as f64)).collect(),
        kind: InputKind::Float,
    }
}

impl Model {
    pub(crate) fn loss(mut self, kind: LossKind) -> Self {
        self.loss = Some(Loss {
            id: Id::NONE,
            kind,
            target: None,
            levels: vec![],
        });
        self.numbered()
    }

    pub(crate) fn target(mut self, low: f64, high: f64) -> Self {
        let loss = self.loss.as_mut().expect("a loss");
        loss.target = Some(TargetRange {
            id: Id::NONE,
            low: value(low),
            high: value(high),
        });
        self
    }

    pub(crate) fn task(mut self, kind: TaskKind) -> Self {
        self.task = Some(Task {
            id: Id::NONE,
            kind,
            levels: vec![],
        });
        self.numbered()
    }

    pub(crate) fn train(mut self, edit: impl FnOnce(&mut Train)) -> Self {
        edit(self.train.get_or_insert_default());
        self.numbered()
    }

    pub(crate) fn optimizer(
        self,
        kind: OptimizerKind,
        learning_rate: f64,
        weight_decay: Option<f64>,
    ) -> Self {
        self.train(|train| {
            let weight_decay = weight_decay.map(value);
            let learning_rate = value(learning_rate);
            train.optimizer = Some(Optimizer {
                id: Id::NONE,
                kind,
                learning_rate,
                weight_decay,
            });
        })
    }

    pub(crate) fn schedule(self, kind: ScheduleKind, warmup: f64) -> Self {
        self.train(|train| {
            train.schedule = Some(Schedule {
                id: Id::NONE,
                kind,
                warmup: Some(value(warmup)),
            });
        })
    }

    pub(crate) fn level(mut self, level: LintLevel) -> Self {
        self.levels.push(level);
        self.numbered()
    }

    /// Gives ids in the order of the source, as the macro does.
    pub(crate) fn numbered(mut self) -> Self {
        let mut next = 0;
        let mut id = || {
            next += 1;
            Id(next)
        };
        self.levels.iter_mut().for_each(|level| level.id = id());
        self.id = id();
        self.inputs.iter_mut().for_each(|input| input.id = id());
        number(&mut self.layers, &mut id);
        if let Some(loss) = &mut self.loss {
            loss.id = id();
        }
        if let Some(task) = &mut self.task {
            task.id = id();
        }
        if let Some(train) = &mut self.train {
            train.id = id();
            if let Some(optimizer) = &mut train.optimizer {
                optimizer.id = id();
            }
            if let Some(schedule) = &mut train.schedule {
                schedule.id = id();
            }
            if let Some(stop) = &mut train.early_stop {
                stop.id = id();
            }
        }
        self
    }

    pub(crate) fn checked(&self) -> Checked {
        Checked::new(self.clone())
    }

    pub(crate) fn check(&self) -> Vec<Finding> {
        self.checked().findings().to_vec()
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        self.checked().parameters().to_vec()
    }

    /// The names of what `check` finds; `error` for what is no lint.
    pub(crate) fn lints(&self) -> Vec<&'static str> {
        self.check()
            .iter()
            .map(|finding| finding.lint.unwrap_or("error"))
            .collect()
    }

    /// The one finding of a lint.
    pub(crate) fn found(&self, lint: &str) -> Finding {
        let mut findings = self.check();
        findings.retain(|finding| finding.lint == Some(lint));
        assert_eq!(findings.len(), 1, "{lint} in {:?}", self.lints());
        findings.remove(0)
    }
}

fn number(statements: &mut [Statement], id: &mut dyn FnMut() -> Id) {
    for statement in statements {
        statement
            .levels
            .iter_mut()
            .for_each(|level| level.id = id());
        statement.id = id();
        for op in &mut statement.ops {
            op.id = id();
            op.levels.iter_mut().for_each(|level| level.id = id());
            match &mut op.kind {
                OpKind::Residual {
                    body,
                    shortcut,
                    drop_path,
                } => {
                    number(body, id);
                    number(shortcut, id);
                    if let Some(path) = drop_path {
                        path.id = id();
                    }
                }
                OpKind::Repeat { body, .. } | OpKind::Parallel { body, .. } => number(body, id),
                _ => {}
            }
            op.rules.iter_mut().for_each(|rule| rule.id = id());
        }
    }
}
