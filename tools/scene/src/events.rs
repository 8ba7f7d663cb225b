//! What the demonstration shows, written down: for configurations and for end-to-end tests.

use std::time::Duration;

use crate::object::Class;

/// The zone "yard": the asphalt inside the fence, without the car's lane on the right. Corners in 0..1 of the picture.
pub const YARD_ZONE: [[f32; 2]; 4] = [[0.25, 0.33], [0.72, 0.33], [0.96, 0.93], [0.04, 0.93]];

/// The line "fence", from left to right along the foot of the fence and through both gates, in 0..1 of the picture.
/// Outside is above it and inside below: who walks in comes from the left hand of this direction, as seen in the
/// picture, and goes to the right hand.
pub const FENCE_LINE: [[f32; 2]; 2] = [[0.2, 0.307], [0.99, 0.307]];

/// What happens to an object's foot point ([`SceneObject::foot`](crate::SceneObject::foot)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It crosses [`FENCE_LINE`] from outside to inside.
    CrossingIn,
    /// It crosses [`FENCE_LINE`] from inside to outside.
    CrossingOut,
    /// It enters [`YARD_ZONE`].
    ZoneEntry,
    /// It leaves [`YARD_ZONE`].
    ZoneExit,
}

/// One event of [`Script::Yard`](crate::Script::Yard).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Time in the loop, exact to 0.1 s.
    pub at: Duration,
    /// Whose: [`SceneObject::id`](crate::SceneObject::id).
    pub object: u32,
    /// What that is.
    pub class: Class,
    /// What happens.
    pub kind: EventKind,
}

/// Everything that happens in one loop of the demonstration, in order of time. Object 2 walks along the outside of the
/// fence and causes nothing; that is part of the table.
pub const EVENTS: [Event; 11] = [
    event(1_450, 1, Class::Person, EventKind::CrossingIn),
    event(2_000, 1, Class::Person, EventKind::ZoneEntry),
    event(18_550, 1, Class::Person, EventKind::ZoneExit),
    event(19_050, 1, Class::Person, EventKind::CrossingOut),
    event(33_250, 3, Class::Car, EventKind::CrossingIn),
    event(41_050, 4, Class::Person, EventKind::ZoneEntry),
    event(41_500, 5, Class::Person, EventKind::ZoneEntry),
    event(45_650, 4, Class::Person, EventKind::ZoneExit),
    event(46_000, 5, Class::Person, EventKind::ZoneExit),
    event(50_250, 6, Class::Person, EventKind::ZoneEntry),
    event(54_300, 6, Class::Person, EventKind::ZoneExit),
];

const fn event(millis: u64, object: u32, class: Class, kind: EventKind) -> Event {
    Event { at: Duration::from_millis(millis), object, class, kind }
}
