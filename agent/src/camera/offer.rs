use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use gstreamer as gst;

use super::{Fault, codec::Codec};

/// What the camera has to offer, and which of it was taken.
#[derive(Debug, Default)]
pub(super) struct Offer {
    state: Mutex<(Vec<String>, Option<Codec>)>,
    decoder: OnceLock<&'static str>,
}

impl Offer {
    /// Takes the first video stream in a codec that we decode; audio and ONVIF metadata are left alone.
    pub(super) fn take(&self, caps: &gst::CapsRef) -> bool {
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

    /// The codec of what was taken.
    pub(super) fn taken(&self) -> Option<Codec> {
        self.state().1
    }

    /// The element that decodes what was taken: the first that is named here.
    pub(super) fn decoded_by(&self, decoder: &'static str) -> &'static str {
        self.decoder.get_or_init(|| decoder)
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
            offer.decoded_by(decoder);
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
