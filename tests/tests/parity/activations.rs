//! Every activation: its values, and its gradient.

use crate::common::{Fixture, TOLERANCE, device, op};
use damper::burn::nn::activation as nn;
use damper::burn::tensor::Tensor;
use damper::burn::tensor::activation as burn;
use damper::layer::{self, Layer};
use damper::{Pass, activation};
use damper_ir::{Activation, ActivationKind, OpKind, Shape, Value};

/// The layer that a description with these arguments builds.
fn built<L: Layer>(kind: ActivationKind, arguments: &[f64]) -> L {
    let arguments = arguments
        .iter()
        .map(|argument| Value::known(*argument))
        .collect();
    let op = op(
        1,
        "act",
        OpKind::Activation(Activation { kind, arguments }),
        vec![],
    );
    L::build(&op, &Shape(vec![Some(6)]), &device().autodiff()).expect("the description is sound")
}

/// What the generated code calls.
fn apply(kind: ActivationKind, x: Tensor<2>) -> Tensor<2> {
    use ActivationKind as A;
    match kind {
        A::Relu => activation::relu(x),
        A::LeakyRelu => built::<nn::LeakyRelu>(kind, &[0.2]).forward(x),
        A::Relu6 => burn::relu6(x),
        A::Rrelu => built::<layer::RRelu>(kind, &[0.1, 0.4]).forward(x, &mut Pass::new()),
        A::Prelu => built::<nn::PRelu>(kind, &[0.3]).forward(x),
        A::Elu => built::<layer::Elu>(kind, &[1.3]).forward(x),
        A::Celu => built::<layer::Celu>(kind, &[0.7]).forward(x),
        A::Selu => layer::selu(x),
        A::Gelu => activation::gelu(x),
        A::GeluApproximate => activation::gelu_approximate(x),
        A::Silu => activation::silu(x),
        A::Mish => activation::mish(x),
        A::Sigmoid => activation::sigmoid(x),
        A::LogSigmoid => burn::log_sigmoid(x),
        A::HardSigmoid => built::<nn::HardSigmoid>(kind, &[0.2, 0.5]).forward(x),
        A::HardSwish => burn::hard_swish(x),
        A::Tanh => activation::tanh(x),
        A::Hardtanh => built::<nn::Hardtanh>(kind, &[-0.7, 1.2]).forward(x),
        A::Tanhshrink => burn::tanhshrink(x),
        A::Softplus => built::<nn::Softplus>(kind, &[1.5]).forward(x),
        A::Softsign => burn::softsign(x),
        A::ThresholdedRelu => built::<nn::ThresholdedRelu>(kind, &[0.8]).forward(x),
        A::Threshold => built::<nn::Threshold>(kind, &[0.3, -0.2]).forward(x),
        A::HardShrink => built::<nn::HardShrink>(kind, &[0.6]).forward(x),
        A::SoftShrink => built::<nn::SoftShrink>(kind, &[0.4]).forward(x),
        A::Shrink => built::<nn::Shrink>(kind, &[0.5, 0.2]).forward(x),
        A::Glu => burn::glu(x, 1),
        A::Softmax => activation::softmax(x, -1),
        A::LogSoftmax => activation::log_softmax(x, -1),
        A::Softmin => burn::softmin(x, 1),
        A::QuietSoftmax => burn::quiet_softmax(x, 1),
    }
}

#[test]
fn values_and_gradients() {
    let fixture = Fixture::open("activations");
    let device = device().autodiff();
    let mut wrong = Vec::new();
    for kind in ActivationKind::ALL {
        let word = kind.word();
        let outcome = std::panic::catch_unwind(|| {
            // A random slope is for training: the fixture has the mean slope of inference.
            if *kind == ActivationKind::Rrelu {
                let x = fixture.tensor("input", &crate::common::device());
                return fixture.assert("rrelu.output", apply(*kind, x));
            }
            let x = fixture.tensor::<2>("input", &device).require_grad();
            let output = apply(*kind, x.clone());
            fixture.assert(&format!("{word}.output"), output.clone());
            let weights = if *kind == ActivationKind::Glu {
                "weights_glu"
            } else {
                "weights"
            };
            let gradients = (output * fixture.tensor(weights, &device)).sum().backward();
            // burn's ndarray backend takes the gradient of `gelu` from the tanh approximation.
            let tolerance = if *kind == ActivationKind::Gelu && cfg!(feature = "ndarray") {
                1e-3
            } else {
                TOLERANCE
            };
            fixture.assert_within(
                &format!("{word}.gradient"),
                x.grad(&gradients).expect("a gradient"),
                tolerance,
            );
        });
        if outcome.is_err() {
            wrong.push(word);
        }
    }
    assert!(wrong.is_empty(), "not as in PyTorch: {wrong:?}");
}
