use std::{sync::Arc, time::Duration};

use jiff::civil::Date;
use karaul_wire::{BoxLedger, CloseReason, Order, Phase, ReplyCode, RuleKind, Status, TestOutcome};

use super::stage::{Stage, camera};
use crate::{
    clock::{Clock as _, SimulatedClock, SystemClock},
    ledger::{Ledger, Sight},
    site::{bookkeeping::Bookkeeper, trial::Trials},
};

fn today() -> Date {
    SystemClock.now().wall.to_zoned(jiff::tz::TimeZone::get("Asia/Almaty").unwrap()).date()
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
    let clock = SimulatedClock::at(SystemClock.now().wall);
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
    delivery.ledger.sees(&super::stage::id("gate"), Sight::Seeing);
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
}
