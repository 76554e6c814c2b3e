//! Right declarations: they compile without a warning, and a forward pass gives the declared shape.

#![deny(warnings)]
#![allow(missing_docs, reason = "the models of the tests")]

#[path = "../pass/architectures.rs"]
mod architectures;
#[path = "../pass/attention.rs"]
mod attention;
#[path = "../pass/blocks.rs"]
mod blocks;
#[path = "../pass/convolution.rs"]
mod convolution;
#[path = "../pass/declared.rs"]
mod declared;
#[path = "../pass/names.rs"]
mod names;
#[path = "../pass/pages.rs"]
mod pages;
#[path = "../pass/published.rs"]
mod published;
#[path = "../pass/random.rs"]
mod random;
#[path = "../pass/sequence.rs"]
mod sequence;
#[path = "../pass/users.rs"]
mod users;
#[path = "../pass/visibility.rs"]
mod visibility;
