use std::time::Duration;

use karaul_wire::RuleKind as Kind;

use super::{Key, Need, Takes, default, optional, rule::HOUR};
use crate::config::BoxPoint;

const POINTS: &[&str] = &[BoxPoint::Foot.as_str(), BoxPoint::Centre.as_str(), BoxPoint::Head.as_str()];

/// Kinds that look at objects, of given classes or of any.
pub(super) const LOOKING: &[Kind] = &[
    Kind::Intrusion,
    Kind::LineCrossing,
    Kind::Loitering,
    Kind::Crowd,
    Kind::Occupancy,
    Kind::Absence,
    Kind::AbandonedObject,
    Kind::RemovedObject,
    Kind::WrongWay,
    Kind::Speed,
    Kind::Running,
    Kind::StoppedVehicle,
    Kind::Tailgating,
    Kind::PersonDown,
    Kind::ObjectSeen,
    Kind::Group,
];

/// Kinds that look at objects of given classes.
pub(super) const SEEING: &[Kind] = &looking_but(Kind::RemovedObject);

/// All but `object_seen`, which has nothing but the filter to keep a false detection out.
const CONFIRMED_BY_MORE: &[Kind] = &looking_but(Kind::ObjectSeen);

const fn looking_but(other: Kind) -> [Kind; LOOKING.len() - 1] {
    let mut kinds = [LOOKING[0]; LOOKING.len() - 1];
    let (mut from, mut to) = (0, 0);
    while to < kinds.len() {
        if LOOKING[from] as u8 != other as u8 {
            kinds[to] = LOOKING[from];
            to += 1;
        }
        from += 1;
    }
    kinds
}

/// So many looks are remembered of a track.
const MAX_LOOKS: u32 = 32;
const CONFIRM: &str = "[n, m]: an object counts when it was seen in n of the last m looks, with the score asked for.";
const MIN_SCORE: &str = "The best score of an object must reach it.";
const SCORE: Takes = Takes::Number(0.0, 1.0);
const HEIGHT: Takes = Takes::Number(0.0, 100.0);
const ASPECT: Takes = Takes::Number(0.0, 100.0);

/// Which objects count.
pub(super) const FILTER: &[Key] = &[
    default("min_score", SCORE, "0.5", MIN_SCORE).of(CONFIRMED_BY_MORE),
    default("min_score", SCORE, "0.6", MIN_SCORE).of(&[Kind::ObjectSeen]),
    default(
        "keep_score",
        SCORE,
        "0.0",
        "An object that has counted goes on counting down to this score; 0 as long as it is followed.",
    )
    .of(LOOKING),
    default("confirm", Takes::OutOf(MAX_LOOKS), "[1, 1]", CONFIRM).of(CONFIRMED_BY_MORE),
    default("confirm", Takes::OutOf(MAX_LOOKS), "[3, 5]", CONFIRM).of(&[Kind::ObjectSeen]),
    default("min_size", Takes::Pair, "[0.0, 0.0]", "Least width and height of an object, in shares of the picture.")
        .of(LOOKING),
    default("max_size", Takes::Pair, "[1.0, 1.0]", "Greatest width and height of an object, in shares of the picture.")
        .of(LOOKING),
    optional("min_height_m", HEIGHT, "1.2", "Least height in metres where the object stands, by [camera.ground].")
        .of(LOOKING),
    optional("max_height_m", HEIGHT, "2.2", "Greatest height in metres where the object stands, by [camera.ground].")
        .of(LOOKING),
    default("min_aspect", ASPECT, "0.0", "Least width of an object for each pixel of its height.").of(LOOKING),
    default("max_aspect", ASPECT, "100.0", "Greatest width of an object for each pixel of its height.").of(LOOKING),
    default(
        "min_travel",
        Takes::Number(0.0, 1.0),
        "0.0",
        "How far an object must have moved, in shares of the picture's diagonal.",
    )
    .of(LOOKING),
    default(
        "min_age",
        Takes::Duration(Duration::ZERO, HOUR),
        r#""0s""#,
        "For how long an object must have been followed.",
    )
    .of(LOOKING),
    default(
        "point",
        Takes::Word(POINTS),
        r#""foot""#,
        "Point of an object's box that is held against zones and lines.",
    )
    .of(LOOKING),
    optional("masks", Takes::Texts, r#"["trees"]"#, "Zones of this camera in which no object counts.").of(LOOKING),
];

/// The same keys for the dark, each of them only if it is to be otherwise than in the rule.
pub(super) const NIGHT: &[Key] = &{
    let mut keys = [FILTER[0]; FILTER.len() - 2];
    let (mut from, mut to) = (0, 0);
    while to < keys.len() {
        let key = FILTER[from];
        from += 1;
        // The two names that stand there twice.
        if key.kinds.len() == 1 {
            continue;
        }
        let (Need::Required(example) | Need::Default(example) | Need::Optional(example)) = key.need;
        keys[to] = optional(key.name, key.takes, example, key.says);
        to += 1;
    }
    keys
};
