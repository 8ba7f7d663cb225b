//! Pictures to detections.
//!
//! [`Preparer`] makes the input tensor out of the decoder's planes, [`Model`] runs it in ONNX
//! Runtime ([`session`] is the only place that knows it), [`Decoder`] reads boxes out of the
//! outputs, and [`Detector`] is the three together for one camera. A [`Manifest`] says how each
//! of them is to treat a model; nothing about a model is written in code.

mod daylight;
mod detection;
mod detector;
mod error;
mod fit;
mod heads;
mod manifest;
mod model;
pub mod motion;
mod planes;
mod pool;
mod prepare;
pub mod session;
mod still;
mod windows;

pub use daylight::Daylight;
pub(crate) use detection::length;
pub use detection::{Detection, Rect};
pub use detector::Detector;
pub use error::VisionError;
pub use fit::Fit;
pub use heads::Decoder;
pub use manifest::{Colour, Head, HeadKind, Input, Manifest, ManifestError, Resize};
pub use model::{Counters, Model};
pub use planes::{Layout, Matrix, Planes, PlanesError, Range};
pub use prepare::Preparer;
pub use session::Runtime;
pub use still::Still;
pub use windows::{Window, windows};
