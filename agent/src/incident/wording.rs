//! One sentence per language for the people who read alerts.

use karaul_wire::{Alert, CloseReason, Language, Phase, RuleKind, Status};

/// What happened, where and to which extent, in one sentence.
pub(super) fn sentence(language: Language, alert: &Alert) -> String {
    let camera = alert.location.label.get(&language).map_or(alert.location.camera.as_str(), String::as_str);
    if alert.incident.status == Status::Test {
        return test(language, camera, alert);
    }
    if alert.rule.kind == RuleKind::DeliveryTest {
        return delivery_test(language, camera, alert);
    }
    let class = alert.objects.first().map_or("", |o| class_name(language, &o.class));
    let what = match alert.rule.kind {
        RuleKind::Intrusion => intrusion(language, class, place(alert)),
        RuleKind::LineCrossing => crossing(language, class, place(alert), alert.why.direction.as_deref()),
        RuleKind::DeliveryTest => String::new(),
    };
    format!("{camera}: {what}{}{}{}", extent(language, alert), taken(language, alert), doubt(language, alert))
}

/// Whoever is sent out has to know that it may have been somewhere else.
fn doubt(language: Language, alert: &Alert) -> &'static str {
    match (alert.location.view_moved, language) {
        (None, _) => "",
        (Some(_), Language::Kk) => " — назар аударыңыз: камера бұрылған, орны дәл емес",
        (Some(_), Language::Ru) => " — внимание: камера повёрнута, место указано неточно",
        (Some(_), Language::En) => " — mind: the camera has been turned, the place is not certain",
    }
}

/// Nobody may take a test for an incident, so that is the first word.
fn test(language: Language, camera: &str, alert: &Alert) -> String {
    let rule = &alert.rule.id;
    let over = alert.incident.phase == Phase::Close;
    match language {
        Language::Kk if over => format!("СЫНАҚ: {camera}: «{rule}» ережесі — сынақ аяқталды"),
        Language::Ru if over => format!("ПРОВЕРКА: {camera}: правило «{rule}» — проверка завершена"),
        Language::En if over => format!("TEST: {camera}: rule '{rule}' — the test is over"),
        Language::Kk => format!("СЫНАҚ: {camera}: «{rule}» ережесі, ештеңе болған жоқ"),
        Language::Ru => format!("ПРОВЕРКА: {camera}: правило «{rule}», ничего не произошло"),
        Language::En => format!("TEST: {camera}: rule '{rule}', nothing has happened"),
    }
}

/// The box found that a test of the way to the centre was not confirmed.
fn delivery_test(language: Language, camera: &str, alert: &Alert) -> String {
    let over = alert.incident.phase == Phase::Close;
    let said = match language {
        Language::Kk if over => format!("{camera}: дабылдар жолының сынағы қайта расталды"),
        Language::Ru if over => format!("{camera}: проверка пути тревог снова подтверждена"),
        Language::En if over => format!("{camera}: a test of the way of alerts is confirmed again"),
        Language::Kk => format!("{camera}: дабылдар жолының сынағы расталмады, дабылдар жетпеуі мүмкін"),
        Language::Ru => format!("{camera}: проверка пути тревог не подтверждена, тревоги могут не доходить"),
        Language::En => format!("{camera}: a test of the way of alerts was not confirmed, alerts may not arrive"),
    };
    said + &taken(language, alert)
}

/// Who has taken it, while it lasts.
fn taken(language: Language, alert: &Alert) -> String {
    match (alert.incident.phase, &alert.incident.acknowledged) {
        (Phase::Open | Phase::Update, Some(by)) => match language {
            Language::Kk => format!(" — қабылданды: {}", by.actor),
            Language::Ru => format!(" — принято: {}", by.actor),
            Language::En => format!(" — acknowledged by {}", by.actor),
        },
        _ => String::new(),
    }
}

fn place(alert: &Alert) -> &str {
    let id = alert.location.zone.as_ref().or(alert.location.line.as_ref());
    id.map_or("", karaul_wire::Segment::as_str)
}

fn intrusion(language: Language, class: &str, zone: &str) -> String {
    match language {
        Language::Kk => format!("«{zone}» аймағында {class}"),
        Language::Ru => format!("{class} в зоне «{zone}»"),
        Language::En => format!("{class} in zone '{zone}'"),
    }
}

fn crossing(language: Language, class: &str, line: &str, direction: Option<&str>) -> String {
    let to_right = direction == Some("left_to_right");
    match language {
        Language::Kk => {
            let way = if to_right { "солдан оңға" } else { "оңнан солға" };
            format!("{class} «{line}» сызығын {way} кесіп өтті")
        }
        Language::Ru => {
            let way = if to_right { "слева направо" } else { "справа налево" };
            format!("{class}: пересечение линии «{line}» {way}")
        }
        Language::En => {
            let way = if to_right { "left to right" } else { "right to left" };
            format!("{class} crossed line '{line}' from {way}")
        }
    }
}

/// How long it has lasted, and how it ended.
fn extent(language: Language, alert: &Alert) -> String {
    let moment = alert.rule.kind == RuleKind::LineCrossing;
    let seconds = alert.why.dwell_s.unwrap_or(0.0).round();
    match (alert.incident.phase, alert.incident.close_reason) {
        (Phase::Close, reason) => {
            let reason = reason.unwrap_or(CloseReason::Cleared);
            let total = alert.incident.closed.map_or(0, |end| end.duration_since(alert.incident.opened).as_secs());
            let why = ending(language, reason, moment);
            match language {
                // A moment has no length; of what a restart closed, nobody saw when it was really over.
                _ if moment || reason == CloseReason::Restarted => format!(" — {why}"),
                Language::Kk => format!(" — {total} с кейін аяқталды: {why}"),
                Language::Ru => format!(" — завершено через {total} с: {why}"),
                Language::En => format!(" — over after {total} s: {why}"),
            }
        }
        (Phase::Open | Phase::Update, _) if moment || seconds < 1.0 => String::new(),
        (Phase::Open | Phase::Update, _) => match language {
            Language::Kk | Language::Ru => format!(", {seconds} с"),
            Language::En => format!(", {seconds} s"),
        },
    }
}

fn ending(language: Language, reason: CloseReason, moment: bool) -> &'static str {
    match (language, reason) {
        (Language::Kk, CloseReason::Cleared) if moment => "аяқталды",
        (Language::Ru, CloseReason::Cleared) if moment => "завершено",
        (Language::En, CloseReason::Cleared) if moment => "over",
        (Language::Kk, CloseReason::Cleared) => "аймақтан шықты",
        (Language::Ru, CloseReason::Cleared) => "вышел из зоны",
        (Language::En, CloseReason::Cleared) => "left the zone",
        (Language::Kk, CloseReason::Lost) => "енді көрінбейді",
        (Language::Ru, CloseReason::Lost) => "больше не виден",
        (Language::En, CloseReason::Lost) => "no longer seen",
        (Language::Kk, CloseReason::Disarmed) => "күзет өшірілді",
        (Language::Ru, CloseReason::Disarmed) => "снято с охраны",
        (Language::En, CloseReason::Disarmed) => "disarmed",
        (Language::Kk, CloseReason::Blind) => "камера көрмейді",
        (Language::Ru, CloseReason::Blind) => "камера не видит",
        (Language::En, CloseReason::Blind) => "the camera went blind",
        (Language::Kk, CloseReason::Stopped) => "агент тоқтатылды",
        (Language::Ru, CloseReason::Stopped) => "агент остановлен",
        (Language::En, CloseReason::Stopped) => "the agent was stopped",
        (Language::Kk, CloseReason::Restarted) => "агент қайта іске қосылды",
        (Language::Ru, CloseReason::Restarted) => "агент перезапущен",
        (Language::En, CloseReason::Restarted) => "the agent was restarted",
        (Language::Kk, CloseReason::Resolved) => "оператор жапты",
        (Language::Ru, CloseReason::Resolved) => "закрыто оператором",
        (Language::En, CloseReason::Resolved) => "closed by an operator",
        (Language::Kk, CloseReason::FalsePositive) => "жалған дабыл",
        (Language::Ru, CloseReason::FalsePositive) => "ложная тревога",
        (Language::En, CloseReason::FalsePositive) => "a false alarm",
    }
}

/// The classes that rules of schools, police and military units name most; others
/// keep the model's own name.
fn class_name(language: Language, class: &str) -> &str {
    match (language, class) {
        (Language::Kk, "person") => "адам",
        (Language::Ru, "person") => "человек",
        (Language::Kk, "bicycle") => "велосипед",
        (Language::Ru, "bicycle") => "велосипед",
        (Language::Kk, "car") => "автокөлік",
        (Language::Ru, "car") => "автомобиль",
        (Language::Kk | Language::Ru, "motorcycle") => "мотоцикл",
        (Language::Kk | Language::Ru, "bus") => "автобус",
        (Language::Kk, "truck") => "жүк көлігі",
        (Language::Ru, "truck") => "грузовик",
        (Language::Kk, "dog") => "ит",
        (Language::Ru, "dog") => "собака",
        (Language::Kk, "backpack") => "арқа сөмке",
        (Language::Ru, "backpack") => "рюкзак",
        (Language::Kk, "suitcase") => "шабадан",
        (Language::Ru, "suitcase") => "чемодан",
        (Language::Kk, "knife") => "пышақ",
        (Language::Ru, "knife") => "нож",
        _ => class,
    }
}

#[cfg(test)]
mod tests {
    use karaul_wire::{Segment, Text};

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
                "Главные ворота: человек в зоне «yard» — завершено через 24 с: вышел из зоны",
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
}
