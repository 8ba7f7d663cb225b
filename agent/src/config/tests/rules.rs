//! What the kinds of rule are read to, and the exact words for wrong ones.

use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::{
    config::{BoxPoint, Direction, Distance, Holiday, Light, Pace, Rule, RuleKind, Same},
    sight::Condition,
};

const GROUND: &str = "[camera.ground]\npoints = [[0.2, 0.5], [0.8, 0.5], [1.0, 0.9], [0.0, 0.9]]\nmetres = [[0, 12], [6, 12], [6, 0], [0, 0]]\n";

/// The config with one more rule, whose kind stands in line 46.
fn and(rule: &str) -> String {
    format!("{SITE}[[camera.rule]]\nid = \"extra\"\n{rule}\n")
}

fn good(rule: &str) -> Rule {
    let mut config = Folder::new().good(&and(rule));
    config.cameras.remove(0).rules.remove(2)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn kinds_about_zones_have_their_defaults() {
    let zone = |kind: &str| good(&format!("kind = \"{kind}\"\nzone = \"yard\"\nclasses = [\"person\"]"));
    assert!(
        matches!(zone("loitering").kind, RuleKind::Loitering { dwell, away, .. } if (dwell, away) == (seconds(30), seconds(10)))
    );
    assert!(matches!(zone("absence").kind, RuleKind::Absence { at_least: 1, dwell, .. } if dwell == seconds(60)));
    let RuleKind::AbandonedObject { dwell, owner_within, owner_away, .. } = zone("abandoned_object").kind else {
        panic!()
    };
    assert_eq!((dwell, owner_within, owner_away), (seconds(30), Distance::Heights(1.5), seconds(10)));
    assert!(matches!(zone("stopped_vehicle").kind, RuleKind::StoppedVehicle { dwell, .. } if dwell == seconds(60)));
    let removed = good("kind = \"removed_object\"\nzone = \"yard\"");
    assert!(removed.filter.classes.is_empty() && removed.cooldown == seconds(10));
    assert!(matches!(removed.kind, RuleKind::RemovedObject { dwell, .. } if dwell == seconds(5)));
    let crowd = good("kind = \"crowd\"\nzone = \"yard\"\nclasses = [\"person\"]\nat_least = 8");
    assert!(
        matches!(crowd.kind, RuleKind::Crowd { at_least: Some(8), density: None, dwell, .. } if dwell == seconds(3))
    );
    let way = "kind = \"wrong_way\"\nzone = \"yard\"\nclasses = [\"car\"]\nheading = [[0.5, 0.9], [0.5, 0.5]]";
    let RuleKind::WrongWay { heading, tolerance, distance, .. } = good(way).kind else { panic!() };
    assert_eq!((heading[0].y, heading[1].y, tolerance, distance), (0.9, 0.5, 45.0, Distance::Heights(1.0)));
}

#[test]
fn kinds_about_lines_and_anywhere_have_their_defaults() {
    let line = |kind: &str| good(&format!("kind = {kind}\nline = \"fence\"\nclasses = [\"person\"]"));
    let tail = line("\"tailgating\"");
    assert_eq!(tail.cooldown, Duration::ZERO);
    assert!(
        matches!(tail.kind, RuleKind::Tailgating { direction: Direction::Either, within, .. } if within == seconds(2))
    );
    let full = line("\"occupancy\"\ninward = \"right-to-left\"\ncapacity = 30\nreset = \"04:30\"");
    let RuleKind::Occupancy { inward, capacity, reset, .. } = full.kind else { panic!() };
    assert_eq!((inward, capacity, reset.map(|daily| daily.minute)), (Direction::RightToLeft, 30, Some(270)));
    let anywhere = |kind: &str| good(&format!("kind = \"{kind}\"\nclasses = [\"person\"]"));
    let RuleKind::Running { zone, over, dwell } = anywhere("running").kind else { panic!() };
    assert_eq!((zone, over, dwell), (None, Pace::HeightsPerSecond(1.8), Duration::from_millis(600)));
    let RuleKind::PersonDown { zone, dwell, down_classes } = anywhere("person_down").kind else { panic!() };
    assert_eq!((zone, dwell, down_classes), (None, seconds(5), vec![]));
    let seen = anywhere("object_seen");
    assert_eq!((seen.filter.confirm, seen.kind), ([3, 5], RuleKind::ObjectSeen { zone: None }));
    let RuleKind::Group { at_least, distance, dwell, .. } = anywhere("group").kind else { panic!() };
    assert_eq!((at_least, distance, dwell), (3, Distance::Heights(1.0), seconds(5)));
}

#[test]
fn kinds_without_objects_have_their_defaults() {
    let sequence = good("kind = \"sequence\"\nfirst = \"fence-crossing\"\nthen = \"night-intrusion\"");
    let (within, same) = (seconds(30), Same::Track);
    assert_eq!(sequence.kind, RuleKind::Sequence { first: 1, then: 0, within, same });
    assert!(sequence.filter.classes.is_empty());
    let tampering = good("kind = \"camera_tampering\"");
    assert_eq!(tampering.cooldown, seconds(60));
    let RuleKind::CameraTampering { conditions, dwell } = tampering.kind else { panic!() };
    assert_eq!((conditions.len(), conditions.contains(&Condition::Dirty), dwell), (6, false, seconds(10)));
    assert_eq!(good("kind = \"camera_loss\"").kind, RuleKind::CameraLoss { dwell: seconds(30) });
}

#[test]
fn the_night_has_what_it_does_not_say_from_the_rule() {
    let rule = good(
        "kind = \"object_seen\"\nclasses = [\"car\"]\nmin_score = 0.6\nkeep_score = 0.2\nmin_aspect = 1\n\
         point = \"centre\"\nmasks = [\"yard\"]\nbudget = 5\nlight = \"night\"\n\
         escalate = { after = \"5m\", severity = \"critical\" }\n[camera.rule.night]\nmin_score = 0.4\nconfirm = [1, 3]",
    );
    let night = rule.night.unwrap();
    assert_eq!(
        (rule.budget, rule.light, rule.escalate.map(|e| e.after)),
        (Some(5), Some(Light::Night), Some(seconds(300)))
    );
    assert_eq!((rule.filter.min_score, rule.filter.confirm), (0.6, [3, 5]));
    assert_eq!((night.min_score, night.keep_score, night.confirm), (0.4, 0.2, [1, 3]));
    assert_eq!((night.classes, night.aspect, night.point), (vec![2], [1.0, 100.0], BoxPoint::Centre));
    assert_eq!((night.masks.len(), night.height_m), (1, None));
}

#[test]
fn the_ground_lets_metres_be_written() {
    let rule = "kind = \"speed\"\nclasses = [\"car\"]\nover = \"20km/h\"\nmin_height_m = 1.0\n";
    let camera = Folder::new().good(&format!("{}{GROUND}", and(rule))).cameras.remove(0);
    assert!(camera.ground.is_some());
    assert_eq!(camera.rules[2].filter.height_m, Some([1.0, f32::MAX]));
    assert!(matches!(camera.rules[2].kind, RuleKind::Speed { over: Pace::KmPerHour(over), .. } if over == 20.0));
}

#[test]
fn the_site_has_modes_and_holidays() {
    let site = "modes = [\"day\", \"night\"]\nholidays = [\"every 12-16\", \"2026-03-21..2026-03-25\"]\n[broker]";
    let text = with("[broker]", site).replace("weekdays =", "holiday = []\nweekdays =");
    let config = Folder::new()
        .good(&text.replace("schedule = \"after-hours\"", "schedule = \"after-hours\"\nmodes = [\"night\"]"));
    assert_eq!(config.site.modes.len(), 2);
    assert_eq!(config.site.holidays[0], Holiday::EachYear((12, 16), (12, 16)));
    let rule = &config.cameras[0].rules[0];
    assert_eq!(rule.modes, config.site.modes[1..]);
    let schedule = rule.schedule.as_ref().unwrap();
    // A Wednesday: armed until the morning, as on any day, and not in the evening.
    assert!(schedule.is_on("2026-12-16T07:00:00+05:00".parse().unwrap()));
    assert!(!schedule.is_on("2026-12-16T20:00:00+05:00".parse().unwrap()));
    assert!(schedule.is_on("2026-12-17T20:00:00+05:00".parse().unwrap()));
}

#[test]
fn units() {
    let folder = Folder::new();
    let person = "classes = [\"person\"]";
    assert_snapshot!(folder.said(&and(&format!("kind = \"group\"\n{person}\ndistance = 2"))),
        @r#"site.toml:48: camera "gate", rule "extra": distance = 2: a number tells nothing without its unit; write distance = "2m" or "2heights""#);
    assert_snapshot!(folder.said(&and(&format!("kind = \"group\"\n{person}\ndistance = \"2 metres\""))),
        @r#"site.toml:48: camera "gate", rule "extra": distance = "2 metres": a distance, "0.1m" to "1000m" or "0.1heights" to "100heights" of an object, is wanted; for example distance = "1heights""#);
    assert_snapshot!(folder.said(&and(&format!("kind = \"running\"\n{person}\nover = \"20m/s\""))),
        @r#"site.toml:48: camera "gate", rule "extra": over = "20m/s": a speed, "0.5km/h" to "500km/h" or "0.1heights/s" to "50heights/s" of an object, is wanted; for example over = "1.8heights/s""#);
    assert_snapshot!(folder.said(&and(&format!("kind = \"group\"\n{person}\ndistance = \"2m\""))),
        @r#"site.toml:48: camera "gate", rule "extra": distance = "2m": metres can be told only from the ground; add [camera.ground] with four points and where they lie in metres, or write "1.5heights""#);
    assert_snapshot!(folder.said(&and(&format!("kind = \"speed\"\n{person}\nover = \"20km/h\""))),
        @r#"site.toml:48: camera "gate", rule "extra": over = "20km/h": km/h can be told only from the ground; add [camera.ground] with four points and where they lie in metres, or write "1.8heights/s""#);
    assert_snapshot!(folder.said(&and(&format!("kind = \"speed\"\n{person}"))),
        @r#"site.toml:44: camera "gate", rule "extra": over is missing; add over = "20km/h""#);
}

#[test]
fn ground() {
    let folder = Folder::new();
    let said = |old: &str, new: &str| folder.said(&format!("{SITE}{}", GROUND.replace(old, new)));
    assert_snapshot!(said("[6, 12], [6, 0]", "[6, 0], [6, 12]"),
        @r#"site.toml:46: camera "gate", ground: metres = [[0, 12], [6, 0], [6, 12], [0, 0]]: the points in the picture and on the ground are not in the same order; list the same four corners in the same order around in points and in metres"#);
    assert_snapshot!(said("[6, 12], [6, 0]", "[3, 12], [6, 12]"),
        @r#"site.toml:46: camera "gate", ground: metres = [[0, 12], [3, 12], [6, 12], [0, 0]]: three of the four points lie on one line; choose the corners of a large rectangle on the ground, such as a parking space"#);
    assert_snapshot!(said(", [0, 0]]", "]"),
        @r#"site.toml:46: camera "gate", ground: metres = [[0, 12], [6, 12], [6, 0]]: a list of 4 places [x, y] in metres is wanted, these are 3; add the missing places"#);
    assert_snapshot!(said("[6, 0]", "[6000, 0]"),
        @r#"site.toml:46: camera "gate", ground: [6000, 0] in metres: x and y go from -1000 to 1000; write them in metres"#);
    assert_snapshot!(said("[6, 0]", "6"),
        @r#"site.toml:46: camera "gate", ground: 6 in metres: a place [x, y] of two numbers is wanted; for example [6, 12.5]"#);
    assert_snapshot!(said("metres = ", "meters = "),
        @r#"site.toml:46: camera "gate", ground: meters: there is no such key; did you mean "metres"?"#);
    // What needs the ground is not told of a ground that is wrong.
    let rule = "[[camera.rule]]\nid = \"extra\"\nkind = \"group\"\nclasses = [\"person\"]\ndistance = \"2m\"\n";
    assert_snapshot!(folder.said(&format!("{SITE}{}{rule}", GROUND.replace("0.9], [0.0, 0.9]", "0.9]"))),
        @r#"site.toml:45: camera "gate", ground: points = [[0.2, 0.5], [0.8, 0.5], [1.0, 0.9]]: a list of 4 points [x, y] is wanted, these are 3; add the missing points"#);
}

#[test]
fn filters() {
    let folder = Folder::new();
    let said = |lines: &str| folder.said(&plus(r#"line = "fence""#, lines));
    assert_snapshot!(said("keep_score = 0.7"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": keep_score = 0.7: keep_score is 0.7 and min_score 0.5, but an object keeps counting down to keep_score; write the smaller one in keep_score"#);
    assert_snapshot!(said("confirm = [5, 3]"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": confirm = [5, 3]: nothing is seen 5 times in 3 looks; write confirm = [3, 5]"#);
    assert_snapshot!(said("confirm = [3, 50]"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": confirm = [3, 50]: [n, m], two whole numbers with 1 <= n <= m <= 32, is wanted; for example confirm = [1, 1]"#);
    assert_snapshot!(said("min_height_m = 1.2"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": min_height_m = 1.2: metres can be told only from the ground; add [camera.ground] with four points and where they lie in metres, or write min_size and max_size"#);
    assert_snapshot!(said("min_aspect = 2.0\nmax_aspect = 1.0"),
        @r#"site.toml:44: camera "gate", rule "fence-crossing": max_aspect = 1.0: min_aspect is greater than max_aspect, so no object fits; write the smaller one in min_aspect"#);
    assert_snapshot!(said("masks = [\"yrad\"]"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": "yrad" in masks: this camera has no such zone; did you mean "yard"?"#);
    assert_snapshot!(said("point = \"feet\""),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": point = "feet": one of "foot", "centre", "head" is wanted; for example point = "foot""#);
    let night = |lines: &str| folder.said(&format!("{SITE}[camera.rule.night]\n{lines}\n"));
    assert_snapshot!(night("keep_score = 0.7"),
        @r#"site.toml:45: camera "gate", rule "fence-crossing", night: keep_score = 0.7: keep_score is 0.7 and min_score 0.5, but an object keeps counting down to keep_score; write the smaller one in keep_score"#);
    assert_snapshot!(night("classes = [\"person\"]"),
        @r#"site.toml:45: camera "gate", rule "fence-crossing", night: classes: there is no such key; it belongs to [[camera.rule]]: write it right below that header"#);
    assert_snapshot!(said("light = \"day\"\nnight = { min_score = 0.4 }"),
        @r#"site.toml:43: warning: camera "gate", rule "fence-crossing": light = "day": the rule is armed only by day, so [camera.rule.night] is of no use; remove one of both"#);
}

#[test]
fn what_every_rule_has() {
    let folder = Folder::new();
    let said = |lines: &str| folder.said(&plus(r#"line = "fence""#, lines));
    assert_snapshot!(said("escalate = { after = \"5m\", severity = \"warning\" }"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing", escalate: severity = "warning": it is not above the severity of the rule, "warning"; write a higher one, or a lower one as severity of the rule"#);
    assert_snapshot!(said("severity = \"critical\"\nescalate = { after = \"5m\", severity = \"critical\" }"),
        @r#"site.toml:44: camera "gate", rule "fence-crossing", escalate: severity = "critical": it is not above the severity of the rule, "critical"; remove escalate: nothing is above "critical""#);
    assert_snapshot!(said("escalate = { severity = \"critical\" }"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing", escalate: after is missing; add after = "5m""#);
    assert_snapshot!(said("escalate = \"5m\""),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": escalate: a table is wanted, not a text; for example escalate = { after = "5m", severity = "critical" }"#);
    assert_snapshot!(said("budget = 0"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": budget = 0: a whole number from 1 to 3600 is wanted; for example budget = 20"#);
    assert_snapshot!(said("modes = [\"night\"]"),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": "night" in modes: the site has no such mode; add modes = ["day", "night"] to [site]"#);
    let modes =
        plus(r#"line = "fence""#, "modes = [\"nihgt\"]").replace("[broker]", "modes = [\"day\", \"night\"]\n[broker]");
    assert_snapshot!(folder.said(&modes),
        @r#"site.toml:44: camera "gate", rule "fence-crossing": "nihgt" in modes: the site has no such mode; did you mean "night"?"#);
}

#[test]
fn days_and_modes_of_the_site() {
    let folder = Folder::new();
    let said = |line: &str| folder.said(&with("[broker]", &format!("{line}\n[broker]")));
    assert_snapshot!(said("holidays = [\"16.12.2026\"]"),
        @r#"site.toml:9: [site]: "16.12.2026" in holidays: this is no day of the calendar, year-month-day; for example "2026-12-16", "2026-03-21..2026-03-25", or in each year "every 12-16""#);
    assert_snapshot!(said("holidays = [\"2026-03-25..2026-03-21\"]"),
        @r#"site.toml:9: [site]: "2026-03-25..2026-03-21" in holidays: it ends before it begins; write the earlier day first"#);
    assert_snapshot!(said("holidays = [\"every 12-16\"]"),
        @r#"site.toml:9: warning: [site]: holidays: no schedule has spans for them, so they are days like others; add for example holiday = [] to a schedule that is not on then, or remove it"#);
    assert_snapshot!(said("modes = [\"day\", \"day\", \"Ночь\"]"),
        @r#"
    site.toml:9: [site]: "day" in modes: it is already in the list; remove it
    site.toml:9: [site]: "Ночь" in modes: an id of 1 to 32 of a-z, 0-9 and '-' is wanted; for example modes = ["day", "night"]
    "#);
    assert_snapshot!(folder.said(&with("weekdays =", "holiday = []\nweekdays =")),
        @r#"site.toml:16: warning: schedule "after-hours": holiday = []: the site has no holidays, so these spans never hold; add holidays = ["every 01-01"] with all of them to [site]"#);
}

#[test]
fn keys_of_some_kinds() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&and("kind = \"camera_loss\"\nclasses = [\"person\"]")),
        @r#"site.toml:47: camera "gate", rule "extra": classes does not belong to rules of kind "camera_loss"; remove it, or change kind"#);
    assert_snapshot!(folder.said(&and("kind = \"crowd\"\nzone = \"yard\"\nclasses = [\"person\"]")),
        @r#"site.toml:44: camera "gate", rule "extra": at_least is missing; add at_least = 10, or at_least_per_m2 = 2.0"#);
    assert_snapshot!(folder.said(&and("kind = \"crowd\"\nzone = \"yard\"\nclasses = [\"person\"]\nat_least = 9\nat_least_per_m2 = 2")),
        @r#"site.toml:50: camera "gate", rule "extra": at_least_per_m2 = 2: at_least is there already; remove one of both"#);
    assert_snapshot!(folder.said(&and("kind = \"crowd\"\nzone = \"yard\"\nclasses = [\"person\"]\nat_least_per_m2 = 2")),
        @r#"site.toml:49: camera "gate", rule "extra": at_least_per_m2 = 2: square metres can be told only from the ground; add [camera.ground] with four points and where they lie in metres, or write at_least"#);
    assert_snapshot!(folder.said(&and("kind = \"wrong_way\"\nzone = \"yard\"\nclasses = [\"car\"]\nheading = [[0.5, 0.5], [0.5, 0.5]]")),
        @r#"site.toml:49: camera "gate", rule "extra": heading = [[0.5, 0.5], [0.5, 0.5]]: both points are the same, so it has no direction; write where from and where to the right way goes, as in [[0.5, 0.9], [0.5, 0.5]]"#);
    assert_snapshot!(folder.said(&and("kind = \"occupancy\"\nline = \"fence\"\nclasses = [\"person\"]\ninward = \"either\"")),
        @r#"
    site.toml:44: camera "gate", rule "extra": capacity is missing; add capacity = 30
    site.toml:49: camera "gate", rule "extra": inward = "either": one of "left-to-right", "right-to-left" is wanted; for example inward = "left-to-right"
    "#);
    let blind = plus("purpose = \"school-safety\"", "sight = { enabled = false }");
    assert_snapshot!(folder.said(&format!("{blind}[[camera.rule]]\nid = \"extra\"\nkind = \"camera_tampering\"\n")),
        @r#"site.toml:47: camera "gate", rule "extra": kind = "camera_tampering": [camera.sight] is switched off, so nobody looks at the picture itself; write enabled = true there, or remove the rule"#);
}

#[test]
fn sequences() {
    let folder = Folder::new();
    let said = |first: &str, then: &str| {
        folder.said(&and(&format!("kind = \"sequence\"\nfirst = \"{first}\"\nthen = \"{then}\"")))
    };
    assert_snapshot!(said("fence-crossin", "night-intrusion"),
        @r#"site.toml:47: camera "gate", rule "extra": first = "fence-crossin": this camera has no such rule; did you mean "fence-crossing"?"#);
    assert_snapshot!(said("fence-crossing", "fence-crossing"),
        @r#"site.toml:48: camera "gate", rule "extra": then = "fence-crossing": this is the rule that comes first; name another rule of this camera"#);
    assert_snapshot!(said("fence-crossing", "extra"),
        @r#"site.toml:48: camera "gate", rule "extra": then = "extra": this is a sequence itself; name a rule of another kind"#);
    // Rules may stand in any order.
    let crowd = "[[camera.rule]]\nid = \"many\"\nkind = \"absence\"\nzone = \"yard\"\nclasses = [\"person\"]\n";
    let text = and("kind = \"sequence\"\nfirst = \"many\"\nthen = \"fence-crossing\"");
    assert_snapshot!(folder.said(&format!("{text}{crowd}")),
        @r#"site.toml:44: camera "gate", rule "extra": same: rule "many" is not about one object; write same = "camera""#);
    assert_eq!(folder.said(&format!("{text}same = \"camera\"\n{crowd}")), "");
}
