//! The pipeline of a live stream, built by hand from what the camera offers in its SDP.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::{
    Fault, StreamSettings,
    codec::Codec,
    decoder::{chain, choose, element, picture_caps},
    fault::{Said, read_error},
    mailbox::Mailbox,
};
use crate::config::Transport;

/// How long packets out of order are waited for. Packets in order pass at once.
const JITTER_MS: u32 = 200;

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

/// Builds the pipeline; what comes of it arrives in the mailbox. Nothing runs yet.
pub(super) fn live(settings: &StreamSettings, mailbox: &Arc<Mailbox>) -> Result<(gst::Pipeline, Arc<Offer>), Fault> {
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
        let (offer, mailbox, wish) = (Arc::clone(&offer), Arc::clone(mailbox), settings.decoder);
        let (pipeline, sink) = (pipeline.downgrade(), sink.downgrade());
        move |_, pad| {
            // The pipeline is being taken down when these are gone.
            let (Some(pipeline), Some(sink), Some(codec)) = (pipeline.upgrade(), sink.upgrade(), offer.taken()) else {
                return;
            };
            let attached = choose(codec, wish).and_then(|decoder| {
                let decoder = *offer.decoder.get_or_init(|| decoder);
                attach(&pipeline, pad, sink.upcast_ref(), codec, decoder, &mailbox)
            });
            if let Err(fault) = attached {
                mailbox.fail(fault);
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

/// Adds depayloader, parser and decoder between a pad of rtspsrc and the sink.
fn attach(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    sink: &gst::Element,
    codec: Codec,
    decoder: &'static str,
    mailbox: &Arc<Mailbox>,
) -> Result<(), Fault> {
    let depayloader = codec.depayloader().ok_or_else(|| wrong("no depayloader"))?;
    let mut parts = vec![element(depayloader)?];
    parts.extend(chain(codec, decoder)?);
    pipeline.add_many(&parts).map_err(wrong)?;
    let entry = parts[0].static_pad("sink").ok_or_else(|| wrong("depayloader without a sink"))?;
    entry.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, {
        let mailbox = Arc::clone(mailbox);
        move |_, _| {
            mailbox.packet();
            gst::PadProbeReturn::Ok
        }
    });
    gst::Element::link_many(parts.iter().chain([sink])).map_err(wrong)?;
    // New elements only, downstream first: no state of a running element is touched from this streaming thread.
    for part in parts.iter().rev() {
        part.sync_state_with_parent().map_err(wrong)?;
    }
    pad.link(&entry).map_err(wrong)?;
    Ok(())
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
}
