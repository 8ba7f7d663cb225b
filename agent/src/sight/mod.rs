//! Is the picture still worth watching?
//!
//! ```text
//! picture → small → structure ─→ bank (references, one for each kind of light) → verdict → hold → condition
//!             │                    learnt while all is well, kept over restarts
//!             └────→ stillness ──────────────────────────────────────────────────┘
//! ```
//!
//! Once a second at most a picture is made small ([`small`]), its edges are found ([`structure`]) and compared, cell by
//! cell, with those of the learnt view ([`reference`], [`bank`]). [`verdict`] says what is wrong with this one picture,
//! [`stillness`] whether pictures come at all, and [`hold`] makes a state of many verdicts. Where there is nothing to compare
//! a picture with (the first night, another size) what was wrong before stays wrong, and nothing is learnt from it.
//!
//! What is measured goes back to the literature on camera tampering: edges against those of a background model (Gil-Jiménez
//! et al., "Automatic control of video surveillance camera sabotage", IWINAC 2007), fine detail lost for blur and all detail
//! for a cover (Aksay, Temizel and Çetin, "Camera tamper detection using wavelet analysis for video surveillance", AVSS
//! 2007), block matching for a turn and adaptive thresholds (Saglam and Temizel, AVSS 2009), and short-term against
//! long-term memory so that a change of light or a passer-by is none (Ribnick et al., "Real-time detection of camera
//! tampering", AVSS 2006). That edges are compared by the square of their direction, which neither the strength of the
//! light nor its side changes, is what keeps day, night and infra-red apart from a turned camera.
//!
//! Pure: time comes with the picture.

mod bank;
mod condition;
mod hold;
mod memory;
mod reference;
mod shift;
mod small;
mod stillness;
mod structure;
mod verdict;
#[cfg(test)]
pub(crate) mod wall;

use std::time::Duration;

use self::{
    bank::Bank,
    hold::Hold,
    small::Small,
    stillness::Stillness,
    structure::{Field, Structure},
    verdict::{Evidence, Tone, Verdict, judge},
};
pub use self::{condition::Condition, memory::Memory};
use crate::vision::Planes;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// How often what was learnt is kept.
const KEEP_EVERY: Duration = Duration::from_secs(3600);

/// The same, if what is wrong with the view has changed: it may come and go.
const KEEP_DOUBT: Duration = Duration::from_secs(60);

/// From this correlation on two pictures show the same.
const STEADY: f32 = 0.5;

/// With fewer cells as they were than this it is searched whether they are somewhere else.
const DOUBTFUL: f32 = 0.7;

/// How a camera's sight is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SightSettings {
    /// For how long a view is learnt.
    pub learn: Duration,
}

impl Default for SightSettings {
    fn default() -> Self {
        Self { learn: Duration::from_secs(120) }
    }
}

/// Watches the sight of one camera.
#[derive(Debug)]
pub struct Sight {
    small: Small,
    structure: Structure,
    /// Directions of the look before.
    before: Field,
    stillness: Stillness,
    bank: Bank,
    hold: Hold,
    last: Option<Duration>,
    /// The last look that found nothing wrong, or else the first of all.
    good: Option<Duration>,
    /// What was learnt was handed out last with so many kinds of light and this doubt, then.
    kept: Option<(usize, Option<Condition>, Duration)>,
}

impl Sight {
    /// A watch that begins with what was learnt before, if anything was.
    #[must_use]
    pub fn new(settings: SightSettings, memory: Option<Memory>) -> Self {
        let mut sight = Self {
            small: Small::default(),
            structure: Structure::default(),
            before: Field::default(),
            stillness: Stillness::default(),
            bank: Bank::new(settings.learn),
            hold: Hold::default(),
            last: None,
            good: None,
            kept: None,
        };
        if let Some(memory) = memory {
            sight.remember(memory);
        }
        sight
    }

    /// Goes on from what was learnt in another run.
    pub fn remember(&mut self, memory: Memory) {
        self.hold = Hold::remember(memory.doubt);
        self.stillness = Stillness::remember(memory.quiet);
        self.bank.remember(memory.references);
        self.kept = None;
    }

    /// What was learnt; `None` if nothing was yet.
    #[must_use]
    pub fn memory(&self) -> Option<Memory> {
        let references = self.bank.references().to_vec();
        let (quiet, doubt) = (self.stillness.learnt(), self.hold.doubt());
        (!references.is_empty()).then_some(Memory { references, quiet, doubt })
    }

    /// What was learnt, if it is time to keep it: a new kind of light, another doubt, or an hour has passed.
    pub fn to_keep(&mut self, at: Duration) -> Option<Memory> {
        let (kinds, doubt) = (self.bank.references().len(), self.hold.doubt());
        let due = self.kept.is_none_or(|(kept, doubted, when)| {
            let every = if doubted == doubt { KEEP_EVERY } else { KEEP_DOUBT };
            kept != kinds || at.saturating_sub(when) >= every
        });
        if !due {
            return None;
        }
        self.kept = Some((kinds, doubt, at));
        self.memory()
    }

    /// What is wrong, if anything.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        self.hold.state()
    }

    /// When the last picture was that had nothing wrong with it; of a frozen one, the last that was new.
    #[must_use]
    pub fn well_until(&self) -> Option<Duration> {
        let frozen = self.condition() == Some(Condition::Frozen);
        let new = self.stillness.last_change().filter(|_| frozen);
        self.good.map(|good| new.map_or(good, |new| new.min(good)))
    }

    /// Takes one picture; looks at it if it is due. Says whether [`Self::condition`] is another one now.
    pub fn picture(&mut self, at: Duration, picture: &Planes<'_>) -> bool {
        let due = self.last.is_none_or(|last| at + PERIOD / 8 >= last + PERIOD || at < last);
        if !due || !self.small.take(picture) {
            return false;
        }
        self.last = Some(at);
        std::mem::swap(&mut self.before, &mut self.structure.direction);
        self.structure.find(&self.small);
        let frozen = self.stillness.is_frozen(at, &self.small);
        let steady = correlation(&self.before, &self.structure.direction) >= STEADY;
        let tone = Tone::of(&self.structure);
        let found = self.bank.compare(&self.structure, self.small.colour);
        let shift = found
            .comparison
            .filter(|comparison| comparison.kept < DOUBTFUL && comparison.bare < 0.6)
            .and_then(|_| self.bank.search(&self.structure));
        let evidence = Evidence {
            tone,
            learnt: found.learnt,
            comparison: found.comparison,
            shift,
            usual_mean: found.usual_mean,
            night: found.night,
            new_light: found.new_light,
        };
        let verdict = match judge(&evidence) {
            // What shows nothing stands still as well.
            nothing @ Verdict::Wrong(Condition::Dark | Condition::WashedOut | Condition::Covered) => nothing,
            _ if frozen => Verdict::Wrong(Condition::Frozen),
            verdict => verdict,
        };
        tracing::trace!(?at, ?verdict, steady, ?evidence, "look");
        if self.hold.state().is_some() {
            self.stillness.unsettle();
        } else if self.hold.meaning(verdict).is_none() {
            self.bank.learn(at, &self.structure, self.small.colour);
            self.stillness.learn(at);
        }
        if self.hold.meaning(verdict).is_none() || self.good.is_none() {
            self.good = Some(at);
        }
        self.hold.take(at, verdict, steady)
    }
}

fn correlation(a: &Field, b: &Field) -> f32 {
    if a.re.len() != b.re.len() {
        return 0.0;
    }
    let [mut with, mut first, mut second] = [0.0_f32; 3];
    for i in 0..a.re.len() {
        with += a.re[i] * b.re[i] + a.im[i] * b.im[i];
        first += a.re[i] * a.re[i] + a.im[i] * a.im[i];
        second += b.re[i] * b.re[i] + b.im[i] * b.im[i];
    }
    with / (first * second).sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests;
