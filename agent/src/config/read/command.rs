use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use karaul_wire::{Segment, Verb};
use toml::{Spanned, de::DeValue};

use super::{
    Surroundings,
    camera::unique,
    choose,
    table::Table,
    value::{Checked, Wrong, duration, id, text, texts, words},
};
use crate::{
    config::{Camera, CommandKey, Commands, Role, Site, keys::Key},
    trust::{PublicKey, PublicKeyError, PublicKeyFileError, concerns_box},
};

/// What is told of a private key, without showing it.
const PRIVATE: &str = "this is a PRIVATE key, and it does not belong here: whoever can read it could command the box \
                       in its owner's name";
const PRIVATE_REMEDY: &str =
    "throw that pair away, make another with `karaul command keygen`, and write the public_key that it prints";

/// `[command]`. `cameras` is `None` if they cannot be told for an error elsewhere.
pub(super) fn commands(
    table: &Table<'_>,
    around: &Surroundings,
    site: Option<&Site>,
    cameras: Option<&[Camera]>,
) -> Option<Commands> {
    let longest_validity = table.get("longest_validity", duration);
    let clock_tolerance = table.get("clock_tolerance", duration);
    let time_sync_file = table.get("time_sync_file", text).map(|text| around.path(&text));
    let roles = Roles::read(table, cameras);
    let keys = keys(table, around, site.map(|site| &site.time_zone), &roles);
    roles.warn_unused(table);
    let roles = roles.0.into_values().filter_map(|entry| entry.role).collect();
    Some(Commands {
        longest_validity: longest_validity?,
        clock_tolerance: clock_tolerance?,
        time_sync_file: time_sync_file?,
        keys: keys?,
        roles,
    })
}

/// The roles of the document, and which of them a key has.
struct Roles(BTreeMap<String, Entry>);

struct Entry {
    /// `None` if something is wrong with it.
    role: Option<(Segment, Role)>,
    /// Where to say that nobody has it; `None` if something else was said.
    place: Option<(String, Range<usize>)>,
    used: Cell<bool>,
}

impl Roles {
    fn read(command: &Table<'_>, cameras: Option<&[Camera]>) -> Self {
        let entries = command.named("role").into_iter().map(|(name, found)| {
            let used = Cell::new(false);
            let Some((id, table)) = found else { return (name, Entry { role: None, place: None, used }) };
            let role = role(&table, cameras).map(|role| (id, role));
            (name, Entry { role, place: Some((table.place, table.span)), used })
        });
        Self(entries.collect())
    }

    /// The roles that a key names; the list is whole only if nothing was reported.
    fn of(&self, key: &Table<'_>) -> Option<BTreeSet<Segment>> {
        let names = key.get("roles", texts)?;
        let mut roles = BTreeSet::new();
        for name in &names {
            let shown = key.report.source.excerpt(&name.span());
            if let Some(entry) = self.0.get(name.get_ref()) {
                entry.used.set(true);
                let Some((id, _)) = &entry.role else { continue };
                if !roles.insert(id.clone()) {
                    let what = format!("{shown} in roles: it is already in the list");
                    key.report.warning(&key.place, &name.span(), what, "remove it");
                }
            } else if self.0.values().all(|entry| entry.place.is_some()) {
                // Otherwise it may be the one whose header is wrong, which was reported.
                let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
                let what = format!("{shown} in roles: there is no such role");
                let remedy = choose(name.get_ref(), &known, "add [command.role.<id>] with its verbs");
                key.report.absence(&key.place, &name.span(), what, Some(remedy));
            }
        }
        Some(roles)
    }

    fn warn_unused(&self, command: &Table<'_>) {
        let unused = self.0.values().filter(|entry| !entry.used.get());
        for (place, span) in unused.filter_map(|entry| entry.place.as_ref()) {
            let remedy = "name it in roles of a [[command.key]], or remove it";
            command.report.idle(place, span, "no key has this role".to_owned(), remedy);
        }
    }
}

fn role(table: &Table<'_>, cameras: Option<&[Camera]>) -> Option<Role> {
    let verbs: Option<Vec<Verb>> = table.get("verbs", words(&Verb::ALL, Verb::as_str));
    if !table.has("cameras") {
        return Some(Role { verbs: verbs?.into_iter().collect(), cameras: None });
    }
    let names = table.get("cameras", texts)?;
    let mut chosen = BTreeSet::new();
    for name in &names {
        let Some(cameras) = cameras else { continue };
        let shown = table.report.source.excerpt(&name.span());
        match cameras.iter().find(|camera| camera.id.as_str() == name.get_ref()) {
            Some(camera) if !chosen.insert(camera.id.clone()) => {
                let what = format!("{shown} in cameras: it is already in the list");
                table.report.warning(&table.place, &name.span(), what, "remove it");
            }
            Some(_) => {}
            None => {
                let known: Vec<&str> = cameras.iter().map(|camera| camera.id.as_str()).collect();
                let what = format!("{shown} in cameras: there is no such camera");
                let remedy = choose(name.get_ref(), &known, "add it as a [[camera]]");
                table.report.absence(&table.place, &name.span(), what, Some(remedy));
            }
        }
    }
    let verbs = verbs?;
    for verb in verbs.iter().filter(|verb| concerns_box(**verb)) {
        let what = format!("{verb} concerns the whole box, so a role that is only for some cameras cannot use it");
        table.warning("verbs", &what, "remove it, or put it into a role without cameras");
    }
    Some(Role { verbs: verbs.into_iter().collect(), cameras: Some(chosen) })
}

/// All keys, if nothing was reported about the list of them.
fn keys(
    command: &Table<'_>,
    around: &Surroundings,
    time_zone: Option<&TimeZone>,
    roles: &Roles,
) -> Option<BTreeMap<Segment, CommandKey>> {
    let mut ids = BTreeMap::new();
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for mut table in command.children("key")? {
        let id = table.get("id", id);
        if let Some(id) = &id {
            unique(&table, id, "key", &mut ids);
            table = table.called(format!("command key \"{id}\""));
        }
        table.check_keys();
        let public_key = public_key(&table, around);
        if let Some(key) = &public_key
            && let Some(first) = places.insert(key.to_string(), table.place.clone())
        {
            let what = format!("{first} is the same key");
            table.error("public_key", &what, "give each person a key of their own, or put all roles into one entry");
        }
        let roles = roles.of(&table);
        let not_after = table.get("not_after", |key, value| day(key, value, time_zone));
        if let (Some(id), Some(public_key), Some(roles)) = (id, public_key, roles) {
            keys.insert(id, CommandKey { public_key, roles, not_after });
        }
    }
    Some(keys)
}

fn public_key(table: &Table<'_>, around: &Surroundings) -> Option<PublicKey> {
    let given = table.get("public_key", |key, value| {
        let DeValue::String(text) = value.get_ref() else { return Wrong::unfit(key, value.get_ref()) };
        Ok(text.to_string())
    })?;
    let (read, file) = match given.strip_prefix("file:") {
        Some(path) => {
            let path = around.path(path);
            (PublicKey::read(&path), Some(around.show(&path)))
        }
        None => (PublicKey::parse(&given).map_err(Into::into), None),
    };
    let error = match read {
        Ok(key) => return Some(key),
        Err(error) => error,
    };
    let span = table.span_of("public_key");
    // Neither the text nor what stands in the file is shown: it may be the wrong half of the pair.
    let (what, remedy) = match (&error, &file) {
        (PublicKeyFileError::Key(PublicKeyError::Private), None) => {
            (format!("public_key: {PRIVATE}"), PRIVATE_REMEDY.to_owned())
        }
        (PublicKeyFileError::Key(PublicKeyError::Private), Some(file)) => {
            (format!("public_key = \"file:{file}\": {PRIVATE}"), PRIVATE_REMEDY.to_owned())
        }
        (_, None) => (format!("public_key: {error}"), "write what `karaul command keygen` printed".to_owned()),
        (_, Some(file)) => (
            format!("public_key = \"file:{file}\": {error}"),
            "it must be a PEM file with BEGIN PUBLIC KEY that this user may read".to_owned(),
        ),
    };
    table.report.error(&table.place, &span, what, Some(remedy));
    None
}

/// The end of a day in the site's time zone.
fn day(key: &'static Key, value: &Spanned<DeValue<'_>>, time_zone: Option<&TimeZone>) -> Checked<Timestamp> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        // TOML has days of its own, and people may write them.
        DeValue::Datetime(day) => day.to_string(),
        other => return Wrong::unfit(key, other),
    };
    let day = text.parse::<Date>().ok().filter(|_| text.len() == "2027-12-31".len());
    let end = day.and_then(|day| {
        let zone = time_zone.cloned().unwrap_or(TimeZone::UTC);
        Some(day.tomorrow().ok()?.to_zoned(zone).ok()?.timestamp())
    });
    match end {
        Some(end) => Ok(end),
        None => Wrong::unfit(key, value.get_ref()),
    }
}
