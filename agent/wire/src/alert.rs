use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{RuleKind, Segment, Severity, Text, Why};

/// One step in the life of one incident: the `data` of a `karaul.alert.v1` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Which incident, and where it is in its life.
    pub incident: Incident,
    /// The rule that found it.
    pub rule: Rule,
    /// Where.
    pub location: Location,
    /// One sentence for people, by language.
    pub text: Text,
    /// What was seen, at the moment of this step; empty where nobody was, or no camera.
    pub objects: Vec<Object>,
    /// Why the rule fired: measured values beside their thresholds.
    pub why: Why,
    /// What saw it.
    pub model: Model,
    /// Pictures and clips that lie on the box; never inline.
    pub evidence: Vec<Evidence>,
    /// How far the times can be trusted.
    pub clock: Clock,
    /// Why this camera watches at all, as the law wants it stated.
    pub purpose: String,
    /// This is no single incident, but what a rule found beyond its budget; `objects` and `why` are those of the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
    /// Delivered late, after the link or the box had been away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backfill: bool,
}

/// What a rule found and did not tell one by one, because it was too much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Storm {
    /// How much was found.
    pub count: u32,
    /// Since when.
    pub since: Timestamp,
    /// The best score among it.
    pub score_max: f32,
}

/// Identity and life cycle of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// UUIDv7, the same in all steps.
    pub id: Uuid,
    /// 1 for the opening step, then one more with each step.
    pub rev: u32,
    /// Which step this is.
    pub phase: Phase,
    /// Real, or only practised.
    pub status: Status,
    /// How urgent. Later steps may be more severe; they come on the topic of that severity.
    pub severity: Severity,
    /// When it began, by the camera's picture.
    pub opened: Timestamp,
    /// When it ended; only in the closing step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// Why it ended; only in the closing step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_reason: Option<CloseReason>,
    /// A person has taken it: the first `acknowledge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
}

/// Who took an incident, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledged {
    /// The `actor` of the command.
    pub actor: String,
    /// When the box got it.
    pub time: Timestamp,
}

/// The steps of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The first message about it.
    Open,
    /// Still going on.
    Update,
    /// The last message about it.
    Close,
}

/// Is it meant?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A real observation.
    Actual,
    /// A drill.
    Exercise,
    /// A test of the path from camera to centre.
    Test,
}

/// Why an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CloseReason {
    /// The condition no longer holds: the object left the zone, has crossed the line, the post is manned again …
    Cleared,
    /// The object was no longer seen.
    Lost,
    /// The schedule ended, a command disarmed the rule or switched the camera off, or the config changed.
    Disarmed,
    /// The camera went blind, so nobody knows how it ended.
    Blind,
    /// The box was stopped in an orderly way.
    Stopped,
    /// The agent had ended without closing it and closed it at its next start.
    Restarted,
    /// An operator said that it is over.
    Resolved,
    /// An operator said that it was none.
    FalsePositive,
}

/// The rule that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Id from the config.
    pub id: Segment,
    /// Kind of rule.
    pub kind: RuleKind,
    /// The name of the nearest ONVIF Analytics event topic, where one exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onvif: Option<String>,
}

/// Where it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Camera id.
    pub camera: Segment,
    /// The camera's name for people.
    pub label: Text,
    /// Zone id, for rules on a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Segment>,
    /// Line id, for rules on a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Segment>,
    /// Since when the camera has been looking elsewhere: zone and line are not where they were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_moved: Option<Timestamp>,
}

/// One object in the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// Track number, unique per camera since the agent's start. Not a person's identity.
    pub track: u64,
    /// Class name of the model, for example `person`; `object` for what was put down and no model has named.
    pub class: String,
    /// Detector score, 0 to 1.
    pub score: f32,
    /// `[x, y, width, height]`, each 0 to 1 of the picture, origin top left.
    #[serde(rename = "box")]
    pub bbox: [f32; 4],
}

/// The model that saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Id from the model's manifest.
    pub id: String,
    /// SHA-256 of the ONNX file, hex.
    pub sha256: String,
    /// The execution provider that really ran it.
    pub provider: String,
}

/// A picture or clip on the box.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Its id; the file on the box carries this name.
    pub id: Uuid,
    /// Picture or clip.
    pub kind: EvidenceKind,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
    /// What has been made unrecognisable in it.
    pub redaction: Redaction,
}

/// What an evidence file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// One JPEG picture.
    Snapshot,
    /// A video clip.
    Clip,
}

/// What has been made unrecognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Redaction {
    /// Nothing: such a file does not leave the box unasked.
    None,
    /// All persons.
    Persons,
}

/// How far the times in this message can be trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Where `time` comes from.
    pub source: ClockSource,
    /// Estimated error in milliseconds, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ms: Option<u32>,
    /// Kernel boot id, so that monotonic times can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<Uuid>,
    /// Monotonic time of the picture since the agent's start, in nanoseconds.
    pub monotonic_ns: u64,
}

/// Where a time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockSource {
    /// The box's clock when the picture was decoded.
    Box,
    /// A recording's own time line.
    Recording,
}

impl Alert {
    /// A complete alert with every optional field set, for tests and documentation.
    #[must_use]
    pub fn example() -> Self {
        let id = |text: &str| text.parse::<Segment>().expect("a valid id");
        let time = |text: &str| text.parse::<Timestamp>().expect("a valid time");
        Self {
            incident: Incident {
                id: Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001),
                rev: 3,
                phase: Phase::Close,
                status: Status::Actual,
                severity: Severity::Critical,
                opened: time("2026-11-22T02:14:07.2Z"),
                closed: Some(time("2026-11-22T02:14:31.4Z")),
                close_reason: Some(CloseReason::Cleared),
                acknowledged: None,
            },
            rule: Rule {
                id: id("night-intrusion"),
                kind: RuleKind::Intrusion,
                onvif: RuleKind::Intrusion.onvif().map(str::to_owned),
            },
            location: Location {
                camera: id("gate"),
                label: Text::from([(crate::Language::En, "Main gate".to_owned())]),
                zone: Some(id("yard")),
                line: None,
                view_moved: None,
            },
            text: Text::from([(crate::Language::En, "Main gate: person in yard ended after 24 s".to_owned())]),
            objects: vec![Object {
                track: 17,
                class: "person".to_owned(),
                score: 0.83,
                bbox: [0.41, 0.32, 0.06, 0.27],
            }],
            why: Why {
                dwell_s: Some(24.2),
                dwell_min_s: Some(2.0),
                direction: None,
                score_max: 0.91,
                score_min: 0.5,
                suppressed: 1,
                measured: Vec::new(),
                condition: None,
                point: None,
            },
            model: Model { id: "yolox-nano".to_owned(), sha256: "00".repeat(32), provider: "cpu".to_owned() },
            evidence: vec![Evidence {
                id: Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0002),
                kind: EvidenceKind::Snapshot,
                sha256: "11".repeat(32),
                size: 48_213,
                redaction: Redaction::None,
            }],
            clock: Clock {
                source: ClockSource::Box,
                error_ms: None,
                boot_id: Some(Uuid::from_u128(3)),
                monotonic_ns: 1_234_567_890,
            },
            purpose: "school-safety".to_owned(),
            storm: None,
            backfill: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_does_not_move() {
        insta::assert_json_snapshot!(Alert::example());
    }

    #[test]
    fn what_is_not_so_is_not_said() {
        let mut alert = Alert::example();
        alert.incident.closed = None;
        alert.incident.close_reason = None;
        alert.location.zone = None;
        alert.why.suppressed = 0;
        let json = serde_json::to_string(&alert).unwrap();
        for key in ["closed", "close_reason", "zone", "suppressed", "storm", "condition", "backfill", "null"] {
            assert!(!json.contains(key), "{key} in {json}");
        }
    }
}
