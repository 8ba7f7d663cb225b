//! Versions and acknowledgements, as real brokers do them only on bad days.

use std::time::Duration;

use karaul::uplink::{Concern, Version};

use crate::{
    agent::{Agent, event, settings, topic},
    script::{ScriptedBroker, number, numbers},
};

const SHORT: Duration = Duration::from_millis(300);

/// The broker answers a version 5 sign-on with `answer` and hangs up.
fn falls_back_after(answer: &[u8]) {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    agent.alert(1);
    let mut first = broker.accept();
    assert_eq!(first.level, 5);
    first.send(answer);
    drop(first);
    let mut second = broker.sign_on();
    assert_eq!(second.level, 4, "3.1.1");
    let publish = second.publish().unwrap();
    second.acknowledge(publish.packet_id);
    agent.wait_empty();
    let report = agent.report();
    assert_eq!(report.connected, Some(Version::V311));
    assert_eq!(report.last_error, None, "falling back is no error");
    assert_eq!(second.states.len(), 2, "{:?}", second.states);
}

#[test]
fn falls_back_when_a_broker_refuses_version_5() {
    falls_back_after(&[0x20, 3, 0, 0x84, 0]);
}

#[test]
fn falls_back_when_an_old_broker_answers_in_its_own_way() {
    falls_back_after(&[0x20, 2, 0, 1]);
}

#[test]
fn falls_back_when_an_old_broker_just_hangs_up() {
    falls_back_after(&[]);
}

#[test]
fn acknowledgements_out_of_order_and_late_find_their_own() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(40);
    let first = peer.publishes(16);
    assert_eq!(numbers(&first), (1..=16).collect::<Vec<_>>());
    for publish in first.iter().skip(1).rev() {
        peer.acknowledge(publish.packet_id);
    }
    assert!(peer.is_quiet(SHORT), "the window is positional: its front is open");
    peer.acknowledge(first[0].packet_id);
    let rest = peer.publishes(16);
    assert_eq!(numbers(&rest), (17..=32).collect::<Vec<_>>());
    for publish in &rest {
        peer.acknowledge(publish.packet_id);
    }
    for publish in peer.publishes(8) {
        peer.acknowledge(publish.packet_id);
    }
    agent.wait_empty();
    let report = agent.wait("all acknowledged", |report| report.delivered == 40);
    assert_eq!((report.connections, report.resent), (1, 0));
}

#[test]
fn what_was_not_acknowledged_is_sent_again_with_the_same_id() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(3);
    let before = peer.publishes(3);
    peer.acknowledge(before[1].packet_id);
    agent.wait("one acknowledged", |report| report.delivered == 1);
    drop(peer);
    let mut peer = broker.sign_on();
    let again = peer.publishes(2);
    assert_eq!(again[0].payload, before[0].payload, "the same bytes, the id included");
    assert_eq!(again[1].payload, before[2].payload);
    assert!(peer.is_quiet(SHORT));
    for publish in &again {
        peer.acknowledge(publish.packet_id);
    }
    agent.wait_empty();
    let report = agent.wait("all acknowledged", |report| report.delivered == 3);
    assert_eq!((report.connections, report.resent), (2, 2));
}

#[test]
fn an_acknowledgement_for_nobody_credits_nobody() {
    for packet_id in [9, 16, 17, 60000] {
        let broker = ScriptedBroker::new();
        let agent = Agent::start(settings(broker.port()));
        let mut peer = broker.sign_on();
        agent.wait_connected();
        agent.alert(2);
        let before = peer.publishes(2);
        peer.acknowledge(packet_id);
        assert_eq!(peer.publish(), None, "such a broker is hung up on");
        let mut peer = broker.sign_on();
        let again = peer.publishes(2);
        assert_eq!(numbers(&again), numbers(&before));
        for publish in &again {
            peer.acknowledge(publish.packet_id);
        }
        agent.wait_empty();
    }
}

#[test]
fn a_second_acknowledgement_of_the_same_credits_nobody() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(2);
    let before = peer.publishes(2);
    peer.acknowledge(before[0].packet_id);
    peer.acknowledge(before[0].packet_id);
    assert_eq!(peer.publish(), None);
    let mut peer = broker.sign_on();
    let again = peer.publish().unwrap();
    assert_eq!(number(&again), 2);
    peer.acknowledge(again.packet_id);
    agent.wait_empty();
    assert_eq!(agent.wait("both acknowledged", |report| report.delivered == 2).delivered, 2);
}

#[test]
fn a_refused_message_is_kept_and_the_others_go_on() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(3);
    let publishes = peer.publishes(3);
    peer.refuse(publishes[0].packet_id, 0x87);
    peer.acknowledge(publishes[1].packet_id);
    peer.acknowledge(publishes[2].packet_id);
    let report = agent.wait("two acknowledged", |report| report.delivered == 2);
    assert_eq!(report.held, 1);
    agent.alert(1);
    let next = peer.publish().unwrap();
    assert_eq!(number(&next), 4);
    peer.acknowledge(next.packet_id);
    assert!(peer.is_quiet(SHORT), "the refused one is not offered again at once");
    assert_eq!(agent.outbox.waiting(), 1, "and it is not lost");
}

#[test]
fn an_alert_that_took_long_is_backfill_though_the_broker_was_there() {
    let broker = ScriptedBroker::new();
    let mut impatient = settings(broker.port());
    impatient.late_after = Duration::ZERO;
    let agent = Agent::start(impatient);
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(1);
    assert!(event(&peer.publish().unwrap().payload).data.backfill);
}

#[test]
fn an_answer_just_before_the_end_counts() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(16);
    let publishes = peer.publishes(16);
    for publish in &publishes {
        peer.acknowledge(publish.packet_id);
    }
    drop(peer);
    agent.wait_empty();
    agent.wait("all acknowledged", |report| report.delivered == 16);
    let mut peer = broker.sign_on();
    assert!(peer.is_quiet(SHORT), "nothing is sent twice");
    assert_eq!(agent.report().resent, 0);
}

#[test]
fn alerts_that_nobody_subscribes_to_are_counted_and_said() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    agent.wait_connected();
    agent.alert(2);
    for publish in peer.publishes(2) {
        // PUBACK, no matching subscribers: not a refusal.
        peer.refuse(publish.packet_id, 0x10);
    }
    agent.wait_empty();
    let report = agent.wait("both acknowledged", |report| report.delivered == 2);
    assert_eq!((report.unheard, report.refused), (2, 0));
    assert_eq!(
        report.concerns[&Concern::Unheard],
        format!(
            "broker 127.0.0.1:{} takes alerts on {}, but nobody subscribes to them: they reach nobody; see whether the \
             operations centre is connected, and to what it subscribes",
            broker.port(),
            topic("alert/critical/gate")
        )
    );
    agent.alert(1);
    let publish = peer.publish().unwrap();
    peer.acknowledge(publish.packet_id);
    let report = agent.wait("heard again", |report| report.concerns.is_empty());
    assert_eq!((report.delivered, report.unheard), (3, 2));
}
