//! The process whose writes are recorded: it works with an outbox and says what it does, so that whoever looks
//! at the disk later knows what must be there.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use clap::Args;
use karaul::{
    clock::{Clock, SimulatedClock},
    uplink::{Message, Outbox},
};
use karaul_wire::{GapRange, Phase, Sequence, Severity};
use uuid::Uuid;

use crate::{error::ProofError, rig};

/// Small, so that room has to be made all the time.
pub(super) const QUOTA: u64 = 512 << 10;
/// Largest filling of a message.
const FILLING: usize = 3000;
/// Incidents open at a time.
const MOST_OPEN: usize = 5;

/// What to play.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    steps: u32,
}

/// What a message of the script says: enough to write it again, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tale {
    pub number: u64,
    pub severity: Severity,
    pub incident: u64,
    pub phase: Phase,
}

impl Tale {
    /// The payload of its alert.
    pub(super) fn payload(&self) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(self.number);
        let length = random.usize(..FILLING);
        let filling: String = std::iter::repeat_with(|| random.alphanumeric()).take(length).collect();
        format!("{self} {filling}").into_bytes()
    }

    /// Reads the beginning of a payload.
    pub(super) fn of(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let mut end = text.match_indices(' ').map(|(at, _)| at).skip(3);
        text[..end.next()?].parse().ok()
    }

    /// The incident's id.
    pub(super) const fn id(&self) -> Uuid {
        Uuid::from_u128(self.incident as u128)
    }
}

impl fmt::Display for Tale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Open => "open",
            Phase::Update => "update",
            Phase::Close => "close",
        };
        write!(f, "{} {} {} {phase}", self.number, self.severity, self.incident)
    }
}

impl FromStr for Tale {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split(' ').collect();
        let [number, severity, incident, phase] = words[..] else { return Err(()) };
        let phase = match phase {
            "open" => Phase::Open,
            "update" => Phase::Update,
            "close" => Phase::Close,
            _ => return Err(()),
        };
        let (number, incident) = (number.parse().map_err(drop)?, incident.parse().map_err(drop)?);
        Ok(Self { number, severity: severity.parse().map_err(drop)?, incident, phase })
    }
}

/// Opens an outbox of the script.
pub(super) fn open(folder: &std::path::Path, clock: &SimulatedClock) -> Result<Arc<Outbox>, ProofError> {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    rig::outbox(folder, QUOTA, false, &clock)
}

/// A clock of the script.
pub(super) fn clock() -> SimulatedClock {
    SimulatedClock::at("2026-11-22T02:00:00Z".parse().expect("a literal time"))
}

struct Player {
    outbox: Arc<Outbox>,
    clock: SimulatedClock,
    random: fastrand::Rng,
    open: Vec<(u64, Severity)>,
    incidents: u64,
    gaps: u64,
    last: u64,
}

/// Plays it.
pub(crate) fn play(options: &Options) -> Result<(), ProofError> {
    let clock = clock();
    let outbox = open(&options.folder, &clock)?;
    let random = fastrand::Rng::with_seed(options.seed);
    let mut player = Player { outbox, clock, random, open: Vec::new(), incidents: 0, gaps: 0, last: 0 };
    for _ in 0..options.steps {
        player.clock.advance(Duration::from_millis(player.random.u64(..3000)));
        match player.random.u8(..100) {
            0..70 => player.step(),
            70..84 => player.deliver(),
            84..90 => player.tell_gaps(),
            90..94 => _ = player.outbox.session(),
            94..97 => player.replay(),
            97 => {
                drop(player.outbox);
                player.outbox = open(&options.folder, &player.clock)?;
            }
            _ => player.outbox.tend(),
        }
    }
    Ok(())
}

impl Player {
    fn step(&mut self) {
        let (incident, severity, phase) = if self.open.len() < MOST_OPEN && self.random.bool() {
            self.incidents += 1;
            let severity = self.random.choice(Severity::ALL).unwrap_or(Severity::Critical);
            self.open.push((self.incidents, severity));
            (self.incidents, severity, Phase::Open)
        } else if self.open.is_empty() {
            return;
        } else {
            let place = self.random.usize(..self.open.len());
            let close = self.random.u8(..3) == 0;
            let (incident, severity) = if close { self.open.swap_remove(place) } else { self.open[place] };
            (incident, severity, if close { Phase::Close } else { Phase::Update })
        };
        let offered: Result<(u64, bool), Infallible> = self.outbox.offer(|batch| {
            let tale = Tale { number: batch.next_sequence(), severity, incident, phase };
            println!("offering {tale}");
            let (number, payload, id) = (tale.number, tale.payload(), tale.id());
            let state = if phase == Phase::Close { Vec::new() } else { payload.clone() };
            if phase == Phase::Close {
                batch.forget_incident(id);
            } else {
                batch.remember_incident(id, number.to_string());
            }
            let (incident, sequence) = (Some(id), Some(number));
            let alert = Message { topic: "alert".to_owned(), payload, retain: false, severity, incident, sequence };
            let topic = format!("open/{id}");
            let state = Message { topic, payload: state, retain: true, severity, incident, sequence };
            for message in [alert, state] {
                if phase == Phase::Update { batch.put_passing(message) } else { batch.put(message) }
            }
            Ok(number)
        });
        let Ok((number, kept)) = offered;
        self.last = number;
        if !kept {
            println!("refused {number}");
        } else if severity == Severity::Critical {
            self.committed();
        }
    }

    /// All that was committed until now is safe, if the disk is well.
    fn committed(&self) {
        if self.outbox.trouble().is_none() {
            println!("committed {}", self.last);
        }
    }

    fn deliver(&mut self) {
        let waiting = self.outbox.next(self.random.usize(1..24), usize::MAX, |_, _| false);
        let words = waiting.iter().filter(|waiting| !waiting.message.retain && !waiting.again).map(|waiting| {
            let gap = || String::from_utf8_lossy(&waiting.message.payload).split(' ').next().map(str::to_owned);
            waiting.message.sequence.map_or_else(|| gap().unwrap_or_default(), |number| number.to_string())
        });
        println!("handing {}", words.collect::<Vec<_>>().join(" "));
        let rows: Vec<i64> = waiting.iter().map(|waiting| waiting.row).collect();
        self.outbox.delivered(&rows);
        self.committed();
    }

    fn tell_gaps(&mut self) {
        if !self.outbox.has_gaps_to_tell() {
            return;
        }
        self.gaps += 1;
        let name = format!("gap{}", self.gaps);
        let told: Result<(), Infallible> = self.outbox.commit(|batch| {
            let ranges: Vec<String> =
                batch.tell_gaps().ranges().map(|range| format!("{}-{}", range.start(), range.end())).collect();
            let payload = format!("{name} {}", ranges.join(" "));
            println!("offering {payload}");
            batch.put(Message {
                topic: "gap".to_owned(),
                payload: payload.into_bytes(),
                retain: false,
                severity: Severity::Critical,
                incident: None,
                sequence: None,
            });
            Ok(())
        });
        let Ok(()) = told;
        if self.outbox.trouble().is_none() {
            println!("committed {name}");
            self.committed();
        }
    }

    fn replay(&mut self) {
        let first = self.random.u64(1..=self.last.max(1));
        let range = GapRange { first: Sequence(first), last: Sequence(first + self.random.u64(..20)) };
        if let Err(trouble) = self.outbox.replay(&[range]) {
            println!("no replay: {trouble}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_tells_what_it_is() {
        let tale = Tale { number: 7, severity: Severity::Warning, incident: 3, phase: Phase::Close };
        assert_eq!(Tale::of(&tale.payload()), Some(tale));
        assert_eq!(Tale::of(b"7 warning"), None);
    }
}
