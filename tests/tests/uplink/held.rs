//! What the broker does not want must not block the rest, nor be overtaken by what follows it.

use std::time::Duration;

use uuid::Uuid;

use crate::{
    agent::{Agent, settings, topic},
    script::{Peer, Publish, ScriptedBroker},
};

const SHORT: Duration = Duration::from_millis(300);
/// MQTT 5: not authorized.
const NOT_AUTHORIZED: u8 = 0x87;

fn topics(publishes: &[Publish]) -> Vec<String> {
    publishes.iter().map(|publish| publish.topic.clone()).collect()
}

/// Hangs up on every message whose topic ends with `poison`, until one gets through without it.
fn past_the_poison(broker: &ScriptedBroker, poison: &'static str) -> Peer {
    for _ in 0..20 {
        let mut peer = broker.sign_on();
        peer.poison = Some(poison);
        if let Some(publish) = peer.publish() {
            peer.acknowledge(publish.packet_id);
            return peer;
        }
    }
    panic!("{poison}: no alert ever came");
}

#[test]
fn what_follows_of_an_incident_waits_behind_a_refused_alert() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    let (refused, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    agent.step(refused, false);
    let first = peer.publishes(2);
    peer.refuse(first[0].packet_id, NOT_AUTHORIZED);
    peer.acknowledge(first[1].packet_id);
    agent.wait("one held", |report| report.held == 1);
    agent.step(refused, true);
    agent.step(other, false);
    let next = peer.publishes(2);
    assert_eq!(topics(&next), [topic("alert/critical/gate"), topic(&format!("open/{other}"))]);
    assert_eq!(crate::agent::event(&next[0].payload).sequence.0, 3);
    for publish in &next {
        peer.acknowledge(publish.packet_id);
    }
    assert!(peer.is_quiet(SHORT));
    assert_eq!(agent.outbox.waiting(), 3);
}

#[test]
fn a_broker_that_takes_alerts_but_no_states_gets_the_alerts_at_once() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    let id = Uuid::from_u128(1);
    agent.step(id, false);
    let first = peer.publishes(2);
    assert_eq!(topics(&first), [topic("alert/critical/gate"), topic(&format!("open/{id}"))]);
    peer.acknowledge(first[0].packet_id);
    peer.refuse(first[1].packet_id, NOT_AUTHORIZED);
    agent.wait("one held", |report| report.held == 1);

    agent.step(id, false);
    agent.step(id, true);
    let alerts = peer.taken(2);
    assert_eq!(topics(&alerts), [topic("alert/critical/gate"), topic("alert/critical/gate")]);
    assert!(peer.is_quiet(SHORT), "a clearing now would be undone by the state that is offered again");
    assert_eq!(agent.outbox.waiting(), 3);
}

#[test]
fn what_follows_one_that_is_too_big_waits_though_both_were_there_at_once() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let incident = Some(Uuid::from_u128(1));
    for size in [3000, 10] {
        let filled: Result<(), ()> = agent.outbox.commit(|batch| {
            batch.put(karaul::uplink::Message {
                topic: topic("alert/info/gate"),
                payload: vec![b'x'; size],
                retain: false,
                severity: karaul_wire::Severity::Info,
                incident,
                sequence: None,
            });
            Ok(())
        });
        filled.unwrap();
    }
    let mut peer = broker.accept();
    // Maximum packet size 2000 (property 0x27).
    peer.send(&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0x07, 0xd0]);
    agent.wait("too big", |report| report.held == 1);
    assert!(peer.is_quiet(SHORT));
    assert_eq!(agent.outbox.waiting(), 2);
}

#[test]
fn a_state_that_was_left_out_comes_when_the_broker_takes_it_again() {
    for poison in ["status/box", "status/camera/poison"] {
        let broker = ScriptedBroker::new();
        let mut brief = settings(broker.port());
        brief.pause = Duration::from_millis(1500);
        let agent = Agent::start(brief);
        agent.board.set(topic("status/camera/poison"), b"seeing".to_vec());
        agent.alert(1);
        let mut peer = past_the_poison(&broker, poison);
        agent.wait_empty();
        peer.poison = None;
        assert!(!peer.states.contains(&topic(poison)), "{poison}");
        assert!(peer.is_quiet(Duration::from_secs(3)));
        assert!(peer.states.contains(&topic(poison)), "{poison}: {:?}", peer.states);
        assert!(agent.report().connected.is_some());
    }
}

#[test]
fn a_state_that_was_refused_is_offered_again_on_the_same_connection() {
    for refused in ["status/box", "meta/box", "status/camera/gate"] {
        let broker = ScriptedBroker::new();
        let mut brief = settings(broker.port());
        brief.pause = Duration::from_millis(1500);
        let agent = Agent::start(brief);
        agent.board.set(topic("status/camera/gate"), b"seeing".to_vec());
        let mut peer = broker.sign_on();
        peer.refused_state = Some((refused, NOT_AUTHORIZED));
        assert!(peer.is_quiet(SHORT));
        assert!(!peer.states.contains(&topic(refused)), "{refused}");
        peer.refused_state = None;
        assert!(peer.is_quiet(Duration::from_secs(3)));
        assert!(peer.states.contains(&topic(refused)), "{refused}: {:?}", peer.states);
        assert_eq!((peer.states.len(), agent.report().connections), (3, 1));
    }
}

#[test]
fn a_stop_does_not_wait_for_a_state_that_is_left_out() {
    let broker = ScriptedBroker::new();
    let mut patient = settings(broker.port());
    patient.flush = Duration::from_secs(60);
    let mut agent = Agent::start(patient);
    agent.board.set(topic("status/camera/big"), vec![b'x'; 3000]);
    agent.alert(1);
    let mut peer = broker.accept();
    // Maximum packet size 2000 (property 0x27).
    peer.send(&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0x07, 0xd0]);
    let publish = peer.publish().expect("the alert");
    peer.acknowledge(publish.packet_id);
    agent.wait_empty();
    let begun = std::time::Instant::now();
    let reader = std::thread::spawn(move || peer.publish());
    agent.link.take().unwrap().stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(reader.join().unwrap(), None);
}

#[test]
fn a_state_that_is_too_big_for_the_broker_is_left_out() {
    let broker = ScriptedBroker::new();
    let mut big = settings(broker.port());
    big.birth.agent = "0".repeat(3000);
    let agent = Agent::start(big);
    agent.board.set(topic("status/camera/big"), vec![b'x'; 3000]);
    agent.board.set(topic("status/camera/small"), b"seeing".to_vec());
    agent.alert(1);
    let mut peer = broker.accept();
    // Maximum packet size 2000 (property 0x27).
    peer.send(&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0x07, 0xd0]);
    let publish = peer.publish().expect("the alert");
    peer.acknowledge(publish.packet_id);
    agent.wait_empty();
    assert_eq!(peer.states, ["status/box", "status/camera/small"].map(topic));
    assert_eq!(agent.report().connections, 1);
}

#[test]
fn a_state_that_ends_every_connection_does_not_block_the_alerts() {
    for poison in ["meta/box", "status/camera/poison"] {
        let broker = ScriptedBroker::new();
        let agent = Agent::start(settings(broker.port()));
        agent.board.set(topic("status/camera/poison"), b"seeing".to_vec());
        agent.alert(2);
        let mut peer = past_the_poison(&broker, poison);
        let publish = peer.publish().expect("the second alert");
        peer.acknowledge(publish.packet_id);
        agent.wait_empty();
        assert!(peer.states.contains(&topic("status/box")), "{poison}: {:?}", peer.states);
    }
}
