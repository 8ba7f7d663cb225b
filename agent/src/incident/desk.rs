mod commit;
mod due;
mod fixture;
mod form;
mod open;
mod operator;
mod storm;
mod trial;
mod withheld;

use std::time::Duration;

use jiff::Timestamp;
use karaul_wire::{
    Alert, ClockSource, CloseReason, Evidence, Incident, Language, Object, Phase, Severity, Status, Why,
};
use uuid::Uuid;

pub(crate) use self::trial::{as_test, delivery_alarm, end_of_alarm, taken_alarm};
pub use self::{
    fixture::Fixtures,
    operator::Declined,
    trial::trial,
    withheld::{Cause, Withheld},
};
use self::{
    form::{blank, end, new_id, next, round, tell, why},
    open::{About, Ending, Open},
    storm::Storm,
};
use crate::{
    clock::Stamp,
    config,
    rules::{Change, Finding, Subject},
    track::Track,
    vision::Rect,
};

/// While an incident lasts, its state is sent again this often.
const UPDATE_EVERY: Duration = Duration::from_secs(30);

/// The end of an incident whose object was lost is told only then: another track of the same object goes on with it.
const FOUND_AGAIN: Duration = Duration::from_secs(3);

/// More objects than this are not listed in an alert; how many there are is told in numbers.
const MOST_OBJECTS: usize = 16;

/// The incidents of one camera.
///
/// There is one incident per subject and rule: per track, for most kinds. A rule that has just sent an alert opens
/// no other incident until its cooldown is over, and beyond its budget there is one incident for all; what is held back
/// is counted. See `docs/incidents.md`.
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
    withheld: Vec<Withheld>,
    rules: Vec<RuleState>,
    fixtures: Fixtures,
    /// They are not what was last kept.
    fixtures_changed: bool,
    /// Since when the camera has been looking elsewhere.
    view_moved: Option<Timestamp>,
}

/// An incident that there was no room for.
#[derive(Debug)]
struct Refused {
    rule: usize,
    about: About,
    at: Duration,
}

/// What a person has closed while the rule still finds it: quiet until the finding has ended.
#[derive(Debug)]
struct Settled {
    rule: usize,
    subject: Subject,
}

#[derive(Debug, Default)]
struct RuleState {
    quiet_until: Option<Duration>,
    /// How severe that was after which it is quiet.
    told: Option<Severity>,
    suppressed: u32,
    rate: storm::Rate,
    /// There is more than is told one by one.
    storm: Option<Storm>,
}

/// One step of one incident, ready to be stored and sent.
#[derive(Clone, Debug)]
pub struct Step {
    /// The payload; its evidence may be added before it is stored.
    pub alert: Alert,
    /// The time of the picture.
    pub at: Stamp,
    rule: usize,
    about: About,
    /// The class and box of the foremost object.
    place: Option<(u16, Rect)>,
}

impl Step {
    /// Attaches a picture that lies on the box.
    pub fn attach(&mut self, evidence: Evidence) {
        self.alert.evidence.push(evidence);
    }

    /// Index of the rule.
    pub(crate) const fn rule(&self) -> usize {
        self.rule
    }

    /// What it is about; a storm is about the rule as a whole.
    pub(crate) const fn subject(&self) -> Subject {
        match self.about {
            About::Finding(subject) => subject,
            About::Storm => Subject::Whole,
        }
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
            withheld: Vec::new(),
            rules: camera.rules.iter().map(|_| RuleState::default()).collect(),
            fixtures: Fixtures::default(),
            fixtures_changed: false,
            view_moved: None,
        }
    }

    /// From now on zones and lines are where they were drawn, or have not been since then; each alert says so.
    pub fn view_moved(&mut self, since: Option<Timestamp>) {
        self.view_moved = since;
    }

    /// What a finding about these objects means for the incidents, if anything. Opens and closes none of them, only notes
    /// what was seen and held back: see [`Desk::committed`] and [`Desk::refused`]. After the findings of a picture, what is
    /// [due](Desk::due) is to be asked for.
    pub fn propose(&mut self, at: Stamp, finding: &Finding, objects: &[Track]) -> Option<Step> {
        let (rule, subject) = (finding.rule, finding.subject);
        let about = About::Finding(subject);
        let ended = matches!(finding.change, Change::Ended(_));
        let same = |r: &Refused| r.rule == rule && r.about == about;
        self.refused.retain(|r| !(same(r) && (ended || at.mono.saturating_sub(r.at) >= UPDATE_EVERY)));
        if self.refused.iter().any(same) {
            self.withhold(at, finding, objects, Cause::NoRoom);
            return None;
        }
        if let Some(settled) = self.settled.iter().position(|s| s.rule == rule && s.subject == subject) {
            if finding.change == Change::Holds {
                self.withhold(at, finding, objects, Cause::Closed);
                return None;
            }
            self.settled.swap_remove(settled);
            self.release(rule, subject);
        }
        let open = self.open.iter().position(|o| o.rule == rule && o.about == about);
        match (open, finding.change) {
            (Some(open), Change::Ended(reason)) => self.ends(open, at, reason, (finding, objects)),
            (Some(open), change) => self.goes_on(open, at, change, (finding, objects)),
            (None, Change::Ended(_)) => {
                self.release(rule, subject);
                None
            }
            (None, Change::Began | Change::Holds) => self.begins(at, (finding, objects)),
        }
    }

    /// Something of which no incident is open: goes on with one whose object was lost, or opens another, or is held back.
    fn begins(&mut self, at: Stamp, (finding, objects): (&Finding, &[Track])) -> Option<Step> {
        let (rule, about) = (finding.rule, About::Finding(finding.subject));
        if let Some(step) = self.succeeds(at, (finding, objects)) {
            return Some(step);
        }
        if self.is_fixture(at, finding, objects) {
            self.withhold(at, finding, objects, Cause::Fixture);
            return None;
        }
        let waiting = self.withheld.iter().find(|w| w.rule == rule && w.subject == finding.subject);
        let since = waiting.map_or(at.mono, |waiting| waiting.since);
        let severity = severity(&self.camera.rules[rule], at.mono.saturating_sub(since));
        let in_storm = waiting.is_some_and(|waiting| waiting.by == Cause::Budget);
        let state = &self.rules[rule];
        let rises = |than: Option<Severity>| than.is_some_and(|than| severity > than);
        if state.quiet_until.is_some_and(|until| at.mono < until) && !in_storm && !rises(state.told) {
            let counted = waiting.is_some_and(|waiting| waiting.by == Cause::Cooldown);
            self.rules[rule].suppressed += u32::from(!counted);
            self.withhold(at, finding, objects, Cause::Cooldown);
            return None;
        }
        if !rises(Some(self.camera.rules[rule].severity)) {
            // What was counted once stays so, also when the storm is over: its objects have been told of.
            if in_storm {
                return None;
            }
            if self.is_beyond_budget(at, rule) {
                self.count_in_storm(at, (finding, objects));
                self.withhold(at, finding, objects, Cause::Budget);
                return None;
            }
        }
        let alert = self.alert(at, (finding, objects), None, at, Phase::Open, severity);
        Some(Step { alert, at, rule, about, place: objects.first().map(|object| (object.class, object.bbox)) })
    }

    /// An open incident is still true.
    fn goes_on(
        &mut self,
        open: usize,
        at: Stamp,
        change: Change,
        (finding, objects): (&Finding, &[Track]),
    ) -> Option<Step> {
        self.open[open].saw(at, objects);
        // Its end was not told yet, and is none.
        let again = self.open[open].ending.take().is_some();
        let open = &self.open[open];
        let severity = self.severity_now(open, at);
        let due = at.mono.saturating_sub(open.last_sent) >= UPDATE_EVERY || self.is_rising(open, at);
        if !again && (change == Change::Began || !due) {
            return None;
        }
        let (incident, opened) = (Some(&open.last.incident), open.opened);
        let alert = self.alert(at, (finding, objects), incident, opened, Phase::Update, severity);
        Some(Step { alert, at, rule: open.rule, about: open.about, place: open.place })
    }

    /// An open incident is over.
    fn ends(
        &mut self,
        open: usize,
        at: Stamp,
        reason: CloseReason,
        (finding, objects): (&Finding, &[Track]),
    ) -> Option<Step> {
        let open = &self.open[open];
        if open.ending.is_some() {
            return None;
        }
        let (incident, severity) = (&open.last.incident, open.last.incident.severity);
        let alert = self.alert(at, (finding, objects), Some(incident), open.opened, Phase::Close, severity);
        let step = Step { alert, at, rule: open.rule, about: open.about, place: open.place };
        if reason == CloseReason::Lost && self.may_be_found_again(finding) {
            self.hold_back(&step, FOUND_AGAIN);
            return None;
        }
        Some(step)
    }

    #[cfg(test)]
    fn open_count(&self) -> usize {
        self.open.len()
    }

    fn alert(
        &self,
        at: Stamp,
        (finding, objects): (&Finding, &[Track]),
        last: Option<&Incident>,
        opened: Stamp,
        phase: Phase,
        severity: Severity,
    ) -> Alert {
        let rule = &self.camera.rules[finding.rule];
        let close_reason = match finding.change {
            Change::Ended(reason) => Some(reason),
            Change::Began | Change::Holds => None,
        };
        let why = Why { suppressed: self.rules[finding.rule].suppressed, ..why(&finding.evidence) };
        let incident = Incident {
            id: last.map_or_else(|| new_id(at.wall), |last| last.id),
            rev: last.map_or(1, |last| last.rev + 1),
            phase,
            status: Status::Actual,
            severity,
            opened: opened.wall,
            closed: close_reason.map(|_| end(opened, at)),
            close_reason,
            acknowledged: last.and_then(|last| last.acknowledged.clone()),
        };
        let mut alert = Alert {
            incident,
            objects: objects.iter().take(MOST_OBJECTS).map(|track| self.object(track)).collect(),
            why,
            ..blank(&self.camera, rule, &self.provider, at, self.clock, self.boot_id)
        };
        alert.location.view_moved = self.view_moved;
        tell(&mut alert, &self.languages);
        alert
    }

    fn object(&self, track: &Track) -> Object {
        let b = track.bbox.clip(1.0, 1.0);
        Object {
            track: track.id,
            class: self.class(track.class),
            score: round(track.score, 1e3),
            bbox: [b.x, b.y, b.w, b.h].map(|v| round(v, 1e4)),
        }
    }

    fn class(&self, class: u16) -> String {
        if class == Track::NO_CLASS {
            return "object".to_owned();
        }
        let label = self.camera.model.labels.get(usize::from(class));
        label.cloned().unwrap_or_else(|| format!("class-{class}"))
    }
}

/// How severe an incident of this rule is that has lasted for so long.
fn severity(rule: &config::Rule, lasted: Duration) -> Severity {
    match rule.escalate {
        Some(escalate) if lasted >= escalate.after => escalate.severity.max(rule.severity),
        _ => rule.severity,
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
