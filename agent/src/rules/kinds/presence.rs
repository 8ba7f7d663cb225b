//! Who is there just now: what crowd, absence and group have in common.

use super::{
    Actor, View,
    stay::{STEP_OUTSIDE, Stays},
};
use crate::rules::geometry::Polygon;

/// The objects in a zone, or anywhere, that count.
///
/// An object that is not seen in this picture is there if it was there when it was last seen, and more than once; once its
/// track is lost it is not, nobody knows where it went.
#[derive(Debug)]
pub(super) struct Presence {
    zone: Option<Polygon>,
    stays: Stays,
    /// Those who have been there in more than one picture.
    confirmed: Vec<Actor>,
    /// How many are there for the first time.
    fresh: usize,
}

impl Presence {
    pub(super) fn new(zone: Option<Polygon>) -> Self {
        Self { zone, stays: Stays::default(), confirmed: Vec::new(), fresh: 0 }
    }

    /// Takes one picture.
    pub(super) fn look(&mut self, view: &View<'_>) {
        let at = view.at.mono;
        self.stays.retain_listed(view.tracks);
        for actor in view.actors {
            let id = actor.track.id;
            if actor.track.lost {
                self.stays.lose(id);
            } else if actor.track.seen && self.zone.as_ref().is_none_or(|zone| zone.contains(actor.point)) {
                self.stays.stay(id, at);
            } else if actor.track.seen {
                self.stays.leave(id, at, |_| STEP_OUTSIDE);
            }
        }
        self.forget_who_is_there();
        for actor in view.counting() {
            match self.stays.get(actor.track.id).filter(|stay| stay.is_there()) {
                Some(stay) if stay.is_confirmed() => self.confirmed.push(*actor),
                Some(_) if actor.track.seen => self.fresh += 1,
                _ => {}
            }
        }
        self.confirmed
            .sort_unstable_by(|a, b| b.track.score_max.total_cmp(&a.track.score_max).then(a.track.id.cmp(&b.track.id)));
    }

    /// Those who have been there in more than one picture, best score first.
    pub(super) fn confirmed(&self) -> &[Actor] {
        &self.confirmed
    }

    /// How many are there, also those who are there in this picture only.
    pub(super) fn count(&self) -> usize {
        self.confirmed.len() + self.fresh
    }

    pub(super) fn clear(&mut self) {
        self.stays.clear();
        self.forget_who_is_there();
    }

    fn forget_who_is_there(&mut self) {
        self.confirmed.clear();
        self.fresh = 0;
    }
}

/// So many, as a number that can be reckoned with.
pub(super) fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
