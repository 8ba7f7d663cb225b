//! Who is there just now: what crowd, absence and group have in common.

use super::{
    Actor, View,
    stay::{STEP_OUTSIDE, Stay, Stays},
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
    there: Vec<Actor>,
    /// The first so many of them have been there in more than one picture.
    confirmed: usize,
}

impl Presence {
    pub(super) fn new(zone: Option<Polygon>) -> Self {
        Self { zone, stays: Stays::default(), there: Vec::new(), confirmed: 0 }
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
        let stays = &self.stays;
        let is_confirmed = |actor: &Actor| stays.get(actor.track.id).is_some_and(Stay::is_confirmed);
        let is_there = |actor: &&Actor| {
            let is_inside = stays.get(actor.track.id).is_some_and(Stay::is_there);
            is_inside && (actor.track.seen || is_confirmed(actor))
        };
        self.there.clear();
        self.there.extend(view.counting().filter(is_there));
        self.there.sort_unstable_by(|a, b| {
            let scores = b.track.score_max.total_cmp(&a.track.score_max);
            is_confirmed(b).cmp(&is_confirmed(a)).then(scores).then(a.track.id.cmp(&b.track.id))
        });
        self.confirmed = self.there.iter().filter(|actor| is_confirmed(actor)).count();
    }

    /// Those who have been there in more than one picture, best score first.
    pub(super) fn confirmed(&self) -> &[Actor] {
        &self.there[..self.confirmed]
    }

    /// How many are there, also those who are there in this picture only.
    pub(super) fn count(&self) -> usize {
        self.there.len()
    }

    pub(super) fn clear(&mut self) {
        self.stays.clear();
        self.there.clear();
        self.confirmed = 0;
    }
}

/// So many, as a number that can be reckoned with.
pub(super) fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
