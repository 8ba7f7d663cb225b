//! The way out: an outbox on the disk and one MQTT connection to the broker.
//!
//! * [`Outbox`]: cameras commit alerts to it; nothing leaves it before the broker has acknowledged it.
//! * [`StateBoard`]: the latest of everything that the broker is to retain.
//! * [`Link`]: one thread that keeps a connection and empties both into it.
//! * [`Passing`]: replies with a picture, which are never on the disk.
//! * [`Inbox`]: what comes the other way: commands and receipts.
//!
//! `mqtt` is the only place of the agent that knows rumqttc.

mod backoff;
mod blame;
mod board;
mod connection;
mod drain;
mod error;
mod guests;
mod held;
mod inbox;
mod link;
mod mqtt;
mod outbox;
mod passing;
mod report;
mod retained;
mod rival;
mod route;
mod settings;
mod versions;
mod window;

pub(crate) use self::mqtt::{check_authorities, check_certificate, check_key, check_pair};
pub use self::{
    backoff::BackoffPolicy,
    board::StateBoard,
    error::LinkError,
    inbox::{Inbox, InboxReport, Incoming},
    link::Link,
    mqtt::{AskError, Question, Version, ask},
    outbox::{Batch, Fate, Gaps, Kin, Message, Outbox, OutboxError, OutboxSettings, Replay, Spans, Waiting},
    passing::{Passing, PassingReport},
    report::{Concern, LinkReport},
    settings::{LinkSettings, Subscription},
};
