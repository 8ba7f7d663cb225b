use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What happened on one camera since the agent's start. Written by the camera's
/// threads, readable from any other.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) decoded: AtomicU64,
    pub(super) overrun: AtomicU64,
    pub(super) corrupted: AtomicU64,
    pub(super) reconnects: AtomicU64,
}

/// The [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whole pictures that came out of the decoder.
    pub decoded: u64,
    /// Pictures replaced by a newer one before anybody looked.
    pub overrun: u64,
    /// Pictures that were damaged on the way and not shown to anybody.
    pub corrupted: u64,
    /// Streams that failed or ended.
    pub reconnects: u64,
}

impl Counters {
    /// All counters now.
    #[must_use]
    pub fn read(&self) -> Counts {
        Counts {
            decoded: self.decoded.load(Relaxed),
            overrun: self.overrun.load(Relaxed),
            corrupted: self.corrupted.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
        }
    }

    /// One more of `counter`. Relaxed: each counter stands for itself.
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}
