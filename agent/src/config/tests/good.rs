use std::time::Duration;

use jiff::Timestamp;
use karaul_wire::{Language, Severity};

use super::*;
use crate::config::{Clips, Direction, Output, Provider, RuleKind, Transport};

#[test]
fn a_site_is_read_with_its_defaults() {
    let folder = Folder::new();
    let config = folder.good(SITE);
    assert_eq!(config.site.path.to_string(), "karaul1/almaty/turksib/school-042/b7f3");
    assert_eq!(config.site.languages, [Language::Kk, Language::Ru]);
    assert_eq!((config.broker.host.as_str(), config.broker.port, config.broker.tls), ("ops.example.org", 8883, true));
    assert_eq!(config.broker.keep_alive, Duration::from_secs(30));
    assert_eq!((config.broker.login, config.broker.ca_file, config.broker.identity), (None, None, None));
    assert!(config.broker.fallback.is_empty());
    assert_eq!(config.storage.path, Path::new("/var/lib/karaul"));
    assert_eq!((config.storage.outbox_quota, config.storage.evidence_quota), (256 << 20, 2 << 30));
    assert_eq!((config.inference.provider, config.inference.sessions), (Provider::Cpu, None));

    let [camera] = config.cameras.as_slice() else { panic!("one camera") };
    assert_eq!(camera.url.to_string(), "rtsp://192.0.2.11:554/stream2");
    assert_eq!(camera.label[&Language::En], "gate");
    let (username, password) = camera.login.as_ref().unwrap();
    assert_eq!((username.as_str(), password.reveal()), ("viewer", "swordfish"));
    assert_eq!((camera.transport, camera.enabled, camera.detections_per_second), (Transport::Tcp, true, 5.0));
    assert_eq!(camera.model.labels[0], "person");

    let [night, fence] = camera.rules.as_slice() else { panic!("two rules") };
    assert_eq!((night.severity, night.cooldown), (Severity::Warning, Duration::from_secs(10)));
    assert_eq!(night.filter.classes, [0]);
    assert!(matches!(&night.kind, RuleKind::Intrusion { dwell, .. } if *dwell == Duration::from_secs(1)));
    assert_eq!(fence.cooldown, Duration::ZERO);
    assert_eq!(fence.filter.classes, [0, 2]);
    assert!(matches!(&fence.kind, RuleKind::LineCrossing { direction: Direction::Either, .. }));
    assert_eq!(fence.schedule, None);
}

#[test]
fn a_span_over_midnight_goes_on_into_the_next_day() {
    let folder = Folder::new();
    let text =
        with("weekdays = [\"19:00-07:30\"]", "friday = [\"19:00-07:30\"]\nsunday = [\"22:00-24:00\", \"10:00-11:00\"]");
    let config = folder.good(&text);
    let schedule = config.cameras[0].rules[0].schedule.as_ref().unwrap();
    let on = |local: &str| {
        let at: Timestamp = format!("{local}+05:00").parse().unwrap(); // Almaty is UTC+5 since March 2024
        schedule.is_on(at)
    };
    assert!(on("2026-11-20T19:00:00")); // Friday
    assert!(on("2026-11-21T07:29:59")); // Saturday
    assert!(!on("2026-11-21T07:30:00"));
    assert!(!on("2026-11-21T19:00:00"));
    assert!(on("2026-11-22T10:30:00") && on("2026-11-22T23:59:59")); // Sunday
    assert!(!on("2026-11-23T00:00:00"));
}

#[test]
fn passwords_are_read_only_when_they_are_wanted() {
    let folder = Folder::new();
    let config = folder.read(SITE, Secrets::Ignored).config.unwrap();
    assert_eq!(config.cameras[0].login, None);

    let text = with("credential:gate", "credential:gone");
    let outcome = folder.read(&text, Secrets::Tried);
    assert_eq!(outcome.config.unwrap().cameras[0].login, None);
    assert_eq!(outcome.problems.count(crate::config::Level::Warning), 1);
    assert!(folder.read(&text, Secrets::Ignored).problems.list().is_empty());

    folder.write("secrets/gate.txt", "p w\r\n");
    let config = folder.good(&with("credential:gate", "file:secrets/gate.txt"));
    assert_eq!(config.cameras[0].login.as_ref().unwrap().1.reveal(), "p w");
}

#[test]
fn a_windows_editor_does_no_harm() {
    let folder = Folder::new();
    let text = format!("\u{feff}{}", SITE.replace('\n', "\r\n"));
    assert_eq!(folder.good(&text), folder.good(SITE));
}

#[test]
fn it_is_loaded_from_a_file() {
    let folder = Folder::new();
    folder.write("site.toml", SITE);
    let config = Config::load_with(&folder.path("site.toml"), Secrets::Ignored).unwrap();
    assert_eq!(config.inference.models, folder.path("models"));
}

#[test]
fn other_outputs_are_off_until_they_are_asked_for() {
    let folder = Folder::new();
    assert_eq!(folder.good(SITE).output, Output::default());
    let on = |text: &str| folder.good(&format!("{SITE}\n{text}")).output;
    let onvif = on("[output.onvif]\nenabled = true").onvif.unwrap();
    assert_eq!(onvif.prefix, "almaty.turksib.school-042.b7f3");
    let onvif = on("[output.onvif]\nenabled = true\nprefix = \"site/box\"").onvif.unwrap();
    assert_eq!(onvif.prefix, "site/box");
    let home = on("[output.home_assistant]\nenabled = true").home_assistant.unwrap();
    assert_eq!(home.discovery_prefix, "homeassistant");
    assert_eq!(on("[output.home_assistant]\ndiscovery_prefix = \"ha\""), Output::default());
}

#[test]
fn clips_are_off_until_they_are_asked_for() {
    let folder = Folder::new();
    let clips = |camera: &str, table: &str| {
        let text = with("[camera.zone.yard]", &format!("{camera}\n[camera.clips]\n{table}\n[camera.zone.yard]"));
        let camera = folder.good(&text).cameras.remove(0);
        (camera.clips, camera.evidence_url.map(|url| url.to_string()))
    };
    let seconds = Duration::from_secs;
    let usual = Clips { enabled: false, before: seconds(5), after: seconds(10), memory: 8 << 20 };
    assert_eq!((folder.good(SITE).cameras[0].clips, clips("", "").0), (usual, usual));
    let (read, url) = clips(
        "evidence_url = \"rtsp://192.0.2.11/stream1\"",
        "enabled = true\nbefore = \"0s\"\nafter = \"1m\"\nmemory = \"64 MiB\"",
    );
    assert_eq!(read, Clips { enabled: true, before: seconds(0), after: seconds(60), memory: 64 << 20 });
    assert_eq!(url.as_deref(), Some("rtsp://192.0.2.11:554/stream1"));
}

#[test]
fn keys_and_roles_are_read() {
    let folder = Folder::new();
    let commands = folder.good(SITE).commands;
    assert_eq!(
        (commands.longest_validity, commands.clock_tolerance),
        (Duration::from_secs(600), Duration::from_secs(30))
    );
    assert_eq!(commands.time_sync_file, Path::new("/run/systemd/timesync/synchronized"));
    assert!(commands.keys.is_empty() && commands.roles.is_empty());

    folder.write(
        "desk.pem",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
    );
    let text = format!(
        "{SITE}[[command.key]]\nid = \"desk\"\npublic_key = \"file:desk.pem\"\nroles = [\"all\", \"some\"]\n\
         not_after = 2027-12-31\n[command.role.all]\nverbs = [\"reload\", \"arm\"]\n[command.role.some]\n\
         verbs = [\"disarm\"]\ncameras = [\"gate\"]\n"
    );
    let commands = folder.good(&text).commands;
    let key = &commands.keys[&"desk".parse().unwrap()];
    assert_eq!(key.public_key.to_string(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(key.roles.len(), 2);
    assert_eq!(key.not_after, Some("2028-01-01T00:00:00+05:00".parse().unwrap()));
    let role = |id: &str| &commands.roles[&id.parse().unwrap()];
    assert_eq!((role("all").verbs.len(), &role("all").cameras), (2, &None));
    assert_eq!(role("some").cameras, Some(["gate".parse().unwrap()].into()));
}
