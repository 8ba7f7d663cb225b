//! Pictures into an MP4 file of H.264, for people to look at.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use gstreamer_video::{self as video, VideoFrameExt as _};

use super::{
    codec::Codec,
    deadline,
    decoder::{element, parser},
    fault::Fault,
};
use crate::vision::{Layout, Matrix, Planes, Range};

/// Encoders, the better one first, with their settings: a constant quality at which small letters can be read. What they are
/// in is a package of its own, so the agent does not ask for it until a film is made.
const ENCODERS: [(&str, &[(&str, &str)]); 2] = [
    ("x264enc", &[("speed-preset", "veryfast"), ("pass", "quant"), ("quantizer", "22"), ("key-int-max", "50")]),
    ("openh264enc", &[("rate-control", "off"), ("qp-min", "18"), ("qp-max", "26"), ("gop-size", "50")]),
];

/// So many bytes of pictures wait for the encoder at most.
const WAITING: u64 = 32 << 20;

/// For the encoder to take what waits, and for the file to be ended.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks whether the encoder has taken something.
const PAUSE: Duration = Duration::from_millis(2);

/// Why there is no film.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilmError {
    /// No encoder is installed.
    #[error(
        "GStreamer has no H.264 encoder (x264enc or openh264enc); install one: apt-get install gstreamer1.0-plugins-ugly"
    )]
    NoEncoder,
    /// The encoder or the muxer does not take the pictures.
    #[error("{}: the pictures cannot be made into a film: {detail}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// `GStreamer`'s words.
        detail: String,
    },
    /// The disk.
    #[error("{}: the film cannot be written: {detail}; check space and rights of its folder", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// `GStreamer`'s words.
        detail: String,
    },
    /// It takes too long.
    #[error("{}: the film stood still for {} s; the machine is overloaded", path.display(), LIMIT.as_secs())]
    Slow {
        /// The file.
        path: PathBuf,
    },
}

/// A film that is being made. One that is dropped before [`Film::finish`] leaves a file that cannot be played.
#[derive(Debug)]
pub struct Film {
    path: PathBuf,
    pipeline: gst::Pipeline,
    source: AppSrc,
    info: video::VideoInfo,
}

impl Film {
    /// Begins a film of pictures with the size and the colours of this one. Of an odd width or height the last column or
    /// row is left out: H.264 has none (4:2:0). Call [`init`](super::init) before.
    ///
    /// # Errors
    /// If there is no encoder, or it does not take such pictures. A file that cannot be written may be noticed later.
    pub fn begin(path: &Path, like: &Planes<'_>) -> Result<Self, FilmError> {
        let there = |(name, _): &&(&str, _)| gst::ElementFactory::find(name).is_some();
        let (encoder, settings) = ENCODERS.iter().find(there).ok_or(FilmError::NoEncoder)?;
        Self::with(encoder, settings, path, like)
    }

    fn with(encoder: &str, settings: &[(&str, &str)], path: &Path, like: &Planes<'_>) -> Result<Self, FilmError> {
        let refused = |detail: &dyn ToString| FilmError::Refused { path: path.to_owned(), detail: detail.to_string() };
        let stuck = |fault: Fault| refused(&fault);
        let even = |pixels: usize| u32::try_from(pixels & !1).unwrap_or(u32::MAX);
        let info = video::VideoInfo::builder(video::VideoFormat::I420, even(like.width), even(like.height))
            // Only a hint: each picture has its own time.
            .fps(gst::Fraction::new(25, 1))
            .colorimetry(&colorimetry(like).parse().map_err(|_| refused(&"their colours are not known"))?)
            .build()
            .map_err(|error| refused(&error))?;
        let caps = info.to_caps().map_err(|error| refused(&error))?;
        let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).caps(&caps).build();
        let encoder = element(encoder).map_err(stuck)?;
        for (property, value) in settings {
            encoder.set_property_from_str(property, value);
        }
        let sink = element("filesink").map_err(stuck)?;
        sink.set_property("location", path);
        sink.set_property("sync", false);
        let pipeline = gst::Pipeline::new();
        let parts = [
            source.upcast_ref(),
            &encoder,
            &parser(Codec::H264).map_err(stuck)?,
            &element("mp4mux").map_err(stuck)?,
            &sink,
        ];
        pipeline.add_many(parts).map_err(|error| refused(&error))?;
        gst::Element::link_many(parts).map_err(|error| refused(&error))?;
        let film = Self { path: path.to_owned(), pipeline, source, info };
        deadline::play(&film.pipeline).map_err(stuck)?;
        film.check()?;
        Ok(film)
    }

    /// Does a picture of this size go into it?
    #[must_use]
    pub fn fits(&self, picture: &Planes<'_>) -> bool {
        [picture.width & !1, picture.height & !1] == [self.info.width() as usize, self.info.height() as usize]
    }

    /// Adds a picture that [fits](Self::fits), in I420, to be shown from this time on: later than the one before.
    ///
    /// # Errors
    /// If it cannot be added; the film is lost then.
    pub fn add(&mut self, at: Duration, picture: &Planes<'_>) -> Result<(), FilmError> {
        let buffer = self.buffer(at, picture).ok_or_else(|| self.refused("a picture that is not as it should be"))?;
        let begun = Instant::now();
        while self.source.current_level_bytes() > WAITING {
            self.check()?;
            if begun.elapsed() > LIMIT {
                return Err(FilmError::Slow { path: self.path.clone() });
            }
            thread::sleep(PAUSE);
        }
        // Refused only by a pipeline that has failed, and why is on its bus.
        let pushed = self.source.push_buffer(buffer);
        self.check()?;
        pushed.map(|_| ()).map_err(|error| self.refused(&error.to_string()))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If it cannot be ended.
    pub fn finish(self) -> Result<(), FilmError> {
        let _ = self.source.end_of_stream();
        let limit = gst::ClockTime::try_from(LIMIT).ok();
        let last = [gst::MessageType::Eos, gst::MessageType::Error];
        let message = self.pipeline.bus().and_then(|bus| bus.timed_pop_filtered(limit, &last));
        match message.as_ref().map(|message| message.view()) {
            None => Err(FilmError::Slow { path: self.path.clone() }),
            Some(gst::MessageView::Error(error)) => Err(self.said(error)),
            Some(_) => Ok(()),
        }
    }

    /// A copy of the picture with its time, in rows as the encoder wants them.
    fn buffer(&self, at: Duration, picture: &Planes<'_>) -> Option<gst::Buffer> {
        let Layout::I420 { y, u, v, y_stride, u_stride, v_stride } = picture.layout else { return None };
        if !self.fits(picture) || picture.check().is_err() {
            return None;
        }
        let mut buffer = gst::Buffer::with_size(self.info.size()).ok()?;
        let memory = buffer.get_mut()?;
        memory.set_pts(gst::ClockTime::try_from(at).ok());
        let mut frame = video::VideoFrameRef::from_buffer_ref_writable(memory, &self.info).ok()?;
        for (plane, (samples, stride)) in (0..).zip([(y, y_stride), (u, u_stride), (v, v_stride)]) {
            let half = usize::from(plane > 0);
            let (row, rows) = (self.info.width() as usize >> half, self.info.height() as usize >> half);
            let out = usize::try_from(*frame.plane_stride().get(plane as usize)?).ok()?;
            let target = frame.plane_data_mut(plane).ok()?;
            for (to, from) in target.chunks_mut(out).zip(samples.chunks(stride)).take(rows) {
                to[..row].copy_from_slice(&from[..row]);
            }
        }
        drop(frame);
        Some(buffer)
    }

    fn check(&self) -> Result<(), FilmError> {
        let message = self.pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Error(error)) => Err(self.said(error)),
            _ => Ok(()),
        }
    }

    fn said(&self, error: &gst::message::Error) -> FilmError {
        let detail = error.error().message().trim_end_matches('.').to_owned();
        if error.error().is::<gst::ResourceError>() {
            FilmError::Disk { path: self.path.clone(), detail }
        } else {
            FilmError::Refused { path: self.path.clone(), detail }
        }
    }

    fn refused(&self, detail: &str) -> FilmError {
        FilmError::Refused { path: self.path.clone(), detail: detail.to_owned() }
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        deadline::end(&self.pipeline, &self.path.display().to_string());
    }
}

/// As `GStreamer` writes it: range, matrix, transfer function, primaries.
fn colorimetry(picture: &Planes<'_>) -> &'static str {
    match (picture.range, picture.matrix) {
        (Range::Limited, Matrix::Bt601) => "bt601",
        (Range::Limited, Matrix::Bt709) => "bt709",
        (Range::Full, Matrix::Bt601) => "1:4:0:0",
        (Range::Full, Matrix::Bt709) => "1:3:5:1",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::camera::Recording;

    /// A grey picture with a bright column that moves.
    fn luma(width: usize, height: usize, n: usize) -> Vec<u8> {
        let column = 10 * n % width;
        (0..width * height).map(|i| if (i % width).abs_diff(column) < 8 { 200 } else { 60 }).collect()
    }

    fn planes<'a>(width: usize, height: usize, y: &'a [u8], c: &'a [u8]) -> Planes<'a> {
        let half = width.div_ceil(2);
        let layout = Layout::I420 { y, u: c, v: c, y_stride: width, u_stride: half, v_stride: half };
        Planes { width, height, layout, range: Range::Limited, matrix: Matrix::Bt709 }
    }

    fn at(n: usize) -> Duration {
        // Every picture comes in its own time: seven a second, and a hole.
        Duration::from_millis(143 * n as u64 + if n > 10 { 2000 } else { 0 })
    }

    #[test]
    fn a_film_has_the_pictures_and_their_times() {
        gst::init().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        for (encoder, settings) in ENCODERS {
            if gst::ElementFactory::find(encoder).is_none() {
                eprintln!("skipped: there is no {encoder}");
                continue;
            }
            let (width, height) = (321, 181);
            let grey = vec![128; 161 * 91];
            let mut film =
                Film::with(encoder, settings, &path, &planes(width, height, &luma(width, height, 0), &grey)).unwrap();
            for n in 0..20 {
                film.add(at(n), &planes(width, height, &luma(width, height, n), &grey)).unwrap();
            }
            assert!(!film.fits(&planes(640, 360, &[], &[])));
            film.finish().unwrap();
            let pictures: Vec<_> =
                Recording::open(&path, Timestamp::UNIX_EPOCH).unwrap().map(|frame| frame.unwrap()).collect();
            assert_eq!(pictures.len(), 20, "{encoder}");
            for (n, picture) in pictures.iter().enumerate() {
                let planes = picture.planes();
                assert_eq!((planes.width, planes.height, planes.matrix), (320, 180, Matrix::Bt709), "{encoder}");
                let shown = picture.stamp.mono - pictures[0].stamp.mono;
                assert!(shown.abs_diff(at(n)) < Duration::from_millis(2), "{encoder}: {n} at {shown:?}");
                let Layout::I420 { y, y_stride, .. } = planes.layout else { panic!("not I420") };
                let row = &y[90 * y_stride..][..320];
                assert!(
                    row[10 * n].abs_diff(200) < 16 && row[(10 * n + 160) % 320].abs_diff(60) < 16,
                    "{encoder}: {n}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        gst::init().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (y, grey) = (luma(320, 180, 0), vec![128; 160 * 90]);
        let picture = planes(320, 180, &y, &grey);
        let nowhere = folder.path().join("nowhere/film.mp4");
        let made = Film::begin(&nowhere, &picture).and_then(|mut film| {
            film.add(Duration::ZERO, &picture)?;
            film.finish()
        });
        let said = made.unwrap_err().to_string();
        assert!(
            said.ends_with("check space and rights of its folder") && said.contains("the film cannot be written"),
            "{said}"
        );
        assert_eq!(
            FilmError::NoEncoder.to_string(),
            "GStreamer has no H.264 encoder (x264enc or openh264enc); install one: apt-get install gstreamer1.0-plugins-ugly"
        );
    }
}
