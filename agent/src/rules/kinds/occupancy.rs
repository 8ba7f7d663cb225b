use jiff::Timestamp;
use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    walk::{Walks, counts},
};
use crate::{
    config::{Daily, Direction},
    rules::{
        geometry::Polyline,
        statement::{Change, Evidence, Said, Shortfall, Subject, Unmet},
    },
};

/// More objects have come in over a line than gone out, than there is room for.
///
/// Who goes out without having been seen coming in, because they were there before the first look, would make the count
/// negative: it stays at 0. Wrong counts add up over a day, which the daily `reset`, at a time when the place is empty, undoes.
/// A count survives a blind time, since what it was then is still the best guess.
#[derive(Debug)]
pub(super) struct Occupancy {
    inward: Direction,
    capacity: u32,
    reset: Option<Daily>,
    walks: Walks,
    inside: u32,
    /// The latest `reset` that was heeded.
    day: Option<Timestamp>,
    /// Track of who came in last.
    last_in: Option<u64>,
    over: bool,
}

impl Occupancy {
    pub(super) fn new(line: Polyline, inward: Direction, capacity: u32, reset: Option<Daily>) -> Self {
        Self { inward, capacity, reset, walks: Walks::new(line), inside: 0, day: None, last_in: None, over: false }
    }

    /// Begins anew when the time of the day for it has come. A clock that is set back resets nothing.
    fn heed_reset(&mut self, now: Timestamp) {
        let Some(latest) = self.reset.as_ref().map(|daily| daily.latest(now)) else { return };
        if self.day.is_some_and(|day| day < latest) {
            self.inside = 0;
            self.last_in = None;
        }
        self.day = self.day.max(Some(latest));
    }
}

impl Kind for Occupancy {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        self.heed_reset(view.at.wall);
        self.walks.retain_listed(view.tracks);
        let mut from = None;
        for actor in view.actors {
            let Ok(crossing) = self.walks.step(actor, view) else { continue };
            if !actor.counts {
                continue;
            }
            if counts(self.inward, crossing.from) {
                self.inside = self.inside.saturating_add(1);
                self.last_in = Some(actor.track.id);
                from = Some(crossing.from);
            } else {
                self.inside = self.inside.saturating_sub(1);
            }
        }
        let (inside, room) = (f64::from(self.inside), f64::from(self.capacity) + 1.0);
        if self.inside <= self.capacity {
            if self.over {
                self.over = false;
                said.end(Subject::Whole, CloseReason::Cleared);
            }
            said.short(Subject::Whole, Shortfall::new(Unmet::Count, inside, room));
            return;
        }
        let last_in = view.actors.iter().find(|actor| Some(actor.track.id) == self.last_in && actor.track.seen);
        let evidence = last_in
            .map_or(Evidence { score_min: view.min_score, ..Evidence::default() }, |actor| view.evidence(actor))
            .measuring(Quantity::Inside, inside, Some(room), None);
        let change = if self.over { Change::Holds } else { Change::Began };
        self.over = true;
        let objects = last_in.map(|Actor { track, .. }| track);
        said.say(Subject::Whole, change, Evidence { from, ..evidence }, objects);
    }

    fn reset(&mut self) {
        self.walks.clear();
        self.inside = 0;
        self.day = None;
        self.last_in = None;
        self.over = false;
    }

    fn interrupt(&mut self) {
        self.walks.clear();
        self.last_in = None;
        self.over = false;
    }
}
