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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    onvif: Option<Onvif>,
    home_assistant: Option<HomeAssistant>,
    /// All there are.
    rules: BTreeSet<RuleKey>,
    open: BTreeMap<RuleKey, Open>,
}

impl State {
    /// What is retained of a rule after this step.
    fn states(&self, alert: &Alert, open: &Open, at: Timestamp) -> Vec<Retained> {
        let onvif = self.onvif.iter().filter_map(|onvif| onvif.state(alert, open, at));
        onvif.chain(self.home_assistant.iter().map(|home| home.state(alert, open))).collect()
    }
}

impl Outputs {
    /// Takes up a config, the first or another, and shows at `now` what there is: every rule of which
    /// no incident is open as quiet. Returns all topics on which something is retained.
    pub fn take_up(&self, config: &Config, now: Timestamp, board: &StateBoard) -> BTreeSet<String> {
        // Held while the board is set, so that no thread's newer state is overwritten.
        let mut state = self.lock();
        let output = &config.output;
        state.onvif = output.onvif.as_ref().map(|onvif| Onvif::new(onvif, config));
        state.home_assistant = output.home_assistant.as_ref().map(|home| HomeAssistant::new(home, config));
        state.rules = config.cameras.iter().flat_map(keys).collect();
        let State { onvif, home_assistant, rules, open } = &mut *state;
        open.retain(|rule, open| rules.contains(rule) && !open.is_empty());
        let onvif = onvif.iter().flat_map(|onvif| onvif.beginning(now));
        let mut shown: Vec<Retained> = onvif.chain(home_assistant.iter().flat_map(HomeAssistant::beginning)).collect();
        for open in state.open.values() {
            let Some(alert) = open.values().next_back() else { continue };
            for newer in state.states(alert, open, now) {
                for retained in shown.iter_mut().filter(|retained| retained.topic == newer.topic) {
                    retained.payload.clone_from(&newer.payload);
                }
            }
        }
        let show = |Retained { topic, payload }: Retained| {
            board.set(topic.clone(), payload);
            topic
        };
        shown.into_iter().map(show).collect()
    }

    /// Is there any?
    #[must_use]
    pub fn are_any(&self) -> bool {
        let state = self.lock();
        state.onvif.is_some() || state.home_assistant.is_some()
    }

    /// Tells of a step of an incident that is safe in the outbox, and was at `at`.
    pub fn tell(&self, alert: &Alert, at: Timestamp, outbox: &Outbox, board: &StateBoard) {
        if alert.incident.status != Status::Actual {
            return;
        }
        let rule = (alert.location.camera.clone(), alert.rule.id.clone());
        // Held while the board is set, so that two cameras' threads cannot swap their states.
        let mut state = self.lock();
        // What a crash left open may be of a rule that has gone meanwhile, and its topics with it.
        if !state.rules.contains(&rule) {
            return;
        }
        let Incident { id, phase, .. } = alert.incident;
        let open = state.open.entry(rule.clone()).or_default();
        match phase {
            Phase::Open | Phase::Update => _ = open.insert(id, alert.clone()),
            Phase::Close => _ = open.remove(&id),
        }
        for Retained { topic, payload } in state.states(alert, &state.open[&rule], at) {
            board.set(topic, payload);
        }
        let event = state.onvif.as_ref().and_then(|onvif| onvif.event(alert, at));
        drop(state);
        if let Some((topic, payload)) = event {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
