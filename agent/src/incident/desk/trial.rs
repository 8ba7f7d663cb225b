use karaul_wire::{Alert, ClockSource, CloseReason, Incident, Language, Phase, Status, Why};
use uuid::Uuid;

use super::{blank, new_id, tell};
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
