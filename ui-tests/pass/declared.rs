//! Several models in one `model!`, which share a block, and one of which is made of the others.

use damper::model;
use damper::prelude::*;

model! {
    /// A dense pair around its input.
    block Feed<factor: usize = 4> {
        input x: [features]
        layers { inside: residual { linear(factor * features) -> gelu -> linear(features); } -> relu; }
    }

    /// Reads a row.
    pub Encoder<width: usize = 16>
    input row: [8]
    layers { fc: linear(width) -> relu; feed: Feed; }

    /// Writes a row.
    pub(crate) Decoder
    input code: [24]
    layers { feed: Feed(2); out: linear(8); }

    /// Both, with a code of another size.
    pub Auto<width: usize = 24, deep: bool = false>
    input row: [8]
    layers {
        encoder: Encoder(width = width);
        more:    if deep { Feed(1) };
        decoder: Decoder;
    }
    loss mse
    budget { params <= 12_000 }
}

#[test]
fn models_of_one_declaration_run() {
    let device = Device::default();
    let row = Tensor::<2>::ones([3, 8], &device);
    let auto = AutoConfig::new().init(&device).expect("a sound model");
    assert_eq!(auto.predict(row.clone()).dims(), [3, 8]);
    let deep = AutoConfig::new().with_deep(true);
    let deep = deep.init(&device).expect("a sound model");
    assert_eq!(deep.predict(row.clone()).dims(), [3, 8]);
    let count = |spec: &damper::Spec| {
        let parameters = spec.parameters().iter();
        parameters
            .filter_map(damper::ir::Parameter::count)
            .sum::<usize>()
    };
    // `more` is a pair of 24 to 24.
    assert_eq!(count(deep.spec()) - count(auto.spec()), 2 * (24 * 24 + 24));
    let encoder = EncoderConfig::new().init(&device).expect("a sound model");
    assert_eq!(encoder.forward(row).dims(), [3, 16]);
    let wrong = AutoConfig::new().with_width(20).init(&device);
    let text = wrong
        .map(|_| ())
        .expect_err("the decoder takes 24")
        .to_string();
    assert!(text.contains("wants [24], this value is [20]"), "{text}");
}
