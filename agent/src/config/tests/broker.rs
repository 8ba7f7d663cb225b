//! Several brokers, and the box's own certificate.

use insta::assert_snapshot;
use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::X509,
};

use super::*;

const URL: &str = r#"url = "mqtts://ops.example.org""#;

fn new_key() -> PKey<Private> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap()
}

/// Valid since 2020, until so many seconds after 1970.
fn certificate(key: &PKey<Private>, until: i64) -> String {
    let mut builder = X509::builder().unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(1_577_836_800).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(until).unwrap()).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    String::from_utf8(builder.build().to_pem().unwrap()).unwrap()
}

fn pkcs8(key: &PKey<Private>) -> String {
    String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

/// 2100.
const FAR: i64 = 4_102_444_800;

#[test]
fn fallbacks_are_read_in_their_order() {
    let folder = Folder::new();
    let more = r#"fallback = ["mqtts://ops2.example.org", "mqtts://[2001:db8::1]:8884"]"#;
    let broker = folder.good(&plus(URL, more)).broker;
    let shown: Vec<String> = broker.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["ops.example.org:8883", "ops2.example.org:8883", "[2001:db8::1]:8884"]);
}

#[test]
fn a_wrong_fallback_is_said() {
    let folder = Folder::new();
    let said = |list: &str| folder.said(&plus(URL, &format!("fallback = {list}")));
    assert_snapshot!(said(r#"["mqtt://ops2.example.org"]"#), @r#"site.toml:11: [broker]: "mqtt://ops2.example.org" in fallback: it is not of the same kind as url; write mqtts:// in both, or mqtt:// in both"#);
    assert_snapshot!(said(r#"["mqtts://b", "mqtts://b:8883"]"#), @r#"site.toml:11: [broker]: "mqtts://b:8883" in fallback: this broker is named already; remove it"#);
    assert_snapshot!(said(r#"["mqtts://ops.example.org"]"#), @r#"site.toml:11: [broker]: "mqtts://ops.example.org" in fallback: this broker is named already; remove it"#);
    assert_snapshot!(said(r#"["mqtts://box:secret@ops2.example.org"]"#), @r#"site.toml:11: [broker]: "mqtts://********@ops2.example.org" in fallback: user and password do not belong into an address; take the login out of it and write username = "…" and password = "file:PATH" or "credential:NAME""#);
    assert_snapshot!(said("[]"), @r#"site.toml:11: [broker]: fallback = []: the list is empty; for example fallback = ["mqtts://ops2.example.org"]"#);
    assert_snapshot!(said(r#""mqtts://b""#), @r#"site.toml:11: [broker]: fallback = "mqtts://b": a list of up to 4 mqtt:// or mqtts:// addresses is wanted, not a text; for example fallback = ["mqtts://ops2.example.org"]"#);
    assert_snapshot!(said(r#"["mqtts://a", "mqtts://b", "mqtts://c", "mqtts://d", "mqtts://e"]"#), @r#"site.toml:11: [broker]: fallback = ["mqtts://a", "mqtts://b", "mqtts://c", "mqtts://d", "mqtts:…: there are more than 4; keep the 4 best"#);
}

#[test]
fn a_password_that_reaches_a_fallback_unencrypted_is_warned_of() {
    let folder = Folder::new();
    let local = r#"url = "mqtt://localhost"
username = "box"
password = "credential:gate"
"#;
    folder.good(&with(URL, local));
    let said = folder.said(&with(URL, &format!("{local}fallback = [\"mqtt://ops2.example.org\"]")));
    assert_snapshot!(said, @r#"site.toml:13: warning: [broker]: fallback = ["mqtt://ops2.example.org"]: the password crosses the network unencrypted; write mqtts:// if the broker speaks TLS"#);
}

#[test]
fn a_certificate_with_its_key_is_read() {
    let folder = Folder::new();
    let key = new_key();
    folder.write("box.pem", &certificate(&key, FAR));
    folder.write("box.key", &pkcs8(&key));
    let config = folder.good(&plus(URL, "certificate = \"box.pem\"\nkey = \"box.key\""));
    let identity = config.broker.identity.unwrap();
    assert_eq!((identity.certificate, identity.key), (folder.path("box.pem"), folder.path("box.key")));
}

#[test]
fn a_wrong_certificate_or_key_is_said() {
    let folder = Folder::new();
    let (key, other) = (new_key(), new_key());
    folder.write("box.pem", &certificate(&key, FAR));
    folder.write("box.key", &pkcs8(&key));
    folder.write("other.key", &pkcs8(&other));
    folder.write("ec.key", &String::from_utf8(key.ec_key().unwrap().private_key_to_pem().unwrap()).unwrap());
    folder.write("old.pem", &certificate(&key, 1_609_459_200));
    let said = |more: &str| folder.said(&plus(URL, more));
    let pair = |one: &str, other: &str| said(&format!("certificate = \"{one}\"\nkey = \"{other}\""));
    assert_snapshot!(said("certificate = \"box.pem\""), @r#"site.toml:11: [broker]: certificate = "box.pem": key is missing beside it; add key = "PATH""#);
    assert_snapshot!(said("key = \"box.key\""), @r#"site.toml:11: [broker]: key = "box.key": certificate is missing beside it; add certificate = "PATH""#);
    assert_snapshot!(pair("none.pem", "box.key"), @r#"site.toml:11: [broker]: certificate = "none.pem": the file cannot be read: No such file or directory (os error 2); none.pem must be a PEM file that this user may read"#);
    assert_snapshot!(pair("box.pem", "none.key"), @r#"site.toml:12: [broker]: key = "none.key": the file cannot be read: No such file or directory (os error 2); none.key must be a PEM file that this user may read"#);
    assert_snapshot!(pair("box.key", "box.key"), @r#"site.toml:11: [broker]: certificate = "box.key": there is no certificate in it; export the box's certificate as PEM (Base64)"#);
    assert_snapshot!(pair("box.pem", "box.pem"), @r#"site.toml:12: [broker]: key = "box.pem": there is no private key in it; it must be a PEM file with one key, as of: openssl pkcs8 -topk8 -nodes -in OLD -out NEW"#);
    assert_snapshot!(pair("box.pem", "ec.key"), @r#"site.toml:12: [broker]: key = "ec.key": the key is not in the form of PKCS #8; it must be a PEM file with one key, as of: openssl pkcs8 -topk8 -nodes -in OLD -out NEW"#);
    assert_snapshot!(pair("box.pem", "other.key"), @r#"site.toml:12: [broker]: key = "other.key": it does not belong to the certificate; name the key with which box.pem was asked for"#);
    assert_snapshot!(pair("old.pem", "box.key"), @r#"site.toml:11: warning: [broker]: certificate = "old.pem": it ended on Jan  1 00:00:00 2021 GMT; renew it; the new file is taken up by itself"#);
    let plain = with(URL, "url = \"mqtt://ops.example.org\"\ncertificate = \"box.pem\"\nkey = \"box.key\"");
    assert_snapshot!(folder.said(&plain), @r#"site.toml:11: [broker]: certificate = "box.pem": url asks for a link without TLS, so the box shows no certificate; write mqtts:// in url, or remove certificate and key"#);
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let key = new_key();
    folder.write("box.pem", &certificate(&key, FAR));
    folder.write("box.key", &pkcs8(&key));
    fs::set_permissions(folder.path("box.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = folder.said(&plus(URL, "certificate = \"box.pem\"\nkey = \"box.key\""));
    assert_snapshot!(said, @r#"site.toml:12: warning: [broker]: key = "box.key": other users of this machine may read the file; chmod 600 box.key"#);
}

#[test]
fn who_only_checks_need_not_see_the_key() {
    let folder = Folder::new();
    folder.write("box.pem", &certificate(&new_key(), FAR));
    let text = plus(URL, "certificate = \"box.pem\"\nkey = \"none.key\"");
    let outcome = folder.read(&text, Secrets::Tried);
    assert!(outcome.config.is_some());
    assert_snapshot!(folder.without_folder(&outcome.problems.to_string()).lines().find(|line| line.contains("none.key")).unwrap(), @r#"site.toml:12: warning: [broker]: key = "none.key": the file cannot be read: No such file or directory (os error 2); none.key must be a PEM file that Karaul may read"#);
}
