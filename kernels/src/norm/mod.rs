//! Layer norm (Ba, Kiros & Hinton 2016) and batch norm (Ioffe & Szegedy 2015), forward and backward.
//!
//! With the mean `m`, the variance `v` (divided by the count) and `r = 1 / √(v + epsilon)`, the output is
//! `gamma (x - m) r + beta`. Variances are computed from differences to the mean, and means are summed in `f64`, so that
//! numbers far from 0 lose no more than the rounding of the mean to `f32`.

mod batch;
mod deviation;
mod layer;

pub use batch::{batch_norm, batch_norm_backward, batch_statistics};
pub use layer::{layer_norm, layer_norm_backward};
