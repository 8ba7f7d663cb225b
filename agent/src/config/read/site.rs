use std::sync::Arc;

use jiff::tz::{self, TimeZone};
use karaul_wire::{BoxPath, Language};
use toml::{Spanned, de::DeValue};

use super::{
    Surroundings, nearest,
    table::Table,
    value::{Checked, Wrong, duration, each, id, ids, size, text, time, words},
};
use crate::config::{Holiday, HolidayError, Site, Storage, Test, keys::Key};

pub(super) fn site(table: &Table<'_>) -> Option<Site> {
    let region = table.get("region", id);
    let district = table.get("district", id);
    let name = table.get("name", id);
    let unit = table.get("box", id);
    let time_zone = table.get("time_zone", time_zone);
    let languages = table.get("languages", words(&Language::ALL, Language::as_str));
    let modes = table.get("modes", ids).unwrap_or_default();
    let holidays = table.get("holidays", holidays).unwrap_or_default();
    let path = BoxPath { region: region?, district: district?, site: name?, unit: unit? };
    Some(Site { path, time_zone: time_zone?, languages: languages?, modes, holidays })
}

fn time_zone(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<TimeZone> {
    let name = text(key, value)?;
    TimeZone::get(&name).or_else(|_| {
        let zones: Vec<String> = tz::db().available().map(|zone| zone.to_string()).collect();
        if zones.is_empty() {
            return Wrong::new("this machine knows no time zones", "install the package tzdata");
        }
        let names: Vec<&str> = zones.iter().map(String::as_str).collect();
        // People know the city, not the continent before it.
        let city = |zone: &&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&name));
        let place = "write it by region and city, as in \"Asia/Almaty\"".to_owned();
        let remedy = match names.iter().copied().find(|zone| city(zone)) {
            Some(zone) => format!("did you mean \"{zone}\"?"),
            None => match nearest(&name, names.iter().copied().filter(|zone| zone.contains('/'))) {
                Some(zone) => format!("did you mean \"{zone}\"?"),
                None => place,
            },
        };
        Wrong::new("there is no such time zone", remedy)
    })
}

fn holidays(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Arc<[Holiday]>> {
    let mut days: Vec<Holiday> = Vec::new();
    each(key, value, |text, at| {
        let wrong = |what: String, remedy: &str| Err(Wrong::at(what, remedy, at.clone()));
        match text.parse::<Holiday>() {
            Ok(day) if days.contains(&day) => wrong("it is already in the list".to_owned(), "remove it"),
            Ok(day) => {
                days.push(day);
                Ok(())
            }
            Err(why) => {
                let remedy = match why {
                    HolidayError::Form => {
                        "for example \"2026-12-16\", \"2026-03-21..2026-03-25\", or in each year \"every 12-16\""
                    }
                    HolidayError::Order => "write the earlier day first",
                };
                wrong(why.to_string(), remedy)
            }
        }
    })?;
    Ok(days.into())
}

pub(super) fn storage(table: &Table<'_>, around: &Surroundings) -> Option<Storage> {
    let path = table.get("path", text).map(|text| around.path(&text));
    if path.as_ref().is_some_and(|path| path.is_file()) {
        table.error("path", "this is a file", "name a folder; it is made if it is not there");
    }
    let outbox_quota = table.get("outbox_quota", size);
    let evidence_quota = table.get("evidence_quota", size);
    let retention = table.get("retention", duration);
    Some(Storage { path: path?, outbox_quota: outbox_quota?, retention: retention?, evidence_quota: evidence_quota? })
}

pub(super) fn test(table: &Table<'_>) -> Option<Test> {
    let at = if table.has("at") { Some(table.get("at", time)) } else { None };
    let within = table.get("within", duration);
    let at = match at {
        Some(given) => Some(given?),
        None => None,
    };
    Some(Test { at, within: within? })
}
