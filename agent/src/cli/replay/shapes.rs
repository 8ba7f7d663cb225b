//! What was drawn on the picture for a rule.

use crate::{config::Rule, rules::geometry::Point};

/// A zone or a line, in shares of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape<'a> {
    /// The corners of a zone, with its id.
    Zone(&'a str, &'a [Point]),
    /// The points of a line, with its id.
    Line(&'a str, &'a [Point]),
}

/// The zones and lines of a rule, those in which nothing counts among them.
pub(super) fn shapes(rule: &Rule) -> Vec<Shape<'_>> {
    let zones = rule.kind.zone().into_iter().chain(&rule.filter.masks);
    let zones = zones.map(|zone| Shape::Zone(zone.id.as_str(), zone.polygon.corners()));
    zones.chain(rule.kind.line().map(|line| Shape::Line(line.id.as_str(), line.path.points()))).collect()
}
