use std::{collections::HashMap, time::Duration};

use karaul_wire::{CloseReason, Why};

use super::{foot, geometry::Point, intrusion::Intrusion, line_crossing::LineCrossing};
use crate::{
    clock::Stamp,
    config::{self, Filter},
    track::Track,
};

/// Something that a rule has to say about one track.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Index of the rule in the camera's list.
    pub rule: usize,
    /// The track, as it was in this picture.
    pub track: Track,
    /// What has changed.
    pub change: Change,
    /// Measured values beside their thresholds.
    pub why: Why,
}

/// What has changed for one track and rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The condition has come true.
    Began,
    /// It is still true. Said at every picture, so that an incident that a cooldown
    /// held back can still open. Not said by rules about a moment.
    Holds,
    /// It is over.
    Ended(CloseReason),
}

/// All rules of one camera.
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Armed>,
    /// Where each live track was first seen, for `min_travel`.
    origins: HashMap<u64, Point>,
}

/// One rule with what it remembers of each track.
#[derive(Debug)]
struct Armed {
    rule: config::Rule,
    kind: Kind,
    /// Somebody has disarmed it, whatever its schedule says.
    disarmed: bool,
    /// Tracks for which the condition is true, as last seen.
    active: Vec<(Track, Why)>,
}

#[derive(Debug)]
enum Kind {
    Intrusion(Intrusion),
    LineCrossing(LineCrossing),
}

/// What a kind of rule says of one track in one picture.
pub(super) enum Verdict {
    /// Nothing new.
    Nothing,
    /// The condition has come true.
    Began,
    /// It is still true.
    Holds,
    /// It is no longer true.
    Cleared,
}

impl Engine {
    /// An engine for these rules; a finding's `rule` is an index into them.
    #[must_use]
    pub fn new(rules: &[config::Rule]) -> Self {
        let rules = rules
            .iter()
            .map(|rule| {
                let kind = match &rule.kind {
                    config::RuleKind::Intrusion { polygon, dwell, .. } => {
                        Kind::Intrusion(Intrusion::new(polygon.clone(), *dwell))
                    }
                    config::RuleKind::LineCrossing { points, direction, .. } => {
                        Kind::LineCrossing(LineCrossing::new(*points, *direction))
                    }
                };
                Armed { rule: rule.clone(), kind, disarmed: false, active: Vec::new() }
            })
            .collect();
        Self { rules, origins: HashMap::new() }
    }

    /// Looks at the tracks of one picture and appends what there is to say.
    ///
    /// `tracks` are all live tracks, seen in this picture or not; one that is
    /// missing has ended. `at` never runs backwards.
    pub fn observe(&mut self, at: Stamp, tracks: &[Track], findings: &mut Vec<Finding>) {
        self.origins.retain(|id, _| tracks.iter().any(|t| t.id == *id));
        for track in tracks {
            self.origins.entry(track.id).or_insert_with(|| foot(track));
        }
        for (index, armed) in self.rules.iter_mut().enumerate() {
            if armed.disarmed || armed.rule.schedule.as_ref().is_some_and(|s| !s.is_on(at.wall)) {
                armed.end_all(index, CloseReason::Disarmed, findings);
                continue;
            }
            armed.end_missing(index, tracks, findings);
            for track in tracks.iter().filter(|t| t.seen) {
                if armed.rule.filter.classes.contains(&track.class) {
                    armed.observe(index, at.mono, track, self.origins[&track.id], findings);
                }
            }
        }
    }

    /// Disarms the rules for which `disarmed` is true and arms the others, on top of their schedules. What is
    /// true of a rule that is disarmed now ends.
    pub fn disarm(&mut self, disarmed: &[bool], findings: &mut Vec<Finding>) {
        for (index, (armed, disarmed)) in self.rules.iter_mut().zip(disarmed).enumerate() {
            armed.disarmed = *disarmed;
            if *disarmed {
                armed.end_all(index, CloseReason::Disarmed, findings);
            }
        }
    }

    /// Ends everything that is true, for example because the camera went blind.
    pub fn end_all(&mut self, reason: CloseReason, findings: &mut Vec<Finding>) {
        self.origins.clear();
        for (index, armed) in self.rules.iter_mut().enumerate() {
            armed.end_all(index, reason, findings);
        }
    }
}

impl Armed {
    fn observe(&mut self, index: usize, at: Duration, track: &Track, origin: Point, findings: &mut Vec<Finding>) {
        let point = foot(track);
        let passes = passes(&self.rule.filter, track, origin, point);
        let mut why = Why { score_max: track.score_max, score_min: self.rule.filter.min_score, ..Why::default() };
        let verdict = match &mut self.kind {
            Kind::Intrusion(rule) => rule.observe(at, track.id, point, passes, &mut why),
            Kind::LineCrossing(rule) => rule.observe(at, track.id, point, passes, &mut why),
        };
        let known = self.active.iter().position(|(t, _)| t.id == track.id);
        let change = match verdict {
            Verdict::Nothing => {
                if let Some(i) = known {
                    self.active[i].0.clone_from(track);
                }
                return;
            }
            Verdict::Began => {
                // A moment that comes again while the last one is still shown is another one.
                if let Some(i) = known {
                    let (_, why) = self.active.swap_remove(i);
                    let change = Change::Ended(CloseReason::Cleared);
                    findings.push(Finding { rule: index, track: track.clone(), change, why });
                }
                self.active.push((track.clone(), why.clone()));
                Change::Began
            }
            Verdict::Holds => {
                match known {
                    Some(i) => self.active[i] = (track.clone(), why.clone()),
                    None => self.active.push((track.clone(), why.clone())),
                }
                Change::Holds
            }
            Verdict::Cleared => {
                // What is said at the end is what was measured while it was true.
                if let Some(i) = known {
                    why = self.active.swap_remove(i).1;
                }
                Change::Ended(CloseReason::Cleared)
            }
        };
        findings.push(Finding { rule: index, track: track.clone(), change, why });
    }

    fn end_missing(&mut self, index: usize, tracks: &[Track], findings: &mut Vec<Finding>) {
        let lives = |id: u64| tracks.iter().any(|t| t.id == id);
        let ended =
            |(track, why): (Track, Why)| Finding { rule: index, track, change: Change::Ended(CloseReason::Lost), why };
        findings.extend(self.active.extract_if(.., |(t, _)| !lives(t.id)).map(ended));
        match &mut self.kind {
            Kind::Intrusion(rule) => rule.retain(lives),
            Kind::LineCrossing(rule) => rule.retain(lives),
        }
    }

    fn end_all(&mut self, index: usize, reason: CloseReason, findings: &mut Vec<Finding>) {
        let ended = |(track, why)| Finding { rule: index, track, change: Change::Ended(reason), why };
        findings.extend(self.active.drain(..).map(ended));
        match &mut self.kind {
            Kind::Intrusion(rule) => rule.retain(|_| false),
            Kind::LineCrossing(rule) => rule.retain(|_| false),
        }
    }
}

/// Does the track count for the rule just now? Its class has been looked at before.
fn passes(filter: &Filter, track: &Track, origin: Point, point: Point) -> bool {
    let size = [track.bbox.w, track.bbox.h];
    // Both axes are shares, so the picture's diagonal has the length sqrt(2).
    let travel = (point.x - origin.x).hypot(point.y - origin.y) / std::f32::consts::SQRT_2;
    track.score_max >= filter.min_score
        && size.iter().zip(&filter.min_size).all(|(s, min)| s >= min)
        && size.iter().zip(&filter.max_size).all(|(s, max)| s <= max)
        && travel >= filter.min_travel
}

#[cfg(test)]
mod tests;
