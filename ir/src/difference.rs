//! The differences between two models, and names for run-time messages.

use crate::walk::{each_op, each_statement};
use crate::{Hyper, Id, Model, OpKind, Shape, Value, parameters, summary};
use std::collections::BTreeMap;

/// The parts of a model that its weights depend on.
struct Outline {
    inputs: Vec<(String, String)>,
    layers: Vec<(String, String)>,
    parameters: Vec<(String, Vec<usize>)>,
}

impl Outline {
    fn new(model: &Model) -> Self {
        let inputs = model.inputs.iter().map(|input| {
            let shape = Shape(input.shape.iter().map(Value::size).collect());
            (input.name.clone(), shape.to_string())
        });
        let mut layers = Vec::new();
        each_statement(&model.layers, &mut |place, statement| {
            let mut chain: Vec<String> = summary::source(&statement.source).into_iter().collect();
            let kept = statement
                .ops
                .iter()
                .filter(|op| op.kind.acts_at_inference());
            chain.extend(kept.map(|op| op.kind.to_string()));
            layers.push((place.path(), chain.join(" -> ")));
        });
        let parameters = parameters::of(model, &model.shapes(0))
            .into_iter()
            .map(|parameter| (parameter.path, parameter.shape));
        Self {
            inputs: inputs.collect(),
            layers,
            parameters: parameters.collect(),
        }
    }
}

impl OpKind {
    /// Whether it does anything outside training.
    pub const fn acts_at_inference(&self) -> bool {
        !matches!(self, Self::Stochastic(_) | Self::Activity { .. })
    }
}

impl Model {
    /// What differs between this model and `other`, in sentences; empty if the weights of one suit the other.
    ///
    /// Inputs, layers and the shapes of parameters count. Training, lint levels and what acts while training
    /// only (dropout, decay) do not. Hyper-parameters are named where they explain another difference.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let (here, there) = (Outline::new(self), Outline::new(other));
        let mut all = Vec::new();
        compare("input", &here.inputs, &there.inputs, &mut all);
        let before = all.len();
        compare("layer", &here.layers, &there.layers, &mut all);
        if all.len() == before {
            let text = |parameters: &[(String, Vec<usize>)]| -> Vec<(String, String)> {
                parameters
                    .iter()
                    .map(|(path, shape)| {
                        (
                            path.clone(),
                            Shape::known(shape.iter().copied()).to_string(),
                        )
                    })
                    .collect()
            };
            compare(
                "parameter",
                &text(&here.parameters),
                &text(&there.parameters),
                &mut all,
            );
        }
        if !all.is_empty() {
            let show = |hyper: &[Hyper]| -> Vec<(String, String)> {
                hyper
                    .iter()
                    .map(|hyper| (hyper.name.clone(), hyper.value.to_string()))
                    .collect()
            };
            let mut hyper = Vec::new();
            compare(
                "hyper-parameter",
                &show(&self.hyper),
                &show(&other.hyper),
                &mut hyper,
            );
            hyper.append(&mut all);
            all = hyper;
        }
        all
    }

    /// The name of an operation or annotation in run-time messages: ``fc1: dropout(0.5)``.
    ///
    /// Operations keep their ids at run time; annotations have one in the macro only. An unknown id is
    /// called by the model's name.
    pub fn describe(&self, id: Id) -> String {
        let mut found = None;
        each_op(&self.layers, &mut |place, op| {
            if op.id == id && !id.is_none() {
                found.get_or_insert_with(|| format!("{}: {}", place.path(), op.kind));
            }
            for rule in op
                .rules
                .iter()
                .filter(|rule| rule.id == id && !id.is_none())
            {
                found.get_or_insert_with(|| format!("{}: {rule}", place.path()));
            }
        });
        found.unwrap_or_else(|| self.name.clone())
    }
}

/// Texts by their names; blocks of one statement may have layers of one name, so they are counted.
type Named<'a> = ((&'a str, usize), &'a str);

fn named(list: &[(String, String)]) -> Vec<Named<'_>> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    list.iter()
        .map(|(name, text)| {
            let number = uses.entry(name).or_default();
            *number += 1;
            ((name.as_str(), *number), text.as_str())
        })
        .collect()
}

fn compare(
    what: &str,
    here: &[(String, String)],
    there: &[(String, String)],
    all: &mut Vec<String>,
) {
    let (here_named, there_named) = (named(here), named(there));
    let own: BTreeMap<_, _> = here_named.iter().copied().collect();
    let other: BTreeMap<_, _> = there_named.iter().copied().collect();
    for (name, text) in &here_named {
        match other.get(name) {
            None => all.push(format!(
                "{what} `{}` ({text}) is missing in the other model",
                name.0
            )),
            Some(different) if different != text => {
                all.push(format!(
                    "{what} `{}` is {text} here and {different} in the other model",
                    name.0
                ));
            }
            Some(_) => {}
        }
    }
    for (name, text) in there_named
        .iter()
        .filter(|(name, _)| !own.contains_key(name))
    {
        all.push(format!(
            "{what} `{}` ({text}) is only in the other model",
            name.0
        ));
    }
    let order = |list: &[(String, String)]| {
        list.iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    if all.is_empty() && order(here) != order(there) {
        all.push(format!("the {what}s are in another order"));
    }
}
