use jiff::Timestamp;
use karaul_wire::{ReplyCode, Segment, Verb};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The hash before the first entry: 32 zero bytes in hex.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// `,"hash":"` + 64 hex digits + `"}`.
const SEAL_LEN: usize = SEAL_START.len() + 64 + SEAL_END.len();
const SEAL_START: &str = r#","hash":""#;
const SEAL_END: &str = r#""}"#;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The agent started.
    Start,
    /// It stopped in an orderly way.
    Stop,
    /// The config was read anew; `detail` says what came of it.
    Reload,
    /// Which keys and roles are in force; `detail` names them.
    Keys,
    /// The box's own key was made, or made anew.
    BoxKey,
    /// A command was admitted and is about to be carried out. No other way leads to personal data on the box.
    Command,
    /// What became of the command in `entry`.
    Result,
    /// A command was refused.
    Refused,
    /// Commands were refused that are not worth an entry each.
    RefusedMany,
    /// The unfinished entry of a power cut was cut off.
    Repaired,
    /// The log was found changed or incomplete at the start.
    Damaged,
}

/// What is put on record. What does not apply stays empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What happened.
    pub event: Occasion,
    /// On whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The key that signed, or that is spoken of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The role that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Segment>,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// Of what: `camera gate`, `incident …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What personal data is needed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The command's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// The entry that this one ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ReplyCode>,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Record {
    /// A record with nothing but what happened.
    #[must_use]
    pub const fn new(event: Occasion) -> Self {
        Self {
            event,
            actor: None,
            key: None,
            role: None,
            verb: None,
            object: None,
            reason: None,
            purpose: None,
            jti: None,
            entry: None,
            result: None,
            detail: None,
        }
    }

    /// With something for people.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1, without a gap, over all files.
    pub number: u64,
    /// When, by the box's clock.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub record: Record,
    /// The hash of the entry before; zeros before the first.
    pub previous: String,
}

/// An entry as it lies in the file, and whether it is what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) entry: Entry,
    /// The hash that stands there.
    pub(super) hash: String,
    /// The hash that should.
    pub(super) computed: String,
}

impl Entry {
    /// The entry as a line of the file, with its line break, and its hash: SHA-256 of all bytes of the line
    /// before `,"hash":"`. No other spelling of the same JSON has the same hash, so none needs to be agreed on.
    pub(super) fn seal(&self) -> Result<(Vec<u8>, String), serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        text.pop(); // the closing brace comes after the hash
        let hash = hex::encode(Sha256::digest(&text));
        text.extend([SEAL_START, &hash, SEAL_END, "\n"]);
        Ok((text.into_bytes(), hash))
    }
}

impl Link {
    /// Reads a line without its line break. `None` if it has not the form of an entry.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let (text, seal) = line.split_at_checked(line.len().checked_sub(SEAL_LEN)?)?;
        let seal = std::str::from_utf8(seal).ok()?;
        let hash = seal.strip_prefix(SEAL_START)?.strip_suffix(SEAL_END)?;
        if !hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut json = text.to_vec();
        json.push(b'}');
        let entry = serde_json::from_slice(&json).ok()?;
        Some(Self { entry, hash: hash.to_owned(), computed: hex::encode(Sha256::digest(text)) })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.hash == self.computed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_documented_form() {
        let record = Record { actor: Some("дежурный \"А\"\n".to_owned()), ..Record::new(Occasion::Start) };
        let entry = Entry {
            number: 1,
            time: "2026-11-22T10:00:00.5Z".parse().unwrap(),
            record: record.detail("version 0.1.0"),
            previous: NO_HASH.to_owned(),
        };
        let (line, hash) = entry.seal().unwrap();
        let text = format!(
            "{{\"number\":1,\"time\":\"2026-11-22T10:00:00.5Z\",\"event\":\"start\",\"actor\":\"дежурный \\\"А\\\"\\n\",\
             \"detail\":\"version 0.1.0\",\"previous\":\"{NO_HASH}\""
        );
        assert_eq!(hash, hex::encode(Sha256::digest(&text)));
        assert_eq!(String::from_utf8(line.clone()).unwrap(), format!("{text},\"hash\":\"{hash}\"}}\n"));
        let link = Link::parse(&line[..line.len() - 1]).unwrap();
        assert!(link.is_whole());
        assert_eq!(link.entry, entry);
    }
}
