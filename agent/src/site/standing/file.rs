//! The file of standing orders: one line of JSON and one with its SHA-256.

use std::{collections::BTreeMap, io, path::Path, time::Duration};

use jiff::Timestamp;
use karaul_wire::Segment;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{COUNT_EVERY, Disarmed, LONGEST, State};
use crate::{
    clock::Stamp,
    disk::{self, Checked, read_checked, write_checked},
};

/// Far above what all rules of 64 cameras need; keeps a wrong file from filling the memory.
const LARGEST: u64 = 4 << 20;

/// So much less than there is left is written: the time until it is written anew, and as much again because
/// that may be late. A power cut takes it off, and never gives time back.
pub(super) const CHARGE: Duration = COUNT_EVERY.saturating_mul(2);

#[derive(Serialize, Deserialize)]
struct Content {
    /// That of the machine's run that `ends_mono_ms` belongs to.
    boot_id: Option<Uuid>,
    disarmed: Vec<Line>,
    switched: BTreeMap<Segment, bool>,
    #[serde(default)]
    mode: Option<Segment>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    camera: Segment,
    rule: Segment,
    seconds: u32,
    ends_mono_ms: u64,
    ends: Timestamp,
    /// For how long it holds at most if the machine is started anew, see [`CHARGE`]. Where it is
    /// missing, not at all.
    #[serde(default)]
    left_ms: u64,
    latest: Option<Timestamp>,
}

/// Why the file is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("{0}")]
    Io(io::Error),
    #[error("the file is damaged ({0})")]
    File(disk::Damage),
    #[error("the file is damaged ({0})")]
    Json(#[from] serde_json::Error),
    #[error("the file is damaged ({0} seconds is not a time to disarm for)")]
    Seconds(u32),
}

impl From<disk::Damage> for Damage {
    fn from(damage: disk::Damage) -> Self {
        match damage {
            disk::Damage::Io(error) => Self::Io(error),
            damage => Self::File(damage),
        }
    }
}

/// What the file says, as far as it still holds; nothing if there is none. And whether it is of another run of the
/// machine, or may be.
pub(super) fn read(path: &Path, now: Stamp, boot_id: Option<Uuid>) -> Result<(State, bool), Damage> {
    let Some(Checked { line, .. }) = read_checked(path, LARGEST)? else { return Ok((State::default(), false)) };
    let content: Content = serde_json::from_str(&line)?;
    let same_boot = boot_id.is_some() && content.boot_id == boot_id;
    let mut state = State { switched: content.switched, mode: content.mode, written: now.mono, ..State::default() };
    for line in content.disarmed {
        if !(1..=LONGEST).contains(&line.seconds) {
            return Err(Damage::Seconds(line.seconds));
        }
        if let Some(order) = line.order(now, same_boot) {
            let left = order.ends.mono.saturating_sub(now.mono).as_secs();
            tracing::warn!(camera = %line.camera, rule = %line.rule, "disarmed by a command, for {left} s more");
            state.disarmed.insert((line.camera, line.rule), order);
        } else {
            tracing::info!(camera = %line.camera, rule = %line.rule, "armed: its time is over, or not certain");
            // It would be in force again once the clock is right.
            state.unsaved = true;
        }
    }
    Ok((state, !same_boot))
}

/// Writes it whole: after a power cut the file is the old one or the new one.
pub(super) fn write(path: &Path, state: &State, now: Duration, boot_id: Option<Uuid>) -> io::Result<()> {
    let line = |((camera, rule), order): (&super::Place, &Disarmed)| Line {
        camera: camera.clone(),
        rule: rule.clone(),
        seconds: order.seconds,
        ends_mono_ms: milliseconds(order.ends.mono),
        ends: order.ends.wall,
        left_ms: milliseconds(order.ends.mono.saturating_sub(now).saturating_sub(CHARGE)),
        latest: order.latest,
    };
    let disarmed = state.disarmed.iter().map(line).collect();
    let json = serde_json::to_string(&Content {
        boot_id,
        disarmed,
        switched: state.switched.clone(),
        mode: state.mode.clone(),
    })?;
    write_checked(path, &json, "")
}

impl Line {
    /// The order as it holds now, or `None` if its time is over or cannot be told.
    fn order(&self, now: Stamp, same_boot: bool) -> Option<Disarmed> {
        let ordered = Duration::from_secs(self.seconds.into());
        let (left, latest) = if same_boot {
            (Duration::from_millis(self.ends_mono_ms).saturating_sub(now.mono), self.latest)
        } else {
            let latest = self.latest.unwrap_or(self.ends);
            let by_wall = Duration::try_from(latest.duration_since(now.wall)).unwrap_or_default();
            // The clock shows a time before the order was given: it is wrong, and nobody knows how far.
            if by_wall > ordered {
                return None;
            }
            (by_wall.min(Duration::from_millis(self.left_ms)), Some(latest))
        };
        let left = left.min(ordered);
        let ends = Stamp { mono: now.mono + left, wall: Stamp::after(now.wall, left).wall };
        (!left.is_zero()).then_some(Disarmed { seconds: self.seconds, ends, latest })
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
