use std::{io, path::PathBuf, time::Duration};

/// Longest wait for one picture: disks are fast, network disks sometimes hang.
pub(super) const PICTURE_LIMIT: Duration = Duration::from_secs(10);

/// Why a recording cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened.
    #[error("{}: cannot be opened: {source}; check the path and your right to read it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no video, or not in a codec that we decode.
    #[error("{}: holds no H.264, H.265, MPEG-4 or Motion JPEG video (found {found}); convert it first", path.display())]
    NoVideo {
        /// The file.
        path: PathBuf,
        /// Media types that were found.
        found: String,
    },
    /// Not one picture can be had.
    #[error("{}: no picture in it can be read ({detail}); is it a video file, and whole?", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// `GStreamer`'s words.
        detail: String,
    },
    /// Damaged or cut off.
    #[error("{}: damaged or cut off after {pictures} pictures ({detail}); copy it again or repair it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Whole pictures before that place.
        pictures: u64,
        /// `GStreamer`'s words.
        detail: String,
    },
    /// The disk does not answer.
    #[error("{}: no picture for {PICTURE_LIMIT:?} after {pictures} pictures; check the disk", path.display())]
    Slow {
        /// The file.
        path: PathBuf,
        /// Whole pictures before that.
        pictures: u64,
    },
}
