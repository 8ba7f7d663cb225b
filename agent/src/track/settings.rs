//! What the tracker can be told.

use std::time::Duration;

use crate::vision::Rect;

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
    /// What may be a part of another detection is not confirmed before it has lasted for so long, and dropped when unseen for
    /// longer.
    pub part_for: Duration,
    /// An unconfirmed track is dropped when unseen for longer.
    pub tentative_for: Duration,
    /// A confirmed track is lost when unseen for longer, and an unconfirmed one ends; so does everything after a
    /// longer pause between two pictures. Above zero.
    pub lost_for: Duration,
    /// A lost track ends when unseen for longer.
    pub remembered_for: Duration,
    /// The picture's borders in the unit of the boxes. Who touched one when last seen has left and is not remembered.
    /// `None` if they are not known: then everyone is.
    pub bounds: Option<Rect>,
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
    /// What a track loses in similarity that is not confirmed yet, so that it gives way to one that is.
    pub tentative_penalty: f64,
    /// Least ratio of the heights of a track and of a detection that may be a part of another one.
    pub min_part_height: f64,
    /// How many standard deviations of its place a box is grown by on each side before its overlap is taken...
    pub grow_by_doubt: f64,
    /// ...but at most by this share of its width and height.
    pub grow_most: f64,
    /// Which detections may be the next stride of one that runs.
    pub stride: Stride,
    /// Which detections may be a lost object.
    pub reunion: Reunion,
    /// How far a box's left and right edges may be from those of the detection, as a share of its width...
    pub smoothed_across: f64,
    /// ...and the upper and lower ones, of its height. Smoothing calms a box, but must not let it lag behind one that
    /// grows as its object comes into the picture. A width swings with the legs, a height does not.
    pub smoothed_along: f64,
    /// How objects and detections are expected to behave.
    pub noise: Noise,
}

/// Which detections may be the next stride of an object that was seen once. The unit of length is the object's own width,
/// also on the y axis, where it is a share of the height.
#[derive(Clone, Debug, PartialEq)]
pub struct Stride {
    /// Longest time between the two sightings.
    pub within: Duration,
    /// Least ratio of the smaller height to the greater one.
    pub min_height_agreement: f64,
    /// What a height is in widths.
    pub heights_to_widths: f64,
    /// Greatest speed, per second.
    pub fastest: f64,
    /// Longest stride.
    pub longest: f64,
}

/// Which detections may be a lost object. The unit of length is the object's own width, also on the y axis, where it
/// is a share of the height.
#[derive(Clone, Debug, PartialEq)]
pub struct Reunion {
    /// An object that was followed for less before it was lost is not found again.
    pub known_for: Duration,
    /// Least ratio of the smaller height to the greater one.
    pub min_height_agreement: f64,
    /// What a height is in widths.
    pub heights_to_widths: f64,
    /// How far off its way an object may be found at once...
    pub reach_least: f64,
    /// ...so much farther for every second that it was unseen...
    pub reach_growth: f64,
    /// ...but not farther than this.
    pub reach_most: f64,
    /// For how long an object's way goes on at its last speed.
    pub onward_for: Duration,
    /// An object that is faster walks, per second: it goes on and does not turn back...
    pub walking: f64,
    /// ...and is found again at least so far on.
    pub least_gone: f64,
    /// How near to the picture's border a box touches it, as a share of the picture's width and height.
    pub border: f64,
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
            part_for: Duration::from_millis(100),
            tentative_for: Duration::from_millis(300),
            lost_for: Duration::from_secs(2),
            remembered_for: Duration::from_secs(6),
            bounds: Some(Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 }),
            low_for: Duration::from_millis(500),
            min_similarity: 0.15,
            min_low_overlap: 0.3,
            min_recovery_overlap: 0.3,
            lost_penalty: 0.2,
            tentative_penalty: 0.3,
            min_part_height: 0.7,
            grow_by_doubt: 0.75,
            grow_most: 0.3,
            stride: Stride::default(),
            reunion: Reunion::default(),
            smoothed_across: 0.2,
            smoothed_along: 0.1,
            noise: Noise::default(),
        }
    }
}

impl Default for Stride {
    fn default() -> Self {
        Self {
            within: Duration::from_millis(400),
            min_height_agreement: 0.85,
            heights_to_widths: 3.0,
            fastest: 8.0,
            longest: 2.0,
        }
    }
}

impl Default for Reunion {
    fn default() -> Self {
        Self {
            known_for: Duration::from_millis(500),
            min_height_agreement: 0.75,
            heights_to_widths: 3.0,
            reach_least: 0.5,
            reach_growth: 0.25,
            reach_most: 1.5,
            onward_for: Duration::from_secs(3),
            walking: 0.75,
            least_gone: 0.25,
            border: 0.01,
        }
    }
}

impl Default for Noise {
    fn default() -> Self {
        Self { place: 0.05, size: 0.05, speed: 3.0, acceleration: 1.0, growth: 0.1, growth_change: 0.2 }
    }
}
