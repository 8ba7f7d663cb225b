use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use data_encoding::BASE64;
use karaul_wire::{Picture, Reply, ReplyCode};
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::ledger::table;

/// Says what the box has answered, and keeps the picture.
pub(super) fn say(reply: &Reply, file: Option<PictureFile>, out: &mut impl io::Write) -> Result<ExitCode, Error> {
    let code = serde_json::to_value(reply.code).ok().and_then(|code| code.as_str().map(|c| c.replace('_', " ")));
    // What comes over the network moves no cursor.
    let detail: String = reply.detail.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    writeln!(out, "{}: {detail}", code.unwrap_or_default())?;
    for day in &reply.ledger {
        let table: String = table(day).chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        write!(out, "\n{table}")?;
    }
    if let (Some(picture), Some(file)) = (&reply.picture, file) {
        let path = file.keep(picture)?;
        writeln!(out, "the picture is in {}", path.display())?;
    }
    Ok(if reply.code == ReplyCode::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A new file for a picture, which only its owner may read. It is there before the box is asked: what cannot be kept
/// here has no business leaving there. Without a picture it goes again.
pub(super) struct PictureFile {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl PictureFile {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => {
                Error::Usage(format!("--output: {} is there already; name another file", path.display()))
            }
            _ => Error::File { path: path.to_owned(), source },
        })?;
        Ok(Self { path: path.to_owned(), file, kept: false })
    }

    fn keep(mut self, picture: &Picture) -> Result<PathBuf, Error> {
        let bytes = BASE64.decode(picture.data.as_bytes()).map_err(|_| Error::Picture)?;
        if hex::encode(Sha256::digest(&bytes)) != picture.sha256 {
            return Err(Error::Picture);
        }
        self.file.write_all(&bytes).map_err(|source| Error::File { path: self.path.clone(), source })?;
        self.kept = true;
        Ok(self.path.clone())
    }
}

impl Drop for PictureFile {
    fn drop(&mut self) {
        if !self.kept {
            // Where that fails an empty file stays, and the next one is named otherwise.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
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
    }
}
