//! Incidents as cameras make them, committed as the agent does.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use karaul::{
    clock::Clock,
    incident::close_orphan,
    uplink::{Message, Outbox},
};
use karaul_wire::{
    Alert, AlertEvent, BoxGap, BoxPath, CloseReason, EventError, GapRange, Language, Phase, Sequence, Severity, Text,
};
use uuid::Uuid;

use crate::rig::id;

/// The cameras of the box.
pub(crate) const CAMERAS: [&str; 4] = ["gate", "yard", "hall", "fence"];

/// What a commit made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    /// Its number.
    pub sequence: u64,
    /// The id of the event.
    pub event: Uuid,
}

/// The opening step of a new incident, as large as real ones are with the three default languages.
pub(crate) fn opening(camera: &str, severity: Severity, at: Timestamp) -> Alert {
    let mut alert = Alert::example();
    alert.location.camera = id(camera);
    alert.text = Text::from([
        (Language::Kk, "Басты қақпа: ауладағы адам, 24 секунд".to_owned()),
        (Language::Ru, "Главные ворота: человек во дворе, 24 секунды".to_owned()),
        (Language::En, "Main gate: person in yard for 24 s".to_owned()),
    ]);
    let incident = &mut alert.incident;
    (incident.id, incident.rev, incident.phase, incident.severity) = (Uuid::now_v7(), 1, Phase::Open, severity);
    (incident.opened, incident.closed, incident.close_reason) = (at, None, None);
    alert
}

/// The next step of an incident.
pub(crate) fn later(before: &Alert, phase: Phase, at: Timestamp) -> Alert {
    let mut alert = before.clone();
    alert.incident.rev += 1;
    alert.incident.phase = phase;
    if phase == Phase::Close {
        alert.incident.closed = Some(at);
        alert.incident.close_reason = Some(CloseReason::Cleared);
    }
    alert
}

/// One of the severities, in the mixture of a usual site: of ten, one is critical and three are warnings.
pub(crate) fn severity(random: &mut fastrand::Rng) -> Severity {
    match random.u8(..10) {
        0 => Severity::Critical,
        1..=3 => Severity::Warning,
        _ => Severity::Info,
    }
}

/// Commits a step in one transaction, as `site::delivery` does: the alert, the retained state of its incident, and
/// what is needed to close it after a crash.
pub(crate) fn commit(
    outbox: &Outbox,
    path: &BoxPath,
    clock: &dyn Clock,
    alert: Alert,
) -> Result<Committed, EventError> {
    let (id, phase, severity) = (alert.incident.id, alert.incident.phase, alert.incident.severity);
    let topic = path.alert(severity, &alert.location.camera);
    outbox.commit(|batch| {
        let now = clock.now().wall;
        let committed = Committed { sequence: batch.next_sequence(), event: Uuid::now_v7() };
        let event = AlertEvent::alert(committed.event, path.to_string(), now, now, committed.sequence, alert);
        let payload = event.to_json()?;
        let state = if phase == Phase::Close { Vec::new() } else { payload.clone() };
        if phase == Phase::Close {
            batch.forget_incident(id);
        } else {
            batch.remember_incident(id, String::from_utf8_lossy(&payload).into_owned());
        }
        let (incident, sequence) = (Some(id), Some(committed.sequence));
        let alert = Message { topic, payload, retain: false, severity, incident, sequence };
        let state = Message { topic: path.open(id), payload: state, retain: true, severity, incident, sequence };
        for message in [alert, state] {
            if phase == Phase::Update { batch.put_passing(message) } else { batch.put(message) }
        }
        Ok(committed)
    })
}

/// The closing steps of what another run left open.
pub(crate) fn orphans(outbox: &Outbox, clock: &dyn Clock) -> Result<Vec<Alert>, EventError> {
    let now = clock.now();
    let close = |(_, state): (Uuid, String)| {
        let event: AlertEvent = serde_json::from_str(&state)?;
        Ok(close_orphan(&event.data, now, None, &[Language::En]))
    };
    outbox.orphans().into_iter().map(close).collect()
}

/// Explains holes in the numbering, if there are any.
pub(crate) fn tell_gaps(outbox: &Outbox, path: &BoxPath, clock: &dyn Clock) -> Result<(), EventError> {
    if !outbox.has_gaps_to_tell() {
        return Ok(());
    }
    outbox.commit(|batch| {
        let range =
            |range: RangeInclusive<u64>| GapRange { first: Sequence(*range.start()), last: Sequence(*range.end()) };
        let ranges = batch.tell_gaps().ranges().map(range).collect();
        let payload = serde_json::to_vec(&BoxGap { time: clock.now().wall, ranges })?;
        let severity = Severity::Critical;
        batch.put(Message { topic: path.gap(), payload, retain: false, severity, incident: None, sequence: None });
        Ok(())
    })
}
