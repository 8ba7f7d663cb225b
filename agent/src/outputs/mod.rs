//! Incidents and cameras in the forms of others: ONVIF events over MQTT, Home Assistant.
//!
//! They are second to Karaul's own messages and must never cost an alert: states go through the
//! [`StateBoard`], which holds only the latest; what is an event goes into the outbox as the least
//! severe, after the alert is safe. Drills and tests are left out, because neither form has a way
//! to say that something is not meant.

mod home_assistant;
mod onvif;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use karaul_wire::{Alert, Incident, Phase, Segment, Severity, Status};
use uuid::Uuid;

use self::{home_assistant::HomeAssistant, onvif::Onvif};
use crate::{
    config::{Camera, Config},
    uplink::{Message, Outbox, StateBoard},
};

/// What is retained on a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Retained {
    topic: String,
    payload: Vec<u8>,
}

/// A rule of a camera.
type RuleKey = (Segment, Segment);

/// The open incidents of a rule, by id, each as it was last told.
type Open = BTreeMap<Uuid, Alert>;

/// The outputs that the config asks for.
#[derive(Default)]
pub struct Outputs {
    onvif: Option<Onvif>,
    home_assistant: Option<HomeAssistant>,
    /// All there are.
    rules: BTreeSet<RuleKey>,
    open: Mutex<BTreeMap<RuleKey, Open>>,
}

impl Outputs {
    /// Those of this config; none is the usual.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let output = &config.output;
        Self {
            onvif: output.onvif.as_ref().map(|onvif| Onvif::new(onvif, config)),
            home_assistant: output.home_assistant.as_ref().map(|home| HomeAssistant::new(home, config)),
            rules: config.cameras.iter().flat_map(keys).collect(),
            open: Mutex::default(),
        }
    }

    /// Shows what there is, and every rule as quiet: nothing is open when the agent starts, at `now`.
    /// Returns all topics on which something is retained.
    pub fn announce(&self, now: Timestamp, board: &StateBoard) -> BTreeSet<String> {
        let onvif = self.onvif.iter().flat_map(|onvif| onvif.beginning(now));
        let all = onvif.chain(self.home_assistant.iter().flat_map(HomeAssistant::beginning));
        all.map(|Retained { topic, payload }| {
            board.set(topic.clone(), payload);
            topic
        })
        .collect()
    }

    /// Is there any?
    #[must_use]
    pub const fn are_any(&self) -> bool {
        self.onvif.is_some() || self.home_assistant.is_some()
    }

    /// Tells of a step of an incident that is safe in the outbox, and was at `at`.
    pub fn tell(&self, alert: &Alert, at: Timestamp, outbox: &Outbox, board: &StateBoard) {
        if !self.are_any() || alert.incident.status != Status::Actual {
            return;
        }
        let rule = (alert.location.camera.clone(), alert.rule.id.clone());
        // What a crash left open may be of a rule that has gone meanwhile, and its topics with it.
        if !self.rules.contains(&rule) {
            return;
        }
        // Held while the board is set, so that two cameras' threads cannot swap their states.
        let mut all = self.lock();
        let open = all.entry(rule).or_default();
        let Incident { id, phase, .. } = alert.incident;
        match phase {
            Phase::Open | Phase::Update => _ = open.insert(id, alert.clone()),
            Phase::Close => _ = open.remove(&id),
        }
        let onvif = self.onvif.iter().filter_map(|onvif| onvif.state(alert, open, at));
        let states = onvif.chain(self.home_assistant.iter().map(|home| home.state(alert, open)));
        for Retained { topic, payload } in states {
            board.set(topic, payload);
        }
        drop(all);
        if let Some((topic, payload)) = self.onvif.as_ref().and_then(|onvif| onvif.event(alert, at)) {
            let Ok(()) = outbox.commit(|batch| {
                batch.put(Message {
                    topic,
                    payload,
                    retain: false,
                    severity: Severity::Info,
                    incident: None,
                    sequence: None,
                });
                Ok::<_, Infallible>(())
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RuleKey, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rules of a camera.
fn keys(camera: &Camera) -> impl Iterator<Item = RuleKey> {
    camera.rules.iter().map(|rule| (camera.id.clone(), rule.id.clone()))
}

/// The bytes of a payload.
fn bytes(json: &serde_json::Value) -> Vec<u8> {
    json.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
