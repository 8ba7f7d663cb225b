//! The pictures of a file, decoded, again and again.

use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use gstreamer_video::{self as video, VideoFrameExt};
use karaul_scene::I420Frame;

use crate::{
    SimulatorError,
    source::{Rate, Source},
};

/// Longest wait for a picture.
const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Between two looks for errors.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// Rate of files that do not tell theirs.
const RATE: Rate = (25, 1);

/// Decodes a file over and over. The pipeline is built anew for each pass: some files cannot be sought in.
pub(crate) struct FileSource {
    path: String,
    wanted: (Option<(usize, usize)>, Option<u32>),
    once: bool,
    pass: Option<Pass>,
    /// The first picture of this pass, which also told size and rate.
    first: Option<gst::Sample>,
    size: (usize, usize),
    rate: Rate,
}

impl FileSource {
    pub(crate) fn open(
        path: &Path,
        size: Option<(usize, usize)>,
        fps: Option<u32>,
        once: bool,
    ) -> Result<Self, SimulatorError> {
        let name = path.display().to_string();
        File::open(path).map_err(|source| SimulatorError::Open { path: name.clone(), source })?;
        let mut source =
            Self { path: name, wanted: (size, fps), once, pass: None, first: None, size: (0, 0), rate: RATE };
        let sample = source.begin()?;
        let info = sample
            .caps()
            .and_then(|caps| video::VideoInfo::from_caps(caps).ok())
            .ok_or_else(|| source.unusable("it has no picture format"))?;
        // H.264 in 4:2:0 has no odd sizes.
        source.size = (info.width() as usize & !1, info.height() as usize & !1);
        source.rate = match (u32::try_from(info.fps().numer()), u32::try_from(info.fps().denom())) {
            (Ok(pictures @ 1..), Ok(seconds @ 1..)) => (pictures, seconds),
            _ => RATE,
        };
        source.first = Some(sample);
        Ok(source)
    }

    /// Starts a pass; its first picture.
    fn begin(&mut self) -> Result<gst::Sample, SimulatorError> {
        self.pass = None;
        let pass = Pass::start(&self.path, self.wanted)?;
        let sample = pass.first().map_err(|why| self.unusable(&why))?;
        self.pass = Some(pass);
        Ok(sample)
    }

    fn unusable(&self, detail: &str) -> SimulatorError {
        SimulatorError::NoVideo { path: self.path.clone(), detail: detail.to_owned() }
    }
}

impl Source for FileSource {
    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn rate(&self) -> Rate {
        self.rate
    }

    fn next(&mut self, out: &mut I420Frame) -> Result<(), SimulatorError> {
        let next = self.first.take().or_else(|| self.pass.as_ref()?.sink.try_pull_sample(LIMIT));
        let sample = match next {
            Some(sample) => sample,
            None if self.once => return Ok(()),
            None => self.begin()?,
        };
        copy(&sample, self.size, out).ok_or_else(|| self.unusable("a picture of another size or format"))
    }
}

/// One way through the file.
struct Pass {
    pipeline: gst::Pipeline,
    sink: AppSink,
}

impl Pass {
    fn start(path: &str, (size, fps): (Option<(usize, usize)>, Option<u32>)) -> Result<Self, SimulatorError> {
        let size = size.map_or_else(String::new, |(width, height)| format!(",width={width},height={height}"));
        let (convert, rate) =
            fps.map_or_else(Default::default, |fps| ("! videorate".to_owned(), format!(",framerate={fps}/1")));
        let pipeline = gst::parse::launch(&format!(
            "filesrc name=file ! decodebin ! videoconvert ! videoscale {convert} \
             ! video/x-raw,format=I420{size}{rate} ! appsink name=sink sync=false max-buffers=2"
        ))
        .map_err(SimulatorError::media)?
        .downcast::<gst::Pipeline>()
        .map_err(|_| SimulatorError::media("no pipeline"))?;
        let missing = || SimulatorError::media("an element of the pipeline is missing");
        pipeline.by_name("file").ok_or_else(missing)?.set_property("location", path);
        let sink = pipeline.by_name("sink").and_downcast::<AppSink>().ok_or_else(missing)?;
        let pass = Self { pipeline, sink };
        pass.pipeline.set_state(gst::State::Playing).map_err(|_| {
            let detail = pass.complaint().unwrap_or_else(|| "it cannot be played".to_owned());
            SimulatorError::NoVideo { path: path.to_owned(), detail }
        })?;
        Ok(pass)
    }

    /// The first picture, or why there is none.
    fn first(&self) -> Result<gst::Sample, String> {
        let begun = Instant::now();
        loop {
            if let Some(sample) = self.sink.try_pull_sample(LOOK) {
                return Ok(sample);
            }
            if let Some(why) = self.complaint() {
                return Err(why);
            }
            if self.sink.is_eos() {
                return Err("it ends before its first picture".to_owned());
            }
            if begun.elapsed() > LIMIT.into() {
                return Err(format!("no picture within {:?}", Duration::from(LIMIT)));
            }
        }
    }

    /// What the pipeline has to say about its failure.
    fn complaint(&self) -> Option<String> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        let gst::MessageView::Error(error) = message.view() else { return None };
        Some(error.error().message().to_owned())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // A file pipeline has nothing to say at its end.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Takes the padding off.
fn copy(sample: &gst::Sample, (width, height): (usize, usize), out: &mut I420Frame) -> Option<()> {
    let info = video::VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = video::VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    if (out.width, out.height) != (width, height) {
        *out = I420Frame::new(width, height);
    }
    let mut rows = out.data.as_mut_slice();
    for plane in 0..3 {
        let (width, height) = if plane == 0 { (width, height) } else { (width / 2, height / 2) };
        let stride = usize::try_from(frame.plane_stride()[plane as usize]).ok()?;
        let data = frame.plane_data(plane).ok()?;
        let (target, rest) = rows.split_at_mut(width * height);
        for (target, row) in target.chunks_exact_mut(width).zip(data.chunks(stride)) {
            target.copy_from_slice(row.get(..width)?);
        }
        rows = rest;
    }
    Some(())
}
