use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::config::Escalation;

/// Something that happens.
#[derive(Clone, Debug)]
enum Play {
    Finding {
        rule: usize,
        track: u64,
        change: Change,
        place: u8,
        young: bool,
    },
    Wait(u64),
    /// A person does something with one of the open incidents.
    Person {
        which: usize,
        reason: Option<CloseReason>,
    },
    EndAll(CloseReason),
}

fn play() -> impl Strategy<Value = Play> {
    let change = prop_oneof![
        3 => Just(Change::Began),
        4 => Just(Change::Holds),
        2 => Just(LOST),
        1 => Just(CLEARED),
        1 => Just(Change::Ended(CloseReason::Blind)),
    ];
    let reason = prop_oneof![Just(CloseReason::Resolved), Just(CloseReason::FalsePositive)];
    prop_oneof![
        8 => (0..2_usize, 0..5_u64, change, 0..4_u8, any::<bool>())
            .prop_map(|(rule, track, change, place, young)| Play::Finding { rule, track, change, place, young }),
        4 => (1..40_u64).prop_map(Play::Wait),
        1 => (300..4000_u64).prop_map(Play::Wait),
        1 => (0..8_usize, proptest::option::of(reason)).prop_map(|(which, reason)| Play::Person { which, reason }),
        1 => Just(Play::EndAll(CloseReason::Blind)),
    ]
}

/// What was stored, step by step, and what there was no room for.
struct Book {
    desk: Desk,
    refusals: Vec<bool>,
    asked: usize,
    steps: Vec<Incident>,
}

impl Book {
    fn offer(&mut self, step: &Step) {
        self.asked += 1;
        if self.refusals.get(self.asked % self.refusals.len().max(1)).copied().unwrap_or(false) {
            self.desk.refused(step);
        } else {
            self.desk.committed(step);
            self.steps.push(step.alert.incident.clone());
        }
    }

    fn tend(&mut self, at: Stamp) {
        let before = self.asked;
        while let Some(step) = self.desk.due(at) {
            self.offer(&step);
            assert!(self.asked - before < 1000, "there is no end of it");
        }
    }

    fn open(&self) -> Vec<Uuid> {
        let mut open = BTreeMap::new();
        for step in &self.steps {
            open.insert(step.id, step.phase);
        }
        open.into_iter().filter(|(_, phase)| *phase != Phase::Close).map(|(id, _)| id).collect()
    }
}

/// Plays it, and checks that each incident is opened once, closed once and told without holes.
fn check(plays: &[Play], refusals: Vec<bool>) {
    let mut camera = camera(5);
    let rule = &mut camera.rules[0];
    (rule.budget, rule.severity) = (Some(3), Severity::Warning);
    rule.escalate = Some(Escalation { after: Duration::from_secs(60), severity: Severity::Critical });
    let desk = Desk::new(&camera, &[Language::En], "cpu", ClockSource::Box, None);
    let mut book = Book { desk, refusals, asked: 0, steps: Vec::new() };
    let (mut now, mut active) = (0, BTreeSet::new());
    for play in plays {
        match play {
            Play::Finding { rule, track, change, place, young } => {
                let bbox = Rect { x: 0.05 * f32::from(*place), y: 0.4, w: 0.1, h: 0.3 };
                // What is over is not said twice, and what holds has begun.
                let change = match change {
                    Change::Ended(_) if active.remove(&(*rule, *track)) => *change,
                    Change::Ended(_) => continue,
                    Change::Holds if !active.contains(&(*rule, *track)) => Change::Began,
                    change => *change,
                };
                if !matches!(change, Change::Ended(_)) {
                    active.insert((*rule, *track));
                }
                let finding = finding_at(*rule, *track, change, bbox, if *young { now } else { 0 });
                if let Some(step) = propose(&mut book.desk, at(now), &finding) {
                    book.offer(&step);
                }
            }
            Play::Wait(seconds) => now += seconds,
            Play::Person { which, reason } => {
                let open = book.open();
                let Some(id) = open.get(which % open.len().max(1)) else { continue };
                let step = match reason {
                    Some(reason) => book.desk.close(at(now), *id, *reason),
                    None => book.desk.acknowledge(at(now), *id, duty("duty officer", now)),
                };
                match step {
                    Ok(step) => book.offer(&step),
                    Err(Declined::Taken(_)) => {}
                    Err(Declined::NotOpen) => panic!("an open incident is not at the desk"),
                }
            }
            Play::EndAll(reason) => book.desk.end_all(at(now), *reason, |_| true),
        }
        book.tend(at(now));
        assert_eq!(book.desk.open_count(), book.open().len());
    }
    // The outbox has room again, all that is true ends, and everything is closed.
    book.refusals = Vec::new();
    for (rule, track) in active {
        let ended = finding(rule, track, Change::Ended(CloseReason::Stopped));
        if let Some(step) = propose(&mut book.desk, at(now), &ended) {
            book.offer(&step);
        }
    }
    book.desk.end_all(at(now), CloseReason::Stopped, |_| true);
    book.tend(at(now + 30));
    assert_eq!((book.open(), book.desk.open_count()), (Vec::new(), 0));
    assert!(book.desk.withheld().is_empty() && book.desk.settled.is_empty());

    let mut told: BTreeMap<Uuid, Vec<&Incident>> = BTreeMap::new();
    book.steps.iter().for_each(|step| told.entry(step.id).or_default().push(step));
    for steps in told.values() {
        let revs: Vec<usize> = steps.iter().map(|step| step.rev as usize).collect();
        assert_eq!(revs, (1..=steps.len()).collect::<Vec<_>>());
        let (last, before) = steps.split_last().unwrap();
        assert_eq!(last.phase, Phase::Close);
        for (place, step) in before.iter().enumerate() {
            assert_eq!(step.phase, if place == 0 { Phase::Open } else { Phase::Update });
            assert!(step.closed.is_none() && step.close_reason.is_none());
        }
        assert!(steps.windows(2).all(|pair| pair[0].severity <= pair[1].severity), "it never becomes less severe");
        assert!(steps.iter().all(|step| step.opened == last.opened));
        assert!(last.closed.is_some_and(|closed| closed >= last.opened) && last.close_reason.is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_happens_each_incident_has_one_life(
        plays in proptest::collection::vec(play(), 0..120),
        refusals in prop_oneof![Just(Vec::new()), proptest::collection::vec(any::<bool>(), 1..20)],
    ) {
        check(&plays, refusals);
    }
}
