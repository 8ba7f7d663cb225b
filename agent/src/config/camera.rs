use std::{fmt, num::NonZeroU16, path::PathBuf, time::Duration};

use karaul_wire::{Segment, Text};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Rule;
use crate::{rules::Ground, trust::Secret, vision::Manifest};

/// `[[camera]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// `id`.
    pub id: Segment,
    /// `label` for people, in every language; the id where one is not given.
    pub label: Text,
    /// `enabled`.
    pub enabled: bool,
    /// `url` of the stream to watch.
    pub url: CameraUrl,
    /// `ca_file`: PEM file of the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// `username` and `password`.
    pub login: Option<(String, Secret)>,
    /// `transport` of the stream.
    pub transport: Transport,
    /// `decoder` to use.
    pub decoder: Decoder,
    /// `decoding`: which pictures are decoded.
    pub decoding: Decoding,
    /// `detection`: which of the decoded pictures the detector looks at.
    pub detection: Detection,
    /// `look_every`: longest time between two looks with `decoding = "on-demand"` or `detection = "on-motion"`.
    pub look_every: Duration,
    /// `model`: manifest of the detector.
    pub model: Manifest,
    /// `detections_per_second`.
    pub detections_per_second: f64,
    /// `[camera.sight]`.
    pub sight: Sight,
    /// `[camera.clips]`.
    pub clips: Clips,
    /// `evidence_url` of the stream that clips are taken from; `None` if that is the one to watch.
    pub evidence_url: Option<CameraUrl>,
    /// `[camera.ground]`: where points of the picture lie on the ground.
    pub ground: Option<Ground>,
    /// `purpose`, as the law wants it stated.
    pub purpose: String,
    /// `[[camera.rule]]`, in the order of the file; ids unique within the camera.
    pub rules: Vec<Rule>,
}

/// `[camera.sight]`: whether the picture is still worth watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// `enabled`.
    pub enabled: bool,
    /// `learn`: for how long a view is learnt before it can be called moved or blurred.
    pub learn: Duration,
}

/// `[camera.clips]`: a clip of each incident, kept on the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clips {
    /// `enabled`.
    pub enabled: bool,
    /// `before`: a clip begins so long before its incident opened.
    pub before: Duration,
    /// `after`: and ends so long after that, or with the incident.
    pub after: Duration,
    /// `memory` for the encoded pictures of the last seconds, in bytes.
    pub memory: usize,
}

/// An `rtsp://` or `rtsps://` URL without user or password. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraUrl {
    /// `rtsps://`.
    pub tls: bool,
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// Port; if the URL has none 554, or 322 with TLS.
    pub port: NonZeroU16,
    /// Path and query, with the leading `/`; may be empty.
    pub path: String,
}

impl fmt::Display for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        let s = if self.tls { "s" } else { "" };
        write!(f, "rtsp{s}://{open}{}{close}:{}{}", self.host, self.port, self.path)
    }
}

impl CameraUrl {
    /// With user name and password in it, whatever their letters. Not safe to print.
    #[must_use]
    pub fn with_login(&self, login: Option<&(String, Secret)>) -> Secret {
        let url = self.to_string();
        let Some((user, password)) = login else { return Secret::new(url) };
        let [user, password] =
            [user, password.reveal()].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
        Secret::new(url.replacen("://", &format!("://{user}:{password}@"), 1))
    }
}

/// How the stream's packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Inside the RTSP connection: no loss, passes firewalls. The default.
    Tcp,
    /// RTP over UDP.
    Udp,
}

impl Transport {
    /// All transports.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Which decoder to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// Hardware if one really works here, otherwise software. The default.
    Auto,
    /// The processor (libav).
    Software,
    /// Hardware; an error if none works.
    Hardware,
}

impl Decoder {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Software, Self::Hardware];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Software => "software",
            Self::Hardware => "hardware",
        }
    }
}

/// Which pictures the detector looks at, of those that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// All. The default.
    Always,
    /// Those in which something moves or is followed, and only there, close up; and all of it now and then.
    OnMotion,
}

impl Detection {
    /// All choices.
    pub const ALL: [Self; 2] = [Self::Always, Self::OnMotion];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnMotion => "on-motion",
        }
    }
}

/// Which pictures are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoding {
    /// All. The default.
    Full,
    /// Keyframes while nothing moves, otherwise all.
    OnDemand,
    /// Keyframes only.
    Keyframes,
}

impl Decoding {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Full, Self::OnDemand, Self::Keyframes];

    /// The word used in configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::OnDemand => "on-demand",
            Self::Keyframes => "keyframes",
        }
    }
}
