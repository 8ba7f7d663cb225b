//! What is on the disk after a power cut.
//!
//! A child process works with an outbox while strace records its writes, truncations, syncs, renames and unlinks.
//! Then, for each sync, the folder is rebuilt as it could be had the power gone just before it returned: what was
//! synced is there, and of the rest any part may be. Each image is opened and compared with what the child had
//! printed until then.

mod check;
mod image;
mod script;
mod trace;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use clap::Args;

pub(crate) use self::script::{Options as ScriptOptions, play};
use self::{
    check::{Known, check},
    image::{Disk, Loss},
    trace::{Call, read},
};
use crate::{error::ProofError, figures, report::Report};

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many different recordings.
    #[arg(long, default_value_t = 4)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Steps of a recording.
    #[arg(long, default_value_t = 400)]
    steps: u32,
    /// Random images per boundary, besides the two extremes.
    #[arg(long, default_value_t = 6)]
    images: u32,
}

#[derive(Default)]
struct Tally {
    boundaries: usize,
    images: usize,
    committed: usize,
    breaches: Vec<String>,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let began = Instant::now();
    let mut report = Report::new("Power cuts");
    if let Some(why) = strace_is_missing() {
        eprintln!("skipped: {why}");
        report.fact("skipped", why);
        return Ok(report);
    }
    let mut tally = Tally::default();
    for seed in options.first_seed..options.first_seed + options.seeds {
        one(seed, options, &mut tally)?;
        eprintln!("recording {seed}: {} boundaries, {} images so far", tally.boundaries, tally.images);
    }
    report.fact("recordings", options.seeds);
    report.fact("critical alerts committed", tally.committed);
    report.fact("sync boundaries", tally.boundaries);
    report.fact("images opened", tally.images);
    report.promise("nothing lost, nothing invented, no number again, never damaged", &tally.breaches);
    report.fact("time", figures::time(began.elapsed()));
    Ok(report)
}

/// strace may be absent, or not allowed to trace.
fn strace_is_missing() -> Option<String> {
    let tried = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    match tried {
        Ok(status) if status.success() => None,
        Ok(_) => Some("strace may not trace here; allow ptrace".to_owned()),
        Err(error) => Some(format!("strace cannot be run ({error}); install it (`make setup`)")),
    }
}

fn one(seed: u64, options: &Options, tally: &mut Tally) -> Result<(), ProofError> {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state");
    let recording = folder.path().join("recording");
    let status = Command::new("strace")
        .args(["-f", "-xx", "-s", "1000000", "-o"])
        .arg(&recording)
        .args(["-e", &format!("trace={}", trace::CALLS.join(","))])
        .arg(std::env::current_exe()?)
        .arg("script")
        .arg("--folder")
        .arg(&state)
        .args(["--seed", &seed.to_string(), "--steps", &options.steps.to_string()])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(std::io::Error::other(format!("the recorded process failed: {status}")).into());
    }
    let calls = read(&fs::read_to_string(&recording)?, &state)?;
    cut(seed, &calls, options.images, tally)
}

/// Cuts the power at each sync.
fn cut(seed: u64, calls: &[Call], images: u32, tally: &mut Tally) -> Result<(), ProofError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut disk, mut known) = (Disk::default(), Known::default());
    let end = calls.len();
    for (index, call) in calls.iter().chain([&Call::End]).enumerate() {
        if call.is_boundary() {
            tally.boundaries += 1;
            let losses =
                [Loss::All, Loss::Nothing].into_iter().chain((0..images).map(|n| Loss::Some { tail: n % 2 == 0 }));
            for loss in losses {
                let image = disk.after_power_cut(loss, &mut random);
                let folder = tempfile::tempdir_in(fast_folder())?;
                image.write(folder.path())?;
                tally.images += 1;
                if let Err(breach) = check(folder.path(), &image, &known) {
                    tally.breaches.push(format!("seed {seed}, call {index} of {end} ({call}), {loss:?}: {breach}"));
                    keep(folder, seed, index);
                }
            }
        }
        match call {
            Call::Said(line) => known.hear(line),
            other => disk.apply(other),
        }
    }
    tally.committed += known.committed();
    Ok(())
}

/// With `KARAUL_PROOF_KEEP` the images that broke a promise stay there, to be looked at.
fn keep(folder: tempfile::TempDir, seed: u64, index: usize) {
    if let Some(place) = std::env::var_os("KARAUL_PROOF_KEEP") {
        let target = Path::new(&place).join(format!("{seed}-{index}"));
        let copied = fs::create_dir_all(&target).and_then(|()| {
            fs::read_dir(folder.path())?.try_for_each(|file| {
                let file = file?;
                fs::copy(file.path(), target.join(file.file_name())).map(drop)
            })
        });
        if let Err(error) = copied {
            eprintln!("{}: {error}", target.display());
        }
    }
}

/// Memory where there is some: an image is opened once and thrown away.
fn fast_folder() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}
