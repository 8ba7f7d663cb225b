use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering::SeqCst},
    thread,
    time::Duration,
};

use clap::Args;
use karaul::{
    clock::{Clock, SystemClock},
    uplink::{Outbox, Subscription},
};
use karaul_wire::{Alert, BoxPath, Phase};
use signal_hook::consts::SIGTERM;

use super::{
    inbox,
    ledger::{Entry, Pen},
};
use crate::{error::ProofError, rig, traffic};

/// With so many messages waiting the cameras pause, so that a broker that is away makes no mountain.
const MOST_WAITING: u64 = 2000;
/// Most incidents open at a time.
const MOST_OPEN: usize = 8;
/// So many of them stay open at the end.
const STAY_OPEN: usize = 3;
/// Everything is through within this time.
const DRAINED: Duration = Duration::from_secs(360);

/// The agent's part of the storm.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    port: u16,
    /// Which process this is.
    #[arg(long)]
    life: u64,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    receipts: bool,
}

struct Writer {
    outbox: Arc<Outbox>,
    path: BoxPath,
    clock: Arc<dyn Clock>,
    pen: Pen,
    life: u64,
    open: Vec<Alert>,
}

/// Says that it is ready for a SIGTERM and commits incidents until it is killed. After a SIGTERM it closes all but a
/// few, waits until all is delivered, and prints which are open.
pub(crate) fn write(options: &Options) -> Result<(), ProofError> {
    let over = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGTERM, Arc::clone(&over))?;
    println!("ready");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let path = rig::path("storm");
    let outbox = rig::outbox(&options.folder.join("state"), rig::QUOTA, options.receipts, &clock)?;
    let mut random = fastrand::Rng::with_seed(options.seed ^ options.life);
    let pen = Pen::new(&options.folder.join("ledger"))?;
    let mut writer = Writer { outbox, path, clock, pen, life: options.life, open: Vec::new() };
    for closing in traffic::orphans(&writer.outbox, &*writer.clock)? {
        writer.commit(closing)?;
    }
    let mut settings = rig::hurried(options.port, &writer.path);
    let mut misses = Arc::default();
    if options.receipts {
        let filter = writer.path.receipt(&rig::id(rig::CONSUMER));
        settings.subscriptions = vec![Subscription { filter, retained: true }];
        misses = inbox::heed(Arc::clone(&settings.inbox), Arc::clone(&writer.outbox));
    }
    let link = rig::link(settings, &writer.outbox, &writer.clock)?;

    while !over.load(SeqCst) {
        traffic::tell_gaps(&writer.outbox, &writer.path, &*writer.clock)?;
        if writer.outbox.waiting() > MOST_WAITING {
            thread::sleep(Duration::from_millis(2));
            continue;
        }
        writer.step(&mut random)?;
        if random.u8(..20) == 0 {
            thread::sleep(Duration::from_micros(random.u64(..5000)));
        }
    }
    while writer.open.len() > STAY_OPEN {
        writer.close(0)?;
    }
    let mut told = Ok(());
    rig::wait("not everything was delivered", DRAINED, || {
        told = traffic::tell_gaps(&writer.outbox, &writer.path, &*writer.clock);
        let waits = writer.outbox.waiting() > 0 || writer.outbox.unconfirmed() > 0 || misses.load(SeqCst);
        told.is_err() || !waits
    })?;
    told?;
    drop(link);
    for alert in &writer.open {
        println!("open {} {}", writer.path.open(alert.incident.id), alert.incident.rev);
    }
    println!("finished");
    Ok(())
}

impl Writer {
    /// Something happens in front of a camera.
    fn step(&mut self, random: &mut fastrand::Rng) -> Result<(), ProofError> {
        let now = self.clock.now().wall;
        if self.open.is_empty() || (self.open.len() < MOST_OPEN && random.u8(..3) == 0) {
            let camera = random.choice(traffic::CAMERAS).unwrap_or_default();
            let alert = traffic::opening(camera, traffic::severity(random), now);
            self.open.push(alert.clone());
            return self.commit(alert);
        }
        let place = random.usize(..self.open.len());
        if random.u8(..5) < 2 {
            return self.close(place);
        }
        self.open[place] = traffic::later(&self.open[place], Phase::Update, now);
        self.commit(self.open[place].clone())
    }

    fn close(&mut self, place: usize) -> Result<(), ProofError> {
        let alert = self.open.swap_remove(place);
        self.commit(traffic::later(&alert, Phase::Close, self.clock.now().wall))
    }

    fn commit(&mut self, alert: Alert) -> Result<(), ProofError> {
        let incident = alert.incident.clone();
        let committed = traffic::commit(&self.outbox, &self.path, &*self.clock, alert)?;
        self.pen.note(&Entry {
            life: self.life,
            sequence: committed.sequence,
            event: committed.event,
            incident: incident.id,
            rev: incident.rev,
            phase: incident.phase,
            severity: incident.severity,
        })?;
        Ok(())
    }
}
