//! Which decoder to use. Hardware counts only after it has really decoded something here: drivers are
//! often present, registered and broken.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};

use super::{
    Fault,
    codec::{Codec, TRIAL_LUMA},
    deadline,
};
use crate::config::Decoder;

/// For two small pictures; generous, because a driver may compile shaders first.
const TRIAL_LIMIT: Duration = Duration::from_secs(3);

/// Luma may differ by rounding, not by more.
const TRIAL_TOLERANCE: u8 = 3;

/// Results of trials, by element name: they do not change while the agent runs.
static TRIED: Mutex<BTreeMap<&'static str, Result<(), String>>> = Mutex::new(BTreeMap::new());

/// The decoder element for `codec`.
///
/// # Errors
///
/// Hardware was asked for, and none works.
pub(super) fn choose(codec: Codec, wish: Decoder) -> Result<&'static str, Fault> {
    if wish == Decoder::Software {
        return Ok(codec.software());
    }
    let mut tried = Vec::new();
    for candidate in codec.hardware() {
        match tried_before(candidate, codec) {
            Ok(()) => return Ok(candidate),
            Err(why) => tried.push(format!("{candidate}: {why}")),
        }
    }
    if wish == Decoder::Auto {
        return Ok(codec.software());
    }
    let tried = if tried.is_empty() { "none is known".to_owned() } else { tried.join(", ") };
    Err(Fault::NoHardware { codec: codec.name(), tried })
}

/// Makes the trials now, so that no streaming thread has to wait for them later.
pub(super) fn try_out(wish: Decoder) {
    if wish != Decoder::Software {
        for codec in [Codec::H264, Codec::H265] {
            // Whether this camera's codec lacks a decoder shows when its codec is known.
            let _ = choose(codec, Decoder::Auto);
        }
    }
}

/// A decoder element, set up.
pub(super) fn make(factory: &'static str) -> Result<gst::Element, Fault> {
    let element = element(factory)?;
    // libav: one thread costs 12 % less than its automatic choice, and with one there is no frame delay.
    set_if_there(&element, "max-threads", "1");
    // Damaged pictures come out marked, and are counted and dropped in the mailbox.
    set_if_there(&element, "output-corrupt", "true");
    // Otherwise recordings are decoded by other rules than live streams.
    set_if_there(&element, "std-compliance", "normal");
    Ok(element)
}

/// Parse, decode, and convert what is neither I420 nor NV12: in the order of the stream, not linked.
pub(super) fn chain(codec: Codec, decoder: &'static str) -> Result<Vec<gst::Element>, Fault> {
    let mut parts = vec![parser(codec)?];
    parts.extend(decode(decoder)?);
    Ok(parts)
}

/// Cuts the bytes into pictures.
pub(super) fn parser(codec: Codec) -> Result<gst::Element, Fault> {
    let parser = element(codec.parser())?;
    // Parameter sets before each keyframe: one that is decoded by itself, or after a loss, needs them there.
    set_if_there(&parser, "config-interval", "-1");
    Ok(parser)
}

/// Decode, and convert what is neither I420 nor NV12.
pub(super) fn decode(decoder: &'static str) -> Result<[gst::Element; 2], Fault> {
    // Passes pictures through untouched where there is nothing to convert.
    Ok([make(decoder)?, element("videoconvert")?])
}

/// Any element by its factory's name.
pub(super) fn element(factory: &str) -> Result<gst::Element, Fault> {
    gst::ElementFactory::make(factory)
        .build()
        .map_err(|_| Fault::Decoder { detail: format!("GStreamer has no element {factory}") })
}

/// The pixel formats that we read.
pub(super) fn picture_caps() -> gst::Caps {
    gst::Caps::builder("video/x-raw").field("format", gst::List::new(["I420", "NV12"])).build()
}

fn set_if_there(element: &gst::Element, property: &str, value: &str) {
    if element.find_property(property).is_some() {
        element.set_property_from_str(property, value);
    }
}

fn tried_before(factory: &'static str, codec: Codec) -> Result<(), String> {
    // The lock is held during a trial: other cameras wait for its result rather than try at the same time.
    let mut results = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    results
        .entry(factory)
        .or_insert_with(|| {
            let result = if gst::ElementFactory::find(factory).is_none() {
                Err("not installed".to_owned())
            } else {
                trial(factory, codec)
            };
            match &result {
                Ok(()) => tracing::info!("hardware decoder {factory} works"),
                Err(why) => tracing::debug!("hardware decoder {factory}: {why}"),
            }
            result
        })
        .clone()
}

/// Decodes two grey pictures and looks whether they are grey.
fn trial(factory: &'static str, codec: Codec) -> Result<(), String> {
    let stream = codec.trial().ok_or("no trial for this codec")?;
    let pipeline = gst::Pipeline::new();
    let result = trial_in(&pipeline, factory, codec, stream);
    deadline::end(&pipeline, factory);
    result
}

fn trial_in(
    pipeline: &gst::Pipeline,
    factory: &'static str,
    codec: Codec,
    stream: &'static [u8],
) -> Result<(), String> {
    let source = AppSrc::builder().build();
    let sink = AppSink::builder().caps(&picture_caps()).sync(false).enable_last_sample(false).build();
    let mut elements = vec![source.clone().upcast::<gst::Element>()];
    elements.extend(chain(codec, factory).map_err(|fault| fault.to_string())?);
    elements.push(sink.clone().upcast());
    pipeline.add_many(&elements).map_err(|error| error.to_string())?;
    gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
    deadline::play(pipeline).map_err(|fault| fault.to_string())?;
    // Refused only by a pipeline that has failed already, and then no picture comes either.
    let _ = source.push_buffer(gst::Buffer::from_slice(stream));
    let _ = source.end_of_stream();
    let limit = gst::ClockTime::try_from(TRIAL_LIMIT).map_err(|error| error.to_string())?;
    let sample = sink.try_pull_sample(limit).ok_or("gave no picture")?;
    let buffer = sample.buffer().ok_or("gave no picture")?;
    let map = buffer.map_readable().map_err(|_| "gave a picture that cannot be read")?;
    // Luma comes first in both formats.
    let middle = map.get(320 * 120 + 160).copied().unwrap_or_default();
    if middle.abs_diff(TRIAL_LUMA) > TRIAL_TOLERANCE {
        return Err(format!("decoded wrongly (luma {middle} for {TRIAL_LUMA})"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_works_passes_its_trial() {
        gst::init().unwrap();
        assert_eq!(trial("avdec_h264", Codec::H264), Ok(()));
        assert_eq!(trial("avdec_h265", Codec::H265), Ok(()));
    }

    #[test]
    fn one_that_does_not_fails_it() {
        gst::init().unwrap();
        let pipeline = gst::Pipeline::new();
        let cut = &Codec::H264.trial().unwrap()[..40];
        assert_eq!(trial_in(&pipeline, "avdec_h264", Codec::H264, cut).unwrap_err(), "gave no picture");
        deadline::end(&pipeline, "test");
        let pipeline = gst::Pipeline::new();
        assert!(trial_in(&pipeline, "avdec_h265", Codec::H264, cut).unwrap_err().starts_with("Failed to link"));
    }

    #[test]
    fn software_is_not_tried() {
        assert_eq!(choose(Codec::H264, Decoder::Software), Ok("avdec_h264"));
    }

    #[test]
    fn hardware_that_is_not_there_is_an_error_with_the_remedy() {
        gst::init().unwrap();
        let fault = choose(Codec::Jpeg, Decoder::Hardware).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "no hardware decoder for Motion JPEG works here (none is known); install its driver, or set decoder = \"auto\""
        );
        assert_eq!(choose(Codec::Jpeg, Decoder::Auto), Ok("avdec_mjpeg"));
    }
}
