//! The audit log: who did what to this box and to the personal data on it, and when.
//!
//! It is a folder of text files, each named by the number of its first entry. A line is a JSON object whose
//! last two members are the hash of the entry before and its own, so that no entry can be changed, removed or
//! moved unless all after it are written anew ([`verify`] says where that happened); the last one is noted beside the
//! folder, so that an end that is missing is found at the next start; and the head, signed with the box's own key
//! and published, tells whether even that was done. The hash of a line is the SHA-256 of its
//! bytes before `,"hash":"`; `tools/audit_verify.py` checks a log with nothing but that sentence. (Chained
//! logs: Schneier and Kelsey, *Secure Audit Logs to Support Computer Forensics*, 1999; a published head as in
//! RFC 9162.)
//!
//! A command makes two entries: one before it is carried out, since a picture that has left cannot be called
//! back, and one with its result. A first one without a second therefore means: perhaps carried out.
//!
//! Each entry is flushed to the disk before [`Audit::record`] returns. If that fails, what the entry was for
//! is not done; what only has to be told ([`Audit::note`]) waits in memory and is written before anything else. Nothing is ever deleted by the agent: at the usual few
//! commands a day the log grows by less than a megabyte a year.

mod chain;
mod entry;
mod error;
mod note;
#[cfg(test)]
mod tests;
mod verify;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use karaul_wire::{AuditHead, BoxPath, SigningKey};

use self::{chain::Chain, note::Note};
pub use self::{
    entry::{Entry, Occasion, Record},
    error::AuditError,
    verify::{Checked, Fault, ReadError, check, check_bytes, entries},
};
use super::{
    jws,
    key::{BoxKey, PrivateKey, box_key},
};

/// More do not wait for a log that takes nothing: hours of the most that [`Refusals`](crate::trust::Refusals) let through.
const MOST_WAITING: usize = 1000;

/// The log of one box, shared by all who have something to put on record.
#[derive(Debug)]
pub struct Audit {
    /// The folder of its files.
    folder: PathBuf,
    /// The file of the box's key.
    key_file: PathBuf,
    /// The box, by its path.
    iss: String,
    /// There was something of it when it was opened, or nobody knows.
    worked_before: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// `None` as long as the folder could not be read.
    chain: Option<Chain>,
    key: Option<PrivateKey>,
    /// How it was come by, until the log tells what is to be said about that.
    come_by: Option<BoxKey>,
    /// What is to be told and could not be written yet, with its time.
    waiting: VecDeque<(Timestamp, Record)>,
    /// So many had no room there.
    dropped: u64,
    /// Why the last record failed.
    trouble: Option<String>,
}

impl Audit {
    /// Opens the log in `audit` of the storage folder, and makes the box's key, `box.key`, if there is none. The
    /// end of an entry that a power cut left unfinished is cut off, kept in a file, and put on record.
    ///
    /// This never fails: what cannot be had now is logged, and tried again with each record.
    #[must_use]
    pub fn open(storage: &Path, path: &BoxPath, now: Timestamp) -> Self {
        let folder = storage.join("audit");
        let worked_before = verify::files(&folder)
            .map_or_else(|error| error.kind() != std::io::ErrorKind::NotFound, |files| !files.is_empty());
        let (key_file, iss) = (storage.join("box.key"), path.to_string());
        // Whoever removes the log alone does not make the box a new one.
        let worked_before = worked_before || key_file.exists() || Note::path(&folder).exists();
        let audit = Self { folder, key_file, iss, worked_before, inner: Mutex::default() };
        audit.catch_up(now);
        audit
    }

    /// Puts something on record. When this returns a number, the entry of that number is on the disk.
    ///
    /// # Errors
    /// If it is not; then nothing may be done that needs it.
    pub fn record(&self, now: Timestamp, record: Record) -> Result<u64, AuditError> {
        self.write(&mut self.lock(), now, record)
    }

    /// Puts on record what has happened anyway. If the log takes nothing now, it does when it can; tells the number
    /// if it is there already.
    pub fn note(&self, now: Timestamp, record: Record) -> Option<u64> {
        let mut inner = self.lock();
        let written = self.write(&mut inner, now, record.clone());
        if written.is_err() {
            inner.wait(now, record);
        }
        written.ok()
    }

    /// Writes what could not be written before. To be called every few seconds.
    pub fn catch_up(&self, now: Timestamp) {
        let mut inner = self.lock();
        if inner.is_behind() {
            let caught_up = self.ready(&mut inner, now).map(|_| ());
            // It has been said.
            let _ = inner.went(caught_up);
        }
    }

    /// The signed head for `audit/box`: a compact JWS of an [`AuditHead`].
    ///
    /// # Errors
    /// If the log cannot be read or the box's key not be had.
    pub fn head(&self, now: Timestamp) -> Result<String, AuditError> {
        let mut inner = self.lock();
        let chain = self.ready(&mut inner, now)?;
        let head = AuditHead {
            iss: self.iss.clone(),
            number: chain.number(),
            hash: chain.hash().to_owned(),
            time: chain.time().unwrap_or(now),
        };
        let key = self.key(&mut inner)?;
        // Texts and numbers always make JSON.
        let claims = serde_json::to_vec(&head).unwrap_or_default();
        Ok(jws::sign(key, AuditHead::TYPE, &key.public().thumbprint(), &claims))
    }

    /// The key that signs the head, for `meta/box`.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn signing_key(&self, now: Timestamp) -> Result<SigningKey, AuditError> {
        let mut inner = self.lock();
        if let Err(error) = self.ready(&mut inner, now) {
            // The key does not need the log.
            tracing::debug!("{error}");
        }
        let public = self.key(&mut inner)?.public();
        Ok(SigningKey { kid: public.thumbprint(), x: public.to_string() })
    }

    /// Has this box worked before, as far as the log tells?
    #[must_use]
    pub const fn worked_before(&self) -> bool {
        self.worked_before
    }

    /// The number of the last entry; 0 if there is none, or the log cannot be read.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.lock().chain.as_ref().map_or(0, Chain::number)
    }

    /// Why the last attempt to put something on record failed, and what was found in this run that somebody else has
    /// done to the log.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let inner = self.lock();
        let parts = inner.trouble.clone().into_iter().chain(inner.chain.iter().flat_map(Chain::trouble));
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn write(&self, inner: &mut Inner, now: Timestamp, record: Record) -> Result<u64, AuditError> {
        let written = self.ready(inner, now).and_then(|chain| chain.append(now, record));
        inner.went(written)
    }

    /// The chain, opened if it was not, and with all on record that could not be written before.
    fn ready<'a>(&self, inner: &'a mut Inner, now: Timestamp) -> Result<&'a mut Chain, AuditError> {
        if inner.chain.is_none() {
            inner.chain = Some(Chain::open(&self.folder)?);
        }
        if let Err(error) = self.key(inner) {
            // Entries need no key, only the head does; whoever wants that is told.
            tracing::debug!("{error}");
        }
        let Some(chain) = &mut inner.chain else {
            return Err(AuditError::disk(&self.folder, std::io::Error::other("it is not open")));
        };
        if let (Some(how), Some(key)) = (inner.come_by.take(), &inner.key) {
            inner.waiting.extend(said(&how, key.public().thumbprint(), chain).map(|record| (now, record)));
        }
        if chain.owes() {
            chain.settle(now)?;
        }
        while let Some((time, record)) = inner.waiting.front().cloned() {
            chain.append(time, record)?;
            inner.waiting.pop_front();
        }
        if inner.dropped > 0 {
            let detail = format!("{} more had no room while the log took nothing, and are lost", inner.dropped);
            chain.append(now, Record::new(Occasion::Damaged).detail(detail))?;
            inner.dropped = 0;
        }
        Ok(chain)
    }

    /// The box's key, made if there is none; that is to go on record.
    fn key<'a>(&self, inner: &'a mut Inner) -> Result<&'a PrivateKey, AuditError> {
        if inner.key.is_none() {
            let (key, how) = box_key(&self.key_file)?;
            inner.come_by = Some(how);
            inner.key = Some(key);
        }
        match &inner.key {
            Some(key) => Ok(key),
            None => Err(AuditError::disk(&self.key_file, std::io::Error::other("there is no key"))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Is there anything that could not be had or written yet?
    fn is_behind(&self) -> bool {
        let is_written = self.waiting.is_empty() && self.dropped == 0 && self.trouble.is_none();
        !is_written || self.key.is_none() || self.chain.as_ref().is_none_or(Chain::owes)
    }

    fn wait(&mut self, now: Timestamp, record: Record) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back((now, record));
        } else {
            self.dropped += 1;
        }
    }

    /// Says how it went when that changes, not with each command.
    fn went<T>(&mut self, written: Result<T, AuditError>) -> Result<T, AuditError> {
        match &written {
            Ok(_) if self.trouble.take().is_some() => tracing::info!("the audit log can be written again"),
            Ok(_) => {}
            Err(error) => {
                let text = error.to_string();
                if self.trouble.as_ref() != Some(&text) {
                    tracing::error!("{text}");
                }
                self.trouble = Some(text);
            }
        }
        written
    }
}

/// What is to go on record about a key, however it was come by.
fn said(how: &BoxKey, kid: String, chain: &mut Chain) -> Option<Record> {
    let first = chain.number() == 0;
    let new = "and a new one made: heads signed from now on have another key";
    let (event, detail) = match how {
        BoxKey::Kept if first => {
            let what = "the log is empty and the box's key is not new: the log was removed, or could never be written";
            chain.is_damaged(what);
            (Occasion::Damaged, what.to_owned())
        }
        BoxKey::Kept => return None,
        BoxKey::Made if first => (Occasion::BoxKey, "the box's key was made".to_owned()),
        BoxKey::Made => (Occasion::BoxKey, format!("the box's key was lost {new}")),
        BoxKey::Replaced(kept) => {
            (Occasion::BoxKey, format!("the box's key was damaged, moved to {}, {new}", kept.display()))
        }
    };
    if first && *how == BoxKey::Made {
        tracing::info!(kid, "{detail}");
    } else {
        tracing::error!(kid, "{detail}; tell the operations centre");
    }
    Some(Record { key: Some(kid), ..Record::new(event) }.detail(detail))
}
