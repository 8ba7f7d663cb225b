//! Tests of the ledger.

mod book;
mod disk;
mod model;
mod table;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use karaul_wire::{LedgerDay, LedgerRule, Segment};

use super::{
    book::{Book, Place, Shelf, Source},
    calendar::Calendar,
};
use crate::{
    clock::Stamp,
    config::{Schedule, Span},
};

pub(super) fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

pub(super) fn place(rule: &str) -> Place {
    (id("gate"), id(rule))
}

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn calendar(zone: &str) -> Calendar {
    Calendar::new(&TimeZone::get(zone).unwrap())
}

/// Days in memory.
#[derive(Default)]
pub(super) struct Memory(pub(super) BTreeMap<Date, LedgerDay>);

impl Source for Memory {
    fn take(&mut self, date: Date) -> Option<LedgerDay> {
        self.0.get(&date).cloned()
    }

    fn latest_before(&mut self, date: Date) -> Option<LedgerDay> {
        self.0.range(..date).next_back().map(|(_, day)| day.clone())
    }

    fn earliest_after(&mut self, date: Date) -> Option<LedgerDay> {
        self.0.range(date.tomorrow().unwrap()..).next().map(|(_, day)| day.clone())
    }
}

impl Shelf for Memory {
    fn put(&mut self, day: LedgerDay) {
        self.0.insert(day.date, day);
    }
}

/// Every night from 19:00 to 07:30.
pub(super) fn nights(zone: &str) -> Option<Arc<Schedule>> {
    let night = vec![Span { start: 0, end: 7 * 60 + 30 }, Span { start: 19 * 60, end: 1440 }];
    let days = std::array::from_fn(|_| night.clone());
    Some(Arc::new(Schedule { id: id("nights"), time_zone: TimeZone::get(zone).unwrap(), days, holidays: None }))
}

/// A book with the rules `always` and `night` of the camera `gate`, and the machine's time.
pub(super) struct Desk {
    pub(super) book: Book,
    pub(super) shelf: Memory,
    pub(super) now: Stamp,
}

impl Desk {
    pub(super) fn new(zone: &str, from: &str) -> Self {
        let mut book = Book::new(calendar(zone));
        book.set_rules(calendar(zone), rules(zone));
        let mut shelf = Memory::default();
        let now = Stamp { mono: Duration::from_secs(100), wall: time(from) };
        book.open(now, None, None, &mut shelf);
        Self { book, shelf, now }
    }

    /// Lets the time pass to this one, second by second.
    pub(super) fn until(&mut self, wall: &str) {
        let wall = time(wall);
        while self.now.wall < wall {
            let left = Duration::try_from(wall.duration_since(self.now.wall)).unwrap();
            self.pass(left.min(Duration::from_secs(1)));
        }
    }

    pub(super) fn pass(&mut self, by: Duration) {
        self.now = Stamp { mono: self.now.mono + by, wall: Stamp::after(self.now.wall, by).wall };
        self.book.advance(self.now, &mut self.shelf);
    }

    /// Sets the wall clock.
    pub(super) fn set(&mut self, wall: &str) {
        self.now.wall = time(wall);
        self.book.advance(self.now, &mut self.shelf);
    }

    pub(super) fn day(&self, date: Date) -> LedgerDay {
        let today = self.book.today().filter(|day| day.date == date);
        today.unwrap_or_else(|| &self.shelf.0[&date]).clone()
    }

    /// `[seeing, blind, disarmed, off, unknown]` in seconds, of a rule on a day.
    pub(super) fn sums(&self, day: &str, rule: &str) -> [u64; 5] {
        let day = self.day(date(day));
        let found: Vec<&LedgerRule> = day.rules.iter().filter(|other| other.rule == id(rule)).collect();
        let [rule] = found[..] else { panic!("{found:?}") };
        assert_eq!(rule.counted_ms(), day.counted_ms);
        [rule.seeing_ms, rule.blind_ms(), rule.disarmed_ms, rule.off_ms, rule.unknown_ms].map(|ms| ms / 1000)
    }
}

pub(super) fn rules(zone: &str) -> BTreeMap<Place, Option<Arc<Schedule>>> {
    BTreeMap::from([(place("always"), None), (place("night"), nights(zone))])
}
