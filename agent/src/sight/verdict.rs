use super::{Condition, reference::Comparison, shift::Shift, structure::Structure};

/// Luma below which the brightest twentieth of a picture lies that shows nothing: a sixteenth of the range.
const BLACK: f32 = 26.0;

/// Luma from which nothing can be told apart.
const WHITE: f32 = 240.0;

/// Luma of the brightest and the darkest twentieth of a picture without anything in it differ by no more.
const FLAT: f32 = 14.0;

/// A view has too little in it to be known again with fewer cells than this that show an edge.
pub(super) const LEAST_TEXTURED: usize = 10;

/// With this share of cells as they were, there is a view to be watched. Two unrelated views have some in common by chance.
const KNOWN: f32 = 0.35;

/// Correlation of the brightness of cells with the learnt one: out of focus a picture keeps it, and hardly anything else.
const SAME_LAYOUT: f32 = 0.75;

/// With this correlation of directions a view is found again that has been shifted.
const FOUND: f32 = 0.35;

/// Energy of fine edges against coarse ones, 1 as learnt, of a picture that is out of focus.
const SOFT: f32 = 0.6;

/// What is left at most of the energy of edges behind a veil.
const VEILED: f32 = 0.12;

/// Cells with something else in them, at least, in a view of another place. A cover has a fold or two.
const ELSEWHERE: f32 = 0.25;

/// Brightness of one picture, 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tone {
    /// Of the darkest and of the brightest twentieth the border.
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) mean: f32,
    /// Share of pixels in which nothing can be told apart.
    pub(super) white: f32,
}

impl Tone {
    pub(super) fn of(structure: &Structure) -> Self {
        let mut counts = [0_usize; 256];
        for value in &structure.luma {
            counts[value.clamp(0.0, 255.0) as usize] += 1;
        }
        let total = structure.luma.len().max(1);
        let border = |share: f32| {
            let mut left = (total as f32 * share) as usize;
            let at = counts.iter().position(|count| {
                let here = *count > left;
                left = left.saturating_sub(*count);
                here
            });
            at.unwrap_or(255) as f32
        };
        Self {
            low: border(0.05),
            high: border(0.95),
            mean: structure.luma.iter().sum::<f32>() / total as f32,
            white: counts[WHITE as usize..].iter().sum::<usize>() as f32 / total as f32,
        }
    }

    fn is_flat(&self) -> bool {
        self.high - self.low < FLAT
    }
}

/// What one look says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is wrong.
    Good,
    Wrong(Condition),
    /// Something is to be seen, but there is nothing like it to compare it with: neither a reason for alarm nor the end of
    /// one.
    Unclear,
}

/// All that one look has to go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    pub(super) tone: Tone,
    /// A view has been learnt, of whatever size.
    pub(super) learnt: bool,
    /// With the reference that fits best; `None` while nothing of this size has been learnt.
    pub(super) comparison: Option<Comparison>,
    /// Searched for only if little agrees.
    pub(super) shift: Option<Shift>,
    /// Mean luma of the learnt view.
    pub(super) usual_mean: f32,
    /// The learnt view is a night view.
    pub(super) night: bool,
    /// The light is of a kind in which this view has never been seen.
    pub(super) new_light: bool,
}

/// What is wrong with the picture, if anything.
pub(super) fn judge(evidence: &Evidence) -> Verdict {
    use Verdict::{Good, Unclear, Wrong};
    let Evidence { tone, .. } = evidence;
    let known = evidence.comparison.filter(|comparison| comparison.textured >= LEAST_TEXTURED);
    let kept = known.map_or(0.0, |comparison| comparison.kept);
    if kept < KNOWN {
        if tone.high < BLACK {
            return Wrong(Condition::Dark);
        }
        if tone.white > 0.6 || (tone.low > 190.0 && tone.high - tone.low < 2.0 * FLAT) {
            return Wrong(Condition::WashedOut);
        }
        if tone.is_flat() {
            return Wrong(Condition::Covered);
        }
    }
    let Some(comparison) = known else { return if evidence.learnt { Unclear } else { Good } };
    if let Some(shift) = evidence.shift
        && shift.by != [0, 0]
        && shift.agreement > FOUND
        && shift.agreement > comparison.agreement + 0.15
    {
        // What sways is the same view.
        return if shift.is_far() { Wrong(Condition::Moved) } else { Good };
    }
    let Comparison { strange, layout, gain, sharpness, contrast, .. } = comparison;
    let same_layout = layout > SAME_LAYOUT && (0.7..1.4).contains(&gain);
    if kept >= KNOWN {
        if layout > 0.5 && sharpness < SOFT && contrast < 0.4 {
            return Wrong(Condition::Blurred);
        }
        let veiled = evidence.night && layout > 0.5 && contrast < VEILED && tone.mean > 0.7 * evidence.usual_mean;
        return if veiled { Wrong(Condition::Dirty) } else { Good };
    }
    if same_layout && strange < 0.5 {
        return Wrong(Condition::Blurred);
    }
    if strange < ELSEWHERE {
        return Wrong(Condition::Covered);
    }
    if evidence.new_light { Unclear } else { Wrong(Condition::Moved) }
}
