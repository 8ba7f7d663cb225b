use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Segment, Sequence};

/// Retained on `ledger/box`: the last whole day of the blind-time ledger. Written after each midnight, and at each
/// start of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoxLedger {
    /// When this was written.
    pub time: Timestamp,
    /// The day.
    pub day: LedgerDay,
}

/// What became of each millisecond of a day, for each rule of each camera. For every rule
/// `seeing_ms` + all `blind.*.total_ms` + `disarmed_ms` + `off_ms` + `unknown_ms` is exactly `counted_ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerDay {
    /// The day, in the site's time zone.
    pub date: Date,
    /// That time zone.
    pub time_zone: String,
    /// When it began.
    pub begins: Timestamp,
    /// Its length: 86,400,000 unless summer time begins or ends.
    pub length_ms: u64,
    /// So much of it is counted: its length once it is over.
    pub counted_ms: u64,
    /// What the days were that are missing before this one, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Absence>,
    /// By camera and rule, in this order.
    pub rules: Vec<LedgerRule>,
    /// Scheduled tests of the way from picture to subscriber.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<LedgerTest>,
}

/// Why there is nothing on record. Later versions may add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Absence {
    /// The agent did not run.
    Off,
    /// Nobody knows: the clock was set forward, or the record was lost.
    Unknown,
}

/// A day of one rule. `seeing_ms` and `blind` together are the time in which it was armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerRule {
    /// Camera id.
    pub camera: Segment,
    /// Rule id.
    pub rule: Segment,
    /// Armed, and its camera was really seen.
    pub seeing_ms: u64,
    /// Armed and blind, by cause: a `reason` or `cause` of `status/camera/<camera>`, `starting` before the first
    /// picture, or `other` after too many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blind: BTreeMap<String, LedgerBlind>,
    /// Not armed: by its schedule or by a command, its camera was switched off, or the config had no such rule.
    pub disarmed_ms: u64,
    /// The agent did not run.
    pub off_ms: u64,
    /// Nobody knows.
    pub unknown_ms: u64,
}

/// Blindness of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerBlind {
    /// All of it.
    pub total_ms: u64,
    /// How often.
    pub spells: u32,
    /// The longest spell on this day.
    pub longest_ms: u64,
    /// When that began.
    pub longest_since: Timestamp,
}

/// A scheduled test: an incident with the status `test`, from a picture to whoever confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerTest {
    /// When it was begun.
    pub at: Timestamp,
    /// The camera that pretended to have seen something.
    pub camera: Segment,
    /// Its rule that was to fire.
    pub rule: Segment,
    /// The incident, if the rule fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Uuid>,
    /// The number of its first alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// What came of it.
    pub outcome: TestOutcome,
    /// After how long it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

/// What came of a scheduled test. Later versions may add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TestOutcome {
    /// It is not confirmed yet.
    Waiting,
    /// The broker, or with `delivery = "receipt"` the consumer, has confirmed it in time.
    Confirmed,
    /// They have, but after the limit.
    Late,
    /// They have not.
    Missed,
    /// The rule did not fire, or the box had no room for the alert.
    Failed,
}

impl LedgerRule {
    /// Armed and blind, of whatever cause.
    #[must_use]
    pub fn blind_ms(&self) -> u64 {
        self.blind.values().map(|blind| blind.total_ms).sum()
    }

    /// Armed, seeing or blind.
    #[must_use]
    pub fn armed_ms(&self) -> u64 {
        self.seeing_ms + self.blind_ms()
    }

    /// All that is counted.
    #[must_use]
    pub fn counted_ms(&self) -> u64 {
        self.armed_ms() + self.disarmed_ms + self.off_ms + self.unknown_ms
    }
}
