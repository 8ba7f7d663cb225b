//! Ground truth: what is in the picture, and where.

use serde::Serialize;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A person.
    Person,
    /// A passenger car.
    Car,
    /// A dog.
    Dog,
    /// A bag or a parcel, carried or put down.
    Bag,
}

/// An object of which at least a little is visible.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SceneObject {
    /// The same for one actor all through the loop and in every loop.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// Left, top, width and height of what is visible of it, in 0..1 of the picture.
    pub bbox: [f32; 4],
    /// The share of its outline that is in the picture and that nothing hides, 0..1. A wire fence hides its share of wire.
    pub visible: f32,
    /// Whether the border of the picture cuts it.
    pub cut_by_border: bool,
}

impl SceneObject {
    /// Whether it can be seen whole: not cut, and at most 5 % hidden.
    pub fn fully_visible(&self) -> bool {
        !self.cut_by_border && self.visible >= 0.95
    }

    /// The middle of the lower edge, in 0..1 of the picture: where it stands.
    pub fn foot(&self) -> [f32; 2] {
        [self.bbox[0] + self.bbox[2] / 2.0, self.bbox[1] + self.bbox[3]]
    }
}
