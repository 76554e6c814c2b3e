//! No description makes a rule panic: descriptions at random, as a saved file may hold them.

mod chance;
mod every_question;

/// A small generator (xorshift64): what it gives is the same everywhere.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

#[test]
fn descriptions_at_random() {
    let mut layers = 0;
    for seed in 1..=600 {
        let bytes = bytes(seed, 40 + (seed as usize % 20) * 40);
        let model = chance::description(&bytes).expect("bytes stand for a description");
        layers += model.layers.len();
        every_question::ask(&model);
    }
    assert!(layers > 600, "{layers}");
}

#[test]
fn no_bytes_are_the_empty_description() {
    let model = chance::description(&[]).expect("bytes stand for a description");
    assert!(
        model.layers.is_empty() && !damper_ir::Checked::new(model.clone()).findings().is_empty()
    );
    every_question::ask(&model);
}

/// What fuzzing found: a `gru` of 2^53 layers took a second for each question.
#[test]
fn more_stacked_layers_than_a_table_has_rows() {
    let model = description(
        r#"{"name": "Net", "inputs": [{"name": "x", "shape": [50, 32]}], "layers": [
            {"name": "g", "ops": [{"id": 1, "field": "g", "kind": {"recurrent":
                {"cell": "gru", "hidden": 8, "layers": 9007199254740992, "bidirectional": 0}}}]}]}"#,
    );
    every_question::ask(&model);
    let parameters = damper_ir::Checked::new(model.clone()).parameters().len();
    assert!((1..=8_000).contains(&parameters), "{parameters}");
}

/// What fuzzing found: layers of one name, as a hand may write them in a file, differed from themselves.
#[test]
fn a_description_with_a_name_twice_is_like_itself() {
    let model = description(
        r#"{"name": "Net", "inputs": [{"name": "x", "shape": [8]}], "layers": [
            {"name": "a", "ops": [{"id": 1, "kind": {"activation": {"kind": "relu"}}}]},
            {"name": "a", "ops": [{"id": 2, "kind": {"activation": {"kind": "tanh"}}}]}]}"#,
    );
    every_question::ask(&model);
}

fn description(json: &str) -> damper_ir::Model {
    serde_json::from_str(json).expect("a description")
}
