//! One camera over real RTSP: what it sees, and what it says when it does not.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod answers;
mod away;
mod demand;
mod refused;
mod secure;
mod bitstreams;
mod scripted;
mod video;
mod watched;
