//! Recordings of every kind that is likely to be handed in, and bit streams that are damaged in known ways.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use jiff::Timestamp;
use karaul::{
    camera::{Frame, Recording},
    vision::Layout,
};
use karaul_tests::data;

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
    // The reference is the CRC-32 of each picture as tight NV12.
    for (stream, sums) in [
        ("bitstreams/cros-h264/test-25fps.h264", "bitstreams/cros-h264/test-25fps.h264.crc"),
        ("bitstreams/cros-h264/64x64-I-P-B-P.h264", "bitstreams/cros-h264/64x64-I-P-B-P.h264.crc"),
        ("bitstreams/cros-h265/test-25fps.h265", "bitstreams/cros-h265/test-25fps.h265.crc"),
        ("bitstreams/cros-h265/bear.h265", "bitstreams/cros-h265/bear.h265.crc"),
    ] {
        let (Some(stream), Some(sums)) = (data(stream), data(sums)) else { return };
        let expected: Vec<String> =
            fs::read_to_string(sums).unwrap().lines().map(|line| line.trim().to_owned()).collect();
        let (found, end) = read(&stream, |frame| format!("{:08x}", crc32(&tight_nv12(frame))));
        assert_eq!((found, end), (expected, None), "{}", stream.display());
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

/// The picture without padding, with its chroma interleaved.
fn tight_nv12(frame: &Frame) -> Vec<u8> {
    let planes = frame.planes();
    let Layout::I420 { y, u, v, y_stride, u_stride, v_stride } = planes.layout else { panic!("not I420") };
    let mut bytes: Vec<u8> =
        y.chunks(y_stride).take(planes.height).flat_map(|row| &row[..planes.width]).copied().collect();
    for (u, v) in u.chunks(u_stride).zip(v.chunks(v_stride)).take(planes.height.div_ceil(2)) {
        bytes.extend(u.iter().zip(v).take(planes.width.div_ceil(2)).flat_map(|(u, v)| [*u, *v]));
    }
    bytes
}

fn hash(frame: &Frame) -> u64 {
    let mut hasher = DefaultHasher::new();
    tight_nv12(frame).hash(&mut hasher);
    hasher.finish()
}

/// CRC-32 of ISO 3309, as in zlib.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}
