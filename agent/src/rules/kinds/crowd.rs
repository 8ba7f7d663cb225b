use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    presence::{Presence, number},
    spell::{Spell, Turn},
};
use crate::rules::{
    geometry::Polygon,
    statement::{Change, Evidence, Said, Shortfall, Subject, Unmet},
};

/// Many objects in a zone for a time: so many, or so many on a square metre.
///
/// Densities follow the practice of crowd safety: from four persons on a square metre on they can no longer move freely, from
/// six on shock waves run through them (Fruin, "The Causes and Prevention of Crowd Disasters", 1993; Still, "Crowd Safety and
/// Risk Analysis"). The area is that of the zone on the ground, so draw the zone where people can stand.
#[derive(Debug)]
pub(super) struct Crowd {
    polygon: Polygon,
    at_least: Option<u32>,
    density: Option<f64>,
    dwell: Duration,
    presence: Presence,
    spell: Spell,
}

impl Crowd {
    pub(super) fn new(polygon: Polygon, at_least: Option<u32>, density: Option<f64>, dwell: Duration) -> Self {
        let presence = Presence::new(Some(polygon.clone()));
        Self { polygon, at_least, density, dwell, presence, spell: Spell::default() }
    }

    /// Whether there are enough, and if not, what is missing.
    fn enough(&self, count: f64, per_m2: Option<f64>) -> Result<(), Shortfall> {
        let by_count = self.at_least.map(|least| (count, f64::from(least), Unmet::Count));
        let by_density = self.density.map(|least| per_m2.map(|value| (value, least, Unmet::Density)));
        let mut missing = None;
        for (value, least, unmet) in [by_count, by_density.flatten()].into_iter().flatten() {
            if value >= least {
                return Ok(());
            }
            missing = missing.or(Some(Shortfall::new(unmet, value, least)));
        }
        Err(missing.unwrap_or(Shortfall::of(Unmet::NoGround)))
    }
}

impl Kind for Crowd {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        self.presence.look(view);
        let there = self.presence.confirmed();
        let count = number(there.len());
        // A zone without an area on the ground, up to the horizon for example, has no density.
        let area = || view.ground?.area(self.polygon.corners()).filter(|area| *area > 0.0);
        let per_m2 = self.density.and_then(|_| Some(f64::from(count) / area()?));
        let enough = self.enough(f64::from(count), per_m2);
        let anybody_seen = there.iter().any(|actor| actor.track.seen);
        let turn = self.spell.step(enough.is_ok(), anybody_seen, view.at.mono, self.dwell);
        let evidence = |lasted: Duration| {
            let mut evidence = there.first().map_or_else(Evidence::default, |actor| view.evidence(actor));
            evidence = evidence.measuring(Quantity::Count, f64::from(count), self.at_least.map(f64::from), None);
            if let Some(value) = per_m2 {
                evidence = evidence.measuring(Quantity::PerSquareMetre, value, self.density, None);
            }
            evidence.measuring(Quantity::LastedS, lasted.as_secs_f64(), Some(self.dwell.as_secs_f64()), None)
        };
        let objects = there.iter().map(|Actor { track, .. }| track);
        match (turn, enough) {
            (Turn::Began(lasted), _) => said.say(Subject::Whole, Change::Began, evidence(lasted), objects),
            (Turn::Holds(lasted), _) => said.say(Subject::Whole, Change::Holds, evidence(lasted), objects),
            (Turn::Short(lasted), Ok(())) => {
                let (lasted, dwell) = (lasted.as_secs_f64(), self.dwell.as_secs_f64());
                said.short(Subject::Whole, Shortfall::new(Unmet::Dwell, lasted, dwell));
            }
            (turn, missing) => {
                if turn == Turn::Ended {
                    said.end(Subject::Whole, CloseReason::Cleared);
                }
                if let Err(missing) = missing {
                    said.short(Subject::Whole, missing);
                }
            }
        }
    }

    fn reset(&mut self) {
        self.presence.clear();
        self.spell.clear();
    }
}
