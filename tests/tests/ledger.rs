//! The blind-time ledger over a kill, and the scheduled test from a synthetic picture to the consumer's receipt.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{fs, path::Path, process::Command, thread, time::Duration};

use karaul_stage::{Agent, Broker, binary, free_port};
use karaul_tests::{Subscriber, TestSite, any_of};
use karaul_wire::{AlertEvent, LedgerDay, Phase, Receipt, RuleKind, Status, TestOutcome};
use rumqttc::{Client, MqttOptions, QoS};

const LIMIT: Duration = Duration::from_secs(20);

/// What `karaul ledger` says of the site.
fn ledger(config: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(binary("karaul")).arg("ledger").arg("--config").arg(config).args(more).output().unwrap();
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn latest(config: &Path) -> LedgerDay {
    let (code, text) = ledger(config, &["--json"]);
    assert_eq!(code, Some(0), "{text}");
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// Waits until the ledger says so.
fn wait(config: &Path, what: &str, there: impl Fn(&LedgerDay) -> bool) -> LedgerDay {
    for _ in 0..200 {
        if let (Some(0), _) = ledger(config, &["--json"]) {
            let day = latest(config);
            if there(&day) {
                return day;
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} did not come: {:?}", latest(config));
}

/// The alerts that a subscriber gets up to the first for which this is so.
fn alerts(subscriber: &Subscriber, last: impl Fn(&AlertEvent) -> bool) -> Vec<AlertEvent> {
    let alert = |payload: &[u8]| serde_json::from_slice::<AlertEvent>(payload).ok();
    let heard = subscriber.until(LIMIT, |heard| alert(&heard.payload).is_some_and(|alert| last(&alert)));
    heard.iter().filter_map(|heard| alert(&heard.payload)).collect()
}

#[test]
fn a_scheduled_test_waits_for_its_receipt_and_the_ledger_outlasts_a_kill() {
    let broker = Broker::start(0).unwrap();
    let nobody = format!("rtsp://127.0.0.1:{}/yard", free_port().unwrap());
    let site = TestSite::new(&broker.url())
        .camera("yard", &nobody, "yard-nano", &any_of(&["person"]))
        .also("[test]\nat = \"00:00\"\nwithin = \"5s\"\n");
    let config = site.write();
    let text = fs::read_to_string(&config).unwrap();
    let receipts = "keep_alive = \"5s\"\ndelivery = \"receipt\"\nconsumer = \"ops\"";
    fs::write(&config, text.replace("keep_alive = \"5s\"", receipts)).unwrap();
    let (code, said) = ledger(&config, &[]);
    let folder = site.file("state/ledger");
    let nothing = format!(
        "karaul: {}: there is no ledger here; it is kept by `karaul run` in the storage folder (storage.path), which \
         --config or --state names\n",
        folder.display()
    );
    assert_eq!((code, said), (Some(1), nothing));

    let subscriber = Subscriber::start(broker.port, "karaul1/+/+/+/+/alert/#");
    let mut agent = Agent::start(&config).unwrap();
    // The broker has it, and the consumer says nothing: an alert, though the camera itself is not even there.
    let heard = alerts(&subscriber, |alert| alert.data.rule.kind == RuleKind::DeliveryTest);
    let steps: Vec<_> = heard.iter().map(|a| (a.data.incident.status, a.data.incident.phase)).collect();
    let test = Status::Test;
    assert_eq!(steps, [(test, Phase::Open), (test, Phase::Close), (Status::Actual, Phase::Open)]);
    assert_eq!(heard[0].data.rule.id.as_str(), "any-person");
    let day =
        wait(&config, "the missed test", |day| day.tests.len() == 1 && day.tests[0].outcome == TestOutcome::Missed);
    assert_eq!(day.tests[0].sequence, Some(heard[0].sequence));

    // Now it confirms, and the alarm is over.
    let receipt = Receipt { up_to: Some(heard[2].sequence), ranges: Vec::new(), missing: Vec::new() };
    let (client, mut connection) = Client::new(MqttOptions::new("ops", "127.0.0.1", broker.port), 10);
    let topic = "karaul1/almaty/turksib/school-042/b7f3/receipt/ops";
    client.publish(topic, QoS::AtLeastOnce, true, serde_json::to_vec(&receipt).unwrap()).unwrap();
    thread::spawn(move || connection.iter().for_each(drop));
    let heard = alerts(&subscriber, |alert| alert.data.rule.kind == RuleKind::DeliveryTest);
    assert_eq!(heard.last().unwrap().data.incident.phase, Phase::Close);
    let before = wait(&config, "the late test", |day| day.tests[0].outcome == TestOutcome::Late);

    agent.program.kill();
    thread::sleep(Duration::from_secs(2));
    let mut agent = Agent::start(&config).unwrap();
    let after = wait(&config, "another write", |day| day.counted_ms > before.counted_ms + 2_000);
    let rule = &after.rules[0];
    assert_eq!(rule.counted_ms(), after.counted_ms);
    assert_eq!((rule.seeing_ms, after.tests.len()), (0, 1), "nobody saw anything, and the test is not begun anew");
    assert!(rule.off_ms >= 2_000 && rule.blind["refused"].total_ms > 0, "{rule:?}");
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");

    let (code, text) = ledger(&config, &["--days", "2"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("\ncamera  rule ") && text.contains("\nyard    any-person ") && text.contains("  0.0 %  "),
        "{text}"
    );
    assert!(text.contains("blind: yard any-person: refused ") && text.contains(" yard any-person: confirmed TOO LATE"));
    assert!(text.contains("\ncounted up to "), "{text}");
}

#[test]
fn bad_input_is_one_sentence() {
    let said = |arguments: &[&str]| {
        let output = Command::new(binary("karaul")).arg("ledger").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = said(&["--day", "tomorrow"]);
    assert_eq!(code, Some(64));
    let expected = "error: invalid value 'tomorrow' for '--day <DAY>': a day is wanted, as in 2026-11-22\n";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(said(&["--days", "0"]).0, Some(64));
    assert_eq!(said(&["--days", "2", "--day", "2026-11-22"]).0, Some(64));
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = said(&["--state", &folder.path().display().to_string()]);
    assert_eq!(code, Some(1));
    assert!(text.contains(": there is no ledger here; "), "{text}");
}
