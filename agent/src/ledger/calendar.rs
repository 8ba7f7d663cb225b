//! Days as a clock on the site's wall has them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use karaul_wire::{LedgerDay, LedgerRule};

/// Where days begin: the site's time zone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calendar {
    zone: TimeZone,
    name: String,
}

impl Calendar {
    pub(crate) fn new(zone: &TimeZone) -> Self {
        let name = zone.iana_name().unwrap_or("UTC").to_owned();
        Self { zone: zone.clone(), name }
    }

    /// Of a day on record, if this machine knows its time zone.
    pub(crate) fn of(day: &LedgerDay) -> Option<Self> {
        TimeZone::get(&day.time_zone).ok().map(|zone| Self::new(&zone))
    }

    /// The day of this time.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The first moment of a day and the first of the next. `None` at the end of the calendar.
    pub(crate) fn bounds(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        // Where summer time begins at midnight, a day begins at one.
        let begins = |date: Date| date.to_zoned(self.zone.clone()).ok()?.start_of_day().ok();
        Some((begins(date)?.timestamp(), begins(date.tomorrow().ok()?)?.timestamp()))
    }

    /// A day of which nothing is counted yet, and that has these rules.
    pub(crate) fn blank<'a>(
        &self,
        date: Date,
        rules: impl Iterator<Item = (&'a karaul_wire::Segment, &'a karaul_wire::Segment)>,
    ) -> Option<LedgerDay> {
        let (begins, ends) = self.bounds(date)?;
        let mut rules: Vec<LedgerRule> = rules.map(|(camera, rule)| rule_of(camera, rule)).collect();
        rules.sort_by(|a, b| (&a.camera, &a.rule).cmp(&(&b.camera, &b.rule)));
        Some(LedgerDay {
            date,
            time_zone: self.name.clone(),
            begins,
            length_ms: between(begins, ends),
            counted_ms: 0,
            before: None,
            rules,
            tests: Vec::new(),
        })
    }

    /// Is this day, from the disk, one of this calendar?
    pub(crate) fn has(&self, day: &LedgerDay) -> bool {
        day.time_zone == self.name
            && self
                .bounds(day.date)
                .is_some_and(|(begins, ends)| begins == day.begins && between(begins, ends) == day.length_ms)
    }

    /// A time of day as people at the site read it.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }
}

/// A rule of which nothing is counted.
pub(crate) fn rule_of(camera: &karaul_wire::Segment, rule: &karaul_wire::Segment) -> LedgerRule {
    LedgerRule {
        camera: camera.clone(),
        rule: rule.clone(),
        seeing_ms: 0,
        blind: std::collections::BTreeMap::new(),
        disarmed_ms: 0,
        off_ms: 0,
        unknown_ms: 0,
    }
}

/// Milliseconds from one time to a later one; 0 if it is none.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}
