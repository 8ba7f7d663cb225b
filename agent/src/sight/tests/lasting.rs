//! What stays, though the picture changes.

use super::*;

/// In colour, as by day.
fn by_day(seed: u64) -> Watched {
    let mut wall = Wall::new(seed);
    wall.chroma = 140;
    Watched::new(wall, 1000)
}

impl Watched {
    fn by_night(&mut self) {
        (self.wall.chroma, self.wall.gain) = (128, 0.6);
    }

    fn stays(&mut self, condition: Option<Condition>, seconds: u64) {
        assert_eq!(self.go_on(seconds), None, "it was {condition:?}");
        assert_eq!(self.sight.condition(), condition);
    }

    /// What another run makes of what this one has kept.
    fn again(&self) -> Self {
        let memory = Memory::from_json(&self.sight.memory().unwrap().to_json()).unwrap();
        let sight = Sight::new(SightSettings { learn: Duration::from_secs(30) }, Some(memory));
        Self { sight, wall: self.wall.clone(), now: Duration::from_secs(7), period: self.period }
    }
}

#[test]
fn a_turned_camera_stays_turned_in_a_light_that_nobody_knows() {
    let mut watched = by_day(1);
    watched.wall.right = 90;
    watched.becomes(Some(Condition::Moved));
    watched.by_night();
    watched.stays(Some(Condition::Moved), 300);
    // The next day; and the turned view was not learnt as the one by night.
    (watched.wall.chroma, watched.wall.gain, watched.wall.right) = (140, 1.0, 0);
    watched.becomes(None);
    watched.by_night();
    watched.stays(None, 300);
    watched.wall.right = 90;
    watched.becomes(Some(Condition::Moved));
}

#[test]
fn a_turned_camera_stays_turned_in_the_dark_and_over_a_restart() {
    let mut watched = by_day(2);
    watched.wall.right = 90;
    watched.becomes(Some(Condition::Moved));
    watched.wall.gain = 0.02;
    watched.becomes(Some(Condition::Dark));
    watched.by_night();
    watched.becomes(Some(Condition::Moved));
    watched.stays(Some(Condition::Moved), 100);
    let mut again = watched.again();
    again.becomes(Some(Condition::Moved));
    (again.wall.chroma, again.wall.gain, again.wall.right) = (140, 1.0, 0);
    again.becomes(None);
    again.by_night();
    again.stays(None, 100);
}

#[test]
fn a_camera_that_was_turned_back_while_nobody_watched_is_well() {
    let mut watched = by_day(3);
    watched.wall.right = 90;
    watched.becomes(Some(Condition::Moved));
    watched.wall.right = 0;
    let mut again = watched.again();
    again.stays(None, 30);
    again.by_night();
    again.stays(None, 100);
}

#[test]
fn a_turned_camera_stays_turned_whatever_the_size_of_its_picture() {
    let mut watched = by_day(4);
    watched.wall.right = 90;
    watched.becomes(Some(Condition::Moved));
    watched.wall.rows = 160;
    watched.stays(Some(Condition::Moved), 300);
    // And what was learnt at the old size is still known.
    watched.wall.rows = 180;
    watched.stays(Some(Condition::Moved), 30);
    watched.wall.right = 0;
    watched.becomes(None);
}

#[test]
fn each_size_of_picture_has_a_view_of_its_own() {
    let mut watched = by_day(5);
    watched.wall.rows = 160;
    watched.stays(None, 100);
    let mut again = watched.again();
    for rows in [180, 160] {
        again.wall.rows = rows;
        again.stays(None, 30);
        again.wall.right = 90;
        again.becomes(Some(Condition::Moved));
        again.wall.right = 0;
        again.becomes(None);
    }
}

#[test]
fn what_shows_nothing_is_not_called_frozen_as_well() {
    for (gain, covered, condition) in
        [(0.02, false, Condition::Dark), (40.0, false, Condition::WashedOut), (1.0, true, Condition::Covered)]
    {
        let mut watched = Watched::new(Wall::new(6), 1000);
        (watched.wall.gain, watched.wall.covered, watched.wall.noise) = (gain, covered, 0);
        watched.becomes(Some(condition));
        watched.stays(Some(condition), 300);
    }
}

#[test]
fn a_freeze_is_noticed_though_all_stood_still_while_it_was_dark() {
    let mut wall = Wall::new(7);
    (wall.gain, wall.noise) = (0.02, 0);
    let sight = Sight::new(SightSettings { learn: Duration::from_secs(30) }, None);
    let mut watched = Watched { sight, wall, now: Duration::ZERO, period: Duration::from_secs(1) };
    watched.becomes(Some(Condition::Dark));
    watched.stays(Some(Condition::Dark), 300);
    (watched.wall.gain, watched.wall.noise) = (1.0, 3);
    watched.becomes(None);
    watched.stays(None, 120);
    watched.wall.noise = 0;
    watched.becomes(Some(Condition::Frozen));
    watched.wall.noise = 3;
    watched.becomes(None);
    // It has learnt nothing from that.
    watched.stays(None, 120);
    watched.wall.noise = 0;
    watched.becomes(Some(Condition::Frozen));
}

#[test]
fn a_freeze_and_a_cover_are_noticed_where_looks_are_far_apart() {
    for seconds in [10, 30] {
        let mut watched = Watched::new(Wall::new(8), 1000);
        watched.period = Duration::from_secs(seconds);
        watched.stays(None, 900);
        watched.wall.noise = 0;
        let (condition, after) = watched.go_on(200).expect("the freeze is noticed");
        assert_eq!(condition, Some(Condition::Frozen));
        assert!(after <= 64.0 + 2.0 * seconds as f64, "after {after} s");
        watched.wall.noise = 3;
        assert_eq!(watched.go_on(100).unwrap().0, None);
        watched.wall.covered = true;
        let (condition, after) = watched.go_on(100).expect("the cover is noticed");
        assert_eq!(condition, Some(Condition::Covered));
        assert!(after <= 2.0 * seconds as f64, "after {after} s");
    }
}
