use std::time::Duration;

use karaul_wire::RuleKind as Kind;

use super::{
    Key, Takes, default, optional, required,
    rule::{DAY, HOUR},
};
use crate::{
    config::{Direction, Same},
    sight::Condition,
};

const DIRECTIONS: &[&str] =
    &[Direction::LeftToRight.as_str(), Direction::RightToLeft.as_str(), Direction::Either.as_str()];
const WAYS_IN: &[&str] = &[Direction::LeftToRight.as_str(), Direction::RightToLeft.as_str()];
const SAME: &[&str] = &[Same::Track.as_str(), Same::Camera.as_str()];
const CONDITIONS: &[&str] = &[
    Condition::Covered.as_str(),
    Condition::Blurred.as_str(),
    Condition::Moved.as_str(),
    Condition::Dark.as_str(),
    Condition::WashedOut.as_str(),
    Condition::Frozen.as_str(),
    Condition::Dirty.as_str(),
];

const NOW: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// `dwell` of one kind.
const fn dwell(kind: &'static [Kind], least: Duration, most: Duration, usual: &'static str, says: &'static str) -> Key {
    default("dwell", Takes::Duration(least, most), usual, says).of(kind)
}

/// What only some kinds have.
pub(super) const KIND_KEYS: &[Key] = &[
    required("zone", Takes::Text, r#""yard""#, "Zone of this camera.").of(&[
        Kind::Intrusion,
        Kind::Loitering,
        Kind::Crowd,
        Kind::Absence,
        Kind::AbandonedObject,
        Kind::RemovedObject,
        Kind::WrongWay,
        Kind::StoppedVehicle,
    ]),
    optional("zone", Takes::Text, r#""yard""#, "Zone of this camera; without it anywhere.").of(&[
        Kind::Speed,
        Kind::Running,
        Kind::PersonDown,
        Kind::ObjectSeen,
        Kind::Group,
    ]),
    required("line", Takes::Text, r#""fence""#, "Line of this camera.").of(&[
        Kind::LineCrossing,
        Kind::Occupancy,
        Kind::Tailgating,
    ]),
    default("direction", Takes::Word(DIRECTIONS), r#""either""#, "Ways of crossing that count.")
        .of(&[Kind::LineCrossing, Kind::Tailgating]),
    required("inward", Takes::Word(WAYS_IN), r#""left-to-right""#, "The way in.").of(&[Kind::Occupancy]),
    required("capacity", Takes::Whole(0, 100_000), "30", "More than so many inside are an incident.")
        .of(&[Kind::Occupancy]),
    optional("reset", Takes::TimeOfDay, r#""04:00""#, "When the count begins anew each day; without it never.")
        .of(&[Kind::Occupancy]),
    optional("at_least", Takes::Whole(1, 10_000), "10", "So many in the zone; this or at_least_per_m2.")
        .of(&[Kind::Crowd]),
    default("at_least", Takes::Whole(1, 10_000), "1", "So many must be in the zone.").of(&[Kind::Absence]),
    default("at_least", Takes::Whole(2, 10_000), "3", "So many together.").of(&[Kind::Group]),
    optional(
        "at_least_per_m2",
        Takes::Number(0.01, 20.0),
        "2.0",
        "So many on a square metre of the zone, by [camera.ground]; this or at_least.",
    )
    .of(&[Kind::Crowd]),
    required("first", Takes::Text, r#""over-the-fence""#, "Rule of this camera that comes first; no sequence.")
        .of(&[Kind::Sequence]),
    required("then", Takes::Text, r#""at-the-door""#, "Another, that comes after it.").of(&[Kind::Sequence]),
    default("within", Takes::Duration(Duration::from_millis(100), MINUTE), r#""2s""#, "So long after the one before.")
        .of(&[Kind::Tailgating]),
    default("within", Takes::Duration(SECOND, HOUR), r#""30s""#, "So long after the first.").of(&[Kind::Sequence]),
    default("same", Takes::Word(SAME), r#""track""#, "What both have in common: the object, or only the camera.")
        .of(&[Kind::Sequence]),
    required("heading", Takes::Points(2, 2), "[[0.5, 0.9], [0.5, 0.5]]", "The right way, from one point to another.")
        .of(&[Kind::WrongWay]),
    default(
        "tolerance",
        Takes::Number(1.0, 90.0),
        "45.0",
        "Degrees from the opposite of the right way that are wrong too.",
    )
    .of(&[Kind::WrongWay]),
    default("distance", Takes::Distance, r#""1heights""#, "How far it has gone the wrong way.").of(&[Kind::WrongWay]),
    default("distance", Takes::Distance, r#""1heights""#, "Distance of each to the next at most.").of(&[Kind::Group]),
    required("over", Takes::Pace, r#""20km/h""#, "Faster than this.").of(&[Kind::Speed]),
    default("over", Takes::Pace, r#""1.8heights/s""#, "Faster than this.").of(&[Kind::Running]),
    dwell(
        &[Kind::Intrusion],
        NOW,
        HOUR,
        r#""1s""#,
        "Least time in the zone; a second keeps single false detections out.",
    ),
    dwell(&[Kind::Loitering], SECOND, DAY, r#""30s""#, "Least time in the zone, all in all."),
    dwell(&[Kind::Crowd], NOW, DAY, r#""3s""#, "For how long so many are there."),
    dwell(&[Kind::Absence], SECOND, DAY, r#""60s""#, "For how long there may be fewer."),
    dwell(&[Kind::AbandonedObject], SECOND, DAY, r#""30s""#, "For how long it has stood there."),
    dwell(&[Kind::RemovedObject], SECOND, DAY, r#""5s""#, "For how long it has been gone."),
    dwell(&[Kind::Speed], NOW, MINUTE, r#""500ms""#, "For how long it is so fast."),
    dwell(&[Kind::Running], NOW, MINUTE, r#""600ms""#, "For how long it is so fast."),
    dwell(&[Kind::StoppedVehicle], SECOND, DAY, r#""60s""#, "For how long it stands."),
    dwell(&[Kind::PersonDown], NOW, HOUR, r#""5s""#, "For how long the person lies."),
    dwell(&[Kind::Group], NOW, DAY, r#""5s""#, "For how long they stand together."),
    dwell(&[Kind::CameraTampering], NOW, HOUR, r#""10s""#, "For how long the picture is bad."),
    dwell(&[Kind::CameraLoss], NOW, DAY, r#""30s""#, "For how long there are no pictures."),
    default("away", Takes::Duration(NOW, HOUR), r#""10s""#, "Who leaves the zone for no longer has stayed.")
        .of(&[Kind::Loitering]),
    default("owner_within", Takes::Distance, r#""1.5heights""#, "Who is no farther from the thing is with it.")
        .of(&[Kind::AbandonedObject]),
    default("owner_away", Takes::Duration(NOW, HOUR), r#""10s""#, "For how long nobody has been with it.")
        .of(&[Kind::AbandonedObject]),
    optional("down_classes", Takes::Texts, r#"["fallen"]"#, "Labels of the model that mean a lying person.")
        .of(&[Kind::PersonDown]),
    // Not dirty: that is for whoever cleans the lens, who learns of it from the camera's status.
    default(
        "conditions",
        Takes::Words(CONDITIONS),
        r#"["covered", "blurred", "moved", "dark", "washed-out", "frozen"]"#,
        "What counts as tampering.",
    )
    .of(&[Kind::CameraTampering]),
];
