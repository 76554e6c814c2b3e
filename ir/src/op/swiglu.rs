//! `swiglu`: a gated dense layer.

use super::{Call, Field, Incoming, Inside, Operation, Type, linear, operation};
use crate::{Layout, Shape, ShapeError, Value};

operation! {
    /// A gated dense layer, `silu(x W) * (x V)` (Shazeer, arXiv 2002.05202).
    ///
    /// Shapes: `[batch, .., in]` to `[batch, .., out]`.
    pub struct Swiglu = swiglu(out) {
        /// The number of units.
        out: Value = required(Kind::Size).called("the number of units"),
        /// Whether each of the two products has a bias.
        bias: Value = flag(false),
    }
}

impl Operation for Swiglu {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        linear::shape("swiglu", from.shape, from.layout, self.out.size())
    }

    fn gives(&self, input: Layout, _: &Shape) -> Layout {
        input.read_as_steps()
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let features = input.and_then(Shape::features);
        let bias = self.bias.is_true() != Some(false);
        ["linear_inner", "linear_outer"]
            .into_iter()
            .flat_map(|part| Inside::projection(part, features, self.out.size(), bias))
            .collect()
    }

    fn products(&self, input: Option<&Shape>, output: Option<&Shape>) -> Option<usize> {
        let one = input?.features()?.saturating_mul(output?.elements()?);
        Some(one.saturating_mul(2))
    }

    fn drops_weights(&self) -> bool {
        true
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(
            Type::burn("nn::SwiGlu").with_parameter("linear_inner.weight"),
        ))
    }

    fn call(&self) -> Call {
        Call::LayerFunction("swiglu")
    }
}
