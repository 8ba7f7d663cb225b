use std::{borrow::Cow, fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Alert;

/// The envelope: CloudEvents 1.0 in structured JSON mode, the same bytes on
/// MQTT 5 and 3.1.1. `recordedtime` and `sequence` are CloudEvents extensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event<T> {
    /// Always `1.0`.
    pub specversion: String,
    /// UUIDv7, the same whenever this message is sent again.
    pub id: Uuid,
    /// The box path, `karaul1/<region>/<district>/<site>/<box>`.
    pub source: String,
    /// For an alert `karaul.alert.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The camera.
    pub subject: String,
    /// When it happened, by the camera's picture.
    pub time: Timestamp,
    /// When the box had it safe on its disk.
    pub recordedtime: Timestamp,
    /// Place in the box's never-ending numbering; a hole means a loss.
    pub sequence: Sequence,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Address of the JSON Schema of `data`.
    pub dataschema: String,
    /// The content.
    pub data: T,
}

/// What goes out on `alert/…` and `open/…`.
pub type AlertEvent = Event<Alert>;

impl AlertEvent {
    /// The CloudEvents type of an alert.
    pub const KIND: &str = "karaul.alert.v1";
    /// The address of its schema; a name, not a promise that a server answers there.
    pub const SCHEMA: &str = "urn:karaul:schema:alert:1";

    /// Wraps an alert. `subject` is the alert's camera.
    #[must_use]
    pub fn alert(id: Uuid, source: String, time: Timestamp, recorded: Timestamp, sequence: u64, data: Alert) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id,
            source,
            kind: Self::KIND.to_owned(),
            subject: data.location.camera.to_string(),
            time,
            recordedtime: recorded,
            sequence: Sequence(sequence),
            datacontenttype: "application/json".to_owned(),
            dataschema: Self::SCHEMA.to_owned(),
            data,
        }
    }
}

impl<T: Serialize> Event<T> {
    /// The bytes that go into the outbox and onto the wire.
    ///
    /// # Errors
    /// Never for the types of this crate; kept as a `Result` because JSON cannot
    /// hold every Rust value.
    pub fn to_json(&self) -> Result<Vec<u8>, EventError> {
        serde_json::to_vec(self).map_err(EventError)
    }
}

/// The bytes are not the JSON of such an event.
#[derive(Debug, thiserror::Error)]
#[error("not a Karaul event: {0}")]
pub struct EventError(#[from] serde_json::Error);

/// A per-box message number, written as 20 digits so that it sorts as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]{20}$"))]
pub struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}", self.0)
    }
}

impl FromStr for Sequence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() != 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("sequence '{text}' is not 20 digits"));
        }
        text.parse().map(Self).map_err(|_| format!("sequence '{text}' does not fit 64 bits"))
    }
}

impl TryFrom<Cow<'_, str>> for Sequence {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Sequence> for String {
    fn from(sequence: Sequence) -> Self {
        sequence.to_string()
    }
}

/// The same alert, marked as delivered late (`data.backfill`).
///
/// The outbox stores an alert before anybody knows when it will be sent, so the
/// mark is put on when it is published. All else, the ids included, stays.
///
/// # Errors
/// If the bytes are not an alert event of this version.
pub fn mark_backfill(payload: &[u8]) -> Result<Vec<u8>, EventError> {
    let mut event: AlertEvent = serde_json::from_slice(payload)?;
    event.data.backfill = true;
    event.to_json()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sequences_sort_as_text_and_survive_the_trip(a: u64, b: u64) {
            let (x, y) = (Sequence(a), Sequence(b));
            prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
            prop_assert_eq!(x.to_string().parse::<Sequence>().unwrap(), x);
        }
    }

    #[test]
    fn a_sequence_of_another_length_is_refused() {
        assert_eq!("7".parse::<Sequence>().unwrap_err(), "sequence '7' is not 20 digits");
        assert_eq!(
            "99999999999999999999".parse::<Sequence>().unwrap_err(),
            "sequence '99999999999999999999' does not fit 64 bits"
        );
    }

    #[test]
    fn backfill_changes_nothing_else() {
        let before = Alert::example();
        let now = "2026-11-22T03:00:00Z".parse().unwrap();
        let event = AlertEvent::alert(Uuid::nil(), "karaul1/a/b/c/d".into(), now, now, 7, before.clone());
        let marked: AlertEvent = serde_json::from_slice(&mark_backfill(&event.to_json().unwrap()).unwrap()).unwrap();
        assert_eq!(marked.data, Alert { backfill: true, ..before });
        assert_eq!(AlertEvent { data: event.data.clone(), ..marked }, event);
        assert!(mark_backfill(b"{}").is_err());
    }
}
