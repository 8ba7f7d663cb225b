//! Commands and receipts: what the box hears, and what must not disturb it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use karaul::uplink::{Concern, InboxReport, LinkSettings};
use karaul_stage::Broker;
use karaul_tests::Subscriber;

use crate::{
    agent::{Agent, LIMIT, event, settings, subscriptions, topic},
    script::{Peer, ScriptedBroker},
};

const SHORT: Duration = Duration::from_millis(300);
/// Flags of a PUBLISH: QoS 1, QoS 2, retained.
const QOS_1: u8 = 0b10;
const QOS_2: u8 = 0b100;
const RETAINED: u8 = 1;

fn hearing(port: u16) -> LinkSettings {
    LinkSettings { subscriptions: subscriptions(), ..settings(port) }
}

fn report(agent: &Agent) -> InboxReport {
    agent.settings.inbox.report()
}

fn command() -> String {
    topic("command/arm")
}

/// One alert goes out and is acknowledged.
fn works(agent: &Agent, peer: &mut Peer) {
    agent.alert(1);
    let publish = peer.publish().expect("the alert");
    peer.acknowledge(publish.packet_id);
    agent.wait_empty();
}

/// A client of the broker that sends something.
fn send(broker: &Broker, topic: &str, payload: &[u8], retain: bool) {
    let options = rumqttc::MqttOptions::new("centre", "127.0.0.1", broker.port);
    let (client, mut connection) = rumqttc::Client::new(options, 10);
    client.publish(topic, rumqttc::QoS::AtLeastOnce, retain, payload).unwrap();
    for event in connection.iter() {
        if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = event.unwrap() {
            return;
        }
    }
}

#[test]
fn commands_and_receipts_come_in_and_old_commands_do_not() {
    let broker = Broker::start(0).unwrap();
    send(&broker, &command(), b"an old one", true);
    send(&broker, &topic("receipt/ops"), b"the latest", true);
    let agent = Agent::start(hearing(broker.port));
    agent.wait_connected();
    let receipt = agent.take(LIMIT).unwrap();
    assert_eq!((receipt.topic, receipt.payload), (topic("receipt/ops"), b"the latest".to_vec()));
    assert!(receipt.retained);
    send(&broker, &command(), b"a new one", false);
    let got = agent.take(LIMIT).unwrap();
    assert_eq!((got.topic, got.payload, got.retained), (command(), b"a new one".to_vec(), false));
    send(&broker, &topic("receipt/other"), b"for another", false);
    assert_eq!(agent.take(SHORT), None);
    assert_eq!(report(&agent).refused(), 0, "version 5 asks the broker for no old ones");
}

#[test]
fn an_old_command_is_refused_where_the_broker_cannot_be_asked_to_keep_it() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on_311();
    peer.message(command().as_bytes(), b"old", QOS_1 | RETAINED, 1);
    peer.message(topic("receipt/ops").as_bytes(), b"kept", QOS_1 | RETAINED, 2);
    assert_eq!(agent.take(LIMIT).unwrap().payload, b"kept");
    assert_eq!((report(&agent).stale, report(&agent).taken), (1, 1));
    works(&agent, &mut peer);
    assert_eq!(peer.acknowledged, [1, 2], "both are off the broker's hands");
}

#[test]
fn what_nobody_asked_for_is_counted_and_ends_nothing() {
    for level in [5, 4] {
        let broker = ScriptedBroker::new();
        let agent = Agent::start(hearing(broker.port()));
        let mut peer = if level == 5 { broker.sign_on() } else { broker.sign_on_311() };
        peer.message(b"", b"no topic", QOS_1, 1);
        peer.message(topic("alert/info/gate").as_bytes(), b"not ours to hear", QOS_1, 2);
        peer.message(command().as_bytes(), b"", 0, 0);
        peer.message(command().as_bytes(), b"twice", QOS_2, 3);
        // PUBREL for it.
        peer.send(&[0x62, 2, 0, 3]);
        assert_eq!(agent.take(LIMIT).unwrap().payload, b"", "what an empty one means is not the link's business");
        assert_eq!(agent.take(LIMIT).unwrap().payload, b"twice");
        works(&agent, &mut peer);
        assert_eq!((report(&agent).unwanted, report(&agent).taken), (2, 2), "version {level}");
        assert_eq!(agent.report().connections, 1);
    }
}

#[test]
fn a_topic_that_is_no_text_is_counted() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on();
    peer.message(b"karaul1/\xff", b"x", QOS_1, 1);
    works(&agent, &mut peer);
    assert_eq!((report(&agent).unwanted, agent.report().connections), (1, 1));
}

#[test]
fn what_is_too_large_or_too_much_is_refused() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on();
    peer.message(command().as_bytes(), &vec![0; 100_000], QOS_1, 1);
    for packet_id in 2..102 {
        peer.message(command().as_bytes(), b"x", QOS_1, packet_id);
    }
    works(&agent, &mut peer);
    assert_eq!((report(&agent).large, report(&agent).taken, report(&agent).full), (1, 4, 96));
    // What could be a command, and a receipt, have rooms of their own, and are served first.
    let token = format!("{}.{}.{}", "e".repeat(20), "c".repeat(100), "s".repeat(86));
    for packet_id in 102..202 {
        peer.message(command().as_bytes(), token.as_bytes(), QOS_1, packet_id);
    }
    peer.message(topic("receipt/ops").as_bytes(), b"a receipt", QOS_1, 202);
    works(&agent, &mut peer);
    assert_eq!((report(&agent).taken, report(&agent).full), (4 + 64 + 1, 96 + 36));
    assert_eq!(agent.take(LIMIT).unwrap().payload, b"a receipt");
    assert_eq!(agent.take(LIMIT).unwrap().payload, token.as_bytes());
    assert_eq!(agent.report().connections, 1);
}

#[test]
fn a_receipt_that_was_cleared_says_nothing() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on();
    peer.message(topic("receipt/ops").as_bytes(), b"", QOS_1, 1);
    peer.message(topic("receipt/ops").as_bytes(), b"{}", QOS_1, 2);
    assert_eq!(agent.take(LIMIT).unwrap().payload, b"{}");
    assert_eq!((report(&agent).taken, report(&agent).refused()), (1, 0));
}

/// A receipt that follows the acknowledgement at once must find the alert acknowledged.
#[test]
fn the_outbox_knows_of_an_acknowledgement_before_anybody_reads_the_receipt_behind_it() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on();
    for round in 1..=20 {
        agent.alert(1);
        let publish = peer.publish().expect("the alert");
        let [high, low] = publish.packet_id.to_be_bytes();
        let mut packets = vec![0x40, 2, high, low];
        packets.extend(peer.packet_of(topic("receipt/ops").as_bytes(), b"{}", 0, 0));
        // More that comes in the same breath: the link has no quiet moment in between.
        packets.extend(peer.packet_of(topic("alert/x/y").as_bytes(), b"", 0, 0).repeat(40));
        peer.send(&packets);
        agent.take(LIMIT).expect("the receipt");
        assert_eq!(agent.outbox.waiting(), 0, "round {round}");
    }
}

#[test]
fn a_subscription_that_is_not_allowed_is_said_and_alerts_go_on() {
    for (level, code, reason) in [(5, 0x87, "NotAuthorized"), (4, 0x80, "Failure")] {
        let broker = ScriptedBroker::new();
        let agent = Agent::start(hearing(broker.port()));
        let mut peer = if level == 5 { broker.accept_and(Some(code)) } else { broker.sign_on_311_and(Some(code)) };
        works(&agent, &mut peer);
        let concerns = agent.wait("deaf", |report| report.concerns.contains_key(&Concern::Deaf)).concerns;
        assert_eq!(
            concerns[&Concern::Deaf],
            format!(
                "broker 127.0.0.1:{} does not let this box subscribe to {} ({reason}), {} ({reason}); allow it to this \
                 user; what is sent there is not heard, alerts go on",
                broker.port(),
                topic("command/+"),
                topic("receipt/ops")
            )
        );
        assert_eq!(peer.subscriptions.len(), 1);
        works(&agent, &mut peer);
    }
}

#[test]
fn a_subscription_that_was_refused_is_tried_again_later() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(LinkSettings { pause: Duration::from_millis(500), ..hearing(broker.port()) });
    let mut peer = broker.accept_and(Some(0x87));
    works(&agent, &mut peer);
    peer.suback = Some(1);
    let begun = Instant::now();
    while peer.subscriptions.len() < 2 {
        assert!(begun.elapsed() < LIMIT);
        works(&agent, &mut peer);
        thread::sleep(Duration::from_millis(100));
    }
    agent.wait("it hears", |report| report.concerns.is_empty());
    // Its packet id came out of the middle of the circle. Nothing may collide with it.
    for _ in 0..20 {
        works(&agent, &mut peer);
    }
    assert_eq!((agent.report().connections, agent.report().resent), (1, 0));
}

#[test]
fn a_broker_that_hangs_up_on_a_subscription_gets_the_alerts_without_it() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    agent.alert(3);
    for connection in 1.. {
        assert!(connection < 5, "the alerts never came");
        let mut peer = broker.sign_on();
        peer.deaf = true;
        let Some(publish) = peer.publish() else { continue };
        peer.acknowledge(publish.packet_id);
        for publish in peer.publishes(2) {
            peer.acknowledge(publish.packet_id);
        }
        agent.wait_empty();
        break;
    }
    let sentence = agent.report().concerns[&Concern::Deaf].clone();
    assert!(sentence.contains("ends the connection when this box subscribes"), "{sentence}");
}

#[test]
fn a_subscription_that_is_never_answered_does_not_stop_the_alerts_for_good() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    agent.alert(40);
    let mut peer = broker.accept_and(None);
    let mut got = 0;
    while let Some(publish) = peer.publish() {
        peer.acknowledge(publish.packet_id);
        got += 1;
    }
    assert!((8..40).contains(&got), "{got}: the window is positional and the subscription is its front");
    let mut peer = broker.accept_and(None);
    for _ in got..40 {
        let publish = peer.publish().expect("an alert");
        peer.acknowledge(publish.packet_id);
    }
    agent.wait_empty();
    assert_eq!(peer.subscriptions.len(), 0);
    let sentence = agent.report().concerns[&Concern::Deaf].clone();
    let expected = format!(
        "broker 127.0.0.1:{} does not answer when this box subscribes to its commands and receipts; check what this \
         user may subscribe to and what is sent there; nothing is heard for 60 minutes, alerts go on",
        broker.port()
    );
    assert_eq!((sentence, agent.report().connections), (expected, 2));
}

#[test]
fn a_packet_that_is_too_large_does_not_come_for_ever() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    agent.alert(1);
    for connection in 1.. {
        assert!(connection < 5, "no peace");
        let mut peer = broker.sign_on_311();
        let publish = peer.publish().expect("the alert");
        if peer.subscriptions.is_empty() {
            let sentence = agent.report().last_error.unwrap();
            assert!(sentence.contains("sent what cannot be read (payload size limit exceeded"), "{sentence}");
            peer.acknowledge(publish.packet_id);
            agent.wait_empty();
            break;
        }
        // Two megabytes, which this broker keeps for the topic.
        peer.message(command().as_bytes(), &vec![0; 2 << 20], QOS_1 | RETAINED, 1);
        assert_eq!(peer.publish(), None, "the connection is given up");
    }
}

#[test]
fn a_topic_alias_that_was_not_offered_neither_ends_the_link_nor_fills_it() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on();
    // PUBLISH, QoS 0, no topic, properties: topic alias (0x23) 7, which was never set.
    peer.send(&[0x30, 6, 0, 0, 3, 0x23, 0, 7]);
    assert_eq!(peer.publish(), None);
    let mut peer = broker.sign_on();
    works(&agent, &mut peer);
    let sentence = agent.report().last_error.unwrap();
    assert!(sentence.contains("a topic alias, which was not offered"), "{sentence}");
    assert!(!agent.link.as_ref().unwrap().has_ended());
}

#[test]
fn a_flood_holds_up_neither_the_alerts_nor_the_end() {
    let broker = ScriptedBroker::new();
    let mut agent = Agent::start(hearing(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    let over = Arc::new(AtomicBool::new(false));
    let flood = peer.flooder(command().as_bytes(), &vec![0; 2000]);
    let flooder = thread::spawn({
        let over = Arc::clone(&over);
        move || while !over.load(SeqCst) && flood() {}
    });
    let reader = thread::spawn(move || {
        let mut numbers = Vec::new();
        while let Some(publish) = peer.publish() {
            peer.acknowledge(publish.packet_id);
            numbers.push(event(&publish.payload).sequence.0);
        }
        numbers
    });
    let begun = Instant::now();
    let sent = agent.alert(100);
    agent.wait_empty();
    let took = begun.elapsed();
    assert!(report(&agent).full > 0, "there was a flood: {:?}", report(&agent));
    let begun = Instant::now();
    agent.link.take().unwrap().stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    over.store(true, SeqCst);
    flooder.join().unwrap();
    assert_eq!(reader.join().unwrap(), sent);
    eprintln!("100 alerts through a flood took {took:?}");
}

#[test]
fn replies_flow_beside_the_alerts() {
    let broker = Broker::start(0).unwrap();
    let centre = Subscriber::start(broker.port, &topic("reply/#"));
    let agent = Agent::start(hearing(broker.port));
    agent.wait_connected();
    send(&broker, &command(), b"do it", false);
    let command = agent.take(LIMIT).unwrap();
    let reply = karaul::uplink::Message {
        topic: topic("reply/arm"),
        payload: command.payload,
        retain: false,
        severity: karaul_wire::Severity::Critical,
        incident: None,
        sequence: None,
    };
    let filled: Result<(), ()> = agent.outbox.commit(|batch| {
        batch.put(reply);
        Ok(())
    });
    filled.unwrap();
    assert_eq!(centre.next(LIMIT).unwrap().payload, b"do it");
}
