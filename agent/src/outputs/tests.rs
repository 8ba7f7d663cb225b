mod kinds;

use std::sync::Arc;

use karaul_wire::{CloseReason, Object, RuleKind};
use serde_json::{Value, json};

use super::*;
use crate::{clock::SimulatedClock, config::sample, uplink::OutboxSettings};

/// Of a camera: one zone and one line.
const RULES: &str = include_str!("rules.toml");

/// A site with one camera, and these outputs.
fn config(outputs: &str) -> Config {
    let text = sample::head("Asia/Almaty", &["ru", "en"])
        + &format!(
            r#"{outputs}
[[camera]]
id = "gate"
label = {{ ru = "Ворота", en = "Gate" }}
url = "rtsp://192.0.2.11/stream2"
model = "yard-nano"
purpose = "test"
{RULES}"#
        );
    sample::load(tempfile::tempdir().unwrap().path(), &text)
}

const ONVIF: &str = "[output.onvif]\nenabled = true\nprefix = \"MyDevice\"";
const HOME_ASSISTANT: &str = "[output.home_assistant]\nenabled = true";

struct Stage {
    outputs: Outputs,
    board: StateBoard,
    outbox: Outbox,
    now: Timestamp,
    topics: BTreeSet<String>,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new(outputs: &str) -> Self {
        let (folder, board) = (tempfile::tempdir().unwrap(), StateBoard::new());
        let now = "2026-11-22T02:14:07.2Z".parse().unwrap();
        let config = config(outputs);
        let outputs = Outputs::default();
        let topics = outputs.take_up(&config, now, &board);
        let outbox =
            Outbox::open(OutboxSettings::new(folder.path(), 1 << 20), Arc::new(SimulatedClock::at(now))).unwrap();
        Self { outputs, board, outbox, now, topics, _folder: folder }
    }

    /// One whose camera has these rules instead.
    fn with_rules(outputs: &str, rules: Vec<crate::config::Rule>) -> Self {
        let mut stage = Self::new(outputs);
        let mut config = config(outputs);
        config.cameras[0].rules = rules;
        stage.board = StateBoard::new();
        stage.topics = stage.outputs.take_up(&config, stage.now, &stage.board);
        stage
    }

    fn tell(&self, alert: &Alert) {
        self.outputs.tell(alert, self.now, &self.outbox, &self.board);
    }

    /// What is retained, in the order in which it was set.
    fn retained(&self) -> Vec<(String, Value)> {
        let all = self.board.all();
        all.into_iter().map(|(topic, payload)| (topic, serde_json::from_slice(&payload).unwrap())).collect()
    }

    fn retained_on(&self, topic: &str) -> Value {
        self.retained().into_iter().find(|(t, _)| t == topic).unwrap_or_else(|| panic!("nothing on {topic}")).1
    }
}

fn alert(incident: u128, phase: Phase) -> Alert {
    let mut alert = Alert::example();
    alert.incident.id = Uuid::from_u128(incident);
    alert.incident.phase = phase;
    alert.objects[0].track = u64::try_from(incident).unwrap();
    if phase != Phase::Close {
        (alert.incident.closed, alert.incident.close_reason) = (None, None);
    }
    alert
}

fn crossing(phase: Phase) -> Alert {
    let mut alert = alert(5, phase);
    alert.rule.id = "fence-crossing".parse().unwrap();
    alert.rule.kind = RuleKind::LineCrossing;
    alert
}

#[test]
fn nothing_is_said_by_outputs_that_are_off() {
    let stage = Stage::new("");
    stage.tell(&alert(1, Phase::Open));
    stage.tell(&crossing(Phase::Open));
    assert!(!stage.outputs.are_any());
    assert_eq!((stage.retained(), stage.topics.len(), stage.outbox.waiting()), (Vec::new(), 0, 0));
}

#[test]
fn a_zone_is_a_property_of_onvif_that_is_true_while_somebody_is_in_it() {
    let stage = Stage::new(ONVIF);
    let topic = "MyDevice/onvif-ej/RuleEngine/FieldDetector/ObjectsInside/&gate/night-intrusion";
    assert_eq!(stage.topics, BTreeSet::from([topic.to_owned()]));
    let event = |objects: &str, classes: &str, inside: bool| {
        json!({
            "UtcTime": "2026-11-22T02:14:07.2Z",
            "Source": { "VideoSource": "gate", "Rule": "night-intrusion" },
            "Data": { "ObjectId": objects, "ClassTypes": classes, "IsInside": inside },
        })
    };
    assert_eq!(stage.retained(), [(topic.to_owned(), event("", "", false))]);
    stage.tell(&alert(1, Phase::Open));
    assert_eq!(stage.retained_on(topic), event("1", "Human", true));
    let mut van = alert(2, Phase::Open);
    "truck".clone_into(&mut van.objects[0].class);
    van.objects.push(Object { track: 3, class: "traffic light".to_owned(), score: 0.5, bbox: [0.0; 4] });
    stage.tell(&van);
    assert_eq!(stage.retained_on(topic), event("1 2 3", "Human Vehicle traffic_light", true));
    stage.tell(&alert(1, Phase::Close));
    assert_eq!(stage.retained_on(topic), event("2 3", "Vehicle traffic_light", true));
    stage.tell(&alert(2, Phase::Close));
    assert_eq!(stage.retained_on(topic), event("", "", false));
    assert_eq!(stage.outbox.waiting(), 0);
}

#[test]
fn a_crossing_is_an_event_of_onvif_and_sent_once() {
    let stage = Stage::new(ONVIF);
    for phase in [Phase::Open, Phase::Update, Phase::Close] {
        stage.tell(&crossing(phase));
    }
    let waiting = stage.outbox.next(10, 10, |_, _| false);
    let [one] = waiting.as_slice() else { panic!("{waiting:?}") };
    let message = &one.message;
    assert_eq!(message.topic, "MyDevice/onvif-ej/RuleEngine/LineDetector/Crossed/&gate/fence-crossing");
    assert_eq!(
        (message.retain, message.severity, message.incident, message.sequence),
        (false, Severity::Info, None, None)
    );
    let expected = json!({
        "UtcTime": "2026-11-22T02:14:07.2Z",
        "Source": { "VideoSource": "gate", "Rule": "fence-crossing" },
        "Data": { "ObjectId": "5", "ClassTypes": "Human" },
    });
    assert_eq!(serde_json::from_slice::<Value>(&message.payload).unwrap(), expected);
}

#[test]
fn drills_and_tests_are_left_out() {
    let stage = Stage::new(&format!("{ONVIF}\n{HOME_ASSISTANT}"));
    let before = stage.retained();
    for status in [Status::Test, Status::Exercise] {
        for mut alert in [alert(1, Phase::Open), crossing(Phase::Open)] {
            alert.incident.status = status;
            stage.tell(&alert);
        }
    }
    assert_eq!((stage.retained(), stage.outbox.waiting()), (before, 0));
}

#[test]
fn what_a_crash_left_open_of_a_rule_that_has_gone_leaves_no_trace() {
    let stage = Stage::new(&format!("{ONVIF}\n{HOME_ASSISTANT}"));
    let before = stage.retained();
    let mut gone = alert(1, Phase::Close);
    gone.rule.id = "gone".parse().unwrap();
    stage.tell(&gone);
    assert_eq!(stage.retained(), before);
}

const ID: &str = "karaul_almaty_turksib_school-042_b7f3";

#[test]
fn home_assistant_discovers_the_box_its_cameras_and_their_rules() {
    let stage = Stage::new(HOME_ASSISTANT);
    let topic = |id: &str, end: &str| format!("homeassistant/binary_sensor/{ID}{id}/{end}");
    let topics: Vec<String> = stage.retained().into_iter().map(|(topic, _)| topic).collect();
    let expected = [
        topic("", "config"),
        topic("_gate", "config"),
        topic("_gate_night-intrusion", "config"),
        topic("_gate_night-intrusion", "state"),
        topic("_gate_fence-crossing", "config"),
        topic("_gate_fence-crossing", "state"),
    ];
    assert_eq!(topics, expected);
    assert_eq!(stage.topics, BTreeSet::from(expected));

    let path = "karaul1/almaty/turksib/school-042/b7f3";
    let version = env!("CARGO_PKG_VERSION");
    let rule = json!({
        "name": "night-intrusion",
        "unique_id": format!("{ID}_gate_night-intrusion"),
        "device_class": "occupancy",
        "state_topic": topic("_gate_night-intrusion", "state"),
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topic("_gate_night-intrusion", "state"),
        "availability": [
            {
                "topic": format!("{path}/status/box"),
                "value_template": "{{ 'online' if value_json.state == 'online' else 'offline' }}",
            },
            {
                "topic": format!("{path}/status/camera/gate"),
                "value_template": "{{ 'online' if value_json.state == 'seeing' else 'offline' }}",
            },
        ],
        "availability_mode": "all",
        "qos": 1,
        "device": {
            "identifiers": [format!("{ID}_gate")],
            "name": "Ворота",
            "manufacturer": "Karaul",
            "model": "yard-nano",
            "via_device": ID,
        },
        "origin": { "name": "Karaul", "sw_version": version },
    });
    assert_eq!(stage.retained_on(&topic("_gate_night-intrusion", "config")), rule);
    let camera = stage.retained_on(&topic("_gate", "config"));
    assert_eq!((&camera["device_class"], &camera["device"]), (&json!("problem"), &rule["device"]));
    assert_eq!(stage.retained_on(&topic("", "config"))["device"]["identifiers"], json!([ID]));
}

/// Keys of `binary_sensor` with MQTT that Home Assistant documents, and of what is within.
const DOCUMENTED: [&str; 19] = [
    "availability",
    "availability_mode",
    "device",
    "device_class",
    "entity_category",
    "json_attributes_topic",
    "name",
    "origin",
    "qos",
    "state_topic",
    "unique_id",
    "value_template",
    "topic",
    "identifiers",
    "manufacturer",
    "model",
    "sw_version",
    "via_device",
    "support_url",
];

#[test]
fn discovery_says_only_what_home_assistant_documents() {
    fn check(value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    assert!(DOCUMENTED.contains(&key.as_str()), "{key}");
                    check(value);
                }
            }
            Value::Array(items) => items.iter().for_each(check),
            _ => {}
        }
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    for (topic, payload) in Stage::new(HOME_ASSISTANT).retained() {
        let levels: Vec<&str> = topic.split('/').collect();
        assert!(levels.len() == 4 && levels[2].chars().all(allowed), "{topic}");
        if levels[3] == "config" {
            check(&payload);
            // Without these an entity has no place among the devices.
            assert_eq!(payload["unique_id"], levels[2]);
            assert!(payload["device"]["identifiers"][0].is_string() && payload["state_topic"].is_string());
            assert!(payload["origin"]["name"].is_string());
        }
    }
}

#[test]
fn a_rule_is_on_for_home_assistant_while_one_of_its_incidents_is_open() {
    let stage = Stage::new(HOME_ASSISTANT);
    let topic = format!("homeassistant/binary_sensor/{ID}_gate_night-intrusion/state");
    let state = || stage.retained_on(&topic);
    assert_eq!(state(), json!({ "state": "OFF" }));
    stage.tell(&alert(1, Phase::Open));
    let mut second = alert(2, Phase::Open);
    second.text.insert(karaul_wire::Language::Ru, "Ворота: человек".to_owned());
    second.incident.severity = Severity::Warning;
    stage.tell(&second);
    let expected = json!({
        "state": "ON",
        "open": 2,
        "incident": Uuid::from_u128(2),
        "since": "2026-11-22T02:14:07.2Z",
        "severity": "warning",
        "text": "Ворота: человек",
    });
    assert_eq!(state(), expected);
    stage.tell(&alert(2, Phase::Close));
    assert_eq!((&state()["state"], &state()["open"]), (&json!("ON"), &json!(1)));
    let mut last = alert(1, Phase::Close);
    last.incident.close_reason = Some(CloseReason::Restarted);
    stage.tell(&last);
    assert_eq!(state(), json!({ "state": "OFF" }));
    assert_eq!(stage.outbox.waiting(), 0, "states are not queued");
}
