use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use image::{ImageError, codecs::jpeg::JpegEncoder};
use karaul_wire::{Evidence, EvidenceKind, Redaction, Segment};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{origin, to_rgb};
use crate::{
    disk::{PARTIAL, write_whole},
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
        self.put(EvidenceKind::Snapshot, &jpeg)
    }

    /// Keeps a clip as `<id>.mp4` and describes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_clip(&self, mp4: &[u8]) -> Result<Evidence, AlbumError> {
        self.put(EvidenceKind::Clip, mp4)
    }

    fn put(&self, kind: EvidenceKind, file: &[u8]) -> Result<Evidence, AlbumError> {
        let id = Uuid::now_v7();
        let path = self.path(id, kind);
        let size = file.len() as u64;
        // The disk may hang, and then it holds up only who writes: the shelf is locked for bookkeeping alone.
        self.shelf().size += size;
        let written = self
            .make_room(None)
            .and_then(|()| write_whole(&path, file).map_err(|source| AlbumError::Disk { path: path.clone(), source }));
        if let Err(error) = written {
            self.shelf().size -= size;
            return Err(error);
        }
        self.shelf().files.push_back((path.clone(), size));
        // Pictures of other cameras were perhaps still being written, and could not make room.
        if let Err(error) = self.make_room(Some(&path)) {
            tracing::warn!("{error}");
        }
        let sha256 = hex::encode(Sha256::digest(file));
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

fn remove(path: &Path) -> Result<(), AlbumError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(AlbumError::Disk { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
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

    fn gate() -> Segment {
        "gate".parse().unwrap()
    }

    #[test]
    fn a_picture_is_kept_as_it_is_described() {
        let dir = tempfile::tempdir().unwrap();
        let album = Album::open(&dir.path().join("evidence"), 1 << 20).unwrap();
        let rgb = grey(64, 48);
        let evidence = album.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        let bytes = fs::read(dir.path().join("evidence").join(format!("{}.jpg", evidence.id))).unwrap();
        assert_eq!(evidence.size, bytes.len() as u64);
        assert_eq!(evidence.sha256, hex::encode(Sha256::digest(&bytes)));
        assert_eq!(album.read(evidence.id).unwrap().as_deref(), Some(&bytes[..]));
        assert_eq!(album.read(Uuid::nil()).unwrap(), None);
        assert_eq!((album.camera_of(evidence.id), album.camera_of(Uuid::nil())), (Some(gate()), None));
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (64, 48));
        assert!(picture.pixels().all(|p| p.0.iter().all(|c| c.abs_diff(128) <= 1)));
    }

    #[test]
    fn the_oldest_pictures_make_room_also_those_of_an_earlier_run() {
        let dir = tempfile::tempdir().unwrap();
        let rgb = grey(64, 48);
        let first = Album::open(dir.path(), 1 << 20).unwrap().keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        let album = Album::open(dir.path(), 2 * first.size).unwrap();
        let second = album.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        let third = album.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        assert_eq!(names(dir.path()), [format!("{}.jpg", second.id), format!("{}.jpg", third.id)]);
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_run_left_half_written_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(format!("{}.partial", Uuid::now_v7())), "half a picture").unwrap();
        Album::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn a_picture_that_cannot_be_removed_still_counts_and_the_next_oldest_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let rgb = grey(64, 48);
        let first = Album::open(dir.path(), 1 << 20).unwrap().keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        // A folder in the place of the oldest picture: no file is to be removed there, whoever asks.
        let stuck = dir.path().join(format!("{}.jpg", Uuid::nil()));
        fs::create_dir(&stuck).unwrap();
        let length = fs::metadata(&stuck).unwrap().len();
        let album = Album::open(dir.path(), length + first.size).unwrap();
        let second = album.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        assert_eq!(names(dir.path()), [format!("{}.jpg", Uuid::nil()), format!("{}.jpg", second.id)]);
        assert_eq!(album.shelf().size, length + second.size);
        // With nothing else to remove, it is said.
        let full = Album::open(dir.path(), 1).unwrap();
        let error = full.keep(&gate(), &planes(&rgb, 64, 48)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot keep pictures in {}: ", stuck.display())), "{error}");
        let shelf = full.shelf();
        assert_eq!((shelf.size, shelf.files.len()), (length, 1));
    }

    #[test]
    fn clips_and_pictures_share_the_quota_also_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let rgb = grey(64, 48);
        let first = Album::open(dir.path(), 1 << 20).unwrap();
        let picture = first.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        let clip = first.keep_clip(b"a film of three seconds").unwrap();
        assert_eq!((clip.kind, clip.size), (EvidenceKind::Clip, 23));
        let bytes = fs::read(dir.path().join(format!("{}.mp4", clip.id))).unwrap();
        assert_eq!(clip.sha256, hex::encode(Sha256::digest(&bytes)));
        assert_eq!((first.has_clip(clip.id), first.has_clip(picture.id)), (true, false));
        assert_eq!(first.read(clip.id).unwrap(), None, "it is no picture");
        // There is room for two of these clips and no more.
        let album = Album::open(dir.path(), 46).unwrap();
        let next = album.keep_clip(b"a film of three seconds").unwrap();
        assert_eq!(names(dir.path()), [format!("{}.mp4", clip.id), format!("{}.mp4", next.id)]);
        album.forget(&next);
        album.forget(&clip);
        assert_eq!((names(dir.path()).len(), album.shelf().size), (0, 0));
    }

    #[test]
    fn a_forgotten_picture_is_gone_and_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let album = Album::open(dir.path(), 1 << 20).unwrap();
        let rgb = grey(64, 48);
        let evidence = album.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
        album.forget(&evidence);
        album.forget(&evidence);
        assert_eq!((names(dir.path()).len(), album.shelf().size), (0, 0));
    }

    #[test]
    fn cameras_that_keep_pictures_at_once_stay_within_the_quota() {
        let dir = tempfile::tempdir().unwrap();
        let rgb = grey(64, 48);
        let size = Album::open(dir.path(), 1 << 20).unwrap().keep(&gate(), &planes(&rgb, 64, 48)).unwrap().size;
        let album = Album::open(dir.path(), 3 * size).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        album.keep(&gate(), &planes(&rgb, 64, 48)).unwrap();
                    }
                });
            }
        });
        let shelf = album.shelf();
        let mut shelved: Vec<_> =
            shelf.files.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        shelved.sort();
        assert_eq!((shelved, shelf.size), (names(dir.path()), 3 * size));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Album::open(&file.path().join("evidence"), 1).unwrap_err().to_string();
        assert!(error.starts_with("cannot keep pictures in "), "{error}");
        assert!(error.ends_with("check space and rights of the folder storage.path"), "{error}");
    }
}
