use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GapRange, Sequence};

/// Received on `receipt/<consumer>`: what the operations centre has stored. It is not the
/// broker's PUBACK, nor does it say that a person has taken anything.
///
/// All that it says holds on: a later receipt only adds. A box heeds it only for what the
/// broker has acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// Every number up to this one is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Sequence>,
    /// These are stored as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<GapRange>,
    /// These are missing and wanted again. What the box has no more, it names on `gap/box`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<GapRange>,
}
