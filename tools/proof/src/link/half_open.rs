//! Links that fall silent without an end, as when a cable is pulled or a modem hangs.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use karaul::clock::{Clock, SystemClock};
use karaul_stage::Relay;
use karaul_wire::Severity;

use crate::{centre::Centre, error::ProofError, figures::time, report::Report, rig, traffic};

/// Links, each silent from another moment between two pings on.
const LINKS: u32 = 8;
/// The promise, in keep-alives.
const AIM: f64 = 2.0;
/// The agent looks at its clock, and this program at the agent, now and then.
const GRACE: Duration = Duration::from_millis(500);
/// After the silence everything arrives within this time, a pause of the link's dialling included.
const DRAINED: Duration = Duration::from_secs(120);

/// What came of one link.
pub(super) struct Outcome {
    /// From the last byte that passed until the agent knew.
    noticed: Duration,
    duplicates: u64,
    wrong: Vec<String>,
}

/// Starts the measurements.
pub(super) fn start(port: u16, keep_alive: Duration) -> Vec<thread::JoinHandle<Result<Outcome, ProofError>>> {
    (0..LINKS).map(|number| thread::spawn(move || measure(number, port, keep_alive))).collect()
}

/// Adds the rows of what was measured.
pub(super) fn add(report: &mut Report, outcomes: &[Outcome], keep_alive: Duration) {
    let share = |time: Duration| time.as_secs_f64() / keep_alive.as_secs_f64();
    let mut sorted: Vec<Duration> = outcomes.iter().map(|outcome| outcome.noticed).collect();
    sorted.sort_unstable();
    let [Some(first), Some(last)] = [sorted.first(), sorted.last()].map(|end| end.copied()) else { return };
    let seconds = keep_alive.as_secs();
    report.aim(
        format!("half-open, keep-alive {seconds} s: silence until it is noticed; at most {AIM} keep-alives"),
        format!("{:.2} to {:.2} keep-alives, max {} ({LINKS} links)", share(first), share(last), time(last)),
        last <= keep_alive.mul_f64(AIM) + GRACE,
    );
    let duplicates: u64 = outcomes.iter().map(|outcome| outcome.duplicates).sum();
    report.fact("half-open: duplicates", duplicates);
    let wrong: Vec<String> = outcomes.iter().flat_map(|outcome| outcome.wrong.iter().cloned()).collect();
    report.promise("half-open: none lost", &wrong);
}

fn measure(number: u32, port: u16, keep_alive: Duration) -> Result<Outcome, ProofError> {
    let unit = format!("half-open-{number}");
    let folder = tempfile::tempdir()?;
    let relay = Relay::to(port)?;
    let path = rig::path(&unit);
    let centre = Centre::start(port, &path)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outbox = rig::outbox(folder.path(), rig::QUOTA, false, &clock)?;
    let mut settings = rig::settings(relay.port(), &path);
    settings.broker.keep_alive = keep_alive;
    let link = rig::link(settings, &outbox, &clock)?;
    let alert = || {
        let alert = traffic::opening("gate", Severity::Critical, clock.now().wall);
        traffic::commit(&outbox, &path, &*clock, alert).map(|committed| committed.sequence)
    };
    let mut sent = vec![alert()?];
    rig::wait(&format!("{unit}: nothing was delivered"), DRAINED, || outbox.waiting() == 0)?;
    thread::sleep(keep_alive * number / LINKS);
    relay.freeze(true);
    let silent = Instant::now();
    // Whether there is something to send makes no difference.
    if number.is_multiple_of(2) {
        sent.push(alert()?);
    }
    rig::wait(&format!("{unit}: the silence was not noticed"), 4 * keep_alive, || link.report().connected.is_none())?;
    let noticed = silent.elapsed();
    sent.push(alert()?);
    relay.freeze(false);
    rig::wait(&format!("{unit}: not all was delivered"), DRAINED, || outbox.waiting() == 0)?;
    // What mosquitto has, it hands on at once.
    thread::sleep(Duration::from_millis(500));
    let record = centre.record();
    let lost = sent.iter().filter(|number| record.event(**number).is_none());
    let mut wrong: Vec<String> = lost.map(|number| format!("{unit}: number {number} is lost")).collect();
    wrong.extend(record.contradictions.iter().map(|number| format!("{unit}: number {number} came with two ids")));
    Ok(Outcome { noticed, duplicates: record.duplicates, wrong })
}
