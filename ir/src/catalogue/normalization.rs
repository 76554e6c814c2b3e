//! Rules about normalization.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Batch norm subtracts the mean, and the bias with it: it never has an effect and its gradient is zero (Ioffe and Szegedy, arXiv 1502.03167,
    /// section 3.2). The `beta` of the norm takes its place. A layer norm averages over the units and does not cancel it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// To read weights that have it: `#[allow(redundant_bias_before_norm, reason = "weights of the original")]`. Instance norm subtracts the
    /// bias as well; group, layer and RMS norm do not, and are exempt.
    warn redundant_bias_before_norm in normalization {} "a bias directly before a batch norm";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10, bias = false) -> batch_norm;
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It rescales the scores: how sure the model may be of one sample is then set by the others of its batch.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(norm_after_output, reason = "embeddings for metric learning")]`. Silent for a model without `loss`.
    warn norm_after_output in normalization {} "a normalization after the last weights";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { batch: 1 }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A single value is its own mean: what comes out is `beta`, whatever went in, and the running variance is spoiled.
    ///
    /// # Fix
    ///
    /// A larger batch, or a norm that does not look at the batch:
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> layer_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { batch: 1 }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny batch_norm_single_value in normalization {} "batch norm over a single value";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { batch: 4 }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Mean and variance of four values say little: training is noisy, and the running statistics fit no batch (Wu and He, "Group
    /// Normalization", arXiv 1803.08494).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { batch: 32 }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(batch_norm_tiny_batch, reason = "memory; measured against layer norm")]` on the model or on `train`.
    /// On feature maps every position counts: a batch of one image of 32 x 32 gives 1024 values for each channel.
    warn batch_norm_tiny_batch in normalization { min = 8.0: "the smallest number of values that mean and variance are estimated from" }
        "batch norm with batches of fewer than 8";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> layer_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The second undoes what the first has set, gain and shift included.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> layer_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(consecutive_norm, reason = "as in the original")]`.
    warn consecutive_norm in normalization {} "two normalizations with no weights between them";

    ///
    /// ```text
    /// model! {
    ///     #[warn(activation_before_norm)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> batch_norm;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Ioffe and Szegedy (arXiv 1502.03167) normalize what enters the activation. Both orders are published and work.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(activation_before_norm)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow activation_before_norm in normalization {} "an activation, then a normalization";

    ///
    /// ```text
    /// model! {
    ///     #[warn(norm_with_selu)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> selu -> layer_norm;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `selu` was made to need none: it keeps mean 0 and variance 1 by itself (Klambauer et al., arXiv 1706.02515).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(norm_with_selu)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> selu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow norm_with_selu in normalization {} "`selu`, then a normalization";

    ///
    /// ```text
    /// model! {
    ///     #[warn(l2_through_batch_norm)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu with decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Batch norm takes the scale out of the weights, so shrinking them changes no output. What it changes is the size of a step relative to
    /// the weights: the effective learning rate (van Laarhoven, arXiv 1706.05350). That is often useful, but it is not regularization.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(l2_through_batch_norm)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10) with decay(l2 = 1e-3);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow l2_through_batch_norm in regularization {} "decay on weights that a batch norm follows";
}
