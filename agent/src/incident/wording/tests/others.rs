//! What moves, lies, is there, and the camera itself.

use super::*;

#[test]
fn the_wrong_way_in_three_languages() {
    let alert = measuring(
        open(RuleKind::WrongWay),
        &[(Quantity::AngleDeg, 170.0, None), (Quantity::DistanceM, 3.24, Some(2.0))],
    );
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында адам қарсы бағытта келеді, 3,2 м",
            "gate: человек движется навстречу в зоне «yard», 3,2 м",
            "gate: person goes the wrong way in zone 'yard', 3.2 m",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: қарсы бағытта енді қозғалмайды",
            "завершено через 5 мин: больше не движется навстречу",
            "over after 5 min: no longer going the wrong way",
        ]
    );
}

#[test]
fn speed_in_three_languages() {
    let alert = measuring(of(open(RuleKind::Speed), &["car"]), &[(Quantity::SpeedKmh, 34.4, Some(20.0))]);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында автокөлік тым жылдам, 34 км/сағ (шегі 20)",
            "gate: автомобиль движется слишком быстро в зоне «yard», 34 км/ч (порог 20)",
            "gate: car too fast in zone 'yard', 34 km/h (limit 20)",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: жылдамдық азайды",
            "завершено через 5 мин: скорость снизилась",
            "over after 5 min: slower again",
        ]
    );
}

#[test]
fn running_in_three_languages() {
    let alert = {
        let mut alert = measuring(open(RuleKind::Running), &[(Quantity::SpeedHeights, 2.36, Some(1.8))]);
        alert.location.zone = None;
        alert
    };
    assert_eq!(
        says(&alert),
        [
            "gate: адам жүгіріп келеді, 2,4 бой/с (шегі 1,8)",
            "gate: человек бежит, 2,4 роста/с (порог 1,8)",
            "gate: person runs, 2.4 heights/s (limit 1.8)",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: енді жүгірмейді",
            "завершено через 5 мин: больше не бежит",
            "over after 5 min: no longer running",
        ]
    );
}

#[test]
fn a_stopped_vehicle_in_three_languages() {
    let alert = lasted(of(open(RuleKind::StoppedVehicle), &["truck"]), 61.0);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында жүк көлігі тұр, 61 с",
            "gate: грузовик стоит в зоне «yard», 61 с",
            "gate: truck stands in zone 'yard', 61 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: орнынан қозғалды",
            "завершено через 5 мин: больше не стоит",
            "over after 5 min: no longer standing",
        ]
    );
}

#[test]
fn somebody_who_lies_in_three_languages() {
    let alert = lasted(of(open(RuleKind::PersonDown), &["fallen"]), 6.0);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында адам жатыр, 6 с",
            "gate: человек лежит в зоне «yard», 6 с",
            "gate: person lies on the ground in zone 'yard', 6 s",
        ]
    );
    assert_eq!(
        over(alert),
        ["5 мин кейін аяқталды: қайта тұрды", "завершено через 5 мин: больше не лежит", "over after 5 min: up again",]
    );
}

#[test]
fn what_must_not_be_there_in_three_languages() {
    let alert = of(open(RuleKind::ObjectSeen), &["knife"]);
    assert_eq!(
        says(&alert),
        ["gate: «yard» аймағында пышақ көрінді", "gate: нож в зоне «yard»", "gate: knife seen in zone 'yard'",]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: енді көрінбейді",
            "завершено через 5 мин: больше не видно",
            "over after 5 min: no longer seen",
        ]
    );
}

#[test]
fn a_group_in_three_languages() {
    let alert = measuring(lasted(of(open(RuleKind::Group), &["person"; 3]), 5.0), &[(Quantity::Count, 3.0, Some(3.0))]);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында топ, 3 адам (шегі 3), 5 с",
            "gate: группа в зоне «yard», людей: 3 (порог 3), 5 с",
            "gate: group in zone 'yard', 3 persons (limit 3), 5 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: топ тарады",
            "завершено через 5 мин: группа разошлась",
            "over after 5 min: the group has dispersed",
        ]
    );
}

#[test]
fn tampering_in_three_languages() {
    let alert = {
        let mut alert = of(open(RuleKind::CameraTampering), &[]);
        (alert.location.zone, alert.why.condition) = (None, Some("covered".to_owned()));
        lasted(alert, 10.0)
    };
    assert_eq!(
        says(&alert),
        ["gate: камера жабылған, 10 с", "gate: камера закрыта, 10 с", "gate: the camera is covered, 10 s",]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: кескін қалпына келді",
            "завершено через 5 мин: изображение снова в порядке",
            "over after 5 min: the picture is sound again",
        ]
    );
}

#[test]
fn a_camera_that_is_gone_in_three_languages() {
    let alert = lasted(of(open(RuleKind::CameraLoss), &[]), 30.0);
    assert_eq!(
        says(&alert),
        [
            "gate: камерадан кескін келмейді, 30 с",
            "gate: нет изображения с камеры, 30 с",
            "gate: the camera gives no pictures, 30 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: кескін қайта келді",
            "завершено через 5 мин: изображение снова есть",
            "over after 5 min: pictures come again",
        ]
    );
}

#[test]
fn tailgating_in_three_languages() {
    let alert = measuring(on_line(open(RuleKind::Tailgating)), &[(Quantity::IntervalS, 1.24, None)]);
    assert_eq!(
        says(&alert),
        [
            "gate: адам «door» сызығынан біреудің артынан іле өтті, 1,2 с кейін",
            "gate: человек: проход вплотную за другим через линию «door», через 1,2 с",
            "gate: person over line 'door' closely behind another, 1.2 s after",
        ]
    );
    assert_eq!(over(alert), ["аяқталды", "завершено", "over"], "a moment has no length");
}

#[test]
fn a_sequence_in_three_languages() {
    let alert = measuring(open(RuleKind::Sequence), &[(Quantity::IntervalS, 12.0, None)]);
    assert_eq!(
        says(&alert),
        [
            "gate: «night-intrusion» тізбегі орындалды: адам, аралығы 12 с",
            "gate: сработала последовательность «night-intrusion»: человек, промежуток 12 с",
            "gate: sequence 'night-intrusion' is complete: person, 12 s between",
        ]
    );
    assert_eq!(over(alert), ["аяқталды", "завершено", "over"], "a moment has no length");
}
