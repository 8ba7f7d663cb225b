use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use karaul::clock::{Clock, SystemClock};
use karaul_wire::{Phase, Severity};

use super::listener::Listener;
use crate::{error::ProofError, figures::Spread, rig, traffic};

const LIMIT: Duration = Duration::from_secs(10);

/// Times critical alerts, each with its retained state, one at a time, while so many lesser ones a second are
/// committed beside them.
pub(super) fn measure(alerts: u32, background: u64) -> Result<Spread, ProofError> {
    let folder = tempfile::tempdir()?;
    let listener = Listener::start()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let path = rig::path("pace");
    let outbox = rig::outbox(folder.path(), rig::QUOTA, false, &clock)?;
    let link = rig::link(rig::settings(listener.port, &path), &outbox, &clock)?;
    rig::wait("the link did not connect", LIMIT, || link.report().connected.is_some())?;
    let over = Arc::new(AtomicBool::new(false));
    let beside = (background > 0).then(|| {
        let (outbox, clock, path, over) = (Arc::clone(&outbox), Arc::clone(&clock), path.clone(), Arc::clone(&over));
        thread::spawn(move || {
            while !over.load(SeqCst) {
                let alert = traffic::opening("yard", Severity::Info, clock.now().wall);
                let closed = traffic::later(&alert, Phase::Close, clock.now().wall);
                for step in [alert, closed] {
                    traffic::commit(&outbox, &path, &*clock, step)?;
                    thread::sleep(Duration::from_micros(1_000_000 / background));
                }
            }
            Ok::<_, karaul_wire::EventError>(())
        })
    });
    let mut random = fastrand::Rng::with_seed(1);
    let mut committed = Vec::new();
    for _ in 0..alerts {
        thread::sleep(Duration::from_micros(random.u64(10_000..40_000)));
        let mut alert = traffic::opening("gate", Severity::Critical, clock.now().wall);
        alert.incident.phase = Phase::Close;
        let began = Instant::now();
        committed.push((began, traffic::commit(&outbox, &path, &*clock, alert)?.sequence));
    }
    let last = committed.last().map_or(0, |(_, sequence)| *sequence);
    rig::wait("the last alert did not arrive", LIMIT, || listener.seen(last).is_some())?;
    over.store(true, SeqCst);
    if let Some(thread) = beside {
        thread.join().map_err(|_| ProofError::Client("a producer panicked".to_owned()))??;
    }
    let times = committed
        .iter()
        .filter_map(|(began, sequence)| Some(listener.seen(*sequence)?.saturating_duration_since(*began)));
    Ok(Spread::of(times))
}
