use karaul_wire::RuleKind as Kind;

use super::{
    camera::Zones,
    choose,
    geometry::extent,
    measure::out_of,
    rule::Scene,
    table::Table,
    value::{duration, number, texts, word},
};
use crate::{
    config::{BoxPoint, Filter, Zone},
    track::TrackerSettings,
    vision::Manifest,
};

/// The filter of a rule, and that for the dark if it has one.
pub(super) fn filters(table: &Table<'_>, kind: Kind, scene: &Scene<'_>) -> Option<(Filter, Option<Filter>)> {
    let looks_at_nothing = matches!(kind, Kind::Sequence | Kind::CameraTampering | Kind::CameraLoss);
    if looks_at_nothing {
        return Some((Filter::default(), None));
    }
    let optional = kind == Kind::RemovedObject && !table.has("classes");
    let classes = if optional { Some(Vec::new()) } else { classes(table, "classes", scene.model) };
    let filter = filter(table, None, scene);
    let night = table.child("night").map(|table| self::filter(&table, filter.as_ref(), scene));
    let filter = Filter { classes: classes?, ..filter? };
    let night = match night {
        Some(night) => Some(Filter { classes: filter.classes.clone(), ..night? }),
        None => None,
    };
    Some((filter, night))
}

/// The filter without its classes; what is not written in the table is as by day.
fn filter(table: &Table<'_>, day: Option<&Filter>, scene: &Scene<'_>) -> Option<Filter> {
    let score = |name| table.get(name, number).map(|score| score as f32);
    let min_score = score("min_score").or(day.map(|day| day.min_score));
    let keep_score = score("keep_score").or(day.map(|day| day.keep_score));
    check_scores(table, min_score, keep_score);
    let confirm = table.get("confirm", out_of).or(day.map(|day| day.confirm));
    let min_size = table.get("min_size", extent).or(day.map(|day| day.min_size));
    let max_size = table.get("max_size", extent).or(day.map(|day| day.max_size));
    check_sizes(table, min_size, max_size);
    let height_m = heights(table, day, scene);
    let aspect = |name, i: usize| table.get(name, number).map(|n| n as f32).or(day.map(|day| day.aspect[i]));
    let (min_aspect, max_aspect) = (aspect("min_aspect", 0), aspect("max_aspect", 1));
    ordered(table, ["min_aspect", "max_aspect"], min_aspect, max_aspect);
    let min_travel = score("min_travel").or(day.map(|day| day.min_travel));
    let min_age = table.get("min_age", duration).or(day.map(|day| day.min_age));
    let point = table.get("point", word(&BoxPoint::ALL, BoxPoint::as_str)).or(day.map(|day| day.point));
    let masks = if table.has("masks") { masks(table, scene.zones) } else { day.map(|day| day.masks.clone()) };
    Some(Filter {
        classes: Vec::new(),
        min_score: min_score?,
        keep_score: keep_score?,
        confirm: confirm?,
        min_size: min_size?,
        max_size: max_size?,
        height_m,
        aspect: [min_aspect?, max_aspect?],
        min_travel: min_travel?,
        min_age: min_age?,
        point: point?,
        masks: masks.unwrap_or_default(),
    })
}

fn check_scores(table: &Table<'_>, min_score: Option<f32>, keep_score: Option<f32>) {
    let (Some(min), Some(keep)) = (min_score, keep_score) else { return };
    // The agent asks every model for more than its manifest does, down to here.
    let floor = TrackerSettings::default().low_score;
    if table.has("min_score") && min < floor {
        let what = format!("no detection below {floor} is looked at, so this is the same as {floor}");
        table.warning("min_score", &what, "write what is meant");
    }
    let written = written(table, ["min_score", "keep_score"]);
    if let Some(key) = written.filter(|_| keep > min) {
        let what = format!("keep_score is {keep} and min_score {min}, but an object keeps counting down to keep_score");
        table.error(key, &what, "write the smaller one in keep_score");
    }
}

fn check_sizes(table: &Table<'_>, min_size: Option<[f32; 2]>, max_size: Option<[f32; 2]>) {
    let (Some(min), Some(max)) = (min_size, max_size) else { return };
    let Some(key) = written(table, ["min_size", "max_size"]) else { return };
    if min.iter().zip(max).any(|(min, max)| *min > max) {
        table.error(key, "min_size is greater than max_size, so no object fits", "write the smaller one in min_size");
    } else if table.has("max_size") && max.contains(&0.0) {
        table.error("max_size", "no object is that small, so none fits", "write how big an object may be at most");
    }
}

/// `min_height_m` and `max_height_m`.
fn heights(table: &Table<'_>, day: Option<&Filter>, scene: &Scene<'_>) -> Option<[f32; 2]> {
    let names = ["min_height_m", "max_height_m"];
    let of_day = day.and_then(|day| day.height_m);
    let Some(key) = written(table, names) else { return of_day };
    if scene.ground.is_none() {
        let remedy =
            "add [camera.ground] with four points and where they lie in metres, or write min_size and max_size";
        table.undefined(key, "metres can be told only from the ground", remedy);
    }
    let [least, most] = names.map(|name| table.get(name, number).map(|metres| metres as f32));
    let [of_least, of_most] = of_day.unwrap_or([0.0, f32::MAX]);
    let (least, most) = (least.unwrap_or(of_least), most.unwrap_or(of_most));
    ordered(table, names, Some(least), Some(most));
    Some([least, most])
}

/// Reports a least value above the greatest.
fn ordered(table: &Table<'_>, names: [&str; 2], least: Option<f32>, most: Option<f32>) {
    let Some(key) = written(table, names) else { return };
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        let [min, max] = names;
        let what = format!("{min} is greater than {max}, so no object fits");
        table.error(key, &what, format!("write the smaller one in {min}"));
    }
}

/// The second of two keys if it is written in the table, otherwise the first if that is.
fn written<'n>(table: &Table<'_>, [first, second]: [&'n str; 2]) -> Option<&'n str> {
    [second, first].into_iter().find(|name| table.has(name))
}

/// The zones in which nothing counts.
fn masks(table: &Table<'_>, zones: &Zones) -> Option<Vec<Zone>> {
    let mut masks = Vec::new();
    for name in &table.get("masks", texts)? {
        match zones.find(name.get_ref()) {
            Ok(zone) => masks.extend(zone.map(|(id, polygon)| Zone { id, polygon })),
            Err(remedy) => {
                let shown = table.report.source.excerpt(&name.span());
                let what = format!("{shown} in masks: this camera has no such zone");
                table.report.absence(&table.place, &name.span(), what, Some(remedy));
            }
        }
    }
    Some(masks)
}

/// The indices of the labels that a rule names.
pub(super) fn classes(table: &Table<'_>, key: &str, model: Option<&Manifest>) -> Option<Vec<u16>> {
    let names = table.get(key, texts)?;
    let model = model?;
    let labels: Vec<&str> = model.labels.iter().map(String::as_str).collect();
    let mut classes = Vec::new();
    let mut whole = true;
    for name in &names {
        let shown = table.report.source.excerpt(&name.span());
        let index = labels.iter().position(|label| label == name.get_ref()).and_then(|i| u16::try_from(i).ok());
        match index {
            Some(class) if classes.contains(&class) => {
                let what = format!("{shown} in {key}: it is already in the list");
                table.report.warning(&table.place, &name.span(), what, "remove it");
            }
            Some(class) => classes.push(class),
            None => {
                whole = false;
                let what = format!("{shown} in {key}: the model {} has no such class", model.id);
                let remedy = choose(name.get_ref(), &labels, "choose another model");
                table.report.absence(&table.place, &name.span(), what, Some(remedy));
            }
        }
    }
    whole.then_some(classes)
}
