//! Who moves in a scene, and their meshes at a moment.

use glam::{Vec2, Vec3};

use crate::animal::Dog;
use crate::body::Person;
use crate::gait::{Stance, stride};
use crate::luggage::{Bag, Hold};
use crate::mesh::Mesh;
use crate::object::Class;
use crate::path::{Moment, Path};
use crate::texture::smoothstep;
use crate::vehicle::{Car, HALF_WIDTH};

/// What an actor is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Person(Person),
    /// On hands and knees.
    Crawler(Person),
    /// Who never walks.
    Runner(Person),
    /// Who bows to the ground from the first to the second of each two times, and holds the arms out in others.
    Handler(Person, &'static [(f32, f32)], &'static [(f32, f32)]),
    /// Who falls at the first time and begins to get up at the second.
    Faller(Person, f32, f32),
    Car(Car),
    Dog(Dog),
    /// What is put down and taken up; its path is that of who carries it.
    Bag(Bag, Hold),
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
/// A fall takes so many seconds.
const FALL: f32 = 0.9;
/// Strides of a runner, in those of a walker.
const RUN: f32 = 1.9;

/// An ordinary walk, metres a second.
const WALK: f32 = 1.3;

/// What somebody does besides walking.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    running: bool,
    bow: f32,
    /// Forearms ahead, as they carry a parcel: 0 to 1.
    arms: f32,
    /// Legs and arms apart, as they lie after a fall.
    sprawl: f32,
}

impl Actor {
    /// The body at `time` seconds of a loop of `period` seconds; `None` while the actor is away.
    pub(crate) fn body(&self, time: f32, period: f32) -> Option<Body> {
        let moment = self.path.moment(time, period)?;
        let box_contact =
            |half: Vec2, strength: f32| vec![Contact { middle: moment.place, along: moment.heading, half, strength }];
        let (class, mut mesh, contacts) = match &self.figure {
            Figure::Person(person) => self.person(person, moment, time, Manner::default()),
            Figure::Crawler(person) => prone(self.person(person, moment, time, Manner::default()), person, moment),
            Figure::Runner(person) => {
                self.person(person, moment, time, Manner { running: true, bow: 0.14, ..Manner::default() })
            }
            Figure::Handler(person, bows, carries) => {
                // Half a second down, half a second up.
                let deep = |&(from, to): &(f32, f32)| {
                    smoothstep(from, from + 0.6, time) * (1.0 - smoothstep(to - 0.6, to, time))
                };
                let bow = 1.15 * bows.iter().map(deep).fold(0.0, f32::max);
                let arms = carries.iter().map(deep).fold(0.0, f32::max);
                self.person(person, moment, time, Manner { bow, arms, ..Manner::default() })
            }
            Figure::Faller(person, at, up) => {
                let share = ((time - at) / FALL).clamp(0.0, 1.0).powi(2) * (1.0 - smoothstep(*up, up + 3.0, time));
                let manner = Manner { bow: 0.25 * share, sprawl: share, ..Manner::default() };
                fallen(self.person(person, moment, time, manner), share, moment)
            }
            Figure::Car(car) => {
                (Class::Car, car.mesh(moment.travelled), box_contact(Vec2::new(car.length / 2.0, HALF_WIDTH), 0.75))
            }
            Figure::Dog(dog) => {
                (Class::Dog, dog.mesh(moment.travelled, moment.speed, time), box_contact(Vec2::new(0.36, 0.1), 0.45))
            }
            Figure::Bag(bag, hold) => {
                let held = hold.held(moment.at);
                let strength = 0.7 * (1.0 - held);
                let mut contacts = box_contact(bag.half(), strength);
                let offset = hold.offset(held);
                contacts[0].middle += moment.heading * offset.y - moment.heading.perp() * offset.x;
                (Class::Bag, bag.mesh(offset), contacts)
            }
        };
        let (ahead, right) = (moment.heading.extend(0.0), -moment.heading.perp().extend(0.0));
        let turn = move |v: Vec3| right * v.x + ahead * v.y + Vec3::Z * v.z;
        mesh.transform(|v| turn(v) + moment.place.extend(0.0), turn);
        Some(Body { id: self.id, class, mesh, contacts })
    }

    fn person(&self, person: &Person, moment: Moment, time: f32, manner: Manner) -> (Class, Mesh, Vec<Contact>) {
        // A whole number of strides between the ends, so that a way that returns to its start loops without a jump.
        let length = self.path.length();
        let wide = if manner.running { RUN } else { 1.0 };
        let stride = length / (length / (wide * stride(person.stature))).round().max(1.0);
        let turns = std::f32::consts::TAU;
        // 0.2 and 0.25 Hz repeat in every loop of a multiple of 20 s.
        let sway = (time * 0.2 * turns + person.seed).sin();
        let standing = 1.0 - (moment.speed / WALK).clamp(0.0, 1.0);
        let phase = if length > 0.1 { moment.travelled / stride * turns } else { person.seed };
        let (mesh, feet) = person.mesh(Stance {
            phase: phase + person.seed,
            walking: ((1.0 - standing) * if manner.running { 1.5 } else { 1.0 }).max(0.8 * manner.sprawl),
            sway,
            look: (0.08 + 0.5 * standing) * (time * 0.25 * turns + person.seed * 2.0).sin(),
            elbows: 0.25 * (person.seed * 7.3).sin().max(0.0)
                + if manner.running { 1.1 } else { 0.0 }
                + 1.2 * manner.sprawl.max(manner.arms),
            bow: manner.bow,
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

/// Tips a person over its feet: 0 stands, 1 lies on the ground.
fn fallen(
    (class, mut mesh, mut contacts): (Class, Mesh, Vec<Contact>),
    share: f32,
    moment: Moment,
) -> (Class, Mesh, Vec<Contact>) {
    // Along the way, and onto the side, with the arms and a knee ahead.
    let (sin, cos) = (share * 88.0_f32.to_radians()).sin_cos();
    let (roll_sin, roll_cos) = (share * 78.0_f32.to_radians()).sin_cos();
    let lean = move |v: Vec3| {
        let v = Vec3::new(v.x * roll_cos - v.y * roll_sin, v.x * roll_sin + v.y * roll_cos, v.z);
        Vec3::new(v.x, v.y * cos + v.z * sin, v.z * cos - v.y * sin)
    };
    mesh.transform(lean, lean);
    let lowest = mesh.vertices.iter().map(|v| v.position.z).fold(f32::MAX, f32::min);
    mesh.transform(|v| v - Vec3::Z * lowest, |n| n);
    if share > 0.9 {
        contacts = vec![Contact {
            middle: moment.place + moment.heading * 0.8,
            along: moment.heading,
            half: Vec2::new(0.75, 0.16),
            strength: 0.6,
        }];
    }
    (class, mesh, contacts)
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
