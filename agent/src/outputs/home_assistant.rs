//! Home Assistant's MQTT discovery (`https://www.home-assistant.io/integrations/mqtt/`): one binary sensor
//! for the box, one for each camera, one for each rule.

use karaul_wire::{Alert, BoxPath, RuleKind, Segment};
use serde_json::{Value, json};

use super::{Open, Retained, bytes};
use crate::config::{self, Camera, Config, Rule};

pub(super) struct HomeAssistant {
    prefix: String,
    path: BoxPath,
    cameras: Vec<Camera>,
    /// Language of names and texts: the first of the site.
    language: karaul_wire::Language,
}

impl HomeAssistant {
    pub(super) fn new(output: &config::HomeAssistant, config: &Config) -> Self {
        Self {
            prefix: output.discovery_prefix.clone(),
            path: config.site.path.clone(),
            cameras: config.cameras.clone(),
            language: config.site.languages.first().copied().unwrap_or(karaul_wire::Language::En),
        }
    }

    /// What there is, the box first because the others refer to it, and all rules quiet.
    pub(super) fn beginning(&self) -> Vec<Retained> {
        let mut all = vec![self.config(&self.id(&[]), self.the_box())];
        for camera in &self.cameras {
            all.push(self.config(&self.id(&[&camera.id]), self.the_camera(camera)));
            for rule in &camera.rules {
                let id = self.id(&[&camera.id, &rule.id]);
                all.push(self.config(&id, self.the_rule(camera, rule)));
                all.push(Retained { topic: self.state_topic(&id), payload: bytes(&quiet()) });
            }
        }
        all
    }

    /// The state of a rule: on while one of its incidents is open.
    pub(super) fn state(&self, alert: &Alert, open: &Open) -> Retained {
        let id = self.id(&[&alert.location.camera, &alert.rule.id]);
        let newest = open.values().max_by_key(|alert| (alert.incident.opened, alert.incident.id));
        let state = newest.map_or_else(quiet, |alert| {
            let incident = &alert.incident;
            json!({
                "state": "ON",
                "open": open.len(),
                "incident": incident.id,
                "since": incident.opened,
                "severity": incident.severity,
                "text": alert.text.get(&self.language),
            })
        });
        Retained { topic: self.state_topic(&id), payload: bytes(&state) }
    }

    fn the_box(&self) -> Value {
        json!({
            "name": null, // the sensor is the device's main feature
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": self.path.box_status(),
            "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
            "device": {
                "identifiers": [self.id(&[])],
                "name": format!("{} {}", self.path.site, self.path.unit),
                "manufacturer": "Karaul",
                "model": "Karaul",
                "sw_version": env!("CARGO_PKG_VERSION"),
            },
        })
    }

    fn the_camera(&self, camera: &Camera) -> Value {
        json!({
            "name": "Blind",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": self.path.camera_status(&camera.id),
            "value_template": "{{ 'ON' if value_json.state == 'blind' else 'OFF' }}",
            "json_attributes_topic": self.path.camera_status(&camera.id),
            "availability": [self.while_online()],
            "device": self.device(camera),
        })
    }

    fn the_rule(&self, camera: &Camera, rule: &Rule) -> Value {
        let kind = rule.kind.wire();
        let seeing = json!({
            "topic": self.path.camera_status(&camera.id),
            "value_template": "{{ 'online' if value_json.state == 'seeing' else 'offline' }}",
        });
        // A rule of a camera that does not see is neither on nor off, unless that is what it is about.
        let about_camera = matches!(kind, RuleKind::CameraTampering | RuleKind::CameraLoss);
        let availability: Vec<Value> =
            [self.while_online()].into_iter().chain((!about_camera).then_some(seeing)).collect();
        let topic = self.state_topic(&self.id(&[&camera.id, &rule.id]));
        json!({
            "name": rule.id,
            "device_class": device_class(kind),
            "state_topic": topic,
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": topic,
            "availability": availability,
            "availability_mode": "all",
            "device": self.device(camera),
        })
    }

    fn while_online(&self) -> Value {
        json!({
            "topic": self.path.box_status(),
            "value_template": "{{ 'online' if value_json.state == 'online' else 'offline' }}",
        })
    }

    fn device(&self, camera: &Camera) -> Value {
        json!({
            "identifiers": [self.id(&[&camera.id])],
            "name": camera.label.get(&self.language),
            "manufacturer": "Karaul",
            "model": camera.model.id,
            "via_device": self.id(&[]),
        })
    }

    fn config(&self, id: &str, mut entity: Value) -> Retained {
        entity["unique_id"] = id.into();
        entity["qos"] = 1.into();
        entity["origin"] = json!({ "name": "Karaul", "sw_version": env!("CARGO_PKG_VERSION") });
        Retained { topic: format!("{}/binary_sensor/{id}/config", self.prefix), payload: bytes(&entity) }
    }

    fn state_topic(&self, id: &str) -> String {
        format!("{}/binary_sensor/{id}/state", self.prefix)
    }

    /// Unique, because ids have no underscores; Home Assistant allows letters, digits, `_` and `-`.
    fn id(&self, rest: &[&Segment]) -> String {
        let BoxPath { region, district, site, unit } = &self.path;
        let levels = [region, district, site, unit].into_iter().chain(rest.iter().copied());
        levels.fold("karaul".to_owned(), |id, level| format!("{id}_{level}"))
    }
}

/// What Home Assistant shows a rule of this kind as, and in which words.
const fn device_class(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Intrusion
        | RuleKind::Loitering
        | RuleKind::Crowd
        | RuleKind::Occupancy
        | RuleKind::Group
        | RuleKind::StoppedVehicle => "occupancy",
        RuleKind::LineCrossing
        | RuleKind::Tailgating
        | RuleKind::WrongWay
        | RuleKind::Speed
        | RuleKind::Running
        | RuleKind::Sequence => "motion",
        RuleKind::PersonDown | RuleKind::AbandonedObject | RuleKind::ObjectSeen => "safety",
        RuleKind::RemovedObject | RuleKind::CameraTampering => "tamper",
        RuleKind::Absence | RuleKind::CameraLoss | RuleKind::DeliveryTest => "problem",
    }
}

fn quiet() -> Value {
    json!({ "state": "OFF" })
}
