//! Ways through a place, at stated speeds, and what can be said of them: who is where, and who crosses what.

use glam::Vec2;

use crate::path::Path;

/// Times are judged in steps of this many seconds.
pub(super) const STEP: f32 = 0.02;

/// A way in the making.
#[derive(Clone, Debug)]
pub(super) struct Way(Vec<(f32, f32, f32)>);

impl Way {
    /// Begins at this time and place.
    pub(super) fn from(at: f32, x: f32, y: f32) -> Self {
        Self(vec![(at, x, y)])
    }

    /// Goes on to a place at a speed in metres a second.
    pub(super) fn to(mut self, speed: f32, x: f32, y: f32) -> Self {
        let (at, from_x, from_y) = self.last();
        self.0.push((at + Vec2::new(x - from_x, y - from_y).length() / speed, x, y));
        self
    }

    /// Stays until this time.
    pub(super) fn until(mut self, at: f32) -> Self {
        let (_, x, y) = self.last();
        self.0.push((at, x, y));
        self
    }

    fn last(&self) -> (f32, f32, f32) {
        self.0.last().copied().unwrap_or_default()
    }

    pub(super) fn path(&self) -> Path {
        Path::new(&self.0)
    }
}

/// The stays in a polygon within one loop: from, to.
pub(super) fn stays(path: &Path, period: f32, zone: &[Vec2]) -> Vec<(f32, f32)> {
    spans(period, |t| path.moment(t, period).is_some_and(|moment| inside(zone, moment.place)))
}

/// The times within one loop in which something holds.
pub(super) fn spans(period: f32, holds: impl Fn(f32) -> bool) -> Vec<(f32, f32)> {
    let mut found: Vec<(f32, f32)> = Vec::new();
    let mut open = false;
    for step in 0..(period / STEP).round() as u32 {
        let t = step as f32 * STEP;
        match (holds(t), open) {
            (true, false) => found.push((t, t)),
            (true, true) => {
                if let Some(last) = found.last_mut() {
                    last.1 = t;
                }
            }
            (false, _) => {}
        }
        open = holds(t);
    }
    found
}

/// The crossings of the line from `a` to `b` within one loop: when, and whether from its left to its right.
pub(super) fn crossings(path: &Path, period: f32, [a, b]: [Vec2; 2]) -> Vec<(f32, bool)> {
    let along = b - a;
    let side = |p: Vec2| along.perp_dot(p - a);
    let within = |p: Vec2| (0.0..=along.length_squared()).contains(&along.dot(p - a));
    let mut found = Vec::new();
    let mut before: Option<Vec2> = None;
    for step in 0..(period / STEP).round() as u32 {
        let t = step as f32 * STEP;
        let now = path.moment(t, period).map(|moment| moment.place);
        if let (Some(before), Some(now)) = (before, now)
            && (side(before) > 0.0) != (side(now) > 0.0)
            && within(now)
        {
            found.push((t, side(before) > 0.0));
        }
        before = now;
    }
    found
}

/// Even-odd rule (Shimrat 1962).
pub(super) fn inside(zone: &[Vec2], p: Vec2) -> bool {
    let edges = zone.iter().zip(zone.iter().cycle().skip(1));
    edges.filter(|(a, b)| (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x).count() % 2
        == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_keeps_its_speed_and_its_stay() {
        let way = Way::from(10.0, 0.0, 0.0).to(2.0, 6.0, 8.0).until(20.0);
        assert_eq!(way.last(), (20.0, 6.0, 8.0));
        let place = |t| way.path().moment(t, 60.0).map(|moment| moment.place);
        assert_eq!(place(15.0), Some(Vec2::new(6.0, 8.0)));
        assert_eq!(place(9.0), None);
    }

    #[test]
    fn stays_and_crossings_are_found() {
        let path = Way::from(10.0, -5.0, 1.0).to(1.0, 5.0, 1.0).path();
        let zone = [(-1.0, 0.0), (1.0, 0.0), (1.0, 2.0), (-1.0, 2.0)].map(Vec2::from);
        let stays = stays(&path, 60.0, &zone);
        assert_eq!(stays.len(), 1);
        assert!((stays[0].0 - 14.0).abs() < 0.05 && (stays[0].1 - 16.0).abs() < 0.05, "{stays:?}");
        // Upwards along the line: who comes from the left hand goes to the right hand.
        let crossed = crossings(&path, 60.0, [Vec2::ZERO, Vec2::new(0.0, 2.0)]);
        assert_eq!(crossed.len(), 1);
        assert!((crossed[0].0 - 15.0).abs() < 0.05 && crossed[0].1);
        assert!(crossings(&path, 60.0, [Vec2::ZERO, Vec2::new(0.0, 0.5)]).is_empty(), "beyond its end");
    }
}
