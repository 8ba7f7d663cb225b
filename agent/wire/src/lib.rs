//! What Karaul says and hears over MQTT: topics, alerts, states.
//!
//! This crate is the contract with integrators. It knows neither GStreamer nor
//! ONNX Runtime nor an MQTT client; it turns Rust values into topic names and
//! JSON and back. The JSON Schemas under `configs/schema/` are generated from
//! these types, and a test fails when they differ.
//!
//! A minor version only adds optional fields. Consumers ignore what they do not
//! know, and nothing is ever reused for another meaning.

mod alert;
#[cfg(test)]
mod asyncapi;
mod audit;
mod command;
mod event;
#[cfg(test)]
mod golden;
mod kind;
mod ledger;
mod receipt;
mod schema;
mod segment;
mod state;
mod topic;
mod why;
mod words;

pub use alert::{
    Acknowledged, Alert, Clock, ClockSource, CloseReason, Evidence, EvidenceKind, Incident, Location, Model, Object,
    Phase, Redaction, Rule, Status, Storm,
};
pub use audit::{AuditHead, SigningKey};
pub use command::{Command, Order, Picture, Reply, ReplyCode, Verb};
pub use event::{AlertEvent, Event, EventError, Sequence, mark_backfill};
pub use kind::RuleKind;
pub use ledger::{Absence, BoxLedger, LedgerBlind, LedgerDay, LedgerRule, LedgerTest, TestOutcome};
pub use receipt::Receipt;
pub use schema::{CONTRACT, schema_address, schemas};
pub use segment::{Segment, SegmentError};
pub use state::{
    BlindCause, BlindReason, BoxBirth, BoxGap, BoxHealth, BoxState, BoxStatus, CameraBirth, CameraCounters,
    CameraState, CameraStatus, FullDecoding, FullDecodingCause, GapRange, LinkHealth, MovedView,
};
pub use topic::BoxPath;
pub use why::{Measure, Quantity, Why};
pub use words::{Language, Severity, Text};
