use std::time::Duration;

use super::{Patch, ScenerySettings, background::Background, blobs::Area, grid::Grid};
use crate::rules::geometry::{Point, Polygon};

/// No more are listed at once.
const MOST: usize = 32;
/// What comes to light beside a new spot within this time is part of it, if it is so near.
const JOIN_FOR: Duration = Duration::from_secs(10);
const JOIN_REACH: usize = 2;
/// A spot has gone when the scene was as before for so long.
const GONE_FOR: Duration = Duration::from_secs(1);
/// How far around a spot the light is measured.
const RING: usize = 3;
/// Where it is darker than this around it, or changed by more, nothing is told by it.
const DARK: f32 = 8.0;
const MOST_LIGHTER: f32 = 2.0;
/// The cell belongs to the spot's border: not learnt, and not asked either.
const BORDER: u8 = 0x80;

/// A place of the scene that is not as before.
#[derive(Clone, Copy, Debug)]
struct Spot {
    area: Area,
    /// When it was listed.
    listed: Duration,
    since: Duration,
    /// Since when the scene is as before.
    gone: Option<Duration>,
    /// Usual luma around it when it was listed, and by how much lighter that is now: behind it the light changes as well.
    around: f32,
    lighter: f32,
}

impl Spot {
    fn lighter_now(&self, count: &Count) -> f32 {
        let told = self.around >= DARK && count.around >= DARK;
        if told { (count.around / self.around).clamp(1.0 / MOST_LIGHTER, MOST_LIGHTER) } else { 1.0 }
    }
}

/// All that is listed.
#[derive(Clone, Debug, Default)]
pub(super) struct Spots {
    slots: [Option<Spot>; MOST],
    /// Which slot a cell belongs to, plus one, and whether to its border; 0 is none.
    owners: Vec<u8>,
    patches: Vec<Patch>,
    /// The slot of each patch.
    places: Vec<usize>,
    /// The last number given.
    ids: u64,
}

impl Spots {
    pub(super) fn patches(&self) -> &[Patch] {
        &self.patches
    }

    /// Lists nothing any more.
    pub(super) fn forget(&mut self, cells: usize) {
        self.slots = [None; MOST];
        self.owners.clear();
        self.owners.resize(cells, 0);
        self.patches.clear();
        self.patches.reserve(MOST);
        self.places.clear();
        self.places.reserve(MOST);
    }

    /// All that is remembered became lighter by this.
    pub(super) fn relight(&mut self, by: f32) {
        self.slots.iter_mut().flatten().for_each(|spot| spot.around *= by);
    }

    /// Looks at what is listed: whether it is still there, and seen.
    pub(super) fn check(&mut self, at: Duration, settings: &ScenerySettings, grid: &Grid, background: &mut Background) {
        for slot in 0..MOST {
            let Some(mut spot) = self.slots[slot] else { continue };
            let count = Count::of(&spot, slot, &self.owners, grid, background);
            spot.lighter = spot.lighter_now(&count);
            if count.is_as_before() {
                spot.gone.get_or_insert(at);
            } else if count.is_mostly_visible() {
                spot.gone = None;
            }
            self.slots[slot] = Some(spot);
            for (patch, _) in self.patches.iter_mut().zip(&self.places).filter(|(_, place)| **place == slot) {
                patch.seen = count.is_seen();
            }
            let absorbed = at.saturating_sub(spot.since) >= settings.absorb_after;
            if absorbed || spot.gone.is_some_and(|gone| at.saturating_sub(gone) >= GONE_FOR) {
                self.release(slot, absorbed, grid, background);
            }
        }
    }

    /// Takes these cells into a new spot beside them, if there is one.
    pub(super) fn join(
        &mut self,
        at: Duration,
        cells: &[u32],
        area: Area,
        grid: &Grid,
        background: &mut Background,
    ) -> bool {
        let near = area.grown(JOIN_REACH, grid.size());
        let is_new = |spot: &Spot| spot.area.overlaps(near) && at.saturating_sub(spot.listed) < JOIN_FOR;
        let Some(slot) = self.slots.iter().position(|spot| spot.as_ref().is_some_and(is_new)) else { return false };
        if let Some(spot) = &mut self.slots[slot] {
            spot.area = spot.area.joined(area);
            let bbox = grid.to_picture(spot.area);
            for (patch, _) in self.patches.iter_mut().zip(&self.places).filter(|(_, place)| **place == slot) {
                patch.bbox = bbox;
            }
        }
        self.keep(slot, cells, grid, background);
        true
    }

    /// Lists what is in these cells, for each zone that it is in.
    #[expect(clippy::too_many_arguments, reason = "all of them are other things")]
    pub(super) fn list(
        &mut self,
        at: Duration,
        appeared: Option<bool>,
        cells: &[u32],
        area: Area,
        zones: &[Polygon],
        grid: &Grid,
        background: &mut Background,
    ) {
        let Some(slot) = self.slots.iter().position(Option::is_none) else { return };
        let bbox = grid.to_picture(area);
        // What reaches the lower edge of the picture stands there.
        let foot = Point::new(bbox.x + bbox.w / 2.0, bbox.bottom().min(1.0));
        let is_in = |zone: &Polygon| {
            let inside = cells.iter().filter(|cell| zone.contains(grid.middle(**cell as usize))).count();
            zone.contains(foot) || 2 * inside >= cells.len()
        };
        let age = cells.iter().map(|cell| background.cells[*cell as usize].age).sum::<f32>() / cells.len() as f32;
        let since = at.saturating_sub(Duration::from_secs_f32(age));
        let before = self.patches.len();
        for (zone, _) in zones.iter().enumerate().filter(|(_, zone)| is_in(zone)) {
            self.ids += 1;
            self.patches.push(Patch { id: self.ids, zone, bbox, appeared, since, seen: true });
            self.places.push(slot);
        }
        if self.patches.len() > before {
            self.slots[slot] = Some(Spot { area, listed: at, since, gone: None, around: 0.0, lighter: 1.0 });
            self.keep(slot, cells, grid, background);
        }
    }

    /// Makes these cells the spot's own, with a border around them, and measures the light around it anew.
    fn keep(&mut self, slot: usize, cells: &[u32], grid: &Grid, background: &mut Background) {
        let owner = slot as u8 + 1;
        let (columns, _) = grid.size();
        for cell in cells {
            let cell = *cell as usize;
            let (x, y) = (cell % columns, cell / columns);
            self.owners[cell] = owner;
            background.cells[cell].kept = true;
            for near in (Area { left: x, top: y, right: x + 1, bottom: y + 1 }).grown(1, grid.size()).cells(columns) {
                if self.owners[near] == 0 {
                    self.owners[near] = owner | BORDER;
                    background.cells[near].kept = true;
                }
            }
        }
        if let Some(spot) = &mut self.slots[slot] {
            spot.around = Count::of(spot, slot, &self.owners, grid, background).around / spot.lighter;
        }
    }

    /// Lists a spot no more. What is there is part of the scene if it was absorbed.
    fn release(&mut self, slot: usize, absorbed: bool, grid: &Grid, background: &mut Background) {
        let Some(spot) = self.slots[slot].take() else { return };
        for cell in spot.area.grown(1, grid.size()).cells(grid.size().0) {
            if self.owners[cell] & !BORDER == slot as u8 + 1 {
                self.owners[cell] = 0;
                let cell = &mut background.cells[cell];
                cell.kept = false;
                if absorbed {
                    cell.mean = cell.now;
                } else {
                    // The light may have changed behind it.
                    cell.mean *= spot.lighter;
                }
            }
        }
        let places = &self.places;
        let mut index = 0;
        self.patches.retain(|_| {
            index += 1;
            places[index - 1] != slot
        });
        self.places.retain(|place| *place != slot);
    }
}

/// What is seen of a spot at a look, in cells.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    visible: usize,
    /// Not as usual, of those visible.
    other: usize,
    /// The same as before this look as well.
    sure: usize,
    /// Mean of the usual luma around it; 0 if nothing is known.
    around: f32,
}

impl Count {
    fn of(spot: &Spot, slot: usize, owners: &[u8], grid: &Grid, background: &Background) -> Self {
        let mut count = Self::default();
        let mut ring = 0;
        for index in spot.area.grown(RING, grid.size()).cells(grid.size().0) {
            let cell = &background.cells[index];
            if owners[index] == 0 && cell.is_known() {
                count.around += cell.mean;
                ring += 1;
            } else if owners[index] == slot as u8 + 1 {
                count.all += 1;
                if !grid.hidden[index] {
                    let other = cell.differs(spot.lighter);
                    count.visible += 1;
                    count.other += usize::from(other);
                    count.sure += usize::from(other && cell.is_sure());
                }
            }
        }
        count.around /= ring.max(1) as f32;
        count
    }

    fn is_mostly_visible(&self) -> bool {
        10 * self.visible >= 7 * self.all
    }

    fn is_as_before(&self) -> bool {
        self.is_mostly_visible() && 10 * self.other < 3 * self.visible
    }

    fn is_seen(&self) -> bool {
        2 * self.visible >= self.all && 10 * self.sure >= 6 * self.visible
    }
}
