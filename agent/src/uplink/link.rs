//! The thread that keeps a connection to the broker: when to dial, with which version,
//! and what is said about it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use karaul_wire::{BoxBirth, BoxPath, BoxState, BoxStatus};
use sha2::{Digest as _, Sha256};
use tokio::{runtime, sync::watch, time};

use super::{
    BackoffPolicy, LinkError, Outbox, StateBoard, Version,
    backoff::Backoff,
    connection::{self, Ended, Memory, json, wait_for},
    mqtt::SignOn,
};
use crate::{clock::Clock, config::Broker};

/// While there is no connection, the disk is still tended this often.
const TEND: Duration = Duration::from_secs(2);

/// What the link needs to know.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Where the broker is and how to sign on.
    pub broker: Broker,
    /// The address of the box's topics.
    pub path: BoxPath,
    /// Published on `meta/box` at each connection; the link fills in `session`.
    pub birth: BoxBirth,
    /// How long to wait before dialling again.
    pub backoff: BackoffPolicy,
    /// An alert published so long after its commit is marked `backfill`.
    pub late_after: Duration,
    /// What the broker does not take is offered to it again after this long.
    pub pause: Duration,
    /// At an orderly stop, what waits may still be sent for this long.
    pub flush: Duration,
}

impl LinkSettings {
    /// Settings with the usual times.
    #[must_use]
    pub fn new(broker: Broker, path: BoxPath, birth: BoxBirth) -> Self {
        let [late_after, pause, flush] = [10, 600, 3].map(Duration::from_secs);
        Self { broker, path, birth, backoff: BackoffPolicy::default(), late_after, pause, flush }
    }
}

/// How the link is, and counters since the agent's start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// The version in use, while there is a connection.
    pub connected: Option<Version>,
    /// Connections that were accepted.
    pub connections: u64,
    /// Alerts that the broker acknowledged.
    pub delivered: u64,
    /// Messages written again because their acknowledgement never came.
    pub resent: u64,
    /// Messages that the broker does not want, passed over for the time being.
    pub held: u64,
    /// Why there is no connection, or was none before the present one.
    pub last_error: Option<String>,
}

/// The link to the broker: one thread. Dropping it is an orderly stop.
pub struct Link {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and the handle share.
pub(super) struct Shared {
    pub settings: LinkSettings,
    pub sign_on: SignOn,
    pub outbox: Arc<Outbox>,
    pub board: Arc<StateBoard>,
    pub clock: Arc<dyn Clock>,
    report: Mutex<LinkReport>,
    birth: Mutex<Birth>,
}

/// What `meta/box` says.
struct Birth {
    /// Its session is that of the present or the last connection.
    told: BoxBirth,
    /// There has been a connection.
    connected: bool,
}

impl Link {
    /// Starts the thread. It waits for nothing: the broker may come much later.
    ///
    /// # Errors
    /// If TLS is asked for and `ca_file` is no use, or the system gives no thread.
    pub fn start(
        settings: LinkSettings,
        outbox: Arc<Outbox>,
        board: Arc<StateBoard>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        let sign_on = SignOn::new(settings.broker.clone(), client_id(&settings.path))?;
        let birth = Mutex::new(Birth { told: settings.birth.clone(), connected: false });
        let report = Mutex::new(LinkReport::default());
        let shared = Arc::new(Shared { settings, sign_on, outbox, board, clock, report, birth });
        let system = |error: std::io::Error| LinkError::System { detail: error.to_string() };
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(system)?;
        let (stop, stopped) = watch::channel(false);
        let thread = thread::Builder::new()
            .name("link".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || {
                    runtime.block_on(run(&shared, stopped));
                    // A name look-up may still be going on; nobody waits for it.
                    runtime.shutdown_background();
                }
            })
            .map_err(system)?;
        Ok(Self { shared, stop, thread: Some(thread) })
    }

    /// How the link is.
    #[must_use]
    pub fn report(&self) -> LinkReport {
        self.shared.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes another birth than that of the settings, now and at each later connection; the link fills in
    /// `session`.
    pub fn set_birth(&self, birth: BoxBirth) {
        self.shared.tell_birth(|present| {
            present.told = BoxBirth { session: present.told.session, ..birth };
        });
    }

    /// Has its thread ended, though nobody stopped it?
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Sends what still waits, for at most [`LinkSettings::flush`], says `stopped`, signs
    /// off, and returns when all that is done or its time is up.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the link's thread ended in a panic");
        }
    }
}

impl Shared {
    /// Changes the report.
    pub(super) fn report(&self, change: impl FnOnce(&mut LinkReport)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The birth for the connection of this number: a state like others from then on.
    pub(super) fn born(&self, session: u64) {
        self.tell_birth(|present| {
            present.told.session = session;
            present.connected = true;
        });
    }

    fn tell_birth(&self, change: impl FnOnce(&mut Birth)) {
        let mut birth = self.birth.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut birth);
        if birth.connected {
            // Still locked: the board's latest is the latest.
            self.board.set(self.settings.path.birth(), json(&birth.told));
        }
    }

    /// The payload of `status/box`.
    pub(super) fn status(&self, state: BoxState, session: u64) -> Vec<u8> {
        json(&BoxStatus { state, session, since: self.clock.now().wall })
    }

    /// Says that there is a connection.
    pub(super) fn connected(&self, version: Version, session: u64) {
        self.report(|report| {
            report.connected = Some(version);
            report.connections += 1;
        });
        tracing::info!(
            "broker {}: connected with {}, session {session}, {} messages waiting",
            self.sign_on.address(),
            version.as_str(),
            self.outbox.waiting()
        );
    }
}

async fn run(shared: &Shared, mut stop: watch::Receiver<bool>) {
    let mut backoff = Backoff::new(shared.settings.backoff, fastrand::Rng::new());
    let mut versions = Versions::default();
    let mut memory = Memory::default();
    loop {
        let ended = connection::live(shared, &mut memory, versions.current, &mut stop).await;
        shared.report(|report| report.connected = None);
        let Ended::Failed { error, signed_on, good } = ended else { return };
        if versions.failed(&error, signed_on) {
            tracing::debug!("{error}; trying {}", versions.current.as_str());
            continue;
        }
        say(shared, &error);
        if good {
            backoff.reset();
        }
        let wait = backoff.next(error.patience());
        if pause(shared, wait, &mut stop).await {
            return;
        }
    }
}

/// Each reason is logged once, not at every attempt.
fn say(shared: &Shared, error: &LinkError) {
    let sentence = error.to_string();
    let mut known = false;
    shared.report(|report| {
        known = report.last_error.as_ref() == Some(&sentence);
        report.last_error = Some(sentence.clone());
    });
    if known {
        tracing::debug!("{sentence}");
    } else {
        tracing::warn!("{sentence}; trying again, alerts wait in the outbox");
    }
}

/// Waits; `true` if it is time to stop.
async fn pause(shared: &Shared, wait: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    let until = time::Instant::now() + wait;
    loop {
        let next = until.min(time::Instant::now() + TEND);
        tokio::select! {
            () = wait_for(stop) => return true,
            () = time::sleep_until(next) => shared.outbox.tend(),
        }
        if time::Instant::now() >= until {
            return false;
        }
    }
}

/// Which version to speak: pure policy.
#[derive(Debug)]
struct Versions {
    current: Version,
    /// The broker said that it does not speak version 5. One that merely hung up is
    /// asked again next time: it may have been restarting.
    said: bool,
}

impl Default for Versions {
    fn default() -> Self {
        Self { current: Version::V5, said: false }
    }
}

impl Versions {
    /// A connection failed. `true` if the other version is worth trying at once.
    fn failed(&mut self, error: &LinkError, signed_on: bool) -> bool {
        let at_once = self.current == Version::V5
            && !signed_on
            && matches!(error, LinkError::Version { .. } | LinkError::HungUp { .. } | LinkError::NoAnswer { .. });
        if at_once {
            self.said = matches!(error, LinkError::Version { .. });
            self.current = self.current.other();
        } else if !self.said || matches!(error, LinkError::Version { .. }) {
            *self = Self::default();
        }
        at_once
    }
}

/// Unique for the box path, so that a second box with the same path is noticed, and 23
/// characters of `[a-z0-9-]`: what every MQTT 3.1.1 broker has to accept (section 3.1.3.1).
fn client_id(path: &BoxPath) -> String {
    let hash = Sha256::digest(path.to_string());
    format!("karaul-{}", hex::encode(&hash[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hung_up() -> LinkError {
        LinkError::HungUp { address: String::new(), detail: String::new() }
    }

    fn version() -> LinkError {
        LinkError::Version { address: String::new(), version: "" }
    }

    #[test]
    fn a_broker_that_says_no_to_version_5_is_not_asked_again() {
        let mut versions = Versions::default();
        assert!(versions.failed(&version(), false));
        assert_eq!(versions.current, Version::V311);
        assert!(!versions.failed(&hung_up(), true));
        assert_eq!(versions.current, Version::V311);
        assert!(!versions.failed(&version(), false), "it speaks neither: start over, with a pause");
        assert_eq!(versions.current, Version::V5);
    }

    #[test]
    fn a_broker_that_hung_up_is_asked_again_next_time() {
        let mut versions = Versions::default();
        assert!(versions.failed(&hung_up(), false));
        assert_eq!(versions.current, Version::V311);
        assert!(!versions.failed(&hung_up(), true));
        assert_eq!(versions.current, Version::V5);
        assert!(!versions.failed(&LinkError::Credentials { address: String::new() }, false));
        assert_eq!(versions.current, Version::V5, "a wrong password has nothing to do with the version");
    }

    #[test]
    fn the_client_id_is_one_that_every_broker_accepts() {
        let id = |text: &str| text.parse().unwrap();
        let path = |unit| BoxPath { region: id("a"), district: id("b"), site: id("c"), unit: id(unit) };
        let first = client_id(&path("d"));
        assert_eq!(first.len(), 23);
        assert!(first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        assert_ne!(first, client_id(&path("e")));
    }
}
