//! The numbers that must survive even when the database does not.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// How far ahead of the last sequence number `limit` is written, so that the file
/// costs one flush per so many messages while the database is well.
const AHEAD: u64 = 1024;

/// What reserves a number before it is used: with so many left it is time for other measures.
const LAST: u64 = 128;

/// Three numbers, the outbox's name and the machine's boot in a small file of fixed size beside the database.
///
/// It is overwritten in place, which needs no free space: sequence numbers given out
/// while the disk is full are therefore not given out again after a crash. When the
/// database is damaged, numbering goes on after `limit`.
#[derive(Debug)]
pub(super) struct Numbers {
    path: PathBuf,
    file: Option<File>,
    values: Values,
    /// Names the folder, for as long as the file is there.
    name: Uuid,
    /// The limit as it is in the file.
    noted: u64,
    /// The boot in which it was last written, if that is known, and this one.
    last_boot: Option<Uuid>,
    boot: Option<Uuid>,
    /// The last write failed, and that was said.
    failed: bool,
}

/// The content of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    /// No message has a higher sequence number.
    pub limit: u64,
    /// Highest sequence number given out while the database took nothing.
    pub spilled: u64,
    /// Last session.
    pub session: u64,
}

impl Values {
    fn to_text(self, name: Uuid, boot: Option<Uuid>) -> String {
        let (Self { limit, spilled, session }, boot) = (self, boot.unwrap_or_default());
        format!("limit   {limit:020}\nspilled {spilled:020}\nsession {session:020}\noutbox  {name}\nboot    {boot}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut number = |name: &str| lines.next()?.strip_prefix(name)?.trim().parse().ok();
        Some(Self { limit: number("limit ")?, spilled: number("spilled ")?, session: number("session ")? })
    }
}

impl Numbers {
    /// Reads the file; where there is none, or no readable one, all numbers are zero.
    pub(super) fn open(dir: &Path) -> Self {
        let path = dir.join("numbers");
        let mut text = String::new();
        let read = File::open(&path).and_then(|mut file| file.read_to_string(&mut text));
        let values = match read {
            Ok(_) => Values::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Values::default()),
            Err(_) => None,
        };
        if values.is_none() {
            tracing::warn!("{} cannot be read; message numbers go on from the database", path.display());
        }
        let values = values.unwrap_or_default();
        let id = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        let (name, last_boot) = (id("outbox ").unwrap_or_else(Uuid::now_v7), id("boot "));
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let boot = boot.and_then(|boot| boot.trim().parse().ok());
        Self { path, file: None, values, name, noted: values.limit, last_boot, boot, failed: false }
    }

    /// Was the file last written before the machine was started anew?
    pub(super) fn were_of_another_boot(&self) -> bool {
        self.last_boot.is_some() && self.boot.is_some() && self.last_boot != self.boot
    }

    /// From now on it was last written in this boot.
    pub(super) fn note_boot(&mut self) {
        if self.were_of_another_boot() {
            self.last_boot = self.boot;
            self.put(self.values);
        }
    }

    /// Does the disk take no note of the numbers, and are those that are noted as used nearly used up?
    pub(super) const fn run_out(&self, sequence: u64) -> bool {
        self.failed && sequence.saturating_add(LAST) > self.noted
    }

    /// Does the disk take note of numbers?
    pub(super) fn can_write(&mut self) -> bool {
        self.put(self.values);
        !self.failed
    }

    /// The name of this outbox. It is on disk before a broker hears of it, unless the disk takes nothing.
    pub(super) const fn name(&self) -> Uuid {
        self.name
    }

    /// What the file says.
    pub(super) const fn values(&self) -> Values {
        self.values
    }

    /// Makes sure that `limit` covers `sequence`. Called before the database is written.
    pub(super) fn cover(&mut self, sequence: u64) {
        if sequence > self.values.limit || self.failed {
            let limit = self.values.limit.max(sequence.saturating_add(AHEAD));
            self.write(Values { limit, ..self.values });
        }
    }

    /// Records that numbers up to `sequence` were given out without the database.
    pub(super) fn spill(&mut self, sequence: u64) {
        let limit = self.values.limit.max(sequence);
        self.write(Values { limit, spilled: sequence, ..self.values });
    }

    /// Records a session.
    pub(super) fn session(&mut self, session: u64) {
        self.write(Values { session, ..self.values });
    }

    fn write(&mut self, values: Values) {
        if values != self.values || self.failed {
            self.put(values);
        }
    }

    fn put(&mut self, values: Values) {
        self.values = values;
        match self.try_write(&values.to_text(self.name, self.boot)) {
            Ok(()) => (self.failed, self.noted, self.last_boot) = (false, values.limit, self.boot),
            Err(error) => {
                self.file = None;
                if !self.failed {
                    tracing::warn!(
                        "{} cannot be written ({error}); check the disk; after a crash now, message numbers could \
                         come again",
                        self.path.display()
                    );
                }
                self.failed = true;
            }
        }
    }

    fn try_write(&mut self, text: &str) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
                self.file.insert(file)
            }
        };
        file.write_all_at(text.as_bytes(), 0)?;
        file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_and_the_file_never_grows() {
        let dir = tempfile::tempdir().unwrap();
        let mut numbers = Numbers::open(dir.path());
        assert_eq!(numbers.values(), Values::default());
        numbers.cover(1);
        let size = std::fs::metadata(dir.path().join("numbers")).unwrap().len();
        numbers.spill(u64::MAX);
        numbers.session(7);
        assert_eq!(std::fs::metadata(dir.path().join("numbers")).unwrap().len(), size);
        let again = Numbers::open(dir.path()).values();
        assert_eq!(again, Values { limit: u64::MAX, spilled: u64::MAX, session: 7 });
        assert_eq!(Numbers::open(dir.path()).name(), numbers.name());
    }

    #[test]
    fn the_limit_runs_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let mut numbers = Numbers::open(dir.path());
        numbers.cover(5);
        assert_eq!(Numbers::open(dir.path()).values().limit, 5 + AHEAD);
        numbers.cover(5 + AHEAD);
        assert_eq!(Numbers::open(dir.path()).values().limit, 5 + AHEAD);
    }

    #[test]
    fn a_write_that_failed_is_made_up_for() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state");
        let mut numbers = Numbers::open(&folder);
        numbers.cover(1);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(Numbers::open(&folder).values().limit, 0);
        numbers.cover(2);
        assert!(Numbers::open(&folder).values().limit > 2);
    }

    #[test]
    fn rubbish_counts_as_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("numbers"), "limit x").unwrap();
        assert_eq!(Numbers::open(dir.path()).values(), Values::default());
    }
}
