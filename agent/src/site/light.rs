use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use karaul_wire::{BlindReason, BoxPath, CameraState, CameraStatus, Segment};

use crate::{
    clock::Clock,
    ledger::{Ledger, Sight},
    uplink::StateBoard,
};

/// The retained state of one camera. Clones are the same light.
#[derive(Clone)]
pub(super) struct Light {
    camera: Segment,
    topic: String,
    board: Arc<StateBoard>,
    clock: Arc<dyn Clock>,
    ledger: Arc<Ledger>,
    shown: Arc<Mutex<Shown>>,
}

#[derive(Default)]
struct Shown {
    /// `None` until something is known.
    status: Option<CameraStatus>,
    disarmed: BTreeMap<Segment, Timestamp>,
}

impl Light {
    pub(super) fn new(
        path: &BoxPath,
        camera: &Segment,
        board: Arc<StateBoard>,
        clock: Arc<dyn Clock>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let topic = path.camera_status(camera);
        Self { camera: camera.clone(), topic, board, clock, ledger, shown: Arc::default() }
    }

    pub(super) fn camera(&self) -> &Segment {
        &self.camera
    }

    /// What is shown.
    pub(super) fn status(&self) -> Option<CameraStatus> {
        self.shown().status.clone()
    }

    pub(super) fn seeing(&self) {
        self.show(CameraState::Seeing, None, None);
    }

    pub(super) fn disabled(&self) {
        self.show(CameraState::Disabled, None, None);
    }

    /// Says whether the camera was not blind before.
    pub(super) fn blind(&self, reason: BlindReason, detail: &str) -> bool {
        self.show(CameraState::Blind, Some(reason), Some(detail))
    }

    /// Shows which rules are disarmed, and until when.
    pub(super) fn disarmed(&self, disarmed: BTreeMap<Segment, Timestamp>) {
        let mut shown = self.shown();
        if shown.disarmed == disarmed {
            return;
        }
        shown.disarmed.clone_from(&disarmed);
        if let Some(status) = &mut shown.status {
            status.disarmed = disarmed;
            self.publish(status);
        }
    }

    /// Publishes a change; `since` tells when the state began, whatever its reasons
    /// were meanwhile. Says whether the state is another one than before.
    fn show(&self, state: CameraState, reason: Option<BlindReason>, detail: Option<&str>) -> bool {
        let mut shown = self.shown();
        let before = shown.status.as_ref().filter(|shown| shown.state == state);
        let changed = before.is_none();
        let since = before.map_or_else(|| self.clock.now().wall, |shown| shown.since);
        let disarmed = shown.disarmed.clone();
        let status = CameraStatus { state, reason, detail: detail.map(str::to_owned), since, disarmed };
        self.publish(&status);
        self.ledger.sees(&self.camera, sight(&status));
        shown.status = Some(status);
        changed
    }

    /// The board publishes only what differs from before. Called while locked, so that its latest is the latest.
    fn publish(&self, status: &CameraStatus) {
        match serde_json::to_vec(status) {
            Ok(payload) => self.board.set(self.topic.clone(), payload),
            Err(error) => tracing::error!(camera = %self.camera, "its state cannot be written as JSON: {error}"),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the ledger counts a camera in this state as.
fn sight(status: &CameraStatus) -> Sight {
    match status.state {
        CameraState::Seeing => Sight::Seeing,
        CameraState::Disabled => Sight::Disabled,
        CameraState::Blind => {
            let word = status.reason.and_then(|reason| serde_json::to_value(reason).ok());
            Sight::Blind(word.as_ref().and_then(|word| word.as_str()).unwrap_or("blind").to_owned())
        }
    }
}
