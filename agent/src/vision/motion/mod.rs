//! Where a picture differs from what is usual there: the gate in front of the detector.
//!
//! A running background and the usual deviation from it are learnt for each block of luma, in the way of Wren et al.,
//! *Pfinder* (PAMI 1997), with a mean deviation in place of a variance, which one outlier moves less. A block counts as
//! changed when it is further off than a multiple of that, and a change is what several blocks side by side make. A change
//! of most of the picture is none of something in it: an infrared filter, a lamp, lightning. The background begins anew
//! then, and the detector has a look.
//!
//! This says where to look and never that nothing is there: whoever uses it looks anyway now and then.

mod background;
mod blocks;
mod regions;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::{background::Background, blocks::Blocks};
use super::{Planes, Rect};

/// What became of the picture since the last one.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Change {
    /// Nothing that is not usual.
    #[default]
    None,
    /// Something in these places, in shares of the picture; largest first, at least one.
    Somewhere(Vec<Rect>),
    /// All of it, or nothing is known of this scene yet.
    All,
}

/// Compares the pictures of one camera.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    blocks: Blocks,
    background: Background,
    last: Option<Duration>,
}

/// After such a pause what was learnt is of another time.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Motion {
    /// Compares a picture with what is usual, and learns from it. `at` is the picture's time; pictures come in order.
    pub fn look(&mut self, at: Duration, picture: &Planes<'_>) -> Change {
        let resized = self.blocks.average(picture);
        let since = self.last.replace(at).map(|last| at.saturating_sub(last));
        let (values, size) = (self.blocks.values(), self.blocks.size());
        match since {
            Some(since) if since < LONGEST_PAUSE && !resized => {
                if !self.background.compare(values, since) {
                    return Change::All;
                }
                let found = regions::find(self.background.changed(), size);
                let places = found.into_iter().map(|area| self.blocks.to_picture(area)).collect::<Vec<_>>();
                if places.is_empty() { Change::None } else { Change::Somewhere(places) }
            }
            _ => {
                self.background.begin(values);
                Change::All
            }
        }
    }
}
