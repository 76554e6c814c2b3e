//! Pieces of error messages: counts, sizes and lists of names.

/// `1 row`, `2 rows`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `1 class`, `2 classes`.
pub(super) fn class_count(number: usize) -> String {
    let ending = if number == 1 { "" } else { "es" };
    format!("{number} class{ending}")
}

/// Text from the user's data, cut off after 60 characters.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// `4 GiB`, `1.5 MiB`.
pub(super) fn bytes(bytes: usize) -> String {
    let (mut size, mut unit) = (bytes as f64, 0);
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{} {}", (size * 10.0).round() / 10.0, units[unit])
}

/// `` `new.csv`: ``.
pub(super) fn prefix(file: Option<&str>) -> String {
    file.map_or_else(String::new, |file| format!("`{file}`: "))
}

/// `` `a` is missing, `b`, `c` are extra ``.
pub(super) fn difference(missing: &[String], extra: &[String]) -> String {
    let part = |names: &[String], what: &str| {
        let verb = if names.len() == 1 { "is" } else { "are" };
        (!names.is_empty()).then(|| format!("{} {verb} {what}", list(names)))
    };
    let parts = [part(missing, "missing"), part(extra, "extra")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `; a value in it is in quotes from line 3 to line 5`.
pub(super) fn quoted_lines(lines: Option<(usize, usize)>) -> String {
    lines.map_or_else(String::new, |(opened, closed)| {
        format!("; a value in it is in quotes from line {opened} to line {closed}")
    })
}

/// `` `a`, `b`, `c` ``, at most 12 names.
pub(super) fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", shortened(name)))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(" and ");
        text.push_str(&(names.len() - SHOWN).to_string());
        text.push_str(" more");
    }
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

/// ` (for the output [12, 50])`.
pub(super) fn for_output(output: &[usize]) -> String {
    if output.len() > 1 {
        format!(" (for the output {output:?})")
    } else {
        String::new()
    }
}

/// `` : did you mean `price`? ``, or nothing.
pub(super) fn hint(suggestion: Option<&str>) -> String {
    suggestion
        .map(|name| format!(": did you mean `{name}`?"))
        .unwrap_or_default()
}
