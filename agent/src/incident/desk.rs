mod form;
mod operator;
mod trial;

use std::time::Duration;

use jiff::Timestamp;
use karaul_wire::{Alert, ClockSource, CloseReason, Evidence, Incident, Language, Object, Phase, Status};
use uuid::Uuid;

use self::form::{blank, end, new_id, next, round, tell};
pub(crate) use self::trial::{as_test, delivery_alarm, end_of_alarm, taken_alarm};
pub use self::{operator::Declined, trial::trial};
use crate::{
    clock::Stamp,
    config,
    rules::{Change, Finding},
    track::Track,
};

/// While an incident lasts, its state is sent again this often.
const UPDATE_EVERY: Duration = Duration::from_secs(30);

/// The incidents of one camera.
///
/// There is one incident per track and rule. A rule that has just sent an alert opens
/// no other incident until its cooldown is over; what it holds back is counted.
#[derive(Debug)]
pub struct Desk {
    camera: config::Camera,
    languages: Vec<Language>,
    provider: String,
    clock: ClockSource,
    boot_id: Option<Uuid>,
    open: Vec<Open>,
    refused: Vec<Refused>,
    settled: Vec<Settled>,
    rules: Vec<RuleState>,
    /// Since when the camera has been looking elsewhere.
    view_moved: Option<Timestamp>,
}

#[derive(Debug)]
struct Open {
    rule: usize,
    track: u64,
    opened: Stamp,
    last_sent: Duration,
    /// Its last step.
    last: Alert,
}

/// An incident that there was no room for.
#[derive(Debug)]
struct Refused {
    rule: usize,
    track: u64,
    at: Duration,
}

/// What a person has closed while the rule still finds it: quiet until the finding has ended.
#[derive(Debug)]
struct Settled {
    rule: usize,
    track: u64,
}

#[derive(Debug, Default)]
struct RuleState {
    quiet_until: Option<Duration>,
    suppressed: u32,
}

/// One step of one incident, ready to be stored and sent.
#[derive(Clone, Debug)]
pub struct Step {
    /// The payload; its evidence may be added before it is stored.
    pub alert: Alert,
    /// The time of the picture.
    pub at: Stamp,
    rule: usize,
    track: u64,
}

impl Step {
    /// Attaches a picture that lies on the box.
    pub fn attach(&mut self, evidence: Evidence) {
        self.alert.evidence.push(evidence);
    }
}

impl Desk {
    /// The desk of a camera. `provider` is the execution provider that really runs
    /// the model, `boot_id` the kernel's.
    #[must_use]
    pub fn new(
        camera: &config::Camera,
        languages: &[Language],
        provider: &str,
        clock: ClockSource,
        boot_id: Option<Uuid>,
    ) -> Self {
        Self {
            camera: camera.clone(),
            languages: languages.to_vec(),
            provider: provider.to_owned(),
            clock,
            boot_id,
            open: Vec::new(),
            refused: Vec::new(),
            settled: Vec::new(),
            rules: camera.rules.iter().map(|_| RuleState::default()).collect(),
            view_moved: None,
        }
    }

    /// From now on zones and lines are where they were drawn, or have not been since then; each alert says so.
    pub fn view_moved(&mut self, since: Option<Timestamp>) {
        self.view_moved = since;
    }

    /// What a finding means for the incidents, if anything. Changes none of them, only what is
    /// held back: see [`Desk::committed`] and [`Desk::refused`].
    pub fn propose(&mut self, at: Stamp, finding: &Finding) -> Option<Step> {
        let open = self.open.iter().find(|o| o.rule == finding.rule && o.track == finding.track.id);
        let same = |r: &Refused| r.rule == finding.rule && r.track == finding.track.id;
        let ended = matches!(finding.change, Change::Ended(_));
        self.refused.retain(|r| !(same(r) && (ended || at.mono.saturating_sub(r.at) >= UPDATE_EVERY)));
        if self.refused.iter().any(same) {
            return None;
        }
        if let Some(settled) = self.settled.iter().position(|s| s.rule == finding.rule && s.track == finding.track.id) {
            if finding.change == Change::Holds {
                return None;
            }
            self.settled.swap_remove(settled);
        }
        let (incident, opened, phase) = match (open, finding.change) {
            (None, Change::Ended(_)) => return None,
            (None, Change::Began | Change::Holds) => {
                let state = &mut self.rules[finding.rule];
                if state.quiet_until.is_some_and(|until| at.mono < until) {
                    // `Holds` repeats what `Began` said: one object is one suppressed finding.
                    state.suppressed += u32::from(finding.change == Change::Began);
                    return None;
                }
                (None, at, Phase::Open)
            }
            (Some(_), Change::Began) => return None,
            (Some(o), Change::Holds) => {
                if at.mono.saturating_sub(o.last_sent) < UPDATE_EVERY {
                    return None;
                }
                (Some(&o.last.incident), o.opened, Phase::Update)
            }
            (Some(o), Change::Ended(_)) => (Some(&o.last.incident), o.opened, Phase::Close),
        };
        let alert = self.alert(at, finding, incident, opened, phase);
        Some(Step { alert, at, rule: finding.rule, track: finding.track.id })
    }

    /// The step is safe in the outbox: from now on the incident is what it says.
    pub fn committed(&mut self, step: &Step) {
        let same = |o: &Open| o.rule == step.rule && o.track == step.track;
        let incident = &step.alert.incident;
        match incident.phase {
            Phase::Open => {
                let opened = step.at;
                let (rule, track) = (step.rule, step.track);
                self.open.push(Open { rule, track, opened, last_sent: step.at.mono, last: step.alert.clone() });
                let cooldown = self.camera.rules[rule].cooldown;
                self.rules[rule] = RuleState { quiet_until: Some(step.at.mono + cooldown), suppressed: 0 };
            }
            Phase::Update => {
                for open in self.open.iter_mut().filter(|o| same(o)) {
                    open.last_sent = step.at.mono;
                    open.last.clone_from(&step.alert);
                }
            }
            Phase::Close => {
                self.open.retain(|o| !same(o));
                if matches!(incident.close_reason, Some(CloseReason::Resolved | CloseReason::FalsePositive)) {
                    self.settled.push(Settled { rule: step.rule, track: step.track });
                }
            }
        }
    }

    /// There was no room for the step. The incident is as it was before, and what still holds is proposed again
    /// no sooner than an update would be.
    pub fn refused(&mut self, step: &Step) {
        let (rule, track, at) = (step.rule, step.track, step.at.mono);
        match step.alert.incident.phase {
            Phase::Open => self.refused.push(Refused { rule, track, at }),
            Phase::Update => {
                for open in self.open.iter_mut().filter(|o| o.rule == rule && o.track == track) {
                    open.last_sent = at;
                }
            }
            Phase::Close => {}
        }
    }

    #[cfg(test)]
    fn open_count(&self) -> usize {
        self.open.len()
    }

    fn alert(&self, at: Stamp, finding: &Finding, last: Option<&Incident>, opened: Stamp, phase: Phase) -> Alert {
        let rule = &self.camera.rules[finding.rule];
        let close_reason = match finding.change {
            Change::Ended(reason) => Some(reason),
            Change::Began | Change::Holds => None,
        };
        let mut why = finding.why.clone();
        why.score_max = round(why.score_max, 1e3);
        why.suppressed = self.rules[finding.rule].suppressed;
        let incident = Incident {
            id: last.map_or_else(|| new_id(at.wall), |last| last.id),
            rev: last.map_or(1, |last| last.rev + 1),
            phase,
            status: Status::Actual,
            severity: rule.severity,
            opened: opened.wall,
            closed: close_reason.map(|_| end(opened, at)),
            close_reason,
            acknowledged: last.and_then(|last| last.acknowledged.clone()),
        };
        let mut alert = Alert {
            incident,
            objects: vec![self.object(&finding.track)],
            why,
            ..blank(&self.camera, rule, &self.provider, at, self.clock, self.boot_id)
        };
        alert.location.view_moved = self.view_moved;
        tell(&mut alert, &self.languages);
        alert
    }

    fn object(&self, track: &Track) -> Object {
        let class = self.camera.model.labels.get(usize::from(track.class));
        let b = track.bbox.clip(1.0, 1.0);
        Object {
            track: track.id,
            class: class.cloned().unwrap_or_else(|| format!("class-{}", track.class)),
            score: round(track.score, 1e3),
            bbox: [b.x, b.y, b.w, b.h].map(|v| round(v, 1e4)),
        }
    }
}

/// The closing step of an incident whose agent ended without closing it, as found by another run of the agent
/// at `at`.
#[must_use]
pub fn close_orphan(last: &Alert, at: Stamp, boot_id: Option<Uuid>, languages: &[Language]) -> Alert {
    next(last, at, languages, |alert| {
        alert.incident.phase = Phase::Close;
        // The clock may have been set back meanwhile.
        alert.incident.closed = Some(at.wall.max(alert.incident.opened));
        alert.incident.close_reason = Some(CloseReason::Restarted);
        alert.clock.boot_id = boot_id;
    })
}

#[cfg(test)]
mod tests;
