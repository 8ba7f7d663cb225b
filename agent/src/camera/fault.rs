use std::time::Duration;

use gstreamer as gst;
use karaul_wire::BlindReason;

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
    /// Status 401 or 403.
    #[error(
        "the camera {}; tried again only rarely, because cameras lock an account after some wrong logins",
        if *.login { "refused the login: correct \"username\" and \"password\"" } else { "wants a login: set \"username\" and \"password\"" }
    )]
    Unauthorised {
        /// A user name and password were given.
        login: bool,
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
        "data arrives, but not one whole picture in {limit:?}; check the network for losses and set a keyframe \
         interval of at most 2 s in the camera"
    )]
    Undecodable {
        /// The watchdog's limit.
        limit: Duration,
    },
    /// The camera closed the connection or said goodbye.
    #[error("the camera ended the stream; if this comes back, look for a limit of viewers in the camera")]
    Ended,
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
    pub const fn reason(&self) -> BlindReason {
        match self {
            Self::Stalled { .. } | Self::Undecodable { .. } | Self::Decoder { .. } => BlindReason::Stalled,
            _ => BlindReason::Offline,
        }
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

/// Reads an error from the bus. `debug` may hold paths and object names: only its last line is of use.
pub(super) fn read_error(error: &gst::glib::Error, debug: Option<&str>, login: bool) -> Said {
    use gst::ResourceError as Resource;

    let last_line = debug.and_then(|debug| debug.lines().last()).unwrap_or_default().trim();
    let detail = || if last_line.is_empty() { error.message().to_owned() } else { last_line.to_owned() };
    if let Some(kind) = error.kind::<Resource>() {
        return match kind {
            Resource::NotAuthorized => Said::Fault(Fault::Unauthorised { login }),
            Resource::NotFound => Said::Fault(Fault::NotFound),
            _ if last_line.starts_with("Failed to connect") || last_line.starts_with("Could not connect") => {
                Said::NotConnected
            }
            // The connection was there and broke.
            Resource::Read | Resource::Write if !last_line.contains("rror response") => Said::Fault(Fault::Ended),
            _ => Said::Fault(Fault::Protocol { detail: detail() }),
        };
    }
    if error.kind::<gst::StreamError>().is_some() || error.kind::<gst::LibraryError>().is_some() {
        return Said::Fault(Fault::Decoder { detail: detail() });
    }
    Said::Fault(Fault::Protocol { detail: detail() })
}
