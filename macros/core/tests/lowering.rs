//! What declarations become.

mod common;

use common::understood;
use damper_ir::op;
use damper_macros_core::Lowered;

fn lowered(source: &str) -> Lowered {
    let (reports, lowered) = understood(source);
    let texts: Vec<String> = reports
        .iter()
        .map(damper_macros_core::diag::Diagnostic::text)
        .collect();
    assert!(
        !reports
            .iter()
            .any(|report| report.level == damper_ir::Level::Deny),
        "{texts:#?}"
    );
    lowered.expect("the model has a name")
}

fn json(source: &str) -> String {
    serde_json::to_string_pretty(lowered(source).model()).expect("a description is plain data")
}

#[test]
fn digits() {
    insta::assert_snapshot!(json(include_str!("fixtures/models/digits.rs")));
}

#[test]
fn residual() {
    insta::assert_snapshot!(json(include_str!("fixtures/models/residual.rs")));
}

/// The names of the fields of the first statement of `layers`.
fn fields(layers: &str) -> Vec<String> {
    let model = lowered(&format!("Net\ninput x: [4]\nlayers {{ {layers} }}"))
        .model()
        .clone();
    model
        .layers
        .iter()
        .flat_map(|one| &one.ops)
        .filter_map(|op| op.field.clone())
        .collect()
}

#[test]
fn the_first_weights_take_the_name_of_the_statement() {
    assert_eq!(fields("a: linear(8) -> relu;"), ["a"]);
    assert_eq!(
        fields("a: linear(8) -> batch_norm -> relu -> dropout(0.1);"),
        ["a", "a_batch_norm", "a_dropout"]
    );
    assert_eq!(fields("a: dropout(0.1) -> linear(8);"), ["a_dropout", "a"]);
    assert_eq!(
        fields("a: linear(8) -> leaky_relu(0.2) -> linear(8);"),
        ["a", "a_leaky_relu", "a_linear"]
    );
    assert_eq!(
        fields("a: noise(0.1) -> linear(8) -> relu -> noise(0.1);"),
        ["a_noise_1", "a", "a_noise_2"]
    );
    assert_eq!(fields("a: dropout(0.1) -> relu;"), ["a"]);
    assert_eq!(
        fields("a: crate::TextEncoder -> crate::TextEncoder;"),
        ["a", "a_text_encoder"]
    );
}

#[test]
fn an_annotation_means_the_same_as_the_operation_in_the_chain() {
    let kinds = |layers: &str| -> Vec<String> {
        let model = lowered(&format!("Net\ninput x: [4]\nlayers {{ {layers} }}"))
            .model()
            .clone();
        model.layers[0]
            .ops
            .iter()
            .map(|op| {
                format!("{:?}", op.kind)
                    .split("id:")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    };
    let chain = kinds("a: linear(8) -> relu -> dropout(0.1);");
    assert_eq!(kinds("a: linear(8) -> relu with dropout(0.1);"), chain);
    assert_eq!(
        kinds("a: linear(8) -> relu with dropout(0.1) after relu;"),
        chain
    );
    let before = kinds("a: linear(8) -> dropout(0.1) -> relu;");
    assert_eq!(
        kinds("a: linear(8) -> relu with dropout(0.1) before relu;"),
        before
    );
    assert_eq!(
        kinds("a: linear(8) -> relu with dropout(0.1) after linear;"),
        before
    );
}

#[test]
fn a_statement_overrides_its_block_and_the_block_the_section() {
    let model = lowered(
        "Net\ninput x: [4]\nlayers with decay(l2 = 1e-1), max_norm(3.0) {
            a: linear(4) -> relu;
            b: residual { linear(8) -> relu; linear(4) with decay(l2 = 1e-3); } with decay(l2 = 1e-2);
        }",
    )
        .model().clone();
    let decay = |op: &damper_ir::Op| {
        let words: Vec<&str> = op.rules.iter().map(|rule| rule.kind.word()).collect();
        assert!(words.contains(&"max_norm") && words.len() == 2, "{words:?}");
        op.rules.iter().find_map(|rule| match rule.kind {
            damper_ir::RuleKind::Decay { l2, .. } => l2?.known,
            _ => None,
        })
    };
    assert_eq!(decay(&model.layers[0].ops[0]), Some(1e-1));
    let damper_ir::OpKind::Residual { body, .. } = &model.layers[1].ops[0].kind else {
        panic!("the second statement is a block");
    };
    assert_eq!(decay(&body[0].ops[0]), Some(1e-2));
    assert_eq!(decay(&body[1].ops[0]), Some(1e-3));
}

#[test]
fn literals_are_known_and_the_rest_has_a_hole() {
    let model = lowered(
        "Net<hidden: usize = 10, wide: bool = true>\ninput x: [crate::SIZE]
        layers { a: linear(2 * 4) -> relu; b: linear(hidden / 4, bias = wide) -> relu; c: linear((hidden as f64 * 0.55) as usize); }",
    );
    let texts: Vec<String> = model
        .holes
        .iter()
        .map(|hole| hole.tokens.to_string())
        .collect();
    assert_eq!(
        texts,
        [
            "hidden",
            "wide",
            "crate :: SIZE",
            "hidden / 4",
            "wide",
            "(hidden as f64 * 0.55) as usize"
        ]
    );
    let out = |index: usize| match &model.model().layers[index].ops[0].kind {
        damper_ir::OpKind::Linear(op::Linear { out, .. }) => (out.known, out.hole),
        kind => panic!("{kind:?} is no linear layer"),
    };
    assert_eq!(out(0), (Some(8.0), None));
    assert_eq!(out(1), (Some(2.0), Some(3)));
    assert_eq!(out(2), (Some(5.0), Some(5)));
    assert_eq!(model.model().inputs[0].shape[0].known, None);
    assert!(!model.holes[2].uses_hyper && model.holes[3].uses_hyper);
}

#[test]
fn drop_path_on_a_repeat_goes_to_its_residuals() {
    let model = lowered(
        "Net\ninput x: [4]\nlayers { a: repeat(3) { residual { linear(4) -> relu; }; } with drop_path(0.0..0.2); }",
    )
        .model().clone();
    let damper_ir::OpKind::Repeat { body, .. } = &model.layers[0].ops[0].kind else {
        panic!("the statement is a repeat");
    };
    let damper_ir::OpKind::Residual {
        drop_path: Some(path),
        ..
    } = &body[0].ops[0].kind
    else {
        panic!("its body is a residual with drop_path");
    };
    assert_eq!((path.first.known, path.last.known), (Some(0.0), Some(0.2)));
}

#[test]
fn everything_knows_its_line() {
    let model = lowered(include_str!("fixtures/models/digits.rs"));
    // The path of the runtime is line 1.
    assert_eq!(model.spans.line(model.model().id), Some(3));
    let lines: Vec<Option<usize>> = model
        .model()
        .layers
        .iter()
        .map(|one| model.spans.line(one.id))
        .collect();
    assert_eq!(lines, [Some(8), Some(9), Some(10)]);
    assert_eq!(model.ast.attrs.docs.len(), 1);
}

#[test]
fn the_models_of_the_language_are_understood() {
    for source in [
        include_str!("fixtures/models/resnet.rs"),
        include_str!("fixtures/models/sentiment.rs"),
        include_str!("fixtures/models/rows.rs"),
        include_str!("fixtures/models/wide_and_deep.rs"),
    ] {
        lowered(source);
    }
}

#[test]
fn a_hyper_parameter_may_stand_in_every_argument() {
    let model = lowered(include_str!("fixtures/models/every_argument.rs"));
    assert!(model.holes.iter().all(|hole| hole.uses_hyper));
}
