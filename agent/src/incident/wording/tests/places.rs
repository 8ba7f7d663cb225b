//! What happens in zones.

use super::*;

#[test]
fn loitering_in_three_languages() {
    let alert = lasted(open(RuleKind::Loitering), 45.2);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында адам ұзақ жүр, 45 с",
            "gate: человек долго находится в зоне «yard», 45 с",
            "gate: person stays long in zone 'yard', 45 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: аймақтан шықты",
            "завершено через 5 мин: зона покинута",
            "over after 5 min: left the zone",
        ]
    );
}

#[test]
fn a_crowd_in_three_languages() {
    let alert = measuring(
        of(open(RuleKind::Crowd), &["person"; 7]),
        &[(Quantity::Count, 7.0, Some(5.0)), (Quantity::LastedS, 3.2, Some(3.0))],
    );
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында топталу, 7 адам (шегі 5), 3 с",
            "gate: скопление в зоне «yard», людей: 7 (порог 5), 3 с",
            "gate: crowd in zone 'yard', 7 persons (limit 5), 3 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: топталу тарады",
            "завершено через 5 мин: скопления больше нет",
            "over after 5 min: no longer a crowd",
        ]
    );
}

#[test]
fn a_dense_crowd_in_three_languages() {
    let alert = measuring(
        of(open(RuleKind::Crowd), &["car", "person"]),
        &[(Quantity::PerSquareMetre, 0.75, Some(0.5)), (Quantity::Count, 30.0, None)],
    );
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында топталу, 30 нысан, 0,75 м²-ге (шегі 0,5)",
            "gate: скопление в зоне «yard», объектов: 30, 0,75 на м² (порог 0,5)",
            "gate: crowd in zone 'yard', 30 objects, 0.75 per m² (limit 0.5)",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: топталу тарады",
            "завершено через 5 мин: скопления больше нет",
            "over after 5 min: no longer a crowd",
        ]
    );
}

#[test]
fn occupancy_in_three_languages() {
    let alert = measuring(on_line(of(open(RuleKind::Occupancy), &[])), &[(Quantity::Inside, 13.0, Some(11.0))]);
    assert_eq!(
        says(&alert),
        [
            "gate: «door» сызығы арқылы кіргендер тым көп: ішінде 13, орын 10",
            "gate: слишком много вошедших через линию «door»: внутри 13, мест 10",
            "gate: too many came in over line 'door': 13 inside, room for 10",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: орын босады",
            "завершено через 5 мин: места снова есть",
            "over after 5 min: there is room again",
        ]
    );
}

#[test]
fn an_empty_post_in_three_languages() {
    let mut alert = measuring(
        of(open(RuleKind::Absence), &[]),
        &[(Quantity::Count, 0.0, None), (Quantity::LastedS, 60.0, Some(60.0))],
    );
    alert.why.measured[0].most = Some(0.0);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында ешкім жоқ, 60 с",
            "gate: никого нет в зоне «yard», 60 с",
            "gate: nobody in zone 'yard', 60 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: бекетте қайтадан адам бар",
            "завершено через 5 мин: пост снова занят",
            "over after 5 min: manned again",
        ]
    );
}

#[test]
fn a_post_with_too_few_in_three_languages() {
    let mut alert = measuring(
        of(open(RuleKind::Absence), &[]),
        &[(Quantity::Count, 1.0, None), (Quantity::LastedS, 600.0, Some(60.0))],
    );
    alert.why.measured[0].most = Some(1.0);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында адам жетіспейді: 1, керегі 2, 10 мин",
            "gate: людей не хватает в зоне «yard»: 1, нужно 2, 10 мин",
            "gate: too few in zone 'yard': 1, 2 are wanted, 10 min",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: бекетте қайтадан адам бар",
            "завершено через 5 мин: пост снова занят",
            "over after 5 min: manned again",
        ]
    );
}

#[test]
fn an_abandoned_object_in_three_languages() {
    let alert =
        measuring(lasted(of(open(RuleKind::AbandonedObject), &[]), 45.0), &[(Quantity::OwnerAwayS, 20.0, Some(10.0))]);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағында қалдырылған зат, иесіз 20 с, 45 с",
            "gate: оставленный предмет в зоне «yard», без хозяина 20 с, 45 с",
            "gate: object left behind in zone 'yard', without its owner 20 s, 45 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: зат алып кетілді",
            "завершено через 5 мин: предмет забрали",
            "over after 5 min: taken away",
        ]
    );
}

#[test]
fn a_removed_object_in_three_languages() {
    let alert = lasted(of(open(RuleKind::RemovedObject), &[]), 5.0);
    assert_eq!(
        says(&alert),
        [
            "gate: «yard» аймағынан зат жоғалды, 5 с",
            "gate: из зоны «yard» пропал предмет, 5 с",
            "gate: object gone from zone 'yard', 5 s",
        ]
    );
    assert_eq!(
        over(alert),
        [
            "5 мин кейін аяқталды: зат қайтадан орнында",
            "завершено через 5 мин: предмет снова на месте",
            "over after 5 min: back in its place",
        ]
    );
}
