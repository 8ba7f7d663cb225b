//! A real mosquitto behind a bad network.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use karaul_stage::Broker;
use karaul_tests::{Relay, Subscriber};
use karaul_wire::BoxState;

use crate::agent::{Agent, LIMIT, event, settings, status, topic};

#[test]
fn an_outage_loses_nothing_and_repeats_keep_their_ids() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let relay = Relay::to(broker.port).unwrap();
    let agent = Agent::start(settings(relay.port()));
    agent.wait_connected();
    // Once a new folder has heard what the broker remembers, it keeps its numbers.
    let mut sent = agent.alert(1);
    agent.wait_empty();
    for _ in 0..5 {
        sent.extend(agent.alert(30));
        relay.cut(true);
        agent.wait_disconnected();
        sent.extend(agent.alert(3));
        relay.cut(false);
        agent.wait_connected();
    }
    agent.wait_empty();
    // What is new comes before what waited, so the last number is not the last to come.
    let left = RefCell::new(sent.iter().copied().collect::<BTreeSet<u64>>());
    let got = subscriber.until(LIMIT, |message| {
        left.borrow_mut().remove(&event(&message.payload).sequence.0);
        left.borrow().is_empty()
    });

    let mut seen = BTreeMap::new();
    for message in &got {
        let event = event(&message.payload);
        let id = *seen.entry(event.sequence.0).or_insert(event.id);
        assert_eq!(id, event.id, "a repeat has the same id");
    }
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), sent, "every one arrived");
    let repeats = got.len() - sent.len();
    assert!(repeats as u64 <= agent.report().resent, "{repeats} repeats, {:?}", agent.report());
}

#[test]
fn a_broken_connection_is_lost_and_a_newer_session_comes_back() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("status/box"));
    let relay = Relay::to(broker.port).unwrap();
    let agent = Agent::start(settings(relay.port()));
    assert_eq!(status(&subscriber.next(LIMIT).unwrap().payload), (BoxState::Online, 1));
    relay.cut(true);
    let (state, session) = status(&subscriber.next(LIMIT).unwrap().payload);
    assert_eq!((state, session), (BoxState::Lost, 1));
    agent.wait_disconnected();
    relay.cut(false);
    let (state, session) = status(&subscriber.next(LIMIT).unwrap().payload);
    assert_eq!(state, BoxState::Online);
    assert!(session > 1);
}

#[test]
fn a_half_open_connection_is_given_up_after_two_keep_alives() {
    let broker = Broker::start(0).unwrap();
    let relay = Relay::to(broker.port).unwrap();
    let agent = Agent::start(settings(relay.port()));
    agent.wait_connected();
    relay.freeze(true);
    let frozen = Instant::now();
    agent.alert(1);
    let report = agent.wait_disconnected();
    assert!(frozen.elapsed() >= Duration::from_secs(4), "{:?}", frozen.elapsed());
    let expected = format!("broker 127.0.0.1:{} has not answered for 10 s; the connection is given up", relay.port());
    agent.wait("the reason is known", |report| report.last_error.as_ref() == Some(&expected));
    assert_eq!(report.connections, 1);
    relay.freeze(false);
    agent.wait_empty();
}
