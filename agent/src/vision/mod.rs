//! Pictures to detections.

mod detection;
mod manifest;
mod planes;

pub use detection::{Detection, Rect};
pub use manifest::{Colour, Head, HeadKind, Input, Manifest, ManifestError, Resize};
pub use planes::{Layout, Matrix, Planes, Range};
