//! One camera over real RTSP: what it sees, and what it says when it does not.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod answers;
mod away;
mod bitstreams;
mod demand;
mod receive;
mod refused;
mod scripted;
mod secure;
mod video;
mod watched;
