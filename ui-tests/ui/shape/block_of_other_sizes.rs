use damper::model;

model! {
    /// Attends, with as many heads as its use says.
    block Heads<heads: usize> {
        input x: [time, features]
        layers { attend: attention(heads = heads); }
    }
    Net
    input x: [16, 64]
    layers {
        place: positional(learned) -> Heads(4);
        again: Heads(6);
        maps:  flatten -> Heads(2);
        head:  mean(time) -> linear(2);
    }
    loss mse
}

fn main() {}
