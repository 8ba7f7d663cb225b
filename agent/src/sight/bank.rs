use std::time::Duration;

use super::{
    reference::{Comparison, Reference},
    shift::{self, Shift},
    structure::Structure,
};

/// The kinds of light that a view is known in: day, night, a lamp or two.
const KINDS: usize = 4;

/// References of pictures of all sizes: a camera whose stream was changed may be set back.
pub(super) const MOST: usize = 2 * KINDS;

/// A reference is as good as the mean of its last looks, about twenty minutes.
const MEMORY: u32 = 1200;

/// Looks that a view is learnt from at least, however slowly they come.
const LEAST_LOOKS: u32 = 15;

/// With this share of cells as they were, a picture is one of the reference's light, and it learns from it.
const SAME_LIGHT: f32 = 0.6;

/// So long a picture must look otherwise before it counts as a kind of light of its own.
const NEW_LIGHT: Duration = Duration::from_secs(20);

/// Chroma that is nearer to grey is that of a camera by infra-red light.
const GREY: f32 = 1.5;

/// Mean luma of a view by night, at most.
const NIGHT: f32 = 60.0;

/// How one view looks in different lights, and in pictures of different sizes.
#[derive(Debug)]
pub(super) struct Bank {
    learn: Duration,
    /// Those of one size in the order in which they were learnt.
    references: Vec<Reference>,
    /// The one that fits the present picture.
    active: usize,
    /// One that is being learnt, and since when.
    fresh: Option<(Duration, Reference)>,
    /// Since when the picture has not looked as in any known light.
    unlike: Option<Duration>,
    /// The present picture is one of the active reference's light.
    same_light: bool,
}

/// What the bank says of a picture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Something was learnt.
    pub(super) learnt: bool,
    pub(super) comparison: Option<Comparison>,
    pub(super) night: bool,
    pub(super) new_light: bool,
    /// Mean luma of the reference.
    pub(super) usual_mean: f32,
}

impl Bank {
    pub(super) fn new(learn: Duration) -> Self {
        Self { learn, references: Vec::new(), active: 0, fresh: None, unlike: None, same_light: false }
    }

    pub(super) fn remember(&mut self, references: Vec<Reference>) {
        *self = Self { references, ..Self::new(self.learn) };
    }

    pub(super) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Compares with the reference that fits best.
    pub(super) fn compare(&mut self, structure: &Structure, colour: f32) -> Found {
        let is_grey = |colour: f32| colour < GREY;
        let alike = |reference: &Reference| is_grey(reference.colour) == is_grey(colour);
        let of_size = self.references.iter().enumerate().filter(|(_, reference)| reference.fits(structure));
        let new_light = !of_size.clone().any(|(_, reference)| alike(reference));
        let candidates = of_size.filter(|(_, reference)| new_light || alike(reference));
        let mut best: Option<(usize, Comparison)> = None;
        // The present one first: it is left only for one that is clearly better.
        for (index, reference) in candidates.clone().filter(|(i, _)| *i == self.active).chain(candidates) {
            if best.is_some_and(|(_, best)| best.kept >= SAME_LIGHT) {
                break;
            }
            let comparison = reference.compare(structure);
            if best.is_none_or(|(_, best)| comparison.kept > best.kept + 0.05) {
                best = Some((index, comparison));
            }
        }
        let learnt = !self.references.is_empty();
        let Some((active, comparison)) = best else {
            self.same_light = false;
            return Found { learnt, ..Found::default() };
        };
        self.active = active;
        self.same_light = !new_light && comparison.kept >= SAME_LIGHT;
        let reference = &self.references[active];
        let usual_mean = reference.brightness();
        let night = is_grey(reference.colour) || usual_mean < NIGHT;
        Found { learnt, comparison: Some(comparison), night, new_light, usual_mean }
    }

    pub(super) fn search(&self, structure: &Structure) -> Option<Shift> {
        self.references.get(self.active).map(|reference| shift::search(reference, structure))
    }

    /// Learns from a picture with which nothing is wrong.
    pub(super) fn learn(&mut self, at: Duration, structure: &Structure, colour: f32) {
        if !self.references.iter().any(|reference| reference.fits(structure)) {
            self.unlike = None;
            return self.learn_new(at, structure, colour, self.learn);
        }
        if self.same_light {
            self.references[self.active].learn(structure, colour, MEMORY);
            self.unlike = None;
            self.fresh = None;
            return;
        }
        let unlike = *self.unlike.get_or_insert(at);
        if at.saturating_sub(unlike) >= NEW_LIGHT {
            self.learn_new(at, structure, colour, self.learn / 2);
        }
    }

    fn learn_new(&mut self, at: Duration, structure: &Structure, colour: f32, span: Duration) {
        let (since, fresh) = self.fresh.get_or_insert_with(|| (at, Reference::new(structure, colour)));
        if !fresh.fits(structure) {
            self.fresh = None;
            return;
        }
        fresh.learn(structure, colour, MEMORY);
        if at.saturating_sub(*since) < span || fresh.looks < LEAST_LOOKS {
            return;
        }
        let Some((_, fresh)) = self.fresh.take() else { return };
        let (same, others): (Vec<_>, Vec<_>) =
            (0..self.references.len()).partition(|index| self.references[*index].fits(structure));
        // The first is the view as it was installed; of the others the one that has been of use the least goes.
        let spare = if same.len() >= KINDS {
            &same[1..]
        } else if self.references.len() >= MOST {
            &others[..]
        } else {
            &[]
        };
        if let Some(least) = spare.iter().min_by_key(|index| self.references[**index].looks) {
            self.references.remove(*least);
        }
        self.references.push(fresh);
        self.active = self.references.len() - 1;
        self.unlike = None;
    }
}
