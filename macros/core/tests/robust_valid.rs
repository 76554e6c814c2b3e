//! Right models at random: the rules agree with a second opinion about shapes, and the expansion is Rust.
//!
//! Some of them are compiled and run: `DAMPER_UPDATE=1 cargo test -p damper-macros-core --test robust_valid` writes
//! `ui-tests/pass/random.rs` anew.

use damper_ir::{Level, Parameter, Role};
use damper_macros_core::{Lowered, Manifest, diagnose, model_in};
use proc_macro2::TokenStream;
use std::fmt::Write;
use std::path::Path;

/// How the axes of a value are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// `[time]` of class indices.
    Tokens,
    /// `[features]`
    Vector,
    /// `[time, features]`
    Sequence,
    /// `[channels, ..]` with so many spatial axes.
    Channels(usize),
}

#[derive(Clone, Debug, PartialEq)]
struct Value {
    kind: Kind,
    shape: Vec<usize>,
}

impl Value {
    fn new(kind: Kind, shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        Self { kind, shape }
    }

    /// The same with another last axis.
    fn last(&self, size: usize) -> Self {
        let mut other = self.clone();
        other.shape.pop();
        other.shape.push(size);
        other
    }
}

/// A small generator (xorshift64): what it gives is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % end.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// From 1 to `end`.
    fn size(&mut self, end: usize) -> usize {
        1 + self.below(end)
    }

    fn truth(&mut self) -> bool {
        self.below(2) == 1
    }
}

/// A model, and the shapes that it must have.
struct Draft {
    text: String,
    input: Value,
    output: Value,
}

fn draft(seed: u64, name: &str) -> Draft {
    // The first numbers of small seeds are much alike.
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let random = &mut random;
    let input = match random.below(6) {
        0 => Value::new(Kind::Vector, [random.size(6)]),
        1 => Value::new(Kind::Sequence, [random.size(5), 2 * random.size(3)]),
        2 => Value::new(Kind::Tokens, [random.size(5)]),
        3 => Value::new(Kind::Channels(1), [random.size(4), 4 + random.below(5)]),
        4 => Value::new(Kind::Channels(2), [random.size(4), 4 + random.below(4), 4]),
        _ => Value::new(Kind::Channels(3), [random.size(2), 4, 4, 5]),
    };
    let of = if input.kind == Kind::Tokens {
        " of int"
    } else {
        ""
    };
    let mut text = format!(
        "#[allow(damper::all)]\npub {name}\ninput x: {:?}{of}\nlayers {{\n",
        input.shape
    );
    let (mut value, mut before) = (input.clone(), Vec::new());
    for index in 0..random.size(6) {
        let mut source = String::new();
        // A merge with an earlier value, where one fits.
        let other: Option<&(String, Value)> = before.get(random.below(before.len().max(3)));
        let last: Option<&(String, Value)> = before.last();
        if let (Some((a, one)), Some((b, two))) = (other, last)
            && a != b
        {
            if one == two && random.truth() {
                source = format!("{}({a}, {b}) -> ", random.pick(&["add", "mul"]));
            } else if (one.kind, two.kind) == (Kind::Vector, Kind::Vector) {
                source = format!("concat({a}, {b}) -> ");
                value = Value::new(Kind::Vector, [one.shape[0] + two.shape[0]]);
            } else if random.truth() {
                source = format!("from({a}) -> ");
                value = one.clone();
            }
        }
        let mut chain = Vec::new();
        for _ in 0..random.size(3) {
            let (op, next) = step(random, &value);
            chain.push(op);
            value = next;
        }
        let _ = writeln!(text, "    s{index}: {source}{};", chain.join(" -> "));
        before.push((format!("s{index}"), value.clone()));
    }
    if value.kind == Kind::Vector && random.truth() {
        let decay = random.pick(&["", " with decay(l2 = 1e-3)", " with max_norm(2.0)"]);
        let _ = writeln!(text, "    head: linear(3){decay};");
        value = Value::new(Kind::Vector, [3]);
        text.push_str("}\nloss cross_entropy\n");
    } else {
        text.push_str("}\n");
    }
    Draft {
        text,
        input,
        output: value,
    }
}

/// One operation that suits the value, and what it gives.
fn step(random: &mut Random, value: &Value) -> (String, Value) {
    if value.kind == Kind::Tokens {
        let dim = 2 * random.size(3);
        let shape = [value.shape[0], dim];
        return (
            format!("embedding(9, {dim})"),
            Value::new(Kind::Sequence, shape),
        );
    }
    match random.below(9) {
        0 => (activation(random).to_owned(), value.clone()),
        1 => {
            let rate = random.pick(&["dropout(0.1)", "gaussian_dropout(0.1)", "noise(0.1)"]);
            (rate.to_owned(), value.clone())
        }
        2 => block(random, value),
        _ => match value.kind {
            Kind::Tokens | Kind::Vector => vector(random, value),
            Kind::Sequence => sequence(random, value),
            Kind::Channels(axes) => channels(random, value, axes),
        },
    }
}

fn activation(random: &mut Random) -> &'static str {
    random.pick(&[
        "relu",
        "tanh",
        "gelu",
        "silu",
        "elu",
        "mish",
        "leaky_relu",
        "prelu",
        "hard_swish",
        "softplus",
    ])
}

/// A block around what keeps the shape.
fn block(random: &mut Random, value: &Value) -> (String, Value) {
    let inner = keeping(random, value);
    let other = keeping(random, value);
    let text = match random.below(5) {
        0 => format!("residual {{ {inner}; }}"),
        1 => format!(
            "residual {{ {inner}; {other}; }} shortcut {{ {}; }}",
            keeping(random, value)
        ),
        2 => format!("repeat({}) {{ {inner} -> relu; }}", random.size(3)),
        3 => format!("repeat(2) {{ b: residual {{ {inner}; }} -> tanh; }}"),
        _ => {
            let merge = random.pick(&["add", "mul", "concat"]);
            let mut whole = value.clone();
            if merge == "concat" {
                let axis = match value.kind {
                    Kind::Channels(_) => 0,
                    _ => value.shape.len() - 1,
                };
                whole.shape[axis] *= 2;
            }
            let text = format!("parallel {{ a: {inner}; b: {other}; }} -> {merge}");
            return (text, whole);
        }
    };
    (text, value.clone())
}

/// Operations that give the shape they take.
fn keeping(random: &mut Random, value: &Value) -> String {
    let features = value.shape[value.shape.len() - 1];
    match value.kind {
        Kind::Channels(axes) => {
            let channels = value.shape[0];
            let bias = random.truth();
            match random.below(3) {
                0 => format!("conv{axes}d({channels}, kernel = 3, padding = same, bias = {bias})"),
                1 => format!("depthwise_conv{axes}d(3, padding = 1, bias = {bias})"),
                _ => format!("batch_norm -> conv{axes}d({channels}, kernel = 1)"),
            }
        }
        Kind::Sequence if random.truth() => match random.below(4) {
            0 => format!("gru({features})"),
            1 => "layer_norm -> attention(heads = 1)".to_owned(),
            2 => format!("transformer_encoder(1, heads = 1, ff = {})", random.size(5)),
            _ => format!("swiglu({features})"),
        },
        _ => match random.below(3) {
            0 => format!("linear({features})"),
            1 => format!("layer_norm -> linear({features}) -> {}", activation(random)),
            _ => format!("linear(3) -> rms_norm -> linear({features})"),
        },
    }
}

fn vector(random: &mut Random, value: &Value) -> (String, Value) {
    let out = random.size(6);
    match random.below(6) {
        0 => (format!("swiglu({out})"), value.last(out)),
        1 => ("layer_norm".to_owned(), value.clone()),
        2 => ("batch_norm".to_owned(), value.clone()),
        3 => {
            let features = value.shape[0];
            (format!("reshape([{features}]) -> flatten"), value.clone())
        }
        _ => (
            format!("linear({out}, bias = {})", random.truth()),
            value.last(out),
        ),
    }
}

fn sequence(random: &mut Random, value: &Value) -> (String, Value) {
    let (time, features) = (value.shape[0], value.shape[1]);
    let vector = |features: usize| Value::new(Kind::Vector, [features]);
    let out = 2 * random.size(3);
    match random.below(10) {
        0 | 1 => {
            let (cell, layers) = (random.pick(&["lstm", "gru", "rnn"]), random.size(2));
            let both = random.truth();
            (
                format!("{cell}({out}, layers = {layers}, bidirectional = {both})"),
                value.last(if both { 2 * out } else { out }),
            )
        }
        2 => {
            let heads = if features % 2 == 0 { 2 } else { 1 };
            let text = format!("attention(heads = {heads}, causal = {})", random.truth());
            (text, value.clone())
        }
        3 => {
            let learned = features % 2 == 1 || random.truth();
            let encoding = if learned { "learned" } else { "sinusoidal" };
            (format!("positional({encoding})"), value.clone())
        }
        4 => {
            let longer = Value::new(Kind::Sequence, [time + 1, features]);
            ("class_token".to_owned(), longer)
        }
        5 => {
            let step = random.pick(&["first_step", "last_step"]);
            (step.to_owned(), vector(features))
        }
        6 => {
            let reduce = random.pick(&["mean", "max"]);
            (format!("{reduce}(axis = time)"), vector(features))
        }
        7 => ("flatten".to_owned(), vector(time * features)),
        8 => ("rms_norm".to_owned(), value.clone()),
        _ => (format!("linear({out})"), value.last(out)),
    }
}

fn channels(random: &mut Random, value: &Value, axes: usize) -> (String, Value) {
    let (channels, spatial) = (value.shape[0], &value.shape[1..]);
    let of = |channels: usize, size: &dyn Fn(usize) -> usize| {
        let mut shape = vec![channels];
        shape.extend(spatial.iter().map(|n| size(*n)));
        Value::new(Kind::Channels(axes), shape)
    };
    let smallest = spatial.iter().copied().min().unwrap_or(1);
    let out = random.size(4);
    match random.below(11) {
        0 | 1 => {
            let kernel = random.size(smallest.min(3));
            let (stride, padding) = (random.size(2), random.below(kernel.div_ceil(2)));
            let text = format!(
                "conv{axes}d({out}, kernel = {kernel}, stride = {stride}, padding = {padding})"
            );
            let size = |n| (n + 2 * padding - kernel) / stride + 1;
            (text, of(out, &size))
        }
        2 => {
            let text = format!(
                "conv{axes}d({}, kernel = 3, padding = same, groups = {channels})",
                channels * out
            );
            (text, of(channels * out, &|n| n))
        }
        3 if smallest < 8 => {
            let text = format!("conv_transpose{axes}d({out}, kernel = 2, stride = 2)");
            (text, of(out, &|n| 2 * n))
        }
        4 if smallest > 1 => {
            let kind = random.pick(&["max", "avg"]);
            (format!("{kind}_pool{axes}d(2)"), of(channels, &|n| n / 2))
        }
        5 => {
            let size = random.size(3);
            let text = format!("adaptive_avg_pool{axes}d({size})");
            (text, of(channels, &|_| size))
        }
        6 => {
            let groups = random.pick(&[1, channels]);
            (format!("group_norm({groups})"), value.clone())
        }
        7 => {
            let norm = random.pick(&["batch_norm", "spatial_dropout(0.1)"]);
            (norm.to_owned(), value.clone())
        }
        8 => {
            let pool = random.pick(&["global_avg_pool", "global_max_pool"]);
            (pool.to_owned(), Value::new(Kind::Vector, [channels]))
        }
        9 => {
            let positions = spatial.iter().product();
            let shape = [positions, channels];
            ("to_sequence".to_owned(), Value::new(Kind::Sequence, shape))
        }
        _ => {
            let all: usize = value.shape.iter().product();
            ("flatten".to_owned(), Value::new(Kind::Vector, [all]))
        }
    }
}

/// The model, which must be right.
#[track_caller]
fn understood(draft: &Draft) -> Lowered {
    let text = &draft.text;
    let (reports, lowered) = diagnose(tokens(text));
    let errors: Vec<_> = reports
        .iter()
        .filter(|report| report.level == Level::Deny)
        .map(damper_macros_core::diag::Diagnostic::text)
        .collect();
    assert!(errors.is_empty(), "{errors:#?} in {text}");
    lowered.expect("what has no errors was understood")
}

fn tokens(text: &str) -> TokenStream {
    format!("::damper,\n{text}")
        .parse()
        .expect("the source has tokens")
}

#[test]
fn right_models_at_random() {
    for seed in 1..=1_500 {
        let draft = draft(seed, "Net");
        let text = &draft.text;
        let spec = understood(&draft).spec;
        let inferred = spec.shapes();
        let shape: Option<Vec<usize>> = inferred
            .output()
            .and_then(|shape| shape.0.iter().copied().collect());
        assert_eq!(shape.as_ref(), Some(&draft.output.shape), "{seed}: {text}");
        let counts = spec.counts();
        let sum: usize = spec
            .parameters()
            .iter()
            .filter(|parameter| parameter.role != Role::Running)
            .filter_map(Parameter::count)
            .sum();
        assert_eq!(counts.parameters, sum, "{seed}: {text}");
        assert!(!counts.incomplete, "{seed}: {text}");
        assert_eq!(spec.summary().totals.parameters, sum, "{seed}: {text}");
        let expansion = model_in(tokens(text), &Manifest::default());
        if let Err(error) = syn::parse2::<syn::File>(expansion) {
            panic!("{seed}: {error} in the expansion of {text}");
        }
    }
}

/// Models that are compiled and run.
const COMPILED: u64 = 16;

/// A source that compares the shape of a forward pass with the one that was drawn up.
fn source() -> String {
    let mut out = String::from(
        "//! Right models at random: `forward` gives the shape that was inferred.\n//!\n\
         //! Written by `DAMPER_UPDATE=1 cargo test -p damper-macros-core --test robust_valid`.\n\n\
         use damper::burn::tensor::{Device, Int, Tensor};\nuse damper::model;\n",
    );
    let mut checks = String::new();
    for seed in 1..=COMPILED {
        let draft = draft(seed, &format!("Random{seed}"));
        let _ = write!(out, "\nmodel! {{\n");
        for line in draft.text.lines() {
            let _ = writeln!(out, "    {line}");
        }
        out.push_str("}\n");
        let kind = match draft.input.kind {
            Kind::Tokens => ", Int",
            _ => "",
        };
        let batch = |shape: &[usize]| {
            let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
            format!("[2, {}]", shape.join(", "))
        };
        let _ = write!(
            checks,
            "\n    let model = Random{seed}Config::new().init(&device).unwrap();\n    \
             let x = Tensor::<{}{kind}>::ones({}, &device);\n    \
             assert_eq!(model.forward(x).dims(), {});\n",
            draft.input.shape.len() + 1,
            batch(&draft.input.shape),
            batch(&draft.output.shape),
        );
    }
    let _ = write!(
        out,
        "\n#[test]\nfn a_forward_pass_gives_the_inferred_shape() {{\n    let device = Device::flex();\n{checks}}}\n"
    );
    out
}

#[test]
fn the_compiled_ones_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui-tests/pass/random.rs");
    let source = source();
    if std::env::var_os("DAMPER_UPDATE").is_some() {
        std::fs::write(&path, &source).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == source,
        "run `DAMPER_UPDATE=1 cargo test -p damper-macros-core --test robust_valid`"
    );
}
