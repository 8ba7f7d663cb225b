//! The text of a config file, and the form of it that may be shown.

use std::ops::Range;

/// What a secret is shown as, whatever its length.
const MASK: &str = "********";

/// A config file with every secret in it masked for display.
///
/// Masking looks at the characters, not at the parsed document: it has to hold for
/// files that are not even TOML, and it rather hides too much than too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The file, as the user named it.
    pub(super) name: String,
    masked: String,
    cuts: Vec<Cut>,
    line_starts: Vec<usize>,
}

/// A stretch of the original text and what stands for it in the masked one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cut {
    from: Range<usize>,
    to: Range<usize>,
}

impl Source {
    pub(super) fn new(name: String, text: &str) -> Self {
        let mut masked = String::with_capacity(text.len());
        let mut cuts = Vec::new();
        let mut done = 0;
        for from in secrets(text) {
            masked.push_str(&text[done..from.start]);
            let start = masked.len();
            masked.push_str(MASK);
            // Line numbers stay right if a secret spans lines.
            masked.extend(text[from.clone()].matches('\n'));
            cuts.push(Cut { from: from.clone(), to: start..masked.len() });
            done = from.end;
        }
        masked.push_str(&text[done..]);
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { name, masked, cuts, line_starts }
    }

    /// The text that may be shown.
    pub(super) fn masked(&self) -> &str {
        &self.masked
    }

    /// Number of the line at an offset in the original text, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset)
    }

    /// Where a stretch of the original text lies in the masked one.
    pub(super) fn shown(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.shown_offset(span.start, false);
        start..self.shown_offset(span.end, true).max(start)
    }

    /// The stretch as one short line that may be shown.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> String {
        one_line(self.masked.get(self.shown(span)).unwrap_or_default())
    }

    /// Does the line of this offset, without its indentation, begin so?
    pub(super) fn line_begins_with(&self, offset: usize, prefix: char) -> bool {
        let start = self.line_starts.get(self.line(offset) - 1).copied().unwrap_or_default();
        let line = &self.masked[self.shown_offset(start, false)..];
        line.trim_start_matches([' ', '\t']).starts_with(prefix)
    }

    fn shown_offset(&self, offset: usize, is_end: bool) -> usize {
        let mut moved = offset;
        for cut in &self.cuts {
            if cut.from.end <= offset {
                moved = cut.to.end + (offset - cut.from.end);
            } else if cut.from.start < offset {
                return if is_end { cut.to.end } else { cut.to.start };
            } else {
                break;
            }
        }
        moved.min(self.masked.len())
    }
}

/// A text on one line and not too long: a problem is one line.
pub(super) fn one_line(text: &str) -> String {
    /// Characters.
    const MAX: usize = 60;
    let mut line = String::new();
    for (i, word) in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).enumerate() {
        line.push_str(if i == 0 { "" } else { " " });
        line.push_str(word);
        if let Some((end, _)) = line.char_indices().nth(MAX) {
            line.truncate(end);
            return line + "…";
        }
    }
    line
}

/// Hides user and password in the URLs of a message.
pub(super) fn redact_urls(message: &str) -> String {
    let mut parts = message.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("://");
        let end = part.find(char::is_whitespace).unwrap_or(part.len());
        match part[..end].rfind('@') {
            Some(at) => {
                out.push_str(MASK);
                out.push_str(&part[at..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Where secrets stand, in order and without overlap: the values of keys that look
/// like a password, and what stands before an `@`.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = keyed_secrets(text);
    found.extend(private_keys(text));
    found.extend(login_parts(text));
    found.retain(|range| !range.is_empty());
    found.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// `user:password@host`, with or without a scheme, line by line.
fn login_parts(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let begin = start;
        start += line.len();
        let at = line.rfind('@')?;
        let before = &line[..at];
        let from = match before.find("://") {
            Some(i) => i + 3,
            None => before.find(['"', '\'']).or_else(|| before.find('='))? + 1,
        };
        Some(begin + from..begin + at)
    })
}

/// Values of keys that look like a password, unless they are a reference to one, and
/// what follows the colon in a `username`.
fn keyed_secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(word) = next_word(text, rest) {
        rest = word.end;
        let after = text[word.end..].strip_prefix(['"', '\'']).unwrap_or(&text[word.end..]);
        let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix(['=', ':']) else { continue };
        let value = value.trim_start_matches([' ', '\t']);
        let start = text.len() - value.len();
        let name = text[word].to_lowercase();
        let inner = value.trim_start_matches(['"', '\'']);
        if name.starts_with("user") {
            let value = value[..value_len(value)].trim_end_matches(['"', '\'']);
            found.extend(value.find(':').map(|colon| start + colon + 1..start + value.len()));
        } else if (looks_secret(&name) || holds_key(&name))
            && !inner.starts_with("credential:")
            && !inner.starts_with("file:")
        {
            rest = start + value_len(value);
            found.push(start..rest);
        }
    }
    found
}

/// Is this the name of a public key? Somebody may have pasted the wrong half of the pair, which looks the same.
fn holds_key(name: &str) -> bool {
    let name = name.replace('-', "_");
    name.ends_with("public_key") || name.ends_with("private_key")
}

/// What stands between the lines of a PEM private key, whole or cut off.
fn private_keys(text: &str) -> impl Iterator<Item = Range<usize>> {
    const HEADER: &str = "PRIVATE KEY-----";
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(HEADER)? + HEADER.len();
        let end = text[start..].find("-----END").map_or(text.len(), |n| start + n);
        from = end;
        Some(start..end)
    })
}

fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let start = from + text[from..].find(is_word)?;
    let end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |n| start + n);
    Some(start..end)
}

/// Is this the name of a password, in one of its usual spellings or misspellings?
pub(super) fn looks_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["pass", "pwd", "secret", "token", "парол", "құпия"].iter().any(|part| name.contains(part))
        || (name.len() <= 12 && strsim::damerau_levenshtein(&name, "password") <= 2)
}

/// Length of the value that begins here. What is not closed reaches to the end of
/// the line, or of the text where a value may have several lines.
fn value_len(value: &str) -> usize {
    let line = value.find(['\n', '\r']).unwrap_or(value.len());
    for quotes in ["\"\"\"", "'''"] {
        if let Some(inner) = value.strip_prefix(quotes) {
            return inner.find(quotes).map_or(value.len(), |n| n + 6);
        }
    }
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let mut escaped = false;
            let end = value[1..line.max(1)].find(|c| {
                let closes = c == quote && !escaped;
                escaped = quote == '"' && c == '\\' && !escaped;
                closes
            });
            end.map_or(line, |n| n + 2)
        }
        Some('[') => value.find(']').map_or(value.len(), |n| n + 1),
        Some('{') => value.find('}').map_or(value.len(), |n| n + 1),
        _ => value.find(['\n', '\r', '"']).unwrap_or(value.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_however_they_are_written() {
        for text in [
            "password = \"Sw0rdf1sh\"",
            "password='Sw0rdf1sh'",
            "passwrod = \"Sw0rdf1sh\" # mine",
            "\"password\" = \"a\\\"Sw0rdf1sh\"",
            "password = Sw0rdf1sh",
            "password: Sw0rdf1sh",
            "# Password = \"Sw0rdf1sh\"",
            "password = \"Sw0rdf1sh",
            "password = \"\"\"\nSw0rdf1sh\n\"\"\"",
            "password = [\n\"Sw0rdf1sh\"]",
            "x = { pwd = { a = \"Sw0rdf1sh\" } }",
            "broker_password = \"Sw0rdf1sh\"",
            "url = \"rtsp://admin:Sw0rdf1sh@192.0.2.1/\"",
            "url = \"rtsp://admin:Sw0rd@f1sh@192.0.2.1/\"",
            "url = \"rtsp://admin:a\\\"Sw0rdf1sh@192.0.2.1/\"",
            "url = \"admin:Sw0rdf1sh@192.0.2.1/\"",
            "url = \"rtsp://192.0.2.1/user=admin_password=Sw0rdf1sh_channel=1\"",
            "username = \"admin:Sw0rdf1sh\"",
            "public_key = \"Sw0rdf1sh\"",
            "public-key = \"\"\"{\"d\":\"Sw0rdf1sh\"}\"\"\"",
            "key = \"-----BEGIN PRIVATE KEY-----\nSw0rdf1sh\n-----END PRIVATE KEY-----\"",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nSw0rdf1sh",
        ] {
            let shown = Source::new(String::new(), text).masked;
            assert!(!shown.contains("Sw0rd") && !shown.contains("f1sh"), "{shown}");
            assert!(shown.contains(MASK));
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let text = "password = \"credential:gate\"\nusername = \"viewer\"\nurl = \"rtsp://192.0.2.1/a?b=c\"\n";
        assert_eq!(Source::new(String::new(), text).masked, text);
        let text = "public_key = 'file:a b.pem'\n";
        assert_eq!(Source::new(String::new(), text).masked, text);
        let text = "password = 'file:gate.password'\n# ask ops@example.org\n";
        assert_eq!(Source::new(String::new(), text).masked, text);
    }

    #[test]
    fn messages_show_no_login() {
        assert_eq!(redact_urls("a rtsp://u:p@h/x b@c: rtsp://h/"), "a rtsp://********@h/x b@c: rtsp://h/");
    }

    #[test]
    fn places_move_with_the_mask() {
        let text = "password = \"x\"\nzone = \"yard\"\n";
        let source = Source::new("site.toml".to_owned(), text);
        let yard = text.find("\"yard\"").unwrap();
        assert_eq!(source.excerpt(&(yard..yard + 6)), "\"yard\"");
        assert_eq!(source.line(yard), 2);
        assert_eq!(source.excerpt(&(11..14)), MASK);
        assert_eq!(source.excerpt(&(0..14)), "password = ********");
    }

    proptest! {
        #[test]
        fn any_text_can_be_shown(text in "(?s)[-a-z0-9=\"'@:/\\n \\[\\]{}#ж\\\\]{0,80}|(?s).{0,80}", a in 0usize..90, b in 0usize..90) {
            let source = Source::new(String::new(), &text);
            let offsets: Vec<usize> = (0..=text.len()).filter(|&i| text.is_char_boundary(i)).collect();
            let (a, b) = (offsets[a % offsets.len()], offsets[b % offsets.len()]);
            let span = a.min(b)..a.max(b);
            let shown = source.shown(&span);
            prop_assert!(source.masked().get(shown).is_some());
            let _ = source.excerpt(&span);
            prop_assert_eq!(source.masked().matches('\n').count(), text.matches('\n').count());
        }
    }
}
