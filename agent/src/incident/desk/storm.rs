//! More of a rule than people can look at one by one.

use std::{collections::VecDeque, time::Duration};

use karaul_wire::{Alert, Object, Phase, Why};

use super::{About, Desk, Step, UPDATE_EVERY, form::blank, new_id, next, round, tell, why};
use crate::{clock::Stamp, rules::Finding, track::Track};

/// The time that a budget is for.
const HOUR: Duration = Duration::from_secs(3600);

/// When the latest incidents of a rule began, told or not: as many as its budget.
#[derive(Debug, Default)]
pub(super) struct Rate {
    latest: VecDeque<Duration>,
}

impl Rate {
    pub(super) fn began(&mut self, at: Duration, budget: Option<u32>) {
        let Some(budget) = budget else { return };
        while self.latest.len() >= limit(budget) {
            self.latest.pop_front();
        }
        self.latest.push_back(at);
    }

    /// As many as the budget allows began in the last hour.
    fn is_full(&self, at: Duration, budget: u32) -> bool {
        let oldest = self.latest.front().filter(|_| self.latest.len() >= limit(budget));
        oldest.is_some_and(|oldest| at.saturating_sub(*oldest) < HOUR)
    }
}

fn limit(budget: u32) -> usize {
    usize::try_from(budget.max(1)).unwrap_or(usize::MAX)
}

/// What was found beyond the budget.
#[derive(Debug)]
pub(super) struct Storm {
    since: Stamp,
    count: u32,
    score_max: f32,
    /// How many of them the incident has told of.
    told: u32,
    /// The latest.
    why: Why,
    objects: Vec<Object>,
    /// A person has closed its incident: no other one before the rate has fallen.
    settled: bool,
}

impl Storm {
    pub(super) fn settle(&mut self) {
        self.settled = true;
    }

    /// A step says how much there is; if it is one of a storm.
    pub(super) fn is_told(&mut self, alert: &Alert) {
        if let Some(storm) = &alert.storm {
            self.told = storm.count;
        }
    }

    /// Puts it into a step.
    fn fill(&self, alert: &mut Alert) {
        alert.storm = Some(karaul_wire::Storm {
            count: self.count,
            since: self.since.wall,
            score_max: round(self.score_max, 1e3),
        });
        alert.objects.clone_from(&self.objects);
        alert.why = Why { suppressed: self.count, ..self.why.clone() };
    }
}

impl Desk {
    pub(super) fn is_beyond_budget(&self, at: Stamp, rule: usize) -> bool {
        self.camera.rules[rule].budget.is_some_and(|budget| self.rules[rule].rate.is_full(at.mono, budget))
    }

    /// One more that is not told by itself.
    pub(super) fn count_in_storm(&mut self, at: Stamp, (finding, objects): (&Finding, &[Track])) {
        let listed = objects.iter().take(super::MOST_OBJECTS).map(|track| self.object(track)).collect();
        let state = &mut self.rules[finding.rule];
        state.rate.began(at.mono, self.camera.rules[finding.rule].budget);
        let storm = state.storm.get_or_insert_with(|| Storm {
            since: at,
            count: 0,
            score_max: 0.0,
            told: 0,
            why: Why::default(),
            objects: Vec::new(),
            settled: false,
        });
        storm.count = storm.count.saturating_add(1);
        storm.score_max = storm.score_max.max(finding.evidence.score_max);
        (storm.why, storm.objects) = (why(&finding.evidence), listed);
    }

    /// The next step of a storm, if it is time for one.
    pub(super) fn storm_due(&mut self, at: Stamp) -> Option<Step> {
        (0..self.rules.len()).find_map(|rule| self.storm_step(at, rule))
    }

    fn storm_step(&mut self, at: Stamp, rule: usize) -> Option<Step> {
        self.rules[rule].storm.as_ref()?;
        let open = self.open.iter().find(|open| open.rule == rule && open.about == About::Storm);
        let over = !self.is_beyond_budget(at, rule);
        let Some(storm) = &self.rules[rule].storm else { return None };
        let step = |alert| Some(Step { alert, at, rule, about: About::Storm, place: None });
        match open {
            // Its close waits already.
            Some(open) if open.ending.is_some() || at.mono < open.not_before => None,
            Some(open) if over => step(next(&open.last, at, &self.languages, |alert| {
                alert.evidence.clear();
                storm.fill(alert);
                super::open::close(alert, open.opened, at, karaul_wire::CloseReason::Cleared);
            })),
            Some(open) if storm.count > storm.told && at.mono.saturating_sub(open.last_sent) >= UPDATE_EVERY => {
                step(next(&open.last, at, &self.languages, |alert| {
                    alert.evidence.clear();
                    alert.incident.phase = Phase::Update;
                    storm.fill(alert);
                }))
            }
            Some(_) => None,
            None if over => {
                self.rules[rule].storm = None;
                None
            }
            None if storm.settled => None,
            None => {
                let same = |r: &super::Refused| r.rule == rule && r.about == About::Storm;
                self.refused.retain(|r| !(same(r) && at.mono.saturating_sub(r.at) >= UPDATE_EVERY));
                if self.refused.iter().any(same) {
                    return None;
                }
                let config = &self.camera.rules[rule];
                let mut alert = blank(&self.camera, config, &self.provider, at, self.clock, self.boot_id);
                (alert.incident.id, alert.incident.rev) = (new_id(at.wall), 1);
                alert.location.view_moved = self.view_moved;
                storm.fill(&mut alert);
                tell(&mut alert, &self.languages);
                step(alert)
            }
        }
    }
}
