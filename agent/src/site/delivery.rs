use std::sync::Arc;

use jiff::Timestamp;
use karaul_wire::{Alert, AlertEvent, BoxPath, EventError, Language, Phase};
use uuid::Uuid;

use super::watch::Sink;
use crate::{
    clock::Clock,
    evidence::Album,
    incident::{Step, close_orphan},
    uplink::{Message, Outbox},
    vision::Planes,
};

/// Puts the steps of incidents into the outbox, with a picture of how they began.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) path: BoxPath,
    pub(super) outbox: Arc<Outbox>,
    pub(super) album: Arc<Album>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Sink for Delivery {
    fn commit(&mut self, step: &mut Step, picture: Option<&Planes<'_>>) {
        if let (Phase::Open, Some(picture)) = (step.alert.incident.phase, picture) {
            match self.album.keep(picture) {
                Ok(evidence) => step.attach(evidence),
                // An alert without its picture is better than none.
                Err(error) => tracing::error!(camera = %step.alert.location.camera, "{error}"),
            }
        }
        self.put(step.at.wall, step.alert.clone());
    }
}

impl Delivery {
    /// Closes the incidents that an agent left open when it ended without a word.
    pub(super) fn close_orphans(&self, boot_id: Option<Uuid>, languages: &[Language]) {
        for (id, state) in self.outbox.open_incidents() {
            let now = self.clock.now();
            match serde_json::from_str::<AlertEvent>(&state) {
                Ok(event) => self.put(now.wall, close_orphan(&event.data, now, boot_id, languages)),
                Err(error) => {
                    tracing::error!("incident {id} was open, but its state cannot be read ({error}); it is cleared");
                    self.clear(id);
                }
            }
        }
    }

    /// One transaction: the alert, the retained state of its incident, and what is
    /// needed to close that after a crash.
    fn put(&self, at: Timestamp, alert: Alert) {
        let topic = self.path.alert(alert.incident.severity, &alert.location.camera);
        let (id, phase, severity) = (alert.incident.id, alert.incident.phase, alert.incident.severity);
        tracing::info!(camera = %alert.location.camera, rule = %alert.rule.id, incident = %id, ?phase, "incident");
        let stored = self.outbox.commit(|batch| {
            let recorded = self.clock.now().wall;
            let sequence = batch.next_sequence();
            let event = AlertEvent::alert(Uuid::now_v7(), self.path.to_string(), at, recorded, sequence, alert);
            let payload = event.to_json()?;
            let state = if phase == Phase::Close { Vec::new() } else { payload.clone() };
            if phase == Phase::Close {
                batch.forget_incident(id);
            } else {
                batch.remember_incident(id, String::from_utf8_lossy(&payload).into_owned());
            }
            batch.put(Message { topic, payload, retain: false, severity });
            batch.put(Message { topic: self.path.open(id), payload: state, retain: true, severity });
            Ok::<_, EventError>(())
        });
        if let Err(error) = stored {
            tracing::error!(incident = %id, "an alert cannot be written as JSON: {error}");
        }
    }

    fn clear(&self, id: Uuid) {
        let stored = self.outbox.commit(|batch| {
            batch.forget_incident(id);
            let severity = karaul_wire::Severity::Info;
            batch.put(Message { topic: self.path.open(id), payload: Vec::new(), retain: true, severity });
            Ok::<_, std::convert::Infallible>(())
        });
        match stored {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}
