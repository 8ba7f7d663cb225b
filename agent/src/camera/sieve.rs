use std::time::Duration;

use gstreamer as gst;
use karaul_wire::FullDecodingCause;

use super::{
    demand::{Demand, Glance, Verdict},
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
    demand: Demand,
    kept: Kept,
}

impl Sieve {
    pub(super) fn new(demand: Demand) -> Self {
        Self { demand, kept: Kept::default() }
    }

    /// Why every picture is decoded though the config asks for decoding on demand.
    pub(super) fn useless(&self) -> Option<FullDecodingCause> {
        self.demand.useless()
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
}
