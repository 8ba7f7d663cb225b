//! What rules say, and why.

use std::ops::Range;

use karaul_wire::{CloseReason, Measure, Quantity};

use super::geometry::{Point, Side};
use crate::{sight::Condition, track::Track};

/// What a finding is about; with the rule, the name of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One object.
    Track(u64),
    /// The zone, line or camera as a whole.
    Whole,
    /// Something that was put down or taken away, by the number of the [`Patch`](crate::scenery::Patch).
    Spot(u64),
}

/// What has changed for one subject and rule.
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

/// The values of a decision, beside their thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Time in the zone in seconds, and what the rule asks for.
    pub dwell: Option<(f64, f64)>,
    /// The side that a line was crossed from.
    pub from: Option<Side>,
    /// Best score of the object so far.
    pub score_max: f32,
    /// Score that the rule asks for.
    pub score_min: f32,
    /// What is wrong with the picture.
    pub condition: Option<Condition>,
    /// The point of the object that was held against the zone or line.
    pub point: Option<Point>,
    pub(crate) measured: [Option<Measure>; 4],
}

impl Evidence {
    /// The same with one more value; a fifth is left out.
    #[must_use]
    pub fn measuring(mut self, what: Quantity, value: f64, least: Option<f64>, most: Option<f64>) -> Self {
        if let Some(free) = self.measured.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(Measure { what, value, least, most });
        }
        self
    }

    /// What was measured besides.
    pub fn measured(&self) -> impl Iterator<Item = &Measure> {
        self.measured.iter().flatten()
    }
}

/// A condition that is not met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shortfall {
    /// Which.
    pub unmet: Unmet,
    /// What was measured; 0 where there is nothing to measure.
    pub value: f64,
    /// What the rule asks for.
    pub limit: f64,
}

impl Shortfall {
    pub(crate) const fn new(unmet: Unmet, value: f64, limit: f64) -> Self {
        Self { unmet, value, limit }
    }

    /// Of a condition without a value.
    pub(crate) const fn of(unmet: Unmet) -> Self {
        Self { unmet, value: 0.0, limit: 0.0 }
    }
}

/// Conditions, in the order in which they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmet {
    /// The rule is not armed: by its schedule.
    Schedule,
    /// By a command or the site's mode.
    Disarmed,
    /// By the light.
    Light,
    /// Something is wrong with the picture.
    Blind,
    /// Best score of the track against `min_score`.
    Score,
    /// Its last score against `keep_score`.
    KeepScore,
    /// Looks in which it was seen against `confirm`.
    Confirm,
    /// Width in shares against `min_size`.
    MinWidth,
    /// Height in shares against `min_size`.
    MinHeight,
    /// Width in shares against `max_size`.
    MaxWidth,
    /// Height in shares against `max_size`.
    MaxHeight,
    /// Height in metres against the least of `height_m`.
    TooLow,
    /// Height in metres against the greatest of `height_m`.
    TooTall,
    /// Width for each pixel of height against the least of `aspect`.
    TooSlender,
    /// Against the greatest of `aspect`.
    TooWide,
    /// Way from where it began in shares of the diagonal against `min_travel`.
    Travel,
    /// Seconds since it began against `min_age`.
    Age,
    /// It is in one of the `masks`.
    Masked,
    /// It is not seen in this picture.
    Unseen,
    /// It is lost: not seen for longer than tracks are followed.
    Lost,
    /// It is not in the zone.
    Outside,
    /// Seconds against `dwell`.
    Dwell,
    /// It has not crossed the line.
    NotCrossed,
    /// It crossed the other way.
    OtherWay,
    /// It is somebody found once more, who has just crossed.
    Double,
    /// How many there are against `at_least`, or `capacity`.
    Count,
    /// How many on a square metre against `at_least_per_m2`.
    Density,
    /// As many as wanted are there: an absence is none.
    Present,
    /// Nothing stands there that did not before, or is missing.
    Unchanged,
    /// Somebody is with it: seconds without the owner against `owner_away`.
    OwnerNear,
    /// Speed, in km/h or heights a second, against `over`.
    Speed,
    /// There is no ground there, so nothing can be measured.
    NoGround,
    /// Degrees off the right way against those of the wrong one.
    Angle,
    /// Way in the wrong direction against `distance`.
    Distance,
    /// It moves.
    Moving,
    /// Height against what lying is.
    Upright,
    /// Seconds since the one before against `within`.
    Interval,
    /// The first rule of the sequence has not fired, or not within the time.
    First,
    /// The picture is sound.
    Sound,
}

/// What a rule thinks of a subject at one look, for whoever asks why it did not fire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Index of the rule.
    pub rule: usize,
    /// Whom it is about.
    pub subject: Subject,
    /// The first condition that is not met; `None` while the rule holds.
    pub short: Option<Shortfall>,
}

/// What a kind of rule has to say of one picture.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(super) statements: Vec<Statement>,
    pub(super) objects: Vec<Track>,
    pub(super) heard: Vec<(Subject, Option<Shortfall>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) subject: Subject,
    pub(super) change: Change,
    pub(super) evidence: Evidence,
    /// Its part of the list of objects.
    pub(super) objects: Range<usize>,
}

impl Said {
    pub(super) fn clear(&mut self) {
        self.statements.clear();
        self.objects.clear();
        self.heard.clear();
    }

    /// The condition has come true, is still true or is over, with the objects that it is about, the foremost first. For
    /// what has ended, evidence and objects are those of the last time when it was true, and these here are not looked at.
    pub(crate) fn say<'t>(
        &mut self,
        subject: Subject,
        change: Change,
        evidence: Evidence,
        objects: impl IntoIterator<Item = &'t Track>,
    ) {
        let start = self.objects.len();
        self.objects.extend(objects);
        self.statements.push(Statement { subject, change, evidence, objects: start..self.objects.len() });
        if !matches!(change, Change::Ended(_)) {
            self.heard.push((subject, None));
        }
    }

    /// The condition is over.
    pub(crate) fn end(&mut self, subject: Subject, reason: CloseReason) {
        self.say(subject, Change::Ended(reason), Evidence::default(), []);
    }

    /// The rule does not fire, because of this.
    pub(crate) fn short(&mut self, subject: Subject, unmet: Shortfall) {
        self.heard.push((subject, Some(unmet)));
    }
}
