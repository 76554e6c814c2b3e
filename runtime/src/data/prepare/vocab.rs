//! The vocabulary of an input of class indices, as its embeddings read it.

use damper_ir::{Input, OpKind, Source, Statement, op};

/// The name of the model's first input.
pub(crate) fn first_name(inputs: &[Input]) -> Option<&str> {
    inputs.first().map(|input| input.name.as_str())
}

/// The number of classes of the smallest embedding that reads this input. `first` is the input that the first statement
/// reads.
pub(crate) fn least_vocab(
    statements: &[Statement],
    input: &str,
    first: Option<&str>,
) -> Option<usize> {
    let of = |(index, statement): (usize, &Statement)| {
        let source = match &statement.source {
            Source::Previous if index == 0 => first,
            Source::From(name) => Some(name.as_str()),
            _ => None,
        };
        let input_of = |op: usize| source.filter(|_| op == 0);
        let ops = statement.ops.iter().enumerate();
        ops.filter_map(|(op, kind)| match &kind.kind {
            OpKind::Embedding(op::Embedding { vocab, .. }) if input_of(op) == Some(input) => {
                vocab.size()
            }
            OpKind::Model {
                model: Some(model), ..
            } if input_of(op) == Some(input) => {
                let own = first_name(&model.inputs)?;
                least_vocab(&model.layers, own, Some(own))
            }
            // Every branch reads the input of the block.
            OpKind::Parallel { body, .. } => body
                .iter()
                .filter_map(|branch| least_vocab(std::slice::from_ref(branch), input, input_of(op)))
                .min(),
            kind => kind
                .blocks()
                .filter_map(|(_, block)| least_vocab(block, input, input_of(op)))
                .min(),
        })
        .min()
    };
    statements.iter().enumerate().filter_map(of).min()
}
