//! The ring of encoded pictures, live, and the clips that are cut out of it.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use karaul::{
    camera::{EncodedRing, Footage, Recording, StreamSettings},
    config::Decoding,
};
use karaul_tests::data;

use crate::watched::{SOON, Watched, settings, simulator, simulator_on};

const REACH: Duration = Duration::from_secs(4);

fn ring() -> Arc<EncodedRing> {
    Arc::new(EncodedRing::new("gate", REACH, 16 << 20))
}

fn all(ring: &EncodedRing) -> Option<Footage> {
    ring.cut(Duration::ZERO, Duration::MAX)
}

/// Waits until there are so many pictures in the ring.
fn filled(ring: &EncodedRing, pictures: usize) -> Footage {
    let end = Instant::now() + SOON;
    loop {
        match all(ring) {
            Some(footage) if footage.len() >= pictures => return footage,
            found => assert!(Instant::now() < end, "only {:?}", found.map(|footage| footage.len())),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many pictures of a clip are shown, and for how long.
fn shown(footage: &Footage) -> (usize, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    footage.to_mp4(&path, "camera gate").unwrap();
    let stamps: Vec<_> =
        Recording::open(&path, Timestamp::UNIX_EPOCH).unwrap().map(|f| f.unwrap().stamp.mono).collect();
    (stamps.len(), stamps[stamps.len() - 1] - stamps[0])
}

#[test]
fn a_stream_that_is_only_received_is_kept_alive_like_any_other() {
    let camera = simulator(&["/a=pattern,size=320x240,fps=15,gop=15"]);
    let (port, ring) = (camera.port(), ring());
    let settings = StreamSettings { ring: Some(Arc::clone(&ring)), receive_only: true, ..settings(port, "/a") };
    let watched = Watched::new(settings);
    watched.seeing(SOON);
    let footage = filled(&ring, 30);
    assert_eq!(shown(&footage).0, footage.len());
    assert_eq!(watched.counters.read().decoded, 0);

    drop(camera);
    watched.blind(SOON);
    // What was received before is still there.
    assert!(all(&ring).is_some_and(|footage| footage.len() >= 30));
    let before = all(&ring).unwrap().begins();
    let _camera = simulator_on(port, &["/a=pattern,size=640x480,fps=15,gop=15"]);
    watched.seeing(2 * SOON);
    // Another size begins anew.
    let footage = filled(&ring, 15);
    assert!(footage.begins() > before);
    assert_eq!(shown(&footage).0, footage.len());
}

#[test]
fn the_ring_has_every_picture_whatever_is_decoded_and_no_more_than_it_should() {
    let camera = simulator(&["/a=pattern,size=320x240,fps=15,gop=15"]);
    let ring = ring();
    let decoding = Decoding::Keyframes;
    let settings = StreamSettings { ring: Some(Arc::clone(&ring)), decoding, ..settings(camera.port(), "/a") };
    let watched = Watched::new(settings);
    // Seven keyframes: a second and a half more than the ring reaches back, and its first second.
    watched.frames(7);
    let footage = filled(&ring, 60);
    assert!(footage.len() <= 15 * 5 + 5, "{}", footage.len());
    let (pictures, length) = shown(&footage);
    assert_eq!(pictures, footage.len());
    let expected = Duration::from_secs(1) * (footage.len() as u32 - 1) / 15;
    assert!(length.abs_diff(expected) < Duration::from_millis(300), "{length:?} of {expected:?}");
    assert!(watched.counters.read().decoded <= 10);
}

#[test]
fn pictures_that_are_shown_in_another_order_than_they_come_make_a_clip_too() {
    for codec in ["h264", "h265"] {
        let Some(path) = data(&format!("bitstreams/cros-{codec}/test-25fps.{codec}")) else { return };
        let camera = simulator(&[&format!("/a=file:{},copy,codec={codec}", path.display())]);
        let ring = ring();
        let settings =
            StreamSettings { ring: Some(Arc::clone(&ring)), receive_only: true, ..settings(camera.port(), "/a") };
        let _watched = Watched::new(settings);
        let footage = filled(&ring, 50);
        let (pictures, length) = shown(&footage);
        // At the seam of the file that repeats some cannot be decoded.
        assert!(pictures + 3 >= footage.len() && pictures <= footage.len(), "{codec}: {pictures} of {}", footage.len());
        assert!(length > Duration::from_millis(1500), "{codec}: {length:?}");
    }
}
