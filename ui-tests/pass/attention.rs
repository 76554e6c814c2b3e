//! Every word of transformers.

use damper::burn::tensor::Int;
use damper::model;
use damper::prelude::*;

model! {
    /// Classifies token sequences.
    pub Sentiment<dim: usize = 16, heads: usize = 4>
    input tokens: [12] of int(vocab = 100, pad = 0)
    layers {
        embed:   embedding(100, dim) -> positional(learned) with dropout(0.1);
        encoder: repeat(2) {
            attend: residual { layer_norm -> attention(heads = heads) with attention_dropout(0.1), dropout(0.1) after attention; };
            feed:   residual { layer_norm -> linear(4 * dim) -> gelu -> linear(dim) with dropout(0.1) after gelu; };
        } with drop_path(0.0..0.1);
        pool:    layer_norm -> mean(axis = time);
        head:    linear(2);
    }
    loss cross_entropy
}

model! {
    /// A vision transformer (Dosovitskiy et al., arXiv 2010.11929).
    pub Vit<dim: usize = 16, depth: usize = 2>
    input image: [1, 28, 28]
    layers {
        patches: conv2d(dim, kernel = 7, stride = 7) -> to_sequence -> class_token -> positional(learned);
        encoder: transformer_encoder(depth, heads = 4, ff = 4 * dim) with drop_path(0.0..0.1);
        head:    layer_norm -> first_step -> linear(10);
    }
    loss cross_entropy
}

model! {
    /// The norm behind each sum, as in the first transformer (Vaswani et al., arXiv 1706.03762).
    pub PostNorm
    input x: [8, 6]
    layers {
        turned:  transpose -> positional(sinusoidal);
        encoder: transformer_encoder(1, heads = 2, ff = 16, dropout = 0.2, norm_first = false);
        head:    flatten -> linear(1);
    }
    loss mse
}

model! {
    /// Predicts the next token.
    pub Gpt<dim: usize = 16>
    input tokens: [6] of int(vocab = 50, pad = 0)
    layers {
        embed: embedding(50, dim);
        block: residual {
            rms_norm -> positional(rope) -> attention(heads = 2, causal = true, bias = false) with attention_dropout(0.1);
        };
        norm:  layer_norm;
        head:  linear(50, tied = embed, bias = false);
    }
    loss cross_entropy
}

fn tokens(batch: usize, time: usize) -> Tensor<2, Int> {
    Tensor::ones([batch, time], &damper::device().expect("a device"))
}

#[test]
fn transformers_have_the_declared_shapes() {
    let device = damper::device().expect("a device");
    for device in [device.clone(), device.clone().autodiff()] {
        let plain = damper::device().expect("a device");
        let model = SentimentConfig::new()
            .init(&device)
            .expect("the defaults are checked");
        assert_eq!(model.forward(tokens(2, 12)).dims(), [2, 2]);
        assert_eq!(model.predict(tokens(2, 12)).dims(), [2, 2]);
        let model = VitConfig::new()
            .init(&device)
            .expect("the defaults are checked");
        assert_eq!(
            model.forward(Tensor::ones([2, 1, 28, 28], &plain)).dims(),
            [2, 10]
        );
        let model = PostNormConfig::new()
            .init(&device)
            .expect("it has no hyper-parameters");
        assert_eq!(
            model.forward(Tensor::ones([2, 8, 6], &plain)).dims(),
            [2, 1]
        );
        let model = GptConfig::new()
            .init(&device)
            .expect("the defaults are checked");
        assert_eq!(model.forward(tokens(2, 6)).dims(), [2, 6, 50]);
    }
}

#[test]
fn what_was_left_out_follows_from_the_values_of_the_program() {
    let device = damper::device().expect("a device");
    let config = VitConfig::new().with_dim(24).with_depth(3);
    let model = config.init(&device).expect("24 features in 4 heads");
    assert_eq!(model.encoder.len(), 3);
    // `linear(same)` of the short form.
    assert_eq!(
        model.encoder[0].feed.layer_norm_linear_2.weight.dims(),
        [96, 24]
    );
}
