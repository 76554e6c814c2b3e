use damper::model;

model! {
    block Conv<out: usize, stride: usize = 1> {
        input x: [channels, height, width]
        layers { conv: conv2d(out, kernel = 3, stride = stride) -> relu; }
    }
    Net<deep: bool = true>
    input image: [3, 16, 16]
    layers {
        one:   Conv;
        two:   Conv(8, 2);
        three: Conv(8, strides = 2);
        four:  if deep { Conv(8.5) };
        five:  repeat(i in 1..3) { Conv(8 * i); };
        head:  global_avg_pool -> linear(2);
    }
    loss cross_entropy
}

fn main() {}
