//! The thread that keeps a connection to the broker: when to dial, with which version,
//! and what is said about it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use karaul_wire::{BoxBirth, BoxPath, BoxState, BoxStatus, Sequence};
use sha2::{Digest as _, Sha256};
use tokio::{runtime, sync::watch, time};

use super::{
    Concern, LinkError, LinkReport, LinkSettings, Outbox, StateBoard, Version,
    backoff::Backoff,
    connection::{self, Ended, Memory, Stood, json, wait_for},
    mqtt::SignOn,
    rival::{End, Rivalry},
    route::{Next, Route},
    versions::Versions,
};
use crate::clock::Clock;

/// While there is no connection, the disk is still tended this often.
const TEND: Duration = Duration::from_secs(2);

/// A connection that stood so long was a good one. One that carried messages and broke
/// sooner was not: two boxes with the same path throw each other out like that.
const GOOD: Duration = Duration::from_secs(10);

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
    /// These brokers are left for good.
    retired: AtomicBool,
    /// By address, what was last said about it.
    said: Mutex<BTreeMap<usize, String>>,
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
    /// If TLS is asked for and one of its files is no use, or the system gives no thread.
    pub fn start(
        settings: LinkSettings,
        outbox: Arc<Outbox>,
        board: Arc<StateBoard>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        let sign_on = SignOn::new(settings.broker.clone(), name(&settings.path))?;
        let birth = Mutex::new(Birth { told: settings.birth.clone(), connected: false });
        let (report, said) = Default::default();
        let retired = AtomicBool::new(false);
        let shared = Arc::new(Shared { settings, sign_on, outbox, board, clock, report, retired, said, birth });
        let brokers: Vec<String> = shared.settings.broker.addresses().iter().map(ToString::to_string).collect();
        let system = |error: std::io::Error| LinkError::System { detail: error.to_string() };
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(system)?;
        shared.board.retained().set_brokers(brokers);
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
    /// off, and returns when all that is done or its time is up. Returns how it was at the end.
    pub fn stop(mut self) -> LinkReport {
        self.end();
        self.report()
    }

    /// The same for a broker that is left for good: what it retains of open incidents is cleared there, and nothing more
    /// is sent.
    pub fn retire(self) -> LinkReport {
        self.shared.retired.store(true, Relaxed);
        self.stop()
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the link's thread ended in a panic");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.end();
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

    /// Are these brokers left for good?
    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Relaxed)
    }

    /// The payload of `status/box`.
    pub(super) fn status(&self, state: BoxState, session: u64) -> Vec<u8> {
        let last = self.outbox.last_number();
        let (sequence, outbox) = ((last > 0).then_some(Sequence(last)), Some(self.outbox.name()));
        json(&BoxStatus { state, session, since: self.clock.now().wall, sequence, outbox })
    }

    /// Says that there is a connection.
    pub(super) fn connected(&self, at: usize, version: Version, session: u64) {
        let address = self.sign_on.address(at);
        let instead = (at > 0).then(|| {
            let first = self.said().get(&0).cloned().unwrap_or_else(|| self.sign_on.address(0));
            format!("the fallback {address} is in use, because of this: {first}")
        });
        self.report(|report| {
            report.connected = Some(version);
            report.address = Some(address.clone());
            report.session = session;
            report.connections += 1;
        });
        tracing::info!(
            "broker {address}: connected with {}, session {session}, {} messages waiting",
            version.as_str(),
            self.outbox.waiting()
        );
        self.concern(Concern::Fallback, instead);
    }

    /// Notes that there is none.
    fn disconnected(&self) {
        self.report(|report| {
            report.connected = None;
            report.address = None;
        });
    }

    /// Each reason is logged once for each address, not at every attempt.
    fn say(&self, at: usize, error: &LinkError) {
        let sentence = error.to_string();
        let known = self.said().insert(at, sentence.clone()).as_ref() == Some(&sentence);
        if known {
            tracing::debug!("{sentence}");
        } else {
            tracing::warn!("{sentence}; trying again, alerts wait in the outbox");
        }
        self.report(|report| {
            report.taken_over += u64::from(matches!(error, LinkError::TakenOver { .. }));
            report.last_error = Some(sentence.clone());
            if matches!(error, LinkError::TakenOver { .. } | LinkError::Rival { .. }) {
                report.concern(Concern::Rival, Some(sentence));
            }
        });
    }

    /// Notes a concern, and logs it if it is news; or clears it.
    pub(super) fn concern(&self, what: Concern, sentence: Option<String>) {
        let mut news = false;
        self.report(|report| news = report.concern(what, sentence.clone()));
        if let Some(sentence) = sentence.filter(|_| news) {
            tracing::warn!("{sentence}");
        }
    }

    /// Takes the files of `[broker]` as they are now, before a dial. What is no use is said, and the present
    /// ones stay; also if the broker did not like the new ones, unless it does not like the present ones either.
    fn renew_files(&self, memory: &Memory, doubtful: bool) {
        match self.sign_on.renewed() {
            Ok(Some(tls)) if !doubtful && memory.has_refused(&tls) => {}
            Ok(renewed) => {
                if let Some(tls) = renewed {
                    self.sign_on.adopt(tls);
                }
                self.concern(Concern::Files, None);
            }
            Err(error) => self.concern(Concern::Files, Some(unusable(&error))),
        }
        self.concern(Concern::Validity, self.sign_on.validity());
    }

    fn said(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About a renewed file.
pub(super) fn unusable(error: &LinkError) -> String {
    format!("the renewed files under [broker] cannot be used, those from before stay in use: {error}")
}

async fn run(shared: &Shared, mut stop: watch::Receiver<bool>) {
    let mut backoff = Backoff::new(shared.settings.backoff, fastrand::Rng::new());
    let mut versions = vec![Versions::default(); shared.sign_on.count()];
    let mut memory =
        Memory::new(Route::new(shared.sign_on.count(), shared.settings.return_after, fastrand::Rng::new()));
    let mut rivalry = Rivalry::default();
    // The present certificate may be what is wrong: in this round, and in the whole of the last one.
    let (mut doubts, mut doubtful) = (false, false);
    while !*stop.borrow() {
        let at = memory.route.at();
        shared.renew_files(&memory, doubtful);
        let ended = connection::live(shared, &mut memory, versions[at].current, &mut stop).await;
        shared.disconnected();
        let (error, stood) = match ended {
            Ended::Stopped => return,
            Ended::Left(to) => {
                memory.move_to(to);
                continue;
            }
            Ended::Failed { error, stood } => (error, stood),
        };
        doubts |= error.may_be_the_certificate();
        if versions[at].failed(&error, stood.is_some()) {
            tracing::debug!("{error}; trying {}", versions[at].current.as_str());
            continue;
        }
        let end = end(&error, stood);
        let suspicious = rivalry.ended(end);
        let error = if suspicious { LinkError::Rival { address: shared.sign_on.address(at) } } else { error };
        shared.say(at, &error);
        let good = stood.is_some_and(|stood| stood.time > GOOD);
        if good {
            backoff.reset();
            memory.route.stood();
        }
        let next = if stays(&error, end, good) {
            memory.route.go(at);
            Next::Wait(error.patience())
        } else {
            memory.route.failed(error.patience(), shared.clock.now().mono)
        };
        let is_over = next != Next::AtOnce;
        (doubts, doubtful) = (doubts && !is_over, doubts && is_over);
        if let Next::Wait(patience) = next
            && pause(shared, backoff.next(patience), &mut stop).await
        {
            return;
        }
    }
}

/// Is the same address dialled again? If another box has taken our session over, a second address is no way out: then
/// one box would be here and the other there, and nobody would notice. While that is only possible, it is waited until
/// it is likely; but then alerts come first, for the broker may have another reason.
const fn stays(error: &LinkError, end: End, good: bool) -> bool {
    match error {
        LinkError::TakenOver { .. } => true,
        LinkError::Rival { .. } | LinkError::Dismissed { .. } => false,
        _ => good || matches!(end, End::Closed { idle: true, .. }),
    }
}

/// How this looks to somebody who suspects a second box.
fn end(error: &LinkError, stood: Option<Stood>) -> End {
    match (error, stood) {
        (LinkError::Lost { .. }, Some(Stood { time, idle })) => End::Closed { after: time, idle },
        _ => End::Known,
    }
}

/// Waits; `true` if it is time to stop.
async fn pause(shared: &Shared, wait: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    let until = time::Instant::now() + wait;
    let commits = shared.outbox.bell();
    loop {
        let next = until.min(time::Instant::now() + TEND);
        tokio::select! {
            () = wait_for(stop) => return true,
            () = commits.notified() => shared.outbox.write_pending(),
            () = time::sleep_until(next) => shared.outbox.tend(),
        }
        if time::Instant::now() >= until {
            return false;
        }
    }
}

/// Unique for the box path, so that a second box with the same path is noticed: 16 characters.
fn name(path: &BoxPath) -> String {
    let hash = Sha256::digest(path.to_string());
    hex::encode(&hash[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_go_elsewhere_but_for_a_session_that_was_taken_over() {
        let address = String::new;
        let closed = |idle| End::Closed { after: Duration::from_secs(1), idle };
        let lost = LinkError::Lost { address: address(), detail: String::new() };
        let dismissed = LinkError::Dismissed { address: address(), reason: String::new() };
        assert!(stays(&lost, closed(true), false) && stays(&lost, closed(false), true));
        assert!(!stays(&lost, closed(false), false), "it may not like our messages");
        assert!(stays(&LinkError::TakenOver { address: address() }, End::Known, false));
        assert!(!stays(&LinkError::Rival { address: address() }, closed(true), true));
        assert!(!stays(&dismissed, End::Known, true), "it sends us away");
        assert!(!stays(&LinkError::Credentials { address: address() }, End::Known, false));
    }

    #[test]
    fn each_path_has_a_name_of_its_own() {
        let id = |text: &str| text.parse().unwrap();
        let path = |unit| BoxPath { region: id("a"), district: id("b"), site: id("c"), unit: id(unit) };
        let first = name(&path("d"));
        assert_eq!(first.len(), 16);
        assert!(first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        assert_ne!(first, name(&path("e")));
    }
}
