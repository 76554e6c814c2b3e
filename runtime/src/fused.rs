//! Where the layers try a fused operation first.

/// Tries a fused operation of `damper_flex` on a tensor: returns its output from the function around it, and goes on with
/// the tensor where the operation does not apply. Without the feature `flex` it is nothing at all.
///
/// `fused!(input => damper_flex::activate(input, function));` needs a `Result` whose error is the input again. What
/// follows computes the same with burn's operations, on any backend; `tests/tests/one_pass.rs` compares the two.
macro_rules! fused {
    ($input:ident => $operation:expr) => {
        #[cfg(feature = "flex")]
        let $input = match $operation {
            Ok(output) => return output,
            Err(input) => input,
        };
    };
}
