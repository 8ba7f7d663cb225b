use std::{io, time::Duration};

use karaul::uplink::{LinkError, OutboxError};
use karaul_stage::StageError;
use karaul_wire::EventError;

/// Why a proof could not be carried out; a broken promise is not one of these.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    /// A program of the stage.
    #[error("{0}")]
    Stage(#[from] StageError),
    /// Files and sockets of the proof itself.
    #[error("a file or socket of the proof: {0}")]
    Io(#[from] io::Error),
    /// The outbox does not open.
    #[error("{0}")]
    Outbox(#[from] OutboxError),
    /// The link does not start.
    #[error("{0}")]
    Link(#[from] LinkError),
    /// GStreamer.
    #[error(transparent)]
    Camera(#[from] karaul::camera::CameraError),
    /// A clip.
    #[error(transparent)]
    Recording(#[from] karaul::camera::RecordingError),
    /// The rendered scene.
    #[error("{0}")]
    Scene(#[from] karaul_scene::SceneError),
    /// An alert cannot be written.
    #[error("{0}")]
    Event(#[from] EventError),
    /// A part of the proof itself, for example the operations centre's client.
    #[error("a part of the proof: {0}")]
    Client(String),
    /// It did not happen in time.
    #[error("{what} within {} s; see RUST_LOG=info for the agent's words", limit.as_secs())]
    Late {
        /// What should have happened, with `not`.
        what: String,
        /// How long was waited.
        limit: Duration,
    },
    /// A line of strace's that is not understood.
    #[error("line {line} of the recording is not understood: {text}")]
    Trace {
        /// Its number, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
}

impl ProofError {
    /// Of a part that the proof stands on.
    pub(crate) fn client(error: impl ToString) -> Self {
        Self::Client(error.to_string())
    }

    pub(crate) fn late(what: impl Into<String>, limit: Duration) -> Self {
        Self::Late { what: what.into(), limit }
    }
}
