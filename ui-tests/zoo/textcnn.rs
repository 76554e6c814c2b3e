//! TextCNN (Kim, arXiv 1408.5882).
//! published: 5,990,402
damper::model! {
    pub Net<dim: usize = 300, maps: usize = 100>
    input tokens: [60] of int(vocab = 18765)
    layers {
        table: embedding(18765, dim) -> transpose;
        views: parallel {
            three: conv1d(maps, kernel = 3) -> relu -> global_max_pool;
            four:  conv1d(maps, kernel = 4) -> relu -> global_max_pool;
            five:  conv1d(maps, kernel = 5) -> relu -> global_max_pool;
        } -> concat;
        head:  linear(2) with dropout(0.5) before linear;
    }
    loss cross_entropy
}
