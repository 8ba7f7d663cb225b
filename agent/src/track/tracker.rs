//! Which detection belongs to which track.

use std::time::Duration;

use super::{
    Track,
    assignment::Assignment,
    motion::Shape,
    parts::Parts,
    reunion,
    settings::{Stride, TrackerSettings},
    trajectory::Trajectory,
};
use crate::vision::{Detection, Rect, length};

/// Most objects followed at once; while there are so many, no new one is begun. Far more than a
/// picture shows, and few enough to associate within a picture's time.
const MOST_TRACKS: usize = 500;
/// Greatest coordinate and inverse of the least size of a box that is looked at, in whatever unit: far
/// beyond any picture, and no sum or product of such boxes overflows.
const LARGEST: f32 = 1e9;
/// A look after a rest stands for this time: after four in which an object was missing it is lost.
const ONE_LOOK: Duration = Duration::from_millis(600);
/// What is left at least of the similarity of a track that is not confirmed.
const TENTATIVE_SHARE: f64 = 0.1;

/// Follows the objects of one camera.
#[derive(Debug)]
pub struct Tracker {
    settings: TrackerSettings,
    trajectories: Vec<Trajectory>,
    now: Duration,
    /// Time since the last update in which nobody looked.
    rested: Duration,
    next_id: u64,
    shown: Vec<Track>,
    parts: Parts,
    high: Pool,
    low: Pool,
    matcher: Matcher,
}

impl Tracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new(settings: TrackerSettings) -> Self {
        Self {
            settings,
            trajectories: Vec::new(),
            now: Duration::ZERO,
            rested: Duration::ZERO,
            next_id: 1,
            shown: Vec::new(),
            parts: Parts::default(),
            high: Pool::default(),
            low: Pool::default(),
            matcher: Matcher::default(),
        }
    }

    /// Takes in one picture's detections and returns the confirmed tracks, seen in it or not. A track
    /// that is no longer returned never comes back.
    ///
    /// `at` is on the monotonic time line; a time before that of the last picture counts as that one.
    /// Detections that are no box (not finite, without area) are ignored.
    pub fn update(&mut self, at: Duration, detections: &[Detection]) -> &[Track] {
        self.now = self.now.max(at);
        let at = self.now;
        self.age();
        self.forget(at);
        for trajectory in self.trajectories.iter_mut().filter(|t| !t.track.lost) {
            trajectory.predict(at, &self.settings.noise);
        }
        self.associate(at, detections);
        let (tentative_for, part_for) = (self.settings.tentative_for, self.settings.part_for);
        self.trajectories.retain(|t| {
            let patience = if t.only_a_part { part_for } else { tentative_for };
            t.confirmed || t.unseen_for(at) <= patience
        });
        self.begin(at, detections);
        self.shown.clear();
        self.shown.extend(self.trajectories.iter().filter(|t| t.confirmed).map(|t| t.track));
        &self.shown
    }

    /// The confirmed tracks, as the last update returned them.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.shown
    }

    /// All that are followed, also those that are not confirmed yet.
    pub fn followed(&self) -> impl Iterator<Item = &Track> {
        self.trajectories.iter().map(|trajectory| &trajectory.track)
    }

    /// Nobody looked since the last picture, because all is at rest: the time until `at` is no time in which an object
    /// was not to be seen.
    pub fn rest(&mut self, at: Duration) {
        let gap = at.saturating_sub(self.now);
        self.now += gap;
        self.rested += gap;
        for trajectory in &mut self.trajectories {
            trajectory.track.last_seen += gap;
        }
    }

    /// What was missing at the last look, before a rest, was looked for and not found: of the rest it has been unseen for
    /// as long as a look stands for. Where nobody looks but between rests, it would never be lost otherwise.
    fn age(&mut self) {
        let aged = std::mem::take(&mut self.rested).min(ONE_LOOK);
        for trajectory in self.trajectories.iter_mut().filter(|t| !t.track.seen) {
            trajectory.track.last_seen = trajectory.track.last_seen.saturating_sub(aged);
        }
    }

    /// Is no object followed, confirmed or not?
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.trajectories.is_empty()
    }

    /// Ends what was unseen for too long, and gives up where to expect what was unseen for long.
    fn forget(&mut self, at: Duration) {
        let s = &self.settings;
        self.trajectories.retain_mut(|t| {
            let unseen = t.unseen_for(at);
            if t.track.lost || unseen <= s.lost_for {
                return unseen <= s.remembered_for.max(s.lost_for);
            }
            t.lose();
            t.confirmed && unseen <= s.remembered_for && !reunion::has_left(t, s)
        });
    }

    fn associate(&mut self, at: Duration, detections: &[Detection]) {
        let Self { settings: s, trajectories, parts, high, low, matcher, .. } = self;
        parts.fill(detections);
        high.fill(detections, |score| score >= s.high_score);
        low.fill(detections, |score| score >= s.low_score && score < s.high_score);
        let mut stage = |lost: bool, pool: &mut Pool, gain: &dyn Fn(&Trajectory, &Detection) -> f64| {
            let gain = |t: &Trajectory, i: usize| {
                let d = &detections[i];
                // Nobody who was lost is found again in a part of somebody else.
                let not_whole = parts.is_part(i) && (lost || !t.is_as_high_as(d, s.min_part_height));
                if not_whole || t.track.class != d.class { 0.0 } else { gain(t, d) }
            };
            matcher.pair(trajectories, lost, pool, gain, |t, i| t.see(at, &detections[i], parts.is_part(i), s));
        };
        stage(false, high, &|t, d| similarity(t, d, at, s));
        stage(false, low, &|t, d| {
            if !t.confirmed || t.unseen_for(at) > s.low_for {
                return 0.0;
            }
            f64::from(t.track.bbox.iou(&d.bbox)) - s.min_low_overlap
        });
        stage(false, high, &|t, d| f64::from(t.last.grown(0.0, 0.0).iou(&d.bbox)) - s.min_recovery_overlap);
        stage(false, high, &|t, d| stride(t, d, at, &s.stride));
        stage(true, high, &|t, d| reunion::likeness(t, d, at, &s.reunion));
    }

    fn begin(&mut self, at: Duration, detections: &[Detection]) {
        for &i in &self.high.free {
            let detection = &detections[i];
            let is_part = self.parts.is_part(i) || self.trajectories.iter().any(|t| t.is_double(detection));
            if detection.score >= self.settings.new_score && self.trajectories.len() < MOST_TRACKS {
                self.trajectories.push(Trajectory::start(self.next_id, at, detection, is_part, &self.settings));
                self.next_id += 1;
            }
        }
    }
}

/// How well a detection fits a track, above 0 if well enough.
fn similarity(t: &Trajectory, d: &Detection, at: Duration, s: &TrackerSettings) -> f64 {
    let (predicted, seen) = (t.predicted(), Shape::from(d.bbox));
    // Both boxes are grown, as in C-BIoU (arXiv 2211.14317), but by what is not known of the track's place: little
    // for one that was just seen, much for a new one, after a gap and at few pictures a second.
    let (x, y) = t.doubt();
    let [x, y] = [x, y].map(|doubt| (s.grow_by_doubt * doubt).min(s.grow_most));
    let overlap = f64::from(predicted.grown(x, y).iou(&seen.grown(x, y)));
    let fit = overlap * predicted.size_agreement(&seen);
    if fit < s.min_similarity {
        return 0.0;
    }
    let unseen = t.unseen_for(at).as_secs_f64() / s.lost_for.as_secs_f64();
    let fit = fit - s.lost_penalty * unseen;
    // What has yet to prove that it is something gives way to what has, and a part to anything: between a wide box and a
    // narrow one of somebody who walks there are both at once.
    if t.confirmed {
        fit
    } else if t.only_a_part {
        TENTATIVE_SHARE * fit
    } else {
        (fit - s.tentative_penalty).max(TENTATIVE_SHARE * fit)
    }
}

/// How well a detection fits a track that was seen once, above 0 if it may be its next stride. Who runs is more than a
/// width further on at five pictures a second, and no box overlaps; from the second sighting on the speed is known.
fn stride(t: &Trajectory, d: &Detection, at: Duration, s: &Stride) -> f64 {
    let unseen = t.unseen_for(at);
    if !t.is_seen_once() || unseen.is_zero() || unseen > s.within || !t.is_as_high_as(d, s.min_height_agreement) {
        return 0.0;
    }
    let (x, y) = t.last.off(&Shape::from(d.bbox));
    1.0 - length(x, y * s.heights_to_widths) / (s.fastest * unseen.as_secs_f64()).min(s.longest)
}

/// The detections of one kind that belong to no track yet, by their index.
#[derive(Debug, Default)]
struct Pool {
    free: Vec<usize>,
}

impl Pool {
    fn fill(&mut self, detections: &[Detection], wanted: impl Fn(f32) -> bool) {
        self.free.clear();
        self.free.extend((0..detections.len()).filter(|&i| wanted(detections[i].score) && is_box(&detections[i].bbox)));
    }
}

fn is_box(r: &Rect) -> bool {
    let sound = 1.0 / LARGEST..LARGEST;
    r.x.abs() < LARGEST && r.y.abs() < LARGEST && sound.contains(&r.w) && sound.contains(&r.h)
}

/// Pairs unseen tracks with free detections, in the same memory each time.
#[derive(Debug, Default)]
struct Matcher {
    assignment: Assignment,
    unseen: Vec<usize>,
    gain: Vec<f64>,
}

impl Matcher {
    fn pair(
        &mut self,
        trajectories: &mut [Trajectory],
        lost: bool,
        pool: &mut Pool,
        gain: impl Fn(&Trajectory, usize) -> f64,
        mut see: impl FnMut(&mut Trajectory, usize),
    ) {
        self.unseen.clear();
        self.unseen.extend((0..trajectories.len()).filter(|&t| {
            let track = &trajectories[t].track;
            !track.seen && track.lost == lost
        }));
        self.gain.clear();
        for &t in &self.unseen {
            self.gain.extend(pool.free.iter().map(|&d| gain(&trajectories[t], d)));
        }
        let pairs = self.assignment.solve(self.unseen.len(), pool.free.len(), &self.gain);
        for &(row, column) in pairs {
            see(&mut trajectories[self.unseen[row]], pool.free[column]);
            pool.free[column] = usize::MAX;
        }
        pool.free.retain(|&d| d != usize::MAX);
    }
}
