#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input steps: [28, 32]
    layers {
        attend: residual { layer_norm -> attention(heads = 4) with attention_dropout(0.4); };
        pool:   mean(axis = time);
        head:   linear(10);
    }
    loss cross_entropy
}

fn main() {}
