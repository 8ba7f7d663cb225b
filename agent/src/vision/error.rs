use std::{io, path::PathBuf, time::Duration};

use super::{ManifestError, PlanesError};
use crate::config::Provider;

/// Why there are no detections. Each message is one sentence that names the model, the file
/// and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// ONNX Runtime's shared library is missing, too old or something else.
    #[error(
        "ONNX Runtime cannot be loaded from {path}: {message}; install its shared library (`make setup` does), or \
         name it in `library` under [inference] or in ORT_DYLIB_PATH", path = .path.display()
    )]
    Library {
        /// File, or bare name for the system's search path.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A second library in one process.
    #[error(
        "ONNX Runtime was already loaded from {loaded}, so {asked} cannot be used: restart the agent after changing \
         `library` under [inference]", loaded = .loaded.display(), asked = .asked.display()
    )]
    OtherLibrary {
        /// The one in use.
        loaded: PathBuf,
        /// The one asked for.
        asked: PathBuf,
    },
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ONNX file is not there.
    #[error("model \"{model}\": {path} is missing; get it from {source_of}", path = .path.display())]
    Missing {
        /// Name of the model.
        model: String,
        /// The ONNX file.
        path: PathBuf,
        /// Where the manifest says it comes from.
        source_of: String,
    },
    /// The ONNX file is there but cannot be read.
    #[error("model \"{model}\": cannot read {path}: {source}", path = .path.display())]
    Read {
        /// Name of the model.
        model: String,
        /// The ONNX file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else, for example text.
    #[error("model \"{model}\": {path} is not an ONNX model but {what}; get it from {source_of}", path = .path.display())]
    NotOnnx {
        /// Name of the model.
        model: String,
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        what: &'static str,
        /// Where the manifest says the model comes from.
        source_of: String,
    },
    /// The file is not the one the manifest describes.
    #[error(
        "model \"{model}\": {path} has SHA-256 {found}, but its model.toml names {wanted}; get the file from \
         {source_of}, or correct sha256 if you replaced it on purpose", path = .path.display()
    )]
    Checksum {
        /// Name of the model.
        model: String,
        /// The ONNX file.
        path: PathBuf,
        /// SHA-256 of the file.
        found: String,
        /// SHA-256 in the manifest.
        wanted: String,
        /// Where the manifest says the model comes from.
        source_of: String,
    },
    /// The ONNX file and the manifest contradict each other.
    #[error("model \"{model}\": {path} does not fit its model.toml: {problem}", path = .path.display())]
    Mismatch {
        /// Name of the model.
        model: String,
        /// The ONNX file.
        path: PathBuf,
        /// Which tensor, what it is and what the manifest says.
        problem: String,
    },
    /// The execution provider that was asked for cannot be had.
    #[error(
        "model \"{model}\": the execution provider \"{provider}\" cannot be used: {message}; install an ONNX Runtime \
         built with it and its drivers, or set provider = \"cpu\" under [inference]", provider = .provider.as_str()
    )]
    Provider {
        /// Name of the model.
        model: String,
        /// The one asked for.
        provider: Provider,
        /// What ONNX Runtime said.
        message: String,
    },
    /// ONNX Runtime does not accept the model.
    #[error("model \"{model}\": ONNX Runtime refuses {path}: {message}", path = .path.display())]
    Refused {
        /// Name of the model.
        model: String,
        /// The ONNX file.
        path: PathBuf,
        /// What ONNX Runtime said.
        message: String,
    },
    /// All sessions were busy for too long.
    #[error(
        "model \"{model}\": none of its {sessions} sessions came free within {waited:?}; lower the detections per \
         second of the cameras, or raise `sessions` under [inference] if cores are idle"
    )]
    Busy {
        /// Name of the model.
        model: String,
        /// Number of sessions.
        sessions: usize,
        /// How long was waited.
        waited: Duration,
    },
    /// The model failed on this picture.
    #[error("model \"{model}\": inference failed: {message}")]
    Inference {
        /// Name of the model.
        model: String,
        /// What ONNX Runtime or the decoder said.
        message: String,
    },
    /// The picture cannot be read.
    #[error("{0}")]
    Planes(#[from] PlanesError),
}
