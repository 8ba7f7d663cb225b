use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::track;
use crate::{
    config::{Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
};

fn rule(down_classes: Vec<u16>) -> Rule {
    let dwell = Duration::from_secs(5);
    sample::rule("r", RuleKind::PersonDown { zone: None, dwell, down_classes })
}

/// Stands 0.4 tall, and has fallen at 4 s.
fn falls(until: f64) -> Actor {
    Actor::standing(1, (0.5, 0.8), 0.0, until).sized(0.08, 0.4).then_sized(4.0, 0.2, 0.12)
}

fn begun(actors: Vec<Actor>) -> Vec<(f64, Subject)> {
    Play::new(vec![rule(Vec::new())], actors).begun(5.0, 20.0)
}

#[test]
fn who_lies_for_the_dwell_is_told_with_shape_and_height() {
    let lines = Play::new(vec![rule(Vec::new())], vec![falls(20.0)]).run(5.0, 20.0);
    assert_eq!((lines.len(), lines[0].at, lines[0].change, lines[0].subject), (1, 9.0, Change::Began, track(1)));
    assert_eq!(lines[0].evidence.dwell, Some((5.0, 5.0)));
    let measured: Vec<_> =
        lines[0].evidence.measured().map(|m| (m.what, (m.value * 10.0).round() / 10.0, m.least, m.most)).collect();
    assert_eq!(measured, [(Quantity::Aspect, 3.0, Some(1.0), None), (Quantity::HeightShare, 0.3, None, Some(0.7))]);
}

#[test]
fn who_stands_sits_or_stretches_out_the_arms_does_not_lie() {
    let stands = Actor::standing(1, (0.5, 0.8), 0.0, 20.0).sized(0.08, 0.4);
    assert_eq!(begun(vec![stands.clone()]), []);
    assert_eq!(begun(vec![stands.clone().then_sized(4.0, 0.12, 0.3)]), [], "on a chair");
    assert_eq!(begun(vec![stands.then_sized(4.0, 0.24, 0.4)]), [], "as wide as tall");
}

#[test]
fn who_kneels_down_or_falls_and_gets_up_within_the_dwell_is_none() {
    assert_eq!(begun(vec![falls(20.0).then_sized(8.4, 0.08, 0.4)]), []);
    let kneels = Actor::standing(1, (0.5, 0.8), 0.0, 20.0).sized(0.08, 0.4).then_sized(4.0, 0.08, 0.22);
    assert_eq!(begun(vec![kneels.then_sized(7.0, 0.08, 0.4)]), []);
}

#[test]
fn who_lies_along_the_view_is_known_by_the_height() {
    let along = Actor::standing(1, (0.5, 0.8), 0.0, 20.0).sized(0.08, 0.4).then_sized(4.0, 0.1, 0.2);
    assert_eq!(begun(vec![along]), [(9.0, track(1))]);
}

#[test]
fn who_was_never_seen_upright_is_known_by_the_shape_alone() {
    let lies = Actor::standing(1, (0.5, 0.8), 0.0, 20.0).sized(0.2, 0.12);
    assert_eq!(begun(vec![lies]), [(5.0, track(1))]);
    let low = Actor::standing(1, (0.5, 0.8), 0.0, 20.0).sized(0.08, 0.2);
    assert_eq!(begun(vec![low]), []);
}

#[test]
fn who_walks_away_gets_smaller_and_does_not_lie() {
    let away = Actor::new(1, &[(0.0, 0.5, 0.9), (8.0, 0.5, 0.5), (20.0, 0.5, 0.5)]).sized(0.1, 0.5);
    let away = (1..=8_u8).fold(away, |actor, n| {
        let height = 0.5 - 0.04 * f32::from(n);
        actor.then_sized(f64::from(n), height * 0.2, height)
    });
    assert_eq!(begun(vec![away]), []);
}

#[test]
fn a_box_cut_off_by_the_lower_border_is_no_lying_person() {
    // Comes so near that only head and shoulders are left, wider than tall.
    let near = Actor::new(1, &[(0.0, 0.5, 0.9), (3.0, 0.5, 1.0), (20.0, 0.5, 1.0)]).sized(0.1, 0.5);
    let near = near.then_sized(3.0, 0.2, 0.6).then_sized(4.0, 0.2, 0.3);
    let stays_cut = Actor::standing(2, (0.2, 1.0), 0.0, 20.0).sized(0.2, 0.3);
    assert_eq!(begun(vec![near, stays_cut]), []);
    // Who stood clear of the border and falls to it counts.
    let falls = Actor::new(1, &[(0.0, 0.5, 0.9), (4.0, 0.5, 0.9), (4.1, 0.5, 1.0), (20.0, 0.5, 1.0)]).sized(0.1, 0.5);
    assert_eq!(begun(vec![falls.then_sized(4.0, 0.3, 0.2)]).len(), 1);
}

#[test]
fn who_stands_with_the_feet_out_of_the_picture_and_falls_is_told() {
    let stands = Actor::standing(1, (0.5, 1.0), 0.0, 20.0).sized(0.2, 0.95);
    assert_eq!(begun(vec![stands.clone().then_sized(4.0, 0.3, 0.33)]), [(9.0, track(1))]);
    // Who only bends down, or comes so near that head and shoulders are left, does not lie.
    assert_eq!(begun(vec![stands.then_sized(4.0, 0.3, 0.5)]), []);
}

#[test]
fn who_sits_down_behind_a_table_does_not_lie() {
    // The table hides the legs: the box ends higher up, and is as wide as tall.
    let sits = Actor::new(1, &[(0.0, 0.5, 0.8), (4.0, 0.5, 0.8), (4.1, 0.5, 0.66), (20.0, 0.5, 0.66)]).sized(0.08, 0.4);
    assert_eq!(begun(vec![sits.then_sized(4.1, 0.1, 0.16)]), []);
}

#[test]
fn a_track_that_breaks_at_the_fall_is_the_same_person() {
    let stands = Actor::standing(1, (0.5, 0.8), 0.0, 4.0).sized(0.08, 0.4);
    // Along the view, so that only the height tells.
    let lies = Actor::standing(2, (0.52, 0.82), 4.6, 20.0).sized(0.1, 0.2);
    let begun_by_place = begun(vec![stands.clone(), lies.clone()]);
    assert_eq!(begun_by_place.len(), 1);
    assert!((9.5..=9.9).contains(&begun_by_place[0].0), "{begun_by_place:?}");
    let elsewhere = Actor::standing(2, (0.9, 0.82), 4.6, 20.0).sized(0.1, 0.2);
    assert_eq!(begun(vec![stands, elsewhere]), []);
}

#[test]
fn who_crawls_begins_anew_and_who_has_fired_goes_on() {
    let crawls = Actor::new(1, &[(0.0, 0.2, 0.8), (12.0, 0.8, 0.8), (20.0, 0.8, 0.8)]).sized(0.2, 0.12);
    let at = begun(vec![crawls])[0].0;
    assert!(at >= 15.0, "{at}");
    let later = Actor::new(1, &[(0.0, 0.2, 0.8), (7.0, 0.2, 0.8), (20.0, 0.8, 0.8)]).sized(0.2, 0.12);
    let lines = Play::new(vec![rule(Vec::new())], vec![later]).run(5.0, 20.0);
    assert_eq!((lines.len(), lines[0].at), (1, 5.0));
}

#[test]
fn it_ends_when_they_are_up_for_two_seconds() {
    let up = falls(30.0).then_sized(12.0, 0.08, 0.4).then_sized(13.0, 0.2, 0.12).then_sized(15.0, 0.08, 0.4);
    let lines = Play::new(vec![rule(Vec::new())], vec![up]).run(5.0, 30.0);
    let told: Vec<_> = lines.iter().map(|line| (line.at, line.change)).collect();
    assert_eq!(told, [(9.0, Change::Began), (17.0, Change::Ended(CloseReason::Cleared))]);
}

#[test]
fn a_class_of_the_model_that_means_a_fall_counts_directly() {
    let fallen = Actor::standing(1, (0.5, 0.8), 0.0, 20.0).sized(0.08, 0.2).of_class(7);
    assert_eq!(Play::new(vec![rule(vec![7])], vec![fallen.clone()]).begun(5.0, 20.0), [(5.0, track(1))]);
    assert_eq!(begun(vec![fallen]), []);
}

#[test]
fn hidden_for_a_moment_goes_on_and_lost_begins_anew() {
    assert_eq!(begun(vec![falls(20.0).hidden(5.0, 6.4)]), [(9.0, track(1))]);
    assert_eq!(begun(vec![falls(20.0).hidden(5.0, 8.0)]), [(13.0, track(1))]);
}

#[test]
fn few_and_many_pictures_agree() {
    let at = |fps| Play::new(vec![rule(Vec::new())], vec![falls(20.0)]).begun(fps, 20.0)[0].0;
    assert!((at(3.0) - at(25.0)).abs() <= 0.41, "{} {}", at(3.0), at(25.0));
}

#[test]
fn a_box_that_flickers_goes_on() {
    let flickers = falls(20.0).then_sized(6.0, 0.08, 0.4).then_sized(6.3, 0.2, 0.12);
    assert_eq!(begun(vec![flickers]), [(9.0, track(1))]);
}

#[test]
fn a_blind_camera_ends_it_and_it_begins_anew() {
    let mut play = Play::new(vec![rule(Vec::new())], vec![falls(40.0)]);
    play.blind = vec![(10.0, 12.0)];
    let told: Vec<_> = play.run(5.0, 30.0).iter().map(|line| (line.at, line.change)).collect();
    assert_eq!(told, [(9.0, Change::Began), (10.0, Change::Ended(CloseReason::Blind)), (17.0, Change::Began)]);
}

#[test]
fn outside_of_the_zone_and_below_the_score_nobody_lies() {
    let zone = Some(sample::zone("hall", &[(0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)]));
    let kind = RuleKind::PersonDown { zone, dwell: Duration::from_secs(5), down_classes: Vec::new() };
    assert_eq!(Play::new(vec![sample::rule("r", kind)], vec![falls(20.0)]).begun(5.0, 20.0), []);
    assert_eq!(begun(vec![falls(20.0).scoring(0.4)]), []);
}
