//! Which dropout suits which values: feature maps, sequences, attention.

use super::super::convolution::window;
use super::super::{Cx, percent};
use super::{dropouts, written};
use crate::catalogue::names;
use crate::graph::{Graph, Node};
use crate::walk::at;
use crate::{Layout, Level, OpKind, Stochastic, Value};

/// What drops on feature maps, and what drops maps.
pub(super) fn maps<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node, dropout) in dropouts(graph) {
        let Some(input) = &node.input else { continue };
        let vector = input.rank() == 1 || node.layout == Layout::Sequence;
        match dropout {
            Stochastic::Dropout { rate }
                if node.takes_maps() && !is_row(node) && !read_by_position(graph, index) =>
            {
                cx.node(node, names::elementwise_dropout_on_feature_maps, format!("`{dropout}` drops single positions of feature maps {input}"))
                    .and_help(match rate.known {
                        Some(rate) if rate > 0.0 && rate < 0.2 => format!("spatial_dropout({rate})"),
                        _ => "spatial_dropout(0.1)".to_owned(),
                    })
                    .and_note("neighbors are nearly the same, so little is hidden: it acts like a lower learning rate (Tompson et al., arXiv 1411.4280)");
            }
            Stochastic::SpatialDropout { rate } => {
                let single = node
                    .map()
                    .is_some_and(|axes| axes.iter().all(|size| *size == 1));
                if vector {
                    let (help, why) = if node.layout == Layout::Sequence {
                        (
                            format!("variational_dropout({rate})"),
                            "a sequence has steps, no channels; one mask of features for all steps is `variational_dropout`",
                        )
                    } else {
                        (
                            format!("dropout({rate})"),
                            "it drops whole feature maps; here is none",
                        )
                    };
                    cx.node(
                        node,
                        names::spatial_dropout_on_vector,
                        format!("`{dropout}` on a value without feature maps: {input}"),
                    )
                    .and_help(help)
                    .and_note(why);
                } else if single {
                    cx.node(
                        node,
                        names::spatial_dropout_on_vector,
                        format!("`{dropout}` on maps of one position, {input}, is plain dropout"),
                    )
                    .at_level(Level::Warn)
                    .and_help(format!("dropout({rate})"))
                    .and_note("it drops whole feature maps; these are single numbers");
                }
                let max = cx.limit(&[], node.scope, names::spatial_dropout_rate_high, "max");
                if let Some(share) = rate.known.filter(|rate| *rate > max.value && *rate < 1.0) {
                    cx.node(node, names::spatial_dropout_rate_high, format!("`{dropout}` drops {} of the feature maps", percent(share)))
                        .and_limit(max)
                        .and_help("spatial_dropout(0.1)")
                        .and_note("a channel takes all its positions with it: 0.1 to 0.2 is usual (Tompson et al., arXiv 1411.4280)");
                }
            }
            Stochastic::DropBlock { size, .. } => {
                let least = node
                    .map()
                    .and_then(|axes| axes.into_iter().filter(|axis| *axis > 1).min());
                let help = |least: usize| {
                    let mut smaller = dropout.clone();
                    if let Stochastic::DropBlock { size, .. } = &mut smaller {
                        *size = Value::known(least as f64);
                    }
                    smaller.to_string()
                };
                if vector
                    || node
                        .map()
                        .is_some_and(|axes| axes.iter().all(|axis| *axis == 1))
                {
                    cx.node(node, names::drop_block_too_large, format!("`{dropout}` on a value without positions: {input}"))
                        .and_help(format!("dropout({})", dropout.rate()))
                        .and_note("a region of a feature map is all of it or nothing here (Ghiasi et al., arXiv 1810.12890)");
                } else if let Some((least, wanted)) =
                    least.zip(size.size()).filter(|(least, size)| size > least)
                {
                    cx.at(&[], node.scope, node.place(), at(size, node.id), names::drop_block_too_large, format!("regions of {wanted} do not fit into feature maps {input}"))
                        .and_help(help((least / 2).max(1)))
                        .and_note("a region larger than the map drops all of it or nothing (Ghiasi et al., arXiv 1810.12890: 7 on maps of 14 and more)");
                }
            }
            _ => {}
        }
    }
}

/// Maps of one row or column: what a channel is at single steps.
fn is_row(node: &Node<'_>) -> bool {
    node.map()
        .is_some_and(|axes| axes.len() > 1 && axes.iter().filter(|size| **size > 1).count() == 1)
}

/// Whether kernels of 1 alone read it: no neighbor makes up for what is dropped.
fn read_by_position(graph: &Graph<'_>, index: usize) -> bool {
    let after = graph.after(index);
    let is_pointwise = |node: &Node<'_>| {
        node.conv()
            .is_some_and(|conv| window(&conv.kernel, conv.axes) == Some(1))
    };
    let pooled = after.iter().any(|(_, node)| node.pooling().is_some());
    let mut readers = after.iter().filter(|(_, node)| node.ends_segment());
    !pooled && readers.clone().next().is_some() && readers.all(|(_, node)| is_pointwise(node))
}

/// What drops along the time.
pub(super) fn time<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (_, node, dropout) in dropouts(graph) {
        let (Stochastic::VariationalDropout { rate }, Some(input)) = (dropout, &node.input) else {
            continue;
        };
        // An input of two axes may be a sequence.
        if input.rank() == 1 || node.layout == Layout::Channels {
            let instead = if node.takes_maps() {
                "spatial_dropout"
            } else {
                "dropout"
            };
            cx.node(
                node,
                names::variational_dropout_on_non_rnn,
                format!("`{dropout}` on a value without a time axis: {input}"),
            )
            .and_help(format!("{instead}({rate})"))
            .and_note(
                "it is dropout with one mask for all steps (Gal and Ghahramani, arXiv 1512.05287)",
            );
        }
    }
    for node in &graph.nodes {
        let Some(OpKind::Recurrent(recurrent)) = node.op().map(|op| &op.kind) else {
            continue;
        };
        let Some(between) = recurrent
            .between
            .as_ref()
            .filter(|rate| rate.rate.known != Some(0.0))
        else {
            continue;
        };
        if recurrent.layers.size() == Some(1) {
            let id = if between.id.is_none() {
                node.id
            } else {
                between.id
            };
            let (word, rate) = (recurrent.cell.word(), &between.rate);
            cx.at(
                &between.levels,
                node.scope,
                node.place(),
                id,
                names::rnn_dropout_single_layer,
                format!("`dropout({rate})` acts between the layers of `{word}`, and it has one"),
            )
            .and_other(node.id, "this layer")
            .and_help(format!("variational_dropout({rate})"))
            .and_note("`dropout` on a recurrent layer is that of `nn.LSTM(dropout = ..)`, which only warns here; `variational_dropout` drops the input too, with one mask for all steps (arXiv 1512.05287)");
        }
    }
}

pub(super) fn attention<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        for written in written(node)
            .into_iter()
            .filter(|written| written.word == "attention_dropout")
        {
            let max = cx.limit(
                written.levels,
                node.scope,
                names::attention_dropout_high,
                "max",
            );
            let Some(rate) = written
                .value
                .known
                .filter(|rate| *rate > max.value && *rate < 1.0)
            else {
                continue;
            };
            cx.at(
                written.levels,
                node.scope,
                node.place(),
                written.id,
                names::attention_dropout_high,
                format!("`{}` drops {} of the attention weights", written.text(), percent(rate)),
            )
            .and_limit(max)
            .and_help("attention_dropout(0.1)")
            .and_note("the weights of a step sum to 1 and are few: 0.1 is usual (Vaswani et al., arXiv 1706.03762)");
        }
    }
}
