//! Pictures kept on the box.
//!
//! What lies here has not been redacted and does not leave the box by itself; alerts
//! carry only its id, size and hash.

mod album;
mod origin;
mod picture;

pub use album::{Album, AlbumError};
pub use picture::{jpeg_within, to_rgb};
