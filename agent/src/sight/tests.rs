use std::time::Duration;

use proptest::prelude::*;

use super::{wall::Wall, *};
use crate::vision::{Layout, Matrix, Range};

mod lasting;

/// A camera that is watched, in simulated time.
struct Watched {
    sight: Sight,
    wall: Wall,
    now: Duration,
    period: Duration,
}

impl Watched {
    /// Its view is learnt.
    fn new(wall: Wall, period_ms: u64) -> Self {
        let sight = Sight::new(SightSettings { learn: Duration::from_secs(30) }, None);
        let mut watched = Self { sight, wall, now: Duration::ZERO, period: Duration::from_millis(period_ms) };
        assert_eq!(watched.go_on(100), None);
        watched
    }

    /// The first change within so many seconds, and after how many.
    fn go_on(&mut self, seconds: u64) -> Option<(Option<Condition>, f64)> {
        let begin = self.now;
        while self.now < begin + Duration::from_secs(seconds) {
            self.now += self.period;
            let (sight, now) = (&mut self.sight, self.now);
            if self.wall.show(|picture| sight.picture(now, picture)) {
                return Some((self.sight.condition(), (self.now - begin).as_secs_f64()));
            }
        }
        None
    }

    fn becomes(&mut self, condition: Option<Condition>) {
        let (found, after) = self.go_on(20).expect("it is noticed");
        assert_eq!(found, condition);
        assert!(after <= 10.0, "{condition:?} after {after} s");
    }
}

#[test]
fn a_cover_is_noticed_within_ten_seconds_however_seldom_pictures_come() {
    for period_ms in [40, 500, 1000, 2000, 4000, 5000] {
        let mut watched = Watched::new(Wall::new(1), period_ms);
        watched.wall.covered = true;
        watched.becomes(Some(Condition::Covered));
        watched.wall.covered = false;
        watched.becomes(None);
    }
}

#[test]
fn a_cover_for_some_seconds_is_none() {
    let mut watched = Watched::new(Wall::new(1), 1000);
    watched.wall.covered = true;
    assert_eq!(watched.go_on(5), None);
    watched.wall.covered = false;
    assert_eq!(watched.go_on(60), None);
}

#[test]
fn a_turned_camera_is_noticed_and_a_change_of_light_is_not_one() {
    let mut watched = Watched::new(Wall::new(2), 1000);
    watched.wall.gain = 0.5;
    assert_eq!(watched.go_on(60), None);
    watched.wall.right = 16;
    watched.becomes(Some(Condition::Moved));
    watched.wall.right = 0;
    watched.becomes(None);
    watched.wall.right = 90;
    watched.becomes(Some(Condition::Moved));
}

#[test]
fn no_light_is_dark_and_too_much_is_white() {
    for (gain, condition) in [(0.02, Condition::Dark), (40.0, Condition::WashedOut)] {
        let mut watched = Watched::new(Wall::new(3), 1000);
        watched.wall.gain = gain;
        watched.becomes(Some(condition));
    }
}

#[test]
fn a_frozen_picture_is_noticed_where_there_was_noise_before() {
    let mut watched = Watched::new(Wall::new(4), 1000);
    watched.wall.noise = 0;
    watched.becomes(Some(Condition::Frozen));
    watched.wall.noise = 3;
    watched.becomes(None);
}

#[test]
fn a_still_scene_that_an_encoder_leaves_unchanged_is_not_frozen() {
    let mut wall = Wall::new(5);
    wall.noise = 0;
    let mut watched = Watched::new(wall, 1000);
    assert_eq!(watched.go_on(600), None);
    // A person, and all is still again.
    watched.wall.boxes.push([100, 60, 30, 80, 20]);
    assert_eq!(watched.go_on(600), None);
}

#[test]
fn a_camera_that_was_turned_while_nobody_watched_is_noticed() {
    let before = Watched::new(Wall::new(6), 1000);
    let json = before.sight.memory().unwrap().to_json();
    assert!(json.len() < 200_000, "{} bytes", json.len());
    for (right, condition) in [(0, None), (60, Some(Condition::Moved))] {
        let memory = Memory::from_json(&json).unwrap();
        let mut wall = Wall::new(6);
        wall.right = right;
        let sight = Sight::new(SightSettings::default(), Some(memory));
        let mut after = Watched { sight, wall, now: Duration::from_secs(7), period: Duration::from_secs(1) };
        assert_eq!(after.go_on(10).and_then(|(condition, _)| condition), condition);
    }
}

#[test]
fn it_is_known_until_when_all_was_well() {
    let mut watched = Watched::new(Wall::new(1), 1000);
    let (good, second) = (watched.now, Duration::from_secs(1));
    watched.wall.covered = true;
    watched.becomes(Some(Condition::Covered));
    assert_eq!(watched.sight.well_until(), Some(good));
    watched.wall.covered = false;
    watched.becomes(None);
    assert_eq!(watched.sight.well_until(), Some(watched.now));
    watched.go_on(60);
    // The first copy comes a second after the last picture of its own.
    watched.wall.noise = 0;
    let fresh = watched.now + second;
    watched.becomes(Some(Condition::Frozen));
    assert_eq!(watched.sight.well_until(), Some(fresh));
}

#[test]
fn what_was_learnt_is_kept_at_once_and_then_every_hour() {
    let mut watched = Watched::new(Wall::new(7), 1000);
    let at = Duration::from_secs;
    assert!(watched.sight.to_keep(at(100)).is_some());
    assert!(watched.sight.to_keep(at(3699)).is_none());
    assert!(watched.sight.to_keep(at(3700)).is_some());
}

#[test]
fn a_damaged_memory_is_none() {
    let json = Watched::new(Wall::new(8), 1000).sight.memory().unwrap().to_json();
    assert!(Memory::from_json(&json).is_some());
    for (from, to) in
        [("\"width\":160", "\"width\":161"), ("\"re\":\"", "\"re\":\"AAAA"), ("\"cells\":[[", "\"cells\":[[0,0,0,0],[")]
    {
        assert!(json.contains(from), "{from}");
        assert_eq!(Memory::from_json(&json.replacen(from, to, 1)), None, "{to}");
    }
}

#[test]
fn conditions_have_the_words_of_the_wire() {
    for condition in Condition::ALL {
        let text = format!("\"{}\"", condition.as_str());
        assert!(serde_json::from_str::<karaul_wire::BlindReason>(&text).is_ok(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_picture_of_any_size_and_no_time_is_too_much(
        sizes in proptest::collection::vec((1_usize..400, 1_usize..300, 0_u64..100_000), 1..8),
        seed in any::<u64>(),
    ) {
        let mut sight = Sight::new(SightSettings { learn: Duration::from_secs(1) }, None);
        let mut random = fastrand::Rng::with_seed(seed);
        for (width, height, ms) in sizes {
            let rgb: Vec<u8> = (0..3 * width * height).map(|_| random.u8(..)).collect();
            let layout = Layout::Rgb { rgb: &rgb, stride: 3 * width };
            let planes = Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 };
            sight.picture(Duration::from_millis(ms), &planes);
        }
    }

    #[test]
    fn no_text_is_too_much(text in "\\PC{0,200}") {
        prop_assert!(Memory::from_json(&text).is_none());
    }
}
