//! The examples for integrators in `docs/integration`, as they are there, on what our own link sends to a
//! real mosquitto.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use karaul::uplink::Message;
use karaul_stage::{Broker, Program};
use karaul_tests::{Relay, Subscriber, repository};
use karaul_wire::{BoxGap, GapRange, Receipt, Sequence, Severity};
use rusqlite::Connection;

use crate::agent::{Agent, LIMIT, path, settings, topic};

const EXAMPLES: &str = "docs/integration";

/// Whether a program answers; said aloud where it does not.
fn is_here(program: &str, arguments: &[&str]) -> bool {
    let answered = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !answered {
        eprintln!("skipped: {program} {} does not work here; `make setup` says why", arguments.join(" "));
    }
    answered
}

/// Python with the MQTT client that `make setup` fetches.
fn python() -> Option<Command> {
    let client = repository(".karaul/python");
    if !client.join("paho").exists() {
        eprintln!("skipped: {} is not here; `make setup` fetches it", client.display());
        return None;
    }
    is_here("python3", &["--version"]).then(|| {
        let mut python = Command::new("python3");
        // No byte code beside the examples.
        python.env("PYTHONPATH", client).env("PYTHONDONTWRITEBYTECODE", "1");
        python
    })
}

/// A broker that writes down who subscribes.
fn broker() -> Broker {
    Broker::start_with(0, "log_type subscribe\nlog_dest file {folder}/log", |_| {}).unwrap()
}

/// Waits until a client has subscribed so many times.
fn wait_subscribed(broker: &Broker, client: &str, times: usize) {
    let deadline = Instant::now() + LIMIT;
    let name = format!(": {client} ");
    loop {
        let log = fs::read_to_string(broker.folder().join("log")).unwrap_or_default();
        if log.lines().filter(|line| line.contains(&name)).count() >= times {
            return;
        }
        assert!(Instant::now() < deadline, "{client} does not subscribe: {log}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a subscriber and holds what it prints of an alert against what was sent.
fn prints_an_alert(command: &mut Command, client: &str) {
    let broker = broker();
    let mut subscriber = Program::start(command.args(["127.0.0.1", &broker.port.to_string()])).unwrap();
    wait_subscribed(&broker, client, 1);
    let agent = Agent::start(settings(broker.port));
    agent.wait_connected();
    agent.alert(2);
    for sequence in ["00000000000000000001", "00000000000000000002"] {
        let line = subscriber.wait_for(LIMIT, |line| Some(line.to_owned())).unwrap();
        assert_eq!(line, format!("{sequence}  close  critical  gate  Main gate: person in yard ended after 24 s"));
    }
    subscriber.stop(LIMIT).unwrap();
}

#[test]
fn the_subscriber_in_python_prints_alerts() {
    if let Some(mut python) = python() {
        prints_an_alert(python.arg(repository(EXAMPLES).join("subscriber.py")), "centre-python");
    }
}

#[test]
fn the_subscriber_in_node_prints_alerts() {
    let modules = repository(".karaul/node/node_modules");
    if !modules.exists() {
        eprintln!("skipped: {} is not here; `make setup` fetches it where there is npm", modules.display());
        return;
    }
    if is_here("node", &["--version"]) {
        // Node looks for modules beside the script.
        let folder = tempfile::tempdir().unwrap();
        symlink(modules, folder.path().join("node_modules")).unwrap();
        let script = folder.path().join("subscriber.mjs");
        fs::copy(repository(EXAMPLES).join("subscriber.mjs"), &script).unwrap();
        prints_an_alert(Command::new("node").arg(script), "centre-node");
    }
}

#[test]
fn the_subscriber_in_shell_prints_alerts() {
    if is_here("jq", &["--version"]) {
        // `timeout` ends all programs of the pipe when it is ended.
        let mut shell = Command::new("timeout");
        prints_an_alert(shell.args(["60", "sh"]).arg(repository(EXAMPLES).join("subscriber.sh")), "centre-shell");
    }
}

#[test]
fn the_guide_shows_the_examples_as_they_are() {
    let guide = fs::read_to_string(repository("docs/integration.md")).unwrap();
    for (file, language) in
        [("subscriber.py", "python"), ("subscriber.mjs", "js"), ("subscriber.sh", "sh"), ("consumer.py", "python")]
    {
        let text = fs::read_to_string(repository(EXAMPLES).join(file)).unwrap();
        assert!(guide.contains(&format!("```{language}\n{text}```")), "docs/integration.md shows another {file}");
    }
}

/// Starts the consumer with little patience, and returns when it listens.
fn consumer(mut python: Command, broker: &Broker, folder: &Path) -> Program {
    let text = fs::read_to_string(repository(EXAMPLES).join("consumer.py")).unwrap();
    let hasty = text.replace("QUIET = 10 ", "QUIET = 2 ");
    assert_ne!(hasty, text);
    let script = folder.join("consumer.py");
    fs::write(&script, hasty).unwrap();
    python.arg(script).args(["127.0.0.1", &broker.port.to_string()]).arg(folder.join("centre.sqlite"));
    let program = Program::start(&mut python).unwrap();
    wait_subscribed(broker, "centre-ops", 3);
    program
}

/// The next receipt that satisfies.
fn receipt(receipts: &Subscriber, satisfies: impl Fn(&Receipt) -> bool) -> Receipt {
    let read = |payload: &[u8]| serde_json::from_slice::<Receipt>(payload).unwrap();
    let last = receipts.until(LIMIT, |message| satisfies(&read(&message.payload))).pop().unwrap();
    assert_eq!(last.topic, topic("receipt/ops"));
    read(&last.payload)
}

fn range(first: u64, last: u64) -> GapRange {
    GapRange { first: Sequence(first), last: Sequence(last) }
}

/// Commits a message as it is.
fn put(agent: &Agent, topic: String, payload: Vec<u8>) {
    let message = Message { topic, payload, retain: false, severity: Severity::Info, incident: None, sequence: None };
    let done: Result<(), ()> = agent.outbox.commit(|batch| {
        batch.put(message);
        Ok(())
    });
    done.unwrap();
}

#[test]
fn the_consumer_stores_alerts_and_says_what_it_has_and_what_is_missing() {
    let Some(python) = python() else { return };
    let (broker, folder) = (broker(), tempfile::tempdir().unwrap());
    let receipts = Subscriber::start(broker.port, &topic("receipt/#"));
    let mut consumer = consumer(python, &broker, folder.path());
    let agent = Agent::start(settings(broker.port));
    agent.alert(3);
    let first = receipt(&receipts, |receipt| receipt.up_to == Some(Sequence(3)));
    assert_eq!(first, Receipt { up_to: Some(Sequence(3)), ..Receipt::default() });

    // One that is never sent, and one that comes twice.
    let skipped: Result<u64, ()> = agent.outbox.commit(|batch| Ok(batch.next_sequence()));
    assert_eq!(skipped, Ok(4));
    agent.alert(1);
    let hole = receipt(&receipts, |receipt| !receipt.missing.is_empty());
    let known = Receipt { up_to: Some(Sequence(3)), ranges: vec![range(5, 5)], missing: Vec::new() };
    assert_eq!(hole, Receipt { missing: vec![range(4, 4)], ..known });
    let heard = Subscriber::start(broker.port, &topic("alert/#"));
    agent.alert(1);
    let again = heard.next(LIMIT).unwrap();
    put(&agent, again.topic, again.payload);

    // Why number 4 does not come, and a range that no memory holds number by number.
    let gap = |ranges| serde_json::to_vec(&BoxGap { time: "2026-11-22T03:00:00Z".parse().unwrap(), ranges }).unwrap();
    put(&agent, topic("gap/box"), gap(vec![range(4, 4), range(8, 1 << 40)]));
    put(&agent, topic("gap/box"), b"no gap".to_vec());
    let last = receipt(&receipts, |receipt| receipt.up_to == Some(Sequence(6)) && !receipt.missing.is_empty());
    assert_eq!(last, Receipt { up_to: Some(Sequence(6)), ranges: vec![range(8, 1 << 40)], missing: vec![range(7, 7)] });
    consumer.wait_for(LIMIT, |line| line.starts_with("not understood: ").then_some(())).unwrap();
    let centre = Connection::open(folder.path().join("centre.sqlite")).unwrap();
    let stored: i64 = centre.query_row("SELECT count(*) FROM alert", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 5);

    // Whoever was away gets the latest.
    let late = Subscriber::start(broker.port, &topic("receipt/ops"));
    assert!(late.next(LIMIT).unwrap().retained);
}

#[test]
fn the_consumer_notices_a_lost_box_and_no_late_will() {
    let Some(python) = python() else { return };
    let (broker, folder) = (broker(), tempfile::tempdir().unwrap());
    let mut consumer = consumer(python, &broker, folder.path());
    let relay = Relay::to(broker.port).unwrap();
    let agent = Agent::start(settings(relay.port()));
    let mut said = || consumer.wait_for(LIMIT, |line| line.strip_prefix("box ").map(str::to_owned)).unwrap();
    assert_eq!(said(), format!("{} online", path()));
    drop(relay);
    assert_eq!(said(), format!("{} lost", path()));

    drop(agent);
    let other = Agent::start(settings(broker.port));
    assert_eq!(said(), format!("{} online", path()));
    for (state, session) in [("stopped", 1000), ("lost", 999), ("online", 1001)] {
        let status = format!(r#"{{"state":"{state}","session":{session},"since":"2026-11-22T03:00:00Z"}}"#);
        put(&other, topic("status/box"), status.into_bytes());
    }
    assert_eq!(said(), format!("{} stopped", path()));
    assert_eq!(said(), format!("{} online", path()), "the older one in between is not believed");
}
