//! Things that look like something and are nothing: what an operator has called a false alarm, on its spot.

use std::time::Duration;

use jiff::Timestamp;
use karaul_wire::Segment;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Cause, Desk, Open, due::distance};
use crate::{
    clock::Stamp,
    config,
    rules::{Finding, Subject, geometry::Point},
    track::Track,
    vision::{Rect, length},
};

/// More are not remembered; the one that has been unseen for longest goes.
const MOST: usize = 64;

/// What has been unseen for so long is forgotten.
const UNSEEN: Duration = Duration::from_secs(30 * 24 * 3600);

/// That one was seen is kept on disk no more often.
const NOTED: Duration = Duration::from_secs(24 * 3600);

/// A box on the same spot and of about the same size overlaps by so much.
const SAME: f32 = 0.6;

/// What has moved by more of its box's diagonal since it began is no fixture.
const STILL: f32 = 0.15;

/// What operators have called false alarms at one camera, to be kept over restarts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fixtures {
    list: Vec<Fixture>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fixture {
    rule: Segment,
    /// The rule's zone or line as it was then.
    drawn: String,
    class: String,
    #[serde(rename = "box")]
    bbox: [f32; 4],
    seen: Timestamp,
    /// How often it has held something back.
    #[serde(default)]
    held: u32,
}

impl Fixture {
    fn rect(&self) -> Rect {
        let [x, y, w, h] = self.bbox;
        Rect { x, y, w, h }
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        Duration::try_from(now.duration_since(self.seen)).is_ok_and(|unseen| unseen >= UNSEEN)
    }
}

impl Fixtures {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many incidents of this rule they have held back.
    #[must_use]
    pub fn held_back(&self, rule: &Segment) -> u32 {
        self.list
            .iter()
            .filter(|fixture| fixture.rule == *rule)
            .map(|fixture| fixture.held)
            .fold(0, u32::saturating_add)
    }
}

impl Desk {
    /// What was known in another run. What belongs to a rule that has gone, or whose zone or line was drawn anew, is
    /// forgotten.
    #[must_use]
    pub fn knowing(mut self, fixtures: Fixtures, now: Timestamp) -> Self {
        let before = fixtures.list.len();
        self.fixtures = fixtures;
        let rules = &self.camera.rules;
        self.fixtures.list.retain(|fixture| {
            let same = |rule: &config::Rule| rule.id == fixture.rule && drawing(rule) == fixture.drawn;
            rules.iter().any(same) && !fixture.is_forgotten(now)
        });
        self.fixtures.list.truncate(MOST);
        self.fixtures_changed = self.fixtures.list.len() != before;
        self
    }

    /// The false alarms that are known.
    #[must_use]
    pub fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    /// They are to be kept, if they have changed since this was last asked.
    pub fn fixtures_to_keep(&mut self) -> Option<&Fixtures> {
        std::mem::take(&mut self.fixtures_changed).then_some(&self.fixtures)
    }

    /// An operator has called this a false alarm.
    pub(super) fn learn(&mut self, at: Stamp, open: &Open) {
        let Some((class, bbox)) = open.place else { return };
        let (rule, class) = (&self.camera.rules[open.rule], self.class(class));
        let drawn = drawing(rule);
        let list = &mut self.fixtures.list;
        list.retain(|known| {
            !(known.rule == rule.id && known.class == class && known.rect().iou(&bbox) >= SAME
                || known.is_forgotten(at.wall))
        });
        while list.len() >= MOST {
            let oldest = list.iter().enumerate().min_by_key(|(_, known)| known.seen).map_or(0, |(place, _)| place);
            list.remove(oldest);
        }
        let bbox = [bbox.x, bbox.y, bbox.w, bbox.h];
        list.push(Fixture { rule: rule.id.clone(), drawn, class, bbox, seen: at.wall, held: 0 });
        self.fixtures_changed = true;
    }

    /// Is this a known false alarm, which stays on its spot? Notes that it was seen. Where the camera looks elsewhere,
    /// nothing is on the spot where it was.
    pub(super) fn is_fixture(&mut self, at: Stamp, finding: &Finding, objects: &[Track]) -> bool {
        let Some(object) = objects.first().filter(|_| finding.subject != Subject::Whole) else { return false };
        if self.fixtures.is_empty() || self.view_moved.is_some() {
            return false;
        }
        let waiting = |w: &&mut super::Withheld| w.rule == finding.rule && w.subject == finding.subject;
        let waiting = self.withheld.iter_mut().find(waiting);
        let held = waiting.as_ref().is_some_and(|waiting| waiting.by == Cause::Fixture);
        if let Some(waiting) = waiting {
            let far = |start: &Rect| {
                distance(start, &object.bbox) > STILL * length(f64::from(start.w), f64::from(start.h)) as f32
            };
            waiting.moved |= waiting.start.as_ref().is_some_and(far);
            if waiting.moved {
                return false;
            }
        }
        let (rule, class) = (&self.camera.rules[finding.rule].id, self.class(object.class));
        let known = self.fixtures.list.iter_mut().find(|known| {
            known.rule == *rule
                && known.class == class
                && known.rect().iou(&object.bbox) >= SAME
                && !known.is_forgotten(at.wall)
        });
        let Some(known) = known else { return false };
        known.held = known.held.saturating_add(u32::from(!held));
        let unseen = Duration::try_from(at.wall.duration_since(known.seen)).unwrap_or_default();
        if unseen >= NOTED || !held {
            self.fixtures_changed |= unseen >= NOTED;
            known.seen = known.seen.max(at.wall);
        }
        true
    }
}

/// The zone or line of a rule, as a part of its SHA-256.
fn drawing(rule: &config::Rule) -> String {
    let zone = rule.kind.zone().map(|zone| zone.polygon.corners());
    let points = zone.or_else(|| rule.kind.line().map(|line| line.path.points()));
    let text = |point: &Point| format!("{point:?}");
    let points: String = points.unwrap_or_default().iter().map(text).collect();
    hex::encode(&Sha256::digest(points)[..8])
}
