//! Being somewhere for a time: what intrusion, loitering and others have in common.

use std::time::Duration;

use crate::rules::roster::Roster;

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

    /// Forgets the tracks that are gone.
    pub(super) fn retain_listed(&mut self, tracks: &[crate::track::Track]) {
        self.stays.retain_listed(tracks);
    }

    pub(super) fn clear(&mut self) {
        self.stays.clear();
    }
}

impl Stay {
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
