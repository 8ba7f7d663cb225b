use std::collections::BTreeMap;

use karaul_wire::{RuleKind as Kind, Severity};

use super::{
    camera::{Lines, Zones, unique},
    choose,
    geometry::extent,
    schedule::Schedules,
    table::Table,
    value::{duration, id, number, text, texts, word},
};
use crate::{
    config::{Direction, Filter, Rule, RuleKind},
    track::TrackerSettings,
    vision::Manifest,
};

/// What the rules of one camera refer to.
pub(super) struct Scene<'a> {
    pub(super) zones: &'a Zones,
    pub(super) lines: &'a Lines,
    /// `None` if something is wrong with it; classes are not looked up then.
    pub(super) model: Option<&'a Manifest>,
    pub(super) schedules: &'a Schedules,
}

/// All rules of a camera. The list is whole only if nothing was reported.
pub(super) fn rules(camera: &Table<'_>, scene: &Scene<'_>) -> Vec<Rule> {
    let mut ids = BTreeMap::new();
    let mut rules = Vec::new();
    for mut table in camera.children("rule").unwrap_or_default() {
        let id = table.get("id", id);
        if let Some(id) = &id {
            unique(&table, id, "rule", &mut ids);
            let place = camera.inside(&format!("rule \"{id}\""));
            table = table.called(place);
        }
        let kind = table.get("kind", word(&Kind::ALL, Kind::as_str));
        table.check_keys(kind);
        if let Some(kind) = kind {
            table = table.of_kind(kind);
        }
        let severity = table.get("severity", word(&Severity::ALL, Severity::as_str));
        let schedule = table.get("schedule", text).map(|name| scene.schedules.find(&name, &table));
        let filter = filter(&table, scene.model);
        // What follows has other keys and defaults in each kind.
        let Some(kind) = kind else { continue };
        let cooldown = table.get("cooldown", duration);
        let kind = match kind {
            Kind::Intrusion => intrusion(&table, scene.zones),
            Kind::LineCrossing => line_crossing(&table, scene.lines),
            // Not among the words of `kind`.
            Kind::DeliveryTest => None,
        };
        let whole = || {
            let schedule = match schedule {
                Some(found) => Some(found?),
                None => None,
            };
            Some(Rule { id: id?, severity: severity?, schedule, cooldown: cooldown?, filter: filter?, kind: kind? })
        };
        rules.extend(whole());
    }
    rules
}

fn intrusion(table: &Table<'_>, zones: &Zones) -> Option<RuleKind> {
    let zone = zones.of(table);
    let dwell = table.get("dwell", duration);
    let (zone, polygon) = zone?;
    Some(RuleKind::Intrusion { zone, polygon, dwell: dwell? })
}

fn line_crossing(table: &Table<'_>, lines: &Lines) -> Option<RuleKind> {
    let line = lines.of(table);
    let direction = table.get("direction", word(&Direction::ALL, Direction::as_str));
    let (line, points) = line?;
    Some(RuleKind::LineCrossing { line, points, direction: direction? })
}

fn filter(table: &Table<'_>, model: Option<&Manifest>) -> Option<Filter> {
    let classes = classes(table, model);
    let min_score = table.get("min_score", number);
    // The agent asks every model for more than its manifest does, down to here.
    let floor = TrackerSettings::default().low_score;
    if min_score.is_some_and(|least| (least as f32) < floor) {
        let what = format!("no detection below {floor} is looked at, so this is the same as {floor}");
        table.warning("min_score", &what, "write what is meant");
    }
    let min_size = table.get("min_size", extent);
    let max_size = table.get("max_size", extent);
    if let (Some(min), Some(max)) = (min_size, max_size) {
        if min.iter().zip(max).any(|(min, max)| *min > max) {
            let key = if table.has("max_size") { "max_size" } else { "min_size" };
            table.error(
                key,
                "min_size is greater than max_size, so no object fits",
                "write the smaller one in min_size",
            );
        } else if max.contains(&0.0) {
            table.error("max_size", "no object is that small, so none fits", "write how big an object may be at most");
        }
    }
    let min_travel = table.get("min_travel", number);
    Some(Filter {
        classes: classes?,
        min_score: min_score? as f32,
        min_size: min_size?,
        max_size: max_size?,
        min_travel: min_travel? as f32,
    })
}

/// The indices of the labels that a rule names.
fn classes(table: &Table<'_>, model: Option<&Manifest>) -> Option<Vec<u16>> {
    let names = table.get("classes", texts)?;
    let model = model?;
    let labels: Vec<&str> = model.labels.iter().map(String::as_str).collect();
    let mut classes = Vec::new();
    let mut whole = true;
    for name in &names {
        let shown = table.report.source.excerpt(&name.span());
        let index = labels.iter().position(|label| label == name.get_ref()).and_then(|i| u16::try_from(i).ok());
        match index {
            Some(class) if classes.contains(&class) => {
                let what = format!("{shown} in classes: it is already in the list");
                table.report.warning(&table.place, &name.span(), what, "remove it");
            }
            Some(class) => classes.push(class),
            None => {
                whole = false;
                let what = format!("{shown} in classes: the model {} has no such class", model.id);
                let remedy = choose(name.get_ref(), &labels, "choose another model");
                table.report.absence(&table.place, &name.span(), what, Some(remedy));
            }
        }
    }
    whole.then_some(classes)
}
