//! What stands in a zone now and did not before, or the other way round. Detectors miss bags; the scene itself does not.
//!
//! ```text
//! picture → grid (cells) → light (gain) → background → blobs → judge ─→ spots → patches
//!                            objects ──→ hidden ─┘      what stands   what it is   what is listed
//! ```
//!
//! [`grid`] averages the luma of some pixels into a cell, over the zones and a margin around them. [`light`] takes out what
//! the whole picture became lighter or darker by. [`background`] keeps for each cell what is usual there, how far it
//! usually strays, and what stands there now, for how long: two memories, a slow and a quick one, as in Porikli, Ivanov and
//! Haga, "Robust abandoned object detection using dual foregrounds" (EURASIP JASP 2008). What differs and stands still
//! makes [`blobs`]. [`judge`] tells light from things, and things put down from things taken away: a thing has an outline,
//! and the bare floor that it leaves has none (Spagnolo et al., "An abandoned/removed objects detection algorithm and its
//! evaluation on PETS datasets", AVSS 2006; Tian et al., "Robust detection of abandoned and removed objects in complex
//! surveillance videos", IEEE SMC-C 2011). [`spots`] lists them until the scene is as before.
//!
//! Where a track is, nothing is looked at and nothing learnt: somebody who stands for a minute leaves no trace.
//!
//! Pure: time comes with the picture.

mod background;
mod blobs;
mod grid;
mod judge;
mod light;
mod spots;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::{
    background::{Background, Rates},
    blobs::Blobs,
    grid::Grid,
    judge::Verdict,
    spots::Spots,
};
use crate::{
    rules::geometry::Polygon,
    vision::{Planes, Rect},
};

/// Something that was put down in a zone, or taken away from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patch {
    /// Never used twice, not even after [`Scenery::reset`].
    pub id: u64,
    /// Index of the zone that it is in. What is in two zones is listed for both, under two numbers.
    pub zone: usize,
    /// Where, in shares of the picture.
    pub bbox: Rect,
    /// `Some(true)` if something was put there, `Some(false)` if it was taken away, `None` if that cannot be told.
    pub appeared: Option<bool>,
    /// Since when it stands still, on the monotonic line.
    pub since: Duration,
    /// Whether it was seen at this look; `false` while somebody is before it.
    pub seen: bool,
}

/// How a scene is learnt and what counts as a change of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenerySettings {
    /// For so long a place must be seen before anything is said about it.
    pub learn: Duration,
    /// For so long something must stand still before it is listed.
    pub settle: Duration,
    /// What has been there for so long is part of the scene.
    pub absorb_after: Duration,
    /// What is smaller is not listed, as a share of the picture.
    pub min_area: f32,
    /// What is larger is no object but a change of light or of the view, as a share of the picture.
    pub max_area: f32,
}

impl Default for ScenerySettings {
    fn default() -> Self {
        Self {
            learn: Duration::from_secs(10),
            settle: Duration::from_secs(2),
            absorb_after: Duration::from_secs(600),
            min_area: 0.0008,
            max_area: 0.15,
        }
    }
}

/// A pause that is longer than this counts as no longer: what happened in it is not known.
const LONGEST_STEP: Duration = Duration::from_secs(1);
/// After such a pause what stands there has to settle anew.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What stands is put together so often at most.
const GATHER_EVERY: Duration = Duration::from_millis(190);

/// Watches the zones of one camera for what is put down and taken away.
#[derive(Debug)]
pub struct Scenery {
    zones: Vec<Polygon>,
    settings: ScenerySettings,
    grid: Grid,
    background: Background,
    blobs: Blobs,
    spots: Spots,
    last: Option<Duration>,
    gathered: Duration,
}

impl Scenery {
    /// Knows nothing yet. Zones are drawn in shares of the picture.
    #[must_use]
    pub fn new(zones: Vec<Polygon>, settings: ScenerySettings) -> Self {
        Self {
            zones,
            settings,
            grid: Grid::default(),
            background: Background::default(),
            blobs: Blobs::default(),
            spots: Spots::default(),
            last: None,
            gathered: Duration::ZERO,
        }
    }

    /// Looks at a picture and says what is not as before. `objects` are the boxes of everything that moves by itself, lost
    /// tracks at their last place included; not of bags, which would be hidden by their own boxes. Pictures come in order.
    ///
    /// What touches one of the objects is not listed for the first time before they are apart: it may be its shadow, and
    /// a bag beside its owner is attended.
    pub fn look(&mut self, at: Duration, picture: &Planes<'_>, objects: &[Rect]) -> &[Patch] {
        if self.zones.is_empty() || picture.check().is_err() {
            return self.spots.patches();
        }
        if self.grid.take(picture, &self.zones) {
            self.background.begin(self.grid.cells());
            self.blobs.begin(self.grid.cells());
            self.spots.forget(self.grid.cells());
            self.last = None;
        }
        let pause = at.saturating_sub(self.last.unwrap_or(at));
        self.last = Some(at);
        if pause > LONGEST_PAUSE {
            self.background.unsettle();
        }
        let rates = Rates::new(pause.min(LONGEST_STEP), &self.settings);
        self.grid.hide(objects);
        let step = light::follow(&mut self.background, &self.grid, rates.step);
        self.spots.relight(step);
        self.background.learn(&self.grid, &rates);
        self.spots.check(at, &self.settings, &self.grid, &mut self.background);
        if at.saturating_sub(self.gathered) >= GATHER_EVERY || at < self.gathered {
            self.gathered = at;
            self.gather(at);
        }
        self.spots.patches()
    }

    /// Forgets all: the camera was blind, has turned, or sees by other light.
    pub fn reset(&mut self) {
        self.background.begin(self.grid.cells());
        self.spots.forget(self.grid.cells());
        self.last = None;
    }

    /// Lists what stands there now, and takes in what is only light.
    fn gather(&mut self, at: Duration) {
        let Self { zones, settings, grid, background, blobs, spots, .. } = self;
        if background.mostly_changed() {
            background.absorb_still();
            return;
        }
        blobs.find(background.still(), grid.size());
        let whole = grid.whole();
        for blob in blobs.found() {
            let (area, cells) = (blob.area, blobs.cells(blob));
            if background.is_in_flux(area, grid.size(), &grid.hidden) {
                continue;
            }
            if cells.len() as f32 > settings.max_area * whole {
                background.absorb(cells);
                continue;
            }
            let touched = grid.is_near_hidden(area);
            if !touched && spots.join(at, cells, area, grid, background) {
                continue;
            }
            let small = (cells.len() as f32) < settings.min_area * whole;
            if small || touched || !blobs::is_compact(area, cells.len()) || !grid.is_in_zone(cells) {
                continue;
            }
            match judge::judge(blobs, blob, grid, background) {
                Verdict::Light => background.absorb(cells),
                Verdict::Thing { appeared } => spots.list(at, appeared, cells, area, zones, grid, background),
            }
        }
    }
}
