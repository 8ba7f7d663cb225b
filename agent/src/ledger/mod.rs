//! The blind-time ledger: for each rule of each camera, how long it was armed and really seeing, and how long it was
//! blind and why. It never claims what it does not know: time in which the agent did not run is `off`, time of which
//! the record was lost, or that a step of the clock left out, is `unknown`, and neither is seeing.
//!
//! The accounts are pure (`book`, `account`, `calendar`); `files` keeps one small file per day. It is no database:
//! a day is written whole once a minute and read by its name, and one that is damaged costs no other.

mod account;
mod book;
mod calendar;
mod files;
mod hindsight;
mod record;
mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{civil::Date, tz::TimeZone};
use karaul_wire::{LedgerDay, LedgerTest, Segment};
use uuid::Uuid;

use self::{
    book::{Book, Shelf as _, Source as _},
    calendar::Calendar,
    files::{Content, Files},
};
pub(crate) use self::{
    book::{Place, STARTING, Sight},
    record::{Record, Wanted, read},
    table::table,
};
use crate::{
    clock::{Clock, Stamp},
    config::Config,
};

/// Its folder within the storage folder.
pub(crate) const FOLDER: &str = "ledger";

/// How often the present day is written.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// After a change no sooner than this after the last time.
const WRITE_AFTER_CHANGE: Duration = Duration::from_secs(10);
/// More changes do not wait to be counted: what comes then replaces the latest of its camera.
const MOST_NEWS: usize = 1024;
/// More tests are not kept on a day.
const MOST_TESTS: usize = 48;

/// A camera is something else.
struct News {
    at: Stamp,
    camera: Segment,
    sight: Sight,
    /// Since when it is blind, on the monotonic time line, if that was found out later.
    since: Option<Duration>,
}

/// What cameras have told.
#[derive(Default)]
struct Board {
    /// What each of them is.
    latest: BTreeMap<Segment, Sight>,
    /// Not counted yet.
    news: Vec<News>,
}

/// See the [module](self). The threads of cameras tell it what they are and never wait for its disk.
pub(crate) struct Ledger {
    clock: Arc<dyn Clock>,
    boot_id: Option<Uuid>,
    news: Mutex<Board>,
    clerk: Mutex<Clerk>,
}

struct Clerk {
    book: Book,
    files: Files,
    /// When it was written last, on the monotonic time line.
    written: Option<Duration>,
    /// A state has changed since.
    changed: bool,
    /// The latest scheduled test, once it has been looked for.
    last_test: Option<Option<LedgerTest>>,
}

impl Ledger {
    /// The ledger in the storage folder. Nothing is read or counted before its rules are
    /// [taken up](Self::take_up).
    pub(crate) fn new(storage: &Path, clock: Arc<dyn Clock>, boot_id: Option<Uuid>) -> Self {
        let book = Book::new(Calendar::new(&TimeZone::UTC));
        let clerk =
            Clerk { book, files: Files::new(storage.join(FOLDER)), written: None, changed: false, last_test: None };
        Self { clock, boot_id, news: Mutex::default(), clerk: Mutex::new(clerk) }
    }

    /// These rules there are from now on. The first time it goes on where the run before ended. A disk that takes
    /// nothing is said, and the ledger goes on in memory.
    pub(crate) fn take_up(&self, config: &Config) {
        let mut clerk = self.clerk();
        self.count(&mut clerk);
        let Clerk { book, files, changed, .. } = &mut *clerk;
        let rules = rules(config);
        // A camera without rules begins anew if it gets some, here as in the book.
        lock(&self.news).latest.retain(|camera, _| rules.keys().any(|(other, _)| other == camera));
        book.set_rules(Calendar::new(&config.site.time_zone), rules);
        *changed = true;
        if book.is_open() {
            return;
        }
        let now = self.clock.now();
        let latest = files.latest(book.calendar().date(now.wall));
        // Where the latest record is lost, nobody knows when the run before ended.
        let mark = latest.and_then(|content| content.mark).filter(|_| !files.has_lost());
        book.open(now, mark.as_ref(), self.boot_id, files);
        files.prune();
    }

    /// A camera is this from now on. Where a blindness was found out only after a while, `since` is when its last good
    /// picture was, on the monotonic time line: it counts as blind from there, also over midnight.
    pub(crate) fn sees(&self, camera: &Segment, sight: Sight, since: Option<Duration>) {
        let mut board = lock(&self.news);
        if board.latest.get(camera) == Some(&sight) {
            return;
        }
        board.latest.insert(camera.clone(), sight.clone());
        if board.news.len() >= MOST_NEWS
            && let Some(last) = board.news.iter_mut().rev().find(|old| old.camera == *camera)
        {
            (last.sight, last.since) = (sight, since.or(last.since));
            return;
        }
        // Within the lock, so that they are in order.
        let at = self.clock.now();
        board.news.push(News { at, camera: camera.clone(), sight, since });
    }

    /// Counts, and writes if it is time. `disarmed` are the rules that commands or the mode of the site have disarmed. To be
    /// called once a second.
    pub(crate) fn tend(&self, disarmed: BTreeSet<Place>) {
        let mut clerk = self.clerk();
        let before = clerk.book.today().map(|day| day.date);
        self.count(&mut clerk);
        clerk.book.set_disarmed(disarmed);
        let turned = before != clerk.book.today().map(|day| day.date);
        let since = clerk.written.map(|written| self.clock.now().mono.saturating_sub(written));
        let patience = if clerk.changed { WRITE_AFTER_CHANGE } else { WRITE_EVERY };
        if turned || since.is_none_or(|since| since >= patience) {
            self.write(&mut clerk);
        }
        if turned {
            clerk.files.prune();
        }
    }

    /// Counts and writes: from now on it is off.
    pub(crate) fn close(&self) {
        let mut clerk = self.clerk();
        self.count(&mut clerk);
        self.write(&mut clerk);
    }

    /// Why the disk takes nothing at present, in one sentence.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.clerk().files.trouble().map(str::to_owned)
    }

    /// These days, as far as there is anything on record; the present one as far as it has come.
    pub(crate) fn days(&self, days: RangeInclusive<Date>) -> Vec<LedgerDay> {
        let mut clerk = self.clerk();
        self.count(&mut clerk);
        let Clerk { book, files, .. } = &mut *clerk;
        let today = book.today().cloned();
        record::days(days, today.as_ref(), files)
    }

    /// Another one whenever another day is [`yesterday`](Self::yesterday), or something else has come out about it.
    pub(crate) fn edition(&self) -> Option<(Date, u64)> {
        let clerk = self.clerk();
        clerk.book.today().map(|day| (day.date, clerk.book.revisions()))
    }

    /// The day before the present one, if there is anything on record.
    pub(crate) fn yesterday(&self) -> Option<LedgerDay> {
        let today = self.clerk().book.today()?.date;
        let yesterday = today.yesterday().ok()?;
        self.days(yesterday..=yesterday).pop()
    }

    /// The latest scheduled test, of this day or the one before.
    pub(crate) fn last_test(&self) -> Option<LedgerTest> {
        let mut clerk = self.clerk();
        let Clerk { book, files, last_test, .. } = &mut *clerk;
        let today = book.today()?;
        let look = || today.tests.last().cloned().or_else(|| files.latest_before(today.date)?.tests.last().cloned());
        last_test.get_or_insert_with(look).clone()
    }

    /// Enters a test, or what came of one that was entered.
    pub(crate) fn enter_test(&self, test: &LedgerTest) {
        let mut clerk = self.clerk();
        self.count(&mut clerk);
        clerk.changed = true;
        clerk.last_test = Some(Some(test.clone()));
        let same = |other: &LedgerTest| other.at == test.at;
        let Clerk { book, files, .. } = &mut *clerk;
        let Some(today) = book.today_mut() else { return };
        if let Some(known) = today.tests.iter_mut().find(|other| same(other)) {
            known.clone_from(test);
        } else if today.begins <= test.at {
            if today.tests.len() >= MOST_TESTS {
                today.tests.remove(0);
            }
            today.tests.push(test.clone());
        } else if let Some(mut day) = files.latest_before(today.date)
            && let Some(known) = day.tests.iter_mut().find(|other| same(other))
        {
            // It was begun before midnight.
            known.clone_from(test);
            files.put(day);
        }
        // Once or twice a day, and a restart must not begin it again.
        self.write(&mut clerk);
    }

    fn count(&self, clerk: &mut Clerk) {
        let news = std::mem::take(&mut lock(&self.news).news);
        let Clerk { book, files, changed, .. } = clerk;
        for News { at, camera, sight, since } in news {
            book.advance(at, files);
            if let (Sight::Blind(cause), Some(since)) = (&sight, since) {
                book.take_back(&camera, cause, since, files);
            }
            book.set_camera(camera, sight);
            *changed = true;
        }
        book.advance(self.clock.now(), files);
    }

    fn write(&self, clerk: &mut Clerk) {
        let Clerk { book, files, written, changed, .. } = clerk;
        if let (Some(day), Some(mark)) = (book.today(), book.mark(self.boot_id)) {
            files.write(Content { mark: Some(mark), day: day.clone() });
        }
        *written = Some(self.clock.now().mono);
        *changed = false;
    }

    fn clerk(&self) -> MutexGuard<'_, Clerk> {
        lock(&self.clerk)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rules(config: &Config) -> BTreeMap<Place, Option<Arc<crate::config::Schedule>>> {
    let of = |camera: &crate::config::Camera| {
        let id = camera.id.clone();
        camera.rules.iter().map(move |rule| ((id.clone(), rule.id.clone()), rule.schedule.clone())).collect::<Vec<_>>()
    };
    config.cameras.iter().flat_map(of).collect()
}
