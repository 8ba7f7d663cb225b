//! Where encoded pictures arrive.

use std::{sync::Arc, time::Duration};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};

use super::{
    Fault, StreamSettings, codec::Codec, demand::Demand, pipeline::Surroundings, sieve::Sieve, sluice::Sluice,
};

/// A picture claimed to be older than this has a broken time stamp, not a long way.
const OLDEST: Duration = Duration::from_secs(10);

/// And one claimed to be shown later than this; encoders look ahead by a few pictures only.
const NEWEST: Duration = Duration::from_secs(2);

/// A sink that stamps each encoded picture with its time of arrival and puts it into the ring, if clips are wanted, and
/// into the sluice before the decoder, if there is one.
pub(super) fn intake(
    pipeline: &gst::Pipeline,
    codec: Codec,
    settings: &StreamSettings,
    around: &Surroundings,
    decoder: Option<AppSrc>,
) -> AppSink {
    let sluice = decoder.as_ref().map(|decoder| {
        let sieve = Sieve::new(Demand::new(settings.decoding, settings.look_every));
        Sluice::new(sieve, decoder.clone(), Arc::clone(&around.mailbox), Arc::clone(&around.attentive))
    });
    let ring = settings.ring.clone();
    if let Some(ring) = &ring {
        ring.connect();
    }
    let (clock, mailbox, end) = (Arc::clone(&around.clock), Arc::clone(&around.mailbox), Arc::clone(&around.mailbox));
    let pipeline = pipeline.downgrade();
    let mut caps = None;
    let callbacks = AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let (Some(pipeline), Some(mut unit)) = (pipeline.upgrade(), sample.buffer_owned()) else {
                return Err(gst::FlowError::Eos);
            };
            // The size of the picture may change in mid-stream.
            if sample.caps().map(ToOwned::to_owned) != caps {
                caps = sample.caps().map(ToOwned::to_owned);
                if let Some(decoder) = &decoder {
                    decoder.set_caps(caps.as_ref());
                }
            }
            let now = clock.now().mono;
            let arrived = arrival(now, pipeline.current_running_time(), &sample).unwrap_or_else(|| {
                mailbox.jumped();
                now
            });
            // The memory is shared; only the time is new.
            unit.make_mut().set_pts(gst::ClockTime::try_from(arrived).ok());
            // Before anything is left out: a clip has every picture.
            if let Some(ring) = &ring {
                ring.take(codec, caps.as_ref(), arrived, unit.clone());
            }
            match &sluice {
                Some(sluice) => sluice.take(unit)?,
                None => mailbox.received(),
            }
            Ok(gst::FlowSuccess::Ok)
        })
        .eos(move |_| end.fail(Fault::Ended));
    AppSink::builder()
        .caps(&codec.whole_pictures())
        .sync(false)
        .async_(false)
        .enable_last_sample(false)
        .callbacks(callbacks.build())
        .build()
}

/// When an encoded picture arrived, on the monotonic time line: its own time in the pipeline's, if that is to be
/// believed. Pictures that others come before are sent earlier, so it may be in the future. `None` if it is
/// beyond belief.
fn arrival(now: Duration, present: Option<gst::ClockTime>, sample: &gst::Sample) -> Option<Duration> {
    let own = sample
        .buffer()
        .and_then(|buffer| buffer.pts())
        .zip(sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>()))
        .and_then(|(pts, segment)| segment.to_running_time(pts));
    let (Some(present), Some(own)) = (present.map(Duration::from), own.map(Duration::from)) else { return Some(now) };
    match present.checked_sub(own) {
        Some(age) if age <= OLDEST => Some(now.saturating_sub(age)),
        None if own - present <= NEWEST => Some(now + (own - present)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_time_stamp_does_not_move_a_picture_far() {
        let second = Duration::from_secs(1);
        let arrived = |own: Option<u64>| {
            let mut buffer = gst::Buffer::new();
            buffer.get_mut().unwrap().set_pts(own.map(gst::ClockTime::from_mseconds));
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            let sample = gst::Sample::builder().buffer(&buffer).segment(&segment).build();
            arrival(100 * second, Some(gst::ClockTime::from_seconds(20)), &sample).map(|arrived| arrived.as_millis())
        };
        gst::init().unwrap();
        assert_eq!(arrived(Some(19_960)), Some(99_960));
        assert_eq!(arrived(Some(10_000)), Some(90_000));
        assert_eq!(arrived(Some(9_999)), None);
        // Shown later than those that are sent after it.
        assert_eq!(arrived(Some(20_080)), Some(100_080));
        assert_eq!(arrived(Some(22_001)), None);
        assert_eq!(arrived(None), Some(100_000));
    }
}
