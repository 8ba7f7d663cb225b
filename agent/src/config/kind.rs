use std::time::Duration;

use super::{Daily, Line, Zone};
use crate::{rules::geometry::Point, sight::Condition};

/// The kinds of rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// An object stays in a zone.
    Intrusion {
        /// `zone`.
        zone: Zone,
        /// `dwell`: least time in the zone.
        dwell: Duration,
    },
    /// An object crosses a line.
    LineCrossing {
        /// `line`.
        line: Line,
        /// `direction`: ways of crossing that count.
        direction: Direction,
    },
    /// An object stays about in a zone for long.
    Loitering {
        /// `zone`.
        zone: Zone,
        /// `dwell`: least time in the zone, all in all.
        dwell: Duration,
        /// `away`: who leaves for no longer has stayed; the time outside does not count.
        away: Duration,
    },
    /// Many objects in a zone.
    Crowd {
        /// `zone`.
        zone: Zone,
        /// `at_least` so many.
        at_least: Option<u32>,
        /// `at_least_per_m2`: or so many on a square metre of the zone, by `[camera.ground]`.
        density: Option<f64>,
        /// `dwell`: for so long.
        dwell: Duration,
    },
    /// More have come in over a line than gone out, than there is room for.
    Occupancy {
        /// `line`.
        line: Line,
        /// `inward`: the way in; not both.
        inward: Direction,
        /// `capacity`: more than so many inside are an incident.
        capacity: u32,
        /// `reset` of the count, each day.
        reset: Option<Daily>,
    },
    /// Nobody, or too few, in a zone.
    Absence {
        /// `zone`.
        zone: Zone,
        /// `at_least` so many must be there.
        at_least: u32,
        /// `dwell`: for how long they may be fewer.
        dwell: Duration,
    },
    /// Something was put down and its owner has gone.
    AbandonedObject {
        /// `zone`.
        zone: Zone,
        /// `dwell`: it has stood there for so long.
        dwell: Duration,
        /// `owner_within`: who put it down is with it as long as the distance is no greater.
        owner_within: Distance,
        /// `owner_away`: for how long nobody of the classes, above all the owner, has been so near.
        owner_away: Duration,
    },
    /// Something that stood in a zone is gone.
    RemovedObject {
        /// `zone`, drawn around what is guarded.
        zone: Zone,
        /// `dwell`: it has been gone for so long.
        dwell: Duration,
    },
    /// An object moves against the direction of a zone.
    WrongWay {
        /// `zone`.
        zone: Zone,
        /// `heading`: the right way, from the first point to the second.
        heading: [Point; 2],
        /// `tolerance`: the wrong way is the opposite of the right one, up to so many degrees to either side.
        tolerance: f64,
        /// `distance` that it has gone the wrong way.
        distance: Distance,
    },
    /// An object is too fast.
    Speed {
        /// `zone`; `None` is anywhere.
        zone: Option<Zone>,
        /// `over` this speed.
        over: Pace,
        /// `dwell`: for so long.
        dwell: Duration,
    },
    /// A person runs.
    Running {
        /// `zone`; `None` is anywhere.
        zone: Option<Zone>,
        /// `over` this speed.
        over: Pace,
        /// `dwell`: for so long.
        dwell: Duration,
    },
    /// A vehicle stands.
    StoppedVehicle {
        /// `zone`.
        zone: Zone,
        /// `dwell`: for so long.
        dwell: Duration,
    },
    /// Two cross a line one closely after the other.
    Tailgating {
        /// `line`.
        line: Line,
        /// `direction`: ways of crossing that count.
        direction: Direction,
        /// `within` so long after the one before.
        within: Duration,
    },
    /// A person lies on the ground.
    PersonDown {
        /// `zone`; `None` is anywhere.
        zone: Option<Zone>,
        /// `dwell`: for so long.
        dwell: Duration,
        /// `down_classes`: labels of the model that mean a lying person, as indices; may be empty.
        down_classes: Vec<u16>,
    },
    /// An object of a class is there.
    ObjectSeen {
        /// `zone`; `None` is anywhere.
        zone: Option<Zone>,
    },
    /// Several stand together.
    Group {
        /// `zone`; `None` is anywhere.
        zone: Option<Zone>,
        /// `at_least` so many.
        at_least: u32,
        /// `distance` of each to the next at most.
        distance: Distance,
        /// `dwell`: for so long.
        dwell: Duration,
    },
    /// One rule of the camera and then another.
    Sequence {
        /// `first`: index of a rule of the camera, not a sequence.
        first: usize,
        /// `then`: another.
        then: usize,
        /// `within` so long after the first.
        within: Duration,
        /// `same`: what both must have in common.
        same: Same,
    },
    /// The picture is covered, turned away, blurred, frozen …
    CameraTampering {
        /// `conditions` that count.
        conditions: Vec<Condition>,
        /// `dwell`: for so long.
        dwell: Duration,
    },
    /// The camera gives no pictures.
    CameraLoss {
        /// `dwell`: for so long.
        dwell: Duration,
    },
}

/// `same` of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// The same object.
    Track,
    /// The place that the second rule watches, whoever it was: any object of the camera.
    Camera,
}

impl Same {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Track, Self::Camera];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Camera => "camera",
        }
    }
}

impl RuleKind {
    /// The kind as it is named on the wire.
    #[must_use]
    pub const fn wire(&self) -> karaul_wire::RuleKind {
        use karaul_wire::RuleKind as Wire;
        match self {
            Self::Intrusion { .. } => Wire::Intrusion,
            Self::LineCrossing { .. } => Wire::LineCrossing,
            Self::Loitering { .. } => Wire::Loitering,
            Self::Crowd { .. } => Wire::Crowd,
            Self::Occupancy { .. } => Wire::Occupancy,
            Self::Absence { .. } => Wire::Absence,
            Self::AbandonedObject { .. } => Wire::AbandonedObject,
            Self::RemovedObject { .. } => Wire::RemovedObject,
            Self::WrongWay { .. } => Wire::WrongWay,
            Self::Speed { .. } => Wire::Speed,
            Self::Running { .. } => Wire::Running,
            Self::StoppedVehicle { .. } => Wire::StoppedVehicle,
            Self::Tailgating { .. } => Wire::Tailgating,
            Self::PersonDown { .. } => Wire::PersonDown,
            Self::ObjectSeen { .. } => Wire::ObjectSeen,
            Self::Group { .. } => Wire::Group,
            Self::Sequence { .. } => Wire::Sequence,
            Self::CameraTampering { .. } => Wire::CameraTampering,
            Self::CameraLoss { .. } => Wire::CameraLoss,
        }
    }

    /// The zone that it watches, if it watches one.
    #[must_use]
    pub const fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Intrusion { zone, .. }
            | Self::Loitering { zone, .. }
            | Self::Crowd { zone, .. }
            | Self::Absence { zone, .. }
            | Self::AbandonedObject { zone, .. }
            | Self::RemovedObject { zone, .. }
            | Self::WrongWay { zone, .. }
            | Self::StoppedVehicle { zone, .. } => Some(zone),
            Self::Speed { zone, .. }
            | Self::Running { zone, .. }
            | Self::PersonDown { zone, .. }
            | Self::ObjectSeen { zone }
            | Self::Group { zone, .. } => zone.as_ref(),
            Self::LineCrossing { .. }
            | Self::Occupancy { .. }
            | Self::Tailgating { .. }
            | Self::Sequence { .. }
            | Self::CameraTampering { .. }
            | Self::CameraLoss { .. } => None,
        }
    }

    /// The line that it watches, if it watches one.
    #[must_use]
    pub const fn line(&self) -> Option<&Line> {
        match self {
            Self::LineCrossing { line, .. } | Self::Occupancy { line, .. } | Self::Tailgating { line, .. } => {
                Some(line)
            }
            _ => None,
        }
    }

    /// The longest time that it waits for before it fires.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        match self {
            Self::Intrusion { dwell, .. }
            | Self::Loitering { dwell, .. }
            | Self::Crowd { dwell, .. }
            | Self::Absence { dwell, .. }
            | Self::AbandonedObject { dwell, .. }
            | Self::RemovedObject { dwell, .. }
            | Self::Speed { dwell, .. }
            | Self::Running { dwell, .. }
            | Self::StoppedVehicle { dwell, .. }
            | Self::PersonDown { dwell, .. }
            | Self::Group { dwell, .. } => *dwell,
            Self::Tailgating { within, .. } | Self::Sequence { within, .. } => *within,
            Self::LineCrossing { .. }
            | Self::Occupancy { .. }
            | Self::WrongWay { .. }
            | Self::ObjectSeen { .. }
            | Self::CameraTampering { .. }
            | Self::CameraLoss { .. } => Duration::ZERO,
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

/// A distance on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distance {
    /// `"2m"`; only with `[camera.ground]`.
    Metres(f64),
    /// `"1.5heights"`: heights of the object's box.
    Heights(f64),
}

/// A speed on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// `"20km/h"`; only with `[camera.ground]`.
    KmPerHour(f64),
    /// `"1.5heights/s"`: heights of the object's box in a second.
    HeightsPerSecond(f64),
}
