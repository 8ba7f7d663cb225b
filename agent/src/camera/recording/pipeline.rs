//! From a file to decoded pictures.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

use super::super::{
    Fault,
    codec::Codec,
    decoder::{chain, element, picture_caps},
};

/// What the demuxer found.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) media: Vec<String>,
    pub(super) taken: bool,
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
    let sink = AppSink::builder()
        .caps(&picture_caps())
        .max_buffers(2)
        .sync(false)
        .wait_on_eos(false)
        .enable_last_sample(false)
        .build();
    pipeline.add_many([&file, sink.upcast_ref()]).map_err(wrong)?;
    if let Some(codec) = bare {
        let parts = chain(codec, codec.software())?;
        pipeline.add_many(&parts).map_err(wrong)?;
        gst::Element::link_many([&file].into_iter().chain(&parts).chain([sink.upcast_ref()])).map_err(wrong)?;
        return Ok((pipeline, sink));
    }
    let demuxer = element("parsebin")?;
    pipeline.add(&demuxer).map_err(wrong)?;
    file.link(&demuxer).map_err(wrong)?;
    let (weak, target, offer) = (pipeline.downgrade(), sink.downgrade(), Arc::clone(offer));
    demuxer.connect_pad_added(move |_, pad| {
        let (Some(pipeline), Some(sink)) = (weak.upgrade(), target.upgrade()) else { return };
        let mut offer = offer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(fault) = attach(&pipeline, pad, sink.upcast_ref(), &mut offer) {
            gst::element_error!(pipeline, gst::StreamError::Failed, ("{}", fault));
            offer.fault.get_or_insert(fault);
        }
    });
    Ok((pipeline, sink))
}

/// Decodes the first video; everything else is thrown away.
fn attach(pipeline: &gst::Pipeline, pad: &gst::Pad, sink: &gst::Element, offer: &mut Offer) -> Result<(), Fault> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let Some(fields) = caps.structure(0) else { return Ok(()) };
    offer.media.push(fields.name().to_string());
    let codec = Codec::from_media_type(fields.name(), fields.get("mpegversion").ok()).filter(|_| !offer.taken);
    let parts = match codec {
        Some(codec) => chain(codec, codec.software())?,
        None => vec![
            gst::ElementFactory::make("fakesink")
                .property("sync", false)
                .property("async", false)
                .build()
                .map_err(wrong)?,
        ],
    };
    pipeline.add_many(&parts).map_err(wrong)?;
    let end = codec.map(|_| sink);
    gst::Element::link_many(parts.iter().chain(end)).map_err(wrong)?;
    for part in parts.iter().rev() {
        part.sync_state_with_parent().map_err(wrong)?;
    }
    let entry = parts[0].static_pad("sink").ok_or_else(|| wrong("an element without a sink"))?;
    pad.link(&entry).map_err(wrong)?;
    offer.taken |= codec.is_some();
    Ok(())
}

fn wrong(what: impl ToString) -> Fault {
    Fault::Decoder { detail: what.to_string() }
}
