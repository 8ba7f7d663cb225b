use karaul_wire::Severity;
use uuid::Uuid;

/// A message for the broker, QoS 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Full topic.
    pub topic: String,
    /// JSON, or empty to clear a retained topic.
    pub payload: Vec<u8>,
    /// Does the broker keep it for later subscribers?
    pub retain: bool,
    /// Decides what is dropped first when neither disk nor memory has room.
    pub severity: Severity,
    /// The incident it tells of. None of its messages overtakes an earlier one that the
    /// broker does not want at present.
    pub incident: Option<Uuid>,
    /// The number of the step it belongs to. The alert of a step and the state that it
    /// leads to have the same, and if they must be dropped, go together.
    pub sequence: Option<u64>,
}

impl Message {
    /// Does it clear a retained topic?
    pub(super) fn clears(&self) -> bool {
        self.retain && self.payload.is_empty()
    }

    /// Is it `gap/box`? Nothing else that is critical is no step of an incident.
    pub(super) fn tells_gaps(&self) -> bool {
        self.sequence.is_none() && !self.retain && self.severity == Severity::Critical
    }

    /// The number that the centre would miss without it: that of an alert. A state alone is none.
    pub(super) fn told(&self) -> Option<u64> {
        self.sequence.filter(|_| !self.retain)
    }
}
