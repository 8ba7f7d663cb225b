//! A story in the making: place, cast, and what can be said of it by where everybody stands on the ground.

use std::time::Duration;

use glam::Vec2;

use super::StoryEvent;
use super::cast;
use super::way::{Way, crossings, stays};
use crate::actor::{Actor, Figure};
use crate::camera::Camera;
use crate::place::Place;
use crate::{street, yard};

/// Corners or ends of a named place, in metres.
pub(super) type Named = (&'static str, Vec<Vec2>);

/// A story, ready to be played.
pub(super) struct Plot {
    pub(super) place: fn() -> Place,
    pub(super) actors: Vec<Actor>,
    /// Seconds, a multiple of 20.
    pub(super) period: f32,
    pub(super) zones: Vec<Named>,
    pub(super) lines: Vec<Named>,
    /// What the rule says beyond kind, place and classes, in TOML.
    pub(super) rule: String,
    pub(super) classes: &'static [&'static str],
    pub(super) events: Vec<StoryEvent>,
}

impl Plot {
    /// An empty story in the yard; persons count.
    pub(super) fn yard(period: f32) -> Self {
        Self {
            place: yard::place,
            actors: Vec::new(),
            period,
            zones: Vec::new(),
            lines: Vec::new(),
            rule: String::new(),
            classes: &["person"],
            events: Vec::new(),
        }
    }

    /// An empty story in the street; cars count.
    pub(super) fn street(period: f32) -> Self {
        Self { place: street::place, classes: &["car"], ..Self::yard(period) }
    }

    pub(super) fn zone(mut self, name: &'static str, corners: &[[f32; 2]]) -> Self {
        self.zones.push((name, corners.iter().copied().map(Vec2::from).collect()));
        self
    }

    pub(super) fn line(mut self, name: &'static str, from: [f32; 2], to: [f32; 2]) -> Self {
        self.lines.push((name, vec![Vec2::from(from), Vec2::from(to)]));
        self
    }

    pub(super) fn rule(mut self, text: &str) -> Self {
        text.clone_into(&mut self.rule);
        self
    }

    /// Adds an actor; its id is its number in the cast, from 1.
    pub(super) fn with(mut self, figure: Figure, way: Way) -> Self {
        let id = self.actors.len() as u32 + 1;
        self.actors.push(Actor { id, figure, path: way.path() });
        self
    }

    /// The stays of an actor in the first zone.
    pub(super) fn stays(&self, id: u32) -> Vec<(f32, f32)> {
        self.actor(id).map_or_else(Vec::new, |actor| stays(&actor.path, self.period, self.corners()))
    }

    /// The crossings of the first line by an actor.
    pub(super) fn crossings(&self, id: u32) -> Vec<(f32, bool)> {
        let line = self.lines.first().and_then(|(_, points)| <[Vec2; 2]>::try_from(points.as_slice()).ok());
        self.actor(id).zip(line).map_or_else(Vec::new, |(actor, line)| crossings(&actor.path, self.period, line))
    }

    pub(super) fn actor(&self, id: u32) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.id == id)
    }

    pub(super) fn corners(&self) -> &[Vec2] {
        self.zones.first().map_or(&[], |(_, corners)| corners)
    }

    /// Adds an event at the first zone, or if there is none, at the first line.
    pub(super) fn event(&mut self, objects: &[u32], (from, to): (f32, f32), wait: f32) {
        let place = self.zones.first().or(self.lines.first()).map_or("", |(name, _)| name);
        let (from, to, due) = (seconds(from), seconds(to), seconds(from + wait));
        self.events.push(StoryEvent { rule: "", kind: "", place, objects: objects.to_vec(), from, to, due });
    }

    /// Adds each stay of `id` in the first zone that lasts longer than `wait` as an event.
    pub(super) fn stays_count(mut self, id: u32, wait: f32) -> Self {
        for stay in self.stays(id) {
            if stay.1 - stay.0 > wait {
                self.event(&[id], stay, wait);
            }
        }
        self
    }

    /// Adds each crossing of the first line by anybody as an event.
    pub(super) fn crossings_count(mut self) -> Self {
        for id in self.actors.iter().map(|actor| actor.id).collect::<Vec<_>>() {
            for (at, _) in self.crossings(id) {
                self.event(&[id], (at, at), 0.0);
            }
        }
        self
    }

    pub(super) fn pictured(&self, which: impl Fn(&Self) -> &Vec<Named>) -> Vec<(&'static str, Vec<[f32; 2]>)> {
        let camera = (self.place)().camera;
        which(self)
            .iter()
            .map(|(name, points)| (*name, points.iter().map(|p| picture(&camera, *p)).collect()))
            .collect()
    }
}

/// Where a point on the ground is in a picture of 16:9, to a thousandth.
pub(super) fn picture(camera: &Camera, at: Vec2) -> [f32; 2] {
    let size = Vec2::new(16.0, 9.0);
    let seen = camera.project(at.extend(0.0), size).map_or(Vec2::ZERO, |seen| seen.at / size);
    seen.clamp(Vec2::ZERO, Vec2::ONE).to_array().map(|share| (share * 1000.0).round() / 1000.0)
}

/// To a hundredth of a second.
pub(super) fn seconds(value: f32) -> Duration {
    Duration::from_millis((value.max(0.0) * 100.0).round() as u64 * 10)
}

/// Somebody ordinary.
pub(super) fn walker(number: u32) -> Figure {
    Figure::Person(cast::person(number))
}
