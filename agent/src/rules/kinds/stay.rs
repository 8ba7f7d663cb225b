//! Being somewhere for a time: what intrusion, loitering and others have in common.

use std::time::Duration;

use karaul_wire::CloseReason;

use super::{Actor, View};
use crate::rules::{
    geometry::Polygon,
    roster::Roster,
    statement::{Change, Evidence, Said, Shortfall, Unmet},
};

/// One picture is a flicker; two are an observation.
pub(super) const CONFIRMING_PICTURES: u32 = 2;

/// For how long each track has been where it counts.
///
/// A stay runs from the first picture in which the object was there to the last one, so pictures in which it was not seen
/// neither begin nor end it. A stay that has not fired begins anew once its track was lost: nobody knows where the object was.
#[derive(Debug, Default)]
pub(super) struct Stays {
    stays: Roster<Stay>,
}

/// One object's stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    /// When it began.
    pub(super) since: Duration,
    /// When the object was last there.
    pub(super) last: Duration,
    /// Time there, without the time outside but for the shortest steps.
    pub(super) inside: Duration,
    /// Pictures in which it was there.
    pub(super) pictures: u32,
    /// The rule has fired.
    pub(super) fired: bool,
    /// It has left, and may come back.
    out: bool,
}

impl Stays {
    /// The object is there, in this picture.
    pub(super) fn stay(&mut self, track: u64, at: Duration) -> &mut Stay {
        let new = || Stay { since: at, last: at, inside: Duration::ZERO, pictures: 0, fired: false, out: false };
        let stay = self.stays.entry(track, new);
        let pause = at.saturating_sub(stay.last);
        // A box that trembles on the border is inside.
        if !stay.out || pause <= STEP_OUTSIDE {
            stay.inside += pause;
        }
        stay.last = at;
        stay.out = false;
        stay.pictures = stay.pictures.saturating_add(1);
        stay
    }

    /// The stay of a track, if it has one.
    pub(super) fn get(&self, track: u64) -> Option<&Stay> {
        self.stays.get(track)
    }

    /// The object is seen elsewhere. Its stay, if that is over now: not for so long at least was it there.
    pub(super) fn leave(&mut self, track: u64, at: Duration, patience: impl FnOnce(&Stay) -> Duration) -> Option<Stay> {
        let stay = self.stays.get_mut(track)?;
        stay.out = true;
        if at.saturating_sub(stay.last) <= patience(stay) {
            return None;
        }
        self.stays.remove(track)
    }

    /// The object's track is lost.
    pub(super) fn lose(&mut self, track: u64) {
        if self.stays.get(track).is_some_and(|stay| !stay.fired) {
            self.stays.remove(track);
        }
    }

    /// Where an object is in this picture. Says what it is short of unless it is inside, and ends what has fired and is over;
    /// whoever is inside is to [`stay`](Self::stay).
    pub(super) fn place(
        &mut self,
        actor: &Actor,
        zone: &Polygon,
        at: Duration,
        patience: impl FnOnce(&Stay) -> Duration,
        said: &mut Said,
    ) -> Place {
        let (id, subject) = (actor.track.id, actor.subject());
        let (place, unmet) = if actor.track.seen && zone.contains(actor.point) {
            return Place::Inside;
        } else if actor.track.seen {
            let over = self.leave(id, at, patience);
            if over.is_some_and(|stay| stay.fired) {
                said.end(subject, CloseReason::Cleared);
            }
            (if over.is_some() { Place::Left } else { Place::Outside }, Unmet::Outside)
        } else if actor.track.lost {
            self.lose(id);
            (Place::Unseen, Unmet::Lost)
        } else {
            (Place::Unseen, Unmet::Unseen)
        };
        if actor.counts {
            said.short(subject, Shortfall::of(unmet));
        }
        place
    }

    /// Forgets the tracks that are gone.
    pub(super) fn retain_listed(&mut self, tracks: &[crate::track::Track]) {
        self.stays.retain_listed(tracks);
    }

    pub(super) fn clear(&mut self) {
        self.stays.clear();
    }
}

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Inside,
    Outside,
    /// Outside, and its stay is over with this picture.
    Left,
    Unseen,
}

impl Stay {
    /// Says what has come of an object that is inside and has been for `dwell`, where the rule asks for at least so much.
    pub(super) fn tell(&mut self, view: &View<'_>, actor: &Actor, dwell: Duration, least: Duration, said: &mut Said) {
        let seconds = (dwell.as_secs_f64(), least.as_secs_f64());
        let evidence = Evidence { dwell: Some(seconds), ..view.evidence(actor) };
        if self.fired {
            said.say(actor.subject(), Change::Holds, evidence, [&actor.track]);
        } else if !actor.counts {
            // The filter has said what it is short of.
        } else if dwell < least || !self.is_confirmed() {
            said.short(actor.subject(), Shortfall::new(Unmet::Dwell, seconds.0, seconds.1));
        } else {
            self.fired = true;
            said.say(actor.subject(), Change::Began, evidence, [&actor.track]);
        }
    }

    /// Where it was last seen, it was there.
    pub(super) const fn is_there(&self) -> bool {
        !self.out
    }

    /// One picture does not tell it from a flicker.
    pub(super) const fn is_confirmed(&self) -> bool {
        self.pictures >= CONFIRMING_PICTURES
    }
}

/// A box trembles, so a step outside that is shorter than this does not end a stay that has not fired.
pub(super) const STEP_OUTSIDE: Duration = Duration::from_secs(1);

/// An object that has fired and comes back within this time is still the same
/// incident: somebody who walks along the border of a zone is one alarm.
pub(super) const COME_BACK: Duration = Duration::from_secs(5);

/// How long an object may be elsewhere without ending its stay.
pub(super) const fn patience(stay: &Stay) -> Duration {
    if stay.fired { COME_BACK } else { STEP_OUTSIDE }
}
