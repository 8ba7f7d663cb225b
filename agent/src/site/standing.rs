//! Standing orders: what commands have changed for longer than a moment.

mod file;
mod modes;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use karaul_wire::Segment;
use uuid::Uuid;

use self::{file::CHARGE, modes::Plan};
use crate::{
    clock::{Clock, Stamp},
    config::Config,
};

/// Nobody disarms for longer.
pub(super) const LONGEST: u32 = 7 * 24 * 3600;

/// How far the wall clock may wander before the ends that are told follow it.
const WANDER: Duration = Duration::from_secs(5);

/// How often it is written for how long rules stay disarmed.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// A rule of a camera: camera id, rule id.
pub(super) type Place = (Segment, Segment);

/// The standing orders could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the standing orders cannot be written to {path}: {source}; check space and rights of the folder storage.path")]
pub(super) struct StandingError {
    path: PathBuf,
    source: std::io::Error,
}

/// Which rules are disarmed and until when, which cameras are switched otherwise than the config says, and the mode
/// that the site is in. On disk, so that a restart changes none of it.
///
/// Within a run, and over a restart of the agent, an end is measured by monotonic time. Over a restart of the
/// machine there is the wall clock, which may be wrong: a box without one of its own starts with the last time that
/// it saved. So what is left is written once a minute as well, less two minutes, and whichever end comes first
/// counts. Each power cut shortens an order by up to two minutes of the box's running time, and none makes that
/// longer; how long the box was off only a clock tells that is right. A clock that shows a time before the order
/// was given ends it, and so does a disk that does not take what is left for two minutes.
pub(super) struct Standing {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    boot_id: Option<Uuid>,
    state: Mutex<State>,
    plan: Mutex<Plan>,
    /// Held while the file is written; [`Self::state`] is not, so that no camera waits for the disk.
    writing: Mutex<()>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    disarmed: BTreeMap<Place, Disarmed>,
    /// Cameras that a command has switched on or off.
    switched: BTreeMap<Segment, bool>,
    /// The mode that was ordered; the first of the site's otherwise.
    mode: Option<Segment>,
    /// The file does not say this yet.
    unsaved: bool,
    /// When the file was written last, on the monotonic time line.
    written: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Disarmed {
    /// For how long it was ordered.
    seconds: u32,
    /// By monotonic time; the wall clock's is told.
    ends: Stamp,
    /// The machine was started anew since, so the wall clock has a say: no later than this, which was told before.
    latest: Option<Timestamp>,
}

impl Disarmed {
    fn holds(&self, now: Stamp) -> bool {
        now.mono < self.ends.mono && self.latest.is_none_or(|latest| now.wall < latest)
    }
}

impl Standing {
    /// Those of the folder. A file that is damaged is said and counts as none: the safe side is armed.
    pub(super) fn open(folder: &Path, clock: Arc<dyn Clock>, boot_id: Option<Uuid>) -> Self {
        let path = folder.join("standing.orders");
        let (state, anew) = file::read(&path, clock.now(), boot_id).unwrap_or_else(|why| {
            tracing::error!(
                "the standing orders in {} cannot be read: {why}; no rule is disarmed, cameras are on or off as the \
                 config says, and the site is in the first of its modes",
                path.display()
            );
            (State::default(), false)
        });
        // What holds has to be charged: what the file says is left is of before the restart.
        let unsaved = state.unsaved || !state.disarmed.is_empty();
        let standing =
            Self { path, clock, boot_id, state: Mutex::new(state), plan: Mutex::default(), writing: Mutex::new(()) };
        if unsaved && let Err(error) = standing.change(|_| {}) {
            tracing::error!("{error}");
            if anew {
                // The next power cut would begin from here again, and so on for ever.
                standing.arm_all();
            }
        }
        standing
    }

    /// The rules of a camera that are disarmed, with their ends by the wall clock.
    pub(super) fn disarmed(&self, camera: &Segment, now: Stamp) -> BTreeMap<Segment, Timestamp> {
        let state = self.state();
        let here = state.disarmed.iter().filter(|((at, _), order)| at == camera && order.holds(now));
        here.map(|((_, rule), order)| (rule.clone(), order.ends.wall)).collect()
    }

    /// How a command has switched a camera, if one has.
    pub(super) fn switched(&self, camera: &Segment) -> Option<bool> {
        self.state().switched.get(camera).copied()
    }

    /// Disarms for so many seconds, whatever was ordered before; tells the end.
    ///
    /// # Errors
    /// If that cannot be written. Nothing is changed then.
    pub(super) fn disarm(&self, places: &[Place], seconds: u32) -> Result<Timestamp, StandingError> {
        let now = self.clock.now();
        let ends = Stamp {
            mono: now.mono + Duration::from_secs(seconds.into()),
            wall: Stamp::after(now.wall, Duration::from_secs(seconds.into())).wall,
        };
        let order = Disarmed { seconds, ends, latest: None };
        self.change_if_written(|state| state.disarmed.extend(places.iter().map(|place| (place.clone(), order))))?;
        Ok(ends.wall)
    }

    /// Ends what [`Self::disarm`] began; tells for how many of the rules it had.
    ///
    /// # Errors
    /// If that cannot be written. They are armed nevertheless, but a restart would undo it until it is written,
    /// which [`Self::tend`] tries.
    pub(super) fn arm(&self, places: &[Place]) -> Result<usize, StandingError> {
        let now = self.clock.now();
        let mut count = 0;
        self.change(|state| {
            for place in places {
                count += usize::from(state.disarmed.remove(place).is_some_and(|order| order.holds(now)));
            }
        })?;
        Ok(count)
    }

    /// Switches a camera; `None` leaves it to the config. What is switched on is on even if that cannot be written.
    ///
    /// # Errors
    /// If that cannot be written. Then nothing is changed where `on` is not so, and a restart would undo it where it
    /// is.
    pub(super) fn switch(&self, camera: &Segment, to: Option<bool>, on: bool) -> Result<(), StandingError> {
        let switch = |state: &mut State| match to {
            Some(to) => _ = state.switched.insert(camera.clone(), to),
            None => _ = state.switched.remove(camera),
        };
        if on { self.change(switch) } else { self.change_if_written(switch) }
    }

    /// Forgets what was ordered for rules, cameras and a mode that this config does not have, or it would hold again if
    /// ever they came back. Tells what it was.
    pub(super) fn forget_gone(&self, config: &Config) -> Vec<String> {
        let camera = |id: &Segment| config.cameras.iter().find(|camera| camera.id == *id);
        let is_rule = |(id, rule): &Place| camera(id).is_some_and(|c| c.rules.iter().any(|r| r.id == *rule));
        let state = self.state();
        let rules = state.disarmed.keys().filter(|place| !is_rule(place));
        let rules = rules.map(|(camera, rule)| format!("rule {rule} of camera {camera} was disarmed"));
        let cameras = state.switched.iter().filter(|(id, _)| camera(id).is_none());
        let cameras = cameras.map(|(id, on)| format!("camera {id} was switched {}", if *on { "on" } else { "off" }));
        let is_mode = |mode: &Segment| config.site.modes.contains(mode);
        let mode = state.mode.iter().filter(|mode| !is_mode(mode));
        let mode = mode.map(|mode| format!("mode {mode} was ordered"));
        let gone: Vec<String> = rules.chain(cameras).chain(mode).collect();
        drop(state);
        if gone.is_empty() {
            return gone;
        }
        let forgotten = self.change(|state| {
            state.disarmed.retain(|place, _| is_rule(place));
            state.switched.retain(|id, _| camera(id).is_some());
            state.mode.take_if(|mode| !is_mode(mode));
        });
        if let Err(error) = forgotten {
            tracing::error!("{error}");
        }
        tracing::warn!("forgotten, because the config has them no more: {}", gone.join(", "));
        gone
    }

    /// Forgets what has ended, follows a wall clock that was set, writes what is left of the time, and what could
    /// not be written before. Once a second.
    pub(super) fn tend(&self) {
        let now = self.clock.now();
        let before = self.state().clone();
        let mut after = before.clone();
        after.disarmed.retain(|_, order| order.holds(now));
        for order in after.disarmed.values_mut() {
            order.follow(now);
        }
        let due = !after.disarmed.is_empty() && now.mono.saturating_sub(before.written) >= COUNT_EVERY;
        if after == before && !before.unsaved && !due {
            return;
        }
        let tended = self.change(|state| {
            state.disarmed.retain(|_, order| order.holds(now));
            for order in state.disarmed.values_mut() {
                order.follow(now);
            }
        });
        if let Err(error) = tended {
            if !before.unsaved {
                tracing::error!("{error}");
            }
            // From here on a power cut would give time back.
            if !after.disarmed.is_empty() && now.mono.saturating_sub(before.written) >= CHARGE {
                self.arm_all();
            }
        }
    }

    fn arm_all(&self) {
        tracing::error!("no rule is disarmed any more: what is left of the time cannot be written");
        self.state().disarmed.clear();
    }

    /// Changes the orders and then the file.
    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), StandingError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        change(&mut state);
        state.unsaved = true;
        let wanted = state.clone();
        drop(state);
        let written = self.write(&wanted)?;
        let mut state = self.state();
        (state.unsaved, state.written) = (false, written);
        Ok(())
    }

    /// Changes the file and then the orders.
    fn change_if_written(&self, change: impl FnOnce(&mut State)) -> Result<(), StandingError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted = self.state().clone();
        change(&mut wanted);
        match self.write(&wanted) {
            Ok(written) => {
                *self.state() = State { unsaved: false, written, ..wanted };
                Ok(())
            }
            Err(error) => {
                // Part of it may have reached the disk: what is in force has to be written again.
                self.state().unsaved = true;
                Err(error)
            }
        }
    }

    /// Tells when it was written, on the monotonic time line.
    fn write(&self, state: &State) -> Result<Duration, StandingError> {
        let now = self.clock.now().mono;
        file::write(&self.path, state, now, self.boot_id)
            .map_err(|source| StandingError { path: self.path.clone(), source })?;
        Ok(now)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disarmed {
    /// The wall clock may have been set: the end that is told, and that the first restart of the machine would
    /// find, is moved along.
    fn follow(&mut self, now: Stamp) {
        if let Some(latest) = self.latest {
            let by_wall = Duration::try_from(latest.duration_since(now.wall)).unwrap_or_default();
            if self.ends.mono.saturating_sub(now.mono) > by_wall + WANDER {
                // Set forward: there is less left than was thought.
                self.ends.mono = now.mono + by_wall;
            }
        }
        let told = Stamp::after(now.wall, self.ends.mono.saturating_sub(now.mono)).wall;
        if told.duration_since(self.ends.wall).unsigned_abs() > WANDER {
            self.ends.wall = told;
        }
    }
}
