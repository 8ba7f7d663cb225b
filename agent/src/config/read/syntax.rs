use std::ops::Range;

use toml::de::Error;

use super::Report;

/// How much of a document is lost to what is not TOML in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Damage {
    /// Nothing.
    None,
    /// Some values; that their keys are there is known.
    Values,
    /// Whole lines.
    Lines,
    /// It is not known what belongs to what.
    Structure,
}

/// Reports what is not TOML, at most once a line.
pub(super) fn report(report: &Report<'_>, text: &str, errors: &[Error]) -> Damage {
    /// A file with more broken lines is something else altogether.
    const MAX: usize = 20;
    let mut errors: Vec<(Range<usize>, &str)> =
        errors.iter().map(|e| (e.span().unwrap_or(0..0), e.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    // A list without its end swallows the lines after it; only the first of them is told.
    let open_list = errors.iter().any(|(_, message)| message.starts_with("unclosed array,"));
    let mut damage = Damage::None;
    let mut lines = Vec::new();
    for (span, message) in errors {
        let span = span.start.min(text.len())..span.end.min(text.len());
        let line = report.source.line(span.start);
        let header = report.source.line_begins_with(span.start, '[');
        damage = damage.max(damage_of(message, header));
        if open_list && (message.starts_with("missing comma") || message.starts_with("unclosed array,")) {
            let remedy = "close it with as many ] as it has [, and put commas between its items".to_owned();
            report.error("", &span, "the list before this place does not end".to_owned(), Some(remedy));
            return Damage::Structure;
        }
        if lines.last() == Some(&line) {
            continue;
        }
        lines.push(line);
        let (what, remedy) = sentence(report, text, &span, message, header);
        report.error("", &span, what, remedy);
        if lines.len() == MAX {
            let what = format!("{MAX} lines of this file are not TOML, so the rest is not looked at");
            report.error("", &span, what, Some("name a config file".to_owned()));
            return Damage::Structure;
        }
    }
    damage
}

fn damage_of(message: &str, header: bool) -> Damage {
    /// After these the parser goes on with a text, a word or the first of two values.
    const VALUES: [&str; 6] = [
        "string values must be quoted",
        "invalid boolean",
        "invalid basic string",
        "invalid literal string",
        "missing escaped value",
        "duplicate key",
    ];
    // A broken header loses everything up to the next one, an open bracket or quote
    // everything up to the end.
    if header || message.starts_with("unclosed") || message.contains("multi-line") {
        Damage::Structure
    } else if VALUES.iter().any(|known| message.starts_with(known)) {
        Damage::Values
    } else {
        Damage::Lines
    }
}

/// The parser's words as a sentence with a remedy.
fn sentence(
    report: &Report<'_>,
    text: &str,
    span: &Range<usize>,
    message: &str,
    header: bool,
) -> (String, Option<String>) {
    let shown = report.source.excerpt(span);
    let rest = text.get(span.start..).unwrap_or_default();
    let (what, remedy) = match message {
        _ if message.starts_with("string values must be quoted") => {
            let bare = shown.trim_matches(['“', '”', '„', '«', '»', '‘', '’']);
            if bare == shown {
                (format!("{shown} stands without quotes"), format!("write \"{shown}\""))
            } else {
                (format!("{shown} stands in typographic quotes"), format!("write \"{bare}\""))
            }
        }
        "duplicate key" if header => (
            format!("{shown} is already there"),
            "write [[…]] where there may be several, [table] only once".to_owned(),
        ),
        "duplicate key" => (format!("{shown} is written twice in this table"), "remove one of the two".to_owned()),
        _ if message.starts_with("invalid boolean") => {
            (format!("{shown} is not TOML"), "write true or false, in small letters".to_owned())
        }
        _ if message.starts_with("invalid basic string") || message.starts_with("invalid literal string") => {
            ("a text does not end on its line".to_owned(), "add the closing quote".to_owned())
        }
        _ if message.starts_with("missing escaped value") => {
            ("a backslash in a text must be doubled".to_owned(), "write \\\\, or use single quotes".to_owned())
        }
        _ if message.starts_with("unclosed") && header => {
            ("a header does not end".to_owned(), "close it with as many ] as it has [".to_owned())
        }
        _ if message.starts_with("missing comma") => {
            ("a comma is missing between two items".to_owned(), "separate them by commas, and end the list".to_owned())
        }
        _ if message.starts_with("key with no value") || message.starts_with("invalid unquoted key") => (
            "this is no line of the form key = value".to_owned(),
            "write key = value, and comments after a #".to_owned(),
        ),
        _ if message.starts_with("unexpected key or value") && rest.starts_with(',') => (
            "a comma stands after the value".to_owned(),
            "write fractions with a point, as in 1.5, and no comma at the end".to_owned(),
        ),
        _ if message.starts_with("unexpected key or value") => {
            ("something stands after the value".to_owned(), "write each key on a line of its own".to_owned())
        }
        // The parser's own words name what it expected.
        _ => return (format!("this is not TOML: {message}"), None),
    };
    (what, Some(remedy))
}
