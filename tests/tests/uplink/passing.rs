//! Pictures that somebody has asked for: now or not at all.

use std::{fs, time::Duration};

use karaul::uplink::PassingReport;
use karaul_stage::Broker;
use karaul_tests::Subscriber;

use crate::{
    agent::{Agent, LIMIT, settings, topic},
    script::{Peer, ScriptedBroker},
};

const SHORT: Duration = Duration::from_millis(300);
/// As large as a picture in a reply gets.
const LARGE: usize = 256 << 10;

fn counts(agent: &Agent) -> (u64, u64) {
    let PassingReport { sent, dropped } = agent.settings.passing.report();
    (sent, dropped)
}

fn next(peer: &mut Peer) -> (u16, String) {
    let publish = peer.any_publish().expect("a publish");
    (publish.packet_id, publish.topic)
}

#[test]
fn a_picture_goes_through_and_is_never_on_the_disk() {
    let broker = Broker::start(0).unwrap();
    let centre = Subscriber::start(broker.port, &topic("reply/#"));
    let agent = Agent::start(settings(broker.port));
    agent.wait_connected();
    agent.picture("a picture", LARGE);
    let got = centre.next(LIMIT).unwrap();
    assert_eq!((got.payload.len(), got.retained), (LARGE, false));
    agent.wait("acknowledged", |_| counts(&agent) == (1, 0));
    for file in fs::read_dir(agent.folder()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(100).any(|part| part.iter().all(|byte| *byte == b'x')));
    }
}

#[test]
fn an_alert_that_was_committed_meanwhile_goes_before_the_next_picture() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.accept();
    // Receive maximum 1 (property 0x21): what goes next is seen one by one.
    peer.send(&[0x20, 6, 0, 0, 3, 0x21, 0, 1]);
    assert!(peer.is_quiet(SHORT), "how the box is has been said");
    agent.picture("the first", LARGE);
    agent.picture("the second", LARGE);
    let (packet_id, first) = next(&mut peer);
    assert_eq!((first, agent.outbox.waiting()), (topic("reply/snapshot"), 0));
    agent.alert(2);
    peer.acknowledge(packet_id);
    for expected in ["alert/critical/gate", "alert/critical/gate", "reply/snapshot"] {
        let (packet_id, got) = next(&mut peer);
        assert_eq!(got, topic(expected));
        peer.acknowledge(packet_id);
    }
    agent.wait("both are there", |_| counts(&agent) == (2, 0));
}

#[test]
fn only_one_is_under_way_and_alerts_do_not_wait_for_its_answer() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    assert!(peer.is_quiet(SHORT));
    agent.picture("the first", LARGE);
    agent.picture("the second", LARGE);
    assert_eq!(next(&mut peer).1, topic("reply/snapshot"));
    agent.alert(1);
    let (alert, got) = next(&mut peer);
    assert_eq!(got, topic("alert/critical/gate"));
    peer.acknowledge(alert);
    agent.wait_empty();
    assert!(peer.is_quiet(SHORT) && !peer.states.contains(&topic("reply/snapshot")), "the second waits for the first");
}

#[test]
fn a_picture_is_dropped_with_its_connection() {
    let broker = ScriptedBroker::new();
    let mut patient = settings(broker.port());
    patient.backoff.first = Duration::from_secs(1);
    let agent = Agent::start(patient);
    agent.picture("too early", 10);
    assert_eq!(counts(&agent), (0, 1));
    let mut peer = broker.sign_on();
    assert!(peer.is_quiet(SHORT));
    agent.picture("under way", LARGE);
    agent.picture("behind it", 10);
    assert_eq!(next(&mut peer).1, topic("reply/snapshot"));
    drop(peer);
    agent.wait_disconnected();
    agent.wait("both are dropped", |_| counts(&agent) == (0, 3));
    let mut peer = broker.sign_on();
    assert!(peer.is_quiet(SHORT));
    assert!(!peer.states.contains(&topic("reply/snapshot")), "{:?}", peer.states);
}

#[test]
fn a_picture_that_the_broker_does_not_take_is_dropped_and_ends_nothing() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.accept();
    // Maximum packet size 2000 (property 0x27).
    peer.send(&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0x07, 0xd0]);
    assert!(peer.is_quiet(SHORT));
    agent.picture("too large", LARGE);
    agent.wait("dropped", |_| counts(&agent) == (0, 1));
    agent.picture("refused", 10);
    let (packet_id, _) = next(&mut peer);
    peer.refuse(packet_id, 0x87);
    agent.wait("dropped", |_| counts(&agent) == (0, 2));
    assert_eq!((agent.report().connections, agent.report().held), (1, 0));
}

#[test]
fn a_stop_does_not_wait_for_a_picture() {
    let broker = ScriptedBroker::new();
    let mut agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    assert!(peer.is_quiet(SHORT));
    agent.picture("under way", LARGE);
    agent.picture("behind it", 10);
    assert_eq!(next(&mut peer).1, topic("reply/snapshot"));
    let reader = std::thread::spawn(move || while peer.any_publish().is_some() {});
    agent.link.take().unwrap().stop();
    reader.join().unwrap();
    assert_eq!(counts(&agent), (0, 2));
}
