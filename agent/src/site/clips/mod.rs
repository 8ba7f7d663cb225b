//! The clips of incidents: ordered when one opens, cut when there is enough of it, told when the file is there.
//!
//! A clip is told once by an update, if its incident is still open when the file is there, and by the close step, which
//! also repeats it: an update may be left out for a later one. After the close step nothing can be told of an
//! incident any more. So a clip that is not there by then ends with its incident, and the close step waits for it, for at
//! most [`PATIENCE`]: alerts go before evidence. One that takes longer is thrown away, counted and logged.

mod cutter;
mod ticket;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use karaul_wire::{Evidence, Incident, Phase};
use uuid::Uuid;

use self::ticket::Known;
pub(super) use self::{
    cutter::{ClipCounts, Cutter},
    ticket::Ticket,
};
use crate::config;

/// So long may all that close at one moment be held up together.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pictures come so much later than they are to be seen: the jitter buffer holds them for 200 ms.
const LAG: Duration = Duration::from_millis(500);

/// The ring reaches so much further back than a clip: the camera's thread may be late.
const SLACK: Duration = Duration::from_secs(2);

/// So many clips of one camera are on order at a time.
const MOST: usize = 8;

/// What makes clips: a [`Cutter`], or a test's script.
pub(super) trait Make {
    /// Begins to make the clip of this time. `None` if there will be none, which was counted and logged.
    fn make(&self, from: Duration, to: Duration) -> Option<Arc<Ticket>>;
    /// One was not there in time, and is wanted no more.
    fn late(&self);
    /// One was taken off the list for another, because there are [`MOST`].
    fn crowded(&self);
}

/// The clips that are on order at one camera. For its thread; waits for nobody, but for [`PATIENCE`] at a close step.
pub(super) struct Clips {
    maker: Box<dyn Make + Send>,
    before: Duration,
    after: Duration,
    orders: Vec<Order>,
    /// Until when the steps of this moment may be held up.
    until: Option<Instant>,
}

struct Order {
    incident: Uuid,
    from: Duration,
    to: Duration,
    state: State,
}

enum State {
    Waiting,
    Making(Arc<Ticket>),
    Made {
        clip: Evidence,
        /// An update of its own has been asked for.
        asked: bool,
        /// A step that is safe has told it.
        told: bool,
    },
}

impl Clips {
    /// How far the ring of a camera has to reach back.
    pub(super) fn span(settings: &config::Clips) -> Duration {
        settings.before + settings.after + LAG + SLACK
    }

    pub(super) fn new(settings: &config::Clips, maker: Box<dyn Make + Send>) -> Self {
        Self { maker, before: settings.before, after: settings.after, orders: Vec::new(), until: None }
    }

    /// Other steps may be held up anew: to be called before those of one moment.
    pub(super) fn begin(&mut self) {
        self.until = None;
    }

    /// Cuts what is complete. Gives the incidents that want an update because their clip is there now.
    pub(super) fn tend(&mut self, now: Duration) -> Vec<Uuid> {
        let mut updates = Vec::new();
        self.orders.retain_mut(|order| {
            if matches!(order.state, State::Waiting) && now >= order.to + LAG {
                match self.maker.make(order.from, order.to) {
                    Some(ticket) => order.state = State::Making(ticket),
                    None => return false,
                }
            }
            if let State::Making(ticket) = &order.state {
                match ticket.look() {
                    Known::Nothing => {}
                    Known::Made(None) => return false,
                    Known::Made(Some(clip)) => order.state = State::Made { clip, asked: false, told: false },
                }
            }
            if let State::Made { asked, .. } = &mut order.state
                && !std::mem::replace(asked, true)
            {
                updates.push(order.incident);
            }
            true
        });
        updates
    }

    /// The clip that a step of its incident, at this time, should tell of.
    pub(super) fn of(&mut self, at: Duration, incident: &Incident) -> Option<Evidence> {
        let place = self.orders.iter().position(|order| order.incident == incident.id)?;
        if incident.phase == Phase::Close {
            let until = *self.until.get_or_insert_with(|| Instant::now() + PATIENCE);
            let clip = self.finish(place, at, until);
            if clip.is_none() {
                self.orders.remove(place);
            }
            return clip;
        }
        match &self.orders[place].state {
            State::Made { clip, told: false, .. } => Some(clip.clone()),
            _ => None,
        }
    }

    /// The clip of an incident that ends now.
    fn finish(&mut self, place: usize, now: Duration, until: Instant) -> Option<Evidence> {
        let order = &mut self.orders[place];
        if matches!(order.state, State::Waiting) {
            order.state = State::Making(self.maker.make(order.from, order.to.min(now))?);
        }
        if let State::Making(ticket) = &order.state {
            match ticket.wait(until) {
                Known::Made(clip) => order.state = State::Made { clip: clip?, asked: true, told: false },
                Known::Nothing => {
                    self.maker.late();
                    return None;
                }
            }
        }
        match &order.state {
            State::Made { clip, .. } => Some(clip.clone()),
            State::Waiting | State::Making(_) => None,
        }
    }

    /// A step at this time is safe: orders the clip of an incident that has opened, forgets that of one that has closed.
    pub(super) fn committed(&mut self, at: Duration, incident: &Incident) {
        match incident.phase {
            Phase::Open => {
                if self.orders.len() >= MOST && !matches!(self.orders.remove(0).state, State::Made { told: true, .. }) {
                    self.maker.crowded();
                }
                let (from, to) = (at.saturating_sub(self.before), at + self.after);
                self.orders.push(Order { incident: incident.id, from, to, state: State::Waiting });
            }
            Phase::Update => {
                for order in self.orders.iter_mut().filter(|order| order.incident == incident.id) {
                    if let State::Made { told, .. } = &mut order.state {
                        *told = true;
                    }
                }
            }
            Phase::Close => self.orders.retain(|order| order.incident != incident.id),
        }
    }
}

#[cfg(test)]
mod tests;
