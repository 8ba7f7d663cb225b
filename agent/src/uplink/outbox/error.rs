use std::{io, path::PathBuf};

/// Why the outbox cannot be used, or takes nothing at present.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// `ENOSPC`.
    #[error(
        "outbox {}: the disk is full; free some space; until then messages wait in memory and a crash would lose them",
        path.display()
    )]
    DiskFull {
        /// The database or its folder.
        path: PathBuf,
    },
    /// The page quota.
    #[error(
        "outbox {}: outbox_quota is used up; raise it under [storage] or find out why the broker takes nothing; \
         until then messages wait in memory and a crash would lose them",
        path.display()
    )]
    QuotaFull {
        /// The database.
        path: PathBuf,
    },
    /// The file system or the file takes no writes.
    #[error(
        "outbox {}: it is read-only; check the disk and mount it writable; until then messages wait in memory and a \
         crash would lose them",
        path.display()
    )]
    ReadOnly {
        /// The database or its folder.
        path: PathBuf,
    },
    /// Any other trouble with reading or writing.
    #[error(
        "outbox {}: {detail}; check the disk; until it works messages wait in memory and a crash would lose them",
        path.display()
    )]
    Disk {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// Not a well-formed database; it is about to be replaced.
    #[error("outbox {}: the file is damaged ({detail}); it will be replaced by a new one", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// A damaged database was replaced.
    #[error(
        "outbox {} was damaged ({detail}) and has been moved to {}; {rescued} waiting messages were saved from it, what \
         could not be read is lost (`sqlite3 FILE .recover` may show more); alerts go on in a new outbox",
        path.display(),
        kept.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// Where the damaged one is now.
        kept: PathBuf,
        /// What SQLite says.
        detail: String,
        /// How many waiting messages were taken over.
        rescued: usize,
    },
    /// Two agents, one folder.
    #[error(
        "outbox {}: another process uses it; stop the other karaul or give this one its own path under [storage]",
        path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// Written by a later version.
    #[error(
        "outbox {}: a newer Karaul wrote it (schema {version}, this one knows {known}); install that version again, \
         or move the file away and lose what waits in it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        version: i64,
        /// The schema of this version.
        known: i64,
    },
    /// The folder cannot be made or used.
    #[error("outbox {}: {source}; check path under [storage] and who may write there", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Linked against a SQLite with a known way to damage data.
    #[error("SQLite {version} can damage a database in WAL mode; build with rusqlite's bundled SQLite 3.51.3 or later")]
    SqliteTooOld {
        /// The version in use.
        version: &'static str,
    },
}

impl OutboxError {
    /// The agent goes on in memory meanwhile; all else stops it from starting.
    pub(super) const fn passes(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. }
                | Self::QuotaFull { .. }
                | Self::ReadOnly { .. }
                | Self::Disk { .. }
                | Self::Corrupt { .. }
        )
    }
}
