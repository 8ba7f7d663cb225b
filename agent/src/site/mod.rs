//! Starts, stops and watches everything else.

mod alarm;
mod birth;
mod bookkeeping;
mod cadence;
mod clips;
mod commands;
mod crew;
mod delivery;
mod detect;
mod eyes;
mod fixtures;
mod gate;
mod guard;
mod light;
mod line;
mod needs;
mod orders;
mod outcome;
mod posts;
mod pulse;
mod reception;
mod register;
mod rest;
mod standing;
mod tray;
mod trial;
mod view;
mod watch;

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use uuid::Uuid;

use self::{
    bookkeeping::Bookkeeper,
    delivery::Delivery,
    eyes::RealEyes,
    line::{Dial, Line},
    orders::Limits,
    posts::Posts,
    pulse::Pulse,
    reception::Reception,
    standing::Standing,
    trial::Trials,
};
pub use self::{
    commands::{Answer, CarryOut, Commands},
    detect::{Detect, Sink, detector},
    orders::Orders,
    outcome::Outcome,
    watch::Watch,
};
use crate::{
    camera::{self, CameraError},
    clock::{Clock, SystemClock},
    config::{Config, Delivery as Delivered},
    decisions,
    evidence::{Album, AlbumError},
    ledger::Ledger,
    stop::Stop,
    trust::{
        Gate,
        audit::{Audit, Occasion, Record},
    },
    uplink::{Inbox, Link, LinkError, LinkSettings, Outbox, OutboxError, OutboxSettings, Passing, Subscription},
    vision::{Runtime, VisionError},
};

/// Between two looks at the wish to stop.
const LOOK: Duration = Duration::from_millis(500);

/// What all cameras need and cannot be had. Anything that only one camera needs makes
/// that camera blind and disturbs no other.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// GStreamer.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// ONNX Runtime.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The link to the broker.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The pictures.
    #[error(transparent)]
    Album(#[from] AlbumError),
    /// The system gives no thread.
    #[error("cannot start the thread of {name}: {source}")]
    Thread {
        /// What it was for.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread ended though nobody asked for it.
    #[error(
        "the thread of {name} has ended by itself, a fault of the agent (see the log before); the agent ends so that \
         the service manager starts it anew"
    )]
    Fallen {
        /// What it was for.
        name: String,
    },
    /// A thread does not end though it was told to.
    #[error(
        "the thread of {name} does not end, a fault of the agent; the agent ends so that the service manager starts it \
         anew"
    )]
    Stuck {
        /// What it was for.
        name: String,
    },
}

/// Runs a site until it is told to stop. `file` is where the config came from: it is read anew at each of
/// `reloads`.
///
/// # Errors
/// If something that all cameras need cannot be had, or a thread ends by itself. All others
/// are stopped in order before this returns.
pub fn run(config: Config, file: &Path, reloads: Receiver<()>, stop: &Stop) -> Result<(), SiteError> {
    camera::init()?;
    let runtime = Runtime::init(config.inference.library.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let boot_id = boot_id();
    let (path, storage) = (config.site.path.clone(), config.storage.path.clone());
    let delivery = Delivery {
        path: path.clone(),
        outbox: Arc::new(Outbox::open(outbox_settings(&config), Arc::clone(&clock))?),
        album: Arc::new(Album::open(&storage.join("evidence"), config.storage.evidence_quota)?),
        outputs: Arc::default(),
        board: Arc::default(),
        clock: Arc::clone(&clock),
        register: Arc::default(),
        ledger: Arc::new(Ledger::new(&storage, Arc::clone(&clock), boot_id)),
        alarm: Arc::default(),
        tidying: Arc::default(),
        decisions: Arc::new(decisions::Writer::new(&storage)),
    };
    let standing = Arc::new(Standing::open(&storage, Arc::clone(&clock), boot_id));
    let audit = Arc::new(Audit::open(&storage, &path, clock.now().wall));
    let gate = Gate::open(&storage, &path, &config.commands, audit.worked_before());
    // Each of the two keeps the other from counting anew: numbers of sessions never come again.
    delivery.outbox.session_was(gate.spent());
    delivery.tidy(boot_id, &config.site.languages);

    let signing_key = audit.signing_key(clock.now().wall).ok();
    standing.adopt(&config);
    let birth = birth::birth(&config, &runtime, boot_id, signing_key, standing.modes());
    let (inbox, passing) = (Arc::new(Inbox::default()), Arc::new(Passing::default()));
    let line = Arc::new(Line::start(&config.broker, birth, dial(&delivery, &inbox, &passing))?);

    let eyes = Arc::new(RealEyes::new(config.inference.clone(), Arc::clone(&clock)));
    let posts = Arc::new(Posts::new(config.clone(), stop, eyes, delivery.clone(), Arc::clone(&standing), boot_id));
    let bookkeeper = Bookkeeper {
        delivery: delivery.clone(),
        posts: Arc::clone(&posts),
        standing: Arc::clone(&standing),
        trials: Trials::new(delivery.clone(), Arc::clone(&posts), boot_id),
        shown: None,
    };
    let orders = Arc::new(Orders {
        posts: Arc::clone(&posts),
        line: Arc::clone(&line),
        standing,
        delivery: delivery.clone(),
        clock,
        boot_id,
        file: file.to_owned(),
        limits: Limits::default(),
        changing: Mutex::default(),
    });
    let counts = Arc::default();
    let doors = (Arc::clone(&inbox), Arc::clone(&passing));
    let mut pulse = Pulse::new(&delivery, doors, Arc::clone(&counts), Arc::clone(&audit));
    let reception = Reception {
        inbox,
        passing,
        line: Arc::clone(&line),
        delivery: delivery.clone(),
        orders: Arc::clone(&orders),
        audit: Arc::clone(&audit),
        counts,
    };
    let ran = posts.take_up(config).and_then(|_| {
        let decisions = Arc::clone(&delivery.decisions);
        posts.crew.add("decisions".to_owned(), move |stop| decisions.run(stop))?;
        posts.crew.add("ledger".to_owned(), |stop| bookkeeper.run(stop))?;
        posts.crew.add("commands".to_owned(), |stop| reception.run(gate, stop))?;
        posts.crew.add("reloads".to_owned(), reloading(orders, audit, reloads))?;
        posts.crew.watch(|| {
            camera::bearable()?;
            if line.has_ended() {
                return Err(SiteError::Fallen { name: "the broker link".to_owned() });
            }
            delivery.tidy(boot_id, &posts.config().site.languages);
            posts.tend();
            pulse.beat(&line, &posts);
            Ok(())
        })
    });
    let ended = posts.crew.close();
    delivery.tidy(boot_id, &posts.config().site.languages);
    line.stop();
    // A camera that ended because the process cannot go on is not the reason.
    camera::bearable()?;
    ran.and(ended)
}

fn outbox_settings(config: &Config) -> OutboxSettings {
    OutboxSettings {
        folder: config.storage.path.clone(),
        quota: config.storage.outbox_quota,
        retention: config.storage.retention,
        receipts: matches!(config.broker.delivery, Delivered::Receipt(_)),
    }
}

/// How the broker is dialled: first, and whenever `[broker]` has changed.
fn dial(delivery: &Delivery, inbox: &Arc<Inbox>, passing: &Arc<Passing>) -> Box<Dial> {
    let (delivery, inbox, passing) = (delivery.clone(), Arc::clone(inbox), Arc::clone(passing));
    Box::new(move |broker, birth| {
        let Delivery { path, outbox, board, clock, .. } = &delivery;
        let mut settings = LinkSettings::new(broker.clone(), path.clone(), birth);
        // A command that the broker kept is stale, a receipt holds on.
        settings.subscriptions = vec![Subscription { filter: path.commands(), retained: false }];
        if let Delivered::Receipt(consumer) = &broker.delivery {
            settings.subscriptions.push(Subscription { filter: path.receipt(consumer), retained: true });
        }
        settings.inbox = Arc::clone(&inbox);
        settings.passing = Arc::clone(&passing);
        Link::start(settings, Arc::clone(outbox), Arc::clone(board), Arc::clone(clock))
    })
}

/// Reads the config anew whenever somebody wishes it.
fn reloading(orders: Arc<Orders>, audit: Arc<Audit>, wishes: Receiver<()>) -> impl FnOnce(&Stop) + Send {
    move |stop| {
        while !stop.is_stopped() {
            match wishes.recv_timeout(LOOK) {
                Ok(()) => {
                    let (done, outcome) = match orders.reload() {
                        Ok(done) => (true, done),
                        Err(refused) => (false, refused),
                    };
                    if done {
                        tracing::info!("reload: {}", outcome.detail);
                    } else {
                        tracing::error!("reload: {}", outcome.detail);
                    }
                    let record = Record::new(Occasion::Reload).detail(outcome.detail);
                    audit.note(orders.clock.now().wall, record);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody can wish any more.
                Err(RecvTimeoutError::Disconnected) => _ = stop.wait(LOOK),
            }
        }
    }
}

/// The kernel's boot id: monotonic times can be compared only within one boot.
fn boot_id() -> Option<Uuid> {
    std::fs::read_to_string(Path::new("/proc/sys/kernel/random/boot_id")).ok()?.trim().parse().ok()
}
