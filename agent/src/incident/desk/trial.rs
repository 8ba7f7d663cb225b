use karaul_wire::{
    Acknowledged, Alert, ClockSource, CloseReason, Incident, Language, Location, Phase, Rule, RuleKind, Segment,
    Severity, Status, Why,
};
use uuid::Uuid;

use super::{blank, end, new_id, next, tell};
use crate::{clock::Stamp, config};

/// The two steps of an incident that nobody has seen: a test of the way from this rule to the centre.
/// `provider` is the execution provider that would run the model.
#[must_use]
pub fn trial(
    camera: &config::Camera,
    rule: &config::Rule,
    at: Stamp,
    provider: &str,
    boot_id: Option<Uuid>,
    languages: &[Language],
) -> [Alert; 2] {
    let blank = blank(camera, rule, provider, at, ClockSource::Box, boot_id);
    let why = Why { score_min: rule.filter.min_score, ..Why::default() };
    let incident = Incident { id: new_id(at.wall), rev: 1, status: Status::Test, ..blank.incident.clone() };
    let mut open = Alert { incident, why, ..blank };
    let mut close = open.clone();
    close.incident.rev = 2;
    close.incident.phase = Phase::Close;
    close.incident.closed = Some(at.wall);
    close.incident.close_reason = Some(CloseReason::Cleared);
    tell(&mut open, languages);
    tell(&mut close, languages);
    [open, close]
}

/// Marks a step as one of a test: nobody may take it for real.
pub(crate) fn as_test(alert: &mut Alert, languages: &[Language]) {
    alert.incident.status = Status::Test;
    tell(alert, languages);
}

/// A scheduled test of this rule was not confirmed: alerts may not arrive. That is real, and open until one is.
pub(crate) fn delivery_alarm(
    camera: &config::Camera,
    rule: &config::Rule,
    at: Stamp,
    provider: &str,
    boot_id: Option<Uuid>,
    languages: &[Language],
) -> Alert {
    let blank = blank(camera, rule, provider, at, ClockSource::Box, boot_id);
    let kind = RuleKind::DeliveryTest;
    // An id has hyphens where a word has underscores.
    let id = Segment::suggest(kind.as_str()).unwrap_or_else(|| rule.id.clone());
    let mut alert = Alert {
        incident: Incident { id: new_id(at.wall), rev: 1, severity: Severity::Critical, ..blank.incident.clone() },
        rule: Rule { id, kind, onvif: None },
        location: Location { zone: None, line: None, ..blank.location.clone() },
        ..blank
    };
    tell(&mut alert, languages);
    alert
}

/// The step of an alarm that a person takes.
pub(crate) fn taken_alarm(alarm: &Alert, at: Stamp, by: Acknowledged, languages: &[Language]) -> Alert {
    next(alarm, at, languages, |alert| {
        alert.incident.phase = Phase::Update;
        alert.incident.acknowledged = Some(by);
    })
}

/// The last step of an alarm that was raised at `raised`.
pub(crate) fn end_of_alarm(
    alarm: &Alert,
    raised: Stamp,
    at: Stamp,
    reason: CloseReason,
    languages: &[Language],
) -> Alert {
    next(alarm, at, languages, |alert| {
        alert.incident.phase = Phase::Close;
        alert.incident.closed = Some(end(raised, at));
        alert.incident.close_reason = Some(reason);
    })
}
