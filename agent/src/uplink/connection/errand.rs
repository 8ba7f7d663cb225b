//! What is tried beside a connection, so that it is only left for a better one: the brokers that come before it,
//! and renewed certificates.

use std::{future, pin::Pin};

use super::{Phase, Talk};
use crate::uplink::{
    Concern, LinkError,
    link::unusable,
    mqtt::{Tls, trial},
};

/// A trial under way.
pub(super) struct Errand {
    purpose: Purpose,
    trial: Pin<Box<dyn Future<Output = Result<usize, LinkError>>>>,
}

/// What it is for.
#[derive(Clone)]
enum Purpose {
    Return,
    Renew(Tls),
}

/// Waits for the end of an errand; for ever if there is none.
pub(super) async fn done(errand: &mut Option<Errand>) -> Result<usize, LinkError> {
    match errand {
        Some(errand) => errand.trial.as_mut().await,
        None => future::pending().await,
    }
}

impl Talk<'_> {
    /// Sets out if there is a reason to.
    pub(super) fn run_errands(&mut self) {
        if self.since.is_none() || self.phase != Phase::Working || self.errand.is_some() {
            return;
        }
        let now = self.now();
        if now.saturating_sub(self.looked) >= self.shared.settings.look {
            self.looked = now;
            self.look_at_files();
        } else if let Some(before) = self.memory.route.better(now) {
            self.look_back(before);
        }
    }

    /// Can one of the brokers before this one be had again? A TCP connection would not tell: a broker that is
    /// starting, or has lost its accounts, takes that too, and the link would leave a good broker for it.
    fn look_back(&mut self, before: usize) {
        let dials: Vec<_> = (0..before).map(|at| self.shared.sign_on.trial(at, None)).collect();
        let round = async move {
            let mut result = Err(LinkError::System { detail: "there is no other address".to_owned() });
            for (at, dial) in dials.into_iter().enumerate() {
                result = trial(dial).await.map(|()| at);
                if result.is_ok() {
                    break;
                }
            }
            result
        };
        self.errand = Some(Errand { purpose: Purpose::Return, trial: Box::pin(round) });
    }

    /// Have the files of `[broker]` been renewed, and does this broker like the new ones?
    fn look_at_files(&mut self) {
        match self.shared.sign_on.renewed() {
            Ok(Some(tls)) if self.may_try(&tls) => {
                let (dial, at) = (self.shared.sign_on.trial(self.at, Some(tls.clone())), self.at);
                let trial = async move { trial(dial).await.map(|()| at) };
                self.errand = Some(Errand { purpose: Purpose::Renew(tls), trial: Box::pin(trial) });
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                self.memory.refused_files = None;
                self.shared.concern(Concern::Files, None);
            }
            Err(error) => self.shared.concern(Concern::Files, Some(unusable(&error))),
        }
        self.shared.concern(Concern::Validity, self.shared.sign_on.validity());
    }

    /// Have these not just been refused?
    fn may_try(&self, tls: &Tls) -> bool {
        let is_over = self.memory.refused_files.is_none_or(|(_, until)| self.now() >= until);
        is_over || !self.memory.has_refused(tls)
    }

    /// An errand is over.
    pub(super) fn returned(&mut self, outcome: Result<usize, LinkError>) {
        let Some(Errand { purpose, .. }) = self.errand.take() else { return };
        let now = self.now();
        match (purpose, outcome) {
            (Purpose::Return, Ok(to)) => {
                let (better, address) = (self.shared.sign_on.address(to), self.address());
                tracing::info!("broker {better} can be had again; leaving {address} for it");
                self.leave(to);
            }
            (Purpose::Return, Err(error)) => {
                tracing::debug!("no way back yet: {error}");
                self.memory.route.put_off(now);
            }
            (Purpose::Renew(tls), Ok(at)) => {
                tracing::info!("the files under [broker] were renewed; connecting anew with them");
                self.memory.refused_files = None;
                self.shared.sign_on.adopt(tls);
                self.shared.concern(Concern::Files, None);
                self.leave(at);
            }
            (Purpose::Renew(tls), Err(error)) => {
                self.memory.refused_files = Some((tls.fingerprint, now + self.shared.settings.pause));
                self.shared.concern(Concern::Files, Some(unusable(&error)));
            }
        }
    }
}
