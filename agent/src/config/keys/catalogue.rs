//! The catalogue of everything that may be written: names, values, ranges, defaults.
//!
//! It is the one place for defaults, drives the reader, and is what the JSON Schema
//! for editors is made from.

use std::time::Duration;

use karaul_wire::{Language, Verb};

use super::{Key, Takes, default, optional, required, rule::RULE};
use crate::{
    config::{Decoder, Decoding, Detection, Provider, Transport, site::Delivery},
    trust::GREATEST_TOLERANCE,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

const LANGUAGES: &[&str] = &[Language::Kk.as_str(), Language::Ru.as_str(), Language::En.as_str()];
const PROVIDERS: &[&str] = &[Provider::Cpu.as_str(), Provider::Cuda.as_str(), Provider::OpenVino.as_str()];
const TRANSPORTS: &[&str] = &[Transport::Tcp.as_str(), Transport::Udp.as_str()];
const DECODING: &[&str] = &[Decoding::Full.as_str(), Decoding::OnDemand.as_str(), Decoding::Keyframes.as_str()];
const DETECTION: &[&str] = &[Detection::Always.as_str(), Detection::OnMotion.as_str()];
const DECODERS: &[&str] = &[Decoder::Auto.as_str(), Decoder::Software.as_str(), Decoder::Hardware.as_str()];
const VERBS: &[&str] = &[
    Verb::Acknowledge.as_str(),
    Verb::Resolve.as_str(),
    Verb::FalsePositive.as_str(),
    Verb::Arm.as_str(),
    Verb::Disarm.as_str(),
    Verb::TestIncident.as_str(),
    Verb::Replay.as_str(),
    Verb::Snapshot.as_str(),
    Verb::Reload.as_str(),
    Verb::CameraEnable.as_str(),
    Verb::Ledger.as_str(),
    Verb::Mode.as_str(),
];

/// The whole document.
pub(in crate::config) const ROOT: &[Key] = &[
    required("site", Takes::Table(SITE), "", "Where the box stands."),
    required("broker", Takes::Table(BROKER), "", "Where alerts go."),
    default("storage", Takes::Table(STORAGE), "{}", "What may lie on the disk."),
    default("command", Takes::Table(COMMAND), "{}", "Who may command the box, and what."),
    default("inference", Takes::Table(INFERENCE), "{}", "How models are run."),
    default("test", Takes::Table(TEST), "{}", "Test incidents on schedule."),
    default("output", Takes::Table(OUTPUT), "{}", "What else is published, besides Karaul's own messages."),
    default("schedule", Takes::Named(SCHEDULE), "{}", "Times of a week in which rules are armed."),
    required("camera", Takes::Tables(CAMERA), "", "The cameras, at least one."),
];

const SITE: &[Key] = &[
    required("region", Takes::Id, r#""almaty""#, "Region, first part of the box's address."),
    required("district", Takes::Id, r#""turksib""#, "District of the region."),
    required("name", Takes::Id, r#""school-042""#, "School, police station or unit."),
    required("box", Takes::Id, r#""b7f3""#, "This box, one of perhaps several of the site."),
    required("time_zone", Takes::TimeZone, r#""Asia/Almaty""#, "IANA time zone in which schedules are meant."),
    default("languages", Takes::Words(LANGUAGES), r#"["kk", "ru", "en"]"#, "Languages of alert texts."),
    optional(
        "modes",
        Takes::Ids,
        r#"["day", "night"]"#,
        "Modes that the site can be switched to; rules may be armed in some.",
    ),
    optional(
        "holidays",
        Takes::Holidays,
        r#"["every 01-01..01-02", "2026-03-21..2026-03-25"]"#,
        "Days on which the spans of holiday hold in schedules that have them.",
    ),
];

/// Trying one that is not there takes up to 20 s, and all are tried before the first is tried again.
const MAX_FALLBACKS: usize = 4;

const BROKER: &[Key] = &[
    required(
        "url",
        Takes::BrokerUrl,
        r#""mqtts://ops.example.org""#,
        "MQTT broker; mqtt:// (1883) or mqtts:// (8883).",
    ),
    optional(
        "fallback",
        Takes::BrokerUrls(MAX_FALLBACKS),
        r#"["mqtts://ops2.example.org"]"#,
        "Brokers to go to, in this order, while those before cannot be had; up to four, TLS and login as for url.",
    ),
    optional(
        "ca_file",
        Takes::Path,
        r#""ca.pem""#,
        "PEM file of the authorities to trust instead of the system's; with mqtts:// only.",
    ),
    optional(
        "certificate",
        Takes::Path,
        r#""box.pem""#,
        "PEM file of the box's own certificate, if the broker wants one; with mqtts:// only.",
    ),
    optional("key", Takes::Path, r#""box.key""#, "PEM file of the certificate's private key, PKCS #8, not encrypted."),
    optional("username", Takes::Text, r#""box-b7f3""#, "User name at the broker."),
    optional("password", Takes::Password, r#""credential:broker""#, "Where the password is; never the password."),
    default(
        "keep_alive",
        Takes::Duration(Duration::from_secs(5), Duration::from_secs(1200)),
        r#""30s""#,
        "A dead link is noticed within twice this time.",
    ),
    default(
        "delivery",
        Takes::Word(&Delivery::WORDS),
        r#""puback""#,
        "When an alert is delivered: the broker has it, or the consumer has confirmed it.",
    ),
    optional(
        "consumer",
        Takes::Id,
        r#""ops""#,
        "Who confirms alerts on receipt/<consumer>; with delivery = \"receipt\".",
    ),
    default(
        "backlog_rate",
        Takes::Whole(1, 10_000),
        "50",
        "Messages a second of those that waited for the broker; new ones go before them.",
    ),
];

const STORAGE: &[Key] = &[
    default("path", Takes::Path, r#""/var/lib/karaul""#, "Folder for the outbox, the pictures and the clips."),
    default("outbox_quota", Takes::Size(MIB, TIB), r#""256 MiB""#, "Space for alerts that wait for the broker."),
    default(
        "retention",
        Takes::Duration(Duration::ZERO, Duration::from_secs(30 * 86_400)),
        r#""24h""#,
        "How long delivered alerts are kept within outbox_quota, to be sent again on demand.",
    ),
    default(
        "evidence_quota",
        Takes::Size(MIB, TIB),
        r#""2 GiB""#,
        "Space for pictures and clips; the oldest go first.",
    ),
];

const COMMAND: &[Key] = &[
    default(
        "longest_validity",
        Takes::Duration(Duration::from_secs(10), DAY),
        r#""10m""#,
        "The most time from a command's issue to its expiry.",
    ),
    default(
        "clock_tolerance",
        Takes::Duration(Duration::ZERO, GREATEST_TOLERANCE),
        r#""30s""#,
        "By so much the sender's clock and the box's may differ.",
    ),
    default(
        "time_sync_file",
        Takes::Path,
        r#""/run/systemd/timesync/synchronized""#,
        "The clock is trusted while this file exists; otherwise commands must name the session.",
    ),
    default("key", Takes::Tables(COMMAND_KEY), "[]", "Keys that may sign commands; without one no command is taken."),
    default("role", Takes::Named(COMMAND_ROLE), "{}", "What the owner of a key may do."),
];

const COMMAND_KEY: &[Key] = &[
    required("id", Takes::Id, r#""duty-desk""#, "Id, unique in the file; the kid of a command."),
    required(
        "public_key",
        Takes::PublicKey,
        r#""ErVVy8wchpbzv4cgrEm_5HtwUoT4Si3UlbL-Xwbx61s""#,
        "Ed25519 public key in Base64url, or file:PATH of a PEM file.",
    ),
    required("roles", Takes::Texts, r#"["operator"]"#, "Roles that its owner may use."),
    optional("not_after", Takes::Day, r#""2027-12-31""#, "Last day on which it is good."),
];

const COMMAND_ROLE: &[Key] = &[
    required("verbs", Takes::Words(VERBS), r#"["acknowledge", "resolve"]"#, "What it may do."),
    optional("cameras", Takes::Texts, r#"["gate"]"#, "Cameras that it is for; without it the whole box."),
];

const INFERENCE: &[Key] = &[
    default("models", Takes::Path, r#""/usr/share/karaul/models""#, "Folder with one folder per model."),
    optional(
        "library",
        Takes::Path,
        r#""/usr/lib/libonnxruntime.so""#,
        "ONNX Runtime's shared library; without it ORT_DYLIB_PATH, then the system's.",
    ),
    default("provider", Takes::Word(PROVIDERS), r#""cpu""#, "Execution provider; an error if it cannot be had."),
    optional("sessions", Takes::Whole(1, 64), "2", "Inferences at the same time; without it one per core."),
];

const TEST: &[Key] = &[
    optional(
        "at",
        Takes::TimeOfDay,
        r#""08:00""#,
        "When one goes the way of alerts each day, in the site's time zone; without it none does.",
    ),
    default(
        "within",
        Takes::Duration(Duration::from_secs(5), HOUR),
        r#""5m""#,
        "So soon the broker, or the consumer, has to confirm it; otherwise that is an alert.",
    ),
];

const OUTPUT: &[Key] = &[
    default("onvif", Takes::Table(ONVIF), "{}", "Incidents as ONVIF events over MQTT."),
    default("home_assistant", Takes::Table(HOME_ASSISTANT), "{}", "Rules and cameras as entities of Home Assistant."),
];

const ONVIF: &[Key] = &[
    default("enabled", Takes::Flag, "false", "Whether they are published."),
    optional(
        "prefix",
        Takes::TopicPrefix,
        r#""almaty.turksib.school-042.b7f3""#,
        "ONVIF's TopicPrefix; without it region, district, name and box with dots between.",
    ),
];

const HOME_ASSISTANT: &[Key] = &[
    default("enabled", Takes::Flag, "false", "Whether they are published."),
    default("discovery_prefix", Takes::TopicPrefix, r#""homeassistant""#, "As in Home Assistant's MQTT options."),
];

const SCHEDULE: &[Key] = &[
    optional("monday", Takes::Spans(1), r#"["19:00-07:30"]"#, "Spans that begin on Mondays."),
    optional("tuesday", Takes::Spans(1), r#"["19:00-07:30"]"#, "Spans that begin on Tuesdays."),
    optional("wednesday", Takes::Spans(1), r#"["19:00-07:30"]"#, "Spans that begin on Wednesdays."),
    optional("thursday", Takes::Spans(1), r#"["19:00-07:30"]"#, "Spans that begin on Thursdays."),
    optional("friday", Takes::Spans(1), r#"["19:00-07:30"]"#, "Spans that begin on Fridays."),
    optional("saturday", Takes::Spans(1), r#"["00:00-24:00"]"#, "Spans that begin on Saturdays."),
    optional("sunday", Takes::Spans(1), r#"["00:00-24:00"]"#, "Spans that begin on Sundays."),
    optional("weekdays", Takes::Spans(1), r#"["19:00-07:30"]"#, "Spans that begin on Monday to Friday."),
    optional("weekend", Takes::Spans(1), r#"["00:00-24:00"]"#, "Spans that begin on Saturday and Sunday."),
    optional("every_day", Takes::Spans(1), r#"["22:00-06:00"]"#, "Spans that begin on any day."),
    optional(
        "holiday",
        Takes::Spans(0),
        r#"["00:00-24:00", "19:00-07:30"]"#,
        "Spans that begin on a holiday, instead of those of its day.",
    ),
];

const CAMERA: &[Key] = &[
    required("id", Takes::Id, r#""gate""#, "Id, unique in the file."),
    optional("label", Takes::Table(LABEL), r#"{ kk = "Қақпа", ru = "Ворота" }"#, "Name for people, by language."),
    default("enabled", Takes::Flag, "true", "Whether the camera is watched."),
    required(
        "url",
        Takes::CameraUrl,
        r#""rtsp://192.0.2.11/stream2""#,
        "RTSP stream to watch, without user or password; rtsps:// for TLS.",
    ),
    optional(
        "evidence_url",
        Takes::CameraUrl,
        r#""rtsp://192.0.2.11/stream1""#,
        "RTSP stream that clips are taken from, never decoded; without it the one to watch.",
    ),
    optional(
        "ca_file",
        Takes::Path,
        r#""ca.pem""#,
        "PEM file of the authorities, or the camera's own certificate, to trust instead of the system's; with rtsps:// only.",
    ),
    optional("username", Takes::Text, r#""viewer""#, "User name at the camera."),
    optional("password", Takes::Password, r#""credential:gate""#, "Where the password is; never the password."),
    default("transport", Takes::Word(TRANSPORTS), r#""tcp""#, "How the stream's packets travel."),
    default("decoder", Takes::Word(DECODERS), r#""auto""#, "Which decoder to use."),
    default("decoding", Takes::Word(DECODING), r#""full""#, "Which pictures are decoded."),
    default("detection", Takes::Word(DETECTION), r#""always""#, "Which pictures the detector looks at."),
    default(
        "look_every",
        Takes::Duration(Duration::from_millis(500), Duration::from_secs(10)),
        r#""2s""#,
        "Longest time between two looks with \"on-demand\" or \"on-motion\".",
    ),
    required("model", Takes::Text, r#""yolox-nano""#, "Detector: name of a folder in inference.models."),
    default("detections_per_second", Takes::Number(1.0, 30.0), "5.0", "How often the detector looks."),
    required("purpose", Takes::Text, r#""school-safety""#, "What the camera is for, as the law wants it stated."),
    default("sight", Takes::Table(SIGHT), "{}", "Whether the picture is still worth watching."),
    default("clips", Takes::Table(CLIPS), "{}", "A clip of each incident, kept on the box."),
    optional(
        "ground",
        Takes::Table(GROUND),
        "{ points = [[0.2, 0.5], [0.8, 0.5], [1.0, 0.9], [0.0, 0.9]], metres = [[0, 12], [6, 12], [6, 0], [0, 0]] }",
        "Where points of the picture lie on the ground.",
    ),
    default("zone", Takes::Named(ZONE), "{}", "Areas of the picture."),
    default("line", Takes::Named(LINE), "{}", "Lines in the picture."),
    default("rule", Takes::Tables(RULE), "[]", "When an alert is raised."),
];

const SIGHT: &[Key] = &[
    default(
        "enabled",
        Takes::Flag,
        "true",
        "Whether a covered, blurred, turned … camera is noticed; not for one that turns by itself.",
    ),
    default(
        "learn",
        Takes::Duration(Duration::from_secs(20), HOUR),
        r#""2m""#,
        "For how long a view is learnt before it can be called moved or blurred.",
    ),
];

const CLIPS: &[Key] = &[
    default("enabled", Takes::Flag, "false", "Whether clips are kept; H.264 and H.265 only."),
    default(
        "before",
        Takes::Duration(Duration::ZERO, Duration::from_secs(60)),
        r#""5s""#,
        "A clip begins so long before its incident opened, with the next keyframe before that.",
    ),
    default(
        "after",
        Takes::Duration(Duration::from_secs(1), Duration::from_secs(60)),
        r#""10s""#,
        "And ends so long after that, or with the incident.",
    ),
    default(
        "memory",
        Takes::Size(MIB, 256 * MIB),
        r#""8 MiB""#,
        "Space for the encoded pictures of the last seconds; clips are shorter where it is not enough.",
    ),
];

const LABEL: &[Key] = &[
    optional("kk", Takes::Text, r#""Қақпа""#, "Kazakh."),
    optional("ru", Takes::Text, r#""Ворота""#, "Russian."),
    optional("en", Takes::Text, r#""Gate""#, "English."),
];

/// Checking a polygon is quadratic in its corners, and nobody draws more than this.
const MAX_POINTS: usize = 64;

const ZONE: &[Key] = &[required(
    "points",
    Takes::Points(3, MAX_POINTS),
    "[[0.1, 0.4], [0.9, 0.4], [0.9, 1.0], [0.1, 1.0]]",
    "Corners [x, y] in order around the zone, in shares of the picture from its top left.",
)];

/// A kerb or a fence needs no more.
const MAX_LINE_POINTS: usize = 16;

const LINE: &[Key] = &[required(
    "points",
    Takes::Points(2, MAX_LINE_POINTS),
    "[[0.5, 1.0], [0.5, 0.0]]",
    "Points [x, y] along the line, in shares of the picture; left and right are as seen on the way from the first to the last.",
)];

/// Farther no camera of a site sees.
const MAX_METRES: f64 = 1000.0;

const GROUND: &[Key] = &[
    required(
        "points",
        Takes::Points(4, 4),
        "[[0.2, 0.5], [0.8, 0.5], [1.0, 0.9], [0.0, 0.9]]",
        "Four points [x, y] of the picture on level ground, in shares of the picture.",
    ),
    required(
        "metres",
        Takes::Metres(4, MAX_METRES),
        "[[0, 12], [6, 12], [6, 0], [0, 0]]",
        "Where these points lie on the ground, [x, y] in metres from any point; in the same order.",
    ),
];
