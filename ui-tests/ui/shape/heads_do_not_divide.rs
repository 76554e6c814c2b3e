use damper::model;

model! {
    pub Net
    input steps: [28, 30]
    layers {
        attend: residual { layer_norm -> attention(heads = 4); };
        pool:   mean(axis = time);
        head:   linear(10);
    }
    loss cross_entropy
}

fn main() {}
