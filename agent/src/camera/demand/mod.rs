//! Which encoded pictures are worth decoding. Decoding is most of what a camera costs, and most scenes stand still.
//!
//! While nothing moves only keyframes are decoded, each by itself; what lies between is kept compressed. The encoder
//! has looked for motion already: where something moves, the pictures between keyframes grow. When they do, or when
//! somebody sees something in a keyframe, what is kept is decoded after all, so nothing of the beginning is missed, and
//! then every picture, until it has been quiet for a while.
//!
//! Pure: knows no decoder and no clock.

mod sizes;

use std::time::Duration;

use karaul_wire::FullDecodingCause;

use self::sizes::Sizes;
use crate::config::Decoding;

/// Every picture is decoded for so long after the last sign of motion: longer than somebody stands still in mid-walk.
const LINGER: Duration = Duration::from_secs(3);

/// Keyframes may be so much later than wanted before the camera is decoded in full: encoders count pictures, and
/// cameras do not keep their rate exactly.
const LATE: f64 = 1.25;

/// So soon after a keyframe nobody may have looked at it yet.
const LOOKED_AT: Duration = Duration::from_secs(1);

/// A pause of so many usual steps from picture to picture is one of the network.
const PAUSE: u32 = 4;

/// So many keyframes with nothing in between: Motion JPEG, or an encoder that makes nothing else.
const ALL_KEYFRAMES: u32 = 50;

/// Keyframes have to come in time for so long before they are relied on again. Some encoders stretch the interval while
/// nothing moves.
const IN_TIME: Duration = Duration::from_secs(30);

/// Signs of motion that only a keyframe gave, beyond those that sizes gave as well, before sizes are no longer trusted.
const MISSED_SIGNS: u32 = 4;

/// For so long sizes are not trusted then. Encoders change their ways with the light.
const DISTRUST: Duration = Duration::from_secs(3600);

/// What is known of an encoded picture before it is decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Glance {
    /// When it arrived, on the monotonic time line.
    pub(super) at: Duration,
    /// In bytes.
    pub(super) size: usize,
    /// Can be decoded without any other.
    pub(super) keyframe: bool,
    /// No other needs it; such pictures are smaller.
    pub(super) disposable: bool,
}

/// What becomes of an encoded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Neither decoded nor kept.
    LeaveOut,
    /// Kept, not decoded.
    Keep,
    /// A keyframe, decoded by itself.
    Alone,
    /// The same, to see whether anything is there: if so, what is kept may be wanted.
    Glimpse,
    /// Decoded as the one before was.
    Decode,
    /// Decoded, after all that are kept since the last keyframe.
    FromLast,
    /// Decoded, after all that are kept since the last keyframe but one: what was seen in the last one came before it.
    FromBefore,
}

/// What an installer is told of it.
pub(super) const fn remedy(cause: FullDecodingCause) -> &'static str {
    match cause {
        FullDecodingCause::RareKeyframes => {
            "keyframes come too rarely for decoding = \"on-demand\", so every picture is decoded; set a shorter keyframe \
             interval in the camera, or raise \"look_every\""
        }
        FullDecodingCause::OnlyKeyframes => {
            "each encoded picture is a keyframe, so decoding = \"on-demand\" saves nothing; set H.264 or H.265 with a keyframe \
             every two seconds in the camera, or decoding = \"full\""
        }
        FullDecodingCause::FlatSizes => {
            "motion does not show in the sizes of the encoded pictures, so every picture is decoded for an hour; set a \
             variable bit rate in the camera, or decoding = \"full\""
        }
    }
}

/// The decision for one stream, picture by picture, in the order of the stream.
#[derive(Debug)]
pub(super) struct Demand {
    mode: Decoding,
    /// Longest time between two looks while nothing moves.
    look_every: Duration,
    awake: bool,
    /// Every picture is decoded until then.
    hold: Duration,
    last: Duration,
    /// From one picture to the next, smoothed.
    step: Duration,
    last_keyframe: Option<Duration>,
    /// Keyframes since the last other picture.
    in_a_row: u32,
    /// Keyframes are too rare; until then, if from now on they come in time.
    rare: Option<Duration>,
    /// Of pictures that others need, and of those that nobody needs.
    sizes: [Sizes; 2],
    /// Wakings by a keyframe's content less those by sizes.
    missed: u32,
    distrust: Option<Duration>,
}

impl Demand {
    /// Begins awake: what is usual for this camera has to be learnt first.
    pub(super) fn new(mode: Decoding, look_every: Duration) -> Self {
        Self {
            mode,
            look_every,
            awake: mode != Decoding::Keyframes,
            hold: Duration::ZERO,
            last: Duration::ZERO,
            step: Duration::ZERO,
            last_keyframe: None,
            in_a_row: 0,
            rare: None,
            sizes: Default::default(),
            missed: 0,
            distrust: None,
        }
    }

    /// What becomes of the next picture. `attentive`: somebody wants to see all of them, because there is something to
    /// be seen.
    pub(super) fn decide(&mut self, picture: Glance, attentive: bool) -> Verdict {
        match self.mode {
            Decoding::Full => Verdict::Decode,
            Decoding::Keyframes if picture.keyframe => Verdict::Alone,
            Decoding::Keyframes => Verdict::LeaveOut,
            Decoding::OnDemand => self.on_demand(picture, attentive),
        }
    }

    /// Decodes every picture from this one on, for a while.
    pub(super) fn wake(&mut self, at: Duration) {
        self.awake = true;
        self.hold = at + LINGER;
    }

    /// Why it decodes in full though it should not.
    pub(super) fn useless(&self) -> Option<FullDecodingCause> {
        if self.in_a_row >= ALL_KEYFRAMES {
            return Some(FullDecodingCause::OnlyKeyframes);
        }
        let flat = self.distrust.map(|_| FullDecodingCause::FlatSizes);
        self.rare.map(|_| FullDecodingCause::RareKeyframes).or(flat)
    }

    fn on_demand(&mut self, picture: Glance, attentive: bool) -> Verdict {
        let at = picture.at;
        self.watch_keyframes(picture);
        self.distrust = self.distrust.filter(|until| at < *until);
        let sizes = &mut self.sizes[usize::from(picture.disposable)];
        let sign = !picture.keyframe && sizes.is_large(picture.size);
        // What is usual is learnt while nobody sees anything.
        if !picture.keyframe && !attentive {
            sizes.learn(picture.size);
        }
        if !self.awake {
            self.judge_sizes(at, sign, attentive);
        }
        if sign || attentive || self.useless().is_some() || !self.sizes[0].are_known() {
            self.hold = at + LINGER;
        }
        match (self.awake, at < self.hold) {
            (true, false) if picture.keyframe => {
                self.awake = false;
                Verdict::Glimpse
            }
            (true, _) => Verdict::Decode,
            (false, false) if picture.keyframe => Verdict::Glimpse,
            (false, false) => Verdict::Keep,
            (false, true) => {
                self.awake = true;
                // Something may be in the last keyframe though nobody has said so yet; it came before it.
                let unseen = self.last_keyframe.is_some_and(|last| at.saturating_sub(last) < LOOKED_AT);
                match (attentive, picture.keyframe) {
                    (true, _) => Verdict::FromBefore,
                    (false, true) => Verdict::Decode,
                    (false, false) if unseen => Verdict::FromBefore,
                    (false, false) => Verdict::FromLast,
                }
            }
        }
    }

    /// The look that is due even if no keyframe comes: without one every picture is decoded.
    fn watch_keyframes(&mut self, picture: Glance) {
        let at = picture.at;
        let late = self.look_every.mul_f64(LATE);
        let pause = at.saturating_sub(std::mem::replace(&mut self.last, at));
        if pause > (PAUSE * self.step).max(self.look_every) {
            // Nothing came at all: no fault of the encoder.
            self.last_keyframe = self.last_keyframe.map(|last| last + pause);
        }
        // A long pause moves it little, a slow stream in the end.
        self.step = (7 * self.step + pause.min(PAUSE * self.step + self.look_every)) / 8;
        self.in_a_row = if picture.keyframe { self.in_a_row.saturating_add(1) } else { 0 };
        if self.last_keyframe.is_some_and(|last| at.saturating_sub(last) > late) {
            self.rare = Some(at + IN_TIME);
        }
        self.rare = self.rare.filter(|until| at < *until);
        if picture.keyframe || self.last_keyframe.is_none() {
            self.last_keyframe = Some(at);
        }
    }

    /// Keeps account of what woke it. A camera whose sizes say nothing, because its bit rate is constant, is found out.
    fn judge_sizes(&mut self, at: Duration, sign: bool, attentive: bool) {
        if sign {
            self.missed = self.missed.saturating_sub(1);
        } else if attentive {
            self.missed += 1;
        }
        if self.missed >= MISSED_SIGNS {
            self.missed = 0;
            self.distrust = Some(at + DISTRUST);
        }
    }
}

#[cfg(test)]
mod tests;
