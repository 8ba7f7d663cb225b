//! The outbox and the link against real and scripted brokers.

#![allow(clippy::unwrap_used, reason = "in a test a failed step is a panic")]

mod agent;
mod blame;
mod broken;
mod broker;
mod consumers;
mod fallback;
mod held;
mod inbox;
mod network;
mod outputs;
mod passing;
mod recall;
mod retained;
mod script;
mod scripted;
mod slow;
mod tls;
