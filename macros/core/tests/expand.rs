//! What declarations expand to: `fixtures/expand/NAME.rs` to `snapshots/expand__NAME.snap`.

use proc_macro2::TokenStream;

/// The expansion as rustfmt would print it; what cannot be parsed is printed as it is.
fn expand(source: &str) -> String {
    let model: TokenStream = source.parse().expect("the fixture is made of tokens");
    // The items that track a `Cargo.toml` have a test of their own.
    let nothing = damper_macros_core::Manifest::default();
    let expansion = damper_macros_core::model_in(quote::quote!(::damper, #model), &nothing);
    match syn::parse2(expansion.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => panic!("the expansion is not Rust: {error}\n{expansion}"),
    }
}

macro_rules! expands {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let source = include_str!(concat!("fixtures/expand/", stringify!($name), ".rs"));
            let expansion = expand(source);
            // `backend` brings an error along, for the runtime crate to drop or to let pass.
            assert!(!expansion.contains("compile_error") || stringify!($name) == "backend", "{expansion}");
            insta::assert_snapshot!(expansion);
        }
    )*};
}

expands! {
    activity
    backend
    batch_norm
    binary
    blocks
    budget
    constants
    convolution
    crowded_names
    custom_layer
    custom_loss
    deep_captures
    digits
    directions
    drop_connect
    every_activation
    memory
    merges
    nested_model
    no_loss
    padded_sequence
    parallel
    parallel_tokens
    private
    regression
    repeat
    residual
    shortcut
    spread
    stochastic
    tied
    transformer_encoder
    values
    weight_rules
}

#[test]
fn a_stub_has_the_interface_of_the_model() {
    let good = include_str!("fixtures/expand/digits.rs");
    let bad = good.replace("linear(10)", "linaer(10)");
    let signatures = |expansion: &str| -> Vec<String> {
        let interface = expansion.lines().map(str::trim);
        interface
            .filter(|line| {
                line.starts_with("pub fn ")
                    || line.starts_with("pub use")
                    || line.starts_with("pub struct")
            })
            .map(str::to_owned)
            .collect()
    };
    let stub = expand(&bad);
    assert!(stub.contains("compile_error"), "{stub}");
    assert!(stub.contains("unreachable"), "{stub}");
    assert_eq!(signatures(&expand(good)), signatures(&stub));
}

#[test]
fn one_declaration_expands_to_the_same_tokens_every_time() {
    let source = include_str!("fixtures/expand/deep_captures.rs");
    assert_eq!(expand(source), expand(source));
}

/// Layers `fc0: linear(8) -> relu;` and so on.
fn many_layers(count: usize) -> String {
    let layer = |index| format!("fc{index}: linear(8) -> relu;\n");
    (0..count).map(layer).collect()
}

#[test]
fn layers_cost_a_few_lines_each() {
    let lines = |count: usize| {
        let layers = many_layers(count);
        expand(&format!("Net input x: [8] layers {{ {layers} }}"))
            .lines()
            .count()
    };
    // Two lines of documentation, field, builder, pass and hint.
    let small = lines(60) - lines(10);
    assert!(small <= 50 * 13, "{small} lines for 50 layers");
    // Where they are many: one more, by which the struct takes its field from a part.
    let large = lines(190) - lines(100);
    assert!(large <= 90 * 14 + 90 / 2, "{large} lines for 90 layers");
}

#[test]
fn a_large_struct_is_built_in_parts() {
    let source = format!(
        "Net<strength: f64 = 0.1>
        input x: [8]
        layers {{
            {}
            block: residual {{ inner: linear(8); }};
            mine: custom(Mine::new(device), output = [8], type = Mine);
            last: linear(8) -> relu with activity(l1 = strength);
        }}",
        many_layers(64)
    );
    let expansion = expand(&source);
    let piece = |from: &str, to: &str| {
        let (_, rest) = expansion.split_once(from).expect("the piece begins");
        let (piece, _) = rest.split_once(to).expect("the piece ends");
        format!("{from}{piece}{to}")
    };
    let shown = [
        piece("::damper::__large_module!(", ");\n"),
        piece("let build = ", "Ok(build.finish(model))"),
    ];
    insta::assert_snapshot!(shown.join("\n"));
}
