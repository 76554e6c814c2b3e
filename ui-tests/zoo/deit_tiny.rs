//! DeiT-Tiny (Touvron et al., arXiv 2012.12877), as timm has it.
//! published: 5,717,416
damper::model! {
    pub Net<dim: usize = 192, heads: usize = 3, depth: usize = 12>
    input image: [3, 224, 224]
    layers {
        patches: conv2d(dim, kernel = 16, stride = 16) -> to_sequence -> class_token -> positional(learned);
        encoder: transformer_encoder(depth, heads = heads, ff = 4 * dim, dropout = 0.0) with drop_path(0.0..0.1);
        head:    layer_norm -> first_step -> linear(1000);
    }
    loss cross_entropy(label_smoothing = 0.1)
}
