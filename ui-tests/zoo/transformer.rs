//! The encoder and decoder of "Attention Is All You Need" (Vaswani et al., arXiv 1706.03762), on vectors of words.
//! published: 44,140,544
damper::model! {
    #[allow(consecutive_norm, reason = "as in torch.nn.Transformer: a norm behind each stack")]
    pub Net<dim: usize = 512, heads: usize = 8, depth: usize = 6>
    input { source: [64, 512], target: [64, 512] }
    layers {
        encoder: from(source) -> positional(sinusoidal) -> transformer_encoder(depth, heads = heads, ff = 4 * dim, norm_first = false) -> layer_norm;
        decoder: from(target) -> positional(sinusoidal) -> transformer_decoder(depth, heads = heads, ff = 4 * dim, memory = encoder, norm_first = false) -> layer_norm;
    }
}
