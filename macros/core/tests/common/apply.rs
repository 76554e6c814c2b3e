//! Does what a help says to a declaration.

use super::understood;

/// A finding: its kind, where its tokens are (bytes), its helps.
#[derive(Clone, Debug)]
pub struct Found {
    pub kind: String,
    pub is_lint: bool,
    pub message: String,
    pub span: (usize, usize),
    pub helps: Vec<String>,
}

pub fn found(source: &str) -> Vec<Found> {
    let (reports, _) = understood(source);
    let rows: Vec<&str> = source.split('\n').collect();
    let offset = |line: usize, column: usize| {
        // Sources begin on line 2.
        let row = line.saturating_sub(2);
        let before: usize = rows.iter().take(row).map(|row| row.len() + 1).sum();
        let text = rows.get(row).copied().unwrap_or_default();
        let inside = text
            .char_indices()
            .nth(column)
            .map_or(text.len(), |(at, _)| at);
        (before + inside).min(source.len())
    };
    let all = reports.iter().map(|report| {
        let (start, end) = (report.ends.0.start(), report.ends.1.end());
        Found {
            kind: report
                .lint
                .clone()
                .unwrap_or_else(|| report.message.clone()),
            is_lint: report.lint.is_some(),
            message: report.message.clone(),
            span: (
                offset(start.line, start.column),
                offset(end.line, end.column),
            ),
            helps: report.helps.clone(),
        }
    });
    all.collect()
}

/// One of the things that a help offers.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// `remove X`
    Remove(String),
    /// Code for the place.
    Write(String),
    /// `X` between them
    Before(String),
    /// move it after the block: `-> X`
    AfterTheBlock(String),
    /// Two of them.
    Both(Box<Offer>, Box<Offer>),
}

/// The offers of a help; what has no code is none.
pub fn offers(help: &str) -> Vec<Offer> {
    if !help.contains('`') {
        let parts: Vec<&str> = help.split(", or ").collect();
        return parts.iter().filter_map(|part| offer(part)).collect();
    }
    // `X`, and remove `Y`
    if let Some((first, second)) = help.split_once(", and remove ") {
        let both = offer(first).zip(offer(&format!("remove {second}")));
        return both
            .map(|(a, b)| Offer::Both(Box::new(a), Box::new(b)))
            .into_iter()
            .collect();
    }
    parts(help).iter().filter_map(|part| offer(part)).collect()
}

/// The alternatives of a help: cut at `, or`, `; or`, `;` and `, else` outside of code.
pub fn parts(help: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut rest = help;
    let mut in_code = false;
    while let Some(letter) = rest.chars().next() {
        in_code ^= letter == '`';
        let cut = ["; or ", ", or ", ", else ", "; ", " or "]
            .into_iter()
            .find(|cut| !in_code && rest.starts_with(cut));
        let length = if let Some(cut) = cut {
            all.push(String::new());
            cut.len()
        } else {
            if let Some(last) = all.last_mut() {
                last.push(letter);
            }
            letter.len_utf8()
        };
        rest = &rest[length..];
    }
    all
}

/// The arguments of a list, cut at the commas outside of brackets.
pub fn arguments(code: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut depth = 0_i32;
    for letter in code.chars() {
        depth += i32::from(matches!(letter, '(' | '[')) - i32::from(matches!(letter, ')' | ']'));
        match (letter, all.last_mut()) {
            (',', _) if depth == 0 => all.push(String::new()),
            (letter, Some(last)) => last.push(letter),
            (_, None) => {}
        }
    }
    all.iter().map(|one| one.trim().to_owned()).collect()
}

pub fn offer(part: &str) -> Option<Offer> {
    let part = part.trim();
    if let Some(what) = part.strip_prefix("remove ") {
        let what = what.split('`').nth(1).unwrap_or(what);
        return Some(Offer::Remove(what.to_owned()));
    }
    if let Some(code) = part.strip_prefix("move it after the block: `") {
        return Some(Offer::AfterTheBlock(code.trim_end_matches('`').to_owned()));
    }
    if let Some(code) = part.strip_suffix("` between them") {
        return Some(Offer::Before(code.trim_start_matches('`').to_owned()));
    }
    let code = match part.split('`').nth(1) {
        Some(code) => code,
        None if part.contains('`') || part.split(' ').count() > 12 => return None,
        None => part,
    };
    Some(Offer::Write(code.to_owned()))
}

/// The end of the call or word that begins at `start`.
pub fn end_of_call(source: &str, start: usize) -> usize {
    let rest = &source[start..];
    let word = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(rest.len());
    if !rest[word..].starts_with('(') {
        return start + word;
    }
    let mut depth = 0_i32;
    for (at, letter) in rest[word..].char_indices() {
        depth += i32::from(matches!(letter, '(' | '[')) - i32::from(matches!(letter, ')' | ']'));
        if depth == 0 {
            return start + word + at + 1;
        }
    }
    source.len()
}

pub fn line_of(source: &str, at: usize) -> (usize, usize) {
    let start = source[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = source[at..].find('\n').map_or(source.len(), |end| at + end);
    (start, end)
}

pub fn put(source: &str, span: (usize, usize), text: &str) -> String {
    format!("{}{text}{}", &source[..span.0], &source[span.1..])
}

/// Takes a thing out of a chain or a list, with what joined it to its neighbors.
pub fn without(source: &str, span: (usize, usize)) -> String {
    let (before, after) = (
        source[..span.0].trim_end_matches([' ', '\n']),
        source[span.1..].trim_start_matches(' '),
    );
    let joined = |left: &str, right: &str| format!("{left}{right}");
    if let Some(rest) = before.strip_suffix("->") {
        return joined(rest.trim_end(), &source[span.1..]);
    }
    if let Some(rest) = after.strip_prefix("-> ") {
        return joined(&source[..span.0], rest);
    }
    if let Some(rest) = after.strip_prefix(", ") {
        return joined(&source[..span.0], rest);
    }
    if let Some(rest) = before.strip_suffix(',') {
        return joined(rest, &source[span.1..]);
    }
    if let Some(rest) = before.strip_suffix("with") {
        return joined(rest.trim_end(), &source[span.1..]);
    }
    put(source, span, "")
}

/// The places of a word as a whole word.
pub fn words<'s>(source: &'s str, word: &'s str) -> impl Iterator<Item = usize> + 's {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    source
        .match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = source[..*at].chars().next_back();
            let after = source[at + word.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
}

/// The declarations that come of an offer, the most natural first.
pub fn edits(source: &str, found: &Found, offer: &Offer) -> Vec<String> {
    let span = found.span;
    match offer {
        Offer::Both(first, second) => {
            let firsts = edits(source, found, first);
            firsts
                .iter()
                .flat_map(|one| edits(one, found, second))
                .collect()
        }
        Offer::Remove(what) => {
            let word = what.split('(').next().unwrap_or(what).trim();
            let mut spans: Vec<(usize, usize)> = Vec::new();
            if word.starts_with("on ") || word.contains(" = ") {
                let exact = source.match_indices(what.as_str()).map(|(at, _)| at);
                let mut exact: Vec<usize> = exact.collect();
                exact.sort_by_key(|at| at.abs_diff(span.0));
                return exact
                    .into_iter()
                    .map(|at| without(source, (at, at + what.len())))
                    .collect();
            }
            // The thing at the place, then the nearest ones of its name.
            if source[span.0..].starts_with(word) || matches!(word, "the attribute" | "it") {
                spans.push(span);
                spans.push((span.0, end_of_call(source, span.0)));
            }
            let mut others: Vec<usize> = words(source, word).collect();
            others.sort_by_key(|at| at.abs_diff(span.0));
            spans.extend(others.into_iter().map(|at| (at, end_of_call(source, at))));
            for (_, end) in &mut spans {
                let reach = [" on all", " on embedding"]
                    .into_iter()
                    .find(|on| source[*end..].starts_with(on));
                *end += reach.map_or(0, str::len);
            }
            let mut all: Vec<String> = spans
                .into_iter()
                .map(|span| without(source, span))
                .collect();
            // A layer that nothing reads, a hyper-parameter that nothing uses: the line.
            let (start, end) = line_of(source, span.0);
            all.push(put(source, (start, (end + 1).min(source.len())), ""));
            all
        }
        Offer::Write(code) => written(source, span, code),
        Offer::Before(code) => vec![put(source, (span.0, span.0), &format!("{code} -> "))],
        Offer::AfterTheBlock(code) => {
            let gone = without(source, span);
            let from = span.0.saturating_sub(source.len() - gone.len());
            let close = gone[from..].find('}').map(|at| from + at + 1);
            close
                .map(|at| put(&gone, (at, at), &format!(" {code}")))
                .into_iter()
                .collect()
        }
    }
}

pub fn written(source: &str, span: (usize, usize), code: &str) -> Vec<String> {
    let code = code.trim();
    let mut all = Vec::new();
    if code.starts_with("#[") {
        all.push(format!("{code}\n{source}"));
        return all;
    }
    let line = line_of(source, span.0);
    // A default of all layers, the shortcut of the block at the place.
    if let Some(rule) = code
        .strip_prefix("layers with ")
        .and_then(|rest| rest.strip_suffix(" { .. }"))
    {
        return vec![source.replacen("layers {", &format!("layers with {rule} {{"), 1)];
    }
    if code.starts_with("shortcut {") {
        let mut depth = 0_i32;
        let close = source[span.0..].char_indices().find(|(_, letter)| {
            depth += i32::from(*letter == '{') - i32::from(*letter == '}');
            depth == 0 && *letter == '}'
        });
        let at = close.map_or(span.1, |(at, _)| span.0 + at + 1);
        return vec![put(source, (at, at), &format!(" {code}"))];
    }
    // A section, or a statement: its line.
    for section in ["loss ", "input ", "task ", "metrics "] {
        if code.starts_with(section) {
            let at = words(source, section.trim()).next();
            let whole = at.map(|at| line_of(source, at));
            all.extend(whole.map(|(start, end)| put(source, (start, end), code)));
            return all;
        }
    }
    if let Some(target) = code.strip_prefix("target in ") {
        let loss = words(source, "loss").next().map(|at| line_of(source, at));
        if let Some((_, end)) = loss {
            all.push(put(source, (end, end), &format!(" target in {target}")));
        }
    }
    let key = code.split(':').next().unwrap_or_default();
    let is_setting = code.contains(": ") && !code.contains("->") && !code.ends_with(';');
    if is_setting {
        // `epochs: 50`: in the place of what is there, else at the end of `train`.
        for at in words(source, key) {
            let rest = &source[at..];
            let end = rest.find([',', '}', '\n']).unwrap_or(rest.len());
            all.push(put(source, (at, at + end), &format!("{code} ")));
        }
        if let Some(at) = source.rfind('}') {
            all.push(put(source, (at, at), &format!(", {code} ")));
        }
    }
    if code.ends_with(';') {
        all.push(put(source, line, code));
        return all;
    }
    let given = arguments(code);
    let is_argument = |part: &String| {
        part.split_once(" = ")
            .is_some_and(|(name, _)| !name.contains(['(', ' ']))
    };
    if given.iter().all(is_argument) {
        all.extend(with_arguments(source, span, &given));
        return all;
    }
    all.extend(with_chain(source, span, code));
    // The call at the place, one of the same word near it, the end of the chain.
    let word = code.split(['(', ' ']).next().unwrap_or(code);
    if source[span.0..].starts_with(word) {
        all.push(put(source, span, code));
    }
    let mut places: Vec<usize> = words(source, word).collect();
    places.sort_by_key(|at| at.abs_diff(span.0));
    all.extend(
        places
            .into_iter()
            .map(|at| put(source, (at, end_of_call(source, at)), code)),
    );
    all.push(put(source, span, code));
    // An annotation in the place of what stands in the chain.
    let gone = without(source, span);
    let (_, end) = line_of(&gone, span.0.min(gone.len()).saturating_sub(1));
    let semicolon = gone[..end].rfind(';').unwrap_or(end);
    all.push(put(&gone, (semicolon, semicolon), &format!(" with {code}")));
    all.push(put(source, (span.0, span.0), &format!("{code} -> ")));
    all.push(put(source, (span.1, span.1), &format!(" -> {code}")));
    all
}

/// The declaration with these arguments at the place: in the place of those of that name, or added to the call.
pub fn with_arguments(source: &str, span: (usize, usize), given: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let mut edited = source.to_owned();
    for part in given.iter().map(String::as_str) {
        let name = part.split(" = ").next().unwrap_or_default();
        let (start, end) = line_of(&edited, span.0.min(edited.len()));
        let mut places: Vec<usize> = words(&edited, name)
            .filter(|at| {
                (start..=end).contains(at)
                    && edited[at + name.len()..].trim_start().starts_with('=')
            })
            .collect();
        places.sort_by_key(|at| at.abs_diff(span.0));
        if let Some(at) = places.first().copied() {
            let value = at + edited[at..].find('=').unwrap_or(0) + 1;
            let mut depth = 0_i32;
            let length = edited[value..].char_indices().find(|(_, letter)| {
                depth +=
                    i32::from(matches!(letter, '(' | '[')) - i32::from(matches!(letter, ')' | ']'));
                depth < 0 || (depth == 0 && *letter == ',')
            });
            let last = value + length.map_or(edited.len() - value, |(at, _)| at);
            edited = put(&edited, (at, last), part);
        } else {
            // Into the call at the place, or in the place of the value.
            let end = end_of_call(&edited, span.0);
            all.push(put(&edited, span, part));
            if edited[..end].ends_with(')') {
                edited = put(&edited, (end - 1, end - 1), &format!(", {part}"));
            } else {
                edited = put(&edited, (end, end), &format!("({part})"));
            }
        }
    }
    all.push(edited);
    let value = given
        .first()
        .and_then(|part| part.split(" = ").nth(1))
        .unwrap_or_default();
    all.push(put(source, span, value));
    all
}

/// The declaration with a chain at the place: in that order, or in the place of these operations.
pub fn with_chain(source: &str, span: (usize, usize), code: &str) -> Vec<String> {
    let mut all = Vec::new();
    let line = line_of(source, span.0);
    // `-> relu -> dropout(0.3)`: the operations in that order, at the place.
    if let Some(chain) = code.strip_prefix("-> ") {
        let mut edited = source.to_owned();
        let start = line.0;
        for op in chain.split(" -> ") {
            let word = op.split('(').next().unwrap_or(op);
            let (_, end) = line_of(&edited, start);
            let there = words(&edited, word).find(|place| (start..=end).contains(place));
            if let Some(place) = there {
                edited = without(&edited, (place, end_of_call(&edited, place)));
            }
        }
        let (_, end) = line_of(&edited, start);
        let semicolon = edited[..end].rfind(';').unwrap_or(end);
        all.push(put(
            &edited,
            (semicolon, semicolon),
            &format!(" -> {chain}"),
        ));
        // Behind the thing at the place.
        all.push(put(source, (span.1, span.1), &format!(" -> {chain}")));
    }
    // `linear(32, bias = false) -> batch_norm -> relu`: in the place of these operations.
    if code.contains(" -> ") && !code.starts_with("->") {
        let ops = code
            .split(" -> ")
            .map(|op| op.split('(').next().unwrap_or(op));
        let places: Option<Vec<(usize, usize)>> = ops
            .map(|word| {
                let at = words(source, word).find(|at| (line.0..=line.1).contains(at))?;
                Some((at, end_of_call(source, at)))
            })
            .collect();
        let places = places.unwrap_or_default();
        let start = places.iter().map(|place| place.0).min();
        let end = places.iter().map(|place| place.1).max();
        all.extend(start.zip(end).map(|span| put(source, span, code)));
    }
    all
}

/// Errors behind which no lint runs.
pub fn is_shape(kind: &str) -> bool {
    matches!(
        kind,
        "shape_mismatch" | "missing_flatten" | "residual_shape_mismatch" | "channels_last"
    )
}

pub fn count(all: &[Found], kind: &str) -> usize {
    all.iter().filter(|found| found.kind == kind).count()
}

/// What comes of an offer: the first declaration in which the finding is gone and nothing is wrong with the language.
pub fn applied(source: &str, found_here: &Found, offer: &Offer) -> Option<String> {
    let before = found(source);
    edits(source, found_here, offer).into_iter().find(|edited| {
        let parses = format!("{}\n{edited}", super::PATH)
            .parse::<proc_macro2::TokenStream>()
            .is_ok();
        parses && {
            let after = found(edited);
            let broken = after.iter().any(|found| {
                !found.is_lint || (is_shape(&found.kind) && count(&before, &found.kind) == 0)
            });
            !broken && count(&after, &found_here.kind) < count(&before, &found_here.kind)
        }
    })
}
