//! Pictures and clips kept on the box, and the ring that clips are cut from.
//!
//! What lies here has not been redacted and does not leave the box by itself; alerts
//! carry only its id, size and hash.

mod album;
mod origin;
mod picture;
mod ring;

pub use album::{Album, AlbumError};
pub use picture::{jpeg_within, to_rgb};
pub use ring::{Ring, Size, Unit};
