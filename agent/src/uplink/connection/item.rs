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
    /// The state of an incident that only another broker has: payload, empty to clear it.
    Owed {
        topic: String,
        payload: Vec<u8>,
    },
    Subscription,
    Stopped,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub row: i64,
    pub incident: Option<Uuid>,
    pub retain: bool,
    pub topic: String,
    /// What is retained, if there is another broker that may have to know.
    pub state: Option<Vec<u8>>,
}
