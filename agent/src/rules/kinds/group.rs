use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    presence::{Presence, number},
    spell::{Spell, Turn},
};
use crate::{
    config::{BoxPoint, Distance},
    rules::{
        filter::point_of,
        geometry::{Polygon, length},
        statement::{Change, Evidence, Said, Shortfall, Subject, Unmet},
    },
    track::Track,
};

/// Several objects stand together for a time.
///
/// Together are those of whom each is near enough to the next: clusters by single linkage (Sneath, 1957), found as Kruskal
/// (1956) finds a spanning tree, link by link from the shortest one. The finding is about the largest cluster of the zone, and its members
/// may change while it lasts: who walks past does not end it.
///
/// A distance in heights is measured in the picture against the taller one of two boxes. It needs no ground, but takes those who
/// stand one behind the other for nearer than they are.
#[derive(Debug)]
pub(super) struct Group {
    at_least: u32,
    distance: Distance,
    dwell: Duration,
    presence: Presence,
    /// Where those who are there stand; `None` above the horizon.
    stands: Vec<Option<Stand>>,
    clusters: Clusters,
    spell: Spell,
}

impl Group {
    pub(super) fn new(zone: Option<Polygon>, at_least: u32, distance: Distance, dwell: Duration) -> Self {
        let presence = Presence::new(zone);
        let (stands, clusters, spell) = (Vec::new(), Clusters::default(), Spell::default());
        Self { at_least, distance, dwell, presence, stands, clusters, spell }
    }
}

impl Kind for Group {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        self.presence.look(view);
        let there = self.presence.confirmed();
        if matches!(self.distance, Distance::Metres(_)) && view.ground.is_none() {
            said.short(Subject::Whole, Shortfall::of(Unmet::NoGround));
            return;
        }
        let (limit, quantity) = match self.distance {
            Distance::Metres(most) => (most, Quantity::DistanceM),
            Distance::Heights(most) => (most, Quantity::DistanceHeights),
        };
        self.stands.clear();
        self.stands.extend(there.iter().map(|actor| Stand::of(&actor.track, view, self.distance)));
        self.clusters.link(there.len(), limit, |a, b| {
            let (a, b) = (self.stands[a].as_ref()?, self.stands[b].as_ref()?);
            let apart = length(a.x - b.x, a.y - b.y);
            match self.distance {
                Distance::Metres(_) => Some(apart),
                Distance::Heights(_) => Some(a.height.max(b.height)).filter(|h| *h > 0.0).map(|h| apart / h),
            }
        });
        let Cluster { root, size, widest } = self.clusters.largest();
        let members = || (0..there.len()).filter(|i| self.clusters.root(*i) == root).map(|i| &there[i]);
        let count = number(size);
        let is_so = count >= self.at_least;
        let anybody_seen = members().any(|actor| actor.track.seen);
        let turn = self.spell.step(is_so, anybody_seen, view.at.mono, self.dwell);
        let evidence = |lasted: Duration| {
            let evidence = members().next().map_or_else(Evidence::default, |actor| view.evidence(actor));
            evidence
                .measuring(Quantity::Count, f64::from(count), Some(f64::from(self.at_least)), None)
                .measuring(quantity, widest, None, Some(limit))
                .measuring(Quantity::LastedS, lasted.as_secs_f64(), Some(self.dwell.as_secs_f64()), None)
        };
        let objects = members().map(|Actor { track, .. }| track);
        match turn {
            Turn::Began(lasted) => said.say(Subject::Whole, Change::Began, evidence(lasted), objects),
            Turn::Holds(lasted) => said.say(Subject::Whole, Change::Holds, evidence(lasted), objects),
            Turn::Short(lasted) if is_so => {
                let (lasted, dwell) = (lasted.as_secs_f64(), self.dwell.as_secs_f64());
                said.short(Subject::Whole, Shortfall::new(Unmet::Dwell, lasted, dwell));
            }
            Turn::Short(_) | Turn::Lull | Turn::Ended => {
                if turn == Turn::Ended {
                    said.end(Subject::Whole, CloseReason::Cleared);
                }
                let wanted = f64::from(self.at_least);
                said.short(Subject::Whole, Shortfall::new(Unmet::Count, f64::from(count), wanted));
            }
        }
    }

    fn reset(&mut self) {
        self.presence.clear();
        self.spell.clear();
    }
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug)]
struct Stand {
    /// In metres on the ground, or in heights of the picture, as the rule's distance wants it.
    x: f64,
    y: f64,
    /// Of the box, in heights of the picture.
    height: f64,
}

impl Stand {
    /// Whatever point of the box is held against zones, people stand on their feet.
    fn of(track: &Track, view: &View<'_>, distance: Distance) -> Option<Self> {
        let foot = point_of(track, BoxPoint::Foot);
        let [x, y] = match distance {
            Distance::Metres(_) => view.ground?.metres(foot)?,
            Distance::Heights(_) => [f64::from(foot.x) * view.aspect, f64::from(foot.y)],
        };
        Some(Self { x, y, height: f64::from(track.bbox.h) })
    }
}

/// Who is connected with whom. Its memory is used again.
#[derive(Debug, Default)]
struct Clusters {
    /// All pairs that are near enough.
    links: Vec<(f64, usize, usize)>,
    /// Another member of the same cluster; the root names itself.
    parents: Vec<usize>,
    /// Of each root: members, and the longest link that holds them together.
    sizes: Vec<(usize, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Cluster {
    root: usize,
    size: usize,
    /// The longest link without which it would fall apart.
    widest: f64,
}

impl Clusters {
    /// Connects `n` objects by all links that are no longer than this.
    fn link(&mut self, n: usize, limit: f64, distance: impl Fn(usize, usize) -> Option<f64>) {
        self.links.clear();
        self.parents.clear();
        self.parents.extend(0..n);
        self.sizes.clear();
        self.sizes.resize(n, (1, 0.0));
        for a in 0..n {
            for b in a + 1..n {
                self.links.extend(distance(a, b).filter(|d| *d <= limit).map(|d| (d, a, b)));
            }
        }
        self.links.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for i in 0..self.links.len() {
            let (length, a, b) = self.links[i];
            let (a, b) = (self.root(a), self.root(b));
            if a != b {
                // Roots are the first of their members, so the largest cluster does not depend on the order of links.
                let (root, other) = (a.min(b), a.max(b));
                self.parents[other] = root;
                self.sizes[root] = (self.sizes[root].0 + self.sizes[other].0, length);
            }
        }
    }

    fn root(&self, mut of: usize) -> usize {
        while self.parents[of] != of {
            of = self.parents[of];
        }
        of
    }

    /// The cluster with most members; of several the one with the first object.
    fn largest(&self) -> Cluster {
        let mut largest = Cluster { root: 0, size: 0, widest: 0.0 };
        for root in (0..self.parents.len()).filter(|i| self.parents[*i] == *i) {
            let (size, widest) = self.sizes[root];
            if size > largest.size {
                largest = Cluster { root, size, widest };
            }
        }
        largest
    }
}
