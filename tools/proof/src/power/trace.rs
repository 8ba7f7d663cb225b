//! What strace recorded, as far as it concerns one folder.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use crate::error::ProofError;

/// The system calls that change files or the order of their changes.
pub(super) const CALLS: [&str; 17] = [
    "openat",
    "open",
    "creat",
    "pwrite64",
    "write",
    "pwritev",
    "writev",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "close",
];

/// One thing that happened. Files are numbered as they are opened: a number stands for the file, whatever its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A name that is opened for writing; made, if it is not there.
    Open {
        file: usize,
        name: String,
        truncate: bool,
    },
    Write {
        file: usize,
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        file: usize,
        length: u64,
    },
    Sync {
        file: usize,
    },
    /// The folder itself.
    SyncFolder,
    Rename {
        from: String,
        to: String,
    },
    Unlink {
        name: String,
    },
    /// A line on standard output.
    Said(String),
    End,
}

impl Call {
    /// Is it worth a power cut?
    pub(super) const fn is_boundary(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::SyncFolder | Self::End)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sync { file } => write!(f, "sync of file {file}"),
            Self::SyncFolder => f.write_str("sync of the folder"),
            Self::End => f.write_str("end"),
            Self::Open { file, name, .. } => write!(f, "opening of {name} as file {file}"),
            Self::Write { file, .. } => write!(f, "write to file {file}"),
            Self::Truncate { file, length } => write!(f, "truncation of file {file} to {length}"),
            Self::Rename { from, to } => write!(f, "renaming of {from} to {to}"),
            Self::Unlink { name } => write!(f, "removal of {name}"),
            Self::Said(line) => write!(f, "`{line}`"),
        }
    }
}

/// What a descriptor stands for.
enum Open {
    File { file: usize, position: u64 },
    Folder,
}

/// Reads a recording. Other folders are left out.
pub(super) fn read(text: &str, folder: &Path) -> Result<Vec<Call>, ProofError> {
    let mut reader = Reader { folder, open: BTreeMap::new(), files: 0, calls: Vec::new(), said: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        if line.starts_with("+++") || line.starts_with("---") {
            continue;
        }
        reader
            .line(line)
            .ok_or_else(|| ProofError::Trace { line: index + 1, text: line.chars().take(120).collect() })?;
    }
    Ok(reader.calls)
}

struct Reader<'a> {
    folder: &'a Path,
    open: BTreeMap<i64, Open>,
    files: usize,
    calls: Vec<Call>,
    said: Vec<u8>,
}

impl Reader<'_> {
    /// `None` if it is not understood.
    fn line(&mut self, line: &str) -> Option<()> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(") ")?;
        let result = result.trim_start().strip_prefix("= ")?;
        let result: i64 = result.split(' ').next()?.parse().ok()?;
        if result < 0 {
            return Some(());
        }
        let parts: Vec<&str> = arguments.split(", ").collect();
        let number = |index: usize| parts.get(index)?.parse::<i64>().ok();
        match name {
            "openat" => self.opened(parts.get(1)?, parts.get(2)?, result),
            "open" => self.opened(parts.first()?, parts.get(1)?, result),
            "creat" => self.opened(parts.first()?, "O_WRONLY|O_CREAT|O_TRUNC", result),
            "close" => {
                self.open.remove(&number(0)?);
                Some(())
            }
            "write" | "pwrite64" => {
                let descriptor = number(0)?;
                let bytes = bytes(parts.get(1)?)?;
                // A short write is one, too.
                let bytes = bytes.get(..usize::try_from(result).ok()?)?.to_vec();
                if descriptor == 1 && name == "write" {
                    self.say(&bytes);
                    return Some(());
                }
                let Some(Open::File { file, position }) = self.open.get_mut(&descriptor) else { return Some(()) };
                let offset = if name == "write" {
                    let offset = *position;
                    *position += bytes.len() as u64;
                    offset
                } else {
                    parts.get(3)?.parse().ok()?
                };
                self.calls.push(Call::Write { file: *file, offset, bytes });
                Some(())
            }
            "ftruncate" => {
                if let Some(Open::File { file, .. }) = self.open.get(&number(0)?) {
                    let length = parts.get(1)?.parse().ok()?;
                    self.calls.push(Call::Truncate { file: *file, length });
                }
                Some(())
            }
            "fsync" | "fdatasync" => {
                match self.open.get(&number(0)?) {
                    Some(Open::File { file, .. }) => self.calls.push(Call::Sync { file: *file }),
                    Some(Open::Folder) => self.calls.push(Call::SyncFolder),
                    None => {}
                }
                Some(())
            }
            "rename" => self.renamed(parts.first()?, parts.get(1)?),
            "renameat" | "renameat2" => self.renamed(parts.get(1)?, parts.get(3)?),
            "unlink" => self.unlinked(parts.first()?),
            "unlinkat" => self.unlinked(parts.get(1)?),
            // Nobody here writes so; a recording with it would be misread, so it is refused.
            _ => (!self.open.contains_key(&number(0)?)).then_some(()),
        }
    }

    fn opened(&mut self, path: &str, flags: &str, descriptor: i64) -> Option<()> {
        let path = path_of(path)?;
        if path == self.folder {
            self.open.insert(descriptor, Open::Folder);
        } else if let Some(name) = self.name(&path)
            && (flags.contains("O_RDWR") || flags.contains("O_WRONLY"))
        {
            let file = self.files;
            self.files += 1;
            self.open.insert(descriptor, Open::File { file, position: 0 });
            self.calls.push(Call::Open { file, name, truncate: flags.contains("O_TRUNC") });
        }
        Some(())
    }

    fn renamed(&mut self, from: &str, to: &str) -> Option<()> {
        if let (Some(from), Some(to)) = (self.name(&path_of(from)?), self.name(&path_of(to)?)) {
            self.calls.push(Call::Rename { from, to });
        }
        Some(())
    }

    fn unlinked(&mut self, path: &str) -> Option<()> {
        if let Some(name) = self.name(&path_of(path)?) {
            self.calls.push(Call::Unlink { name });
        }
        Some(())
    }

    fn say(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
        while let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.said.drain(..=end).collect();
            self.calls.push(Call::Said(String::from_utf8_lossy(&line[..end]).into_owned()));
        }
    }

    /// The name of a file of the folder.
    fn name(&self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(self.folder).ok()?.to_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    }
}

fn path_of(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(OsString::from_vec(bytes(text)?)))
}

/// strace -xx writes each byte as `\x41`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |four: &[u8]| {
        let value = digit(four[2])? * 16 + digit(four[3])?;
        (four.starts_with(b"\\x")).then_some(value as u8)
    };
    if text.len() % 4 != 0 {
        return None;
    }
    text.chunks_exact(4).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_read() {
        let hex = |text: &str| text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        let text = format!(
            "7 openat(AT_FDCWD, \"{a}\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 5\n\
             7 openat(AT_FDCWD, \"{b}\", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n\
             7 pwrite64(5, \"{ab}\", 2, 40) = 2\n7 fdatasync(5)   = 0\n\
             7 write(1, \"{said}\", 9) = 9\n7 close(5) = 0\n7 fdatasync(5) = 0\n\
             7 unlink(\"{a}\") = 0\n7 +++ exited with 0 +++\n",
            a = hex("/s/db"),
            b = hex("/s/none"),
            ab = hex("ab"),
            said = hex("took 1\nx\n"),
        );
        let calls = read(&text, Path::new("/s")).unwrap();
        let expected = [
            Call::Open { file: 0, name: "db".to_owned(), truncate: false },
            Call::Write { file: 0, offset: 40, bytes: b"ab".to_vec() },
            Call::Sync { file: 0 },
            Call::Said("took 1".to_owned()),
            Call::Said("x".to_owned()),
            Call::Unlink { name: "db".to_owned() },
        ];
        assert_eq!(calls, expected);
        assert!(read("7 pwrite64(5, nonsense", Path::new("/s")).is_err());
    }
}
