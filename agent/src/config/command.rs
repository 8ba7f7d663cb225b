use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use jiff::Timestamp;
use karaul_wire::{Segment, Verb};

use crate::trust::PublicKey;

/// `[command]`: who may command the box, and what. Without a key no command is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Commands {
    /// `longest_validity`: the most time from `iat` to `exp`.
    pub longest_validity: Duration,
    /// `clock_tolerance`: by so much the sender's clock and the box's may differ.
    pub clock_tolerance: Duration,
    /// `time_sync_file`: the clock is trusted while this file exists.
    pub time_sync_file: PathBuf,
    /// `[[command.key]]`, by id.
    pub keys: BTreeMap<Segment, CommandKey>,
    /// `[command.role.<id>]`.
    pub roles: BTreeMap<Segment, Role>,
}

/// `[[command.key]]`: a key and whose part it may play.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandKey {
    /// `public_key`, Ed25519.
    pub public_key: PublicKey,
    /// `roles`, at least one; all are defined.
    pub roles: BTreeSet<Segment>,
    /// The end of the day `not_after`.
    pub not_after: Option<Timestamp>,
}

/// `[command.role.<id>]`: what a role may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// `verbs`, at least one.
    pub verbs: BTreeSet<Verb>,
    /// `cameras`: only these; all exist. Otherwise the whole box.
    pub cameras: Option<BTreeSet<Segment>>,
}
