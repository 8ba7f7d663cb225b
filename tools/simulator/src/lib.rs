//! RTSP cameras that are none: files and rendered scenes, served in real time for ever.
//!
//! * [`Mount`]: what is served where, as written on the command line.
//! * [`Simulator`]: the server; in this process, until dropped.
//! * [`peer`]: a camera that follows a script, with all the faults that cameras have.
//! * [`timecode`]: the time of a picture, burned into it, readable after encoding, for measuring latency.

mod encoder;
mod error;
mod feeder;
mod file;
mod mount;
mod packets;
pub mod peer;
mod server;
mod source;
pub mod timecode;

pub use error::SimulatorError;
pub use mount::{Codec, Content, Mount, MountError};
pub use server::{Authentication, Settings, Simulator};
