use std::sync::Mutex;

use karaul_wire::{Alert, EvidenceKind};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Tickets that were given out, by the time of their clip, and how many clips were lost.
#[derive(Default)]
struct Script {
    tickets: Mutex<Vec<(Duration, Duration, Arc<Ticket>)>>,
    late: Mutex<u32>,
    crowded: Mutex<u32>,
    /// Whether there is nothing to cut.
    empty: Mutex<bool>,
    /// Whether clips are made at once.
    quick: Mutex<bool>,
}

impl Make for Arc<Script> {
    fn make(&self, from: Duration, to: Duration) -> Option<Arc<Ticket>> {
        if *self.empty.lock().unwrap() {
            return None;
        }
        let ticket = Arc::<Ticket>::default();
        if *self.quick.lock().unwrap() {
            ticket.made(Some(clip()));
        }
        self.tickets.lock().unwrap().push((from, to, Arc::clone(&ticket)));
        Some(ticket)
    }

    fn late(&self) {
        *self.late.lock().unwrap() += 1;
    }

    fn crowded(&self) {
        *self.crowded.lock().unwrap() += 1;
    }
}

impl Script {
    fn cuts(&self) -> Vec<(u64, u64)> {
        self.tickets.lock().unwrap().iter().map(|(from, to, _)| (from.as_secs(), to.as_secs())).collect()
    }

    fn finish(&self, clip: Option<Evidence>) -> bool {
        self.tickets.lock().unwrap().last().unwrap().2.made(clip)
    }
}

fn clip() -> Evidence {
    Evidence { kind: EvidenceKind::Clip, ..Alert::example().evidence.remove(0) }
}

fn clips() -> (Clips, Arc<Script>) {
    let script = Arc::<Script>::default();
    let settings = config::Clips { enabled: true, before: 5 * SECOND, after: 10 * SECOND, memory: 8 << 20 };
    (Clips::new(&settings, Box::new(Arc::clone(&script))), script)
}

fn incident(number: u128, phase: Phase) -> Incident {
    Incident { id: Uuid::from_u128(number), phase, ..Alert::example().incident }
}

#[test]
fn a_long_incident_tells_its_clip_in_an_update_and_when_it_closes() {
    let (mut clips, script) = clips();
    clips.committed(100 * SECOND, &incident(1, Phase::Open));
    assert!(clips.tend(110 * SECOND).is_empty());
    assert_eq!(script.cuts(), [], "the last pictures may be on their way");
    assert!(clips.tend(110 * SECOND + LAG).is_empty());
    assert_eq!(script.cuts(), [(95, 110)]);
    // Steps do not wait for it.
    assert_eq!(clips.of(111 * SECOND, &incident(1, Phase::Update)), None);
    assert!(script.finish(Some(clip())));
    assert_eq!(clips.tend(112 * SECOND), [Uuid::from_u128(1)]);
    assert!(clips.tend(113 * SECOND).is_empty(), "asked for once");
    // Refused the first time: the next step tells it.
    let update = incident(1, Phase::Update);
    assert_eq!(clips.of(112 * SECOND, &update), Some(clip()));
    assert_eq!(clips.of(130 * SECOND, &update), Some(clip()));
    clips.committed(130 * SECOND, &update);
    assert_eq!(clips.of(160 * SECOND, &update), None);
    let close = incident(1, Phase::Close);
    assert_eq!(clips.of(170 * SECOND, &close), Some(clip()));
    clips.committed(170 * SECOND, &close);
    assert!(clips.orders.is_empty());
    assert_eq!(script.cuts().len(), 1);
}

#[test]
fn the_clip_of_a_short_incident_ends_with_it() {
    let (mut clips, script) = clips();
    *script.quick.lock().unwrap() = true;
    clips.committed(3 * SECOND, &incident(1, Phase::Open));
    assert_eq!(clips.of(5 * SECOND, &incident(1, Phase::Close)), Some(clip()));
    assert_eq!(script.cuts(), [(0, 5)]);
}

#[test]
fn alerts_do_not_wait_long_for_evidence() {
    let (mut clips, script) = clips();
    for number in [1, 2, 3] {
        clips.committed(100 * SECOND, &incident(number, Phase::Open));
    }
    let begun = Instant::now();
    clips.begin();
    for number in [1, 2, 3] {
        assert_eq!(clips.of(105 * SECOND, &incident(number, Phase::Close)), None);
    }
    let waited = begun.elapsed();
    assert!(waited >= PATIENCE && waited < PATIENCE * 2, "all together: {waited:?}");
    assert_eq!((*script.late.lock().unwrap(), clips.orders.len()), (3, 0));
    assert!(!script.finish(Some(clip())), "its maker throws it away");
}

#[test]
fn an_incident_of_which_nothing_was_received_has_no_clip() {
    let (mut clips, script) = clips();
    *script.empty.lock().unwrap() = true;
    clips.committed(100 * SECOND, &incident(1, Phase::Open));
    clips.committed(100 * SECOND, &incident(2, Phase::Open));
    assert_eq!(clips.of(101 * SECOND, &incident(2, Phase::Close)), None);
    assert!(clips.tend(200 * SECOND).is_empty());
    assert!(clips.orders.is_empty());
    // One that could not be written is as good as none.
    *script.empty.lock().unwrap() = false;
    clips.committed(300 * SECOND, &incident(3, Phase::Open));
    clips.tend(400 * SECOND);
    script.finish(None);
    assert!(clips.tend(400 * SECOND).is_empty());
    assert!(clips.orders.is_empty());
}

#[test]
fn the_list_has_an_end() {
    let (mut clips, script) = clips();
    for number in 0..MOST as u128 + 2 {
        clips.committed(100 * SECOND, &incident(number, Phase::Open));
    }
    assert_eq!((clips.orders.len(), *script.crowded.lock().unwrap()), (MOST, 2));
    assert_eq!(clips.of(101 * SECOND, &incident(0, Phase::Close)), None);
}
