//! Files that are there whole or not at all, also after a power cut.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// The ending of a file that is being written.
pub(crate) const PARTIAL: &str = "partial";

/// Replaces a file. After a power cut it is the old one or the new one.
///
/// # Errors
/// If that cannot be done, or the disk does not say that it has it. The old one stays.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension(PARTIAL);
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&partial, path)?;
        sync_folder_of(path)
    };
    let written = write();
    if written.is_err() {
        // The first error is the one worth telling; what is left is written over next time.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Makes a new name in a folder last over a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.json");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::create_dir(folder.path().join("note.partial")).unwrap();
        assert!(write_whole(&path, b"newer").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
