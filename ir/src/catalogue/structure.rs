//! Rules about the order of layers and their activations.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         left:  linear(32) -> relu;
    ///         right: from(x) -> linear(16) -> relu;
    ///         both:  add(left, right);
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Every operation has a rule for the shapes it takes and gives. What breaks one would be an error when the program runs.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         left:  linear(32) -> relu;
    ///         right: from(x) -> linear(32) -> relu;
    ///         both:  add(left, right);
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: there is no such model. The attribute itself is an error.
    deny shape_mismatch in structure {} "a value does not fit the operation that reads it";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         maps: conv2d(8, kernel = 3) -> relu -> max_pool2d(2);
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `linear` multiplies the last axis. Here that would be the width of the maps: one small matrix for every row by itself.
    ///
    /// # Fix
    ///
    /// Give it one axis of features: `flatten`, or `global_avg_pool` for one number from each map.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         maps: conv2d(8, kernel = 3) -> relu -> max_pool2d(2);
    ///         fc:   flatten -> linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: the attribute itself is an error.
    deny missing_flatten in structure {} "`linear` on a value with spatial axes";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         block: residual { linear(32) -> relu; };
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The two are added, value by value.
    ///
    /// # Fix
    ///
    /// Let the branch end as it began, or bring the shortcut to the branch's shape:
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         block: residual { linear(32) -> relu; } shortcut { linear(32); };
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: the attribute itself is an error.
    deny residual_shape_mismatch in structure {} "branch and shortcut of a `residual` differ in shape";

    ///
    /// **warn** if the first is narrower than both its input and the second: then the pair is a matrix of low rank, which one layer is not.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The product of two matrices is a matrix: `fc` and `head` together compute nothing that `head` alone could not. Batch norm and
    /// dropout do not help, both are linear at inference.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// For a factorization on purpose: `#[allow(missing_nonlinearity, reason = "low-rank on purpose")]`. A pair with fewer weights than the
    /// one layer it equals is warned of only: MobileNetV2's linear bottlenecks (24 channels between 144 and 144), kernels of
    /// `[k, 1]` and `[1, k]`, two larger kernels in series. Silent for a depthwise convolution next to one of a single position, for what an
    /// embedding feeds, around `attention`, and for heads that share an embedding's weight.
    deny missing_nonlinearity in structure {} "two layers of weights with nothing nonlinear between them";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem:  conv2d(16, kernel = 3, padding = 1) -> max_pool2d(2);
    ///         body:  conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A maximum over a window is not linear, but it bends little: wherever the same position of each window wins, the two layers are
    /// one.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem:  conv2d(16, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         body:  conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// For networks whose maxima are the point: `#[allow(pool_as_only_nonlinearity, reason = "max-pooling only")]`.
    warn pool_as_only_nonlinearity in structure {} "only a maximum between two layers with weights";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> sigmoid;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The second has no effect (`relu -> relu`) or squeezes what the first has left: after `relu`, `sigmoid` gives only values from 0.5 to 1.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(redundant_activation, reason = "a new activation, made of two")]`.
    warn redundant_activation in structure {} "two activations with no weights between them";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> softmax;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The features compete for a sum of 1: with 32 of them each is about 0.03, and the gradients are smaller still.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Gates choose: `#[allow(softmax_in_hidden_layer, reason = "weights of the experts")]`.
    warn softmax_in_hidden_layer in structure {} "a softmax before the last weights";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(64) -> sigmoid;
    ///         fc2:  linear(64) -> sigmoid;
    ///         fc3:  linear(64) -> sigmoid;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The slope of a sigmoid is at most 1/4, so three of them pass on at most 1/64 of the gradient, and less where they saturate (Glorot
    /// and Bengio, AISTATS 2010).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(64) -> relu;
    ///         fc2:  linear(64) -> relu;
    ///         fc3:  linear(64) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(saturating_hidden_stack, reason = "to show that it fails")]` on the model.
    warn saturating_hidden_stack in structure { layers = 3.0: "the number in series from which they are reported" }
        "three or more sigmoid layers in series without a norm or a merge";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(1) -> tanh;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// All that the model knows of a sample passes through one number.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> tanh;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(width_one_bottleneck, reason = "one latent variable")]`.
    warn width_one_bottleneck in structure {} "a hidden layer of one unit";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         wide: linear(32) -> relu;
    ///         deep: from(x) -> linear(16) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Its weights are stored and never trained. Mostly a `from`, `add` or `concat` was forgotten.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         wide: linear(32) -> relu;
    ///         deep: from(x) -> linear(16) -> relu;
    ///         head: concat(wide, deep) -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(unused_layer, reason = "read by hand from the field")]`.
    warn unused_layer in structure {} "a layer whose value reaches no output";

    ///
    /// ```text
    /// model! {
    ///     #[warn(relu_before_residual_add)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         block: residual { linear(64) -> relu -> linear(64) -> relu; };
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Such a branch can only add, never take away, so values grow with the depth (He et al., "Identity Mappings in Deep Residual Networks",
    /// arXiv 1603.05027, section 4.1).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(relu_before_residual_add)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         block: residual { linear(64) -> relu -> linear(64); } -> relu;
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow relu_before_residual_add in structure {} "a residual branch that ends in `relu`; **warn** where a `relu` follows the sum as well";

    ///
    /// ```text
    /// model! {
    ///     #[warn(dense_width_increases)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(32) -> relu;
    ///         fc2:  linear(128) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Some advise that classifiers narrow towards the output. Autoencoders and the feed-forward part of a transformer widen and work.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(dense_width_increases)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(128) -> relu;
    ///         fc2:  linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow dense_width_increases in structure {} "a linear layer wider than the one before it";
}
