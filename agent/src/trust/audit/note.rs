//! The last entry, noted beside the log: a log that lost its end, or is gone, is found out by it.
//!
//! Whoever can write to the log can write there too; for that there is the published head.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Longer files are no notes.
const LONGEST: u64 = 4096;

/// The last entry of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) number: u64,
    pub(super) hash: String,
}

impl Note {
    /// Its file: beside the folder of the log, so that it does not go with it.
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.with_file_name("audit-last.json")
    }

    /// What is noted of the log in a folder; `None` if nothing is.
    ///
    /// # Errors
    /// If there is a file, and no note can be read from it.
    pub(super) fn read(folder: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        match File::open(Self::path(folder)) {
            Ok(file) => file.take(LONGEST).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    /// Writes it, whole or not at all. After a power cut it may be an older one, never one that is ahead of the log.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = Self::path(folder);
        let partial = path.with_extension("partial");
        let mut file = File::create(&partial)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_data()?;
        fs::rename(partial, path)
    }
}
