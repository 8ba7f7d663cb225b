use gstreamer as gst;
use gstreamer_video::{self as video, VideoFrame, VideoFrameExt, video_frame::Readable};

use super::Fault;
use crate::{
    clock::Stamp,
    vision::{Layout, Matrix, Planes, Range},
};

/// One decoded picture. Holds memory out of the decoder's pool; drop it soon, some have little.
#[derive(Debug)]
pub struct Frame {
    /// When the camera's packets arrived, as far as that is known; never earlier than that of
    /// the frame before.
    pub stamp: Stamp,
    /// Decoded by itself, to see whether anything is there at all. If something is, the pictures before it follow.
    pub glimpse: bool,
    picture: VideoFrame<Readable>,
    range: Range,
    matrix: Matrix,
}

impl Frame {
    /// Maps the sample's memory, with the strides and offsets of its `VideoMeta` if it has one; no copy unless that
    /// memory lies elsewhere.
    ///
    /// libav's decoders have copied the picture once by then, and no sink can spare them that (1.22): where they
    /// render into a pool's buffers, `gst_video_decoder_finish_frame` copies the buffer because they still hold it.
    pub(super) fn new(sample: &gst::Sample, stamp: Stamp) -> Result<Self, Fault> {
        let bad = |detail: &str| Fault::Decoder { detail: detail.to_owned() };
        let caps = sample.caps().ok_or_else(|| bad("a picture without a format"))?;
        let info = video::VideoInfo::from_caps(caps).map_err(|error| bad(&error.message))?;
        let buffer = sample.buffer_owned().ok_or_else(|| bad("a sample without a picture"))?;
        let picture = VideoFrame::from_buffer_readable(buffer, &info)
            .map_err(|_| bad("a picture whose memory cannot be read"))?;
        if planes_of(picture.format()).is_none() {
            return Err(bad(&format!("pixel format {}", picture.format())));
        }
        if picture.plane_stride().iter().any(|stride| *stride < 0) {
            return Err(bad("a picture that stands on its head (negative stride)"));
        }
        let (range, matrix) = colours(&info);
        Ok(Self { stamp, glimpse: false, picture, range, matrix })
    }

    /// The same, as a glimpse or not.
    pub(super) fn glimpsed(self, glimpse: bool) -> Self {
        Self { glimpse, ..self }
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.picture.width() as usize
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.picture.height() as usize
    }

    /// The pixels, as the decoder left them.
    #[must_use]
    pub fn planes(&self) -> Planes<'_> {
        // `new` has let only formats with these planes and strides of at least zero through.
        let plane = |index| self.picture.plane_data(index).unwrap_or_default();
        let stride = |index: usize| self.picture.plane_stride()[index].unsigned_abs() as usize;
        let layout = if planes_of(self.picture.format()) == Some(2) {
            Layout::Nv12 { y: plane(0), uv: plane(1), y_stride: stride(0), uv_stride: stride(1) }
        } else {
            Layout::I420 {
                y: plane(0),
                u: plane(1),
                v: plane(2),
                y_stride: stride(0),
                u_stride: stride(1),
                v_stride: stride(2),
            }
        };
        Planes { width: self.width(), height: self.height(), layout, range: self.range, matrix: self.matrix }
    }
}

/// Number of planes of the formats that we read; others are converted before they get here.
fn planes_of(format: video::VideoFormat) -> Option<usize> {
    match format {
        video::VideoFormat::I420 => Some(3),
        video::VideoFormat::Nv12 => Some(2),
        _ => None,
    }
}

/// What the caps say of colours. Streams that say nothing are taken as `GStreamer` takes them: limited
/// range, BT.601 in standard and BT.709 in high definition.
fn colours(info: &video::VideoInfo) -> (Range, Matrix) {
    let said = info.colorimetry();
    let range = match said.range() {
        video::VideoColorRange::Range0_255 => Range::Full,
        _ => Range::Limited,
    };
    let matrix = match said.matrix() {
        video::VideoColorMatrix::Bt709 => Matrix::Bt709,
        // From 720 lines on a picture is high definition (ITU-T H.273 leaves it to the application).
        video::VideoColorMatrix::Unknown if info.height() >= 720 => Matrix::Bt709,
        _ => Matrix::Bt601,
    };
    (range, matrix)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    /// A picture with each byte of a plane set to the plane's number plus 100, but padding 255.
    fn sample(caps: &str) -> gst::Sample {
        gst::init().unwrap();
        let caps = caps.parse::<gst::Caps>().unwrap();
        let info = video::VideoInfo::from_caps(&caps).unwrap();
        let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
        {
            let mut frame = video::VideoFrameRef::from_buffer_ref_writable(buffer.get_mut().unwrap(), &info).unwrap();
            for plane in 0..info.n_planes() {
                frame.plane_data_mut(plane).unwrap().fill(100 + plane as u8);
            }
        }
        gst::Sample::builder().buffer(&buffer).caps(&caps).build()
    }

    fn frame(caps: &str) -> Result<Frame, Fault> {
        Frame::new(&sample(caps), Stamp::after(Timestamp::UNIX_EPOCH, Duration::ZERO))
    }

    #[test]
    fn i420_of_odd_size_has_its_real_strides() {
        let frame = frame("video/x-raw,format=I420,width=321,height=241,framerate=5/1").unwrap();
        let planes = frame.planes();
        assert_eq!((planes.width, planes.height), (321, 241));
        let Layout::I420 { y, u, v, y_stride, u_stride, v_stride } = planes.layout else { panic!("not I420") };
        assert_eq!((y_stride, u_stride, v_stride), (324, 164, 164));
        assert!(y.len() >= 240 * 324 + 321 && u.len() >= 120 * 164 + 161 && v.len() >= 120 * 164 + 161);
        assert_eq!((y[0], u[0], v[0]), (100, 101, 102));
    }

    #[test]
    fn nv12_keeps_its_two_planes() {
        let frame = frame("video/x-raw,format=NV12,width=64,height=48,framerate=5/1").unwrap();
        let Layout::Nv12 { y, uv, y_stride, uv_stride } = frame.planes().layout else { panic!("not NV12") };
        assert_eq!((y[0], uv[0], y_stride, uv_stride), (100, 101, 64, 64));
    }

    #[test]
    fn a_decoders_own_strides_and_offsets_are_honoured() {
        gst::init().unwrap();
        let caps = "video/x-raw,format=I420,width=320,height=240,framerate=5/1".parse::<gst::Caps>().unwrap();
        // Rows of 384 and 192 bytes, 16 rows in front of each plane.
        let (strides, offsets) = ([384, 192, 192], [6_144, 107_520, 159_744]);
        let mut bytes = vec![255; 210_000];
        for (plane, (offset, stride)) in offsets.into_iter().zip(strides).enumerate() {
            let (width, height) = if plane == 0 { (320, 240) } else { (160, 120) };
            for row in 0..height {
                bytes[offset + row * stride..][..width].fill(100 + plane as u8);
            }
        }
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        let format = video::VideoFormat::I420;
        let signed = strides.map(|stride| stride as i32);
        let flags = video::VideoFrameFlags::empty();
        video::VideoMeta::add_full(buffer.get_mut().unwrap(), flags, format, 320, 240, &offsets, &signed).unwrap();
        let sample = gst::Sample::builder().buffer(&buffer).caps(&caps).build();
        let frame = Frame::new(&sample, Stamp::after(Timestamp::UNIX_EPOCH, Duration::ZERO)).unwrap();
        let Layout::I420 { y, u, v, y_stride, u_stride, v_stride } = frame.planes().layout else { panic!("not I420") };
        assert_eq!([y_stride, u_stride, v_stride], strides);
        for (plane, stride, width, height, value) in
            [(y, y_stride, 320, 240, 100), (u, u_stride, 160, 120, 101), (v, v_stride, 160, 120, 102)]
        {
            let mut rows = plane.chunks(stride).take(height);
            assert!(rows.len() == height && rows.all(|row| row[..width].iter().all(|sample| *sample == value)));
        }
    }

    #[test]
    fn colours_come_from_the_caps() {
        let of = |more: &str, size: &str| {
            let frame = frame(&format!("video/x-raw,format=I420,{size},framerate=5/1{more}")).unwrap();
            (frame.planes().range, frame.planes().matrix)
        };
        let (small, large) = ("width=640,height=360", "width=1280,height=720");
        assert_eq!(of("", small), (Range::Limited, Matrix::Bt601));
        assert_eq!(of("", large), (Range::Limited, Matrix::Bt709));
        assert_eq!(of(",colorimetry=bt709", small), (Range::Limited, Matrix::Bt709));
        assert_eq!(of(",colorimetry=bt601", large), (Range::Limited, Matrix::Bt601));
        // YUVJ420 of some cameras: range 1, matrix 4 (BT.601).
        assert_eq!(of(",colorimetry=(string)1:4:0:0", large), (Range::Full, Matrix::Bt601));
    }

    #[test]
    fn other_formats_are_refused_clearly() {
        let error = frame("video/x-raw,format=Y42B,width=64,height=48,framerate=5/1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the video cannot be decoded: pixel format Y42B; try another codec or profile in the camera"
        );
    }
}
