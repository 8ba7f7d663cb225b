use std::{collections::BTreeSet, mem, sync::Arc, time::Duration};

use jiff::Timestamp;
use karaul_wire::CloseReason;

use super::{
    cadence::Cadence,
    clips::Clips,
    gate::{Gate, Look},
    rest::Rest,
    tray::{Answer, Errand},
};
use crate::{
    clock::Stamp,
    config,
    incident::{Declined, Desk, Step},
    rules::{Engine, Finding},
    sight::{Condition, Sight, SightSettings},
    track::{Tracker, TrackerSettings},
    vision::{Detection, Detector, Model, Planes, VisionError, Window},
};

/// What looks at pictures: the model, or a test's script. Detections of low scores are
/// wanted as well: the tracker holds on to objects by them.
pub trait Detect {
    /// The objects in one picture.
    ///
    /// # Errors
    /// If the model could not be run.
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError>;

    /// Width and height of what it sees without loss, in pixels, if it can look at parts of a picture.
    fn input(&self) -> Option<(usize, usize)> {
        None
    }

    /// The objects in these parts of a picture.
    ///
    /// # Errors
    /// If the model could not be run.
    fn detect_in(&mut self, picture: &Planes<'_>, _windows: &[Window]) -> Result<&[Detection], VisionError> {
        self.detect(picture)
    }
}

/// The detector of a camera that is watched: the tracker decides what a low score is
/// worth, not the model's manifest.
#[must_use]
pub fn detector(model: Arc<Model>) -> Detector {
    Detector::new(model).with_score_threshold(TrackerSettings::default().low_score)
}

impl Detect for Detector {
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError> {
        Detector::detect(self, picture)
    }

    fn input(&self) -> Option<(usize, usize)> {
        let [height, width] = self.model().manifest().input.size;
        Some((width, height))
    }

    fn detect_in(&mut self, picture: &Planes<'_>, windows: &[Window]) -> Result<&[Detection], VisionError> {
        Detector::detect_in(self, picture, windows)
    }
}

impl Detect for Box<dyn Detect + Send> {
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError> {
        (**self).detect(picture)
    }

    fn input(&self) -> Option<(usize, usize)> {
        (**self).input()
    }

    fn detect_in(&mut self, picture: &Planes<'_>, windows: &[Window]) -> Result<&[Detection], VisionError> {
        (**self).detect_in(picture, windows)
    }
}

/// Where the steps of incidents go: the outbox, or a replay's output.
pub trait Sink {
    /// Makes a step safe, and says whether it is. `picture` is the one it was seen in, if
    /// there is one.
    fn commit(&mut self, step: &mut Step, picture: Option<&Planes<'_>>) -> bool;
}

/// An object in a glimpse counts from this share of the score at which a track begins: in the pictures around it the
/// object may be seen better.
const STIR: f32 = 0.6;

/// One camera's way from picture to incident: one call stack, in one thread.
pub struct Watch<D, S> {
    cadence: Cadence,
    gate: Gate,
    detector: D,
    tracker: Tracker,
    engine: Engine,
    desk: Desk,
    sink: S,
    findings: Vec<Finding>,
    looks: u64,
    rest: Rest,
    /// Something is followed, or was seen in the last glimpse, that is not at rest.
    stirred: bool,
    /// The camera is decoded in keyframes only, which may be further apart than a track lives unseen.
    keyframes_only: bool,
    /// What counts as something in a glimpse: its least score, and its class.
    stir_score: f32,
    classes: BTreeSet<u16>,
    /// `None` if the config wants none.
    sight: Option<Sight>,
    /// What is wrong with the picture, and since when.
    trouble: Option<(Condition, Timestamp)>,
    /// Since when the camera has looked elsewhere, whatever was wrong with the picture since.
    moved: Option<Timestamp>,
    /// `None` if the config wants none, and for a recording.
    clips: Option<Clips>,
}

impl<D: Detect, S: Sink> Watch<D, S> {
    /// A watch over this camera.
    pub fn new(camera: &config::Camera, detector: D, desk: Desk, sink: S) -> Self {
        Self {
            cadence: Cadence::new(camera.detections_per_second),
            gate: Gate::new(camera.detection, camera.look_every),
            detector,
            tracker: Tracker::new(tracker_settings(camera)),
            engine: Engine::new(&camera.rules),
            desk,
            sink,
            findings: Vec::new(),
            looks: 0,
            rest: Rest::new(longest_dwell(camera)),
            stirred: false,
            keyframes_only: camera.decoding == config::Decoding::Keyframes,
            stir_score: STIR * tracker_settings(camera).new_score,
            classes: camera.rules.iter().flat_map(|rule| rule.filter.classes.clone()).collect(),
            sight: camera.sight.enabled.then(|| Sight::new(SightSettings { learn: camera.sight.learn }, None)),
            trouble: None,
            moved: None,
            clips: None,
        }
    }

    /// Has clips made of its incidents.
    pub(super) fn with_clips(self, clips: Option<Clips>) -> Self {
        Self { clips, ..self }
    }

    /// Takes one picture; looks at it if it is due. Says whether it did.
    ///
    /// # Errors
    /// If the model could not be run; the picture is then lost, and nothing else.
    pub fn picture(&mut self, at: Stamp, picture: &Planes<'_>) -> Result<bool, VisionError> {
        if self.is_frozen(at, picture) || !self.cadence.is_due(at.mono) {
            return Ok(false);
        }
        let followed = self.tracker.followed().map(|track| track.bbox);
        let detections = match self.gate.judge(at.mono, picture, self.detector.input(), self.stirred, followed) {
            Look::Not => {
                self.tracker.rest(at.mono);
                return Ok(false);
            }
            Look::Whole => self.detector.detect(picture)?,
            Look::Pieces(pieces) => self.detector.detect_in(picture, &pieces)?,
        };
        self.looks += 1;
        if self.keyframes_only {
            // Nobody looked in between.
            self.tracker.rest(at.mono);
        }
        let tracks = self.tracker.update(at.mono, detections);
        self.engine.observe(at, tracks, &mut self.findings);
        let counted = self.tracker.followed().filter(|track| self.classes.contains(&track.class));
        self.stirred = !self.rest.observe(at.mono, counted);
        self.report(at, Some(picture));
        Ok(true)
    }

    /// Takes a glimpse: a picture without those before it. If there is something in it that is not at rest, that is all
    /// that becomes of it, because the pictures before it follow; see [`Self::is_attentive`].
    ///
    /// # Errors
    /// As with [`Self::picture`].
    pub fn glimpse(&mut self, at: Stamp, picture: &Planes<'_>) -> Result<bool, VisionError> {
        if self.is_frozen(at, picture) {
            return Ok(false);
        }
        let detections = self.detector.detect(picture)?;
        self.looks += 1;
        let counts = |found: &Detection| found.score >= self.stir_score && self.classes.contains(&found.class);
        self.stirred = self.rest.is_disturbed(detections, counts);
        if !self.stirred {
            self.tracker.rest(at.mono);
            let tracks = self.tracker.update(at.mono, detections);
            self.engine.observe(at, tracks, &mut self.findings);
            self.report(at, Some(picture));
        }
        Ok(true)
    }

    /// Whether every picture is wanted: something is followed, or was seen in a glimpse, that is not at rest.
    pub fn is_attentive(&self) -> bool {
        self.stirred
    }

    /// Nothing more is to be seen: ends what is open, for this reason.
    pub fn end_all(&mut self, at: Stamp, reason: CloseReason) {
        self.engine.end_all(reason, &mut self.findings);
        self.report(at, None);
    }

    /// Disarms the rules for which `disarmed` is true, arms the others.
    pub(super) fn disarm(&mut self, at: Stamp, disarmed: &[bool]) {
        self.engine.disarm(disarmed, &mut self.findings);
        self.report(at, None);
    }

    /// Does an errand.
    pub(super) fn run(&mut self, at: Stamp, errand: Errand) -> Answer {
        let step = match errand {
            Errand::Acknowledge(incident, by) => self.desk.acknowledge(at, incident, by),
            Errand::Close(incident, reason) => self.desk.close(at, incident, reason),
        };
        match step {
            Ok(mut step) => {
                self.clips.iter_mut().for_each(Clips::begin);
                if self.settle(&mut step, None) { Answer::Done } else { Answer::NoRoom }
            }
            Err(Declined::NotOpen) => Answer::NotOpen,
            Err(Declined::Taken(by)) => Answer::Taken(by),
        }
    }

    /// Goes on with the clips, and tells of those that are there. To be called several times a second.
    pub(super) fn tend_clips(&mut self, now: Stamp) {
        let Some(clips) = &mut self.clips else { return };
        for incident in clips.tend(now.mono) {
            let Ok(mut step) = self.desk.evidence_came(now, incident) else { continue };
            if !self.settle(&mut step, None) {
                self.desk.refused(&step);
            }
        }
    }

    /// What is wrong with the picture, if anything, and since when. The rules go on, but for a frozen picture:
    /// whatever is still seen is reported.
    pub fn trouble(&self) -> Option<(Condition, Timestamp)> {
        self.trouble
    }

    /// When the last picture was that had nothing wrong with it, on the monotonic time line of the pictures.
    pub(super) fn well_until(&self) -> Option<Duration> {
        self.sight.as_ref().and_then(Sight::well_until)
    }

    /// Since when the camera has looked elsewhere than when its zones and lines were drawn. In the dark or behind a cover
    /// they are no less wrong.
    pub(super) fn moved(&self) -> Option<Timestamp> {
        self.moved
    }

    /// What watches whether the picture is worth it; `None` if the config wants none.
    pub(super) fn sight(&mut self) -> Option<&mut Sight> {
        self.sight.as_mut()
    }

    /// Looks after the sight. Whoever is seen in a picture that stands still may have gone long ago.
    fn is_frozen(&mut self, at: Stamp, picture: &Planes<'_>) -> bool {
        if self.sight.as_mut().is_some_and(|sight| sight.picture(at.mono, picture)) {
            self.sight_changed(at);
        }
        matches!(self.trouble, Some((Condition::Frozen, _)))
    }

    fn sight_changed(&mut self, at: Stamp) {
        let condition = self.sight.as_ref().and_then(Sight::condition);
        self.trouble = condition.map(|condition| (condition, at.wall));
        if condition.is_some() {
            // Nobody knows how it goes on.
            self.end_all(at, CloseReason::Blind);
        }
        self.moved = match condition {
            None => None,
            Some(Condition::Moved) => self.moved.or(Some(at.wall)),
            Some(_) => self.moved,
        };
        self.desk.view_moved(self.moved);
    }

    /// Pictures looked at so far.
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// Where the steps went.
    pub fn into_sink(self) -> S {
        self.sink
    }

    fn report(&mut self, at: Stamp, picture: Option<&Planes<'_>>) {
        self.clips.iter_mut().for_each(Clips::begin);
        let mut findings = mem::take(&mut self.findings);
        for finding in findings.drain(..) {
            let Some(mut step) = self.desk.propose(at, &finding) else { continue };
            if !self.settle(&mut step, picture) {
                self.desk.refused(&step);
            }
        }
        // Its memory is used again.
        self.findings = findings;
    }

    /// Makes a step safe, with the clip that it should tell of, and says whether it is.
    fn settle(&mut self, step: &mut Step, picture: Option<&Planes<'_>>) -> bool {
        if let Some(clip) = self.clips.as_mut().and_then(|clips| clips.of(step.at.mono, &step.alert.incident)) {
            step.attach(clip);
        }
        let kept = self.sink.commit(step, picture);
        if kept {
            self.desk.committed(step);
            self.clips.iter_mut().for_each(|clips| clips.committed(step.at.mono, &step.alert.incident));
        }
        kept
    }
}

/// A rule that is content with a lower score than usual needs tracks that begin there.
fn tracker_settings(camera: &config::Camera) -> TrackerSettings {
    let usual = TrackerSettings::default();
    let least = camera.rules.iter().map(|rule| rule.filter.min_score).fold(usual.new_score, f32::min);
    let score = least.max(usual.low_score);
    TrackerSettings { high_score: score, new_score: score, ..usual }
}

/// The longest time that a rule waits for.
fn longest_dwell(camera: &config::Camera) -> Duration {
    let dwell = |rule: &config::Rule| match rule.kind {
        config::RuleKind::Intrusion { dwell, .. } => dwell,
        config::RuleKind::LineCrossing { .. } => Duration::ZERO,
    };
    camera.rules.iter().map(dwell).max().unwrap_or_default()
}
