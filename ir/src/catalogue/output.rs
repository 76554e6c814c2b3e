//! Rules about the loss and what it reads.

use super::lints;

lints! {
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10) -> softmax;
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `cross_entropy` applies log-softmax itself. A second one squeezes the scores into [0, 1] first: the largest probability
    /// that ten classes can then reach is 0.23, and the gradients are flat. Training crawls, without a message.
    ///
    /// # Fix
    ///
    /// Leave it out: `predict` returns probabilities all the same.
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
    /// Never: write `loss cross_entropy(from = probabilities)` for a model that must end in its own softmax.
    deny softmax_before_logits_loss in output {} "a softmax whose output goes into a loss that reads logits";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10) -> log_softmax;
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Log-softmax is idempotent: the loss applies it again and gets the same numbers. It costs a pass and has no effect.
    ///
    /// # Fix
    ///
    /// Leave it out, or say that the loss reads it:
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10) -> log_softmax;
    ///     }
    ///     loss cross_entropy(from = log_probabilities)
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// When a model is ported line by line: `#[allow(log_softmax_before_logits_loss, reason = "as in the original")]`.
    warn log_softmax_before_logits_loss in output {} "a log-softmax whose output goes into a loss that reads logits";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1) -> sigmoid;
    ///     }
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The loss applies the sigmoid itself. Twice, it confines the probability to (0.5, 0.73): the model cannot say no.
    ///
    /// # Fix
    ///
    /// Leave it out: `predict` returns probabilities all the same.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: write `loss binary_cross_entropy(from = probabilities)` for a model that must end in its own sigmoid.
    deny sigmoid_before_bce_logits in output {} "a sigmoid or softmax whose output goes into a binary cross-entropy that reads logits";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy(from = probabilities)
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The loss takes the logarithm of what it reads. A score below 0 gives NaN, one above 1 a negative loss.
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
    /// Never. Silent where the last operation is a `custom(..)`, whose range the rule does not know.
    deny logits_into_probability_loss in output {} "unbounded scores that go into a loss of probabilities";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1) -> softmax;
    ///     }
    ///     loss binary_cross_entropy(from = probabilities)
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The probability of the only class is always 1, whatever the weights, and the gradient always 0: the model cannot learn.
    ///
    /// # Fix
    ///
    /// One unit and a loss for yes or no, or two units and `cross_entropy`.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny softmax_single_unit in output {} "a softmax over one value";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10) -> sigmoid;
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Under `cross_entropy` the classes compete and one of them is right; sigmoids score each class by itself. After a sigmoid
    /// all scores lie in (0, 1), so the softmax in the loss stays near uniform.
    ///
    /// # Fix
    ///
    /// If one class is right, drop the sigmoid. If several may be, keep ten independent answers:
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny sigmoid_into_cross_entropy in output {} "sigmoid outputs under `cross_entropy`";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(5);
    ///     }
    ///     task multiclass(5)
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// It trains five questions "this class or not?". Each is right four times out of five by answering no, so an accuracy of
    /// 0.8 means nothing yet.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(5);
    ///     }
    ///     task multiclass(5)
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Recipes for large image classifiers use it with mixed labels: `#[allow(bce_for_multiclass, reason = "labels are mixed")]`. Silent
    /// without a declared task.
    warn bce_for_multiclass in output {} "`binary_cross_entropy` where exactly one of several classes is right";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(3) -> softmax;
    ///     }
    ///     loss binary_cross_entropy(from = probabilities)
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The softmax makes the classes compete, the loss scores each of them by itself: every score gets the gradient of the
    /// contest twice, once through each.
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
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// With two units and one-hot targets the two losses agree: `#[allow(softmax_into_bce, reason = "two one-hot units")]`.
    warn softmax_into_bce in output {} "a softmax under `binary_cross_entropy`";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10) -> relu;
    ///     }
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A class that the model considers unlikely has a score below 0. `relu` cuts it to 0 and stops its gradient; the other
    /// functions bend or bound it. PyTorch removed one from its own example for this reason.
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
    /// To keep a published architecture: `#[allow(relu_on_logits, reason = "weights were trained with it")]`. Where a pooling follows, as in
    /// `SqueezeNet`, it is a warning.
    deny relu_on_logits in output {} "an activation on the class scores";

    ///
    /// **deny** if a declared range of the target is not covered; silent if it is.
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1) -> tanh;
    ///     }
    ///     loss mse
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// The output of `tanh` lies in [-1, 1]. A target of 3 is out of reach, and the closer the output comes to the bound the
    /// smaller the gradient.
    ///
    /// # Fix
    ///
    /// Leave it out, or declare the range that the targets have:
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1) -> tanh;
    ///     }
    ///     loss mse target in [-1, 1]
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Rather declare the range.
    warn bounded_regression_output in output {} "a regression output that cannot reach every target";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     task multiclass(10)
    ///     loss mse
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Through a sigmoid or softmax, the gradient of a squared error vanishes where the model is most wrong; that of the
    /// cross-entropy does not.
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
    ///     task multiclass(10)
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// The squared error of probabilities (the Brier score) is a proper loss, and distillation compares logits:
    /// `#[allow(mse_for_classification, reason = "distills the logits of a larger model")]`. Without a declared task it speaks where a softmax scores
    /// exclusive classes; a metric for classes under such a loss is an error.
    warn mse_for_classification in output {} "a regression loss for classification";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(1);
    ///     }
    ///     task multiclass(7)
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// With fewer units than classes some class cannot be named; units beyond them are never a right answer. One unit under
    /// `cross_entropy` is always certain.
    ///
    /// # Fix
    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(7);
    ///     }
    ///     task multiclass(7)
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never: the `task` says what the data are.
    deny output_units_mismatch in output {} "the number of units of the head is not that of the task";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     task multilabel(10)
    ///     loss cross_entropy
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// `cross_entropy` reads one class index for each sample. A row of ten labels is no index, nor is a measured number.
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
    ///     task multilabel(10)
    ///     loss binary_cross_entropy
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny loss_target_shape_mismatch in output {} "the loss reads another kind of target than the task has";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(10);
    ///     }
    ///     loss cross_entropy(label_smoothing = 1.0)
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// Smoothing moves this share of the target from the right class to all of them (Szegedy et al., arXiv 1512.00567). At 1
    /// every class is as right as any other: there is nothing to learn. Below 0 the wrong classes get a negative probability.
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
    ///     loss cross_entropy(label_smoothing = 0.1)
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Above 0.3, if the labels are known to be that noisy:
    /// `#[allow(label_smoothing_out_of_range, reason = "four labels in ten are wrong")]`.
    deny label_smoothing_out_of_range in output { max = 0.3: "the largest value without a warning" }
        "label smoothing outside [0, 1), or (**warn**) above 0.3";

    ///
    /// ```text
    /// model! {
    ///     Net
    ///     input x: [64]
    ///     layers {
    ///         fc:   linear(32) -> relu;
    ///         head: linear(4);
    ///     }
    ///     loss cross_entropy(weights = [1.0, 2.0, 1.0])
    /// }
    /// ```
    ///
    /// # Why
    ///
    /// A class without a weight has no loss. A negative weight rewards mistakes.
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
    ///     loss cross_entropy(weights = [1.0, 2.0, 1.0, 1.0])
    /// }
    /// ```
    ///
    /// # When to allow it
    ///
    /// Never.
    deny class_weights_len_mismatch in output {} "a number of class weights that is not that of the classes, or a negative one";
}
