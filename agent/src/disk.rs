//! Files that are there whole or not at all, also after a power cut.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

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

/// A new file that only its owner may read. It has its name only when it is whole, and never replaces another.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl NewFile {
    /// Makes room for it, under another name that goes again if nothing comes of it.
    ///
    /// # Errors
    /// If that cannot be done, or there is a file of this name.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let folder = folder_of(path);
        // In the system's words, which do not name the file that nobody asked for.
        folder.metadata()?;
        let file = tempfile::Builder::new().prefix(".karaul-").suffix(".partial").tempfile_in(folder)?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes it and gives it its name.
    ///
    /// # Errors
    /// If that cannot be done, or there is a file of this name by now.
    pub(crate) fn write(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.path).map_err(|failed| failed.error)?;
        sync_folder_of(&self.path)
    }
}

/// Makes a new name in a folder last over a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_replaces_none_and_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.jpg");
        drop(NewFile::new(&path).unwrap());
        let (first, second) = (NewFile::new(&path).unwrap(), NewFile::new(&path).unwrap());
        assert!(!path.exists());
        first.write(b"jpeg").unwrap();
        let taken = io::ErrorKind::AlreadyExists;
        assert_eq!(second.write(b"other").unwrap_err().kind(), taken);
        assert_eq!(NewFile::new(&path).unwrap_err().kind(), taken);
        assert_eq!(fs::read(&path).unwrap(), b"jpeg");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

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
