use std::time::Duration;

use karaul_wire::{RuleKind as Kind, Severity};

use super::{
    Key, Takes, default,
    filter::{LOOKING, NIGHT, SEEING},
    kinds::KIND_KEYS,
    optional, required,
};
use crate::config::Light;

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

const SEVERITIES: &[&str] = &[Severity::Info.as_str(), Severity::Warning.as_str(), Severity::Critical.as_str()];
const KINDS: &[&str] = &{
    let mut words = [""; Kind::ALL.len()];
    let mut i = 0;
    while i < words.len() {
        words[i] = Kind::ALL[i].as_str();
        i += 1;
    }
    words
};
const LIGHTS: &[&str] = &[Light::Day.as_str(), Light::Night.as_str()];

/// Kinds about the camera itself.
const OF_CAMERA: &[Kind] = &[Kind::CameraTampering, Kind::CameraLoss];
/// Each time counts, so nothing is held back.
const EACH_COUNTS: &[Kind] = &[Kind::LineCrossing, Kind::Tailgating];
const THE_REST: &[Kind] = &[
    Kind::Intrusion,
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
    Kind::PersonDown,
    Kind::ObjectSeen,
    Kind::Group,
    Kind::Sequence,
];

const COOLDOWN: Takes = Takes::Duration(Duration::ZERO, DAY);

const HEAD: &[Key] = &[
    required("id", Takes::Id, r#""night-intrusion""#, "Id, unique in the camera."),
    required("kind", Takes::Word(KINDS), r#""intrusion""#, "What is looked for."),
];

const CLASSES: &[Key] = &[
    required("classes", Takes::Texts, r#"["person"]"#, "Labels of the model that count.").of(SEEING),
    optional("classes", Takes::Texts, r#"["person"]"#, "Labels of the model that are not the thing that is guarded.")
        .of(&[Kind::RemovedObject]),
];

/// What every kind has.
const COMMON: &[Key] = &[
    optional("schedule", Takes::Text, r#""after-hours""#, "Schedule in which it is armed; without it always."),
    optional("modes", Takes::Texts, r#"["night"]"#, "Modes of the site in which it is armed; without it all."),
    optional("light", Takes::Word(LIGHTS), r#""night""#, "Light in which it is armed; without it both."),
    default("severity", Takes::Word(SEVERITIES), r#""warning""#, "How urgent its incidents are."),
    optional(
        "escalate",
        Takes::Table(ESCALATE),
        r#"{ after = "5m", severity = "critical" }"#,
        "An incident that lasts becomes more urgent.",
    ),
    default("cooldown", COOLDOWN, r#""10s""#, "Time after an alert in which the rule opens no other incident.")
        .of(THE_REST),
    default(
        "cooldown",
        COOLDOWN,
        r#""0s""#,
        "Time after an alert in which the rule opens no other incident; none, so that each one counts.",
    )
    .of(EACH_COUNTS),
    default("cooldown", COOLDOWN, r#""60s""#, "Time after an alert in which the rule opens no other incident.")
        .of(OF_CAMERA),
    optional(
        "budget",
        Takes::Whole(1, 3600),
        "20",
        "Most incidents an hour that are told one by one, and the rest as one storm; without it all are.",
    ),
];

const ESCALATE: &[Key] = &[
    required(
        "after",
        Takes::Duration(Duration::from_secs(1), DAY),
        r#""5m""#,
        "So long after the incident has opened.",
    ),
    required("severity", Takes::Word(SEVERITIES), r#""critical""#, "How urgent it is then; above that of the rule."),
];

const NIGHT_TABLE: &[Key] = &[optional(
    "night",
    Takes::Table(NIGHT),
    "{ min_score = 0.4 }",
    "Which objects count in the dark; what is not there is as in the rule.",
)
.of(LOOKING)];

const PARTS: [&[Key]; 6] = [HEAD, KIND_KEYS, CLASSES, COMMON, super::filter::FILTER, NIGHT_TABLE];

pub(super) const RULE: &[Key] = &{
    let mut all = [HEAD[0]; LENGTH];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut i = 0;
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i];
            (at, i) = (at + 1, i + 1);
        }
        part += 1;
    }
    all
};

const LENGTH: usize = {
    let (mut length, mut i) = (0, 0);
    while i < PARTS.len() {
        length += PARTS[i].len();
        i += 1;
    }
    length
};
