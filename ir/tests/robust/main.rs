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
    let bytes = [
        0x31, 6, 0, 2, 6, 0x30, 0, 0x0d, 0xf8, 0xf8, 0x0d, 0x25, 0, 0x11, 0xb5, 0x67, 8,
    ];
    let model = chance::description(&bytes).expect("bytes stand for a description");
    // The tenth byte chooses the operation among all.
    let operation = &model.layers[0].ops[0].kind;
    assert!(
        matches!(operation, damper_ir::OpKind::Recurrent(_)),
        "{operation}"
    );
    every_question::ask(&model);
    let parameters = damper_ir::Checked::new(model.clone()).parameters().len();
    assert!((1..=8_000).contains(&parameters), "{parameters}");
}

/// What fuzzing found: layers of one name, as a hand may write them in a file, differed from themselves.
#[test]
fn a_description_with_a_name_twice_is_like_itself() {
    let bytes = [1, 0, 0xc7, 0, 8, 0xc9, 1, 0, 0xc5, 0, 0xe7];
    let model = chance::description(&bytes).expect("bytes stand for a description");
    every_question::ask(&model);
}
