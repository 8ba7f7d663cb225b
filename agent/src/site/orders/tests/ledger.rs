use std::{sync::Arc, time::Duration};

use jiff::{Zoned, civil::Date, tz::TimeZone};
use karaul_wire::{
    BlindCause, BoxLedger, ClockSource, CloseReason, LedgerRule, Order, Phase, ReplyCode, RuleKind, Status, TestOutcome,
};

use super::stage::{Stage, camera, id};
use crate::{
    camera::Observer as _,
    clock::{Clock as _, SimulatedClock, SystemClock},
    incident::Desk,
    ledger::{Ledger, Sight},
    site::{
        Detect, Watch,
        bookkeeping::Bookkeeper,
        guard::{Guard, Shared},
        light::Light,
        trial::Trials,
    },
    vision::{Detection, Layout, Matrix, Planes, Range, VisionError},
};

fn now() -> Zoned {
    SystemClock.now().wall.to_zoned(TimeZone::get("Asia/Almaty").unwrap())
}

fn today() -> Date {
    now().date()
}

#[test]
fn days_are_told_as_far_as_they_are_on_record() {
    let stage = Stage::new(&camera("gate"));
    let (first, week) = (today(), today().checked_sub(jiff::Span::new().days(6)).unwrap());
    let told = stage.carry_out(Order::Ledger { first: week, last: Some(first) });
    // Unless midnight has just passed.
    assert_eq!((told.code, told.detail.as_str()), (ReplyCode::Done, "1 day of the ledger"));
    assert_eq!(told.ledger[0].rules[0].camera.as_str(), "gate");
    let refused = |first: &str, last: &str| {
        stage.order(Order::Ledger { first: first.parse().unwrap(), last: Some(last.parse().unwrap()) })
    };
    let said = |code, text: &str| (code, text.to_owned());
    assert_eq!(
        refused("2026-11-22", "2026-11-21"),
        said(ReplyCode::Invalid, "the days from 2026-11-22 to 2026-11-21 end before they begin")
    );
    assert_eq!(
        refused("2026-01-01", "2026-11-21"),
        said(
            ReplyCode::Invalid,
            "2026-01-01 to 2026-11-21 are more than 62 days; ask for some of them after the others"
        )
    );
    assert_eq!(
        refused("2020-01-01", "2020-01-02"),
        said(ReplyCode::NotFound, "the box has nothing on record of 2020-01-01 to 2020-01-02")
    );
}

/// A stage with a test each day, and what begins and follows it, by a clock of its own.
fn trials() -> (Stage, Trials, SimulatedClock) {
    trials_of(&camera("gate"))
}

fn trials_of(camera: &str) -> (Stage, Trials, SimulatedClock) {
    let stage = Stage::new(&(camera.to_owned() + "[test]\nat = \"00:00\"\nwithin = \"5s\"\n"));
    // Shortly before midnight the day of the next test would begin in the midst of this one.
    let late = now().hour() == 23 && now().minute() >= 50;
    let clock = SimulatedClock::at(SystemClock.now().wall - Duration::from_secs(if late { 1200 } else { 0 }));
    let mut delivery = stage.orders.delivery.clone();
    delivery.clock = Arc::new(clock.clone());
    let mut trials = Trials::new(delivery, Arc::clone(&stage.orders.posts), None);
    trials.tend();
    assert_eq!(stage.alerts(), [], "the broker is waited for, but not for ever");
    clock.advance(Duration::from_secs(60));
    (stage, trials, clock)
}

impl Stage {
    fn outcome(&self) -> TestOutcome {
        self.orders.delivery.ledger.last_test().unwrap().outcome
    }

    /// The broker takes all there is.
    fn deliver(&self) {
        let outbox = &self.orders.delivery.outbox;
        let rows: Vec<i64> = outbox.next(100, 100, |_, _| false).iter().map(|waiting| waiting.row).collect();
        outbox.delivered(&rows);
    }

    fn alarms(&self) -> Vec<(Phase, Option<CloseReason>)> {
        let alerts = self.alerts().into_iter().map(|alert| alert.data);
        let alarms = alerts.filter(|alert| alert.rule.kind == RuleKind::DeliveryTest);
        alarms
            .map(|alert| {
                assert_eq!((alert.incident.status, alert.rule.id.as_str()), (Status::Actual, "delivery-test"));
                (alert.incident.phase, alert.incident.close_reason)
            })
            .collect()
    }
}

#[test]
fn a_scheduled_test_goes_out_and_is_confirmed() {
    let (stage, mut trials, clock) = trials();
    trials.tend();
    let alerts = stage.alerts();
    let steps: Vec<_> = alerts.iter().map(|alert| (alert.data.incident.status, alert.data.incident.phase)).collect();
    assert_eq!(steps, [(Status::Test, Phase::Open), (Status::Test, Phase::Close)]);
    assert!(alerts[0].data.why.score_max > 0.9 && alerts[0].data.evidence.is_empty());
    assert_eq!(stage.outcome(), TestOutcome::Waiting);
    clock.advance(Duration::from_millis(1500));
    stage.deliver();
    trials.tend();
    let test = stage.orders.delivery.ledger.last_test().unwrap();
    assert_eq!((test.outcome, test.took_ms), (TestOutcome::Confirmed, Some(1500)));
    assert_eq!((test.incident, test.sequence), (Some(alerts[0].data.incident.id), Some(alerts[0].sequence)));
    trials.tend();
    assert_eq!(stage.alerts(), [], "one a day");
}

#[test]
fn a_test_that_is_not_confirmed_is_an_alarm_until_one_is() {
    let (stage, mut trials, clock) = trials();
    trials.tend();
    clock.advance(Duration::from_millis(5001));
    trials.tend();
    trials.tend();
    assert_eq!((stage.outcome(), stage.alarms()), (TestOutcome::Missed, vec![(Phase::Open, None)]));
    stage.deliver();
    trials.tend();
    assert_eq!(
        (stage.outcome(), stage.alarms()),
        (TestOutcome::Late, vec![(Phase::Close, Some(CloseReason::Cleared))])
    );

    let (stage, mut trials, clock) = self::trials();
    trials.tend();
    clock.advance(Duration::from_millis(5001));
    trials.tend();
    trials.end();
    let closed = (Phase::Close, Some(CloseReason::Stopped));
    assert_eq!(stage.alarms(), [(Phase::Open, None), closed], "a stop leaves nothing open");
    let delivery = stage.orders.delivery.clone();
    let mut later = Trials::new(delivery, Arc::clone(&stage.orders.posts), None);
    later.tend();
    assert_eq!(stage.alarms(), [(Phase::Open, None), closed, (Phase::Open, None)], "the next run knows of it");
}

#[test]
fn an_alarm_ends_where_no_tests_are_wanted_any_more() {
    let (stage, mut trials, clock) = trials();
    trials.tend();
    clock.advance(Duration::from_millis(5001));
    trials.tend();
    assert_eq!(stage.alarms(), [(Phase::Open, None)]);
    stage.rewrite(&camera("gate"));
    assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Done);
    trials.tend();
    trials.tend();
    let closed = (Phase::Close, Some(CloseReason::Cleared));
    assert_eq!(stage.alarms(), [(Phase::Open, None), closed]);
    Trials::new(stage.orders.delivery.clone(), Arc::clone(&stage.orders.posts), None).tend();
    assert_eq!(stage.alarms(), [(Phase::Open, None), closed], "nor does the next run raise it");
}

#[test]
fn an_alarm_can_be_taken_but_only_a_test_closes_it() {
    let (stage, mut trials, clock) = trials();
    trials.tend();
    clock.advance(Duration::from_millis(5001));
    trials.tend();
    let incident = stage.alerts().pop().unwrap().data.incident.id;
    assert_eq!(
        stage.order(Order::Acknowledge { incident }),
        (ReplyCode::Done, "acknowledged; the alarm goes on until a scheduled test is confirmed".to_owned())
    );
    let (code, detail) = stage.order(Order::Acknowledge { incident });
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.starts_with("duty officer has acknowledged it already, at 20"), "{detail}");
    let sentence = "this is the alarm that a scheduled test was not confirmed; it closes by itself when one is, or when \
                    [test] is taken out of the config; nothing was changed";
    for order in [Order::Resolve { incident }, Order::FalsePositive { incident }] {
        assert_eq!(stage.order(order), (ReplyCode::Failed, sentence.to_owned()));
    }
    trials.end();
    let steps: Vec<_> =
        stage.alerts().into_iter().map(|alert| alert.data.incident).filter(|i| i.id == incident).collect();
    let phases: Vec<_> = steps.iter().map(|step| (step.rev, step.phase)).collect();
    assert_eq!(phases, [(1, Phase::Open), (2, Phase::Update), (3, Phase::Close)]);
    assert!(steps[1..].iter().all(|step| step.acknowledged.as_ref().unwrap().actor == "duty officer"));
    let (code, detail) = stage.order(Order::Acknowledge { incident });
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.ends_with(": the agent was stopped"), "{detail}");
}

#[test]
fn a_rule_that_no_single_object_fires_is_tested_from_the_desk_on() {
    let text =
        camera("gate").replace("\"intrusion\"", "\"crowd\"\nat_least = 3").replace("dwell = \"0s\"", "dwell = \"5s\"");
    let (stage, mut trials, _) = trials_of(&text);
    trials.tend();
    let steps: Vec<_> = stage
        .alerts()
        .into_iter()
        .map(|alert| (alert.data.rule.kind, alert.data.incident.status, alert.data.incident.phase))
        .collect();
    let kind = RuleKind::Crowd;
    assert_eq!(steps, [(kind, Status::Test, Phase::Open), (kind, Status::Test, Phase::Close)]);
    stage.deliver();
    trials.tend();
    assert_eq!(stage.outcome(), TestOutcome::Confirmed);
}

#[test]
fn a_rule_that_cannot_fire_is_an_alarm() {
    let text = camera("gate").replace("cooldown = \"0s\"", "cooldown = \"0s\"\nmin_travel = 1.0");
    let (stage, mut trials, _) = trials_of(&text);
    trials.tend();
    trials.tend();
    assert_eq!((stage.outcome(), stage.alarms()), (TestOutcome::Failed, vec![(Phase::Open, None)]));
}

#[test]
fn the_day_that_is_over_is_published_and_what_was_disarmed_stands_in_it() {
    let stage = Stage::new(&camera("gate"));
    // Three seconds before midnight in Almaty.
    let clock = SimulatedClock::at("2026-11-22T18:59:57Z".parse().unwrap());
    let mut delivery = stage.orders.delivery.clone();
    delivery.clock = Arc::new(clock.clone());
    let ledger = Ledger::new(&stage.folder.path().join("other"), Arc::new(clock.clone()), None);
    ledger.take_up(&stage.orders.config());
    delivery.ledger = Arc::new(ledger);
    let posts = Arc::clone(&stage.orders.posts);
    let trials = Trials::new(delivery.clone(), Arc::clone(&posts), None);
    let standing = Arc::clone(&stage.orders.standing);
    let mut keeper = Bookkeeper { delivery: delivery.clone(), posts, standing, trials, shown: None };
    let topic = delivery.path.ledger();
    stage.order(Order::Disarm { camera: None, rule: None, seconds: 600 });
    delivery.ledger.sees(&id("gate"), Sight::Seeing, None);
    for _ in 0..4 {
        assert_eq!(stage.board.state(&topic), None);
        keeper.round();
        clock.advance(Duration::from_secs(1));
    }
    keeper.round();
    let shown: BoxLedger = serde_json::from_slice(&stage.board.state(&topic).unwrap()).unwrap();
    assert_eq!((shown.day.date.to_string().as_str(), shown.day.counted_ms), ("2026-11-22", 86_400_000));
    let rule = &shown.day.rules[0];
    // By the clock of this test the order holds as well: it was given by the machine's.
    assert_eq!((rule.seeing_ms, rule.unknown_ms), (0, 86_397_000));
    assert_eq!((rule.disarmed_ms, rule.blind_ms()), (3_000, 0));

    // The order is taken back, and over the next midnight the camera is frozen.
    stage.order(Order::Arm { camera: None, rule: None });
    clock.advance(Duration::from_secs(86_398 - 3600));
    for _ in 0..3606 {
        keeper.round();
        clock.advance(Duration::from_secs(1));
    }
    let shown = || serde_json::from_slice::<BoxLedger>(&stage.board.state(&topic).unwrap()).unwrap().day;
    let before = shown();
    let since = clock.now().mono.checked_sub(Duration::from_secs(10));
    delivery.ledger.sees(&id("gate"), Sight::Blind("frozen".to_owned()), since);
    keeper.round();
    keeper.round();
    let after = shown();
    assert_eq!((before.date, before.rules[0].blind_ms()), (after.date, 0));
    assert_eq!(after.rules[0].blind["frozen"].total_ms, 5_000);
    assert_eq!(after.rules[0].seeing_ms + after.rules[0].blind["frozen"].total_ms, before.rules[0].seeing_ms);
}

/// Sees nobody.
struct Nobody;

impl Detect for Nobody {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        Ok(&[])
    }
}

/// A camera gives ten black pictures, one a second, and then none for four, which is found out then; its account.
fn ten_pictures(sight: bool) -> LedgerRule {
    let stage = Stage::new(&camera("gate"));
    let clock = SimulatedClock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let ledger = Arc::new(Ledger::new(&stage.folder.path().join("other"), Arc::new(clock.clone()), None));
    let config = stage.orders.config();
    ledger.take_up(&config);
    let delivery = stage.orders.delivery.clone();
    let board = Arc::clone(&delivery.board);
    let light = Light::new(&delivery.path, &id("gate"), board, Arc::new(clock.clone()), Arc::clone(&ledger));
    let shared = Shared {
        light,
        tally: Arc::default(),
        tray: Arc::default(),
        standing: Arc::clone(&stage.orders.standing),
        clock: Arc::new(clock.clone()),
    };
    let mut gate = config.cameras[0].clone();
    gate.sight.enabled = sight;
    let desk = Desk::new(&gate, &config.site.languages, "cpu", ClockSource::Box, None);
    let mut guard = Guard::new(Watch::new(&gate, Nobody, desk, delivery), vec![id("any")], shared, None);
    let black = vec![0; 320 * 180 * 3];
    let layout = Layout::Rgb { rgb: &black, stride: 320 * 3 };
    let planes = Planes { width: 320, height: 180, layout, range: Range::Full, matrix: Matrix::Bt601 };
    guard.seeing();
    for number in 0..14 {
        if number < 10 {
            guard.look(clock.now(), &planes, false);
        }
        clock.advance(Duration::from_secs(1));
        ledger.tend(std::collections::BTreeSet::new());
    }
    guard.blind(BlindCause::Stalled, "camera 192.0.2.11 stalled");
    let today = ledger.edition().unwrap().0;
    ledger.days(today..=today).remove(0).rules.remove(0)
}

#[test]
fn a_camera_was_seeing_up_to_its_last_good_picture() {
    let rule = ten_pictures(false);
    assert_eq!((rule.seeing_ms, rule.blind["stalled"].total_ms), (9_000, 5_000));
    // They are dark, which is said after six seconds and was so from the first on.
    let rule = ten_pictures(true);
    assert_eq!((rule.seeing_ms, rule.blind["dark"].total_ms), (0, 14_000));
}
