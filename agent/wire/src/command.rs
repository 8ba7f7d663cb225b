use std::fmt;

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{GapRange, LedgerDay, Segment};

/// The claims of a command, received on `command/<verb>`.
///
/// The payload is a JWS in compact serialisation (RFC 7515) with `alg` `EdDSA` (Ed25519, RFC 8037),
/// `typ` [`Command::TYPE`] and `kid` naming the key in the box's config; these claims are what it
/// signs. Registered names mean what RFC 7519 says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// The box that is meant, by its path `karaul1/<region>/<district>/<site>/<box>`.
    pub aud: String,
    /// Issued at, seconds since 1970-01-01 UTC.
    pub iat: i64,
    /// Not to be carried out from this time on, seconds since 1970-01-01 UTC.
    pub exp: i64,
    /// Unique: a second command with this id is refused.
    pub jti: Uuid,
    /// The number that the box counts in `status/box`. A box that does not trust its clock takes a command only
    /// if it names the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
    /// The person or duty on whose behalf it is sent; goes into the audit log.
    pub actor: String,
    /// The role that is used; the key must have it and it must allow the verb.
    pub role: Segment,
    /// Why, in words; goes into the audit log.
    pub reason: String,
    /// What is to be done. Its verb must be that of the topic.
    #[serde(flatten)]
    pub order: Order,
}

impl Command {
    /// The `typ` of its JWS header.
    pub const TYPE: &str = "karaul-command+jwt";
}

/// What a command asks for: the verb and its arguments. Unlike anywhere else an argument that is not known is an
/// error: one that is left out widens the order, so a mistyped or later one must not be passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verb", content = "args", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// A person has taken the incident.
    Acknowledge {
        /// The incident, open or not.
        incident: Uuid,
    },
    /// The incident is over: close it.
    Resolve {
        /// The incident; it must be open.
        incident: Uuid,
    },
    /// The incident was none: close it.
    FalsePositive {
        /// The incident; it must be open.
        incident: Uuid,
    },
    /// Ends what `disarm` began.
    Arm {
        /// Only this camera; otherwise all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        camera: Option<Segment>,
        /// Only this rule; otherwise all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<Segment>,
    },
    /// No alerts, for a while. It outlasts a restart, and ends by itself: nobody forgets to arm again.
    Disarm {
        /// Only this camera; otherwise all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        camera: Option<Segment>,
        /// Only this rule; otherwise all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<Segment>,
        /// For so many seconds, up to seven days.
        seconds: u32,
    },
    /// Opens and closes an incident with the status `test`.
    TestIncident {
        /// The camera that it pretends to have seen it.
        camera: Segment,
        /// The rule that pretends to have fired; otherwise the camera's first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<Segment>,
    },
    /// Sends alerts again, also those delivered before, as far as the box still has them.
    Replay {
        /// Their numbers.
        ranges: Vec<GapRange>,
    },
    /// The present picture of a camera, or one kept with an incident.
    Snapshot {
        /// The camera, for its present picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        camera: Option<Segment>,
        /// The id of an alert's evidence, for a picture that is kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Uuid>,
        /// What the picture is needed for, as the law wants it stated.
        purpose: String,
    },
    /// Reads the config file anew. If it has errors, the present one stays in force.
    Reload {},
    /// Switches a camera on or off. It outlasts a restart.
    CameraEnable {
        /// The camera.
        camera: Segment,
        /// On or off.
        enabled: bool,
    },
    /// Tells days of the blind-time ledger.
    Ledger {
        /// The first.
        first: Date,
        /// The last; otherwise only the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<Date>,
    },
    /// Puts the site into one of its modes. Rules that are not of that mode are not armed. It outlasts a restart.
    Mode {
        /// One of `modes` in `meta/box`.
        mode: Segment,
    },
}

impl Order {
    /// Its verb.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Acknowledge { .. } => Verb::Acknowledge,
            Self::Resolve { .. } => Verb::Resolve,
            Self::FalsePositive { .. } => Verb::FalsePositive,
            Self::Arm { .. } => Verb::Arm,
            Self::Disarm { .. } => Verb::Disarm,
            Self::TestIncident { .. } => Verb::TestIncident,
            Self::Replay { .. } => Verb::Replay,
            Self::Snapshot { .. } => Verb::Snapshot,
            Self::Reload {} => Verb::Reload,
            Self::CameraEnable { .. } => Verb::CameraEnable,
            Self::Ledger { .. } => Verb::Ledger,
            Self::Mode { .. } => Verb::Mode,
        }
    }
}

/// The verbs, last level of the topics `command/<verb>` and `reply/<verb>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// [`Order::Acknowledge`].
    Acknowledge,
    /// [`Order::Resolve`].
    Resolve,
    /// [`Order::FalsePositive`].
    FalsePositive,
    /// [`Order::Arm`].
    Arm,
    /// [`Order::Disarm`].
    Disarm,
    /// [`Order::TestIncident`].
    TestIncident,
    /// [`Order::Replay`].
    Replay,
    /// [`Order::Snapshot`].
    Snapshot,
    /// [`Order::Reload`].
    Reload,
    /// [`Order::CameraEnable`].
    CameraEnable,
    /// [`Order::Ledger`].
    Ledger,
    /// [`Order::Mode`].
    Mode,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 12] = [
        Self::Acknowledge,
        Self::Resolve,
        Self::FalsePositive,
        Self::Arm,
        Self::Disarm,
        Self::TestIncident,
        Self::Replay,
        Self::Snapshot,
        Self::Reload,
        Self::CameraEnable,
        Self::Ledger,
        Self::Mode,
    ];

    /// The word used in topics, payloads and configs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::FalsePositive => "false_positive",
            Self::Arm => "arm",
            Self::Disarm => "disarm",
            Self::TestIncident => "test_incident",
            Self::Replay => "replay",
            Self::Snapshot => "snapshot",
            Self::Reload => "reload",
            Self::CameraEnable => "camera_enable",
            Self::Ledger => "ledger",
            Self::Mode => "mode",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Verb {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word).ok_or(())
    }
}

/// Sent on `reply/<verb>`, QoS 1, never retained: what became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The command's id, if its signature is good: anybody could write it into another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// When this was written.
    pub time: Timestamp,
    /// What became of it.
    pub code: ReplyCode,
    /// One sentence for people: what was done, or why not and what helps.
    pub detail: String,
    /// The number of the entry in the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<u64>,
    /// The picture that `snapshot` asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// The days that `ledger` asked for, as far as there is anything on record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerDay>,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyCode {
    /// It was carried out.
    Done,
    /// Not a JWS of a command, or the verb is not that of the topic.
    Malformed,
    /// The config has no key of this id.
    UnknownKey,
    /// The signature is not that of the key.
    BadSignature,
    /// Meant for another box.
    WrongAudience,
    /// Its time is over.
    Expired,
    /// Issued in the future.
    NotYetValid,
    /// It may be carried out for longer than the config allows.
    TooLong,
    /// The box does not trust its clock, and the command does not name the present session.
    WrongSession,
    /// It has been here before.
    Replayed,
    /// The key has not this role, or the role not this verb.
    Forbidden,
    /// The audit log cannot be written, so nothing that needs it is done.
    AuditUnavailable,
    /// There is no such incident, camera, rule, picture or mode.
    NotFound,
    /// The arguments make no sense together, or a limit is passed.
    Invalid,
    /// It could not be carried out.
    Failed,
    /// Too many commands at a time.
    Busy,
}

/// A picture in a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// `image/jpeg`.
    pub media_type: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// The file, Base64 (RFC 4648 section 4).
    pub data: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_read_as_documented() {
        let text = r#"{"aud":"karaul1/a/b/c/d","iat":1,"exp":2,"jti":"00000000-0000-0000-0000-000000000001",
            "actor":"duty officer","role":"operator","reason":"fire drill","verb":"disarm","args":{"seconds":600}}"#;
        let command: Command = serde_json::from_str(text).unwrap();
        assert_eq!(command.order, Order::Disarm { camera: None, rule: None, seconds: 600 });
        assert_eq!(serde_json::from_str::<Command>(&serde_json::to_string(&command).unwrap()).unwrap(), command);
        assert!(serde_json::from_str::<Command>(&text.replace("disarm", "destroy")).is_err());
    }

    #[test]
    fn a_mistyped_argument_does_not_widen_an_order() {
        let claims = |args: &str| {
            let text = format!(
                r#"{{"aud":"karaul1/a/b/c/d","iat":1,"exp":2,"jti":"00000000-0000-0000-0000-000000000001",
                "actor":"duty officer","role":"operator","reason":"drill","later":1,"verb":"disarm","args":{args}}}"#
            );
            serde_json::from_str::<Command>(&text)
        };
        assert!(claims(r#"{"seconds":600,"camera":"gate"}"#).is_ok(), "a claim that is not known is passed over");
        let error = claims(r#"{"seconds":600,"cam":"gate"}"#).unwrap_err().to_string();
        assert!(error.starts_with("unknown field `cam`"), "{error}");
    }

    #[test]
    fn verbs_are_one_word_everywhere() {
        for verb in Verb::ALL {
            assert_eq!(serde_json::to_value(verb).unwrap(), verb.as_str());
            assert_eq!(verb.as_str().parse(), Ok(verb));
        }
        let order = Order::CameraEnable { camera: "gate".parse().unwrap(), enabled: false };
        assert_eq!(serde_json::to_value(&order).unwrap()["verb"], order.verb().as_str());
        assert_eq!(serde_json::to_value(Order::Reload {}).unwrap(), serde_json::json!({"verb": "reload", "args": {}}));
    }
}
