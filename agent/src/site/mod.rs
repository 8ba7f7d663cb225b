//! Starts, stops and watches everything else.

mod birth;
mod cadence;
mod crew;
mod delivery;
mod eyes;
mod guard;
mod light;
mod line;
mod orders;
mod posts;
mod pulse;
mod register;
mod standing;
mod tray;
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
    delivery::Delivery, eyes::RealEyes, line::Line, orders::Limits, posts::Posts, pulse::Pulse, standing::Standing,
};
pub use self::{
    orders::{Orders, Outcome},
    watch::{Detect, Sink, Watch, detector},
};
use crate::{
    camera::{self, CameraError},
    clock::{Clock, SystemClock},
    config::Config,
    evidence::{Album, AlbumError},
    stop::Stop,
    uplink::{Link, LinkError, LinkSettings, Outbox, OutboxError, StateBoard},
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
    let outbox = Arc::new(Outbox::open(outbox_settings(config), Arc::clone(&clock))?);
    let album = Arc::new(Album::open(&config.storage.path.join("evidence"), config.storage.evidence_quota)?);
    let standing = Arc::new(Standing::open(&config.storage.path, Arc::clone(&clock), boot_id));
    let board = Arc::new(StateBoard::new());
    let path = config.site.path.clone();
    let delivery = Delivery {
        path: path.clone(),
        outbox: Arc::clone(&outbox),
        album,
        clock: Arc::clone(&clock),
        register: Arc::default(),
    };
    delivery.tidy(boot_id, &config.site.languages);

    let dial = {
        let (path, outbox, board, clock) = (path.clone(), Arc::clone(&outbox), Arc::clone(&board), Arc::clone(&clock));
        move |broker: &_, birth| {
            let settings = LinkSettings::new(Clone::clone(broker), path.clone(), birth);
            Link::start(settings, Arc::clone(&outbox), Arc::clone(&board), Arc::clone(&clock))
        }
    };
    let line = Arc::new(Line::start(&config.broker, birth::birth(&config, &runtime, boot_id), Box::new(dial))?);

    let eyes = Arc::new(RealEyes::new(config.inference.clone(), Arc::clone(&clock)));
    let mut pulse = Pulse::new(&path, &clock, &outbox, &board);
    let posts = Posts::new(config.clone(), stop, eyes, delivery.clone(), Arc::clone(&standing), board, boot_id);
    let posts = Arc::new(posts);
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
    let ran = posts.take_up(config).and_then(|_| {
        posts.crew.add("reloads".to_owned(), reloading(orders, reloads))?;
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

/// Reads the config anew whenever somebody wishes it.
fn reloading(orders: Arc<Orders>, wishes: Receiver<()>) -> impl FnOnce(&Stop) + Send {
    move |stop| {
        while !stop.is_stopped() {
            match wishes.recv_timeout(LOOK) {
                Ok(()) => match orders.reload() {
                    Ok(done) => tracing::info!("reload: {}", done.detail),
                    Err(refused) => tracing::error!("reload: {}", refused.detail),
                },
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
