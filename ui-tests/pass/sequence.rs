//! Every word for sequences: recurrent layers, embeddings, padding, and weights that are tied.

use damper::burn::tensor::Int;
use damper::model;
use damper::prelude::*;

model! {
    /// Reads an image row by row.
    pub Rows
    input image: [28, 28]
    layers {
        rnn:  lstm(16, layers = 2) with variational_dropout(0.25), dropout(0.2);
        last: last_step;
        head: linear(10);
    }
    loss cross_entropy
}

model! {
    /// Sentences of unequal length, from words and their kinds.
    pub Sentences<p: f64 = 0.1>
    input { tokens: [12] of int(vocab = 100, pad = 0), kinds: [12] of int }
    layers {
        words:  embedding(100, 16) with embedding_dropout(p);
        tags:   from(kinds) -> embedding(8, 16);
        both:   concat(words, tags);
        rnn:    gru(24, bidirectional = true) with zoneout(p), variational_dropout(p, recurrent = p), drop_connect(p);
        again:  residual {
            from(tokens) -> embedding(100, 48);
        };
        last:   last_step;
        most:   from(again) -> max(axis = time);
        each:   from(again) -> mean(axis = features);
        all:    concat(last, most, each) -> linear(2);
    }
    loss cross_entropy
}

model! {
    /// Two tables for one input.
    pub Tables
    input tokens: [8] of int(vocab = 10)
    layers {
        both: parallel {
            a: embedding(10, 4);
            b: embedding(10, 4);
        } -> add;
        step: rnn(4) -> first_step;
        head: linear(1);
    }
    loss binary_cross_entropy
}

model! {
    /// Predicts the next token (Merity et al., arXiv 1708.02182, in small).
    pub Language<dim: usize = 16>
    input tokens: [6] of int(vocab = 50)
    layers {
        embed: embedding(50, dim) with embedding_dropout(0.1);
        rnn:   lstm(dim, layers = 2) with drop_connect(0.5), variational_dropout(0.25);
        out:   variational_dropout(0.4);
        head:  linear(50, tied = embed);
    }
    loss cross_entropy
}

model! {
    /// What stands beside a padded word is not read.
    #[allow(concat_of_sequences, reason = "each word has a kind")]
    pub Padded
    input { words: [6] of int(vocab = 10, pad = 0), kinds: [6] of int(vocab = 10) }
    layers {
        word: embedding(10, 4);
        kind: from(kinds) -> embedding(10, 4);
        rnn:  concat(word, kind) -> lstm(4, bidirectional = true) -> attention(heads = 2);
        last: last_step;
        mean: from(rnn) -> mean(axis = time);
        most: from(rnn) -> max(axis = time);
        head: concat(last, mean, most) -> linear(2);
    }
    loss cross_entropy
}

fn tokens(batch: usize, time: usize) -> Tensor<2, Int> {
    Tensor::ones([batch, time], &damper::device().expect("a device"))
}

#[test]
fn sequences_have_the_declared_shapes() {
    let device = damper::device().expect("a device");
    let training = device.clone().autodiff();
    let image = || Tensor::<3>::ones([2, 28, 28], &device);
    let rows = RowsConfig::new();
    let model = rows.init(&device).expect("it has no hyper-parameters");
    assert_eq!(model.predict(image()).dims(), [2, 10]);
    let model = rows.init(&training).expect("it has no hyper-parameters");
    assert_eq!(model.forward(image()).dims(), [2, 10]);

    let sentences = SentencesConfig::new();
    for device in [&device, &training] {
        let model = sentences.init(device).expect("the defaults are checked");
        assert_eq!(model.forward(tokens(2, 12), tokens(2, 12)).dims(), [2, 2]);
        assert_eq!(model.predict(tokens(2, 12), tokens(2, 12)).dims(), [2, 2]);
    }
    let model = TablesConfig::new()
        .init(&training)
        .expect("it has no hyper-parameters");
    assert_eq!(model.forward(tokens(2, 8)).dims(), [2, 1]);
}

#[test]
fn a_class_for_each_step() {
    let device = damper::device().expect("a device").autodiff();
    let model = LanguageConfig::new()
        .init(&device)
        .expect("the defaults are checked");
    assert_eq!(model.forward(tokens(3, 6)).dims(), [3, 6, 50]);
    assert_eq!(model.predict(tokens(3, 6)).dims(), [3, 6, 50]);
    assert_eq!(model.classify(tokens(3, 6)).dims(), [3, 6]);
}

#[test]
fn steps_of_padding_do_not_count() {
    let device = damper::device().expect("a device");
    let model = PaddedConfig::new()
        .init(&device)
        .expect("it has no hyper-parameters");
    let row = |values: [i64; 6]| Tensor::<2, Int>::from_data([values], &device);
    let logits = |words, kinds| model.logits(row(words), row(kinds)).into_data();
    let words = [5, 6, 7, 0, 0, 0];
    let read = logits(words, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read, logits(words, [1, 2, 3, 6, 4, 5]));
    assert_ne!(read, logits(words, [1, 3, 2, 4, 5, 6]));
}
