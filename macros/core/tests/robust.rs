//! Whatever stands between the braces of `model!`: no panic, no overflow of a small stack, and an expansion
//! that is Rust.

use damper_ir::Level;
use damper_macros_core::{diagnose, model};
use proc_macro2::{Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use std::fs;
use std::path::Path;
use std::thread;

/// What threads get where nobody asks for more; rustc's own have 8 MiB.
const STACK: usize = 2 << 20;

fn on_a_small_stack(act: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(STACK).spawn(act);
    let result = thread.expect("a thread can be started").join();
    assert!(result.is_ok(), "see the panic above");
}

fn tokens(source: &str) -> TokenStream {
    format!("::damper,\n{source}")
        .parse()
        .expect("the source has tokens")
}

/// A model around some layers.
fn around(layers: &str) -> String {
    format!("Net<hidden: usize = 8>\ninput x: [4]\nlayers {{\n{layers}\n}}\nloss mse\n")
}

/// Expands; the messages of the errors.
#[track_caller]
fn expanded(input: &TokenStream) -> Vec<String> {
    let expansion = model(input.clone());
    assert!(!expansion.is_empty(), "nothing came of {input}");
    if let Err(error) = syn::parse2::<syn::File>(expansion) {
        panic!("{error} in the expansion of {input}");
    }
    let (reports, lowered) = diagnose(input.clone());
    let errors: Vec<_> = reports
        .into_iter()
        .filter(|report| report.level == Level::Deny)
        .collect();
    assert!(
        lowered.is_some() || !errors.is_empty(),
        "a loss without a word: {input}"
    );
    // Tokens from a text have a place in it; what has none would stand at `model!` itself.
    let placed = input.clone().into_iter().any(|tree| is_placed(tree.span()));
    for error in errors.iter().filter(|_| placed) {
        assert!(
            is_placed(error.ends.0) && is_placed(error.ends.1),
            "`{}` stands nowhere in {input}",
            error.message
        );
    }
    errors.into_iter().map(|error| error.message).collect()
}

fn is_placed(span: Span) -> bool {
    !span.byte_range().is_empty()
}

/// `inner` within `depth` pairs of delimiters.
fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn deep_nesting_is_one_error() {
    on_a_small_stack(|| {
        for depth in [100, 1_000, 10_000] {
            let value = |open, close| nested(open, "4", close, depth);
            let sources = [
                around(&nested("residual { ", "linear(4);", " };", depth)),
                around(&nested("repeat(1) { ", "linear(4);", " };", depth)),
                around(&nested("parallel { b: ", "linear(4);", " } -> add;", depth)),
                around(&format!("a: linear({});", value("(", ")"))),
                around(&format!("a: reshape({});", value("[", "]"))),
                around(&format!("a: linear({});", value("{", "}"))),
                around(&format!("a: crate::Other(hidden = {});", value("f(", ")"))),
                format!("#[a({})] {}", value("(", ")"), around("a: linear(4);")),
                format!("Net<hidden: usize = {}>", value("(", ")")),
                format!("Net input x: {}", value("[", "]")),
                format!("Net loss {}", value("custom(", ")")),
                format!("Net train {{ optimizer: {} }}", value("adam(", ")")),
                value("(", ")"),
            ];
            for source in sources {
                let errors = expanded(&tokens(&source));
                assert_eq!(errors, ["more than 96 delimiters inside one another"]);
            }
        }
    });
}

#[test]
fn a_long_value_is_one_error() {
    on_a_small_stack(|| {
        for length in [600, 10_000] {
            let values = [
                format!("{}4", "- ".repeat(length)),
                format!("{}4", "&".repeat(length)),
                format!("{}4", "|| ".repeat(length)),
                format!("{}1", "1 + ".repeat(length)),
                format!("{}1", "1 * hidden + ".repeat(length)),
                format!("4{}", " as usize".repeat(length)),
                nested("A::<", "u8", ">", length),
            ];
            for value in values {
                let errors = expanded(&tokens(&around(&format!("a: linear({value});"))));
                assert_eq!(errors, ["more than 512 tokens in one value"]);
            }
            let attribute = format!("#[allow(reason = {}4)]", "- ".repeat(length));
            let errors = expanded(&tokens(&format!("{attribute} {}", around("a: linear(4);"))));
            assert_eq!(errors, ["more than 512 tokens in one attribute"]);
        }
    });
}

#[test]
fn a_long_list_is_not_a_long_value() {
    let weights = "1.0, ".repeat(1_000);
    let source = format!(
        "Net input x: [4] layers {{ a: linear(1000); }} loss cross_entropy(weights = [{weights}])"
    );
    assert_eq!(expanded(&tokens(&source)), [""; 0]);
}

#[test]
fn long_models_are_models() {
    on_a_small_stack(|| {
        let count = 10_000;
        let statements: Vec<String> = (0..count)
            .map(|index| format!("a{index}: linear(4) -> relu;"))
            .collect();
        let chain = format!("a: linear(4){};", " -> relu".repeat(count));
        for layers in [statements.concat(), chain] {
            assert_eq!(expanded(&tokens(&around(&layers))), [""; 0]);
        }
    });
}

#[test]
fn numbers_without_a_place_in_the_machine_are_not_added_up_wrongly() {
    let most = "9007199254740991";
    let errors = [
        "a: linear(18446744073709551616);".to_owned(),
        "a: linear(340282366920938463463374607431768211456);".to_owned(),
        "a: linear(4) -> relu with dropout(1e400) after relu; b: linear(4);".to_owned(),
        format!("a: linear({most} * {most});"),
        format!("a: repeat({most}) {{ linear(4); }};"),
    ];
    for layers in errors {
        let found = expanded(&tokens(&around(&layers)));
        assert_eq!(found.len(), 1, "`{layers}`: {found:?}");
    }
    let sums = [
        format!("a: linear({most}) -> relu -> linear({most});"),
        format!("a: reshape([2, 2]) -> lstm({most}, layers = {most});"),
        format!("a: reshape([{most}, {most}, {most}]);"),
        format!(
            "a: reshape([1, 2, 2]) -> conv2d({most}, kernel = {most}, padding = {most}, stride = {most});"
        ),
        format!(
            "a: reshape([1, 2, 2]) -> conv_transpose2d({most}, kernel = {most}, stride = {most});"
        ),
        format!(
            "a: reshape([2, 2]) -> transformer_encoder(layers = {most}, heads = 1, ff = {most});"
        ),
    ];
    for layers in sums {
        expanded(&tokens(&around(&layers)));
    }
    expanded(&tokens(&format!(
        "Net input x: [{}] layers {{ a: flatten -> linear(4); }}",
        "2, ".repeat(100)
    )));
}

#[test]
fn texts_and_names_of_every_script() {
    let layers = ["ß: linear(4);", "𝒙: linear(4);", "名前: linear(4);"];
    for layers in layers {
        assert_eq!(expanded(&tokens(&around(layers))), [""; 0], "{layers}");
    }
    for layers in [
        "a: linear(\"日本\");",
        "a: linear('\\u{1F600}');",
        "a: linéar(4);",
        "r#a: linear(4);",
        "_: linear(4);",
    ] {
        assert_eq!(expanded(&tokens(&around(layers))).len(), 1, "{layers}");
    }
}

/// What fuzzing found: a keyword of Rust in the place of a word.
#[test]
fn keywords_in_the_place_of_words() {
    for keyword in ["trait", "as", "self", "crate", "r#train", "_", "fn"] {
        let sources = [
            format!("Net {keyword} {{ a: 1 }}"),
            format!("Net<{keyword}: usize = 1>"),
            format!("Net input {keyword}: [4]"),
            around(&format!("a: {keyword};")),
            around(&format!(
                "a: {keyword}(4) -> {keyword}; b: crate::{keyword} -> {keyword}::X<u8>;"
            )),
            around(&format!("a: linear(4) with {keyword}(0.5);")),
            around("a: linear(4);").replace("mse", keyword),
            format!("{} metrics {keyword}", around("a: linear(4);")),
            format!("{} train {{ {keyword}: 4 }}", around("a: linear(4);")),
            format!(
                "{} train {{ optimizer: {keyword}(4) }}",
                around("a: linear(4);")
            ),
        ];
        for source in sources {
            assert!(!expanded(&tokens(&source)).is_empty(), "{source}");
        }
    }
}

#[test]
fn a_raw_name_of_another_model() {
    for path in ["crate::r#Other", "crate::r#mod::Other"] {
        let layers = around(&format!("a: {path} -> {path}; b: repeat(2) {{ {path}; }};"));
        assert_eq!(expanded(&tokens(&layers)), [""; 0], "{path}");
    }
}

#[test]
fn nothing_at_all() {
    for source in ["", ";", "{}", "Net", "#", "pub", "Net<", "->"] {
        assert!(!expanded(&tokens(source)).is_empty(), "`{source}`");
    }
    assert!(!expanded(&TokenStream::new()).is_empty());
}

/// Blocks as deep as the description allows, in the text that the generated code reads again.
#[test]
fn the_deepest_model_can_be_read_at_run_time() {
    for depth in [1, 8, 16] {
        let source = around(&nested("residual { ", "linear(4);", " };", depth));
        let source = source.replacen("residual", "a: residual", 1);
        let input = tokens(&source);
        assert_eq!(expanded(&input), [""; 0], "{depth}");
        let (_, lowered) = diagnose(input);
        let spec = lowered.expect("the model was understood").spec;
        let text = serde_json::to_string(spec.model()).expect("a description can be written");
        let again: damper_ir::Model = match serde_json::from_str(&text) {
            Ok(again) => again,
            Err(error) => panic!("{depth} blocks inside one another: {error}"),
        };
        let written = serde_json::to_string(&again).expect("a description can be written");
        assert_eq!(written, text);
    }
    let deeper =
        nested("residual { ", "linear(4);", " };", 17).replacen("residual", "a: residual", 1);
    let errors = expanded(&tokens(&around(&deeper)));
    assert_eq!(errors, ["more than 16 blocks inside one another"]);
}

/// The texts between the braces of `model!` in a Rust source.
fn declared(source: &str) -> Vec<String> {
    let Ok(stream) = source.parse::<TokenStream>() else {
        panic!("no tokens in {source}");
    };
    let (mut all, mut queue) = (Vec::new(), vec![stream]);
    while let Some(stream) = queue.pop() {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        for (index, tree) in trees.iter().enumerate() {
            let TokenTree::Group(group) = tree else {
                continue;
            };
            let called = index >= 2
                && trees[index - 2].to_string() == "model"
                && trees[index - 1].to_string() == "!";
            let text = group.span().source_text();
            match text.filter(|_| called) {
                Some(text) => all.push(text[1..text.len() - 1].to_owned()),
                None => queue.push(group.stream()),
            }
        }
    }
    all
}

/// The models of the examples.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/examples");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            all.extend(declared(
                &fs::read_to_string(path).expect("a source is text"),
            ));
        }
    }
    assert!(all.len() >= 10, "{}", all.len());
    all
}

/// The sources of all fixtures of this crate.
fn fixtures() -> Vec<String> {
    let mut all = Vec::new();
    for folder in ["models", "expand", "diagnostics"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(folder);
        let mut paths: Vec<_> = fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("it can be read").path())
            .collect();
        paths.sort();
        all.extend(
            paths
                .iter()
                .map(|path| fs::read_to_string(path).expect("it is text")),
        );
    }
    assert!(all.len() > 100);
    all
}

/// A text and what closes its delimiters, as an editor does it.
fn closed(text: &str) -> String {
    let mut open = Vec::new();
    for letter in text.chars() {
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    let closing: String = open.into_iter().rev().collect();
    format!("::damper,\n{text}\n{closing}")
}

#[test]
fn every_beginning_of_every_example_and_fixture() {
    on_a_small_stack(|| {
        let mut count = 0;
        for source in fixtures().into_iter().chain(examples()) {
            let mut last = String::new();
            for (end, _) in source.char_indices() {
                // Half a string or character is no token: the compiler never asks.
                let Ok(input) = closed(&source[..end]).parse::<TokenStream>() else {
                    continue;
                };
                // A further space is no further beginning.
                let text = input.to_string();
                if text != last {
                    expanded(&input);
                    (count, last) = (count + 1, text);
                }
            }
        }
        assert!(count > 10_000, "{count}");
        println!("{count} beginnings");
    });
}

/// A small generator (xorshift64): what it gives is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// All tokens of a stream, those inside groups too.
fn flat(stream: &TokenStream, all: &mut Vec<TokenTree>) {
    for tree in stream.clone() {
        if let TokenTree::Group(group) = &tree {
            flat(&group.stream(), all);
        }
        all.push(tree);
    }
}

/// Tokens with some of them dropped, doubled, exchanged or replaced by those of other models.
fn mutated(random: &mut Random, stream: &TokenStream, others: &[TokenTree]) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    for tree in stream.clone() {
        let tree = match tree {
            TokenTree::Group(group) => {
                let inner = mutated(random, &group.stream(), others);
                let mut other = Group::new(group.delimiter(), inner);
                other.set_span(group.span());
                TokenTree::Group(other)
            }
            tree => tree,
        };
        match random.below(60) {
            0 => {}
            1 => out.extend([tree.clone(), tree]),
            2 => out.push(others[random.below(others.len())].clone()),
            3 => out.extend([others[random.below(others.len())].clone(), tree]),
            4 => {
                let last = out.pop();
                out.push(tree);
                out.extend(last);
            }
            _ => out.push(tree),
        }
    }
    out.into_iter().collect()
}

#[test]
fn mutated_models() {
    on_a_small_stack(|| {
        let sources: Vec<TokenStream> = fixtures()
            .iter()
            .filter_map(|source| source.parse().ok())
            .collect();
        let mut others = Vec::new();
        for source in &sources {
            flat(source, &mut others);
        }
        for seed in 1..=20 {
            let mut random = Random(seed);
            for source in &sources {
                let scrambled = mutated(&mut random, source, &others);
                expanded(&quote::quote!(::damper, #scrambled));
            }
        }
    });
}

#[test]
fn random_tokens() {
    on_a_small_stack(|| {
        let mut words = Vec::new();
        for source in fixtures() {
            flat(&source.parse().unwrap_or_default(), &mut words);
        }
        words.retain(|tree| !matches!(tree, TokenTree::Group(_)));
        for letter in "#<>=-:;,.&|!*$?@~^%+/".chars() {
            words.push(Punct::new(letter, Spacing::Alone).into());
            words.push(Punct::new(letter, Spacing::Joint).into());
        }
        words.push(Ident::new("layers", Span::call_site()).into());
        words.push(Literal::string("\u{0}\u{202e}").into());
        let somewhere = words[0].span();
        for word in words.iter_mut().filter(|word| !is_placed(word.span())) {
            word.set_span(somewhere);
        }
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..3_000 {
            let stream = random_stream(&mut random, &words, 4);
            let name = tokens("Net");
            expanded(&quote::quote!(#name #stream));
        }
    });
}

fn random_stream(random: &mut Random, words: &[TokenTree], depth: usize) -> TokenStream {
    use proc_macro2::Delimiter::{Brace, Bracket, None, Parenthesis};
    let length = random.below(12);
    (0..length)
        .map(|_| {
            if depth > 0 && random.below(4) == 0 {
                let delimiter = [Brace, Bracket, None, Parenthesis][random.below(4)];
                let inner = random_stream(random, words, depth - 1);
                let mut group = Group::new(delimiter, inner);
                group.set_span(words[random.below(words.len())].span());
                TokenTree::Group(group)
            } else {
                words[random.below(words.len())].clone()
            }
        })
        .collect()
}
