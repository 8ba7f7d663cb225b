use std::{path::PathBuf, time::Duration};

use super::backoff::Patience;

/// Why there is no connection to the broker, in one sentence with the remedy and without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The name in `url` has no address.
    #[error("broker {address}: the name cannot be resolved ({detail}); check url under [broker] and the name server")]
    Unresolved {
        /// `host:port`.
        address: String,
        /// What the system says.
        detail: String,
    },
    /// No TCP connection.
    #[error("broker {address} cannot be reached ({detail}); check url under [broker], the network and the broker")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// What the system says.
        detail: String,
    },
    /// TCP, but no answer to the sign-on.
    #[error(
        "broker {address} did not answer the sign-on within {} s; check the port in url under [broker] and the broker",
        limit.as_secs()
    )]
    NoAnswer {
        /// `host:port`.
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// Closed, or something that is not MQTT, before the sign-on was answered.
    #[error("broker {address} hung up during the sign-on ({detail}); {}", after_hanging_up(*tls))]
    HungUp {
        /// `host:port`.
        address: String,
        /// What the client says.
        detail: String,
        /// With TLS.
        tls: bool,
    },
    /// It does not speak this version of MQTT.
    #[error("broker {address} does not speak {version}; it has to speak MQTT 5 or 3.1.1")]
    Version {
        /// `host:port`.
        address: String,
        /// `MQTT 5` or `MQTT 3.1.1`.
        version: &'static str,
    },
    /// Wrong user name or password.
    #[error(
        "broker {address} refused the user name or the password; check username and password under [broker] and the \
         broker's accounts"
    )]
    Credentials {
        /// `host:port`.
        address: String,
    },
    /// Refused for another reason.
    #[error("broker {address} refused the sign-on ({reason}); see the broker's log")]
    Refused {
        /// `host:port`.
        address: String,
        /// The broker's reason code.
        reason: String,
    },
    /// No trusted TLS connection. Never continued without TLS.
    #[error(
        "broker {address}: TLS failed ({detail}); url under [broker] must have the name in the broker's certificate, \
         and ca_file the authority that signed it"
    )]
    Tls {
        /// `host:port`.
        address: String,
        /// What OpenSSL says.
        detail: String,
    },
    /// The broker does not trust this box.
    #[error(
        "broker {address} refuses this box's certificate ({detail}); check certificate and key under [broker], and \
         that the broker trusts the authority that signed it"
    )]
    OwnCertificate {
        /// `host:port`.
        address: String,
        /// The alert of the broker's TLS.
        detail: String,
    },
    /// The broker ended an established connection and said why.
    #[error("broker {address} ended the connection ({reason}); see the broker's log")]
    Dismissed {
        /// `host:port`.
        address: String,
        /// The broker's reason code.
        reason: String,
    },
    /// The broker sent something on an established connection that ended it.
    #[error("broker {address} sent what cannot be read ({detail}); the connection is given up; see the broker's log")]
    Unreadable {
        /// `host:port`.
        address: String,
        /// What the client says.
        detail: String,
    },
    /// An established connection ended.
    #[error("broker {address}: the connection was lost ({detail})")]
    Lost {
        /// `host:port`.
        address: String,
        /// What the client says.
        detail: String,
    },
    /// An established connection is silent.
    #[error("broker {address} has not answered for {} s; the connection is given up", limit.as_secs())]
    Silent {
        /// `host:port`.
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// The same client id signed on elsewhere.
    #[error(
        "broker {address}: another box with the same path signed on; give each box a name of its own under [site] box"
    )]
    TakenOver {
        /// `host:port`.
        address: String,
    },
    /// The broker closes one connection after the other, though nothing is wrong that we know of.
    #[error(
        "broker {address} closes each connection soon after the sign-on and does not say why; perhaps another box \
         with the same path signs on too: give each box a name of its own under [site] box; or see the broker's log"
    )]
    Rival {
        /// `host:port`.
        address: String,
    },
    /// `ca_file` is no use.
    #[error("ca_file {}: {detail}; it must be a PEM file with the certificate of the broker's authority", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// `certificate` is no use.
    #[error("certificate {}: {detail}; it must be a PEM file with the box's own certificate", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// `key` is no use.
    #[error(
        "key {}: {detail}; it must be a PEM file with the private key of the certificate, PKCS #8 and not encrypted",
        path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The system gave no thread, socket or TLS context.
    #[error("the broker link cannot be started: {detail}")]
    System {
        /// What the system says.
        detail: String,
    },
}

/// What helps against a broker that hangs up. One that wants a certificate says so with TLS 1.3 when the client has
/// begun to talk, and its hanging up may overtake that.
const fn after_hanging_up(tls: bool) -> &'static str {
    if tls {
        "check that url under [broker] names an MQTT port, whether the broker wants to see a certificate of this box \
         (certificate and key under [broker]) and trusts it, and the broker's log"
    } else {
        "check that url under [broker] names an MQTT port, and mqtts if it wants TLS"
    }
}

impl LinkError {
    /// How urgently it is worth trying again.
    pub(super) const fn patience(&self) -> Patience {
        match self {
            Self::Credentials { .. } | Self::Tls { .. } | Self::OwnCertificate { .. } => Patience::Slow,
            // Two boxes that come back at once would throw each other out without end.
            Self::TakenOver { .. } | Self::Rival { .. } => Patience::Slow,
            _ => Patience::Normal,
        }
    }

    /// Could the sign-on have failed because of our certificate, or of the authorities that we trust?
    pub(super) const fn may_be_the_certificate(&self) -> bool {
        matches!(self, Self::Tls { .. } | Self::OwnCertificate { .. } | Self::HungUp { tls: true, .. })
    }

    /// Could the sign-on have failed because the broker speaks another version?
    pub(super) const fn may_be_the_version(&self) -> bool {
        matches!(self, Self::Version { .. } | Self::HungUp { .. } | Self::NoAnswer { .. })
    }
}
