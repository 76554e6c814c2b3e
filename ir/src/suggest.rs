//! "Did you mean": the word nearest to a misspelt one.

/// So many candidates are compared, of so many letters each.
const MOST: usize = 1_000;
const LETTERS: usize = 64;

/// The candidate that `word` was probably meant to be, by edit distance (a swap of neighbors is one edit).
///
/// At most a third of the letters may differ, so that unrelated words are not proposed. Of many candidates the first
/// thousand are compared, of long words the first 64 letters.
///
/// ```
/// use damper_ir::suggest;
///
/// assert_eq!(suggest("linaer", ["linear", "relu"]), Some("linear"));
/// assert_eq!(suggest("droput", ["dropout", "drop_path"]), Some("dropout"));
/// assert_eq!(suggest("banana", ["linear", "relu"]), None);
/// ```
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| -> Vec<char> {
        let kept = text.chars().filter(|letter| !['_', '-'].contains(letter));
        kept.flat_map(char::to_lowercase).take(LETTERS).collect()
    };
    let wanted = plain(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(MOST) {
        let other = plain(candidate);
        let allowed = wanted.len().max(other.len()).div_ceil(3);
        let better = best.map_or(usize::MAX, |(edits, _)| edits.saturating_sub(1));
        if best.is_some_and(|(edits, _)| edits == 0) {
            break;
        }
        if let Some(edits) = distance(&wanted, &other, allowed.min(better)) {
            best = Some((edits, candidate));
        }
    }
    best.filter(|(edits, _)| *edits < wanted.len().max(1))
        .map(|(_, candidate)| candidate)
}

/// The optimal string alignment distance, if it is not above `most`: words that have little in common are not
/// compared to their end.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = Vec::with_capacity(b.len() + 1);
    let mut nearest = 0;
    for (i, x) in a.iter().enumerate() {
        row.clear();
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        // A swap reaches over one row.
        let lowest = row.iter().copied().min().unwrap_or(0);
        if lowest > most && nearest > most {
            return None;
        }
        nearest = lowest;
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().filter(|edits| *edits <= most)
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
