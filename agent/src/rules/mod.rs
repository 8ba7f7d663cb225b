//! Tracks over time to findings.
//!
//! Pure: no clock, no file, no network. One [`Engine`] watches one camera.

mod engine;
pub mod geometry;
mod intrusion;
mod line_crossing;

pub use engine::{Change, Engine, Finding};

use geometry::Point;

use crate::track::Track;

/// The point of an object that stands on the ground: the middle of its box's lower
/// edge, kept inside the picture. Zones and lines are drawn on the ground, so this
/// is the point that is tested against them.
fn foot(track: &Track) -> Point {
    let b = &track.bbox;
    Point::new((b.x + b.w / 2.0).clamp(0.0, 1.0), b.bottom().clamp(0.0, 1.0))
}
