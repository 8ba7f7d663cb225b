//! What may be written in a config, as far as the reader and the JSON Schema need to know it.

mod catalogue;
mod filter;
mod kinds;
mod rule;

use std::time::Duration;

use karaul_wire::RuleKind;

pub(super) use self::catalogue::ROOT;

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) need: Need,
    /// What it means, in one sentence.
    pub(super) says: &'static str,
    /// The kinds of rule that have it; none stands for all of them, and for tables that are no rules.
    pub(super) kinds: &'static [RuleKind],
}

/// What happens if a key is not there. Values are TOML.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// That is an error; the text is an example of what to write.
    Required(&'static str),
    /// The text is read instead.
    Default(&'static str),
    /// Nothing; the text is an example of what could be written.
    Optional(&'static str),
}

/// Which values a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// `[a-z0-9-]{1,32}`.
    Id,
    /// Any text for people, on one line.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words, each at most once.
    Words(&'static [&'static str]),
    /// A list of texts, at least one.
    Texts,
    /// A list of ids, at least one, each at most once.
    Ids,
    /// `true` or `false`.
    Flag,
    /// A number in a range.
    Number(f64, f64),
    /// A whole number in a range.
    Whole(u64, u64),
    /// `"500ms"`, `"2s"`, `"5m"`, `"1h"` in a range.
    Duration(Duration, Duration),
    /// `"64 MiB"` in a range of bytes.
    Size(u64, u64),
    /// `[width, height]` in shares of the picture.
    Pair,
    /// `[n, m]`: `n` out of `m`, which is at most this.
    OutOf(u32),
    /// Least and greatest number of points `[x, y]`.
    Points(usize, usize),
    /// So many places `[x, y]` on the ground, no coordinate farther from 0 than this.
    Metres(usize, f64),
    /// `"2m"`, `"1.5heights"`.
    Distance,
    /// `"20km/h"`, `"1.5heights/s"`.
    Pace,
    /// `"08:00"`.
    TimeOfDay,
    /// A list of spans of a day, `"19:00-07:30"`; at least so many.
    Spans(usize),
    /// A list of days of a calendar, `"2026-12-16"`, `"2026-03-21..2026-03-25"`, `"every 01-01"`; at least one.
    Holidays,
    /// First levels of an MQTT topic.
    TopicPrefix,
    /// `rtsp://host/path`.
    CameraUrl,
    /// `mqtts://host:port`.
    BrokerUrl,
    /// A list of so many `mqtts://host:port` at most, at least one.
    BrokerUrls(usize),
    /// A path, relative to the config file.
    Path,
    /// `credential:NAME` or `file:PATH`.
    Password,
    /// Ed25519, in Base64url, or `file:PATH`.
    PublicKey,
    /// `"2027-12-31"`.
    Day,
    /// IANA name.
    TimeZone,
    /// `[table]`.
    Table(&'static [Key]),
    /// `[[table]]`.
    Tables(&'static [Key]),
    /// `[table.<id>]`.
    Named(&'static [Key]),
}

const fn required(name: &'static str, takes: Takes, example: &'static str, says: &'static str) -> Key {
    Key { name, takes, need: Need::Required(example), says, kinds: &[] }
}

const fn default(name: &'static str, takes: Takes, value: &'static str, says: &'static str) -> Key {
    Key { name, takes, need: Need::Default(value), says, kinds: &[] }
}

const fn optional(name: &'static str, takes: Takes, example: &'static str, says: &'static str) -> Key {
    Key { name, takes, need: Need::Optional(example), says, kinds: &[] }
}

impl Key {
    const fn of(mut self, kinds: &'static [RuleKind]) -> Self {
        self.kinds = kinds;
        self
    }

    /// Does a rule of this kind have it? `None` is a rule whose kind is not known, or no rule.
    pub(super) fn is_for(&self, kind: Option<RuleKind>) -> bool {
        self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind))
    }

    /// The keys of the tables this key holds; empty if it holds none.
    pub(super) fn inner(&self) -> &'static [Self] {
        match self.takes {
            Takes::Table(keys) | Takes::Tables(keys) | Takes::Named(keys) => keys,
            _ => &[],
        }
    }

    /// Its name after that of the table it is in: `camera.rule`.
    pub(super) fn path(&self, parent: &str) -> String {
        if parent.is_empty() { self.name.to_owned() } else { format!("{parent}.{}", self.name) }
    }

    /// Its header as a child of `parent`, for example `[[camera.rule]]`.
    pub(super) fn header(&self, parent: &str) -> String {
        let path = self.path(parent);
        match self.takes {
            Takes::Tables(_) => format!("[[{path}]]"),
            Takes::Named(_) => format!("[{path}.<id>]"),
            _ => format!("[{path}]"),
        }
    }
}

/// The header of the table in which a key is known, for "it belongs to …".
pub(super) fn owner(name: &str) -> Option<String> {
    fn search(keys: &'static [Key], parent: &str, name: &str) -> Option<String> {
        keys.iter().find_map(|table| {
            let here = table.inner().iter().any(|key| key.name == name);
            if here { Some(table.header(parent)) } else { search(table.inner(), &table.path(parent), name) }
        })
    }
    search(ROOT, "", name)
}
