//! What the broker remembers of a box whose own memory is gone.

use std::{fs, sync::Arc, time::Instant};

use karaul::uplink::LinkReport;
use karaul_stage::Broker;
use karaul_tests::{Received, Subscriber};
use karaul_wire::{BoxState, BoxStatus, Sequence};
use rumqttc::{Client, Event, MqttOptions, Outgoing, QoS};

use crate::agent::{Agent, LIMIT, event, settings, status, topic};

/// More than any that was counted one by one: microseconds since 1970.
const BY_THE_CLOCK: u64 = 1_000_000_000_000_000;

fn sequences(messages: &[Received]) -> Vec<u64> {
    messages.iter().map(|message| event(&message.payload).sequence.0).collect()
}

/// The next so many alerts.
fn numbers(subscriber: &Subscriber, count: usize) -> Vec<u64> {
    sequences(&(0..count).map(|_| subscriber.next(LIMIT).expect("an alert")).collect::<Vec<_>>())
}

fn in_new_folder(port: u16) -> Agent {
    Agent::without_link(settings(port), Arc::new(tempfile::tempdir().unwrap()))
}

fn retain(broker: &Broker, status: &BoxStatus) {
    let (client, mut connection) = Client::new(MqttOptions::new("forger", "127.0.0.1", broker.port), 10);
    client.publish(topic("status/box"), QoS::AtLeastOnce, true, serde_json::to_vec(status).unwrap()).unwrap();
    let is_there = |event: &Event| matches!(event, Event::Incoming(rumqttc::Packet::PubAck(_)));
    assert!(connection.iter().map(Result::unwrap).any(|event| is_there(&event)));
    client.disconnect().unwrap();
    let is_gone = |event: &Event| matches!(event, Event::Outgoing(Outgoing::Disconnect));
    assert!(connection.iter().map_while(Result::ok).any(|event| is_gone(&event)));
}

fn connected_twice(report: &LinkReport) -> bool {
    report.connections == 2 && report.connected.is_some()
}

#[test]
fn numbers_and_sessions_go_on_when_the_folder_is_lost() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let about = Subscriber::start(broker.port, &topic("status/box"));
    let first = Agent::start(settings(broker.port));
    first.wait_connected();
    assert_eq!(first.alert(5), [1, 2, 3, 4, 5]);
    first.wait_empty();
    assert_eq!(first.report().connections, 1, "a new box is connected once");
    assert_eq!(numbers(&subscriber, 5), [1, 2, 3, 4, 5]);
    drop(first);

    // The new disk is in before the broker can be reached.
    let second = in_new_folder(broker.port);
    assert_eq!(second.alert(3), [1, 2, 3]);
    let second = second.linked().unwrap();
    second.wait("connected anew", connected_twice);
    let live = second.alert(1)[0];
    second.wait_empty();
    let mut got = numbers(&subscriber, 4);
    got.sort_unstable();
    assert!(got[0] > BY_THE_CLOCK, "{got:?}");
    assert_eq!(got, [live - 3, live - 2, live - 1, live], "none comes twice, and none is left out");
    assert!(second.outbox.has_gaps_to_tell());
    let third = Agent::in_folder_of(second).linked().unwrap();
    third.wait_connected();
    assert_eq!(third.alert(1), [live + 1]);
    assert_eq!(numbers(&subscriber, 1), [live + 1]);
    third.wait_empty();
    assert_eq!(third.report().connections, 1, "once, and not at each start");
    drop(third);

    let said: Vec<BoxStatus> = about
        .until(LIMIT, |message| status(&message.payload) == (BoxState::Stopped, 3))
        .iter()
        .map(|message| serde_json::from_slice(&message.payload).unwrap())
        .collect();
    let states: Vec<_> = said.iter().map(|status| (status.state, status.session)).collect();
    let (online, stopped) = (BoxState::Online, BoxState::Stopped);
    let expected = [(online, 1), (stopped, 1), (online, 2), (stopped, 2), (online, 3), (stopped, 3)];
    assert_eq!(states, expected, "nothing was said in the session that was taken back");
    let last: Vec<_> = said.iter().map(|status| status.sequence.map_or(0, |sequence| sequence.0)).collect();
    assert_eq!((last[1], last[3], last[5]), (5, live, live + 1));
}

#[test]
fn a_box_whose_disk_was_read_only_goes_on_behind_what_it_has_said() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let agent = in_new_folder(broker.port);
    agent.alert(2);
    let said = |state, session, sequence| BoxStatus {
        state,
        session,
        since: "2026-11-22T02:00:00Z".parse().unwrap(),
        sequence: Some(Sequence(sequence)),
        outbox: None,
    };
    retain(&broker, &said(BoxState::Stopped, 4711, 90));
    let agent = agent.linked().unwrap();
    agent.wait("connected anew", connected_twice);
    assert!(agent.report().session > 4711);
    assert!(numbers(&subscriber, 2).iter().all(|number| *number > BY_THE_CLOCK));
    drop(agent);

    // What nobody can have said is not believed.
    retain(&broker, &said(BoxState::Online, u64::MAX, u64::MAX));
    let agent = in_new_folder(broker.port);
    agent.alert(1);
    let agent = agent.linked().unwrap();
    assert_eq!(numbers(&subscriber, 1), [1]);
    agent.wait_empty();
    let report = agent.report();
    assert_eq!((report.connections, report.session), (1, 1));
}

#[test]
fn a_box_that_may_not_read_its_status_sends_its_alerts_all_the_same() {
    let access = |folder: &std::path::Path| {
        let rules = format!("topic write {}\ntopic read {}\n", topic("#"), topic("alert/#"));
        fs::write(folder.join("access"), rules).unwrap();
    };
    let broker = Broker::start_with(0, "acl_file {folder}/access", access).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let start = Instant::now();
    let agent = Agent::start(settings(broker.port));
    agent.wait_connected();
    let sent = agent.alert(3);
    assert_eq!(numbers(&subscriber, 3), sent);
    assert!(start.elapsed().as_secs() < 6, "{:?}", start.elapsed());
    agent.wait_empty();
    let report = agent.report();
    assert_eq!((report.connections, report.last_error), (1, None));
}
