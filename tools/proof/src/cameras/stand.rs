//! A camera that has one fault, again and again, and what the agent says of it meanwhile.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use karaul_simulator::peer::{End, Peer, Script, Tally};
use karaul_stage::Simulator;
use karaul_wire::{CameraState, CameraStatus};

use super::faults::{Clips, Expected, Fault, Onset, Other};
use crate::error::ProofError;

/// A status, and when the subscriber got it, since 1970.
pub(super) type Told = (Duration, CameraStatus);

/// A fault that blinds is said within this time, or counts as not noticed.
const UNNOTICED: Duration = Duration::from_secs(30);
/// So long a harmless one lasts: longer than the watchdog's five seconds.
const HARMLESS: Duration = Duration::from_secs(8);
/// A camera that is not seen within this time after it came back counts as lost.
pub(super) const LOST: Duration = Duration::from_secs(150);
/// At the start, when all begin at once.
const START: Duration = Duration::from_secs(60);
/// Whoever sees at the return has to go on doing so for this long.
const STEADY: Duration = Duration::from_secs(3);

/// How long things last.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) rounds: u32,
    /// From seeing to the next fault.
    pub(super) settled: Duration,
    /// A fault goes on for a random time between these after it was noticed.
    pub(super) held: (Duration, Duration),
    /// Wait for those that the agent tries rarely on purpose.
    pub(super) slow: bool,
}

/// What was measured of one fault.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// From the fault to `blind`.
    pub(super) noticed: Vec<Duration>,
    /// From the service's return to `seeing`.
    pub(super) again: Vec<Duration>,
    /// Messages on the camera's status topic, from the fault to seeing again.
    pub(super) messages: usize,
    /// Reasons and sentences, each once, without the address.
    pub(super) words: BTreeSet<String>,
    /// Wrong passwords that the camera saw, and connections, while the fault lasted.
    pub(super) wrong_logins: u64,
    pub(super) connections: u64,
    /// What should not have been.
    pub(super) wrong: Vec<String>,
}

/// The camera itself.
pub(super) enum Camera {
    Peer(Peer),
    /// A process of its own.
    Process(Mutex<Simulator>),
}

impl Camera {
    pub(super) fn start(fault: &Fault, clips: &Clips) -> Result<Self, ProofError> {
        if matches!(fault.onset, Onset::Stopped) {
            let mount = "/stream=pattern,size=160x120,fps=10,gop=10".to_owned();
            return Ok(Self::Process(Mutex::new(Simulator::start(0, &[mount], &[])?)));
        }
        Ok(Self::Peer(Peer::start(well(fault, clips))?))
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Peer(peer) => peer.url(),
            Self::Process(simulator) => locked(simulator).urls[0].clone(),
        }
    }

    fn tally(&self) -> Tally {
        match self {
            Self::Peer(peer) => peer.tally(),
            Self::Process(_) => Tally::default(),
        }
    }

    fn begin(&self, fault: &Fault, clips: &Clips) -> Result<(), ProofError> {
        let well = well(fault, clips);
        match (self, &fault.onset) {
            (Self::Process(simulator), _) => locked(simulator).program.signal("STOP")?,
            (Self::Peer(peer), Onset::Live(ill)) => peer.play(ill(well)),
            (Self::Peer(peer), Onset::Anew(ill)) => {
                peer.play(ill(well));
                peer.end(End::Close);
            }
            (Self::Peer(peer), Onset::Once(end)) => peer.end(*end),
            (Self::Peer(peer), Onset::Refused) => {
                peer.close();
                peer.end(End::Reset);
            }
            (Self::Peer(peer), Onset::Clip(other)) => {
                let clip = match other {
                    Other::Size => &clips.size,
                    Other::Codec => &clips.codec,
                };
                // Announced is what it was.
                let sdp = Some(well.description());
                peer.play(Script { clip: Arc::clone(clip), sdp, ..well });
            }
            (Self::Peer(peer), Onset::Frozen | Onset::Stopped) => peer.freeze(true),
        }
        Ok(())
    }

    fn end(&self, fault: &Fault, clips: &Clips) -> Result<(), ProofError> {
        match self {
            Self::Process(simulator) => locked(simulator).program.signal("CONT")?,
            Self::Peer(peer) => {
                peer.play(well(fault, clips));
                peer.freeze(false);
                if matches!(fault.onset, Onset::Refused) {
                    peer.open()?;
                }
            }
        }
        Ok(())
    }
}

fn well(fault: &Fault, clips: &Clips) -> Script {
    let script = Script::well(&clips.usual);
    match fault.well {
        Some(change) => change(script),
        None => script,
    }
}

/// Carries all rounds of one fault out.
pub(super) fn rounds(
    fault: &Fault,
    clips: &Clips,
    camera: &Camera,
    told: &Receiver<Told>,
    pace: Pace,
    seed: u64,
) -> Result<Outcome, ProofError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut outcome = Outcome::default();
    let mut ear = Ear { told, last: None, heard: 0, words: BTreeSet::new() };
    if ear.wait(START, CameraState::Seeing).is_none() {
        outcome.wrong.push("not seen at the start".to_owned());
        return Ok(outcome);
    }
    for round in 0..pace.rounds {
        // Cameras are not to fail in step.
        ear.listen(pace.settled + Duration::from_millis(random.u64(0..2000)));
        if ear.state() != Some(CameraState::Seeing) {
            outcome.wrong.push(format!("round {round}: blind before the fault"));
        }
        (ear.heard, ear.words) = (0, BTreeSet::new());
        let before = camera.tally();
        let began = since_1970();
        camera.begin(fault, clips)?;
        if fault.expected == Expected::Sees {
            ear.listen(HARMLESS);
        } else {
            match ear.wait(UNNOTICED, CameraState::Blind) {
                Some(at) => outcome.noticed.push(at.saturating_sub(began)),
                None => outcome.wrong.push(format!("round {round}: not noticed in {} s", UNNOTICED.as_secs())),
            }
            if !matches!(fault.onset, Onset::Once(_)) {
                let (least, most) = pace.held;
                ear.listen(least + (most - least).mul_f64(random.f64()));
            }
        }
        let momentary = matches!(fault.onset, Onset::Once(_));
        let back = if momentary { began } else { since_1970() };
        let after = camera.tally();
        outcome.wrong_logins += after.wrong_logins - before.wrong_logins;
        outcome.connections += after.connections - before.connections;
        camera.end(fault, clips)?;
        let again = match fault.expected {
            Expected::Sees => {
                ear.listen(STEADY);
                if ear.heard > 0 {
                    outcome.wrong.push(format!("round {round}: {} messages", ear.heard));
                }
                (ear.state() == Some(CameraState::Seeing)).then_some(Duration::ZERO)
            }
            Expected::Slow if !pace.slow => None,
            Expected::Blind | Expected::Slow => ear.again(back, momentary),
        };
        outcome.messages += ear.heard;
        outcome.words.append(&mut ear.words);
        match again {
            Some(time) if fault.expected != Expected::Sees => outcome.again.push(time),
            Some(_) => {}
            None if fault.expected == Expected::Slow && !pace.slow => break,
            None => {
                outcome.wrong.push(format!("round {round}: not seen again in {} s", LOST.as_secs()));
                break;
            }
        }
    }
    Ok(outcome)
}

/// Hears what is said of one camera.
struct Ear<'a> {
    told: &'a Receiver<Told>,
    last: Option<Told>,
    heard: usize,
    words: BTreeSet<String>,
}

impl Ear<'_> {
    fn state(&self) -> Option<CameraState> {
        self.last.as_ref().map(|(_, status)| status.state)
    }

    /// The next message by that moment.
    fn next(&mut self, end: Instant) -> Option<CameraState> {
        match self.told.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(told) => {
                let status = &told.1;
                if let (Some(reason), Some(detail)) = (status.reason, &status.detail) {
                    let sentence = detail.split_once(": ").map_or(detail.as_str(), |(_, sentence)| sentence);
                    let reason = format!("{reason:?}").to_lowercase();
                    self.words.insert(format!("{reason}: {sentence}"));
                }
                self.heard += 1;
                let state = status.state;
                self.last = Some(told);
                Some(state)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(end.saturating_duration_since(Instant::now()));
                None
            }
        }
    }

    fn listen(&mut self, length: Duration) {
        let end = Instant::now() + length;
        while self.next(end).is_some() {}
    }

    /// When this state was said, if it is within the limit.
    fn wait(&mut self, limit: Duration, wanted: CameraState) -> Option<Duration> {
        let end = Instant::now() + limit;
        loop {
            if self.next(end)? == wanted {
                return self.last.as_ref().map(|(at, _)| *at);
            }
        }
    }

    /// How long after the service's return at `back` it was said that the camera is seen, and stayed so.
    fn again(&mut self, back: Duration, momentary: bool) -> Option<Duration> {
        let end = Instant::now() + LOST;
        let mut since =
            (self.state() == Some(CameraState::Seeing)).then_some(if momentary { self.last.as_ref()?.0 } else { back });
        loop {
            let limit = if since.is_some() { Instant::now() + STEADY } else { end };
            match (self.next(limit), since) {
                (Some(CameraState::Seeing), _) => since = self.last.as_ref().map(|(at, _)| *at),
                (Some(_), _) => since = None,
                (None, Some(at)) => return Some(at.saturating_sub(back)),
                (None, None) => return None,
            }
        }
    }
}

/// The present, as a subscriber's clock tells it.
pub(super) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
