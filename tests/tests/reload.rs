//! A config that is read anew while the agent runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{fs, time::Duration};

use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber};
use karaul_tests::{TestSite, any_of, delivered};
use karaul_wire::{BoxBirth, BoxState, CameraState, CloseReason};

const LIMIT: Duration = Duration::from_secs(30);

fn camera(heard: &[Heard], id: &str, state: CameraState) -> bool {
    heard.iter().any(|h| matches!(h, Heard::Camera(camera, s) if camera == id && s.state == state))
}

/// The cameras of the newest birth.
fn born(heard: &[Heard]) -> Vec<String> {
    let mut births = heard.iter().filter_map(|h| match h {
        Heard::Other(topic, payload) if topic.ends_with("/meta/box") => serde_json::from_str::<BoxBirth>(payload).ok(),
        _ => None,
    });
    births.next_back().map_or_else(Vec::new, |birth| birth.cameras.iter().map(|c| c.id.to_string()).collect())
}

#[test]
fn sighup_takes_cameras_in_and_out_and_leaves_the_others_and_the_link_alone() {
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let mounts = ["/yard=scene:yard", "/gate=scene:yard"].map(str::to_owned);
    let simulator = Simulator::start(0, &mounts, &[]).unwrap();
    let busy = any_of(&["person", "car"]);
    let site = TestSite::new(&broker.url()).camera("yard", &simulator.urls[0], "yard-nano", &busy);
    let config = site.write();
    let yard = fs::read_to_string(&config).unwrap();
    let mut agent = Agent::start(&config).unwrap();
    let opened = |h: &Heard| matches!(h, Heard::Alert(_));
    let mut heard = subscriber.collect(LIMIT, |h| h.iter().any(opened) && born(h) == ["yard"]);
    assert_eq!(born(&heard), ["yard"], "{heard:#?}");

    // One more camera.
    let gate = yard.replace("id = \"yard\"", "id = \"gate\"").replace("/yard\"", "/gate\"");
    let block = &gate[gate.find("[[camera]]").unwrap()..];
    fs::write(&config, format!("{yard}\n{block}")).unwrap();
    agent.program.signal("HUP").unwrap();
    let both = subscriber.collect(LIMIT, |h| camera(h, "gate", CameraState::Seeing) && born(h) == ["yard", "gate"]);
    assert_eq!(born(&both), ["yard", "gate"], "{both:#?}");
    assert!(camera(&both, "gate", CameraState::Seeing), "{both:#?}");
    heard.extend(both);

    // A broken config: the log says so, and all goes on.
    fs::write(&config, yard.replace("yard-nano", "yard-nona")).unwrap();
    agent.program.signal("HUP").unwrap();
    let refused = |line: &str| line.contains("the new config is not used, the present one stays").then_some(());
    agent.program.wait_for(LIMIT, refused).unwrap();

    // The first camera goes, and nothing of it stays.
    fs::write(&config, gate).unwrap();
    agent.program.signal("HUP").unwrap();
    let cleared = |h: &[Heard]| {
        h.iter().any(|h| matches!(h, Heard::Other(t, p) if t.ends_with("/status/camera/yard") && p.is_empty()))
    };
    let gone = subscriber.collect(LIMIT, |h| cleared(h) && born(h) == ["gate"]);
    assert!(cleared(&gone), "{gone:#?}");
    heard.extend(gone);

    agent.program.stop(Duration::from_secs(15)).unwrap().expect("it stops");
    let stopped = |h: &Heard| matches!(h, Heard::Box(s) if s.state == BoxState::Stopped);
    heard.extend(subscriber.collect(LIMIT, |h| h.iter().any(stopped)));
    // One connection all the time, and the camera that stayed was never anything but seeing.
    assert!(heard.iter().all(|h| !matches!(h, Heard::Box(s) if s.session != 1)));
    assert!(!camera(&heard, "yard", CameraState::Blind) && !camera(&heard, "gate", CameraState::Blind));
    let all = delivered(&heard).and_all_sent(&site.file("state"));
    assert_eq!(all.faults, Vec::<String>::new());
    assert!(all.still_open().is_empty());
    let reasons = all.alerts.values().filter(|a| a.data.location.camera.as_str() == "yard");
    assert!(reasons.clone().count() > 0, "no incident at all");
    // It ended because its camera was removed, not because the box was stopped.
    assert!(reasons.filter_map(|a| a.data.incident.close_reason).all(|reason| reason != CloseReason::Stopped));
}
