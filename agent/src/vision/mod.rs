//! Pictures to detections.

mod detection;
mod fit;
mod manifest;
mod planes;
mod prepare;

pub use detection::{Detection, Rect};
pub use fit::Fit;
pub use manifest::{Colour, Head, HeadKind, Input, Manifest, ManifestError, Resize};
pub use planes::{Layout, Matrix, Planes, PlanesError, Range};
pub use prepare::Preparer;
