//! Everything that can be asked of a description.

use damper_ir::{Checked, Id, Model, Parameter};

/// Asks everything: none of it may panic, however little sense the description makes.
pub fn ask(model: &Model) {
    let mut model = model.clone();
    number(&mut model);
    let checked = Checked::new(model.clone());
    let (findings, parameters) = (checked.findings(), checked.parameters());
    let (output, axis) = (checked.shapes().output(), checked.shapes().class_axis());
    let counts = checked.counts();
    // A model that keeps every rule has a table and a total that agree.
    if findings.is_empty() && !counts.incomplete {
        let total = (parameters.iter())
            .filter(|parameter| parameter.role != damper_ir::Role::Running)
            .filter_map(Parameter::count)
            .fold(0, usize::saturating_add);
        assert_eq!(total, counts.parameters, "{model:?}");
    }
    let summary = checked.summary();
    let read = [
        summary.to_string(),
        summary.markdown(),
        summary.total(),
        format!("{findings:?}{output:?}{axis}"),
        format!("{:?}", (checked.task(), checked.metrics())),
        format!("{:?}", model.training()),
    ];
    assert!(read.iter().all(|text| !text.is_empty()) || summary.rows.is_empty());
    for id in [0, 1, 7] {
        model.describe(Id(id));
        checked.counts_of(Id(id));
    }
    let mut resolved = model.clone();
    resolved.resolve();
    assert_eq!(model.difference(&model), Vec::<String>::new());
    resolved.difference(&model);
    saved(&model);
}

/// What is saved is read again as the same text.
fn saved(model: &Model) {
    let text = serde_json::to_string(model).expect("a description can be written");
    match serde_json::from_str::<Model>(&text) {
        Ok(again) => {
            let written = serde_json::to_string(&again).expect("a description can be written");
            // A number that is not known stands for one that is not there.
            assert!(
                written == text || text.contains("null"),
                "{written}: {text}"
            );
        }
        // `serde_json` reads so many levels; rules of the description keep it below.
        Err(error) => assert!(
            error.to_string().starts_with("recursion limit")
                && !Checked::new(model.clone()).findings().is_empty(),
            "{error}: {text}"
        ),
    }
}

/// Gives every operation its own id, as the macro does.
fn number(model: &mut Model) {
    let mut next = 0;
    inside(&mut model.layers, &mut next);
}

fn inside(statements: &mut [damper_ir::Statement], next: &mut u32) {
    use damper_ir::OpKind;
    for statement in statements {
        *next += 1;
        statement.id = Id(*next);
        for op in &mut statement.ops {
            *next += 1;
            op.id = Id(*next);
            match &mut op.kind {
                OpKind::Residual { body, shortcut, .. } => {
                    inside(body, next);
                    inside(shortcut, next);
                }
                OpKind::Repeat { body, .. } | OpKind::Parallel { body, .. } => inside(body, next),
                OpKind::Model {
                    model: Some(model), ..
                } => number(model),
                _ => {}
            }
        }
    }
}
