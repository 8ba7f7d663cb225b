//! Where something is, when, and which way it faces.

use glam::Vec2;

/// A place to be at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waypoint {
    /// Seconds from the start of the loop; may lie before 0 or past the end for a way that spans the seam.
    pub(crate) at: f32,
    /// Metres on the ground.
    pub(crate) place: Vec2,
}

/// Straight, even movement from waypoint to waypoint; equal places are a stay.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    points: Vec<Waypoint>,
}

/// The state of something on its path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The time on the path: outside the loop where the path spans the seam.
    pub(crate) at: f32,
    pub(crate) place: Vec2,
    /// Unit vector.
    pub(crate) heading: Vec2,
    /// Metres walked since the first waypoint.
    pub(crate) travelled: f32,
    /// Metres a second.
    pub(crate) speed: f32,
}

/// Turns and starts are spread over this many seconds before and after.
const SMOOTH: f32 = 0.35;

impl Path {
    /// `points` are (seconds, x, y), at least two, in order of time.
    pub(crate) fn new(points: &[(f32, f32, f32)]) -> Self {
        Self { points: points.iter().map(|&(at, x, y)| Waypoint { at, place: Vec2::new(x, y) }).collect() }
    }

    /// The moment at `time` seconds of a loop of `period` seconds; `None` while nobody is on the path.
    pub(crate) fn moment(&self, time: f32, period: f32) -> Option<Moment> {
        let (first, last) = (self.points.first()?.at, self.points.last()?.at);
        let time = [time, time - period, time + period].into_iter().find(|t| (first..=last).contains(t))?;
        let (before, after) = (self.position(time - SMOOTH), self.position(time + SMOOTH));
        let step = after.0 - before.0;
        let heading = if step.length() > 0.02 { step } else { self.last_direction(time) };
        let (place, travelled) = self.position(time);
        Some(Moment {
            at: time,
            place,
            heading: heading.normalize_or(Vec2::Y),
            travelled,
            speed: (after.1 - before.1) / (2.0 * SMOOTH),
        })
    }

    /// Total length in metres.
    pub(crate) fn length(&self) -> f32 {
        self.position(f32::MAX).1
    }

    fn position(&self, time: f32) -> (Vec2, f32) {
        let mut travelled = 0.0;
        for pair in self.points.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let step = b.place - a.place;
            if time < b.at {
                let share = ((time - a.at) / (b.at - a.at)).max(0.0);
                return (a.place + step * share, travelled + step.length() * share);
            }
            travelled += step.length();
        }
        (self.points.last().map_or(Vec2::ZERO, |p| p.place), travelled)
    }

    /// The direction of the last movement before `time`, or of the first after it.
    fn last_direction(&self, time: f32) -> Vec2 {
        let moves = || self.points.windows(2).filter(|p| p[0].place.distance(p[1].place) > 0.02);
        let direction = |p: &[Waypoint]| p[1].place - p[0].place;
        moves().rfind(|p| p[0].at <= time).or_else(|| moves().next()).map_or(Vec2::Y, direction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stay_keeps_place_and_heading() {
        let path = Path::new(&[(0.0, 0.0, 0.0), (2.0, 3.0, 0.0), (6.0, 3.0, 0.0), (8.0, 3.0, 5.0)]);
        let moment = path.moment(4.0, 60.0).expect("on the path");
        assert_eq!((moment.place, moment.heading, moment.speed), (Vec2::new(3.0, 0.0), Vec2::X, 0.0));
        assert!(path.moment(9.0, 60.0).is_none());
        assert_eq!(path.length(), 8.0);
    }

    #[test]
    fn a_path_may_span_the_seam_of_the_loop() {
        let path = Path::new(&[(-4.0, 0.0, 0.0), (4.0, 8.0, 0.0)]);
        let (before, after) = (path.moment(59.0, 60.0), path.moment(1.0, 60.0));
        assert_eq!(before.map(|m| m.place.x), Some(3.0));
        assert_eq!(after.map(|m| m.place.x), Some(5.0));
    }

    proptest! {
        #[test]
        fn nobody_jumps(time in 0.0_f32..7.9) {
            let path = Path::new(&[(0.0, 0.0, 0.0), (2.0, 3.0, 1.0), (6.0, 3.0, 1.0), (8.0, 1.0, 5.0)]);
            let (a, b) = (path.moment(time, 60.0).expect("on it"), path.moment(time + 0.05, 60.0).expect("on it"));
            prop_assert!(a.place.distance(b.place) < 0.12);
        }
    }
}
