//! The lints: what usually, or provably, is wrong with a model whose shapes fit.
//!
//! A lint reads the graph and pushes findings at its own level; [`Model::check`] then settles the level that
//! the attributes around the place ask for. Lints do not see one another, and skip what is not known.

mod convolution;
mod dropout;
mod norm;
mod optimizer;
mod output;
mod structure;
#[cfg(test)]
mod tests;

use crate::graph::{Graph, Node};
use crate::walk::each_statement;
use crate::{Finding, Id, Level, LintLevel, Model, OpKind, suggest};
use std::collections::HashSet;

/// A lint of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Its name in `#[allow(..)]`.
    pub name: &'static str,
    /// Its level without attributes; some findings of it are less or more severe.
    pub default_level: Level,
    /// What it finds, in one line.
    pub summary: &'static str,
}

macro_rules! lints {
    ($($name:ident $level:ident $summary:literal;)*) => {
        /// All lints, in the order of the documentation.
        pub const LINTS: &[Lint] = &[
            $(Lint { name: stringify!($name), default_level: Level::$level, summary: $summary },)*
        ];
    };
}

lints! {
    shape_mismatch Deny "shapes do not fit (always an error)";
    missing_flatten Deny "a dense layer reads a value with spatial axes (always an error)";
    residual_shape_mismatch Deny "branch and shortcut of a residual differ (always an error)";
    softmax_before_logits_loss Deny "softmax in front of a loss that applies its own";
    log_softmax_before_logits_loss Warn "log_softmax in front of a loss that applies its own: no effect";
    sigmoid_before_bce_logits Deny "sigmoid or softmax in front of a loss that applies its own sigmoid";
    logits_into_probability_loss Deny "unbounded values into a loss that reads probabilities";
    softmax_single_unit Deny "softmax over a single value is always 1";
    sigmoid_into_cross_entropy Deny "independent scores under a loss for exclusive classes";
    bce_for_multiclass Warn "binary cross-entropy for exclusive classes";
    softmax_into_bce Warn "competing probabilities under a loss for independent labels";
    relu_on_logits Deny "an activation cuts or bends class scores";
    bounded_regression_output Warn "the output of a regression cannot reach every target";
    mse_for_classification Warn "a regression loss for a classification task";
    output_units_mismatch Deny "the head's units do not suit the task or the loss";
    loss_target_shape_mismatch Deny "the loss reads another kind of target than the task has";
    label_smoothing_out_of_range Deny "label smoothing outside [0, 1), or so much that targets are flat";
    class_weights_len_mismatch Deny "not one weight for each class, or a negative one";
    dropout_before_output Deny "something random between the last weights and the output";
    dropout_feeding_head Allow "dropout on the features that the head reads";
    dropout_before_batch_norm Deny "dropout, then batch norm, in one segment";
    dropout_with_batch_norm Deny "dropout after a batch norm of the same segment";
    dropout_upstream_of_batch_norm Warn "a batch norm further on sees what dropout has shifted";
    dropout_before_activation Warn "dropout in front of the activation instead of behind it";
    dropout_rate_out_of_range Deny "a rate outside [0, 1)";
    elementwise_dropout_on_feature_maps Warn "single positions of feature maps are dropped";
    spatial_dropout_on_vector Deny "feature maps are dropped where there are none";
    spatial_dropout_rate_high Warn "more than a fifth of the feature maps is dropped";
    drop_block_too_large Deny "regions larger than the feature map";
    dropout_before_max_pool Warn "a maximum over what dropout has left";
    rnn_dropout_single_layer Deny "dropout between the layers of a recurrent layer that has one";
    variational_dropout_on_non_rnn Deny "one mask for all steps of a value without steps";
    attention_dropout_high Warn "more than three tenths of the attention weights are dropped";
    high_dropout_rate Warn "a rate above one half";
    dropout_rate_zero Allow "a rate of 0 does nothing";
    stacked_high_dropout Warn "rates along a path that leave less than a tenth";
    consecutive_dropout Warn "two dropouts in one segment";
    dropout_on_input Warn "more than a fifth of the input is dropped";
    dropout_on_tiny_layer Warn "a layer so narrow that all of it is often dropped at once";
    uniform_dropout_rate Allow "every dropout has the same rate";
    dropout_rate_increases Allow "a rate above an earlier one";
    plain_dropout_with_selu Warn "plain dropout behind selu";
    alpha_dropout_without_selu Warn "alpha dropout behind something else than selu";
    norm_with_selu Allow "selu normalises itself";
    drop_path_outside_residual Deny "drop_path where no shortcut carries the sample";
    drop_path_rate_high Warn "stochastic depth above one half, or falling with depth";
    redundant_bias_before_norm Warn "a bias that batch norm subtracts again";
    norm_after_output Warn "normalised scores";
    batch_norm_single_value Deny "batch norm over a single value";
    batch_norm_tiny_batch Warn "batch norm over fewer than eight values";
    consecutive_norm Warn "two normalisations in one segment";
    l2_through_batch_norm Allow "decay of weights that batch norm rescales";
    activation_before_norm Allow "an activation, then a normalisation";
    missing_nonlinearity Deny "two linear layers that are one";
    pool_as_only_nonlinearity Warn "only a maximum between two layers with weights";
    redundant_activation Warn "two activations in one segment";
    softmax_in_hidden_layer Warn "softmax in front of further weights";
    saturating_hidden_stack Warn "three or more sigmoid layers in series";
    width_one_bottleneck Warn "a hidden layer of one unit";
    unused_layer Warn "a value that nothing reads";
    relu_before_residual_add Allow "a branch that can only add";
    dense_width_increases Allow "a dense layer wider than the one before";
    pool_after_every_conv Allow "every convolution is followed by a pooling";
    conv_window_shrinks Allow "a kernel smaller than the one before";
    filters_not_increasing Allow "fewer channels than the convolution before gives";
    inhomogeneous_conv_block Allow "convolutions on maps of one size with different channels";
    avg_pool_instead_of_max Allow "a mean over windows between convolutions";
    missing_down_sampling Allow "several convolutions and no smaller maps";
    even_kernel_size Allow "a kernel without a middle";
    adam_coupled_weight_decay Deny "weight decay inside the gradient of an adaptive optimiser";
    l2_penalty_under_adaptive_optimizer Warn "an L2 penalty under an adaptive optimiser";
    double_l2 Deny "one weight gets L2 twice";
    weight_decay_on_norm_and_bias Allow "decay of biases and normalisation gains";
    weight_decay_on_embedding Allow "decay of vectors that a batch hardly reads";
    weight_decay_out_of_range Deny "a decay that removes a weight in one step, or far more than usual";
    learning_rate_out_of_range Deny "a learning rate that is not positive, or far from usual";
    adam_epsilon_out_of_range Warn "an epsilon that does not protect, or that rules the step";
    warmup_longer_than_training Deny "the learning rate never reaches its value";
    early_stop_never_triggers Warn "patience as long as the training";
    no_regularisation Allow "nothing regularises the model";
    over_regularised Allow "four or more kinds of regularisation on one layer";
    unfulfilled_expectation Warn "an `#[expect(..)]` whose lint is silent";
}

/// Those that say that no program can be built.
pub(crate) const FIXED: [&str; 3] = [
    "shape_mismatch",
    "missing_flatten",
    "residual_shape_mismatch",
];

/// The default level of a lint.
fn default_level(name: &str) -> Level {
    LINTS
        .iter()
        .find(|lint| lint.name == name)
        .map_or(Level::Deny, |lint| lint.default_level)
}

struct Pushed<'m> {
    own: &'m [LintLevel],
    scope: usize,
    finding: Finding,
}

/// Where the lints put what they find.
pub(crate) struct Cx<'m> {
    pushed: Vec<Pushed<'m>>,
}

impl<'m> Cx<'m> {
    /// A finding about a node, at its default level.
    fn node(
        &mut self,
        node: &Node<'_>,
        lint: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.at(&[], node.scope, node.place(), node.id, lint, message)
    }

    /// A finding about something else: the levels on itself, the scope around it, the words for its place.
    fn at(
        &mut self,
        own: &'m [LintLevel],
        scope: usize,
        place: String,
        id: Id,
        lint: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        let mut finding = Finding::lint(lint, default_level(lint), id, message);
        finding.place = place;
        let index = self.pushed.len();
        self.pushed.push(Pushed {
            own,
            scope,
            finding,
        });
        &mut self.pushed[index].finding
    }
}

impl Finding {
    fn at_level(&mut self, level: Level) -> &mut Self {
        self.level = level;
        self
    }

    fn and_other(&mut self, id: Id, text: impl Into<String>) -> &mut Self {
        if !id.is_none() {
            self.other = Some((id, text.into()));
        }
        self
    }

    fn and_help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    fn and_note(&mut self, text: impl Into<String>) -> &mut Self {
        self.note = Some(text.into());
        self
    }
}

impl Model {
    /// All findings: what does not fit and, if everything fits, what the lints say, at the levels that the
    /// attributes ask for.
    ///
    /// The innermost attribute wins: annotation, statement, block, section, model; on one thing the later one.
    /// An unknown lint name is an error, an `#[expect(..)]` without its finding a warning.
    pub fn check(&self) -> Vec<Finding> {
        let inferred = self.infer();
        let levels = all_levels(self);
        let mut findings = inferred.findings.clone();
        for (level, place) in &levels {
            findings.extend(misnamed(level, place));
        }
        if !inferred.failed() {
            let graph = Graph::new(self, &inferred);
            let mut cx = Cx { pushed: Vec::new() };
            output::check(&mut cx, &graph);
            dropout::check(&mut cx, &graph);
            norm::check(&mut cx, &graph);
            convolution::check(&mut cx, &graph);
            structure::check(&mut cx, &graph);
            optimizer::check(&mut cx, &graph);
            let mut met = HashSet::new();
            for pushed in cx.pushed {
                findings.extend(settle(pushed, &graph, &mut met));
            }
            findings.extend(unfulfilled(&levels, &met));
        }
        let mut seen = HashSet::new();
        findings.retain(|finding| {
            let what = match finding.lint {
                Some(lint) if !finding.at.is_none() => lint.to_owned(),
                _ => format!("{} {}", finding.place, finding.message),
            };
            seen.insert((finding.at, what))
        });
        findings.sort_by_key(|finding| finding.at);
        findings
    }
}

/// Every lint attribute of the model and the words for its place.
fn all_levels(model: &Model) -> Vec<(&LintLevel, String)> {
    let mut all: Vec<(&LintLevel, String)> = Vec::new();
    let sections = [
        Some((&model.levels, "the model")),
        Some((&model.layer_levels, "the layers")),
        model.loss.as_ref().map(|loss| (&loss.levels, "the loss")),
        model.task.as_ref().map(|task| (&task.levels, "the task")),
        model
            .train
            .as_ref()
            .map(|train| (&train.levels, "the training")),
    ];
    for (levels, place) in sections.into_iter().flatten() {
        all.extend(levels.iter().map(|level| (level, place.to_owned())));
    }
    each_statement(&model.layers, &mut |place, statement| {
        let mut lists: Vec<&[LintLevel]> = vec![&statement.levels];
        for op in &statement.ops {
            lists.push(&op.levels);
            lists.extend(op.rules.iter().map(|rule| rule.levels.as_slice()));
            lists.extend(
                crate::graph::rates(&op.kind)
                    .into_iter()
                    .map(|(_, rate)| rate.levels.as_slice()),
            );
            if let OpKind::Residual {
                drop_path: Some(path),
                ..
            } = &op.kind
            {
                lists.push(&path.levels);
            }
        }
        all.extend(
            lists
                .into_iter()
                .flatten()
                .map(|level| (level, place.to_string())),
        );
    });
    all
}

fn misnamed(level: &LintLevel, place: &str) -> Option<Finding> {
    let name = level.lint.as_str();
    let mut finding = if !LINTS.iter().any(|lint| lint.name == name) {
        let finding = Finding::error(level.id, format!("no lint is called `{name}`"));
        match suggest(name, LINTS.iter().map(|lint| lint.name)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        }
    } else if FIXED.contains(&name) && (level.level != Level::Deny || level.expect) {
        Finding::error(
            level.id,
            format!("`{name}` cannot be allowed: such a model cannot be built"),
        )
    } else {
        return None;
    };
    place.clone_into(&mut finding.place);
    Some(finding)
}

/// The finding at the level asked for; nothing if that is `allow`.
fn settle(
    pushed: Pushed<'_>,
    graph: &Graph<'_>,
    met: &mut HashSet<(Id, String)>,
) -> Option<Finding> {
    let Pushed {
        own,
        scope,
        mut finding,
    } = pushed;
    let lint = finding.lint?;
    let wanted = |levels: &[LintLevel]| {
        levels
            .iter()
            .rev()
            .find(|level| level.lint == lint)
            .cloned()
    };
    let mut found = wanted(own);
    let mut at = Some(scope);
    while let (None, Some(scope)) = (&found, at.and_then(|index| graph.scopes.get(index))) {
        found = wanted(scope.levels);
        at = scope.parent;
    }
    if let Some(level) = found {
        if level.expect {
            met.insert((level.id, level.lint));
            return None;
        }
        finding.level = level.level;
        finding.set_by = Some(level.id);
    }
    (finding.level != Level::Allow).then_some(finding)
}

fn unfulfilled(levels: &[(&LintLevel, String)], met: &HashSet<(Id, String)>) -> Vec<Finding> {
    let silent = levels.iter().filter(|(level, _)| {
        level.expect
            && !met.contains(&(level.id, level.lint.clone()))
            && LINTS.iter().any(|lint| lint.name == level.lint)
    });
    silent
        .map(|(level, place)| {
            let mut finding = Finding::lint(
                "unfulfilled_expectation",
                Level::Warn,
                level.id,
                format!("`{}` was expected here and is silent", level.lint),
            )
            .help("remove the attribute");
            finding.place.clone_from(place);
            finding
        })
        .collect()
}

/// `#[allow(lint, reason = "..")]`, for help lines.
fn allow(lint: &str, reason: &str) -> String {
    format!("`#[allow({lint}, reason = \"{reason}\")]`")
}

/// A share in per cent: `80 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 1.0 || percent == 0.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}
