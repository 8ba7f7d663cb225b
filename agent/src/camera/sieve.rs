use std::time::Duration;

use gstreamer as gst;

use super::{
    demand::{Demand, Glance, Useless, Verdict},
    kept::Kept,
};

/// What of a stream goes on to the decoder.
#[derive(Debug)]
pub(super) enum Passage {
    /// Nothing.
    Nothing,
    /// The picture, which follows the one before.
    Next(gst::Buffer),
    /// A keyframe by itself: the decoder is to give out at once what it makes of it.
    Alone(gst::Buffer),
    /// The same, and somebody looks whether anything is in it.
    Glimpse(gst::Buffer),
    /// What was kept, and the picture. The first is a keyframe that was looked at already.
    CatchUp(Vec<gst::Buffer>),
}

/// Carries the [`Demand`]'s verdicts out: keeps what may be wanted later.
#[derive(Debug)]
pub(super) struct Sieve {
    camera: String,
    demand: Demand,
    kept: Kept,
    said: Option<Useless>,
}

impl Sieve {
    /// `camera` is for the log.
    pub(super) fn new(camera: String, demand: Demand) -> Self {
        Self { camera, demand, kept: Kept::default(), said: None }
    }

    /// The next encoded picture, which arrived at `at`.
    pub(super) fn take(&mut self, at: Duration, unit: gst::Buffer, attentive: bool) -> Passage {
        let flags = unit.flags();
        let glance = Glance {
            at,
            size: unit.size(),
            keyframe: !flags.contains(gst::BufferFlags::DELTA_UNIT),
            disposable: flags.contains(gst::BufferFlags::DROPPABLE),
        };
        let mut verdict = self.demand.decide(glance, attentive);
        self.say(self.demand.useless());
        if verdict == Verdict::Keep && !self.kept.add(&unit) {
            // No room to keep it: decoded at once.
            self.demand.wake(at);
            verdict = Verdict::FromLast;
        }
        let mut kept = match verdict {
            Verdict::LeaveOut | Verdict::Keep => return Passage::Nothing,
            Verdict::Alone => return Passage::Alone(unit),
            Verdict::Glimpse => {
                self.kept.begin(unit.clone());
                return Passage::Glimpse(unit);
            }
            Verdict::Decode => {
                self.kept.clear();
                return Passage::Next(unit);
            }
            Verdict::FromLast => self.kept.take_last(),
            Verdict::FromBefore => self.kept.take_all(),
        };
        kept.push(unit);
        Passage::CatchUp(kept)
    }

    /// Once for each change: an installer can do something about it.
    fn say(&mut self, useless: Option<Useless>) {
        let camera = &self.camera;
        if std::mem::replace(&mut self.said, useless) == useless {
            return;
        }
        match useless {
            Some(Useless::RareKeyframes) => tracing::warn!(
                camera,
                "keyframes come too rarely for decoding = \"on-demand\", so every picture is decoded; set a shorter \
                 keyframe interval in the camera, or raise look_every"
            ),
            Some(Useless::FlatSizes) => tracing::warn!(
                camera,
                "motion does not show in the sizes of the encoded pictures, so every picture is decoded for an hour; set \
                 a variable bit rate in the camera, or decoding = \"full\""
            ),
            None => tracing::info!(camera, "decoded on demand again"),
        }
    }
}
