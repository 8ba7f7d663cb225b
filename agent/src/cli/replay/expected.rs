use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{
    Deserialize,
    de::{self, Deserializer, MapAccess},
};

/// The incidents that recordings are expected to give, and no others: of several recordings by their file names, or a
/// list for a single one.
///
/// ```json
/// { "clips": { "night-1.mp4": { "camera": "gate", "expected": [ { "rule": "fence", "at_s": 18.8, "tolerance_s": 1.0 } ] } } }
/// ```
/// ```json
/// [ { "rule": "fence", "from_s": 17.0, "to_s": 20.0 } ]
/// ```
#[derive(Debug)]
pub(super) enum Expected {
    /// For whatever recording is replayed.
    One(Vec<Event>),
    /// In the order of the file.
    Clips(Vec<(String, Entry)>),
}

/// What is said of one recording.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Id of the camera that it is replayed as.
    pub(super) camera: Option<String>,
    /// When it begins.
    pub(super) start: Option<Timestamp>,
    /// All incidents that must open in it; none if nothing may happen.
    pub(super) expected: Vec<Event>,
}

/// When an incident of a rule is expected to open.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Event {
    /// Rule id.
    pub(super) rule: String,
    /// Where in the recording.
    pub(super) when: When,
}

/// A time, in seconds from the recording's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// About then: so many seconds earlier or later are still right.
    At(f64, f64),
    /// Between the two.
    Within(f64, f64),
}

impl When {
    /// The earliest and the latest moment that is right.
    pub(super) fn bounds(self) -> (f64, f64) {
        match self {
            Self::At(at, tolerance) => (at - tolerance, at + tolerance),
            Self::Within(from, to) => (from, to),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at, tolerance) => write!(f, "{at:.1} s ± {tolerance} s"),
            Self::Within(from, to) => write!(f, "{from:.1} s to {to:.1} s"),
        }
    }
}

/// An [`Event`] as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rule: String,
    at_s: Option<f64>,
    tolerance_s: Option<f64>,
    from_s: Option<f64>,
    to_s: Option<f64>,
}

impl TryFrom<Written> for Event {
    type Error = String;

    fn try_from(Written { rule, at_s, tolerance_s, from_s, to_s }: Written) -> Result<Self, String> {
        /// Seconds earlier or later if nothing is said.
        const TOLERANCE: f64 = 1.0;
        let when = match (at_s, tolerance_s, from_s, to_s) {
            (Some(at), tolerance, None, None) => When::At(at, tolerance.unwrap_or(TOLERANCE)),
            (None, None, Some(from), Some(to)) if from <= to => When::Within(from, to),
            (None, None, Some(from), Some(to)) => {
                return Err(format!("rule \"{rule}\": from_s {from} is later than to_s {to}"));
            }
            _ => return Err(format!("rule \"{rule}\": give at_s, with tolerance_s if need be, or from_s and to_s")),
        };
        let (When::At(a, b) | When::Within(a, b)) = when;
        if a < 0.0 || b < 0.0 {
            return Err(format!("rule \"{rule}\": times count from the recording's start and are not below 0"));
        }
        Ok(Self { rule, when })
    }
}

/// A file for several recordings, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "entries")]
    clips: Vec<(String, Entry)>,
}

/// In their order; an entry that is there twice would otherwise hide the first.
fn entries<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<(String, Entry)>, D::Error> {
    struct Entries;

    impl<'de> de::Visitor<'de> for Entries {
        type Value = Vec<(String, Entry)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with a file name for each clip")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries: Self::Value = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                if entries.iter().any(|(known, _)| *known == name) {
                    return Err(de::Error::custom(format!("\"{name}\" is there twice")));
                }
                entries.push((name, map.next_value()?));
            }
            Ok(entries)
        }
    }

    input.deserialize_map(Entries)
}

/// Why there is nothing to compare with.
#[derive(Debug, thiserror::Error)]
pub enum ExpectedError {
    /// The file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A list of incidents.
    #[error(
        "{path} is no list of expected incidents: {source}; write [{{ \"rule\": \"fence\", \"at_s\": 18.8, \"tolerance_s\": 1.0 }}]"
    )]
    List {
        /// Its path.
        path: PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
    /// Incidents of several recordings.
    #[error(
        "{path} does not say what is expected: {source}; write {{ \"clips\": {{ \"night-1.mp4\": {{ \"expected\": [{{ \"rule\": \"fence\", \"at_s\": 18.8 }}] }} }} }}"
    )]
    Clips {
        /// Its path.
        path: PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
}

impl Expected {
    /// Reads a file of expected incidents.
    ///
    /// # Errors
    /// If it cannot be read or is not one.
    pub(super) fn load(path: &Path) -> Result<Self, ExpectedError> {
        let text = fs::read_to_string(path).map_err(|source| ExpectedError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ExpectedError> {
        let path = || path.to_owned();
        if text.trim_start().starts_with('[') {
            let list = serde_json::from_str(text).map_err(|source| ExpectedError::List { path: path(), source })?;
            return Ok(Self::One(list));
        }
        let file: File = serde_json::from_str(text).map_err(|source| ExpectedError::Clips { path: path(), source })?;
        Ok(Self::Clips(file.clips))
    }

    /// What is said of the recording with this file name.
    pub(super) fn entry(&self, name: &str) -> Option<Entry> {
        match self {
            Self::One(expected) => Some(Entry { camera: None, start: None, expected: expected.clone() }),
            Self::Clips(entries) => entries.iter().find(|(known, _)| known == name).map(|(_, entry)| entry.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Expected, String> {
        Expected::parse(Path::new("expected.json"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_for_one_recording_and_an_object_for_several() {
        let list =
            parse(r#" [ { "rule": "a", "at_s": 10, "tolerance_s": 0.5 }, { "rule": "b", "at_s": 3 } ]"#).unwrap();
        let event = |rule: &str, when| Event { rule: rule.to_owned(), when };
        let entry = list.entry("any.mp4").unwrap();
        assert_eq!(entry.expected, [event("a", When::At(10.0, 0.5)), event("b", When::At(3.0, 1.0))]);
        let several = parse(
            r#"{ "clips": {
                "night-1.mp4": { "camera": "gate", "start": "2026-11-22T22:00:00+05:00",
                                 "expected": [ { "rule": "a", "from_s": 1, "to_s": 2.5 } ] },
                "empty.mp4": { "expected": [] } } }"#,
        )
        .unwrap();
        let entry = several.entry("night-1.mp4").unwrap();
        assert_eq!((entry.camera.as_deref(), entry.start.unwrap().as_second()), (Some("gate"), 1_795_366_800));
        assert_eq!(entry.expected, [event("a", When::Within(1.0, 2.5))]);
        assert_eq!(several.entry("empty.mp4"), Some(Entry { camera: None, start: None, expected: Vec::new() }));
        assert_eq!(several.entry("any.mp4"), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let says = |text: &str| parse(text).unwrap_err();
        let list = "; write [{ \"rule\": \"fence\", \"at_s\": 18.8, \"tolerance_s\": 1.0 }]";
        let clips =
            "; write { \"clips\": { \"night-1.mp4\": { \"expected\": [{ \"rule\": \"fence\", \"at_s\": 18.8 }] } } }";
        for (text, wrong) in [
            (
                r#"[{"rule":"a","at":1}]"#,
                "unknown field `at`, expected one of `rule`, `at_s`, `tolerance_s`, `from_s`, `to_s` at line 1 column 17",
            ),
            (
                r#"[{"rule":"a"}]"#,
                "rule \"a\": give at_s, with tolerance_s if need be, or from_s and to_s at line 1 column 14",
            ),
            (r#"[{"rule":"a","from_s":4,"to_s":3}]"#, "rule \"a\": from_s 4 is later than to_s 3 at line 1 column 34"),
            (
                r#"[{"rule":"a","at_s":-1}]"#,
                "rule \"a\": times count from the recording's start and are not below 0 at line 1 column 24",
            ),
        ] {
            assert_eq!(says(text), format!("expected.json is no list of expected incidents: {wrong}{list}"));
        }
        for (text, wrong) in [
            (r#"{"clips":{},"clip":1}"#, "unknown field `clip`, expected `clips` at line 1 column 18"),
            (r#"{"clips":{"a.mp4":{}}}"#, "missing field `expected` at line 1 column 20"),
            (
                r#"{"clips":{"a.mp4":{"expected":[]},"a.mp4":{"expected":[]}}}"#,
                "\"a.mp4\" is there twice at line 1 column 41",
            ),
            (
                r#"{"clips":[]}"#,
                "invalid type: sequence, expected an object with a file name for each clip at line 1 column 9",
            ),
            ("", "EOF while parsing a value at line 1 column 0"),
        ] {
            assert_eq!(says(text), format!("expected.json does not say what is expected: {wrong}{clips}"));
        }
        assert_eq!(
            Expected::load(Path::new("no/such.json")).unwrap_err().to_string(),
            "cannot read no/such.json: No such file or directory (os error 2)"
        );
    }
}
