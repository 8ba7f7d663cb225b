//! Between the camera and the decoder: which encoded pictures go on, which wait.

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
    Counters,
    demand::{Demand, Glance, Useless, Verdict},
    kept::Kept,
    mailbox::Mailbox,
};

/// A decoder that is so far behind does not keep up with the stream: the rest up to the next keyframe is left out. Old
/// pictures help nobody.
const FAR_BEHIND: Duration = Duration::from_secs(2);

/// Where encoded pictures come in, in the order of the stream, from the thread that receives them.
pub(super) struct Sluice {
    state: Mutex<State>,
    decoder: AppSrc,
    mailbox: Arc<Mailbox>,
    attentive: Arc<AtomicBool>,
}

struct State {
    demand: Demand,
    kept: Kept,
    /// Since when every picture is decoded.
    awake_since: Option<Duration>,
    /// Whether the rest up to the next keyframe is left out.
    leaving_out: bool,
    said: Option<Useless>,
}

impl Sluice {
    /// `decoder` takes what is to be decoded. `attentive` is set while somebody wants to see every picture.
    pub(super) fn new(demand: Demand, decoder: AppSrc, mailbox: Arc<Mailbox>, attentive: Arc<AtomicBool>) -> Self {
        let state = State { demand, kept: Kept::default(), awake_since: None, leaving_out: false, said: None };
        Self { state: Mutex::new(state), decoder, mailbox, attentive }
    }

    /// The next encoded picture; `buffer`'s time stamp is when it arrived, on the monotonic time line.
    ///
    /// # Errors
    /// The decoder takes nothing any more; why is on the pipeline's bus.
    pub(super) fn take(&self, camera: &str, buffer: gst::Buffer) -> Result<(), gst::FlowError> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        let flags = buffer.flags();
        let glance = Glance {
            at: buffer.pts().map(Duration::from).unwrap_or_default(),
            size: buffer.size(),
            keyframe: !flags.contains(gst::BufferFlags::DELTA_UNIT),
            disposable: flags.contains(gst::BufferFlags::DROPPABLE),
        };
        let verdict = state.demand.decide(glance, self.attentive.load(Relaxed));
        let useless = state.demand.useless();
        if state.said != useless {
            state.said = useless;
            say(camera, useless);
        }
        if matches!(verdict, Verdict::Keep | Verdict::Glimpse) {
            state.awake_since = None;
        }
        match verdict {
            Verdict::LeaveOut => self.mailbox.left_out(),
            Verdict::Keep if state.kept.add(&buffer) => self.mailbox.left_out(),
            Verdict::Keep => {
                // No room to keep it: decoded at once, with what was kept before.
                state.demand.wake(glance.at);
                self.catch_up(state.kept.take_last(), buffer)?;
            }
            Verdict::FromLast => self.catch_up(state.kept.take_last(), buffer)?,
            Verdict::FromBefore => self.catch_up(state.kept.take_all(), buffer)?,
            Verdict::Alone | Verdict::Glimpse => {
                if verdict == Verdict::Glimpse {
                    state.kept.begin(buffer.clone());
                    self.mailbox.glimpse(glance.at);
                }
                self.push(buffer)?;
                // Makes the decoder give out what it holds back for reordering.
                let done = gst::event::SegmentDone::new(gst::ClockTime::ZERO);
                if !self.decoder.send_event(done) {
                    tracing::debug!(camera, "the decoder takes no SEGMENT_DONE");
                }
            }
            Verdict::Decode => {
                state.kept.clear();
                let since = *state.awake_since.get_or_insert(glance.at);
                let behind = self.mailbox.behind(glance.at, since) > FAR_BEHIND;
                // What needs a picture that was left out is of no use.
                state.leaving_out = behind || state.leaving_out && !glance.keyframe;
                if state.leaving_out {
                    Counters::count(&self.mailbox.counters().overrun);
                } else {
                    self.push(buffer)?;
                }
            }
        }
        Ok(())
    }

    fn catch_up(&self, kept: Vec<gst::Buffer>, newest: gst::Buffer) -> Result<(), gst::FlowError> {
        let at = |buffer: &gst::Buffer| buffer.pts().map(Duration::from).unwrap_or_default();
        // The first is a keyframe that was looked at already.
        if let Some(first) = kept.first() {
            self.mailbox.catch_up(at(first), at(&newest));
        }
        for buffer in kept.into_iter().chain([newest]) {
            self.push(buffer)?;
        }
        Ok(())
    }

    fn push(&self, buffer: gst::Buffer) -> Result<(), gst::FlowError> {
        self.mailbox.owed();
        self.decoder.push_buffer(buffer).map(|_| ())
    }
}

/// Once for each change: an installer can do something about it.
fn say(camera: &str, useless: Option<Useless>) {
    match useless {
        Some(Useless::RareKeyframes) => tracing::warn!(
            camera,
            "keyframes come too rarely for decoding = \"on-demand\", so every picture is decoded; set a keyframe \
             interval of at most 2 s in the camera, or raise look_every"
        ),
        Some(Useless::FlatSizes) => tracing::warn!(
            camera,
            "motion does not show in the sizes of the encoded pictures, so every picture is decoded for an hour; set a \
             variable bit rate in the camera, or decoding = \"full\""
        ),
        None => tracing::info!(camera, "decoded on demand again"),
    }
}
