//! What rumqttc tells, the same for both versions.

use rumqttc::{Outgoing, v5};

use super::{LARGEST_PACKET, MOST_IN_FLIGHT};

/// Fixed header, topic length, packet id and properties of a PUBLISH, generously.
const PACKET_OVERHEAD: usize = 16;

/// What happened on the connection.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::uplink) enum Event {
    /// The sign-on was accepted; so many publishes may be in flight, of so many bytes.
    SignedOn { window: u16, largest: usize },
    /// A QoS 1 publish or the subscription was written, under this packet id.
    Written(u16),
    /// A publish was answered; with the broker's reason if it was refused. If it was not: does the broker say that
    /// nobody subscribes to it?
    Answered { packet_id: u16, refusal: Option<String>, unheard: bool },
    /// The subscription was answered: for each filter in order, the broker's reason if it was refused.
    Subscribed { packet_id: u16, refusals: Vec<Option<String>> },
    /// A message came in. The client acknowledges it by itself.
    Received(Received),
    /// Anything else from the broker: it is alive.
    Heard,
    /// Our sign-off was written.
    SignedOff,
    /// Anything else from us.
    Other,
    /// What no broker may send.
    Wrong(&'static str),
}

/// A message for this box, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::uplink) struct Received {
    /// `None` if it is no text.
    pub topic: Option<String>,
    pub payload: Vec<u8>,
    /// It was kept by the broker and is older than the subscription.
    pub retained: bool,
}

pub(super) fn event_v5(event: v5::Event) -> Event {
    use v5::mqttbytes::v5::{Packet, PubAckReason, SubscribeReasonCode};
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
            let unheard = answer.reason == PubAckReason::NoMatchingSubscribers;
            Event::Answered { packet_id: answer.pkid, refusal, unheard }
        }
        v5::Event::Incoming(Packet::SubAck(answer)) => {
            let refusal = |code: SubscribeReasonCode| match code {
                SubscribeReasonCode::Success(_) => None,
                reason => Some(format!("{reason:?}")),
            };
            let refusals = answer.return_codes.into_iter().map(refusal).collect();
            Event::Subscribed { packet_id: answer.pkid, refusals }
        }
        v5::Event::Incoming(Packet::Publish(publish)) => {
            // We offered room for none. rumqttc would remember each of them, with its topic.
            if publish.properties.is_some_and(|properties| properties.topic_alias.is_some()) {
                return Event::Wrong("a topic alias, which was not offered");
            }
            let topic = String::from_utf8(publish.topic.to_vec()).ok();
            Event::Received(Received { topic, payload: publish.payload.to_vec(), retained: publish.retain })
        }
        v5::Event::Incoming(_) => Event::Heard,
        v5::Event::Outgoing(outgoing) => event_outgoing(&outgoing),
    }
}

pub(super) fn event_v311(event: rumqttc::Event) -> Event {
    use rumqttc::{Packet, SubscribeReasonCode};
    match event {
        rumqttc::Event::Incoming(Packet::ConnAck(_)) => {
            Event::SignedOn { window: MOST_IN_FLIGHT, largest: room(LARGEST_PACKET) }
        }
        // Before version 5 nobody says whether anybody listens.
        rumqttc::Event::Incoming(Packet::PubAck(answer)) => {
            Event::Answered { packet_id: answer.pkid, refusal: None, unheard: false }
        }
        rumqttc::Event::Incoming(Packet::SubAck(answer)) => {
            let refusal = |code: SubscribeReasonCode| match code {
                SubscribeReasonCode::Success(_) => None,
                SubscribeReasonCode::Failure => Some("Failure".to_owned()),
            };
            let refusals = answer.return_codes.into_iter().map(refusal).collect();
            Event::Subscribed { packet_id: answer.pkid, refusals }
        }
        rumqttc::Event::Incoming(Packet::Publish(publish)) => Event::Received(Received {
            topic: Some(publish.topic),
            payload: publish.payload.to_vec(),
            retained: publish.retain,
        }),
        rumqttc::Event::Incoming(_) => Event::Heard,
        rumqttc::Event::Outgoing(outgoing) => event_outgoing(&outgoing),
    }
}

fn event_outgoing(outgoing: &Outgoing) -> Event {
    match outgoing {
        // QoS 0 has no packet id and no answer.
        Outgoing::Publish(0) => Event::Other,
        Outgoing::Publish(packet_id) | Outgoing::Subscribe(packet_id) => Event::Written(*packet_id),
        Outgoing::Disconnect => Event::SignedOff,
        _ => Event::Other,
    }
}

/// What a packet of this size leaves for topic and payload.
const fn room(largest_packet: u32) -> usize {
    (largest_packet as usize).saturating_sub(PACKET_OVERHEAD)
}
