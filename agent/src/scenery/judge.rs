use super::{
    background::Background,
    blobs::{Blob, Blobs},
    grid::Grid,
};

/// Light falls off softly: the difference on the outline is a smaller share of that inside.
const LEAST_EDGE: f32 = 0.35;
/// The ground has a texture from this contrast between neighbours on, in steps of luma...
const TEXTURE: f32 = 4.0;
/// ...and is the same ground in another light if the textures correlate so well.
const SAME_GROUND: f32 = 0.7;
/// Shadow and light change a texture's contrast by no more than this.
const MOST_CONTRAST: f32 = 4.0;
/// A veil leaves the outline of what stands behind it, weaker or stronger by no more than this...
const MOST_VEIL: f32 = 3.3;
/// ...and alike on all sides: the contrasts correlate so well.
const SAME_OUTLINE: f32 = 0.9;
/// From this share of the outline's contrast on it is told who owns the outline.
const CLEAR: f32 = 0.58;
/// Fewer places on the outline say nothing, and so do fewer neighbours inside.
const LEAST_PLACES: u32 = 6;
const LEAST_PAIRS: u32 = 6;

/// What has changed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing but light or shadow.
    Light,
    Thing {
        /// Put there or taken away, if it can be told.
        appeared: Option<bool>,
    },
}

/// Says what a blob is.
pub(super) fn judge(blobs: &Blobs, blob: &Blob, grid: &Grid, background: &Background) -> Verdict {
    let outline = Outline::of(blobs, blob, grid, background);
    let cells = blobs.cells(blob);
    let inside: f32 = cells.iter().map(|cell| background.cells[*cell as usize].off()).sum::<f32>() / cells.len() as f32;
    let told = outline.places >= LEAST_PLACES;
    if told && outline.edge < LEAST_EDGE * inside * outline.places as f32 {
        return Verdict::Light;
    }
    if is_same_ground(blobs, blob, grid, background) || (told && outline.is_veiled()) {
        return Verdict::Light;
    }
    let (now, was) = (outline.now, outline.was);
    let appeared = match (now >= CLEAR * (now + was), was >= CLEAR * (now + was)) {
        _ if !told => None,
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    };
    Verdict::Thing { appeared }
}

/// Sums over the places of an outline: a cell inside and one outside, with the mixed ones between them.
#[derive(Clone, Copy, Debug, Default)]
struct Outline {
    places: u32,
    /// Contrast across it now, and usually.
    now: f32,
    was: f32,
    /// By how much more the inside has changed than the outside.
    edge: f32,
    /// Of the signed contrasts: products of now and usual, and squares of each.
    with: f32,
    nows: f32,
    wases: f32,
}

impl Outline {
    fn of(blobs: &Blobs, blob: &Blob, grid: &Grid, background: &Background) -> Self {
        let (columns, rows) = grid.size();
        let mut outline = Self::default();
        for cell in blobs.cells(blob) {
            let cell = *cell as usize;
            let (x, y) = (cell % columns, cell / columns);
            for (dx, dy) in [(1_isize, 0_isize), (-1, 0), (0, 1), (0, -1)] {
                let step = |steps: isize| {
                    let (x, y) = (x.checked_add_signed(steps * dx)?, y.checked_add_signed(steps * dy)?);
                    (x < columns && y < rows).then_some(y * columns + x)
                };
                let (Some(next), Some(beyond)) = (step(1), step(2)) else { continue };
                if [next, beyond].iter().any(|cell| blobs.has(blob, *cell) || grid.hidden[*cell]) {
                    continue;
                }
                let inner = step(-1).filter(|inner| blobs.has(blob, *inner)).unwrap_or(cell);
                let (inner, outer) = (&background.cells[inner], &background.cells[beyond]);
                if outer.is_known() {
                    let (now, was) = (inner.now - outer.now, inner.mean - outer.mean);
                    outline.places += 1;
                    outline.now += now.abs();
                    outline.was += was.abs();
                    outline.with += now * was;
                    outline.nows += now * now;
                    outline.wases += was * was;
                    outline.edge += inner.off() - outer.off();
                }
            }
        }
        outline
    }

    /// Whether fog, or glare on the lens, came before what stands there or went: it takes of all contrast alike, and
    /// leaves its sign.
    fn is_veiled(&self) -> bool {
        let by = self.with / self.wases.max(f32::MIN_POSITIVE);
        (1.0 / MOST_VEIL..=MOST_VEIL).contains(&by) && self.with > SAME_OUTLINE * (self.nows * self.wases).sqrt()
    }
}

/// Whether the ground is seen as before, only lighter or darker: its texture is still there.
fn is_same_ground(blobs: &Blobs, blob: &Blob, grid: &Grid, background: &Background) -> bool {
    let (columns, _) = grid.size();
    let within = |cell: usize, by: isize| {
        cell.checked_add_signed(by).is_some_and(|cell| cell < background.cells.len() && blobs.has(blob, cell))
    };
    let across = columns as isize;
    let is_within = |cell: usize| blobs.has(blob, cell) && [1, -1, across, -across].iter().all(|by| within(cell, *by));
    let [mut with, mut nows, mut wases] = [0.0_f32; 3];
    let mut pairs = 0;
    for cell in blobs.cells(blob) {
        let cell = *cell as usize;
        // On the outline the shadow's own edge would be taken for texture.
        if !is_within(cell) {
            continue;
        }
        for near in [cell + 1, cell + columns].into_iter().filter(|near| is_within(*near)) {
            let (here, there) = (&background.cells[cell], &background.cells[near]);
            let (now, was) = (there.now - here.now, there.mean - here.mean);
            with += now * was;
            nows += now * now;
            wases += was * was;
            pairs += 1;
        }
    }
    let textured = wases > TEXTURE * TEXTURE * pairs as f32;
    let contrast = nows <= MOST_CONTRAST * MOST_CONTRAST * wases;
    pairs >= LEAST_PAIRS && textured && contrast && with > SAME_GROUND * (nows * wases).sqrt()
}
