//! Each proof with small numbers; `make proof` and docs/proof.md have the large ones.

use std::process::Command;

/// Runs a proof and returns its table. Where strace is missing the power cuts are skipped, and that is said.
fn proof(arguments: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_karaul-proof")).args(arguments.split(' ')).output();
    let output = output.expect("the program can be started");
    let (table, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments}: {table}{words}");
    for line in words.lines().filter(|line| line.starts_with("skipped")) {
        eprintln!("{line}");
    }
    table.into_owned()
}

/// The number in this row of a table.
fn figure(table: &str, what: &str) -> u64 {
    let row = table.lines().find_map(|line| line.strip_prefix(&format!("| {what} | ")));
    row.and_then(|row| row.split([' ', ',']).next()?.parse().ok()).unwrap_or_else(|| panic!("no {what} in {table}"))
}

#[test]
fn a_storm_loses_nothing() {
    let table = proof("storm --alerts 400 --broker-restarts 6 --kills 6");
    assert!(figure(&table, "alerts that arrived") >= 400, "{table}");
    assert!(table.contains("| none lost | kept |"), "{table}");
}

#[test]
fn a_storm_that_kills_the_broker_loses_nothing_with_receipts() {
    let table = proof("storm --receipts --alerts 300 --broker-restarts 4 --kills 4");
    assert!(figure(&table, "alerts that arrived") >= 300, "{table}");
}

#[test]
fn a_power_cut_loses_nothing() {
    let table = proof("power-cut --seeds 1 --steps 200 --images 4");
    if !table.contains("skipped") {
        assert!(figure(&table, "sync boundaries") > 50 && figure(&table, "images opened") > 300, "{table}");
    }
}

#[test]
fn an_outage_delays_and_loses_nothing() {
    let table = proof("outage --hours 1 --backlog-rate 1000");
    assert_eq!(figure(&table, "messages waiting at the return (alerts and states)"), 1920, "{table}");
}

#[test]
fn alerts_keep_coming_at_pace() {
    let table = proof("pace --seconds 1 --alerts 30 --producers 4 --no-aims");
    assert!(table.contains("| all delivered, 4 producers | kept |"), "{table}");
}

#[test]
fn a_full_quota_holds_and_no_commit_writes_much_at_once() {
    let table = proof("quota --mib 8 --no-aims");
    assert_eq!(table.matches("the quota holds | kept |").count(), 5, "{table}");
    for line in table.lines().filter(|line| line.contains("largest log so far")) {
        let mib: f64 = line.split(" | ").nth(1).and_then(|log| log.split(' ').next()?.parse().ok()).unwrap();
        assert!(mib > 0.0 && mib <= 4.0, "{line}");
    }
}

#[test]
fn bad_links_delay_and_lose_nothing() {
    let table = proof("link --quick");
    assert_eq!(table.matches("none lost, states as they should be | kept |").count(), 4, "{table}");
    assert!(table.contains("| half-open: none lost | kept |"), "{table}");
}

#[test]
fn faults_of_cameras_are_said_and_cameras_seen_again() {
    // One of each kind; all of them take a minute.
    let table = proof(
        "cameras --quick --no-aims --only refused --only frozen --only reset --only PLAY --only wrap --only resolution --only MD5",
    );
    for what in [
        "each fault is said, harmless ones are not, each camera is seen again",
        "a camera without a fault is not disturbed",
        "the agent lives through all of it and stops in order",
    ] {
        assert!(table.contains(&format!("| {what} | kept |")), "{table}");
    }
}

#[test]
fn streams_that_are_opened_and_ended_leave_nothing_open() {
    let table = proof("rebuilds --count 80 --no-aims");
    assert!(table.contains("| who is well gives a picture, who is not ends with a reason | kept |"), "{table}");
    assert!(table.contains("| no pipeline is left hanging | kept |"), "{table}");
}

#[test]
fn lost_sight_is_noticed_and_nothing_else_taken_for_it() {
    let table = proof("sight --quick");
    assert!(table.contains("| noticed within 10 s | kept |"), "{table}");
    assert!(table.contains("| nothing else taken for it | kept |"), "{table}");
}
