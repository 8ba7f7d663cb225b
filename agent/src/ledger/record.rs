//! What is on record of a range of days, gaps included.

use std::{io, ops::RangeInclusive, path::Path, time::Duration};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use karaul_wire::{Absence, LedgerDay};

use super::{
    account::State,
    book::{Source, complete},
    calendar::Calendar,
    files::{self, Content},
};
use crate::clock::Stamp;

/// The ledger in a folder, as a reader finds it while an agent may be writing it.
pub(crate) struct Record {
    pub(crate) days: Vec<LedgerDay>,
    /// Days whose files are damaged, and how.
    pub(crate) damaged: Vec<(Date, String)>,
    /// Days that have not begun: they were written by a clock that was ahead, and are left out.
    pub(crate) ahead: Vec<Date>,
    /// Up to when it is counted.
    pub(crate) until: Option<Timestamp>,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The folder.
    #[error("{folder}: {source}; is this the storage folder of a box (storage.path), and may this user read it?")]
    Folder {
        /// Its path.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is empty.
    #[error(
        "{0}: there is no ledger here; it is kept by `karaul run` in the storage folder (storage.path), which --config or \
         --state names"
    )]
    Nothing(String),
}

/// Which days are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One.
    Day(Date),
    /// So many, the last on record being the last that has begun.
    Last(u32),
}

/// Reads days out of the ledger's folder.
pub(crate) fn read(folder: &Path, wanted: Wanted, now: Timestamp) -> Result<Record, RecordError> {
    let dates =
        files::days(folder).map_err(|source| RecordError::Folder { folder: folder.display().to_string(), source })?;
    let mut reader = Reader { folder, dates, damaged: Vec::new() };
    let ahead = reader.leave_out(now);
    let Some(newest) = reader.dates.last().copied() else {
        return Err(RecordError::Nothing(folder.display().to_string()));
    };
    let range = match wanted {
        Wanted::Day(date) => date..=date,
        Wanted::Last(count) => {
            let back = jiff::Span::new().days(i64::from(count.saturating_sub(1)));
            newest.checked_sub(back).unwrap_or(Date::MIN)..=newest
        }
    };
    let latest = reader.dates.clone().into_iter().rev().find_map(|date| reader.content(date));
    let until = latest.as_ref().map(|Content { mark, day }| {
        let counted = Stamp::after(day.begins, Duration::from_millis(day.counted_ms)).wall;
        mark.as_ref().map_or(counted, |mark| mark.wall)
    });
    let today = latest.map(|content| content.day);
    let days = days(range.clone(), today.as_ref(), &mut reader);
    let mut damaged = reader.damaged;
    damaged.retain(|(date, _)| range.contains(date));
    Ok(Record { days, damaged, ahead, until })
}

/// Reads, and changes nothing.
struct Reader<'a> {
    folder: &'a Path,
    dates: Vec<Date>,
    damaged: Vec<(Date, String)>,
}

impl Reader<'_> {
    fn content(&mut self, date: Date) -> Option<Content> {
        match files::read(self.folder, date) {
            Ok(content) => content,
            Err(damage) => {
                if !self.damaged.iter().any(|(other, _)| *other == date) {
                    self.damaged.push((date, damage.to_string()));
                }
                None
            }
        }
    }

    /// Leaves out what has not begun, and tells it. If that were all, it is now that the clock is wrong.
    fn leave_out(&mut self, now: Timestamp) -> Vec<Date> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let has_begun = |date: Date, reader: &mut Self| match (date - today).get_days() {
            // Wherever the site is.
            ..=-1 => true,
            // That depends on its time zone.
            0 | 1 => reader.content(date).map_or(date == today, |content| content.day.begins <= now),
            _ => false,
        };
        let (begun, ahead) = self.dates.clone().into_iter().partition::<Vec<_>, _>(|date| has_begun(*date, self));
        if begun.is_empty() {
            return Vec::new();
        }
        self.dates = begun;
        ahead
    }

    /// The first of these days that can be read.
    fn first(&mut self, dates: Vec<Date>) -> Option<LedgerDay> {
        dates.into_iter().find_map(|date| self.content(date)).map(|content| content.day)
    }
}

impl Source for Reader<'_> {
    fn take(&mut self, date: Date) -> Option<LedgerDay> {
        self.first(vec![date])
    }

    fn latest_before(&mut self, date: Date) -> Option<LedgerDay> {
        self.first(self.dates.iter().rev().copied().filter(|other| *other < date).collect())
    }

    fn earliest_after(&mut self, date: Date) -> Option<LedgerDay> {
        self.first(self.dates.iter().copied().filter(|other| *other > date).collect())
    }
}

/// The days of a range as far as anything is on record. `today` is the last of all and may go on; a day that is over
/// and not counted to its end is of nobody's knowledge from there on. A day that is missing between two others is what
/// the later one says of it.
pub(super) fn days(range: RangeInclusive<Date>, today: Option<&LedgerDay>, source: &mut dyn Source) -> Vec<LedgerDay> {
    let Some(today) = today else { return Vec::new() };
    let mut days = Vec::new();
    let mut date = *range.start();
    while date <= *range.end() && date <= today.date {
        let found = if date == today.date { Some(today.clone()) } else { source.take(date) };
        days.extend(found.or_else(|| missing(date, today, source)).map(|mut day| {
            if day.date < today.date {
                complete(&mut day, State::Unknown);
            }
            day
        }));
        let Ok(tomorrow) = date.tomorrow() else { break };
        date = tomorrow;
    }
    days
}

fn missing(date: Date, today: &LedgerDay, source: &mut dyn Source) -> Option<LedgerDay> {
    let earlier = source.latest_before(date)?;
    let later = source.earliest_after(date).filter(|later| later.date < today.date);
    let later = later.unwrap_or_else(|| today.clone());
    let rules = earlier.rules.iter().map(|rule| (&rule.camera, &rule.rule));
    let mut day = Calendar::of(&later)?.blank(date, rules)?;
    let off = later.before == Some(Absence::Off);
    complete(&mut day, if off { State::Off } else { State::Unknown });
    Some(day)
}
