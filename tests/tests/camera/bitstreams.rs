//! Clean and damaged streams over RTSP: each ends without a crash or a hang, nothing grows, and a clean one after them
//! decodes as it should.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use karaul::{
    camera::{self, Frame, Stream},
    clock::{Clock, SystemClock},
};
use karaul_simulator::peer::{Clip, Coding, End, Peer, Script, When};
use karaul_tests::{data, packed_nv12};

use crate::watched::settings;

/// Much faster than a camera, so that a test does not take hours.
const FAST: u32 = 200;

/// No stream lasts longer, played at that rate on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Streams at a time.
const AT_A_TIME: usize = 4;

/// Memory that caches of the allocator may take from one time to the next.
const MOST_GROWTH_KIB: u64 = 8 << 10;

/// Plays a byte stream once; each picture is handed over. The words with which it ended.
fn play(path: &Path, coding: Coding, rate: u32, mut picture: impl FnMut(&Frame)) -> String {
    let clip = Arc::new(Clip::cut(&fs::read(path).unwrap(), coding, rate));
    assert!(!clip.pictures.is_empty(), "{}", path.display());
    let peer = Peer::start(Script { end: Some((When::ClipEnd, End::Bye)), ..Script::well(&clip) }).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut stream = Stream::open(&settings(peer.port(), "/stream"), clock, Arc::default()).unwrap();
    let end = Instant::now() + LIMIT;
    loop {
        match stream.next(Duration::from_millis(200)) {
            Ok(Some(frame)) => picture(&frame),
            Ok(None) => {}
            Err(error) => return error.fault.to_string(),
        }
        assert!(Instant::now() < end, "{}: still going on", path.display());
    }
}

/// Files of video in these folders, with their coding.
fn files(folders: &[&str]) -> Option<Vec<(PathBuf, Coding)>> {
    let root = data("bitstreams")?;
    let mut files = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("264" | "h264" | "jsv") => files.push((path, Coding::H264)),
                Some("h265") => files.push((path, Coding::H265)),
                _ => {}
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Some(files)
}

/// Plays all of them; name, pictures and the end of each.
fn play_all(files: &[(PathBuf, Coding)]) -> Vec<(String, usize, String)> {
    let next = Mutex::new(files.iter());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some((path, coding)) = next.lock().unwrap().next() else { return };
                    let mut pictures = 0;
                    let end = play(path, *coding, FAST, |_| pictures += 1);
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    results.lock().unwrap().push((name, pictures, end));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort();
    results
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn damaged_and_odd_streams_end_and_a_clean_one_follows() {
    camera::init().unwrap();
    let Some(all) = files(&["h264", "cros-h264", "cros-h265", "damaged"]) else { return };
    let Some(damaged) = files(&["damaged"]) else { return };
    let results = play_all(&all);
    assert_eq!(results.len(), all.len());
    // What leaks grows each time; caches of the allocator do not.
    let round = |_| {
        let before = resident();
        play_all(&damaged);
        resident().saturating_sub(before)
    };
    let growth = (0..3).map(round).min().unwrap();
    for (name, pictures, end) in &results {
        eprintln!("{name}: {pictures} pictures, {end}");
    }
    eprintln!("{} streams; {growth} KiB more each time after {} of them again", results.len(), damaged.len());
    assert!(growth <= MOST_GROWTH_KIB, "{growth} KiB");
    // Whatever is damaged, something of it is seen; single pictures may be too few to get through.
    let unseen: Vec<&String> = results
        .iter()
        .filter(|(name, pictures, _)| name.starts_with("test-") && *pictures == 0)
        .map(|r| &r.0)
        .collect();
    assert_eq!(unseen, Vec::<&String>::new());
    for (file, coding) in [("cros-h264/test-25fps.h264", Coding::H264), ("cros-h265/test-25fps.h265", Coding::H265)] {
        clean(file, coding);
    }
}

/// Each picture that is seen is one of the reference's, in their order, and hardly one is missing: at this pace it is
/// only replaced by a newer one when the machine is busy.
fn clean(file: &str, coding: Coding) {
    let path = data("bitstreams").unwrap().join(file);
    let reference = fs::read_to_string(format!("{}.md5", path.display())).unwrap();
    let reference: Vec<&str> = reference.split_whitespace().collect();
    let mut seen = Vec::new();
    play(&path, coding, 50, |frame| seen.push(md5(frame)));
    let mut from = 0;
    let mut strangers = 0;
    for hash in &seen {
        match reference[from..].iter().position(|known| known == hash) {
            Some(further) => from += further + 1,
            None => strangers += 1,
        }
    }
    assert_eq!(strangers, 0, "{file}: of {} pictures", seen.len());
    let least = reference.len() * 9 / 10;
    assert!(seen.len() >= least, "{file}: {} of {} pictures", seen.len(), reference.len());
}

/// MD5 of a picture as packed NV12, which the reference is of.
fn md5(frame: &Frame) -> String {
    hex::encode(openssl::hash::hash(openssl::hash::MessageDigest::md5(), &packed_nv12(&frame.planes())).unwrap())
}
