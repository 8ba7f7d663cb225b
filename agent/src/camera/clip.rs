//! Encoded pictures into an MP4 file, without decoding them.

use std::{path::Path, time::Duration};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;

use super::{
    codec::Codec,
    deadline,
    decoder::{element, parser},
    fault::Fault,
};
use crate::evidence::Unit;

/// For the whole of a clip: far more than any takes on a box that is not overloaded.
const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// The muxer does not take the pictures.
    #[error("the pictures do not go into an MP4 file: {0}; compare with the default settings of the camera's encoder")]
    Refused(String),
    /// The disk.
    #[error("the file cannot be written: {0}; check space and rights of the folder storage.path")]
    Disk(String),
    /// It takes too long.
    #[error("the file was not written within {} s; the box is overloaded", LIMIT.seconds())]
    Slow,
}

impl From<Fault> for ClipError {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.to_string())
    }
}

/// Encoded pictures of one format that follow each other, beginning with a keyframe; at least one.
#[derive(Clone, Debug)]
pub struct Footage {
    caps: gst::Caps,
    units: Vec<Unit<gst::Buffer>>,
    short: bool,
}

impl Footage {
    /// `short`: the ring was too small for all of it.
    pub(super) fn new(caps: gst::Caps, units: Vec<Unit<gst::Buffer>>, short: bool) -> Self {
        Self { caps, units, short }
    }

    /// It begins later than it should, because the ring was too small.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.short
    }

    /// How many pictures there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// When its keyframe is to be seen, on the monotonic time line.
    #[must_use]
    pub fn begins(&self) -> Duration {
        self.units.first().map_or(Duration::ZERO, |unit| unit.at)
    }

    /// How many bytes an MP4 file of them has, but for some thousand.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.units.iter().map(|unit| unit.buffer.size() as u64).sum()
    }

    /// Writes an MP4 file (ISO/IEC 14496-14) of them with this title. To be called where some tenths of a second do not
    /// matter, and ten seconds in the worst case are borne.
    ///
    /// # Errors
    /// If they do not go into such a file, or not in time.
    pub fn to_mp4(&self, file: &Path, title: &str) -> Result<(), ClipError> {
        let pipeline = gst::Pipeline::new();
        let muxed = self.mux(&pipeline, file, title);
        deadline::end(&pipeline, title);
        muxed
    }

    fn mux(&self, pipeline: &gst::Pipeline, file: &Path, title: &str) -> Result<(), ClipError> {
        let refused = |why: &dyn ToString| ClipError::Refused(why.to_string());
        let codec = self.caps.structure(0).and_then(|fields| Codec::from_media_type(fields.name(), None));
        let codec = codec.ok_or_else(|| refused(&"their codec is not known"))?;
        let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).caps(&self.caps).build();
        let muxer = element("mp4mux")?;
        if let Some(setter) = muxer.dynamic_cast_ref::<gst::TagSetter>() {
            setter.add_tag::<gst::tags::Title>(&title, gst::TagMergeMode::Replace);
        }
        let sink = element("filesink")?;
        sink.set_property("location", file);
        sink.set_property("sync", false);
        let parts = [source.upcast_ref(), &parser(codec)?, &muxer, &sink];
        pipeline.add_many(parts).map_err(|error| refused(&error))?;
        gst::Element::link_many(parts).map_err(|error| refused(&error))?;
        deadline::play(pipeline)?;
        let shown: Vec<Duration> = self.units.iter().map(|unit| unit.at).collect();
        let (decoded, lead) = decoding_times(&shown);
        let begin = decoded.first().copied().unwrap_or_default();
        for (unit, decoded) in self.units.iter().zip(decoded) {
            // The memory is shared; only the times are new.
            let mut buffer = unit.buffer.copy();
            let times = buffer.make_mut();
            times.set_pts(gst::ClockTime::try_from((unit.at + lead).saturating_sub(begin)).ok());
            times.set_dts(gst::ClockTime::try_from(decoded.saturating_sub(begin)).ok());
            times.set_duration(gst::ClockTime::NONE);
            // Refused only by a pipeline that has failed, and why is on its bus.
            if source.push_buffer(buffer).is_err() {
                break;
            }
        }
        let _ = source.end_of_stream();
        let last = [gst::MessageType::Eos, gst::MessageType::Error];
        let message = pipeline.bus().and_then(|bus| bus.timed_pop_filtered(LIMIT, &last)).ok_or(ClipError::Slow)?;
        match message.view() {
            gst::MessageView::Error(error) if error.error().is::<gst::ResourceError>() => {
                Err(ClipError::Disk(error.error().message().to_owned()))
            }
            gst::MessageView::Error(error) => Err(refused(&error.error().message())),
            _ => Ok(()),
        }
    }
}

/// When pictures that are shown at these times, in the order of the stream, are to be decoded: in that order, at the same
/// pace; and by how much all have to be shown later so that none is shown before it is decoded. RTP tells
/// only when they are shown.
fn decoding_times(shown: &[Duration]) -> (Vec<Duration>, Duration) {
    let mut decoded = shown.to_vec();
    decoded.sort_unstable();
    let late = decoded.iter().zip(shown).map(|(decoded, shown)| decoded.saturating_sub(*shown));
    let lead = late.max().unwrap_or_default();
    (decoded, lead)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use gstreamer_app::AppSink;
    use jiff::Timestamp;

    use super::*;
    use crate::camera::Recording;

    fn ms(times: &[u64]) -> Vec<Duration> {
        times.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn pictures_are_decoded_before_they_are_shown() {
        assert_eq!(decoding_times(&ms(&[0, 40, 80])), (ms(&[0, 40, 80]), Duration::ZERO));
        // I P B B P: the third is shown second.
        let shown = ms(&[0, 120, 40, 80, 160]);
        let (decoded, lead) = decoding_times(&shown);
        assert_eq!((decoded.clone(), lead), (ms(&[0, 40, 80, 120, 160]), Duration::from_millis(40)));
        assert!(decoded.iter().zip(&shown).all(|(decoded, shown)| *decoded <= *shown + lead));
        assert_eq!(decoding_times(&[]), (Vec::new(), Duration::ZERO));
    }

    /// The two pictures of a decoder's trial as a camera sends them, so many times, 40 ms apart.
    fn footage(codec: Codec, times: u64) -> Footage {
        gst::init().unwrap();
        let pipeline = gst::Pipeline::new();
        let source = AppSrc::builder().build();
        let sink = AppSink::builder().caps(&codec.whole_pictures()).sync(false).build();
        let parts = [source.upcast_ref(), &parser(codec).unwrap(), sink.upcast_ref()];
        pipeline.add_many(parts).unwrap();
        gst::Element::link_many(parts).unwrap();
        deadline::play(&pipeline).unwrap();
        for _ in 0..times {
            source.push_buffer(gst::Buffer::from_slice(codec.trial().unwrap())).unwrap();
        }
        source.end_of_stream().unwrap();
        let (mut units, mut caps) = (Vec::new(), None);
        while let Ok(sample) = sink.pull_sample() {
            caps = sample.caps().map(ToOwned::to_owned);
            let buffer = sample.buffer_owned().unwrap();
            let keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
            units.push(Unit { at: Duration::from_millis(5000 + 40 * units.len() as u64), keyframe, buffer });
        }
        deadline::end(&pipeline, "test");
        Footage::new(caps.unwrap(), units, false)
    }

    #[test]
    fn a_clip_plays_and_is_as_long_as_its_footage() {
        for codec in [Codec::H264, Codec::H265] {
            let footage = footage(codec, 5);
            assert_eq!(footage.len(), 10, "{codec:?}");
            assert!(footage.units[0].keyframe);
            assert_eq!(footage.begins(), Duration::from_secs(5));
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("clip.mp4");
            footage.to_mp4(&path, "camera gate").unwrap();
            let mp4 = fs::read(&path).unwrap();
            assert!(footage.bytes().abs_diff(mp4.len() as u64) < 3000, "{} of {}", footage.bytes(), mp4.len());
            assert_eq!(&mp4[4..8], b"ftyp");
            assert!(mp4.windows(11).any(|bytes| bytes == b"camera gate"), "who finds it knows whose it is");
            let pictures: Vec<_> =
                Recording::open(&path, Timestamp::UNIX_EPOCH).unwrap().map(|frame| frame.unwrap()).collect();
            assert_eq!(pictures.len(), 10, "{codec:?}");
            assert!(pictures.iter().all(|p| (p.planes().width, p.planes().height) == (320, 240)));
            let length = pictures[9].stamp.mono - pictures[0].stamp.mono;
            assert!(length.abs_diff(Duration::from_millis(360)) < Duration::from_millis(5), "{length:?}");
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        let mut footage = footage(Codec::H264, 1);
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere/clip.mp4");
        assert!(matches!(footage.to_mp4(&nowhere, "camera gate"), Err(ClipError::Disk(_))));
        footage.caps = gst::Caps::builder("video/x-vp8").build();
        let said = footage.to_mp4(&folder.path().join("clip.mp4"), "camera gate").unwrap_err().to_string();
        assert_eq!(
            said,
            "the pictures do not go into an MP4 file: their codec is not known; compare with the default settings of the \
             camera's encoder"
        );
    }
}
