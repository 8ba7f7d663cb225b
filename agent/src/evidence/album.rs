use std::{
    collections::VecDeque,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use image::{ImageError, codecs::jpeg::JpegEncoder};
use karaul_wire::{Evidence, EvidenceKind, Redaction, Segment};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{origin, to_rgb};
use crate::{
    disk::{PARTIAL, sync_folder_of, write_whole},
    vision::Planes,
};

/// JPEG quality of snapshots: faces and clothes stay recognisable at a tenth of the
/// raw size.
const QUALITY: u8 = 85;

/// The file endings of what is kept.
const SNAPSHOT: &str = "jpg";
const CLIP: &str = "mp4";

/// The folder of snapshots and clips. When its quota is full, the oldest go first.
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
    /// Of all files, and of those that are being written.
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
    /// The disk, once more.
    #[error("cannot read the picture {path}: {source}; check the disk and the rights of the folder storage.path")]
    Read {
        /// The file.
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
            let path = entry.path();
            if path.extension().is_some_and(|e| e == SNAPSHOT || e == CLIP) {
                files.push((path, entry.metadata().map_err(disk)?.len()));
            } else if path.extension().is_some_and(|e| e == PARTIAL) {
                // Left by a run that was killed while it wrote.
                remove(&path)?;
            }
        }
        files.sort(); // names are UUIDv7 and sort by time
        let size = files.iter().map(|(_, size)| size).sum();
        let shelf = Mutex::new(Shelf { files: files.into(), size });
        Ok(Self { folder: folder.to_owned(), quota, shelf })
    }

    /// Keeps a picture of a camera as `<id>.jpg` and describes it.
    ///
    /// # Errors
    /// If it cannot be encoded or written.
    pub fn keep(&self, camera: &Segment, planes: &Planes<'_>) -> Result<Evidence, AlbumError> {
        let mut jpeg = Vec::new();
        to_rgb(planes).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
        origin::sign(&mut jpeg, camera);
        let size = jpeg.len() as u64;
        self.put(EvidenceKind::Snapshot, size, |path| {
            write_whole(path, &jpeg).map_err(|source| AlbumError::Disk { path: path.to_owned(), source })?;
            Ok((size, hex::encode(Sha256::digest(&jpeg))))
        })
    }

    /// Keeps a clip of about so many bytes as `<id>.mp4` and describes it. `write` is to write it to the file that it is
    /// given.
    ///
    /// # Errors
    /// Those of `write`, and if the file cannot be kept.
    pub fn keep_clip<E: From<AlbumError>>(
        &self,
        expected: u64,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Evidence, E> {
        self.put(EvidenceKind::Clip, expected, |path| {
            let partial = path.with_extension(PARTIAL);
            let settled = write(&partial).and_then(|()| {
                settle(&partial, path).map_err(|source| AlbumError::Disk { path: path.to_owned(), source }.into())
            });
            if settled.is_err() {
                // The first error is the one worth telling; what stays is removed at the next start.
                let _ = fs::remove_file(&partial);
            }
            settled
        })
    }

    /// Makes room, has the file written, which gives its size and SHA-256, and puts it on the shelf.
    fn put<E: From<AlbumError>>(
        &self,
        kind: EvidenceKind,
        expected: u64,
        write: impl FnOnce(&Path) -> Result<(u64, String), E>,
    ) -> Result<Evidence, E> {
        let id = Uuid::now_v7();
        let path = self.path(id, kind);
        // The disk may hang, and then it holds up only who writes: the shelf is locked for bookkeeping alone.
        self.shelf().size += expected;
        let written = self.make_room(None).map_err(E::from).and_then(|()| write(&path));
        self.shelf().size -= expected;
        let (size, sha256) = written?;
        let mut shelf = self.shelf();
        shelf.size += size;
        shelf.files.push_back((path.clone(), size));
        drop(shelf);
        // Pictures of other cameras were perhaps still being written, and could not make room.
        if let Err(error) = self.make_room(Some(&path)) {
            tracing::warn!("{error}");
        }
        Ok(Evidence { id, kind, sha256, size, redaction: Redaction::None })
    }

    fn path(&self, id: Uuid, kind: EvidenceKind) -> PathBuf {
        let ending = match kind {
            EvidenceKind::Snapshot => SNAPSHOT,
            EvidenceKind::Clip => CLIP,
        };
        self.folder.join(format!("{id}.{ending}"))
    }

    /// Whether a clip of this id is kept.
    #[must_use]
    pub fn has_clip(&self, id: Uuid) -> bool {
        self.path(id, EvidenceKind::Clip).is_file()
    }

    /// The file of a picture that is kept, or `None` if there is none of this id (any more).
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, id: Uuid) -> Result<Option<Vec<u8>>, AlbumError> {
        let path = self.path(id, EvidenceKind::Snapshot);
        match fs::read(&path) {
            Ok(jpeg) => Ok(Some(jpeg)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AlbumError::Read { path, source }),
        }
    }

    /// The camera that took a picture; `None` if the picture is not kept (any more) or cannot be read.
    #[must_use]
    pub fn camera_of(&self, id: Uuid) -> Option<Segment> {
        origin::of(&self.read(id).ok()??)
    }

    /// Removes a picture or clip that nobody will ask for.
    pub fn forget(&self, evidence: &Evidence) {
        let path = self.path(evidence.id, evidence.kind);
        let file = self.shelf().take(|other, _| other == path);
        // Where that fails it stays and counts, until the quota needs its room.
        if let Some(file) = file
            && let Err(error) = self.discard(file)
        {
            tracing::warn!("{error}");
        }
    }

    /// Removes the oldest pictures, but not `newest`, until the quota holds. Where the disk refuses to remove one,
    /// the next oldest makes room.
    fn make_room(&self, newest: Option<&Path>) -> Result<(), AlbumError> {
        let mut stuck: Vec<PathBuf> = Vec::new();
        let mut refusal = None;
        loop {
            let mut shelf = self.shelf();
            let spare = |path: &Path, size| {
                size > self.quota && newest != Some(path) && !stuck.iter().any(|stuck| stuck == path)
            };
            let Some((path, size)) = shelf.take(spare) else {
                return refusal.filter(|_| shelf.size > self.quota).map_or(Ok(()), Err);
            };
            drop(shelf);
            if let Err(error) = self.discard((path.clone(), size)) {
                stuck.push(path);
                refusal = Some(error);
            }
        }
    }

    /// Removes a file that was taken off the shelf; if the disk refuses, it goes back.
    fn discard(&self, (path, size): (PathBuf, u64)) -> Result<(), AlbumError> {
        remove(&path).inspect_err(|_| {
            let mut shelf = self.shelf();
            shelf.size += size;
            shelf.files.push_front((path.clone(), size));
        })
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Takes the oldest file off for which `wanted` is true; it is asked with the path and the size of all files.
    fn take(&mut self, wanted: impl Fn(&Path, u64) -> bool) -> Option<(PathBuf, u64)> {
        let place = self.files.iter().position(|(path, _)| wanted(path, self.size))?;
        let file = self.files.remove(place)?;
        self.size -= file.1;
        Some(file)
    }
}

/// Gives a file that was written its name, once the disk has it; its size and SHA-256.
fn settle(partial: &Path, path: &Path) -> io::Result<(u64, String)> {
    let mut file = fs::File::open(partial)?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        size += read as u64;
    }
    file.sync_data()?;
    fs::rename(partial, path)?;
    sync_folder_of(path)?;
    Ok((size, hex::encode(hash.finalize())))
}

fn remove(path: &Path) -> Result<(), AlbumError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(AlbumError::Disk { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
