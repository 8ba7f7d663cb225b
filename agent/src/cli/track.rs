//! `karaul track`: the tracker alone on MOTChallenge detections.
//!
//! The formats are those of the MOTChallenge (arXiv 1603.00831, section 4): a detection is
//! `frame,-1,x,y,width,height,score` with frames counted from 1, boxes in pixels and further
//! columns ignored; a result is `frame,id,x,y,width,height,score,-1,-1,-1`.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    track::{Tracker, TrackerSettings},
    vision::{Detection, Rect},
};

/// Picture rates that make sense; a lapse camera takes one every ten seconds.
const FPS: std::ops::RangeInclusive<f64> = 0.1..=1000.0;

/// Follow the objects of a MOTChallenge detection file and print the tracks as MOTChallenge results.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Detections, one a line: frame,-1,x,y,width,height,score
    pub detections: PathBuf,
    /// Pictures a second that the frame numbers count (0.1 to 1000)
    #[arg(long)]
    pub fps: f64,
    /// Take only each N-th frame, from the first on
    #[arg(long, value_name = "N", default_value = "1")]
    pub every: NonZeroU32,
    /// Also print where an object is believed to be while it is unseen, for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub coast: f64,
    /// Write here, not to the standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Why `karaul track` failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `--fps` is no picture rate.
    #[error("--fps {0}: give the pictures a second of the detections, from 0.1 to 1000")]
    Fps(f64),
    /// `--coast` is no time.
    #[error("--coast {0}: give seconds, 0 or more")]
    Coast(f64),
    /// The detections cannot be read.
    #[error("{}: cannot read the detections: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not a detection.
    #[error("{}:{line}: {problem}; a line reads frame,-1,x,y,width,height,score", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The results cannot be written.
    #[error("{}: cannot write the results: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Reads, follows, prints.
///
/// # Errors
/// If an argument is out of its range, the detections cannot be read or the results cannot be written.
pub fn run(args: &Args) -> Result<(), Error> {
    if !FPS.contains(&args.fps) {
        return Err(Error::Fps(args.fps));
    }
    let coast = Duration::try_from_secs_f64(args.coast).map_err(|_| Error::Coast(args.coast))?;
    let detections = read(&args.detections)?;
    let to = args.out.clone().unwrap_or_else(|| PathBuf::from("standard output"));
    let written = match &args.out {
        Some(path) => File::create(path).and_then(|file| follow(&detections, args, coast, BufWriter::new(file))),
        None => follow(&detections, args, coast, BufWriter::new(io::stdout().lock())),
    };
    written.map_err(|source| Error::Write { path: to, source })
}

/// A detection and the frame it is in.
type Sighting = (u32, Detection);

/// Runs the tracker over every frame taken, also those in which nothing was detected.
fn follow(sightings: &[Sighting], args: &Args, coast: Duration, mut out: impl Write) -> io::Result<()> {
    let every = args.every.get();
    // Where the picture ends is not told.
    let mut tracker = Tracker::new(TrackerSettings { bounds: None, ..TrackerSettings::default() });
    let mut picture = Vec::new();
    let mut rest = sightings;
    let mut frame = 1_u32;
    while let Some(&(next, _)) = rest.first() {
        if tracker.is_idle() {
            // Nobody to follow: on to the first frame taken that is not before the next detection.
            let skipped = next.saturating_sub(frame).div_ceil(every);
            let Some(taken) = skipped.checked_mul(every).and_then(|by| frame.checked_add(by)) else { break };
            frame = taken;
        }
        let (before, from) = rest.split_at(rest.partition_point(|&(f, _)| f < frame));
        debug_assert!(before.iter().all(|(f, _)| (f - 1) % every != 0), "a frame taken was left out");
        let (now, later) = from.split_at(from.partition_point(|&(f, _)| f == frame));
        rest = later;
        picture.clear();
        picture.extend(now.iter().map(|&(_, detection)| detection));
        let at = Duration::from_secs_f64(f64::from(frame - 1) / args.fps);
        for track in tracker.update(at, &picture) {
            if track.seen || (!track.lost && at - track.last_seen <= coast) {
                let Rect { x, y, w, h } = track.bbox;
                writeln!(out, "{frame},{},{x:.2},{y:.2},{w:.2},{h:.2},{:.3},-1,-1,-1", track.id, track.score)?;
            }
        }
        let Some(following) = frame.checked_add(every) else { break };
        frame = following;
    }
    out.flush()
}

/// The detections of a file in the order of their frames.
fn read(path: &Path) -> Result<Vec<Sighting>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let mut sightings = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let sighting = parse(line).map_err(|problem| Error::Line { path: path.to_owned(), line: n + 1, problem })?;
        sightings.push(sighting);
    }
    sightings.sort_by_key(|&(frame, _)| frame);
    Ok(sightings)
}

fn parse(line: &str) -> Result<Sighting, String> {
    const NAMES: [&str; 7] = ["frame", "id", "x", "y", "width", "height", "score"];
    let mut columns = [""; NAMES.len()];
    let mut values = line.split(',').map(str::trim);
    for (i, column) in columns.iter_mut().enumerate() {
        *column = values.next().ok_or_else(|| format!("{i} columns where at least 7 are needed"))?;
    }
    let number = |i: usize| match columns[i].parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!("column {} ({}) is \"{}\", not a number", i + 1, NAMES[i], columns[i])),
    };
    let frame = match columns[0].parse::<u32>() {
        Ok(frame) if frame > 0 => frame,
        _ => return Err(format!("column 1 (frame) is \"{}\", not a whole number from 1 on", columns[0])),
    };
    let bbox = Rect { x: number(2)?, y: number(3)?, w: number(4)?, h: number(5)? };
    Ok((frame, Detection { bbox, score: number(6)?, class: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(path: PathBuf) -> Args {
        Args { detections: path, fps: 10.0, every: NonZeroU32::MIN, coast: 0.0, out: None }
    }

    fn track(text: &str, change: impl FnOnce(&mut Args)) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("det.txt");
        fs::write(&path, text).unwrap();
        let mut args = args(path);
        args.out = Some(folder.path().join("out.txt"));
        change(&mut args);
        match run(&args) {
            Ok(()) => Ok(fs::read_to_string(folder.path().join("out.txt")).unwrap()),
            Err(e) => Err(e.to_string().replace(&format!("{}/", folder.path().display()), "")),
        }
    }

    #[test]
    fn one_standing_object_is_printed_from_its_confirmation_on() {
        let text = "3,-1,10,20,30,40,0.8,-1,-1,-1\n1,-1,10,20,30,40,0.8\n\n2,-1,10,20,30,40,0.8\n";
        assert_eq!(
            track(text, |_| ()).unwrap(),
            "2,1,10.00,20.00,30.00,40.00,0.800,-1,-1,-1\n3,1,10.00,20.00,30.00,40.00,0.800,-1,-1,-1\n"
        );
    }

    #[test]
    fn only_the_frames_asked_for_are_taken() {
        let text: String = (1..=7).map(|f| format!("{f},-1,10,20,30,40,0.8\n")).collect();
        let frames = |text: String| text.lines().map(|l| l.split_once(',').unwrap().0.to_owned()).collect::<Vec<_>>();
        let every = |n| move |args: &mut Args| args.every = NonZeroU32::new(n).unwrap();
        assert_eq!(frames(track(&text, every(2)).unwrap()), ["3", "5", "7"]);
        assert_eq!(frames(track(&text, every(3)).unwrap()), ["4", "7"]);
    }

    #[test]
    fn an_unseen_object_is_printed_only_if_asked_for() {
        let text = "1,-1,10,20,30,40,0.8\n2,-1,10,20,30,40,0.8\n6,-1,10,20,30,40,0.8\n";
        let frames = |coast: f64| track(text, |args| args.coast = coast).unwrap().lines().count();
        assert_eq!(frames(0.0), 2);
        assert_eq!(frames(0.2), 4);
        assert_eq!(frames(9.0), 5);
    }

    #[test]
    fn the_last_frame_number_there_is_does_not_hang_or_overflow() {
        let text = format!("1,-1,10,20,30,40,0.8\n{},-1,10,20,30,40,0.8\n", u32::MAX);
        assert_eq!(track(&text, |_| ()).unwrap(), "");
        assert_eq!(track(&text, |args| args.every = NonZeroU32::new(u32::MAX - 1).unwrap()).unwrap(), "");
    }

    #[test]
    fn errors_name_file_line_and_remedy() {
        let reads = "a line reads frame,-1,x,y,width,height,score";
        let good = "1,-1,10,20,30,40,0.8\n";
        let cases = [
            ("1,-1,10,20", "4 columns where at least 7 are needed"),
            ("0,-1,10,20,30,40,0.8", "column 1 (frame) is \"0\", not a whole number from 1 on"),
            ("1.5,-1,10,20,30,40,0.8", "column 1 (frame) is \"1.5\", not a whole number from 1 on"),
            ("1,-1,left,20,30,40,0.8", "column 3 (x) is \"left\", not a number"),
            ("1,-1,10,20,inf,40,0.8", "column 5 (width) is \"inf\", not a number"),
            ("1,-1,10,20,30,40,", "column 7 (score) is \"\", not a number"),
        ];
        for (line, problem) in cases {
            let error = track(&format!("{good}{line}\n"), |_| ()).unwrap_err();
            assert_eq!(error, format!("det.txt:2: {problem}; {reads}"));
        }
        assert_eq!(
            track(good, |args| args.fps = 0.0).unwrap_err(),
            "--fps 0: give the pictures a second of the detections, from 0.1 to 1000"
        );
        assert_eq!(track(good, |args| args.coast = -1.0).unwrap_err(), "--coast -1: give seconds, 0 or more");
        assert_eq!(
            track(good, |args| args.detections.set_file_name("absent.txt")).unwrap_err(),
            "absent.txt: cannot read the detections: No such file or directory (os error 2)"
        );
    }
}
