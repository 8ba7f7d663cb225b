use std::{collections::BTreeSet, fs, path::Path};

use karaul_wire::{LedgerTest, TestOutcome};
use uuid::Uuid;

use super::{
    super::{
        FOLDER, Ledger, Sight, Wanted,
        files::{Files, dates, lost},
        read,
    },
    *,
};
use crate::{
    clock::{Clock as _, SimulatedClock},
    config::{Config, sample},
};

const BOOT: Option<Uuid> = Some(Uuid::from_u128(1));
const H: u64 = 3_600_000;

/// The config of a site with the rule `any` of the camera `gate`.
fn config(folder: &Path) -> Config {
    let camera = r#"[[camera]]
id = "gate"
url = "rtsp://192.0.2.11/gate"
model = "yard-nano"
purpose = "test"
[camera.zone.all]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[camera.rule]]
id = "any"
kind = "intrusion"
zone = "all"
classes = ["person"]
"#;
    sample::load(folder, &(sample::head("UTC", &["en"]) + camera))
}

struct Site {
    folder: tempfile::TempDir,
    clock: SimulatedClock,
}

impl Site {
    fn new(from: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: SimulatedClock::at(time(from)) }
    }

    /// A run of the agent, in which the camera sees.
    fn start(&self) -> Ledger {
        let ledger = Ledger::new(self.folder.path(), Arc::new(self.clock.clone()), BOOT);
        ledger.take_up(&config(self.folder.path()));
        ledger.sees(&id("gate"), Sight::Seeing, None);
        ledger
    }

    fn run(&self, ledger: &Ledger, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            ledger.tend(BTreeSet::new());
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join(FOLDER)
    }

    fn file(&self, day: &str) -> std::path::PathBuf {
        self.path().join(format!("{day}.json"))
    }

    /// `[seeing, blind, off, unknown]` of a day on disk, in milliseconds.
    fn read(&self, day: &str) -> [u64; 4] {
        let record = read(&self.path(), Wanted::Day(date(day)), self.now()).unwrap();
        let rule = &record.days[0].rules[0];
        [rule.seeing_ms, rule.blind_ms(), rule.off_ms, rule.unknown_ms]
    }
}

#[test]
fn a_killed_agent_loses_a_minute_and_gains_nothing() {
    let site = Site::new("2026-11-22T00:00:00Z");
    let ledger = site.start();
    site.run(&ledger, 3600 + 59);
    // Nothing is written at its end.
    drop(ledger);
    let [seeing, blind, off, unknown] = site.read("2026-11-22");
    assert!((H..H + 59_000).contains(&seeing), "{seeing}");
    assert_eq!((blind, off, unknown), (0, 0, 0));
    site.clock.advance(Duration::from_secs(1));
    let ledger = site.start();
    site.run(&ledger, 60);
    ledger.close();
    let [again, blind, off, unknown] = site.read("2026-11-22");
    assert_eq!((again, blind, unknown), (seeing + 60_000, 0, 0));
    assert_eq!(seeing + off, H + 60_000, "what was not written counts as off");
}

#[test]
fn a_damaged_file_costs_its_day_and_no_other() {
    let site = Site::new("2026-11-21T22:00:00Z");
    let ledger = site.start();
    site.run(&ledger, 3 * 3600);
    ledger.close();
    let file = site.file("2026-11-22");
    let text = fs::read_to_string(&file).unwrap();
    let cases = [
        text.replace("\"seeing_ms\":3600000", "\"seeing_ms\":3600001"),
        text[..text.len() / 2].to_owned(),
        String::new(),
        "\u{0}".repeat(4096),
    ];
    for damaged in cases {
        fs::write(&file, &damaged).unwrap();
        let record = read(&site.path(), Wanted::Last(2), site.now()).unwrap();
        assert_eq!(record.damaged[0].0, date("2026-11-22"));
        let ledger = site.start();
        site.run(&ledger, 60);
        ledger.close();
        let [seeing, _, off, unknown] = site.read("2026-11-22");
        assert_eq!((seeing, off), (60_000, 0));
        assert!(unknown >= H, "{unknown}");
        assert_eq!(site.read("2026-11-21"), [2 * H, 0, 0, 22 * H]);
        assert_eq!(fs::read_to_string(file.with_extension("damaged")).unwrap(), damaged);
    }
}

#[test]
fn sums_that_do_not_add_up_are_no_record() {
    let site = Site::new("2026-11-22T00:00:00Z");
    let ledger = site.start();
    site.run(&ledger, 60);
    ledger.close();
    let file = site.file("2026-11-22");
    let text = fs::read_to_string(&file).unwrap();
    let json = text.lines().next().unwrap().replace("\"seeing_ms\":60000", "\"seeing_ms\":61000");
    let sum = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&json));
    fs::write(&file, format!("{json}\n{sum}\n")).unwrap();
    let record = read(&site.path(), Wanted::Last(1), site.now()).unwrap();
    assert_eq!(record.damaged, [(date("2026-11-22"), "what it counts does not add up".to_owned())]);
}

#[test]
fn a_disk_that_takes_nothing_is_said_and_made_up_for() {
    let site = Site::new("2026-11-22T23:00:00Z");
    // A file where the folder should be.
    fs::write(site.path(), "").unwrap();
    let ledger = site.start();
    site.run(&ledger, 3700);
    let trouble = ledger.trouble().unwrap();
    let expected = format!(
        "the blind-time ledger cannot be written to {}: File exists (os error 17); check space and rights of the folder \
         storage.path",
        site.path().display()
    );
    assert_eq!(trouble, expected);
    fs::remove_file(site.path()).unwrap();
    site.run(&ledger, 61);
    assert_eq!(ledger.trouble(), None);
    assert_eq!(site.read("2026-11-22"), [H, 0, 0, 23 * H]);
    ledger.close();
    assert_eq!(site.read("2026-11-23"), [161_000, 0, 0, 0]);
}

#[test]
fn days_that_the_disk_never_took_are_counted_as_lost() {
    let site = Site::new("2026-11-01T00:00:00Z");
    fs::write(site.path(), "").unwrap();
    let mut files = Files::new(site.path());
    let mut day = date("2026-11-01");
    for _ in 0..11 {
        let blank = calendar("UTC").blank(day, std::iter::empty()).unwrap();
        files.put(blank);
        day = day.tomorrow().unwrap();
    }
    assert_eq!(files.given_up, 3);
    fs::remove_file(site.path()).unwrap();
    files.put(calendar("UTC").blank(day, std::iter::empty()).unwrap());
    assert_eq!((files.given_up, files.trouble()), (0, None), "said, and that was it");
    assert_eq!(dates(&site.path(), "json").unwrap().first(), Some(&date("2026-11-04")));
    let said = [0, 1, 3].map(lost);
    assert_eq!(
        said,
        [
            "nothing of it was lost",
            "the oldest day that it did not take is lost",
            "the oldest 3 days that it did not take are lost"
        ]
    );
}

#[test]
fn what_a_clock_that_was_ahead_has_written_is_left_out() {
    let site = Site::new("2026-11-22T10:00:00Z");
    let ledger = site.start();
    site.run(&ledger, 60);
    site.clock.set_wall(time("2036-01-01T10:00:00Z"));
    site.run(&ledger, 60);
    site.clock.set_wall(time("2026-11-23T10:02:00Z"));
    site.run(&ledger, 60);
    ledger.close();
    assert!(site.file("2036-01-01").exists());
    let last = read(&site.path(), Wanted::Last(1), site.now()).unwrap();
    assert_eq!((last.days[0].date, last.ahead), (date("2026-11-23"), vec![date("2036-01-01")]));
    assert_eq!((last.days[0].counted_ms, last.until), (10 * H + 180_000, Some(site.now())), "not to midnight");
    let day = read(&site.path(), Wanted::Day(date("2026-11-23")), site.now()).unwrap();
    assert_eq!(day.days, last.days);
    assert!(read(&site.path(), Wanted::Day(date("2036-01-01")), site.now()).unwrap().days.is_empty());
    // In the time zone of the site tomorrow may have begun already, or today not yet.
    let tomorrow = read(&site.path(), Wanted::Last(1), time("2035-12-31T23:59:59Z")).unwrap();
    assert_eq!(tomorrow.ahead, [date("2036-01-01")]);
    let begun = read(&site.path(), Wanted::Last(1), time("2036-01-01T00:00:00Z")).unwrap();
    assert_eq!((begun.days[0].date, begun.ahead), (date("2036-01-01"), Vec::new()));
    // A clock that is behind.
    let behind = read(&site.path(), Wanted::Last(1), time("1970-01-01T00:00:00Z")).unwrap();
    assert_eq!(behind.days[0].date, date("2036-01-01"));
}

#[test]
fn a_camera_that_loses_its_rules_and_gets_some_again_is_what_it_is() {
    let site = Site::new("2026-11-22T00:00:00Z");
    let ledger = Ledger::new(site.folder.path(), Arc::new(site.clock.clone()), BOOT);
    let all = config(site.folder.path());
    let mut none = all.clone();
    none.cameras[0].rules.clear();
    ledger.take_up(&all);
    ledger.sees(&id("gate"), Sight::Disabled, None);
    site.run(&ledger, 60);
    ledger.take_up(&none);
    site.run(&ledger, 60);
    ledger.take_up(&all);
    ledger.sees(&id("gate"), Sight::Disabled, None);
    site.run(&ledger, 60);
    ledger.close();
    assert_eq!(site.read("2026-11-22"), [0, 0, 0, 0], "all of it disarmed");
}

#[test]
fn blindness_counts_from_the_last_good_picture_also_over_midnight() {
    let site = Site::new("2026-11-22T23:00:00Z");
    let ledger = site.start();
    site.run(&ledger, 3600 + 30);
    let edition = ledger.edition().unwrap();
    // Frozen for 64 seconds.
    let since = site.clock.now().mono.checked_sub(Duration::from_secs(64));
    ledger.sees(&id("gate"), Sight::Blind("frozen".to_owned()), since);
    site.run(&ledger, 60);
    ledger.close();
    assert_eq!(site.read("2026-11-22"), [H - 34_000, 34_000, 0, 23 * H]);
    assert_eq!(site.read("2026-11-23"), [0, 90_000, 0, 0]);
    assert_ne!(ledger.edition().unwrap(), edition, "what is published is published anew");
    let day = read(&site.path(), Wanted::Day(date("2026-11-23")), site.now()).unwrap().days.remove(0);
    let frozen = &day.rules[0].blind["frozen"];
    assert_eq!((frozen.spells, frozen.longest_ms), (1, 90_000));
    assert_eq!(frozen.longest_since, time("2026-11-23T00:00:00Z"));
}

#[test]
fn days_are_told_with_the_present_one() {
    let site = Site::new("2026-11-20T23:59:00Z");
    let ledger = site.start();
    for _ in 0..4 {
        site.run(&ledger, 62);
        // The rest of the day in one: the agent stands still, which is off.
        site.clock.advance(Duration::from_secs(86_400 - 62));
        ledger.tend(BTreeSet::new());
    }
    let all = ledger.days(date("2000-01-01")..=date("2100-01-01"));
    let dates: Vec<String> = all.iter().map(|day| day.date.to_string()).collect();
    assert_eq!(dates, ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]);
    assert!(all[..4].iter().all(|day| day.counted_ms == day.length_ms));
    assert!(all[1..4].iter().all(|day| day.rules[0].seeing_ms == 62_000));
    assert_eq!(ledger.yesterday().unwrap(), all[3]);
    ledger.close();
    let record = read(&site.path(), Wanted::Last(3), site.now()).unwrap();
    assert_eq!(record.days, all[2..]);
    assert_eq!(record.until, Some(site.now()));
}

#[test]
fn the_oldest_days_go_and_nothing_else() {
    let site = Site::new("2026-11-22T12:00:00Z");
    fs::create_dir_all(site.path()).unwrap();
    let mut day = date("2025-01-01");
    for _ in 0..410 {
        fs::write(site.path().join(format!("{day}.json")), "").unwrap();
        fs::write(site.path().join(format!("{day}.damaged")), "").unwrap();
        day = day.tomorrow().unwrap();
    }
    fs::write(site.path().join("notes.json"), "somebody's own").unwrap();
    fs::write(site.path().join("2026-01-01.partial"), "a crash").unwrap();
    let files = Files::new(site.path());
    files.prune();
    let left = |ending: &str| dates(&site.path(), ending).unwrap();
    assert_eq!((left("json").len(), left("damaged").len()), (400, 8));
    assert_eq!(left("json").first(), Some(&date("2025-01-11")));
    assert_eq!(left("damaged").last(), day.yesterday().ok().as_ref());
    assert!(site.path().join("notes.json").exists() && left("partial").is_empty());
}

#[test]
fn a_test_that_was_begun_before_midnight_gets_its_end() {
    let site = Site::new("2026-11-22T23:59:00Z");
    let ledger = site.start();
    site.run(&ledger, 1);
    let test = |outcome| LedgerTest {
        at: time("2026-11-22T23:59:30Z"),
        camera: id("gate"),
        rule: id("any"),
        incident: None,
        sequence: None,
        outcome,
        took_ms: None,
    };
    site.run(&ledger, 29);
    ledger.enter_test(&test(TestOutcome::Waiting));
    site.run(&ledger, 60);
    assert_eq!(ledger.last_test(), Some(test(TestOutcome::Waiting)));
    ledger.enter_test(&test(TestOutcome::Confirmed));
    assert_eq!(ledger.last_test(), Some(test(TestOutcome::Confirmed)));
    let day = read(&site.path(), Wanted::Day(date("2026-11-22")), site.now()).unwrap().days.remove(0);
    assert_eq!(day.tests, [test(TestOutcome::Confirmed)]);
}

#[test]
fn where_nothing_is_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| read(path, Wanted::Last(1), time("2026-11-22T00:00:00Z")).err().unwrap().to_string();
    let path = folder.path().display();
    let expected = format!(
        "{path}: there is no ledger here; it is kept by `karaul run` in the storage folder (storage.path), which --config \
         or --state names"
    );
    assert_eq!(said(folder.path()), expected);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let expected = format!(
        "{}: Not a directory (os error 20); is this the storage folder of a box (storage.path), and may this user read it?",
        file.display()
    );
    assert_eq!(said(&file), expected);
}
