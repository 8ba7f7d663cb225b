//! Does another box use our path? Pure policy.

use std::time::Duration;

/// So many connections in a row, each closed by the broker for no reason that we know of, are suspicious.
const IN_A_ROW: u32 = 4;
/// A connection that stood longer was not ended by a box that signs on again as soon as it can. Two boxes that back
/// off because of each other come back after two minutes at most.
const BRIEF: Duration = Duration::from_secs(150);

/// With MQTT 5 a broker should say when another client has taken our session over, and not every one does
/// (mosquitto 2.0.11 does not). Before it, a broker just closes the connection (3.1.1, section 3.1.4), as it does
/// for many reasons. But when dialling always works at once, nothing is under
/// way and the connection is closed again and again, a second box of the same path is the likely one.
#[derive(Debug, Default)]
pub(super) struct Rivalry {
    in_a_row: u32,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The broker closed it and said nothing, after so long.
    Closed {
        /// How long it stood.
        after: Duration,
        /// No message waited for an answer.
        idle: bool,
    },
    /// It ended, or was not made, for a reason that we know.
    Known,
}

impl Rivalry {
    /// A connection has ended. `true` if this looks like another box.
    pub(super) fn ended(&mut self, end: End) -> bool {
        match end {
            End::Closed { after, idle: true } if after < BRIEF => self.in_a_row += 1,
            // It may have been the message.
            End::Closed { after, idle: false } if after < BRIEF => return false,
            End::Closed { .. } | End::Known => self.in_a_row = 0,
        }
        self.in_a_row >= IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: End = End::Closed { after: Duration::from_secs(3), idle: true };

    #[test]
    fn brief_connections_in_a_row_are_suspicious() {
        let mut rivalry = Rivalry::default();
        assert_eq!([IDLE; 5].map(|end| rivalry.ended(end)), [false, false, false, true, true]);
    }

    #[test]
    fn a_restart_a_long_connection_and_a_message_are_not() {
        for (other, forgets) in [
            (End::Known, true),
            (End::Closed { after: BRIEF, idle: true }, true),
            (End::Closed { after: Duration::from_secs(1), idle: false }, false),
        ] {
            let mut rivalry = Rivalry::default();
            assert_eq!([IDLE, IDLE, IDLE, other].map(|end| rivalry.ended(end)), [false; 4]);
            assert_eq!(rivalry.ended(IDLE), !forgets, "{other:?}");
        }
    }
}
