use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a picture is not worth watching. Shown as a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Something is before the lens.
    Covered,
    /// Out of focus.
    Blurred,
    /// The camera looks elsewhere.
    Moved,
    /// No light.
    Dark,
    /// Too much light.
    WashedOut,
    /// The same picture again and again.
    Frozen,
    /// Dirt on the lens, lit at night by the camera's own light.
    Dirty,
}

impl Condition {
    /// All conditions.
    pub const ALL: [Self; 7] =
        [Self::Covered, Self::Blurred, Self::Moved, Self::Dark, Self::WashedOut, Self::Frozen, Self::Dirty];

    /// Its word, as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Blurred => "blurred",
            Self::Moved => "moved",
            Self::Dark => "dark",
            Self::WashedOut => "washed-out",
            Self::Frozen => "frozen",
            Self::Dirty => "dirty",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Covered => "the lens is covered, or something stands right before it: clear the view",
            Self::Blurred => "the picture is out of focus: clean and focus the lens",
            Self::Moved => {
                "the camera looks elsewhere than when its zones and lines were drawn: turn it back, or draw them anew, \
                 which makes this view the right one"
            }
            Self::Dark => "the picture is black: there is no light, or something lies on the lens",
            Self::WashedOut => "the picture is white: a light shines into the lens, or the exposure is wrong",
            Self::Frozen => {
                "the same picture comes again and again, though with new times: restart the camera or the recorder \
                 that sends it"
            }
            Self::Dirty => "the lens is dirty, and the camera's own light shows it instead of the scene: clean it",
        })
    }
}
