mod others;
mod places;

use karaul_wire::{Measure, Object, Quantity, Segment, Storm, Text};

use super::*;

fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

fn gate() -> Text {
    Text::from([
        (Language::Kk, "Басты қақпа".to_owned()),
        (Language::Ru, "Главные ворота".to_owned()),
        (Language::En, "Main gate".to_owned()),
    ])
}

fn says(alert: &Alert) -> [String; 3] {
    Language::ALL.map(|l| sentence(l, alert))
}

#[test]
fn intrusion_in_three_languages() {
    let mut alert = Alert::example();
    alert.location.label = gate();
    assert_eq!(
        says(&alert),
        [
            "Басты қақпа: «yard» аймағында адам — 24 с кейін аяқталды: аймақтан шықты",
            "Главные ворота: человек в зоне «yard» — завершено через 24 с: зона покинута",
            "Main gate: person in zone 'yard' — over after 24 s: left the zone",
        ]
    );
    alert.incident.phase = Phase::Open;
    alert.incident.close_reason = None;
    alert.why.dwell_s = Some(2.2);
    assert_eq!(
        says(&alert),
        [
            "Басты қақпа: «yard» аймағында адам, 2 с",
            "Главные ворота: человек в зоне «yard», 2 с",
            "Main gate: person in zone 'yard', 2 s",
        ]
    );
}

#[test]
fn crossing_in_three_languages() {
    let mut alert = Alert::example();
    alert.location.label = gate();
    alert.location.zone = None;
    alert.location.line = Some(id("fence"));
    alert.rule.kind = RuleKind::LineCrossing;
    alert.incident.phase = Phase::Open;
    alert.why.direction = Some("left_to_right".to_owned());
    assert_eq!(
        says(&alert),
        [
            "Басты қақпа: адам «fence» сызығын солдан оңға кесіп өтті",
            "Главные ворота: человек: пересечение линии «fence» слева направо",
            "Main gate: person crossed line 'fence' from left to right",
        ]
    );
}

#[test]
fn whoever_has_taken_it_is_named_while_it_lasts() {
    let mut alert = Alert::example();
    alert.location.label = gate();
    alert.incident.acknowledged =
        Some(karaul_wire::Acknowledged { actor: "duty officer".to_owned(), time: alert.incident.opened });
    assert!(says(&alert).iter().all(|text| !text.contains("duty officer")), "it is over");
    alert.incident.phase = Phase::Update;
    alert.incident.close_reason = None;
    assert_eq!(
        says(&alert),
        [
            "Басты қақпа: «yard» аймағында адам, 24 с — қабылданды: duty officer",
            "Главные ворота: человек в зоне «yard», 24 с — принято: duty officer",
            "Main gate: person in zone 'yard', 24 s — acknowledged by duty officer",
        ]
    );
}

#[test]
fn a_camera_that_was_turned_is_told() {
    let mut alert = Alert::example();
    alert.location.label = gate();
    alert.incident.phase = Phase::Open;
    alert.location.view_moved = Some(alert.incident.opened);
    assert_eq!(
        says(&alert),
        [
            "Басты қақпа: «yard» аймағында адам, 24 с — назар аударыңыз: камера бұрылған, орны дәл емес",
            "Главные ворота: человек в зоне «yard», 24 с — внимание: камера повёрнута, место указано неточно",
            "Main gate: person in zone 'yard', 24 s — mind: the camera has been turned, the place is not certain",
        ]
    );
}

#[test]
fn a_test_is_called_one_first_of_all() {
    let mut alert = Alert::example();
    alert.location.label = gate();
    alert.incident.status = Status::Test;
    assert_eq!(
        says(&alert),
        [
            "СЫНАҚ: Басты қақпа: «night-intrusion» ережесі — сынақ аяқталды",
            "ПРОВЕРКА: Главные ворота: правило «night-intrusion» — проверка завершена",
            "TEST: Main gate: rule 'night-intrusion' — the test is over",
        ]
    );
    alert.incident.phase = Phase::Open;
    assert_eq!(
        says(&alert),
        [
            "СЫНАҚ: Басты қақпа: «night-intrusion» ережесі, ештеңе болған жоқ",
            "ПРОВЕРКА: Главные ворота: правило «night-intrusion», ничего не произошло",
            "TEST: Main gate: rule 'night-intrusion', nothing has happened",
        ]
    );
}

#[test]
fn a_camera_without_a_label_and_a_class_without_a_word_keep_their_names() {
    let mut alert = Alert::example();
    alert.location.label.clear();
    alert.objects[0].class = "umbrella".to_owned();
    alert.incident.phase = Phase::Open;
    alert.why.dwell_s = None;
    assert_eq!(sentence(Language::Ru, &alert), "gate: umbrella в зоне «yard»");
}

/// A step of an incident of this kind that is open, at a camera without a label.
fn open(kind: RuleKind) -> Alert {
    let mut alert = Alert::example();
    alert.location.label.clear();
    alert.rule.kind = kind;
    alert.why.dwell_s = None;
    (alert.incident.phase, alert.incident.closed, alert.incident.close_reason) = (Phase::Open, None, None);
    alert
}

fn measuring(mut alert: Alert, measured: &[(Quantity, f64, Option<f64>)]) -> Alert {
    alert.why.measured = measured
        .iter()
        .map(|(what, value, least)| Measure { what: *what, value: *value, least: *least, most: None })
        .collect();
    alert
}

fn on_line(mut alert: Alert) -> Alert {
    (alert.location.zone, alert.location.line) = (None, Some(id("door")));
    alert
}

fn of(mut alert: Alert, classes: &[&str]) -> Alert {
    let object = |class: &&str| Object { class: (*class).to_owned(), ..Alert::example().objects.remove(0) };
    alert.objects = classes.iter().map(object).collect();
    alert
}

/// How it sounds when it is over because it no longer holds, without where and what.
fn over(mut alert: Alert) -> [String; 3] {
    alert.incident.phase = Phase::Close;
    alert.incident.closed = Some(alert.incident.opened + jiff::SignedDuration::from_secs(300));
    alert.incident.close_reason = Some(CloseReason::Cleared);
    says(&alert).map(|text| text.split_once(" — ").unwrap().1.to_owned())
}

fn lasted(mut alert: Alert, seconds: f64) -> Alert {
    alert.why.dwell_s = Some(seconds);
    alert
}

#[test]
fn every_condition_of_the_picture_has_words_of_its_own() {
    let mut alert = open(RuleKind::CameraTampering);
    let mut said = std::collections::BTreeSet::new();
    for condition in crate::sight::Condition::ALL {
        alert.why.condition = Some(condition.as_str().to_owned());
        said.extend(says(&alert));
    }
    assert_eq!(said.len(), 21);
    alert.why.condition = None;
    assert_eq!(sentence(Language::En, &alert), "gate: the picture is not sound");
}

#[test]
fn no_kind_is_without_words() {
    for kind in RuleKind::ALL {
        for text in says(&open(kind)) {
            assert!(
                text.len() > "gate: ".len() + 3 && !text.contains("''") && !text.contains("«»"),
                "{kind:?}: {text}"
            );
        }
    }
}

#[test]
fn one_and_many_are_told_apart() {
    let said = |count, classes: &[&str]| {
        let alert = of(open(RuleKind::Group), classes);
        Language::ALL.map(|language| several(language, count, &alert.objects))
    };
    assert_eq!(said(1, &["dog"]), ["1 ит", "собак: 1", "1 dog"]);
    assert_eq!(said(21, &["person"]), ["21 адам", "людей: 21", "21 persons"]);
    assert_eq!(said(2, &["umbrella"]), ["2 × umbrella", "umbrella: 2", "2 × umbrella"]);
    assert_eq!(said(1, &[]), ["1 нысан", "объектов: 1", "1 object"]);
}

#[test]
fn a_storm_in_three_languages() {
    let mut alert = open(RuleKind::Intrusion);
    alert.why.dwell_s = Some(2.0);
    alert.storm = Some(Storm { count: 37, since: alert.incident.opened, score_max: 0.926 });
    assert_eq!(
        says(&alert),
        [
            "gate: «night-intrusion» ережесінің дабылдары тым көп: 37 жеке хабарланған жоқ, ең жоғары балы 0,93",
            "gate: слишком много тревог правила «night-intrusion»: не сообщено по отдельности 37, высшая оценка 0,93",
            "gate: too many alerts of rule 'night-intrusion': 37 not told one by one, best score 0.93",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: дабылдар азайды",
            "завершено через 5 мин: тревог снова мало",
            "over after 5 min: the rate has fallen",
        ]
    );
}
