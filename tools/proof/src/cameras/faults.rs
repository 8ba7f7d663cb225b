//! The table of faults: how each begins, and what the agent is to make of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use karaul_simulator::peer::{Answer, Clip, End, Login, Scheme, Script, Stamps, When};

/// The user that the agent names where a camera wants one.
pub(super) const USER: &str = "viewer";
/// And the password.
pub(super) const PASSWORD: &str = "swordfish";

/// One fault.
pub(super) struct Fault {
    /// For people.
    pub(super) name: &'static str,
    pub(super) onset: Onset,
    pub(super) expected: Expected,
    /// Packets travel by UDP.
    pub(super) udp: bool,
    /// What the camera does before and after, where that is not the usual.
    pub(super) well: Option<fn(Script) -> Script>,
}

/// How it begins.
pub(super) enum Onset {
    /// The camera follows another script from now on, in mid-stream.
    Live(fn(Script) -> Script),
    /// As a camera does that was set up anew: the connection is closed, and the next one meets another script.
    Anew(fn(Script) -> Script),
    /// The connection ends in this way, and the camera is well again at once.
    Once(End),
    /// Nobody can connect, and connections are reset.
    Refused,
    /// Nothing is read or sent, no connection taken; what is open stays open.
    Frozen,
    /// SIGSTOP to a camera that is a process of its own.
    Stopped,
    /// Another clip from now on, with another size or codec.
    Clip(Other),
}

/// Another clip.
#[derive(Clone, Copy)]
pub(super) enum Other {
    /// The same codec.
    Size,
    /// Another codec than the description says.
    Codec,
}

/// What the agent is to make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Says that it is blind, and that it sees again.
    Blind,
    /// The same, but seeing again takes a minute or more, so that the camera does not lock the account.
    Slow,
    /// Goes on seeing.
    Sees,
}

/// Clips of all kinds.
pub(super) struct Clips {
    pub(super) usual: Arc<Clip>,
    pub(super) size: Arc<Clip>,
    pub(super) codec: Arc<Clip>,
}

/// A description that is none.
const NONSENSE: &str = "v=0\r\nthis is no SDP\r\nm=\r\na\r\n=\r\nm=video nowhere RTP/AVP\r\n";
/// Sound only.
const SOUND: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\na=control:a\r\n";
/// A codec that is not decoded.
const CODEC: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=control:v\r\n";
/// What answers on the wrong port.
const WEB: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n";
/// Three hours of the video clock, as when a clock is set to another time zone.
const THREE_HOURS: i32 = 3 * 3600 * 90_000;
/// A description of 100 MB.
const HUGE: usize = 100_000_000;

const fn fault(name: &'static str, onset: Onset, expected: Expected) -> Fault {
    Fault { name, onset, expected, udp: false, well: None }
}

const fn over_udp(fault: Fault) -> Fault {
    Fault { udp: true, ..fault }
}

fn with_login(schemes: &[Scheme], password: &str) -> Option<Login> {
    Some(Login { user: USER.to_owned(), password: password.to_owned(), schemes: schemes.to_vec() })
}

/// A fault of one that wants a login.
fn login(name: &'static str, well: fn(Script) -> Script, ill: fn(Script) -> Script) -> Fault {
    Fault { well: Some(well), ..fault(name, Onset::Anew(ill), Expected::Slow) }
}

/// All of them; those that keep the processor busy come last.
pub(super) fn all() -> Vec<Fault> {
    use Expected::{Blind, Sees};
    use Onset::{Anew, Frozen, Live, Once, Refused, Stopped};

    let answers = |name, onset| fault(name, Anew(onset), Blind);
    vec![
        fault("connection refused", Refused, Blind),
        fault("frozen peer: reads and sends nothing", Frozen, Blind),
        fault("SIGSTOP of the camera's process", Stopped, Blind),
        fault("pictures stop, the connection stays", Live(|s| ended(s, End::Silence)), Blind),
        fault("slow drip: 4 bytes/s", Live(|s| Script { drip: Some(4), ..s }), Blind),
        fault("reset in mid-picture", Once(End::Reset), Blind),
        fault("closed without a word", Once(End::Close), Blind),
        fault("goodbye (RTCP), the connection stays", Once(End::Bye), Blind),
        fault("closes 0.6 s after PLAY, each time", Anew(|s| closing(s, 600)), Blind),
        answers("never answers OPTIONS", |s| s.answering("OPTIONS", Answer::Silence)),
        answers("never answers DESCRIBE", |s| s.answering("DESCRIBE", Answer::Silence)),
        answers("never answers PLAY", |s| s.answering("PLAY", Answer::Silence)),
        answers("hangs up at DESCRIBE", |s| s.answering("DESCRIBE", Answer::HangUp)),
        answers("answers drip: 20 bytes/s", |s| Script { drip: Some(20), ..s }),
        answers("answers as a web server", |s| s.answering("OPTIONS", Answer::Said(WEB.to_owned()))),
        answers("404 at DESCRIBE", |s| status(s, "DESCRIBE", "404 Not Found")),
        answers("453 at SETUP (too many viewers)", |s| status(s, "SETUP", "453 Not Enough Bandwidth")),
        answers("454 at PLAY", |s| status(s, "PLAY", "454 Session Not Found")),
        answers("500 at PLAY", |s| status(s, "PLAY", "500 Internal Server Error")),
        answers("503 at DESCRIBE", |s| status(s, "DESCRIBE", "503 Service Unavailable")),
        answers("redirected to a closed port", |s| {
            let there = vec!["Location: rtsp://127.0.0.1:9/stream".to_owned()];
            s.answering("DESCRIBE", Answer::Status("302 Moved Temporarily", there))
        }),
        answers("wrong SDP", |s| Script { sdp: Some(NONSENSE.to_owned()), ..s }),
        answers("SDP without video", |s| Script { sdp: Some(SOUND.to_owned()), ..s }),
        answers("codec that is not decoded", |s| Script { sdp: Some(CODEC.to_owned()), ..s }),
        fault("another codec than announced", Onset::Clip(Other::Codec), Blind),
        Fault {
            well: Some(keep_alive),
            ..fault("session forgotten: 454 to keep-alive, no pictures", Live(forgotten), Blind)
        },
        over_udp(fault("UDP: all packets lost", Live(|s| Script { loss: 1.0, ..s }), Blind)),
        over_udp(fault("UDP: sent to another port", Anew(|s| Script { port_shift: 100, ..s }), Blind)),
        over_udp(fault("UDP: 10 % of the packets lost", Live(|s| Script { loss: 0.1, ..s }), Sees)),
        over_udp(fault("UDP: connection refused", Refused, Blind)),
        fault("time stamps jump 3 h ahead", Live(|s| Script { stamps: Stamps::Moved(THREE_HOURS), ..s }), Sees),
        fault("time stamps jump 3 h back", Live(|s| Script { stamps: Stamps::Moved(-THREE_HOURS), ..s }), Sees),
        fault("time stamps jump 2 s ahead", Live(|s| Script { stamps: Stamps::Moved(180_000), ..s }), Sees),
        fault("time stamps jump 2 s back", Live(|s| Script { stamps: Stamps::Moved(-180_000), ..s }), Sees),
        fault("time stamps wrap", Live(|s| s), Sees).wrapping(),
        fault("time stamps stand still", Live(|s| Script { stamps: Stamps::Still, ..s }), Sees),
        fault("time stamps at random", Live(|s| Script { stamps: Stamps::Wild, ..s }), Sees),
        fault("resolution change", Onset::Clip(Other::Size), Sees),
        login(
            "401: wrong password, Basic",
            |s| wants(s, &[Scheme::Basic], PASSWORD),
            |s| wants(s, &[Scheme::Basic], "new"),
        ),
        login(
            "401: wrong password, Digest MD5",
            |s| wants(s, &[Scheme::DigestMd5], PASSWORD),
            |s| wants(s, &[Scheme::DigestMd5], "new"),
        ),
        login(
            "401: Digest SHA-256 only, password right",
            |s| wants(s, &[Scheme::DigestMd5], PASSWORD),
            |s| wants(s, &[Scheme::DigestSha256], PASSWORD),
        ),
        answers("SDP of 100 MB", |s| s.answering("DESCRIBE", Answer::Huge(HUGE))),
        answers("header without end", |s| s.answering("DESCRIBE", Answer::EndlessHeader)),
    ]
}

/// How many of the last of [`all`] keep the processor busy: one after the other.
pub(super) const BUSY: usize = 2;

impl Fault {
    /// The time stamps wrap soon after the first picture.
    const fn wrapping(mut self) -> Self {
        self.well = Some(|s| Script { stamp: u32::MAX - 5 * 90_000, ..s });
        self
    }
}

fn ended(script: Script, end: End) -> Script {
    Script { end: Some((When::After(Duration::ZERO), end)), ..script }
}

fn closing(script: Script, milliseconds: u64) -> Script {
    Script { end: Some((When::After(Duration::from_millis(milliseconds)), End::Close)), ..script }
}

fn status(script: Script, method: &str, line: &'static str) -> Script {
    script.answering(method, Answer::Status(line, Vec::new()))
}

fn wants(script: Script, schemes: &[Scheme], password: &str) -> Script {
    Script { login: with_login(schemes, password), ..script }
}

/// Signs of life are due soon.
fn keep_alive(script: Script) -> Script {
    Script { session_limit: 6, ..script }
}

fn forgotten(script: Script) -> Script {
    let gone = || Answer::Status("454 Session Not Found", Vec::new());
    let answers = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"].map(|method| (method.to_owned(), gone()));
    ended(Script { answers: BTreeMap::from(answers), ..script }, End::Silence)
}
