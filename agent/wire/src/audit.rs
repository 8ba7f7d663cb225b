use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The claims of the audit log's head, retained on `audit/box`.
///
/// The payload is a JWS in compact serialisation (RFC 7515), signed with the box's own key
/// (`signing_key` of `meta/box`). Whoever keeps one can tell later whether the log on the box
/// still holds every entry that it held then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditHead {
    /// The box, by its path.
    pub iss: String,
    /// The number of the last entry; they count from 1. 0 if there is none yet.
    pub number: u64,
    /// The hash of the last entry, SHA-256 in hex. It covers all before it.
    pub hash: String,
    /// When that entry was written.
    pub time: Timestamp,
}

impl AuditHead {
    /// The `typ` of its JWS header.
    pub const TYPE: &str = "karaul-audit+jwt";
}

/// The box's own public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SigningKey {
    /// Its `kid` in JWS headers.
    pub kid: String,
    /// Ed25519, 32 bytes in Base64url without padding: the `x` of a JWK (RFC 8037).
    pub x: String,
}
