use std::io;

/// Why a camera cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The library does not start, or the server cannot be built.
    #[error("GStreamer: {0}")]
    Media(String),
    /// Plugins are missing.
    #[error("GStreamer lacks the element {element}; install {package}: apt-get install {package}")]
    Missing {
        /// The element.
        element: &'static str,
        /// Its Debian package.
        package: &'static str,
    },
    /// A file that cannot be opened.
    #[error("{path}: {source}; check the path of this mount")]
    Open {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file without pictures that can be used.
    #[error("{path}: no video in it can be used: {detail}")]
    NoVideo {
        /// The file.
        path: String,
        /// What is wrong, with the remedy.
        detail: String,
    },
    /// A scene that cannot be rendered.
    #[error("{0}")]
    Scene(#[from] karaul_scene::SceneError),
    /// The port is taken.
    #[error("cannot listen on {address}:{port}: is it in use? choose another port, or 0 for any free one")]
    Listen {
        /// Address to listen on.
        address: String,
        /// Port to listen on.
        port: u16,
    },
}

impl SimulatorError {
    /// Anything of `GStreamer`'s that should not happen.
    pub(crate) fn media(what: impl ToString) -> Self {
        Self::Media(what.to_string())
    }
}
