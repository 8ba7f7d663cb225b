//! Several brokers, real ones.

use std::time::{Duration, Instant};

use karaul::{config::Address, uplink::Concern};
use karaul_stage::Broker;
use karaul_tests::Subscriber;
use karaul_wire::BoxState;

use crate::{
    agent::{Agent, LIMIT, event, login, settings, status, topic},
    script::ScriptedBroker,
};

/// The settings with a second broker; the way back is tried each second or so.
pub(crate) fn with_fallback(first: u16, second: u16) -> karaul::uplink::LinkSettings {
    let mut settings = settings(first);
    settings.broker.fallback = vec![Address { host: "127.0.0.1".to_owned(), port: second }];
    settings.return_after = Duration::from_secs(1);
    settings
}

pub(crate) fn address(port: u16) -> Option<String> {
    Some(format!("127.0.0.1:{port}"))
}

#[test]
fn the_fallback_takes_over_and_the_first_is_gone_back_to() {
    let (mut first, second) = (Broker::start(0).unwrap(), Broker::start(0).unwrap());
    let at_second = Subscriber::start(second.port, &topic("#"));
    let agent = Agent::start(with_fallback(first.port, second.port));
    assert_eq!(agent.wait_connected().address, address(first.port));
    agent.alert(2);
    agent.wait_empty();
    first.stop().unwrap();
    let report = agent.wait("the fallback", |report| report.address == address(second.port));
    let concern = &report.concerns[&Concern::Fallback];
    assert!(
        concern.starts_with(&format!(
            "the fallback 127.0.0.1:{} is in use, because of this: broker 127.0.0.1:{}",
            second.port, first.port
        )),
        "{concern}"
    );
    agent.alert(2);
    agent.wait_empty();
    let got =
        at_second.until(LIMIT, |message| message.topic.contains("/alert/") && event(&message.payload).sequence.0 == 4);
    let (online, session) = status(&got.iter().find(|message| message.topic == topic("status/box")).unwrap().payload);
    assert_eq!(online, BoxState::Online);

    first.restart().unwrap();
    let report = agent.wait("the way back", |report| report.address == address(first.port));
    assert!(!report.concerns.contains_key(&Concern::Fallback), "{report:?}");
    let farewell = at_second.until(LIMIT, |message| message.topic == topic("status/box"));
    assert_eq!(status(&farewell.last().unwrap().payload), (BoxState::Stopped, session), "no stale `online` stays");
    assert_eq!(at_second.next(Duration::from_millis(300)), None, "and no last will");
    let at_first = Subscriber::start(first.port, &topic("status/box"));
    let (state, newer) = status(&at_first.next(LIMIT).unwrap().payload);
    assert_eq!(state, BoxState::Online);
    assert!(newer > session);
}

#[test]
fn nothing_is_lost_or_sent_twice_on_the_way_back() {
    let (mut first, second) = (Broker::start(0).unwrap(), Broker::start(0).unwrap());
    let subscribers = [&first, &second].map(|broker| Subscriber::start(broker.port, &topic("alert/#")));
    first.stop().unwrap();
    let agent = Agent::start(with_fallback(first.port, second.port));
    agent.wait_connected();
    let mut sent = agent.alert(20);
    first.restart().unwrap();
    while agent.report().address != address(first.port) {
        sent.extend(agent.alert(1));
        std::thread::sleep(Duration::from_millis(5));
    }
    sent.extend(agent.alert(1));
    agent.wait_empty();
    let mut got: Vec<u64> = Vec::new();
    for subscriber in &subscribers {
        while let Some(message) = subscriber.next(Duration::from_millis(200)) {
            got.push(event(&message.payload).sequence.0);
        }
    }
    // What was committed since the first broker is there overtakes what waited for it.
    got.sort_unstable();
    assert_eq!(got, sent, "each once, at the fallback or at the first");
    assert_eq!(agent.report().resent, 0);
}

#[test]
fn a_first_broker_that_would_refuse_is_not_gone_back_to() {
    let second = Broker::start(0).unwrap();
    let first = ScriptedBroker::new();
    let mut settings = with_fallback(first.port(), second.port);
    settings.broker.login = login("box", "secret");
    let agent = Agent::start(settings);
    // Bad user name or password, each time.
    let refuse = || {
        let mut peer = first.accept();
        peer.send(&[0x20, 3, 0, 0x86, 0]);
        peer.client_id
    };
    let ours = refuse();
    agent.wait("the fallback", |report| report.address == address(second.port));
    for _ in 0..2 {
        let trial = refuse();
        assert_ne!(trial, ours, "a trial must take no session over");
        assert_eq!(agent.report().address, address(second.port));
    }
    assert_eq!(agent.report().connections, 1);
}

#[test]
fn a_broker_that_hangs_up_again_and_again_is_left_for_the_fallback() {
    let second = Broker::start(0).unwrap();
    let first = ScriptedBroker::new();
    let mut settings = with_fallback(first.port(), second.port);
    settings.return_after = Duration::from_secs(300);
    let agent = Agent::start(settings);
    for _ in 0..4 {
        assert!(first.sign_on_311().is_quiet(Duration::from_millis(300)));
    }
    let report = agent.wait("the fallback", |report| report.address == address(second.port));
    assert!(report.concerns.contains_key(&Concern::Rival), "and what it may be is said: {report:?}");
    agent.alert(1);
    agent.wait_empty();
}

#[test]
fn a_first_broker_that_takes_the_trial_but_not_the_box_is_gone_back_to_ever_more_seldom() {
    let second = Broker::start(0).unwrap();
    let first = ScriptedBroker::new();
    let mut settings = with_fallback(first.port(), second.port);
    settings.return_after = Duration::from_millis(500);
    let agent = Agent::start(settings);
    let mut dials = Vec::new();
    while dials.len() < 5 {
        let mut peer = first.accept();
        if peer.client_id.starts_with("ktrial-") {
            peer.send(&[0x20, 3, 0, 0, 0]);
            continue;
        }
        // Client identifier not valid.
        peer.send(&[0x20, 3, 0, 0x85, 0]);
        dials.push(Instant::now());
        agent.wait("the fallback", |report| report.address == address(second.port));
        agent.alert(1);
        agent.wait_empty();
    }
    let gaps: Vec<Duration> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[3] >= Duration::from_secs(2), "{gaps:?}: half a second was doubled three times");
    assert_eq!((agent.report().connections, agent.report().resent), (5, 0));
}
