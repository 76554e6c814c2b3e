//! The model as a picture: SVG, Graphviz's dot, Mermaid.
//!
//! A box is what is between two blocks of one statement: its operations in their order, what regularizes them, and
//! the shape that comes out; `_` is a size that only the program knows. Blocks are frames around their boxes.
//!
//! ```
//! use damper_ir::{Checked, Model, draw};
//!
//! let model: Model = serde_json::from_str(
//!     r#"{"name": "Net", "inputs": [{"name": "image", "shape": [64]}],
//!         "layers": [{"name": "head", "ops": [{"id": 1, "kind": {"flatten": null}}]}]}"#,
//! )
//! .unwrap_or_default();
//! let model = Checked::new(model);
//! assert!(draw::svg(&model).starts_with("<svg "));
//! assert!(draw::dot(&model).starts_with("digraph"));
//! assert!(draw::mermaid(&model).starts_with("flowchart"));
//! ```

mod picture;
mod svg;
#[cfg(test)]
mod tests;

use crate::Checked;
use picture::{Kind, Picture};
use std::fmt::Write as _;

/// Boxes of an SVG, at most: with more, blocks are one box each, and of a longer chain the middle is left out.
const MOST_BOXES: usize = 40;

/// The model as a self-contained SVG in the reader's own color of text, its layers from top to bottom.
///
/// Beyond 40 boxes a block becomes one box, the innermost first; where that is not enough, the middle of the model is
/// left out and counted. It has no blank line and no `<style>`, so that it can be put into Markdown and HTML.
pub fn svg(model: &Checked) -> String {
    svg::draw(&Picture::of_at_most(model, MOST_BOXES))
}

/// The whole model as a graph for Graphviz, its blocks as clusters: `dot -Tsvg`.
pub fn dot(model: &Checked) -> String {
    let picture = Picture::of_at_most(model, usize::MAX);
    let mut text = format!(
        "digraph {} {{\n  node [shape=box, style=rounded, fontname=monospace];\n  graph [fontname=monospace, style=rounded];\n",
        quoted(&picture.name)
    );
    dot_group(&picture, 0, 1, &mut text);
    for (from, to) in &picture.edges {
        let _ = writeln!(text, "  n{from} -> n{to};");
    }
    text += "}\n";
    text
}

fn dot_group(picture: &Picture, group: usize, depth: usize, text: &mut String) {
    let space = "  ".repeat(depth);
    for &index in &picture.groups[group].nodes {
        let node = &picture.nodes[index];
        let look = match node.kind {
            Kind::Split => "shape=point".to_owned(),
            Kind::Sum => format!("label={}, shape=circle", quoted("+")),
            Kind::Box => {
                let lines: Vec<String> = node.lines().iter().map(|line| escaped(line)).collect();
                format!("label=\"{}\"", lines.join("\\n"))
            }
        };
        let _ = writeln!(text, "{space}n{index} [{look}];");
    }
    for &inner in &picture.groups[group].groups {
        let label = quoted(&picture.groups[inner].label);
        let _ = writeln!(
            text,
            "{space}subgraph cluster_{inner} {{\n{space}  label={label};"
        );
        dot_group(picture, inner, depth + 1, text);
        let _ = writeln!(text, "{space}}}");
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// The inside of a string of dot.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// The whole model as a Mermaid flowchart, its blocks as subgraphs: what GitHub draws in Markdown.
pub fn mermaid(model: &Checked) -> String {
    let picture = Picture::of_at_most(model, usize::MAX);
    let mut text = "flowchart TD\n".to_owned();
    mermaid_group(&picture, 0, 1, &mut text);
    for (from, to) in &picture.edges {
        let _ = writeln!(text, "  n{from} --> n{to}");
    }
    text
}

fn mermaid_group(picture: &Picture, group: usize, depth: usize, text: &mut String) {
    let space = "  ".repeat(depth);
    for &index in &picture.groups[group].nodes {
        let node = &picture.nodes[index];
        let _ = match node.kind {
            Kind::Split => writeln!(text, "{space}n{index}(( ))"),
            Kind::Sum => writeln!(text, "{space}n{index}((\"#43;\"))"),
            Kind::Box => {
                let lines: Vec<String> = node.lines().iter().map(|line| entities(line)).collect();
                writeln!(text, "{space}n{index}[\"{}\"]", lines.join("<br/>"))
            }
        };
    }
    for &inner in &picture.groups[group].groups {
        let label = entities(&picture.groups[inner].label);
        let _ = writeln!(text, "{space}subgraph g{inner}[\"{label}\"]");
        mermaid_group(picture, inner, depth + 1, text);
        let _ = writeln!(text, "{space}end");
    }
}

/// A label of Mermaid: what means something to it or to HTML by its number.
fn entities(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' => {
                let _ = write!(safe, "#{};", u32::from(letter));
            }
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
