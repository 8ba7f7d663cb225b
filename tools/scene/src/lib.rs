//! A rendered, guarded yard: pictures as a CCTV camera gives them, with exact ground truth.
//!
//! Karaul's demonstration, its end-to-end tests and the training of its demonstration detector all need video that may
//! be passed on freely, shows no real person, and comes with the truth about itself. This crate computes it: a fixed
//! camera 3.2 m above a yard with a fence, a gate, a building and a road; persons who walk, stand and meet; a car; by
//! day in colour, by night in the grey of an infra-red illuminator; with the blur, the vignette and the noise of a
//! sensor. A picture of 640 x 360 takes about 10 ms on one core.
//!
//! ```
//! use std::time::Duration;
//! use karaul_scene::{I420Frame, Scene, SceneOptions};
//!
//! let scene = Scene::new(SceneOptions { width: 320, height: 180, ..SceneOptions::default() })?;
//! let mut frame = I420Frame::default();
//! scene.render(Duration::from_secs(5), &mut frame);
//! assert_eq!(scene.objects(Duration::from_secs(5)).len(), 1);
//! # Ok::<(), karaul_scene::SceneError>(())
//! ```
//!
//! A [`Scene`] has no state: [`Scene::render`] is a function of its options and the time, from any thread, in any
//! order, and after [`Scene::period`] everything repeats without a seam.
//!
//! # The demonstration
//!
//! [`Script::Yard`] takes 60 s. The zone "yard" is [`YARD_ZONE`], the line "fence" is [`FENCE_LINE`]:
//!
//! ```toml
//! [camera.zone.yard]
//! points = [[0.25, 0.33], [0.72, 0.33], [0.96, 0.93], [0.04, 0.93]]
//!
//! [camera.line.fence]
//! points = [[0.2, 0.307], [0.99, 0.307]]
//! ```
//!
//! | time | id | what happens |
//! | --- | --- | --- |
//! | 0 to 23.3 s | 1 | a person in red comes through the gate (1.5 s), enters the zone (2.0 s), stands in the middle of the yard (5.4 to 11 s), walks on, stands again, and leaves the way he came (zone 18.6 s, line 19.1 s) |
//! | 22 to 33.3 s | 2 | a person with a backpack walks along the outside of the fence: no event |
//! | 29 to 36.3 s | 3 | a car comes from the road through the car gate (33.3 s) and leaves the picture on the right |
//! | 39 to 47.4 s | 4, 5 | a worker comes out of the building, a visitor goes in; both cross the zone (41.1 to 46.0 s), and at 43.2 s the nearer hides the farther |
//! | 49.7 to 55 s | 6 | a guard walks past close to the camera (zone 50.3 to 54.3 s) |
//! | from 57 s | 1 | is seen again outside the fence, on the way to the next loop |
//!
//! [`EVENTS`] is the same as a table for tests. With [`Light::Cycle`] of 120 s one loop passes by day and one by night.
//!
//! # Stories
//!
//! For each kind of rule there is a [`Story`] of one to two minutes: a script, the zones and lines that belong to it, and
//! the events that have to be reported, with their times. Beside what the rule is for, each shows what the rule must not
//! take for that: somebody who only walks past, a car that waits for a moment. [`Story::config`] writes the rule down.
//!
//! ```
//! use karaul_scene::{SceneOptions, Script, Story};
//!
//! let options = SceneOptions { script: Script::Story(Story::Loitering), ..SceneOptions::default() };
//! assert_eq!(Story::Loitering.events().len(), 1);
//! # let _ = options;
//! ```
//!
//! # Weather
//!
//! [`Weather`] is an option of every scene. [`vacant`] lists the empty yard with one nuisance at a time: nothing in them is
//! to be reported by [`EVERY_KIND`] of rule, but that nobody mans the post. With weather a scene repeats only after ten
//! minutes, and [`SceneOptions::seed`] gives other weather.
//!
//! # How it is made
//!
//! What stands still is ray-cast once ([`Scene::new`]). What moves is a triangle mesh per object, lofted over a
//! skeleton, rasterised into a visibility buffer with four samples a pixel, shaded with shadow maps, and laid into the
//! still picture under a tent filter; the rest of the frame is untouched. Then the sensor turns light into I420.

mod actor;
mod animal;
mod backdrop;
mod body;
mod camera;
mod colour;
mod compose;
mod creep;
mod effect;
mod events;
mod frame;
mod gait;
mod light;
mod luggage;
mod material;
mod mesh;
mod object;
mod path;
mod place;
mod random;
mod raster;
mod scene;
mod sensor;
mod shadow;
mod solid;
mod story;
mod street;
mod texture;
mod truth;
mod vehicle;
mod weather;
mod yard;

pub use effect::Effect;
pub use events::{EVENTS, Event, EventKind, FENCE_LINE, YARD_ZONE};
pub use frame::I420Frame;
pub use object::{Class, SceneObject};
pub use scene::{Light, Scene, SceneError, SceneOptions, Script};
pub use sensor::Grain;
pub use story::{GroundPoint, Story, StoryEvent, Told, UnknownStory};
pub use weather::{EVERY_KIND, Weather, vacant};
