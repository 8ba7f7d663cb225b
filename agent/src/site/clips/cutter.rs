use std::{
    fmt::Display,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};

use karaul_wire::Segment;

use super::{Make, ticket::Ticket};
use crate::{
    camera::{EncodedRing, Footage},
    evidence::Album,
    site::{SiteError, crew::Crew},
    stop::Stop,
};

/// So many clips wait for the one that is being made. Each holds on to as much memory as its ring at most.
const WAITING: usize = 4;

/// Between two looks at the wish to stop; so long clips of the incidents that close with the agent are waited for.
const LOOK: Duration = Duration::from_millis(500);

/// A clip that begins so much later than it should is worth a word.
const LATE: Duration = Duration::from_secs(1);

/// What became of one camera's clips, readable from any thread.
#[derive(Debug, Default)]
pub(in crate::site) struct ClipCounts {
    /// Kept.
    pub(in crate::site) kept: AtomicU64,
    /// Incidents without the clip that they should have.
    pub(in crate::site) lost: AtomicU64,
    /// The last one was lost: the next loss is no news.
    losing: AtomicBool,
    /// It was said that the ring is too small.
    small: AtomicBool,
}

impl ClipCounts {
    /// An incident has no clip, and why: one clause with the remedy.
    pub(super) fn lost(&self, camera: &Segment, why: &dyn Display) {
        self.lost.fetch_add(1, Relaxed);
        if self.losing.swap(true, Relaxed) {
            tracing::debug!(%camera, "an incident has no clip: {why}");
        } else {
            tracing::warn!(%camera, "an incident has no clip: {why}");
        }
    }

    fn kept(&self) {
        self.kept.fetch_add(1, Relaxed);
        self.losing.store(false, Relaxed);
    }
}

/// Makes the clips of all cameras, one after the other, in a thread of its own: no camera waits for the disk.
pub(in crate::site) struct Cutter {
    queue: SyncSender<Job>,
    /// The other end, until the thread has it.
    jobs: Mutex<Option<Receiver<Job>>>,
}

/// Whatever kept a clip from being kept.
type Fault = Box<dyn std::error::Error + Send + Sync>;

struct Job {
    camera: Segment,
    footage: Footage,
    ticket: Arc<Ticket>,
    counts: Arc<ClipCounts>,
}

impl Cutter {
    /// Its thread does not run yet.
    pub(in crate::site) fn new() -> Self {
        let (queue, jobs) = mpsc::sync_channel(WAITING);
        Self { queue, jobs: Mutex::new(Some(jobs)) }
    }

    /// Starts its thread, if it does not run.
    ///
    /// # Errors
    /// If the system gives none.
    pub(in crate::site) fn start(&self, crew: &Crew, album: &Arc<Album>) -> Result<(), SiteError> {
        let Some(jobs) = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let album = Arc::clone(album);
        crew.add("clips".to_owned(), move |stop| work(&jobs, &album, stop))
    }

    /// Cuts the clips of one camera out of its ring.
    pub(in crate::site) fn of(
        &self,
        camera: &Segment,
        ring: Arc<EncodedRing>,
        counts: Arc<ClipCounts>,
    ) -> Box<dyn Make + Send> {
        Box::new(RingCutter { camera: camera.clone(), ring, counts, queue: self.queue.clone() })
    }
}

fn work(jobs: &Receiver<Job>, album: &Album, stop: &Stop) {
    loop {
        match jobs.recv_timeout(LOOK) {
            Ok(job) => job.run(album),
            Err(RecvTimeoutError::Timeout) if !stop.is_stopped() => {}
            Err(_) => return,
        }
    }
}

impl Job {
    fn run(self, album: &Album) {
        let Self { camera, footage, ticket, counts } = self;
        let begun = Instant::now();
        let write = |file: &Path| -> Result<(), Fault> { Ok(footage.to_mp4(file, &format!("camera {camera}"))?) };
        let kept = album.keep_clip(footage.bytes(), write);
        match kept {
            Ok(clip) => {
                if ticket.made(Some(clip.clone())) {
                    let (pictures, bytes, took) = (footage.len(), clip.size, begun.elapsed());
                    tracing::debug!(%camera, pictures, bytes, ?took, "a clip is kept");
                    counts.kept();
                } else {
                    // Its incident has closed without it, which was counted there.
                    album.forget(&clip);
                }
            }
            Err(why) => {
                if ticket.made(None) {
                    counts.lost(&camera, &why);
                }
            }
        }
    }
}

/// Cuts clips out of the ring of one camera and hands them to the [`Cutter`]'s thread.
struct RingCutter {
    camera: Segment,
    ring: Arc<EncodedRing>,
    counts: Arc<ClipCounts>,
    queue: SyncSender<Job>,
}

impl Make for RingCutter {
    fn make(&self, from: Duration, to: Duration) -> Option<Arc<Ticket>> {
        let Self { camera, ring, counts, queue } = self;
        let Some(footage) = ring.cut(from, to) else {
            counts
                .lost(camera, &"nothing was received at that time; look for what the log says of the camera's stream");
            return None;
        };
        if footage.is_short() && footage.begins() > from + LATE && !counts.small.swap(true, Relaxed) {
            tracing::warn!(
                %camera,
                "a clip begins {:.0} s late: no more of the stream fits into memory; raise memory in [camera.clips]",
                (footage.begins() - from).as_secs_f64()
            );
        }
        let ticket = Arc::<Ticket>::default();
        let (camera, counts) = (camera.clone(), Arc::clone(counts));
        let job = Job { camera, footage, ticket: Arc::clone(&ticket), counts };
        match queue.try_send(job) {
            Ok(()) => Some(ticket),
            Err(TrySendError::Full(job)) => {
                let why = "more incidents end at a time than clips are written; look for a slow disk";
                job.counts.lost(&job.camera, &why);
                None
            }
            Err(TrySendError::Disconnected(job)) => {
                job.counts.lost(&job.camera, &"the agent is stopping");
                None
            }
        }
    }

    fn late(&self) {
        let why = "it was not written in time for the end of the incident; look for a slow disk";
        self.counts.lost(&self.camera, &why);
    }

    fn crowded(&self) {
        let why = "too many incidents of this camera are open at a time; a cooldown of its rules helps";
        self.counts.lost(&self.camera, &why);
    }
}
