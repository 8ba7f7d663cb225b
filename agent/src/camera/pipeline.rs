//! The pipeline of a live stream, built by hand from what the camera offers in its SDP.

use std::sync::{Arc, atomic::AtomicBool};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};

use super::{
    Fault, StreamSettings,
    codec::Codec,
    decoder::{choose, decode, element, parser, picture_caps},
    fault::{Said, read_error},
    intake::intake,
    mailbox::Mailbox,
    offer::Offer,
    reach::authorities,
};
use crate::{clock::Clock, config::Transport};

/// How long packets out of order are waited for. Packets in order pass at once.
const JITTER_MS: u32 = 200;

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
    pipeline.add(&source).map_err(wrong)?;
    let sink = (!settings.receive_only).then(|| newest_only(mailbox));
    if let Some(sink) = &sink {
        pipeline.add(sink).map_err(wrong)?;
    }

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
        let (pipeline, sink) = (pipeline.downgrade(), sink.map(|sink| sink.downgrade()));
        move |_, pad| {
            // The pipeline is being taken down when it is gone.
            let (Some(pipeline), Some(codec)) = (pipeline.upgrade(), offer.taken()) else { return };
            let entry = sink.as_ref().and_then(|sink| sink.upgrade()).map(|sink| {
                let decoder = offer.decoded_by(choose(codec, settings.decoder)?);
                decoding(&pipeline, sink.upcast_ref(), codec, decoder)
            });
            let attached =
                entry.transpose().and_then(|entry| receiving(&pipeline, pad, codec, &settings, &around, entry));
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
    // The login goes with the address: of one that is set beside it rtspsrc (1.22) tries a wrong one eight times, and
    // cameras lock an account after five.
    source.set_property("location", settings.url.with_login(settings.login.as_ref()).reveal());
    if let Some(file) = settings.ca_file.as_ref().filter(|_| settings.url.tls) {
        source.set_property("tls-database", authorities(file)?);
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

/// Adds what takes the encoded pictures from a pad of rtspsrc to the ring, and to the sluice before the decoder.
fn receiving(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    codec: Codec,
    settings: &StreamSettings,
    around: &Surroundings,
    decoder: Option<AppSrc>,
) -> Result<(), Fault> {
    let depayloader = element(codec.depayloader().ok_or_else(|| wrong("no depayloader"))?)?;
    let parser = parser(codec)?;
    let sink = intake(pipeline, codec, settings, around, decoder);
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

fn wrong(what: impl ToString) -> Fault {
    Fault::Decoder { detail: what.to_string() }
}

/// Puts the end of the stream, for whatever reason, into the mailbox.
fn listen(pipeline: &gst::Pipeline, mailbox: &Arc<Mailbox>, offer: &Arc<Offer>, login: bool) {
    let Some(bus) = pipeline.bus() else { return };
    let (mailbox, offer) = (Arc::clone(mailbox), Arc::clone(offer));
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => {
                match offer.fault().map_or_else(|| read_error(error, login), |fault| Ok(Said::Fault(fault))) {
                    Ok(said) => mailbox.over(said),
                    Err(words) => mailbox.complained(words),
                }
            }
            gst::MessageView::Eos(_) => mailbox.fail(Fault::Ended),
            // A host name that cannot be resolved gives no error message at all (1.22). Read from the structure, because
            // `Progress::get` leaks the words that come with it (gstreamer 0.25).
            gst::MessageView::Progress(progress)
                if progress.structure().and_then(|s| s.get("type").ok()) == Some(gst::ProgressType::Error) =>
            {
                mailbox.over(Said::NotConnected);
            }
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}
