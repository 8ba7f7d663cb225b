use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use gstreamer as gst;
use karaul_wire::FullDecodingCause;

use super::{Counters, Fault, fault::Said, lift::Lift};

/// With keyframes further apart than this a camera that is decoded in keyframes only is blind.
const RAREST_KEYFRAMES: Duration = Duration::from_secs(25);

/// A picture that is caught up waits at most so long for the one before it to be fetched: longer than any look takes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where `GStreamer`'s threads leave things for the camera's thread: the newest
/// picture, replaced and counted if nobody fetched it, and the first reason to end.
///
/// Pictures that are caught up do not replace each other: as many of them as are looked at wait for each other, and
/// hold the decoder up meanwhile.
#[derive(Debug)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
    counters: Arc<Counters>,
    /// Between two pictures that are looked at.
    period: Duration,
}

#[derive(Debug, Default)]
struct State {
    newest: Option<(Duration, gst::Sample)>,
    lift: Lift,
    /// Times of keyframes that are decoded by themselves and have not come out yet.
    glimpses: VecDeque<Duration>,
    catch_up: Option<CatchUp>,
    /// Time of the last picture that came out.
    last_out: Duration,
    seen: Seen,
    /// Why every picture is decoded though it should not be; the outer `None` until that is known.
    full_decoding: Option<Option<FullDecodingCause>>,
    /// What a depayloader complained of last.
    complaint: Option<String>,
    over: Option<Said>,
    closed: bool,
}

/// What lies between two pictures that are, or will be, looked at as they come.
#[derive(Debug)]
struct CatchUp {
    after: Duration,
    until: Duration,
    /// When the next one is due.
    next: Duration,
}

/// A picture for the camera's thread.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) sample: gst::Sample,
    /// When it arrived, on the monotonic time line.
    pub(super) at: Duration,
    /// It was decoded by itself; those before and after it were not.
    pub(super) glimpse: bool,
}

/// What has come so far; the watchdog judges by it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// When the first and the last packet of video came.
    pub(super) packets: Option<(Instant, Instant)>,
    /// When the last whole picture came, fetched or not, or one was left out on purpose while none was outstanding.
    pub(super) last_picture: Option<Instant>,
    /// When the decoder gave out the last whole picture.
    pub(super) last_decoded: Option<Instant>,
    /// The decoder has been given something since the last picture.
    pub(super) owed: bool,
    /// When a picture's time stamp was last beyond belief.
    pub(super) jumped: Option<Instant>,
}

/// What [`Mailbox::fetch`] found.
#[derive(Debug)]
pub(super) enum Post {
    /// The newest picture.
    Picture(Fresh),
    /// The stream is over.
    Over(Said),
    /// Nothing new.
    Nothing(Seen),
}

impl Mailbox {
    /// `period` lies between two pictures that are looked at.
    pub(super) fn new(counters: Arc<Counters>, period: Duration) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Condvar::new(), counters, period })
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A picture came out of the decoder.
    pub(super) fn picture(&self, sample: gst::Sample) {
        let at = sample.buffer().and_then(|buffer| buffer.pts()).map(Duration::from);
        let damaged = sample.buffer().is_none_or(|buffer| buffer.flags().contains(gst::BufferFlags::CORRUPTED));
        if damaged {
            Counters::count(&self.counters.corrupted);
            return;
        }
        Counters::count(&self.counters.decoded);
        let mut state = self.state();
        let at = at.map_or(state.last_out, |at| state.lift.down(at));
        let now = Some(Instant::now());
        (state.seen.last_picture, state.seen.last_decoded) = (now, now);
        state.seen.owed = false;
        state.last_out = at;
        if let Some(catch_up) = &mut state.catch_up {
            if at >= catch_up.until {
                state.catch_up = None;
            } else if at <= catch_up.after || at + self.period / 8 < catch_up.next {
                // Not due; as in the cadence of looks, times may tremble by an eighth of a period.
                return;
            } else {
                catch_up.next = at + self.period;
            }
            let waits = |state: &mut State| state.newest.is_some() && state.over.is_none() && !state.closed;
            let waited = self.changed.wait_timeout_while(state, PATIENCE, waits);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if state.newest.replace((at, sample)).is_some() {
            Counters::count(&self.counters.overrun);
        }
        self.changed.notify_all();
    }

    /// A depayloader cannot read something, and goes on.
    pub(super) fn complained(&self, words: String) {
        self.state().complaint = Some(words);
    }

    /// What a depayloader could not read last.
    pub(super) fn complaint(&self) -> Option<String> {
        self.state().complaint.clone()
    }

    /// An encoded picture came that is not to be decoded: that is as good as seeing.
    pub(super) fn received(&self) {
        self.state().seen.last_picture = Some(Instant::now());
    }

    /// What has come so far.
    pub(super) fn seen(&self) -> Seen {
        self.state().seen
    }

    /// A picture came with a time stamp beyond belief.
    pub(super) fn jumped(&self) {
        self.state().seen.jumped = Some(Instant::now());
    }

    /// Why every picture is decoded though it should not be, if so. `glimpsed`: decoding on demand does work.
    pub(super) fn full_decoding(&self, cause: Option<FullDecodingCause>, glimpsed: bool) {
        if cause.is_some() || glimpsed {
            self.state().full_decoding = Some(cause);
        }
    }

    /// As [`full_decoding`](Self::full_decoding) was told last; `None` until that is known.
    pub(super) fn decodes_fully(&self) -> Option<Option<FullDecodingCause>> {
        self.state().full_decoding
    }

    /// The decoder is given a picture of this time; the time stamp that it is to have.
    pub(super) fn owed(&self, at: Duration) -> Duration {
        let mut state = self.state();
        state.seen.owed = true;
        state.lift.up(at)
    }

    /// An encoded picture was left out on purpose. As long as the decoder has given everything it was asked for, and is
    /// asked now and then, that is as good as seeing.
    pub(super) fn left_out(&self) {
        let (seen, now) = (&mut self.state().seen, Instant::now());
        if !seen.owed && seen.last_decoded.is_some_and(|last| now.duration_since(last) < RAREST_KEYFRAMES) {
            seen.last_picture = Some(now);
        }
    }

    /// The decoder is given a keyframe by itself.
    pub(super) fn glimpse(&self, at: Duration) {
        let mut state = self.state();
        // None that is older than the last picture will come out any more.
        let last_out = state.last_out;
        state.glimpses.retain(|glimpse| *glimpse > last_out);
        state.glimpses.push_back(at);
    }

    /// The decoder is given pictures that were kept: those after `after` are looked at, as often as those that come
    /// from `until` on.
    pub(super) fn catch_up(&self, after: Duration, until: Duration) {
        let mut state = self.state();
        state.catch_up = Some(CatchUp { after, until, next: after + self.period });
        state.lift.rewind(after);
    }

    /// How far the decoder is behind a stream that has got to `at`, if it has been given everything from `since` on.
    pub(super) fn behind(&self, at: Duration, since: Duration) -> Duration {
        let state = self.state();
        if state.catch_up.is_some() { Duration::ZERO } else { at.saturating_sub(state.last_out.max(since)) }
    }

    /// Nobody fetches any more, and nobody waits for that.
    pub(super) fn close(&self) {
        self.state().closed = true;
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
        let newest = state.newest.take().map(|(at, sample)| {
            // Whoever catches up may leave the next one.
            self.changed.notify_all();
            let glimpse = state.catch_up.is_none() && state.glimpses.contains(&at);
            Fresh { sample, at, glimpse }
        });
        match (newest, &state.over) {
            (Some(fresh), _) => Post::Picture(fresh),
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
    use std::thread;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn sample(at: Duration, flags: gst::BufferFlags) -> gst::Sample {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::try_from(at).unwrap());
        writable.set_flags(flags);
        gst::Sample::builder().buffer(&buffer).build()
    }

    fn whole(at: Duration) -> gst::Sample {
        sample(at, gst::BufferFlags::empty())
    }

    /// The time of the picture that is there, and whether it is a glimpse.
    fn fetch(mailbox: &Mailbox, limit: Duration) -> (Duration, bool) {
        let Post::Picture(fresh) = mailbox.fetch(limit) else { panic!("no picture") };
        (fresh.at, fresh.glimpse)
    }

    #[test]
    fn the_newest_picture_wins_and_every_loss_is_counted() {
        let counters = Arc::new(Counters::default());
        let mailbox = Mailbox::new(Arc::clone(&counters), SECOND);
        for second in 0..3 {
            mailbox.picture(whole(SECOND * second));
        }
        mailbox.picture(sample(3 * SECOND, gst::BufferFlags::CORRUPTED));
        assert_eq!(fetch(&mailbox, Duration::ZERO), (2 * SECOND, false));
        let nothing = mailbox.fetch(Duration::ZERO);
        assert!(matches!(nothing, Post::Nothing(Seen { last_picture: Some(_), packets: None, .. })));
        let counts = counters.read();
        assert_eq!((counts.decoded, counts.overrun, counts.corrupted), (3, 2, 1));
    }

    #[test]
    fn the_first_reason_to_end_is_kept_and_comes_after_the_last_picture() {
        let mailbox = Mailbox::new(Arc::default(), SECOND);
        mailbox.picture(whole(Duration::ZERO));
        mailbox.fail(Fault::NotFound);
        mailbox.fail(Fault::Ended);
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Picture(_)));
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Over(Said::Fault(Fault::NotFound))));
        assert!(matches!(mailbox.fetch(Duration::ZERO), Post::Over(_)));
    }

    #[test]
    fn what_is_caught_up_is_not_replaced_but_thinned_out() {
        let counters = Arc::new(Counters::default());
        let mailbox = Mailbox::new(Arc::clone(&counters), SECOND / 5);
        mailbox.glimpse(10 * SECOND);
        mailbox.picture(whole(mailbox.owed(10 * SECOND)));
        assert_eq!(fetch(&mailbox, Duration::ZERO), (10 * SECOND, true));
        mailbox.catch_up(10 * SECOND, 12 * SECOND);
        let decoder = thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || {
                (0..=50).map(|n| 10 * SECOND + n * SECOND / 25).for_each(|at| mailbox.picture(whole(mailbox.owed(at))));
            }
        });
        let looked_at: Vec<_> = (0..10).map(|_| fetch(&mailbox, 10 * SECOND).0.as_millis()).collect();
        assert_eq!(looked_at, [10_200, 10_400, 10_600, 10_800, 11_000, 11_200, 11_400, 11_600, 11_800, 12_000]);
        decoder.join().unwrap();
        assert_eq!(counters.read().overrun, 0);
    }

    #[test]
    fn nobody_waits_for_one_who_has_gone() {
        let mailbox = Mailbox::new(Arc::default(), SECOND / 5);
        mailbox.catch_up(Duration::ZERO, 2 * SECOND);
        mailbox.close();
        for n in 1..50 {
            mailbox.picture(whole(n * SECOND / 25));
        }
        assert_eq!(mailbox.behind(9 * SECOND, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn leaving_out_is_seeing_only_while_the_decoder_owes_nothing() {
        let mailbox = Mailbox::new(Arc::default(), SECOND);
        let last = |mailbox: &Mailbox| mailbox.state().seen.last_picture;
        mailbox.left_out();
        assert_eq!(last(&mailbox), None);
        mailbox.picture(whole(SECOND));
        let first = last(&mailbox);
        mailbox.owed(2 * SECOND);
        mailbox.left_out();
        assert_eq!(last(&mailbox), first);
        mailbox.picture(whole(2 * SECOND));
        let second = last(&mailbox);
        mailbox.left_out();
        assert!(second > first && last(&mailbox) > second);
        assert_eq!(mailbox.behind(9 * SECOND, SECOND), 7 * SECOND);
        // Nothing was asked of it for too long.
        let long_ago = Instant::now().checked_sub(RAREST_KEYFRAMES);
        (mailbox.state().seen.last_decoded, mailbox.state().seen.last_picture) = (long_ago, long_ago);
        mailbox.left_out();
        assert_eq!(last(&mailbox), long_ago);
    }
}
