//! A day without a broker.
//!
//! Simulated is the time in which alerts are committed: the outbox and the link read a clock that the proof moves
//! by hand, so that a day takes a minute. Real are the disk, every transaction, the link's dialling (its pauses run
//! on the machine's own timer), and all after the broker's return, when the clock goes on at the machine's pace.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use karaul::{
    clock::{Clock, SimulatedClock, Stamp},
    uplink::{Link, Outbox},
};
use karaul_stage::{Broker, free_port};
use karaul_wire::{Alert, BoxPath, Phase, Severity};
use uuid::Uuid;

use crate::{
    centre::{Arrival, Centre, retained},
    error::ProofError,
    figures::{Spread, time},
    report::Report,
    rig,
    traffic::{self, CAMERAS},
};

/// A new critical alert is there so soon after the reconnection.
const PROMPT: Duration = Duration::from_secs(2);
/// While the backlog drains, something new happens this often.
const NEW_EVERY: Duration = Duration::from_secs(1);
/// The link's longest pause is a quarter of the time waited so far, in real time, so this is ample.
const RECONNECTED: Duration = Duration::from_secs(120);

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long the broker is away.
    #[arg(long, default_value_t = 24)]
    hours: u32,
    /// Messages of the backlog a second, as `backlog_rate` in the config.
    #[arg(long, default_value_t = 50)]
    backlog_rate: u32,
    /// Seed of the severities.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Simulated until the broker is back, then real.
struct DayClock {
    day: SimulatedClock,
    real: Mutex<Option<Instant>>,
}

impl DayClock {
    fn real(&self) -> Option<Instant> {
        *self.real.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for DayClock {
    fn now(&self) -> Stamp {
        let Stamp { mono, wall } = self.day.now();
        let more = self.real().map_or(Duration::ZERO, |since| since.elapsed());
        Stamp { mono: mono + more, wall: Stamp::after(wall, more).wall }
    }
}

struct Day {
    clock: Arc<DayClock>,
    shared: Arc<dyn Clock>,
    path: BoxPath,
    outbox: Arc<Outbox>,
    random: fastrand::Rng,
    alerts: u64,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let folder = tempfile::tempdir()?;
    let day = SimulatedClock::at("2026-11-22T00:00:00Z".parse().expect("a literal time"));
    let clock = Arc::new(DayClock { day, real: Mutex::new(None) });
    let shared: Arc<dyn Clock> = Arc::<DayClock>::clone(&clock);
    let path = rig::path("outage");
    let outbox = rig::outbox(folder.path(), rig::QUOTA, false, &shared)?;
    let mut day = Day { clock, shared, path, outbox, random: fastrand::Rng::with_seed(options.seed), alerts: 0 };
    let port = free_port()?;
    let mut settings = rig::settings(port, &day.path);
    settings.broker.backlog_rate = options.backlog_rate;
    let link = rig::link(settings, &day.outbox, &day.shared)?;

    let began = Instant::now();
    day.pass(options.hours)?;
    let took = began.elapsed();
    let (backlog, alerts, dropped) = (day.outbox.waiting(), day.alerts, day.outbox.dropped());

    *day.clock.real.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    let _broker = Broker::start(port)?;
    let centre = Centre::start(port, &day.path)?;
    rig::wait("the link did not come back", RECONNECTED, || link.report().connected.is_some())?;
    let reconnected = Instant::now();
    let new = day.drain(&link, &centre, backlog, options.backlog_rate)?;
    let drained = reconnected.elapsed();
    centre.wait_for(day.alerts as usize, Duration::from_secs(30))?;
    // Copies that are still on their way.
    thread::sleep(Duration::from_millis(500));

    let record = centre.record();
    let arrived = |sequence: u64| record.first.iter().find(|arrival| arrival.sequence == sequence);
    let delays = new.iter().filter_map(|(at, sequence)| Some(arrived(*sequence)?.at.saturating_duration_since(*at)));
    let delays: Vec<_> = delays.collect();
    let first = delays.first().copied().unwrap_or(Duration::MAX);
    let spread = Spread::of(delays);
    let missing = (1..=day.alerts).filter(|number| record.event(*number).is_none()).map(|number| number.to_string());
    let late = record.first.iter().filter(|arrival| arrival.backfill).count();

    let mut report =
        Report::new(format!("{} h without a broker, backlog_rate {}", options.hours, options.backlog_rate));
    report.fact("alerts committed meanwhile, four cameras", format!("{alerts}, written in {}", time(took)));
    report.fact("messages waiting at the return (alerts and states)", backlog);
    report.fact("dropped under the default quota of 256 MiB", dropped);
    report.promise("all arrived", &missing.collect::<Vec<_>>());
    report.promise("revisions of an incident in order", &disorder(&record.first));
    report.promise("no number twice with different ids", &strings(&record.contradictions));
    let gaps: Vec<_> = record.gaps.iter().map(|gap| format!("{gap:?}")).collect();
    report.promise("no gap told", &gaps);
    report.aim("a new critical alert at the reconnection, within 2 s", time(first), first <= PROMPT);
    report.aim("new critical alerts while the backlog drained", &spread, spread.percentile(100) <= PROMPT);
    let rate = backlog as f64 / drained.as_secs_f64();
    report.fact("backlog drained in", format!("{}, {rate:.0} messages a second", time(drained)));
    report.fact("marked `backfill`", late);
    report.fact("duplicates", record.duplicates);
    let open = retained(port, &format!("{}/open/+", day.path))?;
    report.promise("nothing left retained on `open/`", &open.into_keys().collect::<Vec<_>>());
    Ok(report)
}

impl Day {
    /// Each camera has an incident a minute: opened, twice updated, closed.
    fn pass(&mut self, hours: u32) -> Result<(), ProofError> {
        for _ in 0..hours * 60 {
            let mut open: Vec<Alert> = CAMERAS
                .iter()
                .map(|camera| traffic::opening(camera, traffic::severity(&mut self.random), self.shared.now().wall))
                .collect();
            for phase in [Phase::Open, Phase::Update, Phase::Update, Phase::Close] {
                for alert in &mut open {
                    if phase != Phase::Open {
                        *alert = traffic::later(alert, phase, self.shared.now().wall);
                    }
                    self.commit(alert.clone())?;
                }
                self.clock.day.advance(Duration::from_secs(15));
            }
            self.outbox.tend();
        }
        Ok(())
    }

    /// Waits until the backlog is through, while new things happen: when each was committed, and its number.
    fn drain(
        &mut self,
        link: &Link,
        centre: &Centre,
        backlog: u64,
        rate: u32,
    ) -> Result<Vec<(Instant, u64)>, ProofError> {
        let limit = Duration::from_secs(60 + 2 * backlog / u64::from(rate));
        let end = Instant::now() + limit;
        let mut new = Vec::new();
        while self.outbox.waiting() > 0 {
            let at = Instant::now();
            if at > end {
                let arrived = centre.record().first.len();
                let what = format!("the backlog did not drain ({arrived} arrived, {:?})", link.report());
                return Err(ProofError::late(what, limit));
            }
            let opened = traffic::opening("gate", Severity::Critical, self.shared.now().wall);
            let closed = traffic::later(&opened, Phase::Close, self.shared.now().wall);
            new.push((at, self.commit(opened)?));
            thread::sleep(NEW_EVERY);
            self.commit(closed)?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(new)
    }

    fn commit(&mut self, alert: Alert) -> Result<u64, ProofError> {
        self.alerts += 1;
        Ok(traffic::commit(&self.outbox, &self.path, &*self.shared, alert)?.sequence)
    }
}

/// Incidents whose steps did not arrive one after the other.
fn disorder(arrivals: &[Arrival]) -> Vec<String> {
    let mut last = BTreeMap::<Uuid, u32>::new();
    let mut is_next =
        |arrival: &Arrival| last.insert(arrival.incident, arrival.rev).unwrap_or_default() + 1 == arrival.rev;
    let wrong = arrivals.iter().filter(|arrival| !is_next(arrival));
    wrong.map(|arrival| arrival.incident.to_string()).collect()
}

fn strings(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(u64::to_string).collect()
}
