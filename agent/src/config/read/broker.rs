use std::path::{Path, PathBuf};

use toml::{Spanned, de::DeValue};

use super::{
    Surroundings,
    login::{login, others_may_read},
    table::Table,
    value::{Checked, Wrong, duration, each, id, text, whole, word},
};
use crate::{
    config::{
        Address, Broker, Delivery, FileError, Identity, Secrets,
        keys::{Key, Takes},
        read_text,
        url::{BrokerUrl, UrlError, is_local},
    },
    uplink::{check_authorities, check_certificate, check_key, check_pair},
};

pub(super) fn broker(table: &Table<'_>, around: &Surroundings) -> Option<Broker> {
    let url = table.get("url", |key, value| {
        let text = text(key, value)?;
        text.parse::<BrokerUrl>().or_else(|why: UrlError| Wrong::new(why.to_string(), why.remedy()))
    });
    let fallback = fallbacks(table, url.as_ref());
    let tls = url.as_ref().is_none_or(|url| url.tls);
    let ca_file = authorities(table, tls, "mqtts://", around);
    let identity = identity(table, tls, around);
    let login = login(table, around);
    let keep_alive = table.get("keep_alive", duration);
    let delivery = delivery(table);
    let backlog_rate = table.get("backlog_rate", whole);
    let url = url?;
    if !url.tls && table.has("password") {
        let what = "the password crosses the network unencrypted";
        let remedy = "write mqtts:// if the broker speaks TLS";
        if !is_local(&url.host) {
            table.warning("url", what, remedy);
        } else if fallback.iter().any(|address| !is_local(&address.host)) {
            table.warning("fallback", what, remedy);
        }
    }
    let (host, port, tls) = (url.host, url.port.get(), url.tls);
    Some(Broker {
        host,
        port,
        tls,
        fallback,
        ca_file,
        identity,
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

/// The addresses to go to when `url` cannot be had.
fn fallbacks(table: &Table<'_>, url: Option<&BrokerUrl>) -> Vec<Address> {
    let read = |key: &'static Key, value: &Spanned<DeValue<'_>>| -> Checked<Vec<Address>> {
        let mut found: Vec<Address> = Vec::new();
        each(key, value, |text, at| {
            let wrong = |what: &str, remedy: &str| Err(Wrong::at(what, remedy, at.clone()));
            let other = match text.parse::<BrokerUrl>() {
                Ok(other) => other,
                Err(why) => return wrong(&why.to_string(), &why.remedy()),
            };
            if url.is_some_and(|url| url.tls != other.tls) {
                // One switch for all: a broker that cannot be had must not lead to a link without TLS.
                return wrong("it is not of the same kind as url", "write mqtts:// in both, or mqtt:// in both");
            }
            let address = Address { host: other.host, port: other.port.get() };
            let first = url.is_some_and(|url| (&url.host, url.port.get()) == (&address.host, address.port));
            if first || found.contains(&address) {
                return wrong("this broker is named already", "remove it");
            }
            found.push(address);
            Ok(())
        })?;
        match key.takes {
            Takes::BrokerUrls(max) if found.len() > max => {
                Wrong::new(format!("there are more than {max}"), format!("keep the {max} best"))
            }
            _ => Ok(found),
        }
    };
    table.get("fallback", read).unwrap_or_default()
}

/// `certificate` and `key`.
fn identity(table: &Table<'_>, tls: bool, around: &Surroundings) -> Option<Identity> {
    let certificate = table.get("certificate", text).map(|text| around.path(&text));
    let key = table.get("key", text).map(|text| around.path(&text));
    for (one, other) in [("certificate", "key"), ("key", "certificate")] {
        if table.has(one) && !table.has(other) && !table.misspelt(other) {
            table.error(one, &format!("{other} is missing beside it"), format!("add {other} = \"PATH\""));
        }
    }
    if !tls {
        let name = if certificate.is_some() { "certificate" } else { "key" };
        if certificate.is_some() || key.is_some() {
            let what = "url asks for a link without TLS, so the box shows no certificate";
            table.error(name, what, "write mqtts:// in url, or remove certificate and key");
        }
    }
    let (certificate, key) = (certificate?, key?);
    let pem = match read_text(&certificate) {
        Ok(pem) => match check_certificate(pem.as_bytes()) {
            Ok(None) => Some(pem),
            Ok(Some(soon)) => {
                // Not an error: the box has to watch and keep its alerts also when it cannot send them, its
                // clock may be wrong, and a renewed file is taken up while the agent runs.
                table.warning("certificate", &soon, "renew it; the new file is taken up by itself");
                Some(pem)
            }
            Err(why) => {
                table.error("certificate", why, "export the box's certificate as PEM (Base64)");
                None
            }
        },
        Err(why) => {
            unreadable(table, "certificate", &certificate, &why, around);
            None
        }
    };
    let secret = match (read_text(&key), around.secrets) {
        // Somebody who only checks the config may not be allowed to see its secrets.
        (_, Secrets::Ignored) => None,
        (Ok(secret), _) => match check_key(secret.as_bytes()) {
            Ok(()) => Some(secret),
            Err(why) => {
                let remedy = "it must be a PEM file with one key, as of: openssl pkcs8 -topk8 -nodes -in OLD -out NEW";
                table.error("key", why, remedy);
                None
            }
        },
        (Err(why), Secrets::Tried) => {
            let remedy = format!("{} must be a PEM file that Karaul may read", around.show(&key));
            table.warning("key", &why.to_string(), &remedy);
            None
        }
        (Err(why), Secrets::Required) => {
            unreadable(table, "key", &key, &why, around);
            None
        }
    };
    if secret.is_some() && others_may_read(&key) {
        let remedy = format!("chmod 600 {}", around.show(&key));
        table.warning("key", "other users of this machine may read the file", &remedy);
    }
    if let (Some(pem), Some(secret)) = (pem, secret)
        && let Err(why) = check_pair(pem.as_bytes(), secret.as_bytes())
    {
        let remedy = format!("name the key with which {} was asked for", around.show(&certificate));
        table.error("key", why, remedy);
    }
    Some(Identity { certificate, key })
}

/// `ca_file`: the authorities to trust instead of the system's. `secure` is how a url with TLS begins.
pub(super) fn authorities(table: &Table<'_>, tls: bool, secure: &str, around: &Surroundings) -> Option<PathBuf> {
    let path = table.get("ca_file", text).map(|text| around.path(&text))?;
    if !tls {
        let what = "url asks for a link without TLS, so no certificate is looked at";
        table.error("ca_file", what, format!("write {secure} in url, or remove ca_file"));
    }
    match read_text(&path) {
        Ok(pem) => {
            if let Err(why) = check_authorities(pem.as_bytes()) {
                table.error("ca_file", why, "export the authority's certificate as PEM (Base64)");
            }
        }
        Err(why) => unreadable(table, "ca_file", &path, &why, around),
    }
    Some(path)
}

fn unreadable(table: &Table<'_>, name: &str, path: &Path, why: &FileError, around: &Surroundings) {
    let remedy = format!("{} must be a PEM file that this user may read", around.show(path));
    table.error(name, &why.to_string(), remedy);
}
