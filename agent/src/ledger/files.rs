//! The ledger on disk: one small file per day, which holds one line of JSON and one with its SHA-256.
//!
//! A file is written beside its place and then renamed, so that after a power cut it is the old one or the new one.
//! If one is damaged nevertheless, one day is lost, and no other.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use karaul_wire::LedgerDay;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::book::{Mark, Shelf, Source};

/// So many days are kept: a year, and a month to compare it with.
pub(super) const MOST_DAYS: usize = 400;
/// So many damaged files are kept to be looked at.
const MOST_DAMAGED: usize = 8;
/// Far above what 64 cameras with a dozen rules need; keeps a wrong file from filling the memory.
const LARGEST: u64 = 8 << 20;
const DAY: &str = "json";
const DAMAGED: &str = "damaged";

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Up to when it is counted, by both clocks.
    pub(super) mark: Option<Mark>,
    pub(super) day: LedgerDay,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its checksum is wrong")]
    Checksum,
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("it is of another day, {0}")]
    Day(Date),
    #[error("what it counts does not add up")]
    Sum,
}

/// The folder of a ledger that is being written.
pub(super) struct Files {
    folder: PathBuf,
    /// Days that the disk has not taken yet, the newest of them.
    owed: BTreeMap<Date, Content>,
    trouble: Option<String>,
    /// A file was damaged.
    lost: bool,
}

impl Files {
    /// The folder is made when something is written first.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, owed: BTreeMap::new(), trouble: None, lost: false }
    }

    /// Why the disk takes nothing at present, in one sentence.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Has any file been found damaged?
    pub(super) const fn has_lost(&self) -> bool {
        self.lost
    }

    /// Writes the present day, after those that are owed.
    pub(super) fn write(&mut self, content: Content) {
        self.owed.insert(content.day.date, content);
        while let Some((date, content)) = self.owed.first_key_value() {
            match write(&self.folder, content) {
                Ok(()) => _ = self.owed.remove(&date.clone()),
                Err(error) => return self.fail(&error),
            }
        }
        if self.trouble.take().is_some() {
            tracing::info!("ledger {}: the disk takes it again; nothing of it was lost", self.folder.display());
        }
    }

    /// Takes the oldest off.
    pub(super) fn prune(&self) {
        for (ending, most) in [(DAY, MOST_DAYS), (DAMAGED, MOST_DAMAGED)] {
            let Ok(dates) = dates(&self.folder, ending) else { return };
            for date in dates.iter().rev().skip(most) {
                let path = path(&self.folder, *date, ending);
                match fs::remove_file(&path) {
                    Ok(()) => tracing::debug!("{} is older than {most} days and removed", path.display()),
                    Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
                }
            }
        }
    }

    /// The latest day that can be read, up to this one.
    pub(super) fn latest(&mut self, until: Date) -> Option<Content> {
        self.dates().into_iter().rev().filter(|date| *date <= until).find_map(|date| self.content(date))
    }

    fn dates(&self) -> Vec<Date> {
        let mut all = dates(&self.folder, DAY).unwrap_or_default();
        all.extend(self.owed.keys());
        all.sort_unstable();
        all.dedup();
        all
    }

    fn content(&mut self, date: Date) -> Option<Content> {
        if let Some(content) = self.owed.get(&date) {
            return Some(content.clone());
        }
        match read(&self.folder, date) {
            Ok(content) => content,
            Err(damage) => {
                self.set_aside(date, &damage);
                None
            }
        }
    }

    /// What cannot be read is kept for somebody to look at, and the day begins anew.
    fn set_aside(&mut self, date: Date, damage: &Damage) {
        self.lost = true;
        let path = path(&self.folder, date, DAY);
        tracing::error!(
            "the ledger of {date} in {} cannot be read: {damage}; what was counted there is lost and counts as unknown",
            path.display()
        );
        if let Err(error) = fs::rename(&path, path.with_extension(DAMAGED)) {
            tracing::error!("{} cannot be set aside: {error}", path.display());
        }
    }

    fn fail(&mut self, error: &io::Error) {
        // Days that can never be written do not fill the memory.
        while self.owed.len() > 8 {
            let _ = self.owed.pop_first();
        }
        let sentence = format!(
            "the blind-time ledger cannot be written to {}: {error}; check space and rights of the folder storage.path",
            self.folder.display()
        );
        if self.trouble.as_ref() != Some(&sentence) {
            tracing::error!("{sentence}");
            self.trouble = Some(sentence);
        }
    }
}

impl Source for Files {
    fn take(&mut self, date: Date) -> Option<LedgerDay> {
        self.content(date).map(|content| content.day)
    }

    fn latest_before(&mut self, date: Date) -> Option<LedgerDay> {
        self.latest(date.yesterday().ok()?).map(|content| content.day)
    }

    fn earliest_after(&mut self, date: Date) -> Option<LedgerDay> {
        let dates = self.dates();
        dates.into_iter().filter(|other| *other > date).find_map(|date| self.content(date)).map(|content| content.day)
    }
}

impl Shelf for Files {
    fn put(&mut self, day: LedgerDay) {
        self.write(Content { mark: None, day });
    }
}

/// The days of which there is a file, ascending; none without a folder.
pub(super) fn dates(folder: &Path, ending: &str) -> io::Result<Vec<Date>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut dates = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if path.extension().is_some_and(|other| other == ending)
            && let Some(date) = stem.and_then(|stem| stem.parse::<Date>().ok())
        {
            dates.push(date);
        }
    }
    dates.sort_unstable();
    Ok(dates)
}

/// The days of which there is a file that can be looked at.
pub(super) fn days(folder: &Path) -> io::Result<Vec<Date>> {
    dates(folder, DAY)
}

/// What the file of a day says; `None` if there is none.
pub(super) fn read(folder: &Path, date: Date) -> Result<Option<Content>, Damage> {
    let path = path(folder, date, DAY);
    match fs::metadata(&path) {
        Ok(about) if about.len() > LARGEST => return Err(Damage::Checksum),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let bytes = fs::read(&path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Damage::Checksum)?;
    let (json, sum) = text.trim_end().split_once('\n').ok_or(Damage::Checksum)?;
    if checksum(json) != sum {
        return Err(Damage::Checksum);
    }
    let content: Content = serde_json::from_str(json)?;
    let day = &content.day;
    if day.date != date {
        return Err(Damage::Day(day.date));
    }
    if day.counted_ms > day.length_ms || day.rules.iter().any(|rule| rule.counted_ms() != day.counted_ms) {
        return Err(Damage::Sum);
    }
    Ok(Some(content))
}

fn write(folder: &Path, content: &Content) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let json = serde_json::to_string(content)?;
    let partial = folder.join("partial");
    let mut file = File::create(&partial)?;
    file.write_all(format!("{json}\n{}\n", checksum(&json)).as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path(folder, content.day.date, DAY))?;
    // The name is in the folder, and that has to reach the disk as well.
    File::open(folder)?.sync_all()
}

fn path(folder: &Path, date: Date, ending: &str) -> PathBuf {
    folder.join(format!("{date}.{ending}"))
}

fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}
