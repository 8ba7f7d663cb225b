use std::{sync::Arc, time::Duration};

use karaul_wire::{Segment, Severity};

use super::Schedule;
use crate::rules::geometry::{Point, Polygon};

/// `[[camera.rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `id`.
    pub id: Segment,
    /// `severity` of its incidents.
    pub severity: Severity,
    /// `schedule` in which it is armed; `None` is always.
    pub schedule: Option<Arc<Schedule>>,
    /// `cooldown` after an alert in which the rule opens no other incident.
    pub cooldown: Duration,
    /// Which objects count.
    pub filter: Filter,
    /// `kind`, with what only this kind has.
    pub kind: RuleKind,
}

/// Which objects count for a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// `classes`, as indices into the model's labels; at least one.
    pub classes: Vec<u16>,
    /// `min_score`: the best score of the track must reach it.
    pub min_score: f32,
    /// `min_size`: least width and height, in shares of the picture.
    pub min_size: [f32; 2],
    /// `max_size`: greatest width and height, in shares of the picture.
    pub max_size: [f32; 2],
    /// `min_travel`: how far the object must have moved since it was first seen, in
    /// shares of the picture's diagonal.
    pub min_travel: f32,
}

/// The kinds of rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// An object stays in a zone.
    Intrusion {
        /// Id of the zone.
        zone: Segment,
        /// The zone.
        polygon: Polygon,
        /// `dwell`: least time in the zone.
        dwell: Duration,
    },
    /// An object crosses a line.
    LineCrossing {
        /// Id of the line.
        line: Segment,
        /// First and second point.
        points: [Point; 2],
        /// Ways of crossing that count.
        direction: Direction,
    },
}

impl RuleKind {
    /// The kind as it is named on the wire.
    #[must_use]
    pub const fn wire(&self) -> karaul_wire::RuleKind {
        match self {
            Self::Intrusion { .. } => karaul_wire::RuleKind::Intrusion,
            Self::LineCrossing { .. } => karaul_wire::RuleKind::LineCrossing,
        }
    }
}

/// `direction` of a line crossing, for somebody who stands on the line's first
/// point and looks at its second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the left of the line to its right.
    LeftToRight,
    /// From the right of the line to its left.
    RightToLeft,
    /// Both.
    Either,
}

impl Direction {
    /// All directions.
    pub const ALL: [Self; 3] = [Self::LeftToRight, Self::RightToLeft, Self::Either];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "left-to-right",
            Self::RightToLeft => "right-to-left",
            Self::Either => "either",
        }
    }
}
