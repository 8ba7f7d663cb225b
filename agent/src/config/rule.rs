use std::{sync::Arc, time::Duration};

use karaul_wire::{Segment, Severity};

use super::{RuleKind, Schedule};
use crate::rules::geometry::{Polygon, Polyline};

/// `[[camera.rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `id`.
    pub id: Segment,
    /// `severity` of its incidents.
    pub severity: Severity,
    /// `escalate`: an incident that lasts becomes more severe.
    pub escalate: Option<Escalation>,
    /// `schedule` in which it is armed; `None` is always.
    pub schedule: Option<Arc<Schedule>>,
    /// `modes` of the site in which it is armed; empty is all.
    pub modes: Vec<Segment>,
    /// `light` in which it is armed; `None` is both.
    pub light: Option<Light>,
    /// `cooldown` after an alert in which the rule opens no other incident.
    pub cooldown: Duration,
    /// `budget`: most incidents in an hour that are told one by one; `None` is no limit.
    pub budget: Option<u32>,
    /// Which objects count.
    pub filter: Filter,
    /// `[camera.rule.night]`: which objects count in the dark, if that is not the same.
    pub night: Option<Filter>,
    /// `kind`, with what only this kind has.
    pub kind: RuleKind,
}

/// `escalate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// `after`: so long after the incident has opened.
    pub after: Duration,
    /// `severity` from then on; above that of the rule.
    pub severity: Severity,
}

/// How much light there is, as measured in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Bright, or in colour.
    Day,
    /// Dark, or without colour: infra-red.
    Night,
}

impl Light {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Night];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Night => "night",
        }
    }
}

/// Which objects count for a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// `classes`, as indices into the model's labels; empty only for rules that look at no objects.
    pub classes: Vec<u16>,
    /// `min_score`: the best score of the track must reach it.
    pub min_score: f32,
    /// `keep_score`: an object that has counted goes on counting down to this score.
    pub keep_score: f32,
    /// `confirm = [n, m]`: seen with enough score in `n` of the last `m` looks; at most 32.
    pub confirm: [u32; 2],
    /// `min_size`: least width and height, in shares of the picture.
    pub min_size: [f32; 2],
    /// `max_size`: greatest width and height, in shares of the picture.
    pub max_size: [f32; 2],
    /// `height_m`: least and greatest height in metres where the object stands, by `[camera.ground]`.
    pub height_m: Option<[f32; 2]>,
    /// `aspect`: least and greatest width of the box in pixels for each pixel of its height.
    pub aspect: [f32; 2],
    /// `min_travel`: how far the object must have moved since it was first seen, in
    /// shares of the picture's diagonal.
    pub min_travel: f32,
    /// `min_age`: for how long it must have been followed.
    pub min_age: Duration,
    /// `point` of the box that is held against zones and lines.
    pub point: BoxPoint,
    /// `masks`: zones in which it does not count.
    pub masks: Vec<Zone>,
}

impl Default for Filter {
    /// Whatever is followed, of no class yet.
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            min_score: 0.0,
            keep_score: 0.0,
            confirm: [1, 1],
            min_size: [0.0; 2],
            max_size: [1.0; 2],
            height_m: None,
            aspect: [0.0, f32::MAX],
            min_travel: 0.0,
            min_age: Duration::ZERO,
            point: BoxPoint::Foot,
            masks: Vec::new(),
        }
    }
}

/// `point` of an object's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxPoint {
    /// The middle of the lower edge, where it stands.
    Foot,
    /// The middle.
    Centre,
    /// The middle of the upper edge.
    Head,
}

impl BoxPoint {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Foot, Self::Centre, Self::Head];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Foot => "foot",
            Self::Centre => "centre",
            Self::Head => "head",
        }
    }
}

/// `[camera.zone.<id>]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its id.
    pub id: Segment,
    /// `points`.
    pub polygon: Polygon,
}

/// `[camera.line.<id>]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its id.
    pub id: Segment,
    /// `points`.
    pub path: Polyline,
}
