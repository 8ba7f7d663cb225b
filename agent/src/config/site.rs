use std::{path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use karaul_wire::{BoxPath, Language};

use super::url::{BrokerUrl, UrlError};
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
    /// `ca_file`: PEM file of the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// `keep_alive`: a dead link is noticed within twice this time.
    pub keep_alive: Duration,
}

impl Broker {
    /// A broker by its address alone, as on a command line.
    ///
    /// # Errors
    /// What is wrong with the address, and the remedy.
    pub fn at(url: &str, ca_file: Option<PathBuf>, login: Option<(String, Secret)>) -> Result<Self, String> {
        let url: BrokerUrl = url.parse().map_err(|why: UrlError| format!("{why}; {}", why.remedy()))?;
        let keep_alive = Duration::from_secs(30);
        Ok(Self { host: url.host, port: url.port.get(), tls: url.tls, ca_file, login, keep_alive })
    }
}

/// `[storage]`: what lies on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// `path`: folder for the outbox and the evidence.
    pub path: PathBuf,
    /// `outbox_quota` in bytes.
    pub outbox_quota: u64,
    /// `evidence_quota` in bytes; the oldest pictures go first.
    pub evidence_quota: u64,
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
