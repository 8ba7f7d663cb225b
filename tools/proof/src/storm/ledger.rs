use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use karaul_wire::{Phase, Severity};
use uuid::Uuid;

use crate::error::ProofError;

/// One commit that has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The process that made it, from 1.
    pub life: u64,
    pub sequence: u64,
    pub event: Uuid,
    pub incident: Uuid,
    pub rev: u32,
    pub phase: Phase,
    pub severity: Severity,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Open => "open",
            Phase::Update => "update",
            Phase::Close => "close",
        };
        let Self { life, sequence, event, incident, rev, severity, .. } = self;
        write!(f, "{life} {sequence} {event} {incident} {rev} {phase} {severity}")
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        fn word<'a, T: FromStr>(words: &mut impl Iterator<Item = &'a str>) -> Option<T> {
            words.next()?.parse().ok()
        }
        let mut words = line.split(' ');
        let mut read = || {
            let words = &mut words;
            let (life, sequence, event, incident, rev) =
                (word(words)?, word(words)?, word(words)?, word(words)?, word(words)?);
            let phase = match words.next()? {
                "open" => Phase::Open,
                "update" => Phase::Update,
                "close" => Phase::Close,
                _ => return None,
            };
            Some(Self { life, sequence, event, incident, rev, phase, severity: word(words)? })
        };
        read().ok_or_else(|| format!("not an entry of the ledger: {line}"))
    }
}

/// Takes notes. A line is one write, so a SIGKILL leaves whole lines in the system's memory.
pub(super) struct Pen(File);

impl Pen {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).open(path).map(Self)
    }

    pub(super) fn note(&mut self, entry: &Entry) -> io::Result<()> {
        self.0.write_all(format!("{entry}\n").as_bytes())
    }
}

/// Reads the notes while they are being taken.
pub(super) struct Ledger {
    path: PathBuf,
    read: u64,
    entries: Vec<Entry>,
}

impl Ledger {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), read: 0, entries: Vec::new() }
    }

    /// Reads what is new, up to the last whole line.
    pub(super) fn read(&mut self) -> Result<(), ProofError> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for line in text[..whole].lines() {
            self.entries.push(line.parse().map_err(io::Error::other)?);
        }
        self.read += whole as u64;
        Ok(())
    }

    pub(super) const fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_noted() {
        let entry = Entry {
            life: 3,
            sequence: 70,
            event: Uuid::from_u128(1),
            incident: Uuid::from_u128(2),
            rev: 4,
            phase: Phase::Close,
            severity: Severity::Warning,
        };
        assert_eq!(entry.to_string().parse(), Ok(entry));
        assert!("3 70 x".parse::<Entry>().is_err());
    }
}
