//! Any description that bytes can stand for: every rule, count and text of it, without a panic.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../ir/tests/robust/chance.rs"]
mod chance;
#[path = "../../ir/tests/robust/every_question.rs"]
mod every_question;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match chance::description(bytes) {
        Ok(model) => every_question::ask(&model),
        Err(error) => panic!("{error}"),
    }
    Corpus::Keep
});
