//! The end of the log that is written to.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{
    AuditError, Entry, Occasion, Record,
    entry::{Link, NO_HASH},
    note::Note,
    verify::{self, Walk, missing},
};
use crate::disk::sync_folder_of;

/// A file that has grown to this is followed by another one: it can still be mailed.
const ROTATE_AT: u64 = 4 << 20;
/// A file is read whole at the start; one that is longer than this was not written by the agent.
const LONGEST: u64 = 16 * ROTATE_AT;

/// The last file, and what the next entry is chained to.
#[derive(Debug)]
pub(super) struct Chain {
    folder: PathBuf,
    /// The file that is written to; `None` before the first one.
    path: Option<PathBuf>,
    /// `None` after a failure: it is opened anew then.
    file: Option<File>,
    /// So much of it is known to be on the disk.
    len: u64,
    /// What was last written there, perhaps in part.
    attempt: Vec<u8>,
    number: u64,
    hash: String,
    time: Option<Timestamp>,
    rotate_at: u64,
    /// What was found wrong with the log and is not on record yet.
    owed: Vec<Record>,
    /// What was found in this run that somebody else has done to the log.
    damage: Option<String>,
    /// Why the last entry could not be noted beside the log.
    unnoted: Option<String>,
}

/// What was found in a file.
struct Found {
    /// The last entry that is whole.
    last: Option<Link>,
    /// Where it ends.
    end: u64,
    /// What comes after it.
    rest: Vec<u8>,
    /// The first thing that is wrong before it.
    fault: Option<String>,
}

impl Chain {
    /// Opens the log in a folder, making the folder if need be. What is wrong at its end is repaired, and to be put
    /// on record by [`Self::settle`]; everything else in it is left as it is.
    pub(super) fn open(folder: &Path) -> Result<Self, AuditError> {
        let disk = |source| AuditError::disk(folder, source);
        fs::create_dir_all(folder).map_err(disk)?;
        let files = verify::files(folder).map_err(disk)?;
        let mut chain = Self {
            folder: folder.to_owned(),
            path: None,
            file: None,
            len: 0,
            attempt: Vec::new(),
            number: 0,
            hash: NO_HASH.to_owned(),
            time: None,
            rotate_at: ROTATE_AT,
            owed: Vec::new(),
            damage: None,
            unnoted: None,
        };
        let mut wrong = Vec::new();
        for (first, path) in files.iter().rev() {
            let found = read(path).map_err(|source| AuditError::disk(path, source))?;
            if chain.path.is_none() {
                chain.path = Some(path.clone());
                chain.len = found.end;
                if !found.rest.is_empty() {
                    wrong.push(chain.cut_off(&found.rest, false)?);
                }
            }
            wrong.extend(found.fault.map(|fault| Record::new(Occasion::Damaged).detail(fault)));
            if let Some(last) = found.last {
                chain.number = last.entry.number;
                chain.hash = last.hash;
                chain.time = Some(last.entry.time);
                break;
            }
            // A file without an entry: the power went before its first one. The one before it has the end.
            chain.number = first.saturating_sub(1);
        }
        wrong.extend(chain.compare().map_err(disk)?.map(|what| Record::new(Occasion::Damaged).detail(what)));
        if wrong.iter().any(|record| record.event == Occasion::Damaged) {
            // The damage stays in a file that is done with, and is not told again at each start.
            (chain.path, chain.file, chain.len) = (None, None, 0);
        }
        for record in wrong {
            chain.owe(record);
        }
        Ok(chain)
    }

    /// What the note beside the log tells against it. The chain then goes on after the entry that is noted, so that
    /// the place of those that are missing stays empty for ever.
    fn compare(&mut self) -> io::Result<Option<String>> {
        let found = if self.time.is_some() { self.number } else { 0 };
        let note = match Note::read(&self.folder) {
            Ok(Some(note)) => note,
            // The power may go between the first entry and its note.
            Ok(None) if found <= 1 => return Ok(None),
            none => {
                let why = none.err().map_or_else(|| "it is not there".to_owned(), |why| why.to_string());
                let note = name(&Note::path(&self.folder));
                return Ok(Some(format!("nobody can tell whether entries are missing at the end: {note}: {why}")));
            }
        };
        let Note { number, hash } = note;
        if number > found {
            let them = missing(found + 1, number);
            (self.number, self.hash) = (self.number.max(number), hash);
            return Ok(Some(format!("{them} at the end: the log was cut, or removed, while the agent did not run")));
        }
        let there = if number == found { Some(self.hash.clone()) } else { verify::hash_of(&self.folder, number)? };
        Ok((there.as_ref() != Some(&hash)).then(|| {
            format!(
                "entry {number} is not the one that was written, whose hash was {hash}: it, or entries before it, were \
                 written anew or removed"
            )
        }))
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    pub(super) const fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// Remembers what somebody else did to the log.
    pub(super) fn is_damaged(&mut self, what: &str) {
        self.damage.get_or_insert_with(|| what.to_owned());
    }

    /// What somebody else did to the log, as far as it was found in this run, and why its last entry could not be
    /// noted.
    pub(super) fn trouble(&self) -> impl Iterator<Item = String> {
        let damage = self.damage.as_ref().map(|what| format!("the audit log was damaged: {what}"));
        damage.into_iter().chain(self.unnoted.clone())
    }

    /// Writes an entry and flushes it to the disk.
    pub(super) fn append(&mut self, time: Timestamp, record: Record) -> Result<u64, AuditError> {
        self.settle(time)?;
        self.put(time, record)
    }

    /// Is something wrong with the log that is known and not on record?
    pub(super) const fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Puts on record what is wrong with the log, if anything is.
    pub(super) fn settle(&mut self, now: Timestamp) -> Result<(), AuditError> {
        if self.is_gone() {
            self.begin_another(now)?;
        }
        if let Some(record) = self.clear()? {
            self.owe(record);
        }
        while let Some(record) = self.owed.first().cloned() {
            self.put(now, record)?;
            self.owed.remove(0);
        }
        Ok(())
    }

    /// The repair is done once; its record has to outlive a disk that takes nothing at present.
    fn owe(&mut self, record: Record) {
        let what = record.detail.clone().unwrap_or_default();
        tracing::error!("audit log {}: {what}", self.folder.display());
        if record.event == Occasion::Damaged {
            self.is_damaged(&what);
        }
        self.owed.push(record);
    }

    fn put(&mut self, now: Timestamp, record: Record) -> Result<u64, AuditError> {
        let entry = Entry { number: self.number.saturating_add(1), time: now, record, previous: self.hash.clone() };
        let (line, hash) = entry.seal().map_err(|why| AuditError::disk(&self.folder, why.into()))?;
        let path = self.target(entry.number);
        let written = self.write(&path, &line);
        let len = line.len() as u64;
        self.attempt = line;
        written.map_err(|source| {
            // Whatever of it is on the disk is cut off before the next attempt.
            self.file = None;
            AuditError::disk(&path, source)
        })?;
        self.len += len;
        (self.number, self.hash, self.time) = (entry.number, hash, Some(now));
        self.note();
        Ok(entry.number)
    }

    /// Notes the last entry beside the log. It is on record whether or not that works.
    fn note(&mut self) {
        let note = Note { number: self.number, hash: self.hash.clone() };
        let failed = note.write(&self.folder).err().map(|why| {
            let path = Note::path(&self.folder);
            format!("{} cannot be written ({why}); check the disk and who may write there", path.display())
        });
        if let Some(what) = failed.as_ref().filter(|_| self.unnoted.is_none()) {
            tracing::error!("{what}");
        }
        self.unnoted = failed;
    }

    /// Clears what follows the last entry: what is left of one that could not be written whole, or what somebody
    /// else has written there, which is kept and goes on record.
    fn clear(&mut self) -> Result<Option<Record>, AuditError> {
        let Some(path) = self.path.clone().filter(|_| self.len > 0) else { return Ok(None) };
        let disk = |source| AuditError::disk(&path, source);
        if fs::metadata(&path).map_err(disk)?.len() <= self.len {
            return Ok(None);
        }
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(self.len))?;
            let mut rest = Vec::new();
            file.take(LONGEST).read_to_end(&mut rest).map(|_| rest)
        };
        let rest = read().map_err(disk)?;
        if self.file.is_none() && self.attempt.starts_with(&rest) {
            self.file = Some(reopen(&path, self.len).map_err(disk)?);
            return Ok(None);
        }
        self.cut_off(&rest, true).map(Some)
    }

    /// Is the file that was written to another one now, or none, or does it lack what was written?
    fn is_gone(&self) -> bool {
        let Some(path) = self.path.as_ref().filter(|_| self.len > 0) else { return false };
        match (fs::metadata(path), self.file.as_ref().map(File::metadata)) {
            (Err(_), _) => true,
            (Ok(there), _) if there.len() < self.len => true,
            (Ok(there), Some(Ok(ours))) => (there.dev(), there.ino()) != (ours.dev(), ours.ino()),
            (Ok(_), _) => false,
        }
    }

    /// Goes on in a new file, and says so.
    fn begin_another(&mut self, now: Timestamp) -> Result<(), AuditError> {
        let (path, len) = (self.path.take(), self.len);
        (self.file, self.len) = (None, 0);
        let name = path.as_deref().map(name).unwrap_or_default();
        let what =
            format!("{name} was removed, replaced or cut while the agent ran; its last entry was {}", self.number);
        if let Err(error) = self.put(now, Record::new(Occasion::Damaged).detail(what.clone())) {
            // Nothing is lost by that: the next attempt begins here again.
            (self.path, self.file, self.len) = (path, None, len);
            return Err(error);
        }
        tracing::error!("audit log {}: {what}", self.folder.display());
        self.is_damaged(&what);
        Ok(())
    }

    /// The file that takes this entry.
    fn target(&mut self, number: u64) -> PathBuf {
        match &self.path {
            Some(path) if self.len < self.rotate_at => path.clone(),
            _ => {
                let path = self.folder.join(format!("{number:020}.{}", verify::ENDING));
                (self.path, self.file, self.len) = (Some(path.clone()), None, 0);
                path
            }
        }
    }

    fn write(&mut self, path: &Path, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            closed => closed.insert(reopen(path, self.len)?),
        };
        // Where the last one ends, and not where the file does: that may be somebody else's.
        file.write_all_at(line, self.len)?;
        file.sync_data()
    }

    /// Keeps what follows the last whole entry in a file of its own, and cuts it off. Returns what is to be put
    /// on record about it.
    fn cut_off(&mut self, rest: &[u8], running: bool) -> Result<Record, AuditError> {
        let path = self.path.clone().unwrap_or_else(|| self.folder.clone());
        let disk = |source| AuditError::disk(&path, source);
        let digest = hex::encode(Sha256::digest(rest));
        let kept = self.folder.join(format!("cut-off-{}.bin", &digest[..16]));
        let keep = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&kept)?;
            file.write_all(rest)?;
            file.sync_all()?;
            sync_folder_of(&kept)
        };
        keep().map_err(disk)?;
        self.file = Some(reopen(&path, self.len).map_err(disk)?);
        // One entry is written at a time, so a power cut can leave only one unfinished.
        let lines = rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        let (event, what) = match lines {
            _ if running => (Occasion::Damaged, "what somebody else wrote while the agent ran"),
            _ if rest.ends_with(b"\n") => (Occasion::Damaged, "an unreadable line that had been written whole"),
            0 | 1 => (Occasion::Repaired, "an unfinished entry, as a power cut leaves it,"),
            _ => (Occasion::Damaged, "more than one unreadable line, which no power cut leaves,"),
        };
        let (len, kept) = (rest.len(), name(&kept));
        let detail = format!("{what} was cut off the end: {len} bytes with SHA-256 {digest}, kept in {kept}");
        Ok(Record::new(event).detail(detail))
    }

    /// As after a write that failed.
    #[cfg(test)]
    pub(super) fn fail(&mut self, written: &[u8]) {
        self.file = None;
        self.attempt = [written, b"and what was not"].concat();
    }

    #[cfg(test)]
    pub(super) fn rotate_at(mut self, len: u64) -> Self {
        self.rotate_at = len;
        self
    }
}

/// Opens a file, cut back to what is known to be in it. Cutting also marks the last page as
/// changed, so that it is written again if the disk failed to take it before.
fn reopen(path: &Path, len: u64) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o640).open(path)?;
    file.set_len(len)?;
    file.sync_all()?;
    if len == 0 {
        sync_folder_of(path)?;
    }
    Ok(file)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> io::Result<Found> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is far longer than the agent writes any"));
    }
    let (mut last, mut end, mut at) = (None, 0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let Some(line) = line.strip_suffix(b"\n") else { break };
        if let Some(link) = Link::parse(line).filter(Link::is_whole) {
            (last, end) = (Some(link), at);
        }
    }
    let mut walk = Walk::new(None);
    walk.file(path, &mut &bytes[..end])?;
    let fault = walk.done().faults.into_iter().next().map(|fault| fault.to_string());
    Ok(Found { last, end: end as u64, rest: bytes.split_off(end), fault })
}
