//! The way out: an outbox on the disk and one MQTT connection to the broker.
//!
//! * [`Outbox`]: cameras commit alerts to it; nothing leaves it before the broker has acknowledged it.
//! * [`StateBoard`]: the latest of everything that the broker is to retain.
//! * [`Link`]: one thread that keeps a connection and empties both into it.
//!
//! `mqtt` is the only place of the agent that knows rumqttc.

mod backoff;
mod board;
mod connection;
mod error;
mod held;
mod link;
mod mqtt;
mod outbox;
mod window;

pub(crate) use self::mqtt::check_authorities;
pub use self::{
    backoff::BackoffPolicy,
    board::StateBoard,
    error::LinkError,
    link::{Link, LinkReport, LinkSettings},
    mqtt::{AskError, Question, Version, ask},
    outbox::{Batch, Gaps, Kin, Message, Outbox, OutboxError, Waiting},
};
