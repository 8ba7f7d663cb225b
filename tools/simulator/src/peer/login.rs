use gstreamer::glib;

/// Who may watch, and how that is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// What is offered, in this order.
    pub schemes: Vec<Scheme>,
}

/// How a viewer proves that it knows the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The password itself, in base 64 (RFC 7617).
    Basic,
    /// A hash, as cameras do it that follow RFC 2069: no algorithm is named, MD5 is meant.
    DigestMd5,
    /// A hash with SHA-256 (RFC 7616).
    DigestSha256,
}

/// Every challenge has the same: this peer tries a viewer, it keeps no secret.
const NONCE: &str = "98481030";
const REALM: &str = "camera";

impl Login {
    /// The headers of a refusal.
    pub(super) fn challenges(&self) -> Vec<String> {
        let challenge = |scheme: &Scheme| match scheme {
            Scheme::Basic => format!("Basic realm=\"{REALM}\""),
            Scheme::DigestMd5 => format!("Digest realm=\"{REALM}\", nonce=\"{NONCE}\""),
            Scheme::DigestSha256 => {
                format!("Digest realm=\"{REALM}\", nonce=\"{NONCE}\", algorithm=SHA-256, qop=\"auth\"")
            }
        };
        self.schemes.iter().map(|scheme| format!("WWW-Authenticate: {}", challenge(scheme))).collect()
    }

    /// Does this header prove that the viewer knows the password?
    pub(super) fn admits(&self, method: &str, authorization: &str) -> bool {
        let Some((kind, proof)) = authorization.split_once(' ') else { return false };
        if kind.eq_ignore_ascii_case("Basic") {
            let expected = glib::base64_encode(format!("{}:{}", self.user, self.password).as_bytes());
            return self.schemes.contains(&Scheme::Basic) && proof.trim() == expected;
        }
        let field = |name: &str| parameter(proof, name);
        let algorithm = match field("algorithm").as_deref() {
            Some("SHA-256") if self.schemes.contains(&Scheme::DigestSha256) => glib::ChecksumType::Sha256,
            None | Some("MD5") if self.schemes.contains(&Scheme::DigestMd5) => glib::ChecksumType::Md5,
            _ => return false,
        };
        let hash = |text: &str| glib::compute_checksum_for_data(algorithm, text.as_bytes()).unwrap_or_default();
        let Some(uri) = field("uri") else { return false };
        let secret = hash(&format!("{}:{REALM}:{}", self.user, self.password));
        let request = hash(&format!("{method}:{uri}"));
        let middle = match (field("qop"), field("nc"), field("cnonce")) {
            (Some(qop), Some(count), Some(theirs)) => format!("{NONCE}:{count}:{theirs}:{qop}"),
            _ => NONCE.to_owned(),
        };
        field("username").as_ref() == Some(&self.user)
            && field("nonce").as_deref() == Some(NONCE)
            && field("response").as_deref() == Some(hash(&format!("{secret}:{middle}:{request}")).as_str())
    }
}

/// The value of a parameter, with or without quotes.
fn parameter(text: &str, name: &str) -> Option<String> {
    let value = |part: &str| {
        let (key, value) = part.trim().split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    };
    text.split(',').find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(scheme: Scheme) -> Login {
        Login { user: "viewer".to_owned(), password: "swordfish".to_owned(), schemes: vec![scheme] }
    }

    #[test]
    fn the_password_in_base_64() {
        // echo -n viewer:swordfish | base64
        let proof = "Basic dmlld2VyOnN3b3JkZmlzaA==";
        assert!(login(Scheme::Basic).admits("DESCRIBE", proof));
        assert!(!login(Scheme::Basic).admits("DESCRIBE", "Basic dmlld2VyOmd1ZXNz"));
        assert!(!login(Scheme::DigestMd5).admits("DESCRIBE", proof));
    }

    #[test]
    fn hashes_of_both_kinds() {
        // By md5sum and sha256sum.
        let begin = "Digest username=\"viewer\", realm=\"camera\", nonce=\"98481030\", uri=\"rtsp://h/a\", response=";
        let md5 = format!("{begin}\"{MD5}\"");
        assert!(login(Scheme::DigestMd5).admits("DESCRIBE", &md5));
        assert!(!login(Scheme::DigestMd5).admits("SETUP", &md5));
        let sha256 = format!("{begin}\"{SHA256}\", algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"abc\"");
        assert!(login(Scheme::DigestSha256).admits("DESCRIBE", &sha256));
        assert!(!login(Scheme::DigestMd5).admits("DESCRIBE", &sha256));
    }

    const MD5: &str = "2c4a4c7ff39122214f047cf7fd88ff7c";
    const SHA256: &str = "f6abd080213a5e04c07a189bcf9c5f7a766d94bdeb7f9d7d83e5640603c7333b";
}
