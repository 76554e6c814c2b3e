//! Rules about what a loss of numbers can be given.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1) -> relu;
    ///     }
    ///     loss mse
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Where a `relu` gives 0, its gradient is 0. A step that pushes the only output below 0 for all samples is the last one: the model predicts 0 for good and
    /// the loss stays where it is. Hidden units die as well, but there are many of them (Lu et al., arXiv 1903.06733).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     loss mse
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(dying_output, reason = "the targets are mostly 0")]` on the statement. `softplus` is above 0 and never flat.
    warn dying_output in output {} "a `relu` on the output of a regression, which can die";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1) -> relu;
    ///     }
    ///     loss poisson
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `poisson` and `gaussian_nll` read logarithms (of the rate, of the variance), which may be any number. Behind a `relu` no rate is below 1; behind a `tanh`
    /// none is above e. In Keras the loss reads the rate itself, and such a model ends in `exponential` or `softplus`.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     loss poisson
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where rates are known to be bounded: `#[allow(bounded_log_rate, reason = "rates of 1 and more")]` on the statement.
    warn bounded_log_rate in output {} "an activation before a loss that takes the exponential itself";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     loss mape target in [0, 100]
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The percentage error divides by the target. At 0 it is infinite (the data are then refused), and near 0 small errors outweigh everything else (Hyndman and
    /// Koehler, "Another look at measures of forecast accuracy", 2006).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     loss mae target in [0, 100]
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where the range is wider than the data: rather declare the range that the targets have, such as `target in [1, 100]`.
    deny mape_over_zero in output {} "`mape` of targets that may be 0";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input series: [24, 3]
    ///     layers {
    ///         rnn:  lstm(32);
    ///         head: linear(1);
    ///     }
    ///     loss mse
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A recurrent layer gives the state of every step, and a dense layer acts on each of them: the output has a time axis, and the data need a target for each
    /// step. One answer for the whole sequence is that of the last step (Keras: `return_sequences=False`). Silent for tokens, where a label for each is usual, and where `task` is written.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input series: [24, 3]
    ///     layers {
    ///         rnn:  lstm(32) -> last_step;
    ///         head: linear(1);
    ///     }
    ///     loss mse
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(answer_at_each_step, reason = "one label for each step")]` on the statement.
    warn answer_at_each_step in output {} "an answer at each step of a sequence of measurements";
}
