//! Published networks and the article's own: no lint denies them, and what is allowed has a reason.

use damper::model;
use damper::prelude::*;

model! {
    /// LeNet-300-100 (`LeCun` et al., 1998).
    pub LeNet300
    input image: [784]
    layers {
        fc1:  linear(300) -> tanh;
        fc2:  linear(100) -> tanh;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.1, momentum = 0.9), batch: 64, epochs: 20 }
}

model! {
    /// The MNIST network of the dropout paper (Srivastava et al., JMLR 15, 2014): 0.2 on the input, 0.5 on hidden units, max-norm.
    pub Srivastava<units: usize = 1024>
    input image: [784]
    layers with max_norm(3.0) {
        fc1:  dropout(0.2) -> linear(units) -> relu -> dropout(0.5);
        fc2:  linear(units) -> relu -> dropout(0.5);
        fc3:  linear(units) -> relu -> dropout(0.5);
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.1, momentum = 0.95), batch: 100 }
}

model! {
    /// A self-normalizing network (Klambauer et al., arXiv 1706.02515).
    pub SelfNormalizing
    input x: [32]
    layers {
        fc1:  linear(256) -> selu -> alpha_dropout(0.05);
        fc2:  linear(256) -> selu -> alpha_dropout(0.05);
        fc3:  linear(256) -> selu -> alpha_dropout(0.05);
        head: linear(1);
    }
    loss binary_cross_entropy
}

model! {
    /// The residual network for tables of Gorishniy et al. (arXiv 2106.11959).
    #[allow(dropout_upstream_of_batch_norm, reason = "as published: arXiv 2106.11959, section 3.2")]
    #[allow(dropout_with_batch_norm, reason = "as published: arXiv 2106.11959, section 3.2")]
    pub TableResNet<width: usize = 192, blocks: usize = 3>
    input row: [27]
    layers with decay(l2 = 1e-5) {
        stem:   linear(width);
        body:   repeat(blocks) {
            block: residual { batch_norm -> linear(2 * width) -> relu -> dropout(0.25) -> linear(width) -> dropout(0.1); };
        };
        norm:   batch_norm -> relu;
        head:   linear(1);
    }
    loss mse
    train { optimizer: adamw(lr = 1e-4), batch: 256 }
}

model! {
    /// An autoencoder for values in [0, 1].
    pub Autoencoder
    input image: [784]
    layers {
        encode: linear(128) -> relu -> linear(32) -> relu;
        decode: linear(128) -> relu -> linear(784) -> sigmoid;
    }
    loss mse target in [0, 1]
}

model! {
    /// The actor of DDPG (Lillicrap et al., arXiv 1509.02971).
    pub Actor
    input state: [17]
    layers {
        fc1:    linear(400) -> relu;
        fc2:    linear(300) -> relu;
        action: linear(6) -> tanh;
    }
    loss mse target in [-1, 1]
    train { optimizer: adam(lr = 1e-4) }
}

model! {
    /// Wide and deep (Cheng et al., arXiv 1606.07792).
    pub WideAndDeep
    input { user: [32], item: [64] }
    layers {
        deep:  concat(user, item) -> linear(128) -> relu -> linear(32) -> relu;
        wide:  from(item) -> linear(32);
        both:  add(deep, wide) -> relu;
        score: linear(1);
    }
    loss binary_cross_entropy
}

model! {
    /// The feed-forward block of a transformer with `swiglu` (Shazeer, arXiv 2002.05202) and stochastic depth.
    pub Feed<dim: usize = 64>
    input x: [64]
    layers {
        blocks: repeat(4) {
            feed: residual { layer_norm -> swiglu(4 * dim) -> linear(dim) -> dropout(0.1); };
        } with drop_path(0.0..0.1);
        norm:   layer_norm;
        head:   linear(10);
    }
    loss cross_entropy(label_smoothing = 0.1)
    train {
        optimizer: adamw(lr = 1e-3, weight_decay = 0.05),
        schedule: cosine(warmup = 0.1),
        clip(norm = 1.0),
        epochs: 30,
        early_stop(patience = 5),
    }
}

model! {
    /// The article's `RegularizedClassifier`.
    pub Article
    input x: [50]
    layers {
        fc1:  linear(128) -> relu -> dropout(0.3);
        fc2:  linear(64) -> relu -> dropout(0.3);
        head: linear(4);
    }
    loss cross_entropy(label_smoothing = 0.05)
    train { optimizer: adamw(lr = 1e-3, weight_decay = 1e-4), schedule: cosine, clip(norm = 1.0) }
}

model! {
    /// Scores that are dropped on purpose, as GIN does (Xu et al., arXiv 1810.00826).
    pub Gin
    input graph: [64]
    layers {
        fc:   linear(32, bias = false) -> batch_norm -> relu;
        #[allow(dropout_before_output, reason = "as published: arXiv 1810.00826")]
        #[allow(dropout_with_batch_norm, reason = "behind the last batch norm")]
        head: linear(10) -> dropout(0.5);
    }
    loss cross_entropy
}

/// The shape that a model gives for a batch of three.
macro_rules! gives {
    ($config:ty, [$($features:literal),+] -> $units:literal) => {{
        let device = damper::device().expect("a device");
        let model = <$config>::new().init(&device).expect("the defaults are checked");
        let shape = model.predict($(Tensor::<2>::ones([3, $features], &device)),+).dims();
        assert_eq!(shape, [3, $units], stringify!($config));
    }};
}

#[test]
fn published_models_are_accepted_and_run() {
    gives!(LeNet300Config, [784] -> 10);
    gives!(SrivastavaConfig, [784] -> 10);
    gives!(SelfNormalizingConfig, [32] -> 1);
    gives!(TableResNetConfig, [27] -> 1);
    gives!(AutoencoderConfig, [784] -> 784);
    gives!(ActorConfig, [17] -> 6);
    gives!(WideAndDeepConfig, [32, 64] -> 1);
    gives!(FeedConfig, [64] -> 10);
    gives!(ArticleConfig, [50] -> 4);
    gives!(GinConfig, [64] -> 10);
}
