use super::*;

/// A rule of each of these kinds, named as its kind.
fn rules() -> Vec<crate::config::Rule> {
    use crate::config::RuleKind as Kind;
    let (zone, line) = (
        || sample::zone("yard", &[(0.1, 0.4), (0.9, 0.4), (0.9, 1.0)]),
        || sample::line("door", &[(0.5, 1.0), (0.5, 0.0)]),
    );
    let dwell = std::time::Duration::from_secs(5);
    let kinds = [
        Kind::Loitering { zone: zone(), dwell, away: dwell },
        Kind::Crowd { zone: zone(), at_least: Some(5), density: None, dwell },
        Kind::Occupancy { line: line(), inward: crate::config::Direction::LeftToRight, capacity: 10, reset: None },
        Kind::Absence { zone: zone(), at_least: 1, dwell },
        Kind::Tailgating { line: line(), direction: crate::config::Direction::Either, within: dwell },
        Kind::CameraTampering { conditions: Vec::new(), dwell },
        Kind::CameraLoss { dwell },
    ];
    let rule = |kind: Kind| sample::rule(&kind.wire().as_str().replace('_', "-"), kind);
    kinds.into_iter().map(rule).collect()
}

fn of_kind(kind: RuleKind, phase: Phase) -> Alert {
    let mut alert = alert(1, phase);
    alert.rule.id = kind.as_str().replace('_', "-").parse().unwrap();
    alert.rule.kind = kind;
    alert
}

#[test]
fn what_lasts_is_a_property_of_onvif_where_it_has_a_topic_for_it() {
    let stage = Stage::with_rules(ONVIF, rules());
    let root = "MyDevice/onvif-ej";
    let topics: Vec<String> = stage.retained().into_iter().map(|(topic, _)| topic).collect();
    let expected = [
        "RuleEngine/LoiteringDetector/ObjectIsLoitering/&gate/loitering",
        "RuleEngine/CountAggregation/Counter/&gate/crowd",
        "RuleEngine/CountAggregation/Counter/&gate/occupancy",
        "VideoSource/GlobalSceneChange/AnalyticsService/&gate/camera-tampering",
        "VideoSource/SignalLoss/&gate/camera-loss",
    ];
    assert_eq!(topics, expected.map(|topic| format!("{root}/{topic}")));
    let data = |topic: &str| stage.retained_on(&format!("{root}/{topic}"))["Data"].clone();
    let untrue = json!({ "ObjectId": "", "ClassTypes": "", "State": false });
    assert_eq!(data(expected[0]), untrue);
    assert_eq!(data(expected[4]), json!({ "State": false }));

    stage.tell(&of_kind(RuleKind::Loitering, Phase::Open));
    assert_eq!(data(expected[0]), json!({ "ObjectId": "1", "ClassTypes": "Human", "State": true }));
    let mut crowd = of_kind(RuleKind::Crowd, Phase::Open);
    crowd.why.measured.push(karaul_wire::Measure {
        what: karaul_wire::Quantity::Count,
        value: 7.0,
        least: Some(5.0),
        most: None,
    });
    stage.tell(&crowd);
    assert_eq!(data(expected[1])["Count"], 7);
    (crowd.incident.phase, crowd.why.measured[0].value) = (Phase::Update, 8.0);
    stage.tell(&crowd);
    let eight = json!({ "ObjectId": "1", "ClassTypes": "Human", "State": true, "Count": 8 });
    assert_eq!(data(expected[1]), eight);
    stage.tell(&of_kind(RuleKind::Crowd, Phase::Close));
    assert_eq!(data(expected[1]), untrue);
    let mut loss = of_kind(RuleKind::CameraLoss, Phase::Open);
    loss.objects.clear();
    stage.tell(&loss);
    assert_eq!(data(expected[4]), json!({ "State": true }));

    // ONVIF has no topics for these.
    stage.tell(&of_kind(RuleKind::Absence, Phase::Open));
    stage.tell(&of_kind(RuleKind::Tailgating, Phase::Open));
    assert_eq!((stage.retained().len(), stage.outbox.waiting()), (5, 0));
}

#[test]
fn home_assistant_shows_each_kind_as_what_it_is() {
    let stage = Stage::with_rules(HOME_ASSISTANT, rules());
    let config = |rule: &str| stage.retained_on(&format!("homeassistant/binary_sensor/{ID}_gate_{rule}/config"));
    let shown: Vec<(String, usize)> = rules()
        .iter()
        .map(|rule| config(rule.id.as_str()))
        .map(|config| {
            let class = config["device_class"].as_str().unwrap().to_owned();
            (class, config["availability"].as_array().unwrap().len())
        })
        .collect();
    let expected = [
        ("occupancy", 2),
        ("occupancy", 2),
        ("occupancy", 2),
        ("problem", 2),
        ("motion", 2),
        // They are on while the camera does not see.
        ("tamper", 1),
        ("problem", 1),
    ];
    assert_eq!(shown, expected.map(|(class, availability)| (class.to_owned(), availability)));
}
