use jiff::tz::{self, TimeZone};
use karaul_wire::{BoxPath, Language};
use toml::{Spanned, de::DeValue};

use super::{
    Surroundings,
    login::login,
    nearest,
    table::Table,
    value::{Checked, Wrong, duration, id, size, text, whole, word, words},
};
use crate::{
    config::{
        Broker, Delivery, Site, Storage,
        keys::Key,
        read_text,
        url::{BrokerUrl, UrlError},
    },
    uplink::check_authorities,
};

pub(super) fn site(table: &Table<'_>) -> Option<Site> {
    let region = table.get("region", id);
    let district = table.get("district", id);
    let name = table.get("name", id);
    let unit = table.get("box", id);
    let time_zone = table.get("time_zone", time_zone);
    let languages = table.get("languages", words(&Language::ALL, Language::as_str));
    let path = BoxPath { region: region?, district: district?, site: name?, unit: unit? };
    Some(Site { path, time_zone: time_zone?, languages: languages? })
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

pub(super) fn broker(table: &Table<'_>, around: &Surroundings) -> Option<Broker> {
    let url = table.get("url", |key, value| {
        let text = text(key, value)?;
        text.parse::<BrokerUrl>().or_else(|why: UrlError| Wrong::new(why.to_string(), why.remedy()))
    });
    let ca_file = table.get("ca_file", text).map(|text| around.path(&text));
    if let Some(path) = &ca_file {
        if url.as_ref().is_some_and(|url| !url.tls) {
            let what = "url asks for a link without TLS, so no certificate is looked at";
            table.error("ca_file", what, "write mqtts:// in url, or remove ca_file");
        }
        match read_text(path) {
            Ok(pem) => {
                if let Err(why) = check_authorities(pem.as_bytes()) {
                    table.error("ca_file", why, "export the authority's certificate as PEM (Base64)");
                }
            }
            Err(why) => {
                let remedy = format!("{} must be a PEM file that this user may read", around.show(path));
                table.error("ca_file", &why.to_string(), remedy);
            }
        }
    }
    let login = login(table, around);
    let keep_alive = table.get("keep_alive", duration);
    let delivery = delivery(table);
    let backlog_rate = table.get("backlog_rate", whole);
    let url = url?;
    if !url.tls && table.has("password") && !url.is_local() {
        let what = "the password crosses the network unencrypted";
        table.warning("url", what, "write mqtts:// if the broker speaks TLS");
    }
    Some(Broker {
        host: url.host,
        port: url.port.get(),
        tls: url.tls,
        ca_file,
        login,
        keep_alive: keep_alive?,
        delivery: delivery?,
        backlog_rate: u32::try_from(backlog_rate?).unwrap_or(u32::MAX),
    })
}

fn delivery(table: &Table<'_>) -> Option<Delivery> {
    let delivery = table.get("delivery", word(&Delivery::WORDS, |word| word))?;
    let consumer = table.get("consumer", id);
    match (delivery, consumer) {
        ("receipt", Some(consumer)) => Some(Delivery::Receipt(consumer)),
        ("receipt", None) => {
            if !table.has("consumer") {
                let what = "nobody is named who confirms the alerts";
                table.error("delivery", what, "name the operations centre's consumer, as in consumer = \"ops\"");
            }
            None
        }
        (_, Some(_)) => {
            let what = "nobody waits for its receipts";
            table.error("consumer", what, "write delivery = \"receipt\", or remove consumer");
            None
        }
        (_, None) => Some(Delivery::Puback),
    }
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
