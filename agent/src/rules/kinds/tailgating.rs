use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Kind, View,
    walk::{Crossing, Walks, counts},
};
use crate::{
    config::Direction,
    rules::{
        engine::SHOWN,
        geometry::{Polyline, Side},
        roster::Roster,
        statement::{Change, Evidence, Said, Shortfall, Unmet},
    },
};

/// Two cross a line one closely after the other, the same way: through a door that opens for one of them.
///
/// The finding is about the one who follows. Somebody who comes the other way follows nobody, also where both directions count;
/// of three in a row two follow. What is compared is when each was first seen beyond the line.
#[derive(Debug)]
pub(super) struct Tailgating {
    direction: Direction,
    within: Duration,
    walks: Walks,
    /// Who crossed last, from the left and from the right.
    leaders: [Option<Leader>; 2],
    /// The crossings of this picture, by index of the actor.
    crossings: Vec<(usize, Crossing)>,
    /// When each follower was told of, until that has been cleared.
    told: Roster<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Leader {
    id: u64,
    at: Duration,
}

impl Tailgating {
    pub(super) fn new(line: Polyline, direction: Direction, within: Duration) -> Self {
        Self {
            direction,
            within,
            walks: Walks::new(line),
            leaders: [None; 2],
            crossings: Vec::new(),
            told: Roster::default(),
        }
    }
}

impl Kind for Tailgating {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.walks.retain_listed(view.tracks);
        self.told.retain_listed(view.tracks);
        self.crossings.clear();
        for (index, actor) in view.actors.iter().enumerate() {
            match self.walks.step(actor, view) {
                Ok(crossing) if actor.counts && counts(self.direction, crossing.from) => {
                    self.crossings.push((index, crossing));
                }
                Ok(_) if actor.counts => said.short(actor.subject(), Shortfall::of(Unmet::OtherWay)),
                Err(unmet) if actor.counts => said.short(actor.subject(), Shortfall::of(unmet)),
                _ => {}
            }
            // A moment. Its incident stays open for a little.
            let id = actor.track.id;
            if actor.track.seen && self.told.get(id).is_some_and(|then| at.saturating_sub(*then) >= SHOWN) {
                self.told.remove(id);
                said.end(actor.subject(), CloseReason::Cleared);
            }
        }
        // Two that are confirmed beyond the line by the same picture need not have crossed at the same time.
        self.crossings.sort_unstable_by_key(|(index, crossing)| (crossing.at, *index));
        for (index, crossing) in &self.crossings {
            let actor = &view.actors[*index];
            let id = actor.track.id;
            let leader = &mut self.leaders[usize::from(crossing.from == Side::Right)];
            let before = leader.filter(|before| before.id != id);
            // Somebody who was hidden on the line may turn out to have crossed before the one who was told of first.
            let latest = before.filter(|before| before.at > crossing.at);
            *leader = Some(latest.unwrap_or(Leader { id, at: crossing.at }));
            let Some(before) = before else {
                // The first of at least two.
                said.short(actor.subject(), Shortfall::new(Unmet::Count, 1.0, 2.0));
                continue;
            };
            let interval = crossing.at.abs_diff(before.at);
            let (seconds, within) = (interval.as_secs_f64(), self.within.as_secs_f64());
            if interval > self.within {
                said.short(actor.subject(), Shortfall::new(Unmet::Interval, seconds, within));
                continue;
            }
            let evidence = Evidence { from: Some(crossing.from), ..view.evidence(actor) }.measuring(
                Quantity::IntervalS,
                seconds,
                None,
                Some(within),
            );
            let followed = view.tracks.iter().find(|track| track.id == before.id);
            said.say(actor.subject(), Change::Began, evidence, std::iter::once(&actor.track).chain(followed));
            *self.told.entry(id, || at) = at;
        }
    }

    fn reset(&mut self) {
        self.walks.clear();
        self.leaders = [None; 2];
        self.crossings.clear();
        self.told.clear();
    }
}
