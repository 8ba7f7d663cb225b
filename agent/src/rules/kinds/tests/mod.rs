//! Each kind on the simulated clock.

use std::sync::Arc;

use jiff::tz::TimeZone;
use karaul_wire::Quantity;

use crate::{
    config::{Schedule, Span},
    rules::{
        Change, Ground, Subject,
        geometry::Point,
        script::{Line, Play},
    },
};

mod absence;
mod camera;
mod crowd;
mod group;
mod intrusion;
mod loitering;
mod object_seen;
mod occupancy;
mod person_down;
mod running;
mod scenery;
mod sequence;
mod speed;
mod stopped_vehicle;
mod tailgating;
mod walk;
mod why;
mod wrong_way;

/// One object.
const fn track(id: u64) -> Subject {
    Subject::Track(id)
}

/// What changed, and when.
fn changes(said: &[Line]) -> Vec<(f64, Change)> {
    said.iter().map(|line| (line.at, line.change)).collect()
}

/// What was measured, its value and its limits.
fn measured(line: &Line) -> Vec<(Quantity, f64, Option<f64>, Option<f64>)> {
    line.evidence.measured().map(|m| (m.what, m.value, m.least, m.most)).collect()
}

/// A ground of which the picture shows two metres by two, seen from right above.
fn square_metres() -> Ground {
    let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
    Ground::new(corners, [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]).unwrap()
}

/// Armed from this minute after the start of the play on.
fn evening(minute: u16) -> Arc<Schedule> {
    let days = std::array::from_fn(|_| vec![Span { start: minute, end: 1440 }]);
    Arc::new(Schedule { id: "evening".parse().unwrap(), time_zone: TimeZone::UTC, days, holidays: None })
}

/// Three and 25 looks a second lead to the same findings about the same subjects, up to so many looks of the slower one
/// apart.
fn agree(play: impl Fn() -> Play, seconds: f64, looks: u32) {
    let (slow, fast) = (play().run(3.0, seconds), play().run(25.0, seconds));
    let said = |lines: &[Line]| lines.iter().map(|line| (line.rule, line.subject, line.change)).collect::<Vec<_>>();
    assert!(!fast.is_empty());
    assert_eq!(said(&slow), said(&fast));
    for (slow, fast) in slow.iter().zip(&fast) {
        let apart = (slow.at - fast.at).abs();
        assert!(apart <= f64::from(looks) / 3.0 + 0.05, "{} and {}", slow.at, fast.at);
    }
}
