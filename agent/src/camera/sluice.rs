//! Between a live camera and its decoder.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;

use super::{
    Counters, kept,
    mailbox::Mailbox,
    sieve::{Passage, Sieve},
};

/// A decoder that is so far behind does not keep up with the stream: the rest up to the next keyframe is left out. Old
/// pictures help nobody.
const FAR_BEHIND: Duration = Duration::from_secs(2);

/// The decoder's queue holds no more bytes than this: what is caught up, and as much again that came meanwhile.
const MOST: u64 = 2 * kept::MOST as u64;

/// Takes encoded pictures in the order of the stream, from the thread that receives them, and never waits.
pub(super) struct Sluice {
    state: Mutex<State>,
    decoder: AppSrc,
    mailbox: Arc<Mailbox>,
    attentive: Arc<AtomicBool>,
}

struct State {
    sieve: Sieve,
    /// Since when every picture is decoded.
    awake_since: Option<Duration>,
    /// Whether the rest up to the next keyframe is left out.
    leaving_out: bool,
}

impl Sluice {
    /// `decoder` takes what is to be decoded. `attentive` is set while somebody wants to see every picture.
    pub(super) fn new(sieve: Sieve, decoder: AppSrc, mailbox: Arc<Mailbox>, attentive: Arc<AtomicBool>) -> Self {
        let state = State { sieve, awake_since: None, leaving_out: false };
        Self { state: Mutex::new(state), decoder, mailbox, attentive }
    }

    /// The next encoded picture; its time stamp is when it arrived, on the monotonic time line.
    ///
    /// # Errors
    /// The decoder takes nothing any more; why is on the pipeline's bus.
    pub(super) fn take(&self, unit: gst::Buffer) -> Result<(), gst::FlowError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, delta) = (time(&unit), unit.flags().contains(gst::BufferFlags::DELTA_UNIT));
        let passage = state.sieve.take(at, unit, self.attentive.load(Relaxed));
        self.mailbox.full_decoding(state.sieve.useless(), matches!(passage, Passage::Glimpse(_)));
        if matches!(passage, Passage::Nothing | Passage::Alone(_) | Passage::Glimpse(_)) {
            state.awake_since = None;
        }
        if !matches!(passage, Passage::Next(_)) {
            // What follows begins with a keyframe.
            state.leaving_out = false;
        }
        match passage {
            Passage::Nothing => self.mailbox.left_out(),
            Passage::Alone(unit) => self.push_alone(unit)?,
            Passage::Glimpse(unit) => {
                self.mailbox.glimpse(at);
                self.push_alone(unit)?;
            }
            Passage::CatchUp(units) => {
                if let [first, _, ..] = units.as_slice() {
                    self.mailbox.catch_up(time(first), at);
                }
                units.into_iter().try_for_each(|unit| self.push(unit))?;
            }
            Passage::Next(unit) => {
                let queued = self.decoder.current_level_bytes();
                if queued == 0 && !delta {
                    // One that has nothing left to decode is not behind: what it was given before was of no use to it.
                    state.awake_since = Some(at);
                }
                let since = *state.awake_since.get_or_insert(at);
                let behind = self.mailbox.behind(at, since) > FAR_BEHIND || queued > MOST;
                // What needs a picture that was left out is of no use.
                state.leaving_out = behind || state.leaving_out && delta;
                if state.leaving_out {
                    Counters::count(&self.mailbox.counters().overrun);
                } else {
                    self.push(unit)?;
                }
            }
        }
        Ok(())
    }

    fn push_alone(&self, unit: gst::Buffer) -> Result<(), gst::FlowError> {
        self.push(unit)?;
        // Makes the decoder give out what it holds back for reordering; refused only by one that has failed.
        self.decoder.send_event(gst::event::SegmentDone::new(gst::ClockTime::ZERO));
        Ok(())
    }

    fn push(&self, mut unit: gst::Buffer) -> Result<(), gst::FlowError> {
        let stamp = self.mailbox.owed(time(&unit));
        // The memory is shared; only the time is new.
        unit.make_mut().set_pts(gst::ClockTime::try_from(stamp).ok());
        self.decoder.push_buffer(unit).map(|_| ())
    }
}

fn time(unit: &gst::Buffer) -> Duration {
    unit.pts().map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use gstreamer_app::AppSink;

    use super::*;
    use crate::{camera::demand::Demand, config::Decoding};

    const STEP: Duration = Duration::from_millis(40);

    /// A sluice before something that takes what it is given as slowly as the test wants, and gives out nothing.
    struct Rig {
        sluice: Sluice,
        source: AppSrc,
        decoder: AppSink,
        pipeline: gst::Pipeline,
        count: u32,
    }

    impl Rig {
        fn new() -> Self {
            gst::init().unwrap();
            let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).build();
            let decoder = AppSink::builder().sync(false).async_(false).max_buffers(1).build();
            let pipeline = gst::Pipeline::new();
            pipeline.add_many([source.upcast_ref::<gst::Element>(), decoder.upcast_ref()]).unwrap();
            source.link(&decoder).unwrap();
            pipeline.set_state(gst::State::Playing).unwrap();
            let mailbox = Mailbox::new(Arc::default(), 5 * STEP);
            let sieve = Sieve::new(Demand::new(Decoding::Full, Duration::from_secs(2)));
            let sluice = Sluice::new(sieve, source.clone(), mailbox, Arc::default());
            Self { sluice, source, decoder, pipeline, count: 0 }
        }

        fn take(&mut self, count: u32, keyframe: bool) {
            for _ in 0..count {
                let mut unit = gst::Buffer::with_size(100).unwrap();
                let writable = unit.get_mut().unwrap();
                writable.set_pts(gst::ClockTime::try_from(STEP * self.count).unwrap());
                writable.set_flags(if keyframe { gst::BufferFlags::empty() } else { gst::BufferFlags::DELTA_UNIT });
                self.sluice.take(unit).unwrap();
                self.count += 1;
            }
        }

        /// Everything that is there is decoded.
        fn drain(&self) {
            let end = Instant::now() + Duration::from_secs(10);
            while self.decoder.try_pull_sample(gst::ClockTime::from_mseconds(50)).is_some()
                || self.source.current_level_bytes() > 0
            {
                assert!(Instant::now() < end, "it is never empty");
                thread::yield_now();
            }
        }

        fn left_out(&self) -> u64 {
            self.sluice.mailbox.counters().read().overrun
        }
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            let _ = self.pipeline.set_state(gst::State::Null);
        }
    }

    #[test]
    fn a_decoder_that_is_behind_is_spared_what_follows_up_to_a_keyframe() {
        let mut rig = Rig::new();
        rig.take(1, true);
        rig.take(100, false);
        assert_eq!(rig.left_out(), 50, "what came after two seconds");
        let left_out = rig.left_out();
        rig.drain();
        rig.take(10, false);
        assert_eq!(rig.left_out(), left_out + 10, "they need what was left out");
        rig.take(1, true);
        rig.take(5, false);
        assert_eq!(rig.left_out(), left_out + 10);
    }

    #[test]
    fn a_stream_that_begins_in_mid_group_is_decoded_from_its_first_keyframe_on() {
        let mut rig = Rig::new();
        for _ in 0..4 {
            rig.take(20, false);
            rig.drain();
        }
        let left_out = rig.left_out();
        rig.take(1, true);
        rig.take(20, false);
        assert_eq!(rig.left_out(), left_out);
    }
}
