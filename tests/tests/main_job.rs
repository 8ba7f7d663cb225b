//! The main job: a camera in, alerts out, with real RTSP and a real broker.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{collections::BTreeSet, fs, process::Command, time::Duration};

use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber, binary};
use karaul_tests::{TestSite, delivered};
use karaul_wire::{BoxState, CameraState, Phase, Severity};

const YARD: &str = r#"
label = { en = "Yard camera" }
[camera.zone.yard]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[camera.rule]]
id = "person-in-yard"
kind = "intrusion"
zone = "yard"
classes = ["person"]
dwell = "1s"
severity = "critical"
cooldown = "0s"
"#;

fn count(heard: &[Heard], phase: Phase) -> usize {
    heard.iter().filter(|h| matches!(h, Heard::Alert(a) if a.data.incident.phase == phase)).count()
}

#[test]
fn a_person_in_the_yard_becomes_an_alert_and_a_stop_leaves_nothing_open() {
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let simulator = Simulator::start(0, &["/yard=scene:yard".to_owned()], &[]).unwrap();
    let site = TestSite::new(&broker.url()).camera("yard", &simulator.urls[0], "yard-nano", YARD);
    let config = site.write();
    let mut agent = Agent::start(&config).unwrap();

    let mut heard = subscriber.collect(Duration::from_secs(30), |heard| count(heard, Phase::Open) >= 1);
    let Some(Heard::Alert(alert)) = heard.iter().find(|h| matches!(h, Heard::Alert(_))) else {
        panic!("no alert within 30 s: {heard:?}");
    };
    let incident = &alert.data.incident;
    assert_eq!((incident.phase, incident.rev, incident.severity), (Phase::Open, 1, Severity::Critical));
    assert_eq!(alert.data.location.camera.as_str(), "yard");
    assert_eq!(alert.data.objects[0].class, "person");
    assert!(alert.data.why.dwell_s.unwrap() >= 1.0);
    assert_eq!(alert.data.model.provider, "cpu");
    assert!(!alert.data.backfill);
    let opened_at = alert.time.to_string();

    // The picture lies on the box, as it is described.
    let evidence = &alert.data.evidence[0];
    let picture = fs::read(site.file("state/evidence").join(format!("{}.jpg", evidence.id))).unwrap();
    assert_eq!(evidence.size, picture.len() as u64);
    let picture = image::load_from_memory(&picture).unwrap();
    assert_eq!((picture.width(), picture.height()), (640, 360));

    // States before the first alert: the box is there, the camera sees.
    assert!(heard.iter().any(|h| matches!(h, Heard::Box(s) if s.state == BoxState::Online && s.session == 1)));
    assert!(heard.iter().any(|h| matches!(h, Heard::Camera(id, s) if id == "yard" && s.state == CameraState::Seeing)));

    let status = agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops within 10 s");
    assert!(status.success(), "{status}");
    let stopped = |h: &Heard| matches!(h, Heard::Box(s) if s.state == BoxState::Stopped);
    heard.extend(subscriber.collect(Duration::from_secs(5), |heard| heard.iter().any(stopped)));
    assert!(heard.iter().any(stopped), "no orderly farewell");
    let all = delivered(&heard).and_all_sent(&site.file("state"));
    assert_eq!(all.faults, Vec::<String>::new());
    assert!(all.still_open().is_empty(), "everything is closed");
    // Each retained open incident has been cleared.
    for event in all.opened() {
        let id = event.data.incident.id.to_string();
        assert!(heard.iter().any(|h| matches!(h, Heard::Open(i, Some(_)) if *i == id)));
        assert!(heard.iter().any(|h| matches!(h, Heard::Open(i, None) if *i == id)));
    }
    // And the box can say why it was an alert.
    let mut why = Command::new(binary("karaul"));
    why.args(["why", "--camera", "yard", "--at", &opened_at, "--config"]).arg(&config);
    let answer = why.output().unwrap();
    let said = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.status.success() && said.contains("pictures were looked at from"), "{answer:?}");
    assert!(said.contains("ALERT: an incident was opened"), "{said}");
}

#[test]
fn a_camera_that_has_been_removed_leaves_no_state_behind() {
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let nobody = format!("rtsp://127.0.0.1:{}/yard", karaul_stage::free_port().unwrap());
    let site = TestSite::new(&broker.url()).camera("yard", &nobody, "yard-nano", YARD);
    let config = site.write();
    let mut agent = Agent::start(&config).unwrap();
    let is = |h: &Heard, id: &str| matches!(h, Heard::Camera(camera, _) if camera == id);
    let heard = subscriber.collect(Duration::from_secs(20), |heard| heard.iter().any(|h| is(h, "yard")));
    assert!(heard.iter().any(|h| is(h, "yard")));
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");

    let renamed = fs::read_to_string(&config).unwrap().replace("id = \"yard\"", "id = \"gate\"");
    fs::write(&config, renamed).unwrap();
    let mut agent = Agent::start(&config).unwrap();
    let heard = subscriber.collect(Duration::from_secs(20), |heard| heard.iter().any(|h| is(h, "gate")));
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    let cleared =
        |h: &Heard| matches!(h, Heard::Other(topic, payload) if topic.ends_with("/camera/yard") && payload.is_empty());
    assert!(heard.iter().any(cleared), "{heard:#?}");
}

#[test]
fn what_other_systems_were_told_goes_with_the_rule_or_the_output() {
    let broker = Broker::start(0).unwrap();
    let nobody = format!("rtsp://127.0.0.1:{}/yard", karaul_stage::free_port().unwrap());
    let outputs = "[output.onvif]\nenabled = true\n[output.home_assistant]\nenabled = true\n";
    let site = TestSite::new(&broker.url()).camera("yard", &nobody, "yard-nano", YARD).also(outputs);
    let config = site.write();
    let everything = karaul_tests::Subscriber::start(broker.port, "#");
    let mut retained = BTreeSet::new();
    let mut run_until = |done: &dyn Fn(&BTreeSet<String>) -> bool| {
        let mut agent = Agent::start(&config).unwrap();
        while !done(&retained) {
            let message = everything.next(Duration::from_secs(20)).unwrap_or_else(|| panic!("only {retained:?}"));
            if message.payload.is_empty() {
                retained.remove(&message.topic);
            } else {
                retained.insert(message.topic);
            }
        }
        agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    };
    let zone = "almaty.turksib.school-042.b7f3/onvif-ej/RuleEngine/FieldDetector/ObjectsInside/&yard/";
    let entity =
        |id: &str| format!("homeassistant/binary_sensor/karaul_almaty_turksib_school-042_b7f3_yard_{id}/config");
    let has_entity = |all: &BTreeSet<String>, id: &str| all.contains(&entity(id));
    let has_zone = |all: &BTreeSet<String>| all.iter().any(|topic| topic.starts_with(zone));
    run_until(&|all| has_entity(all, "person-in-yard") && has_zone(all));

    let text = fs::read_to_string(&config).unwrap().replace("id = \"person-in-yard\"", "id = \"intruder\"");
    fs::write(&config, text.replacen("enabled = true", "enabled = false", 1)).unwrap();
    run_until(&|all| has_entity(all, "intruder") && !has_entity(all, "person-in-yard") && !has_zone(all));
}
