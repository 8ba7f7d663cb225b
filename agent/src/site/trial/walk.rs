//! How an object has to walk so that a rule fires.

use crate::{
    config::{Direction, Filter, Rule, RuleKind},
    rules::geometry::{Point, Polygon},
    vision::Rect,
};

/// Usual width and height of somebody at some distance, in shares of the picture.
const SIZE: [f32; 2] = [0.08, 0.16];
/// A step from one picture to the next, in shares of the object's own size: a tracker has to follow it.
const STEP: f32 = 0.12;
/// More pictures of walking are not made.
const MOST_STEPS: usize = 20_000;
/// Pictures after the moment in which the rule has to fire at the latest: an observation takes two.
const AFTER: usize = 4;
/// Points of a zone are tried on a grid so fine.
const GRID: usize = 48;

/// The object's boxes, picture by picture, at so many pictures a second. It fires the rule unless the rule wants
/// what cannot be.
pub(super) fn walk(rule: &Rule, per_second: f64) -> Vec<Rect> {
    let size = size(&rule.filter);
    // Both axes are shares, so the picture's diagonal has the length sqrt(2).
    let travel = rule.filter.min_travel * std::f32::consts::SQRT_2 * 1.05;
    let (start, through, stay) = match &rule.kind {
        RuleKind::Intrusion { polygon, dwell, .. } => {
            let target = middle(polygon);
            let far = corners().into_iter().max_by(|a, b| distance(*a, target).total_cmp(&distance(*b, target)));
            let start = far.map_or(target, |far| towards(target, far, travel));
            (start, target, (dwell.as_secs_f64() * per_second).ceil() as usize)
        }
        RuleKind::LineCrossing { points, direction, .. } => {
            let (from, to) = across(*points, *direction, travel);
            (from, to, 0)
        }
    };
    let length = [(through.x - start.x).abs() / size[0], (through.y - start.y).abs() / size[1]];
    let steps = ((length[0].max(length[1]) / STEP).ceil() as usize).min(MOST_STEPS);
    let at = |share: f32| Point::new(lerp(start.x, through.x, share), lerp(start.y, through.y, share));
    let way = (0..=steps).map(|step| if steps == 0 { through } else { at(step as f32 / steps as f32) });
    let boxes = way.chain(std::iter::repeat_n(through, stay + AFTER));
    boxes.map(|foot| Rect { x: foot.x - size[0] / 2.0, y: foot.y - size[1], w: size[0], h: size[1] }).collect()
}

/// A size that the filter lets pass, with some room on both sides, as near to the usual as can be.
fn size(filter: &Filter) -> [f32; 2] {
    std::array::from_fn(|axis| {
        let (min, max) = (filter.min_size[axis], filter.max_size[axis].max(filter.min_size[axis]));
        let room = (max - min) * 0.05;
        SIZE[axis].clamp(min + room, max - room).max(1e-4)
    })
}

/// The point of a zone that is farthest from its border, of those on a grid.
fn middle(polygon: &Polygon) -> Point {
    let corners = polygon.corners();
    let bounds = |value: fn(&Point) -> f32| {
        corners.iter().map(value).fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
    };
    let ((left, right), (top, bottom)) = (bounds(|p| p.x), bounds(|p| p.y));
    let share = |i: usize| (i as f32 + 0.5) / GRID as f32;
    let grid =
        (0..GRID * GRID).map(|i| Point::new(lerp(left, right, share(i % GRID)), lerp(top, bottom, share(i / GRID))));
    let room = |p: Point| {
        let side = |i: usize| to_segment(p, corners[i], corners[(i + 1) % corners.len()]);
        (0..corners.len()).map(side).fold(f32::MAX, f32::min)
    };
    let inside = grid.filter(|p| polygon.contains(*p));
    // A zone that is thinner than the grid: its border belongs to it.
    inside.max_by(|a, b| room(*a).total_cmp(&room(*b))).unwrap_or(corners[0])
}

/// Where the way across a line begins and ends: through the point of it that leaves most room, from at least
/// `travel` away.
fn across([a, b]: [Point; 2], direction: Direction, travel: f32) -> (Point, Point) {
    /// As far as an object is taken beyond the line.
    const BEYOND: f32 = 0.15;
    let length = distance(a, b).max(1e-6);
    // To the right as seen from the first point towards the second, with y down.
    let right = Point::new(-(b.y - a.y) / length, (b.x - a.x) / length);
    let way = if direction == Direction::RightToLeft { Point::new(-right.x, -right.y) } else { right };
    let go = |p: Point, by: f32| Point::new((p.x + way.x * by).clamp(0.0, 1.0), (p.y + way.y * by).clamp(0.0, 1.0));
    let crossings = [0.5, 0.3, 0.7, 0.15, 0.85].map(|share| Point::new(lerp(a.x, b.x, share), lerp(a.y, b.y, share)));
    let room = |p: &Point| distance(go(*p, -BEYOND), *p).min(distance(go(*p, BEYOND), *p));
    let best = crossings.into_iter().max_by(|p, q| room(p).total_cmp(&room(q))).unwrap_or(a);
    (go(best, -travel.max(BEYOND)), go(best, BEYOND))
}

fn corners() -> [Point; 4] {
    [Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(0.0, 1.0), Point::new(1.0, 1.0)]
}

/// The point so far from `from` on the way to `to`, at most there.
fn towards(from: Point, to: Point, by: f32) -> Point {
    let share = (by / distance(from, to).max(1e-6)).min(1.0);
    Point::new(lerp(from.x, to.x, share), lerp(from.y, to.y, share))
}

fn lerp(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

fn to_segment(p: Point, a: Point, b: Point) -> f32 {
    let (x, y) = (b.x - a.x, b.y - a.y);
    let along = ((p.x - a.x) * x + (p.y - a.y) * y) / (x * x + y * y).max(1e-12);
    distance(p, towards(a, b, along.clamp(0.0, 1.0) * distance(a, b)))
}
