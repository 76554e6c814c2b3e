//! Every word of the language, with its documentation: the reference of `model!`.
//!
//! An editor shows these pages where the pointer is on a word inside of `model!`, and completes from them. Programs have
//! no use for the items themselves.

/// What the items of this module are: words, without a meaning for Rust.
#[derive(Clone, Copy, Debug)]
pub struct Word;

/// What an argument means; its form and default stand on the word's page.
macro_rules! about {
    (out) => { "How many features or channels come out." };
    (bias) => { "Whether a number is added to each output; for `shrink`, what is taken from the size." };
    (tied) => { "The embedding whose table is this layer's weight." };
    (kernel) => { "The size of the window: a whole number, or one for each axis `[3, 3]`." };
    (stride) => { "How far the window moves: a whole number, or one for each axis." };
    (padding) => { "What is added at the borders: `valid`, `same`, a whole number, or one for each axis." };
    (output_padding) => { "What is added to one side of the output, to choose among the sizes that a stride leaves open." };
    (dilation) => { "The distance between the kernel's elements." };
    (groups) => { "Into how many groups the channels are divided." };
    (multiplier) => { "How many outputs each channel has." };
    (size) => { "The size that is kept, or of the block that is dropped." };
    (epsilon) => { "Added under the root or to the divisor, so that nothing is divided by zero." };
    (momentum) => { "Of a norm: the weight of the new batch in the running statistics. Of an optimiser: the share of the last step that is kept." };
    (shape) => { "The shape of one sample: `[8, 28]`." };
    (vocab) => { "How many rows the table has: indices are below it." };
    (pad) => { "The index that stands for no token: its gradient is zero, and attention does not see it." };
    (dim) => { "How many features each row of the table has." };
    (hidden) => { "How many features the state has." };
    (layers) => { "How many layers are stacked." };
    (bidirectional) => { "Whether a second one reads from the end; the features of both stand side by side." };
    (axis) => { "`time`, `channels` or `features`." };
    (heads) => { "How many heads share the features." };
    (causal) => { "Whether a step sees earlier steps only." };
    (encoding) => { "`sinusoidal`, `learned` or `rope`." };
    (expr) => { "The Rust expression that makes the layer, called with no arguments at `init`." };
    (output) => { "The shape of one sample of the output: `[64]`." };
    (r#type) => { "The layer's type, if it is not the path of the expression." };
    (ff) => { "How many features the inner dense layer has." };
    (dropout) => { "The rate of the dropout behind attention and inner layer." };
    (norm_first) => { "Whether a layer norm stands before attention and inner layer (`true`), or behind their sums." };
    (times) => { "How many copies stand in series." };
    (rate) => { "The share that is dropped, in `0..1`." };
    (std) => { "The standard deviation." };
    (recurrent) => { "The rate on the recurrent state." };
    (l1) => { "The strength of the sum of absolute values." };
    (l2) => { "The strength of the sum of squares." };
    (limit) => { "The greatest norm of the weights into one unit." };
    (strength) => { "The strength of the penalty." };
    (label_smoothing) => { "The share of the target that is spread over all classes, in `0..1`." };
    (weights) => { "One weight for each class: `[1.0, 2.0]`." };
    (from) => { "What the loss reads: `logits`, `probabilities` or `log_probabilities`." };
    (delta) => { "Where the loss turns from a square into a line." };
    (smooth) => { "Added above and below the line, so that empty masks have a loss." };
    (path) => { "A function `fn(output, target) -> Tensor<1>`." };
    (classes) => { "How many classes, of which each sample has one." };
    (labels) => { "How many labels, each of them yes or no." };
    (k) => { "Right if the class is among the `k` greatest scores." };
    (lr) => { "The learning rate." };
    (beta1) => { "The share of the mean of gradients that is kept." };
    (beta2) => { "The share of the mean of squared gradients that is kept." };
    (amsgrad) => { "Whether the greatest second moment so far is used (Reddi et al., arXiv 1904.09237)." };
    (weight_decay) => { "How much weights shrink, times the learning rate where it is decoupled." };
    (dampening) => { "The share of the gradient that does not enter the momentum." };
    (nesterov) => { "Whether the gradient is looked up one step ahead." };
    (alpha) => { "Of a function: its slope or limit below zero. Of `rmsprop`: the share that is kept. Of `mixup` and `cutmix`: both parameters of Beta." };
    (centered) => { "Whether the mean gradient is taken from the second moment." };
    (lr_decay) => { "How fast the learning rate falls with the steps." };
    (warmup) => { "The share of all steps in which the rate first rises linearly." };
    (end) => { "The factor at the end." };
    (every) => { "After how many epochs." };
    (factor) => { "What is multiplied by." };
    (rise) => { "The share of all steps in which the rate rises." };
    (divide) => { "The first factor is 1 by this." };
    (final_divide) => { "The last factor is the first one by this." };
    (norm) => { "The greatest length of all gradients together." };
    (value) => { "Of `clip`: the greatest number in a gradient. Of `threshold`: what stands for what is below." };
    (patience) => { "How many epochs without improvement end the training." };
    (metric) => { "What must improve: `loss` or a metric." };
    (min_delta) => { "By how much it must improve." };
    (decay) => { "The share of the average that is kept." };
    (from_epoch) => { "The first epoch whose weights enter the mean." };
    (shift) => { "By up to how many pixels images are moved; zeros come in." };
    (flip) => { "Whether one image in two is mirrored left to right." };
    (crop) => { "By up to how many pixels images are moved; the border is repeated." };
    (erase) => { "The probability that a rectangle becomes 0." };
    (slope) => { "The slope below zero." };
    (lower) => { "The least slope below zero." };
    (upper) => { "The greatest slope below zero." };
    (init) => { "The slope below zero before training." };
    (beta) => { "Where the function turns from a curve into a line, or its offset." };
    (min) => { "The least output." };
    (max) => { "The greatest output." };
    (threshold) => { "Below it, the output is `value`." };
    (lambda) => { "What is smaller becomes 0." };
}

macro_rules! vocabulary {
    ($($(#[$about:meta])* $family:ident { $($(#[$doc:meta])* $word:ident $(($($argument:ident),*))? $({ $($named:ident),* })?;)* })*) => {
        $($(#[$about])* pub mod $family {
            use super::Word;
            $(vocabulary!(@item $(#[$doc])* $word $(($($argument),*))?);)*
        })*

        /// The arguments of each word, as the fields of a struct: an editor shows and completes them.
        pub mod arguments {
            $(
                #[doc = concat!("Of the words in [`", stringify!($family), "`](super::", stringify!($family), ").")]
                pub mod $family {
                    #[allow(unused_imports)]
                    use crate::vocabulary::Word;
                    $($(vocabulary!(@arguments $word $($named),*);)?)*
                }
            )*
        }

        /// Family, name and arguments of every word.
        #[cfg(test)]
        const ALL: &[(&str, &str, &[&str])] = &[
            $($((stringify!($family), stringify!($word), &[$($(stringify!($named)),*)?])),*),*
        ];
    };
    (@arguments $word:ident $($named:ident),*) => {
        #[doc = concat!("The arguments of `", stringify!($word), "`.")]
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug)]
        pub struct $word {
            $(#[doc = about!($named)] pub $named: Word,)*
        }
    };
    (@item $(#[$doc:meta])* $word:ident) => {
        $(#[$doc])*
        #[allow(non_upper_case_globals)]
        pub const $word: Word = Word;
    };
    (@item $(#[$doc:meta])* $word:ident ($($argument:ident),*)) => {
        $(#[$doc])*
        #[allow(unused_variables)]
        pub const fn $word($($argument: Word),*) -> Word {
            Word
        }
    };
}

vocabulary! {
    /// The sections of a declaration, each at most once, in any order.
    section {
        /// The shape of ONE sample; the batch axis is implied everywhere.
        ///
        /// ```text
        /// input image: [64]
        /// input { user: [32], item: [64] }
        /// ```
        ///
        /// The names are the parameters of `forward` and `predict`, and may be named by `from`, `add`, `mul` and `concat`.
        input;
        /// The statements `name: op -> op with annotation, annotation;` in the order of the data. The last one's value is the output.
        ///
        /// A statement takes the previous statement's value unless it begins with a source (`from(name)`, `add(a, b)`, `mul(a, b)`,
        /// `concat(a, b)`). Its name becomes the field's name and the path of its weights (`fc1.weight`). Annotations behind
        /// `layers with` are defaults that a statement overrides.
        layers;
        /// What training minimises; the mean over the samples. It also decides what `predict` returns.
        ///
        /// `loss mse target in [-1, 1]` declares the range of a regression's target.
        loss;
        /// What the model is for. It follows from the loss; where it is written, head and loss must agree with it.
        task;
        /// What is measured beside the loss. Without it: accuracy for classifiers; mean absolute error and R2 for regressions.
        metrics;
        /// The settings of training, as defaults of `training()`: every one can be changed there.
        ///
        /// ```text
        /// train {
        ///     optimizer: adamw(lr = 1e-3),
        ///     schedule:  cosine(warmup = 0.05),
        ///     epochs: 30, batch: 64, seed: 42,
        ///     early_stop(patience = 5),
        /// }
        /// ```
        train;
        /// What the model may cost: where it costs more, it does not compile, and `init` refuses such values at run time.
        ///
        /// ```text
        /// budget { params <= 1_000_000, flops <= 50_000_000, memory <= 4 MiB }
        /// ```
        ///
        /// `params` are the numbers in weights, biases, gains and shifts; `flops` the operations of all matrix products for one sample,
        /// two for each multiply-accumulate; `memory` is 4 bytes for each parameter and for each number that the layers give for one
        /// sample, in `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`. What cannot be counted (a `custom` layer) counts as nothing.
        budget;
    }

    /// What may stand in a chain.
    layer {
        /// `from(name)`: begins a statement with an earlier value or an input.
        from(name);
        /// `add(a, b, ..)`: begins a statement with the sum of values of one shape.
        ///
        /// Shapes: all `[batch, ..]` the same.
        add(a, b);
        /// `mul(a, b, ..)`: begins a statement with the product, element by element, of values of one shape.
        mul(a, b);
        /// `concat(a, b, ..)`: begins a statement with values side by side along the feature axis.
        ///
        /// Shapes: `[batch, m]` and `[batch, n]` to `[batch, m + n]`.
        concat(a, b);
        /// `linear(out, bias = true)`: a dense layer, `y = x W + b`.
        ///
        /// Shapes: `[batch, .., in]` to `[batch, .., out]`; `in` is what arrives. Parameters: `weight` `[in, out]`, `bias` `[out]`, both
        /// drawn from `U(-k, k)` with `k = 1 / sqrt(in)`, as in PyTorch.
        linear(out) { out, bias, tied };
        /// `swiglu(out, bias = false)`: a gated dense layer, `silu(x W) * (x V)` (Shazeer, arXiv 2002.05202).
        ///
        /// Shapes: `[batch, .., in]` to `[batch, .., out]`.
        swiglu(out) { out, bias };
        /// `batch_norm(epsilon = 1e-5, momentum = 0.1)`: normalises every feature over the batch, then scales by `gamma` and shifts by
        /// `beta` (Ioffe and Szegedy, arXiv 1502.03167). At inference with running mean and variance.
        ///
        /// Keeps the shape. `momentum` is the weight of the new batch. Dropout before it shifts the variance it has learned (Li et al.,
        /// arXiv 1801.05134): the lints `dropout_before_batch_norm` and `dropout_with_batch_norm` speak of that.
        batch_norm { epsilon, momentum };
        /// `layer_norm(epsilon = 1e-5)`: normalises every sample over its last axis, then scales by `gamma` and shifts by `beta`
        /// (Ba et al., arXiv 1607.06450).
        ///
        /// Keeps the shape.
        layer_norm { epsilon };
        /// `conv1d(out, kernel = k, stride = 1, padding = valid, dilation = 1, groups = 1, bias = true)`: slides kernels along a line.
        ///
        /// Shapes: `[batch, channels, length]` to `[batch, out, length]`. `padding`: `valid` (nothing), `same` (as much as keeps the size, at a
        /// stride of 1; the odd position at the end), or a number. Parameters: `weight` `[out, channels / groups, k]`, `bias` `[out]`, both drawn
        /// from `U(-k, k)` with `k = 1 / sqrt(channels / groups * kernel)`, as in PyTorch. Its dropout is `spatial_dropout`.
        conv1d(out) { out, kernel, stride, padding, dilation, groups, bias };
        /// `conv2d(out, kernel = k, stride = 1, padding = valid, dilation = 1, groups = 1, bias = true)`: slides kernels over an image.
        ///
        /// Shapes: `[batch, channels, height, width]` to `[batch, out, height, width]`. `kernel = [h, w]` and its like give each axis its own
        /// number. Everything else as in [`conv1d`].
        conv2d(out) { out, kernel, stride, padding, dilation, groups, bias };
        /// `conv3d(out, kernel = k, stride = 1, padding = valid, dilation = 1, groups = 1, bias = true)`: slides kernels through a volume.
        ///
        /// Shapes: `[batch, channels, depth, height, width]` to `[batch, out, depth, height, width]`. Everything else as in [`conv1d`].
        conv3d(out) { out, kernel, stride, padding, dilation, groups, bias };
        /// `conv_transpose1d(out, kernel = k, stride = 1, padding = valid, output_padding = 0, ..)`: the transpose of [`conv1d`]; a stride of 2
        /// doubles the length.
        ///
        /// Length: `(length - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1`. Parameters: `weight`
        /// `[channels, out / groups, k]`, `bias` `[out]`.
        conv_transpose1d(out) { out, kernel, stride, padding, output_padding, dilation, groups, bias };
        /// `conv_transpose2d(out, kernel = k, stride = 1, padding = valid, output_padding = 0, ..)`: as [`conv_transpose1d`], of images.
        conv_transpose2d(out) { out, kernel, stride, padding, output_padding, dilation, groups, bias };
        /// `conv_transpose3d(out, kernel = k, stride = 1, padding = valid, output_padding = 0, ..)`: as [`conv_transpose1d`], of volumes.
        conv_transpose3d(out) { out, kernel, stride, padding, output_padding, dilation, groups, bias };
        /// `depthwise_conv1d(kernel, stride = 1, padding = valid, dilation = 1, multiplier = 1, bias = true)`: [`conv1d`] of each channel by
        /// itself; `multiplier` channels come out for each.
        depthwise_conv1d(kernel) { kernel, stride, padding, dilation, multiplier, bias };
        /// `depthwise_conv2d(kernel, stride = 1, padding = valid, dilation = 1, multiplier = 1, bias = true)`: [`conv2d`] of each channel by
        /// itself (Chollet, arXiv 1610.02357).
        ///
        /// Before a `conv2d(out, kernel = 1)` it is a separable convolution.
        depthwise_conv2d(kernel) { kernel, stride, padding, dilation, multiplier, bias };
        /// `depthwise_conv3d(kernel, stride = 1, padding = valid, dilation = 1, multiplier = 1, bias = true)`: [`conv3d`] of each channel by itself.
        depthwise_conv3d(kernel) { kernel, stride, padding, dilation, multiplier, bias };
        /// `max_pool1d(kernel, stride = kernel, padding = 0)`: the greatest value of each window.
        ///
        /// Shapes: `[batch, channels, length]` to `[batch, channels, length]`; a window that does not fit is left out.
        max_pool1d(kernel) { kernel, stride, padding };
        /// `max_pool2d(kernel, stride = kernel, padding = 0)`: the greatest value of each window.
        ///
        /// Shapes: `[batch, channels, height, width]` to `[batch, channels, height, width]`; `max_pool2d(2)` halves both.
        max_pool2d(kernel) { kernel, stride, padding };
        /// `max_pool3d(kernel, stride = kernel, padding = 0)`: the greatest value of each window of a volume.
        max_pool3d(kernel) { kernel, stride, padding };
        /// `avg_pool1d(kernel, stride = kernel, padding = 0)`: the mean of each window; zeros of the padding count.
        avg_pool1d(kernel) { kernel, stride, padding };
        /// `avg_pool2d(kernel, stride = kernel, padding = 0)`: the mean of each window; zeros of the padding count.
        avg_pool2d(kernel) { kernel, stride, padding };
        /// `avg_pool3d(kernel, stride = kernel, padding = 0)`: the mean of each window of a volume; zeros of the padding count.
        avg_pool3d(kernel) { kernel, stride, padding };
        /// `adaptive_avg_pool1d(size)`: means of windows that are chosen so that `size` positions come out.
        adaptive_avg_pool1d(size) { size };
        /// `adaptive_avg_pool2d(size)`: means of windows that are chosen so that `[size, size]` positions come out.
        adaptive_avg_pool2d(size) { size };
        /// `adaptive_avg_pool3d(size)`: means of windows that are chosen so that `[size, size, size]` positions come out.
        adaptive_avg_pool3d(size) { size };
        /// The mean of each channel over all positions (Lin et al., arXiv 1312.4400).
        ///
        /// Shapes: `[batch, channels, ..]` to `[batch, channels]`.
        global_avg_pool;
        /// The greatest value of each channel over all positions.
        ///
        /// Shapes: `[batch, channels, ..]` to `[batch, channels]`.
        global_max_pool;
        /// `group_norm(groups, epsilon = 1e-5)`: normalises each group of channels of each sample, then scales by `gamma` and shifts by `beta`
        /// (Wu and He, arXiv 1803.08494). It does not know the batch: small ones are no worse.
        ///
        /// Keeps the shape `[batch, channels, ..]`; `groups` divides the channels.
        group_norm(groups) { groups, epsilon };
        /// `instance_norm(epsilon = 1e-5)`: normalises each channel of each sample, then scales by `gamma` and shifts by `beta`
        /// (Ulyanov et al., arXiv 1607.08022). No running statistics.
        ///
        /// Keeps the shape `[batch, channels, ..]`.
        instance_norm { epsilon };
        /// `rms_norm(epsilon = 1e-5)`: divides by the root of the mean square over the last axis, then scales by `gamma`
        /// (Zhang and Sennrich, arXiv 1910.07467).
        ///
        /// Keeps the shape.
        rms_norm { epsilon };
        /// All numbers of a sample in one row: what stands between feature maps and `linear`.
        ///
        /// Shapes: `[batch, ..]` to `[batch, product]`.
        flatten;
        /// `reshape([a, b])`: the same numbers in another shape, the last axis running fastest.
        reshape(shape) { shape };
        /// The positions of an image as the steps of a sequence, in the order of its rows.
        ///
        /// Shapes: `[batch, channels, ..]` to `[batch, positions, channels]`.
        to_sequence;
        /// Swaps two axes: a sequence `[time, features]` becomes `[channels, length]`, and back.
        transpose;
        /// `embedding(vocab, dim)`: a learned vector for each class of an input `of int`.
        ///
        /// Shapes: `[batch, time]` to `[batch, time, dim]`. Parameter: `weight` `[vocab, dim]`, normally distributed; decay and penalties
        /// reach it with `on embedding`. Annotation: `embedding_dropout`.
        embedding(vocab, dim) { vocab, dim };
        /// `lstm(hidden, layers = 1, bidirectional = false)`: long short-term memory (Hochreiter and Schmidhuber 1997), PyTorch's.
        ///
        /// Shapes: `[batch, time, features]` to `[batch, time, hidden]`, twice as many features if bidirectional. Annotations:
        /// `variational_dropout` (one mask for all steps), `dropout` (between layers), `zoneout`, `drop_connect` (on the recurrent weights).
        /// The state does not move on padded steps.
        lstm(hidden) { hidden, layers, bidirectional };
        /// `gru(hidden, layers = 1, bidirectional = false)`: gated recurrent unit (Cho et al., arXiv 1406.1078), PyTorch's. As [`lstm`].
        gru(hidden) { hidden, layers, bidirectional };
        /// `rnn(hidden, layers = 1, bidirectional = false)`: `tanh(x W + h U + b)` (Elman 1990). As [`lstm`].
        rnn(hidden) { hidden, layers, bidirectional };
        /// The first step of a sequence: where a class token stands.
        ///
        /// Shapes: `[batch, time, features]` to `[batch, features]`.
        first_step;
        /// The last step of a sequence that is not padding; of a sequence of nothing but padding the first one.
        ///
        /// Shapes: `[batch, time, features]` to `[batch, features]`.
        last_step;
        /// `mean(axis = time)`: the mean along `time`, `channels` or `features`; that axis is gone.
        ///
        /// Over time without padded steps; a sequence of nothing but padding gives 0.
        mean(axis) { axis };
        /// `max(axis = time)`: the greatest value along `time`, `channels` or `features`; that axis is gone.
        ///
        /// Over time without padded steps; a sequence of nothing but padding gives 0.
        max(axis) { axis };
        /// `attention(heads = h, causal = false, bias = true)`: multi-head self-attention (Vaswani et al., arXiv 1706.03762).
        ///
        /// Keeps the shape `[batch, time, features]`; `heads` divides the features. `causal`: a step sees only itself and earlier ones.
        /// Padded steps are seen by no other one. Annotation: `attention_dropout`.
        attention(heads) { heads, causal, bias };
        /// `positional(sinusoidal)`, `positional(learned)`: adds the step's position. `positional(rope)` directly before `attention` turns its
        /// queries and keys instead (Su et al., arXiv 2104.09864), in the pairs of GPT-NeoX: feature `i` and `i + half`.
        ///
        /// Keeps the shape `[batch, time, features]`.
        positional(encoding) { encoding };
        /// A learned vector before the first step, whose output stands for the whole sequence (arXiv 1810.04805, arXiv 2010.11929).
        ///
        /// Shapes: `[batch, time, features]` to `[batch, time + 1, features]`.
        class_token;
        /// `transformer_encoder(layers, heads = h, ff = n, dropout = 0.1, norm_first = true)`: short for `repeat` of two residuals, attention and a
        /// dense pair with `gelu`, with `layer_norm` before each (`norm_first = false`: behind each).
        ///
        /// Keeps the shape `[batch, time, features]`. `with drop_path(0.0..0.2)` works as on `repeat`.
        transformer_encoder(layers) { layers, heads, ff, dropout, norm_first };
        /// `parallel { a: ..; b: ..; } -> concat`: every statement takes the block's input, and their values are merged by `concat`, `add` or `mul`.
        parallel;
        /// `custom(expr, output = [..])`: any burn module with a `forward` of matching rank.
        ///
        /// `expr` makes the layer; the hyper-parameters and `device: &Device` are in scope. `output` is the shape of one sample of what it
        /// gives. `type = path` names the layer's type where it cannot be read from the expression.
        custom(expr) { expr, output, r#type };
        /// `residual { .. }`, optionally with `shortcut { .. }`: what the branch gives plus what came in (He et al., arXiv 1512.03385).
        ///
        /// The branch keeps the shape, or the shortcut changes it in the same way. Annotation: `drop_path`.
        residual;
        /// `residual { .. } shortcut { .. }`: what the block's input goes through before the sum; the identity without it.
        shortcut;
        /// `repeat(times) { .. }`: copies of a block in series, each with weights of its own (`stage.0.fc.weight`).
        ///
        /// The block keeps the shape. `with drop_path(0.0..0.1)` raises the rate linearly over the copies.
        repeat(times) { times };
        /// `max(x, 0)` (Nair and Hinton 2010).
        ///
        /// Dropout behind it and before it do the same.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        relu;
        /// `leaky_relu(slope = 0.01)`: `x` where positive, else `slope * x`.
        ///
        /// Never quite dead: a gradient passes everywhere.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        leaky_relu(slope) { slope };
        /// `min(max(x, 0), 6)`.
        ///
        /// A `relu` that 8-bit arithmetic can hold.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        relu6;
        /// `rrelu(lower = 1/8, upper = 1/3)`: `x` where positive, else a random slope times `x` (Xu et al., arXiv 1505.00853).
        ///
        /// Keeps the shape. The slope is drawn for each value while training, and is the mean of the bounds at inference.
        rrelu(lower, upper) { lower, upper };
        /// `prelu(init = 0.25)`: `x` where positive, else a learned slope times `x` (He et al., arXiv 1502.01852).
        ///
        /// Keeps the shape. Parameter: `alpha`; decay and penalties do not reach it.
        prelu(init) { init };
        /// `elu(alpha = 1)`: `x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al., arXiv 1511.07289).
        ///
        /// Saturates at `-alpha`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        elu(alpha) { alpha };
        /// `celu(alpha = 1)`: `x` where positive, else `alpha * (exp(x / alpha) - 1)` (Barron, arXiv 1704.07483).
        ///
        /// Smooth for every `alpha`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        celu(alpha) { alpha };
        /// `scale * (x where positive, else alpha * (exp(x) - 1))` (Klambauer et al., arXiv 1706.02515).
        ///
        /// Keeps mean 0 and variance 1 over depth; its dropout is `alpha_dropout`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        selu;
        /// `x * Phi(x)` with the normal distribution function (Hendrycks and Gimpel, arXiv 1606.08415).
        ///
        /// The usual choice in transformers.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        gelu;
        /// The tanh approximation of `gelu`.
        ///
        /// What older transformer weights were trained with.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        gelu_approximate;
        /// `x * sigmoid(x)`, also called swish (Elfwing et al., arXiv 1702.03118).
        ///
        /// Smooth, not monotonic.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        silu;
        /// `x * tanh(log(1 + exp(x)))` (Misra, arXiv 1908.08681).
        ///
        /// Smooth, not monotonic.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        mish;
        /// `1 / (1 + exp(-x))`: in (0, 1).
        ///
        /// Not in front of `loss binary_cross_entropy`, which has its own; `predict` applies it.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        sigmoid;
        /// `log(sigmoid(x))`, without overflow.
        ///
        /// Below 0.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        log_sigmoid;
        /// `hard_sigmoid(alpha = 0.2, beta = 0.5)`: `clamp(alpha * x + beta, 0, 1)`.
        ///
        /// A cheap `sigmoid`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        hard_sigmoid(alpha, beta) { alpha, beta };
        /// `x * clamp(x / 6 + 1 / 2, 0, 1)` (Howard et al., arXiv 1905.02244).
        ///
        /// A cheap `silu`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        hard_swish;
        /// The hyperbolic tangent: in (-1, 1).
        ///
        /// Saturates on both sides.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        tanh;
        /// `hardtanh(min = -1, max = 1)`: `clamp(x, min, max)`.
        ///
        /// A cheap `tanh`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        hardtanh(min, max) { min, max };
        /// `x - tanh(x)`.
        ///
        /// Flat at 0.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        tanhshrink;
        /// `softplus(beta = 1)`: `log(1 + exp(beta * x)) / beta`.
        ///
        /// A smooth `relu`; above 0.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        softplus(beta) { beta };
        /// `x / (1 + |x|)`: in (-1, 1).
        ///
        /// Saturates more slowly than `tanh`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        softsign;
        /// `thresholded_relu(alpha = 1)`: `x` where above `alpha`, else 0 (Konda et al., arXiv 1402.3337).
        ///
        /// Not continuous at `alpha`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        thresholded_relu(alpha) { alpha };
        /// `threshold(threshold = 1, value = 0)`: `x` where above `threshold`, else `value`.
        ///
        /// Not continuous.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        threshold(threshold, value) { threshold, value };
        /// `hard_shrink(lambda = 0.5)`: `x` where `|x| > lambda`, else 0.
        ///
        /// Makes sparse values.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        hard_shrink(lambda) { lambda };
        /// `soft_shrink(lambda = 0.5)`: moves `x` towards 0 by `lambda`, to 0 inside.
        ///
        /// The proximal map of the absolute value.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        soft_shrink(lambda) { lambda };
        /// `shrink(lambda = 0.5, bias = 0)`: 0 where `|x| <= lambda`, else `x` moved towards 0 by `bias`.
        ///
        /// Between `hard_shrink` and `soft_shrink`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        shrink(lambda, bias) { lambda, bias };
        /// The first half of the last axis times the sigmoid of the second (Dauphin et al., arXiv 1612.08083).
        ///
        /// Shapes: `[batch, .., 2 n]` to `[batch, .., n]`.
        glu;
        /// `exp(x_i) / sum_j exp(x_j)` over the last axis: probabilities.
        ///
        /// Not in front of `loss cross_entropy`, which has its own; `predict` applies it.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        softmax;
        /// The logarithm of `softmax`, without overflow.
        ///
        /// With `loss cross_entropy(from = log_probabilities)`.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        log_softmax;
        /// `softmax(-x)` over the last axis.
        ///
        /// The smallest value gets the greatest share.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        softmin;
        /// `exp(x_i) / (1 + sum_j exp(x_j))` over the last axis.
        ///
        /// The shares may sum to less than 1.
        ///
        /// Keeps the shape. Acts the same while training and at inference.
        quiet_softmax;
        /// `dropout(rate)`: zeroes single values with this probability while training, and scales the survivors by `1 / (1 - rate)`
        /// (Srivastava et al. 2014). Nothing at inference.
        ///
        /// `rate` is the probability of ZEROING, not of keeping: in [0, 1). Natural place: behind the last activation of the statement,
        /// else at its end. Behind the last weights it is `dropout_before_output`; beside a batch norm `dropout_with_batch_norm`.
        dropout(rate) { rate };
        /// `alpha_dropout(rate)`: drops values to the negative saturation of `selu`, then scales and shifts so that mean and variance
        /// stay (Klambauer et al., arXiv 1706.02515). Nothing at inference.
        ///
        /// Natural place: behind the last activation of the statement.
        alpha_dropout(rate) { rate };
        /// `gaussian_dropout(rate)`: multiplies by noise of mean 1 and variance `rate / (1 - rate)` while training (Srivastava et al. 2014).
        /// Nothing at inference.
        ///
        /// Natural place: behind the last activation of the statement.
        gaussian_dropout(rate) { rate };
        /// `noise(std)`: adds noise of mean 0 and this standard deviation while training. Nothing at inference.
        ///
        /// Natural place: behind the last activation of the statement.
        noise(std) { std };
        /// `drop_path(rate)`: drops the branch of a `residual` for whole samples while training, and scales the survivors by
        /// `1 / (1 - rate)`: stochastic depth (Huang et al., arXiv 1603.09382). Nothing at inference.
        ///
        /// On a `residual`, or on a `repeat` of residuals: `drop_path(0.0..0.1)` raises the rate linearly over the copies.
        drop_path(rate) { rate };
        /// `spatial_dropout(rate)`: drops whole feature maps of each sample while training (Tompson et al., arXiv 1411.4280). Nothing at inference.
        ///
        /// For `[channels, ..]`, where neighbours say the same and `dropout` of single values does little.
        spatial_dropout(rate) { rate };
        /// `drop_block(rate, size = b)`: drops squares of side `b` from feature maps while training (Ghiasi et al., arXiv 1810.12890). Nothing at
        /// inference. `drop_block(0.0..0.1, size = 7)` raises the share on a line over the training.
        drop_block(rate) { rate, size };
        /// `variational_dropout(rate)`: drops features of a sequence with one mask for all steps while training (Gal and Ghahramani,
        /// arXiv 1512.05287). Nothing at inference.
        ///
        /// On `lstm`, `gru` and `rnn`: on the input of each layer; `recurrent = q` on the state as well.
        variational_dropout(rate) { rate, recurrent };
        /// `drop_connect(rate)`: zeroes single WEIGHTS of the layer before it while training, and scales the others by
        /// `1 / (1 - rate)` (Wan et al. 2013). Nothing at inference.
        ///
        /// Acts on the layer's weights, one mask for the batch.
        drop_connect(rate) { rate };
    }

    /// What may stand behind `with`: on a statement, on a block, on `layers`. A statement overrides a block, a block overrides `layers`.
    annotation {
        /// `dropout(rate)`: each number becomes 0 with probability `rate` while training, the others grow by `1 / (1 - rate)` (Srivastava et al. 2014). See [`layer::dropout`](super::layer::dropout). `after NAME` or `before NAME` says where.
        dropout(rate) { rate };
        /// `alpha_dropout(rate)`: dropout that keeps mean and variance behind `selu` (Klambauer et al., arXiv 1706.02515). See [`layer::alpha_dropout`](super::layer::alpha_dropout).
        alpha_dropout(rate) { rate };
        /// `gaussian_dropout(rate)`: each number is multiplied by one from a normal distribution of mean 1 (Srivastava et al. 2014). See [`layer::gaussian_dropout`](super::layer::gaussian_dropout).
        gaussian_dropout(rate) { rate };
        /// `noise(std)`: a number from a normal distribution is added to each. See [`layer::noise`](super::layer::noise).
        noise(std) { std };
        /// `drop_path(rate)` or `drop_path(first..last)`: see [`layer::drop_path`](super::layer::drop_path).
        drop_path(rate) { rate };
        /// `drop_connect(rate)`: weights become 0 instead of values (Wan et al. 2013). See [`layer::drop_connect`](super::layer::drop_connect).
        drop_connect(rate) { rate };
        /// `spatial_dropout(rate)`: whole channels become 0 (Tompson et al., arXiv 1411.4280). See [`layer::spatial_dropout`](super::layer::spatial_dropout).
        spatial_dropout(rate) { rate };
        /// `drop_block(rate, size = b)`: squares of `b` by `b` positions become 0 (Ghiasi et al., arXiv 1810.12890). See [`layer::drop_block`](super::layer::drop_block).
        drop_block(rate) { rate, size };
        /// `variational_dropout(rate)` or `variational_dropout(rate, recurrent = q)`: see
        /// [`layer::variational_dropout`](super::layer::variational_dropout).
        variational_dropout(rate) { rate, recurrent };
        /// `attention_dropout(rate)` on `attention`: drops attention weights while training.
        attention_dropout(rate) { rate };
        /// `embedding_dropout(rate)` on `embedding`: drops all occurrences of a class while training (arXiv 1512.05287).
        embedding_dropout(rate) { rate };
        /// `zoneout(rate)` on a recurrent layer: a number of the state keeps its old value with this probability while training
        /// (Krueger et al., arXiv 1606.01305); at inference the expectation.
        zoneout(rate) { rate };
        /// `weight_norm`: the layer's weight is a direction and a learned length for each unit (Salimans and Kingma, arXiv 1602.07868).
        weight_norm;
        /// `spectral_norm`: the layer's weight is divided by its largest singular value (Miyato et al., arXiv 1802.05957).
        spectral_norm;
        /// `decay(l1 = x, l2 = y)`: decoupled weight decay of this layer's weights (Loshchilov and Hutter, arXiv 1711.05101).
        ///
        /// `l2`: `w *= 1 - lr * y`, beside the optimiser's step, so that Adam does not rescale it. `l1`: the soft threshold by `lr * x`
        /// after the step: weights become exactly zero. Weight matrices only, unless `on all` says so: never biases and gains.
        decay { l1, l2 };
        /// `penalty(l1 = x, l2 = y)`: adds `x * sum |w| + y * sum w^2` to the objective, by its gradient; reported beside the loss.
        ///
        /// Through the optimiser: with Adam not the same as `decay`. Weight matrices only, unless `on all` says so.
        penalty { l1, l2 };
        /// `max_norm(limit)`: after each step, no unit's incoming weights are longer than `limit` (Srivastava et al. 2014).
        max_norm(limit) { limit };
        /// `unit_norm`: after each step, every unit's incoming weights have length 1.
        unit_norm;
        /// `non_negative`: after each step, negative weights become 0.
        non_negative;
        /// `orthogonal(strength)`: adds `strength * ||W^T W - I||^2` to the objective (Brock et al., arXiv 1609.07093).
        orthogonal(strength) { strength };
        /// `activity(l1 = x, l2 = y)`: adds `x * sum |v| + y * sum v^2` of the values that pass, the mean over the batch, to the objective.
        ///
        /// Natural place: behind the last activation of the statement.
        activity { l1, l2 };
        /// `freeze`: the layer's parameters are not trained.
        freeze;
    }

    /// The losses; each the mean over the samples.
    loss {
        /// `cross_entropy(label_smoothing = .., weights = [..], from = logits)`: exclusive classes; the target is a class index.
        ///
        /// `-log softmax(x)[class]`. `from = logits` (the default), `probabilities` or `log_probabilities` says what the last layer gives. `label_smoothing` in [0, 1) spreads a share of the target over all classes (Szegedy et al.,
        /// arXiv 1512.00567). `weights`: one for each class. `predict` gives probabilities, `classify` class indices.
        cross_entropy { label_smoothing, weights, from };
        /// `binary_cross_entropy(label_smoothing = .., weights = [..], from = logits)`: one or more independent yes/no answers.
        ///
        /// `from = logits` (the default), `probabilities` or `log_probabilities` says what the last layer gives. `predict` gives the probability of each yes.
        binary_cross_entropy { label_smoothing, weights, from };
        /// Mean squared error: `mean (x - t)^2`. The prediction is the conditional mean.
        mse;
        /// Mean absolute error: `mean |x - t|`. The prediction is the conditional median.
        mae;
        /// Mean absolute percentage error: `mean |x - t| / |t|`. For targets away from 0.
        mape;
        /// `huber(delta = 1)`: squared near 0, linear beyond `delta`: outliers weigh less (Huber 1964).
        huber(delta) { delta };
        /// `smooth_l1(beta = 1)`: `huber(beta) / beta`.
        smooth_l1(beta) { beta };
        /// `mean log(cosh(x - t))`: a smooth absolute error.
        log_cosh;
        /// `dice(smooth = 1, from = logits)`: one minus the Dice coefficient of prediction and target. `from = logits` (the default), `probabilities` or `log_probabilities` says what the last layer gives.
        dice { smooth, from };
        /// `kl_div(from = logits)`: the Kullback-Leibler divergence from target probabilities to the model's. `from = logits` (the default), `probabilities` or `log_probabilities` says what the last layer gives.
        kl_div { from };
        /// Counts: the output is the logarithm of the rate; `predict` gives the rate.
        poisson;
        /// The likelihood of a normal distribution: the first half of the units is the mean, the second the logarithm of the variance.
        gaussian_nll;
        /// `custom(path)`: a function of yours, `fn(Tensor<2>, Tensor<2>) -> Tensor<1>`, of output and target, both `[rows, values]`.
        custom(path) { path };
    }

    /// The tasks.
    task {
        /// One yes/no answer: one unit, `loss binary_cross_entropy`.
        binary;
        /// `multiclass(classes)`: one of several classes: a unit for each, `loss cross_entropy`.
        multiclass(classes) { classes };
        /// `multilabel(labels)`: independent yes/no answers: a unit for each, `loss binary_cross_entropy`.
        multilabel(labels) { labels };
        /// Numbers.
        regression;
    }

    /// The metrics, each over the whole epoch.
    metric {
        /// The share of right answers.
        accuracy;
        /// `top_k(k)`: the share of samples whose class is among the `k` highest scores.
        top_k(k) { k };
        /// The share of right ones among the predicted ones; the mean over the classes.
        precision;
        /// The share of found ones among the real ones; the mean over the classes.
        recall;
        /// The harmonic mean of precision and recall; the mean over the classes.
        f1;
        /// The area under the ROC curve, for two classes.
        auroc;
        /// Mean squared error.
        mse;
        /// The root of the mean squared error.
        rmse;
        /// Mean absolute error.
        mae;
        /// Mean absolute percentage error.
        mape;
        /// The coefficient of determination: 1 is perfect, 0 as good as the mean.
        r2;
    }

    /// The optimisers; the defaults are PyTorch's.
    optimizer {
        /// `sgd(lr = 1e-3, momentum = 0, dampening = 0, nesterov = false, weight_decay = ..)`: stochastic gradient descent. `weight_decay = x` adds `x * w` to the gradient (coupled).
        sgd(lr) { lr, momentum, dampening, nesterov, weight_decay };
        /// `adam(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false)` (Kingma and Ba, arXiv 1412.6980).
        ///
        /// With `weight_decay` Adam rescales the decay: the lint `adam_coupled_weight_decay` speaks of it; use `adamw`.
        adam(lr) { lr, beta1, beta2, epsilon, amsgrad, weight_decay };
        /// `adamw(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false, weight_decay = ..)`: Adam with decoupled decay
        /// (Loshchilov and Hutter, arXiv 1711.05101).
        ///
        /// `weight_decay = x` is a default `decay(l2 = x)` of every weight matrix; a layer's own `decay` overrides it. Without it, 0.
        adamw(lr) { lr, beta1, beta2, epsilon, amsgrad, weight_decay };
        /// `rmsprop(lr = 1e-2, alpha = 0.99, momentum = 0, epsilon = 1e-8, centered = false)` (Hinton 2012). `weight_decay = x` adds `x * w` to the gradient (coupled).
        rmsprop(lr) { lr, alpha, momentum, epsilon, centered, weight_decay };
        /// `adagrad(lr = 1e-2, lr_decay = 0, epsilon = 1e-10)` (Duchi et al. 2011). `weight_decay = x` adds `x * w` to the gradient (coupled).
        adagrad(lr) { lr, lr_decay, epsilon, weight_decay };
        /// `lion(lr = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = ..)` (Chen et al., arXiv 2302.06675).
        ///
        /// Steps are signs: a smaller rate and a greater decay than Adam's. `weight_decay` is decoupled, as in `adamw`.
        lion(lr) { lr, beta1, beta2, weight_decay };
    }

    /// How the learning rate changes over training: a factor of the optimiser's.
    schedule {
        /// The same rate. `warmup` is the share of all steps in which the rate first rises linearly.
        constant { warmup };
        /// `cosine(end = 0, warmup = ..)`: falls to the factor `end` along half a cosine (Loshchilov and Hutter, arXiv 1608.03983). `warmup` is the share of all steps in which the rate first rises linearly.
        cosine { end, warmup };
        /// `linear(end = 0, warmup = ..)`: falls to the factor `end` on a line. `warmup` is the share of all steps in which the rate first rises linearly.
        linear { end, warmup };
        /// `step(every, factor = 0.1)`: multiplies by `factor` every `every` epochs. `warmup` is the share of all steps in which the rate first rises linearly.
        step(every) { every, factor, warmup };
        /// `exponential(factor)`: multiplies by `factor` every epoch. `warmup` is the share of all steps in which the rate first rises linearly.
        exponential(factor) { factor, warmup };
        /// `one_cycle(rise = 0.3, divide = 25, final_divide = 1e4)`: rises from `1 / divide` to 1, then falls to
        /// `1 / (divide * final_divide)` (Smith and Topin, arXiv 1708.07120).
        one_cycle { rise, divide, final_divide };
    }

    /// The settings of `train`.
    setting {
        /// `optimizer: adamw(lr = 1e-3)`. Without it: `adamw(lr = 1e-3)`.
        optimizer;
        /// `schedule: cosine(warmup = 0.05)`. Without it: `constant`.
        schedule;
        /// `epochs: 30`: passes over the training data. Without it: 10.
        epochs;
        /// `batch: 64`: samples in a batch. Without it: 32.
        batch;
        /// `drop_last: true`: the last, short batch of an epoch is left out. Without it: false.
        drop_last;
        /// `seed: 42`: of weights, order and dropout; the same seed gives the same run. Without it: 42.
        seed;
        /// `clip(norm = x)`: no gradient, all parameters together, is longer than `x`. `clip(value = x)`: no number of it is greater than `x`.
        clip { norm, value };
        /// `early_stop(patience, metric = loss, min_delta = 0)`: ends after `patience` epochs without improvement on the validation data, and restores
        /// the best weights.
        early_stop(patience) { patience, metric, min_delta };
        /// `accumulate: 4`: batches whose gradients are averaged into one step. Without it: 1.
        accumulate;
        /// `mixup(alpha)`: every training batch is mixed with itself in another order, inputs and targets, by a share from Beta(`alpha`, `alpha`)
        /// (Zhang et al., arXiv 1710.09412). With `cutmix` beside it each batch takes one of the two. Training metrics compare with the larger share.
        mixup(alpha) { alpha };
        /// `cutmix(alpha)`: a rectangle of every training image comes from another one, and the target's share is that of the area
        /// (Yun et al., arXiv 1905.04899). `alpha` 1 is the paper's.
        cutmix(alpha) { alpha };
        /// `ema(decay)`: after each step the average moves towards the weights, `decay * average + (1 - decay) * weight`, running statistics too.
        /// Validation, early stopping and the model that comes back use the average. At the start the decay is `(1 + n) / (10 + n)` after `n` steps, if that is less.
        ema(decay) { decay };
        /// `swa(from_epoch)`: the mean of the weights at the ends of the epochs from this one on (Izmailov et al., arXiv 1803.05407). Validation and the model that
        /// comes back use the mean; the running statistics of batch norm are measured anew on the training samples.
        swa(from_epoch) { from_epoch };
        /// `layer_decay(factor)`: the learning rate of a layer is `factor` times that of the next one; the last layer has the declared one
        /// (Bao et al., arXiv 2106.08254).
        layer_decay(factor) { factor };
        /// `augment(shift = n, flip = true, crop = n, erase = p)`: training images `[channels, height, width]` are varied, anew in each epoch. `shift`: moved by up to
        /// `n` pixels, zeros come in. `flip`: mirrored left to right, one in two. `crop`: as `shift`, the border is repeated. `erase`: a rectangle becomes 0 with
        /// probability `p` (arXiv 1708.04896).
        augment { shift, flip, crop, erase };
        /// `backend: wgpu`: where training runs if no device is given; an error where the feature is off.
        backend;
    }

    /// The backends, each a cargo feature.
    backend {
        /// Pure Rust on the CPU; the default.
        flex;
        /// The `ndarray` crate on the CPU.
        ndarray;
        /// The GPU, through wgpu.
        wgpu;
    }

    /// What an input is made of.
    input {
        /// `of int(vocab = 8000, pad = 0)`: class indices, for an `embedding`.
        int { vocab, pad };
    }

    /// Words as values of arguments.
    value {
        /// As much padding as keeps the size, at a stride of 1; `linear(same)`: as many features as arrive.
        same;
        /// No padding.
        valid;
        /// Sines and cosines of the position, added (arXiv 1706.03762).
        sinusoidal;
        /// A learned vector for each position, added.
        learned;
        /// Rotary embedding: queries and keys are rotated by their position (arXiv 2104.09864).
        rope;
        /// The axis of steps: `[time, features]`.
        time;
        /// The axis of channels: `[channels, height, width]`.
        channels;
        /// The last axis.
        features;
        /// Scores of any size, before softmax or sigmoid.
        logits;
        /// Numbers in 0 to 1 that a softmax or sigmoid has given.
        probabilities;
        /// Logarithms of probabilities, as `log_softmax` gives them.
        log_probabilities;
        /// The loss on the validation data.
        loss;
    }

    /// What a rule on weights reaches beyond weight matrices and kernels.
    on {
        /// `on all`: biases, gains and shifts too.
        all;
        /// `on embedding`: the table of an embedding.
        embedding;
    }

    /// What `budget` limits.
    budget {
        /// How many numbers weights, biases, gains and shifts have.
        params;
        /// Operations of all matrix products for one sample: two for each multiply-accumulate.
        flops;
        /// Bytes of parameters and of what the layers give for one sample.
        memory;
    }
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use damper_macros_core::words::{self, Kind, names};

    fn documented(family: &str, word: &str) -> bool {
        ALL.iter()
            .any(|(page, name, _)| (*page, *name) == (family, word))
    }

    #[test]
    fn every_word_has_a_page() {
        let tables: [(&str, Vec<&str>); 14] = [
            ("section", words::SECTIONS.to_vec()),
            (
                "layer",
                [words::SOURCES.to_vec(), words::chain(), vec!["shortcut"]].concat(),
            ),
            ("annotation", words::annotations()),
            ("loss", names(words::LOSSES).collect()),
            ("task", names(words::TASKS).collect()),
            ("metric", names(words::METRICS).collect()),
            ("optimizer", names(words::OPTIMIZERS).collect()),
            ("schedule", names(words::SCHEDULES).collect()),
            (
                "setting",
                words::SETTINGS.iter().map(|setting| setting.name).collect(),
            ),
            ("backend", words::BACKENDS.to_vec()),
            ("input", vec![words::INT.name]),
            ("value", values()),
            ("on", words::ON.to_vec()),
            (
                "budget",
                words::MEASURES
                    .iter()
                    .map(|(measure, _)| measure.word())
                    .collect(),
            ),
        ];
        let mut count = 0;
        for (family, words) in tables {
            for word in words {
                assert!(
                    documented(family, word),
                    "`{word}` has no page in vocabulary::{family}"
                );
                count += 1;
            }
        }
        assert_eq!(
            count,
            ALL.len(),
            "a page is of no word of the language, or there are two of one"
        );
    }

    /// The words that stand for values.
    fn values() -> Vec<&'static str> {
        let mut all = vec!["valid", "same", "loss"];
        for (family, name, _) in ALL {
            let word = words::word_of(family, name);
            for argument in word.iter().flat_map(|word| word.arguments.iter()) {
                if let Kind::Word(words) = argument.kind {
                    all.extend(words);
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn every_argument_has_a_page() {
        for (family, name, documented) in ALL {
            let arguments: Vec<String> = words::word_of(family, name)
                .map(|word| {
                    word.arguments
                        .iter()
                        .map(|argument| argument.name.to_owned())
                        .collect()
                })
                .unwrap_or_default();
            let documented: Vec<&str> = documented
                .iter()
                .map(|name| name.trim_start_matches("r#"))
                .collect();
            assert_eq!(
                documented, arguments,
                "the arguments of `{name}` in vocabulary::{family}"
            );
        }
    }
}
