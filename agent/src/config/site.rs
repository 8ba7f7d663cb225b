use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use jiff::{civil::Time, tz::TimeZone};
use karaul_wire::{BoxPath, Language, Segment};

use super::{
    Holiday,
    url::{BrokerUrl, UrlError},
};
use crate::trust::Secret;

/// `[site]`: where the box stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// `region`, `district`, `name` and `box`: the address of all topics.
    pub path: BoxPath,
    /// `time_zone`: schedules are meant in it.
    pub time_zone: TimeZone,
    /// `languages` of alert texts, at least one.
    pub languages: Vec<Language>,
    /// `modes` that it can be switched to; empty where there are none.
    pub modes: Vec<Segment>,
    /// `holidays`, for the schedules that have spans of their own for them.
    pub holidays: Arc<[Holiday]>,
}

/// `[broker]`: where alerts go.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// Host name or address, from `url`.
    pub host: String,
    /// Port, from `url`; 1883 for `mqtt`, 8883 for `mqtts`.
    pub port: u16,
    /// `mqtts` was asked for: never without TLS then.
    pub tls: bool,
    /// `fallback`: tried in this order when those before cannot be had. All that follows holds for them too.
    pub fallback: Vec<Address>,
    /// `ca_file`: PEM file of the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// `certificate` and `key`: who this box is, for the broker.
    pub identity: Option<Identity>,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// `keep_alive`: a dead link is noticed within twice this time.
    pub keep_alive: Duration,
    /// `delivery` and `consumer`: when is an alert delivered?
    pub delivery: Delivery,
    /// `backlog_rate`: how many messages a second go out of those that waited for the broker.
    pub backlog_rate: u32,
}

/// When an alert counts as delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The broker has it.
    Puback,
    /// This consumer has confirmed that it stored it.
    Receipt(Segment),
}

impl Delivery {
    /// The words of `delivery`.
    pub const WORDS: [&'static str; 2] = ["puback", "receipt"];
}

impl Broker {
    /// The one in `url`, then the others in their order.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        let first = Address { host: self.host.clone(), port: self.port };
        std::iter::once(first).chain(self.fallback.iter().cloned()).collect()
    }
}

/// Where a broker listens. Shown as `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Files that prove to the broker who this box is. They are read at each connection, so that
/// they can be renewed while the agent runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `certificate`: PEM file of the box's certificate, and after it those of the authorities between.
    pub certificate: PathBuf,
    /// `key`: PEM file of its private key, PKCS #8 and not encrypted.
    pub key: PathBuf,
}

impl Broker {
    /// A broker by its address alone, as on a command line.
    ///
    /// # Errors
    /// What is wrong with the address, and the remedy.
    pub fn at(url: &str, ca_file: Option<PathBuf>, login: Option<(String, Secret)>) -> Result<Self, String> {
        let url: BrokerUrl = url.parse().map_err(|why: UrlError| format!("{why}; {}", why.remedy()))?;
        let keep_alive = Duration::from_secs(30);
        let (host, port, tls) = (url.host, url.port.get(), url.tls);
        let (fallback, identity, delivery) = (Vec::new(), None, Delivery::Puback);
        Ok(Self { host, port, tls, fallback, ca_file, identity, login, keep_alive, delivery, backlog_rate: 50 })
    }
}

/// `[storage]`: what lies on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// `path`: folder for the outbox and the evidence.
    pub path: PathBuf,
    /// `outbox_quota` in bytes.
    pub outbox_quota: u64,
    /// `retention`: delivered alerts are kept for so long, to be sent again on demand.
    pub retention: Duration,
    /// `evidence_quota` in bytes; the oldest pictures go first.
    pub evidence_quota: u64,
}

/// `[test]`: test incidents on schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// `at`: the time of day, at the site; `None` for no tests.
    pub at: Option<Time>,
    /// `within`: so soon it has to be confirmed.
    pub within: Duration,
}

/// `[inference]`: how models are run.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// `models`: folder with one folder per model.
    pub models: PathBuf,
    /// `library`: ONNX Runtime's shared library; otherwise `ORT_DYLIB_PATH`, then the system's.
    pub library: Option<PathBuf>,
    /// `provider` asked for; if it cannot be had, that is an error.
    pub provider: Provider,
    /// `sessions` that run at the same time; otherwise one per core.
    pub sessions: Option<usize>,
}

/// Execution providers of ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    Cpu,
    /// NVIDIA, through CUDA.
    Cuda,
    /// Intel, through OpenVINO.
    OpenVino,
}

impl Provider {
    /// All providers.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::OpenVino];

    /// The word used in configs and payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::OpenVino => "openvino",
        }
    }
}
