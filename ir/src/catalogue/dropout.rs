//! Rules about dropout and its relatives.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10) -> dropout(0.5);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// There it does not hide features from the next layer, for there is none: it sets class scores to 0 at random, the right
    /// one included, and the loss punishes the model for it.
    ///
    /// # Fix
    ///
    /// Dropout that *feeds* the last weights is common and good:
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Published graph networks drop their scores on purpose: `#[allow(dropout_before_output, reason = "as in GIN")]`. Silent for
    /// the end of a residual branch, where the shortcut follows, and for a model without `loss`, whose output is features.
    deny dropout_before_output in regularization {} "dropout or noise after the last weights";

    ///
    /// ```text
    /// model! {
    ///     #[warn(dropout_feeding_head)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// "Lower or no dropout near the output" is a common rule of thumb. It is not a law: most published classifiers drop exactly
    /// here, and many are better for it. The rule is for those who want the features clean.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(dropout_feeding_head)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(64) -> relu -> dropout(0.5);
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
    allow dropout_feeding_head in regularization {} "dropout on the features that feed the last weights";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> relu -> dropout(0.3) -> batch_norm;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// While training, dropout raises the variance of what batch norm sees; at inference it does not. The running variance is
    /// then wrong by that factor, and each such layer adds to it. DenseNet on CIFAR-100 fell from 77.42 to 68.55 % with a rate of 0.5 (Li,
    /// Chen, Hu, Yang, "Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift", CVPR 2019, arXiv 1801.05134).
    ///
    /// # Fix
    ///
    /// Regularize the weights instead, or put the only dropout after the last batch norm of the network.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> relu -> batch_norm with decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// To keep a published order: `#[allow(dropout_before_batch_norm, reason = "as published")]`. Layer norm keeps no statistics and is exempt.
    deny dropout_before_batch_norm in regularization {} "dropout, then batch norm, with no weights between them";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32, bias = false) -> batch_norm -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Batch norm is a regularizer itself: each sample sees the noise of its batch. With it there is little left for dropout to
    /// do, and its variance shift reaches the next batch norm (Li et al., CVPR 2019, arXiv 1801.05134). After the last one of a network it
    /// does little harm.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
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
    /// # When to allow it
    ///
    /// Wide-ResNet does this and gains (arXiv 1605.07146, section 2.4); so do heads after the last norm:
    /// `#[allow(dropout_with_batch_norm, reason = "after the last batch norm")]`. Silent where a pooling is between, as in the
    /// heads of MobileNet and EfficientNet. `drop_block` is warned of only: it was published with batch norm.
    deny dropout_with_batch_norm in regularization { light = 0.1: "rates up to this are one level lower: warned of where others are denied" }
        "dropout above 0.1 after a batch norm, with no weights between them; up to 0.1 **warn**";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(64) -> relu -> dropout(0.3);
    ///         fc2:  linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The variance that dropout adds passes through the weights: the batch norm learns one variance and meets another at
    /// inference (Li et al., CVPR 2019, arXiv 1801.05134). Weaker than with nothing between them, and some networks are better with it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(64) -> relu with decay(l2 = 1e-3);
    ///         fc2:  linear(32, bias = false) -> batch_norm -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(dropout_upstream_of_batch_norm, reason = "better on our validation data")]`. DenseNet drops with 0.2 before its `concat`.
    /// Layer norm is exempt. The rule follows every path through residuals and merges, and knows the dropout inside
    /// recurrent layers and embeddings.
    warn dropout_upstream_of_batch_norm in regularization {} "dropout that reaches a batch norm through weights";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> dropout(0.3) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `relu` gives the same numbers in either order, so the order only misleads the reader. A curved function does not commute
    /// with the factor 1/(1-p), and `sigmoid(0)` is 0.5: a dropped unit still sends one half.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// To keep a published order: `#[allow(dropout_before_activation, reason = "as in the original")]`.
    warn dropout_before_activation in regularization {} "dropout before the activation of its layer; **deny** if that activation is not 0 at 0";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(20.0);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A rate is the probability of *dropping*: 0.2, not 20 percent and not the share that is kept. At 1 nothing would be left.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny dropout_rate_out_of_range in regularization {} "a rate outside [0, 1)";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 3, padding = 1) -> relu -> dropout(0.3);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Neighboring positions of a feature map are nearly the same, so what is dropped here is still visible next to it: the network sees as
    /// much as before, at a lower effective learning rate (Tompson et al., arXiv 1411.4280; the `DropBlock` paper finds the same, arXiv
    /// 1810.12890).
    ///
    /// # Fix
    ///
    /// Drop whole channels, or regions with `drop_block(0.1, size = 7)`.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 3, padding = 1) -> relu -> spatial_dropout(0.1);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Published networks do it: PyTorch's and Keras's first examples, Wide-ResNet, DenseNet:
    /// `#[allow(elementwise_dropout_on_feature_maps, reason = "as in Wide-ResNet")]`. Silent for maps of one position and for sequences.
    warn elementwise_dropout_on_feature_maps in regularization {} "`dropout` of single positions of feature maps";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> spatial_dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It drops a channel with all its positions. A vector has none (pytorch/examples used `Dropout2d` on one for years: on some versions
    /// it dropped single features, on others whole samples). Where feature maps have their channels, a sequence has its time axis: whole
    /// steps would vanish.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never on a vector. On a sequence `variational_dropout` is what drops features in all steps.
    deny spatial_dropout_on_vector in regularization {} "`spatial_dropout` on a value without feature maps; for maps of one position **warn**";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 3, padding = 1) -> relu -> spatial_dropout(0.4);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A channel takes all its positions with it, and there are few channels: rates that suit single units leave too little here. 0.1 to
    /// 0.2 is usual.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 3, padding = 1) -> relu -> spatial_dropout(0.1);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where maps are many: `#[allow(spatial_dropout_rate_high, reason = "512 channels")]`.
    warn spatial_dropout_rate_high in regularization { max = 0.2: "the largest rate without a finding" }
        "more than a fifth of the feature maps is dropped";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 8, stride = 8) -> relu -> drop_block(0.1, size = 7);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A region of 7 on maps of 4 positions a side is the whole map: a channel is dropped altogether or not at all, and the share that is
    /// dropped is not the rate (Ghiasi, Lin, Le, arXiv 1810.12890, use 7 on maps of 14 and more).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input image: [3, 32, 32]
    ///     layers {
    ///         stem: conv2d(16, kernel = 8, stride = 8) -> relu -> drop_block(0.1, size = 3);
    ///         pool: global_avg_pool;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Rather write `spatial_dropout`, which says what then happens.
    deny drop_block_too_large in regularization {} "regions of `drop_block` that are larger than the feature map";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input rows: [28, 28]
    ///     layers {
    ///         rnn:  gru(32) -> dropout(0.3) -> max(axis = time);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The maximum picks the largest survivor, scaled up by 1 / (1 - p): a value is lost only where all of its window are dropped, and
    /// what comes out is larger than at inference. The rate no longer says how much is dropped.
    ///
    /// # Fix
    ///
    /// Drop after the pooling.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input rows: [28, 28]
    ///     layers {
    ///         rnn:  gru(32) -> max(axis = time) -> dropout(0.3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Wu and Gu ("Max-Pooling Dropout", arXiv 1512.00242) do it on purpose: `#[allow(dropout_before_max_pool, reason = "max-pooling
    /// dropout")]`. Silent for `spatial_dropout`, which drops a window as a whole, and for means.
    warn dropout_before_max_pool in regularization {} "dropout of single values, then a maximum over them";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input rows: [28, 28]
    ///     layers {
    ///         rnn:  lstm(64) -> last_step with dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// On `lstm`, `gru` and `rnn` `dropout(p)` is what `nn.LSTM(dropout = p)` is: dropout on the output of each layer except the last.
    /// With one layer it does nothing; PyTorch warns and goes on.
    ///
    /// # Fix
    ///
    /// Drop the input of the layer, with one mask for all steps (Gal and Ghahramani, arXiv 1512.05287), or write `dropout(0.2) after
    /// last_step`.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input rows: [28, 28]
    ///     layers {
    ///         rnn:  lstm(64) -> last_step with variational_dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: it has no effect.
    deny rnn_dropout_single_layer in regularization {} "`dropout` on a recurrent layer, between its layers, of which there is one";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> variational_dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It is dropout with one mask for all steps of a sequence. Without steps there is nothing that the mask could be the same for; on
    /// feature maps `spatial_dropout` is its counterpart.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: the plain word says what happens.
    deny variational_dropout_on_non_rnn in regularization {} "`variational_dropout` on a value without a time axis";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input rows: [28, 28]
    ///     layers {
    ///         place:  positional(sinusoidal);
    ///         attend: residual { layer_norm -> attention(heads = 4) with attention_dropout(0.5); };
    ///         pool:   mean(axis = time);
    ///         head:   linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The weights of a step sum to 1 and most of them are near 0: dropping one of the few that count takes away nearly all that the step
    /// reads. 0.1 is usual (Vaswani et al., arXiv 1706.03762).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input rows: [28, 28]
    ///     layers {
    ///         place:  positional(sinusoidal);
    ///         attend: residual { layer_norm -> attention(heads = 4) with attention_dropout(0.1); };
    ///         pool:   mean(axis = time);
    ///         head:   linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(attention_dropout_high, reason = "measured")]` on the annotation.
    warn attention_dropout_high in regularization { max = 0.3: "the largest rate without a finding" }
        "more than three tenths of the attention weights are dropped";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.8);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A rate is what is dropped; some libraries mean what is kept, and 0.8 is then a transcription mistake. Srivastava et al. (JMLR 15,
    /// 2014) found about 0.5 best for hidden units.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Models that learn to fill in what is hidden: `#[allow(high_dropout_rate, reason = "masks the input on purpose")]`.
    warn high_dropout_rate in regularization { max = 0.5: "the largest rate without a finding" }
        "a rate above 0.5";

    ///
    /// ```text
    /// model! {
    ///     #[warn(dropout_rate_zero)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.0);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It drops nothing. A hyper-parameter whose default is 0 is exempt.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(dropout_rate_zero)]
    ///     Net<rate: f64 = 0.0>
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(rate);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow dropout_rate_zero in regularization {} "a rate written as 0";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(256) -> relu -> dropout(0.5);
    ///         fc2:  linear(256) -> relu -> dropout(0.5);
    ///         fc3:  linear(256) -> relu -> dropout(0.5);
    ///         fc4:  linear(256) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Four rates of 0.5 leave 0.5^4 = 6 % of the paths from input to output. The thinned networks then have little in common,
    /// and their average is not the ensemble that dropout approximates. Rates below 0.3 are not counted.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(256) -> relu -> dropout(0.2);
    ///         fc2:  linear(256) -> relu -> dropout(0.2);
    ///         fc3:  linear(256) -> relu -> dropout(0.2);
    ///         fc4:  linear(256) -> relu -> dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// A `residual` counts as its better path, for the shortcut drops nothing.
    /// For very wide layers: `#[allow(stacked_high_dropout, reason = "4096 units a layer")]` on the model.
    warn stacked_high_dropout in regularization { min = 0.1: "the smallest fraction of the paths that must survive", counted = 0.3: "rates below this do not count" }
        "so much dropout in series that less than a tenth of the paths survive a step";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.3) -> dropout(0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// They are one dropout of 1-(1-p)(1-q), here 0.44: rarely what was meant. Often one of them came in through `with`.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.4);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// When the two mean different things: `#[allow(consecutive_dropout, reason = "noise of the sensor, and dropout")]`. Dropout next to
    /// `drop_path` is exempt.
    warn consecutive_dropout in regularization {} "two dropouts with no weights between them";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   dropout(0.4) -> linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// What is dropped from the input is nowhere else. Srivastava et al. (JMLR 15, 2014) keep 0.8 and more of it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   dropout(0.1) -> linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Denoising: `#[allow(dropout_on_input, reason = "the task is to fill it in")]`.
    warn dropout_on_input in regularization { max = 0.2: "the largest rate without a finding" }
        "dropout above 0.2 before any weights";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(4) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// With 4 units and a rate of 0.5, all are zero for 0.5^4 = 6 % of the samples. These teach nothing but the bias of what follows.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(dropout_on_tiny_layer, reason = "other layers carry the sample past it")]`.
    warn dropout_on_tiny_layer in regularization { max = 0.01: "the probability that no unit is left, from which it is reported" }
        "dropout on so few units that in 1 % of the cases or more none is left";

    ///
    /// ```text
    /// model! {
    ///     #[warn(uniform_dropout_rate)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(128) -> relu -> dropout(0.3);
    ///         fc2:  linear(64) -> relu -> dropout(0.3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Layers differ in width and in how much they overfit; one rate for all is a first guess. Many good models stay with it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(uniform_dropout_rate)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(128) -> relu -> dropout(0.3);
    ///         fc2:  linear(64) -> relu -> dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow uniform_dropout_rate in regularization {} "the same rate everywhere";

    ///
    /// ```text
    /// model! {
    ///     #[warn(dropout_rate_increases)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(128) -> relu -> dropout(0.1);
    ///         fc2:  linear(64) -> relu -> dropout(0.3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Some advise to drop less near the output. Srivastava et al. drop least at the input: practice is split.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(dropout_rate_increases)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc1:  linear(128) -> relu -> dropout(0.3);
    ///         fc2:  linear(64) -> relu -> dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow dropout_rate_increases in regularization {} "a rate above an earlier one";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> selu -> dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `selu` keeps mean 0 and variance 1 from layer to layer (Klambauer et al., arXiv 1706.02515). Dropout sets values to 0 and changes both;
    /// `alpha_dropout` sets them to the function's negative limit and corrects for it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> selu -> alpha_dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(plain_dropout_with_selu, reason = "as in the original")]`.
    warn plain_dropout_with_selu in regularization {} "plain dropout after `selu`";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> alpha_dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It sets values to the negative limit of `selu`, -1.76, a number that means "off" for no other activation: `relu` never gives it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu -> dropout(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(alpha_dropout_without_selu, reason = "the custom layer before it is a selu")]`.
    warn alpha_dropout_without_selu in regularization {} "`alpha_dropout` after anything but `selu`";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(64) -> relu -> drop_path(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Stochastic depth leaves out a residual branch for a sample (Huang et al., arXiv 1603.09382). Without a shortcut the whole sample becomes
    /// zero.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         block: residual { linear(64) -> relu -> linear(64); } with drop_path(0.1);
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny drop_path_outside_residual in regularization {} "`drop_path` where no shortcut carries the sample past it";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         block: residual { linear(64) -> relu -> linear(64); } with drop_path(0.7);
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Huang et al. (arXiv 1603.09382) let the rate rise with the depth, from 0 to at most 0.5: early blocks are used by all later ones. 0.1 to 0.2 at
    /// the end is usual today.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         blocks: repeat(3) {
    ///             block: residual { linear(64) -> relu -> linear(64); };
    ///         } with drop_path(0.0..0.2);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// For networks of hundreds of blocks: `#[allow(drop_path_rate_high, reason = "1202 layers, as published")]`.
    warn drop_path_rate_high in regularization { max = 0.5: "the largest rate without a finding" }
        "a branch that is left out more often than not, or rates that fall with the depth";
}
