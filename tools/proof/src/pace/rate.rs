use std::{
    fmt,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use karaul::{
    clock::{Clock, SystemClock},
    uplink::Outbox,
};
use karaul_stage::Broker;
use karaul_wire::{BoxPath, EventError, Phase};

use crate::{centre::Centre, error::ProofError, figures::time, rig, traffic};

const LIMIT: Duration = Duration::from_secs(120);
/// Producers pause with so many waiting: what comes faster than it goes out would only grow.
const MOST_WAITING: u64 = 1000;

/// What came through.
pub(super) struct Flow {
    alerts: usize,
    took: Duration,
    duplicates: u64,
    /// Alerts a second, from the first commit to the last arrival.
    pub rate: f64,
    /// What did not arrive.
    pub lost: Vec<String>,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alerts, took, duplicates, rate, .. } = self;
        write!(f, "{rate:.0} ({alerts} in {}, {duplicates} duplicates)", time(*took))
    }
}

/// Commits as fast as it goes, for so long, from so many threads, and waits until all is at a subscriber. Each
/// alert comes with its retained state, so these are twice as many messages.
pub(super) fn measure(producers: usize, duration: Duration) -> Result<Flow, ProofError> {
    let folder = tempfile::tempdir()?;
    // Its own saving after each change is not what is measured.
    let broker = Broker::start_with(0, "autosave_on_changes false", |_| {})?;
    let path = rig::path("pace");
    let centre = Centre::start(broker.port, &path)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outbox = rig::outbox(folder.path(), rig::QUOTA, false, &clock)?;
    let link = rig::link(rig::settings(broker.port, &path), &outbox, &clock)?;
    rig::wait("the link did not connect", LIMIT, || link.report().connected.is_some())?;

    let began = Instant::now();
    let threads: Vec<_> = (0..producers)
        .map(|seed| {
            let (outbox, clock, path) = (Arc::clone(&outbox), Arc::clone(&clock), path.clone());
            thread::spawn(move || produce(seed as u64, began + duration, &outbox, &*clock, &path))
        })
        .collect();
    let mut committed = 0;
    for thread in threads {
        committed += thread.join().map_err(|_| ProofError::Client("a producer panicked".to_owned()))??;
    }
    rig::wait("not all was delivered", LIMIT, || outbox.waiting() == 0)?;
    // If something is lost, this is said in the table.
    let _ = centre.wait_for(committed, Duration::from_secs(10));
    let record = centre.record();
    let last = record.first.last().map_or(began, |arrival| arrival.at);
    let took = last.saturating_duration_since(began);
    let lost = (1..=committed as u64).filter(|number| record.event(*number).is_none()).map(|n| n.to_string());
    let alerts = record.first.len();
    Ok(Flow {
        alerts,
        took,
        duplicates: record.duplicates,
        rate: alerts as f64 / took.as_secs_f64(),
        lost: lost.collect(),
    })
}

/// Incidents of mixed severities, opened, updated and closed, until it is time.
fn produce(seed: u64, end: Instant, outbox: &Outbox, clock: &dyn Clock, path: &BoxPath) -> Result<usize, EventError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut committed = 0;
    while Instant::now() < end {
        let camera = random.choice(traffic::CAMERAS).unwrap_or_default();
        let mut alert = traffic::opening(camera, traffic::severity(&mut random), clock.now().wall);
        for phase in [Phase::Open, Phase::Update, Phase::Close] {
            while outbox.waiting() > MOST_WAITING {
                thread::sleep(Duration::from_millis(1));
            }
            if phase != Phase::Open {
                alert = traffic::later(&alert, phase, clock.now().wall);
            }
            traffic::commit(outbox, path, clock, alert.clone())?;
            committed += 1;
        }
    }
    Ok(committed)
}
