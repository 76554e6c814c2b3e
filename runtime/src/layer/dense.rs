use super::Dropout;
use super::dropout::Drawn;
use crate::Pass;
use crate::activation::Activation;
use burn::module::Param;
use burn::nn::Linear;
use burn::nn::activation::SwiGlu;
use burn::tensor::Tensor;
use burn::tensor::module::linear;

/// A linear layer, and an activation behind it: `activation(input weight + bias)`.
///
/// On `flex` this is one node of the graph, and the values are activated while they are in the cache; elsewhere it is
/// the layer and the activation.
///
/// # Shapes
///
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[must_use]
pub fn dense<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
) -> Tensor<D> {
    run(layer, input, activation, None)
}

/// As [`dense`], with dropout behind it in the same pass over the values.
///
/// # Shapes
///
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[must_use]
pub fn dense_with_dropout<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
    dropout: &Dropout,
    pass: &mut Pass,
) -> Tensor<D> {
    let drawn = dropout.draw(&input, pass);
    run(layer, input, activation, drawn)
}

/// `silu(input inner) * (input outer)` (Shazeer, arXiv 2002.05202).
///
/// # Shapes
///
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[must_use]
pub fn swiglu<const D: usize>(layer: &SwiGlu, input: Tensor<D>) -> Tensor<D> {
    let inner = dense(&layer.linear_inner, input.clone(), Some(Activation::Silu));
    inner * dense(&layer.linear_outer, input, None)
}

fn run<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
    drawn: Option<Drawn>,
) -> Tensor<D> {
    product(
        input,
        layer.weight.val(),
        layer.bias.as_ref().map(Param::val),
        activation,
        drawn,
    )
}

/// `activation(input weight + bias)`, with some of it dropped.
pub(super) fn product<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
    drawn: Option<Drawn>,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    let input =
        match crate::flex::dense::dense(input, weight.clone(), bias.clone(), activation, drawn) {
            Ok(output) => return output,
            Err(input) => input,
        };
    let output = linear(input, weight, bias);
    let output = match activation {
        Some(activation) => activation.forward(output),
        None => output,
    };
    match drawn {
        Some(drawn) => drawn.drop(output),
        None => output,
    }
}
