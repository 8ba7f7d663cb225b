//! The pure part: time and states in, accounts of days out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use karaul_wire::{Absence, LedgerDay, Segment};
use uuid::Uuid;

use super::{
    account::{Spell, State, count, count_again},
    calendar::{Calendar, between, rule_of},
    hindsight::{Hindsight, Seen},
};
use crate::{clock::Stamp, config::Schedule};

/// So far the clocks may differ before the wall clock counts as set: time services move it by less when they only
/// correct its rate.
const WANDER_MS: i64 = 1000;

/// The book is brought up to date once a second. If that was not so for longer, the agent stood still (or the
/// machine slept), and who knows what the cameras saw: it counts as off.
const STANDSTILL: Duration = Duration::from_secs(30);

/// Before a camera has been seen, or found blind, for the first time.
pub(crate) const STARTING: &str = "starting";

/// A rule of a camera: camera id, rule id.
pub(crate) type Place = (Segment, Segment);

/// What a camera is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Its pictures are looked at.
    Seeing,
    /// They are not, for this cause.
    Blind(String),
    /// It is switched off.
    Disabled,
}

/// Where days are on record.
pub(super) trait Source {
    /// A day.
    fn take(&mut self, date: Date) -> Option<LedgerDay>;
    /// The latest before this one.
    fn latest_before(&mut self, date: Date) -> Option<LedgerDay>;
    /// The earliest after it.
    fn earliest_after(&mut self, date: Date) -> Option<LedgerDay>;
}

/// Where days are kept.
pub(super) trait Shelf: Source {
    /// Keeps a day that is over, or is left because the clock was set.
    fn put(&mut self, day: LedgerDay);
}

/// Up to when something is on record, by which clocks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Mark {
    pub(super) wall: Timestamp,
    pub(super) mono_ms: u64,
    /// The machine's run that `mono_ms` belongs to.
    pub(super) boot_id: Option<Uuid>,
}

/// The accounts of the present day, and what they are written by.
///
/// Its axis is the wall clock: each millisecond of a day is counted once. Over a step of the clock forward the time
/// that there never was is unknown; after a step back time that was seen counts as seen only if it was so each time.
pub(super) struct Book {
    calendar: Calendar,
    /// All rules with their schedules.
    rules: BTreeMap<Place, Option<Arc<Schedule>>>,
    cameras: BTreeMap<Segment, Sight>,
    /// By a command.
    disarmed: BTreeSet<Place>,
    /// Up to when it is counted; whole milliseconds.
    last: Option<Stamp>,
    today: Option<LedgerDay>,
    spells: BTreeMap<Place, Option<Spell>>,
    hindsight: Hindsight,
    /// How often a day that was over has been changed.
    revisions: u64,
}

impl Book {
    pub(super) fn new(calendar: Calendar) -> Self {
        Self {
            calendar,
            rules: BTreeMap::new(),
            cameras: BTreeMap::new(),
            disarmed: BTreeSet::new(),
            last: None,
            today: None,
            spells: BTreeMap::new(),
            hindsight: Hindsight::default(),
            revisions: 0,
        }
    }

    /// Has it begun to count?
    pub(super) const fn is_open(&self) -> bool {
        self.last.is_some()
    }

    pub(super) const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The day that is being written.
    pub(super) const fn today(&self) -> Option<&LedgerDay> {
        self.today.as_ref()
    }

    /// The same, for what stands in it besides time.
    pub(super) const fn today_mut(&mut self) -> Option<&mut LedgerDay> {
        self.today.as_mut()
    }

    /// What is to be written beside it.
    pub(super) fn mark(&self, boot_id: Option<Uuid>) -> Option<Mark> {
        let Stamp { mono, wall } = self.last?;
        Some(Mark { wall, mono_ms: u64::try_from(mono.as_millis()).unwrap_or(u64::MAX), boot_id })
    }

    /// These rules there are from now on. What is new was not armed before, what has gone is not from now on.
    pub(super) fn set_rules(&mut self, calendar: Calendar, rules: BTreeMap<Place, Option<Arc<Schedule>>>) {
        self.cameras.retain(|camera, _| rules.keys().any(|(other, _)| other == camera));
        if self.calendar != calendar {
            // Its days are others.
            self.hindsight.clear();
        }
        self.hindsight.prune(self.last.map_or(Duration::ZERO, |last| last.mono));
        self.rules = rules;
        self.calendar = calendar;
    }

    /// From now on a camera is this.
    pub(super) fn set_camera(&mut self, camera: Segment, sight: Sight) {
        self.cameras.insert(camera, sight);
    }

    /// From now on these rules are disarmed by commands, or by the mode of the site.
    pub(super) fn set_disarmed(&mut self, disarmed: BTreeSet<Place>) {
        self.disarmed = disarmed;
    }

    /// A camera has been blind for this cause since then, on the monotonic time line, which is found out only now.
    pub(super) fn take_back(&mut self, camera: &Segment, cause: &str, since: Duration, shelf: &mut dyn Shelf) {
        for (place, seen) in self.hindsight.take(camera, since) {
            let mut over = None;
            if let Some(today) = self.today.as_mut().filter(|day| day.date == seen.date) {
                let goes_on = self.last.is_some_and(|last| last.mono == seen.to.mono);
                let spell = self.spells.entry(place.clone()).or_default();
                take_back(today, &place, cause, &seen, if goes_on { spell } else { &mut over });
            } else if let Some(mut day) = shelf.take(seen.date) {
                take_back(&mut day, &place, cause, &seen, &mut over);
                shelf.put(day);
                self.revisions += 1;
            }
        }
    }

    /// How often a day that was over has been changed.
    pub(super) const fn revisions(&self) -> u64 {
        self.revisions
    }

    /// Begins to count at `now`. `mark` is where the run before ended: in between the agent was off. Without one,
    /// nobody knows.
    pub(super) fn open(&mut self, now: Stamp, mark: Option<&Mark>, boot_id: Option<Uuid>, shelf: &mut dyn Shelf) {
        let now = whole(now);
        match mark {
            Some(mark) if boot_id.is_some() && mark.boot_id == boot_id => {
                // The machine ran on, so it is known for how long the agent did not.
                let off = now.mono.saturating_sub(Duration::from_millis(mark.mono_ms));
                let back = Stamp::after(mark.wall, off).wall;
                if between(back, now.wall).cast_signed() > WANDER_MS {
                    self.fill(back, State::Off, shelf);
                    self.fill(now.wall, State::Unknown, shelf);
                } else {
                    self.fill(now.wall, State::Off, shelf);
                }
            }
            Some(_) => self.fill(now.wall, State::Off, shelf),
            None => self.fill(now.wall, State::Unknown, shelf),
        }
        self.last = Some(now);
    }

    /// Counts the time up to `now`, in which all was as it has been set. Nothing before it was [opened](Self::open).
    pub(super) fn advance(&mut self, now: Stamp, shelf: &mut dyn Shelf) {
        let now = whole(now);
        let Some(last) = self.last else { return };
        // Somebody took the time before, and came later.
        let Some(elapsed) = now.mono.checked_sub(last.mono) else { return };
        let by_wall = now.wall.as_millisecond() - last.wall.as_millisecond();
        let step = by_wall - i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let to = if step.abs() <= WANDER_MS { now.wall } else { Stamp::after(last.wall, elapsed).wall };
        self.book(last, Stamp { wall: to, ..now }, elapsed > STANDSTILL, shelf);
        if step > WANDER_MS {
            self.fill(now.wall, State::Unknown, shelf);
        }
        self.last = Some(now);
    }

    /// Counts from one time to another, which follows it without a step.
    fn book(&mut self, first: Stamp, last: Stamp, stood_still: bool, shelf: &mut dyn Shelf) {
        let (mut from, to) = (first.wall, last.wall);
        // The clocks may wander from each other a little.
        let stamp = |wall| match wall {
            wall if wall == to => last,
            wall => Stamp { mono: (first.mono + elapsed(first.wall, wall)).min(last.mono), wall },
        };
        while from < to {
            let Some((begins, ends)) = self.turn_to(from, shelf) else { return };
            // Schedules change with the minute, and all time zones are whole minutes from another.
            let minute = if stood_still { to } else { next_minute(from) };
            let end = to.min(ends).min(minute);
            let rules = &self.rules;
            let Some(day) = &mut self.today else { return };
            for rule in &mut day.rules {
                let place = (rule.camera.clone(), rule.rule.clone());
                let state = match rules.get(&place) {
                    None => State::Disarmed,
                    Some(_) if stood_still => State::Off,
                    Some(schedule) => {
                        let sight = self.cameras.get(&place.0);
                        state(schedule.as_deref(), self.disarmed.contains(&place), sight, from)
                    }
                };
                if state == State::Seeing {
                    self.hindsight.note(&place, Seen { date: day.date, from: stamp(from), to: stamp(end) });
                }
                let spell = self.spells.entry(place).or_default();
                // What was counted before, and then what was not.
                let known = begins_plus(begins, day.counted_ms).clamp(from, end);
                if from < known {
                    count_again(rule, state, from, between(from, known), spell);
                }
                if known < end {
                    count(rule, state, known, between(known, end), spell);
                }
            }
            day.counted_ms = day.counted_ms.max(between(begins, end));
            from = end;
        }
    }

    /// Counts what is not counted yet before `to` as this.
    fn fill(&mut self, to: Timestamp, state: State<'_>, shelf: &mut dyn Shelf) {
        let date = self.calendar.date(to);
        if self.today.as_ref().is_none_or(|today| today.date != date) {
            self.leave(shelf);
            // Of another time zone's day nobody knows which part of this one it was.
            self.today = shelf.take(date).filter(|day| self.calendar.has(day));
        }
        if self.today.is_none() {
            let before = shelf.latest_before(date);
            let Some(mut day) = self.calendar.blank(date, self.rules.keys().map(|(camera, rule)| (camera, rule)))
            else {
                return;
            };
            if let Some(mut before) = before {
                if before.date.tomorrow().ok() != Some(date) {
                    day.before = Some(if state == State::Off { Absence::Off } else { Absence::Unknown });
                }
                if before.counted_ms < before.length_ms {
                    complete(&mut before, state);
                    shelf.put(before);
                }
            }
            self.today = Some(day);
            self.spells.clear();
        }
        if let Some(day) = &mut self.today {
            let missing = between(day.begins, to).min(day.length_ms).saturating_sub(day.counted_ms);
            if missing > 0 {
                add_to_all(day, state, missing);
            }
            self.admit();
        }
    }

    /// Makes the day of this time the present one, with all rules in it. Tells its bounds.
    fn turn_to(&mut self, at: Timestamp, shelf: &mut dyn Shelf) -> Option<(Timestamp, Timestamp)> {
        let date = self.calendar.date(at);
        // A gap before this time is of nobody's knowledge; where there is none, this counts nothing.
        let gap = self
            .today
            .as_ref()
            .is_none_or(|day| day.date != date || !self.calendar.has(day) || day.counted_ms < between(day.begins, at));
        if gap {
            if self.today.as_ref().is_some_and(|day| !self.calendar.has(day)) {
                self.leave(shelf);
            }
            self.fill(at, State::Unknown, shelf);
        }
        self.admit();
        self.calendar.bounds(date)
    }

    /// Gives rules that the day does not have yet an account: they were not armed before.
    fn admit(&mut self) {
        let Some(day) = &mut self.today else { return };
        for (camera, rule) in self.rules.keys() {
            if let Err(place) = day.rules.binary_search_by(|other| (&other.camera, &other.rule).cmp(&(camera, rule))) {
                let mut account = rule_of(camera, rule);
                account.disarmed_ms = day.counted_ms;
                day.rules.insert(place, account);
            }
        }
    }

    fn leave(&mut self, shelf: &mut dyn Shelf) {
        self.spells.clear();
        if let Some(day) = self.today.take() {
            shelf.put(day);
        }
    }
}

/// What an armed rule with this schedule is at this time.
fn state<'a>(schedule: Option<&Schedule>, disarmed: bool, sight: Option<&'a Sight>, at: Timestamp) -> State<'a> {
    if disarmed || sight == Some(&Sight::Disabled) || schedule.is_some_and(|schedule| !schedule.is_on(at)) {
        return State::Disarmed;
    }
    match sight {
        Some(Sight::Blind(cause)) => State::Blind(cause),
        Some(_) => State::Seeing,
        None => State::Blind(STARTING),
    }
}

/// A stretch that was counted as seen was blind.
fn take_back(day: &mut LedgerDay, place: &Place, cause: &str, seen: &Seen, spell: &mut Option<Spell>) {
    let (camera, rule) = place;
    if let Some(rule) = day.rules.iter_mut().find(|other| other.camera == *camera && other.rule == *rule) {
        let Seen { from, to, .. } = seen;
        count_again(rule, State::Blind(cause), from.wall, between(from.wall, to.wall), spell);
    }
}

/// Counts the rest of a day as this.
pub(super) fn complete(day: &mut LedgerDay, state: State<'_>) {
    add_to_all(day, state, day.length_ms.saturating_sub(day.counted_ms));
}

fn add_to_all(day: &mut LedgerDay, state: State<'_>, ms: u64) {
    let at = begins_plus(day.begins, day.counted_ms);
    for rule in &mut day.rules {
        count(rule, state, at, ms, &mut None);
    }
    day.counted_ms += ms;
}

fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(between(from, to))
}

fn begins_plus(begins: Timestamp, ms: u64) -> Timestamp {
    Stamp::after(begins, Duration::from_millis(ms)).wall
}

fn next_minute(at: Timestamp) -> Timestamp {
    let ms = at.as_millisecond();
    Timestamp::from_millisecond(ms - ms.rem_euclid(60_000) + 60_000).unwrap_or(Timestamp::MAX)
}

/// Without parts of milliseconds, so that sums are exact.
fn whole(at: Stamp) -> Stamp {
    let mono = Duration::from_millis(u64::try_from(at.mono.as_millis()).unwrap_or(u64::MAX));
    Stamp { mono, wall: Timestamp::from_millisecond(at.wall.as_millisecond()).unwrap_or(at.wall) }
}
