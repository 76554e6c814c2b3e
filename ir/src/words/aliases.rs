//! What other libraries call the words and arguments of the language: for suggestions in errors.

/// The word that other libraries call so.
pub fn alias(name: &str) -> Option<&'static str> {
    match name {
        "dense" | "fc" | "fully_connected" => Some("linear"),
        "conv" | "convolution" | "convolution2d" => Some("conv2d"),
        "deconv2d" | "conv2d_transpose" | "conv_transpose" | "transposed_conv2d" => {
            Some("conv_transpose2d")
        }
        "depthwise_conv" | "depthwise" => Some("depthwise_conv2d"),
        "maxpool" | "max_pool" | "maxpool2d" | "max_pooling2d" => Some("max_pool2d"),
        "avgpool" | "avg_pool" | "avgpool2d" | "average_pooling2d" => Some("avg_pool2d"),
        "adaptive_avg_pool" | "adaptive_pool" => Some("adaptive_avg_pool2d"),
        "gap" | "global_average_pool" | "global_average_pooling2d" => Some("global_avg_pool"),
        "global_max_pooling2d" | "gmp" => Some("global_max_pool"),
        "bn" | "batch_norm1d" | "batch_norm2d" | "batch_norm3d" | "batchnorm2d" => {
            Some("batch_norm")
        }
        "instance_norm1d" | "instance_norm2d" | "instance_norm3d" => Some("instance_norm"),
        "multi_head_attention" | "multihead_attention" | "mha" | "self_attention" => {
            Some("attention")
        }
        "positional_encoding" | "position_embedding" | "pos_embed" => Some("positional"),
        "cls_token" | "cls" => Some("class_token"),
        "embed" => Some("embedding"),
        "elman" | "elman_rnn" | "simple_rnn" => Some("rnn"),
        "cross_attention" | "multihead_cross_attention" => Some("attention"),
        "decoder" | "decoder_layer" => Some("transformer_decoder"),
        "encoder" | "transformer" | "encoder_layer" => Some("transformer_encoder"),
        "reparameterize" | "gaussian_sample" => Some("sample_normal"),
        "bmm" | "dot" | "batch_dot" => Some("matmul"),
        "subtract" | "minus" => Some("sub"),
        "multiply" => Some("mul"),
        "divide" => Some("div"),
        "view" => Some("reshape"),
        "reduce_sum" => Some("sum"),
        "reduce_min" | "amin" => Some("min"),
        "up_sampling2d" | "upsampling2d" => Some("upsample"),
        "interpolate" => Some("resize"),
        "depth_to_space" => Some("pixel_shuffle"),
        "zero_pad2d" | "zero_padding2d" => Some("pad"),
        "crop" | "narrow" => Some("slice"),
        "dropout1d" | "dropout2d" | "dropout3d" | "channel_dropout" | "feature_dropout" => {
            Some("spatial_dropout")
        }
        "locked_dropout" | "recurrent_dropout" => Some("variational_dropout"),
        "dropblock" | "dropblock2d" => Some("drop_block"),
        "word_dropout" => Some("embedding_dropout"),
        "weight_drop" => Some("drop_connect"),
        "swish" => Some("silu"),
        "ln" => Some("layer_norm"),
        "stochastic_depth" => Some("drop_path"),
        "gaussian_noise" => Some("noise"),
        "weight_decay" | "l2" | "l1" => Some("decay"),
        "pinball" | "quantile_loss" | "pinball_loss" => Some("quantile"),
        "bce" => Some("binary_cross_entropy"),
        "ce" | "nll" | "softmax_cross_entropy" => Some("cross_entropy"),
        "l1_loss" | "mean_absolute_error" => Some("mae"),
        "l2_loss" | "mean_squared_error" => Some("mse"),
        "max_epochs" | "num_epochs" => Some("epochs"),
        "batch_size" => Some("batch"),
        "patience" | "early_stopping" => Some("early_stop"),
        "random_seed" => Some("seed"),
        "scheduler" | "lr_schedule" => Some("schedule"),
        "device" => Some("backend"),
        "gradient_accumulation" => Some("accumulate"),
        "parameters" | "param" | "weights" | "size" => Some("params"),
        "flop" | "operations" | "compute" => Some("flops"),
        "ram" | "bytes" | "mem" => Some("memory"),
        _ => None,
    }
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
        "padding_idx" | "pad_index" | "padding" => &["pad"],
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
        "weight" | "class_weights" => &["weights"],
        _ => &[],
    }
}
