//! From encoded to decoded pictures, one after the other: what a picture gives is there when it has been pushed.

use std::{collections::VecDeque, time::Duration};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

use super::super::{
    Fault,
    codec::Codec,
    deadline,
    decoder::{decode, picture_caps},
    lift::Lift,
    sieve::Passage,
};

/// A decoder that is driven by hand: libav's with one thread decode while they are given a picture.
pub(super) struct Decode {
    pipeline: gst::Pipeline,
    entry: gst::Pad,
    sink: AppSink,
    caps: Option<gst::Caps>,
    /// To be decoded when what is ready has been fetched.
    pending: VecDeque<gst::Buffer>,
    lift: Lift,
    /// Time of the one that was looked at before; what comes of it is left out.
    seen: Option<Duration>,
    ready: VecDeque<Decoded>,
}

/// A decoded picture.
pub(super) struct Decoded {
    pub(super) sample: gst::Sample,
    /// Its time on the recording's time line, if it has one.
    pub(super) at: Option<Duration>,
    /// Decoded by itself, to see whether anything is there at all.
    pub(super) glimpse: bool,
}

impl Decode {
    pub(super) fn new(codec: Codec) -> Result<Self, Fault> {
        let pipeline = gst::Pipeline::new();
        let sink = AppSink::builder()
            .caps(&picture_caps())
            .sync(false)
            .async_(false)
            .wait_on_eos(false)
            .enable_last_sample(false)
            .build();
        let [decoder, converter] = decode(codec.software())?;
        let parts = [&decoder, &converter, sink.upcast_ref()];
        pipeline.add_many(parts).map_err(wrong)?;
        gst::Element::link_many(parts).map_err(wrong)?;
        let entry = gst::Pad::builder(gst::PadDirection::Src).name("entry").build();
        let target = decoder.static_pad("sink").ok_or_else(|| wrong("a decoder without a sink"))?;
        entry.set_active(true).map_err(wrong)?;
        entry.link(&target).map_err(wrong)?;
        deadline::play(&pipeline)?;
        entry.push_event(gst::event::StreamStart::new("recording"));
        Ok(Self {
            pipeline,
            entry,
            sink,
            caps: None,
            pending: VecDeque::new(),
            lift: Lift::default(),
            seen: None,
            ready: VecDeque::new(),
        })
    }

    /// What comes from here on is of this format. Time stamps are places on the recording's time line.
    pub(super) fn format(&mut self, unit: &gst::Sample) {
        let caps = unit.caps().map(ToOwned::to_owned);
        if let Some(caps) = &caps
            && self.caps.as_ref() != Some(caps)
        {
            self.entry.push_event(gst::event::Caps::new(caps));
            if self.caps.is_none() {
                let segment = gst::FormattedSegment::<gst::ClockTime>::new();
                self.entry.push_event(gst::event::Segment::new(&segment));
            }
            self.caps = Some(caps.clone());
        }
    }

    /// Decodes.
    pub(super) fn take(&mut self, passage: Passage) {
        match passage {
            Passage::Nothing => {}
            Passage::Next(unit) => self.pending.push_back(unit),
            Passage::Alone(unit) => self.alone(unit, false),
            Passage::Glimpse(unit) => self.alone(unit, true),
            Passage::CatchUp(units) => {
                let first = units.first().and_then(|first| first.pts()).map(Duration::from);
                self.seen = first.filter(|_| units.len() > 1);
                self.pending.extend(units);
                first.into_iter().for_each(|first| self.lift.rewind(first));
            }
        }
    }

    /// Nothing more comes: gives out what is held back.
    pub(super) fn end(&mut self) {
        self.entry.push_event(gst::event::Eos::new());
        self.collect(false);
    }

    /// The next picture that is ready.
    pub(super) fn next(&mut self) -> Option<Decoded> {
        loop {
            if let Some(decoded) = self.ready.pop_front() {
                return Some(decoded);
            }
            let unit = self.pending.pop_front()?;
            self.push(unit);
            self.collect(false);
        }
    }

    /// Why it gives nothing any more.
    pub(super) fn error(&self) -> Option<String> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        let gst::MessageView::Error(error) = message.view() else { return None };
        Some(error.error().message().to_owned())
    }

    fn alone(&mut self, unit: gst::Buffer, glimpse: bool) {
        self.push(unit);
        // Makes the decoder give out what it holds back for reordering.
        self.entry.push_event(gst::event::SegmentDone::new(gst::ClockTime::ZERO));
        self.collect(glimpse);
    }

    /// A decoder that fails says why on the bus.
    fn push(&mut self, mut unit: gst::Buffer) {
        if let Some(at) = unit.pts() {
            let stamp = self.lift.up(at.into());
            unit.make_mut().set_pts(gst::ClockTime::try_from(stamp).ok());
        }
        let _ = self.entry.push(unit);
    }

    fn collect(&mut self, glimpse: bool) {
        while let Some(sample) = self.sink.try_pull_sample(gst::ClockTime::ZERO) {
            let at = sample.buffer().and_then(|buffer| buffer.pts()).map(|pts| self.lift.down(pts.into()));
            if self.seen.is_some() && at == self.seen {
                self.seen = None;
                continue;
            }
            self.ready.push_back(Decoded { sample, at, glimpse });
        }
    }
}

impl Drop for Decode {
    fn drop(&mut self) {
        deadline::end(&self.pipeline, "a recording's decoder");
    }
}

fn wrong(what: impl ToString) -> Fault {
    Fault::Decoder { detail: what.to_string() }
}
