//! Small drawings by hand, and what holds of every drawing.

use super::{dot, mermaid, svg};
use crate::tests::builder::*;
use crate::{Merge, Model, OpKind, RuleKind, Source, Value};

/// The texts of an SVG in its order; fails where a tag is not closed.
fn texts(svg: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut texts = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        let word = tag.split_whitespace().next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !tag.ends_with('/') {
            open.push(word);
        }
        if !text.trim().is_empty() {
            texts.push(text.trim().to_owned());
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(!svg.contains("\n\n"));
    texts
}

fn boxes(svg: &str) -> usize {
    svg.matches("rx='4'").count()
}

fn two_layers() -> Model {
    classifier(vec![
        layer("fc1", [linear(128), relu(), dropout(0.5)]).with(decay(0.0, 0.001)),
    ])
}

fn gate() -> Model {
    let branches = vec![layer("a", [linear(8)]), layer("b", [linear(8), relu()])];
    let tower = OpKind::Parallel {
        body: branches,
        merge: Merge::Concat,
    };
    model(vec![
        layer("tower", [tower]),
        layer("both", [relu()]).from(Source::Add(names(&["tower", "tower"]))),
    ])
}

#[test]
fn mermaid_of_two_layers() {
    let expected = r#"flowchart TD
  n0["x<br/>input<br/>[64]"]
  n1["fc1<br/>linear(128)<br/>relu<br/>dropout(0.5)<br/>decay(l1 = 0, l2 = 0.001)<br/>[128]"]
  n2["head<br/>linear(10)<br/>[10]"]
  n3["loss<br/>cross_entropy"]
  n0 --> n1
  n1 --> n2
  n2 --> n3
"#;
    assert_eq!(mermaid(&two_layers().checked()), expected);
}

#[test]
fn dot_of_a_residual_with_its_shortcut() {
    let body = vec![layer("fc", [linear(10), relu()])];
    let shortcut = vec![layer("project", [linear(10)])];
    let model = model(vec![layer(
        "block",
        [residual_with(body, shortcut), relu()],
    )]);
    let expected = r#"digraph "Net" {
  node [shape=box, style=rounded, fontname=monospace];
  graph [fontname=monospace, style=rounded];
  n0 [label="x\ninput\n[64]"];
  n5 [label="relu\n[10]"];
  subgraph cluster_1 {
    label="block: residual";
    n1 [shape=point];
    n2 [label="fc\nlinear(10)\nrelu\n[10]"];
    n3 [label="project\nlinear(10)\n[10]"];
    n4 [label="+", shape=circle];
  }
  n0 -> n1;
  n1 -> n2;
  n1 -> n3;
  n2 -> n4;
  n3 -> n4;
  n4 -> n5;
}
"#;
    assert_eq!(dot(&model.checked()), expected);
}

#[test]
fn the_branches_of_a_parallel_meet_in_its_merge() {
    let text = mermaid(&gate().checked());
    for arrow in [
        "n1 --> n2",
        "n1 --> n3",
        "n2 --> n4",
        "n3 --> n4",
        "n4 --> n5",
    ] {
        assert!(text.contains(arrow), "{arrow} in\n{text}");
    }
    assert!(text.contains("n4[\"concat<br/>[16]\"]"), "{text}");
    assert!(text.contains("n5[\"both<br/>add(tower, tower)<br/>relu<br/>[16]\"]"));
}

#[test]
fn an_svg_shows_every_layer_once() {
    let expected = "x input [64] fc1 linear(128) relu dropout(0.5) decay(l1 = 0, l2 = 0.001) [128] head linear(10) \
                    [10] loss cross_entropy";
    assert_eq!(texts(&svg(&two_layers().checked())).join(" "), expected);
}

#[test]
fn an_identity_runs_past_its_branch() {
    let model = model(vec![layer(
        "block",
        [stochastic_depth(vec![layer("fc", [linear(64)])], 0.1, 0.1)],
    )]);
    let text = svg(&model.checked());
    let all = texts(&text);
    assert!(
        all.contains(&"block: residual, drop_path(0.1)".to_owned()),
        "{all:?}"
    );
    // From the point at y = 125 to the rail, down beside the branch, back to the sum.
    let rail = "M127 125C127 139 187 139 187 153V211C187 225 127 225 127 239";
    assert!(text.contains(rail), "{text}");
}

#[test]
fn a_repeat_of_unknown_length_has_one_copy() {
    let block = OpKind::repeat(Value::unknown(), vec![layer("fc", [linear(64), relu()])]);
    let model = model(vec![layer("deep", [block])]);
    assert!(texts(&svg(&model.checked())).contains(&"deep: repeat × _".to_owned()));
    assert!(mermaid(&model.checked()).contains("subgraph g1[\"deep: repeat × _\"]"));
}

#[test]
fn beyond_forty_boxes_a_block_is_one_box() {
    let block = |index: usize| {
        let body = (0..3).map(|at| layer(&format!("fc{at}"), [linear(64), relu()]));
        layer(&format!("block{index}"), [residual(body.collect())])
    };
    let small = model((0..5).map(block).collect());
    assert!(texts(&svg(&small.checked())).contains(&"fc0".to_owned()));
    let large = model((0..20).map(block).collect());
    let shown = texts(&svg(&large.checked()));
    assert!(!shown.contains(&"fc0".to_owned()));
    assert!(shown.contains(&"block19".to_owned()));
    assert!(dot(&large.checked()).contains("fc2"));
}

#[test]
fn the_middle_of_a_long_chain_is_counted() {
    let chain = (0..1000).map(|index| layer(&format!("fc{index}"), [linear(64), relu()]));
    let chain = classifier(chain.collect());
    let drawn = svg(&chain.checked());
    assert!(boxes(&drawn) <= 40, "{}", boxes(&drawn));
    let shown = texts(&drawn);
    for text in ["fc0", ".. 964 statements ..", "head", "cross_entropy"] {
        assert!(shown.contains(&text.to_owned()), "{text} in {shown:?}");
    }
    assert!(mermaid(&chain.checked()).contains("fc999"));
}

#[test]
fn names_cannot_leave_their_labels() {
    let hostile = "</text><script>alert('&\"\\\n]}; #`";
    let mut net = model(vec![layer("fc", [linear(8)]).with(RuleKind::Freeze)]);
    net.name = hostile.to_owned();
    net.inputs[0].name = hostile.to_owned();
    net.layers[0].name = hostile.to_owned();
    let drawn = svg(&net.checked());
    assert!(!drawn.contains("<script"));
    let shown = texts(&drawn);
    assert!(
        shown
            .iter()
            .any(|text| text.starts_with("&lt;/text&gt;&lt;script"))
    );
    let text = dot(&net.checked());
    assert_eq!(text.lines().count(), 7, "{text}");
    assert!(text.contains(r#"<script>alert('&\"\\ ]}; #`"#));
    let text = mermaid(&net.checked());
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.contains("#60;script#62;alert('#38;#34;#92; ]}#59; #35;#96;"),
        "{text}"
    );
}

#[test]
fn a_model_without_anything_is_a_drawing() {
    let nothing = Model::default();
    assert_eq!(texts(&svg(&nothing.checked())), Vec::<String>::new());
    assert_eq!(mermaid(&nothing.checked()), "flowchart TD\n");
}
