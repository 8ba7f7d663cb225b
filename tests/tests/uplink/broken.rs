//! Brokers that forget, shrink, talk nonsense or throw the box out.

use std::time::Duration;

use karaul::uplink::{Concern, LinkError};

use crate::{
    agent::{Agent, settings},
    script::{BACKLOG, Peer, ScriptedBroker, number, numbers},
};

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn the_limits_of_the_broker_are_kept() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.accept();
    // Receive maximum 2 (property 0x21), maximum packet size 2000 (property 0x27).
    peer.send(&[0x20, 11, 0, 0, 8, 0x21, 0, 2, 0x27, 0, 0, 0x07, 0xd0]);
    agent.alert(4);
    let first = peer.publishes(2);
    assert!(peer.is_quiet(SHORT));
    for publish in &first {
        peer.acknowledge(publish.packet_id);
    }
    for publish in peer.publishes(2) {
        peer.acknowledge(publish.packet_id);
    }
    agent.wait_empty();
    let filled: Result<(), ()> = agent.outbox.commit(|batch| {
        batch.put(karaul::uplink::Message {
            topic: crate::agent::topic("alert/info/gate"),
            payload: vec![b'x'; 3000],
            retain: false,
            severity: karaul_wire::Severity::Info,
            incident: None,
            sequence: None,
        });
        Ok(())
    });
    filled.unwrap();
    agent.wait("too big", |report| report.held == 1);
    agent.alert(1);
    assert_eq!(number(&peer.publish().unwrap()), 5);
    assert_eq!(agent.report().connections, 1);
}

#[test]
fn a_broker_that_drops_the_connection_after_each_publish_gets_everything_in_the_end() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let sent = agent.alert(3);
    for _ in 0..3 {
        let mut peer = broker.sign_on();
        peer.publish().expect("an alert, which it forgets");
    }
    let mut peer = broker.sign_on();
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let publish = peer.publish().expect("an alert");
        peer.acknowledge(publish.packet_id);
        got.push(number(&publish));
    }
    assert_eq!(got, sent);
    agent.wait_empty();
    assert_eq!(agent.report().held, 0, "a few lost connections prove nothing against a message");
}

#[test]
fn a_broker_that_claims_to_remember_a_session_gets_no_credit_for_it() {
    for level in [5, 4] {
        let broker = ScriptedBroker::new();
        let agent = Agent::start(settings(broker.port()));
        agent.alert(2);
        let mut peer = if level == 5 { broker.sign_on() } else { broker.sign_on_311() };
        let before = numbers(&peer.publishes(2));
        drop(peer);
        // Session present, though a clean one was asked for: what was sent before is sent again all the same.
        let mut peer = broker.accept();
        if peer.level == 5 && level == 4 {
            peer.send(&[0x20, 3, 0, 0x84, 0]);
            peer = broker.accept();
        }
        peer.send(if level == 5 { &[0x20, 3, 1, 0, 0] } else { &[0x20, 2, 1, 0] });
        let again = peer.publishes(2);
        assert_eq!(numbers(&again), before, "version {level}");
        assert_eq!(agent.outbox.waiting(), 2);
        for publish in again {
            peer.acknowledge(publish.packet_id);
        }
        agent.wait_empty();
    }
}

#[test]
fn a_receive_maximum_that_shrinks_is_kept() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    agent.alert(20);
    let mut peer = broker.sign_on();
    assert_eq!(peer.publishes(BACKLOG).len(), BACKLOG);
    assert!(peer.is_quiet(Duration::from_millis(100)), "four places stay free for what is new");
    drop(peer);
    let mut got = Vec::new();
    for maximum in [3, 1] {
        let mut peer = broker.accept();
        // Receive maximum (property 0x21).
        peer.send(&[0x20, 6, 0, 0, 3, 0x21, 0, maximum]);
        for _ in 0..3 {
            let publishes = peer.publishes(maximum.into());
            assert!(peer.is_quiet(Duration::from_millis(100)), "no more than {maximum} in flight");
            for publish in publishes {
                peer.acknowledge(publish.packet_id);
                got.push(number(&publish));
            }
        }
        agent.wait("these are acknowledged", |report| report.delivered == got.len() as u64);
    }
    assert_eq!(got, (1..=12).collect::<Vec<_>>());
}

#[test]
fn garbage_ends_a_connection_of_version_5_and_nothing_else() {
    garbage_ends_nothing(ScriptedBroker::sign_on);
}

#[test]
fn garbage_ends_a_connection_of_version_3_1_1_and_nothing_else() {
    garbage_ends_nothing(ScriptedBroker::sign_on_311);
}

fn garbage_ends_nothing(sign_on: impl Fn(&ScriptedBroker) -> Peer) {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut random = fastrand::Rng::with_seed(1);
    let mut garbage: Vec<Vec<u8>> = vec![
        // A packet of 256 MiB, one whose length never ends, an answer without an id, a second CONNACK.
        vec![0x30, 0xff, 0xff, 0xff, 0x7f],
        vec![0x30, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0x40, 0],
        vec![0x20, 3, 0, 0, 0],
        // A PUBREC, a PUBREL and a PUBCOMP for nothing, a SUBSCRIBE, which only clients send.
        vec![0x50, 2, 0, 1],
        vec![0x62, 2, 0, 9],
        vec![0x70, 2, 0, 9],
        vec![0x82, 6, 0, 1, 0, 1, b'#', 1],
    ];
    garbage.extend((0..10).map(|_| (0..random.usize(1..60)).map(|_| random.u8(..)).collect()));
    for (before, bytes) in (0..).zip(garbage) {
        let mut peer = sign_on(&broker);
        agent.alert(1);
        let publish = peer.publish().expect("an alert");
        peer.send(&bytes);
        // What cannot be told from the beginning of a packet is not yet wrong: then the broker hangs up.
        peer.is_quiet(Duration::from_millis(20));
        drop(peer);
        let mut peer = sign_on(&broker);
        let again = peer.publish().expect("the alert again");
        assert_eq!(again.payload, publish.payload, "{bytes:x?} was taken for an acknowledgement");
        peer.acknowledge(again.packet_id);
        agent.wait("acknowledged", |report| report.delivered == before + 1);
        drop(peer);
        agent.wait_disconnected();
    }
    assert_eq!(agent.outbox.waiting(), 0);
    assert!(!agent.link.as_ref().unwrap().has_ended());
}

#[test]
fn a_second_box_with_the_same_path_is_noticed() {
    let broker = ScriptedBroker::new();
    let mut patient = settings(broker.port());
    patient.backoff.longest = Duration::from_secs(300);
    let agent = Agent::start(patient);
    let mut peer = broker.sign_on();
    agent.wait_connected();
    // DISCONNECT, session taken over.
    peer.send(&[0xe0, 2, 0x8e, 0]);
    let report = agent.wait("taken over", |report| report.last_error.is_some());
    let expected = LinkError::TakenOver { address: format!("127.0.0.1:{}", broker.port()) }.to_string();
    assert_eq!(report.last_error, Some(expected.clone()));
    assert_eq!((report.taken_over, report.trouble()), (1, Some(expected)));
    assert!(broker.is_quiet(Duration::from_millis(1500)), "two boxes must not throw each other out all the time");
}

#[test]
fn a_second_box_is_suspected_where_the_broker_does_not_say_so() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    for connection in 1..=4 {
        let mut peer = broker.sign_on_311();
        let begun = agent.wait("connected", |report| report.connections == connection);
        assert!(begun.concerns.is_empty());
        assert!(peer.is_quiet(SHORT), "nothing is in flight any more");
    }
    let report = agent.wait("suspicious", |report| report.concerns.contains_key(&Concern::Rival));
    let expected = LinkError::Rival { address: format!("127.0.0.1:{}", broker.port()) }.to_string();
    assert_eq!((report.last_error, report.taken_over), (Some(expected), 0));
}
