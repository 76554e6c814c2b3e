//! `with ..`: annotations go to the place or to the weights on which they act.

use super::operations::{each_statement, kind_alone, only_inside, range_needs_repeat};
use super::{Cx, arguments, unknown_word};
use crate::ast::{Annotation, Call, Side};
use crate::evaluate;
use crate::words::{self, Read, Word};
use damper_ir::op;
use damper_ir::{
    DropPath, Id, LintLevel, Op, OpKind, Rate, Reach, RuleKind, Statement, Stochastic, WeightRule,
};
use proc_macro2::Ident;

/// The block that a statement stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// `layers`
    Top,
    /// `repeat`
    Repeat,
    /// `residual`
    Residual {
        /// Directly in a `repeat`.
        repeated: bool,
    },
    /// `shortcut`
    Shortcut,
    /// `parallel`
    Parallel,
}

/// An operation of a chain, and what annotations put around it.
pub(super) struct Slot {
    word: String,
    pub(super) op: Op,
    before: Vec<Op>,
    after: Vec<Op>,
}

impl Slot {
    pub(super) fn new(word: String, op: Op) -> Self {
        Self {
            word,
            op,
            before: Vec::new(),
            after: Vec::new(),
        }
    }
}

fn reached(kind: &OpKind, rule: &WeightRule) -> bool {
    if matches!(rule.kind, RuleKind::DropConnect { .. }) {
        return kind.drops_weights();
    }
    match kind {
        // What is inside another module is not known here.
        OpKind::Custom(_) | OpKind::Model { .. } => true,
        kind => kind.roles().into_iter().any(|role| rule.on.reaches(role)),
    }
}

/// Moves the annotations of a statement into its operations.
pub(super) fn place(
    cx: &mut Cx,
    with: &[Annotation],
    mut slots: Vec<Slot>,
    statement: Id,
    place: Where,
) -> Vec<Op> {
    // What acts at the end of a statement without operations, such as `add(a, b)`.
    let mut tail: Vec<Op> = Vec::new();
    let mut given: Vec<(String, proc_macro2::Span)> = Vec::new();
    for annotation in with {
        let levels = cx.levels(&annotation.attrs.levels);
        let word = annotation.call.word.to_string();
        if words::rule(&word).is_some() {
            if let Some(rule) = weight_rule(cx, annotation, levels) {
                once(cx, &mut given, annotation);
                let mut any = false;
                for slot in &mut slots {
                    any |= own(cx, &mut slot.op, &rule);
                }
                if !any && !cx.broken.contains(&statement) {
                    no_weights(cx, annotation, &rule);
                }
            }
        } else if word == "drop_path" && annotation.place.is_none() {
            drop_path(cx, annotation, levels, &mut slots, &mut tail, place);
        } else if let Some(inner) = Inner::of(annotation, &slots) {
            let mut ops: Vec<&mut Op> = slots.iter_mut().map(|slot| &mut slot.op).collect();
            inside(cx, annotation, &levels, inner, &mut ops, statement);
        } else if let Some(op) = acting(cx, annotation, levels) {
            match target(cx, annotation, &slots, statement) {
                Target::Lost => {}
                Target::At(side, index) => match (slots.get_mut(index), side) {
                    (Some(slot), Side::Before) => slot.before.push(op),
                    (Some(slot), Side::After) => slot.after.push(op),
                    (None, _) => tail.push(op),
                },
            }
        }
    }
    let mut ops = Vec::new();
    for slot in slots {
        ops.extend(slot.before);
        ops.push(slot.op);
        ops.extend(slot.after);
    }
    ops.extend(tail);
    ops
}

/// What an annotation sets inside a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inner {
    Attention,
    Embedding,
    Zoneout,
    Variational,
    State,
    Between,
}

impl Inner {
    /// What this annotation sets inside the layers of its statement, if it does that.
    fn of(annotation: &Annotation, slots: &[Slot]) -> Option<Self> {
        let ops = || slots.iter().map(|slot| &slot.op);
        match annotation.call.word.to_string().as_str() {
            "variational_dropout" if annotation.place.is_none() => {
                ops().any(has_recurrent).then_some(Self::Variational)
            }
            "dropout" if annotation.place.is_none() => {
                let last = ops().rfind(|op| {
                    op.kind.drops_weights()
                        || matches!(
                            op.kind,
                            OpKind::Linear(_)
                                | OpKind::Attention(_)
                                | OpKind::Embedding(_)
                                | OpKind::Custom(_)
                                | OpKind::Model { .. }
                                | OpKind::Residual { .. }
                                | OpKind::Repeat { .. }
                                | OpKind::Parallel { .. }
                        )
                })?;
                matches!(last.kind, OpKind::Recurrent(_)).then_some(Self::Between)
            }
            word => Self::of_word(word),
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "attention_dropout" => Self::Attention,
            "embedding_dropout" => Self::Embedding,
            "zoneout" => Self::Zoneout,
            _ => return None,
        })
    }

    /// The layers it is for.
    fn layers(self) -> &'static str {
        match self {
            Self::Attention => "`attention`",
            Self::Embedding => "`embedding`",
            Self::Zoneout | Self::Variational | Self::State | Self::Between => {
                "`lstm`, `gru` and `rnn`"
            }
        }
    }

    /// The place of the rate in a layer that has one.
    fn place(self, kind: &mut OpKind) -> Option<&mut Option<Rate>> {
        match (kind, self) {
            (OpKind::Attention(op::Attention { dropout, .. }), Self::Attention)
            | (OpKind::Embedding(op::Embedding { dropout, .. }), Self::Embedding) => Some(dropout),
            (OpKind::Recurrent(layer), Self::Zoneout) => Some(&mut layer.zoneout),
            (OpKind::Recurrent(layer), Self::Variational) => Some(&mut layer.variational),
            (OpKind::Recurrent(layer), Self::State) => Some(&mut layer.recurrent),
            (OpKind::Recurrent(layer), Self::Between) => Some(&mut layer.between),
            _ => None,
        }
    }
}

/// Whether it is a recurrent layer, or a block with one.
fn has_recurrent(op: &Op) -> bool {
    let is_recurrent = matches!(op.kind, OpKind::Recurrent(_));
    let mut inner = op.kind.blocks().flat_map(|(_, block)| block);
    is_recurrent || inner.any(|statement| statement.ops.iter().any(has_recurrent))
}

/// A statement with an annotation that acts inside a layer, as an example writes it.
pub(super) fn inside_example(word: &Word) -> String {
    let layer = match word.name {
        "attention_dropout" => "attention(heads = 4)",
        "embedding_dropout" => "embedding(8000, 128)",
        _ => "lstm(128)",
    };
    format!("{layer} with {}", sample(word))
}

/// Sets a rate inside the layers of a statement, and inside those of its blocks that have none of their own.
fn inside(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: &[LintLevel],
    inner: Inner,
    ops: &mut [&mut Op],
    statement: Id,
) {
    let Some((word, rates)) = rates(cx, annotation, levels, inner) else {
        return;
    };
    let mut any = false;
    let mut twice = None;
    for (inner, rate) in &rates {
        for op in ops.iter_mut() {
            if let Some(place) = inner.place(&mut op.kind) {
                any = true;
                match place {
                    Some(first) => twice = Some(first.id),
                    None => *place = Some(rate.clone()),
                }
            }
            any |= inside_blocks(op, *inner, rate);
        }
    }
    if let Some(first) = twice {
        let first = cx.spans.get(first).0;
        cx.diagnostics
            .error(
                annotation.call.ends(),
                format!("`{}` stands twice on one statement", word.name),
            )
            .other(first, "the first one is")
            .help("keep one of them");
    }
    if !any && !cx.broken.contains(&statement) {
        nothing_inside(cx, annotation, inner, word);
    }
}

fn nothing_inside(cx: &mut Cx, annotation: &Annotation, inner: Inner, word: &Word) {
    let report = cx.diagnostics.error(
        annotation.call.ends(),
        format!(
            "`{}` acts inside {}, and there is none here",
            word.name,
            inner.layers()
        ),
    );
    report.help(format!("`{}`", inside_example(word)));
    if inner == Inner::Attention || inner == Inner::Embedding {
        report.help("on the value that passes: `dropout(0.1)`");
    }
}

/// The rates of an annotation that acts inside layers. It has no place of its own there.
fn rates(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: &[LintLevel],
    inner: Inner,
) -> Option<(&'static Word, Vec<(Inner, Rate)>)> {
    let call = &annotation.call;
    let name = call.word.to_string();
    let word = words::inside(&name).or_else(|| words::stochastic(&name))?;
    if let Some((side, place)) = &annotation.place {
        let side = side_word(*side);
        cx.diagnostics
            .error(
                place,
                format!(
                    "`{name}` acts inside {}: `{side} {place}` has no meaning",
                    inner.layers()
                ),
            )
            .help(format!("without `{side} {place}`"));
    }
    on_values(cx, annotation);
    let arguments = arguments::read(cx, call, word);
    let mut rate = |rate| Rate {
        id: cx.id(call.ends()),
        rate,
        levels: levels.to_vec(),
    };
    let mut rates = vec![(inner, rate(arguments.value("rate")))];
    if inner == Inner::Variational
        && let Some(state) = arguments.optional("recurrent")
    {
        rates.push((Inner::State, rate(state)));
    }
    Some((word, rates))
}

/// Sets a rate in the layers of the blocks of an operation that have none.
fn inside_blocks(op: &mut Op, inner: Inner, rate: &Rate) -> bool {
    let mut any = false;
    for block in op.kind.blocks_mut() {
        any |= inside_default(block, inner, rate);
    }
    any
}

fn inside_default(statements: &mut [Statement], inner: Inner, rate: &Rate) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        for op in &mut statement.ops {
            if let Some(place) = inner.place(&mut op.kind) {
                any = true;
                place.get_or_insert_with(|| rate.clone());
            }
        }
    });
    any
}

/// Two rules of one word on one statement contradict each other.
fn once(cx: &mut Cx, given: &mut Vec<(String, proc_macro2::Span)>, annotation: &Annotation) {
    let word = annotation.call.word.to_string();
    if let Some((_, first)) = given.iter().find(|(first, _)| *first == word) {
        cx.diagnostics
            .error(
                annotation.call.ends(),
                format!("`{word}` stands twice on one statement"),
            )
            .other(*first, "the first one is")
            .help("keep one of them");
    }
    given.push((word, annotation.call.word.span()));
}

/// Gives an operation a rule of its own, and its inner operations a default.
fn own(cx: &mut Cx, op: &mut Op, rule: &WeightRule) -> bool {
    let mut any = false;
    if reached(&op.kind, rule) {
        match op
            .rules
            .iter()
            .find(|first| first.kind.word() == rule.kind.word())
        {
            Some(first) => {
                let (first, ends) = (cx.spans.get(first.id).0, cx.spans.get(rule.id));
                let message = format!("`{}` stands twice on one statement", rule.kind.word());
                cx.diagnostics
                    .error(ends, message)
                    .other(first, "the first one is");
            }
            None => op.rules.push(rule.clone()),
        }
        any = true;
    }
    for block in op.kind.blocks_mut() {
        any |= default_rule(block, rule);
    }
    any
}

/// Gives a rule to every operation that has none of the same word.
fn default_rule(statements: &mut [Statement], rule: &WeightRule) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        for op in statement
            .ops
            .iter_mut()
            .filter(|op| reached(&op.kind, rule))
        {
            any = true;
            if !op
                .rules
                .iter()
                .any(|first| first.kind.word() == rule.kind.word())
            {
                op.rules.push(rule.clone());
            }
        }
    });
    any
}

fn no_weights(cx: &mut Cx, annotation: &Annotation, rule: &WeightRule) {
    let word = rule.kind.word();
    let report = cx.diagnostics.error(
        annotation.call.ends(),
        format!("`{word}` acts on weights, and there are none here"),
    );
    if matches!(rule.kind, RuleKind::DropConnect { .. }) {
        report.help(
            "on a statement with `linear`, `swiglu`, a convolution or a recurrent layer: `linear(64) -> relu with drop_connect(0.1)`",
        );
    } else {
        report.help(format!(
            "on a statement with weights: `linear(64) -> relu with {}`",
            annotation_text(annotation)
        ));
    }
    if rule.on == Reach::Weights && !matches!(rule.kind, RuleKind::DropConnect { .. }) {
        report.note(
            "weights are matrices and kernels; `on embedding` reaches tables of vectors too, `on all` biases and the gains of normalizations as well",
        );
    }
}

fn annotation_text(annotation: &Annotation) -> String {
    let word = annotation.call.word.to_string();
    words::rule(&word).map_or(word, sample)
}

/// A rule that stands behind `with`: it has no place in the chain.
fn weight_rule(cx: &mut Cx, annotation: &Annotation, levels: Vec<LintLevel>) -> Option<WeightRule> {
    if let Some((side, name)) = &annotation.place {
        let side = side_word(*side);
        let word = &annotation.call.word;
        cx.diagnostics
            .error(
                name,
                format!("`{word}` acts on weights: `{side} {name}` has no meaning"),
            )
            .help(format!("without `{side} {name}`"));
    }
    rule(cx, &annotation.call, annotation.on.as_ref(), levels)
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}

/// A weight rule from its call.
pub(super) fn rule(
    cx: &mut Cx,
    call: &Call,
    on: Option<&Ident>,
    levels: Vec<LintLevel>,
) -> Option<WeightRule> {
    let word = words::rule(&call.word.to_string())?;
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    let kind = RuleKind::read(&arguments)?;
    if let RuleKind::Decay { l1: None, l2: None } | RuleKind::Penalty { l1: None, l2: None } = &kind
        && arguments.fine
    {
        strength(cx, call);
    }
    let on = match on.map(ToString::to_string).as_deref() {
        Some("all") => Reach::All,
        Some("embedding") => Reach::Embedding,
        // A frozen layer does not move at all.
        None if kind == RuleKind::Freeze => Reach::All,
        None => Reach::Weights,
        Some(other) => {
            if let Some(on) = on {
                cx.diagnostics
                    .error(
                        on,
                        format!("`on` is followed by `all` or `embedding`, found `{other}`"),
                    )
                    .help(format!("`{} on all`", sample(word)));
            }
            Reach::Weights
        }
    };
    Some(WeightRule {
        id,
        kind,
        on,
        levels,
    })
}

fn strength(cx: &mut Cx, call: &Call) {
    let word = &call.word;
    cx.diagnostics
        .error(
            call.ends(),
            format!("`{word}` needs a strength: `l1`, `l2` or both"),
        )
        .help(format!("`{word}(l2 = 1e-3)`"));
}

/// An annotation as an example writes it.
pub(super) fn sample(word: &Word) -> String {
    match word.name {
        name @ ("decay" | "penalty" | "activity") => format!("{name}(l2 = 1e-3)"),
        "max_norm" => "max_norm(3.0)".to_owned(),
        "orthogonal" => "orthogonal(1e-4)".to_owned(),
        "drop_block" => "drop_block(0.1, size = 7)".to_owned(),
        name if word.arguments.is_empty() => name.to_owned(),
        name => format!("{name}(0.1)"),
    }
}

/// An operation on the value from its annotation: stochastic, or `activity`.
fn acting(cx: &mut Cx, annotation: &Annotation, levels: Vec<LintLevel>) -> Option<Op> {
    let call = &annotation.call;
    let name = call.word.to_string();
    let word = words::stochastic(&name).or_else(|| words::activity(&name));
    let Some(word) = word else {
        unknown(cx, call);
        return None;
    };
    on_values(cx, annotation);
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    only_inside(cx, word, &arguments);
    let kind = if let Some(activity) = op::Activity::read(&arguments) {
        let any = arguments.is_given("l1") || arguments.is_given("l2");
        if arguments.fine && !any {
            strength(cx, call);
        }
        OpKind::Activity(activity)
    } else {
        kind_alone(cx, OpKind::read(&arguments)?, &arguments)
    };
    Some(Op {
        id,
        field: None,
        kind,
        rules: Vec::new(),
        levels,
    })
}

fn on_values(cx: &mut Cx, annotation: &Annotation) {
    if let Some(on) = &annotation.on {
        let word = &annotation.call.word;
        cx.diagnostics
            .error(
                on,
                format!("`{word}` acts on values, not on parameters: `on {on}` has no meaning"),
            )
            .help(format!("without `on {on}`"));
    }
}

fn unknown(cx: &mut Cx, call: &Call) {
    let name = call.word.to_string();
    for item in call.args.iter().flat_map(|args| &args.items) {
        evaluate::mark(&mut cx.hyper, &item.value.tokens);
    }
    if words::chain().contains(&name.as_str()) {
        cx.diagnostics
            .error(
                call.ends(),
                format!("`{name}` is a layer, not an annotation"),
            )
            .help(format!("in the chain, before `with`: `-> {name}`"));
    } else {
        unknown_word(cx, "annotation", &call.word, &words::annotations());
    }
}

enum Target {
    At(Side, usize),
    Lost,
}

/// The operation on which an annotation acts: the named one, or behind the last activation, or the end.
fn target(cx: &mut Cx, annotation: &Annotation, slots: &[Slot], statement: Id) -> Target {
    let Some((side, name)) = &annotation.place else {
        return Target::At(Side::After, natural(slots));
    };
    let found: Vec<usize> = (0..slots.len())
        .filter(|index| *name == slots[*index].word)
        .collect();
    let word = side_word(*side);
    match found.as_slice() {
        [index] => Target::At(*side, *index),
        [] => {
            if !cx.broken.contains(&statement) {
                let words: Vec<&str> = slots.iter().map(|slot| slot.word.as_str()).collect();
                let name_text = name.to_string();
                let suggestion = damper_ir::suggest(&name_text, words.iter().copied());
                let ending = suggestion.map_or(String::new(), |s| format!(": did you mean `{s}`?"));
                let report = cx.diagnostics.error(
                    name,
                    format!("there is no `{name}` in this statement{ending}"),
                );
                if words.is_empty() {
                    report.help(format!("without `{word} {name}`"));
                } else {
                    report.help(format!("its operations are {}", words::list(&words)));
                }
            }
            Target::Lost
        }
        several => {
            cx.diagnostics
                .error(name, format!("there are {} `{name}` in this statement", several.len()))
                .help(format!(
                    "split the statement, so that each has one `{name}`, or write the annotation in the chain: `-> {}`",
                    words::stochastic(&annotation.call.word.to_string())
                        .map_or_else(|| annotation.call.word.to_string(), sample)
                ));
            Target::Lost
        }
    }
}

fn natural(slots: &[Slot]) -> usize {
    slots
        .iter()
        .rposition(|slot| matches!(slot.op.kind, OpKind::Activation(_)))
        .unwrap_or(slots.len().saturating_sub(1))
}

/// `drop_path` without a place: on the residuals of the statement, or on those of its `repeat`.
fn drop_path(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: Vec<LintLevel>,
    slots: &mut [Slot],
    tail: &mut Vec<Op>,
    place: Where,
) {
    let Some(word) = words::stochastic("drop_path") else {
        return;
    };
    on_values(cx, annotation);
    let id = cx.id(annotation.call.ends());
    let arguments = arguments::read(cx, &annotation.call, word);
    let last = arguments.value("rate");
    let first = arguments.low("rate").unwrap_or(last);
    let path = DropPath {
        id,
        first,
        last,
        levels: levels.clone(),
    };
    let mut given = false;
    for slot in slots.iter_mut() {
        match &mut slot.op.kind {
            OpKind::Residual { drop_path, .. } => {
                given = true;
                if let Some(ends) = arguments
                    .range_ends("rate")
                    .filter(|_| place != Where::Repeat)
                {
                    range_needs_repeat(cx, ends);
                }
                if let Some(before) = drop_path {
                    let before = cx.spans.get(before.id).0;
                    cx.diagnostics
                        .error(
                            annotation.call.ends(),
                            "`drop_path` stands twice on one statement",
                        )
                        .other(before, "the first one is")
                        .help("keep one of them");
                } else {
                    *drop_path = Some(path.clone());
                }
            }
            OpKind::Repeat { body, .. } => {
                for op in body.iter_mut().flat_map(|statement| &mut statement.ops) {
                    if let OpKind::Residual { drop_path, .. } = &mut op.kind {
                        given = true;
                        drop_path.get_or_insert_with(|| path.clone());
                    }
                }
            }
            _ => {}
        }
    }
    if given {
        return;
    }
    if let Some(ends) = arguments.range_ends("rate") {
        range_needs_repeat(cx, ends);
    }
    let kind = OpKind::Stochastic(Stochastic::DropPath { rate: first });
    let op = Op {
        id,
        field: None,
        kind,
        rules: Vec::new(),
        levels,
    };
    match slots.last_mut() {
        Some(slot) => slot.after.push(op),
        None => tail.push(op),
    }
}

/// `layers with ..`: what every statement has that does not say otherwise.
pub(super) fn defaults(cx: &mut Cx, with: &[Annotation], statements: &mut [Statement]) {
    let mut given = Vec::new();
    for annotation in with {
        let levels = cx.levels(&annotation.attrs.levels);
        default(cx, annotation, levels, statements, &mut given);
    }
}

fn default(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: Vec<LintLevel>,
    statements: &mut [Statement],
    given: &mut Vec<(String, proc_macro2::Span)>,
) {
    let word = annotation.call.word.to_string();
    if words::rule(&word).is_some() {
        let Some(rule) = weight_rule(cx, annotation, levels) else {
            return;
        };
        once(cx, given, annotation);
        if !default_rule(statements, &rule) && cx.broken.is_empty() {
            no_weights(cx, annotation, &rule);
        }
        return;
    }
    let variational = word == "variational_dropout"
        && annotation.place.is_none()
        && statements
            .iter()
            .flat_map(|one| &one.ops)
            .any(has_recurrent);
    let inner = Inner::of_word(&word).or(variational.then_some(Inner::Variational));
    if let Some(inner) = inner {
        let Some((word, rates)) = rates(cx, annotation, &levels, inner) else {
            return;
        };
        let mut any = false;
        for (inner, rate) in &rates {
            any |= inside_default(statements, *inner, rate);
        }
        if !any && cx.broken.is_empty() {
            nothing_inside(cx, annotation, inner, word);
        }
        return;
    }
    let before = cx.diagnostics.count();
    if let Some((side, name)) = &annotation.place {
        let side = side_word(*side);
        cx.diagnostics
            .error(
                name,
                format!("`{side} {name}` needs one statement, this is for all of `layers`"),
            )
            .help("on `layers`, the place is behind the last activation of each statement");
    }
    let Some(op) = acting(cx, annotation, levels) else {
        return;
    };
    if cx.diagnostics.count() > before {
        return;
    }
    let any = if let OpKind::Stochastic(Stochastic::DropPath { rate }) = &op.kind {
        let path = DropPath {
            id: op.id,
            first: *rate,
            last: *rate,
            levels: op.levels.clone(),
        };
        default_drop_path(statements, &path)
    } else {
        default_op(cx, statements, &op)
    };
    if !any && cx.broken.is_empty() {
        let what = if word == "drop_path" {
            "`residual`"
        } else {
            "activation"
        };
        cx.diagnostics.error(
            annotation.call.ends(),
            format!("there is no {what} on which this `{word}` acts"),
        );
    }
}

fn default_drop_path(statements: &mut [Statement], path: &DropPath) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        for op in &mut statement.ops {
            if let OpKind::Residual { drop_path, .. } = &mut op.kind {
                any = true;
                drop_path.get_or_insert_with(|| path.clone());
            }
        }
    });
    any
}

fn default_op(cx: &mut Cx, statements: &mut [Statement], op: &Op) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        let activation = statement
            .ops
            .iter()
            .rposition(|op| matches!(op.kind, OpKind::Activation(_)));
        let Some(index) = activation else { return };
        let same = |other: &Op| match (&other.kind, &op.kind) {
            (OpKind::Stochastic(a), OpKind::Stochastic(b)) => a.word() == b.word(),
            (OpKind::Activity(_), OpKind::Activity(_)) => true,
            _ => false,
        };
        if !statement.ops.iter().any(same) {
            let mut copy = op.clone();
            if any {
                copy.id = cx.spans.again(op.id);
            }
            statement.ops.insert(index + 1, copy);
        }
        any = true;
    });
    any
}
