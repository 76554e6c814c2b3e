use damper::model;

model! {
    pub Net
    input steps: [28, 32]
    layers {
        place:  positional(rope);
        attend: residual { layer_norm -> attention(heads = 4); };
        pool:   mean(axis = time);
        head:   linear(10);
    }
    loss cross_entropy
}

fn main() {}
