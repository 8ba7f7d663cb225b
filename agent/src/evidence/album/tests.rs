use super::*;
use crate::vision::{Layout, Matrix, Range};

fn grey(width: usize, height: usize) -> Vec<u8> {
    vec![128; width * height * 3]
}

fn planes(rgb: &[u8], width: usize, height: usize) -> Planes<'_> {
    let layout = Layout::Rgb { rgb, stride: width * 3 };
    Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 }
}

fn disk(path: &Path, source: io::Error) -> AlbumError {
    AlbumError::Disk { path: path.to_owned(), source }
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
    // Whatever size was expected.
    let film = |album: &Album| {
        album.keep_clip(30, |path| fs::write(path, "a film of three seconds").map_err(|source| disk(path, source)))
    };
    let clip = film(&first).unwrap();
    assert_eq!((clip.kind, clip.size), (EvidenceKind::Clip, 23));
    let bytes = fs::read(dir.path().join(format!("{}.mp4", clip.id))).unwrap();
    assert_eq!(clip.sha256, hex::encode(Sha256::digest(&bytes)));
    assert_eq!((first.has_clip(clip.id), first.has_clip(picture.id)), (true, false));
    assert_eq!(first.read(clip.id).unwrap(), None, "it is no picture");
    // There is room for two of these clips and no more.
    let album = Album::open(dir.path(), 53).unwrap();
    let next = film(&album).unwrap();
    assert_eq!(names(dir.path()), [format!("{}.mp4", clip.id), format!("{}.mp4", next.id)]);
    album.forget(&next);
    album.forget(&clip);
    assert_eq!((names(dir.path()).len(), album.shelf().size), (0, 0));
}

#[test]
fn a_clip_that_cannot_be_written_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let album = Album::open(dir.path(), 1 << 20).unwrap();
    let half = album.keep_clip(9, |path| {
        fs::write(path, "half").unwrap();
        Err(disk(path, io::ErrorKind::StorageFull.into()))
    });
    assert!(half.is_err());
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
