use karaul_wire::{Alert, Language, Severity};
use proptest::prelude::*;

use super::*;
use crate::config::{
    BoxPoint, Direction, Distance, Filter, RuleKind, Zone,
    sample::{self, filter},
};

/// Keeps the steps.
#[derive(Default)]
struct Steps(Vec<Alert>);

impl Sink for Steps {
    fn commit(&mut self, step: &mut Step, _: Option<&Planes<'_>>) -> bool {
        as_test(&mut step.alert, &[Language::En]);
        self.0.push(step.alert.clone());
        true
    }
}

fn camera(per_second: f64) -> Camera {
    let label = [(Language::En, "Gate".to_owned())].into();
    Camera { label, detections_per_second: per_second, ..sample::camera("gate", Vec::new()) }
}

fn rule(kind: RuleKind, filter: Filter) -> Rule {
    Rule { severity: Severity::Critical, cooldown: Duration::from_secs(10), filter, ..sample::rule("any", kind) }
}

fn zone(corners: &[(f32, f32)], dwell: Duration) -> RuleKind {
    RuleKind::Intrusion { zone: sample::zone("yard", corners), dwell }
}

fn line(a: (f32, f32), b: (f32, f32), direction: Direction) -> RuleKind {
    RuleKind::LineCrossing { line: sample::line("fence", &[a, b]), direction }
}

/// The phases of the steps that come of it.
fn phases(rule: &Rule, per_second: f64) -> Vec<Phase> {
    let now = Stamp { mono: Duration::from_secs(40), wall: "2026-11-22T08:00:00Z".parse().unwrap() };
    let desk = |camera: &Camera| Desk::new(camera, &[Language::En], "cpu", ClockSource::Box, None);
    let boxes = walk(rule, per_second).unwrap_or_else(|| panic!("one object fires {rule:?}"));
    let steps = perform(&camera(per_second), rule, boxes, now, desk, Steps::default()).0;
    assert!(steps.iter().all(|alert| alert.text[&Language::En].starts_with("TEST: Gate: ")));
    steps.iter().map(|alert| alert.incident.phase).collect()
}

#[test]
fn an_object_that_is_made_for_a_rule_fires_it_once() {
    let u = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.8, 0.9), (0.8, 0.2), (0.2, 0.2), (0.2, 0.9), (0.1, 0.9)];
    let kinds = [
        zone(&[(0.1, 0.4), (0.9, 0.4), (0.95, 0.98), (0.05, 0.98)], Duration::from_secs(2)),
        zone(&u, Duration::ZERO),
        zone(&[(0.0, 0.0), (0.01, 0.0), (0.0, 0.01)], Duration::from_secs(30)),
        line((0.5, 1.0), (0.5, 0.0), Direction::Either),
        line((0.2, 0.9), (0.9, 0.8), Direction::LeftToRight),
        line((0.2, 0.9), (0.9, 0.8), Direction::RightToLeft),
    ];
    for kind in kinds {
        for per_second in [1.0, 5.0, 30.0] {
            let rule = rule(kind.clone(), filter());
            assert_eq!(phases(&rule, per_second), [Phase::Open, Phase::Close], "{rule:?} at {per_second}");
        }
    }
}

fn yard() -> Zone {
    sample::zone("yard", &[(0.1, 0.4), (0.9, 0.4), (0.95, 0.98), (0.05, 0.98)])
}

fn wrong_way(heading: [(f32, f32); 2], distance: Distance) -> RuleKind {
    let heading = heading.map(|(x, y)| crate::rules::geometry::Point::new(x, y));
    RuleKind::WrongWay { zone: yard(), heading, tolerance: 60.0, distance }
}

#[test]
fn so_do_those_that_look_at_shape_direction_and_number() {
    let dwell = Duration::from_secs(3);
    let path = sample::line("door", &[(0.3, 0.6), (0.7, 0.6)]);
    let kinds = [
        RuleKind::ObjectSeen { zone: None },
        RuleKind::ObjectSeen { zone: Some(yard()) },
        RuleKind::StoppedVehicle { zone: yard(), dwell: Duration::from_secs(60) },
        RuleKind::PersonDown { zone: Some(yard()), dwell, down_classes: Vec::new() },
        RuleKind::PersonDown { zone: None, dwell, down_classes: Vec::new() },
        RuleKind::Occupancy { line: path, inward: Direction::RightToLeft, capacity: 12, reset: None },
        wrong_way([(0.2, 0.7), (0.8, 0.6)], Distance::Heights(1.5)),
        wrong_way([(0.5, 0.9), (0.5, 0.5)], Distance::Heights(4.0)),
    ];
    for kind in kinds {
        for per_second in [1.0, 5.0, 30.0] {
            let rule = rule(kind.clone(), filter());
            let mut phases = phases(&rule, per_second);
            // A way that takes longer than half a minute has updates.
            phases.retain(|phase| *phase != Phase::Update);
            assert_eq!(phases, [Phase::Open, Phase::Close], "{rule:?} at {per_second}");
        }
    }
}

#[test]
fn conditions_that_no_object_is_made_for_are_left_out() {
    let picky = Filter {
        confirm: [3, 5],
        aspect: [3.0, 4.0],
        min_age: Duration::from_secs(90),
        height_m: Some([1.0, 2.0]),
        point: BoxPoint::Head,
        masks: vec![yard()],
        ..filter()
    };
    let rule = rule(RuleKind::Intrusion { zone: yard(), dwell: Duration::ZERO }, picky);
    assert_eq!(phases(&rule, 5.0), [Phase::Open, Phase::Close]);
}

#[test]
fn one_object_does_not_fire_every_kind() {
    let metres = wrong_way([(0.2, 0.7), (0.8, 0.6)], Distance::Metres(3.0));
    let crowd = RuleKind::Crowd { zone: yard(), at_least: Some(5), density: None, dwell: Duration::ZERO };
    let loss = RuleKind::CameraLoss { dwell: Duration::ZERO };
    for kind in [metres, crowd, loss, RuleKind::RemovedObject { zone: yard(), dwell: Duration::ZERO }] {
        assert_eq!(walk(&rule(kind.clone(), filter()), 5.0), None, "{kind:?}");
    }
}

#[test]
fn a_rule_that_wants_the_impossible_does_not_fire() {
    let kind = zone(&[(0.1, 0.4), (0.9, 0.4), (0.95, 0.98), (0.05, 0.98)], Duration::ZERO);
    let rule = rule(kind, Filter { min_travel: 1.0, ..filter() });
    assert_eq!(phases(&rule, 5.0), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn rules_of_all_sizes_fire(
        (x, y, w, h) in (0.0f32..0.8, 0.1f32..0.8, 0.05f32..0.2, 0.05f32..0.2),
        crossing in any::<bool>(),
        way in 0..3usize,
        (least, most) in (0.0f32..0.3, 0.35f32..1.0),
        min_travel in 0.0f32..0.15,
        min_score in 0.0f32..1.0,
        per_second in 1.0f64..30.0,
        dwell in 0u64..20,
    ) {
        let filter = Filter { min_score, min_size: [least; 2], max_size: [most; 2], min_travel, ..filter() };
        let kind = if crossing {
            // Not at the picture's border: nobody can be seen coming from beyond it.
            let (x, y) = (x.clamp(0.3, 0.6), y.clamp(0.3, 0.6));
            line((x, y), (x + w, y + h), Direction::ALL[way])
        } else {
            zone(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)], Duration::from_secs(dwell))
        };
        prop_assert_eq!(phases(&rule(kind, filter), per_second), [Phase::Open, Phase::Close]);
    }
}

#[test]
fn a_test_is_due_once_a_day_and_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let text = format!(
        "[site]\nregion = \"a\"\ndistrict = \"b\"\nname = \"c\"\nbox = \"d\"\ntime_zone = \"Asia/Almaty\"\n\
         [broker]\nurl = \"mqtt://127.0.0.1:9\"\n[test]\nat = \"08:00\"\n[inference]\nmodels = \"{}\"\n\
         [[camera]]\nid = \"gate\"\nurl = \"rtsp://192.0.2.11/gate\"\nmodel = \"yard-nano\"\npurpose = \"test\"\n",
        models.display()
    );
    std::fs::write(&file, text).unwrap();
    let mut config = Config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let due = |config: &Config, last: Option<&str>, now: &str| is_due(config, last.map(time), time(now));
    // 08:00 in Almaty is 03:00 UTC.
    assert!(due(&config, None, "2026-11-22T02:00:00Z"));
    assert!(!due(&config, Some("2026-11-21T03:00:00Z"), "2026-11-22T02:59:59Z"));
    assert!(due(&config, Some("2026-11-21T03:00:00Z"), "2026-11-22T03:00:00Z"));
    assert!(!due(&config, Some("2026-11-22T03:00:00Z"), "2026-11-22T23:00:00Z"));
    assert!(due(&config, Some("2026-11-19T03:00:00Z"), "2026-11-22T01:00:00Z"));
    // The clock was a month ahead when the last one ran, or a little.
    assert!(due(&config, Some("2026-12-22T03:00:00Z"), "2026-11-22T09:00:00Z"));
    assert!(!due(&config, Some("2026-11-22T03:00:01Z"), "2026-11-22T02:59:59Z"));
    config.test.at = None;
    assert!(!due(&config, None, "2026-11-22T03:00:00Z"));
    assert!(choose(&config, time("2026-11-22T03:00:00Z")).is_none(), "no camera has a rule");
}
