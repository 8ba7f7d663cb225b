use std::time::Duration;

/// Why a camera does not say what its streams are. Each is a sentence with the place and a remedy; none holds a
/// password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No interface to send on, or no socket.
    #[error("nobody can be asked: {0}; connect the machine to the cameras' network, or name a camera with --host")]
    NoNetwork(String),
    /// No such name.
    #[error("{host} has no address: write the camera's IP address")]
    NameUnknown {
        /// The name.
        host: String,
    },
    /// Nothing listens.
    #[error(
        "{url}: the connection is refused: switch ONVIF on in the camera's settings, or give its port: --host HOST:PORT"
    )]
    Refused {
        /// What was asked.
        url: String,
    },
    /// No answer in time, or one that never ends.
    #[error("{url}: no whole answer within {} s: see whether the camera is up and its address right", limit.as_secs_f32().round())]
    TimedOut {
        /// What was asked.
        url: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// Whatever else the network says.
    #[error("{url}: cannot be reached: {detail}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What the system says.
        detail: String,
    },
    /// TLS does not come about.
    #[error("{url}: no encrypted connection: {detail}; allow ONVIF over http in the camera, or renew its firmware")]
    Tls {
        /// What was asked.
        url: String,
        /// What OpenSSL says.
        detail: String,
    },
    /// More than any camera has to say.
    #[error("{url}: the answer is larger than {limit} bytes, so it is not read; this may be no camera")]
    TooLarge {
        /// What was asked.
        url: String,
        /// What is read at most.
        limit: usize,
    },
    /// Not HTTP, or not to its end.
    #[error("{url}: the answer is no HTTP: {detail}; this may be the port of something else")]
    NotHttp {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An answer of a web server that knows nothing of ONVIF.
    #[error("{url}: the answer is HTTP {status} and not ONVIF: switch ONVIF on in the camera's settings")]
    NotOnvif {
        /// What was asked.
        url: String,
        /// The code.
        status: u16,
    },
    /// To another machine, or in a circle.
    #[error("{url}: sends us on to {to}, where nobody follows; name that one with --host if it is yours")]
    SentAway {
        /// What was asked.
        url: String,
        /// Where to.
        to: String,
    },
    /// Not XML, or one that nobody should read.
    #[error("{url}: the answer cannot be read: {detail}")]
    NotXml {
        /// What was asked.
        url: String,
        /// Where and why.
        detail: String,
    },
    /// XML, but not the answer to this question.
    #[error("{url}: answers {request} with something else")]
    OtherAnswer {
        /// What was asked.
        url: String,
        /// For what.
        request: &'static str,
    },
    /// The camera says no.
    #[error("{url}: answers {request} with \"{reason}\"")]
    Fault {
        /// What was asked.
        url: String,
        /// For what.
        request: &'static str,
        /// In the camera's words.
        reason: String,
    },
    /// It tells its streams only to those it knows.
    #[error("tells its streams only with a login: add --user and --password-file; many cameras keep ONVIF users apart")]
    LoginNeeded,
    /// It does not know this one.
    #[error(
        "refuses the user name or password: add this user to the ONVIF users in the camera's settings, and try again \
         later if the camera locks itself after wrong logins"
    )]
    WrongLogin,
    /// Only by a way that gives the password away.
    #[error(
        "wants the password itself (HTTP Basic), which is never sent: switch digest authentication on in the camera"
    )]
    OnlyBasic,
    /// An ONVIF device without pictures.
    #[error("has no media service: it may be no camera")]
    NoMedia,
    /// No profile, or only profiles without a picture.
    #[error("has no profile with a picture: make one in the camera's settings")]
    NoProfiles,
    /// An answer that holds no usable address.
    #[error("gives no address that could be used: {0}")]
    NoAddress(String),
}
