//! BERT-base (Devlin et al., arXiv 1810.04805), as transformers has it, with its pooler.
//! published: 109,482,240
damper::model! {
    pub Net<dim: usize = 768, heads: usize = 12, depth: usize = 12>
    input { tokens: [512] of int(vocab = 30522, pad = 0), segments: [512] of int(vocab = 2) }
    layers {
        words:   from(tokens) -> embedding(30522, dim) -> positional(learned);
        parts:   from(segments) -> embedding(2, dim);
        encoder: add(words, parts) -> layer_norm(epsilon = 1e-12) -> dropout(0.1) -> transformer_encoder(depth, heads = heads, ff = 4 * dim, norm_first = false);
        pooled:  first_step -> linear(dim) -> tanh;
    }
}
