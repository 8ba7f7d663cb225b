//! Whatever happens, the accounts of each rule add up to the day, and nothing is seen that was not.

use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::{super::book::Sight, *};

#[derive(Clone, Debug)]
enum Event {
    Pass(u32),
    StandStill(u32),
    Camera(u8),
    Step(i64),
    /// A new run, after so many seconds; the mark of the last so many seconds is lost, or all of it.
    Restart {
        off: u32,
        same_boot: bool,
        mark: bool,
    },
    Rules(u8),
    Disarm(bool),
    Zone(bool),
    /// The camera turns out to have been blind for so long.
    TakeBack(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (1..30_000u32).prop_map(Event::Pass),
        1 => (31_000..40_000_000u32).prop_map(Event::StandStill),
        4 => (0..4u8).prop_map(Event::Camera),
        1 => prop_oneof![-90_000_000..-1_001i64, 1_001..90_000_000i64, Just(-400 * 86_400_000)].prop_map(Event::Step),
        1 => (0..200_000_000u32, any::<bool>(), any::<bool>())
            .prop_map(|(off, same_boot, mark)| Event::Restart { off, same_boot, mark }),
        1 => (0..3u8).prop_map(Event::Rules),
        1 => any::<bool>().prop_map(Event::Disarm),
        1 => any::<bool>().prop_map(Event::Zone),
        2 => (0..170_000u32).prop_map(Event::TakeBack),
    ]
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

struct World {
    desk: Desk,
    zone: &'static str,
    sight: Sight,
    boot: u128,
    disarmed: bool,
    /// When `always` was really seeing, on the monotonic time line, as far as that can still turn out otherwise.
    seen: Vec<(Duration, Duration)>,
    /// For how long before that.
    certain: Duration,
}

impl World {
    fn new() -> Self {
        let zone = "Europe/Berlin";
        let desk = Desk::new(zone, "2026-10-24T20:13:07.123Z");
        Self { desk, zone, sight: Sight::Disabled, boot: 1, disarmed: false, seen: Vec::new(), certain: Duration::ZERO }
    }

    fn rules(&self, which: u8) -> BTreeMap<Place, Option<Arc<Schedule>>> {
        let mut rules = rules(self.zone);
        match which {
            0 => {}
            1 => _ = rules.remove(&place("night")),
            _ => _ = rules.insert(place("new"), None),
        }
        rules
    }

    /// Nothing of what was seen can turn out otherwise any more.
    fn settle(&mut self) {
        self.certain = self.really_seen();
        self.seen.clear();
    }

    fn really_seen(&self) -> Duration {
        self.certain + self.seen.iter().map(|(from, to)| *to - *from).sum::<Duration>()
    }

    fn happen(&mut self, event: &Event) {
        let desk = &mut self.desk;
        match *event {
            Event::Pass(by) => {
                let from = desk.now.mono;
                desk.pass(ms(by));
                if self.sight == Sight::Seeing && !self.disarmed {
                    self.seen.push((from, desk.now.mono));
                }
            }
            Event::StandStill(by) => desk.pass(ms(by)),
            Event::Camera(which) => {
                self.sight = match which {
                    0 => Sight::Disabled,
                    1 => Sight::Blind("offline".to_owned()),
                    _ => Sight::Seeing,
                };
                desk.book.set_camera(id("gate"), self.sight.clone());
            }
            Event::Step(by) => {
                desk.now.wall = Timestamp::from_millisecond(desk.now.wall.as_millisecond() + by).unwrap();
                desk.book.advance(desk.now, &mut desk.shelf);
            }
            Event::Restart { off, same_boot, mark } => {
                let old = desk.book.mark(Some(Uuid::from_u128(self.boot)));
                desk.shelf.put(desk.book.today().unwrap().clone());
                self.boot += u128::from(!same_boot);
                let mono = if same_boot { desk.now.mono } else { Duration::ZERO };
                desk.now = Stamp { mono: mono + ms(off), wall: Stamp::after(desk.now.wall, ms(off)).wall };
                let mut book = Book::new(calendar(self.zone));
                book.set_rules(calendar(self.zone), rules(self.zone));
                let boot = Some(Uuid::from_u128(self.boot));
                book.open(desk.now, old.as_ref().filter(|_| mark), boot, &mut desk.shelf);
                desk.book = book;
                (self.sight, self.disarmed) = (Sight::Disabled, false);
                desk.book.set_camera(id("gate"), Sight::Disabled);
                self.settle();
            }
            Event::Rules(which) => {
                let rules = self.rules(which);
                self.desk.book.set_rules(calendar(self.zone), rules);
            }
            Event::Disarm(disarmed) => {
                self.disarmed = disarmed;
                let places = if disarmed { [place("always")].into() } else { [].into() };
                desk.book.set_disarmed(places);
            }
            Event::Zone(east) => {
                let zone = if east { "Asia/Almaty" } else { "Europe/Berlin" };
                if zone != self.zone {
                    self.zone = zone;
                    self.settle();
                }
                let rules = self.rules(0);
                self.desk.book.set_rules(calendar(self.zone), rules);
            }
            Event::TakeBack(by) => {
                let since = desk.now.mono.saturating_sub(ms(by));
                desk.book.take_back(&id("gate"), "frozen", since, &mut desk.shelf);
                self.sight = Sight::Blind("frozen".to_owned());
                desk.book.set_camera(id("gate"), self.sight.clone());
                for (from, to) in &mut self.seen {
                    *to = (*to).min(since).max(*from);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn accounts_add_up_to_the_day(events in prop::collection::vec(event(), 1..80)) {
        let mut world = World::new();
        world.desk.book.set_camera(id("gate"), Sight::Disabled);
        for event in &events {
            world.happen(event);
            let today = world.desk.book.today().unwrap();
            for day in world.desk.shelf.0.values().filter(|day| day.date != today.date).chain([today]) {
                prop_assert!(day.counted_ms <= day.length_ms);
                for rule in &day.rules {
                    prop_assert_eq!(rule.counted_ms(), day.counted_ms, "{:?} of {}", rule, day.date);
                    for blind in rule.blind.values() {
                        prop_assert!(blind.longest_ms <= blind.total_ms && blind.spells >= 1);
                    }
                }
            }
        }
        // Read as others read it: what is over is whole.
        let today = world.desk.book.today().cloned();
        let range = date("2025-01-01")..=date("2027-12-31");
        let days = super::super::record::days(range, today.as_ref(), &mut world.desk.shelf);
        let mut seen = 0;
        for day in &days {
            let over = day.date < today.as_ref().unwrap().date;
            prop_assert!(!over || day.counted_ms == day.length_ms, "{}", day.date);
            for rule in &day.rules {
                prop_assert_eq!(rule.counted_ms(), day.counted_ms);
            }
            seen += day.rules.iter().filter(|rule| rule.rule == id("always")).map(|rule| rule.seeing_ms).sum::<u64>();
        }
        let really = world.really_seen();
        prop_assert!(u128::from(seen) <= really.as_millis(), "{seen} of {really:?}");
    }
}
