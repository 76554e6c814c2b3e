//! What the compiler says of right and wrong declarations.
//!
//! - `ui/{parse,shape,lint,const,hygiene}/MISTAKE.rs`: one declaration that must not compile each, with rustc's own words
//!   beside it in `MISTAKE.stderr`. A lint that warns is made an error by `#![deny(deprecated)]`.
//! - `pass/*.rs`: declarations that must compile without a warning, and run.
//!
//! `TRYBUILD=overwrite cargo test -p damper-ui-tests --test ui` writes the `.stderr` files anew: read the difference.
