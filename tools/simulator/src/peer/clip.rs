use std::path::Path;

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use karaul_scene::I420Frame;

use crate::{Codec, Mount, SimulatorError, encoder, server::raw_caps, source};

/// Longest wait for an encoded picture.
const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// How pictures are coded: those of the [codecs](Codec) whose streams are of NAL units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// H.264.
    H264,
    /// H.265.
    H265,
}

/// Encoded pictures in the order of their decoding, which a peer plays again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// How they are coded.
    pub coding: Coding,
    /// Pictures a second.
    pub rate: u32,
    /// The pictures.
    pub pictures: Vec<Picture>,
}

/// One encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Decoding can begin here.
    pub key: bool,
    /// NAL units without start codes, parameter sets included.
    pub units: Vec<Vec<u8>>,
}

impl Picture {
    /// As a byte stream.
    fn bytes(&self) -> Vec<u8> {
        self.units.iter().flat_map(|unit| [&[0, 0, 0, 1], &unit[..]].concat()).collect()
    }
}

impl Clip {
    /// Cuts a byte stream (Annex B of H.264 and H.265) into pictures. Whatever is damaged in it stays so: no unit is
    /// left out.
    #[must_use]
    pub fn cut(bytes: &[u8], coding: Coding, rate: u32) -> Self {
        let mut pictures: Vec<Picture> = Vec::new();
        // Has the last picture a slice yet? What comes before the first one belongs to the same picture.
        let mut sliced = true;
        for unit in units(bytes) {
            let role = Role::of(coding, unit);
            let begins = match role {
                Role::First { .. } | Role::Before => sliced,
                Role::Further | Role::Other => pictures.is_empty(),
            };
            if begins {
                pictures.push(Picture { key: false, units: Vec::new() });
                sliced = false;
            }
            let Some(picture) = pictures.last_mut() else { continue };
            sliced |= matches!(role, Role::First { .. } | Role::Further);
            picture.key |= matches!(role, Role::First { key: true });
            picture.units.push(unit.to_vec());
        }
        Self { coding, rate, pictures }
    }

    /// As a byte stream (Annex B of H.264 and H.265).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.pictures.iter().flat_map(Picture::bytes).collect()
    }

    /// Writes a recording (Matroska), in which pictures have times as in a byte stream they have not.
    ///
    /// # Errors
    ///
    /// A plugin is missing, or the file cannot be written.
    pub fn record(&self, path: &Path) -> Result<(), SimulatorError> {
        gst::init().map_err(SimulatorError::media)?;
        let (media, parser) = match self.coding {
            Coding::H264 => ("video/x-h264", "h264parse"),
            Coding::H265 => ("video/x-h265", "h265parse"),
        };
        let (pipeline, input) = launch(&format!(
            "appsrc name=in format=time caps={media},stream-format=byte-stream,alignment=au,framerate={}/1 ! {parser} \
             ! matroskamux ! filesink name=out",
            self.rate
        ))?;
        pipeline.by_name("out").ok_or_else(missing)?.set_property("location", path);
        pipeline.set_state(gst::State::Playing).map_err(SimulatorError::media)?;
        for (index, picture) in (0..).zip(&self.pictures) {
            let mut buffer = gst::Buffer::from_slice(picture.bytes());
            if let Some(buffer) = buffer.get_mut() {
                let at = gst::ClockTime::try_from(source::due(index, (self.rate, 1))).ok();
                buffer.set_pts(at);
                buffer.set_dts(at);
            }
            input.push_buffer(buffer).map_err(SimulatorError::media)?;
        }
        input.end_of_stream().map_err(SimulatorError::media)?;
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let end = pipeline.bus().and_then(|bus| bus.timed_pop_filtered(LIMIT, &ends));
        // Nothing runs in it any more.
        let _ = pipeline.set_state(gst::State::Null);
        match end.as_ref().map(|end| end.view()) {
            Some(gst::MessageView::Eos(_)) => Ok(()),
            Some(gst::MessageView::Error(error)) => Err(SimulatorError::media(error.error())),
            _ => Err(SimulatorError::media(format!("{} was not written in time", path.display()))),
        }
    }

    /// Encodes so many pictures of what a mount shows, with a keyframe each second unless it says otherwise.
    ///
    /// # Errors
    ///
    /// A plugin is missing, or its content cannot be shown.
    pub fn of(mount: &Mount, pictures: u32) -> Result<Self, SimulatorError> {
        gst::init().map_err(SimulatorError::media)?;
        encoder::check()?;
        let mut source = source::open(mount)?;
        let (size, rate) = (source.size(), source.rate());
        let per_second = (rate.0 / rate.1.max(1)).max(1);
        let mount = Mount { gop: mount.gop.or(Some(per_second)), ..mount.clone() };
        let (coding, parser, media) = match mount.codec {
            Codec::H264 => (Coding::H264, "h264parse", "video/x-h264"),
            Codec::H265 => (Coding::H265, "h265parse", "video/x-h265"),
            Codec::Mjpeg => return Err(SimulatorError::media("the peer has only streams of NAL units, not mjpeg")),
        };
        let (pipeline, input) = launch(&format!(
            "appsrc name=in format=time ! {} ! {parser} config-interval=-1 \
             ! {media},stream-format=byte-stream,alignment=au ! appsink name=out sync=false",
            encoder::encoder(&mount, size, rate)
        ))?;
        let output = pipeline.by_name("out").and_downcast::<AppSink>().ok_or_else(missing)?;
        input.set_caps(Some(&raw_caps(size, rate)));
        pipeline.set_state(gst::State::Playing).map_err(SimulatorError::media)?;
        let mut picture = I420Frame::default();
        for index in 0..pictures {
            source.next(&mut picture)?;
            let mut buffer = gst::Buffer::from_slice(picture.data.clone());
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(gst::ClockTime::try_from(source::due(u64::from(index), rate)).ok());
            }
            input.push_buffer(buffer).map_err(SimulatorError::media)?;
        }
        input.end_of_stream().map_err(SimulatorError::media)?;
        let mut bytes = Vec::new();
        while let Some(sample) = output.try_pull_sample(LIMIT) {
            let Some(map) = sample.buffer().and_then(|buffer| buffer.map_readable().ok()) else { continue };
            bytes.extend_from_slice(&map);
        }
        // Nothing runs in it any more.
        let _ = pipeline.set_state(gst::State::Null);
        let clip = Self::cut(&bytes, coding, per_second);
        if clip.pictures.is_empty() { Err(SimulatorError::media("the encoder gave no picture")) } else { Ok(clip) }
    }
}

/// A pipeline and its source `in`.
fn launch(line: &str) -> Result<(gst::Pipeline, AppSrc), SimulatorError> {
    let pipeline = gst::parse::launch(line)
        .map_err(SimulatorError::media)?
        .downcast::<gst::Pipeline>()
        .map_err(|_| SimulatorError::media("no pipeline"))?;
    let input = pipeline.by_name("in").and_downcast::<AppSrc>().ok_or_else(missing)?;
    Ok((pipeline, input))
}

fn missing() -> SimulatorError {
    SimulatorError::media("an element of the pipeline is missing")
}

/// What a NAL unit is to the picture it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The first slice.
    First { key: bool },
    /// A further slice.
    Further,
    /// Parameter sets, delimiters and messages, which stand before the first slice (7.4.1.2.3 of H.264, 7.4.2.4.4 of H.265).
    Before,
    /// Stands behind the slices, or means nothing.
    Other,
}

impl Role {
    fn of(coding: Coding, unit: &[u8]) -> Self {
        let byte = |index: usize| unit.get(index).copied().unwrap_or_default();
        // A slice that begins at the first macroblock says so in its first bit: in H.264 by ue(v) 0, in H.265 by a flag.
        let (kind, first) = match coding {
            Coding::H264 => (byte(0) & 0x1f, byte(1) & 0x80 != 0),
            Coding::H265 => (byte(0) >> 1 & 0x3f, byte(2) & 0x80 != 0),
        };
        let (slice, key, before) = match coding {
            Coding::H264 => (matches!(kind, 1 | 2 | 5), kind == 5, matches!(kind, 6..=9 | 14..=18)),
            Coding::H265 => (kind < 32, (16..24).contains(&kind), matches!(kind, 32..=35 | 39 | 41..=44 | 48..=55)),
        };
        match (slice, first) {
            (true, true) => Self::First { key },
            (true, false) => Self::Further,
            _ if before => Self::Before,
            _ => Self::Other,
        }
    }
}

/// The NAL units of a byte stream, without start codes and the zeros around them.
fn units(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        bytes.windows(3).enumerate().filter(|(_, code)| code == &[0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let unit = &bytes[start + 3..end];
        let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        &unit[..length]
    };
    starts.iter().zip(ends).map(unit).filter(|unit| !unit.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_byte_stream_is_cut_before_what_belongs_to_the_next_picture() {
        // Parameter sets, two slices of a keyframe, a message, one slice.
        let bytes = [
            &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2][..],
            &[0, 0, 1, 0x65, 0x80, 0, 0, 1, 0x65, 0x40, 0],
            &[0, 0, 0, 1, 0x06, 3, 0, 0, 1, 0x41, 0x80],
        ]
        .concat();
        let clip = Clip::cut(&bytes, Coding::H264, 25);
        let units: Vec<Vec<u8>> = clip.pictures.iter().map(|p| p.units.iter().map(|unit| unit[0]).collect()).collect();
        assert_eq!(units, [vec![0x67, 0x68, 0x65, 0x65], vec![0x06, 0x41]]);
        assert_eq!(clip.pictures.iter().map(|p| p.key).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_is_encoded_is_cut_into_as_many_pictures() {
        for codec in ["h264", "h265"] {
            let mount = format!("/a=pattern,size=64x64,fps=5,codec={codec}").parse().unwrap();
            let clip = Clip::of(&mount, 11).unwrap();
            let keys: Vec<usize> = (0..clip.pictures.len()).filter(|index| clip.pictures[*index].key).collect();
            assert_eq!((clip.pictures.len(), keys), (11, vec![0, 5, 10]), "{codec}");
            assert_eq!(Clip::cut(&clip.bytes(), clip.coding, 5), clip);
        }
    }

    proptest! {
        #[test]
        fn nothing_but_start_codes_and_zeros_is_lost(
            units in prop::collection::vec(prop::collection::vec(2u8..=255, 1..9), 0..20), long: bool, h265: bool,
        ) {
            let code: &[u8] = if long { &[0, 0, 0, 1] } else { &[0, 0, 1] };
            let bytes: Vec<u8> = units.iter().flat_map(|unit| code.iter().chain(unit).copied()).collect();
            let clip = Clip::cut(&bytes, if h265 { Coding::H265 } else { Coding::H264 }, 25);
            let cut: Vec<Vec<u8>> = clip.pictures.into_iter().flat_map(|picture| picture.units).collect();
            prop_assert_eq!(cut, units);
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(0u8..4, 0..200), h265: bool) {
            let _ = Clip::cut(&bytes, if h265 { Coding::H265 } else { Coding::H264 }, 25);
        }
    }
}
