//! GPT-2 small (Radford et al., 2019), as transformers has it; the head shares the table of the tokens.
//! published: 124,439,808
//! torch: 17 lines
damper::model! {
    pub Net<dim: usize = 768, heads: usize = 12, depth: usize = 12>
    input tokens: [1024] of int(vocab = 50257)
    layers {
        table:  embedding(50257, dim);
        place:  positional(learned) with dropout(0.1);
        blocks: repeat(depth) {
            attend: residual { layer_norm -> attention(heads, causal = true) with attention_dropout(0.1), dropout(0.1) after attention; };
            feed:   residual { layer_norm -> linear(4 * dim) -> gelu_approximate -> linear(dim) -> dropout(0.1); };
        } -> layer_norm;
        head:   linear(50257, tied = table, bias = false);
    }
    loss cross_entropy
}
