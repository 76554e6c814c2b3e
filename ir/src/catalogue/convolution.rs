//! Opt-in rules about the shapes of convolutional networks, after `NeuraLint` (arXiv 2105.08095). Residual and dense networks,
//! autoencoders and transformers break each of them, and work.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     #[warn(pool_after_every_conv)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         c3:   conv2d(64, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Two convolutions of 3 x 3 in series see 5 x 5 positions, with fewer weights than one of 5 x 5 and one more activation (Simonyan
    /// and Zisserman, arXiv 1409.1556). A pooling after each gives that away.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(pool_after_every_conv)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         c3:   conv2d(64, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow pool_after_every_conv in convolution { convolutions = 3.0: "the smallest number of convolutions that is checked" }
        "every convolution, of three or more, is followed by a pooling";

    ///
    /// ```text
    /// model! {
    ///     #[warn(conv_window_shrinks)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 5, padding = 2) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Some advise that windows grow with the depth, as what they look for grows. ResNet begins with 7 and goes on with 3. Kernels of one
    /// position are exempt.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(conv_window_shrinks)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow conv_window_shrinks in convolution {} "a kernel smaller than that of the convolution before";

    ///
    /// ```text
    /// model! {
    ///     #[warn(filters_not_increasing)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Classifiers usually have more channels the smaller their maps are. Bottlenecks, transition layers and decoders narrow on purpose.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(filters_not_increasing)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow filters_not_increasing in convolution {} "fewer channels than the convolution before gives";

    ///
    /// ```text
    /// model! {
    ///     #[warn(inhomogeneous_conv_block)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// VGG and ResNet change the number of channels where they change the size of the maps, so that each layer costs about the same.
    /// Kernels of one position are exempt.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(inhomogeneous_conv_block)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow inhomogeneous_conv_block in convolution {} "convolutions on maps of one size that differ in their channels";

    ///
    /// ```text
    /// model! {
    ///     #[warn(avg_pool_instead_of_max)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu -> avg_pool2d(2);
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The mean weakens what a single position has found; a maximum keeps it. DenseNet's transitions take the mean on purpose, and so
    /// does `LeNet`.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(avg_pool_instead_of_max)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow avg_pool_instead_of_max in convolution {} "a mean over windows between convolutions";

    ///
    /// ```text
    /// model! {
    ///     #[warn(missing_down_sampling)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu;
    ///         c3:   conv2d(64, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// What a kernel sees grows slowly on maps of full size, and each layer costs most there.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(missing_down_sampling)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         c1:   conv2d(16, kernel = 3, padding = 1) -> relu;
    ///         c2:   conv2d(32, kernel = 3, padding = 1) -> relu -> max_pool2d(2);
    ///         c3:   conv2d(64, kernel = 3, padding = 1) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow missing_down_sampling in convolution { convolutions = 3.0: "the smallest number of convolutions that is checked" }
        "three or more convolutions, and no pooling or stride makes the maps smaller";

    ///
    /// ```text
    /// model! {
    ///     #[warn(even_kernel_size)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 4, padding = 2) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It has no middle: the maps it gives are moved by half a position, and `padding = same` pads one side more than the other. Windows
    /// that do not overlap (`kernel = 16, stride = 16`, the patches of a transformer) and transposed convolutions are exempt.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(even_kernel_size)]
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 5, padding = 2) -> relu;
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow even_kernel_size in convolution {} "a kernel of an even size";
}
