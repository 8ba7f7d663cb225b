//! One camera over real RTSP: what it sees, and what it says when it does not.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod away;
mod demand;
mod refused;
mod secure;
mod video;
mod watched;
