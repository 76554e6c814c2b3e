//! Every word of the language, with its documentation: the reference of `model!`.
//!
//! An editor shows these pages where the pointer is on a word inside of `model!`, and completes from them. Programs have
//! no use for the items themselves. Each table of words makes its own pages; here they are put together, with those of the
//! words that have no table.

pub use crate::words::page::Word;

/// Families of words: the pages of tables, and pages that are written here.
macro_rules! families {
    ($(
        $(#[doc = $about:literal])+
        $family:ident in [$($($table:ident)::+),* $(,)?] { $($own:tt)* }
    )*) => {
        $(
            $(#[doc = $about])+
            pub mod $family {
                $(pub use crate::$($table)::+::pages::*;)*
                #[allow(unused_imports)]
                pub use super::own::$family::pages::*;
            }
        )*

        /// The arguments of each word, as the fields of a struct: an editor shows and completes them.
        pub mod arguments {
            $(
                #[doc = concat!("Of the words in [`", stringify!($family), "`](super::", stringify!($family), ").")]
                pub mod $family {
                    $(#[allow(unused_imports)] pub use crate::$($table)::+::arguments::*;)*
                    #[allow(unused_imports)]
                    pub use crate::vocabulary::own::$family::arguments::*;
                }
            )*
        }

        /// The pages that have no table.
        mod own {
            $(pub mod $family {
                crate::words::pages! { $($own)* }
            })*
        }

        /// The words of a family that have no table, with their pages.
        pub(crate) fn own_words(family: &str) -> &'static [crate::words::Word] {
            match family {
                $(stringify!($family) => own::$family::WORDS,)*
                _ => &[],
            }
        }
    };
}

families! {
    /// The sections of a declaration, each at most once, in any order.
    section in [] {
        /// The shape of one sample; the batch axis is implied everywhere.
        ///
        /// ```text
        /// input image: [64]
        /// input { user: [32], item: [64] }
        /// ```
        ///
        /// The names are the parameters of `forward` and `predict`; `from`, `add`, `sub`, `mul`, `div` and `concat` refer to them.
        input;
        /// The statements `name: op -> op with annotation, annotation;` in the order of the data. The last one's value is the output.
        ///
        /// A statement takes the previous statement's value unless it begins with a source (`from(name)`, `add(a, b)`, `sub(a, b)`,
        /// `mul(a, b)`, `div(a, b)`, `concat(a, b)`, `matmul(a, b)`, `sample_normal(a, b)`). Its name becomes the field's name and the path of its weights (`fc1.weight`). Annotations after
        /// `layers with` are defaults that a statement overrides.
        layers;
        /// What training minimizes: the mean over the samples. It also decides what `predict` returns.
        ///
        /// `loss mse target in [-1, 1]` declares the range of a regression's target.
        loss;
        /// What the model is for. It follows from the loss; where it is written, head and loss must agree with it.
        task;
        /// What is measured in addition to the loss. The default is accuracy for classifiers, mean absolute error and R2 for regressions.
        metrics;
        /// The settings of training: the defaults of `training()`, which can change each of them.
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
        /// What the model may cost. A model that costs more does not compile, and `init` refuses such values at run time.
        ///
        /// ```text
        /// budget { params <= 1_000_000, flops <= 50_000_000, memory <= 4 MiB }
        /// ```
        ///
        /// What cannot be counted (a `custom` layer) counts as nothing.
        budget;
    }

    /// The operations of a chain.
    layer in [op, op::activation, op::stochastic, rule::in_chains] {
        /// Begins a statement with an earlier value or an input.
        from(name);
        /// Begins a statement with the sum of values.
        ///
        /// Shapes: `[batch, ..]`, all the same; an axis of size 1 spreads over the axis of the others, and `[batch, channels]` over
        /// `[batch, channels, ..]`.
        add(a, b);
        /// Begins a statement with the difference of two values, the second taken from the first. Values spread as in [`add`].
        sub(a, b);
        /// Begins a statement with the product, element by element, of values. Values spread as in [`add`]: a gate of one number for
        /// each channel multiplies all positions of the channel.
        mul(a, b);
        /// Begins a statement with the first value divided, element by element, by the second. Values spread as in [`add`].
        ///
        /// A divisor of 0 gives an infinite number or NaN: keep it away from 0.
        div(a, b);
        /// Begins a statement with values concatenated along the feature axis (of maps: the channels).
        ///
        /// Shapes: `[batch, m]` and `[batch, n]` to `[batch, m + n]`. `concat(a, b, axis = time)` joins the steps of sequences:
        /// `[batch, s, n]` and `[batch, t, n]` to `[batch, s + t, n]`.
        concat(a, b);
        /// Begins a statement with the matrix product of two values of a sample.
        ///
        /// Shapes: `[batch, m, k]` and `[batch, k, n]` to `[batch, m, n]`.
        matmul(a, b);
        /// Begins a statement with a sample of a normal distribution while training, as `mean + exp(log_variance / 2) * noise`
        /// (Kingma and Welling, arXiv 1312.6114); with its mean at inference.
        ///
        /// Shapes: both `[batch, ..]` the same.
        sample_normal(mean, log_variance);
        /// What the block's input goes through before the sum: `residual { .. } shortcut { .. }`. The identity without it.
        shortcut;
    }

    /// The annotations after `with`: on a statement, on a block, on `layers`. A statement overrides a block, a block overrides
    /// `layers`.
    annotation in [op::stochastic, rule, op::activity] {
        /// Drops attention weights while training; on `attention`.
        attention_dropout(rate) {
            /// The probability of dropping an attention weight, in `0..1`.
            rate = rate(Kind::Float),
        };
        /// Drops all occurrences of a class while training (Gal and Ghahramani, arXiv 1512.05287); on `embedding`.
        embedding_dropout(rate) {
            /// The probability of dropping a class, in `0..1`.
            rate = rate(Kind::Float),
        };
        /// Each number of the state keeps its old value with this probability while training (Krueger et al., arXiv 1606.01305); at
        /// inference the expectation. On a recurrent layer.
        zoneout(rate) {
            /// The probability of keeping the old value, in `0..1`.
            rate = rate(Kind::Float),
        };
    }

    /// The losses; each is the mean over the samples.
    loss in [loss] {}

    /// The tasks.
    task in [task] {}

    /// The metrics, each over the whole epoch.
    metric in [metric] {}

    /// The optimizers; the defaults are `PyTorch`'s.
    optimizer in [train::optimizer] {}

    /// How the learning rate changes over training: a factor of the optimizer's.
    schedule in [train::schedule] {}

    /// The settings of `train`.
    setting in [train] {}

    /// The backends, each a cargo feature.
    backend in [] {
        /// Pure Rust on the CPU; the default.
        flex;
        /// The `ndarray` crate on the CPU.
        ndarray;
        /// The GPU, through wgpu.
        wgpu;
    }

    /// What an input is made of.
    input in [] {
        /// Class indices, for an `embedding`: `of int(vocab = 8000, pad = 0)`.
        int {
            /// How many classes there are: indices are below it.
            vocab = optional(Kind::Size),
            /// The index that marks padding: its gradient is zero, and no step attends to it.
            pad = optional(Kind::Whole),
        };
    }

    /// Words as values of arguments.
    value in [] {
        /// Padding with which the size divided by the stride comes out, rounded up; `linear(same)`: as many features as arrive.
        same;
        /// No padding.
        valid;
        /// Padding before the first position alone, so that no position sees a later one: of a convolution along a line.
        causal;
        /// Sines and cosines of the position, added (arXiv 1706.03762).
        sinusoidal;
        /// A learned vector for each position, added.
        learned;
        /// Rotary embedding: queries and keys are rotated by their position (arXiv 2104.09864).
        rope;
        /// The axis of steps: `[time, features]`.
        time;
        /// Side by side, as twice as many features.
        concat;
        /// Added number by number.
        sum;
        /// The hyperbolic tangent: in (-1, 1).
        tanh;
        /// `max(x, 0)`.
        relu;
        /// Each new position copies the nearest old one.
        nearest;
        /// Each new position is interpolated linearly between the old ones around it.
        bilinear;
        /// Nothing is added to the scores of `attention`.
        none;
        /// Scores fall with the distance of two steps, with a slope for each head (Press et al., arXiv 2108.12409).
        alibi;
        /// A learned number for each head and distance of two steps (Shaw et al., arXiv 1803.02155).
        relative;
        /// The axis of channels: `[channels, height, width]`.
        channels;
        /// The last axis.
        features;
        /// Scores of any size, before softmax or sigmoid.
        logits;
        /// Numbers from 0 to 1, after a softmax or sigmoid.
        probabilities;
        /// Logarithms of probabilities, as `log_softmax` gives them.
        log_probabilities;
        /// The loss on the validation data.
        loss;
    }

    /// What a rule on weights reaches beyond weight matrices and kernels.
    on in [] {
        /// Biases, gains and shifts too.
        all;
        /// The table of an embedding.
        embedding;
    }

    /// What `budget` limits.
    budget in [] {
        /// Numbers in weights, biases, gains and shifts.
        params;
        /// Operations of all matrix products for one sample: two for each multiply-accumulate.
        flops;
        /// Bytes of parameters and of the layers' values for one sample, four for each number; in `B`, `kB`, `MB`, `GB`, `KiB`, `MiB`
        /// or `GiB`.
        memory;
    }
}
