use super::Outbox;

/// What has become of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The broker has not acknowledged it yet.
    Waiting,
    /// The broker has it; the consumer, whose receipt is wanted, has not confirmed it yet.
    Unconfirmed,
    /// Delivered, by whoever has to confirm that.
    Delivered,
    /// It is not here, and nobody has confirmed it.
    Lost,
}

impl Outbox {
    /// What has become of the alert of this number.
    #[must_use]
    pub fn fate(&self, sequence: u64) -> Fate {
        self.lock().fate(sequence)
    }

    /// Is the broker there?
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.lock().is_connected()
    }
}
