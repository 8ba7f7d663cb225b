use std::{
    io,
    path::{Path, PathBuf},
};

use crate::trust::KeyError;

/// Why nothing can be put on record at present. What needs a record is not done then; alerting goes on.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// `ENOSPC`.
    #[error("audit log {}: the disk is full; free some space; until then no command is carried out", path.display())]
    DiskFull {
        /// The file or folder.
        path: PathBuf,
    },
    /// The file system takes no writes.
    #[error(
        "audit log {}: it is read-only; check the disk and mount it writable; until then no command is carried out",
        path.display()
    )]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// Any other trouble.
    #[error(
        "audit log {}: {source}; check the disk and who may write there; until it works no command is carried out",
        path.display()
    )]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key that signs its head.
    #[error("the head of the audit log cannot be signed: {0}")]
    Key(#[from] KeyError),
}

impl AuditError {
    pub(super) fn disk(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            _ => Self::Disk { path, source },
        }
    }
}
