//! One camera: what a stream is, and how one is kept alive. The only place that knows `GStreamer`.
//!
//! ```text
//! rtspsrc → depayload → parse → sluice → decode → convert if needed → newest frame only → observer
//!                              └→ ring of encoded pictures, for clips
//! └──────────────────── stream: lives once, says why it ended ──────────────┘
//! └──────────────────── keeper: opens the next one, the only place with retry ─────────────┘
//! ```
//!
//! * [`Stream`]: one connection to one camera; [`Recording`]: every frame of a file, in order.
//! * [`keeper`]: keeps a stream alive and tells an [`Observer`] what it sees and when it is blind.
//! * [`Frame`]: a decoded picture, lent out as [`Planes`](crate::vision::Planes) without a copy.
//! * [`EncodedRing`]: what was received in the last seconds, as it came; [`Footage`] is cut from it and becomes an MP4 file.
//! * [`Film`]: pictures, encoded, into an MP4 file, for people to look at.
//! * [`StreamError`]: why a stream ended, in one sentence with the camera's address and the remedy.

mod challenge;
mod clip;
mod codec;
mod container;
mod counters;
mod deadline;
mod decoder;
mod demand;
mod encoded;
mod fault;
mod film;
mod frame;
mod init;
mod intake;
pub mod keeper;
mod kept;
mod lift;
mod mailbox;
mod offer;
mod pipeline;
mod reach;
mod recording;
mod retry;
mod settings;
mod sieve;
mod sluice;
mod stream;

pub use clip::{ClipError, Footage};
pub use counters::{Counters, Counts};
pub use encoded::EncodedRing;
pub use fault::{Fault, StreamError};
pub use film::{Film, FilmError};
pub use frame::Frame;
pub use init::{CameraError, bearable, init, version};
pub use keeper::Observer;
pub use recording::{Recording, RecordingError};
pub use retry::Retry;
pub use settings::StreamSettings;
pub use stream::Stream;
