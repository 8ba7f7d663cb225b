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
                let since = *state.awake_since.get_or_insert(at);
                let behind = self.mailbox.behind(at, since) > FAR_BEHIND || self.decoder.current_level_bytes() > MOST;
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

    fn push(&self, unit: gst::Buffer) -> Result<(), gst::FlowError> {
        self.mailbox.owed();
        self.decoder.push_buffer(unit).map(|_| ())
    }
}

fn time(unit: &gst::Buffer) -> Duration {
    unit.pts().map(Duration::from).unwrap_or_default()
}
