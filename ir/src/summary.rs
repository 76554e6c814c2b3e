//! The table that a person reads.

use crate::walk::DEEPEST;
use crate::{
    Counts, Inferred, Model, Op, OpKind, Shape, Source, Statement, bytes, counts, grouped,
};
use std::fmt::{self, Display, Formatter};

/// A model as a table: [`Display`] gives aligned columns, [`Summary::markdown`] a table for rustdoc.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// One row for each input and statement; those of a block are indented below it.
    pub rows: Vec<Row>,
    /// The whole model.
    pub totals: Counts,
}

/// One row of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How many blocks contain it.
    pub depth: usize,
    /// Its name.
    pub layer: String,
    /// What it does: `linear(128) -> relu`.
    pub operation: String,
    /// The shape of its value, without the batch axis; `_` where it is not known.
    pub output: String,
    /// Its parameters, all copies included; empty if it has none.
    pub parameters: String,
    /// The operations of its matrix products for one sample, all copies included ([`Counts::flops`]); empty if it has none.
    pub flops: String,
    /// What regularizes it: `dropout(0.5), decay(l2 = 0.001)`.
    pub regularization: String,
}

const COLUMNS: usize = 6;

const HEADS: [&str; COLUMNS] = [
    "layer",
    "operation",
    "output",
    "parameters",
    "FLOPs",
    "regularization",
];

/// The columns of numbers.
const NUMBERS: std::ops::RangeInclusive<usize> = 3..=4;

/// What the totals count, for those who read them.
const COUNTED: &str = "FLOPs: matrix products alone, a multiplication and an addition for each multiply-accumulate. Memory: weights and \
                       activations of one sample, 4 bytes a number.";

/// The table of a model's layers.
pub(crate) fn of(model: &Model, inferred: &Inferred) -> Summary {
    let mut rows = Vec::new();
    for input in &model.inputs {
        let shape = Shape(input.shape.iter().map(crate::Value::size).collect());
        rows.push(Row {
            depth: 0,
            layer: input.name.clone(),
            operation: "input".to_owned(),
            output: shape.to_string(),
            parameters: String::new(),
            flops: String::new(),
            regularization: String::new(),
        });
    }
    let mut walk = Rows {
        inferred,
        path: Vec::new(),
        found: rows,
    };
    walk.block(&model.layers, "", 0, 1);
    let rows = walk.found;
    Summary {
        name: model.name.clone(),
        rows,
        totals: counts::of_block(&model.layers, inferred, 0),
    }
}

struct Rows<'m, 'i> {
    inferred: &'i Inferred,
    path: Vec<&'m str>,
    found: Vec<Row>,
}

impl<'m> Rows<'m, '_> {
    fn block(&mut self, statements: &'m [Statement], prefix: &str, depth: usize, copies: usize) {
        if depth > DEEPEST {
            return;
        }
        for statement in statements {
            self.path.push(&statement.name);
            let mut row = row(statement, self.inferred, &self.path.join("."), copies);
            row.depth = depth;
            row.layer.insert_str(0, prefix);
            self.found.push(row);
            for op in &statement.ops {
                let copies = copies.saturating_mul(op.kind.copies());
                for (name, block) in op.kind.blocks() {
                    self.path.extend(name);
                    let prefix = name.map_or_else(String::new, |name| format!("{name}."));
                    self.block(block, &prefix, depth + 1, copies);
                    if name.is_some() {
                        self.path.pop();
                    }
                }
            }
            self.path.pop();
        }
    }
}

fn row(statement: &Statement, inferred: &Inferred, path: &str, copies: usize) -> Row {
    let mut operations: Vec<String> = source(&statement.source).into_iter().collect();
    let mut regularization: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !regularization.contains(&text) {
            regularization.push(text);
        }
    };
    for op in &statement.ops {
        match &op.kind {
            OpKind::Stochastic(_) | OpKind::Activity(_) => add(op.kind.to_string()),
            kind => operations.push(kind.to_string()),
        }
        op.kind.annotations().into_iter().for_each(&mut add);
        for rule in &op.rules {
            add(rule.to_string());
        }
    }
    let output = match statement.ops.last() {
        Some(op) => inferred.output_of(op.id),
        None => inferred.value_of(path),
    };
    let [parameters, flops] = counted(&statement.ops, inferred, copies);
    Row {
        depth: 0,
        layer: statement.name.clone(),
        operation: operations.join(" -> "),
        output: output.map_or_else(|| "_".to_owned(), ToString::to_string),
        parameters,
        flops,
        regularization: regularization.join(", "),
    }
}

/// The parameters and the operations of a statement.
fn counted(ops: &[Op], inferred: &Inferred, copies: usize) -> [String; 2] {
    let (mut parameters, mut flops, mut incomplete) = (0_usize, 0_usize, false);
    for op in ops {
        let counts = counts::of(op, inferred, 0);
        parameters = parameters.saturating_add(counts.parameters);
        flops = flops.saturating_add(counts.flops());
        let passes = matches!(
            op.kind,
            OpKind::Activation(_) | OpKind::Stochastic(_) | OpKind::Activity(_)
        );
        incomplete |= counts.incomplete && !passes;
    }
    [parameters, flops].map(|count| match (count, incomplete) {
        (0, true) => "_".to_owned(),
        (0, false) => String::new(),
        (_, true) => format!("{} + _", grouped(count.saturating_mul(copies))),
        (_, false) => grouped(count.saturating_mul(copies)),
    })
}

/// The source as written, if it was.
pub(crate) fn source(source: &Source) -> Option<String> {
    let word = source.word()?;
    let along = match source {
        Source::ConcatTime(_) => ", axis = time",
        _ => "",
    };
    Some(format!("{word}({}{along})", source.names().join(", ")))
}

impl Row {
    fn cells(&self, indent: &str) -> [String; COLUMNS] {
        [
            format!("{}{}", indent.repeat(self.depth), self.layer),
            self.operation.clone(),
            self.output.clone(),
            self.parameters.clone(),
            self.flops.clone(),
            self.regularization.clone(),
        ]
    }
}

impl Summary {
    /// The totals in one line.
    pub fn total(&self) -> String {
        let counts = self.totals;
        let least = if counts.incomplete { "at least " } else { "" };
        let trained = if counts.trained == counts.parameters {
            String::new()
        } else {
            format!(" ({} trained)", grouped(counts.trained))
        };
        format!(
            "{least}{} parameters{trained}; for one sample {} FLOPs, {} activations, {} of memory",
            grouped(counts.parameters),
            grouped(counts.flops()),
            grouped(counts.activations),
            bytes(counts.memory())
        )
    }

    /// The table in Markdown, for rustdoc; the totals are a paragraph below.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "| {} |\n| --- | --- | --- | ---: | ---: | --- |\n",
            HEADS.join(" | ")
        );
        for row in &self.rows {
            // Spaces at which no line is broken.
            let mut cells = row.cells("\u{a0}\u{a0}\u{a0}").map(|cell| escaped(&cell));
            cells[2] = cells[2].replace(' ', "\u{a0}");
            text.extend(["| ", &cells.join(" | "), " |\n"]);
        }
        text.extend(["\n**In total** ", &self.total(), ".\n\n", COUNTED, "\n"]);
        text
    }
}

/// A cell that Markdown shows as it is.
fn escaped(cell: &str) -> String {
    let mut text = String::new();
    for letter in cell.chars() {
        if matches!(letter, '|' | '[' | ']' | '<' | '>' | '_' | '*' | '`' | '\\') {
            text.push('\\');
        }
        text.push(if letter == '\n' { ' ' } else { letter });
    }
    text
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut table = vec![HEADS.map(str::to_owned)];
        table.extend(self.rows.iter().map(|row| row.cells("  ")));
        let mut widths = [0; COLUMNS];
        for cells in &table {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        writeln!(f, "{}", self.name)?;
        for (index, cells) in table.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
                if column > 0 {
                    line.push_str("  ");
                }
                let space = " ".repeat(width.saturating_sub(cell.chars().count()));
                line.extend(if NUMBERS.contains(&column) {
                    [space.as_str(), cell]
                } else {
                    [cell, space.as_str()]
                });
            }
            writeln!(f, "{}", line.trim_end())?;
            if index == 0 {
                writeln!(f, "{rule}")?;
            }
        }
        writeln!(f, "{rule}")?;
        write!(f, "{}\n({COUNTED})", self.total())
    }
}
