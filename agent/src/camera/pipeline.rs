//! The pipeline of a live stream, built by hand from what the camera offers in its SDP.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};

use super::{
    Fault, StreamSettings,
    codec::Codec,
    decoder::{choose, decode, element, parser, picture_caps},
    demand::Demand,
    fault::{Said, read_error},
    mailbox::Mailbox,
    sieve::Sieve,
    sluice::Sluice,
};
use crate::{clock::Clock, config::Transport};

/// How long packets out of order are waited for. Packets in order pass at once.
const JITTER_MS: u32 = 200;

/// A picture claimed to be older than this has a broken time stamp, not a long way.
const OLDEST: Duration = Duration::from_secs(10);

/// And one claimed to be shown later than this; encoders look ahead by a few pictures only.
const NEWEST: Duration = Duration::from_secs(2);

/// What the camera has to offer, and which of it was taken.
#[derive(Debug, Default)]
pub(super) struct Offer {
    state: Mutex<(Vec<String>, Option<Codec>)>,
    decoder: OnceLock<&'static str>,
}

impl Offer {
    /// Takes the first video stream in a codec that we decode; audio and ONVIF metadata are left alone.
    fn take(&self, caps: &gst::CapsRef) -> bool {
        let text =
            |field: &str| caps.structure(0).and_then(|fields| fields.get::<String>(field).ok()).unwrap_or_default();
        let (media, encoding) = (text("media"), text("encoding-name"));
        let mut state = self.state();
        let codec = Codec::from_rtp(&encoding).filter(|_| media == "video" && state.1.is_none());
        state.0.push(format!("{media} {encoding}").trim_end().to_owned());
        state.1 = state.1.or(codec);
        codec.is_some()
    }

    /// There were streams, and none was of use.
    pub(super) fn fault(&self) -> Option<Fault> {
        let state = self.state();
        (state.1.is_none() && !state.0.is_empty())
            .then(|| Fault::UnsupportedCodec { offered: format!("only {}", state.0.join(", ")) })
    }

    fn taken(&self) -> Option<Codec> {
        self.state().1
    }

    /// The element that decodes what was taken, if it is not the processor that does.
    pub(super) fn hardware(&self) -> Option<&'static str> {
        let codec = self.taken()?;
        self.decoder.get().copied().filter(|decoder| codec.hardware().contains(decoder))
    }

    fn state(&self) -> MutexGuard<'_, (Vec<String>, Option<Codec>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the pipeline of one stream works with.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) clock: Arc<dyn Clock>,
    /// Set while somebody wants to see every picture.
    pub(super) attentive: Arc<AtomicBool>,
}

/// Builds the pipeline; what comes of it arrives in the mailbox. Nothing runs yet.
pub(super) fn live(settings: &StreamSettings, around: &Surroundings) -> Result<(gst::Pipeline, Arc<Offer>), Fault> {
    let mailbox = &around.mailbox;
    let pipeline = gst::Pipeline::new();
    let source = source(settings)?;
    let sink = newest_only(mailbox);
    let parts = [&source, sink.upcast_ref()];
    pipeline.add_many(parts).map_err(|error| Fault::Decoder { detail: error.to_string() })?;

    let offer = Arc::<Offer>::default();
    source.connect_closure(
        "select-stream",
        false,
        glib::closure!(
            #[strong]
            offer,
            move |_source: gst::Element, _index: u32, caps: gst::Caps| offer.take(&caps)
        ),
    );
    source.connect_pad_added({
        let (offer, around, settings) = (Arc::clone(&offer), around.clone(), settings.clone());
        let (pipeline, sink) = (pipeline.downgrade(), sink.downgrade());
        move |_, pad| {
            // The pipeline is being taken down when these are gone.
            let (Some(pipeline), Some(sink), Some(codec)) = (pipeline.upgrade(), sink.upgrade(), offer.taken()) else {
                return;
            };
            let attached = choose(codec, settings.decoder).and_then(|decoder| {
                let decoder = *offer.decoder.get_or_init(|| decoder);
                let entry = decoding(&pipeline, sink.upcast_ref(), codec, decoder)?;
                receiving(&pipeline, pad, codec, &settings, &around, entry)
            });
            if let Err(fault) = attached {
                around.mailbox.fail(fault);
            }
        }
    });
    listen(&pipeline, mailbox, &offer, settings.login.is_some());
    Ok((pipeline, offer))
}

fn source(settings: &StreamSettings) -> Result<gst::Element, Fault> {
    let source = element("rtspsrc")?;
    source.set_property("location", settings.url.to_string());
    if let Some((user, password)) = &settings.login {
        source.set_property("user-id", user);
        source.set_property("user-pw", password.reveal());
    }
    source.set_property_from_str(
        "protocols",
        match settings.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        },
    );
    source.set_property("latency", JITTER_MS);
    source.set_property("drop-on-latency", true);
    source.set_property("do-retransmission", false);
    // In microseconds. Notices a frozen camera only after several times as long: our own watchdog goes first.
    let timeout = settings.connect_limit + settings.picture_limit;
    source.set_property("tcp-timeout", u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX));
    source.set_property("user-agent", concat!("karaul/", env!("CARGO_PKG_VERSION")));
    Ok(source)
}

/// A sink that hands each picture over at once, whatever its time stamp says.
fn newest_only(mailbox: &Arc<Mailbox>) -> AppSink {
    let mailbox = Arc::clone(mailbox);
    AppSink::builder()
        .caps(&picture_caps())
        .max_buffers(1)
        .drop(true)
        .sync(false)
        .wait_on_eos(false)
        .async_(false)
        .enable_last_sample(false)
        .callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    mailbox.picture(sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        )
        .build()
}

/// Adds decoder and converter before the sink. Gives where encoded pictures go in.
fn decoding(
    pipeline: &gst::Pipeline,
    sink: &gst::Element,
    codec: Codec,
    decoder: &'static str,
) -> Result<AppSrc, Fault> {
    // Its queue is bounded by the sluice, which knows better than a number of bytes what can be left out.
    let entry = AppSrc::builder().format(gst::Format::Time).max_bytes(0).caps(&codec.whole_pictures()).build();
    let [decoder, converter] = decode(decoder)?;
    let parts = [entry.upcast_ref(), &decoder, &converter];
    pipeline.add_many(parts).map_err(wrong)?;
    gst::Element::link_many(parts.into_iter().chain([sink])).map_err(wrong)?;
    // New elements only, downstream first: no state of a running element is touched from this streaming thread.
    for part in parts.iter().rev() {
        part.sync_state_with_parent().map_err(wrong)?;
    }
    Ok(entry)
}

/// Adds what takes the encoded pictures from a pad of rtspsrc to the sluice before the decoder.
fn receiving(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    codec: Codec,
    settings: &StreamSettings,
    around: &Surroundings,
    decoder: AppSrc,
) -> Result<(), Fault> {
    let depayloader = element(codec.depayloader().ok_or_else(|| wrong("no depayloader"))?)?;
    let parser = parser(codec)?;
    let sink = whole_units(pipeline, codec, settings, around, decoder)?;
    let parts = [&depayloader, &parser, sink.upcast_ref()];
    pipeline.add_many(parts).map_err(wrong)?;
    let entry = depayloader.static_pad("sink").ok_or_else(|| wrong("depayloader without a sink"))?;
    entry.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, {
        let mailbox = Arc::clone(&around.mailbox);
        move |_, _| {
            mailbox.packet();
            gst::PadProbeReturn::Ok
        }
    });
    depayloader.link_filtered(&parser, &codec.depayloaded()).map_err(wrong)?;
    parser.link(&sink).map_err(wrong)?;
    for part in parts.iter().rev() {
        part.sync_state_with_parent().map_err(wrong)?;
    }
    pad.link(&entry).map_err(wrong)?;
    Ok(())
}

/// A sink that stamps each encoded picture with its time of arrival and puts it into the sluice.
fn whole_units(
    pipeline: &gst::Pipeline,
    codec: Codec,
    settings: &StreamSettings,
    around: &Surroundings,
    decoder: AppSrc,
) -> Result<AppSink, Fault> {
    let sieve = Sieve::new(settings.camera.clone(), Demand::new(settings.decoding, settings.look_every));
    let sluice = Sluice::new(sieve, decoder.clone(), Arc::clone(&around.mailbox), Arc::clone(&around.attentive));
    let (clock, mailbox) = (Arc::clone(&around.clock), Arc::clone(&around.mailbox));
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
                decoder.set_caps(caps.as_ref());
            }
            let arrived = arrival(clock.now().mono, pipeline.current_running_time(), &sample);
            // The memory is shared; only the time is new.
            unit.make_mut().set_pts(gst::ClockTime::try_from(arrived).ok());
            sluice.take(unit)?;
            Ok(gst::FlowSuccess::Ok)
        })
        .eos(move |_| mailbox.fail(Fault::Ended));
    let sink = AppSink::builder()
        .caps(&codec.whole_pictures())
        .sync(false)
        .async_(false)
        .enable_last_sample(false)
        .callbacks(callbacks.build())
        .build();
    Ok(sink)
}

/// When an encoded picture arrived, on the monotonic time line: its own time in the pipeline's, if that is to be
/// believed. Pictures that others come before are sent earlier, so it may be in the future.
fn arrival(now: Duration, present: Option<gst::ClockTime>, sample: &gst::Sample) -> Duration {
    let own = sample
        .buffer()
        .and_then(|buffer| buffer.pts())
        .zip(sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>()))
        .and_then(|(pts, segment)| segment.to_running_time(pts));
    let (Some(present), Some(own)) = (present.map(Duration::from), own.map(Duration::from)) else { return now };
    match present.checked_sub(own) {
        Some(age) if age <= OLDEST => now.saturating_sub(age),
        None if own - present <= NEWEST => now + (own - present),
        _ => now,
    }
}

fn wrong(what: impl ToString) -> Fault {
    Fault::Decoder { detail: what.to_string() }
}

/// Puts the end of the stream, for whatever reason, into the mailbox.
fn listen(pipeline: &gst::Pipeline, mailbox: &Arc<Mailbox>, offer: &Arc<Offer>, login: bool) {
    let Some(bus) = pipeline.bus() else { return };
    let (mailbox, offer) = (Arc::clone(mailbox), Arc::clone(offer));
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => mailbox.over(match offer.fault() {
                Some(fault) => Said::Fault(fault),
                None => read_error(error, login),
            }),
            gst::MessageView::Eos(_) => mailbox.fail(Fault::Ended),
            // A host name that cannot be resolved gives no error message at all (1.22).
            gst::MessageView::Progress(progress) if progress.get().0 == gst::ProgressType::Error => {
                mailbox.over(Said::NotConnected);
            }
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(media: &str, encoding: &str) -> gst::Caps {
        gst::init().unwrap();
        gst::Caps::builder("application/x-rtp").field("media", media).field("encoding-name", encoding).build()
    }

    #[test]
    fn the_first_video_that_we_decode_is_taken_and_nothing_else() {
        let offer = Offer::default();
        assert!(!offer.take(&caps("application", "VND.ONVIF.METADATA")));
        assert!(!offer.take(&caps("audio", "MPEG4-GENERIC")));
        assert!(!offer.take(&caps("video", "VP8")));
        assert!(offer.fault().is_some());
        assert!(offer.take(&caps("video", "H265")));
        assert!(!offer.take(&caps("video", "H264")));
        assert_eq!((offer.taken(), offer.fault()), (Some(Codec::H265), None));
    }

    #[test]
    fn hardware_is_named_and_software_is_not() {
        let decoded_by = |decoder| {
            let offer = Offer::default();
            offer.take(&caps("video", "H264"));
            offer.decoder.set(decoder).unwrap();
            offer.hardware()
        };
        assert_eq!(decoded_by("vah264dec"), Some("vah264dec"));
        assert_eq!(decoded_by("avdec_h264"), None);
        assert_eq!(Offer::default().hardware(), None);
    }

    #[test]
    fn what_was_offered_in_vain_is_named() {
        let offer = Offer::default();
        offer.take(&caps("audio", "PCMA"));
        offer.take(&caps("video", "MP4V-ES"));
        assert_eq!(
            offer.fault().unwrap().to_string(),
            "the camera offers only audio PCMA, video MP4V-ES; set the codec of this stream to H.264 or H.265 in the camera"
        );
    }

    #[test]
    fn a_broken_time_stamp_does_not_move_a_picture_far() {
        let second = Duration::from_secs(1);
        let arrived = |own: Option<u64>| {
            let mut buffer = gst::Buffer::new();
            buffer.get_mut().unwrap().set_pts(own.map(gst::ClockTime::from_mseconds));
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            let sample = gst::Sample::builder().buffer(&buffer).segment(&segment).build();
            arrival(100 * second, Some(gst::ClockTime::from_seconds(20)), &sample).as_millis()
        };
        gst::init().unwrap();
        assert_eq!(arrived(Some(19_960)), 99_960);
        assert_eq!(arrived(Some(10_000)), 90_000);
        assert_eq!(arrived(Some(9_999)), 100_000);
        // Shown later than those that are sent after it.
        assert_eq!(arrived(Some(20_080)), 100_080);
        assert_eq!(arrived(Some(22_001)), 100_000);
        assert_eq!(arrived(None), 100_000);
    }
}
