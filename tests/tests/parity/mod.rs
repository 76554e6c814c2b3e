//! The same numbers as PyTorch, from the fixtures that the programs in `tests/fixtures` write.

mod activations;
mod architectures;
mod attention;
mod layers;
mod losses;
mod metrics;
mod models;
mod optimizers;
mod schedules;
mod training;
mod values;
