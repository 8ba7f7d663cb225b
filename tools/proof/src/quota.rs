//! A full quota: how long a commit takes that has to make room, and how large the log beside the database gets.
//!
//! No broker takes anything, as in a long outage. What makes room goes through all kinds of messages: delivered ones
//! that are kept to be sent again, updates that later ones replace, then `info`, `warning` and `critical` themselves.

use std::{
    convert::Infallible,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use karaul::{
    clock::{Clock, SystemClock},
    uplink::{Message, Outbox},
};
use karaul_wire::{BoxPath, Phase, Severity};

use crate::{error::ProofError, figures::Spread, report::Report, rig, traffic};

/// No camera waits longer for its commit.
const PROMPT: Duration = Duration::from_millis(100);
/// The log beside the database stays below this.
const LARGEST_LOG: u64 = 4 << 20;
/// The agent tells gaps this often.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// Small messages, many to a page, so that those of a severity lie scattered among others.
const SMALL: usize = 150;

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The quota in MiB.
    #[arg(long, default_value_t = rig::QUOTA >> 20)]
    mib: u64,
    /// Only show the figures, do not fail where an aim is missed: for a machine that does other things as well.
    #[arg(long)]
    no_aims: bool,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let mut report = Report::new(format!("A full quota of {} MiB", options.mib));
    let quota = options.mib << 20;
    let mut full = Full::new(quota)?;
    for part in [Part::Delivered, Part::Lesser, Part::Critical] {
        full.times.clear();
        full.play(part)?;
        full.tell(&mut report, options, part.name());
    }
    let mut full = Full::new(quota)?;
    full.scatter()?;
    full.tell(&mut report, options, "small messages of all severities, mixed");
    Ok(report)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Delivered,
    Lesser,
    Critical,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "alerts that are delivered at once and kept",
            Self::Lesser => "`info` and `warning` that nobody takes",
            Self::Critical => "`critical` that nobody takes",
        }
    }
}

struct Full {
    folder: tempfile::TempDir,
    quota: u64,
    path: BoxPath,
    clock: Arc<dyn Clock>,
    outbox: Arc<Outbox>,
    random: fastrand::Rng,
    times: Vec<Duration>,
    told: Instant,
    log: u64,
}

impl Full {
    fn new(quota: u64) -> Result<Self, ProofError> {
        let folder = tempfile::tempdir()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outbox = rig::outbox(folder.path(), quota, false, &clock)?;
        let (path, random) = (rig::path("quota"), fastrand::Rng::with_seed(1));
        let (times, told) = (Vec::new(), Instant::now());
        Ok(Self { folder, quota, path, clock, outbox, random, times, told, log: 0 })
    }

    /// Commits one and a quarter of the quota.
    fn play(&mut self, part: Part) -> Result<(), ProofError> {
        let mut committed = 0;
        while committed < self.quota * 5 / 4 {
            let severity = match part {
                Part::Critical => Severity::Critical,
                _ if self.random.u8(..3) == 0 => Severity::Warning,
                _ => Severity::Info,
            };
            let camera = self.random.choice(traffic::CAMERAS).unwrap_or_default();
            let mut alert = traffic::opening(camera, severity, self.clock.now().wall);
            for phase in [Phase::Open, Phase::Update, Phase::Close] {
                if phase != Phase::Open {
                    alert = traffic::later(&alert, phase, self.clock.now().wall);
                }
                let states = if phase == Phase::Close { 1 } else { 2 };
                committed += states * serde_json::to_vec(&alert).map_or(0, |json| json.len() as u64);
                let (step, path) = (alert.clone(), self.path.clone());
                self.time(|outbox, clock| traffic::commit(outbox, &path, clock, step).map(drop))?;
            }
            if part == Part::Delivered {
                let rows: Vec<i64> = self.outbox.next(64, 64, |_, _| false).iter().map(|waiting| waiting.row).collect();
                self.outbox.delivered(&rows);
            }
        }
        Ok(())
    }

    /// Fills it with small messages of which one in twenty is none of `critical`, then goes on with `critical`.
    fn scatter(&mut self) -> Result<(), ProofError> {
        const TOGETHER: u64 = 64;
        let message = |severity, sequence| Message {
            topic: "karaul1/almaty/turksib/school-042/b7f3/alert/info/gate".to_owned(),
            payload: vec![b'x'; SMALL],
            retain: false,
            severity,
            incident: None,
            sequence: Some(sequence),
        };
        let put = |outbox: &Outbox, severities: &[Severity]| {
            outbox.commit(|batch| {
                for severity in severities {
                    let sequence = batch.next_sequence();
                    batch.put(message(*severity, sequence));
                }
                Ok::<_, Infallible>(())
            })
        };
        let mixed: Vec<Severity> = (0..TOGETHER)
            .map(|n| match n % 20 {
                7 => Severity::Info,
                13 => Severity::Warning,
                _ => Severity::Critical,
            })
            .collect();
        while self.outbox.dropped() == 0 {
            let Ok(()) = put(&self.outbox, &mixed);
        }
        for _ in 0..self.quota / 4096 / 4 {
            self.time(|outbox, _| put(outbox, &[Severity::Critical]).map_err(|never| match never {}))?;
        }
        Ok(())
    }

    fn time(
        &mut self,
        commit: impl FnOnce(&Outbox, &dyn Clock) -> Result<(), karaul_wire::EventError>,
    ) -> Result<(), ProofError> {
        let began = Instant::now();
        commit(&self.outbox, &*self.clock)?;
        if self.told.elapsed() >= TELL_EVERY {
            traffic::tell_gaps(&self.outbox, &self.path, &*self.clock)?;
            self.outbox.tend();
            self.told = Instant::now();
        }
        self.times.push(began.elapsed());
        self.log = self.log.max(size(&log(self.folder.path()))?);
        Ok(())
    }

    fn tell(&self, report: &mut Report, options: &Options, what: &str) {
        let spread = Spread::of(self.times.iter().copied());
        let longest = spread.percentile(100);
        let log = format!("{:.1} MiB", self.log as f64 / f64::from(1 << 20));
        if options.no_aims {
            report.fact(format!("{what}: commit"), spread);
            report.fact(format!("{what}: largest log so far"), log);
        } else {
            report.aim(format!("{what}: commit, at most 100 ms"), spread, longest <= PROMPT);
            report.aim(format!("{what}: largest log so far, at most 4 MiB"), log, self.log <= LARGEST_LOG);
        }
        report.promise(format!("{what}: the disk is well"), &self.outbox.trouble().into_iter().collect::<Vec<_>>());
        let file = size(&self.folder.path().join("outbox.sqlite")).unwrap_or_default();
        let over: Vec<_> = (file > self.quota).then(|| format!("{file} bytes")).into_iter().collect();
        report.promise(format!("{what}: the quota holds"), &over);
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("outbox.sqlite-wal")
}

fn size(path: &Path) -> io::Result<u64> {
    fs::metadata(path).map(|metadata| metadata.len())
}
