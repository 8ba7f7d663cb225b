use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    posture::{Posture, Stature},
    stay::STEP_OUTSIDE,
};
use crate::{
    rules::{
        geometry::{Polygon, length},
        roster::{Listed, Roster},
        statement::{Change, Evidence, Said, Shortfall, Unmet},
    },
    vision::Rect,
};

/// A person lies, and does not move from the spot, for some time.
///
/// Lying is a matter of shape and of height against how they stood ([`Posture`]), or of a class of the model that means it. A fall
/// alone is none: who gets up again within the dwell needs no help.
#[derive(Debug)]
pub(super) struct PersonDown {
    /// `None` is anywhere.
    polygon: Option<Polygon>,
    dwell: Duration,
    /// Classes that mean a lying person.
    down_classes: Vec<u16>,
    people: Roster<Person>,
}

#[derive(Clone, Copy, Debug)]
struct Person {
    stature: Stature,
    /// When and where they were last seen.
    last: (Duration, Rect),
    down: Option<Down>,
}

/// Somebody lies.
#[derive(Clone, Copy, Debug)]
struct Down {
    since: Duration,
    /// Where.
    bbox: Rect,
    /// They are elsewhere from then on.
    moved: Option<Duration>,
    /// They are up from then on.
    up: Option<Duration>,
    fired: bool,
}

/// Who lies is still while the middle of the box stays within this share of its diagonal.
const STILL: f64 = 0.35;

/// Who is elsewhere for so long has moved; a box that trembles has not.
const MOVED_FOR: Duration = Duration::from_millis(500);

/// Who has been up for so long, after the rule has fired, no longer lies.
const UP_FOR: Duration = Duration::from_secs(2);

/// A track often breaks at a fall, because the box becomes another one. Who lies where somebody was lost so short a time ago
/// is the same person.
const FALLEN_WITHIN: Duration = Duration::from_secs(2);

impl PersonDown {
    pub(super) fn new(polygon: Option<Polygon>, dwell: Duration, down_classes: Vec<u16>) -> Self {
        Self { polygon, dwell, down_classes, people: Roster::default() }
    }

    /// What is known of somebody who is seen now: by their track, or by their place if it is new.
    fn person(&self, actor: &Actor, view: &View<'_>) -> Person {
        let (at, bbox) = (view.at.mono, actor.track.bbox);
        if let Some(person) = self.people.get(actor.track.id) {
            return *person;
        }
        let is_here = |person: &Person| {
            let (then, there) = person.last;
            let reach = f64::from(there.h).max(f64::from(there.w) * view.aspect);
            let (dx, dy) = between(&there, &bbox, view.aspect);
            then < at && at.saturating_sub(then) <= FALLEN_WITHIN && length(dx, dy) <= reach
        };
        let before = self.people.iter().map(|(_, person)| person).filter(|person| is_here(person));
        match before.max_by_key(|person| person.last.0) {
            // What has fired is told of the track that it was.
            Some(before) => Person { down: before.down.filter(|down| !down.fired), ..*before },
            None => Person { stature: Stature::default(), last: (at, bbox), down: None },
        }
    }

    fn evidence(&self, view: &View<'_>, actor: &Actor, posture: &Posture, dwell: Duration) -> Evidence {
        let seconds = (dwell.as_secs_f64(), self.dwell.as_secs_f64());
        let evidence = Evidence { dwell: Some(seconds), ..view.evidence(actor) };
        let evidence = evidence.measuring(Quantity::Aspect, posture.aspect, posture.least(), None);
        match posture.share {
            Some(share) => evidence.measuring(Quantity::HeightShare, share, None, Some(posture.most())),
            None => evidence,
        }
    }
}

/// From the middle of one box to that of another, in heights of the picture.
fn between(a: &Rect, b: &Rect, aspect: f64) -> (f64, f64) {
    let (dx, dy) = (b.x + b.w / 2.0 - a.x - a.w / 2.0, b.y + b.h / 2.0 - a.y - a.h / 2.0);
    (f64::from(dx) * aspect, f64::from(dy))
}

impl Down {
    fn begin(at: Duration, bbox: Rect) -> Self {
        Self { since: at, bbox, moved: None, up: None, fired: false }
    }

    /// Goes on to another picture in which they lie; whether they are still where they were.
    fn rest(&mut self, at: Duration, bbox: &Rect, aspect: f64) -> bool {
        let (dx, dy) = between(&self.bbox, bbox, aspect);
        let diagonal = length(f64::from(bbox.w) * aspect, f64::from(bbox.h));
        if length(dx, dy) <= STILL * diagonal {
            self.moved = None;
            return true;
        }
        // Who has fired and crawls away still needs help.
        if at.saturating_sub(*self.moved.get_or_insert(at)) >= MOVED_FOR && !self.fired {
            *self = Self::begin(at, *bbox);
        }
        false
    }
}

impl Kind for PersonDown {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        let mut listed = Listed::new(view.tracks);
        self.people.retain(|id, person| listed.has(id) || at.saturating_sub(person.last.0) <= FALLEN_WITHIN);
        for actor in view.actors {
            let (id, subject, bbox) = (actor.track.id, actor.subject(), actor.track.bbox);
            if !actor.track.seen {
                if actor.track.lost
                    && let Some(person) = self.people.get_mut(id)
                {
                    person.down = person.down.filter(|down| down.fired);
                }
                if actor.counts {
                    said.short(subject, Shortfall::of(if actor.track.lost { Unmet::Lost } else { Unmet::Unseen }));
                }
                continue;
            }
            let mut person = self.person(actor, view);
            person.last = (at, bbox);
            let posture = person.stature.look(view, &bbox);
            let outside = self.polygon.as_ref().is_some_and(|polygon| !polygon.contains(actor.point));
            let fired = person.down.is_some_and(|down| down.fired);
            let known = self.down_classes.contains(&actor.track.class);
            let lies = !outside && (known || posture.is_down() || (fired && !posture.is_up()));
            if !lies {
                if let Some(down) = &mut person.down {
                    let patience = if fired { UP_FOR } else { STEP_OUTSIDE };
                    if at.saturating_sub(*down.up.get_or_insert(at)) >= patience {
                        person.down = None;
                        if fired {
                            said.end(subject, CloseReason::Cleared);
                        }
                    }
                }
                if actor.counts {
                    said.short(subject, if outside { Shortfall::of(Unmet::Outside) } else { posture.short() });
                }
                *self.people.entry(id, || person) = person;
                continue;
            }
            let fresh = person.down.is_none();
            let down = person.down.get_or_insert(Down::begin(at, bbox));
            down.up = None;
            let still = down.rest(at, &bbox, view.aspect);
            let dwell = at.saturating_sub(down.since);
            let evidence = self.evidence(view, actor, &posture, dwell);
            if down.fired {
                said.say(subject, Change::Holds, evidence, [&actor.track]);
            } else if dwell >= self.dwell && still && !fresh && actor.counts {
                down.fired = true;
                said.say(subject, Change::Began, evidence, [&actor.track]);
            } else if actor.counts {
                said.short(
                    subject,
                    if still {
                        Shortfall::new(Unmet::Dwell, dwell.as_secs_f64(), self.dwell.as_secs_f64())
                    } else {
                        Shortfall::of(Unmet::Moving)
                    },
                );
            }
            *self.people.entry(id, || person) = person;
        }
    }

    fn reset(&mut self) {
        self.people.clear();
    }

    fn wants(&self, class: u16) -> bool {
        self.down_classes.contains(&class)
    }
}
