//! What others do to a log, while the agent runs and while it does not.

use super::*;

#[test]
fn damage_before_the_end_is_put_on_record_and_left() {
    let (dir, audit) = log(4);
    drop(audit);
    let text = fs::read_to_string(first_file(&dir)).unwrap().replace("дежурный 3", "дежурный 8");
    fs::write(first_file(&dir), &text).unwrap();
    let audit = Audit::open(dir.path(), &path(), at(50));
    assert_eq!(audit.last(), 5);
    assert!(fs::read_to_string(first_file(&dir)).unwrap().starts_with(&text));
    let mut last = None;
    entries(&folder(&dir), |entry| last = Some(entry.record)).unwrap();
    let last = last.unwrap();
    assert_eq!(last.event, Occasion::Damaged);
    drop(audit);
    assert_eq!(Audit::open(dir.path(), &path(), at(60)).last(), 5, "once");
    assert!(
        last.detail
            .unwrap()
            .ends_with("jsonl:3: the text of entry 3 was changed: it has another hash than was written")
    );
}

#[test]
fn a_write_that_failed_half_way_leaves_no_trace() {
    let (dir, audit) = log(3);
    // Half an entry is in the file, as after ENOSPC.
    let good = fs::read(first_file(&dir)).unwrap();
    fs::write(first_file(&dir), [good.as_slice(), b"{\"number\":4,"].concat()).unwrap();
    audit.lock().chain.as_mut().unwrap().fail(b"{\"number\":4,");
    assert_eq!(audit.record(at(4), record(4)).unwrap(), 4);
    assert_eq!(faults(&folder(&dir), None), []);
}

#[test]
fn a_log_that_is_removed_while_the_agent_runs_is_said() {
    let (dir, audit) = log(3);
    let before = head(&audit);
    fs::remove_dir_all(folder(&dir)).unwrap();
    assert_eq!(audit.record(at(4), record(4)).unwrap(), 5);
    let found = faults(&folder(&dir), Some(&before));
    assert_eq!(found[0], (1, "entries 1 to 3 are missing before this one, entry 4".to_owned()));
    let mut first = None;
    entries(&folder(&dir), |entry| first = first.take().or(Some(entry.record))).unwrap();
    let detail = first.unwrap().detail.unwrap();
    assert_eq!(
        detail,
        "00000000000000000001.jsonl was removed, replaced or cut while the agent ran; its last entry was 3"
    );
}

#[test]
fn a_log_that_is_cut_while_the_agent_runs_is_said() {
    let (dir, audit) = log(3);
    let before = head(&audit);
    let good = fs::read_to_string(first_file(&dir)).unwrap();
    fs::write(first_file(&dir), good.split_inclusive('\n').take(2).collect::<String>()).unwrap();
    assert_eq!(audit.record(at(4), record(4)).unwrap(), 5);
    let found = faults(&folder(&dir), Some(&before));
    assert_eq!(found[0], (1, "entry 3 is missing before this one, entry 4".to_owned()));
}

/// They stand where the next entry comes, and that one is not cut when the disk then takes nothing for a while.
#[test]
fn what_others_write_while_the_agent_runs_is_kept_aside_and_said() {
    let (dir, audit) = log(3);
    let good = fs::read(first_file(&dir)).unwrap();
    let append = |bytes: &[u8]| fs::write(first_file(&dir), [&fs::read(first_file(&dir)).unwrap(), bytes].concat());
    append(b"{\"number\":4, forged\n").unwrap();
    assert_eq!(audit.record(at(4), record(4)).unwrap(), 5);
    audit.lock().chain.as_mut().unwrap().fail(b"");
    append(b"more").unwrap();
    assert_eq!(audit.record(at(5), record(5)).unwrap(), 7);
    assert_eq!(faults(&folder(&dir), None), []);
    assert!(fs::read(first_file(&dir)).unwrap().starts_with(&good));
    let records = records(&dir);
    for (at, bytes) in [(3, &b"{\"number\":4, forged\n"[..]), (5, b"more")] {
        let detail = records[at].detail.as_ref().unwrap();
        let begins = format!(
            "what somebody else wrote while the agent ran was cut off the end: {} bytes with SHA-256",
            bytes.len()
        );
        assert!(records[at].event == Occasion::Damaged && detail.starts_with(&begins), "{detail}");
        assert_eq!(fs::read(folder(&dir).join(detail.rsplit(' ').next().unwrap())).unwrap(), bytes);
    }
    assert_eq!((&records[4], &records[6]), (&record(4), &record(5)));
    assert!(audit.trouble().unwrap().starts_with("the audit log was damaged: what somebody else wrote"));
}

#[test]
fn a_last_line_that_was_written_whole_and_is_no_entry_is_damage() {
    let (dir, audit) = log(3);
    drop(audit);
    let text = fs::read_to_string(first_file(&dir)).unwrap();
    let third = text.lines().nth(2).unwrap();
    fs::write(first_file(&dir), text.replace(third, "no entry")).unwrap();
    let audit = Audit::open(dir.path(), &path(), at(50));
    assert_eq!(audit.last(), 5, "after the two that tell of it");
    let records = records(&dir);
    let details: Vec<_> = records[2..].iter().map(|record| (record.event, record.detail.as_deref().unwrap())).collect();
    let begins = "an unreadable line that had been written whole was cut off the end: 9 bytes with SHA-256 ";
    assert!(details[0].0 == Occasion::Damaged && details[0].1.starts_with(begins), "{details:?}");
    let missing = "entry 3 is missing at the end: the log was cut, or removed, while the agent did not run";
    assert_eq!(details[1], (Occasion::Damaged, missing));
}

/// The last entries are cut off, or all are gone, before the agent starts again.
#[test]
fn an_end_that_is_missing_at_the_start_is_said_and_its_place_stays_empty() {
    for kept in [4, 1, 0] {
        let (dir, audit) = log(5);
        drop(audit);
        let text = fs::read_to_string(first_file(&dir)).unwrap();
        if kept == 0 {
            fs::remove_dir_all(folder(&dir)).unwrap();
        } else {
            fs::write(first_file(&dir), text.split_inclusive('\n').take(kept).collect::<String>()).unwrap();
            let (line, what) = (kept, "entry 5 is noted beside the log and not in it".to_owned());
            assert_eq!(faults(&folder(&dir), None), [(line, what)]);
        }
        let audit = Audit::open(dir.path(), &path(), at(50));
        assert!(audit.worked_before());
        assert_eq!(audit.last(), 6);
        let first = kept + 1;
        let them = match kept {
            4 => "entry 5 is missing".to_owned(),
            _ => format!("entries {first} to 5 are missing"),
        };
        let what = format!("{them} at the end: the log was cut, or removed, while the agent did not run");
        assert_eq!(audit.trouble(), Some(format!("the audit log was damaged: {what}")));
        let last = records(&dir).pop().unwrap();
        assert_eq!((last.event, last.detail), (Occasion::Damaged, Some(what)));
        // Whoever reads it later sees it too, and what comes after is a chain again.
        audit.record(at(51), record(9)).unwrap();
        assert_eq!(faults(&folder(&dir), None), [(1, format!("{them} before this one, entry 6"))]);
        drop(audit);
        assert_eq!(Audit::open(dir.path(), &path(), at(60)).trouble(), None);
    }
}

#[test]
fn an_end_that_was_written_anew_is_said() {
    let (dir, audit) = log(4);
    drop(audit);
    let (text, note) = (fs::read_to_string(first_file(&dir)).unwrap(), fs::read_to_string(noted(&dir)).unwrap());
    let last = text.lines().last().unwrap();
    let forged = text.replace(last, &forge(&last.replace("operator", "director")));
    // As it stands, and with another entry after it: the note may be behind after a power cut.
    let earlier = text.split_inclusive('\n').nth(2).unwrap();
    let behind = format!("{{\"number\":3,\"hash\":\"{}\"}}", &earlier[earlier.len() - 67..earlier.len() - 3]);
    for (text, note, good) in [(&text, &behind, true), (&forged, &note, false), (&forged, &behind, true)] {
        fs::write(first_file(&dir), text).unwrap();
        fs::write(noted(&dir), note).unwrap();
        let audit = Audit::open(dir.path(), &path(), at(50));
        let hash = &note[note.len() - 66..note.len() - 2];
        let what = format!(
            "the audit log was damaged: entry 4 is not the one that was written, whose hash was {hash}: it, or entries \
             before it, were written anew or removed"
        );
        assert_eq!(audit.trouble(), (!good).then_some(what));
        let told =
            if good { vec![] } else { vec![(1, "entry 4 is not the one that is noted beside the log".to_owned())] };
        fs::write(noted(&dir), note).unwrap();
        assert_eq!(faults(&folder(&dir), None), told);
    }
}

#[test]
fn a_note_that_is_gone_or_changed_is_said() {
    for text in [None, Some("nonsense")] {
        let (dir, audit) = log(3);
        drop(audit);
        match text {
            Some(text) => fs::write(noted(&dir), text).unwrap(),
            None => fs::remove_file(noted(&dir)).unwrap(),
        }
        let audit = Audit::open(dir.path(), &path(), at(50));
        let said = audit.trouble().unwrap();
        let begins =
            "the audit log was damaged: nobody can tell whether entries are missing at the end: audit-last.json: ";
        assert!(said.starts_with(begins), "{said}");
        assert_eq!(records(&dir).pop().unwrap().event, Occasion::Damaged);
        drop(audit);
        assert_eq!(Audit::open(dir.path(), &path(), at(60)).trouble(), None);
    }
}

/// Everything but the key is gone.
#[test]
fn an_empty_log_with_a_key_that_is_not_new_is_said() {
    let (dir, audit) = log(3);
    drop(audit);
    fs::remove_dir_all(folder(&dir)).unwrap();
    fs::remove_file(noted(&dir)).unwrap();
    let audit = Audit::open(dir.path(), &path(), at(50));
    assert!(audit.worked_before());
    let what = "the log is empty and the box's key is not new: the log was removed, or could never be written";
    assert_eq!(audit.trouble(), Some(format!("the audit log was damaged: {what}")));
    let records = records(&dir);
    assert_eq!((records.len(), records[0].event), (1, Occasion::Damaged));
    assert_eq!(records[0].detail.as_deref(), Some(what));
}

/// The entry is on record all the same.
#[test]
fn a_note_that_cannot_be_written_is_said_and_tried_again() {
    let (dir, audit) = log(2);
    fs::create_dir(dir.path().join("audit-last.partial")).unwrap();
    assert_eq!(audit.record(at(3), record(3)).unwrap(), 3);
    let said = audit.trouble().unwrap();
    assert!(said.contains("audit-last.json cannot be written ("), "{said}");
    fs::remove_dir(dir.path().join("audit-last.partial")).unwrap();
    assert_eq!(audit.record(at(4), record(4)).unwrap(), 4);
    assert_eq!(audit.trouble(), None);
    assert!(fs::read_to_string(noted(&dir)).unwrap().starts_with("{\"number\":4,"));
}
