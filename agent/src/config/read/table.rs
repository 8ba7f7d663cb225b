use std::ops::Range;

use karaul_wire::{RuleKind, Segment};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Report, nearest,
    value::{Checked, found},
};
use crate::config::{
    keys::{Key, Need, owner},
    source::looks_secret,
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
    keys: &'static [Key],
    kind: Option<RuleKind>,
    /// `None` if the document does not have the table and the defaults of its keys apply.
    entries: Option<&'a DeTable<'a>>,
}

impl<'a> Table<'a> {
    pub(super) fn root(report: &'a Report<'a>, keys: &'static [Key], entries: &'a DeTable<'a>) -> Self {
        Self { report, place: String::new(), span: 0..0, keys, kind: None, entries: Some(entries) }
    }

    /// The same table under another name.
    pub(super) fn called(mut self, place: String) -> Self {
        self.place = place;
        self
    }

    /// Reports the keys that do not belong here.
    ///
    /// `kind` is that of a rule; from then on only its keys are found. While it is
    /// `None`, keys of all kinds are admitted.
    pub(super) fn check_keys(&self, kind: Option<RuleKind>) {
        for (name, value) in self.entries.into_iter().flatten() {
            let word: &str = name.get_ref();
            let mut same_name = self.keys.iter().filter(|k| k.name == word).peekable();
            let Some(first) = same_name.peek() else {
                self.unknown(word, &name.span(), value.get_ref());
                continue;
            };
            let Some((theirs, ours)) = first.kind.zip(kind) else { continue };
            if !same_name.any(|k| k.kind == kind) {
                let what =
                    format!("{word} belongs to rules of kind \"{}\", not \"{}\"", theirs.as_str(), ours.as_str());
                self.report.error(&self.place, &name.span(), what, Some("remove it, or change kind".to_owned()));
            }
        }
    }

    /// The same table as that of a rule of this kind.
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

    /// A `[table]` within this one.
    pub(super) fn child(&self, name: &str) -> Option<Table<'a>> {
        let key = self.key(name)?;
        let header = key.header("");
        let child = |span, entries| {
            let place = if self.place.is_empty() { header.clone() } else { format!("{}, {name}", self.place) };
            let table = Table { report: self.report, place, span, keys: key.inner(), kind: None, entries };
            table.check_keys(None);
            table
        };
        match (self.value(name).map(|v| (v.span(), v.get_ref())), &key.need) {
            (Some((span, DeValue::Table(table))), _) => Some(child(span, Some(table))),
            (Some((span, other)), _) => {
                let what = format!("{name}: a table is wanted, not {}", found(other));
                self.report.error(&self.place, &span, what, Some(format!("write {header} once, with single brackets")));
                None
            }
            (None, Need::Required(_)) => {
                let example: Vec<String> = key.inner().iter().filter_map(needed).collect();
                let remedy = format!("add {header} with {}", example.join(", "));
                self.report.absence(&self.place, &self.span, format!("{header} is missing"), Some(remedy));
                None
            }
            (None, Need::Default(_)) => Some(child(self.span.clone(), None)),
            (None, Need::Optional(_)) => None,
        }
    }

    /// The `[[tables]]` within this one, each called by its number until it has a name.
    pub(super) fn children(&self, name: &str, header: &str) -> Vec<Table<'a>> {
        let (Some(key), Some(value)) = (self.key(name), self.value(name)) else { return Vec::new() };
        let remedy = || Some(format!("write {header}, with double brackets"));
        let DeValue::Array(items) = value.get_ref() else {
            let what = format!("{name}: a list of tables is wanted, not {}", found(value.get_ref()));
            self.report.error(&self.place, &value.span(), what, remedy());
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let place = self.inside(&format!("{name} {}", i + 1));
            if let DeValue::Table(entries) = item.get_ref() {
                let (keys, span) = (key.inner(), item.span());
                tables.push(Table { report: self.report, place, span, keys, kind: None, entries: Some(entries) });
            } else {
                let what = format!("a table is wanted, not {}", found(item.get_ref()));
                self.report.error(&place, &item.span(), what, remedy());
            }
        }
        tables
    }

    /// The `[table.<id>]` within this one. Wrong ids are reported and left out.
    pub(super) fn named(&self, name: &str) -> Vec<(Segment, Table<'a>)> {
        let (Some(key), Some(value)) = (self.key(name), self.value(name)) else { return Vec::new() };
        let DeValue::Table(tables) = value.get_ref() else {
            let what = format!("{name}: tables with an id are wanted, not {}", found(value.get_ref()));
            self.report.error(&self.place, &value.span(), what, Some(format!("write {}", key.header(""))));
            return Vec::new();
        };
        let mut named = Vec::new();
        for (id, value) in tables {
            let place = self.inside(&format!("{name} \"{}\"", id.get_ref()));
            let DeValue::Table(entries) = value.get_ref() else {
                let what = format!("a table is wanted, not {}", found(value.get_ref()));
                let remedy = format!("give it an id of its own: {}", key.header(""));
                self.report.error(&place, &value.span(), what, Some(remedy));
                continue;
            };
            let Ok(id) = id.get_ref().parse::<Segment>() else {
                let remedy = Segment::suggest(id.get_ref()).map(|near| format!("did you mean \"{near}\"?"));
                let what = "an id has 1 to 32 of a-z, 0-9 and '-'".to_owned();
                self.report.error(&place, &id.span(), what, remedy);
                continue;
            };
            let table = Table {
                report: self.report,
                place,
                span: value.span(),
                keys: key.inner(),
                kind: None,
                entries: Some(entries),
            };
            table.check_keys(None);
            named.push((id, table));
        }
        named
    }

    /// How messages call something within this table.
    pub(super) fn inside(&self, what: &str) -> String {
        if self.place.is_empty() { what.to_owned() } else { format!("{}, {what}", self.place) }
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|k| k.name == name && (k.kind.is_none() || k.kind == self.kind))
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
        let known = || self.keys.iter().map(|k| k.name);
        let remedy = if let Some(near) = nearest(word, known()) {
            // A table under a wrong name is written with a header.
            let table = matches!(value, DeValue::Table(_) | DeValue::Array(_));
            let key = self.keys.iter().find(|k| k.name == near && !k.inner().is_empty());
            match key.filter(|_| table && self.place.is_empty()) {
                Some(key) => format!("did you mean {}?", key.header("")),
                None => format!("did you mean \"{near}\"?"),
            }
        } else if let Some(owner) = owner(word) {
            format!("it belongs to {owner}: write it right below that header")
        } else if looks_secret(word) && known().any(|k| k == "password") {
            "did you mean \"password\"?".to_owned()
        } else {
            let mut names: Vec<&str> = known().collect();
            names.dedup();
            format!("known here: {}", names.join(", "))
        };
        self.report.error(&self.place, span, format!("{word}: there is no such key"), Some(remedy));
    }
}

/// `name = example` of a key that has to be there.
fn needed(key: &Key) -> Option<String> {
    match key.need {
        Need::Required(example) => Some(format!("{} = {example}", key.name)),
        Need::Default(_) | Need::Optional(_) => None,
    }
}
