use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{Kind, Told, View};
use crate::{
    config::Same,
    rules::{
        engine::SHOWN,
        statement::{Change, Evidence, Said, Shortfall, Subject, Unmet},
    },
    track::Track,
};

/// More first steps than this are not remembered; the oldest goes.
const MOST_FIRST: usize = 256;

/// One rule of the camera fired and then, within a time, another.
///
/// What the other rules say is taken as they say it: their filters, schedules and dwell times are theirs. A first step may be
/// followed by several second ones of other objects if they need not be the same, and by one if they must.
#[derive(Debug)]
pub(super) struct Sequence {
    first: usize,
    then: usize,
    within: Duration,
    same: Same,
    /// Who did the first, and when.
    begun: Vec<(Option<u64>, Duration)>,
    /// What has been told, and when, until it has been cleared.
    told: Vec<(Subject, Duration)>,
}

impl Sequence {
    pub(super) fn new(first: usize, then: usize, within: Duration, same: Same) -> Self {
        Self { first, then, within, same, begun: Vec::new(), told: Vec::new() }
    }

    /// How long ago the first step was that this second one goes with, if there is one.
    fn since(&self, second: &Told, at: Duration) -> Option<Duration> {
        let track = second.object.map(|object| object.id);
        let fits = |who: Option<u64>| match self.same {
            Same::Camera => true,
            Same::Track => who.is_some() && who == track,
        };
        let times = self.begun.iter().filter(|(who, _)| fits(*who)).map(|(_, begun)| at.saturating_sub(*begun));
        times.min()
    }
}

impl Kind for Sequence {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.begun.retain(|(_, begun)| at.saturating_sub(*begun) <= self.within);
        self.told.retain(|(subject, then)| {
            let over = at.saturating_sub(*then) >= SHOWN;
            if over {
                said.end(*subject, CloseReason::Cleared);
            }
            !over
        });
        // The second step of this very look follows only first ones of earlier looks: which of two at once came first nobody knows.
        for second in view.told.iter().filter(|told| told.rule == self.then) {
            let Some(since) = self.since(second, at) else {
                said.short(second.subject, Shortfall::of(Unmet::First));
                continue;
            };
            let (interval, within) = (since.as_secs_f64(), self.within.as_secs_f64());
            let score_max = second.object.map_or(0.0, |object| object.score_max);
            let evidence = Evidence { score_max, score_min: second.score_min, ..Evidence::default() }.measuring(
                Quantity::IntervalS,
                interval,
                None,
                Some(within),
            );
            self.told.retain(|(subject, _)| *subject != second.subject);
            self.told.push((second.subject, at));
            said.say(second.subject, Change::Began, evidence, second.object.as_ref());
        }
        for first in view.told.iter().filter(|told| told.rule == self.first) {
            if self.begun.len() == MOST_FIRST {
                self.begun.remove(0);
            }
            self.begun.push((first.object.map(|object: Track| object.id), at));
        }
    }

    fn reset(&mut self) {
        self.begun.clear();
        self.told.clear();
    }
}
