use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    pace::NoGround,
    stay::{COME_BACK, CONFIRMING_PICTURES},
};
use crate::{
    config::Distance,
    rules::{
        geometry::{Point, Polygon, length},
        roster::Roster,
        statement::{Change, Said, Shortfall, Unmet},
    },
};

/// An object moves against the direction of a zone.
///
/// It does once there is a place on its way through the zone from which it has come here, over at least the distance, in a
/// direction that is no more than the tolerance off the opposite of the right way. So who turns back for a step does not, nor who
/// goes round something; who has gone the right way first and then comes back does. Places are kept at a quarter of the
/// distance from each other: a box that trembles goes nowhere.
#[derive(Debug)]
pub(super) struct WrongWay {
    polygon: Polygon,
    /// From the first point to the second.
    heading: [Point; 2],
    /// In degrees.
    tolerance: f64,
    distance: Distance,
    ways: Roster<Way>,
}

/// So many places of a way are kept, the last ones: four times the distance.
const PLACES: usize = 16;

/// The way of one object through the zone.
#[derive(Clone, Copy, Debug)]
struct Way {
    places: [Place; PLACES],
    /// How many there were so far.
    count: usize,
    /// When it was last seen in the zone.
    last: Duration,
    /// Pictures in a row in which it had gone the wrong way.
    wrong: u32,
    fired: bool,
}

/// Where an object was.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// In the picture, in heights of it.
    picture: [f64; 2],
    /// In metres on the ground, if there is one; otherwise as in the picture.
    ground: [f64; 2],
    /// Height of the box in the picture.
    height: f64,
}

/// From one place to another.
#[derive(Clone, Copy, Debug)]
struct Leg {
    /// Angle to the right way in degrees, 0 to 180.
    angle: f64,
    /// In the unit of the rule's distance.
    length: f64,
}

impl WrongWay {
    pub(super) fn new(polygon: Polygon, heading: [Point; 2], tolerance: f64, distance: Distance) -> Self {
        Self { polygon, heading, tolerance, distance, ways: Roster::default() }
    }

    /// The limit as it is measured, in its unit on the wire.
    const fn limit(&self) -> (Quantity, f64) {
        match self.distance {
            Distance::Metres(least) => (Quantity::DistanceM, least),
            Distance::Heights(least) => (Quantity::DistanceHeights, least),
        }
    }

    /// The right way, on the ground if there is one, and the object's place.
    fn here(&self, view: &View<'_>, actor: &Actor) -> Result<([f64; 2], Place), NoGround> {
        if view.ground.is_none() && matches!(self.distance, Distance::Metres(_)) {
            return Err(NoGround);
        }
        let picture = |p: Point| [f64::from(p.x) * view.aspect, f64::from(p.y)];
        let ground = |p: Point| view.ground.map_or(Ok(picture(p)), |ground| ground.metres(p).ok_or(NoGround));
        let ([ax, ay], [bx, by]) = (ground(self.heading[0])?, ground(self.heading[1])?);
        let place = Place {
            picture: picture(actor.point),
            ground: ground(actor.point)?,
            height: f64::from(actor.track.bbox.h),
        };
        Ok(([bx - ax, by - ay], place))
    }

    fn leg(&self, right: [f64; 2], from: &Place, to: &Place) -> Leg {
        let ([x, y], [ax, ay], [bx, by]) = (right, from.ground, to.ground);
        let (along, across) = ((bx - ax) * x + (by - ay) * y, (bx - ax) * y - (by - ay) * x);
        let length = match self.distance {
            Distance::Metres(_) => length(bx - ax, by - ay),
            Distance::Heights(_) => {
                let ([ax, ay], [bx, by]) = (from.picture, to.picture);
                length(bx - ax, by - ay) / f64::midpoint(from.height, to.height).max(1e-6)
            }
        };
        Leg { angle: across.abs().atan2(along).to_degrees(), length }
    }

    fn is_against(&self, leg: &Leg) -> bool {
        leg.angle >= 180.0 - self.tolerance
    }

    /// The longest leg of a way to here against the right way; if there is none, the longest of all.
    fn worst(&self, right: [f64; 2], way: &Way, here: &Place) -> Option<Leg> {
        let legs = || way.kept().map(|place| self.leg(right, place, here));
        let longer = |a: &Leg, b: &Leg| a.length.total_cmp(&b.length);
        legs().filter(|leg| self.is_against(leg)).max_by(longer).or_else(|| legs().max_by(longer))
    }

    /// What the way is short of.
    fn short(&self, leg: &Leg, least: f64) -> Shortfall {
        if self.is_against(leg) || leg.length < least {
            Shortfall::new(Unmet::Distance, if self.is_against(leg) { leg.length } else { 0.0 }, least)
        } else {
            Shortfall::new(Unmet::Angle, leg.angle, 180.0 - self.tolerance)
        }
    }

    /// The object is seen outside of the zone.
    fn leave(&mut self, view: &View<'_>, actor: &Actor, said: &mut Said) {
        let Some(way) = self.ways.get(actor.track.id) else { return };
        // Who walks along the zone's border is one incident.
        if way.fired && view.at.mono.saturating_sub(way.last) <= COME_BACK {
            return;
        }
        if way.fired {
            said.end(actor.subject(), CloseReason::Cleared);
        }
        self.ways.remove(actor.track.id);
    }
}

impl Way {
    fn begin(at: Duration) -> Self {
        Self { places: [Place::default(); PLACES], count: 0, last: at, wrong: 0, fired: false }
    }

    fn kept(&self) -> impl Iterator<Item = &Place> {
        self.places[..self.count.min(PLACES)].iter()
    }

    fn latest(&self) -> Option<&Place> {
        self.count.checked_sub(1).map(|last| &self.places[last % PLACES])
    }

    fn keep(&mut self, place: Place) {
        self.places[self.count % PLACES] = place;
        self.count += 1;
    }
}

impl Kind for WrongWay {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.ways.retain_listed(view.tracks);
        let (quantity, least) = self.limit();
        for actor in view.actors {
            let (id, subject) = (actor.track.id, actor.subject());
            if !actor.track.seen {
                if actor.track.lost && self.ways.get(id).is_some_and(|way| !way.fired) {
                    self.ways.remove(id);
                }
                if actor.counts {
                    said.short(subject, Shortfall::of(if actor.track.lost { Unmet::Lost } else { Unmet::Unseen }));
                }
                continue;
            }
            if !self.polygon.contains(actor.point) {
                self.leave(view, actor, said);
                if actor.counts {
                    said.short(subject, Shortfall::of(Unmet::Outside));
                }
                continue;
            }
            let Ok((right, here)) = self.here(view, actor) else {
                if actor.counts {
                    said.short(subject, Shortfall::new(Unmet::NoGround, f64::from(actor.point.y), 0.0));
                }
                continue;
            };
            let mut way = *self.ways.entry(id, || Way::begin(at));
            let leg = self.worst(right, &way, &here).unwrap_or(Leg { angle: 0.0, length: 0.0 });
            let returned = way
                .kept()
                .map(|place| self.leg(right, place, &here))
                .any(|leg| leg.angle <= self.tolerance && leg.length >= least);
            if way.latest().is_none_or(|latest| self.leg(right, latest, &here).length >= least / 4.0) {
                way.keep(here);
            }
            way.last = at;
            let wrong = self.is_against(&leg) && leg.length >= least;
            way.wrong = if wrong { way.wrong.saturating_add(1) } else { 0 };
            let evidence = view
                .evidence(actor)
                .measuring(Quantity::AngleDeg, leg.angle, Some(180.0 - self.tolerance), None)
                .measuring(quantity, leg.length, Some(least), None);
            if way.fired && returned && !wrong {
                // From here on it is on the right way; to turn round once more is another incident.
                said.end(subject, CloseReason::Cleared);
                way = Way { last: at, ..Way::begin(at) };
            } else if way.fired {
                said.say(subject, Change::Holds, evidence, [&actor.track]);
            } else if way.wrong >= CONFIRMING_PICTURES && actor.counts {
                way.fired = true;
                said.say(subject, Change::Began, evidence, [&actor.track]);
            } else if actor.counts {
                said.short(subject, self.short(&leg, least));
            }
            *self.ways.entry(id, || way) = way;
        }
    }

    fn reset(&mut self) {
        self.ways.clear();
    }
}
