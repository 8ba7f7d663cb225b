//! What the broker remembers of this box, asked before the box says anything itself.
//!
//! The counts of sessions and numbers are in a folder, and that may be replaced by an empty one. The broker retains what
//! the box said last. So at the first connection to each broker the box subscribes to its own `status/box`, and says nothing
//! until that is answered and what is retained there has had time to come.

use std::{collections::BTreeMap, mem, time::Duration};

use karaul_wire::BoxStatus;

use super::{Phase, Talk, item::Item};
use crate::uplink::{LinkError, mqtt::Received, outbox::Surprise};

/// From the question until it is given up: the broker may let this box not read its own status.
const LIMIT: Duration = Duration::from_secs(3);
/// What is retained comes right behind the answer to the subscription, also where it takes another thread of the broker. The
/// box says nothing for so long: a status of its own would take its place.
const BREATH: Duration = Duration::from_millis(250);
/// So many connections in a row that the broker ended while it was asked are proof enough. Some hang up instead of saying
/// no.
const PROOF: u32 = 2;

/// Which brokers are asked, by address.
#[derive(Debug, Default)]
pub(super) struct Recalls {
    asking: BTreeMap<usize, Asking>,
    /// The session of the first dial of this run.
    first: Option<u64>,
}

#[derive(Debug, Default)]
struct Asking {
    hang_ups: u32,
    not_before: Duration,
}

impl Recalls {
    /// At the beginning of a connection, with what the box will say about itself on it.
    fn begin(&mut self, at: usize, online: &[u8], now: Duration) -> Recall {
        if now < self.asking.entry(at).or_default().not_before {
            return Recall::None;
        }
        Recall::Due { online: online.to_vec() }
    }

    /// The address is dialled as this session. The first of all is that of a new folder.
    pub(super) fn dialled(&mut self, session: u64) {
        self.first.get_or_insert(session);
    }

    /// What a broker remembered is lost. Is that news, and has this folder never asked?
    fn is_lost(&mut self) -> bool {
        self.first.replace(0) == Some(1)
    }

    /// The broker ended a connection before it had answered. If it does so each time, alerts go first for a while.
    fn hung_up(&mut self, at: usize, now: Duration, pause: Duration) {
        let asking = self.asking.entry(at).or_default();
        asking.hang_ups += 1;
        if asking.hang_ups >= PROOF {
            asking.not_before = now + pause;
        }
    }

    /// It need not be asked again.
    fn over(&mut self, at: usize) {
        self.asking.entry(at).or_default().not_before = Duration::MAX;
    }
}

/// How far it is on this connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// It is not asked.
    None,
    /// To be asked first of all.
    Due { online: Vec<u8> },
    /// Asked.
    Asked { online: Vec<u8>, at: Duration },
    /// The broker says that it will tell. From `speaks` on the box says `online` and all else; the echo of that says
    /// that nothing was retained.
    Listening { online: Vec<u8>, speaks: Duration, at: Duration },
    /// Over; an echo may still come.
    Over,
}

impl Recall {
    /// Is nothing else asked before it, lest a broker that hangs up leaves open because of what?
    pub(super) const fn is_unanswered(&self) -> bool {
        matches!(self, Self::Due { .. } | Self::Asked { .. })
    }

    /// Is nothing said before it?
    pub(super) fn comes_first(&self, now: Duration) -> bool {
        self.is_unanswered() || matches!(self, Self::Listening { speaks, .. } if now < *speaks)
    }

    /// When it is to be looked after next.
    pub(super) fn until(&self, now: Duration) -> Option<Duration> {
        match self {
            Self::Listening { speaks, .. } if now < *speaks => Some(*speaks),
            Self::Asked { at, .. } | Self::Listening { at, .. } => Some(*at + LIMIT),
            Self::None | Self::Due { .. } | Self::Over => None,
        }
    }
}

impl Talk<'_> {
    /// At the beginning of a connection, with what the box will say about itself on it.
    pub(super) fn begin_recall(&mut self, online: &[u8]) {
        self.recall = self.memory.recalls.begin(self.at, online, self.now());
    }

    /// Did the broker end the connection because it was asked? A network that is cut looks the same, so it is asked again
    /// later. But the last will may be what is retained now: a new folder cannot learn any more what was there before.
    pub(super) fn judge_recall(&mut self, error: &LinkError) {
        let now = self.now();
        if self.since.is_some() && self.recall.comes_first(now) && self.memory.recalls.is_lost() {
            self.shared.outbox.presume_another();
            tracing::warn!(
                "broker {} was lost before it could tell what it remembers of this box, and the folder is new; so that \
                 no number comes twice, numbers go on behind {}",
                self.address(),
                self.shared.outbox.last_number()
            );
        }
        let hung_up =
            matches!(error, LinkError::Lost { .. } | LinkError::Dismissed { .. } | LinkError::Unreadable { .. });
        if hung_up && matches!(self.recall, Recall::Asked { .. } | Recall::Listening { .. }) {
            self.memory.recalls.hung_up(self.at, now, self.shared.settings.pause);
        }
    }

    /// Asks, if that is due, and does not wait for ever.
    pub(super) fn ask(&mut self) {
        let now = self.now();
        match mem::replace(&mut self.recall, Recall::Over) {
            Recall::Due { online } => {
                if self.client.subscribe(&[(self.shared.settings.path.box_status(), true)]) {
                    self.window.hand_over(Item::Recall, now);
                    self.recall = Recall::Asked { online, at: now };
                }
            }
            Recall::Asked { at, .. } | Recall::Listening { at, .. } if now >= at + LIMIT => {
                self.goes_without(&format!("it has told nothing within {} s", LIMIT.as_secs()));
            }
            other => self.recall = other,
        }
    }

    /// The broker has answered the subscription.
    pub(super) fn may_recall(&mut self, refusals: &[Option<String>]) {
        if let Some(refusal) = refusals.iter().flatten().next() {
            self.goes_without(refusal);
        } else if let Recall::Asked { online, at } = mem::replace(&mut self.recall, Recall::Over) {
            self.recall = Recall::Listening { online, speaks: self.now() + BREATH, at };
        }
    }

    /// A message came in. `true` if it is about the box itself.
    pub(super) fn remembers(&mut self, message: &Received) -> bool {
        let is_own = message.topic.as_deref() == Some(&self.shared.settings.path.box_status());
        match &self.recall {
            _ if !is_own => return false,
            Recall::None | Recall::Due { .. } => return false,
            Recall::Over => {}
            Recall::Asked { online, .. } | Recall::Listening { online, .. } => {
                let is_echo = *online == message.payload;
                // What others say there now is no memory.
                if is_echo || message.retained {
                    self.recall = Recall::Over;
                    self.memory.recalls.over(self.at);
                }
                if message.retained
                    && !is_echo
                    && let Ok(told) = serde_json::from_slice::<BoxStatus>(&message.payload)
                    && let Some(surprise) = self.shared.outbox.recall(&told)
                {
                    self.surprised(surprise);
                }
            }
        }
        true
    }

    /// The counts of this box are not what the broker knows. If they go on elsewhere, so does the connection: the
    /// broker has the wrong session in the last will.
    fn surprised(&mut self, surprise: Surprise) {
        let (broker, number) = (self.address(), self.shared.outbox.last_number());
        match surprise {
            Surprise::Absurd => tracing::warn!(
                "broker {broker} retains a status of this box with a session or a number that can never have been, and \
                 it is not heeded; see who may publish on {}, and whether the clock is right",
                self.shared.settings.path.box_status()
            ),
            Surprise::Replaced | Surprise::Behind => {
                let found = match surprise {
                    Surprise::Replaced => "has heard of another outbox of this box",
                    _ => "has heard more of this box than its outbox knows",
                };
                tracing::warn!(
                    "broker {broker} {found}: the folder was replaced, its disk took nothing, or another box has the same \
                     path; so that no number comes twice, numbers go on behind {number} and the broker is dialled anew"
                );
                self.connect_anew();
            }
        }
    }

    fn connect_anew(&mut self) {
        if !matches!(self.phase, Phase::Working | Phase::Flushing { .. }) {
            return;
        }
        self.leaving = (self.phase == Phase::Working).then_some(self.at);
        if self.opening.is_empty() {
            // It has said `online`, which would stay.
            self.say_stopped(self.now());
        } else {
            self.sign_off();
        }
    }

    fn goes_without(&mut self, why: &str) {
        tracing::debug!("broker {} does not tell what it remembers of this box ({why}); alerts go on", self.address());
        self.recall = Recall::Over;
        self.memory.recalls.over(self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);
    const PAUSE: Duration = Duration::from_secs(600);

    #[test]
    fn each_broker_is_asked_until_it_has_answered() {
        let mut recalls = Recalls::default();
        assert!((0..9).all(|_| recalls.begin(0, b"", NOW).is_unanswered()), "a bad network may cut it off each time");
        recalls.over(0);
        assert_eq!(recalls.begin(0, b"", NOW + PAUSE), Recall::None);
        assert!(recalls.begin(1, b"", NOW).comes_first(NOW));
    }

    #[test]
    fn only_a_new_folder_can_lose_what_it_never_knew() {
        for (dials, lost) in [(1..=3, [true, false]), (2..=3, [false, false])] {
            let mut recalls = Recalls::default();
            dials.for_each(|session| recalls.dialled(session));
            assert_eq!([recalls.is_lost(), recalls.is_lost()], lost, "and only once");
        }
    }

    #[test]
    fn a_broker_that_hangs_up_because_of_it_is_asked_seldom() {
        let mut recalls = Recalls::default();
        recalls.hung_up(0, NOW, PAUSE);
        assert!(recalls.begin(0, b"", NOW).is_unanswered());
        recalls.hung_up(0, NOW, PAUSE);
        assert_eq!(recalls.begin(0, b"", NOW), Recall::None);
        assert!(recalls.begin(0, b"", NOW + PAUSE).is_unanswered());
        recalls.hung_up(0, NOW + PAUSE, PAUSE);
        assert_eq!(recalls.begin(0, b"", NOW + PAUSE), Recall::None, "one is proof enough then");
    }
}
