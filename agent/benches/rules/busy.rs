//! A busy yard: forty people and ten cars on their rounds, who are hidden, lost, fall, stop and come back as others.

use std::{f32::consts::TAU, path::Path, time::Duration};

use jiff::Timestamp;
use karaul::{
    clock::Stamp,
    config::{Camera, Config, Light, Secrets},
    rules::{Engine, Findings, Look},
    scenery::Patch,
    track::Track,
    vision::Rect,
};

/// Looks a second.
pub(crate) const PACE: u32 = 5;

/// As many objects at each moment.
pub(crate) const OBJECTS: u64 = 50;

/// All repeats after so many seconds.
const ROUND: f32 = 30.0;

/// The camera and what it looks at.
pub(crate) struct Yard {
    engine: Engine,
    tracks: Vec<Track>,
    patches: Vec<Patch>,
    now: Duration,
    looks: u32,
}

impl Yard {
    /// The camera of `busy.toml`, before its first look.
    ///
    /// # Panics
    /// If the config is not valid.
    #[must_use]
    pub(crate) fn new() -> Self {
        let camera = camera();
        Self {
            engine: Engine::new(&camera.rules, camera.ground.as_ref()),
            tracks: Vec::new(),
            patches: Vec::new(),
            now: Duration::ZERO,
            looks: 0,
        }
    }

    /// Goes on to the next look: who is where, and what was put down.
    pub(crate) fn step(&mut self) {
        self.looks += 1;
        self.now = Duration::from_secs(1) * self.looks / PACE;
        let now = self.now.as_secs_f32();
        self.tracks.clear();
        self.tracks.extend((0..OBJECTS).map(|n| object(n, now)));
        // A tracker lists them in the order in which they began.
        self.tracks.sort_unstable_by_key(|track| track.id);
        self.patches.clear();
        self.patches.extend((0_u8..2).filter_map(|n| patch(n, now)));
    }

    /// The engine looks at it.
    pub(crate) fn look(&mut self, findings: &mut Findings) {
        let look = Look {
            at: Stamp::after(Timestamp::UNIX_EPOCH, self.now),
            tracks: &self.tracks,
            patches: &self.patches,
            light: Some(if (self.looks / 50).is_multiple_of(2) { Light::Day } else { Light::Night }),
            aspect: 16.0 / 9.0,
            troubled: false,
        };
        self.engine.observe(&look, findings);
    }
}

/// The camera of `busy.toml`.
///
/// # Panics
/// If the config is not valid.
#[must_use]
pub(crate) fn camera() -> Camera {
    // Those who share this file stand side by side with the agent.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/benches/rules/busy.toml");
    let config = Config::load_with(&path, Secrets::Ignored).unwrap_or_else(|problems| panic!("{problems}"));
    let [camera] = <[Camera; 1]>::try_from(config.cameras).unwrap_or_else(|_| panic!("one camera"));
    camera
}

/// The n-th object on its round. Every fifth ends once in a round and begins as another.
fn object(n: u64, now: f32) -> Track {
    let share = n as f32 / OBJECTS as f32;
    let is_car = n % 5 == 4;
    let lives = n.is_multiple_of(5);
    let begun = ROUND * share;
    let life = if lives { ((now - begun) / ROUND).floor().max(-1.0) + 1.0 } else { 0.0 };
    let born = if lives { (begun + (life - 1.0) * ROUND).max(0.0) } else { 0.0 };
    let period = [6.0, 10.0, 15.0, 30.0][n as usize % 4];
    // A part of each round hidden: some so long that they are lost.
    let turn = (now / ROUND + 0.37 * n as f32).fract() * ROUND;
    let hidden_for = [0.0, 1.0, 4.0][n as usize % 3];
    let hidden = if turn < hidden_for && now - turn > born { turn } else { 0.0 };
    let seen_at = now - hidden;
    // Some stand still for a third of the round.
    let rest = n % 3 == 1 && (seen_at / ROUND + share).fract() < 0.33;
    let angle = if rest { TAU * share } else { TAU * (seen_at / period + share) };
    let (x, y) = (0.5 + (0.1 + 0.3 * share) * angle.cos(), 0.62 + (0.08 + 0.2 * share) * angle.sin());
    let down = rest && n.is_multiple_of(2);
    let (w, h) = if is_car {
        (0.16, 0.14)
    } else if down {
        (0.12, 0.06)
    } else {
        (0.04, 0.2)
    };
    let score = 0.45 + 0.4 * (seen_at / 3.0 + share).fract();
    Track {
        id: 1 + n + OBJECTS * life as u64,
        class: u16::from(is_car),
        bbox: Rect { x: x - w / 2.0, y: y - h, w, h },
        score,
        score_max: 0.85,
        seen: hidden == 0.0,
        lost: hidden > 2.0,
        first_seen: Duration::from_secs_f32(born),
        last_seen: Duration::from_secs_f32(seen_at),
    }
}

/// Something is put down in each zone that is watched for it, and gone again by the end of the round.
fn patch(n: u8, now: f32) -> Option<Patch> {
    let (round, at) = ((now / ROUND).floor(), now % ROUND);
    (at > 5.0).then(|| Patch {
        id: 1 + 2 * round as u64 + u64::from(n),
        zone: usize::from(n),
        bbox: Rect { x: 0.48, y: 0.55, w: 0.04, h: 0.05 },
        appeared: Some(n == 0),
        since: Duration::from_secs_f32(round * ROUND + 5.0),
        seen: true,
    })
}
