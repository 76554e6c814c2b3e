//! Every layer with weights: values, gradients, running statistics.

use crate::common::{Fixture, device, op};
use damper::burn::module::Param;
use damper::burn::nn::Linear;
use damper::burn::nn::activation::SwiGlu;
use damper::burn::tensor::{Gradients, Tensor};
use damper::layer::{self, BatchNorm, Layer, LayerNorm, dense};
use damper_ir::op;
use damper_ir::op::norm::NormAxis;
use damper_ir::{OpKind, Shape, Value};

fn built<L: Layer>(kind: OpKind) -> L {
    L::build(
        &op(1, "layer", kind, vec![]),
        &Shape(vec![Some(5)]),
        &device().autodiff(),
    )
    .expect("a sound description")
}

/// A parameter with the fixture's numbers.
fn parameter<const D: usize>(fixture: &Fixture, name: &str) -> Param<Tensor<D>> {
    Param::from_tensor(fixture.tensor(name, &device().autodiff()))
}

/// Compares the output and the input's gradient; gives the gradients of the parameters.
fn compare(
    fixture: &Fixture,
    name: &str,
    forward: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Gradients {
    let device = device().autodiff();
    let input = fixture.tensor::<2>("input", &device).require_grad();
    let output = forward(input.clone());
    fixture.assert(&format!("{name}.output"), output.clone());
    let gradients = (output * fixture.tensor(&format!("{name}.weights"), &device))
        .sum()
        .backward();
    fixture.assert(
        &format!("{name}.input_gradient"),
        input.grad(&gradients).expect("a gradient"),
    );
    gradients
}

fn compare_parameter<const D: usize>(
    fixture: &Fixture,
    name: &str,
    parameter: &Param<Tensor<D>>,
    gradients: &Gradients,
) {
    fixture.assert(
        &format!("{name}_gradient"),
        parameter.val().grad(gradients).expect("a gradient"),
    );
}

#[test]
fn linear() {
    let fixture = Fixture::open("layers");
    let mut layer: Linear = built(OpKind::Linear(op::Linear {
        out: Value::known(3.0),
        bias: Value::truth(true),
        same: false,
        tied: None,
    }));
    assert_eq!(layer.weight.dims(), [5, 3]);
    layer.weight = parameter(&fixture, "linear.weight");
    layer.bias = Some(parameter(&fixture, "linear.bias"));
    let gradients = compare(&fixture, "linear", |x| dense(&layer, x, None));
    compare_parameter(&fixture, "linear.weight", &layer.weight, &gradients);
    compare_parameter(
        &fixture,
        "linear.bias",
        layer.bias.as_ref().expect("a bias"),
        &gradients,
    );
}

#[test]
fn linear_without_bias() {
    let fixture = Fixture::open("layers");
    let mut layer: Linear = built(OpKind::Linear(op::Linear {
        out: Value::known(3.0),
        bias: Value::truth(false),
        same: false,
        tied: None,
    }));
    assert!(layer.bias.is_none());
    layer.weight = parameter(&fixture, "linear_without_bias.weight");
    compare(&fixture, "linear_without_bias", |x| dense(&layer, x, None));
}

#[test]
fn swiglu() {
    let fixture = Fixture::open("layers");
    let mut layer: SwiGlu = built(OpKind::Swiglu(op::Swiglu {
        out: Value::known(4.0),
        bias: Value::truth(false),
    }));
    layer.linear_inner.weight = parameter(&fixture, "swiglu.inner");
    layer.linear_outer.weight = parameter(&fixture, "swiglu.outer");
    let gradients = compare(&fixture, "swiglu", |x| layer::swiglu(&layer, x));
    compare_parameter(
        &fixture,
        "swiglu.inner",
        &layer.linear_inner.weight,
        &gradients,
    );
    compare_parameter(
        &fixture,
        "swiglu.outer",
        &layer.linear_outer.weight,
        &gradients,
    );
}

#[test]
fn layer_norm() {
    let fixture = Fixture::open("layers");
    let mut layer: LayerNorm = built(OpKind::LayerNorm(op::LayerNorm {
        epsilon: Value::known(1e-4),
        axis: NormAxis::Features,
    }));
    layer.gamma = parameter(&fixture, "layer_norm.gamma");
    layer.beta = Some(parameter(&fixture, "layer_norm.beta"));
    let gradients = compare(&fixture, "layer_norm", |x| layer.forward(x));
    compare_parameter(&fixture, "layer_norm.gamma", &layer.gamma, &gradients);
    compare_parameter(
        &fixture,
        "layer_norm.beta",
        layer.beta.as_ref().expect("a shift"),
        &gradients,
    );
}

#[test]
fn batch_norm() {
    use damper::burn::module::Module;

    let fixture = Fixture::open("layers");
    let kind = OpKind::BatchNorm(op::BatchNorm {
        epsilon: Value::known(1e-4),
        momentum: Value::known(0.2),
    });
    let mut layer: BatchNorm = built(kind);
    layer.gamma = parameter(&fixture, "batch_norm.gamma");
    layer.beta = parameter(&fixture, "batch_norm.beta");
    let gradients = compare(&fixture, "batch_norm", |x| layer.forward(x));
    compare_parameter(&fixture, "batch_norm.gamma", &layer.gamma, &gradients);
    compare_parameter(&fixture, "batch_norm.beta", &layer.beta, &gradients);
    let _ = layer.forward(fixture.tensor::<2>("batch_norm.second", &device().autodiff()));
    fixture.assert("batch_norm.running_mean", layer.running_mean.value_sync());
    fixture.assert(
        "batch_norm.running_variance",
        layer.running_var.value_sync(),
    );
    fixture.assert(
        "batch_norm.inference",
        layer
            .valid()
            .forward(fixture.tensor::<2>("input", &device())),
    );
}

/// A batch of one has no variance: it would pull the running variance to 0.
#[test]
fn a_batch_of_one_leaves_the_running_statistics() {
    let kind = OpKind::BatchNorm(op::BatchNorm {
        epsilon: Value::known(1e-5),
        momentum: Value::known(0.1),
    });
    let layer: BatchNorm = built(kind);
    let input = Tensor::<2>::from_floats([[1.0, 2.0, 3.0, 4.0, 5.0]], &device().autodiff());
    let output = layer.forward(input);
    crate::common::assert_close(
        "output",
        &crate::common::numbers(output),
        &[1.0, 2.0, 3.0, 4.0, 5.0],
        1e-4,
    );
    assert_eq!(
        crate::common::numbers(layer.running_mean.value_sync()),
        [0.0; 5]
    );
    assert_eq!(
        crate::common::numbers(layer.running_var.value_sync()),
        [1.0; 5]
    );
}
