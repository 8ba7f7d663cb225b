use karaul_wire::{Alert, Language, Measure, Quantity, RuleKind};

use super::{named, number, several, span};

/// What has happened, where, and what was measured.
pub(super) fn what(language: Language, alert: &Alert) -> String {
    let class = alert.objects.first().map_or("", |object| named(language, &object.class));
    let place =
        Place { language, id: alert.location.zone.as_ref().or(alert.location.line.as_ref()).map(|id| id.as_str()) };
    match alert.rule.kind {
        RuleKind::Intrusion => place.somebody(class, "", "", ""),
        RuleKind::Loitering => place.somebody(class, " ұзақ жүр", " долго находится", " stays long"),
        RuleKind::WrongWay => {
            let said = place.somebody(class, " қарсы бағытта келеді", " движется навстречу", " goes the wrong way");
            said + &way(language, alert)
        }
        RuleKind::Speed => {
            place.somebody(class, " тым жылдам", " движется слишком быстро", " too fast") + &pace(language, alert)
        }
        RuleKind::Running => place.somebody(class, " жүгіріп келеді", " бежит", " runs") + &pace(language, alert),
        RuleKind::StoppedVehicle => place.somebody(class, " тұр", " стоит", " stands"),
        // A model of falls has classes of its own; who lies there is a person.
        RuleKind::PersonDown => place.somebody(named(language, "person"), " жатыр", " лежит", " lies on the ground"),
        RuleKind::ObjectSeen => place.somebody(class, " көрінді", "", " seen"),
        RuleKind::LineCrossing => crossing(language, class, place.name(), alert.why.direction.as_deref()),
        RuleKind::Tailgating => tailgating(language, class, place.name(), measured(alert, Quantity::IntervalS)),
        RuleKind::Crowd => place.thing("топталу", "скопление", "crowd") + &crowd(language, alert),
        RuleKind::Group => place.thing("топ", "группа", "group") + &many(language, alert),
        RuleKind::Absence => absence(language, place, alert),
        RuleKind::Occupancy => occupancy(language, place.name(), measured(alert, Quantity::Inside)),
        RuleKind::AbandonedObject => {
            place.thing("қалдырылған зат", "оставленный предмет", "object left behind") + &ownerless(language, alert)
        }
        RuleKind::RemovedObject => place.gone(),
        RuleKind::Sequence => sequence(language, alert),
        RuleKind::CameraTampering => picture(language, alert.why.condition.as_deref()).to_owned(),
        RuleKind::CameraLoss => {
            ["камерадан кескін келмейді", "нет изображения с камеры", "the camera gives no pictures"][index(language)]
                .to_owned()
        }
        // Said elsewhere, as it is about no rule.
        RuleKind::DeliveryTest => String::new(),
    }
}

/// For how long it has been so, in whole seconds.
pub(super) fn lasted(alert: &Alert) -> Option<i64> {
    let seconds = alert.why.dwell_s.or_else(|| measured(alert, Quantity::LastedS).map(|m| m.value))?;
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds; far too long a one is cut off")]
    Some(seconds.round() as i64)
}

fn measured(alert: &Alert, what: Quantity) -> Option<&Measure> {
    alert.why.measured.iter().find(|measure| measure.what == what)
}

const fn index(language: Language) -> usize {
    match language {
        Language::Kk => 0,
        Language::Ru => 1,
        Language::En => 2,
    }
}

/// The zone or line, if the rule has one.
#[derive(Clone, Copy)]
struct Place<'a> {
    language: Language,
    id: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn name(self) -> &'a str {
        self.id.unwrap_or_default()
    }

    /// Somebody does something in the zone.
    fn somebody(self, class: &str, kk: &str, ru: &str, en: &str) -> String {
        match (self.language, self.id) {
            (Language::Kk, Some(zone)) => format!("«{zone}» аймағында {class}{kk}"),
            (Language::Ru, Some(zone)) => format!("{class}{ru} в зоне «{zone}»"),
            (Language::En, Some(zone)) => format!("{class}{en} in zone '{zone}'"),
            (Language::Kk, None) => format!("{class}{kk}"),
            (Language::Ru, None) => format!("{class}{ru}"),
            (Language::En, None) => format!("{class}{en}"),
        }
    }

    /// Something is in the zone.
    fn thing(self, kk: &str, ru: &str, en: &str) -> String {
        match self.language {
            Language::Kk => self.somebody(kk, "", "", ""),
            Language::Ru => self.somebody(ru, "", "", ""),
            Language::En => self.somebody(en, "", "", ""),
        }
    }

    fn gone(self) -> String {
        let zone = self.name();
        match self.language {
            Language::Kk => format!("«{zone}» аймағынан зат жоғалды"),
            Language::Ru => format!("из зоны «{zone}» пропал предмет"),
            Language::En => format!("object gone from zone '{zone}'"),
        }
    }
}

/// A value and its threshold.
fn threshold(language: Language, limit: Option<f64>, decimals: usize) -> String {
    limit.map_or_else(String::new, |limit| {
        let limit = number(language, limit, decimals);
        match language {
            Language::Kk => format!(" (шегі {limit})"),
            Language::Ru => format!(" (порог {limit})"),
            Language::En => format!(" (limit {limit})"),
        }
    })
}

/// How many, by what was counted or else by those that are listed.
fn count(alert: &Alert) -> u32 {
    let listed = u32::try_from(alert.objects.len()).unwrap_or(u32::MAX);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, cut off at the ends")]
    measured(alert, Quantity::Count).map_or(listed, |m| m.value.round() as u32)
}

fn many(language: Language, alert: &Alert) -> String {
    let limit = measured(alert, Quantity::Count).and_then(|m| m.least);
    let said = several(language, count(alert), &alert.objects);
    format!(", {said}{}", threshold(language, limit, 0))
}

fn crowd(language: Language, alert: &Alert) -> String {
    let Some(density) = measured(alert, Quantity::PerSquareMetre) else { return many(language, alert) };
    let said = several(language, count(alert), &alert.objects);
    let value = number(language, density.value, 2);
    let unit = match language {
        Language::Kk => "м²-ге",
        Language::Ru => "на м²",
        Language::En => "per m²",
    };
    format!(", {said}, {value} {unit}{}", threshold(language, density.least, 2))
}

fn absence(language: Language, place: Place<'_>, alert: &Alert) -> String {
    let (there, zone) = (measured(alert, Quantity::Count).map_or(0.0, |m| m.value), place.name());
    if there < 0.5 {
        return match language {
            Language::Kk => format!("«{zone}» аймағында ешкім жоқ"),
            Language::Ru => format!("никого нет в зоне «{zone}»"),
            Language::En => format!("nobody in zone '{zone}'"),
        };
    }
    // One more than what is too few.
    let wanted = measured(alert, Quantity::Count).and_then(|m| m.most).map_or(1.0, |most| most + 1.0);
    let (there, wanted) = (number(language, there, 0), number(language, wanted, 0));
    match language {
        Language::Kk => format!("«{zone}» аймағында адам жетіспейді: {there}, керегі {wanted}"),
        Language::Ru => format!("людей не хватает в зоне «{zone}»: {there}, нужно {wanted}"),
        Language::En => format!("too few in zone '{zone}': {there}, {wanted} are wanted"),
    }
}

fn occupancy(language: Language, line: &str, inside: Option<&Measure>) -> String {
    let said = match language {
        Language::Kk => format!("«{line}» сызығы арқылы кіргендер тым көп"),
        Language::Ru => format!("слишком много вошедших через линию «{line}»"),
        Language::En => format!("too many came in over line '{line}'"),
    };
    let Some(Measure { value, least, .. }) = inside else { return said };
    // One less than what is too many.
    let (value, room) = (number(language, *value, 0), least.map(|least| number(language, least - 1.0, 0)));
    let (inside, room) = match language {
        Language::Kk => (format!("ішінде {value}"), room.map(|room| format!(", орын {room}"))),
        Language::Ru => (format!("внутри {value}"), room.map(|room| format!(", мест {room}"))),
        Language::En => (format!("{value} inside"), room.map(|room| format!(", room for {room}"))),
    };
    format!("{said}: {inside}{}", room.unwrap_or_default())
}

/// For how long nobody has been with it.
fn ownerless(language: Language, alert: &Alert) -> String {
    let Some(away) = measured(alert, Quantity::OwnerAwayS) else { return String::new() };
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds; far too long a one is cut off")]
    let away = span(language, away.value.round() as i64);
    match language {
        Language::Kk => format!(", иесіз {away}"),
        Language::Ru => format!(", без хозяина {away}"),
        Language::En => format!(", without its owner {away}"),
    }
}

/// How far somebody has gone. Heights say nothing to those who read it.
fn way(language: Language, alert: &Alert) -> String {
    let Some(metres) = measured(alert, Quantity::DistanceM) else { return String::new() };
    let unit = if language == Language::En { "m" } else { "м" };
    format!(", {} {unit}", number(language, metres.value, 1))
}

/// How fast.
fn pace(language: Language, alert: &Alert) -> String {
    let kmh = measured(alert, Quantity::SpeedKmh).map(|m| (m, 0, ["км/сағ", "км/ч", "km/h"]));
    let heights = measured(alert, Quantity::SpeedHeights).map(|m| (m, 1, ["бой/с", "роста/с", "heights/s"]));
    let Some((speed, decimals, units)) = kmh.or(heights) else { return String::new() };
    let value = number(language, speed.value, decimals);
    format!(", {value} {}{}", units[index(language)], threshold(language, speed.least, decimals))
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

fn tailgating(language: Language, class: &str, line: &str, interval: Option<&Measure>) -> String {
    let after = interval.map(|m| number(language, m.value, 1));
    let (said, after) = match language {
        Language::Kk => (
            format!("{class} «{line}» сызығынан біреудің артынан іле өтті"),
            after.map(|after| format!(", {after} с кейін")),
        ),
        Language::Ru => (
            format!("{class}: проход вплотную за другим через линию «{line}»"),
            after.map(|after| format!(", через {after} с")),
        ),
        Language::En => (
            format!("{class} over line '{line}' closely behind another"),
            after.map(|after| format!(", {after} s after")),
        ),
    };
    said + &after.unwrap_or_default()
}

fn sequence(language: Language, alert: &Alert) -> String {
    let rule = &alert.rule.id;
    let mut said = match language {
        Language::Kk => format!("«{rule}» тізбегі орындалды"),
        Language::Ru => format!("сработала последовательность «{rule}»"),
        Language::En => format!("sequence '{rule}' is complete"),
    };
    if let Some(object) = alert.objects.first() {
        said = format!("{said}: {}", named(language, &object.class));
    }
    let Some(interval) = measured(alert, Quantity::IntervalS) else { return said };
    let interval = number(language, interval.value, 1);
    match language {
        Language::Kk => format!("{said}, аралығы {interval} с"),
        Language::Ru => format!("{said}, промежуток {interval} с"),
        Language::En => format!("{said}, {interval} s between"),
    }
}

/// What is wrong with the picture.
fn picture(language: Language, condition: Option<&str>) -> &'static str {
    let said = match condition {
        Some("covered") => ["камера жабылған", "камера закрыта", "the camera is covered"],
        Some("blurred") => ["кескін анық емес", "изображение не в фокусе", "the picture is out of focus"],
        Some("moved") => ["камера бұрылған", "камера повёрнута", "the camera has been turned"],
        Some("dark") => ["кескін қара", "изображение чёрное", "the picture is black"],
        Some("washed-out") => ["камера жарықпен көмілген", "камера засвечена", "the camera is blinded by light"],
        Some("frozen") => ["кескін қатып қалды", "изображение застыло", "the picture stands still"],
        Some("dirty") => ["объектив лас", "объектив загрязнён", "the lens is dirty"],
        _ => ["камера кескіні бүлінген", "изображение камеры нарушено", "the picture is not sound"],
    };
    said[index(language)]
}
