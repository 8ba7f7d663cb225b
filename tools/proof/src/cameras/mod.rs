//! Every fault a camera can have, with the real agent, a real broker and scripted cameras: how long it takes until
//! the camera's status says so, and how long until it is seen again.

mod faults;
mod stand;

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use clap::Args;
use karaul_simulator::{
    Mount,
    peer::{Clip, Peer, Script},
};
use karaul_stage::{Agent, Broker, Heard, Subscriber, repository};
use karaul_wire::CameraState;

use self::{
    faults::{BUSY, Clips, Expected, Fault, PASSWORD, USER},
    stand::{Camera, Outcome, Pace, Told},
};
use crate::{
    error::ProofError,
    figures::{Spread, time},
    process,
    report::Report,
    site::head,
};

/// The aim: a fault is said within this time.
const NOTICED: Duration = Duration::from_secs(5);
/// The aim: a camera is seen again within this time after it came back (p95).
const AGAIN: Duration = Duration::from_secs(3);
/// RFC 6761: never resolves.
const UNKNOWN: &str = "rtsp://camera.invalid/stream";
/// The aim: so many wrong passwords at one attempt; cameras lock an account after some five to seven.
const WRONG_PASSWORDS: u64 = 1;
/// How long the agent may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each fault is tried.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// One short round, and nobody waits for cameras that are tried rarely on purpose.
    #[arg(long)]
    quick: bool,
    /// Only faults whose name holds this text; may be repeated.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Tells the figures only: their aims need a quiet machine.
    #[arg(long)]
    no_aims: bool,
    /// Seed of all that is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let pace = pace(options);
    let clips = clips()?;
    let mut faults = faults::all();
    let calm = faults.len() - BUSY;
    let busy: Vec<&str> = faults[calm..].iter().map(|fault| fault.name).collect();
    faults.retain(|fault| options.only.is_empty() || options.only.iter().any(|text| fault.name.contains(text)));
    let cameras = faults.iter().map(|fault| Camera::start(fault, &clips)).collect::<Result<Vec<_>, _>>()?;
    // One that has no fault: it is not to notice anything of the others.
    let calm = Peer::start(Script::well(&clips.usual))?;

    let folder = tempfile::tempdir()?;
    let broker = Broker::start(0)?;
    let subscriber = Subscriber::start(broker.port, "centre")?;
    let password = folder.path().join("password");
    fs::write(&password, PASSWORD)?;
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600))?;
    let config = folder.path().join("site.toml");
    fs::write(&config, site(folder.path(), &broker.url(), &calm.url(), &faults, &cameras))?;
    let (senders, mut ears): (Vec<_>, Vec<_>) = (0..faults.len() + 2).map(|_| channel::<Told>()).unzip();
    let (unknown_ear, calm_ear) = (ears.pop(), ears.pop());
    let started = stand::since_1970();
    let mut agent = Agent::start(&config)?;

    let over = AtomicBool::new(false);
    let outcomes = thread::scope(|scope| {
        scope.spawn(|| hand_out(subscriber, &senders, &over));
        let outcomes = measure(&faults, &busy, &cameras, ears, &clips, pace, options.seed);
        over.store(true, SeqCst);
        outcomes
    })?;
    let alive = agent.program.wait(Duration::ZERO)?.is_none();
    let peak = if alive { process::peak(agent.program.id())? } else { 0 };
    let stopped = agent.program.stop(STOP)?;

    let mut report = Report::new(format!("Faults of cameras, {} rounds each (seed {})", pace.rounds, options.seed));
    tell(&mut report, &faults, &outcomes, options);
    let blind = calm_ear.iter().flat_map(Receiver::try_iter).filter(|(_, status)| status.state != CameraState::Seeing);
    let disturbed: Vec<String> = blind.map(|(_, status)| status.detail.unwrap_or_default()).collect();
    report.promise("a camera without a fault is not disturbed", &disturbed);
    let unknown = unknown_ear.and_then(|ear| ear.try_iter().next());
    let after = unknown.as_ref().map_or(Duration::MAX, |(at, _)| at.saturating_sub(started));
    let words = unknown.and_then(|(_, status)| status.detail).unwrap_or_default();
    let figure = format!("{}: {words}", time(after));
    let what = format!("a host name that nobody knows: said within {} of the start", time(NOTICED));
    if options.no_aims {
        report.fact(what, figure);
    } else {
        report.aim(what, figure, after <= NOTICED);
    }
    report.fact("the agent's resident memory at its peak", format!("{peak} MiB"));
    let mut fell = Vec::new();
    if !alive {
        fell.push("the agent ended by itself".to_owned());
    }
    if !stopped.is_some_and(|status| status.success()) {
        fell.push(format!("the agent did not stop in order: {stopped:?}"));
    }
    report.promise("the agent lives through all of it and stops in order", &fell);
    Ok(report)
}

fn pace(options: &Options) -> Pace {
    let seconds = Duration::from_secs;
    if options.quick {
        return Pace { rounds: 1, settled: seconds(1), held: (seconds(1), seconds(3)), slow: false };
    }
    // After half a minute of pictures the agent takes what comes for a new failure.
    Pace { rounds: options.rounds, settled: seconds(31), held: (seconds(2), seconds(40)), slow: true }
}

/// Small and slow, so that many cameras leave the processor free: the times are the agent's.
fn clips() -> Result<Clips, ProofError> {
    let clip = |options: &str| -> Result<Arc<Clip>, ProofError> {
        let mount = format!("/clip=pattern,fps=10,{options}").parse::<Mount>().map_err(ProofError::client)?;
        Ok(Arc::new(Clip::of(&mount, 40).map_err(ProofError::client)?))
    };
    Ok(Clips { usual: clip("size=160x120")?, size: clip("size=320x240")?, codec: clip("size=160x120,codec=h265")? })
}

/// The camera of fault `n` is called `fault-n`; behind the last come one without a fault and one whose host name nobody
/// knows: that name cannot be made known to the agent later, so it is only said.
fn name(index: usize) -> String {
    format!("fault-{index}")
}

fn site(folder: &Path, broker: &str, calm: &str, faults: &[Fault], cameras: &[Camera]) -> String {
    let mut text = head(broker, folder, &repository().join("models"));
    let urls = faults.iter().zip(cameras).map(|(fault, camera)| (camera.url(), fault.udp));
    for (index, (url, udp)) in urls.chain([(calm.to_owned(), false), (UNKNOWN.to_owned(), false)]).enumerate() {
        let (id, transport) = (name(index), if udp { "udp" } else { "tcp" });
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[camera]]\nid = \"{id}\"\nurl = \"{url}\"\nmodel = \"yard-nano\"\npurpose = \"proof\"\n\
             transport = \"{transport}\"\ndetections_per_second = 1.0\nusername = \"{USER}\"\npassword = \"file:{}\"\n\
             [camera.sight]\nenabled = false\n",
            folder.join("password").display()
        );
    }
    text
}

/// Gives each camera's ear what is said of it.
fn hand_out(mut subscriber: Subscriber, senders: &[Sender<Told>], over: &AtomicBool) {
    while !over.load(SeqCst) {
        let Some((at, Heard::Camera(id, status))) = subscriber.next_at(Duration::from_millis(200)) else { continue };
        let index = id.strip_prefix("fault-").and_then(|index| index.parse::<usize>().ok());
        if let Some(sender) = index.and_then(|index| senders.get(index)) {
            // Nobody listens any more when its rounds are over.
            let _ = sender.send((at, status));
        }
    }
}

/// All at a time, but for those that keep the processor busy.
fn measure(
    faults: &[Fault],
    busy: &[&str],
    cameras: &[Camera],
    ears: Vec<Receiver<Told>>,
    clips: &Clips,
    pace: Pace,
    seed: u64,
) -> Result<Vec<Outcome>, ProofError> {
    let mut outcomes = Vec::new();
    let stands: Vec<_> = faults.iter().zip(cameras).zip(ears).zip(seed..).collect();
    let (later, now): (Vec<_>, Vec<_>) =
        stands.into_iter().partition(|(((fault, _), _), _)| busy.contains(&fault.name));
    thread::scope(|scope| {
        let threads: Vec<_> = now
            .into_iter()
            .map(|(((fault, camera), ear), seed)| {
                scope.spawn(move || stand::rounds(fault, clips, camera, &ear, pace, seed))
            })
            .collect();
        for thread in threads {
            outcomes.push(thread.join().map_err(|_| ProofError::Client("a measurement panicked".to_owned()))??);
        }
        Ok::<_, ProofError>(())
    })?;
    for (((fault, camera), ear), seed) in later {
        outcomes.push(stand::rounds(fault, clips, camera, &ear, pace, seed)?);
    }
    Ok(outcomes)
}

fn tell(report: &mut Report, faults: &[Fault], outcomes: &[Outcome], options: &Options) {
    let mut table = "| fault | noticed: p50, max | seen again: p50, max | messages a round | what is said |\n\
                     | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let mut worst = 0;
    let (mut noticed, mut again, mut wrong, mut missed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (fault, outcome) in faults.iter().zip(outcomes) {
        let [soon, back] = [&outcome.noticed, &outcome.again].map(|times| Spread::of(times.iter().copied()));
        let figures = |spread: &Spread, times: &[Duration]| match times.len() {
            0 if fault.expected == Expected::Sees => "stays seen".to_owned(),
            0 => "not waited for".to_owned(),
            _ => format!("{}, {}", time(spread.percentile(50)), time(spread.percentile(100))),
        };
        let rounds = outcome.noticed.len().max(1);
        let mut words: Vec<String> = outcome.words.iter().cloned().collect();
        if fault.expected == Expected::Slow {
            let attempts = outcome.connections.max(1);
            words.push(format!("({} wrong logins at {attempts} attempts)", outcome.wrong_logins));
            worst = worst.max(outcome.wrong_logins.div_ceil(attempts));
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {:.1} | {} |",
            fault.name,
            figures(&soon, &outcome.noticed),
            figures(&back, &outcome.again),
            outcome.messages as f64 / rounds as f64,
            words.join("<br>")
        );
        if soon.percentile(95) > NOTICED || fault.expected != Expected::Slow && back.percentile(95) > AGAIN {
            missed.push(fault.name);
        }
        noticed.extend(&outcome.noticed);
        if fault.expected != Expected::Slow {
            again.extend(&outcome.again);
        }
        wrong.extend(outcome.wrong.iter().map(|what| format!("{}: {what}", fault.name)));
    }
    report.table(table);
    for (what, times, aim) in [("noticed", noticed, NOTICED), ("seen again, but for refused logins", again, AGAIN)] {
        let spread = Spread::of(times);
        let p95 = spread.percentile(95);
        let what = format!("{what}: p95 at most {}", time(aim));
        let figure = format!("p95 {}, {spread}", time(p95));
        if options.no_aims {
            report.fact(what, figure);
        } else {
            report.aim(what, figure, p95 <= aim);
        }
    }
    let what = format!("wrong logins at one attempt: at most {WRONG_PASSWORDS}");
    if options.no_aims {
        report.fact(what, worst);
    } else {
        report.aim(what, worst, worst <= WRONG_PASSWORDS);
    }
    report.fact(
        "faults that miss an aim by themselves",
        if missed.is_empty() { "none".to_owned() } else { missed.join("; ") },
    );
    report.promise("each fault is said, harmless ones are not, each camera is seen again", &wrong);
}
