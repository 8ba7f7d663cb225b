//! The ledger on disk: one small [checked file](crate::disk::Checked) per day, which holds one line of JSON.
//!
//! After a power cut it is the old one or the new one. If one is damaged nevertheless, one day is lost, and no other.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use karaul_wire::LedgerDay;
use serde::{Deserialize, Serialize};

use super::book::{Mark, Shelf, Source};
use crate::disk::{self, Checked, PARTIAL, read_checked, write_checked};

/// So many days are kept: a year, and a month to compare it with.
pub(super) const MOST_DAYS: usize = 400;
/// So many damaged files are kept to be looked at.
const MOST_DAMAGED: usize = 8;
/// So many days wait for a disk that takes nothing; older ones are given up.
const MOST_OWED: usize = 8;
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
    File(#[from] disk::Damage),
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
    /// So many days were given up since the disk took something last.
    pub(super) given_up: u32,
    trouble: Option<String>,
    /// A file was damaged.
    lost: bool,
}

impl Files {
    /// The folder is made when something is written first.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, owed: BTreeMap::new(), given_up: 0, trouble: None, lost: false }
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
            let lost = lost(std::mem::take(&mut self.given_up));
            tracing::info!("ledger {}: the disk takes it again; {lost}", self.folder.display());
        }
    }

    /// Takes the oldest off.
    pub(super) fn prune(&self) {
        // What a crash left half written is of no use.
        for (ending, most) in [(DAY, MOST_DAYS), (DAMAGED, MOST_DAMAGED), (PARTIAL, 0)] {
            let Ok(dates) = dates(&self.folder, ending) else { return };
            for date in dates.iter().rev().skip(most) {
                let path = path(&self.folder, *date, ending);
                match fs::remove_file(&path) {
                    Ok(()) => tracing::debug!("{} is removed: {most} newer ones are kept", path.display()),
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
        while self.owed.len() > MOST_OWED {
            self.given_up += u32::from(self.owed.pop_first().is_some());
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
    let Some(Checked { line, .. }) = read_checked(&path(folder, date, DAY), LARGEST)? else { return Ok(None) };
    let content: Content = serde_json::from_str(&line)?;
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
    write_checked(&path(folder, content.day.date, DAY), &serde_json::to_string(content)?, "")
}

fn path(folder: &Path, date: Date, ending: &str) -> PathBuf {
    folder.join(format!("{date}.{ending}"))
}

/// What was lost while the disk took nothing, in words.
pub(super) fn lost(days: u32) -> String {
    match days {
        0 => "nothing of it was lost".to_owned(),
        1 => "the oldest day that it did not take is lost".to_owned(),
        days => format!("the oldest {days} days that it did not take are lost"),
    }
}
