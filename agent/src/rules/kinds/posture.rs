//! How tall people are when they stand, and whether they lie now.

use std::time::Duration;

use super::{View, pace::is_cut_below};
use crate::{
    rules::{
        geometry::Point,
        statement::{Shortfall, Unmet},
    },
    vision::Rect,
};

/// Boxes of somebody who stood up to so long ago tell how tall they are.
const REMEMBERED: Duration = Duration::from_secs(20);

/// They are kept no closer together in time.
const SPACING: Duration = Duration::from_millis(500);

/// So many are kept.
const MOST: usize = 40;

/// A box up to this wide for each pixel of its height is that of somebody upright; a step is as wide.
const SLENDER: f64 = 0.7;

/// A box as wide as this for each pixel of its height is that of somebody who lies. It is the shape that simple fall detectors go
/// by (Rougier and others, "Robust Video Surveillance for Fall Detection Based on Human Shape Deformation", 2011, name it).
const WIDE: f64 = 1.0;

/// Somebody whose head is no higher than this share of their height lies, whatever the shape: seen along the body it is slender.
/// A seated person's head is at about 0.75, who squats or kneels is between the two.
const LOW: f64 = 0.6;

/// Somebody who was upright before must have come down to this at least, however wide: arms stretched out are no fall, nor is
/// a table before a seated person.
const LOWERED: f64 = 0.7;

/// The same of a box that the picture's lower border cuts off, and did before. Somebody whose legs are out of the picture, and who
/// comes nearer, is head and shoulders in the end: hardly wider than tall.
const CUT_WIDE: f64 = 1.3;

/// And the share of what was seen of them.
const CUT_LOW: f64 = 0.5;

/// Who lies is up again above this share...
const RISEN: f64 = 0.75;

/// ...or when the box is less wide than this, if nothing is known of the height.
const NARROW: f64 = 0.8;

/// Without a ground, a height holds where the foot is no farther up or down the picture than this share of it: farther away or nearer
/// the same person is not as tall.
const SAME_DEPTH: f64 = 0.4;

/// What is known of how somebody stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stature {
    stands: [Stand; MOST],
    /// How many there were so far.
    count: usize,
    /// When upright last, the picture's lower border cut the box off.
    cut: bool,
}

/// A box of somebody upright.
#[derive(Clone, Copy, Debug, Default)]
struct Stand {
    at: Duration,
    foot: Point2,
    /// In heights of the picture.
    height: f64,
    /// In metres, if there is a ground.
    metres: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Point2 {
    x: f64,
    y: f64,
}

/// How somebody is, in one picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posture {
    /// Width of the box for each pixel of its height.
    pub(super) aspect: f64,
    /// How high the top of the box is over where they stood, in shares of their height; `None` if they were not seen upright here.
    pub(super) share: Option<f64>,
    limits: Limits,
}

/// What somebody is held against who may lie.
#[derive(Clone, Copy, Debug)]
enum Limits {
    /// Seen whole, now or before.
    Whole,
    /// Cut off by the picture's lower border, now and before.
    Cut,
    /// Cut off, and never seen upright: nobody knows.
    Unknown,
}

impl Default for Stature {
    fn default() -> Self {
        Self { stands: [Stand::default(); MOST], count: 0, cut: false }
    }
}

impl Stature {
    /// Takes a box and says what posture it shows.
    pub(super) fn look(&mut self, view: &View<'_>, bbox: &Rect) -> Posture {
        let at = view.at.mono;
        let height = f64::from(bbox.h);
        let aspect = f64::from(bbox.w) * view.aspect / height.max(1e-6);
        let (foot, across) = (foot(bbox), metres_across(view, bbox));
        let cut = is_cut_below(bbox);
        let share = self.height_at(at, &foot, across).map(|stood| {
            // A table hides the legs of who sits down behind it, and the head is as high as before.
            let level = self.level(foot.x * view.aspect, stood, view.aspect).unwrap_or(foot.y).max(foot.y);
            (level - f64::from(bbox.y)) / stood
        });
        if aspect <= SLENDER && share.is_none_or(|share| share > RISEN) {
            self.cut = cut;
            if self.latest().is_none_or(|latest| at.saturating_sub(latest.at) >= SPACING) {
                let metres = across.map(|across| across * height);
                self.stands[self.count % MOST] = Stand { at, foot, height, metres };
                self.count += 1;
            }
        }
        let limits = match (cut, share) {
            (false, _) => Limits::Whole,
            (true, Some(_)) if !self.cut => Limits::Whole,
            (true, Some(_)) => Limits::Cut,
            (true, None) => Limits::Unknown,
        };
        Posture { aspect, share, limits }
    }

    fn latest(&self) -> Option<&Stand> {
        self.count.checked_sub(1).map(|last| &self.stands[last % MOST])
    }

    /// How tall they would be in the picture if they stood here: the height that nine tenths of the boxes do not reach.
    fn height_at(&self, at: Duration, foot: &Point2, across: Option<f64>) -> Option<f64> {
        let (mut heights, mut count) = ([0.0; MOST], 0);
        for stand in &self.stands[..self.count.min(MOST)] {
            let height = match (across, stand.metres) {
                (Some(across), Some(metres)) => metres / across,
                _ if (foot.y - stand.foot.y).abs() <= SAME_DEPTH * stand.height => stand.height,
                _ => continue,
            };
            if at.saturating_sub(stand.at) <= REMEMBERED {
                heights[count] = height;
                count += 1;
            }
        }
        let heights = &mut heights[..count];
        heights.sort_unstable_by(f64::total_cmp);
        heights.get((count * 9 / 10).min(count.saturating_sub(1))).copied()
    }

    /// Where they stood when last upright, if that was here: the row of the picture.
    fn level(&self, x: f64, stood: f64, aspect: f64) -> Option<f64> {
        self.latest().filter(|latest| (latest.foot.x * aspect - x).abs() <= stood).map(|latest| latest.foot.y)
    }
}

impl Posture {
    /// Whether they lie.
    pub(super) fn is_down(&self) -> bool {
        let wide = self.aspect >= WIDE;
        match (self.limits, self.share) {
            (Limits::Whole, None) => wide,
            (Limits::Whole, Some(share)) => share <= LOW || (wide && share <= LOWERED),
            (Limits::Cut, Some(share)) => self.aspect >= CUT_WIDE && share <= CUT_LOW,
            _ => false,
        }
    }

    /// Whether they are up again, if they have lain.
    pub(super) fn is_up(&self) -> bool {
        self.share.map_or(self.aspect < NARROW, |share| share > RISEN && self.aspect < WIDE)
    }

    /// The limit that the share of the height is held against.
    pub(super) fn most(&self) -> f64 {
        match self.limits {
            Limits::Cut => CUT_LOW,
            _ if self.aspect >= WIDE => LOWERED,
            _ => LOW,
        }
    }

    /// The limit that the shape is held against, if it says that they lie.
    pub(super) fn least(&self) -> Option<f64> {
        match self.limits {
            Limits::Cut => Some(CUT_WIDE),
            _ => (self.aspect >= WIDE).then_some(WIDE),
        }
    }

    /// What they are short of: height against what lying is, of those who were not seen upright for each pixel of the width.
    pub(super) fn short(&self) -> Shortfall {
        match self.share {
            Some(share) => Shortfall::new(Unmet::Upright, share, self.most()),
            None => Shortfall::new(Unmet::Upright, 1.0 / self.aspect.max(1e-6), 1.0 / WIDE),
        }
    }
}

fn foot(bbox: &Rect) -> Point2 {
    Point2 { x: f64::from(bbox.x + bbox.w / 2.0), y: f64::from(bbox.bottom()) }
}

/// Metres for each height of the picture where a box stands.
fn metres_across(view: &View<'_>, bbox: &Rect) -> Option<f64> {
    let foot = Point::new(bbox.x + bbox.w / 2.0, bbox.bottom());
    view.ground?.metres_across(foot).map(|metres| metres / view.aspect)
}
