//! One MQTT connection over rumqttc, version 5 or 3.1.1 behind the same few calls.
//!
//! No other file of the agent names rumqttc. A connection lives once: after any error
//! the value is dropped, because rumqttc, polled again, would redial at once and mix
//! acknowledgements of the old connection into the new one.

mod ask;
mod failure;
mod tls;

pub use self::ask::{AskError, Question, ask};
pub(crate) use self::tls::check_authorities;

use std::{collections::VecDeque, time::Duration};

use rumqttc::{LastWill, QoS, TlsConfiguration, Transport, tokio_native_tls::native_tls::TlsConnector, v5};

use self::failure::Failure;
use super::{LinkError, window::MOST_IN_FLIGHT};
use crate::config::Broker;

/// Connection, TLS and sign-on together may take this long.
const SIGN_ON_LIMIT: Duration = Duration::from_secs(10);
/// rumqttc refuses to go below (its own assertion).
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The keep-alive is a 16-bit number of seconds on the wire.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(u16::MAX as u64);
/// Largest packet we send or accept; rumqttc's default is 10 KiB.
const LARGEST_PACKET: u32 = 1 << 20;
/// Fixed header, topic length, packet id and properties of a PUBLISH, generously.
const PACKET_OVERHEAD: usize = 16;
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

/// How to sign on.
pub(super) struct SignOn {
    pub broker: Broker,
    pub client_id: String,
    tls: Option<TlsConnector>,
}

/// What the broker is told to publish if the connection breaks: QoS 1, retained.
pub(super) struct Will {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// What happened on the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The sign-on was accepted; so many publishes may be in flight, of so many bytes.
    SignedOn { window: u16, largest: usize },
    /// A QoS 1 publish was written, under this packet id.
    Written(u16),
    /// A publish was answered; with the broker's reason if it was refused.
    Answered { packet_id: u16, refusal: Option<String> },
    /// Anything else from the broker: it is alive.
    Heard,
    /// Our sign-off was written.
    SignedOff,
    /// Anything else from us.
    Other,
}

impl SignOn {
    pub(super) fn new(broker: Broker, client_id: String) -> Result<Self, LinkError> {
        let tls = if broker.tls { Some(tls::connector(broker.ca_file.as_deref())?) } else { None };
        Ok(Self { broker, client_id, tls })
    }

    /// `host:port`, for messages.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.broker.host, self.broker.port)
    }

    /// The keep-alive that is really used.
    pub(super) fn keep_alive(&self) -> Duration {
        self.broker.keep_alive.clamp(SHORTEST_KEEP_ALIVE, LONGEST_KEEP_ALIVE)
    }

    /// What rumqttc resolves: it joins host and port with a colon.
    fn host(&self) -> String {
        // With TLS the name is also checked against the certificate, so it stays as it is.
        if self.broker.host.contains(':') && !self.broker.tls {
            format!("[{}]", self.broker.host)
        } else {
            self.broker.host.clone()
        }
    }

    fn transport(&self) -> Transport {
        match &self.tls {
            Some(connector) => Transport::Tls(TlsConfiguration::NativeConnector(connector.clone())),
            None => Transport::Tcp,
        }
    }
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
pub(super) fn connect(sign_on: &SignOn, version: Version, will: Will) -> (Client, Connection) {
    let (client, poll) = match version {
        Version::V5 => connect_v5(sign_on, will),
        Version::V311 => connect_v311(sign_on, will),
    };
    let connection = Connection {
        poll,
        address: sign_on.address(),
        version,
        signed_on: false,
        last_events: VecDeque::new(),
        failure: None,
    };
    (client, connection)
}

fn connect_v5(sign_on: &SignOn, will: Will) -> (Client, Poll) {
    let mut options = v5::MqttOptions::new(&sign_on.client_id, sign_on.host(), sign_on.broker.port);
    options
        .set_transport(sign_on.transport())
        .set_keep_alive(sign_on.keep_alive())
        .set_clean_start(true)
        .set_connection_timeout(SIGN_ON_LIMIT.as_secs())
        .set_max_packet_size(Some(LARGEST_PACKET))
        .set_outgoing_inflight_upper_limit(MOST_IN_FLIGHT);
    let last = v5::mqttbytes::v5::LastWill::new(will.topic, will.payload, v5::mqttbytes::QoS::AtLeastOnce, true, None);
    options.set_last_will(last);
    if let Some((user, password)) = &sign_on.broker.login {
        options.set_credentials(user, password.reveal());
    }
    let (client, poll) = v5::AsyncClient::new(options, REQUESTS);
    (Client::V5(client), Poll::V5(Box::new(poll)))
}

fn connect_v311(sign_on: &SignOn, will: Will) -> (Client, Poll) {
    let mut options = rumqttc::MqttOptions::new(&sign_on.client_id, sign_on.host(), sign_on.broker.port);
    options
        .set_transport(sign_on.transport())
        .set_keep_alive(sign_on.keep_alive())
        .set_clean_session(true)
        .set_max_packet_size(LARGEST_PACKET as usize, LARGEST_PACKET as usize)
        .set_inflight(MOST_IN_FLIGHT)
        .set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true));
    if let Some((user, password)) = &sign_on.broker.login {
        options.set_credentials(user, password.reveal());
    }
    let (client, mut poll) = rumqttc::AsyncClient::new(options, REQUESTS);
    poll.network_options.set_connection_timeout(SIGN_ON_LIMIT.as_secs());
    (Client::V311(client), Poll::V311(Box::new(poll)))
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
            return Ok(event);
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
                Ok(event)
            }
            Err(failure) => {
                let limit = if self.signed_on { self.silence_limit() } else { SIGN_ON_LIMIT };
                let failure = failure.explain(&self.address, self.version, self.signed_on, limit);
                self.take_last_events();
                match self.last_events.pop_front() {
                    Some(event) => {
                        self.failure = Some(failure);
                        Ok(event)
                    }
                    None => Err(failure),
                }
            }
        }
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

/// What a packet of this size leaves for topic and payload.
const fn room(largest_packet: u32) -> usize {
    (largest_packet as usize).saturating_sub(PACKET_OVERHEAD)
}

fn event_v5(event: v5::Event) -> Event {
    use v5::mqttbytes::v5::{Packet, PubAckReason};
    match event {
        v5::Event::Incoming(Packet::ConnAck(answer)) => {
            let properties = answer.properties;
            let window = properties.as_ref().and_then(|p| p.receive_max).unwrap_or(MOST_IN_FLIGHT);
            let largest = properties.as_ref().and_then(|p| p.max_packet_size).unwrap_or(LARGEST_PACKET);
            Event::SignedOn { window, largest: room(largest.min(LARGEST_PACKET)) }
        }
        v5::Event::Incoming(Packet::PubAck(answer)) => {
            let refusal = match answer.reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => None,
                reason => Some(format!("{reason:?}")),
            };
            Event::Answered { packet_id: answer.pkid, refusal }
        }
        v5::Event::Incoming(_) => Event::Heard,
        v5::Event::Outgoing(outgoing) => event_outgoing(&outgoing),
    }
}

fn event_v311(event: rumqttc::Event) -> Event {
    use rumqttc::Packet;
    match event {
        rumqttc::Event::Incoming(Packet::ConnAck(_)) => {
            Event::SignedOn { window: MOST_IN_FLIGHT, largest: room(LARGEST_PACKET) }
        }
        rumqttc::Event::Incoming(Packet::PubAck(answer)) => Event::Answered { packet_id: answer.pkid, refusal: None },
        rumqttc::Event::Incoming(_) => Event::Heard,
        rumqttc::Event::Outgoing(outgoing) => event_outgoing(&outgoing),
    }
}

fn event_outgoing(outgoing: &rumqttc::Outgoing) -> Event {
    match outgoing {
        // QoS 0 has no packet id and no answer.
        rumqttc::Outgoing::Publish(0) => Event::Other,
        rumqttc::Outgoing::Publish(packet_id) => Event::Written(*packet_id),
        rumqttc::Outgoing::Disconnect => Event::SignedOff,
        _ => Event::Other,
    }
}
