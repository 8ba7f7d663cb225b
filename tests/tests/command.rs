//! `karaul command` and `karaul audit` against a real broker and a box that has a gate, an audit log and nothing else.

#![allow(clippy::unwrap_used, reason = "in a test a failed step is a panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
    thread,
    time::Duration,
};

use karaul::{
    clock::{Clock as _, SystemClock},
    config,
    site::{CarryOut, Commands, Outcome},
    trust::{Gate, PublicKey, audit::Audit},
};
use karaul_stage::{Broker, binary, free_port};
use karaul_wire::{BoxPath, BoxState, BoxStatus, Order, Picture, ReplyCode, Segment, Verb};
use rumqttc::{Client, Event, LastWill, MqttOptions, Packet, QoS};
use sha2::{Digest as _, Sha256};

const SESSION: u64 = 41;

fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

fn path() -> BoxPath {
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
}

/// Does everything, and has one picture.
struct Hand(config::Commands);

impl CarryOut for Hand {
    fn carry_out(&self, command: &karaul_wire::Command) -> Outcome {
        let jpeg = vec![7; 300_000];
        let picture = matches!(command.order, Order::Snapshot { .. }).then(|| Picture {
            media_type: "image/jpeg".to_owned(),
            sha256: hex::encode(Sha256::digest(&jpeg)),
            data: data_encoding::BASE64.encode(&jpeg),
        });
        Outcome {
            code: ReplyCode::Done,
            detail: format!("{} is done", command.order.verb()),
            picture: picture.map(Box::new),
            ledger: Vec::new(),
        }
    }

    fn camera_of(&self, _: &Order) -> Option<Segment> {
        None
    }

    fn settings(&self) -> config::Commands {
        self.0.clone()
    }
}

/// A box on a thread, which lives as long as the test. Its clock is not trusted.
fn start_box(port: u16, folder: &Path, key: PublicKey) {
    let role = config::Role { verbs: [Verb::Disarm, Verb::Snapshot].into(), cameras: None };
    let key = config::CommandKey { public_key: key, roles: [id("operator")].into(), not_after: None };
    let settings = config::Commands {
        longest_validity: Duration::from_secs(600),
        clock_tolerance: Duration::from_secs(30),
        time_sync_file: folder.join("never"),
        keys: BTreeMap::from([(id("desk"), key)]),
        roles: BTreeMap::from([(id("operator"), role)]),
    };
    let clock = SystemClock;
    let audit = Arc::new(Audit::open(folder, &path(), clock.now().wall));
    let gate = Gate::open(folder, &path(), &settings, false);
    let mut commands = Commands::start(&path(), gate, audit, Arc::new(clock), Hand(settings));
    let status = |state| {
        serde_json::to_vec(&BoxStatus {
            state,
            session: SESSION,
            since: clock.now().wall,
            sequence: None,
            outbox: None,
        })
        .unwrap()
    };

    let mut options = MqttOptions::new("box", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20).set_last_will(LastWill::new(
        path().box_status(),
        status(BoxState::Lost),
        QoS::AtLeastOnce,
        true,
    ));
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe(path().commands(), QoS::AtLeastOnce).unwrap();
    client.publish(path().box_status(), QoS::AtLeastOnce, true, status(BoxState::Online)).unwrap();
    let (ready, is_ready) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::PubAck(_))) => _ = ready.send(()),
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    if let Some(answer) = commands.take(&publish.topic, &publish.payload, SESSION) {
                        let payload = serde_json::to_vec(&answer.reply).unwrap();
                        client.publish(path().reply(answer.verb), QoS::AtLeastOnce, false, payload).unwrap();
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    is_ready.recv_timeout(Duration::from_secs(5)).unwrap();
}

fn karaul(arguments: &[&str]) -> Output {
    Command::new(binary("karaul")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_command_is_carried_out_and_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = free_port().unwrap();
    let broker = Broker::start(port).unwrap();
    let url = broker.url();

    let made = karaul(&["command", "keygen", &file("desk.key")]);
    assert!(made.status.success());
    let lines = String::from_utf8(made.stdout).unwrap();
    let public = lines.split("public_key = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let key = file("desk.key");
    let about = |verb: &[&str], more: &[&str]| {
        let common = ["--broker", &url, "--key", &key, "--actor", "duty officer", "--reason", "drill", "--wait", "5"];
        let common = common.map(str::to_owned);
        let path = path().to_string();
        let target = ["--box", &path].map(str::to_owned);
        let own = verb.iter().chain(more).map(|word| (*word).to_owned());
        let words: Vec<String> = std::iter::once("command".to_owned()).chain(own).chain(common).chain(target).collect();
        said(&karaul(&words.iter().map(String::as_str).collect::<Vec<_>>()))
    };

    let (code, text) = about(&["disarm", "--seconds", "600"], &["--role", "operator"]);
    assert_eq!(code, Some(1));
    let path = path();
    let status = path.box_status();
    let expected = format!(
        "karaul: the broker gave no status of a box {path} within 3 s; check the path, the broker, and whether this user \
         may read {status}\n"
    );
    assert_eq!(text, expected);

    start_box(port, folder.path(), PublicKey::parse(&public).unwrap());
    let disarm = ["disarm", "--seconds", "600"];
    assert_eq!(about(&disarm, &["--role", "operator"]), (Some(0), "done: disarm is done\n".to_owned()));
    let chief = about(&disarm, &["--role", "chief"]);
    assert_eq!(chief, (Some(1), "forbidden: the key desk has not the role chief\n".to_owned()));
    let stranger = about(&disarm, &["--role", "operator", "--kid", "nobody"]);
    let unknown = "karaul: the box has not answered within 5 s, but it has refused a command whose signature it cannot \
                   check, which names none, and most likely is this one: the config of this box has no key of the id in \
                   kid\n";
    assert_eq!(stranger, (Some(1), unknown.to_owned()));

    let picture = file("gate.jpg");
    let snapshot = ["snapshot", "--camera", "gate", "--purpose", "theft", "--output", &picture];
    // Where it cannot be kept, it is not asked for: there is no entry of this below.
    fs::write(&picture, "an earlier one").unwrap();
    let there = format!("karaul: --output: {picture} is there already; name another file\n");
    assert_eq!(about(&snapshot, &["--role", "operator"]), (Some(1), there));
    fs::remove_file(&picture).unwrap();
    let expected = format!("done: snapshot is done\nthe picture is in {picture}\n");
    assert_eq!(about(&snapshot, &["--role", "operator"]), (Some(0), expected));
    assert_eq!(fs::read(&picture).unwrap(), vec![7; 300_000]);

    let log = file("audit");
    let (code, text) = said(&karaul(&["audit", "verify", &log]));
    assert_eq!(code, Some(0), "{text}");
    let (_, text) = said(&karaul(&["audit", "show", &log, "--actor", "duty"]));
    let lines: Vec<&str> = text.lines().collect();
    // Two commands and a refusal; what was not signed by a known key has no entry of its own.
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains(
        "command disarm, by duty officer, as operator, with key desk, on all cameras, for 600 s, because drill"
    ));
    assert!(lines[1].ends_with("because drill: forbidden (the key desk has not the role chief)"), "{text}");
    assert!(lines[2].contains("on camera gate, because drill, for theft"), "{text}");

    let file = folder.path().join("audit/00000000000000000001.jsonl");
    let changed = fs::read_to_string(&file).unwrap().replace("theft", "thefT");
    fs::write(&file, changed).unwrap();
    let (code, text) = said(&karaul(&["audit", "verify", &log]));
    assert_eq!(code, Some(1));
    assert!(
        text.contains("jsonl:7: the text of entry 7 was changed: it has another hash than was written\n"),
        "{text}"
    );
}
