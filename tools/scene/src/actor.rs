//! Who moves in a scene, and their meshes at a moment.

use glam::{Vec2, Vec3};

use crate::body::Person;
use crate::gait::{Stance, stride};
use crate::mesh::Mesh;
use crate::object::Class;
use crate::path::{Moment, Path};
use crate::vehicle::{Car, HALF_WIDTH};

/// What an actor is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Person(Person),
    /// On hands and knees.
    Crawler(Person),
    Car(Car),
}

/// Somebody with a way to go.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) id: u32,
    pub(crate) figure: Figure,
    pub(crate) path: Path,
}

/// Where an object stands so close that little sky light gets under it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contact {
    middle: Vec2,
    along: Vec2,
    /// Half length and half width in metres.
    half: Vec2,
    strength: f32,
}

/// An actor at a moment, in world coordinates.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) id: u32,
    pub(crate) class: Class,
    pub(crate) mesh: Mesh,
    pub(crate) contacts: Vec<Contact>,
}

/// How far a crawler's body leans forward, in degrees from upright.
const LEAN: f32 = 78.0;

/// An ordinary walk, metres a second.
const WALK: f32 = 1.3;

impl Actor {
    /// The body at `time` seconds of a loop of `period` seconds; `None` while the actor is away.
    pub(crate) fn body(&self, time: f32, period: f32) -> Option<Body> {
        let moment = self.path.moment(time, period)?;
        let (class, mut mesh, contacts) = match &self.figure {
            Figure::Person(person) => self.person(person, moment, time),
            Figure::Crawler(person) => prone(self.person(person, moment, time), person, moment),
            Figure::Car(car) => {
                let contact = Contact {
                    middle: moment.place,
                    along: moment.heading,
                    half: Vec2::new(car.length / 2.0, HALF_WIDTH),
                    strength: 0.75,
                };
                (Class::Car, car.mesh(moment.travelled), vec![contact])
            }
        };
        let (ahead, right) = (moment.heading.extend(0.0), -moment.heading.perp().extend(0.0));
        let turn = move |v: Vec3| right * v.x + ahead * v.y + Vec3::Z * v.z;
        mesh.transform(|v| turn(v) + moment.place.extend(0.0), turn);
        Some(Body { id: self.id, class, mesh, contacts })
    }

    fn person(&self, person: &Person, moment: Moment, time: f32) -> (Class, Mesh, Vec<Contact>) {
        // A whole number of strides between the ends, so that a way that returns to its start loops without a jump.
        let length = self.path.length();
        let stride = length / (length / stride(person.stature)).round().max(1.0);
        let turns = std::f32::consts::TAU;
        // 0.2 and 0.25 Hz repeat in every loop of a multiple of 20 s.
        let sway = (time * 0.2 * turns + person.seed).sin();
        let standing = 1.0 - (moment.speed / WALK).clamp(0.0, 1.0);
        let phase = if length > 0.1 { moment.travelled / stride * turns } else { person.seed };
        let (mesh, feet) = person.mesh(Stance {
            phase: phase + person.seed,
            walking: 1.0 - standing,
            sway,
            look: (0.08 + 0.5 * standing) * (time * 0.25 * turns + person.seed * 2.0).sin(),
            elbows: 0.25 * (person.seed * 7.3).sin().max(0.0),
        });
        let right = -moment.heading.perp();
        let contact = |foot: Vec3| Contact {
            middle: moment.place + right * foot.x + moment.heading * foot.y,
            along: moment.heading,
            half: Vec2::new(0.14, 0.05),
            strength: 0.65 * (1.0 - 3.0 * (foot.z - 0.08)).clamp(0.0, 1.0),
        };
        (Class::Person, mesh, feet.map(contact).to_vec())
    }
}

/// Lays a walker down: the body leans over its feet until it is nearly level, and the limbs go on moving.
fn prone(
    (class, mut mesh, _): (Class, Mesh, Vec<Contact>),
    person: &Person,
    moment: Moment,
) -> (Class, Mesh, Vec<Contact>) {
    let (sin, cos) = LEAN.to_radians().sin_cos();
    let lean = move |v: Vec3| Vec3::new(v.x, v.y * cos + v.z * sin, v.z * cos - v.y * sin);
    // The feet trail behind where the crawler is.
    let middle = Vec3::new(0.0, -0.45 * person.stature, 0.12);
    mesh.transform(|v| lean(v) + middle, lean);
    let half = Vec2::new(0.45 * person.stature, 0.22);
    let contact = Contact { middle: moment.place, along: moment.heading, half, strength: 0.6 };
    (class, mesh, vec![contact])
}

impl Contact {
    /// The corners of the area that [`Contact::light`] may darken.
    pub(crate) fn corners(&self) -> [Vec3; 4] {
        // At 2.2 times its reach the darkening is below 1 %.
        let half = self.half + 2.2 * self.reach();
        let across = self.along.perp() * half.y;
        let along = self.along * half.x;
        [along + across, along - across, -along + across, -along - across].map(|c| (self.middle + c).extend(0.0))
    }

    /// It fades over about the height of a shoe, or of the sill of a car.
    fn reach(&self) -> f32 {
        0.12 + 0.25 * self.half.y
    }

    /// The share of ambient light left at ground point `p`.
    pub(crate) fn light(&self, p: Vec2) -> f32 {
        let offset = p - self.middle;
        let local = Vec2::new(offset.dot(self.along), offset.dot(self.along.perp()));
        let outside = (local.abs() - self.half).max(Vec2::ZERO).length();
        1.0 - self.strength * (-(outside / self.reach()).powi(2)).exp()
    }
}
