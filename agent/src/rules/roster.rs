//! What a rule remembers of each track.

use crate::track::Track;

/// One value for each track that has been met, in order of their ids.
///
/// A tracker lists its tracks in the order in which they began, so a rule finds its values one after the other, or else by
/// bisection, and forgets those that are gone in one pass; nothing is allocated once there were as many tracks.
#[derive(Clone, Debug)]
pub(crate) struct Roster<T> {
    values: Vec<(u64, T)>,
    /// Behind the one that was found last.
    next: usize,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self { values: Vec::new(), next: 0 }
    }
}

impl<T> Roster<T> {
    /// The value of a track, if it has one.
    pub(crate) fn get(&self, id: u64) -> Option<&T> {
        self.find(id).ok().map(|i| &self.values[i].1)
    }

    /// The value of a track; what `new` gives if it has none.
    pub(crate) fn entry(&mut self, id: u64, new: impl FnOnce() -> T) -> &mut T {
        let at = self.find(id).unwrap_or_else(|at| {
            self.values.insert(at, (id, new()));
            at
        });
        self.next = at + 1;
        &mut self.values[at].1
    }

    /// The value of a track, if it has one.
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.find(id).ok().map(|i| &mut self.values[i].1)
    }

    /// Forgets a track.
    pub(crate) fn remove(&mut self, id: u64) -> Option<T> {
        self.find(id).ok().map(|i| self.values.remove(i).1)
    }

    /// Forgets the tracks that are not among these.
    pub(crate) fn retain_listed(&mut self, tracks: &[Track]) {
        let mut listed = Listed::new(tracks);
        self.values.retain(|(id, _)| listed.has(*id));
    }

    /// Keeps the values for which this is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u64, &mut T) -> bool) {
        self.values.retain_mut(|(id, value)| keep(*id, value));
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    /// All values, in order of the tracks.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.values.iter().map(|(id, value)| (*id, value))
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        match self.values.get(self.next) {
            Some((next, _)) if *next == id => Ok(self.next),
            _ => self.values.binary_search_by_key(&id, |(id, _)| *id),
        }
    }
}

/// Says which tracks are listed. Whoever asks for them in the order of the list is answered at once.
#[derive(Debug)]
pub(crate) struct Listed<'a> {
    tracks: &'a [Track],
    /// Where the last answer was found.
    last: usize,
}

impl<'a> Listed<'a> {
    pub(crate) fn new(tracks: &'a [Track]) -> Self {
        Self { tracks, last: 0 }
    }

    pub(crate) fn has(&mut self, id: u64) -> bool {
        let (before, after) = self.tracks.split_at(self.last);
        let found = after.iter().chain(before).position(|track| track.id == id);
        if let Some(further) = found {
            self.last = (self.last + further) % self.tracks.len();
        }
        found.is_some()
    }
}
