use std::ops::Range;

use karaul_wire::{RuleKind, Segment};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Report, nearest, value::Checked, wanted::found};
use crate::config::{
    keys::{Key, Need, owner},
    source::{looks_secret, one_line},
};

/// One table of the document together with the keys it may have.
///
/// Reading a key reports whatever is wrong with it and gives `None` then, so that the
/// caller can go on and find the next problem.
pub(super) struct Table<'a> {
    pub(super) report: &'a Report<'a>,
    /// How messages call it: `[site]`, `camera "gate"`; empty for the document itself.
    pub(super) place: String,
    /// Its header, or the whole of an inline table.
    pub(super) span: Range<usize>,
    /// Its header without brackets and ids: `camera.zone`.
    path: String,
    keys: &'static [Key],
    kind: Option<RuleKind>,
    /// `None` if the document does not have the table and the defaults of its keys apply.
    entries: Option<&'a DeTable<'a>>,
}

impl<'a> Table<'a> {
    pub(super) fn root(report: &'a Report<'a>, keys: &'static [Key], entries: &'a DeTable<'a>) -> Self {
        Self { report, place: String::new(), span: 0..0, path: String::new(), keys, kind: None, entries: Some(entries) }
    }

    /// The same table under another name.
    pub(super) fn called(mut self, place: String) -> Self {
        self.place = place;
        self
    }

    /// Reports the keys that do not belong here.
    ///
    /// As long as the kind of a rule is not known, keys of all kinds are admitted.
    pub(super) fn check_keys(&self) {
        for (name, value) in self.entries.into_iter().flatten() {
            let word: &str = name.get_ref();
            let same_name = self.keys.iter().filter(|k| k.name == word);
            if same_name.clone().next().is_none() {
                self.unknown(word, &name.span(), value.get_ref());
                continue;
            }
            let Some(kind) = self.kind else { continue };
            if !same_name.clone().any(|key| key.is_for(Some(kind))) {
                let owners = same_name.flat_map(|key| key.kinds).copied().collect::<Vec<_>>();
                let remedy = Some("remove it, or change kind".to_owned());
                self.report.error(&self.place, &name.span(), misplaced(word, kind, &owners), remedy);
            }
        }
    }

    /// The same table as that of a rule of this kind: only its keys are found.
    pub(super) fn of_kind(mut self, kind: RuleKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Reads a key that holds a value, or its default.
    pub(super) fn get<T>(
        &self,
        name: &str,
        convert: impl FnOnce(&'static Key, &Spanned<DeValue<'_>>) -> Checked<T>,
    ) -> Option<T> {
        let key = self.key(name)?;
        if let Some(value) = self.value(name) {
            return convert(key, value).map_err(|wrongs| self.complain(key, &value.span(), wrongs)).ok();
        }
        match key.need {
            Need::Required(_) if self.misspelt(name) => None,
            Need::Required(example) => {
                let what = format!("{name} is missing");
                self.report.absence(&self.place, &self.span, what, Some(format!("add {name} = {example}")));
                None
            }
            Need::Optional(_) => None,
            // That every default can be read is proved by a test of the catalogue.
            Need::Default(text) => DeValue::parse(text).ok().and_then(|value| convert(key, &value).ok()),
        }
    }

    /// Where the value of a key stands; the table's header if it is not there.
    pub(super) fn span_of(&self, name: &str) -> Range<usize> {
        self.value(name).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Is the key written in the document?
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Reports something about the value of a key, which is shown.
    pub(super) fn error(&self, name: &str, what: &str, remedy: impl Into<String>) {
        self.report.error(&self.place, &self.span_of(name), self.about(name, what), Some(remedy.into()));
    }

    /// Warns about the value of a key, which is shown.
    pub(super) fn warning(&self, name: &str, what: &str, remedy: &str) {
        self.report.warning(&self.place, &self.span_of(name), self.about(name, what), remedy);
    }

    /// Reports that what the value of a key names does not exist.
    pub(super) fn undefined(&self, name: &str, what: &str, remedy: impl Into<String>) {
        self.report.absence(&self.place, &self.span_of(name), self.about(name, what), Some(remedy.into()));
    }

    fn about(&self, name: &str, what: &str) -> String {
        match self.value(name) {
            Some(value) => format!("{name} = {}: {what}", self.report.source.excerpt(&value.span())),
            None => format!("{name}: {what}"),
        }
    }

    /// A `[table]` within this one; one with defaults only if the document has none.
    pub(super) fn child(&self, name: &str) -> Option<Table<'a>> {
        let key = self.key(name)?;
        let header = key.header(&self.path);
        let plain = self.place.is_empty() || self.place.starts_with('[');
        let place = if plain { header.clone() } else { self.inside(name) };
        let child = |span, entries| {
            let table = self.table(key, place, span, entries);
            table.check_keys();
            Some(table)
        };
        match (self.value(name).map(|v| (v.span(), v.get_ref())), &key.need) {
            (Some((span, DeValue::Table(table))), _) => child(span, Some(table)),
            (Some((span, other)), need) => {
                let what = format!("{name}: a table is wanted, not {}", found(other));
                let remedy = match need {
                    Need::Optional(example) => format!("for example {name} = {example}"),
                    _ => format!("write {header} once, with single brackets"),
                };
                self.report.error(&self.place, &span, what, Some(remedy));
                None
            }
            (None, _) if self.misspelt(name) => None,
            (None, Need::Required(_)) => {
                let example: Vec<String> = key.inner().iter().filter_map(needed).collect();
                let remedy = format!("add {header} with {}", example.join(", "));
                self.report.absence(&self.place, &self.span, format!("{header} is missing"), Some(remedy));
                None
            }
            (None, Need::Default(_)) => child(self.span.clone(), None),
            (None, Need::Optional(_)) => None,
        }
    }

    /// The `[[tables]]` within this one, each called by its number until it has a name.
    /// `None` if something else stands there, which is reported.
    pub(super) fn children(&self, name: &str) -> Option<Vec<Table<'a>>> {
        let (Some(key), Some(value)) = (self.key(name), self.value(name)) else { return Some(Vec::new()) };
        let remedy = || Some(format!("write {}, with double brackets", key.header(&self.path)));
        let DeValue::Array(items) = value.get_ref() else {
            let what = format!("{name}: a list of tables is wanted, not {}", found(value.get_ref()));
            self.report.error(&self.place, &value.span(), what, remedy());
            return None;
        };
        let mut tables = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let place = self.inside(&format!("{name} {}", i + 1));
            if let DeValue::Table(entries) = item.get_ref() {
                tables.push(self.table(key, place, item.span(), Some(entries)));
            } else {
                let what = format!("a table is wanted, not {}", found(item.get_ref()));
                self.report.error(&place, &item.span(), what, remedy());
            }
        }
        Some(tables)
    }

    /// The `[table.<id>]` within this one by their names. One that was reported is there
    /// without its table, so that whoever refers to it is not told that it does not exist.
    pub(super) fn named(&self, name: &str) -> Vec<(String, Option<(Segment, Table<'a>)>)> {
        let (Some(key), Some(value)) = (self.key(name), self.value(name)) else { return Vec::new() };
        let DeValue::Table(tables) = value.get_ref() else {
            let what = format!("{name}: tables with an id are wanted, not {}", found(value.get_ref()));
            let remedy = format!("write {}", key.header(&self.path));
            self.report.error(&self.place, &value.span(), what, Some(remedy));
            return Vec::new();
        };
        let mut named = Vec::new();
        for (word, value) in tables {
            let place = self.inside(&format!("{name} \"{}\"", one_line(word.get_ref())));
            let near = Segment::suggest(word.get_ref());
            let id = near.as_ref().map_or_else(|| word.get_ref().to_string(), Segment::to_string);
            let table = match (value.get_ref(), word.get_ref().parse::<Segment>()) {
                (_, Err(_)) => {
                    let what = "an id has 1 to 32 of a-z, 0-9 and '-'".to_owned();
                    let remedy = near.map(|near| format!("did you mean \"{near}\"?"));
                    self.report.error(&place, &word.span(), what, remedy);
                    None
                }
                (DeValue::Table(entries), Ok(segment)) => {
                    let table = self.table(key, place, value.span(), Some(entries));
                    table.check_keys();
                    Some((segment, table))
                }
                (other, Ok(id)) => {
                    let what = format!("a table is wanted, not {}", found(other));
                    let header = key.header(&self.path);
                    let remedy = if key.inner().iter().any(|inner| inner.name == id.as_str()) {
                        format!("write it below a header with an id, {header}")
                    } else {
                        let example: Vec<String> = key.inner().iter().filter_map(needed).collect();
                        format!("write {} and below it {}", header.replace("<id>", id.as_str()), example.join(", "))
                    };
                    self.report.error(&place, &value.span(), what, Some(remedy));
                    None
                }
            };
            named.push((id, table));
        }
        named
    }

    /// Is there a key that is not known, but was probably meant to be this one?
    pub(super) fn misspelt(&self, name: &str) -> bool {
        let known = || self.known();
        let mut words = self.entries.into_iter().flat_map(|entries| entries.keys()).map(|word| word.get_ref());
        words.any(|word| known().all(|k| k != word) && nearest(word, known()) == Some(name))
    }

    /// Has it no keys at all, known or not?
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_none_or(DeTable::is_empty)
    }

    /// How messages call something within this table.
    pub(super) fn inside(&self, what: &str) -> String {
        if self.place.is_empty() { what.to_owned() } else { format!("{}, {what}", self.place) }
    }

    fn table(
        &self,
        key: &'static Key,
        place: String,
        span: Range<usize>,
        entries: Option<&'a DeTable<'a>>,
    ) -> Table<'a> {
        let path = key.path(&self.path);
        Table { report: self.report, place, span, path, keys: key.inner(), kind: None, entries }
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|k| k.name == name && k.is_for(self.kind))
    }

    /// The names of its keys; while the kind of a rule is not known, those of all kinds.
    fn known(&self) -> impl Iterator<Item = &'static str> {
        let kind = self.kind;
        self.keys.iter().filter(move |key| kind.is_none() || key.is_for(kind)).map(|key| key.name)
    }

    fn value(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.entries?.get(name)
    }

    fn complain(&self, key: &Key, span: &Range<usize>, wrongs: Vec<super::value::Wrong>) {
        for wrong in wrongs {
            let shown = match &wrong.at {
                Some(at) => format!("{} in {}", self.report.source.excerpt(at), key.name),
                None => format!("{} = {}", key.name, self.report.source.excerpt(span)),
            };
            let at = wrong.at.as_ref().unwrap_or(span);
            self.report.error(&self.place, at, format!("{shown}: {}", wrong.what), wrong.remedy);
        }
    }

    fn unknown(&self, word: &str, span: &Range<usize>, value: &DeValue<'_>) {
        let known = || self.known();
        let remedy = if let Some(near) = nearest(word, known()) {
            // A table under a wrong name is written with a header.
            let table = matches!(value, DeValue::Table(_) | DeValue::Array(_));
            let key = self.keys.iter().find(|k| k.name == near && !k.inner().is_empty());
            match key.filter(|_| table && self.place.is_empty()) {
                Some(key) => format!("did you mean {}?", key.header(&self.path)),
                None => format!("did you mean \"{near}\"?"),
            }
        } else if let Some(owner) = owner(word) {
            format!("it belongs to {owner}: write it right below that header")
        } else if looks_secret(word) && known().any(|k| k == "password") {
            "did you mean \"password\"?".to_owned()
        } else {
            let mut names: Vec<&str> = Vec::new();
            known().for_each(|name| names.extend((!names.contains(&name)).then_some(name)));
            format!("known here: {}", names.join(", "))
        };
        let what = format!("{}: there is no such key", one_line(word));
        self.report.error(&self.place, span, what, Some(remedy));
    }
}

/// That a key of these kinds of rule has no place in one of another kind.
fn misplaced(word: &str, kind: RuleKind, owners: &[RuleKind]) -> String {
    /// More are not listed.
    const MAX: usize = 4;
    if owners.len() > MAX {
        return format!("{word} does not belong to rules of kind \"{}\"", kind.as_str());
    }
    let owners: Vec<String> = owners.iter().map(|owner| format!("\"{}\"", owner.as_str())).collect();
    format!("{word} belongs to rules of kind {}, not \"{}\"", owners.join(", "), kind.as_str())
}

/// `name = example` of a key that has to be there.
fn needed(key: &Key) -> Option<String> {
    match key.need {
        Need::Required(example) => Some(format!("{} = {example}", key.name)),
        Need::Default(_) | Need::Optional(_) => None,
    }
}
