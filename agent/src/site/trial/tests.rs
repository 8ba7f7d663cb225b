use karaul_wire::{Alert, Language, Severity};
use proptest::prelude::*;

use super::*;
use crate::{
    config::{Decoder, Decoding, Detection, Direction, Filter, RuleKind, Sight, Transport},
    rules::geometry::{Point, Polygon},
    vision::Manifest,
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

fn id(text: &str) -> karaul_wire::Segment {
    text.parse().unwrap()
}

fn camera(per_second: f64) -> Camera {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/yard-nano");
    Camera {
        id: id("gate"),
        label: [(Language::En, "Gate".to_owned())].into(),
        enabled: true,
        url: crate::config::CameraUrl {
            tls: false,
            host: "192.0.2.11".to_owned(),
            port: std::num::NonZeroU16::MIN,
            path: String::new(),
        },
        ca_file: None,
        login: None,
        transport: Transport::Tcp,
        decoder: Decoder::Auto,
        decoding: Decoding::Full,
        detection: Detection::Always,
        look_every: Duration::from_secs(2),
        model: Manifest::load(&folder).unwrap(),
        detections_per_second: per_second,
        sight: Sight { enabled: true, learn: Duration::from_secs(60) },
        clips: crate::config::Clips {
            enabled: true,
            before: Duration::from_secs(5),
            after: Duration::from_secs(10),
            memory: 8 << 20,
        },
        evidence_url: None,
        purpose: "test".to_owned(),
        rules: Vec::new(),
    }
}

fn filter() -> Filter {
    Filter { classes: vec![0], min_score: 0.5, min_size: [0.0; 2], max_size: [1.0; 2], min_travel: 0.0 }
}

fn rule(kind: RuleKind, filter: Filter) -> Rule {
    let cooldown = Duration::from_secs(10);
    Rule { id: id("any"), severity: Severity::Critical, schedule: None, cooldown, filter, kind }
}

fn zone(corners: &[(f32, f32)], dwell: Duration) -> RuleKind {
    let corners = corners.iter().map(|(x, y)| Point::new(*x, *y)).collect();
    RuleKind::Intrusion { zone: id("yard"), polygon: Polygon::new(corners).unwrap(), dwell }
}

fn line(a: (f32, f32), b: (f32, f32), direction: Direction) -> RuleKind {
    RuleKind::LineCrossing { line: id("fence"), points: [Point::new(a.0, a.1), Point::new(b.0, b.1)], direction }
}

/// The phases of the steps that come of it.
fn phases(rule: &Rule, per_second: f64) -> Vec<Phase> {
    let now = Stamp { mono: Duration::from_secs(40), wall: "2026-11-22T08:00:00Z".parse().unwrap() };
    let desk = |camera: &Camera| Desk::new(camera, &[Language::En], "cpu", ClockSource::Box, None);
    let steps = perform(&camera(per_second), rule, now, desk, Steps::default()).0;
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
