//! Rules about numbers that are far from usual, and about what changes nothing.

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
    ///     train { epochs: 30, ema(0.001) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The entry of each word says which numbers are possible and which are usual, with the source of the range; `docs/LANGUAGE.md` shows both. A number
    /// outside of the usual range is most often of another convention (the share that is new for the share that is kept), another unit (per cent), or one
    /// digit too many. Learning rates, strengths of decay and rates of dropout have lints of their own, as they act together with other numbers.
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
    ///     train { epochs: 30, ema(0.999) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(unusual_value, reason = "settings of the paper")]` on the statement or the section; `#[warn(unusual_value, wider = 10)]` widens all ranges.
    warn unusual_value in declaration { wider = 1.0: "by what factor the usual ranges are wider than in the table" } "a number that is far from what is usual for its argument";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with penalty(l1 = 1e-4);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: sgd(lr = 0.1) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The gradient of `|w|` is the sign of `w`: a step of the optimizer carries a weight past 0, and the next one back. So no weight is ever exactly 0,
    /// nothing can be removed, and `sparsity()` reports nothing. `decay(l1 = ..)` is the proximal step (a soft threshold), which ends at 0 (Parikh and Boyd,
    /// "Proximal Algorithms", 2014). Under adam the penalty is divided by the size of the gradients as well.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l1 = 1e-4);
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    ///     train { optimizer: sgd(lr = 0.1) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where small weights are enough: `#[allow(l1_penalty_leaves_no_zeros, reason = "small weights are enough")]` on the model.
    warn l1_penalty_leaves_no_zeros in regularization {} "`penalty(l1 = ..)`, which makes weights small and never 0; reported once";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with decay(l2 = 1e-3), freeze;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Rules act in the step of the optimizer: frozen weights have none. `unit_norm` sets the length of the weights into each unit after every step, so that
    /// a decay, a penalty or a `max_norm` before it changes nothing. Where every layer has `freeze`, nothing is trained. A default on `layers` that
    /// also reaches trained weights is fine.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu with freeze;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: remove one of the two.
    deny rule_without_effect in regularization {} "a rule on weights that another rule undoes, or that nothing trains";

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
    ///     train { optimizer: sgd(lr = 0.1, nesterov = true) }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `nesterov` and `dampening` change how the momentum is used: without momentum there is nothing to change (PyTorch refuses them). A schedule that ends
    /// where it begins, a `step` that is longer than the training, a `layer_decay` of 1 and an `swa` of one epoch are read as if they did something.
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
    ///     train { optimizer: sgd(lr = 0.1, momentum = 0.9, nesterov = true) }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where a program sets the number before it trains: `#[allow(setting_without_effect, reason = "set by the program")]` on `train`.
    deny setting_without_effect in training {} "`nesterov` or `dampening` without momentum; **warn** for other settings that change nothing";

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
    ///     train { schedule: exponential(0.5), epochs: 100 }
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `step` and `exponential` multiply again and again. A factor above 1 raises the rate until the loss is NaN; a small one leaves nothing of the rate while most of the
    /// epochs are still to come.
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
    ///     train { schedule: exponential(0.95), epochs: 100 }
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// `#[allow(runaway_schedule, reason = "a search for the largest rate")]` on `train`.
    warn runaway_schedule in training { least = 1e-9: "the smallest share of the rate that is of use at half of the epochs" } "a schedule whose rate vanishes long before the end; **deny** if it raises the rate";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(3);
    ///     }
    ///     loss cross_entropy(weights = [1.0, 0.0, 1.0])
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The samples of the class have a loss of 0 and no gradient: the model learns to give them to other classes.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(3);
    ///     }
    ///     loss cross_entropy(weights = [1.0, 5.0, 1.0])
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// For a class that marks what is to be ignored: `#[allow(zero_class_weight, reason = "class 0 is the border")]` on the loss.
    warn zero_class_weight in output {} "a class or label that weighs 0";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(4);
    ///     }
    ///     task multilabel(4)
    ///     loss binary_cross_entropy(weights = [0.2, 0.2, 0.3, 0.3])
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Each number multiplies the whole loss of one label, its yes and its no alike. Where yes is rare it stays as rare: the balance of the two answers is
    /// what `pos_weight` of PyTorch's `BCEWithLogitsLoss` changes (King and Zeng, "Logistic Regression in Rare Events Data", 2001).
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(4);
    ///     }
    ///     task multilabel(4)
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Where some labels matter more than others: `#[allow(label_weights_scale_the_loss, reason = "some labels matter more")]` on the loss.
    warn label_weights_scale_the_loss in output {} "`weights` of yes/no answers, which weigh labels and not answers";
}
