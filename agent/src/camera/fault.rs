use std::time::Duration;

use gstreamer::{self as gst, prelude::*};
use karaul_wire::BlindCause;

use crate::config::CameraUrl;

/// Why a stream ended, with the camera's address. Holds no secret.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{address}: {fault}")]
pub struct StreamError {
    /// The camera's address, without user and password.
    pub address: CameraUrl,
    /// What went wrong.
    pub fault: Fault,
}

/// What can go wrong with a stream; each is one clause with the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The name server does not know the host.
    #[error("the host name is not known; check the address in \"url\" and the name server of this box")]
    NameUnknown,
    /// Nobody listens on that port.
    #[error("connection refused; check that the camera is running and that the port in \"url\" is its RTSP port")]
    Refused,
    /// There is no way to the host.
    #[error("the camera cannot be reached ({detail}); check its power, its cable and the address in \"url\"")]
    Unreachable {
        /// In the words of the operating system.
        detail: String,
    },
    /// Nothing came within the time to connect.
    #[error("no video within {limit:?} of connecting; check the camera's power and network and the address in \"url\"")]
    TimedOut {
        /// The time it had.
        limit: Duration,
    },
    /// Status 401, or 403.
    #[error(
        "the camera {}; tried again only rarely, because cameras lock an account after some wrong logins",
        if *.login { "refused the login: correct \"username\" and \"password\"" } else { "wants a login: set \"username\" and \"password\"" }
    )]
    Unauthorised {
        /// A user name and password were given.
        login: bool,
    },
    /// The only login that the camera takes is one that `GStreamer` cannot do.
    #[error(
        "the camera wants the login as Digest with {algorithm}, and this GStreamer can only do MD5; allow MD5 for RTSP in \
         the camera"
    )]
    Digest {
        /// What the camera asked for.
        algorithm: String,
    },
    /// No secure connection.
    #[error("the secure connection failed: {detail}")]
    Tls {
        /// Why, and the remedy.
        detail: String,
    },
    /// Status 404.
    #[error("the camera has no such stream (404); check the path in \"url\"")]
    NotFound,
    /// Any other complaint about or by the camera.
    #[error("the camera does not serve the stream: {detail}; open the address in another player to compare")]
    Protocol {
        /// `GStreamer`'s words.
        detail: String,
    },
    /// There is no video, or not in a codec that we decode.
    #[error("the camera offers {offered}; set the codec of this stream to H.264 or H.265 in the camera")]
    UnsupportedCodec {
        /// Media and encoding names as in the SDP.
        offered: String,
    },
    /// Nothing arrives any more.
    #[error("no picture for {limit:?}; check the network and whether the camera hangs")]
    Stalled {
        /// The watchdog's limit.
        limit: Duration,
    },
    /// Packets arrive, whole pictures don't.
    #[error(
        "data arrives, but not one whole picture in {limit:?}{}; check the network for losses and set a keyframe \
         interval of at most 2 s in the camera",
        .complaint.as_ref().map_or_else(String::new, |words| format!(" ({words})"))
    )]
    Undecodable {
        /// The watchdog's limit.
        limit: Duration,
        /// `GStreamer`'s words, if it could not read a packet.
        complaint: Option<String>,
    },
    /// As [`Stalled`](Self::Stalled), after its time stamps had jumped.
    #[error(
        "the time stamps of the video jumped and no picture came since; let the camera take its time from a server (NTP)"
    )]
    ClockJumped,
    /// The camera closed the connection or said goodbye.
    #[error("the camera closed the connection; if this comes back, look for a limit of viewers in the camera")]
    Ended,
    /// The camera accepted UDP, but none of its packets came.
    #[error("no video comes over UDP; set transport = \"tcp\", or let UDP from the camera through the firewall")]
    UdpBlocked,
    /// `decoder = "hardware"`, and none works.
    #[error("no hardware decoder for {codec} works here ({tried}); install its driver, or set decoder = \"auto\"")]
    NoHardware {
        /// The codec.
        codec: &'static str,
        /// What was tried, and what came of it.
        tried: String,
    },
    /// The decoder gave up, or gives pictures nobody can read.
    #[error("the video cannot be decoded: {detail}; try another codec or profile in the camera")]
    Decoder {
        /// `GStreamer`'s words.
        detail: String,
    },
    /// A state change of the pipeline missed its limit.
    #[error(
        "the video pipeline did not {step} within {limit:?} and is replaced; if this comes back, restart the agent"
    )]
    Stuck {
        /// What it should have done.
        step: &'static str,
        /// The time it had.
        limit: Duration,
    },
}

impl Fault {
    /// What subscribers are told.
    #[must_use]
    pub const fn cause(&self) -> BlindCause {
        match self {
            Self::NameUnknown => BlindCause::Dns,
            Self::Refused => BlindCause::Refused,
            Self::Unreachable { .. } => BlindCause::Unreachable,
            Self::TimedOut { .. } => BlindCause::TimedOut,
            Self::Unauthorised { .. } | Self::Digest { .. } => BlindCause::Unauthorised,
            Self::Tls { .. } => BlindCause::Tls,
            Self::NotFound => BlindCause::NotFound,
            Self::Protocol { .. } => BlindCause::Protocol,
            Self::UnsupportedCodec { .. } => BlindCause::UnsupportedCodec,
            Self::Stalled { .. } => BlindCause::Stalled,
            Self::Undecodable { .. } => BlindCause::Corrupted,
            Self::ClockJumped => BlindCause::ClockJumped,
            Self::Ended => BlindCause::Ended,
            Self::UdpBlocked => BlindCause::UdpBlocked,
            Self::NoHardware { .. } | Self::Decoder { .. } => BlindCause::Decoder,
            Self::Stuck { .. } => BlindCause::Stuck,
        }
    }

    /// Is there no way to the camera's port? That can be found out without a stream.
    pub(super) const fn is_unreachable(&self) -> bool {
        matches!(self, Self::NameUnknown | Self::Refused | Self::Unreachable { .. } | Self::TimedOut { .. })
    }

    /// With the address of the camera that it happened on.
    pub(super) fn at(self, address: &CameraUrl) -> StreamError {
        StreamError { address: address.clone(), fault: self }
    }
}

/// What an error message on the pipeline's bus says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// The fault is clear.
    Fault(Fault),
    /// rtspsrc could not connect, and does not say why: the TCP connection tells.
    NotConnected,
}

/// Reads an error from the bus. An error that ends nothing is only words.
pub(super) fn read_error(message: &gst::message::Error, login: bool) -> Result<Said, String> {
    let factory = message.src().and_then(|source| source.downcast_ref::<gst::Element>()?.factory());
    let is_a = |kind| factory.as_ref().is_some_and(|factory| factory.has_type(kind));
    let status = message.details().and_then(|details| details.get::<u32>("rtsp-status-code").ok());
    let debug = message.debug();
    // Before its last line there are only paths and object names.
    let last_line = debug.as_deref().and_then(|debug| debug.lines().last()).unwrap_or_default().trim();
    let error = message.error();
    if is_a(gst::ElementFactoryType::DEPAYLOADER) {
        // It has left one packet out and goes on with the next; the watchdog knows whether pictures still come.
        Err(words(&error, last_line))
    } else if is_a(gst::ElementFactoryType::DECODER) {
        Ok(Said::Fault(Fault::Decoder { detail: words(&error, last_line) }))
    } else {
        Ok(classify(&error, status, last_line, login))
    }
}

fn classify(error: &gst::glib::Error, status: Option<u32>, last_line: &str, login: bool) -> Said {
    use gst::ResourceError as Resource;

    let detail = || words(error, last_line);
    let kind = error.kind::<Resource>();
    match (status, kind) {
        (Some(401 | 403), _) | (_, Some(Resource::NotAuthorized)) => Said::Fault(Fault::Unauthorised { login }),
        (Some(404), _) | (_, Some(Resource::NotFound)) => Said::Fault(Fault::NotFound),
        _ if last_line.starts_with("Failed to connect") || last_line.starts_with("Could not connect") => {
            Said::NotConnected
        }
        _ if last_line.starts_with("Could not receive any UDP packets") => Said::Fault(Fault::UdpBlocked),
        _ if last_line.contains("Parse error") => {
            Said::Fault(Fault::Protocol { detail: "its answer is not RTSP; is this its RTSP port?".to_owned() })
        }
        (None, Some(Resource::Read | Resource::Write)) => Said::Fault(Fault::Ended),
        (None, None) if error.kind::<gst::StreamError>().is_some() => Said::Fault(Fault::Decoder { detail: detail() }),
        _ => Said::Fault(Fault::Protocol { detail: detail() }),
    }
}

fn words(error: &gst::glib::Error, last_line: &str) -> String {
    let words = if last_line.is_empty() { error.message() } else { last_line };
    words.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(kind: gst::ResourceError, status: Option<u32>, last_line: &str) -> Said {
        let error = gst::glib::Error::new(kind, "Could not read from resource.");
        classify(&error, status, last_line, true)
    }

    #[test]
    fn what_gstreamer_says_is_understood() {
        use gst::ResourceError as Resource;

        // Word for word what rtspsrc 1.22 posts.
        let protocol = |detail: &str| Said::Fault(Fault::Protocol { detail: detail.to_owned() });
        for (kind, status, last_line, expected) in [
            (
                Resource::NotAuthorized,
                Some(401),
                "Unauthorized (401)",
                Said::Fault(Fault::Unauthorised { login: true }),
            ),
            (Resource::Read, Some(403), "Forbidden (403)", Said::Fault(Fault::Unauthorised { login: true })),
            (Resource::NotFound, Some(404), "Not Found (404)", Said::Fault(Fault::NotFound)),
            (Resource::Read, Some(503), "Service Unavailable (503)", protocol("Service Unavailable (503)")),
            (Resource::OpenReadWrite, None, "Failed to connect. (Generic error)", Said::NotConnected),
            (Resource::OpenReadWrite, None, "Could not connect to server. (Generic error)", Said::NotConnected),
            (Resource::Read, None, "Could not receive message. (Received end-of-file)", Said::Fault(Fault::Ended)),
            (
                Resource::Read,
                None,
                "Could not receive any UDP packets for 5.0000 seconds, maybe your firewall is blocking it. \
                 No other protocols to try.",
                Said::Fault(Fault::UdpBlocked),
            ),
            (
                Resource::Read,
                None,
                "Could not receive message. (Parse error)",
                protocol("its answer is not RTSP; is this its RTSP port?"),
            ),
            (
                Resource::Settings,
                None,
                "Server does not support SDP, got text/html.",
                protocol("Server does not support SDP, got text/html"),
            ),
        ] {
            assert_eq!(resource(kind, status, last_line), expected, "{last_line}");
        }
        let stream = gst::glib::Error::new(gst::StreamError::Decode, "Cannot decode.");
        assert_eq!(
            classify(&stream, None, "", true),
            Said::Fault(Fault::Decoder { detail: "Cannot decode".to_owned() })
        );
    }

    #[test]
    fn who_complains_decides_what_is_wrong() {
        gst::init().unwrap();
        let decoder = gst::ElementFactory::make("avdec_h264").build().unwrap();
        let said = |source: &gst::Element| {
            let message =
                gst::message::Error::builder(gst::ResourceError::Busy, "All sessions are in use.").src(source);
            let message = message.build();
            let gst::MessageView::Error(error) = message.view() else { panic!("not an error") };
            read_error(error, false)
        };
        let detail = "All sessions are in use".to_owned();
        assert_eq!(said(&decoder), Ok(Said::Fault(Fault::Decoder { detail: detail.clone() })));
        let source = gst::ElementFactory::make("rtspsrc").build().unwrap();
        assert_eq!(said(&source), Ok(Said::Fault(Fault::Protocol { detail: detail.clone() })));
        // "NAL unit type 26 not supported yet": one packet of nonsense.
        let depayloader = gst::ElementFactory::make("rtph264depay").build().unwrap();
        assert_eq!(said(&depayloader), Err(detail));
    }

    #[test]
    fn each_fault_is_one_sentence_with_the_remedy() {
        let address = CameraUrl {
            tls: false,
            host: "2001:db8::1".to_owned(),
            port: 554.try_into().unwrap(),
            path: "/s".to_owned(),
        };
        let said = |fault: Fault| fault.at(&address).to_string();
        assert_eq!(
            said(Fault::Unreachable { detail: "No route to host".to_owned() }),
            "rtsp://[2001:db8::1]:554/s: the camera cannot be reached (No route to host); check its power, its cable and \
             the address in \"url\""
        );
        assert_eq!(
            said(Fault::Protocol { detail: "Service Unavailable (503)".to_owned() }),
            "rtsp://[2001:db8::1]:554/s: the camera does not serve the stream: Service Unavailable (503); open the address \
             in another player to compare"
        );
        let undecodable = |complaint| Fault::Undecodable { limit: Duration::from_secs(10), complaint };
        assert_eq!(
            said(undecodable(None)),
            "rtsp://[2001:db8::1]:554/s: data arrives, but not one whole picture in 10s; check the network for losses and \
             set a keyframe interval of at most 2 s in the camera"
        );
        assert_eq!(
            said(undecodable(Some("NAL unit type 26 not supported yet".to_owned()))),
            "rtsp://[2001:db8::1]:554/s: data arrives, but not one whole picture in 10s (NAL unit type 26 not supported \
             yet); check the network for losses and set a keyframe interval of at most 2 s in the camera"
        );
        assert_eq!(
            said(Fault::ClockJumped),
            "rtsp://[2001:db8::1]:554/s: the time stamps of the video jumped and no picture came since; let the camera take \
             its time from a server (NTP)"
        );
        assert_eq!(
            said(Fault::Digest { algorithm: "SHA-256".to_owned() }),
            "rtsp://[2001:db8::1]:554/s: the camera wants the login as Digest with SHA-256, and this GStreamer can only do \
             MD5; allow MD5 for RTSP in the camera"
        );
        assert_eq!(
            said(Fault::Ended),
            "rtsp://[2001:db8::1]:554/s: the camera closed the connection; if this comes back, look for a limit of viewers \
             in the camera"
        );
        assert_eq!(
            said(Fault::UdpBlocked),
            "rtsp://[2001:db8::1]:554/s: no video comes over UDP; set transport = \"tcp\", or let UDP from the camera \
             through the firewall"
        );
        assert_eq!(
            said(Fault::Stuck { step: "start", limit: Duration::from_secs(3) }),
            "rtsp://[2001:db8::1]:554/s: the video pipeline did not start within 3s and is replaced; if this comes back, \
             restart the agent"
        );
    }
}
