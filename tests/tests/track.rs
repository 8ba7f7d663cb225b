//! The tracker on real people: `karaul track` against a SORT (arXiv 1602.00763) that counts frames.

// The allowance of clippy.toml does not reach the helpers of a test.
#![allow(clippy::unwrap_used)]

use std::{fs, num::NonZeroU32};

use karaul::cli::track::{Args, run};
use karaul_tests::{
    data,
    mot::{self, Score},
};

/// Folder, detections, and pictures a second that its frames count.
const SEQUENCES: [(&str, &str, f64); 3] = [
    ("TUD-Campus", "det.txt", 25.0),
    ("MOT16-02-10fps", "det_synth.txt", 10.0),
    ("MOT16-09-10fps", "det_synth.txt", 10.0),
];
const REFERENCE: &str = "SORT reference max_age=30 min_hits=1";

/// MOTA and IDF1 of a result on record.
fn reference(sequence: &str, result: &str) -> Option<(f64, f64)> {
    let text = fs::read_to_string(data("reference/tracking.json")?).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let score = &all[sequence][result];
    Some((score["MOTA"].as_f64().unwrap(), score["IDF1"].as_f64().unwrap()))
}

/// What `karaul track` scores on each N-th frame of a sequence.
fn score(sequence: &str, detections: &str, fps: f64, every: u32) -> Option<Score> {
    let folder = data(&format!("tracking-nc/{sequence}"))?;
    let out = tempfile::NamedTempFile::new().unwrap();
    let args = Args {
        detections: folder.join(detections),
        fps,
        every: NonZeroU32::new(every).unwrap(),
        coast: 0.0,
        out: Some(out.path().to_owned()),
    };
    run(&args).unwrap();
    let mut truth = mot::read(&folder.join("gt.txt"));
    truth.retain(|row| (row.frame - 1) % every == 0);
    let score = mot::score(&truth, &mot::read(out.path()));
    println!("{sequence}, every {every}: {score:.4?}");
    Some(score)
}

#[test]
fn the_evaluation_counts_as_the_reference_does() {
    let Some(folder) = data("tracking-nc/TUD-Campus") else { return };
    let score = mot::score(&mot::read(&folder.join("gt.txt")), &mot::read(&folder.join("test.txt")));
    assert_eq!((score.switches, score.false_alarms, score.misses), (7, 13, 150));
    let (mota, idf1) = reference("TUD-Campus", "given tracker result test.txt").unwrap();
    assert!((score.mota - mota).abs() < 1e-4 && (score.idf1 - idf1).abs() < 1e-4, "{score:?}");
}

#[test]
fn at_least_as_good_as_the_reference_at_full_rate() {
    for (sequence, detections, fps) in SEQUENCES {
        let Some((mota, idf1)) = reference(sequence, REFERENCE) else { return };
        let score = score(sequence, detections, fps, 1).unwrap();
        assert!(score.mota >= mota && score.idf1 >= idf1, "{sequence}: {score:?}, reference {mota} {idf1}");
    }
}

#[test]
fn at_most_five_points_below_the_reference_at_half_the_rate() {
    for (sequence, detections, fps) in SEQUENCES {
        let Some((mota, idf1)) = reference(sequence, REFERENCE) else { return };
        let score = score(sequence, detections, fps, 2).unwrap();
        assert!(score.mota >= mota - 0.05 && score.idf1 >= idf1 - 0.05, "{sequence}: {score:?}");
    }
}

/// Least MOTA and IDF1 in percent at the full and at half the rate, of one set of settings for all. Two of the cameras
/// move (05 and 11), and where a picture ends is not told: who left is taken for lost.
/// On TUD-Campus two persons are one detection for a long time.
const FLOORS: [(&str, &str, f64, [f64; 4]); 5] = [
    ("TUD-Campus", "det.txt", 25.0, [62.5, 74.9, 65.0, 76.0]),
    ("MOT16-02-10fps", "det_synth.txt", 10.0, [84.0, 89.5, 82.5, 85.5]),
    ("MOT16-05-10fps", "det_synth.txt", 10.0, [83.0, 76.0, 78.0, 73.0]),
    ("MOT16-09-10fps", "det_synth.txt", 10.0, [84.0, 88.0, 83.5, 87.0]),
    ("MOT16-11-10fps", "det_synth.txt", 10.0, [81.5, 82.0, 76.5, 70.0]),
];

#[test]
fn no_worse_than_it_was() {
    for (sequence, detections, fps, floors) in FLOORS {
        let Some(full) = score(sequence, detections, fps, 1) else { return };
        let half = score(sequence, detections, fps, 2).unwrap();
        let reached = [full.mota, full.idf1, half.mota, half.idf1].map(|share| 100.0 * share);
        for (reached, floor) in reached.iter().zip(floors) {
            assert!(*reached >= floor, "{sequence}: {reached:.2}, at least {floors:.1?}");
        }
    }
}
