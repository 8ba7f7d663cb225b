//! Decoding on demand, live.

use std::time::Duration;

use karaul::{camera::StreamSettings, config::Decoding};
use karaul_wire::FullDecodingCause;

use crate::watched::{SOON, Told, Watched, settings, simulator};

fn on_demand(port: u16) -> StreamSettings {
    StreamSettings { decoding: Decoding::OnDemand, ..settings(port, "/a") }
}

#[test]
fn a_still_scene_costs_its_keyframes_and_what_is_seen_in_one_wakes_it() {
    let camera = simulator(&["/a=scene:empty,light=day,fps=25,gop=25"]);
    let watched = Watched::new(on_demand(camera.port()));
    watched.attend(false);
    watched.seeing(SOON);
    let glimpse = |told| if let Told::Frame { glimpse: true, stamp, .. } = told { Some(stamp) } else { None };
    watched.wait(SOON, glimpse);
    let before = watched.counters.read().decoded;
    let begun = watched.wait(SOON, glimpse);
    for _ in 0..3 {
        watched.wait(SOON, glimpse);
    }
    let last = watched.wait(SOON, glimpse);
    let decoded = watched.counters.read().decoded - before;
    assert!((5..=6).contains(&decoded), "{decoded} pictures decoded for five glimpses");
    let every = (last.mono - begun.mono) / 4;
    assert!((Duration::from_millis(900)..Duration::from_millis(1100)).contains(&every), "a glimpse every {every:?}");

    // Somebody sees something in the last one: what came since the one before it follows, in order, and then all.
    watched.attend(true);
    let mut followed = Vec::new();
    while followed.len() < 15 {
        let frame = |told| if let Told::Frame { glimpse: false, stamp, .. } = told { Some(stamp.mono) } else { None };
        followed.push(watched.wait(SOON, frame));
    }
    assert!(followed.is_sorted_by(|a, b| a < b), "{followed:?}");
    let first = followed[0];
    assert!(first < last.mono + Duration::from_millis(1500), "{first:?} after {last:?}");
    let gap = followed.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(gap < Duration::from_millis(600), "gap {gap:?}");
}

#[test]
fn rare_keyframes_are_said_once() {
    let camera = simulator(&["/a=scene:empty,light=day,fps=15,gop=150"]);
    let watched = Watched::new(on_demand(camera.port()));
    watched.attend(false);
    let full = |told| if let Told::FullDecoding(full) = told { Some(full) } else { None };
    let full = watched.wait(SOON, full).unwrap();
    assert_eq!(full.cause, FullDecodingCause::RareKeyframes);
    assert_eq!(
        full.detail,
        "keyframes come too rarely for decoding = \"on-demand\", so every picture is decoded; set a shorter keyframe \
         interval in the camera, or raise \"look_every\""
    );
    let frame = |told| if let Told::Frame { glimpse, .. } = told { Some(glimpse) } else { None };
    for _ in 0..100 {
        assert!(!watched.wait(SOON, frame));
    }
}
