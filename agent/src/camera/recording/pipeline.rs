//! From a file to encoded pictures.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

use super::super::{
    Fault,
    codec::Codec,
    decoder::{element, parser},
};

/// What the demuxer found.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) media: Vec<String>,
    pub(super) taken: Option<Codec>,
    pub(super) fault: Option<Fault>,
}

/// Builds the pipeline of a file; `bare` is the codec of a stream without a container.
pub(super) fn build(
    path: &Path,
    bare: Option<Codec>,
    offer: &Arc<Mutex<Offer>>,
) -> Result<(gst::Pipeline, AppSink), Fault> {
    let pipeline = gst::Pipeline::new();
    let file = element("filesrc")?;
    file.set_property("location", path);
    let sink = AppSink::builder().max_buffers(2).sync(false).wait_on_eos(false).enable_last_sample(false).build();
    pipeline.add_many([&file, sink.upcast_ref()]).map_err(wrong)?;
    if let Some(codec) = bare {
        offer.lock().unwrap_or_else(PoisonError::into_inner).taken = Some(codec);
        sink.set_caps(Some(&codec.whole_pictures()));
        let parser = parser(codec)?;
        pipeline.add(&parser).map_err(wrong)?;
        gst::Element::link_many([&file, &parser, sink.upcast_ref()]).map_err(wrong)?;
        return Ok((pipeline, sink));
    }
    let demuxer = element("parsebin")?;
    pipeline.add(&demuxer).map_err(wrong)?;
    file.link(&demuxer).map_err(wrong)?;
    let (weak, target, offer) = (pipeline.downgrade(), sink.downgrade(), Arc::clone(offer));
    demuxer.connect_pad_added(move |_, pad| {
        let (Some(pipeline), Some(sink)) = (weak.upgrade(), target.upgrade()) else { return };
        let mut offer = offer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(fault) = attach(&pipeline, pad, &sink, &mut offer) {
            gst::element_error!(pipeline, gst::StreamError::Failed, ("{}", fault));
            offer.fault.get_or_insert(fault);
        }
    });
    Ok((pipeline, sink))
}

/// Takes the first video; everything else is thrown away.
fn attach(pipeline: &gst::Pipeline, pad: &gst::Pad, sink: &AppSink, offer: &mut Offer) -> Result<(), Fault> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let Some(fields) = caps.structure(0) else { return Ok(()) };
    offer.media.push(fields.name().to_string());
    let codec = Codec::from_media_type(fields.name(), fields.get("mpegversion").ok()).filter(|_| offer.taken.is_none());
    let next = match codec {
        Some(codec) => parser(codec)?,
        None => gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .property("async", false)
            .build()
            .map_err(wrong)?,
    };
    pipeline.add(&next).map_err(wrong)?;
    if let Some(codec) = codec {
        sink.set_caps(Some(&codec.whole_pictures()));
        next.link(sink).map_err(wrong)?;
    }
    next.sync_state_with_parent().map_err(wrong)?;
    let entry = next.static_pad("sink").ok_or_else(|| wrong("an element without a sink"))?;
    pad.link(&entry).map_err(wrong)?;
    offer.taken = offer.taken.or(codec);
    Ok(())
}

fn wrong(what: impl ToString) -> Fault {
    Fault::Decoder { detail: what.to_string() }
}
