use damper::model;

model! {
    pub Net
    input steps: [28, 28]
    layers {
        rnn:  gru(64) with zoneout(1.5);
        last: last_step;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
