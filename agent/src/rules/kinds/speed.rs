use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    pace::{NoGround, Paces},
};
use crate::{
    config::Pace,
    rules::{
        geometry::Polygon,
        roster::Roster,
        statement::{Change, Evidence, Said, Shortfall, Unmet},
    },
};

/// An object is faster than a limit for some time: the kinds speed and running, which differ in what they look at and in
/// their words.
///
/// The speed is that of the last second and a half ([`Paces`]), so the alarm comes about a second after the object has become
/// fast, and the dwell is on top of that.
#[derive(Debug)]
pub(super) struct Speed {
    /// `None` is anywhere.
    polygon: Option<Polygon>,
    over: Pace,
    dwell: Duration,
    paces: Paces,
    dashes: Roster<Dash>,
}

/// A time in which an object was too fast.
#[derive(Clone, Copy, Debug)]
struct Dash {
    since: Duration,
    fired: bool,
    /// It has been slow, or elsewhere, from then on.
    slow: Option<Duration>,
}

/// Who has fired and is as slow as this share of the limit...
const SLOW: f64 = 0.8;

/// ...for so long is no longer too fast: people who run do not keep one speed.
const CALM: Duration = Duration::from_secs(2);

impl Speed {
    pub(super) fn new(polygon: Option<Polygon>, over: Pace, dwell: Duration) -> Self {
        Self { polygon, over, dwell, paces: Paces::default(), dashes: Roster::default() }
    }

    /// The limit as it is measured, in its unit on the wire.
    const fn limit(&self) -> (Quantity, f64) {
        match self.over {
            Pace::KmPerHour(limit) => (Quantity::SpeedKmh, limit),
            Pace::HeightsPerSecond(limit) => (Quantity::SpeedHeights, limit),
        }
    }

    /// How fast an object is, in the unit of the limit; `None` if it has not been seen for long enough.
    fn measure(&self, view: &View<'_>, actor: &Actor) -> Result<Option<f64>, NoGround> {
        let id = actor.track.id;
        match self.over {
            Pace::KmPerHour(_) => {
                let metres = self.paces.metres(id, view.ground.ok_or(NoGround)?)?;
                Ok(metres.map(|m| m * 3.6))
            }
            Pace::HeightsPerSecond(_) => Ok(self.paces.heights(id, view.aspect)),
        }
    }

    /// An object that is not too fast, or not where it counts.
    fn calm(&mut self, view: &View<'_>, actor: &Actor, said: &mut Said) {
        let (id, at) = (actor.track.id, view.at.mono);
        let Some(dash) = self.dashes.get_mut(id) else { return };
        if !dash.fired {
            self.dashes.remove(id);
        } else if at.saturating_sub(*dash.slow.get_or_insert(at)) >= CALM {
            self.dashes.remove(id);
            said.end(actor.subject(), CloseReason::Cleared);
        }
    }
}

impl Kind for Speed {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.paces.retain_listed(view.tracks);
        self.dashes.retain_listed(view.tracks);
        let (quantity, limit) = self.limit();
        for actor in view.actors {
            let (id, subject) = (actor.track.id, actor.subject());
            if !actor.track.seen {
                if actor.track.lost {
                    self.paces.remove(id);
                }
                match self.dashes.get_mut(id) {
                    // It may be as fast as before behind what hides it.
                    Some(dash) if dash.fired => dash.slow = None,
                    Some(_) if actor.track.lost => drop(self.dashes.remove(id)),
                    _ => {}
                }
                if actor.counts {
                    said.short(subject, Shortfall::of(if actor.track.lost { Unmet::Lost } else { Unmet::Unseen }));
                }
                continue;
            }
            self.paces.step(&actor.track, at);
            let outside = self.polygon.as_ref().is_some_and(|polygon| !polygon.contains(actor.point));
            let measured = if outside { Ok(None) } else { self.measure(view, actor) };
            let fired = self.dashes.get(id).is_some_and(|dash| dash.fired);
            let speed = measured.unwrap_or_default().unwrap_or_default();
            if speed < limit * if fired { SLOW } else { 1.0 } {
                self.calm(view, actor, said);
                if actor.counts {
                    said.short(
                        subject,
                        match measured {
                            _ if outside => Shortfall::of(Unmet::Outside),
                            Err(NoGround) => Shortfall::new(Unmet::NoGround, f64::from(actor.point.y), 0.0),
                            Ok(_) => Shortfall::new(Unmet::Speed, speed, limit),
                        },
                    );
                }
                continue;
            }
            let dash = self.dashes.entry(id, || Dash { since: at, fired: false, slow: None });
            dash.slow = None;
            let dwell = at.saturating_sub(dash.since);
            let seconds = (dwell.as_secs_f64(), self.dwell.as_secs_f64());
            let evidence = Evidence { dwell: Some(seconds), ..view.evidence(actor) };
            let evidence = evidence.measuring(quantity, speed, Some(limit), None);
            if dash.fired {
                said.say(subject, Change::Holds, evidence, [&actor.track]);
            } else if dwell < self.dwell {
                if actor.counts {
                    said.short(subject, Shortfall::new(Unmet::Dwell, seconds.0, seconds.1));
                }
            } else if actor.counts {
                dash.fired = true;
                said.say(subject, Change::Began, evidence, [&actor.track]);
            }
        }
    }

    fn reset(&mut self) {
        self.paces.clear();
        self.dashes.clear();
    }
}
