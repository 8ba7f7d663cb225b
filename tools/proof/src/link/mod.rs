//! Slow, distant, lossy, interrupted and silent links, by a relay between the link and a real mosquitto.

mod half_open;

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use clap::Args;
use karaul::clock::{Clock, SystemClock};
use karaul_stage::{Broker, Relay, Shape};
use karaul_wire::{Phase, Severity};

use crate::{
    centre::{Centre, retained},
    error::ProofError,
    figures::{Spread, time},
    report::Report,
    rig, traffic,
};

/// A critical alert this often.
const EVERY: Duration = Duration::from_secs(2);
/// The aim for the delay of critical alerts over a link that is only bad: 99 of 100 arrive within this time.
const AIM: Duration = Duration::from_secs(5);
/// After the last alert everything arrives within this time, a pause of the link's dialling included.
const DRAINED: Duration = Duration::from_secs(300);

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long alerts are sent over each link. All links are tried at the same time.
    #[arg(long, default_value_t = 240)]
    seconds: u64,
    /// Fourteen seconds, 3 s on and 6 s off instead of 30 and 90, and a keep-alive of 5 s instead of 30.
    #[arg(long)]
    quick: bool,
    /// Seed of the losses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What came over one link.
struct Outcome {
    sent: usize,
    delays: Spread,
    duplicates: u64,
    connections: u64,
    wrong: Vec<String>,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let length = if options.quick { 14 } else { options.seconds };
    let [on, off, keep_alive] = if options.quick { [3, 6, 5] } else { [30, 90, 30] }.map(Duration::from_secs);
    let length = Duration::from_secs(length);
    let steady = |bits_per_second, round_trip, loss| Shape {
        bits_per_second,
        round_trip: Duration::from_millis(round_trip),
        loss,
        on_off: None,
    };
    let interrupted = Shape { on_off: Some((on, off)), ..steady(1_000_000, 100, 0.0) };
    let links = [
        ("2g", "2G, 40 kbit/s, 600 ms".to_owned(), steady(40_000, 600, 0.0)),
        ("satellite", "satellite, 256 kbit/s, 1400 ms".to_owned(), steady(256_000, 1400, 0.0)),
        ("lossy", "64 kbit/s, 800 ms, 5 % loss".to_owned(), steady(64_000, 800, 0.05)),
        ("on-off", format!("1 Mbit/s, 100 ms, {} s on, {} s off", on.as_secs(), off.as_secs()), interrupted),
    ];
    let broker = Broker::start(0)?;
    let (port, seed) = (broker.port, options.seed);
    let silent = half_open::start(port, keep_alive);
    let threads =
        links.map(|(unit, name, shape)| (name, shape, thread::spawn(move || measure(unit, shape, port, seed, length))));
    let mut report = Report::new(format!("Links, {} s each (seed {seed})", length.as_secs()));
    for (name, shape, thread) in threads {
        let Outcome { sent, delays, duplicates, connections, wrong } = joined(thread)?;
        let (aim, figure) = match shape.on_off {
            // What was committed in a break arrives when the link works again, at the latest in its next turn.
            Some((on, off)) => (on + off, delays.percentile(100)),
            None => (AIM, delays.percentile(99)),
        };
        let rank = if shape.on_off.is_some() { "max" } else { "p99" };
        report.aim(format!("{name}: delay of critical alerts; {rank} at most {}", time(aim)), &delays, figure <= aim);
        report.fact(format!("{name}: sent, duplicates, connections"), format!("{sent}, {duplicates}, {connections}"));
        report.promise(format!("{name}: none lost, states as they should be"), &wrong);
    }
    let outcomes: Vec<_> = silent.into_iter().map(joined).collect::<Result<_, _>>()?;
    half_open::add(&mut report, &outcomes, keep_alive);
    Ok(report)
}

fn joined<T>(thread: JoinHandle<Result<T, ProofError>>) -> Result<T, ProofError> {
    thread.join().map_err(|_| ProofError::Client("a measurement panicked".to_owned()))?
}

/// Sends alerts over a link of this shape.
fn measure(unit: &str, shape: Shape, port: u16, seed: u64, length: Duration) -> Result<Outcome, ProofError> {
    let folder = tempfile::tempdir()?;
    let relay = Relay::shaped(port, shape, seed)?;
    let path = rig::path(unit);
    let centre = Centre::start(port, &path)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outbox = rig::outbox(folder.path(), rig::QUOTA, false, &clock)?;
    let link = rig::link(rig::settings(relay.port(), &path), &outbox, &clock)?;
    let end = Instant::now() + length;
    let mut sent = Vec::new();
    while Instant::now() < end {
        let mut alert = traffic::opening("gate", Severity::Critical, clock.now().wall);
        for phase in [Phase::Open, Phase::Close] {
            if phase == Phase::Close {
                alert = traffic::later(&alert, phase, clock.now().wall);
            }
            let at = Instant::now();
            sent.push((at, traffic::commit(&outbox, &path, &*clock, alert.clone())?.sequence));
            thread::sleep((at + EVERY).saturating_duration_since(Instant::now()));
        }
    }
    rig::wait(&format!("{unit}: not all was delivered"), DRAINED, || outbox.waiting() == 0)?;
    // What mosquitto has, it hands on at once.
    thread::sleep(Duration::from_millis(500));
    let record = centre.record();
    let arrived = |sequence: u64| record.first.iter().find(|arrival| arrival.sequence == sequence);
    let mut delays = Vec::new();
    let mut wrong = Vec::new();
    for (at, sequence) in &sent {
        match arrived(*sequence) {
            Some(arrival) => delays.push(arrival.at.saturating_duration_since(*at)),
            None => wrong.push(format!("number {sequence} is lost")),
        }
    }
    wrong.extend(record.contradictions.iter().map(|number| format!("number {number} came with two ids")));
    let last = sent.len() % 2;
    let open = retained(port, &format!("{path}/open/+"))?;
    if open.len() != last {
        wrong.push(format!("{} incidents are retained as open, not {last}", open.len()));
    }
    let connections = link.report().connections;
    Ok(Outcome { sent: sent.len(), delays: Spread::of(delays), duplicates: record.duplicates, connections, wrong })
}
