//! How the camera knows who asks; written anew from the standards, not with the code under test.

use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};
use openssl::{hash::MessageDigest, sha::sha1};

use super::{PASSWORD, Served, USER};

impl Served {
    /// Is the token of the right user, and fresh by this clock?
    pub(super) fn takes_token(&self, document: &roxmltree::Document<'_>) -> bool {
        let text =
            |name| document.descendants().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
        let (Some(user), Some(digest), Some(nonce), Some(created)) =
            (text("Username"), text("Password"), text("Nonce"), text("Created"))
        else {
            return false;
        };
        let now = Timestamp::now().checked_add(self.script.clock_ahead).unwrap();
        let age = now.duration_since(created.parse().unwrap()).abs();
        let nonce = BASE64.decode(nonce.as_bytes()).unwrap();
        let expected = sha1(&[&nonce, created.as_bytes(), PASSWORD.as_bytes()].concat());
        user == USER && digest == BASE64.encode(&expected) && age < SignedDuration::from_secs(10)
    }

    /// The nonce to demand, and whether the header answers the present one.
    pub(super) fn takes_digest(&self, algorithm: &str, head: &str, path: &str) -> (String, bool) {
        let mut nonce = self.nonce.lock().unwrap();
        let field = |name: &str| {
            let rest = head.split(&format!("{name}=")).nth(1)?;
            let end = rest.find([',', '\r']).unwrap_or(rest.len());
            Some(rest[..end].trim_matches('"').to_owned())
        };
        let kind = if algorithm == "MD5" { MessageDigest::md5() } else { MessageDigest::sha256() };
        let hash = |text: String| hex::encode(openssl::hash::hash(kind, text.as_bytes()).unwrap());
        let present = format!("nonce-{}", nonce.0);
        let (who, what) = (hash(format!("{USER}:cam:{PASSWORD}")), hash(format!("POST:{path}")));
        let expected = match (field(", nc"), field("cnonce"), field("qop")) {
            (Some(count), Some(cnonce), Some(qop)) => hash(format!("{who}:{present}:{count}:{cnonce}:{qop}:{what}")),
            _ => hash(format!("{who}:{present}:{what}")),
        };
        let good = field("response").as_ref() == Some(&expected) && nonce.1 < self.script.nonce_lasts;
        nonce.1 += u32::from(good);
        if !good && nonce.1 >= self.script.nonce_lasts {
            // A new one, without saying that the old one was only stale.
            *nonce = (nonce.0 + 1, 0);
        }
        (format!("nonce-{}", nonce.0), good)
    }
}
