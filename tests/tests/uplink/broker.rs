//! Against a real mosquitto.

use std::{fs, process::Command, thread, time::Duration};

use karaul::uplink::{Concern, LinkError, Message, Version};
use karaul_stage::Broker;
use karaul_tests::{Received, Subscriber};
use karaul_wire::{BoxState, Severity};

use crate::agent::{Agent, LIMIT, event, login, settings, status, topic};

fn sequences(messages: &[Received]) -> Vec<u64> {
    messages.iter().map(|message| event(&message.payload).sequence.0).collect()
}

fn is_last(sequence: u64) -> impl Fn(&Received) -> bool {
    move |message| message.topic.contains("/alert/") && event(&message.payload).sequence.0 == sequence
}

#[test]
fn alerts_arrive_in_order_and_live_ones_are_not_backfill() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let agent = Agent::start(settings(broker.port));
    assert_eq!(agent.wait_connected().connected, Some(Version::V5));
    let sent = agent.alert(100);
    let last = sent[99];
    let got = subscriber.until(LIMIT, |message| event(&message.payload).sequence.0 == last);
    assert_eq!(sequences(&got), sent);
    assert!(got.iter().all(|message| !event(&message.payload).data.backfill && !message.retained));
    agent.wait_empty();
    let report = agent.wait("all acknowledged", |report| report.delivered == 100);
    assert_eq!((report.resent, report.connections, report.held), (0, 1, 0));
}

#[test]
fn what_the_box_is_and_sees_is_retained_and_stopped_is_said() {
    let broker = Broker::start(0).unwrap();
    let agent = Agent::start(settings(broker.port));
    agent.board.set(topic("status/camera/gate"), b"seeing".to_vec());
    agent.wait_connected();
    agent.board.set(topic("status/camera/yard"), b"seeing".to_vec());
    agent.board.set(topic("status/camera/yard"), b"blind".to_vec());
    agent.alert(1);
    agent.wait_empty();

    let late = Subscriber::start(broker.port, &topic("#"));
    let mut got: Vec<Received> = (0..4).map(|_| late.next(LIMIT).unwrap()).collect();
    got.sort_by(|a, b| a.topic.cmp(&b.topic));
    assert!(got.iter().all(|message| message.retained));
    let topics: Vec<_> = got.iter().map(|message| message.topic.clone()).collect();
    assert_eq!(topics, ["meta/box", "status/box", "status/camera/gate", "status/camera/yard"].map(topic));
    assert_eq!(status(&got[1].payload), (BoxState::Online, 1));
    assert_eq!(got[3].payload, b"blind");
    let birth: serde_json::Value = serde_json::from_slice(&got[0].payload).unwrap();
    assert_eq!(birth["session"], 1);

    agent.board.pass(topic("health/box"), b"now".to_vec());
    assert_eq!(late.next(LIMIT).unwrap().topic, topic("health/box"));
    drop(agent);
    assert_eq!(status(&late.next(LIMIT).unwrap().payload), (BoxState::Stopped, 1));
    assert_eq!(late.next(Duration::from_millis(300)), None, "after an orderly stop there is no last will");
}

#[test]
fn a_stop_sends_what_waits_and_needs_no_broker() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let agent = Agent::start(settings(broker.port));
    agent.wait_connected();
    let sent = agent.alert(50);
    drop(agent);
    let got = subscriber.until(LIMIT, |message| event(&message.payload).sequence.0 == 50);
    assert_eq!(sequences(&got), sent);

    let lonely = Agent::start(settings(1));
    lonely.alert(1);
    let before = std::time::Instant::now();
    drop(lonely);
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
}

#[test]
fn alerts_survive_the_agent_and_are_then_backfill() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("#"));
    let first = Agent::without_link(settings(broker.port), tempfile::tempdir().unwrap().into());
    let mut sent = first.alert(3);
    first
        .outbox
        .commit(|batch| {
            let payload = b"{}".to_vec();
            let (topic, severity) = (topic("open/x"), Severity::Critical);
            batch.put(Message { topic, payload, retain: true, severity, incident: None, sequence: None });
            Ok::<_, ()>(())
        })
        .unwrap();
    let second = Agent::in_folder_of(first).linked().unwrap();
    second.wait_connected();
    second.wait_empty();
    sent.extend(second.alert(1));
    let got =
        subscriber.until(LIMIT, |message| message.topic.contains("/alert/") && event(&message.payload).sequence.0 == 4);
    let alerts: Vec<Received> = got.iter().filter(|message| message.topic.contains("/alert/")).cloned().collect();
    assert_eq!(sequences(&alerts), sent);
    let backfill: Vec<bool> = alerts.iter().map(|message| event(&message.payload).data.backfill).collect();
    assert_eq!(backfill, [true, true, true, false]);
    let open = got.iter().find(|message| message.topic == topic("open/x")).unwrap();
    assert_eq!(open.payload, b"{}", "only alerts are marked");
}

#[test]
fn a_restarted_broker_gets_what_happened_meanwhile() {
    let mut broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("#"));
    let agent = Agent::start(settings(broker.port));
    agent.wait_connected();
    agent.alert(2);
    agent.wait_empty();
    let before = subscriber.until(LIMIT, is_last(2));
    broker.stop().unwrap();
    agent.wait_disconnected();
    agent.alert(20);
    assert_eq!(agent.outbox.waiting(), 20);
    thread::sleep(Duration::from_millis(500));
    broker.restart().unwrap();
    let after = subscriber.until(LIMIT, is_last(22));
    let mut alerts: Vec<Received> = [before, after].concat();
    alerts.retain(|message| message.topic.contains("/alert/"));
    // mosquitto repeats to its subscriber what that had not acknowledged before the restart.
    alerts.sort_by_key(|message| event(&message.payload).sequence);
    alerts.dedup();
    assert_eq!(sequences(&alerts), (1..=22).collect::<Vec<_>>());
    let backfill: Vec<bool> = alerts.iter().map(|message| event(&message.payload).data.backfill).collect();
    assert_eq!(backfill, [vec![false; 2], vec![true; 20]].concat());
    agent.wait_empty();
    let report = agent.report();
    assert_eq!((report.connections, report.resent), (2, 0));
}

#[test]
fn a_wrong_password_is_one_sentence_without_the_password() {
    let prepare = |folder: &std::path::Path| {
        fs::write(folder.join("passwords"), "").unwrap();
        let done = Command::new("mosquitto_passwd")
            .args(["-b", &folder.join("passwords").display().to_string(), "box", "right"])
            .status();
        assert!(done.unwrap().success());
    };
    let extra = "allow_anonymous false\npassword_file {folder}/passwords";
    let broker = Broker::start_with(0, extra, prepare).unwrap();
    let mut wrong = settings(broker.port);
    wrong.broker.login = login("box", "swordfish");
    let agent = Agent::start(wrong);
    let report = agent.wait("refused", |report| report.last_error.is_some());
    let expected = LinkError::Credentials { address: format!("127.0.0.1:{}", broker.port) }.to_string();
    assert_eq!(report.last_error, Some(expected.clone()));
    assert_eq!(
        expected,
        format!(
            "broker 127.0.0.1:{} refused the user name or the password; check username and password under [broker] \
             and the broker's accounts",
            broker.port
        )
    );

    let mut right = settings(broker.port);
    right.broker.login = login("box", "right");
    assert_eq!(Agent::start(right).wait_connected().last_error, None);
}

/// This mosquitto (2.0.11) does not say that a session was taken over, in version 5 either.
#[test]
fn two_boxes_with_the_same_path_are_suspected_and_stop_fighting() {
    let broker = Broker::start(0).unwrap();
    let mut patient = settings(broker.port);
    patient.backoff.longest = Duration::from_secs(300);
    let boxes = [Agent::start(patient.clone()), Agent::start(patient)];
    let deadline = std::time::Instant::now() + LIMIT;
    let suspicious = || boxes.iter().position(|agent| agent.report().concerns.contains_key(&Concern::Rival));
    let one = loop {
        assert!(std::time::Instant::now() < deadline, "nobody is suspicious: {:?}", boxes[0].report());
        match suspicious() {
            Some(one) => break one,
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    boxes[1 - one].wait_connected();
    let connections = || boxes.iter().map(|agent| agent.report().connections).collect::<Vec<_>>();
    let before = connections();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(connections(), before, "it leaves the other alone for a while");
    assert!(boxes[1 - one].report().connected.is_some());
}

#[test]
fn a_broker_that_is_not_there_is_one_sentence() {
    let agent = Agent::start(settings(1));
    let report = agent.wait("refused", |report| report.last_error.is_some());
    let expected = "broker 127.0.0.1:1 cannot be reached (Connection refused (os error 111)); check url under \
                    [broker], the network and the broker";
    assert_eq!(report.last_error.as_deref(), Some(expected));
}

#[test]
fn a_name_that_does_not_exist_is_one_sentence() {
    let mut nowhere = settings(1883);
    nowhere.broker.host = "no-such-host.invalid".to_owned();
    let agent = Agent::start(nowhere);
    let sentence = agent.wait("unresolved", |report| report.last_error.is_some()).last_error.unwrap();
    assert!(sentence.starts_with("broker no-such-host.invalid:1883: the name cannot be resolved ("), "{sentence}");
}
