use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{camera::init, vision::Layout};

const TRIAL: &[u8] = include_bytes!("../trial.h264");

/// Opens a file of that name and content; its stamps in milliseconds, and how it ended.
fn read(name: &str, content: &[u8]) -> (Vec<u128>, Option<String>) {
    init().unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let mut stamps = Vec::new();
    for frame in Recording::open(&path, Timestamp::UNIX_EPOCH).unwrap() {
        match frame {
            Ok(frame) => stamps.push(frame.stamp.mono.as_millis()),
            Err(error) => return (stamps, Some(error.to_string().replace(&path.display().to_string(), name))),
        }
    }
    (stamps, None)
}

#[test]
fn a_bare_stream_gives_each_picture_and_ends() {
    assert_eq!(read("clip.h264", TRIAL), (vec![0, 40], None));
    assert_eq!(read("clip.H265", include_bytes!("../trial.h265")), (vec![0, 40], None));
}

#[test]
fn its_pictures_are_the_ones_that_were_encoded() {
    init().unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("clip.264");
    fs::write(&path, TRIAL).unwrap();
    let frame = Recording::open(&path, Timestamp::UNIX_EPOCH).unwrap().next().unwrap().unwrap();
    let planes = frame.planes();
    let Layout::I420 { y, u, .. } = planes.layout else { panic!("not I420") };
    assert_eq!((planes.width, planes.height), (320, 240));
    assert!(y[0].abs_diff(180) <= 1 && u[0].abs_diff(128) <= 1, "{} {}", y[0], u[0]);
}

#[test]
fn what_is_no_video_says_so() {
    let text = "Karaul watches, it does not read. ".repeat(100);
    for (name, content, why) in [
        ("clip.mp4", text.as_str(), "This appears to be a text file"),
        ("clip.h264", text.as_str(), "No valid frames found before end of stream"),
        ("clip.mkv", "", "Stream contains no data."),
    ] {
        let said = format!("{name}: no picture in it can be read ({why}); is it a video file, and whole?");
        assert_eq!(read(name, content.as_bytes()), (vec![], Some(said)));
    }
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let Err(error) = Recording::open(Path::new("nowhere/clip.mp4"), Timestamp::UNIX_EPOCH) else { panic!("opened") };
    assert_eq!(
        error.to_string(),
        "nowhere/clip.mp4: cannot be opened: No such file or directory (os error 2); check the path and your right to read it"
    );
}

/// Encodes ten still seconds, three with a moving ball, seven still ones; a keyframe every two seconds.
fn clip(folder: &TempDir, bframes: u32) -> PathBuf {
    init().unwrap();
    let path = folder.path().join("clip.mkv");
    let part = |pictures: u32, pattern: &str| {
        format!(
            "videotestsrc num-buffers={pictures} pattern={pattern} ! video/x-raw,width=320,height=240,framerate=25/1 ! c. "
        )
    };
    let (still, moving) = (part(250, "smpte75"), part(75, "ball"));
    let line = format!(
        "{still}{moving}{}concat name=c ! identity single-segment=true ! x264enc key-int-max=50 bframes={bframes} option-string=scenecut=0 ! h264parse ! matroskamux ! \
         filesink location={}",
        part(175, "smpte75"),
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let done = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(gst::ClockTime::from_seconds(60), &[gst::MessageType::Eos, gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(done.unwrap().type_(), gst::MessageType::Eos);
    path
}

/// What is seen of a clip: for each picture its time in milliseconds, and whether it is a glimpse. `seen` tells by the
/// time whether there is something in a picture.
fn watch(path: &Path, decoding: Decoding, seen: impl Fn(u128) -> bool) -> Vec<(u128, bool)> {
    let recording = Recording::open(path, Timestamp::UNIX_EPOCH).unwrap();
    let mut recording = recording.decoded(decoding, Duration::from_secs(2));
    let mut pictures = Vec::new();
    while let Some(frame) = recording.next() {
        let frame = frame.unwrap();
        let at = frame.stamp.mono.as_millis();
        recording.attend(seen(at));
        pictures.push((at, frame.glimpse));
    }
    pictures
}

#[test]
fn a_still_scene_is_glimpsed_at_and_nothing_of_motion_is_missed() {
    for bframes in [0, 2] {
        let folder = TempDir::new().unwrap();
        let path = clip(&folder, bframes);
        let all = watch(&path, Decoding::Full, |_| false);
        assert_eq!(all.len(), 500);
        let some = watch(&path, Decoding::OnDemand, |at| (10_000..13_000).contains(&at));
        let times: Vec<u128> = some.iter().map(|(at, _)| *at).collect();
        // From the keyframe before the ball to its end everything, in order and once, with the very same times.
        let moving: Vec<u128> = all.iter().map(|(at, _)| *at).filter(|at| (8_000..13_000).contains(at)).collect();
        assert!(moving.iter().all(|at| times.contains(at)), "{bframes}: {times:?}");
        let followed: Vec<u128> = some.iter().filter(|(_, glimpse)| !glimpse).map(|(at, _)| *at).collect();
        assert!(followed.is_sorted_by(|a, b| a < b), "{bframes}: {followed:?}");
        // What is still is glimpsed at once in two seconds.
        let still = some.iter().filter(|(at, glimpse)| *glimpse && (6_000..10_000).contains(at)).count();
        assert_eq!(still, 2, "{bframes}: {some:?}");
        // With B-frames one picture in three tells of motion, so it takes longer to know what is usual.
        let most = if bframes == 0 { 380 } else { 430 };
        assert!(some.len() < most, "{bframes}: {} of 500", some.len());
    }
}

#[test]
fn keyframes_alone_are_no_glimpses() {
    let folder = TempDir::new().unwrap();
    let path = clip(&folder, 2);
    let expected: Vec<(u128, bool)> = (0..10).map(|n| (2000 * n, false)).collect();
    assert_eq!(watch(&path, Decoding::Keyframes, |_| true), expected);
}
