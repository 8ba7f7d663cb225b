//! What a camera shows.

use std::{fs, time::Duration};

use karaul::{
    camera::StreamSettings,
    config::{Decoding, Transport},
};
use karaul_tests::data;

use crate::watched::{SOON, Told, Watched, settings, simulator};

#[test]
fn pictures_come_with_their_time() {
    let simulator = simulator(&["/a=pattern,fps=25,timecode", "/b=pattern,size=320x240,codec=h265,timecode"]);
    let (tcp, udp) = (Transport::Tcp, Transport::Udp);
    for (path, size, transport) in [("/a", (640, 360), tcp), ("/b", (320, 240), tcp), ("/a", (640, 360), udp)] {
        let watched = Watched::new(StreamSettings { transport, ..settings(simulator.port(), path) });
        watched.seeing(SOON);
        let frames = watched.frames(30);
        assert!(frames.iter().all(|frame| frame.1 == size));
        assert!(frames.is_sorted_by(|a, b| a.0.mono < b.0.mono));
        // The first ones wait for the decoder; after that a stamp is within a moment of the burned-in time:
        // earlier by as much as the jitter buffer corrects, later by what the way takes.
        for (stamp, _, burned) in &frames[15..] {
            let late = stamp.wall.as_millisecond() - burned.unwrap().as_millis() as i64;
            assert!((-200..300).contains(&late), "{path} {transport:?}: {late} ms");
        }
        assert!(watched.counters.read().decoded >= 30);
    }
}

#[test]
fn motion_jpeg_is_seen_at_any_size() {
    // Portrait, and 45 blocks high: an odd number.
    let camera = simulator(&["/a=pattern,size=360x640,codec=mjpeg", "/b=pattern,size=640x360,codec=mjpeg"]);
    for (path, size) in [("/a", (360, 640)), ("/b", (640, 360))] {
        let watched = Watched::new(settings(camera.port(), path));
        let frames = watched.frames(20);
        assert!(frames.iter().all(|frame| frame.1 == size), "{path}");
        assert!(frames.is_sorted_by(|a, b| a.0.mono < b.0.mono));
        // Each picture is a keyframe: decoding on demand leaves none out, and does no harm.
        let on_demand = StreamSettings { decoding: Decoding::OnDemand, ..settings(camera.port(), path) };
        assert_eq!(Watched::new(on_demand).frames(20).len(), 20);
    }
}

#[test]
fn the_size_of_the_picture_may_change_in_mid_stream() {
    let folder = tempfile::tempdir().unwrap();
    for codec in ["h264", "h265"] {
        let (Some(small), Some(large)) = (
            data(&format!("bitstreams/cros-{codec}/64x64-I-P.{codec}")),
            data(&format!("bitstreams/cros-{codec}/test-25fps.{codec}")),
        ) else {
            return;
        };
        let both = folder.path().join(format!("both.{codec}"));
        fs::write(&both, [fs::read(small).unwrap(), fs::read(large).unwrap()].concat()).unwrap();
        let camera = simulator(&[&format!("/a=file:{},copy,codec={codec}", both.display())]);
        let watched = Watched::new(settings(camera.port(), "/a"));
        // The clip of ten seconds starts anew: from the large picture to the small one and back.
        let size = |wanted| {
            let of =
                move |told| if let Told::Frame { size, .. } = told { (size == wanted).then_some(()) } else { None };
            watched.wait(SOON, of);
        };
        size((320, 240));
        size((64, 64));
        size((320, 240));
        assert_eq!(watched.counters.read().reconnects, 0, "{codec}");
    }
}

#[test]
fn a_clip_repeats_without_a_seam() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.h264");
    // Two pictures at 25 a second: every other one lies on a seam.
    fs::write(&clip, include_bytes!("../../../agent/src/camera/trial.h264")).unwrap();
    for options in [",copy", ""] {
        let simulator = simulator(&[&format!("/a=file:{}{options}", clip.display())]);
        let watched = Watched::new(settings(simulator.port(), "/a"));
        let stamps: Vec<Duration> = watched.frames(60).iter().map(|frame| frame.0.mono).collect();
        let late = &stamps[20..];
        let mean = (late[late.len() - 1] - late[0]) / (late.len() as u32 - 1);
        assert!((30..60).contains(&mean.as_millis()), "{options}: {mean:?} from picture to picture");
        let gap = late.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(gap < Duration::from_millis(300), "{options}: gap {gap:?}");
        assert_eq!(watched.counters.read().reconnects, 0);
    }
}

#[test]
fn a_slow_observer_gets_the_newest_picture_and_losses_are_counted() {
    let simulator = simulator(&["/a=pattern,size=320x240,fps=25,timecode"]);
    let watched = Watched::slowly(settings(simulator.port(), "/a"), Duration::from_millis(200));
    let frames = watched.frames(10);
    let counts = watched.counters.read();
    assert!(counts.overrun >= 15, "{counts:?}");
    let (stamp, _, burned) = frames[9];
    let late = stamp.wall.as_millisecond() - burned.unwrap().as_millis() as i64;
    assert!(late < 300, "{late} ms");
}

#[test]
fn damaged_video_does_not_end_the_stream() {
    for (file, codec) in [("trunc.h264", "h264"), ("garbage.h264", "h264"), ("drop.h265", "h265")] {
        let Some(path) = data(&format!("bitstreams/damaged/test-25fps.{file}")) else { return };
        let simulator = simulator(&[&format!("/a=file:{},copy,codec={codec}", path.display())]);
        let watched = Watched::new(settings(simulator.port(), "/a"));
        let frames = watched.frames(40);
        assert!(frames.iter().all(|frame| frame.1 == (320, 240)), "{file}");
        assert_eq!(watched.counters.read().reconnects, 0, "{file}");
    }
}
