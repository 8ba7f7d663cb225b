//! A box without cameras: its outbox, its link, its address.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use karaul::{
    clock::Clock,
    config::Broker,
    uplink::{BackoffPolicy, Link, LinkSettings, Outbox, OutboxSettings, StateBoard},
};
use karaul_wire::{BoxBirth, BoxPath, Segment};

use crate::error::ProofError;

/// The default of `outbox_quota`.
pub(crate) const QUOTA: u64 = 256 << 20;
/// The default of `retention`.
pub(crate) const RETENTION: Duration = Duration::from_secs(86_400);
/// The name of the operations centre, where it sends receipts.
pub(crate) const CONSUMER: &str = "ops";

/// An id that is known to be one.
pub(crate) fn id(text: &str) -> Segment {
    text.parse().expect("a literal id")
}

/// The address of a box.
pub(crate) fn path(unit: &str) -> BoxPath {
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id(unit) }
}

/// An outbox with the default retention.
pub(crate) fn outbox(
    folder: &Path,
    quota: u64,
    receipts: bool,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Outbox>, ProofError> {
    let settings = OutboxSettings { folder: folder.to_owned(), quota, retention: RETENTION, receipts };
    Ok(Arc::new(Outbox::open(settings, Arc::clone(clock))?))
}

/// The link's settings as a config without anything but the address gives them.
pub(crate) fn settings(port: u16, path: &BoxPath) -> LinkSettings {
    let broker = Broker::at(&format!("mqtt://127.0.0.1:{port}"), None, None).expect("the address of a port");
    let birth = BoxBirth {
        session: 0,
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        libraries: Default::default(),
        cameras: Vec::new(),
        schemas: Default::default(),
        boot_id: None,
        signing_key: None,
        modes: Vec::new(),
        mode: None,
    };
    LinkSettings::new(broker, path.clone(), birth)
}

/// For a broker that is restarted all the time: dial at once, and hold nothing of the backlog back.
pub(crate) fn hurried(port: u16, path: &BoxPath) -> LinkSettings {
    let mut settings = settings(port, path);
    settings.broker.backlog_rate = 10_000;
    settings.backoff = BackoffPolicy { first: Duration::from_millis(20), longest: Duration::from_millis(100) };
    settings
}

/// Starts the link.
pub(crate) fn link(settings: LinkSettings, outbox: &Arc<Outbox>, clock: &Arc<dyn Clock>) -> Result<Link, ProofError> {
    Ok(Link::start(settings, Arc::clone(outbox), Arc::<StateBoard>::default(), Arc::clone(clock))?)
}

/// Looks again and again until it is so.
pub(crate) fn wait(what: &str, limit: Duration, mut so: impl FnMut() -> bool) -> Result<(), ProofError> {
    let end = Instant::now() + limit;
    while !so() {
        if Instant::now() >= end {
            return Err(ProofError::late(what, limit));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
