//! One object's track and what the tracker knows of it besides.

use std::time::Duration;

use super::{
    Track,
    motion::{Motion, Shape},
    parts::are_double,
    settings::{Noise, TrackerSettings},
};
use crate::vision::{Detection, Rect};

/// Most steps in which a gap is filled; more bring nothing.
const GAP_STEPS: u32 = 8;

/// A track with its motion, its past and its standing.
#[derive(Clone, Debug)]
pub(super) struct Trajectory {
    pub(super) track: Track,
    pub(super) confirmed: bool,
    /// The last detection.
    pub(super) last: Shape,
    /// The box that was shown of it.
    shown: Rect,
    /// Belief at the last detection, that one taken in.
    motion: Motion,
    /// Belief at the present picture.
    now: Motion,
    /// Pictures since the last detection.
    missed: u32,
    /// Sum of the scores of all detections.
    score_sum: f32,
    /// All detections may have been parts of others.
    pub(super) only_a_part: bool,
}

impl Trajectory {
    pub(super) fn start(id: u64, at: Duration, seen: &Detection, is_part: bool, settings: &TrackerSettings) -> Self {
        let last = Shape::from(seen.bbox);
        let motion = Motion::start(&last, &settings.noise);
        Self {
            track: Track {
                id,
                class: seen.class,
                bbox: seen.bbox,
                score: seen.score,
                score_max: seen.score,
                seen: true,
                lost: false,
                first_seen: at,
                last_seen: at,
            },
            confirmed: !is_part && seen.score >= settings.sure_score.min(settings.confirm_score),
            last,
            shown: seen.bbox,
            motion,
            now: motion,
            missed: 0,
            score_sum: seen.score,
            only_a_part: is_part,
        }
    }

    /// Goes on to a new picture, in which the object is not seen until [`Self::see`] says so.
    pub(super) fn predict(&mut self, at: Duration, noise: &Noise) {
        self.now = self.motion.after(self.unseen_for(at).as_secs_f64(), noise);
        self.missed = self.missed.saturating_add(1);
        self.track.seen = false;
        self.track.bbox = self.now.shape().grown(0.0, 0.0);
    }

    /// Gives up predicting: the object is where it was last seen until it is found again.
    pub(super) fn lose(&mut self) {
        self.track.seen = false;
        self.track.lost = true;
        self.track.bbox = self.shown;
    }

    /// Takes in the object's detection in the picture that `predict` went on to.
    pub(super) fn see(&mut self, at: Duration, seen: &Detection, is_part: bool, settings: &TrackerSettings) {
        let shape = Shape::from(seen.bbox);
        let strode = self.is_seen_once() && self.last.grown(0.0, 0.0).iou(&seen.bbox) <= 0.0;
        self.close_gap(self.unseen_for(at).as_secs_f64(), &shape, &settings.noise);
        self.last = shape;
        self.missed = 0;
        self.score_sum += seen.score;
        self.only_a_part &= is_part;
        let sure = !is_part && seen.score >= settings.sure_score;
        let enough = sure || self.score_sum >= settings.confirm_score;
        // Two boxes apart from each other may be two flickers: the third has to be where these lead. And what may be
        // another one's part is shown to be none by lasting.
        let lasts = !is_part || at.saturating_sub(self.track.first_seen) >= settings.part_for;
        self.confirmed |= !strode && enough && lasts;
        self.shown = self.now.shape().near(&shape, settings.smoothed_across, settings.smoothed_along).grown(0.0, 0.0);
        self.track.bbox = self.shown;
        self.track.score = seen.score;
        self.track.score_max = self.track.score_max.max(seen.score);
        self.track.seen = true;
        self.track.lost = false;
        self.track.last_seen = at;
    }

    /// Has the detection about the height of the last one, the smaller at least this share of the greater?
    pub(super) fn is_as_high_as(&self, seen: &Detection, share: f64) -> bool {
        let h = f64::from(seen.bbox.h);
        h.min(self.last.h) >= share * h.max(self.last.h)
    }

    /// Is it seen in this picture, and the detection another box around it?
    pub(super) fn is_double(&self, seen: &Detection) -> bool {
        self.track.seen && self.track.class == seen.class && are_double(&self.last.grown(0.0, 0.0), &seen.bbox)
    }

    /// Was it in one picture only until now?
    pub(super) fn is_seen_once(&self) -> bool {
        self.track.first_seen == self.track.last_seen
    }

    /// How long ago the last detection was.
    pub(super) fn unseen_for(&self, at: Duration) -> Duration {
        at.saturating_sub(self.track.last_seen)
    }

    /// Where the object is expected in the present picture.
    pub(super) fn predicted(&self) -> Shape {
        self.now.shape()
    }

    /// Where the object would be so long after it was last seen, had it gone on at its speed.
    pub(super) fn onward(&self, time: Duration) -> Shape {
        self.motion.onward(time.as_secs_f64())
    }

    /// Standard deviation of the predicted centre, in widths and heights.
    pub(super) fn doubt(&self) -> (f64, f64) {
        self.now.doubt()
    }

    /// The observation-centric re-update of OC-SORT: after a gap the filter goes back to the last detection and
    /// is led straight to the new one, so that it learns the velocity of the gap and forgets what it guessed.
    fn close_gap(&mut self, seconds: f64, seen: &Shape, noise: &Noise) {
        let steps = self.missed.clamp(1, GAP_STEPS);
        for step in 1..=steps {
            let on_the_way = self.last.towards(seen, f64::from(step) / f64::from(steps));
            self.motion = self.motion.after(seconds / f64::from(steps), noise).seeing(&on_the_way, noise);
        }
        self.now = self.motion;
    }
}
