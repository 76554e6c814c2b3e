//! Dropout and its relatives: where they are and how much they drop.

mod layout;
mod place;
mod rates;

use super::Cx;
use crate::graph::{Graph, Kind, Node};
use crate::{Id, LintLevel, RuleKind, Stochastic, Value};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    rates::ranges(cx, graph);
    let before_output = place::before_output(cx, graph);
    place::feeding_head(cx, graph);
    place::batch_norm(cx, graph);
    place::before_activation(cx, graph, &before_output);
    place::before_max_pool(cx, graph);
    layout::maps(cx, graph);
    layout::time(cx, graph);
    layout::attention(cx, graph);
    let on_input = place::on_input(cx, graph);
    rates::high_rates(cx, graph, &on_input);
    rates::stacked(cx, graph);
    rates::consecutive(cx, graph);
    rates::tiny_layer(cx, graph);
    rates::order_of_rates(cx, graph);
    place::selu(cx, graph);
    place::drop_path(cx, graph);
}

/// A rate in (0, 1), if it is known.
fn rate(stochastic: &Stochastic) -> Option<f64> {
    stochastic
        .rate()
        .known
        .filter(|rate| *rate > 0.0 && *rate < 1.0)
}

/// Whether it does anything, as far as known.
fn acts(stochastic: &Stochastic) -> bool {
    stochastic.rate().known != Some(0.0)
}

fn dropouts<'g, 'm>(
    graph: &'g Graph<'m>,
) -> impl Iterator<Item = (usize, &'g Node<'m>, &'m Stochastic)> {
    let nodes = graph.nodes.iter().enumerate();
    nodes.filter_map(|(index, node)| {
        Some((index, node, node.dropout().filter(|dropout| acts(dropout))?))
    })
}

/// A rate as it was written.
struct Written<'m> {
    word: &'static str,
    value: &'m Value,
    id: Id,
    levels: &'m [LintLevel],
}

impl Written<'_> {
    /// The annotation with another rate.
    fn with(&self, rate: f64) -> String {
        let rate = Value::known(rate);
        match self.word {
            "recurrent" => format!("recurrent = {rate}"),
            "drop_block" => format!("drop_block({rate}, size = 7)"),
            word => format!("{word}({rate})"),
        }
    }

    /// As it is written.
    fn text(&self) -> String {
        match self.word {
            "recurrent" => format!("recurrent = {}", self.value),
            word => format!("{word}({})", self.value),
        }
    }

    /// The annotation with a rate that is usual for it.
    fn usual(&self) -> String {
        self.with(match self.word {
            "dropout" | "alpha_dropout" | "gaussian_dropout" | "drop_connect" => 0.5,
            "variational_dropout" | "recurrent" => 0.25,
            _ => 0.1,
        })
    }
}

/// Every rate that acts at a node, in the order of the source.
fn written<'m>(node: &Node<'m>) -> Vec<Written<'m>> {
    let mut all = Vec::new();
    let mut add = |word, value, id: Id, levels| {
        let id = if id.is_none() { node.id } else { id };
        all.push(Written {
            word,
            value,
            id,
            levels,
        });
    };
    match node.kind {
        Kind::Op(op) => {
            match node.stochastic() {
                None | Some(Stochastic::Noise { .. }) => {}
                Some(stochastic) => {
                    if let Stochastic::DropBlock {
                        first: Some(first), ..
                    } = stochastic
                    {
                        add("drop_block", first, node.id, &[]);
                    }
                    add(stochastic.word(), stochastic.rate(), node.id, &[]);
                }
            }
            for (word, rate) in node.rates() {
                add(word, &rate.rate, rate.id, rate.levels.as_slice());
            }
            for rule in &op.rules {
                if let RuleKind::DropConnect { rate } = &rule.kind {
                    add("drop_connect", rate, rule.id, &rule.levels);
                }
            }
        }
        Kind::DropPath(path) => {
            for value in [&path.first, &path.last] {
                add("drop_path", value, node.id, &[]);
            }
        }
        _ => {}
    }
    all
}
