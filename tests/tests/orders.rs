//! The whole box commanded from outside: `karaul command` to the running agent, receipts back to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    fs,
    process::{Command, Output},
    time::Duration,
};

use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber, binary};
use karaul_tests::{TestSite, any_of};
use karaul_wire::{BoxBirth, CameraState, CameraStatus, CloseReason, GapRange, Phase, Receipt, Sequence, Status};

const LIMIT: Duration = Duration::from_secs(30);
const BOX: &str = "karaul1/almaty/turksib/school-042/b7f3";

fn karaul(arguments: &[&str]) -> Output {
    Command::new(binary("karaul")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn publish(port: u16, topic: &str, payload: &[u8], retain: bool) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("payload");
    fs::write(&file, payload).unwrap();
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-t", topic, "-f"]).arg(file);
    if retain {
        command.arg("-r");
    }
    assert!(command.status().unwrap().success());
}

fn status(heard: &[Heard]) -> Option<&CameraStatus> {
    heard.iter().rev().find_map(|h| match h {
        Heard::Camera(_, status) => Some(status),
        _ => None,
    })
}

fn other<'a>(heard: &'a [Heard], end: &str) -> Option<&'a str> {
    heard.iter().rev().find_map(|h| match h {
        Heard::Other(topic, payload) if topic.ends_with(end) => Some(payload.as_str()),
        _ => None,
    })
}

/// The config of a site with two modes.
fn with_modes(site: &TestSite) -> std::path::PathBuf {
    let config = site.write();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[broker]\n", "modes = [\"day\", \"night\"]\n[broker]\n")).unwrap();
    config
}

/// A desk with a key and a role for everything, and how it commands the box.
struct Desk {
    url: String,
    key: String,
}

impl Desk {
    fn say(&self, order: &[&str]) -> (Option<i32>, String) {
        let common = ["command"].iter().chain(order).copied();
        let more =
            ["--broker", &self.url, "--box", BOX, "--key", &self.key, "--role", "chief", "--actor", "duty officer"];
        let arguments: Vec<&str> = common.chain(more).chain(["--reason", "drill", "--wait", "20"]).collect();
        let output = karaul(&arguments);
        (output.status.code(), text(&output))
    }
}

#[test]
fn a_box_obeys_who_may_command_it_and_keeps_a_record() {
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let simulator = Simulator::start(0, &["/yard=scene:yard".to_owned()], &[]).unwrap();
    let site =
        TestSite::new(&broker.url()).camera("yard", &simulator.urls[0], "yard-nano", &any_of(&["person", "car"]));
    let key = site.file("desk.key").display().to_string();
    let made = text(&karaul(&["command", "keygen", &key]));
    let public = made.split("public_key = \"").nth(1).unwrap().split('"').next().unwrap();
    let verbs: Vec<&str> = karaul_wire::Verb::ALL.iter().map(|verb| verb.as_str()).collect();
    let keys = format!(
        "[[command.key]]\nid = \"desk\"\npublic_key = \"{public}\"\nroles = [\"chief\"]\n[command.role.chief]\nverbs = {verbs:?}\n"
    );
    let site = site.also(&keys);
    let mut agent = Agent::start(&with_modes(&site)).unwrap();
    let desk = Desk { url: broker.url(), key: key.clone() };

    // The picture of an incident, and somebody takes it.
    let opened = |h: &Heard| match h {
        Heard::Alert(event) if event.data.incident.phase == Phase::Open && !event.data.evidence.is_empty() => {
            Some((event.data.incident.id, event.data.evidence[0].id))
        }
        _ => None,
    };
    let heard = subscriber.collect(LIMIT, |h| h.iter().any(|h| opened(h).is_some()) && other(h, "meta/box").is_some());
    let (incident, evidence) = heard.iter().find_map(opened).expect("an incident with a picture");
    let birth: BoxBirth = serde_json::from_str(other(&heard, "meta/box").unwrap()).unwrap();
    assert!(birth.signing_key.is_some());
    let (code, said) = desk.say(&["acknowledge", &incident.to_string()]);
    assert_eq!(code, Some(0), "{said}");
    let picture = site.file("evidence.jpg").display().to_string();
    let wanted = ["snapshot", "--evidence", &evidence.to_string(), "--purpose", "theft", "--output", &picture];
    let (code, said) = desk.say(&wanted);
    assert_eq!(code, Some(0), "{said}");
    assert!(fs::read(&picture).unwrap().starts_with(&[0xff, 0xd8]), "a JPEG");
    let present = site.file("present.jpg").display().to_string();
    let (code, said) = desk.say(&["snapshot", "--camera", "yard", "--purpose", "theft", "--output", &present]);
    assert_eq!(code, Some(0), "{said}");

    // Disarmed: what is open ends, nothing new comes, and the state says so; armed again.
    let (code, said) = desk.say(&["disarm", "--camera", "yard", "--seconds", "600"]);
    assert_eq!(code, Some(0), "{said}");
    let quiet = subscriber.collect(LIMIT, |h| status(h).is_some_and(|status| status.disarmed.len() == 2));
    assert_eq!(status(&quiet).map(|status| status.state), Some(CameraState::Seeing), "{quiet:#?}");
    let ended: Vec<_> = quiet
        .iter()
        .filter_map(|h| match h {
            Heard::Alert(event) => event.data.incident.close_reason,
            _ => None,
        })
        .collect();
    assert!(
        ended.iter().all(|reason| matches!(reason, CloseReason::Disarmed | CloseReason::Lost | CloseReason::Cleared))
    );

    // A test incident goes the whole way nevertheless.
    let (code, said) = desk.say(&["test_incident", "yard"]);
    assert_eq!(code, Some(0), "{said}");
    let is_test = |h: &Heard, phase| matches!(h, Heard::Alert(e) if e.data.incident.status == Status::Test && e.data.incident.phase == phase);
    let tested = subscriber.collect(LIMIT, |h| h.iter().any(|h| is_test(h, Phase::Close)));
    assert!(tested.iter().any(|h| is_test(h, Phase::Open)), "{tested:#?}");
    let (code, said) = desk.say(&["arm"]);
    assert_eq!(code, Some(0), "{said}");

    // What nobody has signed, or somebody again, is refused and counted.
    publish(broker.port, &format!("{BOX}/command/disarm"), b"please", false);
    let printed = karaul(&[
        "command",
        "disarm",
        "--seconds",
        "600",
        "--print",
        "--box",
        BOX,
        "--session",
        &birth.session.to_string(),
        "--key",
        &key,
        "--role",
        "chief",
        "--actor",
        "duty officer",
        "--reason",
        "drill",
    ]);
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed));
    for _ in 0..2 {
        publish(broker.port, &format!("{BOX}/command/disarm"), text(&printed).trim().as_bytes(), false);
    }
    let replies = |h: &[Heard], code: &str| {
        let code = format!("\"code\":\"{code}\"");
        h.iter().any(|h| matches!(h, Heard::Other(t, p) if t.ends_with("reply/disarm") && p.contains(&code)))
    };
    let refused = subscriber.collect(LIMIT, |h| replies(h, "malformed") && replies(h, "replayed"));
    assert!(replies(&refused, "malformed") && replies(&refused, "replayed"), "{refused:#?}");

    // In another mode the rules that are not of it end what they have, and the box says in which mode it is.
    let in_mode = |h: &[Heard], mode: &str| {
        let birth = other(h, "meta/box").and_then(|payload| serde_json::from_str::<BoxBirth>(payload).ok());
        birth.is_some_and(|birth| birth.mode.is_some_and(|present| present.as_str() == mode))
    };
    let (code, said) = desk.say(&["mode", "night"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the site is in mode night; rules armed in it: "), "{said}");
    let told = subscriber.collect(LIMIT, |h| in_mode(h, "night"));
    assert!(in_mode(&told, "night"), "{told:#?}");
    let (code, said) = desk.say(&["mode", "evening"]);
    assert_ne!(code, Some(0));
    assert!(said.contains("the site has \"day\", \"night\""), "{said}");

    // A switched-off camera stays so over a restart.
    let (code, said) = desk.say(&["camera_enable", "yard", "--off"]);
    assert_eq!(code, Some(0), "{said}");
    agent.program.stop(Duration::from_secs(15)).unwrap().expect("it stops");
    let mut agent = Agent::start(&with_modes(&site)).unwrap();
    let off = |h: &[Heard]| status(h).is_some_and(|status| status.state == CameraState::Disabled);
    let heard = subscriber.collect(LIMIT, |h| off(h) && other(h, "audit/box").is_some() && in_mode(h, "night"));
    assert!(off(&heard) && in_mode(&heard, "night"), "{heard:#?}");
    agent.program.stop(Duration::from_secs(15)).unwrap().expect("it stops");

    // Every step is on record, and the head that the broker has fits the log.
    let heard = subscriber.collect(Duration::from_secs(2), |_| false);
    let head = site.file("head");
    fs::write(&head, other(&heard, "audit/box").expect("the last head")).unwrap();
    let log = site.file("state").join("audit").display().to_string();
    let (head, x) = (head.display().to_string(), birth.signing_key.unwrap().x);
    let verified = karaul(&["audit", "verify", &log, "--head", &head, "--key", &x]);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
    let shown = text(&karaul(&["audit", "show", &log]));
    let kept = format!("evidence {evidence}, camera yard");
    for what in ["acknowledge", &kept, "theft", "disarm", "test_incident", "camera_enable", "stop"] {
        assert!(shown.contains(what), "{what}: {shown}");
    }
}

#[test]
fn an_alert_waits_for_the_receipt_of_its_consumer() {
    let broker = Broker::start_with(0, "", |_| {}).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let simulator = Simulator::start(0, &["/yard=scene:yard".to_owned()], &[]).unwrap();
    let site =
        TestSite::new(&broker.url()).camera("yard", &simulator.urls[0], "yard-nano", &any_of(&["person", "car"]));
    let config = site.write();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[broker]\n", "[broker]\ndelivery = \"receipt\"\nconsumer = \"ops\"\n")).unwrap();
    let mut agent = Agent::start(&config).unwrap();
    let numbers = |heard: &[Heard]| -> Vec<u64> {
        let alerts = heard.iter().filter_map(|h| match h {
            Heard::Alert(event) => Some(event.sequence.0),
            _ => None,
        });
        alerts.collect()
    };
    // The third is the end of the scene's first incident, or the next one: that takes half a minute.
    let heard = subscriber.collect(2 * LIMIT, |h| numbers(h).len() >= 3);
    assert!(numbers(&heard).len() >= 3);
    // It says that it has those, and lacks the first. What has just gone out may be on its way, so that is not
    // sent again at once.
    let missing = vec![GapRange { first: Sequence(1), last: Sequence(1) }];
    let up_to = numbers(&heard).into_iter().max().map(Sequence);
    let receipt = serde_json::to_vec(&Receipt { up_to, missing, ranges: Vec::new() }).unwrap();
    let repeated = (0..30).find_map(|_| {
        publish(broker.port, &format!("{BOX}/receipt/ops"), &receipt, true);
        let again = subscriber.collect(Duration::from_secs(1), |h| numbers(h).contains(&1));
        again.into_iter().find_map(|h| match h {
            Heard::Alert(event) if event.sequence.0 == 1 => Some(event),
            _ => None,
        })
    });
    let first = heard.iter().find_map(|h| match h {
        Heard::Alert(event) if event.sequence.0 == 1 => Some(event),
        _ => None,
    });
    let (first, repeated) = (first.unwrap(), repeated.expect("it is sent again"));
    assert_eq!((repeated.id, repeated.data.backfill), (first.id, true), "the same message, marked as late");

    agent.program.stop(Duration::from_secs(15)).unwrap().expect("it stops");
    let outbox = rusqlite::Connection::open(site.file("state").join("outbox.sqlite")).unwrap();
    let unconfirmed = "SELECT count(*) FILTER (WHERE sequence <= ?), count(*) FROM kept WHERE NOT confirmed";
    let count = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?));
    let (before, all) = outbox.query_row(unconfirmed, [up_to.unwrap().0.cast_signed()], count).unwrap();
    assert_eq!(before, 0, "what it has is confirmed");
    assert!(all > 0, "what came since is not");
}
