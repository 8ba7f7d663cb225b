use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use karaul_wire::{BlindCause, BlindReason, BoxPath, CameraState, CameraStatus, FullDecoding, MovedView, Segment};

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
    full_decoding: Option<FullDecoding>,
    view: Option<MovedView>,
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

    /// `since` is when its last good picture was, on the monotonic time line: the ledger counts from there.
    pub(super) fn blind(&self, reason: BlindReason, detail: &str, since: Option<Duration>) {
        self.show(CameraState::Blind, Some((reason, None, detail)), since);
    }

    /// The same, because of its stream.
    pub(super) fn cut_off(&self, cause: BlindCause, detail: &str, since: Option<Duration>) {
        self.show(CameraState::Blind, Some((cause.reason(), Some(cause), detail)), since);
    }

    /// Shows that every picture is decoded though it should not be, and why; or no longer.
    pub(super) fn full_decoding(&self, full: Option<FullDecoding>) {
        let mut shown = self.shown();
        shown.full_decoding.clone_from(&full);
        if let Some(status) = &mut shown.status
            && status.state == CameraState::Seeing
        {
            status.full_decoding = full;
            self.publish(status);
        }
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

    /// Shows that the camera looks elsewhere, or does not any more; from the next change of its state on.
    pub(super) fn view(&self, view: Option<MovedView>) {
        self.shown().view = view;
    }

    /// Publishes a change; `since` tells when the state began, whatever its reasons
    /// were meanwhile.
    fn show(
        &self,
        state: CameraState,
        why: Option<(BlindReason, Option<BlindCause>, &str)>,
        blind_since: Option<Duration>,
    ) {
        let mut shown = self.shown();
        let before = shown.status.as_ref().filter(|shown| shown.state == state);
        let since = before.map_or_else(|| self.clock.now().wall, |shown| shown.since);
        let status = CameraStatus {
            state,
            reason: why.map(|(reason, ..)| reason),
            cause: why.and_then(|(_, cause, _)| cause),
            detail: why.map(|(.., detail)| detail.to_owned()),
            full_decoding: shown.full_decoding.clone().filter(|_| state == CameraState::Seeing),
            since,
            disarmed: shown.disarmed.clone(),
            view: shown.view.clone(),
        };
        self.publish(&status);
        self.ledger.sees(&self.camera, sight(&status), blind_since);
        shown.status = Some(status);
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
            let cause = status.cause.and_then(|cause| serde_json::to_value(cause).ok());
            let word = cause.or_else(|| serde_json::to_value(status.reason?).ok());
            Sight::Blind(word.as_ref().and_then(|word| word.as_str()).unwrap_or("blind").to_owned())
        }
    }
}
