//! What the rules of a camera need of what stands before them.

use std::time::Duration;

use crate::{
    config,
    rules::Engine,
    scenery::{Scenery, ScenerySettings},
    track::TrackerSettings,
};

/// The classes that a rule looks at.
pub(super) fn classes(rule: &config::Rule) -> Vec<u16> {
    let mut classes = rule.filter.classes.clone();
    if let config::RuleKind::PersonDown { down_classes, .. } = &rule.kind {
        classes.extend(down_classes);
    }
    classes
}

/// Labels of what is put down and left, where a model knows it. All else moves by itself, or is moved: where it is, nothing can
/// be said of the scene behind it.
const THINGS: [&str; 6] = ["backpack", "handbag", "suitcase", "bag", "box", "parcel"];

pub(super) fn things(labels: &[String]) -> Vec<u16> {
    let is_thing =
        |(class, label): (usize, &String)| THINGS.contains(&label.as_str()).then(|| u16::try_from(class).ok())?;
    labels.iter().enumerate().filter_map(is_thing).collect()
}

/// What watches the zones of those rules that ask what was put down or taken away.
pub(super) fn scenery(camera: &config::Camera) -> Option<Scenery> {
    let zones = Engine::scenery_zones(&camera.rules);
    (!zones.is_empty()).then(|| Scenery::new(zones, ScenerySettings::default()))
}

/// A rule that is content with a lower score than usual needs tracks that begin there.
pub(super) fn tracker_settings(camera: &config::Camera) -> TrackerSettings {
    let usual = TrackerSettings::default();
    let filters = camera.rules.iter().flat_map(|rule| [Some(&rule.filter), rule.night.as_ref()]).flatten();
    let asked = filters.filter(|filter| !filter.classes.is_empty()).map(|filter| filter.min_score);
    let least = asked.fold(usual.new_score, f32::min);
    let score = least.max(usual.low_score);
    TrackerSettings { high_score: score, new_score: score, ..usual }
}

/// The longest time that a rule waits for.
pub(super) fn longest_dwell(camera: &config::Camera) -> Duration {
    camera.rules.iter().map(|rule| rule.kind.patience()).max().unwrap_or_default()
}
