//! Rules about the optimizer, the settings of training, and the regularization of weights.

use super::lints;

lints! {
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
    ///     train { optimizer: adam(lr = 1e-3, weight_decay = 1e-2) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The decay is added to the gradient and divided by its running size with it: weights with large gradients, which need it most,
    /// are decayed least (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv 1711.05101).
    ///
    /// # Fix
    ///
    /// `adamw`, or `decay(l2 = ..)` on the layers that need it; both are decoupled under every optimizer.
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
    ///     train { optimizer: adamw(lr = 1e-3, weight_decay = 1e-2) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// To repeat a published run: `#[allow(adam_coupled_weight_decay, reason = "settings of the paper")]` on the model.
    deny adam_coupled_weight_decay in regularization {} "`adam` with `weight_decay`; **warn** for `rmsprop` and `adagrad`";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with penalty(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: adam(lr = 1e-3) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The gradient of the penalty is `2 * x * w`, and adam divides it by the running size of the whole gradient: the same coupling
    /// as [`adam_coupled_weight_decay`] (arXiv 1711.05101). A weight with large gradients hardly feels it.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: adam(lr = 1e-3) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// When the objective itself is meant: `#[allow(l2_penalty_under_adaptive_optimizer, reason = "compares with the article")]`. Silent under `sgd`, and
    /// for `penalty(l1 = ..)`.
    warn l2_penalty_under_adaptive_optimizer in regularization {} "`penalty(l2 = ..)` under an adaptive optimizer";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3), penalty(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: sgd(lr = 0.1) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `decay`, `penalty` and the optimizer's coupled `weight_decay` all pull a weight towards 0. Two of them add up to a strength that is
    /// written nowhere. L1 together with L2 (the elastic net) is exempt. So is `decay` together with the `weight_decay` of `adamw` and `lion`: that is a default,
    /// which the layer's own `decay` replaces.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 2e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: sgd(lr = 0.1) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Rather write the sum.
    deny double_l2 in regularization {} "two sources of L2 on one weight";

    ///
    /// ```text
    /// model! {
    ///     #[warn(weight_decay_on_norm_and_bias)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3) on all;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// These vectors are few and hardly overfit; a decayed gain shrinks the signal (He et al., "Bag of Tricks", arXiv 1812.01187). So decay and penalties
    /// reach weight matrices only, and `on all` is a decision: the rule lists where it was taken.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(weight_decay_on_norm_and_bias)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow weight_decay_on_norm_and_bias in regularization {} "decay that reaches biases, gains and shifts";

    ///
    /// ```text
    /// model! {
    ///     #[warn(weight_decay_on_embedding)]
    ///     Net
    ///     input tokens: [20] of int(vocab = 100)
    ///     layers {
    ///         embed: embedding(100, 16) with decay(l2 = 1e-3) on embedding;
    ///         pool:  mean(axis = time);
    ///         head:  linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Each step shrinks the vectors of all classes, but a batch trains only those it reads: rare classes fade. So `decay` and `penalty`
    /// leave embeddings alone, and `on embedding` (or `on all`) is a decision: the rule lists where it was taken. A table that is also
    /// the head's weight (`linear(.., tied = embed)`) is exempt.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(weight_decay_on_embedding)]
    ///     Net
    ///     input tokens: [20] of int(vocab = 100)
    ///     layers {
    ///         embed: embedding(100, 16);
    ///         pool:  mean(axis = time);
    ///         head:  linear(10) with decay(l2 = 1e-3);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow weight_decay_on_embedding in regularization {} "decay or a penalty that reaches an embedding";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 10.0);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: sgd(lr = 0.1) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Each step multiplies the weight by `1 - lr * x`: what counts is the product. At `lr * x = 1` nothing of the weight is left, beyond that it
    /// changes its sign. Published recipes stay below a thousandth in a step: 1e-5 with `adamw` (`lr = 1e-3`, decay 0.01, arXiv 1711.05101), 5e-5 with `sgd`
    /// (`lr = 0.1`, decay 5e-4), 1e-3 for a vision transformer with `lion` (arXiv 2302.06675). What goes through the gradient of `sgd`
    /// (`weight_decay`, `penalty`) is multiplied by `1 / (1 - momentum)`. An `l1` takes the same amount from every weight: `lr * l1`.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: sgd(lr = 0.1) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// The warning: `#[allow(weight_decay_out_of_range, reason = "settings of the paper")]`.
    deny weight_decay_out_of_range in regularization { max = 0.002: "the largest share of a weight that a step may remove without a warning", max_l1 = 0.01: "the largest amount that `l1` may take from a weight in a step", min = 1e-12: "the smallest share that does anything" }
        "decay so strong that a step flips the signs of weights; **warn** where a step removes unusually much, or nothing";

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
    ///     train { optimizer: adamw(lr = 0.0) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// At 0 nothing is learned, below 0 the loss is climbed. Each optimizer has a usual rate: 0.1 for `sgd` (He et al., arXiv 1512.03385), 1e-3 for `adam`, `adamw` and
    /// `muon` (arXiv 1412.6980), 0.01 for `rmsprop` and `adagrad` (PyTorch), 1e-4 for `lion` (arXiv 2302.06675). Ten times that is reported; with a momentum of `m`, what
    /// adds up to `lr / (1 - m)`. Behind `clip(norm = x)` a step of `sgd` is at most `lr * x` long, so that language models train with rates of 5 and 30 (Merity et al., arXiv 1708.02182).
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
    ///     train { optimizer: adamw(lr = 1e-3) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// The warning, for very large batches or tiny models: `#[allow(learning_rate_out_of_range, reason = "three weights")]`.
    deny learning_rate_out_of_range in training { min = 1e-7: "the smallest rate without a warning", times = 10.0: "the largest one, in usual rates of the optimizer" }
        "a learning rate that is not above 0; **warn** for one far from what its optimizer is used with";

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
    ///     train { optimizer: adam(lr = 1e-3, epsilon = 1e-12) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `epsilon` bounds the step where gradients are almost 0. Too small, and the loss jumps late in training; too large, and adam is a slow
    /// `sgd`.
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
    ///     train { optimizer: adam(lr = 1e-3, epsilon = 1e-8) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(adam_epsilon_out_of_range, reason = "settings of the paper")]` on the model or on `train`.
    warn adam_epsilon_out_of_range in training { min = 1e-10: "the smallest `epsilon` without a warning", max = 0.1: "the largest one" }
        "an `epsilon` of adam below 1e-10 or above 0.1; **deny** if it is not above 0";

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
    ///     train { schedule: cosine(warmup = 1.0) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `warmup` is the share of all steps in which the learning rate rises. At 1 it rises to the end and the schedule after it never
    /// begins.
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
    ///     train { schedule: cosine(warmup = 0.1) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny warmup_longer_than_training in training {} "a warm-up that never ends";

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
    ///     train { epochs: 10, early_stop(patience = 10) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// After the first epoch nine are left, so ten without improvement can never pass. The best weights are still restored.
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
    ///     train { epochs: 50, early_stop(patience = 10) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(early_stop_never_triggers, reason = "only for the best weights")]` on the model or on `train`.
    warn early_stop_never_triggers in training {} "early stopping that waits longer than training lasts";

    ///
    /// ```text
    /// model! {
    ///     #[warn(no_regularization)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { epochs: 20 }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A model with more weights than there are samples can learn the samples by heart. Whether it does is a question for the
    /// validation data, not for a rule. Silent without a `train` section.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(no_regularization)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { epochs: 20 }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow no_regularization in regularization {} "no regularization at all";

    ///
    /// ```text
    /// model! {
    ///     #[warn(over_regularized)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with dropout(0.3), decay(l2 = 1e-3), max_norm(3.0), drop_connect(0.1);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Each is a strength to be tuned, and their effects do not simply add up: with four of them it is unclear which one helps.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     #[warn(over_regularized)]
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with dropout(0.3), decay(l2 = 1e-3);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// It is allowed unless you ask.
    allow over_regularized in regularization { kinds = 4.0: "the number of kinds on one layer from which they are reported" }
        "four or more kinds of regularization on one layer";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         #[expect(high_dropout_rate, reason = "to be lowered")]
    ///         fc:   linear(32) -> relu -> dropout(0.5);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `expect` is an `allow` that reports when it is no longer needed.
    ///
    /// # Fix
    ///
    /// Delete it.
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
    /// Where the values of a configuration decide: write `allow` instead of `expect`.
    warn unfulfilled_expectation in declaration {} "an `#[expect(..)]` whose rule finds nothing";

    ///
    /// ```text
    /// model! {
    ///     Net<hidden: usize = 32>
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(64) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `NetConfig::with_hidden(128)` would change nothing, and a search over it compare noise.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net<hidden: usize = 32>
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(hidden) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Rather begin its name with `_`. What only a `custom(..)` reads is used.
    warn unused_hyper_parameter in declaration {} "a hyper-parameter that no value uses";
}
