//! Alerts through restarts of the broker and SIGKILLs of the agent, at random points.
//!
//! A child process commits incidents and notes each commit that has returned. It is killed and started again, and
//! so is a real mosquitto. At the end the notes are compared with what a subscriber got.

mod inbox;
mod ledger;
mod verdict;
mod writer;

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use karaul_stage::{Broker, Program, StageError};

pub(crate) use self::writer::{Options as WriterOptions, write};
use self::{
    ledger::Ledger,
    verdict::{Found, judge},
};
use crate::{
    centre::{Centre, retained},
    error::ProofError,
    figures,
    report::Report,
    rig,
};

/// No pause between two blows is longer.
const STUCK: Duration = Duration::from_secs(120);
/// At the end everything has arrived within this time. What no receipt has covered is sent again after a minute,
/// and then after two.
const DRAINED: Duration = Duration::from_secs(400);

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many alerts are committed, or a few more.
    #[arg(long, default_value_t = 100_000)]
    alerts: u64,
    /// How often mosquitto is stopped and started again.
    #[arg(long, default_value_t = 1000)]
    broker_restarts: u32,
    /// How often the agent gets a SIGKILL.
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Kill mosquitto too, so that it loses what it had acknowledged for a subscriber that was slow, and confirm by
    /// receipts.
    #[arg(long)]
    receipts: bool,
    /// Seed of the random points; otherwise a new one each time.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Blow {
    Agent,
    Broker,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let began = Instant::now();
    let folder = tempfile::tempdir()?;
    // One that is going to be killed saves nothing before an orderly stop.
    let extra = if options.receipts { "autosave_on_changes false\nautosave_interval 3600" } else { "" };
    let mut broker = Broker::start_with(0, extra, |_| {})?;
    let path = rig::path("storm");
    let centre = Centre::start(broker.port, &path)?;
    let mut ledger = Ledger::new(&folder.path().join("ledger"));
    let mut lives = Lives { folder: folder.path(), port: broker.port, receipts: options.receipts, seed, count: 0 };
    let mut agent = lives.next()?;

    let mut blows = vec![Blow::Agent; options.kills as usize];
    blows.resize(blows.len() + options.broker_restarts as usize, Blow::Broker);
    random.shuffle(&mut blows);
    let mut told = Instant::now();
    for (index, blow) in blows.iter().enumerate() {
        let due = options.alerts * (index as u64 + 1) / (blows.len() as u64 + 1);
        // Some follow at once, in the middle of a start.
        if random.u8(..10) > 0 {
            wait_for(&mut ledger, due, &centre, &path, options.receipts)?;
        }
        thread::sleep(Duration::from_micros(random.u64(..20_000)));
        match blow {
            Blow::Agent => {
                agent.kill();
                agent = lives.next()?;
            }
            Blow::Broker => {
                if options.receipts && random.bool() {
                    // What waits for the subscriber is lost with the broker, though the agent has its PUBACKs.
                    centre.pause(true);
                    thread::sleep(Duration::from_micros(random.u64(..300_000)));
                    broker.kill();
                    centre.pause(false);
                } else {
                    broker.stop()?;
                }
                thread::sleep(Duration::from_micros(random.u64(..100_000)));
                broker.restart()?;
            }
        }
        if told.elapsed() > Duration::from_secs(30) {
            told = Instant::now();
            eprintln!("{} of {} blows, {} alerts", index + 1, blows.len(), ledger.count());
        }
    }
    wait_for(&mut ledger, options.alerts, &centre, &path, options.receipts)?;
    let left_open = finish(&mut agent, &centre, &path, options.receipts)?;
    // What mosquitto has, it hands on at once.
    thread::sleep(Duration::from_secs(1));
    ledger.read()?;
    let found =
        Found { record: &centre.record(), left_open, retained: retained(broker.port, &format!("{path}/open/+"))? };

    let title = if options.receipts { "Storm, confirmed by receipts" } else { "Storm, confirmed by PUBACK" };
    let mut report = Report::new(format!("{title} (seed {seed})"));
    report.fact("alerts committed", ledger.count());
    report.fact("SIGKILLs of the agent", options.kills);
    let how = if options.receipts { ", half of them SIGKILLs" } else { "" };
    report.fact("restarts of mosquitto", format!("{}{how}", options.broker_restarts));
    judge(&ledger, &found, options.receipts, &mut report);
    report.fact("time", figures::time(began.elapsed()));
    Ok(report)
}

/// The agent's processes, one after the other.
struct Lives<'a> {
    folder: &'a Path,
    port: u16,
    receipts: bool,
    seed: u64,
    count: u64,
}

impl Lives<'_> {
    fn next(&mut self) -> Result<Program, ProofError> {
        self.count += 1;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("writer").arg("--folder").arg(self.folder);
        for (name, value) in [("--port", u64::from(self.port)), ("--life", self.count), ("--seed", self.seed)] {
            command.arg(name).arg(value.to_string());
        }
        if self.receipts {
            command.arg("--receipts");
        }
        Ok(Program::start(&mut command)?)
    }
}

/// Waits until so many commits are noted; the centre goes on confirming meanwhile.
fn wait_for(
    ledger: &mut Ledger,
    count: u64,
    centre: &Centre,
    path: &karaul_wire::BoxPath,
    receipts: bool,
) -> Result<(), ProofError> {
    let end = Instant::now() + STUCK;
    let mut confirmed = Instant::now();
    loop {
        ledger.read()?;
        if ledger.count() >= count {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(ProofError::late(format!("{count} commits were not noted ({})", ledger.count()), STUCK));
        }
        if receipts && confirmed.elapsed() > Duration::from_millis(200) {
            confirmed = Instant::now();
            centre.send_receipt(path);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Asks the last process to stop in order. Its last words are the incidents that it left open.
fn finish(
    agent: &mut Program,
    centre: &Centre,
    path: &karaul_wire::BoxPath,
    receipts: bool,
) -> Result<Vec<String>, ProofError> {
    // The last one may have been started a moment ago, and a SIGTERM would be the end of it.
    agent.wait_for(STUCK, |line| (line == "ready").then_some(()))?;
    agent.signal("TERM")?;
    let end = Instant::now() + DRAINED;
    let mut open = Vec::new();
    while Instant::now() < end {
        if receipts {
            centre.send_receipt(path);
        }
        while let Some(line) = agent.line(Duration::from_millis(300)) {
            if line == "finished" {
                return Ok(open);
            }
            open.extend(line.strip_prefix("open ").map(str::to_owned));
        }
        if agent.wait(Duration::ZERO)?.is_some() {
            break;
        }
    }
    Err(StageError::from(std::io::Error::other(agent.not_ready(DRAINED))).into())
}
