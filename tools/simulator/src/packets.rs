//! The encoded video of a file, as it is.

use std::{fs, path::Path, time::Duration};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

use crate::{Codec, SimulatorError};

/// Longest wait for a piece of the file.
const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Files are held in memory whole, once for all viewers.
const LARGEST: u64 = 256 << 20;

/// Length of a picture in files that do not tell.
const LENGTH: Duration = Duration::from_millis(40);

/// One encoded picture and its place in the file; both times count from the first decoded picture.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) buffer: gst::Buffer,
    /// When it is to be decoded: packets are in this order.
    pub(crate) decode: Duration,
    /// When it is to be shown.
    pub(crate) present: Duration,
}

/// All encoded pictures of a file.
#[derive(Clone, Debug)]
pub(crate) struct Packets {
    pub(crate) list: Vec<Packet>,
    pub(crate) caps: gst::Caps,
    /// From the first picture of one pass to the first of the next.
    pub(crate) length: Duration,
}

/// Reads a file's video, which must be in `codec`.
pub(crate) fn read(path: &Path, codec: Codec) -> Result<Packets, SimulatorError> {
    let name = path.display().to_string();
    let open = |source| SimulatorError::Open { path: name.clone(), source };
    let bytes = fs::metadata(path).map_err(open)?.len();
    let unusable = |detail: String| SimulatorError::NoVideo { path: name.clone(), detail };
    if bytes > LARGEST {
        return Err(unusable(format!("{bytes} bytes are more than copy can hold ({LARGEST}); leave copy out")));
    }
    let (parser, media, whole) = match codec {
        Codec::H264 => ("h264parse", "video/x-h264", ",stream-format=byte-stream,alignment=au"),
        Codec::H265 => ("h265parse", "video/x-h265", ",stream-format=byte-stream,alignment=au"),
        Codec::Mjpeg => ("jpegparse", "image/jpeg", ""),
    };
    let pipeline = gst::parse::launch(&format!(
        "filesrc name=file ! parsebin ! {parser} ! {media}{whole} \
         ! appsink name=sink sync=false max-buffers=8"
    ))
    .map_err(SimulatorError::media)?
    .downcast::<gst::Pipeline>()
    .map_err(|_| SimulatorError::media("no pipeline"))?;
    let missing = || SimulatorError::media("an element of the pipeline is missing");
    pipeline.by_name("file").ok_or_else(missing)?.set_property("location", path);
    let sink = pipeline.by_name("sink").and_downcast::<AppSink>().ok_or_else(missing)?;
    // Failure shows as a missing first sample.
    let _ = pipeline.set_state(gst::State::Playing);
    let samples: Vec<gst::Sample> = std::iter::from_fn(|| sink.try_pull_sample(LIMIT)).collect();
    let _ = pipeline.set_state(gst::State::Null);
    packets(&samples).ok_or_else(|| unusable(format!("no {media}; leave copy out, or name its codec")))
}

fn packets(samples: &[gst::Sample]) -> Option<Packets> {
    let caps = samples.first()?.caps_owned()?;
    let buffers: Option<Vec<gst::Buffer>> = samples.iter().map(|sample| sample.buffer_owned()).collect();
    let buffers = buffers?;
    let step = caps
        .structure(0)
        .and_then(|fields| fields.get::<gst::Fraction>("framerate").ok())
        .map(|rate| f64::from(rate.denom()) / f64::from(rate.numer()))
        .filter(|step| step.is_finite() && *step > 0.0)
        .map_or(LENGTH, Duration::from_secs_f64);
    // A bare stream has no times: its pictures are counted.
    let stamped = buffers.iter().all(|buffer| buffer.pts().is_some());
    let times = |index: usize, buffer: &gst::BufferRef| match buffer.pts().filter(|_| stamped) {
        Some(present) => (Duration::from(buffer.dts().unwrap_or(present)), Duration::from(present)),
        None => (step * index as u32, step * index as u32),
    };
    let (begin, _) = times(0, buffers.first()?);
    let list: Vec<Packet> = buffers
        .into_iter()
        .enumerate()
        .map(|(index, buffer)| {
            let (decode, present) = times(index, &buffer);
            Packet { buffer, decode: decode.saturating_sub(begin), present: present.saturating_sub(begin) }
        })
        .collect();
    let length = list.last()?.decode + step;
    Some(Packets { list, caps, length })
}
