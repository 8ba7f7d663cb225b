use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{Actor, Kind, View};
use crate::{
    config::Distance,
    rules::{
        geometry::{Point, length},
        roster::Roster,
        statement::{Change, Evidence, Said, Shortfall, Subject, Unmet},
    },
    scenery::Patch,
    track::Track,
    vision::Rect,
};

/// A track that ended no earlier before something began to stand still may be that of its owner: whoever puts something down
/// bends over it and hides it.
const OWNER_BEFORE: Duration = Duration::from_secs(10);

/// Once the owner has gone, whoever is near for so long attends it; who only passes does not.
const COMPANY: Duration = Duration::from_secs(5);

/// Something was put down in a zone and stays, and its owner has gone; or something that stood there is gone.
///
/// What stands still is found in the picture itself (see [`crate::scenery`]), since detectors miss bags. The owner is the
/// object of the rule's classes that was nearest to the place when the thing was put down. While the owner is near, or before
/// anybody knows who it is anybody, nothing fires (the usual definition, as in the PETS 2006 benchmark).
#[derive(Debug)]
pub(super) struct SceneryRule {
    /// Index of its zone among those that are watched.
    zone: usize,
    wanted: Wanted,
    dwell: Duration,
    spots: Roster<Spot>,
    /// Where the objects were lately, for those that are gone when a patch is found.
    past: Vec<(Duration, u64, Point)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// Something that was put down, without its owner within the distance for the time.
    Left { owner_within: Distance, owner_away: Duration },
    /// Something that is gone.
    Taken,
}

impl Wanted {
    /// What cannot be told is told: a bag that is missing is no smaller matter than one that was left.
    fn fits(self, patch: &Patch) -> bool {
        match self {
            Self::Left { .. } => patch.appeared != Some(false),
            Self::Taken => patch.appeared != Some(true),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Spot {
    owner: Option<u64>,
    /// When the owner, or anybody if the owner is not known, was last near.
    attended: Duration,
    /// Since when somebody else has been near, if anybody is.
    company: Option<Duration>,
    fired: bool,
}

impl SceneryRule {
    pub(super) fn new(zone: usize, wanted: Wanted, dwell: Duration) -> Self {
        Self { zone, wanted, dwell, spots: Roster::default(), past: Vec::new() }
    }

    fn remember(&mut self, view: &View<'_>) {
        let at = view.at.mono;
        self.past.retain(|(then, ..)| at.saturating_sub(*then) <= OWNER_BEFORE + Duration::from_secs(5));
        // Twice a second is enough for who was where.
        if self.past.last().is_none_or(|(then, ..)| at.saturating_sub(*then) >= Duration::from_millis(500)) {
            self.past.extend(view.actors.iter().filter(|a| a.track.seen).map(|a| (at, a.track.id, a.point)));
        }
    }

    /// Who was nearest to the place about when the thing came to stand there.
    fn owner(&self, patch: &Patch) -> Option<u64> {
        let about = patch.since.saturating_sub(OWNER_BEFORE)..=patch.since + Duration::from_secs(2);
        let place = foot(patch.bbox);
        let near = self.past.iter().filter(|(at, ..)| about.contains(at));
        let away = |p: Point| length(f64::from(p.x - place.x), f64::from(p.y - place.y));
        let nearest = near.map(|(_, id, p)| (away(*p), *id)).min_by(|a, b| a.0.total_cmp(&b.0));
        nearest
            .filter(|(distance, _)| *distance <= f64::from(patch.bbox.h.max(patch.bbox.w)) * 3.0 + 0.1)
            .map(|(_, id)| id)
    }
}

/// Where a box stands.
fn foot(b: Rect) -> Point {
    Point::new(b.x + b.w / 2.0, b.bottom())
}

/// Distance of an object from a patch, in the unit of the rule, if it can be told.
fn distance(view: &View<'_>, unit: Distance, actor: &Actor, patch: &Patch) -> Option<f64> {
    let (feet, place) = (foot(actor.track.bbox), foot(patch.bbox));
    match unit {
        Distance::Metres(_) => view.ground?.distance(feet, place),
        Distance::Heights(_) => {
            let height = f64::from(actor.track.bbox.h).max(1e-6);
            Some(length(f64::from(feet.x - place.x) * view.aspect, f64::from(feet.y - place.y)) / height)
        }
    }
}

impl Kind for SceneryRule {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.remember(view);
        let (wanted, dwell, zone) = (self.wanted, self.dwell, self.zone);
        for patch in view.patches.iter().filter(|patch| patch.zone == zone && wanted.fits(patch)) {
            if self.spots.get(patch.id).is_none() {
                let owner = self.owner(patch);
                self.spots.entry(patch.id, || Spot { owner, attended: patch.since, company: None, fired: false });
            }
        }
        self.spots.retain(|id, spot| {
            let subject = Subject::Spot(id);
            let Some(patch) = view.patches.iter().find(|patch| patch.id == id) else {
                // It is as it was before.
                if spot.fired {
                    said.end(subject, CloseReason::Cleared);
                }
                return false;
            };
            let stands = at.saturating_sub(patch.since);
            let area = f64::from(patch.bbox.w * patch.bbox.h);
            let evidence = Evidence {
                dwell: Some((stands.as_secs_f64(), dwell.as_secs_f64())),
                point: Some(foot(patch.bbox)),
                score_min: view.min_score,
                ..Evidence::default()
            }
            .measuring(Quantity::Area, area, None, None);
            let (evidence, lonely) = match wanted {
                Wanted::Taken => (evidence, None),
                Wanted::Left { owner_within, owner_away } => {
                    attend(view, spot, patch, owner_within, owner_away, evidence)
                }
            };
            let thing = thing(id, patch);
            if spot.fired {
                said.say(subject, Change::Holds, evidence, [&thing]);
            } else if stands < dwell {
                said.short(subject, Shortfall::new(Unmet::Dwell, stands.as_secs_f64(), dwell.as_secs_f64()));
            } else if let Some(short) = lonely {
                said.short(subject, short);
            } else if patch.seen {
                spot.fired = true;
                said.say(subject, Change::Began, evidence, [&thing]);
            } else {
                said.short(subject, Shortfall::of(Unmet::Unseen));
            }
            true
        });
        if self.spots.iter().next().is_none() {
            said.short(Subject::Whole, Shortfall::of(Unmet::Unchanged));
        }
    }

    fn reset(&mut self) {
        self.spots.clear();
        self.past.clear();
    }
}

/// Looks who is with the thing; what is missing until its owner has been away for long enough.
fn attend(
    view: &View<'_>,
    spot: &mut Spot,
    patch: &Patch,
    within: Distance,
    away: Duration,
    evidence: Evidence,
) -> (Evidence, Option<Shortfall>) {
    let at = view.at.mono;
    let limit = match within {
        Distance::Metres(limit) | Distance::Heights(limit) => limit,
    };
    let known = spot.owner.is_some_and(|owner| view.actors.iter().any(|a| a.track.id == owner && !a.track.lost));
    let away_from = |owner: bool| {
        let who = view.actors.iter().filter(|a| !a.track.lost && (spot.owner == Some(a.track.id)) == owner);
        who.filter_map(|actor| distance(view, within, actor, patch)).min_by(f64::total_cmp)
    };
    let (owner, others) = (away_from(true), away_from(false));
    let is_near = |distance: Option<f64>| distance.is_some_and(|distance| distance <= limit);
    spot.company = is_near(others).then(|| spot.company.unwrap_or(at));
    let company = spot.company.is_some_and(|since| spot.owner.is_none() || at.saturating_sub(since) >= COMPANY);
    let attended = if known { is_near(owner) } else { company };
    if attended {
        spot.attended = at;
    }
    let alone = at.saturating_sub(spot.attended);
    let mut evidence = evidence.measuring(Quantity::OwnerAwayS, alone.as_secs_f64(), Some(away.as_secs_f64()), None);
    if let (true, Some(distance)) = (known, owner) {
        let what = match within {
            Distance::Metres(_) => Quantity::DistanceM,
            Distance::Heights(_) => Quantity::DistanceHeights,
        };
        evidence = evidence.measuring(what, distance, Some(limit), None);
    }
    let short = (alone < away).then(|| Shortfall::new(Unmet::OwnerNear, alone.as_secs_f64(), away.as_secs_f64()));
    (evidence, short)
}

/// The thing as an object of an alert: no class of any model.
fn thing(id: u64, patch: &Patch) -> Track {
    Track {
        id,
        class: Track::NO_CLASS,
        bbox: patch.bbox,
        score: 0.0,
        score_max: 0.0,
        seen: patch.seen,
        lost: false,
        first_seen: patch.since,
        last_seen: patch.since,
    }
}
