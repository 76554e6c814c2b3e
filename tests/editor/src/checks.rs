//! The table: what is typed, what is asked, what must be answered.

/// What an editor asks.
#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// The page of what is under the pointer.
    Hover,
    /// Where it is defined: the line.
    Definition,
    /// Where it is used: the lines with their numbers.
    References,
    /// What may stand here.
    Completion,
}

/// One of them.
#[derive(Debug)]
pub struct Check {
    /// In words.
    pub about: &'static str,
    /// The file, `$0` where the pointer is.
    pub source: &'static str,
    /// The question.
    pub request: Request,
    /// Each of these stands in a piece of the answer.
    pub wants: &'static [&'static str],
}

const fn check(
    about: &'static str,
    request: Request,
    source: &'static str,
    wants: &'static [&'static str],
) -> Check {
    Check {
        about,
        source,
        request,
        wants,
    }
}

use Request::{Completion, Definition, Hover, References};

/// A model around some layers, on line 6 of the file.
macro_rules! layers {
    ($layers:literal) => {
        concat!(
            "const WIDTH: usize = 16;\n",
            "damper::model! {\n",
            "    /// About the net.\n",
            "    pub Net<hidden: usize = 32, rate: f64 = 0.1>\n",
            "    input x: [64]\n",
            "    layers { ",
            $layers,
            " }\n",
            "    loss cross_entropy\n",
            "}\n"
        )
    };
}

/// The settings of a model.
macro_rules! train {
    ($settings:literal) => {
        concat!(
            "damper::model! {\n",
            "    pub Net\n",
            "    input x: [64]\n",
            "    layers { head: linear(10); }\n",
            "    loss cross_entropy\n",
            "    train { ",
            $settings,
            " }\n",
            "}\n"
        )
    };
}

/// All of them.
pub const CHECKS: &[Check] = &[
    check(
        "hover: a layer",
        Hover,
        layers!("a: lin$0ear(8) -> relu; b: linear(10);"),
        &["dense layer"],
    ),
    check(
        "hover: an activation",
        Hover,
        layers!("a: linear(8) -> re$0lu; b: linear(10);"),
        &["max"],
    ),
    check(
        "hover: a layer's name",
        Hover,
        layers!("fc$01: linear(8) -> relu; b: linear(10);"),
        &["fc1"],
    ),
    check(
        "hover: an annotation",
        Hover,
        layers!("a: linear(8) -> relu with dro$0pout(0.5) after relu; b: linear(10);"),
        &["Srivastava"],
    ),
    check(
        "hover: the word after `after`",
        Hover,
        layers!("a: linear(8) -> relu with dropout(0.5) after re$0lu; b: linear(10);"),
        &["max"],
    ),
    check(
        "hover: a named argument",
        Hover,
        layers!("a: linear(8, bi$0as = false) -> batch_norm -> relu; b: linear(10);"),
        &["number is added"],
    ),
    check(
        "hover: a word as a value",
        Hover,
        layers!(
            "i: reshape([1, 8, 8]); a: conv2d(8, kernel = 3, padding = sa$0me) -> relu; f: flatten; b: linear(10);"
        ),
        &["keeps the size"],
    ),
    check(
        "hover: a lint's name",
        Hover,
        layers!("a: linear(8) -> relu; #[allow(dropout_feed$0ing_head)] b: linear(10);"),
        &["# Why"],
    ),
    check(
        "hover: a hyper-parameter",
        Hover,
        layers!("a: linear(hid$0den) -> relu; b: linear(10);"),
        &["hidden"],
    ),
    check(
        "hover: a constant",
        Hover,
        layers!("a: linear(WID$0TH) -> relu; b: linear(10);"),
        &["WIDTH"],
    ),
    check(
        "hover: a section",
        Hover,
        "damper::model! { Net inp$0ut x: [4] layers { a: linear(2); } loss mse }",
        &["ONE sample"],
    ),
    check(
        "hover: the model's name shows the table of layers",
        Hover,
        "damper::model! { Net input x: [4] layers { first: linear(2) -> relu; head: linear(3); } loss mse }\nfn f(net: N$0et) {}",
        &["first", "head", "parameters"],
    ),
    check(
        "hover: the model's name in the macro",
        Hover,
        "damper::model! { N$0et input x: [4] layers { first: linear(2) -> relu; head: linear(3); } loss mse }",
        &["first", "head", "parameters"],
    ),
    check(
        "hover: an optimizer",
        Hover,
        train!("optimizer: ada$0mw(lr = 1e-3)"),
        &["1711.05101"],
    ),
    check(
        "hover: an optimizer's argument",
        Hover,
        train!("optimizer: adamw(l$0r = 1e-3)"),
        &["learning rate"],
    ),
    check(
        "hover: a setting",
        Hover,
        train!("epo$0chs: 3"),
        &["passes over"],
    ),
    check(
        "definition: an earlier statement",
        Definition,
        layers!("first: linear(8) -> relu; b: from(fir$0st) -> linear(10);"),
        &["first: linear(8)"],
    ),
    check(
        "definition: an input",
        Definition,
        layers!("a: from($0x) -> linear(8) -> relu; b: linear(10);"),
        &["input x: [64]"],
    ),
    check(
        "definition: a hyper-parameter",
        Definition,
        layers!("a: linear(hid$0den) -> relu; b: linear(10);"),
        &["pub Net<hidden: usize = 32"],
    ),
    check(
        "definition: a hyper-parameter of a model with a mistake",
        Definition,
        layers!("a: linear(hid$0den) -> rleu; b: linear(10);"),
        &["pub Net<hidden: usize = 32"],
    ),
    check(
        "definition: a constant",
        Definition,
        layers!("a: linear(WI$0DTH) -> relu; b: linear(10);"),
        &["const WIDTH: usize = 16;"],
    ),
    check(
        "definition: a constant of a model with a mistake",
        Definition,
        layers!("a: linear(WI$0DTH) -> rleu; b: linear(10);"),
        &["const WIDTH: usize = 16;"],
    ),
    check(
        "definition: a layer's word is its page",
        Definition,
        layers!("a: lin$0ear(8) -> relu; b: linear(10);"),
        &["linear(out)"],
    ),
    check(
        "definition: a lint's name is its page",
        Definition,
        layers!("a: linear(8) -> relu; #[allow(dropout_feed$0ing_head)] b: linear(10);"),
        &["dropout_feeding_head"],
    ),
    check(
        "references: a statement that is used",
        References,
        layers!(
            "first: linear(8) -> relu;\n b: from(fir$0st) -> linear(8);\n c: add(first, b) -> linear(10);"
        ),
        &["6: ", "7: b: from(first)", "8: c: add(first, b)"],
    ),
    check(
        "references: a hyper-parameter",
        References,
        layers!("a: linear(hidd$0en) -> relu;\n b: linear(hidden);"),
        &["4: pub Net", "6: ", "7: b: linear(hidden)"],
    ),
    check(
        "references: a constant",
        References,
        layers!("a: linear(WID$0TH) -> relu;\n b: linear(WIDTH);"),
        &["1: const WIDTH", "7: b: linear(WIDTH)"],
    ),
    check(
        "completion: half a layer",
        Completion,
        layers!("a: lin$0; b: linear(10);"),
        &["linear"],
    ),
    check(
        "completion: half a layer at the end of what is typed",
        Completion,
        layers!("a: linear(8) -> dep$0"),
        &["depthwise_conv2d"],
    ),
    check(
        "completion: half an activation",
        Completion,
        layers!("a: linear(8) -> le$0; b: linear(10);"),
        &["leaky_relu"],
    ),
    check(
        "completion: an empty place in a chain",
        Completion,
        layers!("a: linear(8) -> $0; b: linear(10);"),
        &["relu", "batch_norm"],
    ),
    check(
        "completion: an empty place before the next statement",
        Completion,
        layers!("a: $0 b: linear(10);"),
        &["linear", "from"],
    ),
    check(
        "completion: half an annotation",
        Completion,
        layers!("a: linear(8) -> relu with dr$0; b: linear(10);"),
        &["dropout", "drop_connect"],
    ),
    check(
        "completion: nothing behind `with`",
        Completion,
        layers!("a: linear(8) -> relu with $0; b: linear(10);"),
        &["dropout", "decay"],
    ),
    check(
        "completion: the second annotation",
        Completion,
        layers!("a: linear(8) -> relu with dropout(0.1) after relu, max$0; b: linear(10);"),
        &["max_norm"],
    ),
    check(
        "completion: behind `after`",
        Completion,
        layers!("a: linear(8) -> relu with dropout(0.1) after re$0; b: linear(10);"),
        &["relu"],
    ),
    check(
        "completion: an empty place behind `after`",
        Completion,
        layers!("a: linear(8) -> relu with dropout(0.1) after $0; b: linear(10);"),
        &["relu"],
    ),
    check(
        "completion: behind `on`",
        Completion,
        layers!("a: linear(8) -> relu with decay(l2 = 1e-3) on al$0; b: linear(10);"),
        &["all"],
    ),
    check(
        "completion: half a named argument",
        Completion,
        layers!("a: conv2d(8, str$0) -> relu; b: linear(10);"),
        &["stride"],
    ),
    check(
        "completion: a named argument before its `=`",
        Completion,
        layers!("a: conv2d(8, ker$0 = 3) -> relu; b: linear(10);"),
        &["kernel"],
    ),
    check(
        "completion: a word as a value",
        Completion,
        layers!("a: conv2d(8, kernel = 3, padding = sa$0) -> relu; b: linear(10);"),
        &["same"],
    ),
    check(
        "completion: the words of `positional`",
        Completion,
        layers!("a: positional(sin$0) -> relu; b: linear(10);"),
        &["sinusoidal"],
    ),
    check(
        "completion: `from`",
        Completion,
        layers!("first: linear(8) -> relu; b: from(fi$0) -> linear(10);"),
        &["first"],
    ),
    check(
        "completion: an empty `from`",
        Completion,
        layers!("first: linear(8) -> relu; b: from($0) -> linear(10);"),
        &["first", "x"],
    ),
    check(
        "completion: the second of `add`",
        Completion,
        layers!("first: linear(8) -> relu; second: linear(8); b: add(first, se$0) -> linear(10);"),
        &["second"],
    ),
    check(
        "completion: a hyper-parameter",
        Completion,
        layers!("a: linear(hid$0) -> relu; b: linear(10);"),
        &["hidden"],
    ),
    check(
        "completion: a constant",
        Completion,
        layers!("a: linear(WID$0) -> relu; b: linear(10);"),
        &["WIDTH"],
    ),
    check(
        "completion: a lint's name",
        Completion,
        layers!("a: linear(8) -> relu; #[allow(drop$0)] b: linear(10);"),
        &["dropout_before_output"],
    ),
    check(
        "completion: a loss",
        Completion,
        "damper::model! { Net input x: [4] layers { a: linear(2); } loss cross$0 }",
        &["cross_entropy"],
    ),
    check(
        "completion: a section",
        Completion,
        "damper::model! { Net input x: [4] layers { a: linear(2); } los$0 }",
        &["loss"],
    ),
    check(
        "completion: a metric",
        Completion,
        "damper::model! { Net input x: [4] layers { a: linear(2); } loss mse metrics r$0 }",
        &["rmse", "r2"],
    ),
    check(
        "completion: a setting",
        Completion,
        train!("epo$0"),
        &["epochs"],
    ),
    check(
        "completion: an optimizer",
        Completion,
        train!("optimizer: ada$0"),
        &["adam", "adamw", "adagrad"],
    ),
    check(
        "completion: an optimizer's argument",
        Completion,
        train!("optimizer: adamw(lr = 1e-3, amsg$0)"),
        &["amsgrad"],
    ),
    check(
        "completion: a schedule",
        Completion,
        train!("schedule: cos$0"),
        &["cosine"],
    ),
    check(
        "completion: a backend",
        Completion,
        train!("backend: wg$0"),
        &["wgpu"],
    ),
    check(
        "completion: an argument of a setting",
        Completion,
        train!("early_stop(5, met$0)"),
        &["metric"],
    ),
];
