//! What `GStreamer` is told to make of pictures.

use crate::{Codec, Mount, SimulatorError, source::Rate};

/// Bits for each pixel if no bit rate is said: what cameras use by default (2 Mbit/s at 1080p15 is 0.06), and more,
/// because software encoders at their fastest need it.
const BITS_PER_PIXEL: f64 = 0.12;

/// Kilobits a second that even small pictures get.
const LEAST_KBIT: u32 = 400;

/// The description of a media for gst-rtsp-server, which wants the payloader to be named `pay0`. The application
/// feeds the element `source`.
pub(crate) fn launch(mount: &Mount, size: (usize, usize), rate: Rate) -> String {
    // Parameter sets before each keyframe: viewers may come at any time.
    let (parser, payloader) = match mount.codec {
        Codec::H264 => ("h264parse", "rtph264pay name=pay0 pt=96 config-interval=-1"),
        Codec::H265 => ("h265parse", "rtph265pay name=pay0 pt=96 config-interval=-1"),
        Codec::Mjpeg => ("jpegparse", "rtpjpegpay name=pay0 pt=26"),
    };
    let encoder = if mount.copy { String::new() } else { format!("! {} ", encoder(mount, size, rate)) };
    format!(
        "( appsrc name=source is-live=true format=time block=true max-buffers=2 max-bytes=0 {encoder}\
         ! {parser} ! {payloader} )"
    )
}

/// The encoder, as an element and its properties.
pub(crate) fn encoder(mount: &Mount, (width, height): (usize, usize), (pictures, seconds): Rate) -> String {
    let per_second = f64::from(pictures) / f64::from(seconds);
    let usual = (width * height) as f64 * per_second * BITS_PER_PIXEL / 1000.0;
    let kbit = mount.bitrate.unwrap_or((usual as u32).max(LEAST_KBIT));
    let gop = mount.gop.unwrap_or((per_second * 2.0).ceil() as u32);
    // One thread and no scene cuts: a steady load and the keyframes where they were asked for.
    match mount.codec {
        Codec::H264 => format!(
            "x264enc speed-preset=superfast tune=zerolatency threads=1 bitrate={kbit} key-int-max={gop} option-string=scenecut=0"
        ),
        Codec::H265 => format!(
            "x265enc speed-preset=ultrafast tune=zerolatency bitrate={kbit} key-int-max={gop} \
             option-string=scenecut=0:pools=1:frame-threads=1:log-level=none"
        ),
        Codec::Mjpeg => "jpegenc quality=80".to_owned(),
    }
}

/// Makes sure that everything a mount may need is installed.
pub(crate) fn check() -> Result<(), SimulatorError> {
    for (element, package) in [
        ("appsrc", "gstreamer1.0-plugins-base"),
        ("decodebin", "gstreamer1.0-plugins-base"),
        ("rtph264pay", "gstreamer1.0-plugins-good"),
        ("h264parse", "gstreamer1.0-plugins-bad"),
        ("x265enc", "gstreamer1.0-plugins-bad"),
        ("x264enc", "gstreamer1.0-plugins-ugly"),
        ("avdec_h264", "gstreamer1.0-libav"),
    ] {
        if gstreamer::ElementFactory::find(element).is_none() {
            return Err(SimulatorError::Missing { element, package });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_reach_the_encoder() {
        let mount: Mount = "/a=pattern,codec=h265,bitrate=300,gop=7".parse().unwrap();
        let line = launch(&mount, (640, 360), (10, 1));
        assert!(line.contains("x265enc") && line.contains("bitrate=300 key-int-max=7") && line.contains("rtph265pay"));
    }

    #[test]
    fn without_options_rate_and_keyframes_follow_from_size_and_rate() {
        let line = launch(&"/a=pattern".parse().unwrap(), (1920, 1080), (30_000, 1001));
        assert!(line.contains("bitrate=7457 key-int-max=60"), "{line}");
        let line = launch(&"/a=pattern".parse().unwrap(), (320, 240), (5, 1));
        assert!(line.contains("bitrate=400 key-int-max=10"), "{line}");
    }

    #[test]
    fn a_copy_is_not_encoded() {
        assert!(!launch(&"/a=file:a.mp4,copy".parse().unwrap(), (0, 0), (1, 1)).contains("enc"));
    }
}
