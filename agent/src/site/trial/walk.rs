//! How an object has to walk so that a rule fires.

use std::time::Duration;

use crate::{
    config::{Direction, Distance, Filter, Rule, RuleKind, Zone},
    rules::geometry::{Point, Polygon, Polyline},
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
/// A foot is no lower in the picture, or its border would cut the object off.
const LOWEST: f32 = 0.97;
/// Points of a zone are tried on a grid so fine.
const GRID: usize = 48;

/// A vehicle or a lying person that has come to its place has begun to stand or lie there so long after at the latest.
const SETTLES: Duration = Duration::from_secs(2);
/// So much more than what the rule asks for.
const MORE: f32 = 1.3;

/// The object's boxes, picture by picture, at so many pictures a second. It fires the rule unless the rule wants
/// what cannot be.
///
/// `None` if the rule is of a kind that one object alone cannot fire, or asks for what cannot be told of an object that
/// is nowhere: metres on the ground.
pub(super) fn walk(rule: &Rule, per_second: f64) -> Option<Vec<Rect>> {
    let size = size(&rule.filter);
    // Both axes are shares, so the picture's diagonal has the length sqrt(2).
    let travel = rule.filter.min_travel * std::f32::consts::SQRT_2 * 1.05;
    let pictures = |time: Duration| (time.as_secs_f64() * per_second).ceil() as usize;
    let stay = |target: Point, size, time| {
        let far = corners().into_iter().max_by(|a, b| distance(*a, target).total_cmp(&distance(*b, target)));
        let from = far.map_or(target, |far| towards(target, far, travel));
        Leg { from, to: target, size, stay: pictures(time) }
    };
    let leg = match &rule.kind {
        RuleKind::Intrusion { zone, dwell } | RuleKind::Loitering { zone, dwell, .. } => {
            stay(middle(&zone.polygon), size, *dwell)
        }
        RuleKind::ObjectSeen { zone } => stay(place(zone.as_ref()), size, Duration::ZERO),
        RuleKind::StoppedVehicle { zone, dwell } => stay(middle(&zone.polygon), size, *dwell + SETTLES),
        RuleKind::PersonDown { zone, dwell, .. } => {
            let target = place(zone.as_ref());
            // Nobody can say whether somebody lies who is cut off below.
            let target = Point::new(target.x, target.y.min(LOWEST));
            let within = zone.as_ref().is_none_or(|zone| zone.polygon.contains(target));
            stay(target, lying(&rule.filter).filter(|_| within)?, *dwell + SETTLES)
        }
        RuleKind::LineCrossing { line, direction } | RuleKind::Occupancy { line, inward: direction, .. } => {
            let (from, to) = across(&line.path, *direction, travel);
            Leg { from, to, size, stay: 0 }
        }
        RuleKind::WrongWay { zone, heading: [a, b], distance: Distance::Heights(heights), .. } => {
            let way = along(Some(zone), (a.x - b.x, a.y - b.y));
            let leg = shrunk(way, size, *heights as f32 * MORE, &rule.filter)?;
            (distance(leg.from, leg.to) >= travel).then_some(leg)?
        }
        _ => return None,
    };
    Some(leg.boxes())
}

/// A straight way with a stay at its end.
struct Leg {
    from: Point,
    to: Point,
    size: [f32; 2],
    /// Pictures.
    stay: usize,
}

impl Leg {
    fn boxes(&self) -> Vec<Rect> {
        let Self { from, to, size, stay } = self;
        let length = [(to.x - from.x).abs() / size[0], (to.y - from.y).abs() / size[1]];
        let steps = ((length[0].max(length[1]) / STEP).ceil() as usize).min(MOST_STEPS);
        let at = |share: f32| Point::new(lerp(from.x, to.x, share), lerp(from.y, to.y, share));
        let way = (0..=steps).map(|step| if steps == 0 { *to } else { at(step as f32 / steps as f32) });
        way.chain(std::iter::repeat_n(*to, stay + AFTER)).map(|foot| standing_at(foot, *size)).collect()
    }
}

fn standing_at(foot: Point, size: [f32; 2]) -> Rect {
    Rect { x: foot.x - size[0] / 2.0, y: foot.y - size[1], w: size[0], h: size[1] }
}

/// A way, and an object so small that the way is so many of its heights long.
fn shrunk((from, to): (Point, Point), [width, height]: [f32; 2], heights: f32, filter: &Filter) -> Option<Leg> {
    let fitting = height.min(distance(from, to) / heights.max(1e-6));
    let least = filter.min_size[1] + (filter.max_size[1] - filter.min_size[1]).max(0.0) * 0.02;
    (fitting >= least.max(1e-3)).then_some(Leg { from, to, size: [width, fitting], stay: 0 })
}

/// The way through the middle of a zone, in this direction, as far as it reaches.
fn along(zone: Option<&Zone>, (x, y): (f32, f32)) -> (Point, Point) {
    /// Of what there is, so that the way ends inside.
    const SHARE: f32 = 0.95;
    const STRIDE: f32 = 0.004;
    let start = place(zone);
    let length = x.hypot(y).max(1e-6);
    let go = |by: f32| Point::new(start.x + x / length * by, start.y + y / length * by);
    let is_in = |p: Point| {
        [p.x, p.y].iter().all(|share| (0.02..=LOWEST).contains(share))
            && zone.is_none_or(|zone| zone.polygon.contains(p))
    };
    let reach = |sign: f32| {
        let steps = (1..400).take_while(|n| is_in(go(sign * STRIDE * *n as f32))).count();
        sign * STRIDE * steps as f32 * SHARE
    };
    (go(reach(-1.0)), go(reach(1.0)))
}

/// Where the object is to be seen.
fn place(zone: Option<&Zone>) -> Point {
    zone.map_or(Point::new(0.5, 0.6), |zone| middle(&zone.polygon))
}

/// Width and height of somebody who lies, if the filter lets one pass.
fn lying(filter: &Filter) -> Option<[f32; 2]> {
    let fit = |axis: usize, wanted: f32| {
        let (min, max) = (filter.min_size[axis], filter.max_size[axis].max(filter.min_size[axis]));
        let room = (max - min) * 0.05;
        wanted.clamp(min + room, max - room)
    };
    let height = fit(1, 0.08);
    let width = fit(0, height * 2.0);
    (width >= height * MORE && height > 0.0).then_some([width, height])
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
fn across(line: &Polyline, direction: Direction, travel: f32) -> (Point, Point) {
    /// As far as an object is taken beyond the line.
    const BEYOND: f32 = 0.15;
    let segments = line.points().windows(2).map(|pair| (pair[0], pair[1]));
    let longest = segments.max_by(|(a, b), (c, d)| distance(*a, *b).total_cmp(&distance(*c, *d)));
    let (a, b) = longest.unwrap_or_else(|| (Point::new(0.0, 0.5), Point::new(1.0, 0.5)));
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
