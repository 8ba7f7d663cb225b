//! What a broker remembers of this box, held against what the box knows itself.

use karaul_wire::BoxStatus;
use uuid::Uuid;

use super::Outbox;

/// No box has made so many connections more than it knows of.
const MOST_SESSIONS: u64 = 1_000_000_000;

/// The broker knows more of this box than its outbox does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::uplink) enum Surprise {
    /// It has heard of another outbox.
    Replaced,
    /// It has heard of sessions or numbers of which the outbox took no note.
    Behind,
    /// That can never have been: it is not heeded.
    Absurd,
}

/// What the outbox knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub outbox: Uuid,
    /// The session of the present connection.
    pub session: u64,
    /// The last number given.
    pub sequence: u64,
    /// The microseconds since 1970.
    pub by_the_clock: u64,
}

impl Own {
    /// A status is as old as the connection in which it was said, and an outbox that was replaced counts dials on its
    /// own, so neither number tells how many were used: any sign of a loss is one for all of them.
    pub(super) fn surprise(&self, told: &BoxStatus) -> Option<Surprise> {
        let sequence = told.sequence.map_or(0, |sequence| sequence.0);
        let replaced = told.outbox.is_some_and(|outbox| outbox != self.outbox);
        if !replaced && told.session < self.session && sequence <= self.sequence {
            return None;
        }
        let possible = told.session <= self.session.saturating_add(MOST_SESSIONS)
            && (sequence <= self.sequence || is_possible(sequence, self.by_the_clock));
        Some(match (possible, replaced) {
            (false, _) => Surprise::Absurd,
            (true, true) => Surprise::Replaced,
            (true, false) => Surprise::Behind,
        })
    }
}

/// Can this number have been given out? Counted one by one or taken from the clock, none is higher than that.
pub(super) const fn is_possible(number: u64, by_the_clock: u64) -> bool {
    number <= by_the_clock
}

impl Outbox {
    /// Names the outbox's folder.
    pub(in crate::uplink) fn name(&self) -> Uuid {
        self.lock().name()
    }

    /// The last number given, once all that the disk takes is on it: a number that a crash undoes is given again, and
    /// nobody may have heard of it.
    pub(in crate::uplink) fn last_number(&self) -> u64 {
        let mut inner = self.lock();
        inner.write_pending();
        inner.sequence()
    }

    /// A broker remembers this of the box, from before the present connection. If it knows more than the outbox, all
    /// counts go on far enough ahead, and the present session is not the one to go on with.
    pub(in crate::uplink) fn recall(&self, told: &BoxStatus) -> Option<Surprise> {
        self.lock().recall(told)
    }

    /// What a broker remembered of the box is lost: all counts go on far enough ahead, as if it had told of another outbox.
    pub(in crate::uplink) fn presume_another(&self) {
        self.lock().presume_another();
    }
}

#[cfg(test)]
mod tests {
    use karaul_wire::{BoxState, Sequence};

    use super::*;

    const OWN: Own = Own { outbox: Uuid::nil(), session: 8, sequence: 100, by_the_clock: 1_000_000 };

    fn told(session: u64, sequence: impl Into<Option<u64>>, outbox: impl Into<Option<u128>>) -> Option<Surprise> {
        OWN.surprise(&BoxStatus {
            state: BoxState::Lost,
            session,
            since: "2026-11-22T02:00:00Z".parse().unwrap(),
            sequence: sequence.into().map(Sequence),
            outbox: outbox.into().map(Uuid::from_u128),
        })
    }

    #[test]
    fn what_the_box_has_said_before_is_no_surprise() {
        assert_eq!(told(7, 100, 0), None);
        assert_eq!(told(1, None, 0), None);
        assert_eq!(told(7, None, None), None, "an older agent");
    }

    #[test]
    fn whoever_knows_more_than_the_box_is_heeded() {
        assert_eq!(told(8, 100, 0), Some(Surprise::Behind));
        assert_eq!(told(7, 101, 0), Some(Surprise::Behind));
        assert_eq!(told(8, None, None), Some(Surprise::Behind), "an older agent");
        assert_eq!(told(1, 1, 7), Some(Surprise::Replaced), "though it has dialled more often than that one");
        assert_eq!(told(4000, 1_000_000, 7), Some(Surprise::Replaced));
    }

    #[test]
    fn what_can_never_have_been_is_not() {
        assert_eq!(told(8 + MOST_SESSIONS, 1, 0), Some(Surprise::Behind));
        assert_eq!(told(9 + MOST_SESSIONS, 1, 7), Some(Surprise::Absurd));
        assert_eq!(told(7, 1_000_001, 0), Some(Surprise::Absurd));
        assert_eq!(told(u64::MAX, u64::MAX, 7), Some(Surprise::Absurd));
    }
}
