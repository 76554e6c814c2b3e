//! Data in memory: read from arrays, CSV files, image folders and burn datasets; split, scaled, and loaded in batches.
//!
//! ```
//! use damper::data::Data;
//!
//! let features = vec![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
//! let data = Data::new(features, vec![1, 1, 0, 0])?;
//! let (train, valid) = data.split(0.5, 42)?;
//! assert_eq!((train.rows(), valid.rows()), (2, 2));
//! # Ok::<(), damper::data::DataError>(())
//! ```
//!
//! Rows are flat: an input `[1, 28, 28]` takes rows of 784 values, channel by channel and line by line. The target of a
//! model whose output has more than one axis is flat, too: `[time, vocab]` with `cross_entropy` takes a row of `time`
//! classes, `[1, height, width]` with `binary_cross_entropy` a row of `height * width` numbers. Sequences of different
//! lengths are made by [`Data::sequences`], folders of images are read by `images` (cargo feature `images`).
//!
//! A fault in the data is a [`DataError`] that names the row and the column. Nothing is skipped or repaired unless you
//! ask for it.

mod columns;
mod csv;
mod error;
mod features;
#[cfg(feature = "images")]
mod images;
mod loader;
mod message;
mod missing;
mod number;
mod place;
mod prepare;
mod samples;
mod scale;
mod schema;
mod split;
mod targets;

pub use csv::{Table, csv, csv_from};
pub use error::DataError;
pub use features::{Features, IntoFeatures};
#[cfg(feature = "images")]
pub use images::{Images, images};
pub use loader::Loader;
pub use missing::Missing;
pub use number::{Number, Row};
pub use place::{Column, Place};
pub use prepare::Prepared;
pub(crate) use prepare::{first_name, least_vocab};
pub use samples::Data;
pub use scale::{Scaler, Scaling, standardize};
pub use schema::Schema;
pub use targets::{IntoTargets, Label, Targets};
