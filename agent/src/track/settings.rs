//! What the tracker can be told.

use std::time::Duration;

/// How the tracker associates, confirms and gives up.
///
/// The defaults are one set for every camera, chosen on sequences of 5, 10 and 25 pictures a
/// second with fixed and moving cameras. Overlaps are intersection over union, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerSettings {
    /// Detections below are not looked at.
    pub low_score: f32,
    /// Detections from here on are associated first, and can find an object again that was lost.
    /// Between `low_score` and this they only prolong a track (ByteTrack's second stage).
    pub high_score: f32,
    /// Least score at which a detection that belongs to no track begins one.
    pub new_score: f32,
    /// A detection of this score confirms its track at once.
    pub sure_score: f32,
    /// Otherwise a track is confirmed when the scores of its detections add up to this. Above 1, so
    /// that it takes two.
    pub confirm_score: f32,
    /// An unconfirmed track is dropped when unseen for longer.
    pub tentative_for: Duration,
    /// A confirmed track ends when unseen for longer; so does everything after a longer pause
    /// between two pictures. Above zero.
    pub lost_for: Duration,
    /// A track unseen for longer cannot be prolonged by a low score.
    pub low_for: Duration,
    /// Least similarity of a detection to a track: the overlap of both boxes, grown by the doubt about the
    /// track's place, times the agreement of their sizes.
    pub min_similarity: f64,
    /// Least overlap of a low detection with a track's predicted box.
    pub min_low_overlap: f64,
    /// Least overlap of a detection with a track's last one where prediction failed (OC-SORT's recovery).
    pub min_recovery_overlap: f64,
    /// What a track loses in similarity by the time it has been unseen for `lost_for`: of two that fit
    /// alike, the one seen last is the likelier.
    pub lost_penalty: f64,
    /// How many standard deviations of its place a box is grown by on each side before its overlap is taken...
    pub grow_by_doubt: f64,
    /// ...but at most by this share of its width and height.
    pub grow_most: f64,
    /// How objects and detections are expected to behave.
    pub noise: Noise,
}

/// How objects move and how exactly they are seen, in standard deviations, all above zero. The unit of
/// length is the object's own width on the x axis and its own height on the y axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// Error of a detection's centre.
    pub place: f64,
    /// Error of a detection's width and height.
    pub size: f64,
    /// Speed of an object when first seen, per second.
    pub speed: f64,
    /// What an object's speed changes by within a second.
    pub acceleration: f64,
    /// Growth of an object's width and height when first seen, per second.
    pub growth: f64,
    /// What this growth changes by within a second.
    pub growth_change: f64,
}

impl Default for TrackerSettings {
    fn default() -> Self {
        Self {
            low_score: 0.1,
            high_score: 0.5,
            new_score: 0.5,
            sure_score: 0.9,
            confirm_score: 1.2,
            tentative_for: Duration::from_millis(300),
            lost_for: Duration::from_secs(2),
            low_for: Duration::from_millis(500),
            min_similarity: 0.15,
            min_low_overlap: 0.3,
            min_recovery_overlap: 0.3,
            lost_penalty: 0.2,
            grow_by_doubt: 0.75,
            grow_most: 0.3,
            noise: Noise::default(),
        }
    }
}

impl Default for Noise {
    fn default() -> Self {
        Self { place: 0.05, size: 0.05, speed: 3.0, acceleration: 1.0, growth: 0.1, growth_change: 0.2 }
    }
}
