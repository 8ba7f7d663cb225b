//! What all steps of an incident have in common.

use std::time::Duration;

use jiff::Timestamp;
use karaul_wire::{Alert, Clock, ClockSource, Incident, Language, Location, Measure, Model, Phase, Rule, Status, Why};
use uuid::Uuid;

use crate::{
    clock::Stamp,
    config,
    incident::wording,
    rules::{Evidence, geometry::Side},
};

/// An alert of this rule that tells of nothing yet.
pub(super) fn blank(
    camera: &config::Camera,
    rule: &config::Rule,
    provider: &str,
    at: Stamp,
    source: ClockSource,
    boot_id: Option<Uuid>,
) -> Alert {
    let (zone, line) = (rule.kind.zone().map(|zone| zone.id.clone()), rule.kind.line().map(|line| line.id.clone()));
    let kind = rule.kind.wire();
    Alert {
        incident: Incident {
            id: Uuid::nil(),
            rev: 0,
            phase: Phase::Open,
            status: Status::Actual,
            severity: rule.severity,
            opened: at.wall,
            closed: None,
            close_reason: None,
            acknowledged: None,
        },
        rule: Rule { id: rule.id.clone(), kind, onvif: kind.onvif().map(str::to_owned) },
        location: Location { camera: camera.id.clone(), label: camera.label.clone(), zone, line, view_moved: None },
        text: karaul_wire::Text::new(),
        objects: Vec::new(),
        why: karaul_wire::Why::default(),
        model: Model {
            id: camera.model.id.clone(),
            sha256: camera.model.sha256.clone(),
            provider: provider.to_owned(),
        },
        evidence: Vec::new(),
        clock: Clock { source, error_ms: None, boot_id, monotonic_ns: nanoseconds(at.mono) },
        purpose: camera.purpose.clone(),
        storm: None,
        backfill: false,
    }
}

/// The evidence of a decision, as the wire has it.
pub(super) fn why(evidence: &Evidence) -> Why {
    let way = |from| if from == Side::Left { "left_to_right" } else { "right_to_left" };
    Why {
        dwell_s: evidence.dwell.map(|(seconds, _)| seconds),
        dwell_min_s: evidence.dwell.map(|(_, least)| least),
        direction: evidence.from.map(|from| way(from).to_owned()),
        score_max: round(evidence.score_max, 1e3),
        score_min: evidence.score_min,
        suppressed: 0,
        measured: evidence
            .measured()
            .map(|measure| Measure { value: (measure.value * 1e3).round() / 1e3, ..*measure })
            .collect(),
        condition: evidence.condition.map(|condition| condition.as_str().to_owned()),
        point: evidence.point.map(|p| [p.x, p.y].map(|share| round(share, 1e4))),
    }
}

/// The next step of an incident, of which nothing new was seen.
pub(super) fn next(last: &Alert, at: Stamp, languages: &[Language], change: impl FnOnce(&mut Alert)) -> Alert {
    let mut alert = last.clone();
    alert.incident.rev += 1;
    alert.clock.monotonic_ns = nanoseconds(at.mono);
    change(&mut alert);
    tell(&mut alert, languages);
    alert
}

/// When it ended, by the time that really passed: the wall clock may have been set meanwhile.
pub(super) fn end(opened: Stamp, at: Stamp) -> Timestamp {
    Stamp::after(opened.wall, at.mono.saturating_sub(opened.mono)).wall
}

/// Puts it into words.
pub(super) fn tell(alert: &mut Alert, languages: &[Language]) {
    alert.text = languages.iter().map(|l| (*l, wording::sentence(*l, alert))).collect();
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// More digits than this mean nothing and cost bytes on a thin link.
pub(super) fn round(value: f32, steps: f32) -> f32 {
    (value * steps).round() / steps
}

/// A UUIDv7 of this very time, so that ids sort by the time of what they name.
pub(super) fn new_id(at: Timestamp) -> Uuid {
    let nanos = at.as_nanosecond().max(0);
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(0);
    let rest = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, rest))
}
