//! ONVIF events over MQTT, as JSON: ONVIF Core Specification, "Event Broker" (topic structure, JSON
//! event payload, property events), and Analytics Service Specification, annex "Specified Rules"
//! (message format, Line Detector, Field Detector).

use jiff::Timestamp;
use karaul_wire::{Alert, Phase, Quantity, RuleKind, Segment};
use serde_json::json;

use super::{Open, Retained, bytes};
use crate::config::{self, Config};

/// Marks events with JSON payload.
const PAYLOAD_PREFIX: &str = "onvif-ej";

pub(super) struct Onvif {
    prefix: String,
    /// Kind, camera and rule of each property.
    properties: Vec<(RuleKind, Segment, Segment)>,
}

impl Onvif {
    pub(super) fn new(output: &config::Onvif, config: &Config) -> Self {
        let properties = config.cameras.iter().flat_map(|camera| {
            let rules = camera.rules.iter().filter(|rule| is_property(rule.kind.wire()));
            rules.map(|rule| (rule.kind.wire(), camera.id.clone(), rule.id.clone()))
        });
        Self { prefix: output.prefix.clone(), properties: properties.collect() }
    }

    /// Nothing is true. A property has to be there before it changes.
    pub(super) fn beginning(&self, now: Timestamp) -> Vec<Retained> {
        let untrue =
            |(kind, camera, rule): &(RuleKind, Segment, Segment)| self.property(*kind, camera, rule, &Open::new(), now);
        self.properties.iter().filter_map(untrue).collect()
    }

    /// The property of a rule about something that lasts, retained as properties have to be. An update changes nothing but
    /// a count.
    pub(super) fn state(&self, alert: &Alert, open: &Open, at: Timestamp) -> Option<Retained> {
        let (camera, rule, kind) = (&alert.location.camera, &alert.rule.id, alert.rule.kind);
        let changes = alert.incident.phase != Phase::Update || counted(kind).is_some();
        if is_property(kind) && changes { self.property(kind, camera, rule, open, at) } else { None }
    }

    /// The crossing of a line: an event, and no property.
    pub(super) fn event(&self, alert: &Alert, at: Timestamp) -> Option<(String, Vec<u8>)> {
        let (camera, rule, kind) = (&alert.location.camera, &alert.rule.id, alert.rule.kind);
        if !kind.is_moment() || alert.incident.phase != Phase::Open {
            return None;
        }
        let payload = json!({
            "UtcTime": at,
            "Source": source(camera, rule),
            "Data": objects([alert].into_iter()),
        });
        Some((self.topic(kind, camera, rule)?, bytes(&payload)))
    }

    fn property(
        &self,
        kind: RuleKind,
        camera: &Segment,
        rule: &Segment,
        open: &Open,
        at: Timestamp,
    ) -> Option<Retained> {
        let mut data = if is_about_camera(kind) { json!({}) } else { objects(open.values()) };
        data[if kind == RuleKind::Intrusion { "IsInside" } else { "State" }] = (!open.is_empty()).into();
        let latest = open.values().max_by_key(|alert| (alert.incident.opened, alert.incident.id));
        let count = counted(kind).zip(latest).and_then(|(what, alert)| {
            alert.why.measured.iter().find(|measure| measure.what == what).map(|measure| measure.value)
        });
        if let Some(count) = count {
            #[expect(clippy::cast_possible_truncation, reason = "a count, cut off at the ends")]
            let count = count.round() as i64;
            data["Count"] = count.into();
        }
        let payload = bytes(&json!({ "UtcTime": at, "Source": source(camera, rule), "Data": data }));
        Some(Retained { topic: self.topic(kind, camera, rule)?, payload })
    }

    /// `<prefix>/onvif-ej/<topic without namespace>/&<values of the source>`; `None` if ONVIF has no such topic.
    fn topic(&self, kind: RuleKind, camera: &Segment, rule: &Segment) -> Option<String> {
        let topic = kind.onvif()?;
        let topic = topic.split_once(':').map_or(topic, |(_, topic)| topic);
        Some(format!("{}/{PAYLOAD_PREFIX}/{topic}/&{camera}/{rule}", self.prefix))
    }
}

/// Is there a topic for it, and does it last? Nothing is said of kinds that ONVIF has no topic for.
const fn is_property(kind: RuleKind) -> bool {
    kind.onvif().is_some() && !kind.is_moment()
}

/// What is counted by a rule of this kind.
const fn counted(kind: RuleKind) -> Option<Quantity> {
    match kind {
        RuleKind::Crowd => Some(Quantity::Count),
        RuleKind::Occupancy => Some(Quantity::Inside),
        _ => None,
    }
}

const fn is_about_camera(kind: RuleKind) -> bool {
    matches!(kind, RuleKind::CameraTampering | RuleKind::CameraLoss)
}

fn source(camera: &Segment, rule: &Segment) -> serde_json::Value {
    json!({ "VideoSource": camera, "Rule": rule })
}

/// The objects, and their classes in the same order: lists of words, as XML has them.
fn objects<'a>(alerts: impl Iterator<Item = &'a Alert>) -> serde_json::Value {
    let (mut ids, mut classes) = (Vec::new(), Vec::new());
    for object in alerts.flat_map(|alert| &alert.objects) {
        ids.push(object.track.to_string());
        classes.push(class(&object.class));
    }
    json!({ "ObjectId": ids.join(" "), "ClassTypes": classes.join(" ") })
}

/// ONVIF's name for a class of COCO, or else the model's own, as one word.
fn class(label: &str) -> String {
    let name = match label {
        "person" => "Human",
        "bicycle" => "Bicycle",
        "car" | "motorcycle" | "bus" | "truck" => "Vehicle",
        "bird" | "cat" | "dog" | "horse" | "sheep" | "cow" | "elephant" | "bear" | "zebra" | "giraffe" => "Animal",
        other => return other.split_whitespace().collect::<Vec<_>>().join("_"),
    };
    name.to_owned()
}
