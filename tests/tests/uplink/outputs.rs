//! ONVIF events and Home Assistant's discovery, as a real mosquitto hands them on.

use std::time::Duration;

use jiff::Timestamp;
use karaul::{
    config::{Config, Secrets},
    outputs::Outputs,
    uplink::Message,
};
use karaul_stage::Broker;
use karaul_tests::{Received, Subscriber, TestSite};
use karaul_wire::{Alert, Phase, RuleKind, Severity};
use serde_json::Value;

use crate::{
    agent::{Agent, LIMIT, settings},
    script::ScriptedBroker,
};

const SHORT: Duration = Duration::from_millis(300);

const RULES: &str = include_str!("../../../agent/src/outputs/rules.toml");

const BOTH: &str = "[output.onvif]\nenabled = true\n[output.home_assistant]\nenabled = true\n";

fn config() -> Config {
    let site = TestSite::new("mqtt://127.0.0.1").camera("gate", "rtsp://192.0.2.11/stream2", "yard-nano", RULES);
    Config::load_with(&site.also(BOTH).write(), Secrets::Ignored).unwrap()
}

fn alert(kind: RuleKind, rule: &str, phase: Phase) -> Alert {
    let mut alert = Alert::example();
    alert.rule.kind = kind;
    alert.rule.id = rule.parse().unwrap();
    alert.incident.phase = phase;
    alert
}

fn json(message: &Received) -> Value {
    serde_json::from_slice(&message.payload).unwrap_or_else(|error| panic!("{}: {error}", message.topic))
}

#[test]
fn another_system_sees_the_rules_at_any_time_and_a_crossing_once() {
    let broker = Broker::start(0).unwrap();
    let early = Subscriber::start(broker.port, "homeassistant/+/+/+");
    let agent = Agent::start(settings(broker.port));
    let outputs = Outputs::default();
    let topics = outputs.take_up(&config(), Timestamp::UNIX_EPOCH, &agent.board);
    let tell = |alert: &Alert| outputs.tell(alert, alert.incident.opened, &agent.outbox, &agent.board);
    let told: Vec<Received> = (0..6).map(|_| early.next(LIMIT).unwrap()).collect();
    assert!(told[0].topic.ends_with("/karaul_almaty_turksib_school-042_b7f3/config"), "the box first: {told:?}");

    // Home Assistant comes later than the box and gets all from the broker's store.
    let home = Subscriber::start(broker.port, "homeassistant/#");
    let discovered: Vec<Received> = (0..6).map(|_| home.next(LIMIT).unwrap()).collect();
    assert!(discovered.iter().all(|message| message.retained && topics.contains(&message.topic)));
    let entities = discovered.iter().filter(|message| message.topic.ends_with("/config"));
    assert!(entities.map(json).all(|entity| entity["device"]["identifiers"].is_array()));

    let vms = Subscriber::start(broker.port, "almaty.turksib.school-042.b7f3/onvif-ej/#");
    let inside = |inside: bool| {
        move |message: &Received| {
            message.topic.ends_with("/RuleEngine/FieldDetector/ObjectsInside/&gate/night-intrusion")
                && json(message)["Data"]["IsInside"] == inside
        }
    };
    assert!(vms.until(LIMIT, inside(false)).iter().all(|message| message.retained));
    let state = |wanted: &'static str| {
        move |message: &Received| {
            message.topic.ends_with("_gate_night-intrusion/state") && json(message)["state"] == wanted
        }
    };
    for (phase, word) in [(Phase::Open, "ON"), (Phase::Close, "OFF")] {
        tell(&alert(RuleKind::Intrusion, "night-intrusion", phase));
        assert!(!home.until(LIMIT, state(word)).is_empty());
        assert!(!vms.until(LIMIT, inside(phase == Phase::Open)).is_empty());
    }

    tell(&alert(RuleKind::LineCrossing, "fence-crossing", Phase::Open));
    let crossed = vms.next(LIMIT).unwrap();
    assert!(crossed.topic.ends_with("/RuleEngine/LineDetector/Crossed/&gate/fence-crossing"), "{}", crossed.topic);
    assert_eq!((json(&crossed)["Source"]["VideoSource"].as_str(), crossed.retained), (Some("gate"), false));
    agent.wait_empty();
    let late = Subscriber::start(broker.port, "+/onvif-ej/RuleEngine/LineDetector/#");
    assert_eq!(late.next(Duration::from_millis(300)), None, "it is an event and no state");
}

#[test]
fn a_broker_that_hangs_up_on_other_outputs_gets_the_alerts_at_once_and_is_soon_left_alone() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    for n in 0..20 {
        agent.board.set(format!("homeassistant/binary_sensor/{n}/config"), b"{}".to_vec());
    }
    agent.alert(1);
    for connection in 0..3 {
        let mut peer = broker.sign_on();
        peer.poison = Some("/config");
        if connection == 0 {
            let alert = peer.publish().expect("the alert, before any of them");
            peer.acknowledge(alert.packet_id);
        }
        assert_eq!(peer.publish(), None);
    }
    let mut peer = broker.sign_on();
    peer.poison = Some("/config");
    assert!(peer.is_quiet(SHORT));
    agent.alert(1);
    let alert = peer.publish().expect("the second alert");
    peer.acknowledge(alert.packet_id);
    event_for_others(&agent);
    agent.wait_empty();
    assert!(peer.is_quiet(SHORT));
    assert_eq!(agent.report().connections, 4);
}

#[test]
fn a_broker_that_refuses_one_message_for_others_is_asked_for_no_more() {
    let broker = ScriptedBroker::new();
    let agent = Agent::start(settings(broker.port()));
    let mut peer = broker.sign_on();
    event_for_others(&agent);
    let refused = loop {
        let publish = peer.any_publish().expect("the event");
        if publish.topic.starts_with("vms/") {
            break publish;
        }
        peer.acknowledge(publish.packet_id);
    };
    // MQTT 5: not authorized.
    peer.refuse(refused.packet_id, 0x87);
    agent.wait_empty();
    agent.board.set("homeassistant/binary_sensor/gate/config".to_owned(), b"{}".to_vec());
    event_for_others(&agent);
    agent.wait_empty();
    assert!(peer.is_quiet(SHORT));
    assert!(!peer.states.iter().any(|topic| topic.starts_with("homeassistant/")), "{:?}", peer.states);
    assert_eq!((agent.report().held, agent.report().connections), (0, 1));
}

/// An event as ONVIF has it, in the outbox.
fn event_for_others(agent: &Agent) {
    let done: Result<(), ()> = agent.outbox.commit(|batch| {
        batch.put(Message {
            topic: "vms/onvif-ej/RuleEngine/LineDetector/Crossed/&gate/fence".to_owned(),
            payload: b"{}".to_vec(),
            retain: false,
            severity: Severity::Info,
            incident: None,
            sequence: None,
        });
        Ok(())
    });
    done.unwrap();
}
