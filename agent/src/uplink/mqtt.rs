//! One MQTT connection over rumqttc, version 5 or 3.1.1 behind the same few calls.
//!
//! No other part of the agent names rumqttc. A connection lives once: after any error
//! the value is dropped, because rumqttc, polled again, would redial at once and mix
//! acknowledgements of the old connection into the new one.

mod ask;
mod event;
mod failure;
mod sign_on;
mod tls;
mod trial;

pub use self::ask::{AskError, Question, ask};
pub(crate) use self::tls::{check_authorities, check_certificate, check_key, check_pair};

use std::{collections::VecDeque, time::Duration};

use rumqttc::{LastWill, QoS, v5};

pub(super) use self::{
    event::{Event, Received, Refusal},
    sign_on::{Dial, SignOn, Tls},
    trial::trial,
};
use self::{
    event::{event_v5, event_v311},
    failure::Failure,
    sign_on::SHORTEST_KEEP_ALIVE,
};
use super::{LinkError, window::MOST_IN_FLIGHT};

/// Connection, TLS and sign-on together may take this long.
const SIGN_ON_LIMIT: Duration = Duration::from_secs(10);
/// Largest packet we send or accept; rumqttc's default is 10 KiB.
const LARGEST_PACKET: u32 = 1 << 20;
/// Requests the client buffers: the window, a few QoS 0 values, and the sign-off.
const REQUESTS: usize = MOST_IN_FLIGHT as usize + 16;

/// The versions of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 5.
    V5,
    /// MQTT 3.1.1.
    V311,
}

impl Version {
    /// Its name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V5 => "MQTT 5",
            Self::V311 => "MQTT 3.1.1",
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::V5 => Self::V311,
            Self::V311 => Self::V5,
        }
    }
}

/// What the broker is told to publish if the connection breaks: QoS 1, retained.
pub(super) struct Will {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// The sending half.
pub(super) enum Client {
    V5(v5::AsyncClient),
    V311(rumqttc::AsyncClient),
}

/// The half that does the work when polled.
pub(super) struct Connection {
    poll: Poll,
    address: String,
    version: Version,
    tls: bool,
    signed_on: bool,
    /// What came before the failure, and then the failure.
    last_events: VecDeque<Event>,
    failure: Option<LinkError>,
}

enum Poll {
    V5(Box<v5::EventLoop>),
    V311(Box<rumqttc::EventLoop>),
}

/// Prepares a connection; the first poll dials.
pub(super) fn connect(dial: &Dial, version: Version, will: Option<Will>) -> (Client, Connection) {
    let (client, poll) = match version {
        Version::V5 => connect_v5(dial, will),
        Version::V311 => connect_v311(dial, will),
    };
    let connection = Connection {
        poll,
        address: dial.address.to_string(),
        version,
        tls: dial.broker.tls,
        signed_on: false,
        last_events: VecDeque::new(),
        failure: None,
    };
    (client, connection)
}

fn connect_v5(dial: &Dial, will: Option<Will>) -> (Client, Poll) {
    use v5::mqttbytes::{QoS, v5::LastWill};
    let mut options = v5::MqttOptions::new(&dial.client_id, dial.host(), dial.address.port);
    options
        .set_transport(dial.transport())
        .set_keep_alive(dial.keep_alive())
        .set_clean_start(true)
        .set_connection_timeout(SIGN_ON_LIMIT.as_secs())
        .set_max_packet_size(Some(LARGEST_PACKET))
        .set_outgoing_inflight_upper_limit(MOST_IN_FLIGHT);
    if let Some(Will { topic, payload }) = will {
        options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true, None));
    }
    if let Some((user, password)) = &dial.broker.login {
        options.set_credentials(user, password.reveal());
    }
    let (client, poll) = v5::AsyncClient::new(options, REQUESTS);
    (Client::V5(client), Poll::V5(Box::new(poll)))
}

fn connect_v311(dial: &Dial, will: Option<Will>) -> (Client, Poll) {
    let mut options = rumqttc::MqttOptions::new(&dial.client_id, dial.host(), dial.address.port);
    options
        .set_transport(dial.transport())
        .set_keep_alive(dial.keep_alive())
        .set_clean_session(true)
        .set_max_packet_size(LARGEST_PACKET as usize, LARGEST_PACKET as usize)
        .set_inflight(MOST_IN_FLIGHT);
    if let Some(Will { topic, payload }) = will {
        options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true));
    }
    if let Some((user, password)) = &dial.broker.login {
        options.set_credentials(user, password.reveal());
    }
    let (client, mut poll) = rumqttc::AsyncClient::new(options, REQUESTS);
    poll.network_options.set_connection_timeout(SIGN_ON_LIMIT.as_secs());
    (Client::V311(client), Poll::V311(Box::new(poll)))
}

/// Is this a topic that the filter covers?
pub(super) fn matches(topic: &str, filter: &str) -> bool {
    rumqttc::matches(topic, filter)
}

impl Client {
    /// Hands a publish over. `false` if the client takes none at the moment.
    pub(super) fn publish(&self, topic: String, payload: Vec<u8>, retain: bool, at_least_once: bool) -> bool {
        match self {
            Self::V5(client) => {
                use v5::mqttbytes::QoS;
                let qos = if at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                client.try_publish(topic, qos, retain, payload).is_ok()
            }
            Self::V311(client) => {
                let qos = if at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                client.try_publish(topic, qos, retain, payload).is_ok()
            }
        }
    }

    /// Asks for all messages on these topics, QoS 1; with each filter, whether those that the broker keeps from
    /// before are wanted too. `false` if the client takes nothing at the moment.
    pub(super) fn subscribe(&self, filters: &[(String, bool)]) -> bool {
        match self {
            Self::V5(client) => {
                use v5::mqttbytes::{
                    QoS,
                    v5::{Filter, RetainForwardRule},
                };
                let filter = |(path, retained): &(String, bool)| {
                    let mut filter = Filter::new(path, QoS::AtLeastOnce);
                    if !retained {
                        filter.retain_forward_rule = RetainForwardRule::Never;
                    }
                    filter
                };
                client.try_subscribe_many(filters.iter().map(filter)).is_ok()
            }
            Self::V311(client) => {
                let filter =
                    |(path, _): &(String, bool)| rumqttc::SubscribeFilter { path: path.clone(), qos: QoS::AtLeastOnce };
                client.try_subscribe_many(filters.iter().map(filter)).is_ok()
            }
        }
    }

    /// Signs off, so that the broker does not publish the will.
    pub(super) fn sign_off(&self) -> bool {
        match self {
            Self::V5(client) => client.try_disconnect().is_ok(),
            Self::V311(client) => client.try_disconnect().is_ok(),
        }
    }
}

impl Connection {
    /// Waits for the next event. Do not drop the future unless the connection ends with
    /// it: a half-written packet would be lost.
    pub(super) async fn poll(&mut self) -> Result<Event, LinkError> {
        if let Some(event) = self.last_events.pop_front() {
            return self.pass(event);
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let event = match &mut self.poll {
            Poll::V5(poll) => poll.poll().await.map(event_v5).map_err(Failure::from),
            Poll::V311(poll) => poll.poll().await.map(event_v311).map_err(Failure::from),
        };
        match event {
            Ok(event) => {
                if matches!(event, Event::SignedOn { .. }) {
                    self.signed_on = true;
                    self.refuse_endless_keep_alive();
                }
                self.pass(event)
            }
            Err(failure) => {
                let failure = self.explain(failure);
                self.take_last_events();
                match self.last_events.pop_front() {
                    Some(event) => {
                        self.failure = Some(failure);
                        self.pass(event)
                    }
                    None => Err(failure),
                }
            }
        }
    }

    fn pass(&self, event: Event) -> Result<Event, LinkError> {
        match event {
            Event::Wrong(what) => Err(self.explain(Failure::Unreadable(what.to_owned()))),
            event => Ok(event),
        }
    }

    fn explain(&self, failure: Failure) -> LinkError {
        let limit = if self.signed_on { self.silence_limit() } else { SIGN_ON_LIMIT };
        failure.explain(&self.address, (self.version, self.tls), self.signed_on, limit)
    }

    /// rumqttc reports a failure before the events of the same read: without these the
    /// acknowledgements of a broker that answers and hangs up would be lost, and their
    /// messages sent twice.
    fn take_last_events(&mut self) {
        match &mut self.poll {
            Poll::V5(poll) => self.last_events.extend(poll.state.events.drain(..).map(event_v5)),
            Poll::V311(poll) => self.last_events.extend(poll.state.events.drain(..).map(event_v311)),
        }
    }

    /// A connection that has been silent for this long is dead: two keep-alives.
    pub(super) fn silence_limit(&self) -> Duration {
        2 * self.keep_alive()
    }

    /// A version 5 broker may switch the keep-alive off; rumqttc then pings without
    /// pause, and a dead connection would never be noticed.
    fn refuse_endless_keep_alive(&mut self) {
        if let Poll::V5(poll) = &mut self.poll
            && poll.options.keep_alive().is_zero()
        {
            poll.options.set_keep_alive(SHORTEST_KEEP_ALIVE);
        }
    }

    /// The keep-alive in force: a version 5 broker may ask for another one than ours.
    fn keep_alive(&self) -> Duration {
        match &self.poll {
            Poll::V5(poll) => poll.options.keep_alive(),
            Poll::V311(poll) => poll.mqtt_options.keep_alive(),
        }
    }
}
