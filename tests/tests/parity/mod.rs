//! The same numbers as PyTorch, from the fixtures that `tests/fixtures/make.py` writes.

mod activations;
mod architectures;
mod layers;
mod losses;
mod metrics;
mod models;
mod optimizers;
mod schedules;
mod training;
mod values;
