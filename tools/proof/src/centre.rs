//! The operations centre: a subscriber with a lasting session that writes down what arrives.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

use karaul::uplink::Spans;
use karaul_wire::{AlertEvent, BoxGap, BoxPath, GapRange, Receipt, Sequence, Severity};
use rumqttc::{Client, Event, MqttOptions, Packet, Publish, QoS};
use uuid::Uuid;

use crate::{error::ProofError, rig};

/// How long a broker may take to confirm a subscription.
const READY: Duration = Duration::from_secs(10);
/// Between two dials of a broker that is away.
const REDIAL: Duration = Duration::from_millis(20);
/// Most ranges in a receipt, so that it stays small.
const MOST_RANGES: usize = 200;

/// One alert as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub sequence: u64,
    pub event: Uuid,
    pub incident: Uuid,
    pub rev: u32,
    pub severity: Severity,
    pub backfill: bool,
    pub at: Instant,
}

/// All that arrived.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Alerts in the order of their arrival, the first copy of each.
    pub first: Vec<Arrival>,
    /// Further copies.
    pub duplicates: u64,
    /// Numbers that came with another id than before.
    pub contradictions: Vec<u64>,
    /// What `gap/box` named.
    pub gaps: Vec<(u64, u64)>,
    /// What is not an event of this contract.
    pub nonsense: Vec<String>,
    /// By number.
    known: BTreeMap<u64, Uuid>,
}

impl Record {
    /// Has this number arrived, and with which id?
    pub(crate) fn event(&self, sequence: u64) -> Option<Uuid> {
        self.known.get(&sequence).copied()
    }

    /// The numbers that arrived.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.known.keys().copied()
    }

    pub(crate) fn take(&mut self, arrival: Arrival) {
        match self.known.insert(arrival.sequence, arrival.event) {
            None => self.first.push(arrival),
            Some(before) if before == arrival.event => self.duplicates += 1,
            Some(_) => self.contradictions.push(arrival.sequence),
        }
    }

    fn hear(&mut self, publish: &Publish) {
        let at = Instant::now();
        let kind = publish.topic.split('/').nth(5).unwrap_or_default();
        let understood = match kind {
            "alert" => serde_json::from_slice::<AlertEvent>(&publish.payload).map(|event| {
                let incident = &event.data.incident;
                self.take(Arrival {
                    sequence: event.sequence.0,
                    event: event.id,
                    incident: incident.id,
                    rev: incident.rev,
                    severity: incident.severity,
                    backfill: event.data.backfill,
                    at,
                });
            }),
            "gap" => serde_json::from_slice::<BoxGap>(&publish.payload).map(|gap| {
                self.gaps.extend(gap.ranges.iter().map(|range| (range.first.0, range.last.0)));
            }),
            _ => Ok(()),
        };
        if let Err(error) = understood {
            self.nonsense.push(format!("{}: {error}", publish.topic));
        }
    }

    /// The numbers that need not be waited for: they arrived, or `gap/box` named them.
    pub(crate) fn dealt_with(&self) -> Spans<u64> {
        let mut numbers = Spans::default();
        self.numbers().for_each(|number| numbers.add(number..=number));
        self.gaps.iter().for_each(|(first, last)| numbers.add(*first..=*last));
        numbers
    }

    /// What it says of them: stored, and missing as far as it can know.
    fn receipt(&self) -> Receipt {
        let range = |(first, last): (u64, u64)| GapRange { first: Sequence(first), last: Sequence(last) };
        let runs: Vec<(u64, u64)> = self.dealt_with().ranges().map(RangeInclusive::into_inner).collect();
        let first = runs.first().copied().filter(|(first, _)| *first == 1);
        let missing = holes(runs.iter().copied()).take(MOST_RANGES).map(range).collect();
        let ranges = runs.iter().skip(usize::from(first.is_some())).take(MOST_RANGES).copied().map(range).collect();
        Receipt { up_to: first.map(|(_, last)| Sequence(last)), ranges, missing }
    }
}

/// What is between these ranges, and before the first of them.
pub(crate) fn holes(ranges: impl Iterator<Item = (u64, u64)>) -> impl Iterator<Item = (u64, u64)> {
    let mut next = 1;
    ranges.filter_map(move |(first, last)| {
        let hole = (next < first).then(|| (next, first - 1));
        next = last.saturating_add(1);
        hole
    })
}

/// See the [module](self).
pub(crate) struct Centre {
    client: Client,
    record: Arc<Mutex<Record>>,
    paused: Arc<AtomicBool>,
}

impl Centre {
    /// Subscribes to all of the box and returns when the broker has confirmed it.
    pub(crate) fn start(port: u16, path: &BoxPath) -> Result<Self, ProofError> {
        let mut options = MqttOptions::new(format!("centre-{}", path.unit), "127.0.0.1", port);
        options.set_clean_session(false).set_max_packet_size(1 << 20, 1 << 20).set_keep_alive(Duration::from_secs(10));
        let (client, mut connection) = Client::new(options, 64);
        let record = Arc::new(Mutex::new(Record::default()));
        let (ready, is_ready) = channel();
        let (subscriber, sink, path) = (client.clone(), Arc::clone(&record), path.clone());
        let paused = Arc::new(AtomicBool::new(false));
        let pause = Arc::clone(&paused);
        thread::spawn(move || {
            for event in connection.iter() {
                while pause.load(SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                match event {
                    // A broker that was killed may have forgotten the session.
                    Ok(Event::Incoming(Packet::ConnAck(answer))) if !answer.session_present => {
                        for kind in ["alert/+/+", "gap/box"] {
                            if subscriber.try_subscribe(format!("{path}/{kind}"), QoS::AtLeastOnce).is_err() {
                                return;
                            }
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => _ = ready.send(()),
                    Ok(Event::Incoming(Packet::Publish(publish))) => locked(&sink).hear(&publish),
                    Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
                    Ok(_) => {}
                    Err(_) => thread::sleep(REDIAL),
                }
            }
        });
        for _ in 0..2 {
            is_ready.recv_timeout(READY).map_err(|_| ProofError::late("the subscription was not confirmed", READY))?;
        }
        Ok(Self { client, record, paused })
    }

    /// Reads nothing for a while, so that the broker has to keep it.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, SeqCst);
    }

    /// What arrived so far.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }

    /// Sends a receipt, retained, for all that arrived so far.
    pub(crate) fn send_receipt(&self, path: &BoxPath) {
        let receipt = serde_json::to_vec(&self.record().receipt()).unwrap_or_default();
        // Lost if the broker is away: the next one says the same and more.
        let _ = self.client.try_publish(path.receipt(&rig::id(rig::CONSUMER)), QoS::AtLeastOnce, true, receipt);
    }

    /// Waits until so many alerts have arrived.
    pub(crate) fn wait_for(&self, count: usize, limit: Duration) -> Result<(), ProofError> {
        rig::wait(&format!("{count} alerts were not there"), limit, || self.record().first.len() >= count)
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        // If the queue is full the thread ends with the process.
        let _ = self.client.try_disconnect();
    }
}

/// The retained messages on a topic filter: topic and payload.
pub(crate) fn retained(port: u16, filter: &str) -> Result<BTreeMap<String, Vec<u8>>, ProofError> {
    /// When nothing more comes for so long, that was all.
    const QUIET: Duration = Duration::from_millis(700);
    let mut options = MqttOptions::new(format!("retained-{}", Uuid::now_v7()), "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe(filter, QoS::AtLeastOnce).map_err(|error| ProofError::Client(error.to_string()))?;
    let mut found = BTreeMap::new();
    let mut last = Instant::now() + READY;
    loop {
        match connection.recv_timeout(QUIET) {
            Ok(Ok(Event::Incoming(Packet::Publish(publish)))) if publish.retain => {
                found.insert(publish.topic, publish.payload.to_vec());
                last = Instant::now();
            }
            Ok(Ok(Event::Incoming(Packet::SubAck(_)))) => last = Instant::now(),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(ProofError::Client(error.to_string())),
            Err(_) => {}
        }
        if last.elapsed() > QUIET {
            return Ok(found);
        }
    }
}

fn locked(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_what_is_stored_and_what_is_missing() {
        let mut record = Record::default();
        for sequence in [1, 2, 5, 7] {
            record.take(Arrival {
                sequence,
                event: Uuid::nil(),
                incident: Uuid::nil(),
                rev: 1,
                severity: Severity::Info,
                backfill: false,
                at: Instant::now(),
            });
        }
        record.gaps.extend([(3, 3), (8, 1_800_000_000_000_000)]);
        let range = |first, last| GapRange { first: Sequence(first), last: Sequence(last) };
        let receipt = record.receipt();
        assert_eq!(
            (receipt.up_to, receipt.ranges),
            (Some(Sequence(3)), vec![range(5, 5), range(7, 1_800_000_000_000_000)])
        );
        assert_eq!(receipt.missing, [range(4, 4), range(6, 6)]);
    }
}
