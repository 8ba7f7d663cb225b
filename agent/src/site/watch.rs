mod notes;

use std::{collections::BTreeSet, mem, time::Duration};

use jiff::Timestamp;
use karaul_wire::{CloseReason, Phase};

use self::notes::Notes;
use super::{
    cadence::Cadence,
    clips::Clips,
    detect::{Detect, Sink},
    gate::{Gate, Look},
    needs::{classes, longest_dwell, scenery, things, tracker_settings},
    rest::Rest,
    tray::{Answer, Errand},
};
use crate::{
    clock::Stamp,
    config,
    decisions::Record,
    incident::{Declined, Desk, Fixtures, Step},
    rules::{Engine, Findings, Look as Seen, Trouble},
    scenery::Scenery,
    sight::{Condition, Sight, SightSettings},
    track::{Track, Tracker},
    vision::{Daylight, Detection, Planes, Rect, VisionError},
};

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
    findings: Findings,
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
    daylight: Daylight,
    light: Option<config::Light>,
    /// `None` if no rule asks what was put down or taken away.
    scenery: Option<Scenery>,
    /// Classes of what may be put down: their boxes do not hide the scenery.
    things: Vec<u16>,
    /// Where the objects are, for the scenery; kept for its memory.
    boxes: Vec<Rect>,
    /// The camera gives no pictures.
    lost: bool,
    /// Where decisions are written; `None` if nobody wants to know.
    notes: Option<Notes>,
}

impl<D: Detect, S: Sink> Watch<D, S> {
    /// A watch over this camera.
    pub fn new(camera: &config::Camera, detector: D, desk: Desk, sink: S) -> Self {
        Self {
            cadence: Cadence::new(camera.detections_per_second),
            gate: Gate::new(camera.detection, camera.look_every),
            detector,
            tracker: Tracker::new(tracker_settings(camera)),
            engine: Engine::new(&camera.rules, camera.ground.as_ref()),
            desk,
            sink,
            findings: Findings::default(),
            looks: 0,
            rest: Rest::new(longest_dwell(camera)),
            stirred: false,
            keyframes_only: camera.decoding == config::Decoding::Keyframes,
            stir_score: STIR * tracker_settings(camera).new_score,
            classes: camera.rules.iter().flat_map(classes).collect(),
            sight: camera.sight.enabled.then(|| Sight::new(SightSettings { learn: camera.sight.learn }, None)),
            trouble: None,
            moved: None,
            clips: None,
            daylight: Daylight::default(),
            light: None,
            scenery: scenery(camera),
            things: things(&camera.model.labels),
            boxes: Vec::new(),
            lost: false,
            notes: None,
        }
    }

    /// Has clips made of its incidents.
    pub(super) fn with_clips(self, clips: Option<Clips>) -> Self {
        Self { clips, ..self }
    }

    /// Has told what the rules thought, which conditions were not met, and what was held back.
    #[must_use]
    pub fn with_notes(self, camera: &config::Camera, write: impl FnMut(Record) + Send + 'static) -> Self {
        Self { notes: Some(Notes::new(camera, write)), ..self }
    }

    /// Takes one picture; looks at it if it is due. Says whether it did.
    ///
    /// # Errors
    /// If the model could not be run; the picture is then lost, and nothing else.
    pub fn picture(&mut self, at: Stamp, picture: &Planes<'_>) -> Result<bool, VisionError> {
        let frozen = self.is_frozen(at, picture);
        self.attend_camera(at);
        if frozen || !self.cadence.is_due(at.mono) {
            return Ok(false);
        }
        let followed = self.tracker.followed().map(|track| track.bbox);
        let detections = match self.gate.judge(at.mono, picture, self.detector.input(), self.stirred, followed) {
            Look::Not => {
                self.tracker.rest(at.mono);
                self.tend(at, None);
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
        self.tracker.update(at.mono, detections);
        self.decide(at, picture);
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
        let frozen = self.is_frozen(at, picture);
        self.attend_camera(at);
        if frozen {
            return Ok(false);
        }
        let detections = self.detector.detect(picture)?;
        self.looks += 1;
        let counts = |found: &Detection| found.score >= self.stir_score && self.classes.contains(&found.class);
        self.stirred = self.rest.is_disturbed(detections, counts);
        if !self.stirred {
            self.tracker.rest(at.mono);
            self.tracker.update(at.mono, detections);
            self.decide(at, picture);
            self.report(at, Some(picture));
        }
        Ok(true)
    }

    /// Lets the rules look at the picture whose detections the tracker has just taken.
    fn decide(&mut self, at: Stamp, picture: &Planes<'_>) {
        let before = self.light;
        self.light = self.daylight.look(at.mono, picture);
        let tracks = self.tracker.tracks();
        let patches = match &mut self.scenery {
            Some(scenery) => {
                if before != self.light {
                    // Under infra-red light everything looks otherwise.
                    scenery.reset();
                }
                self.boxes.clear();
                let hides = |track: &&Track| !self.things.contains(&track.class);
                self.boxes.extend(tracks.iter().filter(hides).map(|track| track.bbox));
                scenery.look(at.mono, picture, &self.boxes)
            }
            None => &[],
        };
        let aspect = picture.width as f64 / (picture.height as f64).max(1.0);
        let look = Seen { at, tracks, patches, light: self.light, aspect, troubled: self.trouble.is_some() };
        self.engine.observe(&look, &mut self.findings);
        if let Some(notes) = &mut self.notes {
            notes.look(at, self.engine.heard(), tracks);
        }
    }

    /// Looks at the state of the camera itself. To be called several times a second while there are no pictures.
    pub(super) fn attend_camera(&mut self, now: Stamp) {
        let trouble = Trouble { condition: self.trouble.map(|(condition, _)| condition), lost: self.lost };
        self.engine.watch(now, trouble, &mut self.findings);
        self.report(now, None);
        if self.lost || self.is_standing_still() {
            // No look comes that would have it written.
            self.notes.iter_mut().for_each(|notes| notes.write_down(now));
        }
    }

    /// The camera gives no pictures any more, or does again.
    pub(super) fn lost(&mut self, lost: bool) {
        self.lost = lost;
    }

    /// Whether every picture is wanted: something is followed, or was seen in a glimpse, that is not at rest.
    pub fn is_attentive(&self) -> bool {
        self.stirred
    }

    /// Nothing more is to be seen: ends what is open, for this reason.
    pub fn end_all(&mut self, at: Stamp, reason: CloseReason) {
        self.engine.end_all(reason, &mut self.findings);
        self.report(at, None);
        self.desk.end_all(at, reason, |_| true);
        self.tend(at, None);
        self.notes.iter_mut().for_each(Notes::end);
        if let Some(scenery) = &mut self.scenery {
            scenery.reset();
        }
    }

    /// Disarms the rules for which `disarmed` is true, arms the others.
    pub(super) fn disarm(&mut self, at: Stamp, disarmed: &[bool]) {
        self.engine.disarm(disarmed, &mut self.findings);
        self.report(at, None);
        self.desk.end_all(at, CloseReason::Disarmed, |rule| disarmed.get(rule).copied().unwrap_or(false));
        self.tend(at, None);
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

    /// Goes on with the incidents and their clips, and tells of those that are there. To be called several times a second.
    pub(super) fn tend_incidents(&mut self, now: Stamp) {
        self.clips.iter_mut().for_each(Clips::begin);
        self.tend(now, None);
        let Some(clips) = &mut self.clips else { return };
        for incident in clips.tend(now.mono) {
            let Ok(mut step) = self.desk.evidence_came(now, incident) else { continue };
            if !self.settle(&mut step, None) {
                self.desk.refused(&step);
            }
        }
    }

    /// The false alarms that operators have named, if they have changed since this was last asked.
    pub(super) fn fixtures_to_keep(&mut self) -> Option<&Fixtures> {
        self.desk.fixtures_to_keep()
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
        self.is_standing_still()
    }

    fn is_standing_still(&self) -> bool {
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

    /// The tracks of the last picture that was looked at.
    pub fn tracks(&self) -> &[Track] {
        self.tracker.tracks()
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
        if self.findings.is_empty() {
            return self.tend(at, picture);
        }
        self.clips.iter_mut().for_each(Clips::begin);
        let mut findings = mem::take(&mut self.findings);
        for finding in findings.iter() {
            let objects = findings.objects(finding);
            let Some(mut step) = self.desk.propose(at, finding, objects) else {
                let desk = &self.desk;
                self.notes.iter_mut().for_each(|notes| notes.nothing_came(at, finding, objects, desk));
                continue;
            };
            let kept = self.settle(&mut step, picture);
            if !kept {
                self.desk.refused(&step);
            }
            self.note_opening(at, &step, objects.first(), kept);
        }
        findings.clear();
        self.findings = findings;
        self.tend(at, picture);
    }

    /// Tells what time has brought.
    fn tend(&mut self, at: Stamp, picture: Option<&Planes<'_>>) {
        while let Some(mut step) = self.desk.due(at) {
            let kept = self.settle(&mut step, picture);
            if !kept {
                self.desk.refused(&step);
            }
            self.note_opening(at, &step, None, kept);
        }
    }

    fn note_opening(&mut self, at: Stamp, step: &Step, object: Option<&Track>, kept: bool) {
        if step.alert.incident.phase == Phase::Open {
            self.notes.iter_mut().for_each(|notes| notes.opens(at, step, object, kept));
        }
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

#[cfg(test)]
mod tests;
