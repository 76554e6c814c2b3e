//! What other libraries call the words and arguments of the language: for suggestions in errors.

/// The word that other libraries call so: `MaxPooling2D`, `max_pooling2d` and `maxpooling2d` are one name.
///
/// ```
/// use damper_ir::words::alias;
///
/// assert_eq!(alias("MaxPooling2D"), Some("max_pool2d"));
/// assert_eq!(alias("BCEWithLogitsLoss"), Some("binary_cross_entropy"));
/// assert_eq!(alias("tower"), None);
/// ```
pub fn alias(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|letter| *letter != '_').collect();
    let plain = plain.to_lowercase();
    layer(&plain)
        .or_else(|| effect(&plain))
        .or_else(|| target(&plain))
        .or_else(|| setting(&plain))
}

/// Layers and what joins them.
fn layer(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "dense" | "fc" | "fullyconnected" | "linearlayer" => "linear",
        "conv" | "convolution" | "convolution2d" => "conv2d",
        "convolution1d" => "conv1d",
        "convolution3d" => "conv3d",
        "deconv1d" | "conv1dtranspose" => "conv_transpose1d",
        "deconv2d" | "conv2dtranspose" | "convtranspose" | "transposedconv2d" => "conv_transpose2d",
        "deconv3d" | "conv3dtranspose" => "conv_transpose3d",
        "depthwiseconv" | "depthwise" => "depthwise_conv2d",
        "maxpooling1d" => "max_pool1d",
        "maxpool" | "maxpool2d" | "maxpooling" | "maxpooling2d" => "max_pool2d",
        "maxpooling3d" => "max_pool3d",
        "averagepooling1d" => "avg_pool1d",
        "avgpool" | "avgpool2d" | "averagepooling" | "averagepooling2d" => "avg_pool2d",
        "averagepooling3d" => "avg_pool3d",
        "adaptiveavgpool" | "adaptivepool" => "adaptive_avg_pool2d",
        "gap"
        | "globalaveragepool"
        | "globalaveragepooling1d"
        | "globalaveragepooling2d"
        | "globalaveragepooling3d" => "global_avg_pool",
        "gmp" | "globalmaxpooling1d" | "globalmaxpooling2d" | "globalmaxpooling3d" => {
            "global_max_pool"
        }
        "bn" | "batchnormalization" | "batchnorm1d" | "batchnorm2d" | "batchnorm3d" => "batch_norm",
        "ln" | "layernormalization" => "layer_norm",
        "groupnormalization" => "group_norm",
        "instancenorm1d" | "instancenorm2d" | "instancenorm3d" => "instance_norm",
        "rmsnormalization" => "rms_norm",
        "multiheadattention"
        | "mha"
        | "selfattention"
        | "crossattention"
        | "multiheadcrossattention" => "attention",
        "positionalencoding" | "positionembedding" | "posembed" => "positional",
        "clstoken" | "cls" => "class_token",
        "embed" => "embedding",
        "elman" | "elmanrnn" | "simplernn" => "rnn",
        "encoder" | "transformer" | "encoderlayer" | "transformerencoderlayer" => {
            "transformer_encoder"
        }
        "view" => "reshape",
        "decoder" | "decoderlayer" | "transformerdecoderlayer" => "transformer_decoder",
        "reparameterize" | "gaussiansample" => "sample_normal",
        "bmm" | "dot" | "batchdot" => "matmul",
        "subtract" | "minus" => "sub",
        "divide" => "div",
        "reducesum" => "sum",
        "reducemin" | "amin" => "min",
        "upsampling1d" | "upsampling2d" | "upsamplingbilinear2d" | "upsamplingnearest2d" => {
            "upsample"
        }
        "interpolate" => "resize",
        "depthtospace" => "pixel_shuffle",
        "zeropad2d" | "zeropadding1d" | "zeropadding2d" => "pad",
        "crop" | "narrow" => "slice",
        "last" | "lasttimestep" => "last_step",
        "first" | "firsttimestep" => "first_step",
        "cat" | "concatenate" | "stack" | "hstack" => "concat",
        "multiply" => "mul",
        "swish" => "silu",
        "selayer" | "squeezeexcite" | "seblock" => "squeeze_excitation",
        _ => return None,
    })
}

/// What acts while training, and on weights.
fn effect(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "dropout1d" | "dropout2d" | "dropout3d" | "spatialdropout1d" | "spatialdropout2d"
        | "spatialdropout3d" | "channeldropout" | "featuredropout" => "spatial_dropout",
        "lockeddropout" | "recurrentdropout" => "variational_dropout",
        "dropblock" | "dropblock2d" => "drop_block",
        "worddropout" => "embedding_dropout",
        "weightdrop" => "drop_connect",
        "stochasticdepth" => "drop_path",
        "gaussiannoise" => "noise",
        "weightdecay" | "l2" | "l1" | "l1l2" => "decay",
        "maxnorm" => "max_norm",
        "nonneg" => "non_negative",
        _ => return None,
    })
}

/// Losses and metrics.
fn target(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "bce"
        | "bceloss"
        | "bcewithlogits"
        | "bcewithlogitsloss"
        | "binarycrossentropy"
        | "sigmoidcrossentropy" => "binary_cross_entropy",
        "ce"
        | "nll"
        | "nllloss"
        | "softmaxcrossentropy"
        | "categoricalcrossentropy"
        | "sparsecategoricalcrossentropy"
        | "crossentropyloss" => "cross_entropy",
        "focalloss" | "categoricalfocalcrossentropy" => "focal",
        "diceloss" => "dice",
        "l1loss" | "maeloss" | "meanabsoluteerror" => "mae",
        "l2loss" | "mseloss" | "meansquarederror" => "mse",
        "meanabsolutepercentageerror" => "mape",
        "rootmeansquarederror" => "rmse",
        "huberloss" => "huber",
        "smoothl1loss" => "smooth_l1",
        "kld" | "kldivloss" | "kldivergence" => "kl_div",
        "poissonnll" | "poissonnllloss" => "poisson",
        "gaussiannllloss" => "gaussian_nll",
        "valloss" | "valueloss" | "validloss" | "validationloss" | "testloss" => "loss",
        "acc" | "valacc" | "valaccuracy" | "sparsecategoricalaccuracy" | "binaryaccuracy" => {
            "accuracy"
        }
        "pinball" | "quantileloss" | "pinballloss" => "quantile",
        "auc" | "rocauc" => "auroc",
        "f1score" => "f1",
        "topkcategoricalaccuracy" | "topkaccuracy" => "top_k",
        "r2score" => "r2",
        _ => return None,
    })
}

/// Settings, schedules and budgets.
fn setting(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "maxepochs" | "numepochs" => "epochs",
        "batchsize" => "batch",
        "patience" | "earlystopping" => "early_stop",
        "randomseed" => "seed",
        "scheduler" | "lrschedule" | "lrscheduler" => "schedule",
        "device" => "backend",
        "gradientaccumulation" | "accumulatesteps" | "accumulategradbatches" => "accumulate",
        "clipnorm" | "clipvalue" | "gradientclip" | "gradientclipping" | "gradclip"
        | "maxgradnorm" | "gradientclipval" | "clipgradnorm" => "clip",
        "labelmixup" => "mixup",
        "exponentialmovingaverage" => "ema",
        "cosineannealing" | "cosineannealinglr" | "cosinedecay" | "cosineschedule" => "cosine",
        "steplr" | "multisteplr" | "stepdecay" => "step",
        "exponentiallr" | "exponentialdecay" => "exponential",
        "linearlr" | "lineardecay" | "polynomialdecay" => "linear",
        "onecyclelr" => "one_cycle",
        "constantlr" => "constant",
        "parameters" | "param" | "weights" | "size" => "params",
        "flop" | "operations" | "compute" => "flops",
        "ram" | "bytes" | "mem" => "memory",
        _ => return None,
    })
}

/// How the language says what an argument of another library says, where it is no argument here.
pub fn instead_of_argument(name: &str) -> Option<&'static str> {
    Some(match name {
        "return_sequences" => "every step is given; for the last one `-> last_step`",
        "from_logits" => {
            "`from = logits` holds where nothing is written, else `from = probabilities`"
        }
        "reduction" | "batch_first" | "inplace" | "data_format" | "name" | "training"
        | "affine" => "leave it out",
        "kernel_regularizer"
        | "bias_regularizer"
        | "activity_regularizer"
        | "recurrent_regularizer" => "after the layer: `with decay(l2 = 1e-4)`",
        "kernel_constraint" | "bias_constraint" => "after the layer: `with max_norm(3.0)`",
        "activation" | "act" | "recurrent_activation" => "an operation of its own: `-> relu`",
        "dropout" | "recurrent_dropout" => "after the layer: `with dropout(0.2)`",
        "in_features" | "in_channels" | "input_size" | "input_shape" | "input_dim"
        | "num_features" => "leave it out: what comes in is known",
        "betas" => "`beta1 = 0.9, beta2 = 0.999`",
        _ => return None,
    })
}

/// What an argument may be called here that other libraries call so.
pub fn argument_aliases(name: &str) -> &'static [&'static str] {
    match name {
        "learning_rate" => &["lr"],
        "wd" | "l2" => &["weight_decay"],
        "eps" => &["epsilon"],
        "p" | "prob" | "probability" => &["rate"],
        "units" | "features" | "out_features" | "d_output" | "size" | "output_size" => {
            &["out", "hidden", "size"]
        }
        "channels" | "out_channels" | "filters" => &["out"],
        "hidden_size" | "hidden_dim" => &["hidden"],
        "num_layers" | "depth" => &["layers"],
        "num_kv_heads" | "n_kv_heads" | "num_key_value_heads" | "kv_head" => &["kv_heads"],
        "sliding_window" | "window_size" => &["window"],
        "softcap" | "attn_logit_softcapping" | "logit_cap" => &["soft_cap"],
        "query_key_norm" | "use_qk_norm" => &["qk_norm"],
        "context" | "encoder_hidden_states" | "memory" => &["from", "memory"],
        "num_heads" | "n_head" | "nhead" | "n_heads" => &["heads"],
        "dim_feedforward" | "feedforward" | "d_ff" | "mlp" => &["ff"],
        "vocab_size" | "num_embeddings" | "input_dim" => &["vocab"],
        "embedding_dim" | "d_model" | "output_dim" => &["dim"],
        "padding_idx" | "pad_index" | "padding" | "mask_zero" => &["pad"],
        "num_groups" => &["groups"],
        "kernel_size" | "window" | "pool_size" => &["kernel"],
        "strides" => &["stride"],
        "dilation_rate" => &["dilation"],
        "depth_multiplier" => &["multiplier"],
        "block_size" => &["size"],
        "is_causal" => &["causal"],
        "merge_mode" => &["merge"],
        "nonlinearity" => &["activation"],
        "recurrent_dropout" => &["recurrent"],
        "dim" => &["axis"],
        "tie" | "tied_to" | "weight_tying" => &["tied"],
        "use_bias" => &["bias"],
        "sigma" | "stddev" => &["std"],
        "gamma" => &["factor"],
        "step_size" => &["every"],
        "pos_weight" => &["positive_weight"],
        "z_loss" => &["z"],
        "quantiles" | "alpha" | "tau" => &["levels"],
        "smoothing" => &["label_smoothing"],
        "rho" => &["alpha"],
        "monitor" => &["metric"],
        "max_norm" | "clipnorm" => &["norm"],
        "weight" | "class_weight" | "class_weights" => &["weights"],
        _ => &[],
    }
}
