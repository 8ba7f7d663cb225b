//! Detections over time to tracks.
//!
//! [`Tracker`] follows the objects of one camera online, by their boxes alone: nothing of a
//! person's looks is kept. It associates in two stages as ByteTrack does (arXiv 2110.06864) and
//! leans on what was observed rather than on what was predicted as OC-SORT does (arXiv
//! 2203.14360), but reckons in seconds where those count frames: the same settings serve 3 to 25
//! pictures a second, and a lost picture is a longer step of time and nothing else. It reckons in
//! widths and heights of the object where those count pixels, so any unit will do on either axis.
//! OC-SORT's momentum, a bonus for going on in the same direction, is left out: on the
//! sequences the settings were chosen on it helped some and hurt as many.
//!
//! Who is unseen for two seconds is lost: nothing is predicted any more, but whoever did not leave the
//! picture is remembered for a while and gets the old id when found again.

mod assignment;
mod motion;
mod parts;
mod reunion;
mod settings;
mod tracker;
mod trajectory;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use assignment::Assignment;
pub(crate) use parts::are_double;
pub use settings::{Noise, Reunion, TrackerSettings};
pub use tracker::Tracker;

use crate::vision::Rect;

/// One object followed over time.
///
/// A track is shown to the rules from its confirmation on, also in pictures in
/// which it was not seen; `seen` tells the two apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Never used twice by one tracker.
    pub id: u64,
    /// Index into the model's labels.
    pub class: u16,
    /// Where it is now: the detection, smoothed, if it was seen, otherwise the prediction,
    /// which may leave the picture. Where it was last seen if it is lost.
    pub bbox: Rect,
    /// Score of its last detection.
    pub score: f32,
    /// Best score so far.
    pub score_max: f32,
    /// Seen in this very picture?
    pub seen: bool,
    /// Unseen for so long that nothing is predicted any more. It is remembered for a while, and if it
    /// is found again it is this track.
    pub lost: bool,
    /// When it was first seen, on the monotonic time line.
    pub first_seen: Duration,
    /// When it was last seen.
    pub last_seen: Duration,
}

impl Track {
    /// The class of what no model has found: something that was put down or taken away.
    pub const NO_CLASS: u16 = u16::MAX;
}
