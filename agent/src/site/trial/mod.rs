//! The scheduled test: a synthetic object in synthetic pictures goes the way of every alert, through cadence, tracker,
//! rule, desk and outbox to the broker and, where its receipt is wanted, to the consumer. Only the model is left out,
//! whose word for the object is taken as given. A rule that no single object can fire is tested from the desk on. What is not confirmed in time is an incident of its own.

#[cfg(test)]
mod tests;
mod walk;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use karaul_wire::{Alert, ClockSource, CloseReason, LedgerTest, Phase, Sequence, TestOutcome};
use uuid::Uuid;

use self::walk::walk;
use super::{
    delivery::Delivery,
    detect::{Detect, Sink},
    posts::Posts,
    watch::Watch,
};
use crate::{
    clock::Stamp,
    config::{Camera, Config, Detection as Looks, Filter, Rule, RuleKind},
    incident::{Desk, Step, as_test, delivery_alarm, trial},
    uplink::Fate,
    vision::{Detection, Layout, Matrix, Planes, Range, Rect, VisionError},
};

/// So long the first test of a run waits for the broker. Before the first connection an outbox does not know whether
/// its numbers hold, and a test is followed by its number.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tests are that far from each other.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// After there was no room for an alarm it is tried again so late.
const RETRY: Duration = Duration::from_secs(60);

/// Begins tests when it is time, and watches what comes of them.
pub(super) struct Trials {
    delivery: Delivery,
    posts: Arc<Posts>,
    boot_id: Option<Uuid>,
    /// On the monotonic time line.
    started: Duration,
    /// When the test that runs was begun, if this run of the agent has begun it.
    begun: Option<(Timestamp, Duration)>,
    /// When there was no room for an alarm, on the monotonic time line.
    refused: Option<Duration>,
}

impl Trials {
    pub(super) fn new(delivery: Delivery, posts: Arc<Posts>, boot_id: Option<Uuid>) -> Self {
        let started = delivery.clock.now().mono;
        Self { delivery, posts, boot_id, started, begun: None, refused: None }
    }

    /// To be called once a second.
    pub(super) fn tend(&mut self) {
        let config = self.posts.config();
        let now = self.delivery.clock.now();
        let last = self.delivery.ledger.last_test();
        let outcome = last.clone().map(|test| self.follow(test, &config, now));
        match (outcome, &last) {
            (Some(TestOutcome::Missed | TestOutcome::Failed), Some(test)) if config.test.at.is_some() => {
                self.raise(test, &config, now);
            }
            // What an earlier one raised stays until this one is confirmed.
            (Some(TestOutcome::Waiting), _) if config.test.at.is_some() => {}
            // Where no tests are wanted (any more), none will ever be confirmed.
            _ => self.settle(CloseReason::Cleared, now),
        }
        if last.as_ref().is_none_or(|test| test.outcome != TestOutcome::Waiting)
            && is_due(&config, last.map(|test| test.at), now.wall)
            && (self.delivery.outbox.is_connected() || now.mono.saturating_sub(self.started) >= PATIENCE)
        {
            self.begin(&config, now);
        }
    }

    /// The agent stops: nothing stays open.
    pub(super) fn end(&mut self) {
        self.settle(CloseReason::Stopped, self.delivery.clock.now());
    }

    fn begin(&mut self, config: &Config, now: Stamp) {
        let Some((camera, rule)) = choose(config, now.wall) else { return };
        let provider = config.inference.provider.as_str();
        let languages = &config.site.languages;
        let desk = |camera: &Camera| Desk::new(camera, languages, provider, ClockSource::Box, self.boot_id);
        let mut sink = TestSink { delivery: self.delivery.clone(), config, first: None };
        let sent = match walk(rule, camera.detections_per_second) {
            Some(boxes) => perform(camera, rule, boxes, now, desk, sink).first,
            None => {
                for mut alert in trial(camera, rule, now, provider, self.boot_id, languages) {
                    sink.put(now, &mut alert);
                }
                sink.first
            }
        };
        let outcome = if sent.is_some() { TestOutcome::Waiting } else { TestOutcome::Failed };
        let (incident, sequence) =
            sent.map_or((None, None), |(incident, number)| (Some(incident), Some(Sequence(number))));
        let (camera, rule) = (camera.id.clone(), rule.id.clone());
        let test = LedgerTest { at: now.wall, camera, rule, incident, sequence, outcome, took_ms: None };
        if outcome == TestOutcome::Failed {
            tracing::error!(
                camera = %test.camera, rule = %test.rule,
                "the scheduled test failed: the rule did not fire for an object made for it, or there was no room for \
                 the alert; check min_size, max_size and min_travel of the rule, and trouble in health/box"
            );
        } else {
            tracing::info!(camera = %test.camera, rule = %test.rule, "a scheduled test is on its way");
        }
        self.begun = Some((now.wall, now.mono));
        self.delivery.ledger.enter_test(&test);
    }

    /// Looks what has come of the last test.
    fn follow(&self, mut test: LedgerTest, config: &Config, now: Stamp) -> TestOutcome {
        let (before, limit) = (test.outcome, config.test.within);
        let elapsed = match self.begun {
            Some((at, begun)) if at == test.at => now.mono.saturating_sub(begun),
            // Another run began it. If that was by a clock that was ahead, it waits as if this run had.
            _ => Duration::try_from(now.wall.duration_since(test.at))
                .unwrap_or_else(|_| now.mono.saturating_sub(self.started)),
        };
        if matches!(before, TestOutcome::Waiting | TestOutcome::Missed) {
            let fate = test.sequence.map_or(Fate::Lost, |number| self.delivery.outbox.fate(number.0));
            test.outcome = match fate {
                Fate::Delivered if before == TestOutcome::Waiting && elapsed <= limit => TestOutcome::Confirmed,
                Fate::Delivered => TestOutcome::Late,
                Fate::Lost => TestOutcome::Missed,
                Fate::Waiting | Fate::Unconfirmed if elapsed > limit => TestOutcome::Missed,
                Fate::Waiting | Fate::Unconfirmed => before,
            };
        }
        if test.outcome != before {
            if matches!(test.outcome, TestOutcome::Confirmed | TestOutcome::Late) {
                test.took_ms = u64::try_from(elapsed.as_millis()).ok();
                tracing::info!(camera = %test.camera, rule = %test.rule, "the scheduled test was confirmed after {elapsed:.1?}");
            } else {
                tracing::error!(
                    camera = %test.camera, rule = %test.rule,
                    "the scheduled test was not confirmed within {limit:?}: alerts may not arrive"
                );
            }
            self.delivery.ledger.enter_test(&test);
        }
        test.outcome
    }

    fn raise(&mut self, test: &LedgerTest, config: &Config, now: Stamp) {
        if self.delivery.alarm.is_open() || self.waits(now) {
            return;
        }
        let camera = config.cameras.iter().find(|camera| camera.id == test.camera).or(config.cameras.first());
        let Some(camera) = camera else { return };
        let rule = camera.rules.iter().find(|rule| rule.id == test.rule).or(camera.rules.first());
        let Some(rule) = rule else { return };
        let provider = config.inference.provider.as_str();
        let alert = delivery_alarm(camera, rule, now, provider, self.boot_id, &config.site.languages);
        let kept = self.delivery.alarm.raise(&self.delivery, now, alert);
        self.refused = (!kept).then_some(now.mono);
    }

    /// There was no room for a step of the alarm a moment ago.
    fn waits(&self, now: Stamp) -> bool {
        self.refused.is_some_and(|at| now.mono.saturating_sub(at) < RETRY)
    }

    /// Closes the alarm, if there is one.
    fn settle(&mut self, reason: CloseReason, now: Stamp) {
        if !self.delivery.alarm.is_open() || self.waits(now) {
            return;
        }
        let kept = self.delivery.alarm.settle(&self.delivery, now, reason, &self.posts.config().site.languages);
        self.refused = (!kept).then_some(now.mono);
    }
}

/// Has the time of day come since the last test? One that was missed while the agent was off is made up for. One of
/// tomorrow or later was begun by a clock that was ahead, and is none; a clock that is set back by less makes no second one.
fn is_due(config: &Config, last: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(at) = config.test.at else { return false };
    let zone = &config.site.time_zone;
    let today = now.to_zoned(zone.clone()).date();
    let on = |date: jiff::civil::Date| date.to_datetime(at).to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    let latest = on(today).filter(|time| *time <= now).or_else(|| on(today.yesterday().ok()?));
    latest.is_some_and(|latest| last.is_none_or(|last| last < latest || last.duration_since(now) > DAY))
}

/// Each day the next rule of those that are watched, so that all have their turn.
fn choose(config: &Config, now: Timestamp) -> Option<(&Camera, &Rule)> {
    let enabled = config.cameras.iter().filter(|camera| camera.enabled);
    let all: Vec<_> = enabled.flat_map(|camera| camera.rules.iter().map(move |rule| (camera, rule))).collect();
    let date = now.to_zoned(config.site.time_zone.clone()).date();
    let day = (date - jiff::civil::date(1970, 1, 1)).get_days();
    all.get(usize::try_from(day).unwrap_or(0).checked_rem(all.len())?).copied()
}

/// Sends an object the way that fires the rule, and its incident into the sink.
fn perform<S: Sink>(
    camera: &Camera,
    rule: &Rule,
    boxes: Vec<Rect>,
    now: Stamp,
    desk: impl FnOnce(&Camera) -> Desk,
    sink: S,
) -> S {
    // Of this rule alone. Nothing moves in its pictures.
    let camera = Camera { rules: vec![bare(rule)], detection: Looks::Always, ..camera.clone() };
    let class = rule.filter.classes.first().copied().unwrap_or_default();
    let period = Duration::from_secs_f64(1.0 / camera.detections_per_second);
    let count = u32::try_from(boxes.len()).unwrap_or(u32::MAX);
    // The last picture is that of now, as far as the machine has been running for so long.
    let first = now.mono.saturating_sub(period * count);
    let back = now.mono.saturating_sub(first);
    let begin = now.wall.checked_sub(back).unwrap_or(now.wall);
    let desk = desk(&camera);
    let mut watch = Watch::new(&camera, Actor { boxes, class, at: 0, seen: Vec::new() }, desk, sink);
    let grey = [128; 16 * 16 * 3];
    let layout = Layout::Rgb { rgb: &grey, stride: 16 * 3 };
    let picture = Planes { width: 16, height: 16, layout, range: Range::Full, matrix: Matrix::Bt601 };
    let stamp = |number: u32| Stamp { mono: first + period * number, wall: Stamp::after(begin, period * number).wall };
    for number in 0..count {
        if let Err(error) = watch.picture(stamp(number), &picture) {
            tracing::error!(camera = %camera.id, "{error}");
        }
    }
    watch.end_all(stamp(count), CloseReason::Cleared);
    watch.into_sink()
}

/// The rule whatever its schedule says just now, with those of its conditions that an object can be made for. One comes into
/// a place that has room for nobody.
fn bare(rule: &Rule) -> Rule {
    let Filter { classes, min_score, keep_score, min_size, max_size, min_travel, .. } = rule.filter.clone();
    let filter = Filter { classes, min_score, keep_score, min_size, max_size, min_travel, ..Filter::default() };
    let mut kind = rule.kind.clone();
    if let RuleKind::Occupancy { capacity, .. } = &mut kind {
        *capacity = 0;
    }
    Rule { schedule: None, filter, kind, ..rule.clone() }
}

/// Sees the object, as the model would.
struct Actor {
    boxes: Vec<Rect>,
    class: u16,
    at: usize,
    seen: Vec<Detection>,
}

impl Detect for Actor {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        self.seen.clear();
        let bbox = self.boxes.get(self.at).copied();
        self.seen.extend(bbox.map(|bbox| Detection { bbox, score: 1.0, class: self.class }));
        self.at += 1;
        Ok(&self.seen)
    }
}

/// Marks all steps as a test and puts them into the outbox. A grey picture is no evidence.
struct TestSink<'a> {
    delivery: Delivery,
    config: &'a Config,
    /// The incident, and the number of its opening step.
    first: Option<(Uuid, u64)>,
}

impl Sink for TestSink<'_> {
    fn commit(&mut self, step: &mut Step, _: Option<&Planes<'_>>) -> bool {
        self.put(step.at, &mut step.alert)
    }
}

impl TestSink<'_> {
    fn put(&mut self, at: Stamp, alert: &mut Alert) -> bool {
        as_test(alert, &self.config.site.languages);
        let number = self.delivery.put_numbered(at.wall, alert.clone());
        let incident = &alert.incident;
        if let (Phase::Open, Some(number), None) = (incident.phase, number, self.first) {
            self.first = Some((incident.id, number));
        }
        number.is_some()
    }
}
