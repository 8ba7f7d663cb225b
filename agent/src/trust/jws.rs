//! Compact JWS (RFC 7515) with Ed25519 (RFC 8037): the form of commands and of the audit log's head.
//!
//! One algorithm, no choice by the sender. The ready-made crates bring ring, rsa or a second OpenSSL
//! binding for algorithms that must never be accepted here; what remains of JWS without them is this file.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::key::{PrivateKey, PublicKey};

/// The protected header of what we sign and accept. Other members are ignored, as section 4 of RFC 7515
/// wants it, except `crit`, whose point is that whoever does not know it must refuse.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    crit: Option<()>,
}

/// Whatever its value, also `null`.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<()>, D::Error> {
    serde::de::IgnoredAny::deserialize(value).map(|_| Some(()))
}

/// The only algorithm.
const ALGORITHM: &str = "EdDSA";

/// Why bytes are no token of the kind that is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not even looked at.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The most that is read.
        limit: usize,
    },
    /// Not `header.claims.signature`.
    #[error("it is not a compact JWS: three parts in Base64url without padding, joined by dots")]
    Form,
    /// The first part.
    #[error("its header is not a JSON object with the texts alg, typ and kid, each once")]
    Header,
    /// Another algorithm.
    #[error("its alg is not EdDSA")]
    Algorithm,
    /// Another kind of token.
    #[error("its typ is not {wanted}")]
    Type {
        /// The kind that is expected here.
        wanted: &'static str,
    },
    /// `crit`.
    #[error("its header names critical extensions (crit), and none is known here")]
    Critical,
}

/// A token whose form is right. Nothing in it is to be believed before [`Token::verify`].
#[derive(Debug)]
pub struct Token<'a> {
    kid: String,
    signed: &'a [u8],
    claims: Vec<u8>,
    signature: [u8; 64],
}

impl<'a> Token<'a> {
    /// Takes a token apart. It has at most `limit` bytes and is of the kind `typ`.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(bytes: &'a [u8], typ: &'static str, limit: usize) -> Result<Self, JwsError> {
        if bytes.len() > limit {
            return Err(JwsError::TooLong { limit });
        }
        let mut parts = bytes.split(|byte| *byte == b'.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Form);
        };
        let signed = &bytes[..header.len() + 1 + claims.len()];
        // Bits left over at the end of a part are refused too: there is one spelling only.
        let decode = |part: &[u8]| BASE64URL_NOPAD.decode(part).map_err(|_| JwsError::Form);
        let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
        let signature = signature.try_into().map_err(|_| JwsError::Form)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| JwsError::Header)?;
        if header.alg != ALGORITHM {
            return Err(JwsError::Algorithm);
        }
        if header.crit.is_some() {
            return Err(JwsError::Critical);
        }
        if header.typ != typ {
            return Err(JwsError::Type { wanted: typ });
        }
        Ok(Self { kid: header.kid, signed, claims, signature })
    }

    /// The key that it says it is signed with.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its claims, if it was signed with this key.
    #[must_use]
    pub fn verify(self, key: &PublicKey) -> Option<Vec<u8>> {
        key.verify(self.signed, &self.signature).then_some(self.claims)
    }
}

/// Signs claims.
#[must_use]
pub fn sign(key: &PrivateKey, typ: &str, kid: &str, claims: &[u8]) -> String {
    let header = Header { alg: ALGORITHM.to_owned(), typ: typ.to_owned(), kid: kid.to_owned(), crit: None };
    // Three texts always make JSON.
    compact(key, &serde_json::to_vec(&header).unwrap_or_default(), claims)
}

fn compact(key: &PrivateKey, header: &[u8], claims: &[u8]) -> String {
    let mut token = BASE64URL_NOPAD.encode(header);
    token.push('.');
    BASE64URL_NOPAD.encode_append(claims, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    token
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "test+jwt";
    const LIMIT: usize = 1000;

    /// RFC 8037, appendix A.1.
    fn rfc_key() -> PrivateKey {
        let d = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        PrivateKey::from_seed(&d.try_into().unwrap())
    }

    /// RFC 8037, appendix A.4.
    const RFC_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    #[test]
    fn the_vectors_of_rfc_8037() {
        let key = rfc_key();
        assert_eq!(key.public().to_string(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        // A.3
        assert_eq!(key.public().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // A.4
        assert_eq!(compact(&key, br#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing"), RFC_TOKEN);
        // A.5
        let (signed, signature) = RFC_TOKEN.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap().try_into().unwrap();
        assert!(key.public().verify(signed.as_bytes(), &signature));
        assert!(!key.public().verify(&signed.as_bytes()[1..], &signature));
        // That example names neither typ nor kid.
        assert_eq!(Token::parse(RFC_TOKEN.as_bytes(), TYPE, LIMIT).unwrap_err(), JwsError::Header);
    }

    #[test]
    fn what_is_signed_can_be_verified_with_that_key_only() {
        let (key, other) = (rfc_key(), PrivateKey::from_seed(&[7; 32]));
        let token = sign(&key, TYPE, "k1", b"{}");
        let parse = || Token::parse(token.as_bytes(), TYPE, LIMIT).unwrap();
        assert_eq!(parse().kid(), "k1");
        assert_eq!(parse().verify(key.public()).as_deref(), Some(&b"{}"[..]));
        assert_eq!(parse().verify(other.public()), None);
    }

    #[test]
    fn each_wrong_form_has_its_sentence() {
        let key = rfc_key();
        let refused = |token: &str| Token::parse(token.as_bytes(), TYPE, LIMIT).unwrap_err().to_string();
        let with = |header: &str| refused(&compact(&key, header.as_bytes(), b"{}"));
        let header = "its header is not a JSON object with the texts alg, typ and kid, each once";
        let form = "it is not a compact JWS: three parts in Base64url without padding, joined by dots";
        assert_eq!(with(r#"{"alg":"none","typ":"test+jwt","kid":"a"}"#), "its alg is not EdDSA");
        assert_eq!(with(r#"{"alg":"eddsa","typ":"test+jwt","kid":"a"}"#), "its alg is not EdDSA");
        assert_eq!(with(r#"{"alg":"HS256","typ":"test+jwt","kid":"a"}"#), "its alg is not EdDSA");
        assert_eq!(with(r#"{"alg":"EdDSA","typ":"JWT","kid":"a"}"#), "its typ is not test+jwt");
        let critical = "its header names critical extensions (crit), and none is known here";
        assert_eq!(with(r#"{"alg":"EdDSA","typ":"test+jwt","kid":"a","crit":["b64"],"b64":false}"#), critical);
        assert_eq!(with(r#"{"alg":"EdDSA","typ":"test+jwt","kid":"a","crit":null}"#), critical);
        assert_eq!(with(r#"{"alg":"EdDSA","typ":"test+jwt"}"#), header);
        assert_eq!(with(r#"{"alg":"EdDSA","alg":"none","typ":"test+jwt","kid":"a"}"#), header);
        assert_eq!(with(r#"{"alg":"EdDSA","typ":"test+jwt","kid":7}"#), header);
        assert_eq!(with("[]"), header);
        for wrong in ["", ".", "..", "a.b", "e30.e30.e30.e30", "{\"payload\":\"\"}", "e30=.e30.AA"] {
            assert_eq!(refused(wrong), form, "{wrong}");
        }
        assert_eq!(refused(&"a".repeat(LIMIT + 1)), "it is longer than 1000 bytes");
    }

    /// Base64 leaves bits over at the end of a part; a second spelling of the same bytes would be a second
    /// token with the same signature.
    #[test]
    fn there_is_one_spelling_of_a_token() {
        let token = sign(&rfc_key(), TYPE, "k1", b"{}");
        let last = token.pop_last();
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().filter(|c| *c != last.1)
        {
            let changed = format!("{}{other}", last.0);
            let claims = Token::parse(changed.as_bytes(), TYPE, LIMIT).ok().and_then(|t| t.verify(rfc_key().public()));
            assert_eq!(claims, None, "{other}");
        }
    }

    trait PopLast {
        fn pop_last(&self) -> (String, char);
    }

    impl PopLast for String {
        fn pop_last(&self) -> (String, char) {
            let mut text = self.clone();
            let last = text.pop().unwrap();
            (text, last)
        }
    }

    proptest! {
        #[test]
        fn any_change_of_a_byte_is_found(at in 0usize..1000, flip in 1u8..=255) {
            let mut token = sign(&rfc_key(), TYPE, "k1", b"{\"a\":1}").into_bytes();
            let at = at % token.len();
            token[at] ^= flip;
            let claims = Token::parse(&token, TYPE, LIMIT).ok().and_then(|t| t.verify(rfc_key().public()));
            prop_assert_eq!(claims, None);
        }

        #[test]
        fn any_bytes_can_be_parsed(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Token::parse(&bytes, TYPE, LIMIT);
        }
    }
}
