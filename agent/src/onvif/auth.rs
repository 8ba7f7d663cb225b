//! The two ways in which cameras want a login: the digest of a WS-UsernameToken, and HTTP digest authentication.
//!
//! Neither sends the password. HTTP Basic would, so it is never answered.

use std::fmt::Write as _;

use data_encoding::BASE64;
use jiff::Timestamp;
use openssl::{hash::MessageDigest, sha::sha1};

use super::soap::escaped;
use crate::trust::Secret;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Login {
    /// User name, without ':'.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// The SOAP header with a WS-UsernameToken (OASIS Username Token Profile 1.1, section 3.1): Base64 of SHA-1 over
/// nonce, time and password.
///
/// `created` is the camera's time, as it takes only what is fresh by its own clock.
pub(super) fn username_token(login: &Login, created: Timestamp, nonce: [u8; 16]) -> String {
    // Without fractions of a second, which some cameras cannot read.
    let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let digest = sha1(&[&nonce, created.as_bytes(), login.password.reveal().as_bytes()].concat());
    const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    const PROFILE: &str =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
    const BINARY: &str =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
    format!(
        "<Security s:mustUnderstand=\"1\" xmlns=\"{SECURITY}\"><UsernameToken><Username>{}</Username>\
         <Password Type=\"{PROFILE}\">{}</Password><Nonce EncodingType=\"{BINARY}\">{}</Nonce>\
         <Created xmlns=\"{UTILITY}\">{created}</Created></UsernameToken></Security>",
        escaped(&login.user),
        BASE64.encode(&digest),
        BASE64.encode(&nonce),
    )
}

/// A demand for HTTP digest authentication (RFC 7616) that can be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    pub(super) nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// With `qop=auth`, or in the old way of RFC 2069.
    with_count: bool,
    /// The nonce before was only too old; the login may be right.
    pub(super) stale: bool,
}

/// By strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Challenge {
    /// The strongest of those in the values of all `WWW-Authenticate`.
    pub(super) fn strongest<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        headers.into_iter().flat_map(schemes).filter_map(|scheme| Self::new(&scheme)).max_by_key(|c| c.algorithm)
    }

    fn new(scheme: &Scheme) -> Option<Self> {
        let value = |name: &str| scheme.values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if scheme.name != "digest" {
            return None;
        }
        let algorithm = match value("algorithm").map(str::to_ascii_lowercase).as_deref() {
            None | Some("md5") => Algorithm::Md5,
            Some("sha-256") => Algorithm::Sha256,
            // No camera is known that knows only the others.
            Some(_) => return None,
        };
        let with_count = match value("qop") {
            None => false,
            Some(list) => list.split(',').any(|word| word.trim().eq_ignore_ascii_case("auth")).then_some(true)?,
        };
        Some(Self {
            realm: value("realm").unwrap_or_default().to_owned(),
            nonce: value("nonce")?.to_owned(),
            opaque: value("opaque").map(str::to_owned),
            algorithm,
            with_count,
            stale: value("stale").is_some_and(|word| word.eq_ignore_ascii_case("true")),
        })
    }

    /// The value of `Authorization` for a POST to `path`, the `count`-th with this nonce. `None` if OpenSSL does not
    /// compute the hash, as MD5 where only approved ones are allowed.
    pub(super) fn answer(&self, login: &Login, path: &str, count: u32, cnonce: &str) -> Option<String> {
        let Self { realm, nonce, .. } = self;
        let user = &login.user;
        let who = self.hash(&format!("{user}:{realm}:{}", login.password.reveal()))?;
        let what = self.hash(&format!("POST:{path}"))?;
        let response = match self.with_count {
            true => self.hash(&format!("{who}:{nonce}:{count:08x}:{cnonce}:auth:{what}"))?,
            false => self.hash(&format!("{who}:{nonce}:{what}"))?,
        };
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut line = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{path}\", response=\"{response}\"",
            quoted(user),
            quoted(realm),
            quoted(nonce)
        );
        let algorithm = match self.algorithm {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        };
        // Writing to a String cannot fail.
        let _ = write!(line, ", algorithm={algorithm}");
        if self.with_count {
            let _ = write!(line, ", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\"");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(line, ", opaque=\"{}\"", quoted(opaque));
        }
        Some(line)
    }

    fn hash(&self, text: &str) -> Option<String> {
        let kind = match self.algorithm {
            Algorithm::Md5 => MessageDigest::md5(),
            Algorithm::Sha256 => MessageDigest::sha256(),
        };
        openssl::hash::hash(kind, text.as_bytes()).ok().map(hex::encode)
    }
}

/// One demand in a `WWW-Authenticate`; names are lower case.
#[derive(Debug, Default)]
struct Scheme {
    name: String,
    values: Vec<(String, String)>,
}

/// Takes a header apart that may hold several demands: `Basic realm="a", Digest realm="b", nonce="c"`
/// (RFC 9110, section 11.6.1).
fn schemes(header: &str) -> Vec<Scheme> {
    let mut schemes: Vec<Scheme> = Vec::new();
    for item in items(header) {
        // A word before the name of a value begins the next demand: "Digest realm".
        let (head, value) = item.split_once('=').map_or((item.as_str(), None), |(head, value)| (head, Some(value)));
        let mut words = head.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let key = match (second, value) {
            (Some(key), _) => {
                schemes.push(Scheme { name: first.to_ascii_lowercase(), values: Vec::new() });
                key
            }
            (None, None) => {
                schemes.push(Scheme { name: first.to_ascii_lowercase(), values: Vec::new() });
                continue;
            }
            (None, Some(_)) => first,
        };
        if let (Some(scheme), Some(value)) = (schemes.last_mut(), value) {
            scheme.values.push((key.to_ascii_lowercase(), unquoted(value.trim())));
        }
    }
    schemes
}

/// What is between the commas that are not in quotes.
fn items(header: &str) -> Vec<String> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for c in header.chars() {
        match c {
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            _ => {
                quoted ^= c == '"' && !escaped;
                escaped = quoted && c == '\\' && !escaped;
                item.push(c);
            }
        }
    }
    items.push(item);
    items.retain(|item| !item.trim().is_empty());
    items
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        text.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str, password: &str) -> Login {
        Login { user: user.to_owned(), password: Secret::new(password.to_owned()) }
    }

    #[test]
    fn the_token_is_that_of_the_onvif_programmers_guide() {
        // The worked example of the ONVIF Application Programmer's Guide, section 6.1.1.3.
        let nonce = BASE64.decode(b"LKqI6G/AikKCQrN0zqZFlg==").unwrap().try_into().unwrap();
        let header = username_token(&login("user", "userpassword"), "2010-09-16T07:50:45Z".parse().unwrap(), nonce);
        assert!(header.contains(">tuOSpGlFlIXsozq4HFNeeGeFLEI=</Password>"), "{header}");
        assert!(header.contains(">LKqI6G/AikKCQrN0zqZFlg==</Nonce>"), "{header}");
        assert!(header.contains(">2010-09-16T07:50:45Z</Created>"), "{header}");
        assert!(!header.contains("userpassword"), "{header}");
    }

    /// RFC 7616, section 3.9.1, but for the method, which is POST here.
    const RFC: &str = r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;

    #[test]
    fn digests_are_computed_as_the_rfc_says() {
        let mufasa = login("Mufasa", "Circle of Life");
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let challenge = Challenge::strongest([RFC]).unwrap();
        let line = challenge.answer(&mufasa, "/dir/index.html", 1, cnonce).unwrap();
        // hashlib of Python: sha256(sha256(user:realm:password):nonce:00000001:cnonce:auth:sha256(POST:/dir/index.html)).
        insta::assert_snapshot!(line, @r#"Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", response="b85bfcaae378db6f6d75b1706062ac3d66fec2dd3d0082d77885522866488dac", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#);
        let old = Challenge::strongest([r#"Digest realm="r", nonce="n""#]).unwrap();
        insta::assert_snapshot!(old.answer(&mufasa, "/a", 1, "c").unwrap(), @r#"Digest username="Mufasa", realm="r", nonce="n", uri="/a", response="bbacf3dec216e859743fc1fbbd1aff51", algorithm=MD5"#);
    }

    #[test]
    fn the_strongest_challenge_is_met_and_basic_never() {
        let md5 = r#"Digest realm="a, b", nonce="1", algorithm="MD5", qop="auth""#;
        let both = format!(r#"Basic realm="x", {md5}, {RFC}"#);
        let chosen = Challenge::strongest([both.as_str()]).unwrap();
        assert_eq!((chosen.algorithm, chosen.realm.as_str()), (Algorithm::Sha256, "http-auth@example.org"));
        let chosen = Challenge::strongest(["Negotiate", md5]).unwrap();
        assert_eq!((chosen.algorithm, chosen.realm.as_str(), chosen.with_count), (Algorithm::Md5, "a, b", true));
        for none in [
            r#"Basic realm="x""#,
            "Digest",
            r#"Digest realm="x""#,
            r#"Digest realm="x", nonce="1", algorithm=SHA-512-256"#,
            r#"Digest realm="x", nonce="1", qop="auth-int""#,
            ", ,=,\"",
            "",
        ] {
            assert_eq!(Challenge::strongest([none]), None, "{none}");
        }
        assert!(Challenge::strongest([r#"digest Realm="x",nonce=1,Stale=TRUE"#]).is_some_and(|c| c.stale));
    }

    #[test]
    fn quotes_in_names_stay_inside() {
        let challenge = Challenge::strongest([r#"Digest realm="a \"b\" \\", nonce="1""#]).unwrap();
        assert_eq!(challenge.realm, r#"a "b" \"#);
        let line = challenge.answer(&login("o\"brien", "x"), "/a", 1, "c").unwrap();
        assert!(line.starts_with(r#"Digest username="o\"brien", realm="a \"b\" \\", nonce="1""#), "{line}");
    }
}
