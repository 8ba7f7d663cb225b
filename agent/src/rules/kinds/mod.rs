//! The kinds of rule, one file each.

#[cfg(test)]
mod tests;

mod absence;
mod camera;
mod crowd;
mod group;
mod intrusion;
mod line_crossing;
mod loitering;
mod object_seen;
mod occupancy;
mod pace;
mod person_down;
mod posture;
mod presence;
mod scenery;
mod sequence;
mod speed;
mod spell;
mod stay;
mod stopped_vehicle;
mod tailgating;
mod walk;
mod wrong_way;

use std::fmt;

use super::{
    geometry::Point,
    ground::Ground,
    statement::{Evidence, Said, Subject},
};
use crate::{
    clock::Stamp,
    config::{self, RuleKind},
    scenery::Patch,
    sight::Condition,
    track::Track,
};

/// One kind of rule at work.
///
/// A kind says at each picture what has begun, holds and has ended ([`Said`]); of an object that counts and for which it
/// does not fire, it says what it is short of. What is about a track that is no longer listed ends by itself.
pub(super) trait Kind: fmt::Debug + Send {
    /// One picture.
    fn observe(&mut self, view: &View<'_>, said: &mut Said);

    /// Forgets all: the rule was not armed, or nobody watches any more.
    fn reset(&mut self);

    /// The camera was blind, and nobody knows what has happened meanwhile. Tracks begin anew.
    fn interrupt(&mut self) {
        self.reset();
    }

    /// Whether it looks at objects of this class too, besides those of its filter.
    fn wants(&self, _class: u16) -> bool {
        false
    }

    /// Whether it is about the camera itself, and is asked by [`Self::watch`] instead of [`Self::observe`].
    fn is_about_camera(&self) -> bool {
        false
    }

    /// The state of the camera, several times a second, also while there are no pictures.
    fn watch(&mut self, _at: Stamp, _trouble: Trouble, _said: &mut Said) {}
}

/// What a kind sees of one picture.
pub(super) struct View<'a> {
    pub(super) at: Stamp,
    /// The objects of the rule's classes, whether they count or not.
    pub(super) actors: &'a [Actor],
    /// All live tracks.
    pub(super) tracks: &'a [Track],
    /// What was put down or taken away, in all zones that are watched for it.
    pub(super) patches: &'a [Patch],
    pub(super) ground: Option<&'a Ground>,
    /// The picture's width for each pixel of its height.
    pub(super) aspect: f64,
    /// The score that the rule asks for.
    pub(super) min_score: f32,
    /// In how many looks an object has to be seen.
    pub(super) confirm: u32,
    /// What the rules before this one have begun to say at this look.
    pub(super) told: &'a [Told],
}

/// One object of the rule's classes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Actor {
    pub(super) track: Track,
    /// The point of its box that is held against zones and lines.
    pub(super) point: Point,
    /// The filter lets it pass.
    pub(super) counts: bool,
    /// In how many of the last looks it was seen, of those that `confirm` asks about.
    pub(super) looks: u32,
}

impl Actor {
    pub(super) const fn subject(&self) -> Subject {
        Subject::Track(self.track.id)
    }
}

/// Another rule of the camera has fired.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) rule: usize,
    pub(super) subject: Subject,
    pub(super) object: Option<Track>,
    /// The score that it asked for.
    pub(super) score_min: f32,
}

/// What is wrong with the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// With its picture.
    pub condition: Option<Condition>,
    /// It gives no pictures.
    pub lost: bool,
}

impl View<'_> {
    /// The evidence that all rules about one object have in common.
    pub(super) fn evidence(&self, actor: &Actor) -> Evidence {
        Evidence {
            score_max: actor.track.score_max,
            score_min: self.min_score,
            point: Some(actor.point),
            ..Evidence::default()
        }
    }

    /// The objects that are there and count, wherever they are.
    pub(super) fn counting(&self) -> impl Iterator<Item = &Actor> {
        self.actors.iter().filter(|actor| actor.counts && !actor.track.lost)
    }
}

/// The kind of this rule. `scenery` is the index of its zone among those that are watched for what is put down in them.
pub(super) fn of(rule: &config::Rule, scenery: usize) -> Box<dyn Kind> {
    match rule.kind.clone() {
        RuleKind::Intrusion { zone, dwell } => Box::new(intrusion::Intrusion::new(zone.polygon, dwell)),
        RuleKind::LineCrossing { line, direction } => Box::new(line_crossing::LineCrossing::new(line.path, direction)),
        RuleKind::ObjectSeen { zone } => Box::new(object_seen::ObjectSeen::new(zone.map(|zone| zone.polygon))),
        RuleKind::AbandonedObject { dwell, owner_within, owner_away, .. } => {
            let wanted = scenery::Wanted::Left { owner_within, owner_away };
            Box::new(scenery::SceneryRule::new(scenery, wanted, dwell))
        }
        RuleKind::RemovedObject { dwell, .. } => {
            Box::new(scenery::SceneryRule::new(scenery, scenery::Wanted::Taken, dwell))
        }
        RuleKind::Sequence { first, then, within, same } => {
            Box::new(sequence::Sequence::new(first, then, within, same))
        }
        RuleKind::CameraTampering { conditions, dwell } => {
            Box::new(camera::CameraRule::new(camera::Wanted::Tampered(conditions), dwell))
        }
        RuleKind::CameraLoss { dwell } => Box::new(camera::CameraRule::new(camera::Wanted::Lost, dwell)),
        RuleKind::Loitering { zone, dwell, away } => Box::new(loitering::Loitering::new(zone.polygon, dwell, away)),
        RuleKind::Crowd { zone, at_least, density, dwell } => {
            Box::new(crowd::Crowd::new(zone.polygon, at_least, density, dwell))
        }
        RuleKind::Absence { zone, at_least, dwell } => Box::new(absence::Absence::new(zone.polygon, at_least, dwell)),
        RuleKind::Occupancy { line, inward, capacity, reset } => {
            Box::new(occupancy::Occupancy::new(line.path, inward, capacity, reset))
        }
        RuleKind::Tailgating { line, direction, within } => {
            Box::new(tailgating::Tailgating::new(line.path, direction, within))
        }
        RuleKind::Group { zone, at_least, distance, dwell } => {
            Box::new(group::Group::new(zone.map(|zone| zone.polygon), at_least, distance, dwell))
        }
        RuleKind::Running { zone, over, dwell } | RuleKind::Speed { zone, over, dwell } => {
            Box::new(speed::Speed::new(zone.map(|zone| zone.polygon), over, dwell))
        }
        RuleKind::WrongWay { zone, heading, tolerance, distance } => {
            Box::new(wrong_way::WrongWay::new(zone.polygon, heading, tolerance, distance))
        }
        RuleKind::StoppedVehicle { zone, dwell } => Box::new(stopped_vehicle::StoppedVehicle::new(zone.polygon, dwell)),
        RuleKind::PersonDown { zone, dwell, down_classes } => {
            Box::new(person_down::PersonDown::new(zone.map(|zone| zone.polygon), dwell, down_classes))
        }
    }
}

/// Does a rule of this kind have to know what was put down or taken away in its zone?
pub(super) const fn watches_scenery(kind: &RuleKind) -> bool {
    matches!(kind, RuleKind::AbandonedObject { .. } | RuleKind::RemovedObject { .. })
}
