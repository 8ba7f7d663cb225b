use std::{
    mem,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use roxmltree::Node;

use super::{
    Access, Login, Problem,
    auth::{Challenge, username_token},
    http::{Answer, Client, Url},
    shown,
    soap::{self, Request},
};
use crate::clock::Clock;

/// A camera that is well answers within a second; some old ones need three for the profiles.
const ONE_ANSWER: Duration = Duration::from_secs(5);

/// For everything that is asked of one camera.
const WHOLE_TALK: Duration = Duration::from_secs(20);

/// A talk with one camera: finds out how it wants its login, and keeps to that.
///
/// Cameras lock a user after some wrong logins, so at most two are tried: one in each way.
pub(super) struct Talk<'a> {
    client: Client,
    clock: &'a dyn Clock,
    login: Option<&'a Login>,
    until: Instant,
    /// How far the camera's clock is ahead.
    pub(super) ahead: SignedDuration,
    manner: Manner,
    tried: Tried,
    /// The present manner has been accepted once.
    proved: bool,
    /// The login was refused; it is not shown again.
    refused: Option<Problem>,
}

/// How a request is presented.
#[derive(Debug)]
enum Manner {
    Nobody,
    Token,
    Digest { challenge: Challenge, count: u32 },
}

#[derive(Debug, Default)]
struct Tried {
    token: bool,
    digest: bool,
    /// In this call the nonce was renewed.
    renewed: bool,
}

impl<'a> Talk<'a> {
    pub(super) fn new(login: Option<&'a Login>, clock: &'a dyn Clock) -> Self {
        Self {
            client: Client::new(),
            clock,
            login,
            until: Instant::now() + WHOLE_TALK,
            ahead: SignedDuration::ZERO,
            manner: Manner::Nobody,
            tried: Tried::default(),
            proved: false,
            refused: None,
        }
    }

    /// How the camera let us in so far.
    pub(super) const fn access(&self) -> Access {
        match self.manner {
            Manner::Nobody => Access::Anybody,
            Manner::Token => Access::UsernameToken,
            Manner::Digest { .. } => Access::HttpDigest,
        }
    }

    /// Asks as nobody and takes no for an answer.
    pub(super) fn ask_plainly<T>(
        &mut self,
        url: &Url,
        request: Request<'_>,
        read: impl FnOnce(Node<'_, '_>) -> T,
    ) -> Result<T, Problem> {
        let login = self.login.take();
        let result = self.ask(url, request, read);
        self.login = login;
        result
    }

    /// Asks, with the login if the camera wants one, and reads the element that answers.
    pub(super) fn ask<T>(
        &mut self,
        url: &Url,
        request: Request<'_>,
        read: impl FnOnce(Node<'_, '_>) -> T,
    ) -> Result<T, Problem> {
        if let Some(problem) = &self.refused {
            return Err(problem.clone());
        }
        self.tried.renewed = false;
        loop {
            let answer = self.post(url, request)?;
            let name = request.name;
            let not_onvif = || Problem::NotOnvif { url: url.to_string(), status: answer.status };
            let no = if answer.status == 401 {
                "not allowed for this user".to_owned()
            } else {
                let document = match soap::parse(&answer.body) {
                    Ok(document) => document,
                    Err(_) if answer.status != 200 || is_page(&answer.body) => return Err(not_onvif()),
                    Err(detail) => return Err(Problem::NotXml { url: url.to_string(), detail }),
                };
                let body = soap::body(&document).ok_or_else(not_onvif)?;
                match soap::fault(body) {
                    None if body.tag_name().name().strip_suffix("Response") == Some(name) => {
                        self.proved |= !matches!(self.manner, Manner::Nobody);
                        return Ok(read(body));
                    }
                    None => return Err(Problem::OtherAnswer { url: url.to_string(), request: name }),
                    Some(fault) if fault.is_login => fault.reason,
                    Some(fault) => {
                        return Err(Problem::Fault { url: url.to_string(), request: name, reason: fault.reason });
                    }
                }
            };
            // Each turn tries something new, so this ends.
            self.convince(&answer).map_err(|problem| match problem {
                Problem::WrongLogin if self.proved => {
                    Problem::Fault { url: url.to_string(), request: name, reason: no }
                }
                other => other,
            })?;
        }
    }

    /// Chooses another way to show the login, after a refusal.
    fn convince(&mut self, refusal: &Answer) -> Result<(), Problem> {
        if self.login.is_none() {
            return Err(Problem::LoginNeeded);
        }
        let challenge = Challenge::strongest(refusal.challenges.iter().map(String::as_str));
        let before = mem::replace(&mut self.manner, Manner::Nobody);
        self.manner = match (before, challenge) {
            // The nonce has expired. Not all cameras say so, but where it was good before, it is that.
            (Manner::Digest { challenge: old, .. }, Some(challenge))
                if !self.tried.renewed && (challenge.stale || self.proved) && challenge.nonce != old.nonce =>
            {
                self.tried.renewed = true;
                Manner::Digest { challenge, count: 0 }
            }
            // It is the login that knows this user and may not do that.
            (before, _) if self.proved => {
                self.manner = before;
                return Err(Problem::WrongLogin);
            }
            (_, Some(challenge)) if !self.tried.digest => {
                self.tried.digest = true;
                Manner::Digest { challenge, count: 0 }
            }
            _ if !self.tried.token => {
                self.tried.token = true;
                Manner::Token
            }
            _ => {
                let basic = refusal.challenges.iter().any(|c| c.trim().to_ascii_lowercase().starts_with("basic"));
                let problem = if basic && !self.tried.digest { Problem::OnlyBasic } else { Problem::WrongLogin };
                self.refused = Some(problem.clone());
                return Err(problem);
            }
        };
        Ok(())
    }

    /// Sends a request as the present manner wants it, and once more where the camera sends it on to itself.
    fn post(&mut self, url: &Url, request: Request<'_>) -> Result<Answer, Problem> {
        let answer = self.post_once(url, request)?;
        let Some(to) = onward(&answer) else { return Ok(answer) };
        let away = || Problem::SentAway { url: url.to_string(), to: shown(to).unwrap_or_default() };
        let there = if to.starts_with('/') && !to.starts_with("//") {
            Url::parse(&url.clone().with_path(to).to_string())
        } else {
            Url::parse(to)
        };
        let there = there.filter(|there| there.host == url.host).ok_or_else(away)?;
        let answer = self.post_once(&there, request)?;
        if onward(&answer).is_some() { Err(away()) } else { Ok(answer) }
    }

    fn post_once(&mut self, url: &Url, request: Request<'_>) -> Result<Answer, Problem> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Problem::TimedOut { url: url.to_string(), limit: WHOLE_TALK });
        }
        let (mut header, mut authorization) = (String::new(), None);
        match (&mut self.manner, self.login) {
            (Manner::Token, Some(login)) => {
                let now = self.clock.now().wall;
                let theirs = now.checked_add(self.ahead).unwrap_or(now);
                header = username_token(login, theirs, random());
            }
            (Manner::Digest { challenge, count }, Some(login)) => {
                *count += 1;
                authorization = challenge.answer(login, &url.path, *count, &hex::encode(random()));
            }
            _ => {}
        }
        let message = request.envelope(&header);
        self.client.post(url, &request.action(), authorization.as_deref(), &message, left.min(ONE_ANSWER))
    }
}

/// Is it a web page?
fn is_page(body: &[u8]) -> bool {
    let begin = String::from_utf8_lossy(&body[..body.len().min(512)]).to_ascii_lowercase();
    begin.contains("<html") || begin.contains("<!doctype html")
}

/// Where a camera sends us on to.
fn onward(answer: &Answer) -> Option<&str> {
    matches!(answer.status, 301 | 302 | 303 | 307 | 308).then_some(answer.location.as_deref()?)
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Only its being new matters here, and to the camera alone.
        bytes = fastrand::u128(..).to_le_bytes();
    }
    bytes
}
