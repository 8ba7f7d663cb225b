//! What a rule remembers of each track.

use crate::track::Track;

/// One value for each track that has been met, in order of their ids.
///
/// A tracker lists its tracks in the order in which they began, so a rule finds its value by bisection and forgets those that
/// are gone in one pass; nothing is allocated once there were as many tracks.
#[derive(Clone, Debug)]
pub(crate) struct Roster<T>(Vec<(u64, T)>);

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Roster<T> {
    /// The value of a track, if it has one.
    pub(crate) fn get(&self, id: u64) -> Option<&T> {
        self.find(id).ok().map(|i| &self.0[i].1)
    }

    /// The value of a track; what `new` gives if it has none.
    pub(crate) fn entry(&mut self, id: u64, new: impl FnOnce() -> T) -> &mut T {
        let at = self.find(id).unwrap_or_else(|at| {
            self.0.insert(at, (id, new()));
            at
        });
        &mut self.0[at].1
    }

    /// The value of a track, if it has one.
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.find(id).ok().map(|i| &mut self.0[i].1)
    }

    /// Forgets a track.
    pub(crate) fn remove(&mut self, id: u64) -> Option<T> {
        self.find(id).ok().map(|i| self.0.remove(i).1)
    }

    /// Forgets the tracks that are not among these.
    pub(crate) fn retain_listed(&mut self, tracks: &[Track]) {
        self.0.retain(|(id, _)| tracks.iter().any(|t| t.id == *id));
    }

    /// Keeps the values for which this is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u64, &mut T) -> bool) {
        self.0.retain_mut(|(id, value)| keep(*id, value));
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// All values, in order of the tracks.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(id, _)| *id)
    }
}
