//! TinyLlama-1.1B (Zhang et al., arXiv 2401.02385): grouped queries, rotary positions, gated feed-forward.
//! published: 1,100,048,384
damper::model! {
    pub Net<dim: usize = 2048, heads: usize = 32, kv_heads: usize = 4, inner: usize = 5632, depth: usize = 22>
    input tokens: [2048] of int(vocab = 32000)
    layers {
        table:  embedding(32000, dim);
        blocks: repeat(depth) {
            attend: residual { rms_norm -> positional(rope) -> attention(heads, kv_heads = kv_heads, causal = true, bias = false); };
            feed:   residual { rms_norm -> swiglu(inner) -> linear(dim, bias = false); };
        } -> rms_norm;
        head:   linear(32000, bias = false);
    }
    loss cross_entropy
}
