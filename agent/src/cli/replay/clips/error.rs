use std::{io, path::PathBuf};

use super::super::expected::ExpectedError;

/// Why it is not known what to replay.
#[derive(Debug, thiserror::Error)]
pub enum ClipsError {
    /// No such camera.
    #[error("{asker}the config has no camera '{camera}'; it has: {known}")]
    NoCamera {
        /// The entry that asked for it, or nothing.
        asker: String,
        /// What was asked for.
        camera: String,
        /// The ids there are.
        known: String,
    },
    /// There are several cameras, and nobody has said which.
    #[error(
        "{clip}: which camera is it of? Give --camera ID, or \"camera\": \"ID\" in expected.json; there are: {known}"
    )]
    WhichCamera {
        /// The recording.
        clip: String,
        /// The ids there are.
        known: String,
    },
    /// A rule that is expected to open an incident does not exist.
    #[error("{file}: {clip}: camera '{camera}' has no rule '{rule}'; it has: {known}")]
    NoRule {
        /// The file of expected incidents.
        file: PathBuf,
        /// The recording.
        clip: String,
        /// Its camera.
        camera: String,
        /// What is expected.
        rule: String,
        /// The ids there are.
        known: String,
    },
    /// A folder that cannot be listed.
    #[error("cannot read the folder {folder}: {source}")]
    Folder {
        /// Its path.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without clips.
    #[error("{folder}: there is no clip in it; clips are known by their endings: {endings}")]
    NoClip {
        /// Its path.
        folder: PathBuf,
        /// The known endings.
        endings: String,
    },
    /// A folder without a file of expected incidents.
    #[error(
        "{folder}: there is no expected.json beside the clips; write one: {{ \"clips\": {{ \"{clip}\": {{ \"expected\": [] }} }} }}, \
         which says that nothing may happen, or name the clips one by one"
    )]
    NothingExpected {
        /// Its path.
        folder: PathBuf,
        /// One of its clips.
        clip: String,
    },
    /// A clip without an entry.
    #[error(
        "{file} says nothing of {clip}; add \"{clip}\": {{ \"expected\": [] }} if nothing may happen in it, or what is expected"
    )]
    NoEntry {
        /// The file of expected incidents.
        file: PathBuf,
        /// The clip.
        clip: String,
    },
    /// An entry without a clip.
    #[error("{file} tells of {clip}, which is not in {folder}; remove the entry, or put the clip there")]
    NotThere {
        /// The file of expected incidents.
        file: PathBuf,
        /// The clip.
        clip: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A list is for one recording.
    #[error(
        "{file} is a list for one recording, and there are {count}; write {{ \"clips\": {{ \"{clip}\": {{ \"expected\": [ … ] }} }} }}"
    )]
    ListForSeveral {
        /// The file of expected incidents.
        file: PathBuf,
        /// How many recordings there are.
        count: usize,
        /// The first of them.
        clip: String,
    },
    /// The file of expected incidents.
    #[error(transparent)]
    Expected(#[from] ExpectedError),
}
