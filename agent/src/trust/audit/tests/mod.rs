mod others;

use std::fs;

use jiff::SignedDuration;
use karaul_wire::{ReplyCode, Segment, Verb};
use tempfile::TempDir;

use super::*;
use crate::trust::{PublicKey, jws::Token};

fn path() -> BoxPath {
    let id = |text: &str| text.parse::<Segment>().unwrap();
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
}

fn at(seconds: i64) -> Timestamp {
    "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn record(n: i64) -> Record {
    Record {
        actor: Some(format!("дежурный {n}")),
        role: Some("operator".parse().unwrap()),
        verb: Some(Verb::Disarm),
        result: Some(ReplyCode::Done),
        ..Record::new(Occasion::Command)
    }
}

/// A log with `entries` entries, the first of which is the key's.
fn log(entries: i64) -> (TempDir, Audit) {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(dir.path(), &path(), at(0));
    for n in 2..=entries {
        assert_eq!(audit.record(at(n), record(n)).unwrap(), n.unsigned_abs());
    }
    (dir, audit)
}

fn folder(dir: &TempDir) -> PathBuf {
    dir.path().join("audit")
}

fn first_file(dir: &TempDir) -> PathBuf {
    folder(dir).join("00000000000000000001.jsonl")
}

fn noted(dir: &TempDir) -> PathBuf {
    dir.path().join("audit-last.json")
}

fn records(dir: &TempDir) -> Vec<Record> {
    let mut records = Vec::new();
    entries(&folder(dir), |entry| records.push(entry.record)).unwrap();
    records
}

fn faults(path: &Path, head: Option<&AuditHead>) -> Vec<(usize, String)> {
    check(path, head).unwrap().faults.into_iter().map(|fault| (fault.line, fault.what)).collect()
}

fn head(audit: &Audit) -> AuditHead {
    let jws = audit.head(at(100)).unwrap();
    let key = PublicKey::parse(&audit.signing_key(at(100)).unwrap().x).unwrap();
    let claims = Token::parse(jws.as_bytes(), AuditHead::TYPE, 1000).unwrap().verify(&key).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[test]
fn a_log_goes_on_after_a_restart_and_its_head_is_signed() {
    let (dir, audit) = log(3);
    assert!(!audit.worked_before());
    let before = head(&audit);
    assert_eq!((before.iss.as_str(), before.number, before.time), ("karaul1/almaty/turksib/school-042/b7f3", 3, at(3)));
    drop(audit);
    let audit = Audit::open(dir.path(), &path(), at(9));
    assert!(audit.worked_before());
    assert_eq!(audit.last(), 3);
    assert_eq!(head(&audit), before);
    assert_eq!(audit.record(at(10), record(4)).unwrap(), 4);
    let checked = check(&folder(&dir), Some(&before)).unwrap();
    assert_eq!((checked.entries, checked.first, checked.faults), (4, Some(1), vec![]));
    assert_eq!(checked.last.unwrap().record, record(4));
    let mut seen = Vec::new();
    entries(&folder(&dir), |entry| seen.push((entry.number, entry.record.event))).unwrap();
    assert_eq!(seen[..2], [(1, Occasion::BoxKey), (2, Occasion::Command)]);
}

/// Every byte of a log, changed: it is found, and in the line where it is.
#[test]
fn any_changed_byte_is_found_in_its_line() {
    let (dir, audit) = log(4);
    let head = head(&audit);
    let good = fs::read(first_file(&dir)).unwrap();
    let line_of = |at: usize| good[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    for at in 0..good.len() {
        for flip in [1, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            fs::write(first_file(&dir), &bytes).unwrap();
            let found = faults(&folder(&dir), Some(&head));
            assert_eq!(found.first().map(|fault| fault.0), Some(line_of(at)), "byte {at} ^ {flip}: {found:?}");
        }
    }
}

#[test]
fn each_kind_of_change_has_its_sentence() {
    let (dir, audit) = log(6);
    let head = head(&audit);
    // What the note beside it tells has its own tests.
    fs::remove_file(noted(&dir)).unwrap();
    let text = fs::read_to_string(first_file(&dir)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |lines: &[&str]| {
        fs::write(first_file(&dir), lines.iter().flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
        faults(&folder(&dir), Some(&head))
    };
    let [a, b, c, d, e, f] = lines.as_slice() else { panic!("six lines") };
    let found = |line: usize, what: &str| (line, what.to_owned());
    assert_eq!(with(&lines), []);
    assert_eq!(with(&[a, c, d, e, f]), [found(2, "entry 2 is missing before this one, entry 3")]);
    assert_eq!(with(&[a, e, f]), [found(2, "entries 2 to 4 are missing before this one, entry 5")]);
    assert_eq!(
        with(&[c, d, e, f]),
        [
            found(1, "the file is named by entry 1 and begins with entry 3"),
            found(1, "entries 1 to 2 are missing before this one, entry 3")
        ]
    );
    assert_eq!(with(&[a, b, c, d]), [found(4, "entries 5 to 6 are missing at the end: the head covers them")]);
    assert_eq!(
        with(&[a, b, d, c, e, f]),
        [
            found(3, "entry 3 is missing before this one, entry 4"),
            found(4, "entry 3 stands after entry 4: entries were moved, repeated or put in"),
        ]
    );
    assert_eq!(with(&[a, b, b, c, d, e, f]), [found(3, "entry 2 stands here a second time")]);
    let changed = c.replace("operator", "director");
    let told = "the text of entry 3 was changed: it has another hash than was written";
    assert_eq!(with(&[a, b, &changed, d, e, f]), [found(3, told)]);
    let last = f.replace("operator", "director");
    assert_eq!(with(&[a, b, c, d, e, &last]), [found(6, "entry 6 was changed: its text and its hash do not fit")]);
    let hash = &c[c.len() - 66..c.len() - 2];
    let other = c.replace(hash, &"0".repeat(64));
    assert_eq!(with(&[a, b, &other, d, e, f]), [found(3, "hash of entry 3 was changed")]);
    assert_eq!(with(&[a, b, "", c, d, e, f]), [found(3, "this is no entry: the line was changed")]);
    // An entry written anew with a hash that fits: the next one tells.
    let forged = forge(&changed);
    let told = "entry 4 does not follow entry 3 above it: previous was changed, or one of the two is not the one that \
                was written";
    assert_eq!(with(&[a, b, &forged, d, e, f]), [found(4, told)]);
    // All written anew from there on: only the head tells.
    let mut anew = vec![(*a).to_owned(), (*b).to_owned(), forged];
    for line in [d, e, f] {
        let before = anew.last().unwrap();
        let hash = before[before.len() - 66..before.len() - 2].to_owned();
        let previous = line.find("\"previous\":\"").unwrap() + 12;
        anew.push(forge(&format!("{}{hash}{}", &line[..previous], &line[previous + 64..])));
    }
    let anew: Vec<&str> = anew.iter().map(String::as_str).collect();
    let told = "entry 6 is not the one that the head was signed for: it, or entries before it, were written anew";
    assert_eq!(with(&anew), [found(6, told)]);
    assert_eq!(faults(&folder(&dir), None), []);
}

/// Also those with a number after which none comes.
#[test]
fn any_bytes_can_be_checked() {
    let (dir, audit) = log(2);
    let bytes = fs::read(first_file(&dir)).unwrap();
    assert_eq!(check_bytes(&bytes, Some(&head(&audit))).faults, []);
    let text = String::from_utf8(bytes).unwrap();
    let last = text.lines().last().unwrap().replace("\"number\":2", &format!("\"number\":{}", u64::MAX));
    let forged = forge(&last);
    let faults = check_bytes(format!("{forged}\n{forged}\n").as_bytes(), None).faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    fs::write(first_file(&dir), format!("{forged}\n")).unwrap();
    drop(audit);
    let _ = Audit::open(dir.path(), &path(), at(5)).record(at(6), record(6));
    for bytes in [&b""[..], b"\n", b"{}", &[0xff; 100]] {
        let _ = check_bytes(bytes, None);
    }
}

/// The line with a hash that fits its text.
fn forge(line: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let text = &line[..line.len() - 75];
    format!("{text},\"hash\":\"{}\"}}", hex::encode(Sha256::digest(text)))
}

/// The power goes at every byte of an entry that is being written, and the disk keeps the beginning, or zeros.
#[test]
fn a_power_cut_within_an_entry_is_repaired_and_said() {
    let (dir, audit) = log(3);
    let before = head(&audit);
    let good = fs::read(first_file(&dir)).unwrap();
    let note = fs::read(noted(&dir)).unwrap();
    audit.record(at(4), record(4)).unwrap();
    drop(audit);
    let whole = fs::read(first_file(&dir)).unwrap();
    for cut in good.len()..=whole.len() {
        for zeros in [0, whole.len() - cut] {
            let mut bytes = whole[..cut].to_vec();
            bytes.resize(cut + zeros, 0);
            let torn = bytes.len() > good.len() && bytes != whole;
            fs::write(first_file(&dir), &bytes).unwrap();
            // An entry is noted when it is on the disk, and not before.
            fs::write(noted(&dir), &note).unwrap();
            let audit = Audit::open(dir.path(), &path(), at(50));
            assert_eq!(audit.trouble(), None);
            let kept: u64 = if bytes == whole { 4 } else { 3 };
            assert_eq!(audit.last(), kept + u64::from(torn), "cut at {cut}, {zeros} zeros");
            audit.record(at(51), record(9)).unwrap();
            let checked = check(&folder(&dir), Some(&before)).unwrap();
            assert_eq!(checked.faults, [], "cut at {cut}, {zeros} zeros");
            if torn {
                let mut said = Vec::new();
                entries(&folder(&dir), |entry| said.push(entry.record)).unwrap();
                assert_eq!(said[3].event, Occasion::Repaired);
                let rest = bytes.len() - good.len();
                let detail = said[3].detail.as_ref().unwrap();
                let begins =
                    format!("an unfinished entry, as a power cut leaves it, was cut off the end: {rest} bytes");
                assert!(detail.starts_with(&begins), "{detail}");
                let name = detail.rsplit(' ').next().unwrap();
                assert_eq!(fs::read(folder(&dir).join(name)).unwrap(), bytes[good.len()..]);
            }
        }
    }
}

#[test]
fn a_file_that_was_just_begun_is_no_harm() {
    for begun in ["", "{\"numb"] {
        let (dir, audit) = log(3);
        drop(audit);
        fs::write(folder(&dir).join("00000000000000000004.jsonl"), begun).unwrap();
        let audit = Audit::open(dir.path(), &path(), at(50));
        audit.record(at(51), record(5)).unwrap();
        assert_eq!(faults(&folder(&dir), None), []);
    }
}

#[test]
fn files_follow_each_other_and_each_can_be_checked_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(&folder(&dir), at(0)).unwrap().rotate_at(1);
    for n in 1..=3 {
        chain.append(at(n), record(n)).unwrap();
    }
    assert_eq!(fs::read_dir(folder(&dir)).unwrap().count(), 3);
    assert_eq!(faults(&folder(&dir), None), []);
    let last = folder(&dir).join("00000000000000000003.jsonl");
    let checked = check(&last, None).unwrap();
    assert_eq!((checked.first, checked.faults), (Some(3), vec![]));
    fs::remove_file(folder(&dir).join("00000000000000000002.jsonl")).unwrap();
    assert_eq!(faults(&folder(&dir), None), [(1, "entry 2 is missing before this one, entry 3".to_owned())]);
    fs::remove_file(first_file(&dir)).unwrap();
    assert_eq!(faults(&folder(&dir), None), [(1, "entries 1 to 2 are missing before this one, entry 3".to_owned())]);
}

#[test]
fn a_disk_that_takes_nothing_is_said_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let storage = dir.path().join("storage");
    fs::write(&storage, "in the way").unwrap();
    let audit = Audit::open(&storage, &path(), at(0));
    let error = audit.record(at(1), record(1)).unwrap_err().to_string();
    assert!(
        error.ends_with("; check the disk and who may write there; until it works no command is carried out"),
        "{error}"
    );
    assert_eq!(audit.trouble(), Some(error));
    assert!(audit.head(at(1)).is_err());
    fs::remove_file(&storage).unwrap();
    assert_eq!(audit.record(at(2), record(2)).unwrap(), 2, "after the key's entry");
    assert_eq!(audit.trouble(), None);
    assert_eq!(head(&audit).number, 2);
}

#[test]
fn a_lost_key_is_said_and_replaced() {
    let (dir, audit) = log(2);
    let before = audit.signing_key(at(3)).unwrap();
    drop(audit);
    fs::remove_file(dir.path().join("box.key")).unwrap();
    let audit = Audit::open(dir.path(), &path(), at(4));
    assert_ne!(audit.signing_key(at(5)).unwrap(), before);
    let mut last = None;
    entries(&folder(&dir), |entry| last = Some(entry.record)).unwrap();
    let last = last.unwrap();
    assert_eq!(last.event, Occasion::BoxKey);
    let detail = "the box's key was lost and a new one made: heads signed from now on have another key";
    assert_eq!(last.detail.as_deref(), Some(detail));
}

#[test]
fn a_key_that_was_made_before_the_log_could_be_is_no_lost_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(folder(&dir), "in the way").unwrap();
    let audit = Audit::open(dir.path(), &path(), at(0));
    assert!(audit.signing_key(at(0)).is_ok());
    fs::remove_file(folder(&dir)).unwrap();
    audit.record(at(1), record(2)).unwrap();
    assert_eq!(records(&dir)[0].detail.as_deref(), Some("the box's key was made"));
}

/// Somebody who trusts none of this checks a log with the script, which knows only what the documents say.
#[test]
fn the_script_finds_the_same() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/audit_verify.py");
    let (dir, audit) = log(4);
    let run = || match std::process::Command::new("python3").arg(&script).arg(folder(&dir)).output() {
        Ok(output) => Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())),
        Err(why) => {
            println!("skipped: python3 cannot be run: {why}");
            None
        }
    };
    let Some((good, said)) = run() else { return };
    let hash = head(&audit).hash;
    assert_eq!((good, said), (true, format!("4 entries, the last is 4 with hash {hash}\n")));
    let text = fs::read_to_string(first_file(&dir)).unwrap();
    fs::write(first_file(&dir), text.replace("дежурный 3", "дежурный 8")).unwrap();
    let Some((good, said)) = run() else { return };
    let expected = "00000000000000000001.jsonl:3: the hash does not fit the text\n";
    assert_eq!((good, said.as_str()), (false, expected));
}
