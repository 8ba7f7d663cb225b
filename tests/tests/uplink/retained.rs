//! What brokers retain of open incidents, over moves, restarts and forgetful brokers.

use std::time::{Duration, Instant};

use karaul_stage::Broker;
use karaul_tests::Subscriber;
use karaul_wire::BoxState;
use uuid::Uuid;

use crate::{
    agent::{Agent, LIMIT, settings, status, topic},
    fallback::{address, with_fallback},
    script::ScriptedBroker,
};

const SHORT: Duration = Duration::from_millis(300);

/// What a broker retains.
fn retained(port: u16, filter: &str) -> Vec<(String, Vec<u8>)> {
    let late = Subscriber::start(port, &topic(filter));
    std::iter::from_fn(|| late.next(SHORT)).map(|message| (message.topic, message.payload)).collect()
}

/// Waits until these incidents are open there, and no others.
fn wait_open(port: u16, ids: &[Uuid]) {
    let expected: Vec<String> = ids.iter().map(|id| topic(&format!("open/{id}"))).collect();
    let deadline = Instant::now() + LIMIT;
    loop {
        let open: Vec<String> = retained(port, "open/+").into_iter().map(|(topic, _)| topic).collect();
        if open == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{open:?} instead of {expected:?}");
    }
}

#[test]
fn open_incidents_move_along_and_leave_no_orphan() {
    let (mut first, second) = (Broker::start(0).unwrap(), Broker::start(0).unwrap());
    let agent = Agent::start(with_fallback(first.port, second.port));
    agent.wait_connected();
    let [ends_there, ends_here] = [1, 2].map(Uuid::from_u128);
    agent.step(ends_there, false);
    agent.step(ends_here, false);
    agent.wait_empty();
    first.stop().unwrap();
    agent.wait("the fallback", |report| report.address == address(second.port));
    agent.step(ends_there, true);
    agent.wait_empty();
    // The open one is known here too.
    wait_open(second.port, &[ends_here]);
    first.restart().unwrap();
    agent.wait("the way back", |report| report.address == address(first.port));
    agent.step(ends_here, true);
    agent.wait_empty();
    // What was closed at the fallback is closed here.
    wait_open(first.port, &[]);
}

#[test]
fn what_is_open_is_said_again_to_a_broker_that_may_have_forgotten_it() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    let [ended, open] = [1, 2].map(Uuid::from_u128);
    agent.step(ended, false);
    agent.step(open, false);
    agent.step(ended, true);
    let all = peer.taken(6);
    agent.wait_empty();
    drop(peer);
    for _ in 0..2 {
        let mut peer = broker.sign_on();
        let again = peer.publish().expect("the open incident");
        assert_eq!((&again.topic, &again.payload), (&topic(&format!("open/{open}")), &all[3].payload));
        peer.acknowledge(again.packet_id);
        assert!(peer.is_quiet(SHORT), "and nothing else");
        drop(peer);
        agent.wait_disconnected();
    }
    // A newer state that waits is not undone by the old one.
    agent.step(open, true);
    let mut peer = broker.sign_on();
    let mut last = None;
    while !peer.is_quiet(SHORT) {
        let publish = peer.publish().unwrap();
        peer.acknowledge(publish.packet_id);
        if publish.topic.contains("/open/") {
            last = Some(publish.payload);
        }
    }
    assert_eq!(last, Some(Vec::new()));
    drop(peer);
    agent.wait_disconnected();
    assert!(broker.sign_on().is_quiet(SHORT), "it has ended");
}

#[test]
fn a_broker_that_is_left_for_good_keeps_no_open_incident_and_the_next_one_learns_of_it() {
    let (first, second) = (Broker::start(0).unwrap(), Broker::start(0).unwrap());
    let mut agent = Agent::start(settings(first.port));
    agent.wait_connected();
    let ids = [1, 2, 3].map(Uuid::from_u128);
    for id in ids {
        agent.step(id, false);
    }
    agent.wait_empty();
    let begun = Instant::now();
    let report = agent.link.take().unwrap().retire();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(report.delivered, 3, "what was sent last counts");
    wait_open(first.port, &[]);
    let (state, _) = status(&retained(first.port, "status/box")[0].1);
    assert_eq!(state, BoxState::Stopped);

    agent.settings = settings(second.port);
    let agent = agent.linked().unwrap();
    agent.wait_connected();
    wait_open(second.port, &ids);
    agent.step(ids[0], true);
    agent.wait_empty();
    wait_open(second.port, &ids[1..]);
}

#[test]
fn a_stop_leaves_what_is_open_where_it_is() {
    let broker = Broker::start(0).unwrap();
    let mut agent = Agent::start(settings(broker.port));
    agent.wait_connected();
    agent.step(Uuid::from_u128(1), false);
    agent.wait_empty();
    agent.link.take().unwrap().stop();
    wait_open(broker.port, &[Uuid::from_u128(1)]);
}

#[test]
fn an_incident_that_a_restart_on_the_fallback_ended_is_cleared_at_the_first_broker_too() {
    let (mut first, second) = (Broker::start(0).unwrap(), Broker::start(0).unwrap());
    let agent = Agent::start(with_fallback(first.port, second.port));
    agent.wait_connected();
    let id = Uuid::from_u128(1);
    agent.step(id, false);
    agent.wait_empty();
    first.stop().unwrap();
    agent.wait("the fallback", |report| report.address == address(second.port));
    wait_open(second.port, &[id]);

    let agent = Agent::in_folder_of(agent).linked().unwrap();
    agent.wait("the fallback again", |report| report.address == address(second.port));
    // As the site closes what another run left open.
    agent.step(id, true);
    agent.wait_empty();
    wait_open(second.port, &[]);
    first.restart().unwrap();
    agent.wait("the way back", |report| report.address == address(first.port));
    wait_open(first.port, &[]);
}
