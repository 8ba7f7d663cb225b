//! Which publish an acknowledgement belongs to: pure bookkeeping.

use std::{collections::VecDeque, time::Duration};

/// Most publishes in flight; small, because all of them are sent again after a failure.
pub(super) const MOST_IN_FLIGHT: u16 = 16;

/// Publishes handed to the MQTT client and not acknowledged yet, in the order of handing over.
///
/// The client gives no handle per publish. It takes them in order, so the n-th one
/// handed over is the n-th for which it reports a packet id. It gives ids round-robin up
/// to its limit and stalls when the next one is still in use; therefore the window is
/// positional: one unacknowledged at the front blocks it, even if all behind are done.
#[derive(Debug)]
pub(super) struct Window<T> {
    slots: VecDeque<Slot<T>>,
    size: usize,
}

#[derive(Debug)]
struct Slot<T> {
    item: T,
    handed_over: Duration,
    packet_id: Option<u16>,
    acknowledged: bool,
}

impl<T: Clone> Window<T> {
    /// `size` is at least 1.
    pub(super) fn new(size: u16) -> Self {
        Self { slots: VecDeque::new(), size: size.clamp(1, MOST_IN_FLIGHT).into() }
    }

    /// How many may be in flight.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// How many more may be handed over.
    pub(super) fn room(&self) -> usize {
        self.size.saturating_sub(self.slots.len())
    }

    /// Narrows or widens it; what is in flight stays.
    pub(super) fn resize(&mut self, size: u16) {
        self.size = size.clamp(1, MOST_IN_FLIGHT).into();
    }

    /// One was handed over. Only call this while there is [room](Self::room).
    pub(super) fn hand_over(&mut self, item: T, now: Duration) {
        self.slots.push_back(Slot { item, handed_over: now, packet_id: None, acknowledged: false });
    }

    /// The client wrote the next one, under this packet id.
    pub(super) fn written(&mut self, packet_id: u16) -> Option<T> {
        let slot = self.slots.iter_mut().find(|slot| slot.packet_id.is_none())?;
        slot.packet_id = Some(packet_id);
        Some(slot.item.clone())
    }

    /// The broker acknowledged this packet id: whose was it? `None` for an id that is
    /// not in flight.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> Option<T> {
        let slot = self.slots.iter_mut().find(|slot| slot.packet_id == Some(packet_id) && !slot.acknowledged)?;
        slot.acknowledged = true;
        let item = slot.item.clone();
        while self.slots.front().is_some_and(|slot| slot.acknowledged) {
            self.slots.pop_front();
        }
        Some(item)
    }

    /// What was written under this packet id and is not acknowledged.
    pub(super) fn holder(&self, packet_id: u16) -> Option<&T> {
        self.slots.iter().find(|slot| slot.packet_id == Some(packet_id) && !slot.acknowledged).map(|slot| &slot.item)
    }

    /// Is such a one in flight?
    pub(super) fn any(&self, is: impl Fn(&T) -> bool) -> bool {
        self.slots.iter().any(|slot| !slot.acknowledged && is(&slot.item))
    }

    /// Those without an answer, in order, written or not.
    pub(super) fn pending(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter(|slot| !slot.acknowledged).map(|slot| &slot.item)
    }

    /// Is one that came after the first acknowledged, though the first is not? A broker answers in the order of the
    /// publishes (MQTT 5, section 4.6).
    pub(super) fn is_passed_over(&self) -> bool {
        // A first one that is acknowledged has left.
        self.slots.iter().any(|slot| slot.acknowledged)
    }

    /// Nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// When the one that waits longest was handed over.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.slots.front().map(|slot| slot.handed_over)
    }

    /// Those that were written and are not acknowledged, in order.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter(|slot| slot.packet_id.is_some() && !slot.acknowledged).map(|slot| &slot.item)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_at_the_front_blocks() {
        let mut window = Window::new(2);
        for (item, id) in [("a", 1), ("b", 2)] {
            window.hand_over(item, Duration::ZERO);
            assert_eq!(window.written(id), Some(item));
        }
        assert!(!window.is_passed_over());
        assert_eq!(window.acknowledged(2), Some("b"));
        assert!(window.is_passed_over());
        assert_eq!(
            (window.room(), window.any(|item| *item == "b"), window.unanswered().next()),
            (0, false, Some(&"a"))
        );
        assert_eq!(window.pending().collect::<Vec<_>>(), [&"a"]);
        assert_eq!(window.acknowledged(1), Some("a"));
        assert_eq!((window.room(), window.is_empty()), (2, true));
    }

    #[test]
    fn strays_belong_to_nobody() {
        let mut window = Window::new(4);
        assert_eq!(window.written(1), None, "the client wrote something that nobody handed over");
        window.hand_over("a", Duration::ZERO);
        assert_eq!(window.acknowledged(1), None, "not written yet");
        window.written(1);
        assert_eq!((window.holder(1), window.holder(2)), (Some(&"a"), None));
        assert_eq!(window.acknowledged(2), None, "another's");
        assert_eq!(window.acknowledged(1), Some("a"));
        assert_eq!(window.acknowledged(1), None, "a second time");
    }

    #[test]
    fn narrowing_waits_for_what_is_in_flight() {
        let mut window = Window::new(4);
        window.hand_over("a", Duration::from_secs(1));
        window.hand_over("b", Duration::from_secs(2));
        window.resize(1);
        assert_eq!((window.room(), window.oldest()), (0, Some(Duration::from_secs(1))));
    }

    proptest! {
        /// Against a client that numbers round-robin and a broker that answers in any
        /// order: each acknowledgement finds its own, and an id is never used twice.
        #[test]
        fn each_acknowledgement_finds_its_own(size in 1..16u16, picks in proptest::collection::vec(0..16usize, 1..200)) {
            let mut window = Window::new(size);
            let mut in_flight: Vec<(u16, usize)> = Vec::new();
            let mut next = 0;
            for pick in picks {
                while window.room() > 0 {
                    let id = (next % usize::from(size)) as u16 + 1;
                    prop_assert!(in_flight.iter().all(|(other, _)| *other != id), "collision");
                    window.hand_over(next, Duration::ZERO);
                    prop_assert_eq!(window.written(id), Some(next));
                    in_flight.push((id, next));
                    next += 1;
                }
                let (id, item) = in_flight.remove(pick % in_flight.len());
                prop_assert_eq!(window.acknowledged(id), Some(item));
            }
        }
    }
}
