//! Which weights decay and penalties reach, and whether two of them reach the same ones.

use super::above_zero;
use super::strength::id_of;
use crate::catalogue::names;
use crate::graph::{Graph, Node};
use crate::lint::Cx;
use crate::op;
use crate::walk::at;
use crate::{Id, OpKind, Optimizer, Reach, Role, RuleKind, WeightRule};

pub(super) fn on_norm_and_bias<'m>(cx: &mut Cx<'m>, node: &Node<'m>, rule: &'m WeightRule) {
    let (RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 }) = &rule.kind else {
        return;
    };
    let strength = above_zero(l1.as_ref()).or(above_zero(l2.as_ref()));
    if rule.on == Reach::All && strength.is_some() {
        cx.at(
            &rule.levels,
            node.scope,
            node.place(),
            id_of(rule, node),
            names::weight_decay_on_norm_and_bias,
            format!("`{rule}` shrinks biases and gains too"),
        )
        .and_help("remove `on all`")
        .and_note("decay of weight matrices alone is usual (He et al., arXiv 1812.01187)");
    }
}

/// Asked for with `on embedding` or `on all`; a table that is also the head's weight is one like others.
pub(super) fn decay_on_embedding<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, node: &Node<'m>) {
    let Some(op) = node
        .op()
        .filter(|op| matches!(op.kind, OpKind::Embedding(_)))
    else {
        return;
    };
    let tied = graph.nodes.iter().filter_map(Node::op).any(
        |op| matches!(&op.kind, OpKind::Linear(op::Linear { tied: Some(name), .. }) if *name == node.path),
    );
    for rule in op
        .rules
        .iter()
        .filter(|rule| !tied && rule.on != Reach::Weights)
    {
        let (RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 }) = &rule.kind else {
            continue;
        };
        if above_zero(l1.as_ref())
            .or(above_zero(l2.as_ref()))
            .is_none()
        {
            continue;
        }
        let id = if rule.id.is_none() { node.id } else { rule.id };
        cx.at(
            &rule.levels,
            node.scope,
            node.place(),
            id,
            names::weight_decay_on_embedding,
            format!("`{rule}` shrinks the vectors of all classes in every step, a batch reads few"),
        )
        .and_help(format!("remove `{rule}`"))
        .and_note("classes that are rare are shrunk as often as the common ones, and trained less");
    }
}

/// One source of L2 on a weight: where it is written and what it is.
struct Source<'m> {
    id: Id,
    text: String,
    rule: Option<&'m WeightRule>,
}

pub(super) fn double_l2<'m>(cx: &mut Cx<'m>, node: &Node<'m>, optimizer: Option<&'m Optimizer>) {
    let Some(op) = node.op() else { return };
    if !op.kind.roles().contains(&Role::Weight) {
        return;
    }
    let l2 = |rule: &WeightRule| match &rule.kind {
        RuleKind::Decay { l2, .. } | RuleKind::Penalty { l2, .. } => {
            above_zero(l2.as_ref()).is_some()
        }
        _ => false,
    };
    let mut sources: Vec<Source<'m>> = Vec::new();
    for word in ["decay", "penalty"] {
        // The last one of a word is the one that acts.
        if let Some(rule) = op
            .rules
            .iter()
            .rev()
            .find(|rule| rule.kind.word() == word && l2(rule))
        {
            let id = if rule.id.is_none() { node.id } else { rule.id };
            sources.push(Source {
                id,
                text: rule.to_string(),
                rule: Some(rule),
            });
        }
    }
    let own_decay = op
        .rules
        .iter()
        .any(|rule| matches!(rule.kind, RuleKind::Decay { .. }));
    if let Some((optimizer, value)) =
        optimizer.and_then(|optimizer| Some((optimizer, optimizer.weight_decay.as_ref()?)))
        && above_zero(Some(value)).is_some()
        && !(optimizer.kind.decouples_decay() && own_decay)
    {
        let text = format!("{}(weight_decay = {value})", optimizer.kind.word());
        sources.push(Source {
            id: at(value, optimizer.id),
            text,
            rule: None,
        });
    }
    if let [first, .., second] = sources.as_slice() {
        // An attribute on either annotation holds.
        let named = |rule: &&WeightRule| crate::lint::levels::name(&rule.levels, names::double_l2);
        let own = [first, second]
            .into_iter()
            .filter_map(|source| source.rule)
            .find(named);
        let own = own.map_or(&[][..], |rule| &rule.levels);
        cx.at(
            own,
            node.scope,
            node.place(),
            first.id,
            names::double_l2,
            format!(
                "the weights of `{}` are decayed twice: by `{}` and by `{}`",
                node.name(),
                first.text,
                second.text
            ),
        )
        .and_other(second.id, "the second one")
        .and_help(if let Some(rule) = second.rule {
            format!("remove `{rule}`")
        } else {
            let decay = optimizer.and_then(|optimizer| optimizer.weight_decay);
            format!("remove `weight_decay = {}`", decay.unwrap_or_default())
        })
        .and_note("two strengths for one effect: neither number means what it says");
    }
}
