use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use karaul_wire::{BlindReason, BoxPath, CameraState, CameraStatus, CloseReason, Segment};

use super::watch::{Detect, Sink, Watch};
use crate::{
    camera::{Frame, Observer},
    clock::Clock,
    uplink::StateBoard,
};

/// How long the model may fail before the camera counts as blind.
const MODEL_PATIENCE: Duration = Duration::from_secs(5);

/// What became of one camera's pictures, readable from any thread.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) inferred: AtomicU64,
    pub(super) missed: AtomicU64,
}

/// Stands between the camera's stream and its watch: hands pictures on, and keeps the
/// camera's published state true.
pub(super) struct Guard<D, S> {
    watch: Watch<D, S>,
    status: StatusLight,
    clock: Arc<dyn Clock>,
    tally: Arc<Tally>,
    /// Since when the model has been failing, on the monotonic time line.
    failing: Option<Duration>,
}

impl<D: Detect, S: Sink> Guard<D, S> {
    pub(super) fn new(watch: Watch<D, S>, status: StatusLight, clock: Arc<dyn Clock>, tally: Arc<Tally>) -> Self {
        Self { watch, status, clock, tally, failing: None }
    }

    /// The agent stops in an orderly way: nothing stays open.
    pub(super) fn stop(&mut self) {
        self.watch.end_all(self.clock.now(), CloseReason::Stopped);
    }
}

impl<D: Detect, S: Sink> Observer for Guard<D, S> {
    fn frame(&mut self, frame: &Frame) {
        match self.watch.picture(frame.stamp, &frame.planes()) {
            Ok(looked) => {
                self.tally.inferred.fetch_add(u64::from(looked), Relaxed);
                if looked && self.failing.take().is_some() {
                    self.status.seeing();
                }
            }
            Err(error) => {
                self.tally.missed.fetch_add(1, Relaxed);
                let now = self.clock.now();
                let since = match self.failing {
                    Some(since) => since,
                    None => {
                        tracing::error!(camera = %self.status.camera, "{error}");
                        *self.failing.insert(now.mono)
                    }
                };
                if now.mono.saturating_sub(since) >= MODEL_PATIENCE
                    && self.status.blind(BlindReason::Model, &error.to_string())
                {
                    self.watch.end_all(now, CloseReason::Blind);
                }
            }
        }
    }

    fn seeing(&mut self) {
        self.status.seeing();
    }

    fn blind(&mut self, reason: BlindReason, detail: &str) {
        self.failing = None;
        self.status.blind(reason, detail);
        self.watch.end_all(self.clock.now(), CloseReason::Blind);
    }
}

/// The retained state of one camera.
pub(super) struct StatusLight {
    camera: Segment,
    topic: String,
    board: Arc<StateBoard>,
    clock: Arc<dyn Clock>,
    shown: Option<CameraStatus>,
}

impl StatusLight {
    pub(super) fn new(path: &BoxPath, camera: &Segment, board: Arc<StateBoard>, clock: Arc<dyn Clock>) -> Self {
        Self { camera: camera.clone(), topic: path.camera_status(camera), board, clock, shown: None }
    }

    pub(super) fn seeing(&mut self) {
        self.show(CameraState::Seeing, None, None);
    }

    pub(super) fn disabled(&mut self) {
        self.show(CameraState::Disabled, None, None);
    }

    /// Says whether the camera was not blind before.
    pub(super) fn blind(&mut self, reason: BlindReason, detail: &str) -> bool {
        self.show(CameraState::Blind, Some(reason), Some(detail))
    }

    /// Publishes a change; `since` tells when the state began, whatever its reasons
    /// were meanwhile. Says whether the state is another one than before.
    fn show(&mut self, state: CameraState, reason: Option<BlindReason>, detail: Option<&str>) -> bool {
        let before = self.shown.as_ref().filter(|shown| shown.state == state);
        let changed = before.is_none();
        let since = before.map_or_else(|| self.clock.now().wall, |shown| shown.since);
        let status =
            CameraStatus { state, reason, detail: detail.map(str::to_owned), since, disarmed: BTreeMap::new() };
        match serde_json::to_vec(&status) {
            // The board publishes only what differs from before.
            Ok(payload) => self.board.set(self.topic.clone(), payload),
            Err(error) => tracing::error!(camera = %self.camera, "its state cannot be written as JSON: {error}"),
        }
        self.shown = Some(status);
        changed
    }
}
