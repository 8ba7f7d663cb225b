//! Recordings: the same decoders and frames as live streams, but every picture counts.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use jiff::Timestamp;
use karaul_wire::FullDecodingCause;

use super::{Frame, codec::Codec, container::declared_length, deadline, demand::Demand, sieve::Sieve};
use crate::{clock::Stamp, config::Decoding};

mod decode;
mod error;
mod pipeline;
mod timeline;

pub use error::RecordingError;

use decode::{Decode, Decoded};
use error::PICTURE_LIMIT;
use pipeline::{Offer, build};
use timeline::Timeline;

/// Longest wait for the first picture of a file that is shorter than its headers say.
const CUT_OFF_LIMIT: Duration = Duration::from_secs(3);

/// Between two looks at the bus for errors.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// Pictures a second of a bare H.264 or H.265 stream that does not say it.
const BARE_RATE: f64 = 25.0;

/// The pictures of one file, in order of presentation, as fast as they are fetched. Two passes give the same.
///
/// Reads what the demuxers of `GStreamer` read (MP4, AVI, Matroska, MPEG-TS …) with H.264, H.265, Motion JPEG
/// or MPEG-4 video, and bare H.264 and H.265 streams (`.h264`, `.264`, `.h265`, `.265` …).
pub struct Recording {
    path: PathBuf,
    pipeline: gst::Pipeline,
    units: AppSink,
    decode: Option<Decode>,
    sieve: Sieve,
    attentive: bool,
    timeline: Timeline,
    /// An encoded picture was taken.
    begun: bool,
    offer: Arc<Mutex<Offer>>,
    origin: Timestamp,
    /// A bare stream has no usable time stamps: its pictures are counted.
    bare: bool,
    pictures: u64,
    damaged: u64,
    last: Option<Duration>,
    /// What the file lacks by its own account.
    cut_off: Option<String>,
    /// The decoder was told that nothing more comes.
    ended: bool,
    over: bool,
}

impl Recording {
    /// Opens a file whose first picture was taken at `origin`. Call [`init`](super::init) before.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or the pipeline not be built.
    pub fn open(path: &Path, origin: Timestamp) -> Result<Self, RecordingError> {
        let open = |source| RecordingError::Open { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(open)?;
        let properties = file.metadata().map_err(open)?;
        if !properties.is_file() {
            return Err(open(io::Error::other("not a file")));
        }
        let there = properties.len();
        let declared = declared_length(&mut file).map_err(open)?.unwrap_or(0);
        let bare = path.extension().and_then(|extension| extension.to_str()).and_then(Codec::from_extension);
        let offer = Arc::<Mutex<Offer>>::default();
        let (pipeline, units) = build(path, bare, &offer)
            .and_then(|(pipeline, units)| deadline::play(&pipeline).map(|()| (pipeline, units)))
            .map_err(|fault| RecordingError::Unreadable { path: path.to_owned(), detail: fault.to_string() })?;
        Ok(Self {
            path: path.to_owned(),
            pipeline,
            units,
            decode: None,
            sieve: Sieve::new(Demand::new(Decoding::Full, Duration::ZERO)),
            attentive: true,
            timeline: Timeline::default(),
            begun: false,
            offer,
            origin,
            bare: bare.is_some(),
            pictures: 0,
            damaged: 0,
            last: None,
            cut_off: (declared > there).then(|| format!("{there} of {declared} bytes are there")),
            ended: false,
            over: false,
        })
    }

    /// Decodes as a camera with these settings is decoded. Bare streams, which have no time stamps, are decoded in
    /// full.
    #[must_use]
    pub fn decoded(mut self, decoding: Decoding, look_every: Duration) -> Self {
        let decoding = if self.bare { Decoding::Full } else { decoding };
        self.sieve = Sieve::new(Demand::new(decoding, look_every));
        self
    }

    /// Tells, after each picture, whether every picture is wanted, or glimpses will do; with [`Decoding::OnDemand`].
    pub fn attend(&mut self, attentive: bool) {
        self.attentive = attentive;
    }

    /// Why every picture is decoded though decoding on demand was asked for.
    #[must_use]
    pub fn full_decoding(&self) -> Option<FullDecodingCause> {
        self.sieve.useless()
    }

    /// How many pictures were damaged and left out.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    fn next_whole(&mut self) -> Result<Option<Frame>, RecordingError> {
        while let Some(Decoded { sample, at, glimpse }) = self.next_decoded()? {
            let at = self.place(&sample, at, glimpse);
            if sample.buffer().is_some_and(|buffer| buffer.flags().contains(gst::BufferFlags::CORRUPTED)) {
                self.damaged += 1;
                continue;
            }
            let frame =
                Frame::new(&sample, Stamp::after(self.origin, at)).map_err(|fault| self.cut(fault.to_string()))?;
            self.pictures += 1;
            return Ok(Some(frame.glimpsed(glimpse)));
        }
        match self.cut_off.take() {
            Some(detail) => Err(self.cut(detail)),
            None => Ok(None),
        }
    }

    /// The next decoded picture; encoded ones are taken from the file until there is one.
    fn next_decoded(&mut self) -> Result<Option<Decoded>, RecordingError> {
        loop {
            if let Some(decoded) = self.decode.as_mut().and_then(Decode::next) {
                return Ok(Some(decoded));
            }
            if let Some(detail) = self.decode.as_ref().and_then(Decode::error) {
                return Err(self.cut(detail));
            }
            match self.pull()? {
                Some(unit) => self.pass(&unit)?,
                None if self.ended => return Ok(None),
                None => {
                    self.ended = true;
                    self.decode.as_mut().into_iter().for_each(Decode::end);
                }
            }
        }
    }

    /// An encoded picture goes to the decoder, or not.
    fn pass(&mut self, sample: &gst::Sample) -> Result<(), RecordingError> {
        let Some(mut unit) = sample.buffer_owned() else { return Ok(()) };
        if self.decode.is_none() {
            let codec = self.offer.lock().unwrap_or_else(PoisonError::into_inner).taken;
            let codec = codec.ok_or_else(|| self.cut("no codec is known".to_owned()))?;
            self.decode = Some(Decode::new(codec).map_err(|fault| self.cut(fault.to_string()))?);
        }
        self.begun = true;
        let mut at = self.timeline.latest();
        if let Some(claimed) = claimed(sample) {
            at = self.timeline.place(claimed);
            unit.make_mut().set_pts(gst::ClockTime::try_from(at).ok());
        }
        let passage = self.sieve.take(at, unit, self.attentive);
        if let Some(decode) = &mut self.decode {
            decode.format(sample);
            decode.take(passage);
        }
        Ok(())
    }

    /// Waits for a sample, the end, or an error; for the error last, so that what came before it is given out.
    fn pull(&self) -> Result<Option<gst::Sample>, RecordingError> {
        if self.ended {
            return Ok(None);
        }
        let begun = Instant::now();
        let mut error = None;
        loop {
            if let Some(sample) = self.units.try_pull_sample(LOOK) {
                return Ok(Some(sample));
            }
            if let Some(error) = error.take() {
                return Err(error);
            }
            error = self.error();
            if error.is_none() && self.units.is_eos() {
                return Ok(None);
            }
            // An error that a demuxer posts while parsebin is still plugging it in is swallowed there (GStreamer
            // 1.22), so a file that is known to be cut off is given up early.
            let limit = match &self.cut_off {
                Some(_) if !self.begun => CUT_OFF_LIMIT,
                _ => PICTURE_LIMIT,
            };
            if begun.elapsed() > limit {
                return Err(match &self.cut_off {
                    Some(detail) => self.cut(detail.clone()),
                    None => RecordingError::Slow { path: self.path.clone(), pictures: self.pictures },
                });
            }
        }
    }

    fn error(&self) -> Option<RecordingError> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        let gst::MessageView::Error(error) = message.view() else { return None };
        let offer = self.offer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = &offer.fault {
            return Some(self.cut(fault.to_string()));
        }
        if offer.taken.is_none() && !offer.media.is_empty() {
            return Some(RecordingError::NoVideo { path: self.path.clone(), found: offer.media.join(", ") });
        }
        Some(self.cut(error.error().message().to_owned()))
    }

    fn cut(&self, detail: String) -> RecordingError {
        let (path, pictures) = (self.path.clone(), self.pictures);
        if pictures == 0 {
            RecordingError::Unreadable { path, detail }
        } else {
            RecordingError::Damaged { path, pictures, detail }
        }
    }

    /// The picture's time on the recording's time line; later than that of the one before.
    fn place(&mut self, sample: &gst::Sample, at: Option<Duration>, glimpse: bool) -> Duration {
        let step = Duration::from_secs_f64(1.0 / rate(sample));
        let counted = self.last.map_or(Duration::ZERO, |last| last + step);
        let place = at.filter(|_| !self.bare).unwrap_or(counted);
        let place = self.last.map_or(place, |last| place.max(last + Duration::from_micros(1)));
        // What came before a glimpse may still follow.
        if !glimpse {
            self.last = Some(place);
        }
        place
    }
}

/// The time that an encoded picture claims.
fn claimed(sample: &gst::Sample) -> Option<Duration> {
    let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
    segment.to_running_time(sample.buffer()?.pts()?).map(Duration::from)
}

/// Nothing comes after an error: it says that the file ends where it should not.
impl Iterator for Recording {
    type Item = Result<Frame, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let result = self.next_whole();
        self.over = !matches!(result, Ok(Some(_)));
        result.transpose()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        deadline::end(&self.pipeline, &self.path.display().to_string());
    }
}

/// Pictures a second, as the stream says.
fn rate(sample: &gst::Sample) -> f64 {
    sample
        .caps()
        .and_then(|caps| caps.structure(0))
        .and_then(|fields| fields.get::<gst::Fraction>("framerate").ok())
        .map(|rate| f64::from(rate.numer()) / f64::from(rate.denom()))
        .filter(|rate| rate.is_finite() && *rate > 0.0)
        .unwrap_or(BARE_RATE)
}

#[cfg(test)]
mod tests;
