//! One sentence per language for the people who read alerts: where, what, to which extent, and how it ended.
//!
//! Nouns stand where no case and no gender is asked of them, because a class may be any word of a model.

mod classes;
mod endings;
mod kinds;
mod number;

use karaul_wire::{Alert, CloseReason, Language, Phase, RuleKind, Status};

use self::{
    classes::{named, several},
    endings::ending,
    kinds::what,
    number::{number, span},
};

/// What happened, where and to which extent, in one sentence.
pub(super) fn sentence(language: Language, alert: &Alert) -> String {
    let camera = alert.location.label.get(&language).map_or(alert.location.camera.as_str(), String::as_str);
    if alert.incident.status == Status::Test {
        return test(language, camera, alert);
    }
    if alert.rule.kind == RuleKind::DeliveryTest {
        return delivery_test(language, camera, alert);
    }
    let what = if alert.storm.is_some() { storm(language, alert) } else { what(language, alert) };
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

/// More than is told one by one.
fn storm(language: Language, alert: &Alert) -> String {
    let rule = &alert.rule.id;
    let (count, score) = alert.storm.as_ref().map_or((0, 0.0), |storm| (storm.count, storm.score_max));
    let score = number(language, f64::from((score * 100.0).round()) / 100.0, 2);
    match language {
        Language::Kk => {
            format!("«{rule}» ережесінің дабылдары тым көп: {count} жеке хабарланған жоқ, ең жоғары балы {score}")
        }
        Language::Ru => {
            format!("слишком много тревог правила «{rule}»: не сообщено по отдельности {count}, высшая оценка {score}")
        }
        Language::En => {
            format!("too many alerts of rule '{rule}': {count} not told one by one, best score {score}")
        }
    }
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

/// How long it has lasted, and how it ended.
fn extent(language: Language, alert: &Alert) -> String {
    let moment = alert.rule.kind.is_moment() && alert.storm.is_none();
    if alert.incident.phase == Phase::Close {
        let reason = alert.incident.close_reason.unwrap_or(CloseReason::Cleared);
        let total = alert.incident.closed.map_or(0, |end| end.duration_since(alert.incident.opened).as_secs());
        let (total, why) = (span(language, total), ending(language, alert, reason));
        return match language {
            // A moment has no length; of what a restart closed, nobody saw when it was really over.
            _ if moment || reason == CloseReason::Restarted => format!(" — {why}"),
            Language::Kk => format!(" — {total} кейін аяқталды: {why}"),
            Language::Ru => format!(" — завершено через {total}: {why}"),
            Language::En => format!(" — over after {total}: {why}"),
        };
    }
    // What a storm lasted is told when it is over; the time of its latest finding means nothing.
    match kinds::lasted(alert) {
        Some(seconds) if seconds >= 1 && !moment && alert.storm.is_none() => {
            format!(", {}", span(language, seconds))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
