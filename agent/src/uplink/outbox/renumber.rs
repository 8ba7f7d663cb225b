//! Other numbers for alerts whose own another outbox may have used.

use std::collections::BTreeMap;

use karaul_wire::Sequence;

use super::{Gaps, Message};

/// The numbers that have to go, each with whether an alert has it; a state alone is none.
pub(super) type Known = BTreeMap<u64, bool>;

/// The numbers that have to go, and those that come for them, in the same order.
#[derive(Debug, Default)]
pub(super) struct Moves(pub BTreeMap<u64, u64>);

impl Moves {
    /// Takes the next ones behind `to`. What will not be sent any more is added to `gaps`.
    pub(super) fn behind(to: u64, known: &Known, gaps: &mut Gaps) -> Self {
        let moves: BTreeMap<u64, u64> = known.keys().copied().zip(to + 1..).collect();
        for ((old, new), is_alert) in moves.iter().zip(known.values()) {
            gaps.add(*old..=*old);
            if !is_alert {
                gaps.add(*new..=*new);
            }
        }
        Self(moves)
    }
}

impl Message {
    /// The number is in the payload too.
    pub(super) fn renumber(&mut self, moves: &Moves) {
        let Some((old, new)) = self.sequence.and_then(|old| Some((old, *moves.0.get(&old)?))) else { return };
        self.sequence = Some(new);
        if let Ok(text) = std::str::from_utf8(&self.payload) {
            self.payload = text.replace(&in_payload(old), &in_payload(new)).into_bytes();
        }
    }
}

/// As it is written there, always with 20 digits.
pub(super) fn in_payload(number: u64) -> String {
    format!(r#""sequence":"{}""#, Sequence(number))
}
