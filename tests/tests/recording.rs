//! Recordings of every kind that is likely to be handed in, and bit streams that are damaged in known ways.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use jiff::Timestamp;
use karaul::camera::{Frame, Recording};
use karaul_tests::{data, packed_nv12};

/// All pictures of a file, seen through `look`, and how it ended.
fn read<T>(path: &Path, look: impl Fn(&Frame) -> T) -> (Vec<T>, Option<String>) {
    karaul::camera::init().unwrap();
    let mut seen = Vec::new();
    for frame in Recording::open(path, Timestamp::UNIX_EPOCH).unwrap() {
        match frame {
            Ok(frame) => seen.push(look(&frame)),
            Err(error) => return (seen, Some(error.to_string())),
        }
    }
    (seen, None)
}

#[test]
fn pictures_are_exact_and_in_order() {
    // The reference is the MD5 of each picture as packed NV12.
    for codec in ["h264", "h265"] {
        let Some(folder) = data(&format!("bitstreams/cros-{codec}")) else { return };
        let mut compared = 0;
        for file in fs::read_dir(folder).unwrap() {
            let sums = file.unwrap().path();
            if sums.extension().is_none_or(|extension| extension != "md5") {
                continue;
            }
            let stream = sums.with_extension("");
            let text = fs::read_to_string(&sums).unwrap();
            let expected: Vec<&str> = text.lines().map(str::trim).collect();
            let (found, end) = read(&stream, |frame| {
                hex::encode(
                    openssl::hash::hash(openssl::hash::MessageDigest::md5(), &packed_nv12(&frame.planes())).unwrap(),
                )
            });
            assert_eq!((found.iter().map(String::as_str).collect(), end), (expected, None), "{}", stream.display());
            compared += 1;
        }
        assert!(compared >= 5, "{codec}: only {compared} streams");
    }
}

#[test]
fn streams_of_every_make_end_without_harm_and_twice_alike() {
    // Conformance streams: several slices, lost pictures and keyframes, flexible order of blocks, cropping, interlacing.
    let Some(folder) = data("bitstreams/h264") else { return };
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let (first, end) = read(&path, hash);
        let (second, _) = read(&path, hash);
        println!("{}: {} pictures, {end:?}", path.display(), first.len());
        assert_eq!(first, second, "{}", path.display());
    }
}

#[test]
fn after_a_damaged_stream_a_clean_one_decodes_fully() {
    for codec in ["h264", "h265"] {
        let (Some(damaged), Some(clean)) = (
            data(&format!("bitstreams/damaged/test-25fps.garbage.{codec}")),
            data(&format!("bitstreams/cros-{codec}/test-25fps.{codec}")),
        ) else {
            return;
        };
        let (alone, _) = read(&clean, hash);
        let folder = tempfile::tempdir().unwrap();
        let both = folder.path().join(format!("both.{codec}"));
        fs::write(&both, [fs::read(damaged).unwrap(), fs::read(clean).unwrap()].concat()).unwrap();
        let (after, end) = read(&both, hash);
        assert_eq!(end, None);
        assert!(after.ends_with(&alone), "{codec}");
    }
}

#[test]
fn the_size_of_the_picture_may_change_in_mid_stream() {
    let size = |frame: &Frame| (frame.planes().width, frame.planes().height);
    for codec in ["h264", "h265"] {
        let (Some(small), Some(large)) = (
            data(&format!("bitstreams/cros-{codec}/64x64-I-P-B-P.{codec}")),
            data(&format!("bitstreams/cros-{codec}/test-25fps.{codec}")),
        ) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let both = folder.path().join(format!("both.{codec}"));
        fs::write(&both, [fs::read(&small).unwrap(), fs::read(&large).unwrap(), fs::read(&small).unwrap()].concat())
            .unwrap();
        let (sizes, end) = read(&both, size);
        let of = |path: &Path, size| vec![size; read(path, |_| ()).0.len()];
        let expected = [of(&small, (64, 64)), of(&large, (320, 240)), of(&small, (64, 64))].concat();
        assert_eq!((sizes, end), (expected, None), "{codec}");
    }
}

#[test]
fn containers_give_every_picture_with_its_time() {
    for (file, pictures, last_ms) in [
        ("videos/intel-one-by-one-person.mp4", 1394, 139_300),
        ("videos/motorway-cyclist-320x240.avi", 748, 29_960),
        ("videos/intel-store-aisle.avi", 67, 3_959),
    ] {
        let Some(path) = data(file) else { return };
        let (stamps, end) = read(&path, |frame| frame.stamp.mono);
        assert_eq!((stamps.len(), end), (pictures, None), "{file}");
        assert_eq!(stamps.last().unwrap().as_millis(), last_ms, "{file}");
        assert!(stamps.is_sorted_by(|a, b| a < b), "{file}");
    }
}

#[test]
fn a_recording_that_was_cut_off_says_so_after_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    for (file, least) in [
        ("videos/intel-car-topdown.mp4", 150),
        ("videos/motorway-cyclist-320x240.avi", 300),
        ("videos/intel-bottles.mp4", 0),
    ] {
        let Some(path) = data(file) else { return };
        let whole = fs::read(&path).unwrap();
        let cut = folder.path().join(path.file_name().unwrap());
        fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
        let (pictures, end) = read(&cut, |_| ());
        let end = end.unwrap_or_default();
        let expected = if least > 0 {
            format!("damaged or cut off after {} pictures (", pictures.len())
        } else {
            // The index of this one stands at its end.
            "no picture in it can be read (".to_owned()
        };
        assert!(pictures.len() >= least && end.contains(&expected), "{file}: {} pictures, {end:?}", pictures.len());
    }
}

#[test]
fn damaged_streams_end_without_harm_and_twice_alike() {
    let Some(folder) = data("bitstreams/damaged") else { return };
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let (first, _) = read(&path, hash);
        let (second, _) = read(&path, hash);
        assert!(first.len() > 100, "{}: {} pictures", path.display(), first.len());
        assert_eq!(first, second, "{}", path.display());
    }
}

#[test]
fn a_stream_of_parameter_sets_only_has_no_picture() {
    let Some(path) = data("bitstreams/h264/sps_subsetsps_bothVUI.264") else { return };
    let (pictures, end) = read(&path, |_| ());
    assert_eq!(pictures.len(), 0);
    let end = end.unwrap();
    assert!(end.ends_with("no picture in it can be read (No valid frames decoded before end of stream); is it a video file, and whole?"), "{end}");
}

fn hash(frame: &Frame) -> u64 {
    let mut hasher = DefaultHasher::new();
    packed_nv12(&frame.planes()).hash(&mut hasher);
    hasher.finish()
}
