//! ONVIF events over MQTT, as JSON: ONVIF Core Specification, "Event Broker" (topic structure, JSON
//! event payload, property events), and Analytics Service Specification, annex "Specified Rules"
//! (message format, Line Detector, Field Detector).

use jiff::Timestamp;
use karaul_wire::{Alert, Phase, RuleKind, Segment};
use serde_json::json;

use super::{Open, Retained, bytes};
use crate::config::{self, Config};

/// Marks events with JSON payload.
const PAYLOAD_PREFIX: &str = "onvif-ej";

pub(super) struct Onvif {
    prefix: String,
    /// Camera and rule of each zone.
    fields: Vec<(Segment, Segment)>,
}

impl Onvif {
    pub(super) fn new(output: &config::Onvif, config: &Config) -> Self {
        let is_field = |rule: &&config::Rule| rule.kind.wire() == RuleKind::Intrusion;
        let fields = config
            .cameras
            .iter()
            .flat_map(|camera| camera.rules.iter().filter(is_field).map(|rule| (camera.id.clone(), rule.id.clone())));
        Self { prefix: output.prefix.clone(), fields: fields.collect() }
    }

    /// Nobody is in any zone. A property has to be there before it changes.
    pub(super) fn beginning(&self, now: Timestamp) -> Vec<Retained> {
        let outside = |(camera, rule): &(Segment, Segment)| Retained {
            topic: self.topic(RuleKind::Intrusion, camera, rule),
            payload: inside(camera, rule, &Open::new(), now),
        };
        self.fields.iter().map(outside).collect()
    }

    /// The property of a zone, retained as properties have to be. An update changes none of it.
    pub(super) fn state(&self, alert: &Alert, open: &Open, at: Timestamp) -> Option<Retained> {
        let (camera, rule) = (&alert.location.camera, &alert.rule.id);
        (alert.rule.kind == RuleKind::Intrusion && alert.incident.phase != Phase::Update).then(|| Retained {
            topic: self.topic(RuleKind::Intrusion, camera, rule),
            payload: inside(camera, rule, open, at),
        })
    }

    /// The crossing of a line: an event, and no property.
    pub(super) fn event(&self, alert: &Alert, at: Timestamp) -> Option<(String, Vec<u8>)> {
        let (camera, rule) = (&alert.location.camera, &alert.rule.id);
        (alert.rule.kind == RuleKind::LineCrossing && alert.incident.phase == Phase::Open).then(|| {
            let payload = json!({
                "UtcTime": at,
                "Source": source(camera, rule),
                "Data": objects([alert].into_iter()),
            });
            (self.topic(RuleKind::LineCrossing, camera, rule), bytes(&payload))
        })
    }

    /// `<prefix>/onvif-ej/<topic without namespace>/&<values of the source>`
    fn topic(&self, kind: RuleKind, camera: &Segment, rule: &Segment) -> String {
        let topic = match kind {
            RuleKind::Intrusion => "RuleEngine/FieldDetector/ObjectsInside",
            RuleKind::LineCrossing => "RuleEngine/LineDetector/Crossed",
            // None of a camera's rules is of this kind.
            RuleKind::DeliveryTest => "RuleEngine/KaraulDeliveryTest",
        };
        format!("{}/{PAYLOAD_PREFIX}/{topic}/&{camera}/{rule}", self.prefix)
    }
}

fn source(camera: &Segment, rule: &Segment) -> serde_json::Value {
    json!({ "VideoSource": camera, "Rule": rule })
}

fn inside(camera: &Segment, rule: &Segment, open: &Open, at: Timestamp) -> Vec<u8> {
    let mut data = objects(open.values());
    data["IsInside"] = (!open.is_empty()).into();
    bytes(&json!({ "UtcTime": at, "Source": source(camera, rule), "Data": data }))
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
