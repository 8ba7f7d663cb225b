use gstreamer as gst;

/// The video codecs that we decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Codec {
    /// H.264, AVC.
    H264,
    /// H.265, HEVC.
    H265,
    /// Motion JPEG.
    Jpeg,
    /// MPEG-4 part 2; in recordings only.
    Mpeg4,
}

impl Codec {
    /// By the encoding name in an SDP (RFC 6184, RFC 7798, RFC 2435).
    pub(super) fn from_rtp(encoding: &str) -> Option<Self> {
        match encoding.to_ascii_uppercase().as_str() {
            "H264" => Some(Self::H264),
            "H265" => Some(Self::H265),
            "JPEG" => Some(Self::Jpeg),
            _ => None,
        }
    }

    /// By the media type that a demuxer names, and its `mpegversion`.
    pub(super) fn from_media_type(name: &str, mpeg_version: Option<i32>) -> Option<Self> {
        match (name, mpeg_version) {
            ("video/x-h264", _) => Some(Self::H264),
            ("video/x-h265", _) => Some(Self::H265),
            ("image/jpeg", _) => Some(Self::Jpeg),
            ("video/mpeg", Some(4)) => Some(Self::Mpeg4),
            _ => None,
        }
    }

    /// By the ending of a file that holds nothing but the codec's own bit stream (H.264 and H.265 annex B).
    pub(super) fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "h264" | "264" | "avc" | "jsv" => Some(Self::H264),
            "h265" | "265" | "hevc" => Some(Self::H265),
            _ => None,
        }
    }

    /// Its name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Jpeg => "Motion JPEG",
            Self::Mpeg4 => "MPEG-4",
        }
    }

    /// Element that takes it out of RTP packets.
    pub(super) const fn depayloader(self) -> Option<&'static str> {
        match self {
            Self::H264 => Some("rtph264depay"),
            Self::H265 => Some("rtph265depay"),
            Self::Jpeg => Some("rtpjpegdepay"),
            Self::Mpeg4 => None,
        }
    }

    /// Element that cuts the bytes into pictures.
    pub(super) const fn parser(self) -> &'static str {
        match self {
            Self::H264 => "h264parse",
            Self::H265 => "h265parse",
            Self::Jpeg => "jpegparse",
            Self::Mpeg4 => "mpeg4videoparse",
        }
    }

    /// What the parser gives: whole pictures, and for H.264 and H.265 in a form that repeats the parameter sets.
    pub(super) fn whole_pictures(self) -> gst::Caps {
        let caps = |name: &str| gst::Caps::builder(name);
        let whole = |name: &str| caps(name).field("stream-format", "byte-stream").field("alignment", "au").build();
        match self {
            Self::H264 => whole("video/x-h264"),
            Self::H265 => whole("video/x-h265"),
            Self::Jpeg => caps("image/jpeg").field("parsed", true).build(),
            Self::Mpeg4 => caps("video/mpeg").field("mpegversion", 4).field("parsed", true).build(),
        }
    }

    /// What the depayloader is to give: whole pictures. In the form with start codes it gives slices one by one,
    /// whatever it is asked for (1.22), and the parser takes each for a picture.
    pub(super) fn depayloaded(self) -> gst::Caps {
        let whole = |name: &str, format: &str| {
            gst::Caps::builder(name).field("stream-format", format).field("alignment", "au").build()
        };
        match self {
            Self::H264 => whole("video/x-h264", "avc"),
            Self::H265 => whole("video/x-h265", "hvc1"),
            Self::Jpeg | Self::Mpeg4 => gst::Caps::new_any(),
        }
    }

    /// Whether MP4 files of it play everywhere.
    pub(super) const fn goes_into_clips(self) -> bool {
        matches!(self, Self::H264 | Self::H265)
    }

    /// The decoder that runs on the processor.
    pub(super) const fn software(self) -> &'static str {
        match self {
            Self::H264 => "avdec_h264",
            Self::H265 => "avdec_h265",
            Self::Jpeg => "avdec_mjpeg",
            Self::Mpeg4 => "avdec_mpeg4",
        }
    }

    /// Decoders that run elsewhere, the likelier ones first: VA-API, NVDEC, V4L2 (stateful, stateless).
    pub(super) const fn hardware(self) -> &'static [&'static str] {
        match self {
            Self::H264 => &["vah264dec", "nvh264dec", "v4l2h264dec", "v4l2slh264dec"],
            Self::H265 => &["vah265dec", "nvh265dec", "v4l2h265dec", "v4l2slh265dec"],
            Self::Jpeg | Self::Mpeg4 => &[],
        }
    }

    /// Two grey pictures of 320x240 and luma [`TRIAL_LUMA`], to try a decoder with.
    pub(super) const fn trial(self) -> Option<&'static [u8]> {
        match self {
            Self::H264 => Some(include_bytes!("trial.h264")),
            Self::H265 => Some(include_bytes!("trial.h265")),
            Self::Jpeg | Self::Mpeg4 => None,
        }
    }
}

/// Luma of the trial pictures.
pub(super) const TRIAL_LUMA: u8 = 180;
