//! A rendered, guarded yard.

mod actor;
mod backdrop;
mod body;
mod camera;
mod colour;
mod compose;
mod frame;
mod gait;
mod light;
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
mod texture;
mod truth;
mod vehicle;
mod yard;

pub use frame::I420Frame;
pub use object::{Class, SceneObject};
pub use scene::{Light, Scene, SceneError, SceneOptions, Script};
