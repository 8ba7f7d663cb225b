use std::fs;

use super::*;
use crate::clock::SimulatedClock;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

fn place(camera: &str, rule: &str) -> Place {
    (id(camera), id(rule))
}

fn clock(wall: &str) -> SimulatedClock {
    SimulatedClock::at(wall.parse().unwrap())
}

fn open(folder: &Path, clock: &SimulatedClock, boot: u128) -> Standing {
    Standing::open(folder, Arc::new(clock.clone()), Some(Uuid::from_u128(boot)))
}

fn disarmed(standing: &Standing, camera: &str) -> Vec<(String, String)> {
    let rules = standing.disarmed(&id(camera), standing.clock.now());
    rules.into_iter().map(|(rule, ends)| (rule.to_string(), ends.to_string())).collect()
}

fn until(rule: &str, ends: &str) -> Vec<(String, String)> {
    vec![(rule.to_owned(), ends.to_owned())]
}

#[test]
fn an_order_ends_by_itself_or_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    let standing = open(folder.path(), &clock, 1);
    let ends = standing.disarm(&[place("gate", "a"), place("gate", "b"), place("yard", "a")], 3600).unwrap();
    assert_eq!(ends.to_string(), "2026-11-22T03:00:00Z");
    assert_eq!(standing.arm(&[place("gate", "b"), place("gate", "c")]).unwrap(), 1);
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
    clock.advance(HOUR - SECOND);
    standing.tend();
    assert_eq!(disarmed(&standing, "yard"), until("a", "2026-11-22T03:00:00Z"));
    clock.advance(SECOND);
    assert_eq!(disarmed(&standing, "yard"), []);
    standing.tend();
    let State { disarmed, unsaved, .. } = standing.state().clone();
    assert_eq!((disarmed.len(), unsaved), (0, false), "forgotten, and written");
    assert_eq!(standing.arm(&[place("gate", "a")]).unwrap(), 0);
}

#[test]
fn it_outlasts_a_restart_of_the_agent_by_monotonic_time() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    clock.advance(HOUR);
    let first = open(folder.path(), &clock, 1);
    first.disarm(&[place("gate", "a")], 600).unwrap();
    first.switch(&id("yard"), Some(false), false).unwrap();
    drop(first);
    clock.advance(Duration::from_secs(599));
    let second = open(folder.path(), &clock, 1);
    assert_eq!(disarmed(&second, "gate"), until("a", "2026-11-22T03:10:00Z"));
    assert_eq!((second.switched(&id("yard")), second.switched(&id("gate"))), (Some(false), None));
    clock.advance(SECOND);
    assert_eq!(disarmed(&second, "gate"), []);
}

#[test]
fn the_mode_outlasts_a_restart_and_is_the_first_without_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    let plan =
        |modes: &[&str]| Plan::new(modes.iter().map(|mode| id(mode)).collect(), place("gate", "a"), &[id("night")]);
    let first = open(folder.path(), &clock, 1);
    assert_eq!(first.modes(), (Vec::new(), None));
    assert!(first.out_of_mode(&id("gate")).is_empty(), "a site without modes");
    *first.plan() = plan(&["day", "night"]);
    assert_eq!(first.modes().1, Some(id("day")));
    assert_eq!(first.unarmed(&id("gate"), first.clock.now()), [id("a")].into());
    assert!(first.unarmed(&id("yard"), first.clock.now()).is_empty());
    first.enter(&id("night")).unwrap();
    assert!(first.out_of_mode(&id("gate")).is_empty());
    let second = open(folder.path(), &clock, 2);
    *second.plan() = plan(&["day", "night"]);
    assert_eq!(second.modes().1, Some(id("night")));
    *second.plan() = plan(&["day"]);
    assert_eq!(second.modes().1, Some(id("day")), "it has none of this name");
}

/// Disarmed for an hour at 02:00, then a machine that was started anew at `wall`.
fn after_a_power_cut(wall: &str) -> (tempfile::TempDir, SimulatedClock, Standing) {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), &clock("2026-11-22T02:00:00Z"), 1);
    first.disarm(&[place("gate", "a")], 3600).unwrap();
    let now = clock(wall);
    let standing = open(folder.path(), &now, 2);
    (folder, now, standing)
}

#[test]
fn over_a_power_cut_the_wall_clock_counts() {
    let (_folder, clock, standing) = after_a_power_cut("2026-11-22T02:50:00Z");
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
    clock.advance(Duration::from_secs(600));
    assert_eq!(disarmed(&standing, "gate"), []);
    assert_eq!(disarmed(&after_a_power_cut("2026-11-22T03:00:00Z").2, "gate"), []);
}

#[test]
fn on_a_box_that_starts_with_a_saved_time_power_cuts_make_nothing_longer() {
    for powered in [1, 59, 61, 200, 1500] {
        let folder = tempfile::tempdir().unwrap();
        let (mut boots, mut silent) = (0, 0);
        loop {
            // Whenever the power comes, the clock shows what was saved when it was ordered.
            let clock = clock("2026-11-22T02:00:00Z");
            boots += 1;
            assert!(boots < 5000, "for ever");
            let standing = open(folder.path(), &clock, boots);
            if boots == 1 {
                standing.disarm(&[place("gate", "a")], 3600).unwrap();
            }
            if disarmed(&standing, "gate").is_empty() {
                break;
            }
            for _ in 0..powered {
                silent += u64::from(!disarmed(&standing, "gate").is_empty());
                clock.advance(SECOND);
                standing.tend();
            }
        }
        let cuts = u64::try_from(boots - 1).unwrap();
        assert!(silent <= 3600, "{silent} s instead of 3600 with cuts each {powered} s");
        assert!(silent >= 3600 - 120 * cuts.min(30), "{silent} s only, with {cuts} cuts");
    }
}

#[test]
fn what_is_left_after_a_power_cut_is_on_disk_or_armed() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), &clock("2026-11-22T02:00:00Z"), 1).disarm(&[place("gate", "a")], 3600).unwrap();
    let partial = folder.path().join("standing.partial");
    fs::create_dir(&partial).unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    assert_eq!(
        disarmed(&open(folder.path(), &clock, 1), "gate").len(),
        1,
        "within a run of the machine there is no need"
    );
    let standing = open(folder.path(), &clock, 2);
    assert_eq!(disarmed(&standing, "gate"), []);
    fs::remove_dir(&partial).unwrap();
    standing.tend();
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate"), [], "and it stays so");
}

#[test]
fn an_end_that_was_put_off_by_a_wrong_clock_is_not_cut_short_by_the_right_one() {
    let (folder, clock, standing) = after_a_power_cut("2026-11-22T02:00:00Z");
    clock.advance(HOUR / 2);
    standing.tend();
    drop((clock, standing));
    // Half an hour is left of both clocks; the saved time is behind, so the count decides and 02:28 is told.
    let clock = self::clock("2026-11-22T02:00:00Z");
    let standing = open(folder.path(), &clock, 3);
    let told = disarmed(&standing, "gate").pop().unwrap().1;
    assert!(told.as_str() <= "2026-11-22T02:30:00Z" && told.as_str() >= "2026-11-22T02:26:00Z", "{told}");
    // The right time is after that, but before the end that was ordered.
    clock.set_wall("2026-11-22T02:40:00Z".parse().unwrap());
    assert_eq!(disarmed(&standing, "gate").len(), 1);
    standing.tend();
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
}

#[test]
fn what_has_ended_at_a_start_does_not_come_back_with_the_right_clock() {
    let (folder, _, standing) = after_a_power_cut("1970-01-01T00:00:05Z");
    assert_eq!(disarmed(&standing, "gate"), []);
    assert_eq!(disarmed(&open(folder.path(), &clock("2026-11-22T02:30:00Z"), 3), "gate"), []);

    // Nor what ended while the agent was stopped, when the machine starts with a saved time.
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    open(folder.path(), &clock, 1).disarm(&[place("gate", "a")], 3600).unwrap();
    clock.advance(HOUR);
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate"), []);
    assert_eq!(disarmed(&open(folder.path(), &self::clock("2026-11-22T02:30:00Z"), 2), "gate"), []);
}

#[test]
fn what_was_refused_but_reached_the_disk_is_taken_back() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = clock("2026-11-22T02:00:00Z");
    let standing = open(folder.path(), &clock, 1);
    let partial = folder.path().join("standing.partial");
    fs::create_dir(&partial).unwrap();
    assert!(standing.disarm(&[place("gate", "a")], 3600).is_err());
    fs::remove_dir(&partial).unwrap();
    // The new file was in its place, and only then the disk failed.
    open(other.path(), &clock, 1).disarm(&[place("gate", "a")], 3600).unwrap();
    fs::copy(other.path().join("standing.orders"), folder.path().join("standing.orders")).unwrap();
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate").len(), 1);
    standing.tend();
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate"), []);
}

#[test]
fn a_clock_that_fell_back_disarms_nothing() {
    assert_eq!(disarmed(&after_a_power_cut("1970-01-01T00:00:05Z").2, "gate"), []);
    assert_eq!(disarmed(&after_a_power_cut("2026-11-22T01:59:59Z").2, "gate"), []);
}

#[test]
fn a_clock_that_is_put_right_after_a_power_cut_ends_it_in_time() {
    // The clock stood still while the power was off, and is right again a minute later.
    let (_folder, clock, standing) = after_a_power_cut("2026-11-22T02:10:00Z");
    clock.advance(Duration::from_secs(60));
    standing.tend();
    assert_eq!(disarmed(&standing, "gate").len(), 1);
    clock.set_wall("2026-11-22T02:59:00Z".parse().unwrap());
    standing.tend();
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
    // Back again: what has been taken off is not given back.
    clock.set_wall("2026-11-22T02:00:00Z".parse().unwrap());
    standing.tend();
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T02:01:00Z"));
    clock.advance(Duration::from_secs(60));
    assert_eq!(disarmed(&standing, "gate"), []);
}

#[test]
fn within_a_run_a_clock_that_is_set_changes_only_what_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("1970-01-01T00:00:00Z");
    let standing = open(folder.path(), &clock, 1);
    standing.disarm(&[place("gate", "a")], 3600).unwrap();
    clock.set_wall("2026-11-22T02:00:00Z".parse().unwrap());
    assert_eq!(disarmed(&standing, "gate").len(), 1);
    standing.tend();
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
    // And a power cut finds the right end.
    let again = open(folder.path(), &self::clock("2026-11-22T02:30:00Z"), 2);
    assert_eq!(disarmed(&again, "gate"), until("a", "2026-11-22T03:00:00Z"));
    clock.advance(HOUR);
    assert_eq!(disarmed(&standing, "gate"), []);
}

#[test]
fn a_damaged_file_disarms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    open(folder.path(), &clock, 1).disarm(&[place("gate", "a")], 3600).unwrap();
    let path = folder.path().join("standing.orders");
    let good = fs::read(&path).unwrap();
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate").len(), 1);
    let digit = good.windows(4).position(|window| window == b"3600").unwrap();
    for damaged in [&b""[..], &good[..good.len() / 2], b"garbage\nmore", &[0xff; 40]] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate"), []);
    }
    let mut longer = good;
    longer[digit] = b'9';
    fs::write(&path, longer).unwrap();
    let why = file::read(&path, clock.now(), Some(Uuid::from_u128(1))).unwrap_err().to_string();
    assert_eq!(why, "the file is damaged (its checksum is wrong)");
    // The next order mends it.
    open(folder.path(), &clock, 1).disarm(&[place("gate", "b")], 60).unwrap();
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate"), until("b", "2026-11-22T02:01:00Z"));
}

#[test]
fn what_cannot_be_written_is_not_disarmed_but_armed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    let standing = open(folder.path(), &clock, 1);
    standing.disarm(&[place("gate", "a")], 3600).unwrap();
    // A folder in the place of the file that is written first.
    let partial = folder.path().join("standing.partial");
    fs::create_dir(&partial).unwrap();
    let error = standing.disarm(&[place("gate", "b")], 3600).unwrap_err().to_string();
    assert!(error.starts_with("the standing orders cannot be written to "), "{error}");
    assert!(error.ends_with("; check space and rights of the folder storage.path"), "{error}");
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
    assert!(standing.switch(&id("gate"), Some(false), false).is_err());
    assert_eq!(standing.switched(&id("gate")), None);
    assert!(standing.arm(&[place("gate", "a")]).is_err());
    assert_eq!(disarmed(&standing, "gate"), []);
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate").len(), 1, "a restart would undo it");
    fs::remove_dir(&partial).unwrap();
    standing.tend();
    assert_eq!(disarmed(&open(folder.path(), &clock, 1), "gate"), []);
}

#[test]
fn clocks_that_drift_a_little_cost_no_writes() {
    let (folder, clock, standing) = after_a_power_cut("2026-11-22T02:10:00Z");
    fs::remove_file(folder.path().join("standing.orders")).unwrap();
    for wall in ["2026-11-22T02:10:00.000001Z", "2026-11-22T02:10:02Z", "2026-11-22T02:09:58Z"] {
        clock.set_wall(wall.parse().unwrap());
        standing.tend();
    }
    assert!(!folder.path().join("standing.orders").exists());
    assert_eq!(disarmed(&standing, "gate"), until("a", "2026-11-22T03:00:00Z"));
}

#[test]
fn a_disk_that_takes_no_count_gives_no_time_back() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock("2026-11-22T02:00:00Z");
    let standing = open(folder.path(), &clock, 1);
    standing.disarm(&[place("gate", "a")], 36_000).unwrap();
    fs::create_dir(folder.path().join("standing.partial")).unwrap();
    let silent = |standing: &Standing, clock: &SimulatedClock, seconds: u32| {
        let disarmed_for = |_: &u32| {
            clock.advance(SECOND);
            standing.tend();
            !disarmed(standing, "gate").is_empty()
        };
        (0..seconds).filter(disarmed_for).count()
    };
    assert_eq!(silent(&standing, &clock, 32_400), 119, "as much as a power cut takes off");
    drop(standing);
    fs::remove_dir(folder.path().join("standing.partial")).unwrap();
    let clock = self::clock("2026-11-22T02:00:00Z");
    let standing = open(folder.path(), &clock, 2);
    let again = silent(&standing, &clock, 36_000);
    assert!(again <= 36_000 - 119, "{again}");
}

#[test]
fn a_file_without_what_is_left_ends_with_the_power_and_keeps_the_switches() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"{"boot_id":null,"disarmed":[{"camera":"gate","rule":"a","seconds":3600,"ends_mono_ms":3600000,"ends":"2026-11-22T03:00:00Z"}],"switched":{"yard":true}}"#;
    let sum = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(json));
    fs::write(folder.path().join("standing.orders"), format!("{json}\n{sum}\n")).unwrap();
    let standing = open(folder.path(), &clock("2026-11-22T02:00:00Z"), 1);
    assert_eq!(disarmed(&standing, "gate"), []);
    assert_eq!(standing.switched(&id("yard")), Some(true));
}
