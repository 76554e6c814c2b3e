//! Rules about which axis means what.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [32, 32, 3]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, padding = same) -> relu -> global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Convolutions, pools and norms of channels read the first axis as the channels, as PyTorch does: `[32, 32, 3]` is 32 maps of 32 x 3. Keras, image files and
    /// TensorFlow have the channels last. The samples must be in the same order.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, padding = same) -> relu -> global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(channels_last, reason = "64 sensors, 100 steps, 3 axes")]` on the model, where the first axis is the channels.
    warn channels_last in structure {} "an input with its channels last; **deny** where the shapes then do not fit";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input tokens: [64] of int(vocab = 1000)
    ///     layers {
    ///         embed: embedding(1000, 32);
    ///         mix:   residual { attention(heads = 4); };
    ///         pool:  mean(axis = time);
    ///         head:  linear(2);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Attention is a weighted mean: exchanged steps give exchanged results, and after a mean the same one. Without positions, "man bites dog" is "dog bites man"
    /// (Vaswani et al., "Attention Is All You Need", arXiv 1706.03762, section 3.5). Silent behind recurrent layers and convolutions over
    /// neighbors, and for `causal = true`, which lets a step count those before it (Haviv et al., arXiv 2203.16634).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input tokens: [64] of int(vocab = 1000)
    ///     layers {
    ///         embed: embedding(1000, 32) -> positional(learned);
    ///         mix:   residual { attention(heads = 4); };
    ///         pool:  mean(axis = time);
    ///         head:  linear(2);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// For sets: `#[allow(attention_without_order, reason = "a set of points")]` on the statement that gives the steps.
    warn attention_without_order in structure {} "attention over steps that carry no position";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input tokens: [32] of int(vocab = 500)
    ///     layers {
    ///         embed: embedding(500, 64) -> positional(learned);
    ///         mix:   residual { layer_norm -> attention(heads = 4); };
    ///         head:  linear(500);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A model that gives a score for every token at every step is most often asked for the next token, and attention without a mask (or a bidirectional
    /// recurrent layer) reads it: the training loss falls to 0, and generation fails (Radford et al., "Improving Language Understanding", 2018).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input tokens: [32] of int(vocab = 500)
    ///     layers {
    ///         embed: embedding(500, 64) -> positional(learned);
    ///         mix:   residual { layer_norm -> attention(heads = 4, causal = true); };
    ///         head:  linear(500);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where tokens are masked in the input, as in BERT (arXiv 1810.04805): `#[allow(target_in_sight, reason = "masked tokens")]` on the model.
    warn target_in_sight in structure {} "a score for each token at each step, from layers that see the next step";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input { question: [20] of int(vocab = 500), answer: [20] of int(vocab = 500) }
    ///     layers {
    ///         a:    from(question) -> embedding(500, 16);
    ///         b:    from(answer) -> embedding(500, 16);
    ///         both: concat(a, b);
    ///         last: lstm(32) -> last_step -> linear(1);
    ///     }
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `concat` joins features: step 5 of the first sequence is paired with step 5 of the second, as if they belonged together. Two texts of different inputs are most often
    /// summarized separately, or placed one after the other. The lint does not fire if the two inputs declare different vocabularies, such as words and their parts of speech.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input { question: [20] of int(vocab = 500), answer: [20] of int(vocab = 500) }
    ///     layers {
    ///         a:    from(question) -> embedding(500, 16) -> mean(axis = time);
    ///         b:    from(answer) -> embedding(500, 16) -> mean(axis = time);
    ///         both: concat(a, b) -> linear(1);
    ///     }
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// For tokens and their tags, which belong together: `#[allow(concat_of_sequences, reason = "step i belongs to step i")]` on the statement.
    warn concat_of_sequences in structure {} "`concat` of two texts along their features";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv:  conv2d(64, kernel = 8, stride = 8) -> relu;
    ///         steps: reshape([16, 64]);
    ///         rnn:   lstm(32) -> last_step;
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `reshape` keeps the order of the numbers and cuts it anew: the first row of `[16, 64]` is not one position with its 64 channels, it is the 16 positions of four
    /// channels. `transpose` exchanges two axes, `to_sequence` makes steps of the positions of maps.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv:  conv2d(64, kernel = 8, stride = 8) -> relu;
    ///         steps: to_sequence;
    ///         rnn:   lstm(32) -> last_step;
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(reshape_mixes_axes, reason = "the order of the published weights")]` on the statement.
    warn reshape_mixes_axes in structure {} "a `reshape` where axes should change places";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 8, 8]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, padding = same) -> relu -> adaptive_avg_pool2d(16);
    ///         head: global_avg_pool -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Each window of such a pooling holds one position, which is copied: the maps become larger and say no more. Most often the size of the maps is not what was
    /// thought (one pooling more before it).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 8, 8]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, padding = same) -> relu -> adaptive_avg_pool2d(4);
    ///         head: global_avg_pool -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// To repeat positions on purpose: `#[allow(pooling_enlarges, reason = "nearest neighbor upsampling")]` on the statement.
    warn pooling_enlarges in convolution {} "an adaptive pooling to more positions than there are";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, stride = 5) -> relu;
    ///         head: flatten -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The positions between two windows are read by no window: they have no influence and no gradient. `kernel = 1, stride = 2`, the shortcut of residual networks
    /// (He et al., arXiv 1512.03385), is not reported.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv: conv2d(8, kernel = 5, stride = 5) -> relu;
    ///         head: flatten -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(stride_skips_positions, reason = "subsampling")]` on the statement.
    warn stride_skips_positions in convolution {} "windows that are farther apart than they are wide";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, padding = 3) -> relu;
    ///         head: global_avg_pool -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A window of 3 reaches 2 positions on: with 3 zeros at the border, the first window holds zeros alone, and its value is the bias whatever the sample. Half of the
    /// window at each border (`padding = same`) keeps the size of the maps.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         conv: conv2d(8, kernel = 3, padding = 1) -> relu;
    ///         head: global_avg_pool -> linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(windows_of_padding, reason = "published weights")]` on the statement.
    warn windows_of_padding in convolution {} "a padding so wide that windows see zeros alone";
}
