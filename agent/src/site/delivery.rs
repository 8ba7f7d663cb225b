use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use karaul_wire::{Alert, AlertEvent, BoxGap, BoxPath, EventError, GapRange, Language, Phase, Sequence, Severity};
use uuid::Uuid;

use super::{alarm::Alarm, detect::Sink, register::Register};
use crate::{
    clock::Clock,
    decisions::Writer,
    evidence::Album,
    incident::{Step, close_orphan},
    ledger::Ledger,
    outputs::Outputs,
    uplink::{Message, Outbox, StateBoard},
    vision::Planes,
};

/// Puts the steps of incidents into the outbox, with a picture of how they began.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) path: BoxPath,
    pub(super) outbox: Arc<Outbox>,
    pub(super) album: Arc<Album>,
    pub(super) outputs: Arc<Outputs>,
    pub(super) board: Arc<StateBoard>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) register: Arc<Register>,
    pub(super) ledger: Arc<Ledger>,
    /// That a scheduled test was not confirmed.
    pub(super) alarm: Arc<Alarm>,
    /// Why rules did not fire.
    pub(super) decisions: Arc<Writer>,
    /// Held while it is [tidied](Self::tidy): two threads would close the same incident twice.
    pub(super) tidying: Arc<Mutex<()>>,
}

impl Sink for Delivery {
    fn commit(&mut self, step: &mut Step, picture: Option<&Planes<'_>>) -> bool {
        if let (Phase::Open, Some(picture)) = (step.alert.incident.phase, picture) {
            match self.album.keep(&step.alert.location.camera, picture) {
                Ok(evidence) => step.attach(evidence),
                // An alert without its picture is better than none.
                Err(error) => tracing::error!(camera = %step.alert.location.camera, "{error}"),
            }
        }
        let kept = self.put(step.at.wall, step.alert.clone());
        if !kept && step.alert.incident.phase == Phase::Open {
            // Nobody will ever ask for its picture. Clips, in later steps, are not kept here.
            for evidence in step.alert.evidence.drain(..) {
                self.album.forget(&evidence);
            }
        }
        kept
    }
}

impl Delivery {
    /// What is left to do once the outbox has its database, at the start or whenever the
    /// disk works again.
    pub(super) fn tidy(&self, boot_id: Option<Uuid>, languages: &[Language]) {
        let _tidying = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        if self.outbox.trouble().is_none() {
            self.close_orphans(boot_id, languages);
            self.tell_gaps();
        }
    }

    /// Closes the incidents that an agent left open when it ended without a word.
    fn close_orphans(&self, boot_id: Option<Uuid>, languages: &[Language]) {
        for (id, state) in self.outbox.orphans() {
            let now = self.clock.now();
            match serde_json::from_str::<AlertEvent>(&state) {
                // Otherwise it stays an orphan, for the next time.
                Ok(event) => _ = self.put(now.wall, close_orphan(&event.data, now, boot_id, languages)),
                Err(error) => {
                    tracing::error!("incident {id} was open, but its state cannot be read ({error}); it is cleared");
                    self.clear(id);
                }
            }
        }
    }

    /// One transaction: the alert, the retained state of its incident, and what is
    /// needed to close that after a crash. Says whether there was room for it.
    pub(super) fn put(&self, at: Timestamp, alert: Alert) -> bool {
        self.put_numbered(at, alert).is_some()
    }

    /// The same, and tells its number.
    pub(super) fn put_numbered(&self, at: Timestamp, alert: Alert) -> Option<u64> {
        let topic = self.path.alert(alert.incident.severity, &alert.location.camera);
        let (id, phase, severity) = (alert.incident.id, alert.incident.phase, alert.incident.severity);
        tracing::info!(camera = %alert.location.camera, rule = %alert.rule.id, incident = %id, ?phase, "incident");
        let copy = self.outputs.are_any().then(|| alert.clone());
        let (incident, camera) = (alert.incident.clone(), alert.location.camera.clone());
        // An answer may come as soon as it is out.
        if phase == Phase::Open {
            self.register.enter(&incident, &camera);
        }
        let stored = self.outbox.offer(|batch| {
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
            let (incident, number) = (Some(id), Some(sequence));
            let open = self.path.open(id);
            let alert = Message { topic, payload, retain: false, severity, incident, sequence: number };
            let state = Message { topic: open, payload: state, retain: true, severity, incident, sequence: number };
            for message in [alert, state] {
                if phase == Phase::Update { batch.put_passing(message) } else { batch.put(message) }
            }
            Ok::<_, EventError>(sequence)
        });
        let kept = match stored {
            Ok((sequence, kept)) => kept.then_some(sequence),
            Err(error) => {
                tracing::error!(incident = %id, "an alert cannot be written as JSON: {error}");
                None
            }
        };
        if let (Some(_), Some(alert)) = (kept, copy) {
            self.outputs.tell(&alert, at, &self.outbox, &self.board);
        }
        match (phase, kept.is_some()) {
            (Phase::Close, true) => self.register.enter(&incident, &camera),
            (Phase::Open, false) => self.register.withdraw(id),
            _ => {}
        }
        kept
    }

    /// Explains holes in the numbering, so that nobody waits for what cannot come.
    fn tell_gaps(&self) {
        if !self.outbox.has_gaps_to_tell() {
            return;
        }
        let told = self.outbox.commit(|batch| {
            let range =
                |range: RangeInclusive<u64>| GapRange { first: Sequence(*range.start()), last: Sequence(*range.end()) };
            let ranges = batch.tell_gaps().ranges().map(range).collect();
            let payload = serde_json::to_vec(&BoxGap { time: self.clock.now().wall, ranges })?;
            batch.put(Message {
                topic: self.path.gap(),
                payload,
                retain: false,
                severity: Severity::Critical,
                incident: None,
                sequence: None,
            });
            Ok::<_, serde_json::Error>(())
        });
        if let Err(error) = told {
            tracing::error!("the gaps in the numbering cannot be written as JSON: {error}");
        }
    }

    fn clear(&self, id: Uuid) {
        let stored = self.outbox.commit(|batch| {
            batch.forget_incident(id);
            batch.put(Message {
                topic: self.path.open(id),
                payload: Vec::new(),
                retain: true,
                severity: Severity::Info,
                incident: Some(id),
                sequence: None,
            });
            Ok::<_, std::convert::Infallible>(())
        });
        match stored {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread, time::Duration};

    use super::*;
    use crate::{clock::SimulatedClock, uplink::OutboxSettings};

    fn delivery(state: &std::path::Path, quota: u64, clock: &SimulatedClock) -> Delivery {
        let id = |text: &str| text.parse().unwrap();
        let path = BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") };
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let ledger = Arc::new(Ledger::new(state, Arc::clone(&clock), None));
        Delivery {
            decisions: Arc::new(Writer::new(state)),
            ledger,
            path,
            outbox: Arc::new(Outbox::open(OutboxSettings::new(state, quota), Arc::clone(&clock)).unwrap()),
            album: Arc::new(Album::open(&state.with_extension("evidence"), 1 << 20).unwrap()),
            outputs: Arc::default(),
            board: Arc::default(),
            clock,
            register: Arc::default(),
            tidying: Arc::default(),
            alarm: Arc::default(),
        }
    }

    fn opening() -> Alert {
        let mut alert = Alert::example();
        alert.incident.phase = Phase::Open;
        alert.incident.rev = 1;
        alert
    }

    #[test]
    fn an_orphan_is_closed_once_whoever_tidies() {
        let folder = tempfile::tempdir().unwrap();
        let clock = SimulatedClock::at("2026-11-22T02:00:00Z".parse().unwrap());
        let state = folder.path().join("state");
        let ids = [1, 2, 3, 4].map(Uuid::from_u128);
        let first = delivery(&state, 64 << 20, &clock);
        for id in ids {
            let mut alert = opening();
            alert.incident.id = id;
            assert!(first.put(clock.now().wall, alert));
        }
        drop(first);
        let second = delivery(&state, 64 << 20, &clock);
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    second.tidy(None, &[Language::En]);
                });
            }
        });
        let waiting = second.outbox.next(100, 100, |_, _| false);
        let closed = waiting.iter().filter(|waiting| waiting.message.retain && waiting.message.payload.is_empty());
        assert_eq!(closed.count(), ids.len());
    }

    #[test]
    fn an_orphan_is_closed_and_a_gap_told_once_when_the_disk_works_again() {
        let folder = tempfile::tempdir().unwrap();
        let clock = SimulatedClock::at("2026-11-22T02:00:00Z".parse().unwrap());
        let state = folder.path().join("state");
        let id = opening().incident.id;
        let first = delivery(&state, 64 << 20, &clock);
        assert!(first.put(clock.now().wall, opening()));
        drop(first);

        // The disk is back only later, and full until then; this run begins to count far above.
        let away = folder.path().join("away");
        std::fs::rename(&state, &away).unwrap();
        let second = delivery(&state, 1, &clock);
        second.tidy(None, &[Language::En]);
        assert!(second.outbox.trouble().is_some());
        assert_eq!(second.outbox.waiting(), 0);
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::rename(&away, &state).unwrap();
        second.outbox.set_quota(64 << 20);
        clock.advance(Duration::from_secs(5));
        second.outbox.tend();
        second.tidy(None, &[Language::En]);
        second.tidy(None, &[Language::En]);

        let waiting = second.outbox.next(10, 10, |_, _| false);
        let topics: Vec<_> = waiting.iter().map(|w| w.message.topic.rsplit_once("b7f3/").unwrap().1).collect();
        let open = format!("open/{id}");
        assert_eq!(topics, ["alert/critical/gate", &open, "alert/critical/gate", &open, "gap/box"]);
        let closed: AlertEvent = serde_json::from_slice(&waiting[2].message.payload).unwrap();
        assert_eq!(closed.data.incident.phase, Phase::Close);
        assert_eq!(waiting[3].message.payload, b"");
        let gap: BoxGap = serde_json::from_slice(&waiting[4].message.payload).unwrap();
        assert_eq!(gap.ranges, [GapRange { first: Sequence(2), last: Sequence(closed.sequence.0 - 1) }]);
    }
}
