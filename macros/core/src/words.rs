//! The words of the language, as the tables of `damper_ir` have them.

pub use damper_ir::families::*;
pub use damper_ir::op::blocks::BLOCKS;
pub use damper_ir::words::*;

/// What `budget` may limit, each with an example.
pub const MEASURES: &[(damper_ir::Measure, &str)] = &[
    (damper_ir::Measure::Params, "params <= 1_000_000"),
    (damper_ir::Measure::Flops, "flops <= 50_000_000"),
    (damper_ir::Measure::Memory, "memory <= 4 MiB"),
];
