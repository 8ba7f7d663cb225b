use std::time::Duration;

use karaul_wire::CloseReason;

use super::{
    Kind, View,
    walk::{Walks, counts},
};
use crate::{
    config::Direction,
    rules::{
        engine::SHOWN,
        geometry::Polyline,
        roster::Roster,
        statement::{Change, Evidence, Said, Shortfall, Unmet},
    },
};

/// An object crosses a line in a direction that counts.
#[derive(Debug)]
pub(super) struct LineCrossing {
    direction: Direction,
    walks: Walks,
    /// When each track last crossed, until that has been cleared.
    crossed: Roster<Duration>,
}

impl LineCrossing {
    pub(super) fn new(line: Polyline, direction: Direction) -> Self {
        Self { direction, walks: Walks::new(line), crossed: Roster::default() }
    }
}

impl Kind for LineCrossing {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.walks.retain_listed(view.tracks);
        self.crossed.retain_listed(view.tracks);
        for actor in view.actors {
            let (id, subject) = (actor.track.id, actor.subject());
            match self.walks.step(actor, view) {
                Ok(crossing) if counts(self.direction, crossing.from) && actor.counts => {
                    *self.crossed.entry(id, || at) = at;
                    let evidence = Evidence { from: Some(crossing.from), ..view.evidence(actor) };
                    said.say(subject, Change::Began, evidence, [&actor.track]);
                    continue;
                }
                Ok(_) if actor.counts => said.short(subject, Shortfall::of(Unmet::OtherWay)),
                Err(unmet) if actor.counts => said.short(subject, Shortfall::of(unmet)),
                _ => {}
            }
            // A crossing is a moment. Its incident stays open for a little.
            if actor.track.seen && self.crossed.get(id).is_some_and(|then| at.saturating_sub(*then) >= SHOWN) {
                self.crossed.remove(id);
                said.end(subject, CloseReason::Cleared);
            }
        }
    }

    fn reset(&mut self) {
        self.walks.clear();
        self.crossed.clear();
    }
}
