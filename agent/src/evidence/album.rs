use std::{
    collections::VecDeque,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use image::{ImageError, codecs::jpeg::JpegEncoder};
use karaul_wire::{Evidence, EvidenceKind, Redaction};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::to_rgb;
use crate::vision::Planes;

/// JPEG quality of snapshots: faces and clothes stay recognisable at a tenth of the
/// raw size.
const QUALITY: u8 = 85;

/// The folder of snapshots. When its quota is full, the oldest go first.
#[derive(Debug)]
pub struct Album {
    folder: PathBuf,
    quota: u64,
    shelf: Mutex<Shelf>,
}

/// What lies in the folder, oldest first.
#[derive(Debug, Default)]
struct Shelf {
    files: VecDeque<(PathBuf, u64)>,
    size: u64,
}

/// Why a picture could not be kept. The alert goes out without it.
#[derive(Debug, thiserror::Error)]
pub enum AlbumError {
    /// The disk.
    #[error("cannot keep pictures in {path}: {source}; check space and rights of the folder storage.path")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The encoder.
    #[error("cannot encode a snapshot: {0}")]
    Encode(#[from] ImageError),
}

impl Album {
    /// Opens the folder, making it if need be, and sees what is in it.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open(folder: &Path, quota: u64) -> Result<Self, AlbumError> {
        let disk = |source| AlbumError::Disk { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(disk)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            if entry.path().extension().is_some_and(|e| e == "jpg") {
                files.push((entry.path(), entry.metadata().map_err(disk)?.len()));
            }
        }
        files.sort(); // names are UUIDv7 and sort by time
        let size = files.iter().map(|(_, size)| size).sum();
        let shelf = Mutex::new(Shelf { files: files.into(), size });
        Ok(Self { folder: folder.to_owned(), quota, shelf })
    }

    /// Keeps a picture as `<id>.jpg` and describes it.
    ///
    /// # Errors
    /// If it cannot be encoded or written.
    pub fn keep(&self, planes: &Planes<'_>) -> Result<Evidence, AlbumError> {
        let mut jpeg = Vec::new();
        to_rgb(planes).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
        let id = Uuid::now_v7();
        let path = self.folder.join(format!("{id}.jpg"));
        let size = jpeg.len() as u64;
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.make_room(self.quota.saturating_sub(size))?;
        write_whole(&path, &jpeg).map_err(|source| AlbumError::Disk { path: path.clone(), source })?;
        shelf.files.push_back((path, size));
        shelf.size += size;
        let sha256 = hex::encode(Sha256::digest(&jpeg));
        Ok(Evidence { id, kind: EvidenceKind::Snapshot, sha256, size, redaction: Redaction::None })
    }
}

impl Shelf {
    fn make_room(&mut self, limit: u64) -> Result<(), AlbumError> {
        while self.size > limit {
            let Some((path, size)) = self.files.pop_front() else { break };
            self.size -= size;
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(AlbumError::Disk { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A file is there whole or not at all, also after a power cut.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let result = fs::File::create(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&partial, path));
    if result.is_err() {
        // Best effort: the first error is the one worth telling.
        let _ = fs::remove_file(&partial);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::{Layout, Matrix, Range};

    fn grey(width: usize, height: usize) -> Vec<u8> {
        vec![128; width * height * 3]
    }

    fn planes(rgb: &[u8], width: usize, height: usize) -> Planes<'_> {
        let layout = Layout::Rgb { rgb, stride: width * 3 };
        Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 }
    }

    #[test]
    fn a_picture_is_kept_as_it_is_described() {
        let dir = tempfile::tempdir().unwrap();
        let album = Album::open(&dir.path().join("evidence"), 1 << 20).unwrap();
        let rgb = grey(64, 48);
        let evidence = album.keep(&planes(&rgb, 64, 48)).unwrap();
        let bytes = fs::read(dir.path().join("evidence").join(format!("{}.jpg", evidence.id))).unwrap();
        assert_eq!(evidence.size, bytes.len() as u64);
        assert_eq!(evidence.sha256, hex::encode(Sha256::digest(&bytes)));
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (64, 48));
        assert!(picture.pixels().all(|p| p.0.iter().all(|c| c.abs_diff(128) <= 1)));
    }

    #[test]
    fn the_oldest_pictures_make_room_also_those_of_an_earlier_run() {
        let dir = tempfile::tempdir().unwrap();
        let rgb = grey(64, 48);
        let first = Album::open(dir.path(), 1 << 20).unwrap().keep(&planes(&rgb, 64, 48)).unwrap();
        let album = Album::open(dir.path(), 2 * first.size).unwrap();
        let second = album.keep(&planes(&rgb, 64, 48)).unwrap();
        let third = album.keep(&planes(&rgb, 64, 48)).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, [format!("{}.jpg", second.id), format!("{}.jpg", third.id)]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Album::open(&file.path().join("evidence"), 1).unwrap_err().to_string();
        assert!(error.starts_with("cannot keep pictures in "), "{error}");
        assert!(error.ends_with("check space and rights of the folder storage.path"), "{error}");
    }
}
