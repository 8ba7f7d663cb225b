//! rumqttc's errors, sorted by what an installer can do about them.

use std::{io, time::Duration};

use rumqttc::{ConnectReturnCode, ConnectionError, Error as PacketError, StateError, TlsError, v5};

use super::Version;
use crate::uplink::LinkError;

/// What ended a connection, the same for both versions.
#[derive(Debug)]
pub(super) enum Failure {
    Version,
    Credentials,
    Refused(String),
    TakenOver,
    Dismissed(String),
    Tls(String),
    /// A packet that cannot be read, or is larger than we take.
    Unreadable(String),
    Io(io::Error),
    TimedOut,
    Other(String),
}

impl Failure {
    /// One sentence for people.
    pub(super) fn explain(
        self,
        address: &str,
        (version, tls): (Version, bool),
        signed_on: bool,
        limit: Duration,
    ) -> LinkError {
        let address = address.to_owned();
        match self {
            Self::Version => LinkError::Version { address, version: version.as_str() },
            Self::Credentials => LinkError::Credentials { address },
            Self::Refused(reason) => LinkError::Refused { address, reason },
            Self::TakenOver => LinkError::TakenOver { address },
            Self::Dismissed(reason) => LinkError::Dismissed { address, reason },
            Self::Tls(detail) if is_about_us(&detail) => LinkError::OwnCertificate { address, detail: short(&detail) },
            Self::Tls(detail) => LinkError::Tls { address, detail: short(&detail) },
            // With TLS 1.3 the broker looks at our certificate when the handshake is over for us.
            Self::Io(error) if !signed_on && is_about_us(&error.to_string()) => {
                LinkError::OwnCertificate { address, detail: short(&error.to_string()) }
            }
            Self::Unreadable(detail) if signed_on => LinkError::Unreadable { address, detail },
            Self::Unreadable(detail) => LinkError::HungUp { address, detail, tls },
            Self::Io(error) if signed_on => LinkError::Lost { address, detail: error.to_string() },
            Self::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => LinkError::HungUp { address, detail: error.to_string(), tls },
                // The standard library has no kind for a failed look-up; this is its wording.
                _ if error.to_string().starts_with("failed to lookup address") => {
                    LinkError::Unresolved { address, detail: error.to_string() }
                }
                _ => LinkError::Unreachable { address, detail: error.to_string() },
            },
            Self::TimedOut if signed_on => LinkError::Silent { address, limit },
            Self::TimedOut => LinkError::NoAnswer { address, limit },
            Self::Other(detail) if signed_on => LinkError::Lost { address, detail },
            Self::Other(detail) => LinkError::HungUp { address, detail, tls },
        }
    }
}

/// OpenSSL's errors end with the reason in parentheses; before it come source lines. An alert of the other side
/// has none, and its name is the fifth of the fields `error:code:library:function:name:…`.
fn short(detail: &str) -> String {
    let reason = detail.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(reason, _)| reason);
    let alert = || detail.split_once("error:").and_then(|(_, fields)| fields.split(':').nth(3));
    reason.or_else(alert).unwrap_or(detail).to_owned()
}

/// Is this an alert with which a TLS server refuses the client's certificate (RFC 8446, section 6.2)?
fn is_about_us(detail: &str) -> bool {
    let alerts = [
        "certificate required",
        "bad certificate",
        "certificate expired",
        "certificate revoked",
        "certificate unknown",
        "unsupported certificate",
        "unknown ca",
        "access denied",
        "decrypt error",
    ];
    let detail = detail.to_lowercase();
    detail.contains("alert") && alerts.iter().any(|alert| detail.contains(alert))
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Io(error) => Self::Io(error),
            error => Self::Tls(error.to_string()),
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ConnectionRefused(ConnectReturnCode::RefusedProtocolVersion) => Self::Version,
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => Self::Credentials,
            ConnectionError::ConnectionRefused(code) => Self::Refused(format!("{code:?}")),
            ConnectionError::Tls(error) => error.into(),
            ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => Self::Io(error),
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Self::TimedOut,
            ConnectionError::MqttState(StateError::AwaitPingResp) => Self::TimedOut,
            ConnectionError::MqttState(StateError::Deserialization(PacketError::Io(error))) => Self::Io(error),
            ConnectionError::MqttState(StateError::Deserialization(error)) => Self::Unreadable(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<v5::ConnectionError> for Failure {
    fn from(error: v5::ConnectionError) -> Self {
        use v5::{
            ConnectionError, StateError,
            mqttbytes::{
                Error as PacketError,
                v5::{ConnectReturnCode, DisconnectReasonCode},
            },
        };
        match error {
            // A 3.1.1 broker answers with a packet that is too short for version 5.
            ConnectionError::ConnectionRefused(ConnectReturnCode::UnsupportedProtocolVersion)
            | ConnectionError::MqttState(StateError::Deserialization(
                PacketError::MalformedPacket | PacketError::InvalidConnectReturnCode(1),
            )) => Self::Version,
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword
                | ConnectReturnCode::NotAuthorized
                | ConnectReturnCode::BadAuthenticationMethod,
            ) => Self::Credentials,
            ConnectionError::ConnectionRefused(code) => Self::Refused(format!("{code:?}")),
            ConnectionError::MqttState(StateError::ServerDisconnect {
                reason_code: DisconnectReasonCode::SessionTakenOver,
                ..
            }) => Self::TakenOver,
            ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
                Self::Dismissed(match reason_string {
                    Some(text) => format!("{reason_code:?}: {text}"),
                    None => format!("{reason_code:?}"),
                })
            }
            ConnectionError::Tls(error) => error.into(),
            ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => Self::Io(error),
            ConnectionError::Timeout(_) | ConnectionError::MqttState(StateError::AwaitPingResp) => Self::TimedOut,
            ConnectionError::MqttState(StateError::Deserialization(PacketError::Io(error))) => Self::Io(error),
            ConnectionError::MqttState(StateError::Deserialization(error)) => Self::Unreadable(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE_REQUIRED: &str = "error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate \
                                        required:../ssl/record/rec_layer_s3.c:1584:SSL alert number 116";

    #[test]
    fn the_reason_is_taken_out_of_openssls_error() {
        let long = "Native TLS error error:0A000086:SSL routines:tls_post_process_server_certificate:certificate \
                    verify failed:../ssl/statem/statem_clnt.c:1889: (self-signed certificate in certificate chain)";
        assert_eq!(short(long), "self-signed certificate in certificate chain");
        assert_eq!(short(CERTIFICATE_REQUIRED), "tlsv13 alert certificate required");
        assert_eq!(short("unexpected EOF"), "unexpected EOF");
    }

    #[test]
    fn each_failure_has_one_sentence_with_a_remedy() {
        let explain = |failure: Failure, signed_on| {
            let kind = (Version::V5, false);
            failure.explain("ops.example.org:8883", kind, signed_on, Duration::from_secs(10)).to_string()
        };
        let io = |kind, text: &str| Failure::Io(io::Error::new(kind, text.to_owned()));
        let sentences = [
            explain(Failure::Credentials, false),
            explain(io(io::ErrorKind::ConnectionRefused, "Connection refused (os error 111)"), false),
            explain(io(io::ErrorKind::Other, "failed to lookup address information: Name or service not known"), false),
            explain(io(io::ErrorKind::UnexpectedEof, "unexpected end of file"), false),
            explain(io(io::ErrorKind::ConnectionReset, "Connection reset by peer (os error 104)"), true),
            explain(Failure::TimedOut, false),
            explain(Failure::TimedOut, true),
            explain(Failure::TakenOver, true),
            explain(Failure::Tls("x: (hostname mismatch)".to_owned()), false),
            explain(Failure::Version, false),
            explain(Failure::Refused("ServerBusy".to_owned()), false),
            explain(Failure::Dismissed("ServerShuttingDown".to_owned()), true),
            explain(Failure::Unreadable("Malformed packet".to_owned()), true),
            explain(io(io::ErrorKind::Other, CERTIFICATE_REQUIRED), false),
        ];
        insta::assert_snapshot!(sentences.join("\n"), @r"
        broker ops.example.org:8883 refused the user name or the password; check username and password under [broker] and the broker's accounts
        broker ops.example.org:8883 cannot be reached (Connection refused (os error 111)); check url under [broker], the network and the broker
        broker ops.example.org:8883: the name cannot be resolved (failed to lookup address information: Name or service not known); check url under [broker] and the name server
        broker ops.example.org:8883 hung up during the sign-on (unexpected end of file); check that url under [broker] names an MQTT port, and mqtts if it wants TLS
        broker ops.example.org:8883: the connection was lost (Connection reset by peer (os error 104))
        broker ops.example.org:8883 did not answer the sign-on within 10 s; check the port in url under [broker] and the broker
        broker ops.example.org:8883 has not answered for 10 s; the connection is given up
        broker ops.example.org:8883: another box with the same path signed on; give each box a name of its own under [site] box
        broker ops.example.org:8883: TLS failed (hostname mismatch); url under [broker] must have the name in the broker's certificate, and ca_file the authority that signed it
        broker ops.example.org:8883 does not speak MQTT 5; it has to speak MQTT 5 or 3.1.1
        broker ops.example.org:8883 refused the sign-on (ServerBusy); see the broker's log
        broker ops.example.org:8883 ended the connection (ServerShuttingDown); see the broker's log
        broker ops.example.org:8883 sent what cannot be read (Malformed packet); the connection is given up; see the broker's log
        broker ops.example.org:8883 refuses this box's certificate (tlsv13 alert certificate required); check certificate and key under [broker], and that the broker trusts the authority that signed it
        ");
    }
}
