//! The end of a connection in good order.

use std::time::Duration;

use karaul_wire::BoxState;

use super::{Item, Talk};

/// `stopped` has this long to be acknowledged, and then the sign-off to be written, when the agent stops.
const FAREWELL: Duration = Duration::from_secs(1);
/// And so long when the link only moves: nobody waits for its end, and a slow one takes its time.
const LEAVE: Duration = Duration::from_secs(5);

/// How far the farewell is. Each step has its limit, in monotonic time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Working,
    /// About to leave: nothing more goes out, what is in flight is still answered.
    Settling {
        until: Duration,
    },
    /// Asked to stop because this broker is left for good: what it retains of open incidents is cleared, for nobody
    /// would do it later.
    Withdrawing {
        until: Duration,
    },
    /// Asked to stop: what waits is still sent.
    Flushing {
        until: Duration,
    },
    /// `stopped` is on its way.
    Stopping {
        until: Duration,
    },
    /// The sign-off is on its way.
    SigningOff {
        until: Duration,
    },
    /// All said.
    Done,
}

impl Phase {
    pub(super) const fn until(self) -> Option<Duration> {
        match self {
            Self::Settling { until }
            | Self::Withdrawing { until }
            | Self::Flushing { until }
            | Self::Stopping { until }
            | Self::SigningOff { until } => Some(until),
            Self::Working | Self::Done => None,
        }
    }

    /// Is a wish to stop new to it?
    pub(super) const fn heeds_stop(self) -> bool {
        matches!(self, Self::Working | Self::Settling { .. })
    }
}

impl Talk<'_> {
    /// `true` if there is nothing to be done about it.
    pub(super) fn asked_to_stop(&mut self) -> bool {
        if self.since.is_some() && self.phase.heeds_stop() {
            self.leaving = None;
            self.shared.settings.passing.close("the box signs off");
            let until = self.now() + self.shared.settings.flush;
            self.phase =
                if self.shared.is_retired() { Phase::Withdrawing { until } } else { Phase::Flushing { until } };
        }
        self.since.is_none()
    }

    /// Ends this connection in good order, to dial that address.
    ///
    /// What is in flight is answered first, so that it is not sent twice. Then the broker retains `stopped` with
    /// this session's number: whoever listens here learns that the box will not be heard here any more, whoever
    /// listens at both sees a greater number at the other. Nothing else would do: an orderly sign-off publishes no
    /// will, and the retained `online` would stay for ever.
    pub(super) fn leave(&mut self, to: usize) {
        if self.phase == Phase::Working {
            self.leaving = Some(to);
            self.phase = Phase::Settling { until: self.now() + LEAVE };
        }
    }

    /// One step of the farewell.
    pub(super) fn step_down(&mut self) {
        let now = self.now();
        match self.phase {
            Phase::Settling { until } if self.window.is_empty() || now >= until => self.say_stopped(now),
            Phase::Withdrawing { until } => {
                self.withdraw();
                if self.window.is_empty() || now >= until {
                    self.say_stopped(now);
                }
            }
            Phase::Flushing { until } => {
                let empty = self.window.is_empty() && self.next(1, 1).is_empty() && !self.has_states();
                if empty || now >= until {
                    self.say_stopped(now);
                }
            }
            Phase::Stopping { until } | Phase::SigningOff { until } if now >= until => self.phase = Phase::Done,
            _ => {}
        }
    }

    /// Clears what this broker retains of open incidents, as fast as the window lets it.
    fn withdraw(&mut self) {
        let topics: Vec<String> = self.shared.board.retained().at(&self.broker).map(str::to_owned).collect();
        let now = self.now();
        for topic in topics {
            let is_under_way = self.window.any(|item| match item {
                Item::Withdrawn { topic: other } | Item::Owed { topic: other, .. } => *other == topic,
                Item::Row { sent, .. } => sent.topic == topic,
                _ => false,
            });
            if !is_under_way && !self.memory.held.blocks_state(&topic, now) {
                self.publish(Item::Withdrawn { topic: topic.clone() }, topic, Vec::new(), true);
            }
        }
    }

    pub(super) fn say_stopped(&mut self, now: Duration) {
        let topic = self.shared.settings.path.box_status();
        let payload = self.shared.status(BoxState::Stopped, self.session);
        self.phase = if self.publish(Item::Stopped, topic, payload, true) {
            Phase::Stopping { until: now + self.patience() }
        } else {
            // No way to say `stopped`. Without a sign-off the broker says `lost`,
            // which is nearer to the truth than a retained `online`.
            Phase::Done
        };
    }

    pub(super) fn sign_off(&mut self) {
        let until = self.now() + self.patience();
        self.phase = if self.client.sign_off() { Phase::SigningOff { until } } else { Phase::Done };
    }

    const fn patience(&self) -> Duration {
        if self.leaving.is_some() { LEAVE } else { FAREWELL }
    }
}
