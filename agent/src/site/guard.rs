use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use karaul_wire::{BlindCause, BlindReason, CloseReason, FullDecoding, MovedView, Segment};

use super::{
    clips::ClipCounts,
    detect::{Detect, Sink},
    fixtures::KeptFixtures,
    light::Light,
    standing::Standing,
    tray::Tray,
    view::KeptView,
    watch::Watch,
};
use crate::{
    camera::{Frame, Observer},
    clock::{Clock, Stamp},
    sight::Condition,
    vision::Planes,
};

/// How long the model may fail before the camera counts as blind.
const MODEL_PATIENCE: Duration = Duration::from_secs(5);

/// What became of one camera's pictures, readable from any thread.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) inferred: AtomicU64,
    pub(super) missed: AtomicU64,
    pub(super) clips: Arc<ClipCounts>,
}

/// What a camera's thread shares with others.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) light: Light,
    pub(super) tally: Arc<Tally>,
    pub(super) tray: Arc<Tray>,
    pub(super) standing: Arc<Standing>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The model fails.
#[derive(Clone, Copy)]
struct Failing {
    /// On the monotonic time line.
    since: Duration,
    /// It was said, and what was open has ended.
    told: bool,
}

/// Stands between the camera's stream and its watch: hands pictures on, does what others
/// ask for, and keeps the camera's published state true.
pub(super) struct Guard<D, S> {
    watch: Watch<D, S>,
    shared: Shared,
    rules: Vec<Segment>,
    disarmed: Vec<bool>,
    failing: Option<Failing>,
    /// When the latest picture came, on the monotonic time line.
    latest: Option<Duration>,
    /// What was last said of the picture.
    told: Option<Condition>,
    /// Where the learnt view is kept; `None` if the config wants none.
    view: Option<KeptView>,
    /// Where the false alarms that operators have named are kept; `None` in tests that name none.
    fixtures: Option<KeptFixtures>,
}

impl<D: Detect, S: Sink> Guard<D, S> {
    /// `rules` are the ids of the camera's rules, in their order.
    pub(super) fn new(mut watch: Watch<D, S>, rules: Vec<Segment>, shared: Shared, mut view: Option<KeptView>) -> Self {
        let disarmed = vec![false; rules.len()];
        if let (Some(sight), Some(view)) = (watch.sight(), &mut view)
            && let Some(memory) = view.read(shared.light.camera())
        {
            sight.remember(memory);
        }
        Self { watch, shared, rules, disarmed, failing: None, latest: None, told: None, view, fixtures: None }
    }

    /// Keeps the false alarms that operators name.
    pub(super) fn with_fixtures(self, fixtures: KeptFixtures) -> Self {
        Self { fixtures: Some(fixtures), ..self }
    }

    /// One picture, or a glimpse.
    pub(super) fn look(&mut self, at: Stamp, picture: &Planes<'_>, glimpse: bool) {
        self.attend();
        self.shared.tray.show(picture);
        self.watch.lost(false);
        self.latest = self.latest.max(Some(at.mono));
        let looked = if glimpse { self.watch.glimpse(at, picture) } else { self.watch.picture(at, picture) };
        match looked {
            Ok(looked) => {
                self.shared.tally.inferred.fetch_add(u64::from(looked), Relaxed);
                if looked && self.failing.take().is_some() {
                    self.show();
                }
            }
            Err(error) => {
                self.shared.tally.missed.fetch_add(1, Relaxed);
                let now = self.shared.clock.now();
                let failing = self.failing.get_or_insert_with(|| {
                    tracing::error!(camera = %self.shared.light.camera(), "{error}");
                    Failing { since: now.mono, told: false }
                });
                if now.mono.saturating_sub(failing.since) >= MODEL_PATIENCE {
                    self.shared.light.blind(BlindReason::Model, &error.to_string(), Some(failing.since));
                    if !std::mem::replace(&mut failing.told, true) {
                        self.watch.end_all(now, CloseReason::Blind);
                    }
                }
            }
        }
        self.heed_sight(at.mono);
    }

    /// Tells what has become of the picture, and keeps what was learnt of it.
    fn heed_sight(&mut self, at: Duration) {
        let condition = self.watch.trouble().map(|(condition, _)| condition);
        if condition != self.told {
            self.told = condition;
            let camera = self.shared.light.camera();
            match condition {
                Some(condition) => tracing::warn!(%camera, "{condition}"),
                None => tracing::info!(%camera, "the picture is worth watching again"),
            }
            if self.failing.is_none() {
                self.show();
            }
        }
        if let (Some(sight), Some(view)) = (self.watch.sight(), &self.view)
            && let Some(memory) = sight.to_keep(at)
        {
            view.write(self.shared.light.camera(), &memory);
        }
    }

    /// Pictures come, and the model looks at them: what is left is what they show.
    fn show(&self) {
        let light = &self.shared.light;
        light.view(self.watch.moved().map(|moved| MovedView { moved, rules: self.rules.clone() }));
        match self.watch.trouble() {
            Some((condition, _)) => light.blind(reason(condition), &condition.to_string(), self.watch.well_until()),
            None => light.seeing(),
        }
    }

    /// The camera is not watched any more: nothing stays open.
    pub(super) fn end(&mut self, reason: CloseReason) {
        self.shared.tray.close();
        self.watch.end_all(self.shared.clock.now(), reason);
        if let (Some(sight), Some(view)) = (self.watch.sight(), &self.view)
            && let Some(memory) = sight.memory()
        {
            view.write(self.shared.light.camera(), &memory);
        }
    }

    /// Heeds standing orders, does what waits in the tray, and goes on with the clips.
    fn attend(&mut self) {
        let Shared { tray, standing, clock, light, .. } = &self.shared;
        let now = clock.now();
        let unarmed = standing.unarmed(light.camera(), now);
        let disarmed: Vec<bool> = self.rules.iter().map(|rule| unarmed.contains(rule)).collect();
        if disarmed != self.disarmed {
            self.watch.disarm(now, &disarmed);
            self.disarmed = disarmed;
        }
        while let Some((errand, answer)) = tray.take() {
            // Whoever asked may have given up; what was done is told by the incident itself.
            let _ = answer.try_send(self.watch.run(now, errand));
        }
        self.watch.tend_incidents(now);
        if let (Some(kept), Some(fixtures)) = (&self.fixtures, self.watch.fixtures_to_keep()) {
            kept.write(fixtures);
        }
    }
}

/// The word on the wire.
const fn reason(condition: Condition) -> BlindReason {
    match condition {
        Condition::Covered => BlindReason::Covered,
        Condition::Blurred => BlindReason::Blurred,
        Condition::Moved => BlindReason::Moved,
        Condition::Dark => BlindReason::Dark,
        Condition::WashedOut => BlindReason::WashedOut,
        Condition::Frozen => BlindReason::Frozen,
        Condition::Dirty => BlindReason::Dirty,
    }
}

impl<D: Detect, S: Sink> Observer for Guard<D, S> {
    fn frame(&mut self, frame: &Frame) {
        self.look(frame.stamp, &frame.planes(), frame.glimpse);
    }

    fn is_attentive(&self) -> bool {
        self.watch.is_attentive()
    }

    fn seeing(&mut self) {
        self.show();
    }

    fn blind(&mut self, cause: BlindCause, detail: &str) {
        self.failing = None;
        self.watch.lost(true);
        self.shared.light.cut_off(cause, detail, self.latest);
        self.watch.end_all(self.shared.clock.now(), CloseReason::Blind);
    }

    fn full_decoding(&mut self, full: Option<FullDecoding>) {
        self.shared.light.full_decoding(full);
    }

    fn tick(&mut self) {
        self.attend();
        self.watch.attend_camera(self.shared.clock.now());
    }
}

#[cfg(test)]
mod tests;
