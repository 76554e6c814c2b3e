//! "Did you mean": the word nearest to a misspelt one.

/// The candidate that `word` was probably meant to be, by edit distance (a swap of neighbours is one edit).
///
/// At most a third of the letters may differ, so that unrelated words are not proposed.
///
/// ```
/// use damper_spec::suggest;
///
/// assert_eq!(suggest("linaer", ["linear", "relu"]), Some("linear"));
/// assert_eq!(suggest("droput", ["dropout", "drop_path"]), Some("dropout"));
/// assert_eq!(suggest("banana", ["linear", "relu"]), None);
/// ```
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let wanted: Vec<char> = plain(word).chars().take(64).collect();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = plain(candidate).chars().take(64).collect();
            let edits = distance(&wanted, &other);
            (edits <= wanted.len().max(other.len()).div_ceil(3)).then_some((edits, candidate))
        })
        .min_by_key(|(edits, _)| *edits)
        .filter(|(edits, _)| *edits < wanted.len().max(1))
        .map(|(_, candidate)| candidate)
}

/// The optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn the_nearest_word_wins() {
        assert_eq!(suggest("reul", ["elu", "relu", "selu"]), Some("relu"));
        assert_eq!(
            suggest("BatchNorm", ["layer_norm", "batch_norm"]),
            Some("batch_norm")
        );
    }

    #[test]
    fn nothing_in_common_is_no_suggestion() {
        assert_eq!(suggest("x", ["y"]), None);
        assert_eq!(suggest("", ["y"]), None);
        assert_eq!(suggest("qqqqqq", ["linear"]), None);
    }
}
