use std::{ops::Range, time::Duration};

use jiff::civil::Time;
use karaul_wire::Segment;
use toml::{Spanned, de::DeValue};

use super::{
    nearest,
    wanted::{found, quoted, wanted},
};
use crate::config::{
    keys::{Key, Need, Takes},
    units,
};

/// What is wrong with a value.
pub(super) struct Wrong {
    /// As the end of a sentence that has named the key and shown the value.
    pub(super) what: String,
    pub(super) remedy: Option<String>,
    /// The part of the value, if it is not the whole.
    pub(super) at: Option<Range<usize>>,
}

/// A value, or everything that is wrong with it.
pub(super) type Checked<T> = Result<T, Vec<Wrong>>;

impl Wrong {
    pub(super) fn new<T>(what: impl Into<String>, remedy: impl Into<String>) -> Checked<T> {
        Err(vec![Self { what: what.into(), remedy: Some(remedy.into()), at: None }])
    }

    pub(super) fn at(what: impl Into<String>, remedy: impl Into<String>, at: Range<usize>) -> Self {
        Self { what: what.into(), remedy: Some(remedy.into()), at: Some(at) }
    }

    /// The value is of a kind or in a range that the key does not take.
    pub(super) fn unfit<T>(key: &Key, value: &DeValue<'_>) -> Checked<T> {
        let wanted = wanted(&key.takes);
        let what = match (&key.takes, value) {
            // The right kind, so it is the value that does not fit.
            (Takes::Number(..), DeValue::Integer(_) | DeValue::Float(_))
            | (Takes::Whole(..), DeValue::Integer(_))
            | (Takes::Flag, DeValue::Boolean(_))
            | (Takes::OutOf(_), DeValue::Array(_)) => format!("{wanted} is wanted"),
            (takes, DeValue::String(_)) if takes.in_quotes() => format!("{wanted} is wanted"),
            _ => format!("{wanted} is wanted, not {}", found(value)),
        };
        Self::new(what, format!("for example {} = {}", key.name, key.example()))
    }
}

impl Takes {
    fn in_quotes(&self) -> bool {
        !matches!(self, Self::Number(..) | Self::Whole(..) | Self::Flag | Self::Words(_) | Self::Texts | Self::Pair)
            && !matches!(self, Self::Points(..) | Self::Spans(_) | Self::BrokerUrls(_) | Self::Ids | Self::Holidays)
            && !matches!(self, Self::OutOf(_) | Self::Metres(..))
    }
}

impl Key {
    pub(super) fn example(&self) -> &'static str {
        match self.need {
            Need::Required(text) | Need::Default(text) | Need::Optional(text) => text,
        }
    }
}

pub(super) fn id(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Segment> {
    let DeValue::String(text) = value.get_ref() else { return Wrong::unfit(key, value.get_ref()) };
    text.parse::<Segment>().or_else(|_| match Segment::suggest(text) {
        Some(near) => Wrong::new(wanted(&key.takes) + " is wanted", format!("did you mean \"{near}\"?")),
        None => Wrong::unfit(key, value.get_ref()),
    })
}

/// A text on one line that is not blank.
pub(super) fn text(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<String> {
    /// Longer names fit no screen and no payload.
    const MAX: usize = 200;
    let DeValue::String(text) = value.get_ref() else { return Wrong::unfit(key, value.get_ref()) };
    let remedy = || format!("for example {} = {}", key.name, key.example());
    if text.trim().is_empty() {
        Wrong::new("a text that is not blank is wanted", remedy())
    } else if text.chars().any(char::is_control) {
        Wrong::new("the text has line breaks or other control characters", "write it on one line")
    } else if text.chars().count() > MAX {
        Wrong::new(format!("the text is longer than {MAX} characters"), remedy())
    } else {
        Ok(text.to_string())
    }
}

/// The first levels of a topic: what may stand before a `/` in MQTT (version 5, section 4.7).
pub(super) fn topic_prefix(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<String> {
    let text = text(key, value)?;
    if text.contains(['#', '+']) || text.starts_with('$') {
        return Wrong::new("a topic has no '#' or '+', and no '$' at its beginning", "remove it");
    }
    if text.split('/').any(str::is_empty) {
        return Wrong::new("a level of the topic is empty", "write single '/' between levels, none around them");
    }
    Ok(text)
}

pub(super) fn flag(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<bool> {
    match value.get_ref() {
        DeValue::Boolean(flag) => Ok(*flag),
        other => Wrong::unfit(key, other),
    }
}

/// One of the key's words, as the value of an enum.
pub(super) fn word<T: Copy>(
    all: &'static [T],
    as_str: fn(T) -> &'static str,
) -> impl FnOnce(&'static Key, &Spanned<DeValue<'_>>) -> Checked<T> {
    move |key, value| {
        let DeValue::String(text) = value.get_ref() else { return Wrong::unfit(key, value.get_ref()) };
        one_of(text, all, as_str).or_else(|near| match near {
            Some(near) => Wrong::new(wanted(&key.takes) + " is wanted", near),
            None => Wrong::unfit(key, value.get_ref()),
        })
    }
}

/// A list of words, at least one, each at most once.
pub(super) fn words<T: Copy + PartialEq>(
    all: &'static [T],
    as_str: fn(T) -> &'static str,
) -> impl FnOnce(&'static Key, &Spanned<DeValue<'_>>) -> Checked<Vec<T>> {
    move |key, value| {
        let mut chosen = Vec::new();
        each(key, value, |text, at| {
            let word = one_of(text, all, as_str).map_err(|near| {
                let list = || format!("for example {} = {}", key.name, key.example());
                let words: Vec<&str> = all.iter().map(|w| as_str(*w)).collect();
                Wrong::at(format!("one of {} is wanted", quoted(&words)), near.unwrap_or_else(list), at.clone())
            })?;
            if chosen.contains(&word) {
                return Err(Wrong::at("it is already in the list", "remove it", at));
            }
            chosen.push(word);
            Ok(())
        })?;
        Ok(chosen)
    }
}

fn one_of<T: Copy>(text: &str, all: &[T], as_str: fn(T) -> &'static str) -> Result<T, Option<String>> {
    let exact = all.iter().copied().find(|w| as_str(*w) == text);
    exact.ok_or_else(|| {
        let near = nearest(text, all.iter().map(|w| as_str(*w)));
        near.map(|near| format!("did you mean \"{near}\"?"))
    })
}

/// A list of texts, at least one, each with its place.
pub(super) fn texts(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Vec<Spanned<String>>> {
    let mut found = Vec::new();
    each(key, value, |text, at| {
        found.push(Spanned::new(at, text.to_owned()));
        Ok(())
    })?;
    Ok(found)
}

/// A list of ids, at least one, each at most once.
pub(super) fn ids(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Vec<Segment>> {
    let mut found: Vec<Segment> = Vec::new();
    each(key, value, |text, at| {
        let Ok(id) = text.parse::<Segment>() else {
            let remedy = match Segment::suggest(text) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("for example {} = {}", key.name, key.example()),
            };
            return Err(Wrong::at(wanted(&Takes::Id) + " is wanted", remedy, at));
        };
        if found.contains(&id) {
            return Err(Wrong::at("it is already in the list", "remove it", at));
        }
        found.push(id);
        Ok(())
    })?;
    Ok(found)
}

/// Goes through a list of texts and gathers what is wrong with its items.
pub(super) fn each(
    key: &'static Key,
    value: &Spanned<DeValue<'_>>,
    mut item: impl FnMut(&str, Range<usize>) -> Result<(), Wrong>,
) -> Checked<()> {
    let DeValue::Array(items) = value.get_ref() else { return Wrong::unfit(key, value.get_ref()) };
    let remedy = || format!("for example {} = {}", key.name, key.example());
    if items.is_empty() && !matches!(key.takes, Takes::Spans(0)) {
        return Wrong::new("the list is empty", remedy());
    }
    let mut wrongs = Vec::new();
    for one in items.iter() {
        let checked = match one.get_ref() {
            DeValue::String(text) => item(text, one.span()),
            other => Err(Wrong::at(format!("a text in quotes is wanted, not {}", found(other)), remedy(), one.span())),
        };
        wrongs.extend(checked.err());
    }
    if wrongs.is_empty() { Ok(()) } else { Err(wrongs) }
}

pub(super) fn number(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<f64> {
    let Takes::Number(min, max) = key.takes else { return Wrong::unfit(key, value.get_ref()) };
    match float(value.get_ref()).filter(|number| (min..=max).contains(number)) {
        Some(number) => Ok(number),
        None => Wrong::unfit(key, value.get_ref()),
    }
}

pub(super) fn whole(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<usize> {
    let (Takes::Whole(min, max), DeValue::Integer(text)) = (&key.takes, value.get_ref()) else {
        return Wrong::unfit(key, value.get_ref());
    };
    match u64::from_str_radix(text.as_str(), text.radix()).ok().filter(|n| (min..=max).contains(&n)) {
        Some(number) => usize::try_from(number).or_else(|_| Wrong::unfit(key, value.get_ref())),
        None => Wrong::unfit(key, value.get_ref()),
    }
}

pub(super) fn duration(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Duration> {
    let Takes::Duration(min, max) = &key.takes else { return Wrong::unfit(key, value.get_ref()) };
    match value.get_ref() {
        DeValue::String(text) => match units::duration(text).filter(|d| (min..=max).contains(&d)) {
            Some(duration) => Ok(duration),
            None => Wrong::unfit(key, value.get_ref()),
        },
        DeValue::Integer(number) => Wrong::new(
            wanted(&key.takes) + " is wanted, not a bare number",
            format!("write {} = \"{number}s\" if you mean seconds", key.name),
        ),
        other => Wrong::unfit(key, other),
    }
}

pub(super) fn size(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<u64> {
    let (Takes::Size(min, max), DeValue::String(text)) = (&key.takes, value.get_ref()) else {
        return Wrong::unfit(key, value.get_ref());
    };
    match units::size(text).filter(|bytes| (min..=max).contains(&bytes)) {
        Some(bytes) => Ok(bytes),
        None => Wrong::unfit(key, value.get_ref()),
    }
}

/// `"08:00"`.
pub(super) fn time(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Time> {
    match value.get_ref() {
        DeValue::String(text) => units::time_of_day(text).map_or_else(|| Wrong::unfit(key, value.get_ref()), Ok),
        other => Wrong::unfit(key, other),
    }
}

/// An integer or a float.
pub(super) fn float(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
        DeValue::Float(n) => n.as_str().parse().ok(),
        _ => None,
    }
}
