use uuid::Uuid;

/// What a publish in the window carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Row {
        sent: Sent,
        alert: bool,
    },
    State {
        topic: String,
    },
    /// The state of an incident that this broker may lack: payload, empty to clear it.
    Owed {
        topic: String,
        payload: Vec<u8>,
    },
    /// A state that is cleared because this broker is left for good, though the incident goes on.
    Withdrawn {
        topic: String,
    },
    /// What is not kept: what it is, for the log.
    Passing {
        about: String,
    },
    Subscription,
    /// That of what the broker remembers of this box.
    Recall,
    Stopped,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub row: i64,
    pub incident: Option<Uuid>,
    /// The number of its step.
    pub sequence: Option<u64>,
    pub retain: bool,
    pub topic: String,
    /// What is retained of an open incident, empty if it has ended.
    pub state: Option<Vec<u8>>,
}
