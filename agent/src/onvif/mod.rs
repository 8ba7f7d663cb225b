//! Finds cameras on the network and asks them for their streams, so that nobody has to guess an address.
//!
//! * `probe` and `search`: who is there (WS-Discovery, April 2005, as the ONVIF Core Specification wants it).
//! * `talk`: one request to one camera and its answer (SOAP 1.2 over HTTP), with `auth` for the login, `http` for
//!   HTTP with limits on time and size, and `soap` for the XML.
//! * `interview`: which requests, in which order; `media` reads what comes of them.
//! * [`choice`]: which stream is for the detector, and which for evidence.
//!
//! Whatever comes from the network is taken for hostile: every answer has a limit of size and time, no address in an
//! answer leads to another machine than the one that gave it, and a password never leaves but as a digest.

mod auth;
pub mod choice;
mod http;
mod interview;
mod media;
mod probe;
mod problem;
mod search;
mod soap;
mod talk;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    fmt,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use jiff::SignedDuration;

pub use auth::Login;
pub use media::{Codec, Profile, Stream};
pub use problem::Problem;
pub use search::{Host, HostError};

use crate::clock::Clock;

/// UDP port of WS-Discovery, multicast and unicast.
const DISCOVERY_PORT: u16 = 3702;

/// So many cameras are asked at a time.
const AT_A_TIME: usize = 16;

/// Where to look, for how long, and with which login.
#[derive(Clone, Debug)]
pub struct Search {
    /// Only these; if there are none, everybody on the network is asked to answer.
    pub hosts: Vec<Host>,
    /// How long answers are waited for.
    pub wait: Duration,
    /// Who asks for the streams; without it only what a camera tells everybody.
    pub login: Option<Login>,
}

/// A camera that answered, or that was asked for by its address.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// The address it was reached at; IPv6 without brackets.
    pub host: String,
    /// What it said of itself when it was looked for.
    pub introduction: Introduction,
    /// Address of its ONVIF service, on this host.
    pub service: String,
    /// What came of the interview.
    pub answers: Answers,
}

/// What a camera tells everybody, from the scopes of its answer to the probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// The address that never changes, mostly `urn:uuid:…`.
    pub endpoint: Option<String>,
    /// Name that somebody may have given it.
    pub name: Option<String>,
    /// Model, in the maker's words.
    pub hardware: Option<String>,
    /// Where it hangs, if somebody has said so.
    pub location: Option<String>,
}

/// What a camera tells those who ask. Each part may be missing, as cameras differ in what they tell to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// Maker, model and firmware.
    pub maker: Option<String>,
    /// As `maker`.
    pub model: Option<String>,
    /// As `maker`.
    pub firmware: Option<String>,
    /// How far the camera's clock is ahead of this machine's; negative if it is behind.
    pub clock_ahead: Option<SignedDuration>,
    /// How the camera was convinced of the login.
    pub access: Access,
    /// Its profiles with a picture, or why they are not known.
    pub profiles: Result<Vec<Profile>, Problem>,
}

/// How a camera lets somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It answers everybody.
    Anybody,
    /// By the digest of a WS-UsernameToken.
    UsernameToken,
    /// By HTTP digest authentication.
    HttpDigest,
}

impl Camera {
    /// The name to show: the one it was given, or else its model or its address.
    #[must_use]
    pub fn name(&self) -> &str {
        let given = [&self.introduction.name, &self.answers.model, &self.introduction.hardware];
        given.into_iter().flatten().map(String::as_str).find(|name| !name.is_empty()).unwrap_or(&self.host)
    }
}

/// What a search came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The cameras, by address.
    pub cameras: Vec<Camera>,
    /// What did not go as it should without concerning one camera.
    pub remarks: Vec<String>,
}

/// Looks for cameras and asks each for its streams.
///
/// Takes at most `wait`, and then 20 seconds for each sixteen cameras.
///
/// # Errors
/// If nobody could be asked at all.
pub fn find(search: &Search, clock: &dyn Clock) -> Result<Findings, Problem> {
    find_by(search, clock, DISCOVERY_PORT)
}

/// As [`find`], with a port for the probes.
fn find_by(search: &Search, clock: &dyn Clock, port: u16) -> Result<Findings, Problem> {
    let search::Heard { places, remarks } = search::listen(search, port)?;
    let mut cameras = ask_all(places, search.login.as_ref(), clock);
    // As numbers where they are: 192.0.2.9 before 192.0.2.10.
    cameras.sort_by_cached_key(|camera| (camera.host.parse::<IpAddr>().ok(), camera.service.clone()));
    Ok(Findings { cameras, remarks })
}

/// Asks some at a time, as most of the time goes into waiting for those that do not answer.
fn ask_all(places: Vec<search::Place>, login: Option<&Login>, clock: &dyn Clock) -> Vec<Camera> {
    let threads = places.len().min(AT_A_TIME);
    let waiting = Mutex::new(VecDeque::from(places));
    let cameras = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    // Not in the `while let`, where the lock would be held for the whole interview.
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(place) = next else { break };
                    let camera = interview::ask(place, login, clock);
                    cameras.lock().unwrap_or_else(PoisonError::into_inner).push(camera);
                }
            });
        }
    });
    cameras.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A host as it stands in an address: IPv6 in brackets.
struct Bracketed<'a>(&'a str);

impl fmt::Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

/// A text of a camera's as it may be shown: on one line, without the characters that steer a terminal, and short.
fn shown(text: &str) -> Option<String> {
    const LONGEST: usize = 64;
    // Overrides of the writing direction would let a line read as something else.
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    let words: Vec<_> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(harmless).take(LONGEST).collect();
    (!line.trim().is_empty()).then(|| line.trim().to_owned())
}
