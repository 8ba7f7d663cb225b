use std::collections::BTreeMap;

use karaul_wire::{RuleKind as Kind, Segment, Severity};

use super::{
    camera::{Lines, Zones, unique},
    choose,
    filter::filters,
    kind,
    schedule::Schedules,
    table::Table,
    value::{duration, id, text, texts, whole, word},
};
use crate::{
    config::{Escalation, Light, Rule, Site},
    rules::Ground,
    vision::Manifest,
};

/// What the rules of one camera refer to.
pub(super) struct Scene<'a> {
    pub(super) zones: &'a Zones,
    pub(super) lines: &'a Lines,
    /// `None` if something is wrong with it; classes are not looked up then.
    pub(super) model: Option<&'a Manifest>,
    pub(super) schedules: &'a Schedules,
    /// `None` if something is wrong with it; modes are not looked up then.
    pub(super) site: Option<&'a Site>,
    /// `None` if there is none; `Some(None)` if something is wrong with it.
    pub(super) ground: Option<Option<&'a Ground>>,
    /// Is the picture itself watched? `None` if that is not known.
    pub(super) sight: Option<bool>,
}

/// As much of a rule as others have to know that refer to it.
pub(super) struct Head {
    /// `None` if something is wrong with it.
    pub(super) id: Option<Segment>,
    /// `None` if something is wrong with it.
    pub(super) kind: Option<Kind>,
}

/// All rules of a camera. The list is whole only if nothing was reported.
pub(super) fn rules(camera: &Table<'_>, scene: &Scene<'_>) -> Vec<Rule> {
    let mut ids = BTreeMap::new();
    let mut heads = Vec::new();
    let mut tables = Vec::new();
    for mut table in camera.children("rule").unwrap_or_default() {
        let id = table.get("id", id);
        if let Some(id) = &id {
            unique(&table, id, "rule", &mut ids);
            let place = camera.inside(&format!("rule \"{id}\""));
            table = table.called(place);
        }
        let kind = table.get("kind", word(&Kind::ALL, Kind::as_str));
        if let Some(kind) = kind {
            table = table.of_kind(kind);
        }
        table.check_keys();
        heads.push(Head { id, kind });
        tables.push(table);
    }
    tables.iter().zip(&heads).filter_map(|(table, head)| rule(table, head, &heads, scene)).collect()
}

fn rule(table: &Table<'_>, head: &Head, all: &[Head], scene: &Scene<'_>) -> Option<Rule> {
    let severity = table.get("severity", word(&Severity::ALL, Severity::as_str));
    let escalate = table.child("escalate").map(|table| escalation(&table, severity));
    let schedule = table.get("schedule", text).map(|name| scene.schedules.find(&name, table));
    let modes = modes(table, scene.site);
    let light = table.get("light", word(&Light::ALL, Light::as_str));
    let budget = table.get("budget", whole).and_then(|count| u32::try_from(count).ok());
    // What follows has other keys and defaults in each kind.
    let kind = head.kind?;
    let filters = filters(table, kind, scene);
    if light == Some(Light::Day) && table.has("night") {
        table.warning(
            "light",
            "the rule is armed only by day, so [camera.rule.night] is of no use",
            "remove one of both",
        );
    }
    let cooldown = table.get("cooldown", duration);
    let kind = kind::kind(table, kind, all, scene);
    let (filter, night) = filters?;
    Some(Rule {
        id: head.id.clone()?,
        severity: severity?,
        // What is wrong was reported, and the rule is not used.
        escalate: escalate.flatten(),
        schedule: match schedule {
            Some(found) => Some(found?),
            None => None,
        },
        modes: modes?,
        light,
        cooldown: cooldown?,
        budget,
        filter,
        night,
        kind: kind?,
    })
}

/// `escalate` of a rule of this severity.
fn escalation(table: &Table<'_>, of_rule: Option<Severity>) -> Option<Escalation> {
    let after = table.get("after", duration);
    let severity = table.get("severity", word(&Severity::ALL, Severity::as_str))?;
    if of_rule.is_some_and(|of_rule| severity <= of_rule) {
        let what = format!("it is not above the severity of the rule, \"{}\"", of_rule?.as_str());
        let remedy = match of_rule? {
            Severity::Critical => "remove escalate: nothing is above \"critical\"",
            _ => "write a higher one, or a lower one as severity of the rule",
        };
        table.error("severity", &what, remedy);
        return None;
    }
    Some(Escalation { after: after?, severity })
}

/// The modes of the site that a rule names.
fn modes(table: &Table<'_>, site: Option<&Site>) -> Option<Vec<Segment>> {
    if !table.has("modes") {
        return Some(Vec::new());
    }
    let names = table.get("modes", texts)?;
    let known = &site?.modes;
    let words: Vec<&str> = known.iter().map(Segment::as_str).collect();
    let mut modes: Vec<Segment> = Vec::new();
    let mut whole = true;
    for name in &names {
        let shown = table.report.source.excerpt(&name.span());
        match known.iter().find(|mode| mode.as_str() == name.get_ref()) {
            Some(mode) if modes.contains(mode) => {
                let what = format!("{shown} in modes: it is already in the list");
                table.report.warning(&table.place, &name.span(), what, "remove it");
            }
            Some(mode) => modes.push(mode.clone()),
            None => {
                whole = false;
                let what = format!("{shown} in modes: the site has no such mode");
                let remedy = choose(name.get_ref(), &words, "add modes = [\"day\", \"night\"] to [site]");
                table.report.absence(&table.place, &name.span(), what, Some(remedy));
            }
        }
    }
    whole.then_some(modes)
}
