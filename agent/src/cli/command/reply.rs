use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use data_encoding::BASE64;
use karaul_wire::{Picture, Reply, ReplyCode};
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::{disk::NewFile, ledger::table};

/// Says what the box has answered, and keeps the picture.
pub(super) fn say(reply: &Reply, file: Option<PictureFile>, out: &mut impl io::Write) -> Result<ExitCode, Error> {
    let code = serde_json::to_value(reply.code).ok().and_then(|code| code.as_str().map(|c| c.replace('_', " ")));
    // What comes over the network moves no cursor.
    let detail: String = reply.detail.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // First of all: that it has left the box is on record.
    let kept = reply.picture.as_ref().zip(file).map(|(picture, file)| file.keep(picture));
    writeln!(out, "{}: {detail}", code.unwrap_or_default())?;
    for day in &reply.ledger {
        let table: String = table(day).chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        write!(out, "\n{table}")?;
    }
    if let Some(path) = kept.transpose()? {
        writeln!(out, "the picture is in {}", path.display())?;
    }
    Ok(if reply.code == ReplyCode::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The new file of a picture. There is room for one before the box is asked: what cannot be kept here has no business
/// leaving there.
pub(super) struct PictureFile {
    path: PathBuf,
    file: NewFile,
}

impl PictureFile {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = NewFile::new(path).map_err(|source| failed(path, source))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn keep(self, picture: &Picture) -> Result<PathBuf, Error> {
        let bytes = BASE64.decode(picture.data.as_bytes()).map_err(|_| Error::Picture)?;
        if hex::encode(Sha256::digest(&bytes)) != picture.sha256 {
            return Err(Error::Picture);
        }
        self.file.write(&bytes).map_err(|source| failed(&self.path, source))?;
        Ok(self.path)
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::Usage(format!("--output: {} is there already; name another file", path.display()))
        }
        _ => Error::File { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{ErrorKind, Write},
    };

    use super::*;

    #[test]
    fn the_reply_is_said_and_its_picture_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("gate.jpg"), dir.path().join("other.jpg"));
        let file = |path: &Path| Some(PictureFile::new(path).unwrap());
        let sha256 = hex::encode(Sha256::digest(b"jpeg"));
        let picture = Picture { media_type: "image/jpeg".to_owned(), sha256, data: BASE64.encode(b"jpeg") };
        let time = "2026-11-22T10:00:00Z".parse().unwrap();
        let detail = "here it is\u{1b}[2J".to_owned();
        let reply = Reply {
            jti: None,
            time,
            code: ReplyCode::Done,
            detail,
            audit: None,
            picture: Some(picture),
            ledger: Vec::new(),
        };
        let mut out = Vec::new();
        assert_eq!(say(&reply, file(&path), &mut out).unwrap(), ExitCode::SUCCESS);
        let said = String::from_utf8(out).unwrap();
        assert_eq!(said, format!("done: here it is [2J\nthe picture is in {}\n", path.display()));
        assert_eq!(fs::read(&path).unwrap(), b"jpeg");
        let damaged = Picture { sha256: "00".to_owned(), ..reply.picture.clone().unwrap() };
        let damaged = Reply { picture: Some(damaged), ..reply.clone() };
        assert!(matches!(say(&damaged, file(&other), &mut Vec::new()), Err(Error::Picture)));
        let refused = Reply { code: ReplyCode::UnknownKey, picture: None, ..reply };
        assert_eq!(say(&refused, file(&other), &mut Vec::new()).unwrap(), ExitCode::FAILURE);
        assert!(!other.exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_picture_that_has_left_is_kept_whoever_listens() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gate.jpg");
        let picture = Picture {
            media_type: "image/jpeg".to_owned(),
            sha256: hex::encode(Sha256::digest(b"jpeg")),
            data: BASE64.encode(b"jpeg"),
        };
        let (time, detail) = ("2026-11-22T10:00:00Z".parse().unwrap(), String::new());
        let reply = Reply {
            jti: None,
            time,
            code: ReplyCode::Done,
            detail,
            audit: None,
            picture: Some(picture),
            ledger: Vec::new(),
        };
        let file = PictureFile::new(&path).unwrap();
        assert!(!path.exists(), "a name only for a picture that is whole");
        assert!(say(&reply, Some(file), &mut Closed).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"jpeg");
        let again = PictureFile::new(&path).err().unwrap().to_string();
        assert_eq!(again, format!("--output: {} is there already; name another file", path.display()));
    }
}
