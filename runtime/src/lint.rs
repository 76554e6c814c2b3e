//! The rules that a declaration must keep: one page each.
//!
//! A name here is what stands in an attribute and what a message ends with:
//! ``note: `#[deny(dropout_before_output)]` on by default``. The constants are these names as text, for
//! programs that look for a certain [`Finding`](crate::SpecError::Broken) among those of a configuration.
//!
//! # Levels
//!
//! - **deny** is an error: provably wrong, without any effect, or harmful in every published comparison.
//! - **warn** is a warning: usually wrong, or published models do it for a reason.
//! - **allow** is silent until it is asked for: a matter of style, on which practice is split.
//!
//! An attribute sets the level of one rule, as in rustc: on the model, a section, a block, a statement, or a single
//! annotation. The innermost wins; of two on the same thing, the later one.
//!
//! ```text
//! model! {
//!     #[warn(dropout_feeding_head)]
//!     Net
//!     input x: [64]
//!     layers {
//!         #[allow(dropout_with_batch_norm, reason = "behind the last batch norm of the network")]
//!         fc:   linear(32, bias = false) -> batch_norm -> relu -> dropout(0.5);
//!         head: linear(10);
//!     }
//!     loss cross_entropy
//! }
//! ```
//!
//! `#[expect(name, reason = "..")]` allows a rule and warns when it has nothing to say any more. `#[forbid(name)]` is
//! `#[deny(name)]` that nothing inside lowers. A name that no rule has is an error.
//!
//! # Groups
//!
//! `#[warn(damper::output)]` sets the level of all rules of a group: `output`, `regularization`, `normalization`, `structure`,
//! `convolution`, `training`, `declaration`. `damper::strict` is every rule that is silent by default, `damper::all` every
//! rule. A rule's own name wins over a group on the same thing, whichever comes first. No group reaches the three rules
//! without which nothing can be built.
//!
//! # Thresholds
//!
//! A number that a rule judges by can be set beside its level; its page lists them, and each message shows the one in force:
//!
//! ```text
//! #[warn(high_dropout_rate, max = 0.6, reason = "the encoder reads masked patches")]
//! ```
//!
//! The innermost attribute that sets a threshold wins; an attribute that sets a level alone leaves it as it is. Beside a
//! threshold, the level is for what that threshold judges: under `#[warn(learning_rate_out_of_range, times = 20)]` a rate of 0
//! stays an error.
//!
//! # The whole crate
//!
//! The same for every model of a crate stands in its `Cargo.toml`, in the words of cargo's `[lints]`. Attributes win over it.
//!
//! ```toml
//! [package.metadata.damper.lints]
//! strict = { level = "warn", priority = -1 }             # a group, without `damper::`
//! dropout_with_batch_norm = "allow"
//! high_dropout_rate = { level = "warn", max = 0.6 }
//! ```
//!
//! The higher `priority` wins (0 if not written), and at equal ones a rule's own name. With `workspace = true` instead, the
//! table is `[workspace.metadata.damper.lints]` of the workspace; a package from a registry has no workspace, so what its
//! models cannot be compiled without belongs into its own table. A change of the file compiles the crate anew, and
//! `cargo damper check` obeys it too.
//!
//! # When they are checked
//!
//! While the program compiles, on the declared defaults of the hyper-parameters, each finding at the tokens it is about;
//! and again, by the same code, when a configuration is built: `init` returns what **deny** has found in the values that
//! were passed, [`Spec::warnings`](crate::Spec::warnings) what **warn** has found. A value that is not known yet (a path to a constant) is
//! not judged before that.
//!
//! # Words
//!
//! *Weights* are the layers that multiply by a matrix (`linear`, `swiglu`, convolutions, recurrent layers, `attention`, `embedding`, another
//! model). A *segment* is what stands between two of them, or between one and a merge (`add`, `mul`, `concat`, the end of a
//! `parallel`, the sum of a `residual`). The *output segment* is what follows the last weights on the way to the output.
//! *Feature maps* are values `[channels, ..]` with more than one position.

pub use damper_ir::catalogue::names::*;
