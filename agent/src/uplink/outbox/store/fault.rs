//! What is wrong with the file, and what is done about a damaged one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Error, ErrorCode};

use crate::uplink::OutboxError;

/// SQLite's errors, sorted by what a person can do about them.
pub(super) fn explain(path: &Path, error: &Error) -> OutboxError {
    let path = path.to_owned();
    let detail = error.to_string();
    // The tables are strict and their numbers are always there: SQLite reads such a page without a complaint, and
    // only what it finds there shows the damage.
    if matches!(
        error,
        Error::InvalidColumnType(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
            | Error::QueryReturnedNoRows
    ) {
        return OutboxError::Corrupt { path, detail };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => OutboxError::DiskFull { path },
        Some(ErrorCode::ReadOnly) => OutboxError::ReadOnly { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => OutboxError::Corrupt { path, detail },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OutboxError::InUse { path },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            OutboxError::Folder { path, source: io::Error::other(detail) }
        }
        _ => OutboxError::Disk { path, detail },
    }
}

pub(super) fn folder_error(dir: &Path, source: io::Error) -> OutboxError {
    let path = dir.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OutboxError::DiskFull { path },
        io::ErrorKind::ReadOnlyFilesystem => OutboxError::ReadOnly { path },
        _ => OutboxError::Folder { path, source },
    }
}

/// SQLite says only that it cannot open or read the file; the system says why.
pub(super) fn probe(dir: &Path) -> Option<io::Error> {
    let path = dir.join("probe");
    let error = fs::write(&path, "probe").err();
    // Removing it cannot matter: it is overwritten next time.
    let _ = fs::remove_file(path);
    error
}

/// Was it not closed in order? SQLite removes the write-ahead log when it is.
pub(super) fn is_unclean(path: &Path) -> bool {
    fs::metadata(with_suffix(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Moves a damaged database out of the way. Only the newest is kept, so that damage
/// that comes back cannot fill the disk.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let kept = path.with_extension("damaged.sqlite");
    // Otherwise the log of an earlier damaged file would be taken for that of this one.
    remove_all(&kept)?;
    move_aside(path, &kept, "")?;
    set_log_aside(path)?;
    Ok(kept)
}

/// The second half of [`set_aside`], for one that ended before it. SQLite would take the log of the damaged file
/// for that of the file which is going to have its name, and write its pages into that.
pub(super) fn set_log_aside(path: &Path) -> io::Result<()> {
    move_aside(path, &path.with_extension("damaged.sqlite"), "-wal")?;
    remove(&with_suffix(path, "-shm"))
}

fn move_aside(path: &Path, kept: &Path, suffix: &str) -> io::Result<()> {
    match fs::rename(with_suffix(path, suffix), with_suffix(kept, suffix)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Removes a database with its log.
pub(super) fn remove_all(path: &Path) -> io::Result<()> {
    ["", "-wal", "-shm"].into_iter().try_for_each(|suffix| remove(&with_suffix(path, suffix)))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
