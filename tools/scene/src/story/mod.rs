//! Stories: one script for each kind of rule that a picture can prove, with zones, lines, and what has to be reported.

mod cast;
mod config;
mod driving;
mod judge;
mod passing;
mod plot;
mod staying;
mod things;
mod way;

use std::{str::FromStr, time::Duration};

use glam::Vec2;
use serde::Serialize;

use crate::actor::Actor;
use crate::place::Place;
use crate::street;
pub use judge::Told;
use plot::{Plot, picture, seconds, walker};

/// A script that shows what one kind of rule is for, and beside it what the rule must not take for that.
///
/// Zones and lines are meant for pictures of 16:9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Story {
    /// One comes through the gate into the yard; another passes outside the fence.
    Intrusion,
    /// One comes in, one goes out, a car comes in; one walks along the inside of the fence.
    LineCrossing,
    /// One paces before the entrance for three quarters of a minute; another walks past.
    Loitering,
    /// Eight gather in the middle of the yard, and go.
    Crowd,
    /// Ten go in over a line, seven out; more than five are inside for a while.
    Occupancy,
    /// A guard leaves his post for a minute; somebody passes, who does not man it.
    Absence,
    /// Somebody puts a bag down and goes, and fetches it later; others pass it, one before it.
    AbandonedObject,
    /// A parcel that stood there is carried off, and brought back.
    RemovedObject,
    /// One of several cars comes against the direction.
    WrongWay,
    /// One of three cars is too fast.
    Speed,
    /// One of three persons runs.
    Running,
    /// A car stops where it must not; another stops for a moment only.
    StoppedVehicle,
    /// A second person comes closely behind the first through a gate; others keep their distance or meet there.
    Tailgating,
    /// A person falls and stays on the ground; another bows for a moment.
    PersonDown,
    /// A dog crosses the yard; a person does, too.
    ObjectSeen,
    /// Three stand together; two stand apart.
    Group,
    /// One crosses the fence and then enters the zone at the wall; others do only one of the two.
    Sequence,
    /// More than forty persons walk over one line, both ways, at all speeds.
    Passers,
}

/// What a rule made with [`Story::config`] has to report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoryEvent {
    /// The id of the rule in [`Story::config`].
    pub rule: &'static str,
    /// The kind of the rule, as it is written in configs.
    pub kind: &'static str,
    /// The zone or line.
    pub place: &'static str,
    /// Whose doing it is: [`SceneObject::id`](crate::SceneObject::id); nobody's if a place is empty.
    pub objects: Vec<u32>,
    /// Since when that which is to be reported goes on, by where things stand on the ground: exact to some tenths of a
    /// second in the picture. Like all times, written in JSON as seconds.
    #[serde(serialize_with = "as_seconds")]
    pub from: Duration,
    /// Until when.
    #[serde(serialize_with = "as_seconds")]
    pub to: Duration,
    /// When the rule may report it at the earliest: `from` and the time that the rule waits.
    #[serde(serialize_with = "as_seconds")]
    pub due: Duration,
}

/// A point in the picture, and the same on the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroundPoint {
    /// In 0..1 of the picture.
    pub at: [f32; 2],
    /// In metres: to the right, and away from the camera.
    pub metres: [f32; 2],
}

impl Story {
    /// All stories.
    pub const ALL: [Self; 18] = [
        Self::Intrusion,
        Self::LineCrossing,
        Self::Loitering,
        Self::Crowd,
        Self::Occupancy,
        Self::Absence,
        Self::AbandonedObject,
        Self::RemovedObject,
        Self::WrongWay,
        Self::Speed,
        Self::Running,
        Self::StoppedVehicle,
        Self::Tailgating,
        Self::PersonDown,
        Self::ObjectSeen,
        Self::Group,
        Self::Sequence,
        Self::Passers,
    ];

    /// Its name: the kind of rule that it is about, as it is written in configs, or `passers`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intrusion => "intrusion",
            Self::LineCrossing => "line_crossing",
            Self::Loitering => "loitering",
            Self::Crowd => "crowd",
            Self::Occupancy => "occupancy",
            Self::Absence => "absence",
            Self::AbandonedObject => "abandoned_object",
            Self::RemovedObject => "removed_object",
            Self::WrongWay => "wrong_way",
            Self::Speed => "speed",
            Self::Running => "running",
            Self::StoppedVehicle => "stopped_vehicle",
            Self::Tailgating => "tailgating",
            Self::PersonDown => "person_down",
            Self::ObjectSeen => "object_seen",
            Self::Group => "group",
            Self::Sequence => "sequence",
            Self::Passers => "passers",
        }
    }

    /// The kind of rule that it is about, as it is written in configs.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Passers => "line_crossing",
            other => other.name(),
        }
    }

    /// What happens, in a sentence.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Intrusion => "one comes through the gate into the yard, another passes outside the fence",
            Self::LineCrossing => "one comes in, one goes out, a car comes in; one walks along the inside of the fence",
            Self::Loitering => "one paces before the entrance for three quarters of a minute, another walks past",
            Self::Crowd => "eight gather in the middle of the yard, and go",
            Self::Occupancy => "ten go in over a line, seven out; more than five are inside for a while",
            Self::Absence => "a guard leaves his post for a minute; somebody passes",
            Self::AbandonedObject => "somebody puts a bag down, goes, and fetches it later; others pass",
            Self::RemovedObject => "a parcel that stood there is carried off, and brought back",
            Self::WrongWay => "one of four cars comes against the direction",
            Self::Speed => "one of three cars is too fast",
            Self::Running => "one of three persons runs",
            Self::StoppedVehicle => "a car stops where it must not, another for a moment only",
            Self::Tailgating => "a second person comes closely behind a first; others keep their distance or meet",
            Self::PersonDown => "a person falls and stays on the ground, another bows for a moment",
            Self::ObjectSeen => "a dog crosses the yard, and so does a person",
            Self::Group => "three stand together, two stand apart",
            Self::Sequence => "one crosses the fence and then enters the zone; others do only one of the two",
            Self::Passers => "forty-four persons walk over one line, both ways, at all speeds",
        }
    }

    /// The classes that its rule is about.
    #[must_use]
    pub fn classes(self) -> &'static [&'static str] {
        self.plot().classes
    }

    /// One loop of it.
    #[must_use]
    pub fn period(self) -> Duration {
        seconds(self.plot().period)
    }

    /// Its zones: name, and corners in 0..1 of the picture.
    #[must_use]
    pub fn zones(self) -> Vec<(&'static str, Vec<[f32; 2]>)> {
        self.plot().pictured(|plot| &plot.zones)
    }

    /// Its lines: name, and points in 0..1 of the picture. A way in is from a line's left to its right, seen from its
    /// first point towards its second.
    #[must_use]
    pub fn lines(self) -> Vec<(&'static str, Vec<[f32; 2]>)> {
        self.plot().pictured(|plot| &plot.lines)
    }

    /// Four points of the ground with their distances, for what is measured in metres.
    #[must_use]
    pub fn ground(self) -> [GroundPoint; 4] {
        let place = (self.plot().place)();
        let (half, near, far) = if matches!(self, Self::WrongWay | Self::Speed | Self::StoppedVehicle) {
            (street::HALF_ROAD, 10.0, 40.0)
        } else {
            (2.5, 5.0, 11.0)
        };
        [[-half, far], [half, far], [half, near], [-half, near]]
            .map(|metres| GroundPoint { at: picture(&place.camera, Vec2::from(metres)), metres })
    }

    /// What has to be reported, in order of time; nothing else must be.
    #[must_use]
    pub fn events(self) -> Vec<StoryEvent> {
        self.plot().events
    }

    /// The tables `[camera.zone.…]`, `[camera.line.…]` and `[[camera.rule]]` for the rule that it proves.
    #[must_use]
    pub fn config(self) -> String {
        config::text(self)
    }

    /// Place, actors and the length of a loop.
    pub(crate) fn scene(self) -> (Place, Vec<Actor>, Duration) {
        let plot = self.plot();
        ((plot.place)(), plot.actors, seconds(plot.period))
    }

    fn plot(self) -> Plot {
        let mut plot = match self {
            Self::Intrusion => staying::intrusion(),
            Self::Loitering => staying::loitering(),
            Self::Crowd => staying::crowd(),
            Self::Absence => staying::absence(),
            Self::Group => staying::group(),
            Self::PersonDown => staying::person_down(),
            Self::LineCrossing => passing::line_crossing(),
            Self::Occupancy => passing::occupancy(),
            Self::Tailgating => passing::tailgating(),
            Self::Sequence => passing::sequence(),
            Self::Passers => passing::passers(),
            Self::Running => passing::running(),
            Self::ObjectSeen => passing::object_seen(),
            Self::WrongWay => driving::wrong_way(),
            Self::Speed => driving::speed(),
            Self::StoppedVehicle => driving::stopped_vehicle(),
            Self::AbandonedObject => things::abandoned_object(),
            Self::RemovedObject => things::removed_object(),
        };
        for event in &mut plot.events {
            (event.rule, event.kind) = (self.rule_id(), self.kind());
        }
        plot.events.sort_by_key(|event| event.due);
        plot
    }

    /// The id of its rule: ids have no underscores.
    const fn rule_id(self) -> &'static str {
        match self {
            Self::LineCrossing => "line-crossing",
            Self::AbandonedObject => "abandoned-object",
            Self::RemovedObject => "removed-object",
            Self::WrongWay => "wrong-way",
            Self::StoppedVehicle => "stopped-vehicle",
            Self::PersonDown => "person-down",
            Self::ObjectSeen => "object-seen",
            other => other.name(),
        }
    }
}

impl FromStr for Story {
    type Err = UnknownStory;

    /// The story of this name.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|story| story.name() == name).ok_or(UnknownStory)
    }
}

/// There is no story of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stories are {}", Story::ALL.map(Story::name).join(", "))]
pub struct UnknownStory;

fn as_seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}
