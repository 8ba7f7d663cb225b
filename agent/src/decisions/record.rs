use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::{Subject, Unmet};

/// One span of time in which one thing was so: one line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it was first so.
    pub from: Timestamp,
    /// When it was last so.
    pub until: Timestamp,
    /// Looks at which it was so.
    pub looks: u32,
    /// What was so.
    pub state: State,
    /// Id of the rule; `None` for what is about the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Whom it is about; `None` for what is about the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Class of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What was measured when it was nearest to what the rule asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What the rule asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Where the object was then: `[x, y, width, height]` in shares of the picture.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f32; 4]>,
}

/// What was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The detector looked at pictures.
    Looked,
    /// The rule's conditions were all met.
    Fired,
    /// An alert was sent: the incident opened.
    Alerted,
    /// The rule fired, but it was silent after its last alert.
    Cooldown,
    /// The rule fired, but it had told as much as it may in an hour: it is counted in a summary.
    Budget,
    /// The rule fired, but for what an operator has called false at this spot.
    Fixture,
    /// The rule fired, but a person has closed the incident while it went on.
    Settled,
    /// The rule fired, but there was no room for the alert.
    NoRoom,
    /// This condition was not met.
    #[serde(untagged)]
    Short(Unmet),
}

/// Whom it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// An object, by the number of its track.
    Track(u64),
    /// The zone, line or camera as a whole.
    Whole,
    /// Something that was put down or taken away, by its number.
    Spot(u64),
}

impl From<Subject> for About {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Track(id) => Self::Track(id),
            Subject::Whole => Self::Whole,
            Subject::Spot(id) => Self::Spot(id),
        }
    }
}
