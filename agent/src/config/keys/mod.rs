//! What may be written in a config, as far as the reader and the JSON Schema need to know it.

mod catalogue;

use std::time::Duration;

use karaul_wire::RuleKind;

pub(super) use self::catalogue::ROOT;

/// One key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) need: Need,
    /// What it means, in one sentence.
    pub(super) says: &'static str,
    /// The kind of rule that alone has it.
    pub(super) kind: Option<RuleKind>,
}

/// What happens if a key is not there. Values are TOML.
#[derive(Debug)]
pub(super) enum Need {
    /// That is an error; the text is an example of what to write.
    Required(&'static str),
    /// The text is read instead.
    Default(&'static str),
    /// Nothing; the text is an example of what could be written.
    Optional(&'static str),
}

/// Which values a key takes.
#[derive(Debug)]
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
    /// Least and greatest number of points `[x, y]`.
    Points(usize, usize),
    /// `"08:00"`.
    TimeOfDay,
    /// A list of spans of a day, `"19:00-07:30"`.
    Spans,
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
    Key { name, takes, need: Need::Required(example), says, kind: None }
}

const fn default(name: &'static str, takes: Takes, value: &'static str, says: &'static str) -> Key {
    Key { name, takes, need: Need::Default(value), says, kind: None }
}

const fn optional(name: &'static str, takes: Takes, example: &'static str, says: &'static str) -> Key {
    Key { name, takes, need: Need::Optional(example), says, kind: None }
}

impl Key {
    const fn only(mut self, kind: RuleKind) -> Self {
        self.kind = Some(kind);
        self
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
