//! What time brings: ends that were held back, rises in severity, storms; and whether a lost object was found again.

use std::time::Duration;

use karaul_wire::{CloseReason, Phase, Severity};

use super::{About, Desk, Ending, Open, Step, next, severity};
use crate::{
    clock::Stamp,
    rules::{Finding, Subject},
    track::Track,
    vision::{Rect, length},
};

/// An object of which its rule has said nothing for so long is out of sight, and another track may be it.
const SILENT: Duration = Duration::from_secs(2);

/// The boxes of two tracks of one object overlap by so much, if it stood still.
const SAME_SPOT: f32 = 0.3;

/// Or they are so near, and one is no more than twice as high as the other.
const HIGHEST: f32 = 2.0;

impl Desk {
    /// A step for which it is time now, if there is one. To be asked for until there is none, after the findings of each
    /// picture and several times a second without pictures; each is to be [committed](Self::committed) or
    /// [refused](Self::refused) before the next.
    pub fn due(&mut self, at: Stamp) -> Option<Step> {
        let closes = |open: &&Open| open.ending.as_ref().is_some_and(|ending| at.mono >= ending.due);
        if let Some(open) = self.open.iter().find(closes) {
            return self.told_end(open);
        }
        let rises = self.open.iter().find(|open| open.ending.is_none() && self.is_rising(open, at));
        if let Some(open) = rises {
            let severity = self.severity_now(open, at);
            return Some(self.step(at, open, |alert| {
                alert.incident.phase = Phase::Update;
                alert.incident.severity = severity;
            }));
        }
        self.storm_due(at)
    }

    /// Nobody watches these rules any more, for this reason: ends that were held back are due, and storms are over.
    pub fn end_all(&mut self, at: Stamp, reason: CloseReason, which: impl Fn(usize) -> bool) {
        for (rule, state) in self.rules.iter_mut().enumerate().filter(|(rule, _)| which(*rule)) {
            if !self.open.iter().any(|open| open.rule == rule && open.about == About::Storm) {
                state.storm = None;
            }
        }
        for open in self.open.iter_mut().filter(|open| which(open.rule)) {
            if open.about == About::Storm && open.ending.is_none() {
                let (why, objects) = (open.last.why.clone(), open.last.objects.clone());
                open.ending = Some(Ending { at, reason, why, objects, due: at.mono });
            }
            if let Some(ending) = &mut open.ending {
                ending.due = ending.due.min(at.mono);
            }
        }
    }

    /// The end of its incident is told only after so long.
    pub(super) fn hold_back(&mut self, step: &Step, time: Duration) {
        let incident = &step.alert.incident;
        let Some(open) = self.open.iter_mut().find(|o| o.last.incident.id == incident.id) else { return };
        let from = open.ending.as_ref().map_or(step.at.mono, |ending| ending.due.max(step.at.mono));
        open.ending = Some(Ending {
            at: step.at,
            reason: incident.close_reason.unwrap_or(CloseReason::Cleared),
            why: step.alert.why.clone(),
            objects: step.alert.objects.clone(),
            due: from + time,
        });
    }

    /// It ended when it ended, whenever that is told.
    fn told_end(&self, open: &Open) -> Option<Step> {
        let Ending { at, reason, why, objects, .. } = open.ending.as_ref()?;
        let alert = next(&open.last, *at, &self.languages, |alert| {
            alert.evidence.clear();
            alert.why.clone_from(why);
            alert.objects.clone_from(objects);
            super::open::close(alert, open.opened, *at, *reason);
        });
        Some(Step { alert, at: *at, rule: open.rule, about: open.about, place: open.place })
    }

    /// How severe an incident is by now. It never becomes less.
    pub(super) fn severity_now(&self, open: &Open, at: Stamp) -> Severity {
        let told = open.last.incident.severity;
        match open.about {
            About::Storm => told,
            About::Finding(_) => {
                severity(&self.camera.rules[open.rule], at.mono.saturating_sub(open.opened.mono)).max(told)
            }
        }
    }

    /// It is more severe than was told.
    pub(super) fn is_rising(&self, open: &Open, at: Stamp) -> bool {
        at.mono >= open.not_before && self.severity_now(open, at) > open.last.incident.severity
    }

    /// A moment is over when it is over; of what lasts, another track may be the same.
    pub(super) fn may_be_found_again(&self, finding: &Finding) -> bool {
        matches!(finding.subject, Subject::Track(_)) && !self.camera.rules[finding.rule].kind.wire().is_moment()
    }

    /// The step by which an incident whose object was lost goes on with another track, if this is one.
    pub(super) fn succeeds(&self, at: Stamp, (finding, objects): (&Finding, &[Track])) -> Option<Step> {
        let track = objects.first().filter(|_| self.may_be_found_again(finding))?;
        let gone = |open: &&Open| {
            let silent = open.ending.as_ref().is_some_and(|ending| ending.reason == CloseReason::Lost)
                || open.ending.is_none() && at.mono.saturating_sub(open.heard) >= SILENT;
            open.rule == finding.rule
                && matches!(open.about, About::Finding(Subject::Track(_)))
                && silent
                // Two that were seen at the same time are two.
                && track.first_seen > open.heard
                && open.place.is_some_and(|(class, bbox)| class == track.class && is_same_spot(&bbox, &track.bbox))
        };
        let nearest = |open: &&Open| open.place.map_or(f32::MAX, |(_, bbox)| distance(&bbox, &track.bbox));
        let open = self.open.iter().filter(gone).min_by(|a, b| nearest(a).total_cmp(&nearest(b)))?;
        let (incident, severity) = (&open.last.incident, self.severity_now(open, at));
        let alert = self.alert(at, (finding, objects), Some(incident), open.opened, Phase::Update, severity);
        let place = Some((track.class, track.bbox));
        Some(Step { alert, at, rule: open.rule, about: About::Finding(finding.subject), place })
    }
}

fn is_same_spot(last: &Rect, new: &Rect) -> bool {
    let near =
        (centre(last).0 - centre(new).0).abs() <= last.w && (centre(last).1 - centre(new).1).abs() <= last.h / 2.0;
    let alike = last.h <= HIGHEST * new.h && new.h <= HIGHEST * last.h;
    last.iou(new) >= SAME_SPOT || near && alike
}

fn centre(bbox: &Rect) -> (f32, f32) {
    (bbox.x + bbox.w / 2.0, bbox.y + bbox.h / 2.0)
}

pub(super) fn distance(a: &Rect, b: &Rect) -> f32 {
    let ((ax, ay), (bx, by)) = (centre(a), centre(b));
    length(f64::from(ax - bx), f64::from(ay - by)) as f32
}
