use std::sync::OnceLock;

use gstreamer as gst;

use super::deadline::{self, MOST_HANGING};

/// Every element a pipeline here may be built of, by the Debian package that holds it.
const ELEMENTS: [(&str, &[&str]); 4] = [
    ("gstreamer1.0-plugins-base", &["appsink", "appsrc", "filesink", "typefind", "videoconvert"]),
    (
        "gstreamer1.0-plugins-good",
        &[
            "rtspsrc",
            "rtpjitterbuffer",
            "rtph264depay",
            "rtph265depay",
            "rtpjpegdepay",
            "qtdemux",
            "mp4mux",
            "avidemux",
            "matroskademux",
        ],
    ),
    ("gstreamer1.0-plugins-bad", &["h264parse", "h265parse", "mpeg4videoparse", "jpegparse", "tsdemux"]),
    ("gstreamer1.0-libav", &["avdec_h264", "avdec_h265", "avdec_mpeg4", "avdec_mjpeg"]),
];

/// Why no camera can be watched on this machine.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// The library itself does not start.
    #[error("GStreamer does not start: {0}; reinstall the Debian package libgstreamer1.0-0")]
    Start(gst::glib::Error),
    /// Plugins are missing.
    #[error("GStreamer lacks {elements}; install {packages}: apt-get install {packages}")]
    Missing {
        /// Elements, separated by commas.
        elements: String,
        /// Debian packages, separated by blanks.
        packages: String,
    },
    /// More and more pipelines can neither be used nor ended.
    #[error(
        "{count} video pipelines hang and cannot be ended; the agent ends itself to be started anew; if this comes back, \
         look for a broken video driver, or set decoder = \"software\""
    )]
    Hanging {
        /// How many.
        count: usize,
    },
}

/// Starts `GStreamer` and makes sure that all plugins are there. Call once, before anything else of
/// this room; further calls do no harm.
///
/// # Errors
///
/// One sentence that names the missing package.
pub fn init() -> Result<(), CameraError> {
    gst::init().map_err(CameraError::Start)?;
    missing(|element| gst::ElementFactory::find(element).is_some())
}

/// Can this process go on watching cameras? After an error only a new process can.
///
/// # Errors
///
/// More pipelines hang than the process should carry.
pub fn bearable() -> Result<(), CameraError> {
    /// How many there were. Some may end later, but who has once been told to stop must not think otherwise.
    static UNBEARABLE: OnceLock<usize> = OnceLock::new();
    let count = UNBEARABLE.get().copied().unwrap_or_else(deadline::hanging);
    bearable_with(count).inspect_err(|_| _ = UNBEARABLE.get_or_init(|| count))
}

fn bearable_with(hanging: usize) -> Result<(), CameraError> {
    if hanging > MOST_HANGING { Err(CameraError::Hanging { count: hanging }) } else { Ok(()) }
}

/// Version of `GStreamer` in use, for example `1.22.0`.
#[must_use]
pub fn version() -> String {
    let (major, minor, micro, _) = gst::version();
    format!("{major}.{minor}.{micro}")
}

fn missing(exists: impl Fn(&str) -> bool) -> Result<(), CameraError> {
    let mut elements = Vec::new();
    let mut packages = Vec::new();
    for (package, wanted) in ELEMENTS {
        let before = elements.len();
        elements.extend(wanted.iter().filter(|element| !exists(element)).copied());
        if elements.len() > before {
            packages.push(package);
        }
    }
    if elements.is_empty() {
        return Ok(());
    }
    Err(CameraError::Missing { elements: elements.join(", "), packages: packages.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let error = missing(|element| !element.starts_with("avdec")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GStreamer lacks avdec_h264, avdec_h265, avdec_mpeg4, avdec_mjpeg; \
             install gstreamer1.0-libav: apt-get install gstreamer1.0-libav"
        );
        assert!(missing(|_| true).is_ok());
    }

    #[test]
    fn pipelines_that_hang_are_borne_up_to_a_number() {
        assert!(bearable_with(20).is_ok());
        assert_eq!(
            bearable_with(21).unwrap_err().to_string(),
            "21 video pipelines hang and cannot be ended; the agent ends itself to be started anew; if this comes back, \
             look for a broken video driver, or set decoder = \"software\""
        );
    }
}
