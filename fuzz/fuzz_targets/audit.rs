//! Any bytes in place of an audit log: the check finds each change, and the agent can go on writing.
#![no_main]

use std::{cell::LazyCell, fs, path::PathBuf};

use karaul::trust::{
    PrivateKey,
    audit::{Audit, Checked, Occasion, Record, check},
};
use karaul_wire::{AuditHead, BoxPath};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// What was written.
const WRITTEN: &[u8] = include_bytes!("../seeds/audit/written.jsonl");

/// A box, its key, and the head for what was written.
struct Box {
    folder: TempDir,
    path: BoxPath,
    head: AuditHead,
}

thread_local! {
    static BOX: LazyCell<Box> = LazyCell::new(Box::new);
}

fuzz_target!(|bytes: &[u8]| {
    BOX.with(|unit| {
        unit.put(bytes);
        let honest = bytes.starts_with(WRITTEN);
        let (alone, covered) = (unit.check(None), unit.check(Some(&unit.head)));
        assert!(honest || !covered.faults.is_empty(), "a change was not found");
        assert!(bytes != WRITTEN || alone.faults.is_empty() && covered.faults.is_empty(), "{covered:?}");
        assert!(alone.faults.len() <= covered.faults.len());

        let audit = Audit::open(&unit.storage(), &unit.path, unit.head.time);
        let before = audit.last();
        let number = audit.record(unit.head.time, Record::new(Occasion::Start));
        assert!(
            number.is_ok_and(|number| number == before.saturating_add(1)),
            "the box cannot be commanded any more: {:?}",
            audit.trouble()
        );
        let (after, covered) = (unit.check(None), unit.check(Some(&unit.head)));
        assert!(honest || !covered.faults.is_empty(), "a start has hidden a change");
        assert!(!alone.faults.is_empty() || after.faults.is_empty(), "a start has spoilt the log: {after:?}");
    });
});

impl Box {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        PrivateKey::from_seed(&[1; 32]).write_new(&folder.path().join("box.key")).expect("an empty folder");
        let id = |text: &str| text.parse().expect("a literal id");
        let path = BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") };
        let mut unit = Self {
            folder,
            head: AuditHead { iss: path.to_string(), number: 0, hash: String::new(), time: Default::default() },
            path,
        };
        unit.put(WRITTEN);
        let last = unit.check(None).last.expect("it was written by an agent");
        let line = WRITTEN.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let line: serde_json::Value = serde_json::from_slice(line).expect("a line is JSON");
        unit.head.hash = line["hash"].as_str().expect("a line has a hash").to_owned();
        (unit.head.number, unit.head.time) = (last.number, last.time);
        unit
    }

    fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// The log is these bytes, and nothing else is there but the key, so that its making is no entry.
    fn put(&self, bytes: &[u8]) {
        // There is none before the first.
        let _ = fs::remove_dir_all(self.storage());
        fs::create_dir_all(self.storage().join("audit")).expect("our own folder");
        fs::copy(self.folder.path().join("box.key"), self.storage().join("box.key")).expect("our own folder");
        let file = self.storage().join("audit/00000000000000000001.jsonl");
        fs::write(file, bytes).expect("the temporary folder takes a file");
    }

    fn check(&self, head: Option<&AuditHead>) -> Checked {
        check(&self.storage().join("audit"), head).expect("there is a file that can be read")
    }
}
