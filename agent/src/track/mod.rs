//! Detections over time to tracks.

use std::time::Duration;

use crate::vision::Rect;

/// One object followed over time.
///
/// A track is shown to the rules from its confirmation on, also in pictures in
/// which it was not seen; `seen` tells the two apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Never used twice by one tracker.
    pub id: u64,
    /// Index into the model's labels.
    pub class: u16,
    /// Where it is now: the detection if it was seen, otherwise the prediction.
    pub bbox: Rect,
    /// Score of its last detection.
    pub score: f32,
    /// Best score so far.
    pub score_max: f32,
    /// Seen in this very picture?
    pub seen: bool,
    /// When it was first seen, on the monotonic time line.
    pub first_seen: Duration,
    /// When it was last seen.
    pub last_seen: Duration,
}
