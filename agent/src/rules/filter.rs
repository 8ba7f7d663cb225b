//! Which objects count for a rule just now.

use std::time::Duration;

use super::{
    ground::Ground,
    roster::Roster,
    statement::{Shortfall, Unmet},
};
use crate::{
    config::{BoxPoint, Filter},
    rules::geometry::{Point, length},
    track::Track,
};

/// What a filter remembers of the tracks that its rule looks at.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    marks: Roster<Mark>,
}

/// What the filter has seen of one track.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Where it was first seen.
    origin: Point,
    /// The last 32 looks, the latest in the lowest bit: was it seen with enough score?
    looks: u32,
    /// It has passed before, so the lower score will do.
    passed: bool,
}

/// What a filter has to know besides the track.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) now: Duration,
    pub(super) ground: Option<&'a Ground>,
    /// The picture's width for each pixel of its height.
    pub(super) aspect: f64,
}

impl Sieve {
    /// Looks at a track once per picture: the first condition that it does not meet, and in how many of the last looks it was
    /// seen.
    pub(super) fn look(
        &mut self,
        filter: &Filter,
        track: &Track,
        around: Surroundings<'_>,
    ) -> (Option<Shortfall>, u32) {
        let point = point_of(track, filter.point);
        let mark = self.marks.entry(track.id, || Mark { origin: point, looks: 0, passed: false });
        let wanted = if mark.passed { filter.keep_score } else { filter.min_score };
        let good = track.seen && track.score >= wanted;
        mark.looks = mark.looks << 1 | u32::from(good);
        let seen = seen_in(filter, mark.looks);
        let short = score(filter, mark, track, wanted)
            .or_else(|| confirmed(filter, seen))
            .or_else(|| size(filter, track))
            .or_else(|| height(filter, track, point, around))
            .or_else(|| shape(filter, track, around.aspect))
            .or_else(|| travel(filter, mark.origin, point))
            .or_else(|| age(filter, track, around.now))
            .or_else(|| masked(filter, point));
        mark.passed |= short.is_none();
        (short, seen)
    }

    /// Forgets the tracks that are gone.
    pub(super) fn retain_listed(&mut self, tracks: &[Track]) {
        self.marks.retain_listed(tracks);
    }

    pub(super) fn clear(&mut self) {
        self.marks.clear();
    }
}

/// The point of a track's box, kept inside the picture.
pub(crate) fn point_of(track: &Track, point: BoxPoint) -> Point {
    let b = &track.bbox;
    let y = match point {
        BoxPoint::Foot => b.bottom(),
        BoxPoint::Centre => b.y + b.h / 2.0,
        BoxPoint::Head => b.y,
    };
    Point::new((b.x + b.w / 2.0).clamp(0.0, 1.0), y.clamp(0.0, 1.0))
}

fn short(unmet: Unmet, value: impl Into<f64>, limit: impl Into<f64>) -> Option<Shortfall> {
    Some(Shortfall::new(unmet, value.into(), limit.into()))
}

fn score(filter: &Filter, mark: &Mark, track: &Track, wanted: f32) -> Option<Shortfall> {
    if !mark.passed {
        return (track.score_max < filter.min_score).then(|| short(Unmet::Score, track.score_max, filter.min_score))?;
    }
    (track.seen && track.score < wanted).then(|| short(Unmet::KeepScore, track.score, wanted))?
}

/// In how many of the looks that `confirm` asks about it was seen.
fn seen_in(filter: &Filter, looks: u32) -> u32 {
    let of = filter.confirm[1];
    let window = if of >= 32 { u32::MAX } else { (1 << of) - 1 };
    (looks & window).count_ones()
}

fn confirmed(filter: &Filter, seen: u32) -> Option<Shortfall> {
    let [least, of] = filter.confirm;
    // A single look is what the track stands for already, also while it is not seen.
    (of > 1 && seen < least).then(|| short(Unmet::Confirm, seen, least))?
}

fn size(filter: &Filter, track: &Track) -> Option<Shortfall> {
    let (b, [min_w, min_h], [max_w, max_h]) = (&track.bbox, filter.min_size, filter.max_size);
    if b.w < min_w {
        short(Unmet::MinWidth, b.w, min_w)
    } else if b.h < min_h {
        short(Unmet::MinHeight, b.h, min_h)
    } else if b.w > max_w {
        short(Unmet::MaxWidth, b.w, max_w)
    } else if b.h > max_h {
        short(Unmet::MaxHeight, b.h, max_h)
    } else {
        None
    }
}

fn height(filter: &Filter, track: &Track, point: Point, around: Surroundings<'_>) -> Option<Shortfall> {
    let [least, most] = filter.height_m?;
    let foot = point_of(track, BoxPoint::Foot);
    let Some(height) = height_m(track, foot, around) else { return short(Unmet::NoGround, point.y, 0.0) };
    if height < f64::from(least) {
        short(Unmet::TooLow, height, least)
    } else if height > f64::from(most) {
        short(Unmet::TooTall, height, most)
    } else {
        None
    }
}

/// Height of an object that stands at this point, in metres.
pub(super) fn height_m(track: &Track, foot: Point, around: Surroundings<'_>) -> Option<f64> {
    Some(around.ground?.metres_across(foot)? * f64::from(track.bbox.h) / around.aspect)
}

fn shape(filter: &Filter, track: &Track, aspect: f64) -> Option<Shortfall> {
    let [least, most] = filter.aspect;
    let shape = f64::from(track.bbox.w) / f64::from(track.bbox.h).max(1e-6) * aspect;
    if shape < f64::from(least) {
        short(Unmet::TooSlender, shape, least)
    } else if shape > f64::from(most) {
        short(Unmet::TooWide, shape, most)
    } else {
        None
    }
}

fn travel(filter: &Filter, origin: Point, point: Point) -> Option<Shortfall> {
    // Both axes are shares, so the picture's diagonal has the length sqrt(2).
    let travel = length(f64::from(point.x - origin.x), f64::from(point.y - origin.y)) / std::f64::consts::SQRT_2;
    (travel < f64::from(filter.min_travel)).then(|| short(Unmet::Travel, travel, filter.min_travel))?
}

fn age(filter: &Filter, track: &Track, now: Duration) -> Option<Shortfall> {
    let age = now.saturating_sub(track.first_seen);
    (age < filter.min_age).then(|| short(Unmet::Age, age.as_secs_f64(), filter.min_age.as_secs_f64()))?
}

fn masked(filter: &Filter, point: Point) -> Option<Shortfall> {
    filter.masks.iter().any(|zone| zone.polygon.contains(point)).then(|| Shortfall::of(Unmet::Masked))
}
