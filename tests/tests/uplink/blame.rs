//! One message that a broker hangs up on, or never answers, must not hold up the others.

use std::time::Duration;

use karaul::uplink::{Concern, LinkReport};

use crate::{
    agent::{Agent, settings, topic},
    script::{BACKLOG, Peer, ScriptedBroker, number, numbers},
};

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_message_that_ends_every_connection_does_not_block_the_others() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    agent.alert_on("poison");
    agent.alert(2);
    let mut got = Vec::new();
    let mut connections = 0;
    while got.len() < 2 {
        connections += 1;
        assert!(connections < 20, "the others never came: {got:?}");
        let mut peer = broker.sign_on();
        while got.len() < 2 {
            let Some(publish) = peer.publish() else { break };
            if publish.topic.ends_with("poison") {
                break;
            }
            peer.acknowledge(publish.packet_id);
            got.push(number(&publish));
        }
        if got.len() == 2 {
            agent.wait("both acknowledged", |report| report.delivered == 2);
        }
    }
    assert_eq!(got, [2, 3]);
    assert_eq!(agent.report().held, 1);
    assert_eq!(agent.outbox.waiting(), 1);
}

#[test]
fn a_broker_that_never_acknowledges_is_left_and_gets_it_again() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    agent.alert(20);
    let mut peer = broker.sign_on();
    let first = peer.publishes(BACKLOG);
    assert_eq!(peer.publish(), None, "it is given up after two keep-alives, though it answers pings");
    let said =
        |report: &LinkReport| report.last_error.as_ref().is_some_and(|why| why.contains("has not answered for 10 s"));
    agent.wait("the reason is known", said);
    let mut peer = broker.sign_on();
    let again = peer.publishes(BACKLOG);
    assert_eq!(numbers(&again), numbers(&first));
    for publish in again {
        peer.acknowledge(publish.packet_id);
    }
    for publish in peer.publishes(20 - BACKLOG) {
        peer.acknowledge(publish.packet_id);
    }
    agent.wait_empty();
    let report = agent.wait("all acknowledged", |report| report.delivered == 20);
    assert_eq!((report.connections, report.resent), (2, BACKLOG as u64));
}

#[test]
fn a_message_that_ends_every_connection_of_a_busy_box_is_found() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    agent.alert_on("poison");
    let (mut connections, mut got) = (0, 0);
    loop {
        connections += 1;
        assert!(connections < 15, "it is never found");
        let mut peer = broker.sign_on();
        agent.wait_connected();
        agent.alert(1);
        // Others are answered on each connection, before and after it.
        let mut poisoned = false;
        while !peer.is_quiet(SHORT) {
            let publish = peer.publish().unwrap();
            if publish.topic.ends_with("poison") {
                poisoned = true;
            } else {
                peer.acknowledge(publish.packet_id);
                got += 1;
            }
        }
        if !poisoned {
            break;
        }
        drop(peer);
        agent.wait_disconnected();
    }
    let report = agent.wait("found", |report| report.held == 1);
    assert_eq!((got, agent.outbox.waiting()), (connections, 1));
    assert_eq!(
        report.concerns[&Concern::Refused],
        format!(
            "broker 127.0.0.1:{} hangs up on a message on {}, number 1; it is set aside so that the others go on, and \
             tried again in 10 minutes; see the broker's log",
            broker.port(),
            topic("alert/critical/poison")
        )
    );
}

#[test]
fn a_message_that_is_never_acknowledged_though_all_others_are_is_found() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    agent.alert_on("ignored");
    agent.alert(50);
    let acknowledge_others = |peer: &mut Peer| {
        let mut got = 0;
        while let Some(publish) = peer.publish() {
            if !publish.topic.ends_with("ignored") {
                peer.acknowledge(publish.packet_id);
                got += 1;
            }
        }
        got
    };
    let mut got = 0;
    for _ in 0..2 {
        got += acknowledge_others(&mut broker.sign_on());
    }
    assert!(got < 50, "the window is positional, so it blocks the others");
    let mut peer = broker.sign_on();
    for _ in got..50 {
        let publish = peer.publish().expect("one of the others");
        peer.acknowledge(publish.packet_id);
    }
    assert!(peer.is_quiet(SHORT));
    let report = agent.wait("all others", |report| report.delivered == 50);
    assert_eq!((report.connections, report.held, agent.outbox.waiting()), (3, 1, 1));
    let sentence = &report.concerns[&Concern::Refused];
    assert!(sentence.contains("answers all others but never a message on"), "{sentence}");
}

#[test]
fn of_a_topic_that_the_broker_refuses_only_some_are_tried_and_the_others_go_on() {
    let broker = ScriptedBroker::new();
    let mut brief = settings(broker.port());
    brief.pause = Duration::from_secs(4);
    let agent = Agent::start(brief);
    let mut peer = broker.sign_on();
    agent.wait_connected();
    for _ in 0..200 {
        agent.alert_on("shut");
    }
    agent.alert(3);
    let (mut refused, mut got) = (0, 0);
    while !peer.is_quiet(SHORT) {
        let publish = peer.publish().unwrap();
        if publish.topic.ends_with("shut") {
            peer.refuse(publish.packet_id, 0x87);
            refused += 1;
        } else {
            peer.acknowledge(publish.packet_id);
            got += 1;
        }
    }
    let report = agent.report();
    assert_eq!((got, report.refused, report.held), (3, refused, refused));
    assert!((8..=8 + 16).contains(&refused), "{refused}: those that were in flight together");
    assert_eq!(agent.outbox.waiting(), 200);
    let sentence = &report.concerns[&Concern::Refused];
    assert!(sentence.contains("one message after the other on"), "{sentence}");
    for _ in 0..200 {
        let publish = peer.publish().expect("one of those that waited");
        peer.acknowledge(publish.packet_id);
    }
    agent.wait_empty();
    agent.wait("all is well", |report| report.held == 0 && report.concerns.is_empty());
    assert_eq!(agent.report().connections, 1);
}
