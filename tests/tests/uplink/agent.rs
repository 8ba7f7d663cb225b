//! The uplink as the rest of the agent uses it.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use karaul::{
    clock::{Clock, SystemClock},
    config::{Broker, Delivery},
    stop::Stop,
    trust::Secret,
    uplink::{
        BackoffPolicy, Incoming, Link, LinkError, LinkReport, LinkSettings, Message, Outbox, OutboxSettings,
        StateBoard, Subscription,
    },
};
use karaul_wire::{Alert, AlertEvent, BoxBirth, BoxPath, BoxState, BoxStatus, Severity};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const LIMIT: Duration = Duration::from_secs(15);

pub(crate) struct Agent {
    pub outbox: Arc<Outbox>,
    pub board: Arc<StateBoard>,
    pub link: Option<Link>,
    clock: Arc<SystemClock>,
    pub settings: LinkSettings,
    folder: Arc<TempDir>,
}

pub(crate) fn path() -> BoxPath {
    let id = |text: &str| text.parse().unwrap();
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
}

pub(crate) fn topic(rest: &str) -> String {
    format!("{}/{rest}", path())
}

pub(crate) fn settings(port: u16) -> LinkSettings {
    let broker = Broker {
        host: "127.0.0.1".to_owned(),
        port,
        tls: false,
        fallback: Vec::new(),
        ca_file: None,
        identity: None,
        login: None,
        keep_alive: Duration::from_secs(5),
        delivery: Delivery::Puback,
        backlog_rate: 1000,
    };
    let birth = BoxBirth {
        session: 0,
        agent: "0.1.0".to_owned(),
        libraries: Default::default(),
        cameras: Vec::new(),
        schemas: Default::default(),
        boot_id: None,
        signing_key: None,
        modes: Vec::new(),
        mode: None,
    };
    let mut settings = LinkSettings::new(broker, path(), birth);
    settings.backoff = BackoffPolicy { first: Duration::from_millis(50), longest: Duration::from_millis(200) };
    settings
}

impl Agent {
    pub(crate) fn start(settings: LinkSettings) -> Self {
        let agent = Self::without_link(settings, Arc::new(tempfile::tempdir().unwrap()));
        agent.linked().unwrap()
    }

    /// What a crash leaves behind, and a new process finds.
    pub(crate) fn in_folder_of(other: Self) -> Self {
        let (settings, folder) = (other.settings.clone(), Arc::clone(&other.folder));
        drop(other);
        Self::without_link(settings, folder)
    }

    pub(crate) fn without_link(settings: LinkSettings, folder: Arc<TempDir>) -> Self {
        let clock = Arc::new(SystemClock);
        let receipts = matches!(settings.broker.delivery, Delivery::Receipt(_));
        let kept = OutboxSettings { receipts, ..OutboxSettings::new(folder.path(), 64 << 20) };
        let outbox = Outbox::open(kept, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        Self { outbox: Arc::new(outbox), board: Arc::default(), link: None, clock, settings, folder }
    }

    pub(crate) fn linked(mut self) -> Result<Self, LinkError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let (outbox, board) = (Arc::clone(&self.outbox), Arc::clone(&self.board));
        self.link = Some(Link::start(self.settings.clone(), outbox, board, clock)?);
        Ok(self)
    }

    /// Where the outbox has its files.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn report(&self) -> LinkReport {
        self.link.as_ref().unwrap().report()
    }

    /// Waits until the report is as wanted.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&LinkReport) -> bool) -> LinkReport {
        let deadline = Instant::now() + LIMIT;
        loop {
            let report = self.report();
            if wanted(&report) {
                return report;
            }
            assert!(Instant::now() < deadline, "{what}: {report:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What is committed before that waits for the connection: it goes after what is new, and not to fill the window.
    pub(crate) fn wait_connected(&self) -> LinkReport {
        self.wait("connected", |report| report.connected.is_some())
    }

    pub(crate) fn wait_disconnected(&self) -> LinkReport {
        self.wait("disconnected", |report| report.connected.is_none())
    }

    /// Somebody has asked for a picture.
    pub(crate) fn picture(&self, name: &str, size: usize) {
        let payload = vec![b'x'; size];
        self.settings.passing.offer(name.to_owned(), topic("reply/snapshot"), payload, self.clock.now().mono);
    }

    /// What came in, if something does in time.
    pub(crate) fn take(&self, limit: Duration) -> Option<Incoming> {
        self.settings.inbox.take(limit, &Stop::new())
    }

    pub(crate) fn wait_empty(&self) {
        let deadline = Instant::now() + LIMIT;
        while self.outbox.waiting() > 0 {
            assert!(Instant::now() < deadline, "{} messages still wait: {:?}", self.outbox.waiting(), self.report());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Commits so many alerts, one transaction each; their sequence numbers.
    pub(crate) fn alert(&self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.alert_on("gate")).collect()
    }

    pub(crate) fn alert_on(&self, camera: &str) -> u64 {
        self.alert_of(camera, 0)
    }

    /// One that has more than so many bytes.
    pub(crate) fn large_alert(&self, size: usize) -> u64 {
        self.alert_of("gate", size)
    }

    fn alert_of(&self, camera: &str, padding: usize) -> u64 {
        let wall = self.clock.now().wall;
        let mut alert = Alert::example();
        alert.purpose.push_str(&"x".repeat(padding));
        let filled: Result<u64, karaul_wire::EventError> = self.outbox.commit(|batch| {
            let sequence = batch.next_sequence();
            let event = AlertEvent::alert(Uuid::now_v7(), path().to_string(), wall, wall, sequence, alert);
            batch.put(Message {
                topic: path().alert(Severity::Critical, &camera.parse().unwrap()),
                payload: event.to_json()?,
                retain: false,
                severity: Severity::Critical,
                incident: None,
                sequence: Some(sequence),
            });
            Ok(sequence)
        });
        filled.unwrap()
    }
}

/// A step of an incident, as the site commits it: the alert and the retained state, which
/// closing clears.
impl Agent {
    pub(crate) fn step(&self, incident: Uuid, closing: bool) {
        let wall = self.clock.now().wall;
        let severity = Severity::Critical;
        let filled: Result<(), karaul_wire::EventError> = self.outbox.commit(|batch| {
            let sequence = batch.next_sequence();
            let event = AlertEvent::alert(Uuid::now_v7(), path().to_string(), wall, wall, sequence, Alert::example());
            let payload = event.to_json()?;
            let state = if closing { Vec::new() } else { payload.clone() };
            let (incident, sequence, open) = (Some(incident), Some(sequence), path().open(incident));
            let alert = path().alert(severity, &"gate".parse().unwrap());
            batch.put(Message { topic: alert, payload, retain: false, severity, incident, sequence });
            batch.put(Message { topic: open, payload: state, retain: true, severity, incident, sequence });
            Ok(())
        });
        filled.unwrap();
    }
}

/// Commands, which only count when they come now, and receipts.
pub(crate) fn subscriptions() -> Vec<Subscription> {
    let wanted = |rest: &str, retained| Subscription { filter: topic(rest), retained };
    vec![wanted("command/+", false), wanted("receipt/ops", true)]
}

pub(crate) fn login(name: &str, password: &str) -> Option<(String, Secret)> {
    Some((name.to_owned(), Secret::new(password.to_owned())))
}

pub(crate) fn event(payload: &[u8]) -> AlertEvent {
    serde_json::from_slice(payload).unwrap()
}

pub(crate) fn status(payload: &[u8]) -> (BoxState, u64) {
    let status: BoxStatus = serde_json::from_slice(payload).unwrap();
    (status.state, status.session)
}
