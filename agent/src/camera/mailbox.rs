use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use gstreamer as gst;

use super::{Counters, Fault, fault::Said};

/// Where `GStreamer`'s threads leave things for the camera's thread: the newest
/// picture, replaced and counted if nobody fetched it, and the first reason to end.
#[derive(Debug)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct State {
    newest: Option<gst::Sample>,
    seen: Seen,
    over: Option<Said>,
}

/// What has come so far; the watchdog judges by it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// When the first and the last packet of video came.
    pub(super) packets: Option<(Instant, Instant)>,
    /// When the last whole picture came, fetched or not.
    pub(super) last_picture: Option<Instant>,
}

/// What [`Mailbox::fetch`] found.
#[derive(Debug)]
pub(super) enum Post {
    /// The newest picture.
    Picture(gst::Sample),
    /// The stream is over.
    Over(Said),
    /// Nothing new.
    Nothing(Seen),
}

impl Mailbox {
    pub(super) fn new(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Condvar::new(), counters })
    }

    /// A picture came out of the decoder.
    pub(super) fn picture(&self, sample: gst::Sample) {
        let damaged = sample.buffer().is_none_or(|buffer| buffer.flags().contains(gst::BufferFlags::CORRUPTED));
        if damaged {
            Counters::count(&self.counters.corrupted);
            return;
        }
        Counters::count(&self.counters.decoded);
        let mut state = self.state();
        state.seen.last_picture = Some(Instant::now());
        if state.newest.replace(sample).is_some() {
            Counters::count(&self.counters.overrun);
        }
        self.changed.notify_all();
    }

    /// A packet of video came from the camera.
    pub(super) fn packet(&self) {
        let now = Instant::now();
        let packets = &mut self.state().seen.packets;
        *packets = Some((packets.map_or(now, |(first, _)| first), now));
    }

    /// The stream is over. The first reason counts, what follows are its consequences.
    pub(super) fn over(&self, why: Said) {
        self.state().over.get_or_insert(why);
        self.changed.notify_all();
    }

    /// As [`over`](Self::over), for a fault that is clear.
    pub(super) fn fail(&self, fault: Fault) {
        self.over(Said::Fault(fault));
    }

    /// Waits at most `limit` for something. A picture goes before an end: it was there first.
    pub(super) fn fetch(&self, limit: Duration) -> Post {
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.state(), limit, |state| state.newest.is_none() && state.over.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        match (state.newest.take(), &state.over) {
            (Some(sample), _) => Post::Picture(sample),
            (None, Some(why)) => Post::Over(why.clone()),
            (None, None) => Post::Nothing(state.seen),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pts: u64, flags: gst::BufferFlags) -> gst::Sample {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_seconds(pts));
        writable.set_flags(flags);
        gst::Sample::builder().buffer(&buffer).build()
    }

    #[test]
    fn the_newest_picture_wins_and_every_loss_is_counted() {
        let counters = Arc::new(Counters::default());
        let mailbox = Mailbox::new(Arc::clone(&counters));
        for second in 0..3 {
            mailbox.picture(sample(second, gst::BufferFlags::empty()));
        }
        mailbox.picture(sample(3, gst::BufferFlags::CORRUPTED));
        let Post::Picture(newest) = mailbox.fetch(Duration::ZERO) else { panic!("no picture") };
        assert_eq!(newest.buffer().unwrap().pts(), Some(gst::ClockTime::from_seconds(2)));
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Nothing(Seen { last_picture: Some(_), packets: None })));
        let counts = counters.read();
        assert_eq!((counts.decoded, counts.overrun, counts.corrupted), (3, 2, 1));
    }

    #[test]
    fn the_first_reason_to_end_is_kept_and_comes_after_the_last_picture() {
        let mailbox = Mailbox::new(Arc::default());
        mailbox.picture(sample(0, gst::BufferFlags::empty()));
        mailbox.fail(Fault::NotFound);
        mailbox.fail(Fault::Ended);
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Picture(_)));
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Over(Said::Fault(Fault::NotFound))));
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Over(_)));
    }
}
