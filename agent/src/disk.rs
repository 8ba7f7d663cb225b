//! Files that are there whole or not at all, also after a power cut.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
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

/// What a checked file holds: one line and, in a second, words about it, if there are any, behind the SHA-256 of all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) line: String,
    pub(crate) words: String,
}

/// Why a checked file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is larger than {0} bytes")]
    Large(u64),
    #[error("its checksum is wrong")]
    Checksum,
}

/// Reads a checked file; `None` if there is none. One of more than `largest` bytes is not read.
///
/// # Errors
/// If it cannot be read, or is not what was written.
pub(crate) fn read_checked(path: &Path, largest: u64) -> Result<Option<Checked>, Damage> {
    match fs::metadata(path) {
        Ok(about) if about.len() > largest => return Err(Damage::Large(largest)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let text = String::from_utf8(fs::read(path)?).map_err(|_| Damage::Checksum)?;
    let (line, rest) = text.trim_end().split_once('\n').ok_or(Damage::Checksum)?;
    let (sum, words) = rest.split_once(' ').unwrap_or((rest, ""));
    if sum != checksum(line, words) {
        return Err(Damage::Checksum);
    }
    Ok(Some(Checked { line: line.to_owned(), words: words.to_owned() }))
}

/// [Replaces](write_whole) a checked file. `line` is one line; `words` may be empty.
///
/// # Errors
/// As those of [`write_whole`].
pub(crate) fn write_checked(path: &Path, line: &str, words: &str) -> io::Result<()> {
    let gap = if words.is_empty() { "" } else { " " };
    write_whole(path, format!("{line}\n{}{gap}{words}\n", checksum(line, words)).as_bytes())
}

fn checksum(line: &str, words: &str) -> String {
    hex::encode(Sha256::new().chain_update(line).chain_update(words).finalize())
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

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
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
    fn a_checked_file_comes_back_as_it_was_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note");
        assert_eq!(read_checked(&path, 100).unwrap(), None);
        for words in ["", "ab12 cd34"] {
            write_checked(&path, r#"{"a":1}"#, words).unwrap();
            let checked = Checked { line: r#"{"a":1}"#.to_owned(), words: words.to_owned() };
            assert_eq!(read_checked(&path, 100).unwrap(), Some(checked));
        }
        let text = fs::read_to_string(&path).unwrap();
        for damaged in [
            text.replace("1}", "2}"),
            text.replace("cd", "ce"),
            text[..20].to_owned(),
            String::new(),
            "\n x".to_owned(),
        ] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(read_checked(&path, 100).unwrap_err().to_string(), "its checksum is wrong");
        }
        fs::write(&path, [0xff; 50]).unwrap();
        assert_eq!(read_checked(&path, 100).unwrap_err().to_string(), "its checksum is wrong");
        assert_eq!(read_checked(&path, 49).unwrap_err().to_string(), "it is larger than 49 bytes");
        assert!(matches!(read_checked(folder.path(), u64::MAX), Err(Damage::Io(_))));
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
