//! The networks of the benches, as `model!` generates them; [`hand`](crate::hand) has the same on burn.

use damper::prelude::*;

model! {
    /// Two hidden layers.
    pub Mlp<features: usize = 50, first: usize = 128, second: usize = 64, classes: usize = 4>
    input x: [features]
    layers with decay(l2 = 1e-3) {
        fc1:  linear(first) -> relu   with dropout(0.5) after relu;
        fc2:  linear(second) -> relu  with dropout(0.25) after relu;
        head: linear(classes);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// Two convolutions.
    pub Cnn
    input image: [1, 28, 28]
    layers {
        conv1:  conv2d(16, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        conv2:  conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        hidden: flatten -> linear(128) -> relu;
        head:   linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// Two layers of attention.
    #[allow(attention_without_order, reason = "as the networks that it is compared with")]
    pub Transformer
    input x: [50, 32]
    layers {
        embed:   linear(64);
        encoder: transformer_encoder(2, heads = 4, ff = 256, dropout = 0.1);
        pool:    layer_norm -> mean(axis = time);
        head:    linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// One LSTM.
    pub Lstm
    input x: [50, 32]
    layers {
        rnn:  lstm(128) -> last_step;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// One GRU.
    pub Gru
    input x: [50, 32]
    layers {
        rnn:  gru(128) -> last_step;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

model! {
    /// One matrix of 1024 by 1024, for the step of the optimizer alone.
    pub Matrix
    input x: [1024]
    layers { fc: linear(1024, bias = false) with decay(l2 = 1e-3); }
    loss mse
    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}
